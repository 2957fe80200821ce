"""One record: its values, links named, related lists."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import CharField, QuerySet, Value

from rapport import access, queries
from rapport.access import Actor
from rapport.meta.entity import SYSTEM, Entity, Related
from rapport.meta.kinds import TEXTS, Kind, Ref, address_text
from rapport.meta.registry import registry
from rapport.models import Principal

from . import pages
from .query import Condition, Group, Query

# Stands for "a user or a team" where only the id is known.
PRINCIPAL = "principal"


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


def get(entity: Entity, id_: uuid.UUID, by: Actor, *, system: bool = False) -> One | None:
    """The record, or None when there is none that `by` may see. `system`: name also who made and
    changed it, and its business unit."""
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
            values[field.name] = address_text({name: getattr(row, name) for name in field.parts})
    naming = values if system else {n: v for n, v in values.items() if n not in SYSTEM}
    links = name_links(entity, naming, by)
    return One(entity, id_, _title(entity, values, links, row), row.version, values, links, row)


def _title(
    entity: Entity, values: Mapping[str, Any], links: Mapping[str, pages.Link], row: Any
) -> str:
    """What the record is called; a lead without a name is called by its company."""
    if entity.fields[entity.title].is_link:
        named = links.get(entity.title)
        return (named.title if named else "") or str(entity.label)
    return str(values[entity.title]) or str(row)


def name_links(entity: Entity, values: Mapping[str, Any], by: Actor) -> dict[str, pages.Link]:
    """Links for all look-ups, owners and pointers among `values`, in one statement."""
    wanted: dict[str, Ref] = {}
    for name, value in values.items():
        field = entity.fields.get(name)
        if not value or field is None:
            continue
        if field.kind is Kind.OWNER:
            wanted[name] = Ref(PRINCIPAL, value)
        elif field.kind is Kind.LOOKUP:
            target = field.target or ""
            wanted[name] = Ref(PRINCIPAL if registry[target].principal else target, value)
        elif field.kind is Kind.POINTER:
            wanted[name] = value
    titles = title_of(wanted.values(), by)
    return {name: link_to(ref, titles) for name, ref in wanted.items()}


def link_to(ref: Ref, titles: Mapping[Ref, str]) -> pages.Link:
    """A link that is named by what `title_of` found."""
    kind = ref.entity
    if kind == PRINCIPAL:
        kind = "team" if Ref("team", ref.id) in titles else "user"
    return pages.Link(kind, ref.id, titles.get(ref, ""))


def title_of(refs: Iterable[Ref], by: Actor) -> dict[Ref, str]:
    """Titles of records of any entity, of those that `by` may see, in one statement. The entity
    PRINCIPAL stands for users and teams, whose names are no secret."""
    wanted: dict[str, set[uuid.UUID]] = defaultdict(set)
    for ref in refs:
        if ref.entity in registry or ref.entity == PRINCIPAL:
            wanted[ref.entity].add(ref.id)
    parts = [_titles(name, ids, by) for name, ids in wanted.items()]
    if not parts:
        return {}
    rows = parts[0].union(*parts[1:], all=True) if len(parts) > 1 else parts[0]
    found: dict[Ref, str] = {}
    for name, id_, text in rows:
        found[Ref(name, id_)] = text or str(registry[name].label)
        if id_ in wanted.get(PRINCIPAL, ()):
            found[Ref(PRINCIPAL, id_)] = text
    return found


def _titles(name: str, ids: set[uuid.UUID], by: Actor) -> QuerySet[Any, Any]:
    """(entity, id, title) of some records of one entity."""
    if name == PRINCIPAL:
        return Principal.objects.filter(pk__in=ids).values_list("kind", "pk", "name")
    entity = registry[name]
    title = entity.title
    if entity.fields[title].is_link:
        title = f"{title}__{'name' if entity.fields[title].kind is Kind.OWNER else 'sort_name'}"
    return (
        queries.records(entity, by)
        .filter(pk__in=ids)
        .values_list(Value(name, output_field=CharField()), "pk", title)
    )


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


def glance(entity: Entity, id_: uuid.UUID, by: Actor) -> dict[str, Any]:
    """The first two plain columns of a record's list that say something: where to reach it."""
    names = [name for name in entity.columns if name != entity.title and "." not in name]
    plain = [name for name in names if entity.fields[name].kind in TEXTS]
    if not plain:  # of an opportunity no column does; and no names at all would mean every column
        return {}
    rows = queries.records(entity, by).filter(pk=id_).values(*plain)
    found: dict[str, Any] = rows.first() or {}
    return dict([pair for pair in found.items() if pair[1]][:2])


def may(one: One, verb: str, by: Actor) -> bool:
    """Whether `by` may do `verb` to this very record."""
    return access.allows(by, verb, one.entity, one.row)


def specific(one: One) -> Entity:
    """The entity that says most about the record: the task, for a row of all activities."""
    for other in registry:
        same_table = other.model is one.entity.model and other.scope
        if same_table and all(getattr(one.row, n) == v for n, v in other.scope.items()):
            return other
    return one.entity
