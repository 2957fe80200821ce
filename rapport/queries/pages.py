"""One page of a query: rows by key, never by offset, in a fixed number of statements."""

from __future__ import annotations

import base64
import binascii
import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from django.db import connection
from django.db.models import Case, F, Q, QuerySet, Value, When
from django.db.models.functions import Collate, Lower
from django.db.models.lookups import Exact, GreaterThan, LessThan

from rapport import access, queries
from rapport.access import Actor
from rapport.meta.entity import Entity
from rapport.meta.field import Field
from rapport.meta.kinds import TEXTS, Kind, Ref, from_json, to_json
from rapport.meta.registry import registry

from .query import InvalidQuery, Order, Query, field_of, title_order
from .translate import rows as rows_of

COUNT_LIMIT = 5000


@dataclass(frozen=True, slots=True)
class Link:
    """A link as lists show it: which record, and its title ('' when the viewer may not see it)."""

    entity: str
    id: uuid.UUID
    title: str


@dataclass(slots=True)
class Row:
    """One row of a page. `values` by field name; links are `Link`s. `state` is always there."""

    id: uuid.UUID
    values: dict[str, Any]
    state: int


@dataclass(frozen=True, slots=True)
class Page:
    """A page of rows, and the cursors of its neighbours ('' where there is none)."""

    rows: list[Row]
    next: str
    previous: str


def page(query: Query, by: Actor) -> Page:
    """The page that `query.after` or `query.before` asks for. Raises InvalidQuery."""
    entity = registry[query.entity]
    order = _order(entity, query)
    found = rows_of(query, by)
    backwards = bool(query.before)
    found = _ordered(found, entity, order, backwards)
    if cursor := query.before or query.after:
        found = found.filter(_beyond(entity, order, cursor, backwards))
    plan = _plan(entity, query, order, by)
    found = found.annotate(**plan.seen)
    raw = list(found.values_list(*plan.columns, *plan.seen)[: query.size + 1])
    more = len(raw) > query.size
    raw = raw[: query.size]
    if backwards:
        raw.reverse()
    readers = plan.readers.items()
    # The first two columns are the key and the state.
    made = [
        Row(fetched[0], {n: read(fetched) for n, read in readers}, fetched[1]) for fetched in raw
    ]
    _name_pointers(entity, query, made, by)
    ends = [_cursor(order, plan.columns, fetched) for fetched in (raw[:1] + raw[-1:])]
    has_next = backwards or more
    has_previous = (backwards and more) or bool(query.after)
    if backwards and not made:
        has_next = False
    return Page(
        made,
        ends[-1] if ends and has_next else "",
        ends[0] if ends and has_previous else "",
    )


def count(query: Query, by: Actor, *, limit: int | None = COUNT_LIMIT) -> int:
    """How many rows, at most `limit` + 1 (None: all of them)."""
    found = rows_of(query, by).order_by()
    if limit is None:
        return found.count()
    return found.values("pk")[: limit + 1].count()


def ids(query: Query, by: Actor, *, limit: int | None = None) -> list[uuid.UUID]:
    """Ids of all rows of `query`, for bulk commands over the whole result."""
    found = rows_of(query, by).order_by("pk").values_list("pk", flat=True)
    return list(found[:limit] if limit else found)


# -- order and cursors ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Key:
    """One sort key: an expression to order by; blanks last."""

    field: Field
    column: str
    expression: Any
    descending: bool
    nullable: bool


def _order(entity: Entity, query: Query) -> list[_Key]:
    keys = [_key(entity, order) for order in (query.order or title_order(entity))]
    return [key for key in keys if key.column != "pk"]


def _key(entity: Entity, order: Order) -> _Key:
    found = field_of(entity, order.field)
    if not found.columns:
        raise InvalidQuery(order.field)
    if order.field == entity.title:
        return _Key(found, "sort_name", F("sort_name"), order.descending, False)
    if "." in order.field or found.is_link:
        path = _title_path(entity, order.field)
        return _Key(found, path, F(path), order.descending, True)
    if found.kind is Kind.POINTER:
        return _Key(found, found.columns[1], F(found.columns[1]), order.descending, True)
    if found.kind in TEXTS:
        lowered = Lower(found.column)
        if connection.vendor == "postgresql":
            lowered = Lower(Collate(found.column, "C"))
        return _Key(found, found.column, lowered, order.descending, False)
    nullable = bool(entity.model._meta.get_field(found.name).null)
    return _Key(found, found.column, F(found.column), order.descending, nullable)


