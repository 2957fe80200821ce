"""Rows into tables, set-based. Only the writer, the journal and derived tables use it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from django.db import connection, models

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


def insert(model: type[models.Model], names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Insert `rows`, values in the order of `names` (column attributes)."""
    if not rows:
        return
    names = tuple(names)
    table = connection.ops.quote_name(model._meta.db_table)
    quoted = ", ".join(connection.ops.quote_name(c.column) for c in _columns(model, names))
    encoded = [encode(model, names, row) for row in rows]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql" and len(rows) >= COPY_FROM:
            with cursor.copy(f"COPY {table} ({quoted}) FROM STDIN") as copy:
                for row in encoded:
                    copy.write_row(row)
            return
        marks = ", ".join(["%s"] * len(names))
        sql = f"INSERT INTO {table} ({quoted}) VALUES ({marks})"
        if len(encoded) == 1:
            cursor.execute(sql, encoded[0])
        else:
            cursor.executemany(sql, encoded)


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
        if len(encoded) == 1:
            cursor.execute(sql, encoded[0])
        else:
            cursor.executemany(sql, encoded)


def delete(model: type[models.Model], ids: Sequence[Any], column: str = "pk") -> None:
    """Delete the rows whose `column` is one of `ids`, past Django's collector: what points at
    them has been dealt with by then."""
    for part in batches(ids):
        rows = model._default_manager.filter(**{f"{column}__in": part})
        rows._raw_delete(rows.db)
