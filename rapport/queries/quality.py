"""How good the data is: declared checks, each a `Query` whose rows are the records to look at.

A check counts records in use (open, active) only, and of those what the viewer may read. For people
who see everything the figures are counted once a day and kept; others count now, up to a limit.
"""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field as attribute
from functools import lru_cache
from typing import Any

from django.db.models import Count, Q
from django.utils.translation import gettext_lazy as _

from rapport import access
from rapport.access import Actor
from rapport.meta.columns import Label
from rapport.meta.entity import Entity
from rapport.meta.field import Field
from rapport.meta.kinds import TEXTS, Kind
from rapport.meta.registry import registry
from rapport.models import QualityFigure

from . import pages
from .query import Condition, Exists, Group, Query, of_view
from .translate import rows
from .views import widest

# Somebody who does not see everything counts up to here, and looks at so many records for shares.
LIMIT = 1000
SAMPLE = 5000
# So few records are counted while one looks, also for who sees everything: what one has just mended
# is gone at once.
SMALL = 1000
# "Stale" after so many months, in days.
MONTHS = {3: 91, 6: 182, 12: 365, 24: 730}
DEFAULT_MONTHS = 12
# An e-mail address of more records than this is probably nobody's own.
MANY = 5
# Points of a line of history, and how far it goes back.
POINTS = 26
REACH = datetime.timedelta(days=365)

