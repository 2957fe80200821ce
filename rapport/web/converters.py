"""Path parts: an entity by the plural in its address, a row of a file."""

from django.urls import register_converter
from django.urls.converters import IntConverter

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


class RowConverter(IntConverter):
    """The number of a row; no file has one that no column of numbers holds."""

    regex = "[0-9]{1,9}"


register_converter(EntityConverter, "entity")
register_converter(RowConverter, "row")
