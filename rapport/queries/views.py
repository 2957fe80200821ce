"""Views of an entity: the system's, and the personal ones that somebody may see."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass

from django.db.models import Q

from rapport import access, queries
from rapport.access import Actor, SystemActor
from rapport.meta.entity import Entity
from rapport.meta.registry import registry
from rapport.models import SavedView

from .query import InvalidQuery, Query, loads, of_view


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """A view that a list can show. `key`: of a system view, or the id of a personal one. `mine`:
    personal and owned by who asks; `problem`: why its definition cannot be used any more."""

    key: str
    label: str
    query: Query
    personal: bool = False
    mine: bool = False
    owner: str = ""
    problem: str = ""


def system(entity: Entity) -> list[View]:
    """The system views, in the order of the declaration."""
    return [
        View(key=view.key, label=str(view.label), query=of_view(entity, view.key))
        for view in entity.views
    ]


def default(entity: Entity) -> View:
    """The view that a list shows to somebody who has chosen none."""
    declared = next((view for view in entity.views if view.default), entity.views[0])
    return View(key=declared.key, label=str(declared.label), query=of_view(entity, declared.key))


def widest(entity: Entity) -> View:
    """The view of all records; without one the default view."""
    declared = next((view for view in entity.views if not view.where), None)
    if declared is None:
        return default(entity)
    return View(key=declared.key, label=str(declared.label), query=of_view(entity, declared.key))


def personal(entity: Entity, by: Actor) -> list[View]:
    """Personal views of `entity`: the own ones first, then those shared with `by`, by name. Not
    everybody's, even for an administrator: theirs is the list of all personal views."""
    if isinstance(by, SystemActor):
        return []
    saved_view = registry["saved_view"]
    mine = access.rights(by)
    shared = mine.shared(saved_view, access.READ) or []
    rows = queries.records(saved_view, by).filter(entity=entity.name, state=0)
    rows = rows.filter(Q(owner_id__in=mine.principals) | Q(pk__in=shared))
    found = [_of_row(entity, row, by) for row in rows.select_related("owner").order_by("sort_name")]
    return sorted(found, key=lambda view: not view.mine)


def find(entity: Entity, key: str, by: Actor) -> View | None:
    """The view `key`; None when there is none that `by` may see."""
    for declared in entity.views:
        if declared.key == key:
            return View(key=key, label=str(declared.label), query=of_view(entity, key))
    try:
        id_ = uuid.UUID(key)
    except ValueError:
        return None
    rows = queries.records(registry["saved_view"], by).filter(entity=entity.name, pk=id_)
    row = rows.select_related("owner").first()
    return None if row is None else _of_row(entity, row, by)


def _of_row(entity: Entity, row: SavedView, by: Actor) -> View:
    problem = ""
    try:
        query = loads(json.loads(row.definition))
        if query.entity != entity.name:
            raise InvalidQuery(query.entity)
    except (ValueError, AttributeError, TypeError, RecursionError) as error:
        # A field that is gone since must not take the whole list along.
        query, problem = default(entity).query, str(error) or row.name
    return View(
        key=str(row.pk),
        label=row.name,
        query=query,
        personal=True,
        mine=row.owner_id == getattr(by, "pk", None),
        owner=row.owner.name,
        problem=problem,
    )
