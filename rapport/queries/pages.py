"""One page of a query: rows by key, never by offset, in a fixed number of statements."""

from __future__ import annotations

import base64
import json
import time
import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Case, F, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Collate, Lower, NullIf, Substr

from rapport import access, queries
from rapport.access import Actor
from rapport.meta.entity import Entity
from rapport.meta.field import Field
from rapport.meta.folding import SORT_LENGTH
from rapport.meta.kinds import TEXTS, Kind, Ref, address_text, from_json, to_json
from rapport.meta.registry import registry
from rapport.models import Principal

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


def page(
    query: Query,
    by: Actor,
    *,
    verb: str = access.READ,
    among: Collection[uuid.UUID] | None = None,
    rows: QuerySet[Any, Any] | None = None,
) -> Page:
    """The page that `query.after` or `query.before` asks for: of rows to which `by` may do `verb`,
    and only of the records `among` when given. `rows`: those of `rows_of(query, by)`, when they
    are at hand. Raises InvalidQuery."""
    found = within(query, by, verb=verb, among=among, rows=rows)
    entity = registry[query.entity]
    order = sort_keys(entity, query, by)
    backwards = bool(query.before)
    found = ordered(found, order, backwards)
    if cursor := query.before or query.after:
        found = found.filter(beyond(order, cursor, backwards))
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
    ends = [cursor_of(order, plan.columns, fetched) for fetched in (raw[:1] + raw[-1:])]
    has_next = backwards or more
    has_previous = (backwards and more) or bool(query.after)
    if backwards and not made:
        has_next = False
    return Page(
        made,
        ends[-1] if ends and has_next else "",
        ends[0] if ends and has_previous else "",
    )


def within(
    query: Query,
    by: Actor,
    *,
    verb: str,
    among: Collection[uuid.UUID] | None,
    rows: QuerySet[Any, Any] | None = None,
) -> QuerySet[Any, Any]:
    """The rows that `page` is a page of, unordered."""
    found = rows_of(query, by) if rows is None else rows
    if verb != access.READ:
        found = access.visible_to(found, registry[query.entity], by, verb)
    return found if among is None else found.filter(pk__in=list(among))


def count(
    query: Query,
    by: Actor,
    *,
    limit: int | None = COUNT_LIMIT,
    rows: QuerySet[Any, Any] | None = None,
) -> int:
    """How many rows, at most `limit` + 1 (None: all of them). `rows`: as for `page`."""
    found = (rows_of(query, by) if rows is None else rows).order_by()
    if limit is None:
        return found.count()
    # Not `count()` of the slice: that takes the query apart and writes it twice.
    try:
        sql, parameters = found.values("pk")[: limit + 1].query.sql_with_params()
    except EmptyResultSet:
        return 0
    # What was searched for differs each time.
    key = () if query.find else (sql, *map(str, parameters))
    if _many.get(key, 0.0) > time.monotonic():
        return limit + 1
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT COUNT(*) FROM ({sql}) counted", parameters)
        counted = int(cursor.fetchone()[0])
    if key and counted > limit:
        if len(_many) >= MANY_KEPT:
            _many.clear()
        _many[key] = time.monotonic() + MANY_FOR
    return counted


# What had more rows than are counted will have them still in a minute: the costliest count is the
# one that says nothing but "many". {query: until when}
MANY_FOR = 60.0
MANY_KEPT = 1000
_many: dict[tuple[str, ...], float] = {}


def forget_counts() -> None:
    """Count everything anew."""
    _many.clear()


def ids(query: Query, by: Actor, *, limit: int | None = None) -> list[uuid.UUID]:
    """Ids of all rows of `query`, for bulk commands over the whole result."""
    found = rows_of(query, by).order_by("pk").values_list("pk", flat=True)
    return list(found[:limit] if limit else found)


# -- order and cursors ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SortKey:
    """One sort key. `column`: of the table, or the name under which `expression` is computed;
    blanks are NULL and come last. `read`: a value of the key out of a cursor."""

    column: str
    expression: Any
    descending: bool
    nullable: bool
    read: Callable[[Any], Any]


