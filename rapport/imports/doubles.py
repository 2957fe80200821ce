"""Rows that are the same as a stored record or as an earlier row of the file.

Nothing is doubled: of two rows about the same record, or of two new ones that are the same, the
first is taken, and the later one is held back and says which row that is.
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Collection, Iterable, Mapping as MappingType, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

from rapport import access
from rapport.access import Actor
from rapport.actions import checking, write
from rapport.duplicates import explain
from rapport.duplicates.columns import Columns
from rapport.duplicates.explain import Reason as Likeness, Source
from rapport.duplicates.find import Match, Proposed, find, held
from rapport.duplicates.keys import keys_of, plan_of
from rapport.duplicates.room import Room, room_for
from rapport.meta.entity import Draft, Entity, Known
from rapport.models import PlanRow
from rapport.models.operations import Decision, Fate
from rapport.models.people import Verb

from . import links as linking, matching, updates
from .compact import Held, hold
from .decisions import Decided
from .mapping import Mapping
from .rows import Row
from .seen import Earlier
from .verdict import Verdict

# Percent, of rows that name the same record.
CERTAIN = 100
_MASK = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Trusted:
    """What a plan says that is applied: it has compared all rows with each other and with what was
    there. `told`: the rows that were not simply new; `ends` of the ids of what the import makes."""

    told: Collection[int]
    ends: tuple[uuid.UUID, uuid.UUID]


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows on their way. `originals`: as the file has them; `rows`: with what they name; both as
    long as `verdicts`."""

    mapping: Mapping
    originals: Sequence[Row]
    rows: Sequence[Row]
    verdicts: Sequence[Verdict]
    links: linking.Links
    by: Actor
    now: datetime.datetime
    decided: Decided
    lock: bool
    trusted: Trusted | None = None


def find_doubles(batch: Batch, seen: Earlier | None) -> None:
    """Give the rows that repeat something their fate. `seen`: the file's earlier rows; it gets
    these."""
    entity = batch.mapping.entity
    new = [v for v in batch.verdicts if v.found is Fate.CREATE]
    proposed = [_proposed(entity, verdict, batch.links) for verdict in new]
    columns = Columns(entity, [one.values for one in proposed], [one.names for one in proposed])
    own = keys_of(columns)
    if batch.trusted is not None:
        _bring_along(entity, new, proposed, own)
    doubtful = _doubtful(batch, new, own)
    found = find(
        entity,
        [one for one, verdict in zip(proposed, new, strict=True) if verdict.number in doubtful],
        by=batch.by,
        among={entity.name},
        own=[its for its, verdict in zip(own, new, strict=True) if verdict.number in doubtful],
    )
    compared = [verdict for verdict in new if verdict.number in doubtful]
    repeating = {v.number: m[0] for v, m in zip(compared, found, strict=True) if m}
    if repeating:
        _repeat_stored(batch, repeating, every=seen is not None)
    earlier = Earlier() if seen is None else seen
    room = room_for(entity, {entity.name})
    # Nobody looks at them otherwise.
    is_comparing = entity.name in room.judges and bool(doubtful)
    glances = room.shape.glances(columns) if is_comparing else [""] * len(new)
    rows = zip(new, proposed, own, glances, strict=True)
    _compare_with_earlier(batch, rows, earlier, room, doubtful if is_comparing else ())
    if seen is None:
        earlier.close()


def _bring_along(
    entity: Entity,
    new: Sequence[Verdict],
    proposed: Sequence[Proposed],
    own: Sequence[Sequence[int]],
) -> None:
    """The writer need not work out again what has been worked out here, where no name is missing
    that the keys are made of."""
    links, following = plan_of(entity).links, entity.derive({})
    for verdict, one, its in zip(new, proposed, own, strict=True):
        draft = verdict.draft
        if draft is not None and all(n in one.names for n in links if draft.values.get(n)):
            derived = {name: one.values[name] for name in following}
            draft.known = Known(derived, one.names, its)


