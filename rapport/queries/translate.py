"""The one translation of a `Query` to the ORM."""

from __future__ import annotations

import datetime
from functools import reduce
from itertools import product
from operator import and_, or_
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Count, Exists as ExistsSubquery, OuterRef, Q, QuerySet
from django.db.models.functions import Lower
from django.db.models.lookups import In
from django.utils import timezone

from rapport import access, queries
from rapport.access import Actor, SystemActor
from rapport.meta.entity import Entity
from rapport.meta.field import Field
from rapport.meta.kinds import TEXTS, Kind
from rapport.meta.plausible import PLACEHOLDER, SEVERAL, TIDY, VALID
from rapport.meta.registry import registry
from rapport.models import Principal

from . import search
from .query import Condition, Exists, Group, InvalidQuery, Query, check, field_of

# More letters than these with a case of their own, and only the usual ways to write are tried.
MAX_LETTERS = 5
# Operators that compare with patterns by kind: (patterns, look-up, whether it must match). What is
# untidy is a value all the same: neither wrong nor made up.
PATTERNS: dict[str, tuple[tuple[dict[Kind, str], str, bool], ...]] = {
    "invalid": ((VALID, "iregex", False),),
    "placeholder": ((PLACEHOLDER, "iregex", True),),
    "several_words": ((SEVERAL, "regex", True),),
    "untidy": ((TIDY, "regex", False), (VALID, "iregex", True), (PLACEHOLDER, "iregex", False)),
}


def rows(query: Query, by: Actor, *, now: datetime.datetime | None = None) -> QuerySet[Any, Any]:
    """The rows of `query` that `by` may see, unordered and unpaged. Raises InvalidQuery."""
    check(query)
    entity = registry[query.entity]
    found = queries.records(entity, by)
    context = _Context(by, now or timezone.now())
    if query.where.conditions:
        found = found.filter(_group(entity, query.where, context))
    for exists in query.exists:
        found = found.filter(_exists(entity, exists, context))
    if query.find:
        found = search.narrow(found, entity, query.find)
    return found


class _Context:
    """Who asks, and what 'today' means there."""

    def __init__(self, by: Actor, now: datetime.datetime):
        self.by = by
        self.now = now
        self.zone = timezone.get_current_timezone()
        self.today = timezone.localdate(now)


def _group(entity: Entity, group: Group, context: _Context) -> Q:
    parts = [
        _group(entity, part, context)
        if isinstance(part, Group)
        else _condition(entity, part, context)
        for part in group.conditions
    ]
    if not parts:
        return Q()
    return reduce(or_ if group.any else and_, parts)


def _condition(entity: Entity, condition: Condition, context: _Context) -> Q:
    head, dot, _tail = condition.field.partition(".")
    found = field_of(entity, condition.field)
    if dot:
        # Through a link only what the viewer may see counts, so that nothing leaks by a filter.
        target = registry[entity.fields[head].target or ""]
        inner = _condition(target, Condition(_tail, condition.operator, condition.value), context)
        visible = queries.records(target, context.by).filter(inner)
        return Q(**{f"{entity.fields[head].column}__in": visible.values("pk")})
    if found.kind is Kind.ADDRESS:
        return _address(found, condition)
    if found.kind is Kind.POINTER:
        return _pointer(found, condition)
    if condition.operator in PATTERNS:
        return _pattern(found, condition.operator)
    if condition.operator == "repeated":
        return _repeated(entity, found, condition.value, context)
    return _plain(found, condition, context)


def _pattern(found: Field, operator: str) -> Q:
    """What looks, or does not look, as values of its kind should; a blank is neither."""
    holds = ~Q(**{found.column: ""})
    for patterns, lookup, wanted in PATTERNS[operator]:
        matches = Q(**{f"{found.column}__{lookup}": patterns[found.kind]})
        holds &= matches if wanted else ~matches
    return holds


