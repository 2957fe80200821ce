"""Path parts: an entity by the plural in its address."""

from django.urls import register_converter

from rapport.meta.entity import Entity
from rapport.meta.registry import registry


def slug(entity: Entity) -> str:
    """The part of an address that stands for `entity`: 'phone-calls'."""
    name = entity.name.replace("_", "-")
    return f"{name[:-1]}ies" if name.endswith("y") else f"{name}s"


class EntityConverter:
    """'contacts' <-> the contact entity; an unknown word matches nothing."""

    regex = "[a-z][a-z-]*"

    def to_python(self, value: str) -> Entity:
        for entity in registry:
            if entity.in_hub and slug(entity) == value:
                return entity
        raise ValueError(value)

    def to_url(self, value: Entity | str) -> str:
        return slug(registry[value] if isinstance(value, str) else value)


register_converter(EntityConverter, "entity")