def sort_keys(entity: Entity, query: Query, by: Actor) -> list[SortKey]:
    order = query.order or title_order(entity)
    return [_key(entity, one, f"key{place}", by) for place, one in enumerate(order)]


def _key(entity: Entity, order: Order, name: str, by: Actor) -> SortKey:
    found = field_of(entity, order.field)
    if not found.columns:
        raise InvalidQuery(order.field)
    head, dot, _tail = order.field.partition(".")
    holder = registry[entity.fields[head].target or ""] if dot else entity
    expression, text = _expression(holder, found, f"{head}__" if dot else "")
    if dot:
        expression = _where_visible(expression, f"{head}__", holder, by)
    if found.kind is Kind.LOOKUP:
        target = registry[found.target or ""]
        expression = _where_visible(expression, f"{order.field.replace('.', '__')}__", target, by)
    read = _read_text if text else partial(_read_value, found)
    if isinstance(expression, F) and not dot and not found.is_link:
        column = "sort_name" if text else found.columns[-1]
        nullable = bool(entity.model._meta.get_field(column).null)
        return SortKey(column, None, order.descending, nullable, read)
    return SortKey(name, expression, order.descending, True, read)


def _expression(holder: Entity, found: Field, path: str) -> tuple[Any, bool]:
    """What to sort by for a field of `holder`, which stands at `path`, and whether it is text."""
    if found.name == holder.title and not found.is_link:
        return F(f"{path}sort_name"), True
    if found.kind is Kind.LOOKUP:
        return F(f"{path}{found.name}__sort_name"), True
    if found.kind is Kind.OWNER:
        return _folded(f"{path}{found.name}__name"), True
    if found.kind is Kind.LONG_TEXT:
        return _folded(Substr(f"{path}{found.column}", 1, SORT_LENGTH)), True
    if found.kind in TEXTS:
        return _folded(f"{path}{found.column}"), True
    return F(f"{path}{found.columns[-1]}"), False


def _folded(text: Any) -> Any:
    """A to Z like a to z, then by code point, on both databases; a blank is NULL."""
    if connection.vendor == "postgresql":
        text = Collate(text, "C")
    return NullIf(Lower(text), Value(""))


def _where_visible(expression: Any, path: str, target: Entity, by: Actor) -> Any:
    """`expression` where the viewer may see the record at `path`: an order would tell its title."""
    condition = access.visible_through(path, target, by)
    return expression if condition is None else Case(When(condition, then=expression))


def _read_text(part: Any) -> str:
    if not isinstance(part, str) or "\x00" in part:
        raise ValueError(part)
    return part


def _read_value(found: Field, part: Any) -> Any:
    if found.kind is Kind.POINTER:
        return uuid.UUID(part)
    value = from_json(found, part)
    whole = found.kind in {Kind.NUMBER, Kind.CHOICE, Kind.STATE}
    if (whole and type(value) is not int) or (
        found.kind is Kind.BOOLEAN and type(value) is not bool
    ):
        raise ValueError(part)
    return value


def ordered(found: QuerySet[Any, Any], order: list[SortKey], backwards: bool) -> QuerySet[Any, Any]:
    found = found.annotate(**{k.column: k.expression for k in order if k.expression is not None})
    terms: list[Any] = []
    for key in order:
        down = key.descending != backwards
        # NULLs stand last whichever way one walks, so they come first when walking back.
        nulls: dict[str, Any] = {}
        if key.nullable:
            nulls = {"nulls_first": True} if backwards else {"nulls_last": True}
        terms.append(F(key.column).desc(**nulls) if down else F(key.column).asc(**nulls))
    terms.append("-pk" if backwards != order[0].descending else "pk")
    return found.order_by(*terms)