def _repeated(entity: Entity, found: Field, times: int, context: _Context) -> Q:
    """Values that more than so many records have, of those that the viewer may see."""
    value = Lower(found.column)
    rows_ = queries.records(entity, context.by).exclude(**{found.column: ""}).order_by()
    many = rows_.values(same=value).annotate(times=Count("pk")).filter(times__gt=times)
    return Q(In(value, many.values("same")))


def _address(found: Field, condition: Condition) -> Q:
    if condition.operator == "contains":
        return reduce(or_, [_like(part, "icontains", condition.value) for part in found.parts])
    blank = reduce(and_, [Q(**{part: ""}) for part in found.parts])
    return blank if condition.operator == "empty" else ~blank


def _pointer(found: Field, condition: Condition) -> Q:
    name, id_ = found.columns
    if condition.operator in {"empty", "filled"}:
        return Q(**{f"{id_}__isnull": condition.operator == "empty"})
    same = Q(**{name: condition.value.entity, id_: condition.value.id})
    return same if condition.operator == "eq" else ~same


def _plain(found: Field, condition: Condition, context: _Context) -> Q:
    column, value, operator = found.column, condition.value, condition.operator
    blank = Q(**{column: ""}) if found.kind in TEXTS else Q(**{f"{column}__isnull": True})
    match operator:
        case "empty":
            return blank
        case "filled":
            return ~blank
        case "me" | "my_teams" | "inactive":
            return _whose(column, operator, context)
        case "contains" if found.is_link:
            return _link_contains(found, str(value), context)
        case "eq" if found.kind in TEXTS:
            return _like(column, "iexact", value) if value else blank
        case "ne" if found.kind in TEXTS:
            return ~_like(column, "iexact", value) if value else ~blank
        case "contains" | "not_contains" | "begins" | "ends":
            lookup = {"begins": "istartswith", "ends": "iendswith"}.get(operator, "icontains")
            holds = _like(column, lookup, value)
            return ~holds if operator == "not_contains" else holds
        case "in" | "not_in" if found.kind in TEXTS:
            # Blind to case like "eq"; NULL is no text, so that all but these is plainly not.
            holds = reduce(or_, [_like(column, "iexact", v) for v in value], Q(pk__in=[]))
            return ~holds if operator == "not_in" else holds
        case "in" | "not_in":
            holds = Q(**{f"{column}__in": list(value)})
            return holds if operator == "in" else (~holds | blank)
    if operator in {"past", "future"}:
        moment: Any = context.now if found.kind is Kind.DATETIME else context.today
        return Q(**{f"{column}__{'lt' if operator == 'past' else 'gt'}": moment})
    if found.kind in {Kind.DATE, Kind.DATETIME} and (span := _span(operator, value, context)):
        return _within(found, span, context)
    return _compare(column, operator, value, blank)


def _like(column: str, lookup: str, text: str) -> Q:
    """`text` in whatever case. SQLite is blind to the case of A to Z only, so there the other
    letters are asked for in both."""
    if connection.vendor != "sqlite" or text.isascii():
        return Q(**{f"{column}__{lookup}": text})
    letters = [_cases(letter) for letter in text]
    variants = {text, text.lower(), text.upper(), text.title()}
    if sum(len(cases) > 1 for cases in letters) <= MAX_LETTERS:
        variants = {"".join(chosen) for chosen in product(*letters)}
    return reduce(or_, [Q(**{f"{column}__{lookup}": variant}) for variant in sorted(variants)])


def _cases(letter: str) -> tuple[str, ...]:
    lower, upper = letter.lower(), letter.upper()
    if letter.isascii() or lower == upper or len(lower) != 1 or len(upper) != 1:
        return (letter,)
    return lower, upper


def _compare(column: str, operator: str, value: Any, blank: Q) -> Q:
    match operator:
        case "eq":
            return Q(**{column: value}) if value is not None else blank
        case "ne":
            # As people read it: "not Berlin" holds for the blank, too.
            return (~Q(**{column: value}) | blank) if value is not None else ~blank
        case "lt" | "gt":
            return Q(**{f"{column}__{operator}": value})
        case "le" | "ge":
            return Q(**{f"{column}__{operator[0]}te": value})
        case "between":
            return Q(**{f"{column}__gte": value[0], f"{column}__lte": value[1]})
    raise InvalidQuery(operator)


