"""`Query`: the one tree that saved views, the filter builder, quick find and the API become."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.utils.translation import gettext_lazy as _

from rapport.meta.entity import Entity
from rapport.meta.field import Field
from rapport.meta.kinds import (
    CANONICAL,
    TEXTS,
    InvalidValue,
    Kind,
    Reading,
    check as check_value,
    from_json,
    parse,
    to_json,
)
from rapport.meta.registry import registry
from rapport.meta.storable import is_storable

PAGE_SIZE = 50
MAX_DEPTH = 6
MAX_CONDITIONS = 100
MAX_DAYS = 36_525
# Days outside could not be counted on from, nor moved into another time zone.
_YEARS = (1000, 9000)
_BY_DAY = frozenset({"on", "on_or_after", "on_or_before", "between"})


class InvalidQuery(ValueError):
    """The query names something that does not exist or does not fit; the message is for people."""


@dataclass(frozen=True, slots=True)
class Condition:
    """`field` (may be 'link.field', one level) compared by `operator` with `value`."""

    field: str
    operator: str
    value: Any = None


@dataclass(frozen=True, slots=True)
class Group:
    """Conditions of which all ('and') or one ('or') must hold."""

    conditions: tuple[Condition | Group, ...] = ()
    any: bool = False


@dataclass(frozen=True, slots=True)
class Exists:
    """Records to which some (or, `negated`, no) `entity` record points by `field`, with `where`."""

    entity: str
    field: str
    where: Group = Group()
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Order:
    """Sort by `field`, smallest first unless `descending`; blanks come last either way."""

    field: str
    descending: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Query:
    """What to read: of which entity, which columns, which rows, in which order, how many.

    `find`: words that must all be in the search text. `after`/`before`: cursor of a page.
    """

    entity: str
    columns: tuple[str, ...] = ()
    where: Group = Group()
    exists: tuple[Exists, ...] = ()
    order: tuple[Order, ...] = ()
    find: str = ""
    size: int = PAGE_SIZE
    after: str = ""
    before: str = ""


# operator: (label, takes a value: '', 'one', 'many', 'two'; 'number' of days, 'times')
OPERATORS: dict[str, tuple[Any, str]] = {
    "eq": (_("equals"), "one"),
    "ne": (_("does not equal"), "one"),
    "in": (_("is one of"), "many"),
    "not_in": (_("is none of"), "many"),
    "contains": (_("contains"), "one"),
    "not_contains": (_("does not contain"), "one"),
    "begins": (_("begins with"), "one"),
    "ends": (_("ends with"), "one"),
    "lt": (_("less than"), "one"),
    "le": (_("at most"), "one"),
    "gt": (_("greater than"), "one"),
    "ge": (_("at least"), "one"),
    "between": (_("between"), "two"),
    "empty": (_("is empty"), ""),
    "filled": (_("is not empty"), ""),
    "me": (_("is me"), ""),
    "my_teams": (_("is me or my team"), ""),
    "on": (_("on"), "one"),
    "on_or_after": (_("on or after"), "one"),
    "on_or_before": (_("on or before"), "one"),
    "today": (_("today"), ""),
    "yesterday": (_("yesterday"), ""),
    "tomorrow": (_("tomorrow"), ""),
    "this_week": (_("this week"), ""),
    "last_week": (_("last week"), ""),
    "next_week": (_("next week"), ""),
    "this_month": (_("this month"), ""),
    "last_month": (_("last month"), ""),
    "next_month": (_("next month"), ""),
    "this_year": (_("this year"), ""),
    "last_year": (_("last year"), ""),
    "next_year": (_("next year"), ""),
    "last_days": (_("in the last … days"), "number"),
    "next_days": (_("in the next … days"), "number"),
    "older_days": (_("older than … days"), "number"),
    "newer_days": (_("newer than … days"), "number"),
    "past": (_("in the past"), ""),
    "future": (_("in the future"), ""),
    "invalid": (_("is not valid"), ""),
    "untidy": (_("is not in the usual form"), ""),
    "placeholder": (_("is a placeholder"), ""),
    "several_words": (_("has several words"), ""),
    "repeated": (_("is in more than … records"), "times"),
    "inactive": (_("is not active any more"), ""),
}
_NUMBERS = frozenset({"number", "times"})
_TEXT = (
    "eq", "ne", "contains", "not_contains", "begins", "ends", "empty", "filled", "in", "not_in",
    "placeholder",
)  # fmt: skip
_AMOUNT = ("eq", "ne", "lt", "le", "gt", "ge", "between", "empty", "filled", "in", "not_in")
_TIME = (
    "on", "on_or_after", "on_or_before", "between", "today", "yesterday", "tomorrow", "this_week",
    "last_week", "next_week", "this_month", "last_month", "next_month", "this_year", "last_year",
    "next_year", "last_days", "next_days", "older_days", "newer_days", "past", "future",
    "empty", "filled", "eq", "ne", "lt", "le", "gt", "ge",
)  # fmt: skip
_CHOICE = ("eq", "ne", "in", "not_in", "empty", "filled")
KIND_OPERATORS: dict[Kind, tuple[str, ...]] = {
    **dict.fromkeys(TEXTS, (*_TEXT, "repeated")),
    Kind.TEXT: (*_TEXT, "repeated", "several_words"),
    Kind.LONG_TEXT: _TEXT,
    Kind.EMAIL: (*_TEXT, "repeated", "invalid", "untidy"),
    Kind.PHONE: (*_TEXT, "repeated", "invalid", "untidy"),
    Kind.URL: (*_TEXT, "repeated", "invalid"),
    Kind.CHOICE: _CHOICE,
    Kind.STATE: _CHOICE,
    Kind.NUMBER: _AMOUNT,
    Kind.MONEY: _AMOUNT,
    Kind.DATE: _TIME,
    Kind.DATETIME: _TIME,
    Kind.BOOLEAN: ("eq", "ne"),
    Kind.LOOKUP: ("eq", "ne", "in", "not_in", "empty", "filled", "contains", "me"),
    Kind.OWNER: ("me", "my_teams", "eq", "ne", "in", "not_in", "inactive"),
    Kind.POINTER: ("eq", "ne", "empty", "filled"),
    Kind.ADDRESS: ("contains", "empty", "filled"),
}


def field_of(entity: Entity, path: str) -> Field:
    """The field at `path` ('name' or 'link.name'). InvalidQuery when there is none."""
    head, dot, tail = path.partition(".")
    found = entity.fields.get(head)
    if found is None:
        raise InvalidQuery(_unknown(entity, path))
    if not dot:
        return found
    if found.kind is not Kind.LOOKUP or found.target is None or "." in tail:
        raise InvalidQuery(_unknown(entity, path))
    return field_of(registry[found.target], tail)


def _unknown(entity: Entity, path: str) -> str:
    return str(_("There is no field “%(field)s” in %(entity)s.")) % {
        "field": path,
        "entity": entity.label_plural,
    }


def check(query: Query) -> None:
    """Raise InvalidQuery when `query` names what does not exist or is too large."""
    if query.entity not in registry:
        raise InvalidQuery(str(_("There is no such entity.")))
    entity = registry[query.entity]
    for name in query.columns:
        field_of(entity, name)
    for order in query.order:
        if not field_of(entity, order.field).columns:
            raise InvalidQuery(_unknown(entity, order.field))
    conditions = [(entity, condition) for condition in _walk(query.where, 0)]
    for exists in query.exists:
        if exists.entity not in registry:
            raise InvalidQuery(str(_("There is no such entity.")))
        other = registry[exists.entity]
        if "." in exists.field or not registry.leads_to(field_of(other, exists.field), entity):
            raise InvalidQuery(_unknown(other, exists.field))
        conditions += [(other, condition) for condition in _walk(exists.where, 0)]
    if len(conditions) + len(query.exists) > MAX_CONDITIONS:
        raise InvalidQuery(str(_("More than %(limit)s conditions.")) % {"limit": MAX_CONDITIONS})
    for holder, condition in conditions:
        _check_condition(holder, condition)


def _walk(group: Group, depth: int) -> Iterator[Condition]:
    if depth > MAX_DEPTH:
        raise InvalidQuery(
            str(_("Groups within groups: at most %(limit)s.")) % {"limit": MAX_DEPTH}
        )
    for part in group.conditions:
        if isinstance(part, Group):
            yield from _walk(part, depth + 1)
        else:
            yield part


def _check_condition(entity: Entity, condition: Condition) -> None:
    found = field_of(entity, condition.field)
    if condition.operator not in KIND_OPERATORS[found.kind]:
        raise InvalidQuery(
            str(_("“%(operator)s” does not fit %(field)s."))
            % {"operator": condition.operator, "field": found.label}
        )
    takes = OPERATORS[condition.operator][1]
    values = condition.value if takes in {"many", "two"} else [condition.value]
    if not takes or (condition.value is None and condition.operator in {"eq", "ne"}):
        return
    if (
        not isinstance(values, list | tuple)
        or (takes == "two" and len(values) != 2)
        or not all(_fits(found, condition.operator, takes, value) for value in values)
    ):
        raise InvalidQuery(
            str(_("%(field)s: %(value)s is not a value for “%(operator)s”."))
            % {
                "field": found.label,
                "value": condition.value,
                "operator": OPERATORS[condition.operator][0],
            }
        )


def _fits(found: Field, operator: str, takes: str, value: Any) -> bool:
    """Whether the database can be asked with `value`: what people saved or sent may be anything."""
    if takes in _NUMBERS:
        return isinstance(value, int) and 0 <= value <= MAX_DAYS
    if (
        found.kind in TEXTS
        or found.kind is Kind.ADDRESS
        or (found.is_link and operator == "contains")
    ):
        return isinstance(value, str) and is_storable(value)
    if isinstance(value, datetime.date) and not _YEARS[0] <= value.year <= _YEARS[1]:
        return False
    if found.kind is Kind.DATETIME and type(value) is datetime.date:
        return operator in _BY_DAY
    # One may ask for more than a field can hold.
    found = replace(found, minimum=None, maximum=None)
    try:
        check_value(found, value)
    except (InvalidValue, TypeError):
        return False
    return value is not None


def _is_text(found: Field, operator: str) -> bool:
    by_name = found.is_link and operator == "contains"
    return found.kind in TEXTS or found.kind is Kind.ADDRESS or by_name


def parse_value(found: Field, operator: str, text: str, reading: Reading = CANONICAL) -> Any:
    """The value of a condition out of text (`many` and `two`: parts separated by '|').

    Raises InvalidQuery.
    """
    takes = OPERATORS[operator][1]
    if not takes:
        return None
    try:
        if takes in _NUMBERS:
            number = int(text)
            if not 0 <= number <= MAX_DAYS:
                raise InvalidQuery(str(_("“%(text)s” is not a number that fits.")) % {"text": text})
            return number
        if takes in {"many", "two"}:
            values = [_one_value(found, operator, part, reading) for part in text.split("|")]
            if takes == "two" and len(values) != 2:
                raise InvalidQuery(str(_("Between needs two values.")))
            return values
        return _one_value(found, operator, text, reading)
    except (InvalidValue, ValueError) as error:
        raise InvalidQuery(str(error)) from None


def _one_value(found: Field, operator: str, text: str, reading: Reading) -> Any:
    if _is_text(found, operator):
        return text.strip()
    if found.kind is Kind.DATETIME and operator in _BY_DAY:
        return datetime.date.fromisoformat(text.strip()[:10])
    return parse(found, text, reading)


# -- JSON: what saved views keep -----------------------------------------------------------------


def dumps(query: Query) -> dict[str, Any]:
    """`query` as plain JSON values, without its page."""
    return {
        "entity": query.entity,
        "columns": list(query.columns),
        "where": _dump_group(query.where),
        "exists": [
            {
                "entity": e.entity,
                "field": e.field,
                "where": _dump_group(e.where),
                "negated": e.negated,
            }
            for e in query.exists
        ],
        "order": [["-" if o.descending else "", o.field] for o in query.order],
        "find": query.find,
    }


def _dump_group(group: Group) -> dict[str, Any]:
    parts = [
        _dump_group(part)
        if isinstance(part, Group)
        else [part.field, part.operator, _dump_value(part.value)]
        for part in group.conditions
    ]
    return {"any": group.any, "of": parts}


def _dump_value(value: Any) -> Any:
    return (
        [to_json(v) for v in value]
        if isinstance(value, list | tuple) and not hasattr(value, "entity")
        else to_json(value)
    )


# What goes wrong when anything is read as a query; the last for groups within groups without end.
_NOT_A_QUERY = (
    TypeError, ValueError, AttributeError, LookupError, ArithmeticError, RecursionError,
)  # fmt: skip


def loads(document: Mapping[str, Any]) -> Query:
    """The query of a JSON document made by `dumps`. Raises InvalidQuery."""
    try:
        entity = registry[document["entity"]]
        query = Query(
            entity=entity.name,
            columns=tuple(document.get("columns", ())),
            where=_load_group(entity, document.get("where", {})),
            exists=tuple(
                Exists(
                    e["entity"],
                    e["field"],
                    _load_group(registry[e["entity"]], e.get("where", {})),
                    bool(e.get("negated")),
                )
                for e in document.get("exists", ())
            ),
            order=tuple(Order(name, sign == "-") for sign, name in document.get("order", ())),
            find=str(document.get("find", "")),
        )
        check(query)
    except _NOT_A_QUERY as error:
        raise InvalidQuery(str(error)) from None
    return query


def _load_group(entity: Entity, document: Mapping[str, Any]) -> Group:
    parts: list[Condition | Group] = []
    for part in document.get("of", ()):
        if isinstance(part, Mapping):
            parts.append(_load_group(entity, part))
        else:
            name, operator, value = part
            parts.append(
                Condition(name, operator, _load_value(field_of(entity, name), operator, value))
            )
    return Group(tuple(parts), bool(document.get("any")))


def _load_value(found: Field, operator: str, value: Any) -> Any:
    takes = OPERATORS[operator][1]
    if takes in _NUMBERS or value is None:
        return value
    if takes in {"many", "two"}:
        return [_load_one(found, operator, v) for v in value]
    return _load_one(found, operator, value)


def _load_one(found: Field, operator: str, value: Any) -> Any:
    if found.kind is Kind.DATETIME and isinstance(value, str) and len(value) == 10:
        return datetime.date.fromisoformat(value)
    if found.kind is Kind.ADDRESS or (found.kind is Kind.LOOKUP and operator == "contains"):
        # Words that are looked for, not a value of the field.
        return value
    return from_json(found, value)


def of_view(entity: Entity, key: str = "") -> Query:
    """The query of the system view `key`, or of the default view. KeyError when unknown."""
    views = {view.key: view for view in entity.views}
    view = views[key] if key else next((v for v in entity.views if v.default), entity.views[0])
    return Query(
        entity=entity.name,
        columns=view.columns or entity.columns,
        where=Group(tuple(Condition(*condition) for condition in view.where)),
        order=tuple(Order(n.removeprefix("-"), n.startswith("-")) for n in view.order),
    )


def also(query: Query, *conditions: Condition | Group) -> Query:
    """`query` with more conditions, all of which must hold as well."""
    if not conditions:
        return query
    own = (query.where,) if query.where.any else query.where.conditions
    return replace(query, where=Group((*own, *conditions)))


def title_order(entity: Entity) -> tuple[Order, ...]:
    """The order of a list that asks for none: by name."""
    return (Order(entity.title),)


def point(value: str) -> uuid.UUID:
    """An id out of text. InvalidQuery when it is none."""
    try:
        return uuid.UUID(value)
    except ValueError:
        raise InvalidQuery(str(_("“%(text)s” is not an id.")) % {"text": value}) from None
