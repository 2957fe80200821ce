"""How changes are taken back, a batch at a time: what goes back, what stays and why.

A field goes back only if this operation was its last writer. A created record goes only if nobody
changed it since and nothing points at it. A deleted one comes back with its id.
"""

from __future__ import annotations

import datetime
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from rapport.access import Actor
from rapport.meta.entity import Draft, Entity
from rapport.meta.field import Field
from rapport.meta.kinds import Kind, Ref, from_json
from rapport.meta.registry import registry
from rapport.models import Change, Operation, Principal
from rapport.models.journal import ChangeVerb, OperationState

from . import checking, dependants, idlists, write
from .rowvalues import from_columns, to_columns


@dataclass(frozen=True, slots=True)
class Conflict:
    """Something that stays as it is. `field` is '' when it is about the whole record."""

    entity: str
    record: uuid.UUID
    field: str
    reason: str


@dataclass(slots=True)
class Undone:
    """What an undo did, or would do."""

    restored: int = 0
    removed: int = 0
    returned: int = 0
    conflicts: list[Conflict] = field(default_factory=list)


class Noted(NamedTuple):
    """What the journal says of one change, as far as taking it back asks: a `Change` takes ten
    times as long to make, and there are many."""

    operation_id: uuid.UUID
    id: int
    entity: str
    record: uuid.UUID
    verb: int
    before: dict[str, Any] | None
    after: dict[str, Any] | None


def noted(changes: QuerySet[Change], operation: uuid.UUID) -> list[Noted]:
    """These changes, all of which `operation` made."""
    found = changes.values_list(*Noted._fields[1:])
    return [Noted(operation, *values) for values in found]


def revert(
    batch: Sequence[Noted],
    undone: Undone,
    *,
    op: Operation,
    by: Actor,
    now: datetime.datetime,
    undo_of: Operation,
) -> None:
    """Take `batch` (of `undo_of`, newest first) back as a part of `op`; adds to `undone`."""
    there = _hold(batch)
    later = _later_changes(batch, undo_of, op)
    # Runs of the same entity and verb, in order, so that what depends on each other stays in order.
    runs: list[list[Noted]] = []
    for change in batch:
        if runs and (runs[-1][0].entity, runs[-1][0].verb) == (change.entity, change.verb):
            runs[-1].append(change)
        else:
            runs.append([change])
    steps = {
        ChangeVerb.CREATE: _remove_created,
        ChangeVerb.UPDATE: _restore_fields,
        ChangeVerb.DELETE: return_deleted,
    }
    for run in runs:
        step = steps[ChangeVerb(run[0].verb)]
        entity = registry[run[0].entity]
        standing = Standing(there=there[entity.name], later=later)
        step(entity, run, standing, undone, op=op, by=by, now=now)


Later = dict[uuid.UUID, list[Change]]


@dataclass(frozen=True, slots=True)
class Standing:
    """How records stand. `there`: those that exist, kept up to date; `later`: what others have
    changed since."""

    there: set[uuid.UUID]
    later: Later = field(default_factory=dict)


def _hold(batch: Sequence[Noted]) -> dict[str, set[uuid.UUID]]:
    """Let whoever changes these records finish, so that what they changed is known. Those that are
    there, by entity."""
    ids: dict[str, list[uuid.UUID]] = {change.entity: [] for change in batch}
    locks = connection.features.has_select_for_update
    for change in batch:
        # What is to get old values is loaded: without locks nothing is to be asked before.
        if locks or change.verb != ChangeVerb.UPDATE:
            ids[change.entity].append(change.record)
    return {
        name: stored(registry[name], wanted, lock=True) if wanted else set()
        for name, wanted in sorted(ids.items())
    }


