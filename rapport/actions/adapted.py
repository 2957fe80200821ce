"""Values as the database adapter takes them, row by row or column by column."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import NoneType
from typing import Any

from django.db import connection, models

# From this many rows COPY beats executemany on PostgreSQL.
COPY_FROM = 50


@lru_cache(maxsize=128)
def columns_of(model: type[models.Model], names: tuple[str, ...]) -> tuple[Any, ...]:
    """The columns of these attributes."""
    by_name = {column.attname: column for column in model._meta.concrete_fields}
    return tuple(by_name[name] for name in names)


def encode_row(
    model: type[models.Model], names: tuple[str, ...], row: Sequence[Any]
) -> tuple[Any, ...]:
    """One row, its values in the order of `names`."""
    return tuple(
        column.get_db_prep_save(value, connection)
        for column, value in zip(columns_of(model, names), row, strict=True)
    )


def target_of(column: Any) -> Any:
    """The column whose type the values of `column` have: that which a link points at."""
    return column.target_field if column.is_relation else column


@dataclass(frozen=True, slots=True)
class Same:
    """A column in which every row has this value."""

    value: Any


Column = Same | Sequence[Any]

# Several columns that are made already: SQL of their names, and of each row what they hold.
Prepared = tuple[str, Sequence[Any]]


# Types that the database adapters take as they are, by the type of column.
_AS_IT_IS: tuple[tuple[type[models.Field[Any, Any]], frozenset[type]], ...] = (
    (models.BooleanField, frozenset({bool, type(None)})),
    (models.CharField, frozenset({str, type(None)})),
    (models.TextField, frozenset({str, type(None)})),
    (models.IntegerField, frozenset({int, type(None)})),
)


def encode_column(column: Any, values: Column) -> Column:
    """A column of values; `Same` if all are found to be the same."""
    if isinstance(values, Same):
        return Same(column.get_db_prep_save(values.value, connection))
    first = values[0]
    types = set(map(type, values))
    own = target_of(column)
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


def _encoded_ids(column: Any, values: Sequence[Any], types: set[type]) -> Column:
    # Ids are slow to compare: the same one is mostly the same object.
    if not types <= {str, NoneType}:
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