def _doubtful(
    batch: Batch, new: Sequence[Verdict], own: Sequence[Sequence[int]]
) -> Collection[int]:
    """Numbers of the new rows that must be compared: all, unless the plan says that a row is new
    and it shares no key with what has come from elsewhere, or with a row that was not."""
    trusted = batch.trusted
    if trusted is None:
        return {verdict.number for verdict in new}
    shared = held(chain.from_iterable(own), batch.mapping.entity, but=trusted.ends)
    for verdict, its in zip(new, own, strict=True):
        if verdict.number in trusted.told:
            shared.update(its)
    return {
        verdict.number
        for verdict, its in zip(new, own, strict=True)
        if verdict.number in trusted.told or not shared.isdisjoint(its)
    }


def _proposed(entity: Entity, verdict: Verdict, links: linking.Links) -> Proposed:
    values = verdict.draft.values if verdict.draft else {}
    return Proposed({**values, **entity.derive(values)}, links.names.get(verdict.number, {}))


# -- stored records -------------------------------------------------------------------------------


def _repeat_stored(batch: Batch, repeating: MappingType[int, Match], *, every: bool) -> None:
    """Rows that would be created although there is such a record: one that agrees with it in
    everything is the same, the others are held back unless something else is decided. `every`: find
    out of all of them whether they could be an update."""
    mapping, entity = batch.mapping, batch.mapping.entity
    stored = write.load(entity, {match.id for match in repeating.values()}, lock=batch.lock)
    updating: list[_Updating] = []
    made = updates.made_by(batch.links, batch.rows)
    for original, row, verdict in zip(batch.originals, batch.rows, batch.verdicts, strict=True):
        match = repeating.get(verdict.number)
        if match is None or match.id not in stored or verdict.draft is None:
            continue
        current, given = stored[match.id], verdict.draft.values
        names = {*original.values, *original.links, *original.sources}
        values = updates.differing(entity, row, {n: given[n] for n in names if n in given}, current)
        waits = updates.waiting(batch.links, verdict.number, current)
        changes = updates.as_changes(values, current, made, waits)
        verdict.record, verdict.changes = match.id, changes
        verdict.found = verdict.fate = Fate.DUPLICATE if changes else Fate.SAME
        if changes:
            verdict.confidence, verdict.likeness = match.confidence, match.reasons
        said = batch.decided.of(verdict.number, verdict.found)
        if not said and changes and mapping.duplicates != Decision.SKIP:
            said = mapping.duplicates
        if said == Decision.CREATE:
            verdict.fate = Fate.CREATE
        elif said == Decision.SKIP:
            verdict.fate = Fate.SKIP
        elif changes and (said or every):
            draft = updates.draft(match.id, verdict.number, values, current, said, waits=waits)
            updating.append(_Updating(verdict, said, draft))
    if updating:
        _update(batch, updating)


class _Updating(NamedTuple):
    """A duplicate that is to be an update, or (nothing `said`) might be one."""

    verdict: Verdict
    said: str
    draft: Draft | None


def _update(batch: Batch, updating: Sequence[_Updating]) -> None:
    drafts = [one.draft for one in updating if one.draft is not None]
    entity = batch.mapping.entity
    mine = access.allowed_ids({draft.id for draft in drafts}, entity, batch.by, Verb.WRITE)
    checking.check(
        entity, [draft for draft in drafts if draft.id in mine], by=batch.by, now=batch.now,
        trusted=False, values=False, pending=batch.links.pending,
    )  # fmt: skip
    for verdict, said, draft in updating:
        if draft is None:
            verdict.fate = Fate.SAME
        elif draft.id not in mine or draft.errors:
            verdict.changes = None
            if said:
                verdict.fate = Fate.REFUSED
                verdict.reasons = (
                    updates.why_not(batch.mapping, draft) if draft.errors else [updates.forbidden()]
                )
        elif said:
            verdict.fate, verdict.draft = Fate.UPDATE, draft


def likeness_of(row: PlanRow) -> tuple[int, tuple[Likeness, ...]]:
    """How surely the row of a plan is a duplicate, in percent, and why; (0, ()) when it is none."""
    if not row.reasons or isinstance(row.reasons[0], list):
        return 0, ()
    _like, confidence, *kept = row.reasons
    # What the plan knows of its record stays with a row that a decision holds back for another row
    # about that record; but that both are about it is sure.
    is_sure = row.like and row.record is not None
    return CERTAIN if is_sure else confidence, tuple(map(Likeness.from_json, kept))


