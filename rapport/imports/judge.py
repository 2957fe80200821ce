"""What becomes of each row: the one function that the plan and the apply both ask.

It reads and never writes: links, the rules of the entity, duplicates among what is stored and
among the rows of the batch.
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterable, Mapping as MappingType, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from rapport import access
from rapport.access import Actor
from rapport.actions import checking, write
from rapport.duplicates import explain
from rapport.duplicates.explain import Reason as Likeness, Source
from rapport.duplicates.find import Match, Proposed, find
from rapport.duplicates.keys import keys
from rapport.duplicates.room import Room, room_for
from rapport.meta.entity import Draft, Entity
from rapport.meta.ids import new_id
from rapport.models.operations import Fate
from rapport.models.people import Verb
from rapport.queries import moved

from . import links as linking, reasons as why
from .mapping import Mapping
from .reasons import Reason
from .rows import Row
from .seen import Earlier


@dataclass(slots=True)
class Verdict:
    """What becomes of one row. `record`: the stored one that it updates or repeats; `like`: the
    earlier row of the file that it repeats; then `confidence` and `likeness` say how surely it does
    and why."""

    number: int
    fate: Fate
    draft: Draft | None = None
    record: uuid.UUID | None = None
    like: int = 0
    confidence: int = 0
    likeness: tuple[Likeness, ...] = ()
    reasons: list[Reason] = field(default_factory=list)


@dataclass(slots=True)
class Judged:
    """The verdicts of a batch, in the order of its rows, and what would be made along with it."""

    verdicts: list[Verdict]
    links: linking.Links

    @property
    def new(self) -> dict[str, list[linking.New]]:
        """Records to be made because rows that will be written name them, by entity."""
        written = {v.number for v in self.verdicts if v.fate in {Fate.CREATE, Fate.UPDATE}}
        found = {
            name: [one for one in made.values() if one.asked_by & written]
            for name, made in self.links.new.items()
        }
        return {name: made for name, made in found.items() if made}


def judge(
    mapping: Mapping,
    rows: Sequence[Row],
    *,
    by: Actor,
    now: datetime.datetime,
    seen: Earlier | None = None,
) -> Judged:
    """The fate of each row. `seen` holds the file's earlier rows, and gets these."""
    entity = mapping.entity
    # Copies: the same rows may be judged again when something has changed meanwhile.
    rows = [
        Row(row.number, dict(row.values), row.links, list(row.reasons), row.asked) for row in rows
    ]
    clean = [row for row in rows if not row.reasons]
    links = linking.resolve(mapping, clean, by=by)
    stored = _asked(entity, clean, by)
    drafts = {row.number: _draft(row, stored) for row in clean if not row.reasons}
    checking.check(
        entity,
        list(drafts.values()),
        by=by,
        now=now,
        trusted=False,
        values=False,
        pending=links.pending,
    )
    judged = {row.number: _verdict(mapping, row, drafts.get(row.number), stored) for row in rows}
    _find_duplicates(entity, [judged[row.number] for row in rows], links, by, seen)
    return Judged([judged[row.number] for row in rows], links)


def _asked(entity: Entity, rows: Iterable[Row], by: Actor) -> dict[uuid.UUID, dict[str, Any]]:
    """Stored rows that the file names by id; a merged record's id means the one that stayed. Those
    that `by` may not change are refused; an id of no record makes a new one."""
    rows = list(rows)
    asked = {row.asked for row in rows if row.asked}
    if not asked:
        return {}
    stored = write.load(entity, asked, lock=False)
    if led := moved.all_moved(entity, asked - set(stored)):
        for row in rows:
            row.asked = led.get(row.asked, row.asked) if row.asked else None
        stored |= write.load(entity, led.values(), lock=False)
    mine = access.allowed_ids(stored, entity, by, Verb.WRITE)
    for row in rows:
        if row.asked in stored and row.asked not in mine:
            message = _("You may not change this record, or it is not visible to you.")
            row.reasons.append(Reason(message, None, "", "forbidden"))
    return stored


def _draft(row: Row, stored: MappingType[uuid.UUID, dict[str, Any]]) -> Draft:
    current = stored.get(row.asked) if row.asked else None
    if current is None:
        return Draft(id=new_id(), values=row.values, source_row=row.number)
    changes = {n: v for n, v in row.values.items() if v != current.get(n)}
    return Draft(id=row.asked or new_id(), values=changes, current=current, source_row=row.number)


def _verdict(
    mapping: Mapping,
    row: Row,
    draft: Draft | None,
    stored: MappingType[uuid.UUID, dict[str, Any]],
) -> Verdict:
    if draft is not None and not draft.errors:
        if draft.current is None:
            return Verdict(row.number, Fate.CREATE, draft)
        fate = Fate.UPDATE if draft.values else Fate.SAME
        return Verdict(row.number, fate, draft, record=draft.id)
    found = list(row.reasons)
    if draft is not None:
        for name, messages in draft.errors.items():
            found += _of_draft(mapping, draft, name, messages)
    record = row.asked if row.asked in stored else None
    return Verdict(row.number, Fate.REFUSED, record=record, reasons=found)


def _of_draft(mapping: Mapping, draft: Draft, name: str, messages: Sequence[str]) -> list[Reason]:
    column = mapping.column_of(name) if name else None
    known = mapping.entity.fields.get(name)
    if known is None:
        return [Reason(message, column) for message in messages]
    if known.required and draft.now(name) in {None, ""}:
        return [why.required(known, column)]
    return [Reason(message, column, "", known.kind.value) for message in messages]


def _find_duplicates(
    entity: Entity,
    verdicts: Sequence[Verdict],
    links: linking.Links,
    by: Actor,
    seen: Earlier | None,
) -> None:
    """Rows that would be created and are the same as a stored record or an earlier row."""
    new = [v for v in verdicts if v.fate is Fate.CREATE and v.draft is not None]
    proposed = [_proposed(entity, verdict, links) for verdict in new]
    own = [keys(entity, one.values, one.names) for one in proposed]
    found = find(entity, proposed, by=by, among={entity.name}, own=own)
    room = room_for(entity, {entity.name})
    earlier = Earlier() if seen is None else seen
    for verdict, one, its, matches in zip(new, proposed, own, found, strict=True):
        if matches:
            _is_duplicate(verdict, matches[0])
        elif entity.name in room.judges:
            _compare_with_earlier(verdict, one, its, room, earlier)
    if seen is None:
        earlier.close()


def _proposed(entity: Entity, verdict: Verdict, links: linking.Links) -> Proposed:
    values = verdict.draft.values if verdict.draft else {}
    return Proposed({**values, **entity.derive(values)}, links.names.get(verdict.number, {}))


def _is_duplicate(verdict: Verdict, match: Match) -> None:
    verdict.fate, verdict.record = Fate.DUPLICATE, match.id
    verdict.confidence, verdict.likeness = match.confidence, match.reasons


def _compare_with_earlier(
    verdict: Verdict, one: Proposed, own: Sequence[int], room: Room, earlier: Earlier
) -> None:
    """The row is a duplicate of an earlier one that will be created, or is remembered itself."""
    prepared = room.shape.prepare(one.values, one.names)
    for number, theirs in earlier.like(own):
        found = room.strongest(room.entity.name, prepared, theirs)
        if found is not None:
            judge, said = found
            source = Source(room.entity, one.values, one.names)
            verdict.fate, verdict.like = Fate.DUPLICATE, number
            verdict.confidence = said.confidence
            verdict.likeness = explain.reasons(judge, said.levels, source, source)
            return
    earlier.add(verdict.number, own, prepared)
