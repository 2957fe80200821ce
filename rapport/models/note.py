"""Notes on any record."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from rapport.meta.columns import InstantColumn, Link, LongTextColumn, TextColumn, YesNoColumn

from .record import OwnedRecord


class Note(OwnedRecord):
    """Something that somebody wrote down. `account` as in `Activity`."""

    subject = TextColumn(_("Title"), 500)
    text = LongTextColumn(_("Note"), 100_000)
    regarding_entity = models.CharField(max_length=32, blank=True, default="")
    regarding_id = models.UUIDField(null=True, blank=True)
    account = Link(_("Account"), "rapport.Account", editable=False)
    occurred_at = InstantColumn(_("Date"), null=False, editable=False)
    pinned = YesNoColumn(_("Pinned"))

    class Meta:
        indexes = [
            models.Index(fields=["account", "-occurred_at"], name="note_by_account"),
            models.Index(
                fields=["regarding_entity", "regarding_id", "-occurred_at"],
                name="note_by_regarding",
            ),
        ]

    def __str__(self) -> str:
        return self.subject or self.text[:60]
