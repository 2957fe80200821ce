"""Reads that need thought. `records(entity, by)` is the only way from a surface to rows."""

from typing import Any

from django.db.models import QuerySet

from rapport import access
from rapport.access import READ, Actor
from rapport.meta.entity import Entity


def records(entity: Entity, by: Actor, verb: str = READ) -> QuerySet[Any, Any]:
    """Rows of `entity` to which `by` may do `verb`."""
    return access.visible_to(entity.records(), entity, by, verb)
