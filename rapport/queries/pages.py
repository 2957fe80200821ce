"""One page of a query: rows by key, never by offset, in a fixed number of statements."""

from __future__ import annotations

import base64
import binascii
import json
import uuid
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import F, Q, QuerySet, Value
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
    names, columns = _columns(entity, query, order)
    raw = list(found.values_list(*columns)[: query.size + 1])
    more = len(raw) > query.size
    raw = raw[: query.size]
    if backwards:
        raw.reverse()
    made = [_row(entity, names, columns, values) for values in raw]
    _name_pointers(entity, query, made, by)
    _hide_strangers(entity, query, made, by)
    ends = [_cursor(entity, order, columns, values) for values in (raw[:1] + raw[-1:])]
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


def _cursor(entity: Entity, order: list[_Key], columns: list[str], values: tuple[Any, ...]) -> str:
    by_column = dict(zip(columns, values, strict=True))
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


def _columns(entity: Entity, query: Query, order: list[_Key]) -> tuple[list[str], list[str]]:
    """Names of the fields to show, and the columns to fetch for them."""
    names = list(dict.fromkeys((*query.columns, entity.title)))
    columns = ["pk", "state"]
    for name in names:
        columns += _fetch(entity, name)
    columns += [key.column for key in order]
    return names, list(dict.fromkeys(columns))


def _fetch(entity: Entity, name: str) -> list[str]:
    found = field_of(entity, name)
    if "." in name:
        return [name.replace(".", "__")]
    if found.kind is Kind.ADDRESS:
        return list(found.parts)
    if found.kind is Kind.OWNER:
        return [found.column, f"{name}__name", f"{name}__kind"]
    if found.kind is Kind.LOOKUP:
        return [found.column, f"{name}__{registry[found.target or ''].title}"]
    return list(found.columns)


def _row(entity: Entity, names: list[str], columns: list[str], raw: tuple[Any, ...]) -> Row:
    by_column = dict(zip(columns, raw, strict=True))
    values: dict[str, Any] = {}
    for name in names:
        fetched = [by_column[column] for column in _fetch(entity, name)]
        found = field_of(entity, name)
        if found.kind is Kind.ADDRESS:
            values[name] = "\n".join(part for part in fetched if part)
        elif found.kind is Kind.OWNER and "." not in name:
            values[name] = Link(fetched[2], fetched[0], fetched[1]) if fetched[0] else None
        elif found.kind is Kind.LOOKUP and "." not in name:
            values[name] = (
                Link(found.target or "", fetched[0], fetched[1] or "") if fetched[0] else None
            )
        elif found.kind is Kind.POINTER:
            values[name] = Ref(*fetched) if fetched[1] else None
        else:
            values[name] = fetched[0]
    return Row(by_column["pk"], values, by_column["state"])


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
            titles.update({Ref(target, i): t for i, t in named.values_list("pk", other.title)})
        for row in made:
            ref = row.values[name]
            row.values[name] = Link(ref.entity, ref.id, titles.get(ref, "")) if ref else None


def _hide_strangers(entity: Entity, query: Query, made: list[Row], by: Actor) -> None:
    """Take away the titles of linked records that the viewer may not see."""
    wanted: dict[str, set[uuid.UUID]] = {}
    links = [n for n in query.columns if "." not in n and entity.fields[n].kind is Kind.LOOKUP]
    for name in links:
        target = entity.fields[name].target or ""
        if not access.sees_all(by, registry[target]):
            found = {row.values[name].id for row in made if row.values[name]}
            wanted.setdefault(target, set()).update(found)
    for target, ids_ in wanted.items():
        visible = access.allowed_ids(ids_, registry[target], by, access.READ) if ids_ else set()
        for name in links:
            for row in made:
                link = row.values[name]
                if link and link.entity == target and link.id not in visible:
                    row.values[name] = Link(target, link.id, "")
