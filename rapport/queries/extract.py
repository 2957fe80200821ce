"""All rows of a query for a file: by key, a batch at a time, each batch as columns of values.

What a page of a list costs per row (a record, links, keys as objects) is more than reading it;
here a whole column is converted at once, and most need no conversion.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import chain
from typing import Any

from django.db import connection
from django.db.models import Case, DateTimeField, QuerySet, UUIDField, Value, When
from django.db.models.sql.constants import MULTI

from rapport import access, queries
from rapport.access import Actor
from rapport.meta.entity import Entity
from rapport.meta.field import Field
from rapport.meta.kinds import Kind, Ref
from rapport.meta.registry import registry
from rapport.models import Principal

from .pages import beyond, cursor_of, ordered, sort_keys, title_column, within
from .query import InvalidQuery, Query, field_of

# Rows read at a time: enough that asking costs little, few enough to be forgotten at once.
SIZE = 4000

Column = Sequence[Any]


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows as columns. `ids`: texts of the keys; `columns`: as the query names them. A link is the
    title of its record, '' when the reader may not see that; moments are aware."""

    ids: Column
    columns: list[Column]

    def __len__(self) -> int:
        return len(self.ids)


def batches(
    query: Query,
    by: Actor,
    *,
    verb: str = access.READ,
    among: Collection[uuid.UUID] | None = None,
    size: int = SIZE,
) -> Iterator[Batch]:
    """The rows of `query` to which `by` may do `verb`, in its order; `query.size` and its cursors
    mean nothing here. `among`: only these records. Raises InvalidQuery."""
    found = within(query, by, verb=verb, among=among)
    entity = registry[query.entity]
    order = sort_keys(entity, query, by)
    reader = _Reader(entity, query.columns, [key.column for key in order], by)
    found = ordered(found, order, backwards=False).annotate(**reader.seen)
    cursor = ""
    while True:
        part = found.filter(beyond(order, cursor, backwards=False)) if cursor else found
        raw, convert = fetched(part.values_list(*reader.names)[:size])
        if raw:
            yield reader.batch(raw, convert)
        if len(raw) < size:
            return
        last = [convert(place, [value])[0] for place, value in enumerate(raw[-1])]
        last[0] = uuid.UUID(last[0])
        cursor = cursor_of(order, reader.names, tuple(last))


# Converts the column at a place, given as the database returns it.
Convert = Callable[[int, Column], Column]
# Makes the column of a field of those that were fetched.
Make = Callable[[list[Column], Convert], Column]


def fetched(rows: QuerySet[Any, Any]) -> tuple[list[tuple[Any, ...]], Convert]:
    """The rows as the database has them, and how their columns become values."""
    compiler = rows.query.get_compiler(connection.alias)
    if connection.vendor == "postgresql":
        raw = _as_texts(*compiler.as_sql())
    else:
        raw = list(chain.from_iterable(compiler.execute_sql(MULTI) or ()))
    expressions = [selected[0] for selected in compiler.select or ()] if raw else []
    return raw, partial(_converted, expressions, compiler.get_converters(expressions))


