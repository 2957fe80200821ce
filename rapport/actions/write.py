"""The one writer: every row of every entity is created, changed and deleted here.

It takes a batch (one record is a batch of one), writes the rows, one `Change` for each, and the
derived rows beside them: sort and search text, match keys, search index, principals.
"""

from __future__ import annotations

import datetime
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from rapport import access
from rapport.access import Actor, SystemActor
from rapport.duplicates.keys import plan_of
from rapport.meta.batches import batches
from rapport.meta.entity import Draft, Entity, Known
from rapport.meta.kinds import Kind, to_json
from rapport.models import Change, Operation
from rapport.models.journal import ChangeVerb

from . import derived, idlists, journal, keyring, leftkeys, rows, upkeep, wholesale
from .adapted import Column, Same
from .rowvalues import defaults, from_columns, hidden_defaults, to_columns


def load(
    entity: Entity,
    ids: Iterable[uuid.UUID],
    *,
    lock: bool = True,
    by: Actor | None = None,
    verb: str = access.READ,
) -> dict[uuid.UUID, dict[str, Any]]:
    """Stored rows by id, as field values plus 'version'; locked until the transaction ends. With
    `by`, only those to which `by` may do `verb`."""
    stored: dict[uuid.UUID, dict[str, Any]] = {}
    for part in batches(ids):
        found = entity.records().filter(pk__in=part)
        if by is not None:
            found = access.visible_to(found, entity, by, verb)
        if lock:
            # Not the key: what is stored meanwhile may point at the record.
            found = found.select_for_update(of=("self",), no_key=True)
        stored.update(
            {row["id"]: from_columns(entity, row) for row in found.order_by("pk").values()}
        )
    return stored


def lock(entity: Entity, ids: Sequence[uuid.UUID], *, no_key: bool = False) -> list[uuid.UUID]:
    """Let whoever changes these records finish, and hold them until the transaction ends. Those
    that are there. `no_key`: they stay, so others may point at them meanwhile. For databases that
    lock rows."""
    found = entity.records().filter(idlists.among(entity.model, ids)).order_by("pk")
    locked = found.select_for_update(of=("self",), no_key=no_key)
    return list(locked.values_list("pk", flat=True))


def write(
    entity: Entity, drafts: Sequence[Draft], *, op: Operation, by: Actor, now: datetime.datetime
) -> None:
    """Write `drafts` (checked, without errors). An update that changes nothing is not written:
    no new version, no change."""
    creates = [draft for draft in drafts if draft.current is None]
    updates = [draft for draft in drafts if draft.current is not None]
    if creates:
        _create(entity, creates, op, by, now)
    if updates:
        _update(entity, updates, op, by, now)


# Of a long operation so many new or deleted records are in the search index at once, the rest soon.
FOUND_AT_ONCE = 1000


def is_many(op: Operation, what: str = "created") -> bool:
    """Whether a long operation has made (or deleted) so many records that search may wait."""
    return op.pending is None and op.counts.get(what, 0) >= FOUND_AT_ONCE


def stamp(by: Actor) -> uuid.UUID | None:
    """Who is named as the one that made or changed a record: nobody for the system."""
    return None if isinstance(by, SystemActor) else by.pk


def _create(
    entity: Entity, drafts: Sequence[Draft], op: Operation, by: Actor, now: datetime.datetime
) -> None:
    user = stamp(by)
    system = {"created_at": now, "created_by": user, "modified_at": now, "modified_by": user}
    blank = {**defaults(entity), **system}
    filled: set[str] = set()
    for draft in drafts:
        filled.update(draft.values)
        draft.values = {**blank, **draft.values}
        more = entity.derive(draft.values) if draft.known is None else draft.known.derived
        draft.values.update(more)
        filled.update(more)
    made = derived.texts(
        entity, [(draft.id, draft.values) for draft in drafts], op.titles, _known(entity, drafts)
    )
    same = {name: value for name, value in blank.items() if name not in filled}
    for names, alike in _by_extra(drafts, made).items():
        columns = _columns_of(entity, [draft for draft, _one in alike], same)
        columns["sort_name"] = [one.sort_name for _draft, one in alike]
        columns["search_text"] = [one.search_text for _draft, one in alike]
        columns.update({name: [draft.extra[name] for draft, _one in alike] for name in names})
        rows.insert_columns(entity.model, columns, len(alike))
    ids = [draft.id for draft in drafts]
    journal.note_new(op, entity.name, ids, [draft.source_row for draft in drafts], now)
    upkeep.add(entity, made, later=is_many(op))
    journal.count(op, "created", len(drafts))


