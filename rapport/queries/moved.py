"""Merged records: where one went, and which went into one. The journal's deletions tell.

A loser that was brought back is itself again; one that was merged once more went where that led.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping

from rapport.meta.entity import Entity
from rapport.meta.kinds import Ref
from rapport.meta.registry import registry
from rapport.models import Change, Operation
from rapport.models.journal import ChangeVerb

ENDING = ".merge"
# Undos of undos that are followed back, and merges of merges.
DEEPEST = 50


def moved(entity: Entity, id: uuid.UUID) -> uuid.UUID | None:
    """The record that `id` was merged into and that is there today; None when `id` is there, was
    deleted otherwise, or never was. A few statements for each merge on the way."""
    return all_moved(entity, [id]).get(id)


def all_moved(entity: Entity, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
    """The same for many: {id: the record that it was merged into}."""
    places = {id_: id_ for id_ in ids}
    found: dict[uuid.UUID, uuid.UUID] = {}
    for _step in range(DEEPEST):
        there = _there(entity, set(places.values()))
        found.update({id_: at for id_, at in places.items() if at in there and at != id_})
        places = {id_: at for id_, at in places.items() if at not in there}
        into = _into(places.values())
        places = {id_: into[at] for id_, at in places.items() if at in into}
        if not places:
            break
    return found


def refs_moved(refs: Iterable[Ref]) -> dict[Ref, Ref]:
    """The same for records of any entity."""
    by_entity: dict[str, set[uuid.UUID]] = {}
    for ref in refs:
        if ref.entity in registry and registry[ref.entity].mergeable:
            by_entity.setdefault(ref.entity, set()).add(ref.id)
    return {
        Ref(name, old): Ref(name, new)
        for name, ids in by_entity.items()
        for old, new in all_moved(registry[name], ids).items()
    }


def _there(entity: Entity, ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
    return set(entity.records().filter(pk__in=ids).values_list("pk", flat=True)) if ids else set()


def _into(ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
    """Where the last deletion of each led, of those that a merge deleted."""
    wanted = set(ids)
    if not wanted:
        return {}
    deletions = Change.objects.filter(record__in=wanted, verb=ChangeVerb.DELETE)
    last = {
        change.record: change for change in deletions.select_related("operation").order_by("id")
    }
    found = {}
    for id_, change in last.items():
        merge = merge_behind(change.operation)
        if merge is not None:
            found[id_] = merged(merge)[0]
    return found


def deletion(id: uuid.UUID) -> Change:
    """The last deletion of a record."""
    deletions = Change.objects.filter(record=id, verb=ChangeVerb.DELETE)
    return deletions.select_related("operation").latest("id")


def merge_behind(op: Operation) -> Operation | None:
    """The merge that `op` is, or that it takes back, or does again."""
    behind: Operation | None = op
    for _step in range(DEEPEST):
        if behind is None or behind.kind.endswith(ENDING):
            break
        behind = behind.undo_of
    if behind is None or not behind.kind.endswith(ENDING) or "master" not in behind.parameters:
        return None
    return behind


def merged(merge: Operation) -> tuple[uuid.UUID, list[uuid.UUID]]:
    """The record that stayed, and those that went into it."""
    told = merge.parameters
    return uuid.UUID(told["master"]), [uuid.UUID(id_) for id_ in told["losers"]]


def absorbed(entity: Entity, id: uuid.UUID) -> dict[uuid.UUID, str]:
    """The records that went into this one and are not back, however many merges ago, with what
    they were called: one statement when there were none."""
    found: dict[uuid.UUID, str] = {}
    front = {id}
    while front:
        merges = Operation.objects.filter(
            changes__record__in=front,
            changes__verb=ChangeVerb.UPDATE,
            kind=f"{entity.name}{ENDING}",
        )
        gone = {
            loser
            for merge in merges.distinct()
            for master, losers in [merged(merge)]
            if master in front
            for loser in losers
        }
        front = gone - _there(entity, gone) - set(found) - {id}
        found.update(_titles(entity, front))
    return found


def _titles(entity: Entity, ids: Collection[uuid.UUID]) -> Mapping[uuid.UUID, str]:
    if not ids:
        return {}
    deletions = Change.objects.filter(record__in=ids, verb=ChangeVerb.DELETE).order_by("id")
    titles = deletions.values_list("record", f"before__{entity.title}")
    return {id_: str(title or entity.label) for id_, title in titles}