GROUPS: dict[str, Label] = {
    "reach": _("Ways to reach people"),
    "names": _("Names and addresses"),
    "orphans": _("Left alone"),
    "stale": _("Not touched for long"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """A command of the list that mends many records at once, and what its dialog begins with."""

    command: str
    label: Label
    values: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """Something that may be wrong. `query`: the records; `shown`: fields that a list of them should
    have as columns; `months`: of a check that depends on what one calls stale."""

    key: str
    entity: str
    group: str
    label: Label
    says: Label
    where: tuple[Condition | Group, ...]
    exists: tuple[Exists, ...] = ()
    shown: tuple[str, ...] = ()
    fixes: tuple[Fix, ...] = ()
    months: int = 0

    @property
    def query(self) -> Query:
        """The records, as their list shows them."""
        entity = registry[self.entity]
        base = of_view(entity, widest(entity).key)
        columns = tuple(dict.fromkeys((*base.columns, *self.shown)))
        where = Group((*in_use(entity), *self.where))
        return Query(
            entity=self.entity, columns=columns, where=where, exists=self.exists, order=base.order
        )


@dataclass(frozen=True, slots=True)
class Figure:
    """A measure of an entity: `number` of `total` records. `more`: counting stopped there."""

    entity: str
    measure: str
    number: int
    total: int
    more: bool = False


# -- what is checked ------------------------------------------------------------------------------


def watched() -> list[Entity]:
    """The entities whose records people fill in: those of the create menu but activities."""
    return [e for e in registry if e.quick and e.ownership == "user" and not e.activity and e.menu]


def in_use(entity: Entity) -> tuple[Condition, ...]:
    """The condition of a record that is neither closed nor inactive."""
    states = sorted(entity.states.editable)
    if len(states) == 1:
        return (Condition("state", "eq", states[0]),)
    return (Condition("state", "in", states),)


def _of_kind(entity: Entity, kind: Kind) -> tuple[str, ...]:
    return tuple(name for name in entity.form_fields if entity.fields[name].kind is kind)


def _either(
    names: Iterable[str], operator: str, value: Any = None
) -> tuple[Condition | Group, ...]:
    found = tuple(Condition(name, operator, value) for name in names)
    return found if len(found) == 1 else (Group(found, any=True),)


_TIDY_EMAIL = Fix(command="repair", label=_("Tidy addresses"), values=(("repair", "email"),))
_TIDY_PHONE = Fix(command="repair", label=_("International format"), values=(("repair", "phone"),))
_EMPTY = Fix(command="repair", label=_("Empty them"), values=(("repair", "placeholder"),))
_SPLIT = Fix(command="repair", label=_("Split names"), values=(("repair", "name"),))
_COUNTRY = Fix(command="repair", label=_("Fill in"), values=(("repair", "country"),))
_ASSIGN = Fix(command="assign", label=_("Assign"))

_DELETE = Fix(command="delete", label=_("Delete"))

# Kind: (operator, label, what it means, fix) of the checks of its fields.
_REACH: dict[Kind, tuple[tuple[str, Label, Label, Fix], ...]] = {
    Kind.EMAIL: (
        (
            "invalid",
            _("E-mail address is not valid"),
            _("No mail can arrive there."),
            _TIDY_EMAIL,
        ),
        (
            "placeholder",
            _("E-mail address is made up"),
            _("Such as a@a.a or test@…"),
            _EMPTY,
        ),
        (
            "untidy",
            _("E-mail address with capitals"),
            _("It works, but some programs take it for another one."),
            _TIDY_EMAIL,
        ),
    ),
    Kind.PHONE: (
        (
            "invalid",
            _("Phone number is not valid"),
            _("Too few or too many digits, or words."),
            _TIDY_PHONE,
        ),
        (
            "placeholder",
            _("Phone number is made up"),
            _("Such as 000000 or 123456"),
            _EMPTY,
        ),
        (
            "untidy",
            _("Phone number not in international format"),
            _("+49 30 1234567 can be dialled from everywhere."),
            _TIDY_PHONE,
        ),
    ),
}

# What an entity has of its own: to close what nobody touches, to help what nobody can reach.
_OWN: dict[tuple[str, str], Fix] = {
    ("stale", "account"): Fix(command="deactivate", label=_("Deactivate")),
    ("stale", "contact"): Fix(command="deactivate", label=_("Deactivate")),
    ("stale", "lead"): Fix(command="disqualify", label=_("Disqualify")),
    ("stale", "opportunity"): Fix(command="lose", label=_("Close as lost")),
    ("unreachable", "lead"): Fix(command="disqualify", label=_("Disqualify")),
}


def _reach(entity: Entity) -> Iterable[Check]:
    for kind, declared in _REACH.items():
        names = _of_kind(entity, kind)
        for operator, label, says, fix in declared if names else ():
            yield Check(
                key=f"{kind.value}.{operator}",
                entity=entity.name,
                group="reach",
                label=label,
                says=says,
                where=_either(names, operator),
                shown=names[:2],
                fixes=(fix,),
            )
    if {"email", "last_name"} <= set(entity.fields):
        yield Check(
            key="email.repeated",
            entity=entity.name,
            group="reach",
            label=_("One e-mail address in very many records"),
            says=_("Often a collective address, or a placeholder."),
            where=(Condition("email", "repeated", MANY),),
            shown=("email",),
        )
    ways = (*_of_kind(entity, Kind.EMAIL), *_of_kind(entity, Kind.PHONE))
    if "last_name" in entity.fields:
        own = _OWN.get(("unreachable", entity.name))
        yield Check(
            key="unreachable",
            entity=entity.name,
            group="reach",
            label=_("Nobody can reach them"),
            says=_("Neither an e-mail address nor a phone number."),
            where=tuple(Condition(name, "empty") for name in ways),
            shown=("email", "business_phone"),
            fixes=(own,) if own else (),
        )


def _names(entity: Entity) -> Iterable[Check]:
    named = [f for f in entity.title_fields if entity.fields[f].kind is Kind.TEXT]
    yield Check(
        key="name.placeholder",
        entity=entity.name,
        group="names",
        label=_("Name is made up"),
        says=_("Such as Test, n/a, ??? or xxx"),
        where=_either(named, "placeholder"),
        fixes=(_DELETE,),
    )
    if {"first_name", "last_name"} <= set(entity.fields):
        yield Check(
            key="name.whole",
            entity=entity.name,
            group="names",
            label=_("First and last name in one field"),
            says=_("The field of the first name is empty."),
            where=(Condition("first_name", "empty"), Condition("last_name", "several_words")),
            shown=("first_name", "last_name"),
            fixes=(_SPLIT,),
        )
        yield Check(
            key="name.email",
            entity=entity.name,
            group="names",
            label=_("An e-mail address as a name"),
            says=_("The name of the person is not known."),
            where=_either(("first_name", "last_name"), "contains", "@"),
            shown=("first_name", "last_name"),
        )
    if "address1" in entity.addresses:
        yield Check(
            key="country.missing",
            entity=entity.name,
            group="names",
            label=_("A city without its country"),
            says=_("Other records may know where the city is."),
            where=(Condition("address1_city", "filled"), Condition("address1_country", "empty")),
            shown=("address1_city", "address1_country"),
            fixes=(_COUNTRY,),
        )


# Where the activities of a record are: (entity, its field, when).
_ACTIVITY: dict[str, tuple[tuple[str, str, str], ...]] = {
    "account": (("activity", "account", "occurred_at"),),
    "contact": (
        ("activity", "regarding", "occurred_at"),
        ("party", "person", "activity.occurred_at"),
    ),
    "lead": (("activity", "regarding", "occurred_at"),),
    "opportunity": (("activity", "regarding", "occurred_at"),),
}


def _stale(entity: Entity, months: int) -> Iterable[Check]:
    days = MONTHS[months]
    lately = [
        Exists(name, link, Group((Condition(when, "newer_days", days),)), negated=True)
        for name, link, when in _ACTIVITY[entity.name]
    ]
    yield Check(
        key=f"stale.{months}",
        entity=entity.name,
        group="stale",
        label=_("No change and no activity"),
        says=_("Nothing was written, done or planned in all that time."),
        where=(Condition("modified_at", "older_days", days),),
        exists=tuple(lately),
        shown=("modified_at",),
        fixes=(_OWN["stale", entity.name], _ASSIGN),
        months=months,
    )


def _orphans(entity: Entity) -> Iterable[Check]:
    yield Check(
        key="owner.inactive",
        entity=entity.name,
        group="orphans",
        label=_("Owner who left"),
        says=_("The owner cannot sign in any more, so nobody looks after them."),
        where=(Condition("owner", "inactive"),),
        shown=("owner",),
        fixes=(_ASSIGN,),
    )


def _edit(name: str) -> Fix:
    return Fix(command="edit", label=_("Fill in"), values=(("add", name),))


_SINGLE = (
    Check(
        key="account.missing",
        entity="contact",
        group="orphans",
        label=_("Contacts of no company"),
        says=_("They show on the page of no account."),
        where=(Condition("account", "empty"),),
        shown=("account",),
        fixes=(_edit("account"),),
    ),
    Check(
        key="customer.missing",
        entity="opportunity",
        group="orphans",
        label=_("Opportunities of nobody"),
        says=_("Neither an account nor a contact."),
        where=(Condition("account", "empty"), Condition("contact", "empty")),
        shown=("account", "contact"),
        fixes=(_edit("account"), _edit("contact")),
    ),
    Check(
        key="regarding.missing",
        entity="activity",
        group="orphans",
        label=_("Activities about nothing"),
        says=_("They show on no timeline."),
        where=(Condition("regarding", "empty"),),
        shown=("regarding",),
    ),
    Check(
        key="closing.past",
        entity="opportunity",
        group="stale",
        label=_("Open past their closing date"),
        says=_("They were to be decided by now, so no forecast is right."),
        where=(Condition("estimated_close_date", "past"),),
        shown=("estimated_close_date",),
        fixes=(_edit("estimated_close_date"), _OWN["stale", "opportunity"]),
    ),
)


@lru_cache
def checks(*months: int) -> tuple[Check, ...]:
    """Every check; what depends on the meaning of stale once for each of `months`."""
    found: list[Check] = []
    for entity in watched():
        found += [*_reach(entity), *_names(entity)]
        for number in months:
            found += _stale(entity, number)
        found += _orphans(entity)
    return (*found, *_SINGLE)


def important(entity: Entity) -> tuple[Field, ...]:
    """The fields that every record in use should have filled."""
    return tuple(entity.fields[name] for name in entity.important_fields)


def missing(entity: Entity, name: str) -> Check:
    """The records whose field `name` is blank."""
    found = entity.fields[name]
    return Check(
        key=f"filled.{name}",
        entity=entity.name,
        group="completeness",
        label=found.label,
        says="",
        where=(Condition(name, "empty"),),
        shown=(name,),
        fixes=(_edit(name),),
    )


# -- counting -------------------------------------------------------------------------------------


def count(check: Check, by: Actor, *, limit: int | None = None) -> Figure:
    """How many records `by` may read that the check finds; at most `limit`."""
    number = pages.count(check.query, by, limit=limit)
    more = limit is not None and number > limit
    return Figure(check.entity, check.key, limit if more else number, 0, more)  # type: ignore[arg-type]


def filled(entity: Entity, by: Actor, *, limit: int | None = None) -> list[Figure]:
    """How many records have each important field filled; of the first `limit` ones only."""
    found = rows(Query(entity=entity.name, where=Group(in_use(entity))), by).order_by()
    if limit is not None:
        found = found[: limit + 1]
    fields = important(entity)
    counted = found.aggregate(
        total=Count("pk"),
        **{f"has_{f.name}": Count("pk", filter=~_blank(f)) for f in fields},
    )
    more = limit is not None and counted["total"] > limit
    return [
        Figure(entity.name, f"filled.{f.name}", counted[f"has_{f.name}"], counted["total"], more)
        for f in fields
    ]


def _blank(found: Field) -> Q:
    if found.kind in TEXTS:
        return Q(**{found.column: ""})
    return Q(**{f"{found.columns[-1]}__isnull": True})


def score(figures: Iterable[Figure]) -> int | None:
    """How much of what is important is filled, in percent; None without a record."""
    counted = [(figure.number, figure.total) for figure in figures]
    wanted = sum(total for _number, total in counted)
    return sum(number for number, _total in counted) * 100 // wanted if wanted else None


@dataclass(frozen=True, slots=True)
class Step:
    """A part of the daily count: a check, or (None) the completeness of an entity."""

    entity: str
    check: Check | None

    @property
    def measures(self) -> frozenset[tuple[str, str]]:
        """(entity, measure) of what it counts."""
        if self.check is not None:
            return frozenset({(self.entity, self.check.key)})
        entity = registry[self.entity]
        return frozenset((self.entity, f"filled.{f.name}") for f in important(entity))


def steps() -> tuple[Step, ...]:
    """All parts of the daily count."""
    whole = [Step(entity.name, None) for entity in watched()]
    return (*whole, *(Step(check.entity, check) for check in checks(*MONTHS)))


def measure(step: Step, by: Actor) -> list[Figure]:
    """The figures of one part, over all that `by` may read."""
    entity = registry[step.entity]
    if step.check is None:
        return filled(entity, by)
    one = count(step.check, by)
    return [Figure(one.entity, one.measure, one.number, total(entity, by))]


def total(entity: Entity, by: Actor) -> int:
    """How many records in use `by` may read."""
    return pages.count(Query(entity=entity.name, where=Group(in_use(entity))), by, limit=None)


def measured(day: datetime.date) -> set[tuple[str, str]]:
    """(entity, measure) of what is counted for `day`."""
    return set(QualityFigure.objects.filter(day=day).values_list("entity", "measure"))


# -- what is kept ---------------------------------------------------------------------------------


def sees_everything(by: Actor) -> bool:
    """Whether the figures of the whole organisation are those of `by`, too."""
    return all(access.sees_all(by, e) for e in (*watched(), registry["activity"]))


Point = tuple[datetime.date, int, int]


@dataclass(slots=True)
class History:
    """Figures of the whole organisation: {(entity, measure): [(day, number, total)]}, oldest
    first. `day`: of the newest ones; None when nothing was counted yet."""

    day: datetime.date | None = None
    lines: Mapping[tuple[str, str], list[Point]] = attribute(default_factory=dict)

    def latest(self, entity: str, measure_: str) -> Figure | None:
        """The newest figure of a measure."""
        line = self.lines.get((entity, measure_))
        return Figure(entity, measure_, *line[-1][1:]) if line else None


def history(*, today: datetime.date, duplicates: bool = False) -> History:
    """What is kept, at most POINTS days of it; for people who see everything only. `duplicates`:
    the radar's figures, which have days of their own, instead of ours."""
    kept = QualityFigure.objects.filter(day__gte=today - REACH, day__lte=today)
    own = Q(measure__startswith="duplicates.")
    kept = kept.filter(own) if duplicates else kept.exclude(own)
    days = sorted(kept.order_by().values_list("day", flat=True).distinct())
    if not days:
        return History()
    apart = max(1, -(-len(days) // POINTS))
    # The newest two: today's count may be under way.
    chosen = {*days[::-1][::apart], *days[-2:]}
    lines: dict[tuple[str, str], list[Point]] = defaultdict(list)
    found = kept.filter(day__in=chosen).order_by("day")
    for day, entity, name, number, total in found.values_list(
        "day", "entity", "measure", "number", "total"
    ):
        lines[entity, name].append((day, number, total))
    return History(days[-1], dict(lines))
