"""Links by ids of another program, and by names (see `latenames`), to what is made after the row
that names it: an account's primary contact, a parent further down in the file. They are set when
all rows are through.

What names an earlier row is linked with its own batch, so that it makes no difference where batches
end: of links that lead in a circle, those that name a later row are left out, the last one first.
"""

from __future__ import annotations

import datetime
import uuid
from array import array
from collections import defaultdict
from collections.abc import Collection, Mapping as MappingType, Sequence
from typing import Any

from django.utils.translation import gettext as _

from rapport.access import Actor
from rapport.actions import checking, records, rows as table_rows, write
from rapport.meta.entity import Draft, Entity
from rapport.meta.kinds import Kind, quoted
from rapport.models import Change, Operation, Plan, PlanRow
from rapport.models.operations import Fate

from . import names, parts, sources, uploads
from .layouts import same_id
from .mapping import BLANK, CREATE, Mapping
from .reasons import Reason, as_json
from .rows import Row
from .sources import Siblings
from .verdict import Verdict

# Why, for programs.
CODE = "late"
WRITTEN = frozenset({Fate.CREATE, Fate.UPDATE})


def link_back(
    mapping: Mapping,
    rows: Sequence[Row],
    verdicts: Sequence[Verdict],
    *,
    op: Operation,
    by: Actor,
    now: datetime.datetime,
) -> bool:
    """Set the links of a batch that has been written to earlier rows of it, whose ids meant nothing
    when it was judged. Whether some row names what is not there yet."""
    if not can_wait(mapping):
        return False
    blank = _blank(rows, verdicts)
    back = _backward(mapping, rows, blank)
    if back:
        some = [row for row in rows if row.number in back]
        missed = link(mapping, some, op=op, by=by, now=now, only=back)
        # Those are tried once more with what comes later, and told of then.
        for number in back.keys() - {one.number for one in missed}:
            blank[number] -= back[number]
    return any(blank.values())


def _blank(rows: Sequence[Row], verdicts: Sequence[Verdict]) -> dict[int, set[str]]:
    """Look-ups by row that stay blank although their ids are given, of rows that are written."""
    found: dict[int, set[str]] = {}
    for row, verdict in zip(rows, verdicts, strict=True):
        if row.source and row.sources and verdict.draft is not None:
            draft = verdict.draft
            found[row.number] = {one for one in row.sources if draft.now(one) is None}
    return found


def _backward(
    mapping: Mapping, rows: Sequence[Row], blank: MappingType[int, Collection[str]]
) -> dict[int, set[str]]:
    """Those of `blank` that name an earlier one of `rows`."""
    own = {
        lookup
        for lookup in sources.linking(mapping)
        if parts.entity_of(mapping.entity, lookup).name == mapping.entity.name
    }
    before: set[str] = set()
    found: dict[int, set[str]] = {}
    for row in rows:
        named = own.intersection(blank.get(row.number, ()))
        if named := {one for one in named if row.sources[one] in before}:
            found[row.number] = named
        before.add(row.source)
    return found