def _whose(column: str, operator: str, context: _Context) -> Q:
    if operator == "inactive":
        left = Principal.objects.filter(is_active=False)
        return Q(**{f"{column}__in": left.values("pk")})
    if isinstance(context.by, SystemActor):
        return Q(pk__in=[])
    if operator == "me":
        return Q(**{column: context.by.pk})
    return Q(**{f"{column}__in": access.rights(context.by).principals})


def _link_contains(found: Field, text: str, context: _Context) -> Q:
    if found.kind is Kind.OWNER:
        return Q(**{f"{found.name}__name__icontains": text})
    target = registry[found.target or ""]
    named = search.narrow(queries.records(target, context.by), target, text)
    return Q(**{f"{found.column}__in": named.values("pk")})


def _exists(entity: Entity, exists: Exists, context: _Context) -> Any:
    other = registry[exists.entity]
    link = field_of(other, exists.field)
    rows_ = queries.records(other, context.by).filter(_group(other, exists.where, context))
    where: dict[str, Any] = {link.columns[-1]: OuterRef("pk")}
    if link.kind is Kind.POINTER:
        # A record of a shared table may be pointed at as one or as the other of its entities.
        where[f"{link.columns[0]}__in"] = [e.name for e in registry if e.model is entity.model]
    found = ExistsSubquery(rows_.filter(**where))
    return ~found if exists.negated else found


# -- time ----------------------------------------------------------------------------------------

Span = tuple[datetime.date | None, datetime.date | None]


def _span(operator: str, value: Any, context: _Context) -> Span | None:
    """First day and the day after the last; None on a side without bound. None: not a span."""
    today, day = context.today, datetime.timedelta(days=1)
    week = today - today.weekday() * day
    month = today.replace(day=1)
    year = today.replace(month=1, day=1)
    spans: dict[str, Span] = {
        "today": (today, today + day),
        "yesterday": (today - day, today),
        "tomorrow": (today + day, today + 2 * day),
        "this_week": (week, week + 7 * day),
        "last_week": (week - 7 * day, week),
        "next_week": (week + 7 * day, week + 14 * day),
        "this_month": (month, _months(month, 1)),
        "last_month": (_months(month, -1), month),
        "next_month": (_months(month, 1), _months(month, 2)),
        "this_year": (year, year.replace(year=year.year + 1)),
        "last_year": (year.replace(year=year.year - 1), year),
        "next_year": (year.replace(year=year.year + 1), year.replace(year=year.year + 2)),
    }
    if operator in spans:
        return spans[operator]
    match operator:
        case "last_days":
            return today - value * day, today + day
        case "next_days":
            return today, today + (value + 1) * day
        case "older_days":
            return None, today - value * day
        case "newer_days":
            return today - value * day, None
        case "on":
            return value, value + day
        case "on_or_after":
            return value, None
        case "on_or_before":
            return None, value + day
        case "between" if not isinstance(value[0], datetime.datetime):
            return value[0], value[1] + day
    return None


def _months(first: datetime.date, number: int) -> datetime.date:
    count = first.year * 12 + first.month - 1 + number
    return datetime.date(count // 12, count % 12 + 1, 1)


def _within(found: Field, span: Span, context: _Context) -> Q:
    start, end = span
    if found.kind is Kind.DATETIME:
        start, end = (None if d is None else _midnight(d, context.zone) for d in (start, end))
    holds = Q()
    if start is not None:
        holds &= Q(**{f"{found.column}__gte": start})
    if end is not None:
        holds &= Q(**{f"{found.column}__lt": end})
    return holds


def _midnight(day: datetime.date, zone: Any) -> datetime.datetime:
    return datetime.datetime.combine(day, datetime.time(), zone or ZoneInfo("UTC"))
