"""Activities: tasks, phone calls, appointments and e-mails, declarations over one table."""

from django.utils.translation import gettext_lazy as _

from rapport.actions import activities
from rapport.meta.entity import Command, Entity, Related, Section, View
from rapport.meta.field import Pointer
from rapport.meta.registry import registry
from rapport.models import Activity, Party
from rapport.models.activity import ActivityType

from .names import PERSON_ALIASES, WIRE_OWNED, WIRE_SYSTEM

REGARDING = ("account", "contact", "lead", "opportunity")
WIRE = {
    **WIRE_OWNED,
    "subject": "subject",
    "regarding": "regardingobjectid",
    "description": "description",
    "starts_at": "scheduledstart",
    "due_at": "scheduledend",
    "ended_at": "actualend",
    "duration_minutes": "actualdurationminutes",
    "priority": "prioritycode",
    "percent_complete": "percentcomplete",
    "direction": "directioncode",
    "phone_number": "phonenumber",
    "left_voicemail": "leftvoicemail",
    "location": "location",
    "all_day": "isalldayevent",
}
ALL = (
    "percent_complete", "direction", "phone_number", "left_voicemail", "location", "all_day",
    "starts_at", "due_at", "duration_minutes", "priority",
)  # fmt: skip
COMMANDS = (
    Command(
        key="complete",
        label=_("Mark complete"),
        icon="check",
        run=activities.complete_activities,
        when=lambda activity: activity.is_open,
        bulk=True,
        primary=True,
    ),
    Command(
        key="cancel",
        label=_("Cancel"),
        icon="x",
        run=activities.cancel_activities,
        when=lambda activity: activity.is_open,
        bulk=True,
    ),
    Command(
        key="reopen",
        label=_("Reopen"),
        icon="undo-2",
        run=activities.reopen_activities,
        when=lambda activity: not activity.is_open,
        bulk=True,
    ),
)
PEOPLE = Related(
    label=_("People"),
    entity="party",
    field="activity",
    columns=("person", "participation", "address"),
)


def _views(plural: object) -> tuple[View, ...]:
    return (
        View(
            key="my-open",
            label=_("My Open %(plural)s") % {"plural": plural},
            where=(("state", "in", [0, 3]), ("owner", "me", None)),
            order=("due_at",),
        ),
        View(
            key="open",
            label=_("Open %(plural)s") % {"plural": plural},
            where=(("state", "in", [0, 3]),),
            order=("due_at",),
        ),
        View(
            key="all",
            label=_("All %(plural)s") % {"plural": plural},
            order=("-occurred_at",),
            default=True,
        ),
    )


def _activity(
    kind: ActivityType,
    *,
    plural: object,
    icon: str,
    code: int,
    columns: tuple[str, ...],
    wire_set: str,
) -> Entity:
    """The declaration of one type of activity; `columns` are the fields that only it has."""
    name = kind.value
    wire_name = name.replace("_", "")
    fields = ("subject", "regarding", *columns, "priority", "owner")
    return Entity(
        model=Activity,
        name=name,
        label=kind.label,
        label_plural=plural,  # type: ignore[arg-type]
        icon=icon,
        wire_name=wire_name,
        wire_set=wire_set,
        code=code,
        title="subject",
        scope={"type": name},
        columns=("subject", "regarding", "status", "due_at", "priority", "owner"),
        quick=("subject", "regarding", *columns[:3], "description"),
        facts=("priority", "due_at", "status", "owner"),
        cards=("regarding",),
        sections=(
            Section(label=kind.label, fields=fields),
            Section(label=_("Description"), fields=("description",)),
            Section(label=_("More"), fields=("ended_at", "occurred_at", "account"), tab="details"),
        ),
        hidden=frozenset(set(ALL) - set(columns) - {"priority", "due_at"}),
        search=("subject",),
        duplicates=(),
        pointers={"regarding": Pointer(label=_("Regarding"), targets=REGARDING)},
        aliases={"description": PERSON_ALIASES["description"], "subject": ("Title", "Betreff")},
        wire={
            k: v
            for k, v in WIRE.items()
            if k not in set(ALL) - set(columns) - {"priority", "due_at"}
        },
        activity=True,
        views=_views(plural),
        related=(PEOPLE,),
        commands=COMMANDS,
        prepare=activities.prepare_activities,
    )


