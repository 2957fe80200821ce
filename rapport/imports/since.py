"""What became of records since they were exported into the file that comes back.

A cell that still says what was stored then says nothing of what somebody has changed meanwhile.
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping as MappingType, Sequence
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _

from rapport.access import Actor
from rapport.duplicates.keys import has_title_key
from rapport.meta.batches import batches
from rapport.meta.entity import Entity
from rapport.meta.kinds import Kind, to_json
from rapport.meta.registry import registry
from rapport.models import Change, Operation
from rapport.models.journal import ChangeVerb

from .decisions import is_blank
from .reasons import Reason
from .rows import Row

# The code of what is told of a row that has older values.
CODE = "since"
_IMPORT, _UNDO = "import", "undo"

# {record: {field: the value that a file which was exported then has, as JSON}}
Then = MappingType[uuid.UUID, MappingType[str, Any]]


def values_then(
    rows: Iterable[Row], stored: MappingType[uuid.UUID, MappingType[str, Any]], *, by: Actor
) -> Then:
    """The values at the time of the export, of those fields that were changed after it. What `by`
    has imported since, or taken back of that, is known to the file."""
    since = {
        row.asked: row.exported_at
        for row in rows
        if row.asked is not None
        and row.exported_at is not None
        and row.asked in stored
        and stored[row.asked]["modified_at"] > row.exported_at
    }
    found: dict[uuid.UUID, dict[str, Any]] = {record: {} for record in since}
    for change in _changes(since):
        if change.at <= since[change.record]:
            continue
        own, then = _is_own(change.operation, by), found[change.record]
        after = change.after or {}
        for name, before in (change.before or {}).items():
            if own:
                then[name] = after.get(name)
            else:
                then.setdefault(name, before)
    return found


def _changes(since: MappingType[uuid.UUID, datetime.datetime]) -> Iterator[Change]:
    """What was changed of the records, in turn; of each also what was before."""
    for part in batches(since):
        changes = Change.objects.filter(
            record__in=part, verb=ChangeVerb.UPDATE, at__gt=min(since[record] for record in part)
        )
        yield from changes.select_related("operation").order_by("id")


def _is_own(op: Operation, by: Actor) -> bool:
    """Whether `by` has imported this, or undone an import."""
    kind = op.parameters.get("kind") if op.kind == _UNDO else op.kind
    return kind == _IMPORT and op.user_id is not None and op.user_id == getattr(by, "pk", None)


def older(row: Row, then: MappingType[str, Any], current: MappingType[str, Any]) -> list[str]:
    """The fields of which the row says what was stored `then`, and not what is there now."""
    said = {**row.values, **dict.fromkeys(row.wipes)}
    return [
        name
        for name, value in said.items()
        if name in then and value != current.get(name) and _is_same(value, then[name])
    ]


def _is_same(value: Any, kept: Any) -> bool:
    return to_json(value) == kept or (is_blank(value) and is_blank(kept))


def without(row: Row, names: Collection[str]) -> Row:
    """The row as if it said nothing of these fields."""
    values = {name: value for name, value in row.values.items() if name not in names}
    return replace(row, values=values, wipes=[name for name in row.wipes if name not in names])


def told(entity: Entity, names: Sequence[str]) -> Reason:
    """That these fields of the record stay as somebody has changed them."""
    labels = ", ".join(str(entity.fields[name].label) for name in names if name in entity.fields)
    message = _("Changed here since the file was exported, and left as it is: %(fields)s.")
    return Reason(message % {"fields": labels}, None, "", CODE)


def called_then(
    entity: Entity, rows: Sequence[Row], titles: MappingType[tuple[uuid.UUID | None, str], str]
) -> dict[tuple[uuid.UUID | None, str], str]:
    """What the rows call companies that have got another name since: {(record, look-up): text}.
    `titles`: what they are called now. No company is made for a name that one had."""
    wanted: dict[tuple[uuid.UUID, str], Row] = {
        (row.asked, name): row
        for row in rows
        if row.exported_at is not None and row.asked is not None
        for name, text in row.links.items()
        if titles.get((row.asked, name), text) != text
    }
    found: dict[tuple[uuid.UUID | None, str], str] = {}
    for lookup in {name for _record, name in wanted}:
        known = entity.fields[lookup]
        if known.kind is not Kind.LOOKUP or not has_title_key(registry[known.target or ""]):
            continue
        target = registry[known.target or ""]
        asked = [record for record, name in wanted if name == lookup]
        first = min(_at(row) for row in wanted.values())
        before = _titles_before(entity, lookup, target, asked, since=first)
        for (record, name), row in wanted.items():
            then = next((said for at, said in before.get(record, ()) if at > _at(row)), None)
            if name == lookup and then == row.links[name]:
                found[record, name] = then
    return found


def _at(row: Row) -> datetime.datetime:
    assert row.exported_at is not None
    return row.exported_at


def _titles_before(
    entity: Entity,
    lookup: str,
    target: Entity,
    asked: Collection[uuid.UUID],
    *,
    since: datetime.datetime,
) -> dict[uuid.UUID, list[tuple[datetime.datetime, str]]]:
    """By record: when, after `since`, what its look-up names got another name, and what it was
    called before."""
    column = entity.fields[lookup].column
    linked: dict[uuid.UUID, uuid.UUID] = {}
    for part in batches(asked):
        linked |= dict(entity.records().filter(pk__in=part).values_list("pk", column))
    changed: dict[uuid.UUID, list[tuple[datetime.datetime, str]]] = {}
    for part in batches({id_ for id_ in linked.values() if id_}):
        changes = Change.objects.filter(record__in=part, verb=ChangeVerb.UPDATE, at__gt=since)
        changes = changes.order_by("id")
        for record, at, before in changes.values_list("record", "at", "before"):
            was = before or {}
            if target.title in was:
                changed.setdefault(record, []).append((at, was[target.title]))
    return {record: changed[id_] for record, id_ in linked.items() if id_ in changed}
