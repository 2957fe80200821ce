"""Stored records, read for comparing."""

from __future__ import annotations

import uuid
from collections.abc import Collection

from rapport.meta.batches import batches
from rapport.meta.entity import Entity
from rapport.meta.kinds import Kind
from rapport.meta.registry import registry

from .explain import Source
from .features import Prepared, Shape


def title_path(entity: Entity, name: str) -> str:
    """The way to the title of what the look-up `name` names, as a query writes it."""
    field = entity.fields[name]
    if field.kind is Kind.OWNER:
        return f"{name}__name"
    target = registry[field.target or ""]
    title = target.fields[target.title]
    return f"{name}__{'sort_name' if title.is_link else target.title}"


def load(
    entity: Entity, shape: Shape, ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, tuple[Prepared, Source]]:
    """Records prepared for judging, with their values, whoever asks."""
    fields = entity.fields
    plain = [name for name in shape.fields if name not in shape.links]
    links = [name for name in shape.links if fields[name].kind is not Kind.POINTER]
    columns = ["pk", "state", *(fields[name].column for name in plain)]
    columns += [title_path(entity, name) for name in links]
    end = 2 + len(plain)
    found: dict[uuid.UUID, tuple[Prepared, Source]] = {}
    for part in batches(ids):
        for row in entity.records().filter(pk__in=part).values_list(*columns):
            values = dict(zip(plain, row[2:end], strict=True))
            values["state"] = row[1]
            names = {n: title for n, title in zip(links, row[end:], strict=True) if title}
            prepared = shape.prepare(values, names)
            found[row[0]] = prepared, Source(entity, values, names)
    return found
