"""Links by ids of another program to what is made after the row that names it: an account's primary
contact, a parent further down in the file. They are set when all rows are through."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from rapport.access import Actor
from rapport.actions import records, write
from rapport.meta.entity import Draft
from rapport.models import Change, Operation

from . import parts, sources
from .mapping import Mapping
from .reasons import Reason
from .rows import Row
from .verdict import Verdict


@dataclass(frozen=True, kw_only=True, slots=True)
class Missed:
    """A link of a row that is written which leads to nothing that there is. `record`: the row's."""

    row: int
    record: uuid.UUID
    reason: Reason


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
) -> list[Missed]:
    """Set those links of `rows` that are still blank, of records that `op` has written. Those that
    stay blank come back."""
    entity = mapping.entity
    asking = {row.source: row for row in rows if row.source and row.sources}
    own = sources.find(mapping.system, entity, asking, by)
    ids = {named.id for named in own.values()}
    mine = Change.objects.filter(operation=op, entity=entity.name, record__in=ids)
    stored = write.load(entity, set(mine.values_list("record", flat=True)))
    values: dict[uuid.UUID, dict[str, Any]] = {}
    missed: list[Missed] = []
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
                message = _("There is no %(entity)s with the id “%(text)s”.") % {
                    "entity": str(target.label).lower(),
                    "text": row.sources[lookup][:80],
                }
                remedy = _("Import it, and then this file again.")
                column = mapping.column_of(f"{lookup}.{parts.SOURCE_ID}")
                reason = Reason(message, column, remedy, "late")
                missed.append(Missed(row=row.number, record=record, reason=reason))
    numbers = {own[text].id: row.number for text, row in asking.items() if text in own}
    drafts = [
        Draft(id=id_, values=one, current=stored[id_], source_row=numbers[id_])
        for id_, one in values.items()
    ]
    for draft in records.save_drafts(entity, drafts, op=op, by=by, now=now):
        reason = Reason(draft.complaints, None, "", "late")
        missed.append(Missed(row=numbers[draft.id], record=draft.id, reason=reason))
    return missed
