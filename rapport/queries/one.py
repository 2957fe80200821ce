"""One record: its values, links named, related lists."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rapport import access, queries
from rapport.access import Actor
from rapport.meta.entity import Entity, Related
from rapport.meta.kinds import Kind, Ref
from rapport.meta.registry import registry
from rapport.models import Principal

from . import pages
from .query import Condition, Group, Query


@dataclass(slots=True)
class One:
    """A record as a page shows it. `values`: field values as stored (ids, Refs); `links`
    {field: Link} of those that name a record; `row`: the model instance."""

    entity: Entity
    id: uuid.UUID
    title: str
    version: int
    values: dict[str, Any]
    links: dict[str, pages.Link]
    row: Any


def get(entity: Entity, id_: uuid.UUID, by: Actor) -> One | None:
    """The record, or None when there is none that `by` may see."""
    row = queries.records(entity, by).filter(pk=id_).first()
    if row is None:
        return None
    values: dict[str, Any] = {}
    for field in entity.fields.values():
        if field.kind is Kind.POINTER:
            name, key = (getattr(row, column) for column in field.columns)
            values[field.name] = Ref(name, key) if name and key else None
        elif field.columns:
            values[field.name] = getattr(row, field.column)
        else:
            values[field.name] = "\n".join(p for p in (getattr(row, n) for n in field.parts) if p)
    links = name_links(entity, values, by)
    title = links[entity.title].title if entity.title in links else str(values[entity.title])
    return One(entity, id_, title, row.version, values, links, row)


def name_links(entity: Entity, values: dict[str, Any], by: Actor) -> dict[str, pages.Link]:
    """Links for all look-ups, owners and pointers among `values`."""
    wanted: dict[str, Ref] = {}
    owners: dict[str, uuid.UUID] = {}
    for name, value in values.items():
        field = entity.fields.get(name)
        if not value or field is None:
            continue
        if field.kind is Kind.OWNER:
            owners[name] = value
        elif field.kind is Kind.LOOKUP:
            wanted[name] = Ref(field.target or "", value)
        elif field.kind is Kind.POINTER:
            wanted[name] = value
    titles = title_of(wanted.values(), by)
    links = {
        name: pages.Link(ref.entity, ref.id, titles.get(ref, "")) for name, ref in wanted.items()
    }
    people = {p.pk: p for p in Principal.objects.filter(pk__in=owners.values())} if owners else {}
    for name, id_ in owners.items():
        if id_ in people:
            links[name] = pages.Link(people[id_].kind, id_, people[id_].name)
    return links


def title_of(refs: Iterable[Ref], by: Actor) -> dict[Ref, str]:
    """Titles of records of any entity, of those that `by` may see: a statement per entity."""
    wanted: dict[str, set[uuid.UUID]] = defaultdict(set)
    for ref in refs:
        if ref.entity in registry:
            wanted[ref.entity].add(ref.id)
    found: dict[Ref, str] = {}
    for name, ids in wanted.items():
        entity = registry[name]
        rows = queries.records(entity, by).filter(pk__in=ids)
        title = entity.title
        if entity.fields[title].is_link:
            title = f"{title}__{'name' if entity.fields[title].kind is Kind.OWNER else 'sort_name'}"
        for id_, text in rows.values_list("pk", title):
            found[Ref(name, id_)] = text or str(entity.label)
    return found


def related_query(one: One, related: Related, *, size: int = 5) -> Query:
    """The query of a related list of `one`."""
    other = registry[related.entity]
    field = other.fields[related.field]
    value: Any = Ref(one.entity.name, one.id) if field.kind is Kind.POINTER else one.id
    conditions = [Condition(related.field, "eq", value)]
    conditions += [Condition(*condition) for condition in related.where]
    return Query(
        entity=other.name,
        columns=related.columns or other.columns,
        where=Group(tuple(conditions)),
        size=size,
    )


def may(one: One, verb: str, by: Actor) -> bool:
    """Whether `by` may do `verb` to this very record."""
    return one.id in access.allowed_ids([one.id], one.entity, by, verb)
