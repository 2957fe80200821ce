"""Pairs that are certain, merged many at a time: each group is an operation of its own, so that old
links find the way and one merge can be taken back without the others."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from rapport.access import Actor, Forbidden
from rapport.meta.batches import batches
from rapport.meta.entity import Entity
from rapport.meta.kinds import Ref
from rapport.meta.registry import registry
from rapport.models import Job, Operation
from rapport.queries import duplicates

from . import choosing, jobs, merge, write
from .merge import CannotMerge
from .records import InvalidRecord, RecordNotFound, StaleRecord

MERGE, UNMERGE = "duplicates.merge", "duplicates.unmerge"


class ValuesDiffer(ValueError):
    """The records hold different values, of which a merge would keep only one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """Records that become one. `confidence`: of the least sure of its pairs."""

    entity: Entity
    ids: tuple[uuid.UUID, ...]
    confidence: int


@dataclass(frozen=True, slots=True)
class Certain:
    """What would be merged. `pairs`: the pairs within the groups; `left`: how many hang together
    with a group only in a chain: like A and B, B and C, but not A and C; `differ`: how many groups
    are left out because they hold different values."""

    groups: list[Group]
    pairs: list[int]
    left: int
    differ: int = 0


def certain(
    by: Actor,
    *,
    confidence: int = 0,
    entity: str = "",
    with_conflicts: bool = False,
    pair_ids: Collection[int] | None = None,
) -> Certain:
    """Open pairs of at least that confidence (or those named) that `by` may see, as groups of
    which every two records are such a pair, the surest first."""
    found = duplicates.sure(by, confidence=confidence, entity=entity, ids=pair_ids)
    if pair_ids is None:
        # Of those that somebody ticked, the page says that they cannot be merged.
        found = [pair for pair in found if registry[pair.first_entity].mergeable]
    linked = {frozenset((pair.first, pair.second)) for pair in found}
    member: dict[uuid.UUID, set[uuid.UUID]] = {}
    least: dict[int, int] = {}
    names: dict[uuid.UUID, str] = {}
    used: list[int] = []
    for pair in found:
        names[pair.first] = names[pair.second] = pair.first_entity
        one = member.setdefault(pair.first, {pair.first})
        other = member.setdefault(pair.second, {pair.second})
        if one is not other:
            whole = all(frozenset((a, b)) in linked for a in one for b in other)
            if not whole or len(one) + len(other) > merge.MOST:
                continue
            one |= other
            member.update(dict.fromkeys(other, one))
        used.append(pair.pk)
        least[id(one)] = pair.confidence
    groups: dict[int, set[uuid.UUID]] = defaultdict(set)
    for group in member.values():
        if len(group) > 1:
            groups[id(group)] = group
    made = [
        Group(
            entity=registry[names[next(iter(ids))]],
            ids=tuple(sorted(ids)),
            confidence=least[key],
        )
        for key, ids in groups.items()
    ]
    left = len(found) - len(used)
    if with_conflicts:
        return Certain(made, used, left)
    agreed = _agreed(made)
    within = {id_ for group in agreed for id_ in group.ids}
    ends = {pair.pk: pair.first for pair in found}
    used = [pk for pk in used if ends[pk] in within]
    return Certain(agreed, used, left, len(made) - len(agreed))


def _agreed(groups: Sequence[Group]) -> list[Group]:
    """Those of which every value finds a place in the record that stays."""
    rows: dict[uuid.UUID, dict[str, Any]] = {}
    for entity in {group.entity for group in groups}:
        ids = [id_ for group in groups if group.entity is entity for id_ in group.ids]
        for part in batches(ids):
            rows.update(write.load(entity, part, lock=False))
    return [
        group
        for group in groups
        if all(id_ in rows for id_ in group.ids)
        and not choosing.conflicts(group.entity, {id_: rows[id_] for id_ in group.ids})
    ]


def to_choose(pairs: Iterable[tuple[Ref, Ref]]) -> list[int]:
    """Of how many fields somebody would have to choose the value, for each of these pairs; 0 where
    the two cannot be merged."""
    pairs = list(pairs)
    wanted: dict[str, set[uuid.UUID]] = defaultdict(set)
    for one, other in pairs:
        if one.entity == other.entity and registry[one.entity].mergeable:
            wanted[one.entity] |= {one.id, other.id}
    rows = {name: write.load(registry[name], ids, lock=False) for name, ids in wanted.items()}
    found = []
    for one, other in pairs:
        known = rows.get(one.entity, {})
        both = {ref.id: known[ref.id] for ref in (one, other) if ref.id in known}
        found.append(len(choosing.conflicts(registry[one.entity], both)) if len(both) == 2 else 0)
    return found


def merge_group(
    entity: Entity, ids: Collection[uuid.UUID], *, by: Actor, with_conflicts: bool
) -> Operation:
    """Merge records as the plan proposes. Raises ValuesDiffer unless `with_conflicts`, and what
    `merge` raises."""
    plan = merge.plan(entity, ids, by=by)
    if plan.lost and not with_conflicts:
        raise ValuesDiffer(entity.name)
    return merge.merge(entity, ids, by=by, master=plan.master, expected=plan.versions)


def merge_later(found: Certain, *, by: Actor, with_conflicts: bool, label: str) -> Job:
    """Ask for a job that merges the groups."""
    groups = [[g.entity.name, [str(id_) for id_ in g.ids]] for g in found.groups]
    parameters = {"groups": groups, "with_conflicts": with_conflicts}
    return jobs.enqueue(MERGE, parameters, by=by, label=label, total=len(groups))


def unmerge_later(job: Job, *, by: Actor, label: str) -> Job:
    """Ask for a job that takes back what the merging `job` did."""
    operations = list(operations_of(job))
    return jobs.enqueue(
        UNMERGE, {"operations": operations}, by=by, label=label, total=len(operations)
    )


def operations_of(job: Job) -> list[str]:
    """Ids of the merges that a job did."""
    result: Mapping[str, Any] = job.result if isinstance(job.result, dict) else {}
    return list(result.get("operations") or []) if job.kind == MERGE else []


def why(error: Exception) -> str:
    """Why a group was left as it is."""
    match error:
        case ValuesDiffer():
            return _("They hold different values: somebody must choose.")
        case Forbidden():
            return _("You may not merge these records.")
        case RecordNotFound():
            return _("One of them is not there any more.")
        case StaleRecord():
            return _("Somebody has just changed one of them.")
        case InvalidRecord():
            return error.complaints
    return str(error)


# What keeps one group from being merged, and no other.
REFUSALS = (
    ValuesDiffer, CannotMerge, Forbidden, RecordNotFound, StaleRecord, InvalidRecord,
)  # fmt: skip
