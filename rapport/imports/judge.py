"""What becomes of each row: the one function that the plan and the apply both ask.

It reads and never writes: links, the record that a row is about, the rules of the entity, and in
`doubles` duplicates among what is stored and among the rows of the batch.
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterable, Mapping as MappingType, Sequence
from dataclasses import replace
from types import MappingProxyType
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
    faults,
    links as linking,
    matching,
    options,
    partlinks,
    reasons as why,
    since,
    sources,
    standing,
    updates,
)
from .decisions import NOTHING, Decided
from .headers import RECORD_ID
from .mapping import Mapping
from .reasons import Reason
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
    waiting: linking.Waiting | None = None,
) -> Judged:
    """The fate of each row. `seen` holds the file's earlier rows, and gets these. `lock`: what is
    read stays as it is until the transaction ends. `siblings`: what other files will make.
    `links`: what other rows of the batch name. `trusted`: what the plan says that is applied.
    `waiting`: look-ups whose names other rows of the import may bring."""
    entity = mapping.entity
    originals = rows
    # Copies: the same rows may be judged again when something has changed meanwhile.
    rows = [replace(row, values=dict(row.values), reasons=list(row.reasons)) for row in rows]
    clean = [row for row in rows if not row.reasons]
    links = linking.Links() if links is None else links
    links.waiting = waiting or {}
    stored = _find(mapping, clean, links, by=by, now=now, lock=lock, siblings=siblings)
    made = updates.made_by(links, clean)
    then = since.values_then(clean, stored, by=by)
    verdicts = [
        _verdict(mapping, row, stored, decided, made, links=links, then=then) for row in rows
    ]
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
            verdict.reasons = faults.refused(mapping, row, verdict.draft)
            verdict.fate, verdict.draft = Fate.REFUSED, None
            # What somebody decided can be taken back: the row is still what it was.
            if verdict.record is None or not decided.of(verdict.number, verdict.found):
                verdict.found, verdict.fate = Fate.REFUSED, _refused(verdict.number, decided)
    faulty = [at for at, row in enumerate(rows) if row.wrong]
    if faulty:
        some = [faults.readable(mapping, originals[at]) for at in faulty]
        all_wrong = _all_wrong(
            mapping, some, decided, by=by, now=now, siblings=siblings, waiting=waiting
        )
        for at, reasons in zip(faulty, all_wrong, strict=True):
            verdicts[at].reasons = [*verdicts[at].reasons, *reasons]
    batch = doubles.Batch(
        mapping, originals, rows, verdicts, links, by, now, decided, lock, trusted
    )
    doubles.find_doubles(batch, seen)
    if links.new and not mapping.filled_parts:
        updates.ask_for_used(verdicts, links)
    for verdict in verdicts:
        if len(verdict.reasons) > 1:
            verdict.reasons = faults.in_order(verdict.reasons)
    return Judged(verdicts, links)


def _find(
    mapping: Mapping,
    rows: Sequence[Row],
    links: linking.Links,
    *,
    by: Actor,
    now: datetime.datetime,
    siblings: Siblings | None,
    lock: bool = False,
    faulty: bool = False,
) -> Stored:
    """Put what `rows` name among their values, or say why not. The stored records that they are
    about. `faulty`: go on with rows that are refused, as far as one can tell."""
    entity = mapping.entity
    sources.ask(mapping, rows, by=by)
    sources.resolve(mapping, rows, links, by=by, siblings=siblings)
    linking.resolve(mapping, rows, links, by=by)
    if any(target.default for target in mapping.columns.values()):
        options.named_defaults(rows)
    stored = _asked(entity, rows, lock)
    if mapping.match:
        left = rows if faulty else [row for row in rows if not row.reasons]
        asked = matching.match(mapping, left, stored, links, by=by)
        stored |= write.load(entity, asked - set(stored), lock=lock)
    if stored:
        _forbid(entity, rows, stored, by)
    left = rows if faulty else [row for row in rows if not row.reasons]
    partlinks.resolve(mapping, left, links, stored, by=by, now=now, lock=lock)
    return stored


def _all_wrong(
    mapping: Mapping,
    rows: Sequence[Row],
    decided: Decided,
    *,
    by: Actor,
    now: datetime.datetime,
    siblings: Siblings | None,
    waiting: linking.Waiting | None,
) -> list[list[Reason]]:
    """All that is wrong with each of `rows`, of which something is. They are looked at by
    themselves: what they name is not made, and no other row goes by them."""
    links = linking.Links(waiting=waiting or {})
    stored = _find(mapping, rows, links, by=by, now=now, siblings=siblings, faulty=True)
    drafts: list[tuple[Row, Draft]] = []
    for row in rows:
        taken = replace(row, reasons=[])
        draft = _verdict(mapping, taken, stored, decided, {}, links=links).draft
        if draft is not None and RECORD_ID not in row.wrong:
            # What is wrong is not missing.
            draft.errors = {name: [] for name in row.wrong if name in mapping.entity.fields}
            drafts.append((row, draft))
    checking.check(
        mapping.entity, [draft for _row, draft in drafts], by=by, now=now,
        trusted=False, values=False, pending=links.pending,
    )  # fmt: skip
    for row, draft in drafts:
        draft.errors = {name: said for name, said in draft.errors.items() if said}
        row.reasons += faults.refused(mapping, row, draft)
    return [row.reasons for row in rows]


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
            row.refuse(RECORD_ID, updates.forbidden())


def _verdict(
    mapping: Mapping,
    row: Row,
    stored: MappingType[uuid.UUID, dict[str, Any]],
    decided: Decided,
    made: MappingType[Any, str],
    *,
    links: linking.Links,
    then: since.Then = MappingProxyType({}),
) -> Verdict:
    """What becomes of a row as far as one knows before its draft is checked."""
    current = stored.get(row.asked) if row.asked else None
    record = row.asked if current is not None else None
    if row.reasons:
        if row.reasons[0].code == why.LEFT_OUT:
            return Verdict(row.number, Fate.SKIP, reasons=row.reasons, found=Fate.SKIP)
        fate = _refused(row.number, decided)
        return Verdict(row.number, fate, record=record, reasons=row.reasons, found=Fate.REFUSED)
    if row.is_bare:
        return Verdict(row.number, Fate.SAME, reasons=[why.only_parts()], found=Fate.SAME)
    if current is None or record is None:
        return Verdict(row.number, Fate.CREATE, _new(mapping.entity, row))
    older = since.older(row, then[record], current) if record in then else []
    says = since.without(row, older) if older else row
    values = updates.differing(mapping.entity, says, says.values, current)
    waits = updates.waiting(links, row.number, current)
    found = Fate.UPDATE if values or waits else Fate.SAME
    changes = updates.as_changes(values, current, made, waits)
    verdict = Verdict(row.number, found, record=record, found=found, changes=changes)
    if older:
        verdict.reasons = [since.told(mapping.entity, older)]
    said = decided.of(row.number, found)
    if said == Decision.CREATE:
        verdict.fate, verdict.draft = Fate.CREATE, _new(mapping.entity, row)
    elif said == Decision.SKIP or (mapping.on_match == Decision.SKIP and not said and changes):
        verdict.fate = Fate.SKIP
    elif changes:
        how = said or mapping.on_match
        verdict.draft = updates.draft(record, row.number, values, current, how, waits=waits)
        verdict.fate = Fate.UPDATE if verdict.draft is not None else Fate.SAME
    return verdict


def _refused(number: int, decided: Decided) -> Fate:
    """What becomes of a row that cannot be taken: somebody may have left it out."""
    left = decided.of(number, Fate.REFUSED) == Decision.SKIP
    return Fate.SKIP if left else Fate.REFUSED


def _new(entity: Entity, row: Row) -> Draft:
    values = {**row.defaults, **row.values} if row.defaults else row.values
    values = standing.whole(entity, values)
    return Draft(id=new_id(), values=values, source_row=row.number)