class Open:
    """While a plan is made: links by ids and names that mean nothing yet. What comes later may
    bring them."""

    def __init__(self) -> None:
        self._rows, self._keys = array("i"), array("q")
        self._targets = bytearray()

    def listen(
        self,
        mapping: Mapping,
        rows: Sequence[Row],
        verdicts: Sequence[Verdict],
        waits: MappingType[int, MappingType[str, str]],
    ) -> None:
        """Note those of rows that will be written. `waits` {row: {look-up: a name}}: of names."""
        has_ids = can_wait(mapping)
        if not has_ids and not waits:
            return
        targets = _targets(mapping)
        for row, verdict in zip(rows, verdicts, strict=True):
            if verdict.fate not in WRITTEN or verdict.draft is None:
                continue
            given = {**waits.get(row.number, {})}
            if has_ids and row.source:
                given |= {_by_id(lookup): text for lookup, text in row.sources.items()}
            changed = {name for name, _old, _new in verdict.changes or ()}
            for target, text in given.items():
                if target in changed or verdict.draft.now(_lookup(target)) is None:
                    self._rows.append(row.number)
                    self._keys.append(_key(mapping, target, text))
                    self._targets.append(targets.index(target))

    def settle(
        self, known: Siblings, mapping: Mapping, rules: MappingType[str, str]
    ) -> tuple[int, dict[int, list[int]], dict[str, set[int]]]:
        """How many of them will be set, by now that all rows are known; of the others places of
        targets by row; and what is made for them, keys by look-up. `rules`: of those by names."""
        late, missing, targets = 0, defaultdict[int, list[int]](list), _targets(mapping)
        along: dict[str, set[int]] = defaultdict(set)
        for row, key, place in zip(self._rows, self._keys, self._targets, strict=True):
            target = targets[place]
            rule = rules.get(target)
            if known.is_promised(key):
                late += 1
            elif rule == CREATE:
                late += 1
                along[target].add(key)
            elif rule != BLANK:
                missing[row].append(place)
        return late, missing, along


def _targets(mapping: Mapping) -> tuple[str, ...]:
    """What may name what comes later: by its id, by its name."""
    fields = mapping.entity.fields
    names = {*mapping.fields, *mapping.constants}
    by_name = sorted(n for n in names if n in fields and fields[n].kind is Kind.LOOKUP)
    return (*map(_by_id, sources.linking(mapping)), *by_name)


def _by_id(lookup: str) -> str:
    return f"{lookup}.{parts.SOURCE_ID}"


def _lookup(target: str) -> str:
    return target.removesuffix(f".{parts.SOURCE_ID}")


def _key(mapping: Mapping, target: str, text: str) -> int:
    """By which `Siblings` know what a row names."""
    lookup = _lookup(target)
    entity = parts.entity_of(mapping.entity, lookup)
    if lookup != target:
        return sources.key_of(entity, text)
    return sources.name_key(entity, names.called(entity, text))


def note(plan: Plan, mapping: Mapping, missing: MappingType[int, Sequence[int]]) -> None:
    """Keep of rows of a plan which links they will lack: places of targets by row."""
    if plan.import_file is None:
        return
    targets = _targets(mapping)
    with uploads.open_upload(plan.import_file) as table:
        records = {record.number: record for record in table.pick(missing)}
    told: dict[int, list[Any]] = {}
    for number, record in records.items():
        reasons = []
        for place in missing[number]:
            target = targets[place]
            column = mapping.column_of(target)
            text = record.cells[column] if column is not None else ""
            if target != _lookup(target):
                text = same_id(mapping.system, text)
            reasons.append(nowhere(mapping, target, text))
        told[number] = as_json(reasons)
    # How a row is a duplicate stands in the same place, and is of more interest.
    kept = dict(plan.rows.filter(row__in=told).values_list("row", "pk"))
    plain = plan.rows.filter(row__in=told, reasons=[]).values_list("row", flat=True)
    news: list[tuple[Any, tuple[Any, ...]]] = [(kept[row], (told[row],)) for row in plain]
    table_rows.update(PlanRow, ("reasons",), news)
    columns = ("plan_id", "row", "fate", "found", "reasons", "like", "decision")
    added = [
        (plan.pk, row, Fate.CREATE, Fate.CREATE, reasons, 0, "")
        for row, reasons in told.items()
        if row not in kept
    ]
    table_rows.insert(PlanRow, columns, added)


def is_late(row: PlanRow) -> bool:
    """Whether the plan says of a row that it will lack a link."""
    return bool(row.reasons) and isinstance(row.reasons[0], list) and row.reasons[0][3] == CODE


def can_wait(mapping: Mapping) -> bool:
    """Whether rows may name what comes after them."""
    return bool(mapping.system) and parts.SOURCE_ID in mapping.fields