registry.add(
    Entity(
        model=Activity,
        name="activity",
        label=_("Activity"),
        label_plural=_("Activities"),
        icon="list-checks",
        menu=_("My work"),
        wire_name="activitypointer",
        wire_set="activitypointers",
        code=4200,
        title="subject",
        columns=("subject", "type", "regarding", "status", "due_at", "priority", "owner"),
        sections=(
            Section(
                label=_("Activity"), fields=("subject", "type", "regarding", "priority", "owner")
            ),
            Section(label=_("Description"), fields=("description",)),
            Section(
                label=_("Details"),
                fields=(*ALL[:-1], "ended_at", "occurred_at", "account"),
                tab="details",
            ),
        ),
        search=("subject",),
        pointers={"regarding": Pointer(label=_("Regarding"), targets=REGARDING)},
        wire={**WIRE, "type": "activitytypecode"},
        activity=True,
        creatable=False,
        importable=False,
        views=(
            View(
                key="my-open",
                label=_("My Activities"),
                where=(("state", "in", [0, 3]), ("owner", "me", None)),
                order=("due_at",),
                default=True,
            ),
            View(key="all", label=_("All Activities"), order=("-occurred_at",)),
            View(
                key="my-completed",
                label=_("My Completed Activities"),
                where=(("state", "eq", 1), ("owner", "me", None)),
                order=("-occurred_at",),
            ),
            View(
                key="overdue",
                label=_("Overdue Activities"),
                where=(("state", "in", [0, 3]), ("due_at", "past", None)),
                order=("due_at",),
            ),
        ),
        related=(PEOPLE,),
        commands=COMMANDS,
        prepare=activities.prepare_activities,
    )
)
registry.add(
    _activity(
        ActivityType.TASK, plural=_("Tasks"), icon="square-check-big", code=4212, wire_set="tasks",
        columns=("due_at", "starts_at", "percent_complete", "duration_minutes"),
    )
)  # fmt: skip
registry.add(
    _activity(
        ActivityType.PHONE_CALL, plural=_("Phone calls"), icon="phone", code=4210,
        wire_set="phonecalls",
        columns=("direction", "phone_number", "due_at", "duration_minutes", "left_voicemail"),
    )
)  # fmt: skip
registry.add(
    _activity(
        ActivityType.APPOINTMENT, plural=_("Appointments"), icon="calendar", code=4201,
        wire_set="appointments",
        columns=("starts_at", "due_at", "location", "all_day", "duration_minutes"),
    )
)  # fmt: skip
registry.add(
    _activity(
        ActivityType.EMAIL, plural=_("E-mails"), icon="mail", code=4202, wire_set="emails",
        columns=("direction", "due_at"),
    )
)  # fmt: skip
registry.add(
    Entity(
        model=Party,
        name="party",
        label=_("Person"),
        label_plural=_("People"),
        icon="users",
        wire_name="activityparty",
        wire_set="activityparties",
        code=135,
        title="address",
        columns=("person", "participation", "address"),
        quick=("activity", "participation", "person", "address"),
        sections=(
            Section(label=_("Person"), fields=("activity", "participation", "person", "address")),
        ),
        pointers={
            "person": Pointer(
                label=_("Person"),
                targets=("contact", "account", "lead", "user"),
                on_delete="unlink",
            )
        },
        wire={
            **WIRE_SYSTEM,
            "activity": "activityid",
            "participation": "participationtypemask",
            "person": "partyid",
            "address": "addressused",
        },
        views=(View(key="all", label=_("People"), default=True),),
        ownership="parent",
        parent="activity",
        importable=False,
        in_hub=False,
        in_search=False,
        prepare=activities.prepare_parties,
    )
)
