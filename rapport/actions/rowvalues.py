"""Field values of a record, and the columns of its row."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from functools import cache
from typing import Any

from rapport.meta.entity import Entity
from rapport.meta.kinds import Kind, Ref


def ref(entity: str, id_: uuid.UUID | None) -> Ref | None:
    """A pointer out of its two columns."""
    return Ref(entity, id_) if entity and id_ else None


def from_columns(entity: Entity, row: Mapping[str, Any]) -> dict[str, Any]:
    """Field values (plus 'version') of a row given by column attributes."""
    values: dict[str, Any] = {"version": row["version"]}
    for field in entity.fields.values():
        if field.kind is Kind.POINTER:
            values[field.name] = ref(row[field.columns[0]], row[field.columns[1]])
        elif field.columns:
            values[field.name] = row[field.column]
    return values


def to_columns(entity: Entity, values: Mapping[str, Any]) -> dict[str, Any]:
    """Column attributes of field values."""
    columns: dict[str, Any] = {}
    for name, value in values.items():
        field = entity.fields[name]
        if field.kind is Kind.POINTER:
            columns[field.columns[0]] = value.entity if value else ""
            columns[field.columns[1]] = value.id if value else None
        elif field.columns:
            columns[field.column] = value
    return columns


def defaults(entity: Entity) -> dict[str, Any]:
    """Values of a record that nobody has filled in."""
    values: dict[str, Any] = {}
    for field in entity.fields.values():
        if field.columns:
            values[field.name] = field.blank_value if field.default is None else field.default
    if "state" in values:
        values["status"] = entity.states.default(values["state"] or 0)
    return values


@cache
def hidden_defaults(entity: Entity) -> dict[str, Any]:
    """Defaults of the columns that are no fields of `entity` but of others in its table."""
    shown = {column for field in entity.fields.values() for column in field.columns}
    return {
        column.attname: column.get_default()
        for column in entity.model._meta.concrete_fields
        if column.attname not in shown and not column.primary_key
    }
