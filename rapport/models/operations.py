"""Operational rows, not journalled: jobs, uploads, plans, preferences, visits, sign-in links."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from rapport.meta.ids import new_id

from .journal import Operation


class JobState(models.TextChoices):
    """Where a job stands."""

    WAITING = "waiting", _("Waiting")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


class Job(models.Model):
    """A piece of background work. The row is the truth; the queue only wakes workers up.

    `cursor`: where the next batch starts, committed with the batch. `worker` and `attempts` are the
    fencing token: a batch commits only while both are still the ones that the worker took.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=60)
    parameters = models.JSONField(default=dict)
    label = models.CharField(max_length=300, default="", blank=True)
    state = models.CharField(max_length=10, choices=JobState.choices, default=JobState.WAITING)
    progress = models.PositiveBigIntegerField(default=0)
    total = models.PositiveBigIntegerField(null=True)
    cursor = models.JSONField(null=True)
    result = models.JSONField(null=True)
    message = models.TextField(default="", blank=True)
    attempts = models.PositiveIntegerField(default=0)
    worker = models.CharField(max_length=100, default="", blank=True)
    heartbeat_at = models.DateTimeField(null=True)
    not_before = models.DateTimeField(null=True)
    cancel_asked = models.BooleanField(default=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="+"
    )
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["state", "heartbeat_at"], name="job_by_state"),
            models.Index(fields=["-created_at"], name="job_by_date"),
        ]

    def __str__(self) -> str:
        return self.label or self.kind


class ImportState(models.TextChoices):
    """Where an import stands."""

    UPLOADED = "uploaded", _("Uploaded")
    PLANNING = "planning", _("Planning")
    PLANNED = "planned", _("Ready to apply")
    IMPORTING = "importing", _("Importing")
    DONE = "done", _("Completed")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


class ImportFile(models.Model):
    """An uploaded file on its way in.

    `stored` is its path below MEDIA_ROOT; `reading` how its bytes are read (encoding, delimiter,
    sheet, date order …); `mapping` {column index as text: field name or what else is said of it,
    and options by name}; `counts` the outcome. `parent`: the archive that it came in; `recipe`: the
    saved mapping that it is read by.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=255)
    stored = models.CharField(max_length=300, default="", blank=True)
    size = models.PositiveBigIntegerField(default=0)
    entity = models.CharField(max_length=32, default="", blank=True)
    state = models.CharField(
        max_length=10, choices=ImportState.choices, default=ImportState.UPLOADED
    )
    reading = models.JSONField(default=dict)
    mapping = models.JSONField(default=dict)
    options = models.JSONField(default=dict)
    counts = models.JSONField(default=dict)
    message = models.TextField(default="", blank=True)
    operation = models.ForeignKey(Operation, models.SET_NULL, null=True, related_name="imports")
    parent = models.ForeignKey("self", models.CASCADE, null=True, related_name="members")
    recipe = models.ForeignKey("ImportRecipe", models.SET_NULL, null=True, related_name="imports")
    job = models.ForeignKey(Job, models.SET_NULL, null=True, related_name="+")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="+"
    )
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["-created_at"], name="import_by_date")]

    def __str__(self) -> str:
        return self.name


class SourceId(models.Model):
    """The id that a record has in the program or file that it was imported from. `system`: which
    program that is, or which import when nobody knows; with a person where it means another record
    to them, who may not see that of the others."""

    id = models.BigAutoField(primary_key=True)
    system = models.CharField(max_length=60)
    entity = models.CharField(max_length=32)
    text = models.CharField(max_length=200)
    record = models.UUIDField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["system", "entity", "text"], name="one_source_id")
        ]
        indexes = [models.Index(fields=["record"], name="source_id_by_record")]


class Plan(models.Model):
    """What applying something would do, before it is done."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=60)
    parameters = models.JSONField(default=dict)
    counts = models.JSONField(default=dict)
    import_file = models.ForeignKey(ImportFile, models.CASCADE, null=True, related_name="plans")
    operation = models.ForeignKey(Operation, models.SET_NULL, null=True, related_name="+")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="+"
    )
    created_at = models.DateTimeField()


class Fate(models.TextChoices):
    """What becomes of a row."""

    CREATE = "create", _("Create")
    UPDATE = "update", _("Update")
    SAME = "same", _("Unchanged")
    DUPLICATE = "duplicate", _("Duplicate")
    REFUSED = "refused", _("Refused")
    SKIP = "skip", _("Left out")
    CHANGED = "changed", _("Changed since the plan")
    PARTIAL = "partial", _("Imported in part")


class Decision(models.TextChoices):
    """What a person wants to become of a row."""

    UPDATE = "update", _("Update the record")
    FILL = "fill", _("Fill its blank fields")
    CREATE = "create", _("Create anyway")
    SKIP = "skip", _("Leave out")


class PlanRow(models.Model):
    """A row with something to tell; rows that are simply created keep no detail, and many that
    change nothing are `SameRows`.

    `found`: what the row is by itself, `fate` what becomes of it. `like`: the earlier row of the
    file that it repeats. `changes`: what an update changes, or would change. `decision` and `cells`
    {column index as text: text} are what a person said and repaired.
    """

    id = models.BigAutoField(primary_key=True)
    plan = models.ForeignKey(Plan, models.CASCADE, related_name="rows")
    row = models.IntegerField()
    fate = models.CharField(max_length=10, choices=Fate.choices)
    record = models.UUIDField(null=True)
    reasons = models.JSONField(default=list)
    cells = models.JSONField(null=True)
    found = models.CharField(max_length=10, choices=Fate.choices, default="", blank=True)
    like = models.IntegerField(default=0)
    changes = models.JSONField(null=True)
    decision = models.CharField(max_length=10, choices=Decision.choices, default="", blank=True)

    class Meta:
        indexes = [models.Index(fields=["plan", "fate", "row"], name="plan_row_by_fate")]


class SameRows(models.Model):
    """Rows of a plan that change nothing, and of which there is no more to say: many in one.

    `spans` [first, last] of their numbers, which are not all there is between `first` and `last`;
    `records`: the ids of what they repeat, in their order, 32 hexadecimal digits each.
    """

    id = models.BigAutoField(primary_key=True)
    plan = models.ForeignKey(Plan, models.CASCADE, related_name="same")
    first = models.IntegerField()
    last = models.IntegerField()
    count = models.IntegerField()
    spans = models.JSONField()
    records = models.TextField()


class Preference(models.Model):
    """What one user chose to see: columns, widths, default view, theme."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    key = models.CharField(max_length=100)
    value = models.JSONField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="one_preference")]


class Visit(models.Model):
    """The last time that a user opened a record: the Recent page."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    entity = models.CharField(max_length=32)
    record = models.UUIDField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "entity", "record"], name="one_visit")
        ]
        indexes = [models.Index(fields=["user", "-at"], name="visit_by_date")]


class SignInLink(models.Model):
    """A one-time link: to create the first administrator (no user), or to choose a password.
    Only a hash of its secret is kept."""

    digest = models.CharField(max_length=64, primary_key=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