def _later_changes(
    batch: Sequence[Noted], undo_of: Operation, op: Operation
) -> dict[uuid.UUID, list[Change]]:
    """Changes of the same records by other operations since."""
    records = list({change.record for change in batch})
    first, last = min(change.id for change in batch), max(change.id for change in batch)
    if last - first + 1 == len(batch):
        # Nobody else has written in between: that there is nothing behind an index alone tells.
        first = last
    since = Change.objects.filter(idlists.among(Change, records, "record"), id__gt=first)
    # Ordered here: SQLite would rather walk all that is behind than look up the records.
    changes = sorted(since.exclude(operation_id__in=[undo_of.pk, op.pk]), key=lambda one: one.id)
    without = cancelled({change.operation_id for change in changes})
    found: dict[uuid.UUID, list[Change]] = defaultdict(list)
    for change in changes:
        if change.operation_id not in without:
            found[change.record].append(change)
    return found


def cancelled(operations: set[uuid.UUID]) -> set[uuid.UUID]:
    """Those of `operations` that came to nothing: undone without conflicts, and their undos."""
    undos = Operation.objects.filter(
        pk__in=operations, undo_of__in=operations, state=OperationState.DONE
    )
    gone: set[uuid.UUID] = set()
    for back in undos.order_by("-started_at", "-id"):
        pair = {back.pk, back.undo_of_id or back.pk}
        if not pair & gone and not back.parameters.get("conflicts"):
            gone |= pair
    return gone


def _restore_fields(
    entity: Entity,
    run: Sequence[Noted],
    standing: Standing,
    undone: Undone,
    *,
    op: Operation,
    by: Actor,
    now: datetime.datetime,
) -> None:
    # Each record once in a part: what changed twice in one operation goes back in two steps.
    while run:
        part = {change.record: change for change in reversed(run)}
        run = [change for change in run if part[change.record] is not change]
        loaded = write.load(entity, part)
        drafts = [
            Draft(
                id=id_,
                values=_values_before(entity, change, standing.later, loaded[id_], undone),
                current=loaded[id_],
            )
            for id_, change in part.items()
            if id_ in loaded
        ]
        for id_ in part.keys() - loaded.keys():
            reason = _("It has been deleted since.")
            undone.conflicts.append(Conflict(entity.name, id_, "", reason))
        drop_dangling(entity, drafts, undone)
        if entity.hierarchy:
            _drop_circles(entity, drafts, undone)
        changed = [draft for draft in drafts if draft.values]
        write.write(entity, changed, op=op, by=by, now=now)
        undone.restored += len(changed)


def _values_before(
    entity: Entity, change: Noted, later: Later, current: dict[str, Any], undone: Undone
) -> dict[str, Any]:
    overwritten = _overwritten(change, later, current, entity)
    values: dict[str, Any] = {}
    for name, old in (change.before or {}).items():
        field = entity.fields.get(name)
        if field is None:
            continue
        if name in overwritten:
            reason = _("%(field)s has been changed since.") % {"field": str(field.label)}
            undone.conflicts.append(Conflict(entity.name, change.record, name, reason))
        else:
            values[name] = from_json(field, old)
    return values


def _overwritten(change: Noted, later: Later, current: dict[str, Any], entity: Entity) -> set[str]:
    """Fields of `change` that another operation wrote afterwards and that still differ from what
    `change` left: when two later writes cancelled out, there is nothing to lose."""
    names: set[str] = set()
    for other in later.get(change.record, ()):
        if other.id > change.id:
            names.update((other.after or {}).keys())
    return {
        name
        for name in names & set(change.after or {})
        if current.get(name) != from_json(entity.fields[name], (change.after or {})[name])
    }


def drop_dangling(entity: Entity, drafts: Sequence[Draft], undone: Undone) -> None:
    """Links are not put back to records that are gone. The unit follows the owner."""
    links = [field for field in entity.fields.values() if field.kind in _LINKS]
    wanted = [
        (draft, field, field.ref(draft.values[field.name]))
        for draft in drafts
        for field in links
        if draft.values.get(field.name)
    ]
    there = _there(ref for _draft, _field, ref in wanted)
    for draft, link, ref in wanted:
        if ref not in there:
            del draft.values[link.name]
            undone.conflicts.append(_gone(entity, draft.id, link))
        elif link.name == "owner":
            draft.values["owning_unit"] = there[ref]


