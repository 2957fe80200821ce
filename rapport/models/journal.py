"""The journal: what was done, by whom, and what it changed. Written by `actions` only."""

from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from rapport.meta.ids import new_id


class OperationState(models.TextChoices):
    """Where an operation stands."""

    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    CANCELLED = "cancelled", _("Cancelled")
    FAILED = "failed", _("Failed")


class Operation(models.Model):
    """One thing that somebody did. `actor` names a system actor when there is no user.

    `counts`: {"created": n, "updated": n, "deleted": n}, kept while it runs. `pending`: rows of
    changes that the writer keeps back until the end of a short operation, so that all go in one
    statement; None for a long one. `titles`: names of the records it wrote, by id.
    """

    pending: list[tuple[Any, ...]] | None = None
    titles: dict[Any, str] | None = None

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=60)
    parameters = models.JSONField(default=dict)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    actor = models.CharField(max_length=60, default="", blank=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=10, choices=OperationState.choices)
    undo_of = models.ForeignKey("self", models.SET_NULL, null=True, related_name="undone_by")
    counts = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["-started_at", "id"], name="operation_by_date")]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


class ChangeVerb(models.IntegerChoices):
    """What happened to a record."""

    CREATE = 1, _("Created")
    UPDATE = 2, _("Changed")
    DELETE = 3, _("Deleted")


class Change(models.Model):
    """What one operation did to one record.

    `before`, `after`: JSON of the changed fields only; a create stores neither (its values are the
    row plus the later befores); a delete stores the whole row in `before`. `row`: of the imported
    file. `version`: the record's version after it.
    """

    id = models.BigAutoField(primary_key=True)
    # Written with its operation, which goes only when it has none: nothing to look for.
    operation = models.ForeignKey(
        Operation, models.CASCADE, related_name="changes", db_constraint=False
    )
    entity = models.CharField(max_length=32)
    record = models.UUIDField()
    verb = models.SmallIntegerField(choices=ChangeVerb.choices)
    row = models.IntegerField(null=True)
    version = models.IntegerField(default=1)
    at = models.DateTimeField()
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["record", "id"], name="change_by_record"),
            # The recycle bin: few of many changes.
            models.Index(
                fields=["-id"], condition=models.Q(verb=ChangeVerb.DELETE), name="change_deletions"
            ),
        ]
