"""Rows into tables, many at once. Those of entities come from the writer alone."""

from __future__ import annotations

import datetime
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from operator import add
from types import NoneType
from typing import Any

from django.db import connection, models

from rapport.meta.batches import batches

from . import pgcopy
from .adapted import (
    COPY_FROM,
    Column,
    Prepared,
    Same,
    columns_of,
    encode_column,
    encode_row,
    target_of,
)
from .idlists import among


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
    if len(rows) > 1 or pgcopy.is_beside():
        columns = zip(names, zip(*rows, strict=True), strict=True)
        insert_columns(model, dict(columns), len(rows))
        return
    table = connection.ops.quote_name(model._meta.db_table)
    quoted = [connection.ops.quote_name(column.column) for column in columns_of(model, names)]
    marks = ", ".join(["%s"] * len(names))
    sql = f"INSERT INTO {table} ({', '.join(quoted)}) VALUES ({marks})"
    with connection.cursor() as cursor:
        cursor.execute(sql, encode_row(model, names, rows[0]))


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
    quoted = [connection.ops.quote_name(column.column) for column in columns_of(model, names)]
    ready: Prepared | None = None
    if packed is not None:
        own = columns_of(model, packed.names)
        ready = ", ".join(connection.ops.quote_name(c.column) for c in own), packed.rows
    encoded = [
        encode_column(column, values)
        for column, values in zip(columns_of(model, names), columns.values(), strict=True)
    ]
    lined = pgcopy.is_beside()
    if connection.vendor == "postgresql" and (ready or lined or count >= COPY_FROM):
        pgcopy.copy(table, quoted, encoded, count, ready)
    else:
        _insert_many(table, quoted, encoded, count, ready)


def insert_lines(model: type[models.Model], names: Sequence[str], lines: bytes) -> None:
    """Insert rows that are lines of COPY, values in the order of `names`."""
    if lines:
        quote = connection.ops.quote_name
        into = ", ".join(quote(column.column) for column in columns_of(model, tuple(names)))
        pgcopy.copy_lines(quote(model._meta.db_table), into, lines)


def pack(model: type[models.Model], columns: Mapping[str, Sequence[Any]]) -> list[Any]:
    """The rows of a `Packed`. Asks no database."""
    encoded = [
        encode_column(column, values)
        for column, values in zip(columns_of(model, tuple(columns)), columns.values(), strict=True)
    ]
    count = len(next(iter(columns.values())))
    whole = [[one.value] * count if isinstance(one, Same) else one for one in encoded]
    if connection.vendor == "postgresql":
        return list(map("\t".join, zip(*map(pgcopy.texts, whole), strict=True)))
    return list(zip(*whole, strict=True))


def _insert_many(
    table: str,
    quoted: Sequence[str],
    columns: Sequence[Column],
    count: int,
    ready: Prepared | None = None,
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
        bound = list(map(add, bound, rows)) if varying else list(rows)
    sql = f"INSERT INTO {table} ({', '.join(quoted)}) VALUES ({', '.join(marks)})"
    with connection.cursor() as cursor:
        cursor.executemany(sql, bound)


def _literal(value: Any) -> str | None:
    """SQL of what stands in many columns of all new records: small numbers and plain texts."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(int(value)) if connection.vendor == "sqlite" else None
    if isinstance(value, str):
        return f"'{value}'" if _PLAIN.fullmatch(value) else None
    return str(value) if type(value) is int and 0 <= value < 1000 else None


# Ids, moments and what is blank.
_PLAIN = re.compile(r"[0-9a-z :.+-]{0,40}")


def update(
    model: type[models.Model],
    names: Sequence[str],
    rows: Iterable[tuple[uuid.UUID, Sequence[Any]]],
) -> None:
    """Set the columns `names` of each (id, values)."""
    names = tuple(names)
    table = connection.ops.quote_name(model._meta.db_table)
    assignments = ", ".join(
        f"{connection.ops.quote_name(c.column)} = %s" for c in columns_of(model, names)
    )
    key = model._meta.pk
    assert key.column is not None
    encoded = [
        (*encode_row(model, names, values), key.get_db_prep_save(id_, connection))
        for id_, values in rows
    ]
    if not encoded:
        return
    sql = f"UPDATE {table} SET {assignments} WHERE {connection.ops.quote_name(key.column)} = %s"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql" and len(encoded) >= COPY_FROM:
            kinds = {type(value) for row in encoded for value in row}
            if kinds <= _IN_ARRAYS:
                _update_many(cursor, (*columns_of(model, names), key), encoded)
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
    arrays = ", ".join(f"%s::{target_of(column).db_type(connection)}[]" for column in columns)
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