def beyond(order: list[SortKey], cursor: str, backwards: bool) -> Q:
    """Rows that stand behind the cursor's row (before it, when walking backwards)."""
    values, last = _read_cursor(order, cursor)
    id_down = backwards != order[0].descending
    beyond = Q(**{"pk__lt" if id_down else "pk__gt": last})
    for key, value in reversed(list(zip(order, values, strict=True))):
        down = key.descending != backwards
        if value is None:
            same = Q(**{f"{key.column}__isnull": True})
            further = Q(**{f"{key.column}__isnull": False}) if backwards else Q(pk__in=[])
        else:
            same = Q(**{key.column: value})
            further = Q(**{f"{key.column}__{'lt' if down else 'gt'}": value})
            if key.nullable and not backwards:
                further |= Q(**{f"{key.column}__isnull": True})
        beyond = further | (same & beyond)
        if value is not None and not key.nullable:
            # A bound that one index range can serve, beside the exact condition.
            beyond &= Q(**{f"{key.column}__{'lte' if down else 'gte'}": value})
    return beyond


def cursor_of(order: list[SortKey], columns: list[str], fetched: tuple[Any, ...]) -> str:
    by_column = dict(zip(columns, fetched, strict=False))
    parts = [to_json(by_column[key.column]) for key in order]
    document = json.dumps([*parts, by_column["pk"].hex], separators=(",", ":"))
    return base64.urlsafe_b64encode(document.encode()).decode().rstrip("=")


def _read_cursor(order: list[SortKey], cursor: str) -> tuple[list[Any], uuid.UUID]:
    try:
        document = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        *parts, last = document
        values = [
            None if part is None and key.nullable else key.read(part)
            for key, part in zip(order, parts, strict=True)
        ]
        return values, uuid.UUID(hex=last)
    except (ValueError, TypeError, AttributeError, ArithmeticError, RecursionError):
        raise InvalidQuery("cursor") from None


# -- values ---------------------------------------------------------------------------------------

Reader = Callable[[tuple[Any, ...]], Any]


@dataclass(slots=True)
class _Plan:
    """What is fetched for a page, and how a fetched row becomes the values of its fields. `seen`:
    expressions besides the plain columns, by name: names of owners, and the conditions under which
    the viewer may see a linked record."""

    columns: list[str]
    seen: dict[str, Any]
    readers: dict[str, Reader]


def _plan(entity: Entity, query: Query, order: list[SortKey], by: Actor) -> _Plan:
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
    owner_columns: list[str] = []
    if found.kind is Kind.OWNER:
        # Asked row by row, not joined: every record has an owner, so SQLite would feel free to
        # begin with the few owners and sort the whole table.
        owner = Principal.objects.filter(pk=OuterRef(path + found.column))
        for part in ("kind", "name"):
            owner_columns.append(f"{path}{found.name}_{part}")
            plan.seen[owner_columns[-1]] = Subquery(owner.values(part)[:1])
    elif found.kind is Kind.LOOKUP:
        target = registry[found.target or ""]
        columns.append(f"{path}{found.name}__{title_column(target)}")
    plan.columns += columns
    read = _READERS.get(found.kind, _read_plain)
    title_flags = (
        _flags(f"{path}{found.name}", registry[found.target or ""], plan, by)
        if found.kind is Kind.LOOKUP
        else []
    )

    def make(places: Mapping[str, int]) -> Reader:
        own = [*columns, *owner_columns]
        value_of = read(found, [places[c] for c in own], [places[f] for f in title_flags])
        if not flags:
            return value_of
        (flag,) = (places[f] for f in flags)
        # Through a link to a record that the viewer may not see, nothing shows.
        return lambda raw: value_of(raw) if raw[flag] else None

    return make


def title_column(entity: Entity) -> str:
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


def _read_address(found: Field, places: list[int], _flags: list[int]) -> Reader:
    return lambda raw: address_text({n: raw[at] for n, at in zip(found.parts, places, strict=True)})


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
            named = named.values_list("pk", title_column(other))
            titles.update({Ref(target, id_): title for id_, title in named})
        for row in made:
            ref = row.values[name]
            row.values[name] = Link(ref.entity, ref.id, titles.get(ref, "")) if ref else None
