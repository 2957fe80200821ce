"""Links by ids of another program to what is made after the row that names it: an account's primary
contact, a parent further down in the file. They are set when all rows are through."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from rapport.access import Actor
from rapport.actions import records, write
from rapport.meta.entity import Draft
from rapport.models import Change, Operation
from rapport.models.operations import Fate

from . import parts, sources
from .mapping import Mapping
from .reasons import QUOTED, Reason
from .rows import Row
from .verdict import Verdict

# Why, for programs.
CODE = "late"


def wait(mapping: Mapping, rows: Sequence[Row], verdicts: Sequence[Verdict]) -> bool:
    """Whether some row that is written names what is not there yet."""
    if not mapping.system or parts.SOURCE_ID not in mapping.fields:
        return False
    for row, verdict in zip(rows, verdicts, strict=True):
        if row.source and row.sources and verdict.draft is not None:
            draft = verdict.draft
            if any(draft.now(lookup) is None for lookup in row.sources):
                return True
    return False


def link(
    mapping: Mapping, rows: Sequence[Row], *, op: Operation, by: Actor, now: datetime.datetime
) -> list[Verdict]:
    """Set those links of `rows` that are still blank, of records that `op` has written. The rows of
    which some stays blank come back, in the order of the file, with the reasons."""
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
            if named := found.get(row.sources[lookup]):
                values.setdefault(record, {})[lookup] = named.id
            else:
                _miss(missed, row.number, record, _nowhere(mapping, lookup, row.sources[lookup]))
    numbers = {own[text].id: row.number for text, row in asking.items() if text in own}
    drafts = [
        Draft(id=id_, values=one, current=stored[id_], source_row=numbers[id_])
        for id_, one in values.items()
    ]
    for draft in records.save_drafts(entity, drafts, op=op, by=by, now=now):
        _miss(missed, numbers[draft.id], draft.id, Reason(draft.complaints, None, "", CODE))
    return [missed[number] for number in sorted(missed)]


def _miss(missed: dict[int, Verdict], row: int, record: uuid.UUID, reason: Reason) -> None:
    verdict = missed.setdefault(row, Verdict(row, Fate.PARTIAL, record=record))
    verdict.reasons.append(reason)


def _nowhere(mapping: Mapping, lookup: str, text: str) -> Reason:
    """The id `text` is that of no record."""
    message = _("There is no %(entity)s with the id “%(text)s”.") % {
        "entity": str(parts.entity_of(mapping.entity, lookup).label).lower(),
        "text": text[:QUOTED],
    }
    remedy = _("Import it, and then this file again.")
    return Reason(message, mapping.column_of(f"{lookup}.{parts.SOURCE_ID}"), remedy, CODE)