def _drop_circles(entity: Entity, drafts: Sequence[Draft], undone: Undone) -> None:
    """Nothing is put below what stands below it by now."""
    for draft, reason in checking.break_circles(entity, drafts):
        undone.conflicts.append(Conflict(entity.name, draft.id, entity.hierarchy, reason))


_LINKS = frozenset({Kind.LOOKUP, Kind.POINTER, Kind.OWNER})


def _there(refs: Iterable[Ref]) -> dict[Ref, uuid.UUID | None]:
    """Those of `refs` whose record exists (entity '' stands for users and teams: then with their
    unit); a statement for each entity."""
    ids: dict[str, set[uuid.UUID]] = defaultdict(set)
    for ref in refs:
        ids[ref.entity].add(ref.id)
    found: dict[Ref, uuid.UUID | None] = {}
    for name, wanted in ids.items():
        if not name:
            units = Principal.objects.filter(pk__in=wanted).values_list("pk", "unit_id")
            found.update({Ref("", id_): unit for id_, unit in units})
        else:
            there = stored(registry[name], list(wanted))
            found.update({Ref(name, id_): None for id_ in there})
    return found


def _gone(entity: Entity, record: uuid.UUID, field: Field) -> Conflict:
    reason = _("What %(field)s named is gone.") % {"field": str(field.label)}
    return Conflict(entity.name, record, field.name, reason)


def _remove_created(
    entity: Entity,
    run: Sequence[Noted],
    standing: Standing,
    undone: Undone,
    *,
    op: Operation,
    by: Actor,
    now: datetime.datetime,
) -> None:
    ids = [change.record for change in run if change.record in standing.there]
    changed = {id_ for id_ in ids if standing.later.get(id_)}
    named = dependants.pointed_at(entity, {*ids} - changed)
    for id_ in changed:
        undone.conflicts.append(Conflict(entity.name, id_, "", _("It has been changed since.")))
    for id_, label in named.items():
        reason = _("%(entity)s points at it.") % {"entity": label}
        undone.conflicts.append(Conflict(entity.name, id_, "", reason))
    free = [id_ for id_ in ids if id_ not in changed and id_ not in named]
    write.delete(entity, free, op=op, now=now, locked=True)
    standing.there.difference_update(free)
    undone.removed += len(free)


def return_deleted(
    entity: Entity,
    run: Sequence[Noted],
    standing: Standing,
    undone: Undone,
    *,
    op: Operation,
    by: Actor,
    now: datetime.datetime,
) -> None:
    """Put the records of `run` back, with what they name; those that cannot are conflicts."""
    there = {change.record for change in run} & standing.there
    for id_ in there:
        reason = _("It is there already.")
        undone.conflicts.append(Conflict(entity.name, id_, "", reason))
    returning = {
        change.record: write.from_whole(entity, change.before or {})
        for change in run
        if change.record not in there
    }
    if _return_links(entity, returning, run, undone) or there:
        op.parameters = {**op.parameters, _INCOMPLETE: True}
    for id_, columns in checking.taken(entity, returning).items():
        field = checking.field_over(entity, columns[-1])
        reason = _("%(field)s is taken by now.") % {"field": str(entity.fields[field].label)}
        undone.conflicts.append(Conflict(entity.name, id_, field, reason))
        del returning[id_]
    write.restore(entity, returning, op=op, now=now)
    standing.there.update(returning)
    undone.returned += len(returning)
    _link_again(entity, returning, run, op=op, by=by, now=now)


def stored(entity: Entity, ids: Sequence[uuid.UUID], *, lock: bool = False) -> set[uuid.UUID]:
    """Those of `ids` that are there, locked until the transaction ends if asked for."""
    asked = set(ids)
    if lock and connection.features.has_select_for_update:
        return set(write.lock(entity, list(asked)))
    found = entity.records().filter(idlists.among(entity.model, list(asked)))
    # Mostly all are there, and to count them is quicker than to read what is known.
    return asked if found.count() == len(asked) else set(found.values_list("pk", flat=True))