def _title_path(entity: Entity, path: str) -> str:
    head, dot, tail = path.partition(".")
    found = entity.fields[head]
    if found.kind is Kind.OWNER:
        return f"{head}__name"
    if dot:
        return f"{head}__{tail}"
    return f"{head}__sort_name"


def _ordered(
    found: QuerySet[Any, Any], entity: Entity, order: list[_Key], backwards: bool
) -> QuerySet[Any, Any]:
    terms: list[Any] = []
    for key in order:
        down = key.descending != backwards
        expression = key.expression
        # NULLs stand last whichever way one walks, so they come first when walking back.
        nulls: dict[str, Any] = {}
        if key.nullable:
            nulls = {"nulls_first": True} if backwards else {"nulls_last": True}
        terms.append(expression.desc(**nulls) if down else expression.asc(**nulls))
    terms.append("-pk" if backwards != (bool(order) and order[0].descending) else "pk")
    return found.order_by(*terms)


def _beyond(entity: Entity, order: list[_Key], cursor: str, backwards: bool) -> Q:
    """Rows that stand behind the cursor's row (before it, when walking backwards)."""
    values, last = _read_cursor(order, cursor)
    id_down = backwards != (bool(order) and order[0].descending)
    beyond = Q(**{"pk__lt" if id_down else "pk__gt": last})
    for key, value in reversed(list(zip(order, values, strict=True))):
        down = key.descending != backwards
        if value is None:
            same = Q(**{f"{key.column}__isnull": True})
            further = Q(**{f"{key.column}__isnull": False}) if backwards else Q(pk__in=[])
        else:
            name = key.column
            if key.field.kind in TEXTS and key.column != "sort_name" and "__" not in key.column:
                same = _lower_compare(name, "exact", value)
                further = _lower_compare(name, "lt" if down else "gt", value)
            else:
                same = Q(**{name: value})
                further = Q(**{f"{name}__{'lt' if down else 'gt'}": value})
            if key.nullable and not backwards:
                further |= Q(**{f"{name}__isnull": True})
        beyond = further | (same & beyond)
        if value is not None and not key.nullable and key.column == "sort_name":
            # A bound that one index range can serve, beside the exact condition.
            beyond &= Q(**{f"{key.column}__{'lte' if down else 'gte'}": value})
    return beyond


def _lower_compare(column: str, operator: str, value: str) -> Q:
    left: Any = Lower(Collate(column, "C")) if connection.vendor == "postgresql" else Lower(column)
    lookup = {"exact": Exact, "lt": LessThan, "gt": GreaterThan}[operator]
    return Q(lookup(left, Value(value)))


def _cursor(order: list[_Key], columns: list[str], fetched: tuple[Any, ...]) -> str:
    by_column = dict(zip(columns, fetched, strict=False))
    parts = []
    for key in order:
        value = by_column[key.column]
        if key.field.kind in TEXTS and key.column != "sort_name" and "__" not in key.column:
            value = _ascii_lower(value)
        parts.append(to_json(value))
    document = json.dumps([*parts, by_column["pk"].hex], separators=(",", ":"))
    return base64.urlsafe_b64encode(document.encode()).decode().rstrip("=")


def _ascii_lower(text: str) -> str:
    """As both databases lower in code point order: A to Z only."""
    return "".join(c.lower() if "A" <= c <= "Z" else c for c in text)


def _read_cursor(order: list[_Key], cursor: str) -> tuple[list[Any], uuid.UUID]:
    try:
        document = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        *parts, last = document
        if len(parts) != len(order):
            raise ValueError(cursor)
        values = []
        for key, part in zip(order, parts, strict=True):
            text = key.column == "sort_name" or "__" in key.column or key.field.kind in TEXTS
            values.append(part if text or part is None else from_json(key.field, part))
        return values, uuid.UUID(hex=last)
    except (ValueError, TypeError, AttributeError, binascii.Error):
        raise InvalidQuery("cursor") from None


# -- values ---------------------------------------------------------------------------------------

Reader = Callable[[tuple[Any, ...]], Any]


@dataclass(slots=True)
class _Plan:
    """What is fetched for a page, and how a fetched row becomes the values of its fields. `seen`:
    the conditions under which the viewer may see a linked record, by the name of their column."""

    columns: list[str]
    seen: dict[str, Any]
    readers: dict[str, Reader]


