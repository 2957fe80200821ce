"""Rows into tables, set-based. Only the writer, the journal and derived tables use it."""

from __future__ import annotations

import datetime
import json
import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from operator import add
from types import NoneType
from typing import Any, NewType

from django.core.exceptions import EmptyResultSet
from django.db import connection, models
from django.db.models.expressions import RawSQL

from rapport.meta.batches import batches

# From this many rows COPY beats executemany on PostgreSQL.
COPY_FROM = 50


@lru_cache(maxsize=128)
def _columns(model: type[models.Model], names: tuple[str, ...]) -> tuple[Any, ...]:
    by_name = {column.attname: column for column in model._meta.concrete_fields}
    return tuple(by_name[name] for name in names)


def encode(
    model: type[models.Model], names: tuple[str, ...], row: Sequence[Any]
) -> tuple[Any, ...]:
    """`row` as the database adapter wants it."""
    return tuple(
        column.get_db_prep_save(value, connection)
        for column, value in zip(_columns(model, names), row, strict=True)
    )


@dataclass(frozen=True, slots=True)
class Same:
    """A column in which every row has this value."""

    value: Any


Column = Same | Sequence[Any]


@dataclass(frozen=True, slots=True)
class Packed:
    """Several columns (`names`, as attributes) as the database takes them, made by `pack`: of each
    row what is bound, or on PostgreSQL a part of a line of COPY."""

    names: tuple[str, ...]
    rows: Sequence[Any]