def _known(entity: Entity, drafts: Sequence[Draft]) -> list[Known | None]:
    """What drafts bring along of their keys and names. Keys that defaults have a part in are made
    here, because the drafts did not have those yet."""
    blank = defaults(entity)
    if any(blank.get(name) not in {None, ""} for name in plan_of(entity).fields):
        return []
    return [draft.known for draft in drafts]


def _by_extra(
    drafts: Sequence[Draft], made: Sequence[derived.Derived]
) -> dict[tuple[str, ...], list[tuple[Draft, derived.Derived]]]:
    """Drafts and what follows from them, by the names of their extra columns."""
    found: dict[tuple[str, ...], list[tuple[Draft, derived.Derived]]] = defaultdict(list)
    for draft, one in zip(drafts, made, strict=True):
        found[tuple(draft.extra)].append((draft, one))
    return found


def _columns_of(
    entity: Entity, drafts: Sequence[Draft], same: Mapping[str, Any]
) -> dict[str, Column]:
    """The columns of new records. `same`: values that all of them have, which are most."""
    columns: dict[str, Column] = {"id": [draft.id for draft in drafts]}
    constant = {**hidden_defaults(entity), "version": 1}
    constant.update(to_columns(entity, same))
    constant.update(entity.scope)
    columns.update({name: Same(value) for name, value in constant.items()})
    values = [draft.values for draft in drafts]
    for field in entity.fields.values():
        if field.name in same or not field.columns or field.columns[0] in entity.scope:
            continue
        own = [one[field.name] for one in values]
        if field.kind is Kind.POINTER:
            columns[field.columns[0]] = [ref.entity if ref else "" for ref in own]
            columns[field.columns[1]] = [ref.id if ref else None for ref in own]
        else:
            columns[field.column] = own
    return columns


def _update(
    entity: Entity, drafts: Sequence[Draft], op: Operation, by: Actor, now: datetime.datetime
) -> None:
    changed: list[tuple[Draft, dict[str, Any]]] = []
    for draft in drafts:
        current = draft.current or {}
        after = {**current, **draft.values}
        after.update(entity.derive(after))
        difference = {
            name: after[name]
            for name in entity.fields
            if name in after and after[name] != current.get(name)
        }
        if difference or draft.extra:
            changed.append((draft, difference))
    if not changed:
        return
    user = stamp(by)
    texts = derived.texts(
        entity,
        [(d.id, {**(d.current or {}), **difference}) for d, difference in changed],
        op.titles,
    )
    grouped: dict[tuple[str, ...], list[tuple[uuid.UUID, tuple[Any, ...]]]] = defaultdict(list)
    notes = []
    for (draft, difference), one in zip(changed, texts, strict=True):
        current = draft.current or {}
        version = current["version"] + 1
        columns = {
            **to_columns(entity, difference),
            **one.columns(),
            **draft.extra,
            "version": version,
            "modified_at": now,
            "modified_by_id": user,
        }
        grouped[tuple(columns)].append((draft.id, tuple(columns.values())))
        before = {name: to_json(current.get(name)) for name in difference}
        after = {name: to_json(value) for name, value in difference.items()}
        notes.append((draft, ChangeVerb.UPDATE, version, before, after))
    for names, values in grouped.items():
        rows.update(entity.model, names, values)
    _record(entity, op, now, notes)
    upkeep.renew(entity, texts, [d.current or {} for d, _difference in changed])
    journal.count(op, "updated", len(changed))


# What many rows may get at once: no text is made of these but the titles of what they name.
ALIKE = frozenset({Kind.LOOKUP, Kind.POINTER, Kind.OWNER, Kind.CHOICE, Kind.STATE, Kind.BOOLEAN})


def may_alter(entity: Entity, names: Iterable[str]) -> bool:
    """Whether `alter` can change these fields."""
    fields = (entity.fields.get(name) for name in names)
    return not entity.principal and all(f is not None and f.kind in ALIKE for f in fields)


def alter(
    entity: Entity,
    chosen: QuerySet[Any],
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    *,
    op: Operation,
    by: Actor,
    now: datetime.datetime,
) -> int:
    """Give the field values `after` to all of `chosen` (plain conditions on rows of `entity`),
    which hold `before`: a few statements, however many they are. How many they were."""
    assert may_alter(entity, after)
    journal.flush(op)
    reworded = upkeep.reworded(entity, chosen, before, after)
    number = wholesale.alter(
        chosen,
        {**to_columns(entity, after), "modified_at": now, "modified_by_id": stamp(by)},
        Change,
        {
            "operation_id": op.pk,
            "entity": entity.name,
            "verb": ChangeVerb.UPDATE,
            "at": now,
            "before": {name: to_json(value) for name, value in before.items()},
            "after": {name: to_json(value) for name, value in after.items()},
        },
    )
    if reworded:
        upkeep.refresh(entity, reworded)
    journal.count(op, "updated", number)
    return number