def _as_texts(sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    """The rows with keys and moments as PostgreSQL writes them: to make an object of each costs
    more than all the rest, and most moments of a page are the same."""
    from psycopg.types.string import TextLoader

    with connection.cursor() as cursor:
        found = cursor.cursor
        style = found.connection.pgconn.parameter_status(b"DateStyle") or b""
        found.adapters.register_loader("uuid", TextLoader)
        if style.startswith(b"ISO"):
            found.adapters.register_loader("timestamptz", TextLoader)
        cursor.execute(sql, values)
        return list(cursor.fetchall())


def _converted(
    expressions: list[Any], converters: dict[int, Any], place: int, values: Column
) -> Column:
    field = expressions[place].output_field
    if isinstance(field, UUIDField):
        return _id_texts(values)
    if isinstance(field, DateTimeField) and str in set(map(type, values)):
        moments = {text: text and datetime.fromisoformat(text) for text in set(values)}
        values = [moments[text] for text in values]
    if place not in converters:
        return values
    steps, expression = converters[place]
    known = {}
    # Days, moments and yes or no: few different values in many rows.
    for value in set(values):
        made = value
        for step in steps:
            made = step(made, expression, connection)
        known[value] = made
    return [known[value] for value in values]


def _id_texts(values: Column) -> Column:
    """Keys as people copy them. SQLite has them as digits without dashes."""
    first = next((value for value in values if value is not None), None)
    if isinstance(first, str) and len(first) == 36:
        return values
    if isinstance(first, str):
        return [v and f"{v[:8]}-{v[8:12]}-{v[12:16]}-{v[16:20]}-{v[20:]}" for v in values]
    return [None if value is None else str(value) for value in values]


@dataclass(slots=True)
class _Reader:
    """What is selected, and how the selected columns become those of the fields `wanted`. `seen`:
    conditions under which the reader may see a linked record, by name."""

    entity: Entity
    wanted: Sequence[str]
    order: Sequence[str]
    by: Actor
    seen: dict[str, Any] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    _makers: list[Make] = field(default_factory=list)
    _people: dict[Any, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.names = ["pk", *dict.fromkeys(name for name in self.order if name != "pk")]
        self._makers = [self._maker(name) for name in self.wanted]

    def batch(self, raw: list[tuple[Any, ...]], convert: Convert) -> Batch:
        """The columns of the fetched rows."""
        columns: list[Column] = list(zip(*raw, strict=True))
        made = [make(columns, convert) for make in self._makers]
        return Batch(convert(0, columns[0]), made)

    def _place(self, name: str) -> int:
        if name not in self.names:
            self.names.append(name)
        return self.names.index(name)

    def _flag(self, path: str, target: Entity) -> int | None:
        """Where stands whether the record at `path` may be seen; None when all may."""
        condition = access.visible_through(f"{path}__", target, self.by)
        if condition is None:
            return None
        name = f"seen_{path}"
        self.seen[name] = Case(When(condition, then=Value(True)), default=Value(False))
        return self._place(name)

    def _maker(self, name: str) -> Make:
        found = field_of(self.entity, name)
        head, dot, _tail = name.partition(".")
        path = f"{head}__" if dot else ""
        outer = self._flag(head, registry[self.entity.fields[head].target or ""]) if dot else None
        make = _MAKERS.get(found.kind, _Reader._plain)(self, found, path)
        if outer is None:
            return make
        # Through a link to a record that the reader may not see, nothing shows.
        return lambda columns, convert: [
            value if flag else None
            for value, flag in zip(make(columns, convert), columns[outer], strict=True)
        ]

    def _plain(self, found: Field, path: str) -> Make:
        if not found.columns:
            raise InvalidQuery(found.name)
        place = self._place(path + found.column)
        return lambda columns, convert: convert(place, columns[place])

    def _link(self, found: Field, path: str) -> Make:
        target = registry[found.target or ""]
        place = self._place(f"{path}{found.name}__{title_column(target)}")
        flag = self._flag(f"{path}{found.name}", target)
        if flag is None:
            return lambda columns, _convert: columns[place]
        return lambda columns, _convert: [
            title if seen else None
            for title, seen in zip(columns[place], columns[flag], strict=True)
        ]

    def _owner(self, found: Field, path: str) -> Make:
        # Not joined: every record has an owner, so SQLite would feel free to begin with the few
        # owners and sort the whole table.
        place = self._place(path + found.column)

        def make(columns: list[Column], convert: Convert) -> Column:
            keys = convert(place, columns[place])
            new = {key for key in keys if key} - self._people.keys()
            if new:
                named = Principal.objects.filter(pk__in=new).values_list("pk", "name")
                self._people.update((str(id_), name) for id_, name in named)
            return [self._people.get(key) for key in keys]

        return make

    def _pointer(self, found: Field, path: str) -> Make:
        kind, key = (self._place(path + column) for column in found.columns)

        def make(columns: list[Column], convert: Convert) -> Column:
            refs = [
                Ref(name, id_) if id_ else None
                for name, id_ in zip(columns[kind], convert(key, columns[key]), strict=True)
            ]
            titles = self._titles({ref for ref in refs if ref})
            return [titles.get(ref, "") if ref else None for ref in refs]

        return make

    def _titles(self, refs: set[Ref]) -> dict[Ref, str]:
        """Titles of those records that the reader may see: one statement per entity."""
        wanted: dict[str, list[Any]] = {}
        for ref in refs:
            wanted.setdefault(ref.entity, []).append(ref.id)
        titles: dict[Ref, str] = {}
        for name, ids in wanted.items():
            target = registry[name]
            named = queries.records(target, self.by).filter(pk__in=ids)
            for id_, title in named.values_list("pk", title_column(target)):
                titles[Ref(name, str(id_))] = title  # type: ignore[arg-type]  # texts on both sides
        return titles


_MAKERS: dict[Kind, Callable[[_Reader, Field, str], Make]] = {
    Kind.LOOKUP: _Reader._link,
    Kind.OWNER: _Reader._owner,
    Kind.POINTER: _Reader._pointer,
}