# -- earlier rows ---------------------------------------------------------------------------------


def _compare_with_earlier(
    batch: Batch,
    new: Iterable[tuple[Verdict, Proposed, Sequence[int], str]],
    earlier: Earlier,
    room: Room,
    doubtful: Collection[int],
) -> None:
    """In the order of the file: a row is held back for an earlier one, or is remembered itself. Of
    those that are not `doubtful` only match fields are asked for."""
    earlier.trust(room.shape.told)
    own_keys = matching.OwnKeys(batch.mapping, batch.links)
    rest = iter(new)
    waiting = next(rest, None)
    for place, verdict in enumerate(batch.verdicts):
        if waiting is None or waiting[0] is not verdict:
            if verdict.record is not None:
                _hold_back_second(verdict, earlier)
            continue
        _verdict, one, its, glance = waiting
        waiting = next(rest, None)
        if verdict.record is not None and verdict.fate is not Fate.CREATE:
            _hold_back_second(verdict, earlier)
            continue
        own = own_keys.of(batch.rows[place])
        compared = verdict.number in doubtful
        if verdict.record is None:
            _repeat_earlier(verdict, own, earlier)
            # Made ready for comparing when it must be: few rows share a key with another.
            if compared and not verdict.like and (likes := earlier.like(its, glance, room)):
                _compare(verdict, one, likes, room)
            _decide(batch, verdict)
        if verdict.fate is Fate.CREATE:
            for key in own:
                earlier.matched.add(key, verdict.number)
            if compared:
                earlier.add(verdict.number, its, _held(one, room), glance)


def _hold_back_second(verdict: Verdict, earlier: Earlier) -> None:
    """Only the first of two rows about the same record may change it."""
    if verdict.record is None or verdict.fate not in {Fate.UPDATE, Fate.SAME}:
        return
    key = key_of(verdict.record)
    if first := earlier.changed.get(key):
        verdict.found = verdict.fate = Fate.DUPLICATE
        verdict.like, verdict.confidence, verdict.changes = first, CERTAIN, None
        verdict.reasons = []
    elif verdict.fate is Fate.UPDATE:
        earlier.changed.add(key, verdict.number)


def key_of(record: uuid.UUID) -> int:
    """A record in 64 bits."""
    return record.int & _MASK


def _repeat_earlier(verdict: Verdict, own: Sequence[int], earlier: Earlier) -> None:
    """The row names by its match fields what an earlier row creates."""
    for key in own:
        if first := earlier.matched.get(key):
            verdict.found = verdict.fate = Fate.DUPLICATE
            verdict.like, verdict.confidence = first, CERTAIN
            return


def _compare(
    verdict: Verdict, one: Proposed, likes: Iterable[tuple[int, Held]], room: Room
) -> None:
    """The row may be a duplicate of one of `likes`, earlier rows that will be created."""
    ours = room.shape.lazily(one.values, one.names)
    for number, theirs in likes:
        found = room.strongest(room.entity.name, ours, room.shape.lazily(*theirs))
        if found is not None:
            judge, said = found
            source = Source(room.entity, one.values, one.names)
            verdict.found = verdict.fate = Fate.DUPLICATE
            verdict.like, verdict.confidence = number, said.confidence
            verdict.likeness = explain.reasons(judge, said.levels, source, source)
            return


def _held(one: Proposed, room: Room) -> bytes:
    """What later rows are compared with."""
    names = (*room.shape.fields, "state")
    return hold({n: one.values[n] for n in names if n in one.values}, one.names)


def _decide(batch: Batch, verdict: Verdict) -> None:
    """What people decided about a row without a record."""
    said = batch.decided.of(verdict.number, verdict.found)
    if said == Decision.SKIP:
        verdict.fate = Fate.SKIP
    elif verdict.like and Decision.CREATE in {said, batch.mapping.duplicates if not said else ""}:
        verdict.fate = Fate.CREATE
