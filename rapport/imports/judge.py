"""What becomes of each row: the one function that the plan and the apply both ask.

It reads and never writes: links, the record that a row is about, the rules of the entity, and in
`doubles` duplicates among what is stored and among the rows of the batch.
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterable, Mapping as MappingType, Sequence
from dataclasses import replace
from typing import Any

from rapport import access
from rapport.access import Actor
from rapport.actions import checking, write
from rapport.meta.entity import Draft, Entity
from rapport.meta.ids import new_id
from rapport.models.operations import Decision, Fate
from rapport.models.people import Verb
from rapport.queries import moved

from . import (
    doubles,
    links as linking,
    matching,
    options,
    partlinks,
    reasons as why,
    sources,
    standing,
    updates,
)
from .decisions import NOTHING, Decided
from .mapping import Mapping
from .rows import Row
from .seen import Earlier
from .sources import Siblings
from .verdict import Judged, Verdict

Stored = dict[uuid.UUID, dict[str, Any]]


def judge(
    mapping: Mapping,
    rows: Sequence[Row],
    *,
    by: Actor,
    now: datetime.datetime,
    seen: Earlier | None = None,
    decided: Decided = NOTHING,
    lock: bool = False,
    siblings: Siblings | None = None,
    links: linking.Links | None = None,
    trusted: doubles.Trusted | None = None,
) -> Judged:
    """The fate of each row. `seen` holds the file's earlier rows, and gets these. `lock`: what is
    read stays as it is until the transaction ends. `siblings`: what other files will make.
    `links`: what other rows of the batch name. `trusted`: what the plan says that is applied."""
    entity = mapping.entity
    originals = rows
    # Copies: the same rows may be judged again when something has changed meanwhile.
    rows = [replace(row, values=dict(row.values), reasons=list(row.reasons)) for row in rows]
    clean = [row for row in rows if not row.reasons]
    links = linking.Links() if links is None else links
    sources.ask(mapping, clean, by=by)
    sources.resolve(mapping, clean, links, by=by, siblings=siblings)
    linking.resolve(mapping, clean, links, by=by)
    if any(target.default for target in mapping.columns.values()):
        options.named_defaults(clean)
    stored = _asked(entity, clean, lock)
    if mapping.match:
        asked = matching.match(mapping, clean, stored, links, by=by)
        stored |= write.load(entity, asked - set(stored), lock=lock)
    if stored:
        _forbid(entity, clean, stored, by)
    partlinks.resolve(mapping, clean, links, stored, by=by, now=now, lock=lock)
    made = updates.made_by(links, clean)
    verdicts = [_verdict(mapping, row, stored, decided, made) for row in rows]
    checking.check(
        entity,
        [verdict.draft for verdict in verdicts if verdict.draft is not None],
        by=by,
        now=now,
        trusted=False,
        values=False,
        pending=links.pending,
    )
    for row, verdict in zip(rows, verdicts, strict=True):
        if verdict.draft is not None and verdict.draft.errors:
            verdict.reasons = sources.lacking(mapping, row, verdict.draft.errors)
            verdict.reasons += updates.why_not(mapping, verdict.draft)
            verdict.fate, verdict.draft = Fate.REFUSED, None
            # What somebody decided can be taken back: the row is still what it was.
            if verdict.record is None or not decided.of(verdict.number, verdict.found):
                verdict.found = Fate.REFUSED
    batch = doubles.Batch(
        mapping, originals, rows, verdicts, links, by, now, decided, lock, trusted
    )
    doubles.find_doubles(batch, seen)
    if links.new and not mapping.filled_parts:
        updates.ask_for_used(verdicts, links)
    return Judged(verdicts, links)


def _asked(entity: Entity, rows: Iterable[Row], lock: bool) -> Stored:
    """Stored rows that the file names by id; a merged record's id means the one that stayed; an id
    of no record makes a new one."""
    rows = list(rows)
    asked = {row.asked for row in rows if row.asked}
    if not asked:
        return {}
    stored = write.load(entity, asked, lock=lock)
    if led := moved.all_moved(entity, asked - set(stored)):
        for row in rows:
            row.asked = led.get(row.asked, row.asked) if row.asked else None
        stored |= write.load(entity, led.values(), lock=lock)
    return stored


def _forbid(entity: Entity, rows: Iterable[Row], stored: Stored, by: Actor) -> None:
    """Rows about a record that `by` may not change are refused."""
    mine = access.allowed_ids(stored, entity, by, Verb.WRITE)
    for row in rows:
        if row.asked in stored and row.asked not in mine:
            row.reasons.append(updates.forbidden())


def _verdict(
    mapping: Mapping,
    row: Row,
    stored: MappingType[uuid.UUID, dict[str, Any]],
    decided: Decided,
    made: MappingType[Any, str],
) -> Verdict:
    """What becomes of a row as far as one knows before its draft is checked."""
    current = stored.get(row.asked) if row.asked else None
    record = row.asked if current is not None else None
    if row.reasons:
        if row.reasons[0].code == why.LEFT_OUT:
            return Verdict(row.number, Fate.SKIP, reasons=row.reasons, found=Fate.SKIP)
        left = decided.of(row.number, Fate.REFUSED) == Decision.SKIP
        fate = Fate.SKIP if left else Fate.REFUSED
        return Verdict(row.number, fate, record=record, reasons=row.reasons, found=Fate.REFUSED)
    if row.is_bare:
        return Verdict(row.number, Fate.SAME, reasons=[why.only_parts()], found=Fate.SAME)
    if current is None or record is None:
        return Verdict(row.number, Fate.CREATE, _new(mapping.entity, row))
    values = updates.differing(mapping.entity, row, row.values, current)
    found = Fate.UPDATE if values else Fate.SAME
    changes = updates.as_changes(values, current, made)
    verdict = Verdict(row.number, found, record=record, found=found, changes=changes)
    said = decided.of(row.number, found)
    if said == Decision.CREATE:
        verdict.fate, verdict.draft = Fate.CREATE, _new(mapping.entity, row)
    elif said == Decision.SKIP or (mapping.on_match == Decision.SKIP and not said and values):
        verdict.fate = Fate.SKIP
    elif values:
        verdict.draft = updates.draft(record, row.number, values, current, said or mapping.on_match)
        verdict.fate = Fate.UPDATE if verdict.draft is not None else Fate.SAME
    return verdict


def _new(entity: Entity, row: Row) -> Draft:
    values = {**row.defaults, **row.values} if row.defaults else row.values
    values = standing.whole(entity, values)
    return Draft(id=new_id(), values=values, source_row=row.number)
