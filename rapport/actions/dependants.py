"""What hangs on a record: what a deletion takes along, refuses for or unlinks."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from django.db import models

from rapport.meta.batches import batches
from rapport.meta.entity import Entity
from rapport.meta.field import Field
from rapport.meta.kinds import Kind
from rapport.meta.registry import registry

from . import idlists

Links = dict[uuid.UUID, dict[str, Any]]


@dataclass(slots=True)
class Doomed:
    """What a deletion takes along. `along` {entity: ids} in the order found; `refusing` {entity
    name: ids} the part of it that people must name first; `links` {entity: {id: {field: None}}}
    what stays but is to be unlinked."""

    along: dict[Entity, set[uuid.UUID]] = field(default_factory=dict)
    refusing: dict[str, set[uuid.UUID]] = field(default_factory=dict)
    links: dict[Entity, Links] = field(default_factory=dict)


def doomed(entity: Entity, ids: Collection[uuid.UUID]) -> Doomed:
    """Everything that a deletion of these records takes along or unlinks, however deep."""
    found = Doomed()
    front: list[tuple[Entity, set[uuid.UUID]]] = [(entity, set(ids))]
    gone: dict[str, set[uuid.UUID]] = defaultdict(set)
    gone[entity.table] |= set(ids)
    for target, targets in front:  # grows while it is walked
        for other, link in pointing(target):
            if link.on_delete == "unlink":
                continue
            held = _holding(other, link, target, targets) - gone[other.table]
            if not held:
                continue
            gone[other.table] |= held
            found.along.setdefault(other, set()).update(held)
            if link.on_delete == "refuse":
                found.refusing.setdefault(other.name, set()).update(held)
            front.append((other, held))
    for target, targets in front:
        for other, link in pointing(target):
            if link.on_delete == "unlink":
                links = found.links.setdefault(other, {})
                for id_ in _holding(other, link, target, targets) - gone[other.table]:
                    links.setdefault(id_, {})[link.name] = None
    return found


def pointing(target: Entity) -> Iterable[tuple[Entity, Field]]:
    """Fields that lead to `target`; tables with several entities are asked once, by the entity
    that stands for the whole table."""
    for other, link in registry.pointing_at(target):
        if not (other.scope and any(o.model is other.model and not o.scope for o in registry)):
            yield other, link


def _rows(other: Entity, link: Field, target: Entity, ids: idlists.Listed) -> Any:
    """The `other` records whose `link` holds one of `ids`."""
    found = other.records().filter(idlists.among(other.model, ids, link.columns[-1]))
    if link.kind is Kind.POINTER:
        names = [e.name for e in registry if e.model is target.model]
        found = found.filter(**{f"{link.columns[0]}__in": names})
    return found


def _holding(
    other: Entity, link: Field, target: Entity, ids: Iterable[uuid.UUID]
) -> set[uuid.UUID]:
    held: set[uuid.UUID] = set()
    for part in batches(ids):
        held.update(_rows(other, link, target, idlists.listed(part)).values_list("pk", flat=True))
    return held


# Whether anything points anywhere is asked sooner than whether it does at so many ids.
MANY = 200


def pointed_at(entity: Entity, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Those of `ids` that cannot go because others point at them: {id: label of one that does}.
    What points from within `ids` goes too, unless it must stay itself."""
    found: dict[uuid.UUID, str] = {}
    if not ids:
        return found
    within: list[tuple[uuid.UUID, uuid.UUID, str]] = []
    listed = idlists.listed(ids)
    for other, link in pointing(entity):
        if len(ids) >= MANY and not _is_filled(other.model, link.columns[-1]):
            continue
        naming = _rows(other, link, entity, listed)
        if other.table != entity.table:
            for id_ in naming.values_list(link.columns[-1], flat=True).distinct():
                found.setdefault(id_, str(other.label))
            continue
        for source, id_ in naming.values_list("pk", link.columns[-1]):
            if source in ids:
                within.append((source, id_, str(other.label)))
            else:
                found.setdefault(id_, str(other.label))
    for column in _undeclared(entity):
        if len(ids) >= MANY and not _is_filled(column.model, column.attname):
            continue
        one_of = idlists.among(column.model, listed, column.attname)
        naming = column.model._default_manager.filter(one_of)
        for id_ in naming.values_list(column.attname, flat=True).distinct():
            found.setdefault(id_, str(column.model._meta.verbose_name))
    _keep_what_they_name(found, within)
    return found


def _keep_what_they_name(
    found: dict[uuid.UUID, str], within: Iterable[tuple[uuid.UUID, uuid.UUID, str]]
) -> None:
    """Add to `found`, which must stay, what those name."""
    named = defaultdict(list)
    for source, id_, label in within:
        named[source].append((id_, label))
    staying = list(found)
    for stays in staying:  # grows while it is walked
        for id_, label in named[stays]:
            if id_ not in found:
                found[id_] = label
                staying.append(id_)


def _is_filled(model: type[models.Model], column: str) -> bool:
    """Whether any row points anywhere."""
    return model._default_manager.filter(**{f"{column}__isnull": False}).exists()


@cache
def _undeclared(entity: Entity) -> tuple[models.Field[Any, Any], ...]:
    """Foreign keys to `entity` out of tables that are no entities (jobs, visits, preferences)."""
    declared = {other.model for other in registry}
    related = entity.model._meta.get_fields(include_hidden=True)
    return tuple(
        one.field
        for one in related
        if isinstance(one, models.ManyToOneRel) and one.related_model not in declared
    )


def children(entity: Entity, ids: Collection[uuid.UUID]) -> dict[Entity, set[uuid.UUID]]:
    """Owned records that belong to these: those that a deletion would take along or refuse for."""
    found: dict[Entity, set[uuid.UUID]] = {}
    for other, link in pointing(entity):
        if other.ownership == "user" and link.on_delete in {"refuse", "cascade"}:
            held = _holding(other, link, entity, ids)
            if held:
                found.setdefault(other, set()).update(held)
    return found
