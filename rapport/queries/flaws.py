"""What may be wrong with records in use (open, active): declared checks, each a `Query` whose rows
are the records to look at."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.utils.translation import gettext_lazy as _

from rapport.meta.columns import Label
from rapport.meta.entity import Entity
from rapport.meta.field import Field
from rapport.meta.kinds import Kind
from rapport.meta.registry import registry

from .query import Condition, Exists, Group, Query, of_view
from .views import widest

# "Stale" after so many months, in days.
MONTHS = {3: 91, 6: 182, 12: 365, 24: 730}
DEFAULT_MONTHS = 12
# An e-mail address of more records than this is probably nobody's own.
MANY = 5

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