def _plan(entity: Entity, query: Query, order: list[_Key], by: Actor) -> _Plan:
    names = list(dict.fromkeys((*query.columns, entity.title)))
    plan = _Plan(["pk", "state", *(key.column for key in order)], {}, {})
    makers = {name: _reader(entity, name, plan, by) for name in names}
    plan.columns = list(dict.fromkeys(plan.columns))
    places = {column: place for place, column in enumerate((*plan.columns, *plan.seen))}
    plan.readers = {name: make(places) for name, make in makers.items()}
    return plan


def _reader(
    entity: Entity, name: str, plan: _Plan, by: Actor
) -> Callable[[Mapping[str, int]], Reader]:
    """Adds what the field at `name` needs to `plan`; gives what makes its reader, once it is known
    at which place each column stands."""
    found = field_of(entity, name)
    head, dot, _tail = name.partition(".")
    path = f"{head}__" if dot else ""
    columns = [path + column for column in (*found.columns, *found.parts)]
    flags = _flags(head, registry[entity.fields[head].target or ""], plan, by) if dot else []
    if found.kind is Kind.OWNER:
        columns += [f"{path}{found.name}__kind", f"{path}{found.name}__name"]
    elif found.kind is Kind.LOOKUP:
        target = registry[found.target or ""]
        columns.append(f"{path}{found.name}__{_title_column(target)}")
    plan.columns += columns
    read = _READERS.get(found.kind, _read_plain)
    title_flags = (
        _flags(f"{path}{found.name}", registry[found.target or ""], plan, by)
        if found.kind is Kind.LOOKUP
        else []
    )

    def make(places: Mapping[str, int]) -> Reader:
        value_of = read(found, [places[c] for c in columns], [places[f] for f in title_flags])
        if not flags:
            return value_of
        (flag,) = (places[f] for f in flags)
        # Through a link to a record that the viewer may not see, nothing shows.
        return lambda raw: value_of(raw) if raw[flag] else None

    return make


def _title_column(entity: Entity) -> str:
    return "sort_name" if entity.fields[entity.title].is_link else entity.title


def _flags(path: str, target: Entity, plan: _Plan, by: Actor) -> list[str]:
    """The column that says whether the viewer may see the record at `path`; none when all are."""
    condition = access.visible_through(f"{path}__", target, by)
    if condition is None:
        return []
    name = f"seen_{path}"
    plan.seen[name] = Case(When(condition, then=Value(True)), default=Value(False))
    return [name]


def _read_plain(_found: Field, places: list[int], _flags: list[int]) -> Reader:
    return itemgetter(places[0])


def _read_address(_found: Field, places: list[int], _flags: list[int]) -> Reader:
    return lambda raw: "\n".join(raw[place] for place in places if raw[place])


def _read_owner(_found: Field, places: list[int], _flags: list[int]) -> Reader:
    key, kind, name = places
    return lambda raw: Link(raw[kind], raw[key], raw[name]) if raw[key] else None


def _read_lookup(found: Field, places: list[int], flags: list[int]) -> Reader:
    key, title = places
    target = found.target or ""
    if flags:
        (flag,) = flags
        return lambda raw: (
            Link(target, raw[key], (raw[title] or "") if raw[flag] else "") if raw[key] else None
        )
    return lambda raw: Link(target, raw[key], raw[title] or "") if raw[key] else None


def _read_pointer(_found: Field, places: list[int], _flags: list[int]) -> Reader:
    name, key = places
    return lambda raw: Ref(raw[name], raw[key]) if raw[key] else None


_READERS: dict[Kind, Callable[[Field, list[int], list[int]], Reader]] = {
    Kind.ADDRESS: _read_address,
    Kind.OWNER: _read_owner,
    Kind.LOOKUP: _read_lookup,
    Kind.POINTER: _read_pointer,
}


def _name_pointers(entity: Entity, query: Query, made: list[Row], by: Actor) -> None:
    """Turn pointers into links: one statement per entity pointed at."""
    for name in query.columns:
        found = field_of(entity, name)
        if found.kind is not Kind.POINTER:
            continue
        wanted: dict[str, set[uuid.UUID]] = {}
        for row in made:
            if row.values[name]:
                wanted.setdefault(row.values[name].entity, set()).add(row.values[name].id)
        titles: dict[Ref, str] = {}
        for target, ids_ in wanted.items():
            other = registry[target]
            named = queries.records(other, by).filter(pk__in=ids_)
            named = named.values_list("pk", _title_column(other))
            titles.update({Ref(target, id_): title for id_, title in named})
        for row in made:
            ref = row.values[name]
            row.values[name] = Link(ref.entity, ref.id, titles.get(ref, "")) if ref else None
