"""The declared entities. Lower floors reach upward only through this."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from .entity import Entity
from .field import Field
from .kinds import Kind


class UnknownEntity(LookupError):
    """No entity has that name."""


class Pointing(NamedTuple):
    """A field of `entity` that can hold the id of some record."""

    entity: Entity
    field: Field


class Registry:
    """Entities by name, in the order of their declaration."""

    def __init__(self) -> None:
        self._entities: dict[str, Entity] = {}

    def add(self, entity: Entity) -> Entity:
        """Declare `entity`. ValueError when its name is taken."""
        if entity.name in self._entities:
            raise ValueError(f"entity {entity.name!r} is declared twice")
        self._entities[entity.name] = entity
        return entity

    def __getitem__(self, name: str) -> Entity:
        try:
            return self._entities[name]
        except KeyError:
            raise UnknownEntity(name) from None

    def __contains__(self, name: object) -> bool:
        return name in self._entities

    def __iter__(self) -> Iterator[Entity]:
        return iter(self._entities.values())

    def of_model(self, model: Any) -> str | None:
        """Name of the entity over `model`; None for tables without a declaration."""
        for entity in self:
            if entity.model is model and not entity.scope:
                return entity.name
        return None

    def pointing_at(self, target: Entity) -> tuple[Pointing, ...]:
        """Every field that can hold the id of a `target` record: look-ups and pointers."""
        return tuple(
            Pointing(entity, field)
            for entity in self
            for field in entity.fields.values()
            if self.leads_to(field, target)
        )

    def leads_to(self, field: Field, target: Entity) -> bool:
        """Whether `field` can hold the id of a `target` record."""
        match field.kind:
            case Kind.LOOKUP:
                return field.target is not None and self._same_table(field.target, target)
            case Kind.OWNER:
                return target.principal
            case Kind.POINTER:
                return not field.targets or any(
                    self._same_table(name, target) for name in field.targets
                )
        return False

    def _same_table(self, name: str, target: Entity) -> bool:
        return self[name].model is target.model


registry = Registry()