def link(
    mapping: Mapping,
    rows: Sequence[Row],
    *,
    op: Operation,
    by: Actor,
    now: datetime.datetime,
    only: MappingType[int, Collection[str]] | None = None,
) -> list[Verdict]:
    """Set those links of `rows` that are still blank, of records that `op` has written. The rows of
    which some stays blank come back, in the order of the file, with the reasons. `only`: these
    look-ups by row."""
    entity = mapping.entity
    asking = {row.source: row for row in rows if row.source and row.sources}
    own = sources.find(mapping.system, entity, asking, by)
    ids = {named.id for named in own.values()}
    mine = Change.objects.filter(operation=op, entity=entity.name, record__in=ids)
    stored = write.load(entity, set(mine.values_list("record", flat=True)))
    values: dict[uuid.UUID, dict[str, Any]] = {}
    missed: dict[int, Verdict] = {}
    for lookup in sources.linking(mapping):
        target = parts.entity_of(entity, lookup)
        texts = {row.sources[lookup] for row in asking.values() if lookup in row.sources}
        found = sources.find(mapping.system, target, texts, by)
        for text, row in asking.items():
            record = own[text].id if text in own else None
            if record not in stored or lookup not in row.sources or stored[record][lookup]:
                continue
            if only is not None and lookup not in only[row.number]:
                continue
            if named := found.get(row.sources[lookup]):
                values.setdefault(record, {})[lookup] = named.id
            else:
                reason = nowhere(mapping, _by_id(lookup), row.sources[lookup])
                miss(missed, row.number, record, reason)
    numbers = {own[text].id: row.number for text, row in asking.items() if text in own}
    return set_links(entity, values, numbers, stored, missed, op=op, by=by, now=now)


def set_links(
    entity: Entity,
    values: MappingType[uuid.UUID, dict[str, Any]],
    numbers: MappingType[uuid.UUID, int],
    stored: MappingType[uuid.UUID, dict[str, Any]],
    missed: dict[int, Verdict],
    *,
    op: Operation,
    by: Actor,
    now: datetime.datetime,
) -> list[Verdict]:
    """Give stored records their look-ups. `numbers`: the rows that they come from. The rows of
    which some stays blank, with those that are `missed` already, in the order of the file."""
    drafts = [
        Draft(id=id_, values=values[id_], current=stored[id_], source_row=numbers[id_])
        for id_ in sorted(values, key=numbers.__getitem__)
    ]
    if entity.hierarchy:
        for draft, reason in checking.break_circles(entity, drafts):
            miss(missed, numbers[draft.id], draft.id, Reason(reason, None, "", CODE))
        drafts = [draft for draft in drafts if draft.values]
    for draft in records.save_drafts(entity, drafts, op=op, by=by, now=now):
        miss(missed, numbers[draft.id], draft.id, Reason(draft.complaints, None, "", CODE))
    return [missed[number] for number in sorted(missed)]


def miss(missed: dict[int, Verdict], row: int, record: uuid.UUID, reason: Reason) -> None:
    """Note why a row lacks a link."""
    verdict = missed.setdefault(row, Verdict(row, Fate.PARTIAL, record=record))
    verdict.reasons.append(reason)


def together(some: Sequence[Verdict], others: Sequence[Verdict]) -> list[Verdict]:
    """What both tell of rows, of each once."""
    found = {one.number: one for one in some}
    for one in others:
        known = found.setdefault(one.number, one)
        if known is not one:
            known.reasons += one.reasons
    return [found[number] for number in sorted(found)]


def nowhere(mapping: Mapping, target: str, text: str, count: int = 0) -> Reason:
    """The id or name `text` is that of no record, or of several."""
    lookup = _lookup(target)
    entity = parts.entity_of(mapping.entity, lookup)
    values = {"entity": str(entity.label).lower(), "text": quoted(text), "count": count}
    remedy = _("Import it, and then this file again.")
    if count:
        message = _("There are %(count)d records called “%(text)s”.")
        remedy = _("Choose the right one by hand.")
    elif lookup == target:
        message = _("There is no %(entity)s called “%(text)s”.")
    else:
        message = _("There is no %(entity)s with the id “%(text)s”.")
    return Reason(message % values, mapping.column_of(target), remedy, CODE)
