"""What a look-up offers: records that a field may name, of those that the viewer may see."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from rapport import queries
from rapport.access import Actor, SystemActor
from rapport.meta.entity import Entity
from rapport.meta.field import Field
from rapport.meta.folding import sort_key
from rapport.meta.kinds import Kind, Ref
from rapport.meta.registry import registry
from rapport.models import Principal, Visit

from . import search

LIMIT = 8


@dataclass(frozen=True, slots=True)
class Found:
    """A record to choose: its entity, its title, and what tells it apart from its namesakes."""

    entity: str
    id: uuid.UUID
    title: str
    detail: str = ""

    def value(self, field: Field) -> Any:
        """The value that `field` gets when this is chosen."""
        return Ref(self.entity, self.id) if field.kind is Kind.POINTER else self.id


def suggest(field: Field, text: str, by: Actor, *, limit: int = LIMIT) -> list[Found]:
    """Records that `field` may name and whose search text has every word of `text`: those that
    begin with it first; without a text those that `by` opened last."""
    text = text.replace("\0", "")
    if field.kind is Kind.OWNER:
        return _principals(Q(*(Q(name__icontains=word) for word in text.split())), limit)
    found: list[Found] = []
    for name in _targets(field):
        entity = registry[name]
        rows = queries.records(entity, by)
        columns = ("pk", entity.title, *search.detail(entity))
        if search.words(text):
            hits = search.best(rows, entity, text, columns, limit)
        else:
            hits = _recent(rows, entity, by, columns, limit)
        found += [_found(entity, hit) for hit in hits]
    return found


def named(field: Field, text: str, by: Actor, *, limit: int = LIMIT) -> list[Found]:
    """Records that a typed `text` may mean: those of exactly this name (case and accents do not
    count); when there is none, those that have all its words."""
    if not text.strip() or "\0" in text:
        return []
    if field.kind is Kind.OWNER:
        return _principals(Q(name__iexact=text.strip()), limit) or suggest(field, text, by)
    exact: list[Found] = []
    for name in _targets(field):
        entity = registry[name]
        rows = queries.records(entity, by).filter(sort_name=sort_key(text)).order_by("pk")
        hits = rows.values_list("pk", entity.title, *search.detail(entity))[:limit]
        exact += [_found(entity, hit) for hit in hits]
    return exact or suggest(field, text, by, limit=limit)


def _targets(field: Field) -> tuple[str, ...]:
    return field.targets if field.kind is Kind.POINTER else (field.target or "",)


def _principals(condition: Q, limit: int) -> list[Found]:
    rows = Principal.objects.filter(condition, is_active=True).order_by("name", "pk")
    return [Found(*row) for row in rows.values_list("kind", "pk", "name")[:limit]]


def _found(entity: Entity, hit: tuple[Any, ...]) -> Found:
    id_, title, *detail = hit
    return Found(entity.name, id_, title or str(entity.label), " · ".join(t for t in detail if t))


def _recent(
    rows: QuerySet[Any, Any], entity: Entity, by: Actor, columns: tuple[str, ...], limit: int
) -> list[tuple[Any, ...]]:
    seen: list[uuid.UUID] = []
    if not isinstance(by, SystemActor):
        visits = Visit.objects.filter(user=by, entity=entity.name).order_by("-at")
        seen = list(visits.values_list("record", flat=True)[:limit])
    hits = {hit[0]: hit for hit in rows.filter(pk__in=seen).values_list(*columns)} if seen else {}
    found = [hits[id_] for id_ in seen if id_ in hits]
    if len(found) < limit:
        rest = rows.exclude(pk__in=seen).order_by("sort_name", "pk")
        found += rest.values_list(*columns)[: limit - len(found)]
    return found