def _return_links(
    entity: Entity,
    returning: dict[uuid.UUID, dict[str, Any]],
    run: Sequence[Noted],
    undone: Undone,
) -> bool:
    """Empty links whose target is gone; a record that cannot be without one does not return. A
    target that the same operation deleted comes back later, and is linked to again then: whether
    there are such."""
    wanted: list[tuple[uuid.UUID, Field, Ref]] = []
    for id_, row in returning.items():
        values = from_columns(entity, row)
        wanted += [
            (id_, field, field.ref(values[field.name]))
            for field in entity.fields.values()
            if field.kind in _LINKS and values[field.name]
        ]
    there = _there(ref for _id, _field, ref in wanted)
    coming = _deleted_by(run[0].operation_id, {ref.id for *_, ref in wanted if ref not in there})
    # Those that cannot return first, for they may be what others of them name.
    needed = [one for one in wanted if _is_needed(entity, one[1])]
    while staying := [one for one in needed if _is_missing(one, there, returning)]:
        for id_, link, _ref in staying:
            undone.conflicts.append(_gone(entity, id_, link))
            returning.pop(id_, None)
    postponed = False
    for id_, link, ref in wanted:
        if _is_missing((id_, link, ref), there, returning):
            returning[id_].update(to_columns(entity, {link.name: None}))
            postponed = postponed or ref.id in coming
            if ref.id not in coming:
                undone.conflicts.append(_gone(entity, id_, link))
        elif link.name == "owner" and id_ in returning:
            returning[id_]["owning_unit_id"] = there[ref]
    return postponed


# Of an undo: records came back without a link that others of them may be for.
_INCOMPLETE = "incomplete"


def _is_needed(entity: Entity, field: Field) -> bool:
    """Whether a record cannot be without this link."""
    return field.required or not entity.model._meta.get_field(field.columns[-1]).null


def _is_missing(
    link: tuple[uuid.UUID, Field, Ref],
    there: Mapping[Ref, Any],
    returning: Mapping[uuid.UUID, Any],
) -> bool:
    id_, _field, ref = link
    return id_ in returning and ref not in there and ref.id not in returning


def _deleted_by(operation: uuid.UUID, ids: set[uuid.UUID]) -> set[uuid.UUID]:
    if not ids:
        return set()
    changes = Change.objects.filter(operation_id=operation, verb=ChangeVerb.DELETE, record__in=ids)
    return set(changes.values_list("record", flat=True))


def _link_again(
    entity: Entity,
    returned: Mapping[uuid.UUID, Any],
    run: Sequence[Noted],
    *,
    op: Operation,
    by: Actor,
    now: datetime.datetime,
) -> None:
    """Records of the same deletion that came back before these link to them again."""
    if op.undo_of_id and _INCOMPLETE not in op.parameters:
        return
    earlier = Change.objects.filter(
        operation_id=run[0].operation_id, verb=ChangeVerb.DELETE, id__gt=run[-1].id
    )
    if not returned or not earlier.exists():
        return
    for other, link in dependants.pointing(entity):
        names = [one.name for one in registry if one.model is other.model]
        key = f"before__{link.columns[-1]}__in"
        values: dict[uuid.UUID, dict[str, Any]] = {}
        for change in earlier.filter(entity__in=names, **{key: [str(id_) for id_ in returned]}):
            row = write.from_whole(other, change.before or {})
            values[change.record] = {link.name: from_columns(other, row)[link.name]}
        stored = write.load(other, values)
        drafts = [
            Draft(id=id_, values=values[id_], current=row)
            for id_, row in stored.items()
            if not row[link.name]
        ]
        write.write(other, drafts, op=op, by=by, now=now)
