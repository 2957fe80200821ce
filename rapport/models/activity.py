"""Activities: calls, appointments, tasks and e-mails in one table with a type."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from rapport.meta.columns import (
    ChoiceColumn,
    InstantColumn,
    Link,
    LongTextColumn,
    NumberColumn,
    TextColumn,
    YesNoColumn,
)
from rapport.meta.states import States, Status

from .choices import Priority
from .record import OwnedRecord, Record

OPEN, COMPLETED, CANCELED, SCHEDULED = 0, 1, 2, 3
_DONE_OR_NOT = frozenset({(OPEN, COMPLETED), (OPEN, CANCELED), (COMPLETED, OPEN), (CANCELED, OPEN)})
# Values of all types share one column; each entity declaration shows its own part.
ACTIVITY_STATES = States(
    states={
        OPEN: _("Open"),
        COMPLETED: _("Completed"),
        CANCELED: _("Canceled"),
        SCHEDULED: _("Scheduled"),
    },
    statuses=(
        Status(value=1, label=_("Open"), state=OPEN, default=True, tone="info"),
        Status(value=2, label=_("Completed"), state=COMPLETED, default=True, tone="ok"),
        Status(value=3, label=_("Canceled"), state=CANCELED, default=True),
        Status(value=5, label=_("Scheduled"), state=SCHEDULED, default=True, tone="info"),
    ),
    transitions=_DONE_OR_NOT
    | {(OPEN, SCHEDULED), (SCHEDULED, COMPLETED), (SCHEDULED, CANCELED), (SCHEDULED, OPEN)},
    editable=frozenset({OPEN, SCHEDULED}),
)


class ActivityType(models.TextChoices):
    """What sort of activity a row is."""

    TASK = "task", _("Task")
    PHONE_CALL = "phone_call", _("Phone call")
    APPOINTMENT = "appointment", _("Appointment")
    EMAIL = "email", _("E-mail")


class Direction(models.IntegerChoices):
    """Who called or wrote."""

    OUTGOING = 1, _("Outgoing")
    INCOMING = 2, _("Incoming")


class Activity(OwnedRecord):
    """Something that people did, do or will do with a customer.

    `account` is the company at the time it was logged: history stays with the company when a
    person changes employer. `occurred_at` is where it stands in a timeline.
    """

    STATES = ACTIVITY_STATES

    type = models.CharField(max_length=16, choices=ActivityType.choices, editable=False)
    subject = TextColumn(_("Subject"), 200, required=True)
    regarding_entity = models.CharField(max_length=32, blank=True, default="")
    regarding_id = models.UUIDField(null=True, blank=True)
    account = Link(_("Account"), "rapport.Account", editable=False)
    description = LongTextColumn(_("Description"), 100_000)
    starts_at = InstantColumn(_("Start"))
    due_at = InstantColumn(_("Due"))
    ended_at = InstantColumn(_("Completed on"), editable=False)
    occurred_at = InstantColumn(_("Date"), null=False, editable=False)
    duration_minutes = NumberColumn(_("Duration (minutes)"), maximum=525_600)
    priority = ChoiceColumn(_("Priority"), Priority, default=Priority.NORMAL)
    percent_complete = NumberColumn(_("Percent complete"), maximum=100)
    direction = ChoiceColumn(_("Direction"), Direction)
    phone_number = TextColumn(_("Phone number"), 200)
    left_voicemail = YesNoColumn(_("Left voice mail"))
    location = TextColumn(_("Location"), 200)
    all_day = YesNoColumn(_("All day"))

    class Meta:
        indexes = [
            models.Index(fields=["account", "-occurred_at"], name="activity_by_account"),
            models.Index(
                fields=["regarding_entity", "regarding_id", "-occurred_at"],
                name="activity_by_regarding",
            ),
            models.Index(fields=["owner", "state", "due_at"], name="activity_by_owner"),
            models.Index(fields=["-occurred_at", "id"], name="activity_by_date"),
        ]

    def __str__(self) -> str:
        return self.subject

    @property
    def is_open(self) -> bool:
        """Whether it is still to be done."""
        return self.state in {OPEN, SCHEDULED}


class Participation(models.IntegerChoices):
    """The part somebody has in an activity (the reference product's mask values)."""

    FROM = 1, _("From")
    TO = 2, _("To")
    CC = 3, _("Cc")
    BCC = 4, _("Bcc")
    REQUIRED = 5, _("Required attendee")
    OPTIONAL = 6, _("Optional attendee")
    ORGANIZER = 7, _("Organizer")


class Party(Record):
    """Somebody who took part in an activity: a record, or just an address."""

    activity = Link(_("Activity"), "rapport.Activity", null=False, on_delete=models.CASCADE)
    participation = ChoiceColumn(
        _("Part"), Participation, null=False, blank=False, default=Participation.TO
    )
    person_entity = models.CharField(max_length=32, blank=True, default="")
    person_id = models.UUIDField(null=True, blank=True)
    address = TextColumn(_("Address"), 200)

    class Meta:
        indexes = [models.Index(fields=["person_id", "person_entity"], name="party_by_person")]

    def __str__(self) -> str:
        return self.address