def insert(model: type[models.Model], names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Insert `rows`, values in the order of `names` (column attributes)."""
    if not rows:
        return
    names = tuple(names)
    if len(rows) > 1 or _beside.get() is not None:
        columns = zip(names, zip(*rows, strict=True), strict=True)
        insert_columns(model, dict(columns), len(rows))
        return
    table = connection.ops.quote_name(model._meta.db_table)
    quoted = [connection.ops.quote_name(column.column) for column in _columns(model, names)]
    marks = ", ".join(["%s"] * len(names))
    sql = f"INSERT INTO {table} ({', '.join(quoted)}) VALUES ({marks})"
    with connection.cursor() as cursor:
        cursor.execute(sql, encode(model, names, rows[0]))


def insert_columns(
    model: type[models.Model],
    columns: Mapping[str, Column],
    count: int,
    packed: Packed | None = None,
) -> None:
    """Insert `count` rows given column by column: {column attribute: values}, and `packed`, which
    has others of them. Ids may be given by their 32 hexadecimal digits. A value that all rows share
    is encoded once."""
    if not count:
        return
    names = tuple(columns)
    table = connection.ops.quote_name(model._meta.db_table)
    quoted = [connection.ops.quote_name(column.column) for column in _columns(model, names)]
    ready: _Ready = None
    if packed is not None:
        own = _columns(model, packed.names)
        ready = ", ".join(connection.ops.quote_name(c.column) for c in own), packed.rows
    encoded = [
        _encoded(column, values)
        for column, values in zip(_columns(model, names), columns.values(), strict=True)
    ]
    lined = _beside.get() is not None
    if connection.vendor == "postgresql" and (ready or lined or count >= COPY_FROM):
        _copy(table, quoted, encoded, count, ready)
    else:
        _insert_many(table, quoted, encoded, count, ready)


def insert_lines(model: type[models.Model], names: Sequence[str], lines: bytes) -> None:
    """Insert rows that are lines of COPY, values in the order of `names`."""
    if lines:
        quote = connection.ops.quote_name
        into = ", ".join(quote(column.column) for column in _columns(model, tuple(names)))
        _copy_lines(quote(model._meta.db_table), into, lines)


def pack(model: type[models.Model], columns: Mapping[str, Sequence[Any]]) -> list[Any]:
    """The rows of a `Packed`. Asks no database."""
    encoded = [
        _encoded(column, values)
        for column, values in zip(_columns(model, tuple(columns)), columns.values(), strict=True)
    ]
    count = len(next(iter(columns.values())))
    whole = [[one.value] * count if isinstance(one, Same) else one for one in encoded]
    if connection.vendor == "postgresql":
        return list(map("\t".join, zip(*map(_copy_texts, whole), strict=True)))
    return list(zip(*whole, strict=True))


# Types that the database adapters take as they are, by the type of column.
_AS_IT_IS: tuple[tuple[type[models.Field[Any, Any]], frozenset[type]], ...] = (
    (models.BooleanField, frozenset({bool, type(None)})),
    (models.CharField, frozenset({str, type(None)})),
    (models.TextField, frozenset({str, type(None)})),
    (models.IntegerField, frozenset({int, type(None)})),
)


def _encoded(column: Any, values: Column) -> Same | Sequence[Any]:
    if isinstance(values, Same):
        return Same(column.get_db_prep_save(values.value, connection))
    first = values[0]
    types = set(map(type, values))
    own = _own(column)
    if isinstance(own, models.UUIDField):
        return _encoded_ids(column, values, types)
    if len(types) == 1 and values.count(first) == len(values):
        return Same(column.get_db_prep_save(first, connection))
    if any(isinstance(own, kind) and types <= plain for kind, plain in _AS_IT_IS):
        return values
    if isinstance(own, models.JSONField):
        return [column.get_db_prep_save(value, connection) for value in values]
    if types <= {datetime.date, NoneType}:
        return [value and value.isoformat() for value in values]
    # Moments, states and the like: few different values in many rows.
    known = {value: column.get_db_prep_save(value, connection) for value in set(values)}
    return [known[value] for value in values]


def _encoded_ids(column: Any, values: Sequence[Any], types: set[type]) -> Same | Sequence[Any]:
    # Ids are slow to compare: the same one is mostly the same object.
    if types != {str}:
        if len(set(map(id, values))) == 1:
            return Same(column.get_db_prep_save(values[0], connection))
        if connection.vendor == "postgresql" and len(values) < COPY_FROM:
            return values
        if types == {uuid.UUID}:
            values = [value.hex for value in values]
        else:
            values = [None if value is None else value.hex for value in values]
    same = values.count(values[0]) == len(values)
    return Same(column.get_db_prep_save(values[0], connection)) if same else values


# Names and rows of packed columns.
_Ready = tuple[str, Sequence[Any]] | None


def _insert_many(
    table: str,
    quoted: Sequence[str],
    columns: Sequence[Same | Sequence[Any]],
    count: int,
    ready: _Ready = None,
) -> None:
    """INSERT with the common values as literals, so that only what differs is bound."""
    marks: list[str] = []
    varying: list[Sequence[Any]] = []
    for column in columns:
        literal = _literal(column.value) if isinstance(column, Same) else None
        if literal is not None:
            marks.append(literal)
        else:
            marks.append("%s")
            varying.append([column.value] * count if isinstance(column, Same) else column)
    bound: list[Any] = list(zip(*varying, strict=True)) if varying else [()] * count
    if ready:
        names, rows = ready
        quoted, marks = [*quoted, names], marks + ["%s"] * len(rows[0])
        bound = list(map(add, bound, rows))
    sql = f"INSERT INTO {table} ({', '.join(quoted)}) VALUES ({', '.join(marks)})"
    with connection.cursor() as cursor:
        cursor.executemany(sql, bound)


def _literal(value: Any) -> str | None:
    """SQL of the few values that stand in most columns of a new record."""
    if value is None:
        return "NULL"
    if value == "" and isinstance(value, str):
        return "''"
    return str(value) if type(value) is int and 0 <= value < 1000 else None


_SPECIAL = re.compile(r"[\\\n\r\t\b\f\v]")
_ESCAPED = {
    "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f", "\v": "\\v",
}  # fmt: skip


def _copy(
    table: str,
    quoted: Sequence[str],
    columns: Sequence[Same | Sequence[Any]],
    count: int,
    ready: _Ready = None,
) -> None:
    """COPY in its text format, made here column by column: what all rows share comes last, and is
    written once."""
    named = list(zip(quoted, columns, strict=True))
    varying = [
        (name, _copy_texts(column)) for name, column in named if not isinstance(column, Same)
    ]
    # No column of ours has another default than NULL.
    shared = [
        (name, column.value)
        for name, column in named
        if isinstance(column, Same) and column.value is not None
    ]
    end = "\t".join(_copy_text(value) for _name, value in shared) + "\n"
    if ready:
        varying.append(ready)
    if varying:
        texts = [texts for _name, texts in varying]
        between = "\t" + end if shared else end
        lines = between.join(map("\t".join, zip(*texts, strict=True))) + between
    else:
        lines = end * count
    _copy_lines(table, ", ".join(name for name, _column in (*varying, *shared)), lines)


def _copy_lines(table: str, into: str, lines: str | bytes) -> None:
    sql = f"COPY {table} ({into}) FROM STDIN"
    if (line := _beside.get()) is not None:
        line.copy(sql, lines)
        return
    with connection.cursor() as cursor, cursor.copy(sql) as copy:
        copy.write(lines)


class _Line:
    """COPYs that a thread does one after the other, on the connection that is ours."""

    def __init__(self, native: Any) -> None:
        self._native = native
        self._thread = ThreadPoolExecutor(1)
        self._going: list[Future[None]] = []

    def copy(self, sql: str, lines: str | bytes) -> None:
        """Let it follow those before."""
        self._going.append(self._thread.submit(self._copy, sql, lines))

    def _copy(self, sql: str, lines: str | bytes) -> None:
        with self._native.cursor() as cursor, cursor.copy(sql) as copy:
            copy.write(lines)

    def wait(self) -> None:
        """Until all are done. What went wrong with one is raised here."""
        going, self._going = self._going, []
        wait(going)
        for one in going:
            one.result()

    def first(self, execute: Callable[..., Any], *args: Any) -> Any:
        """Any other statement waits for them."""
        self.wait()
        return execute(*args)

    def end(self) -> None:
        self._thread.shutdown(cancel_futures=True)


_beside: ContextVar[_Line | None] = ContextVar("beside", default=None)


@contextmanager
def beside() -> Iterator[bool]:
    """PostgreSQL takes what is inserted inside while we go on with what comes next; whether it
    does. Any other statement waits for it, and so does the end. No thread is left behind."""
    if connection.vendor != "postgresql":
        yield False
        return
    line = _Line(connection.connection)
    token = _beside.set(line)
    try:
        with connection.execute_wrapper(line.first):
            yield True
        line.wait()
    finally:
        _beside.reset(token)
        line.end()


def _copy_texts(values: Sequence[Any]) -> Iterable[str]:
    types = set(map(type, values))
    if types <= {str, NoneType}:
        # All at once: no text that can be stored has a zero in it.
        whole = "\x00".join([value for value in values if value is not None])
        if _SPECIAL.search(whole):
            for character, told in _ESCAPED.items():
                whole = whole.replace(character, told)
        texts = whole.split("\x00")
        if types == {str} and len(texts) == len(values):
            return texts
        if NoneType in types and len(texts) == len(values) - values.count(None):
            rest = iter(texts)
            return ["\\N" if value is None else next(rest) for value in values]
    elif types == {int}:
        return map(str, values)
    return [_copy_text(value) for value in values]


def _copy_text(value: Any) -> str:
    if value is None:
        return "\\N"
    if value is True or value is False:
        return "t" if value else "f"
    if isinstance(value, str):
        return _SPECIAL.sub(lambda found: _ESCAPED[found[0]], value)
    if isinstance(value, datetime.datetime | datetime.date):
        return value.isoformat()
    if isinstance(value, int | float | Decimal | uuid.UUID):
        return str(value)
    # JSON comes wrapped by the adapter.
    return _SPECIAL.sub(lambda found: _ESCAPED[found[0]], (value.dumps or json.dumps)(value.obj))


def update(
    model: type[models.Model],
    names: Sequence[str],
    rows: Iterable[tuple[uuid.UUID, Sequence[Any]]],
) -> None:
    """Set the columns `names` of each (id, values)."""
    names = tuple(names)
    table = connection.ops.quote_name(model._meta.db_table)
    assignments = ", ".join(
        f"{connection.ops.quote_name(c.column)} = %s" for c in _columns(model, names)
    )
    key = model._meta.pk
    assert key.column is not None
    encoded = [
        (*encode(model, names, values), key.get_db_prep_save(id_, connection))
        for id_, values in rows
    ]
    if not encoded:
        return
    sql = f"UPDATE {table} SET {assignments} WHERE {connection.ops.quote_name(key.column)} = %s"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql" and len(encoded) >= COPY_FROM:
            kinds = {type(value) for row in encoded for value in row}
            if kinds <= _IN_ARRAYS:
                _update_many(cursor, (*_columns(model, names), key), encoded)
                return
        if len(encoded) == 1:
            cursor.execute(sql, encoded[0])
        else:
            cursor.executemany(sql, encoded)


_IN_ARRAYS = frozenset({str, int, bool, NoneType, uuid.UUID, datetime.datetime, Decimal})


def _update_many(cursor: Any, columns: Sequence[Any], encoded: Sequence[Sequence[Any]]) -> None:
    """UPDATE of rows given by arrays, the last of which has their keys: a statement for all."""
    quote = connection.ops.quote_name
    *changed, key = (quote(column.column) for column in columns)
    arrays = ", ".join(f"%s::{_own(column).db_type(connection)}[]" for column in columns)
    sets = ", ".join(f"{name} = given.{name}" for name in changed)
    table = quote(columns[-1].model._meta.db_table)
    cursor.execute(
        f"UPDATE {table} SET {sets} FROM unnest({arrays}) "
        f"AS given({', '.join((*changed, key))}) WHERE {table}.{key} = given.{key}",
        [list(values) for values in zip(*encoded, strict=True)],
    )


def delete(model: type[models.Model], ids: Sequence[Any], column: str = "") -> None:
    """Delete the rows whose `column` (the key) is one of `ids`, past Django's collector: what
    points at them has been dealt with by then."""
    column = column or model._meta.pk.name
    many = model._default_manager
    for part in batches(ids):
        if isinstance(part[0], uuid.UUID):
            rows = many.filter(among(model, part, column))
        else:
            rows = many.filter(**{f"{column}__in": part})
        rows._raw_delete(rows.db)


def delete_noted(
    chosen: models.QuerySet[Any],
    names: Sequence[str],
    notes: type[models.Model],
    note: Mapping[str, Any],
) -> int:
    """Delete the rows `chosen`; for each put a row into `notes`: the values `note`, the id as its
    `record`, the version, and the columns `names` as JSON into `before`, but those that are blank
    in all rows. How many they were."""
    quote = connection.ops.quote_name
    model: Any = chosen.model
    found = _where(chosen)
    if found is None:
        return 0
    where, where_values = found
    table = quote(model._meta.db_table)
    into, marks, note_values = _alike(notes, note)
    columns = _columns(model, tuple(names))
    with connection.cursor() as cursor:
        # Two thirds of all columns, as a rule: to write them down takes longer than to look.
        counts = ", ".join(map(_count, columns))
        cursor.execute(f"SELECT {counts} FROM {table} WHERE {where}", where_values)
        counted = zip(columns, cursor.fetchone(), strict=True)
        whole = _as_json([column for column, number in counted if number])
        cursor.execute(
            f"INSERT INTO {quote(notes._meta.db_table)} ({into}, record, version, before) "
            f"SELECT {marks}, {table}.id, {table}.version, {whole} FROM {table} WHERE {where} "
            f"ORDER BY {table}.id",
            (*note_values, *where_values),
        )
        cursor.execute(f"DELETE FROM {table} WHERE {where}", where_values)
        return int(cursor.rowcount)


def _count(column: Any) -> str:
    """SQL of the number of rows in which a column is not what `blank` says."""
    quote = connection.ops.quote_name
    name = f"{quote(column.model._meta.db_table)}.{quote(column.column)}"
    if column.null:
        return f"count({name})"
    return f"count(nullif({name}, ''))" if blank(column) == "" else "count(*)"


def blank(column: Any) -> Any:
    """What a deleted row had in a column of which the journal does not tell."""
    return None if column.null else column.get_default()


def fits_in_json(model: type[models.Model]) -> bool:
    """Whether `delete_noted` can write down every column of `model`."""
    return all(isinstance(_own(column), _IN_JSON) for column in model._meta.concrete_fields)


_IN_JSON = (
    models.UUIDField, models.DateField, models.DecimalField, models.BooleanField,
    models.IntegerField, models.CharField, models.TextField,
)  # fmt: skip


def _own(column: Any) -> Any:
    return column.target_field if column.is_relation else column


def _as_json(columns: Sequence[Any]) -> str:
    """SQL of an object of these columns by attribute, as `meta.kinds.to_json` writes values."""
    quote = connection.ops.quote_name
    if connection.vendor == "postgresql":
        values = ", ".join(
            f"{quote(column.model._meta.db_table)}.{quote(column.column)}"
            f"{'::text' if isinstance(column, models.DecimalField) else ''} AS "
            f"{quote(column.attname)}"
            for column in columns
        )
        return f"(SELECT to_jsonb(one) FROM (SELECT {values}) AS one)"
    # A function of SQLite takes so many arguments.
    parts = [
        ", ".join(f"'{column.attname}', {_sqlite_json(column)}" for column in part)
        for part in batches(columns, 50)
    ]
    objects = [f"json_object({part})" for part in parts]
    bare = [f"substr({one}, 2, length({one}) - 2)" for one in objects[:-1]]
    first = "".join(f"{one} || ',' || " for one in bare)
    return f"'{{' || {first}ltrim({objects[-1]}, '{{')"


def _sqlite_json(column: Any) -> str:
    quote = connection.ops.quote_name
    name = f"{quote(column.model._meta.db_table)}.{quote(column.column)}"
    own = _own(column)
    if isinstance(own, models.UUIDField):
        ends = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
        return " || '-' || ".join(f"substr({name}, {start}, {size})" for start, size in ends)
    if isinstance(own, models.DateTimeField):
        return f"replace({name}, ' ', 'T') || '+00:00'"
    if isinstance(own, models.DecimalField):
        places = f"printf('%.{own.decimal_places}f', {name})".replace("%", "%%")
        return f"CASE WHEN {name} IS NOT NULL THEN {places} END"
    if isinstance(own, models.BooleanField):
        return f"CASE {name} WHEN 1 THEN json('true') WHEN 0 THEN json('false') END"
    return name


def count_anew(tables: Iterable[type[models.Model]]) -> None:
    """Let PostgreSQL look how large these tables are. By itself it does so once a minute, and when
    it looks while an import fills a table it takes that for an empty one, whose keys it then looks
    up in any index. SQLite plans without."""
    if connection.vendor == "postgresql":
        quote = connection.ops.quote_name
        names = [
            f"{quote(model._meta.db_table)} ({', '.join(map(quote, _indexed(model)))})"
            for model in sorted({*tables}, key=lambda model: model._meta.db_table)
        ]
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {', '.join(names)}")


def _indexed(model: type[models.Model]) -> list[str]:
    """Columns that an index begins with: to look at all of them takes five times as long."""
    meta: Any = model._meta
    begin = {index.fields[0].lstrip("-") for index in meta.indexes if index.fields}
    begin |= {column.name for column in meta.pk_fields}
    return [c.column for c in meta.concrete_fields if c.db_index or {c.name, c.attname} & begin]


@contextmanager
def by_index(cursor: Any) -> Iterator[None]:
    """PostgreSQL joins by looking up one row after the other. In a transaction."""
    ways = ("enable_hashjoin", "enable_mergejoin")
    cursor.execute("; ".join(f"SET LOCAL {way} = off" for way in ways))
    yield
    # After an error all is rolled back, this too.
    cursor.execute("; ".join(f"SET LOCAL {way} TO DEFAULT" for way in ways))


# -- many rows that change alike: a statement or two, however many they are ------------------------


def alter(
    chosen: models.QuerySet[Any],
    columns: Mapping[str, Any],
    notes: type[models.Model],
    note: Mapping[str, Any],
) -> int:
    """Set `columns` of the rows `chosen` and count their version up; for each put a row into
    `notes`: the values `note`, the id as its `record` and the new version. How many they were."""
    model: Any = chosen.model
    quote = connection.ops.quote_name
    found = _where(chosen)
    if found is None:
        return 0
    where, where_values = found
    table, version = quote(model._meta.db_table), f"{quote(model._meta.db_table)}.version"
    names = tuple(columns)
    sets = ", ".join(f"{quote(column.column)} = %s" for column in _columns(model, names))
    update = f"UPDATE {table} SET {sets}, version = {version} + 1 WHERE {where}"
    update_values = (*encode(model, names, tuple(columns.values())), *where_values)
    into, marks, note_values = _alike(notes, note)
    insert = f"INSERT INTO {quote(notes._meta.db_table)} ({into}, record, version)"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # In one, so that what others store meanwhile is either changed and noted or neither.
            cursor.execute(
                f"WITH changed AS ({update} RETURNING {table}.id, {version}) "
                f"{insert} SELECT {marks}, id, version FROM changed",
                (*update_values, *note_values),
            )
            return int(cursor.rowcount)
        cursor.execute(
            f"{insert} SELECT {marks}, {table}.id, {version} + 1 FROM {table} WHERE {where} "
            f"ORDER BY {table}.id",
            (*note_values, *where_values),
        )
        cursor.execute(update, update_values)
        return int(cursor.rowcount)


def insert_for(
    model: type[models.Model],
    constant: Mapping[str, Any],
    column: str,
    chosen: models.QuerySet[Any],
) -> None:
    """Insert a row with the values `constant` for each of `chosen`, its id in `column`."""
    quote = connection.ops.quote_name
    found = _where(chosen)
    if found is None:
        return
    where, where_values = found
    table = quote(chosen.model._meta.db_table)
    into, marks, values = _alike(model, constant)
    (filled,) = _columns(model, (column,))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {quote(model._meta.db_table)} ({into}, {quote(filled.column)}) "
            f"SELECT {marks}, {table}.id FROM {table} WHERE {where}",
            (*values, *where_values),
        )


def _alike(
    model: type[models.Model], constant: Mapping[str, Any]
) -> tuple[str, str, tuple[Any, ...]]:
    """Columns, marks and values of what is the same in all rows of an INSERT … SELECT."""
    names = tuple(constant)
    into = ", ".join(connection.ops.quote_name(c.column) for c in _columns(model, names))
    return into, ", ".join(["%s"] * len(names)), encode(model, names, tuple(constant.values()))


Listed = NewType("Listed", str)


def listed(ids: Iterable[uuid.UUID]) -> Listed:
    """Ids as a statement has them: for whoever asks several times for `among` the same."""
    return listed_texts(id_texts(ids))


def listed_texts(ids: Iterable[str]) -> Listed:
    """The same of ids that are texts already, as `id_texts` makes them."""
    return Listed(", ".join([f"'{id_}'" for id_ in ids]))


def id_texts(ids: Iterable[uuid.UUID]) -> list[str]:
    """Ids as the database writes them."""
    if connection.features.has_native_uuid_field:
        return list(map(str, ids))
    return [id_.hex for id_ in ids]


def among(
    model: type[models.Model], ids: Sequence[uuid.UUID] | Listed, column: str = "id"
) -> RawSQL:
    """The condition that `column` of a row of `model` is one of `ids`. Written out, because
    thousands of parameters cost more than the statement that they are for."""
    quote = connection.ops.quote_name
    if not ids:
        return RawSQL("1 = 0", (), output_field=models.BooleanField())
    text = ids if isinstance(ids, str) else listed(ids)
    key = f"{quote(model._meta.db_table)}.{quote(column)}"
    return RawSQL(f"{key} IN ({text})", (), output_field=models.BooleanField())  # noqa: S611 -- ids


def _where(chosen: models.QuerySet[Any]) -> tuple[str, tuple[Any, ...]] | None:
    """The condition of `chosen` (of one table) as SQL; None when no row can meet it."""
    query = chosen.query
    compiler = query.get_compiler(connection=connection)
    try:
        sql, values = compiler.compile(query.where)
    except EmptyResultSet:
        return None
    assert len([a for a in query.alias_map if query.alias_refcount[a]]) <= 1
    return sql or "1 = 1", tuple(values)