def delete(
    entity: Entity,
    ids: Sequence[uuid.UUID],
    *,
    op: Operation,
    now: datetime.datetime,
    locked: bool = False,
) -> None:
    """Delete rows for good; the journal keeps each whole, so that undo can put it back. `locked`:
    the rows are already."""
    if op.pending is None and wholesale.fits_in_json(entity.model):
        _delete_many(entity, ids, op=op, now=now, locked=locked)
        return
    kept: dict[uuid.UUID, dict[str, Any]] = {}
    for part in batches(ids):
        found = entity.records().filter(pk__in=part).select_for_update(of=("self",))
        kept.update({row["id"]: row for row in found.order_by("pk").values()})
    notes = []
    for id_, row in kept.items():
        whole = {name: to_json(value) for name, value in row.items() if name not in _NOT_KEPT}
        notes.append((Draft(id=id_, values={}), ChangeVerb.DELETE, row["version"], whole, None))
    rows.delete(entity.model, list(kept))
    upkeep.remove(entity, list(kept))
    _record(entity, op, now, notes)
    journal.count(op, "deleted", len(kept))


def _delete_many(
    entity: Entity,
    ids: Sequence[uuid.UUID],
    *,
    op: Operation,
    now: datetime.datetime,
    locked: bool,
) -> None:
    """The same in a few statements. Nothing passes through here but ids."""
    names = [c.attname for c in entity.model._meta.concrete_fields if c.attname not in _NOT_KEPT]
    note = {
        "operation_id": op.pk, "entity": entity.name, "verb": ChangeVerb.DELETE, "at": now,
        "row": None, "after": None,
    }  # fmt: skip
    for part in batches(ids):
        if not locked and connection.features.has_select_for_update:
            lock(entity, part)
        chosen = entity.records().filter(idlists.among(entity.model, part))
        number = wholesale.delete_noted(chosen, names, Change, note)
        journal.count(op, "deleted", number)
    later = is_many(op, "deleted")
    upkeep.remove(entity, ids, later=later, keys=not (later and leftkeys.leave(op, entity, ids)))


# Of a deleted row: what is its key, is made again, or is a secret.
_NOT_KEPT = frozenset({"id", "search_text", "sort_name", "password", "last_login"})


def from_whole(entity: Entity, whole: Mapping[str, Any]) -> dict[str, Any]:
    """Column attributes out of the JSON that `delete` kept; columns that it lacks are blank."""
    row: dict[str, Any] = {}
    for column in entity.model._meta.concrete_fields:
        if column.primary_key:
            continue
        if column.attname in whole:
            row[column.attname] = column.to_python(whole[column.attname])
        else:
            row[column.attname] = wholesale.blank(column)
    return row


def restore(
    entity: Entity,
    deleted: Mapping[uuid.UUID, dict[str, Any]],
    *,
    op: Operation,
    now: datetime.datetime,
) -> None:
    """Put deleted rows (made by `from_whole`) back, with their ids and history."""
    notes = []
    for id_, row in deleted.items():
        row["version"] += 1
        notes.append((Draft(id=id_, values={}), ChangeVerb.CREATE, row["version"], None, None))
    texts = derived.texts(
        entity, [(id_, from_columns(entity, row)) for id_, row in deleted.items()]
    )
    grouped: dict[tuple[str, ...], list[tuple[Any, ...]]] = defaultdict(list)
    for one, row in zip(texts, deleted.values(), strict=True):
        columns = {"id": one.id, **row, **one.columns()}
        grouped[tuple(columns)].append(tuple(columns.values()))
    for names, values in grouped.items():
        rows.insert(entity.model, names, values)
    _record(entity, op, now, notes)
    # Those that an undo left to the worker.
    keyring.remove(list(deleted))
    upkeep.add(entity, texts, later=is_many(op))
    journal.count(op, "created", len(deleted))


def _record(
    entity: Entity,
    op: Operation,
    now: datetime.datetime,
    notes: Sequence[tuple[Draft, ChangeVerb, int, Any, Any]],
) -> None:
    journal.note(
        op,
        [
            (op.pk, entity.name, draft.id, verb, draft.source_row, version, now, before, after)
            for draft, verb, version, before, after in notes
        ],
    )
