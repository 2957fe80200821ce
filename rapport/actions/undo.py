"""Undo: any operation can be taken back, with the conflicts named; the undo is an operation too.

A field goes back only if this operation was its last writer. A created record goes only if nobody
changed it since and nothing points at it. A deleted one comes back with its id.
"""

from __future__ import annotations

import datetime
import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from rapport import access
from rapport.access import Actor, SystemActor
from rapport.meta.entity import Draft, Entity
from rapport.meta.kinds import Kind, from_json
from rapport.meta.registry import registry
from rapport.models import Change, Operation
from rapport.models.journal import ChangeVerb, OperationState
from rapport.models.people import Verb
from rapport.queries import history

from . import checking, journal, write
from .records import RecordNotFound

# Changes undone in one transaction.
BATCH = 500
# From this many changes on people get a job instead of waiting.
LARGE = 1000
# Conflicts that the undo's operation lists.
CONFLICTS_KEPT = 1000


class CannotUndo(ValueError):
    """The operation runs still, or has been undone."""


class NotYours(access.Forbidden):
    """Undo needs write access to every record of the operation."""


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


class _Rehearsed(Exception):
    """Rolls a preview back."""


def preview(op: Operation, *, by: Actor, conflicts: int = 200) -> Undone:
    """What `undo` would do, found by doing it and rolling it back.

    Raises CannotUndo, NotYours.
    """
    undone = Undone()
    try:
        with transaction.atomic():
            trial = begin(op, by=by)
            before = advance(trial, undone, by=by)
            while before is not None:
                before = advance(trial, undone, by=by, before=before)
            raise _Rehearsed
    except _Rehearsed:
        pass
    del undone.conflicts[conflicts:]
    return undone


def undo(
    op: Operation, *, by: Actor, now: datetime.datetime | None = None
) -> tuple[Operation, Undone]:
    """Take `op` back, batch by batch; conflicts stay as they are and are listed.

    Raises CannotUndo, NotYours.
    """
    undone = Undone()
    with transaction.atomic():
        back = begin(op, by=by)
        before = advance(back, undone, by=by, now=now)
    while before is not None:
        with transaction.atomic():
            before = advance(back, undone, by=by, now=now, before=before)
    journal.finish(back)
    return back, undone


def begin(op: Operation, *, by: Actor) -> Operation:
    """Start to undo `op`; `advance` takes it back. In the transaction of the first batch.

    Raises CannotUndo, NotYours.
    """
    _check(op, by)
    return journal.begin("undo", by=by, undo_of=op, parameters={"kind": op.kind})


def advance(
    back: Operation,
    undone: Undone,
    *,
    by: Actor,
    now: datetime.datetime | None = None,
    before: int | None = None,
    size: int = BATCH,
) -> int | None:
    """Take one batch back, of the changes before change `before`; adds to `undone`. Where the next
    batch starts, None at the end (then `journal.finish`). One transaction."""
    op = back.undo_of
    assert op is not None
    batch = _batch(op, before, size)
    if not batch:
        return None
    known = len(undone.conflicts)
    _undo_batch(batch, undone, op=back, by=by, now=now or timezone.now(), undo_of=op)
    listed = back.parameters.get("conflicts", [])
    listed += [
        {"entity": c.entity, "record": str(c.record), "field": c.field, "reason": str(c.reason)}
        for c in undone.conflicts[known:]
    ]
    back.parameters = {**back.parameters, "conflicts": listed[:CONFLICTS_KEPT]}
    back.save(update_fields=["parameters"])
    journal.checkpoint(back)
    return batch[-1].id


def _check(op: Operation, by: Actor) -> None:
    if op.state == OperationState.RUNNING:
        raise CannotUndo(_("It is still running."))
    undone = op.undone_by.filter(state__in=[OperationState.DONE, OperationState.RUNNING]).exists()
    if undone and not _undo_was_undone(op):
        raise CannotUndo(_("It has been undone already."))
    for name, verb in op.changes.values_list("entity", "verb").distinct():
        entity = registry[name]
        if not access.may(by, Verb.WRITE, entity):
            raise NotYours(_("You may not change all records of this operation."))
        if verb == ChangeVerb.DELETE:
            access.require(by, Verb.CREATE, entity)
            if not isinstance(by, SystemActor) and op.user_id != by.pk:
                _check_deleted(entity, op.changes.filter(entity=name, verb=verb), by)
            continue
        touched = op.changes.filter(entity=name, verb=verb).values("record")
        mine = access.visible_to(entity.records(), entity, by, Verb.WRITE)
        strangers = entity.records().filter(pk__in=touched).exclude(pk__in=mine.values("pk"))
        if strangers.exists():
            raise NotYours(_("You may not change all records of this operation."))


@dataclass(frozen=True, slots=True)
class _Gone:
    """Whose a deleted row was: what `access.allows` asks of a row."""

    pk: uuid.UUID
    owner_id: uuid.UUID | None
    owning_unit_id: uuid.UUID | None


def _check_deleted(entity: Entity, changes: QuerySet[Change], by: Actor) -> None:
    """Rows that somebody else deleted come back only through those who could have changed them."""
    link = entity.fields.get(entity.parent)
    if link is not None:
        kept = {f"before__{column}" for column in link.columns}
        for values in changes.values(*kept).distinct():
            *names, key = (values[f"before__{column}"] for column in link.columns)
            parent = registry[names[0] if names else link.target or ""]
            if key and not _may_reach(parent, uuid.UUID(key), by):
                raise NotYours(_("You may not change all records of this operation."))
        return
    owners = changes.values_list("before__owner_id", "before__owning_unit_id").distinct()
    for pair in owners:
        owner, unit = (uuid.UUID(value) if value else None for value in pair)
        if not access.allows(by, Verb.WRITE, entity, _Gone(uuid.UUID(int=0), owner, unit)):
            raise NotYours(_("You may not change all records of this operation."))


def _may_reach(parent: Entity, id: uuid.UUID, by: Actor) -> bool:
    """Whether `by` may change the parent; one that is gone too is judged by its own deletion."""
    if not parent.records().filter(pk=id).exists():
        return True
    return id in access.allowed_ids([id], parent, by, Verb.WRITE)


def restore_record(
    change: int, *, by: Actor, now: datetime.datetime | None = None
) -> tuple[Operation, Undone]:
    """Put back the one record that `change` deleted, without what went along with it.

    Raises RecordNotFound, NotYours, and CannotUndo with what stands in the way.
    """
    found = Change.objects.filter(pk=change, verb=ChangeVerb.DELETE).select_related("operation")
    deletion = found.first()
    if deletion is None or not history.may_see_deleted(deletion, by):
        raise RecordNotFound(str(change))
    entity = registry[deletion.entity]
    access.require(by, Verb.CREATE, entity)
    if isinstance(by, SystemActor) or deletion.operation.user_id != by.pk:
        _check_deleted(entity, Change.objects.filter(pk=deletion.pk), by)
    now = now or timezone.now()
    undone = Undone()
    with journal.operation(f"{entity.name}.restore", by=by, now=now) as op:
        _return_deleted(entity, [deletion], {}, undone, op=op, by=by, now=now)
        if not undone.returned:
            raise CannotUndo(" ".join(str(conflict.reason) for conflict in undone.conflicts))
    return op, undone


def _undo_was_undone(op: Operation) -> bool:
    last = op.undone_by.order_by("-started_at", "-id").first()
    return last is not None and last.undone_by.filter(state=OperationState.DONE).exists()


def _batch(op: Operation, before: int | None, size: int) -> list[Change]:
    """The next changes of `op`, newest first: what was made last goes first."""
    page = Change.objects.filter(operation_id=op.pk).order_by("-id")
    return list(page.filter(id__lt=before)[:size] if before else page[:size])


def _undo_batch(
    batch: Sequence[Change],
    undone: Undone,
    *,
    op: Operation,
    by: Actor,
    now: datetime.datetime,
    undo_of: Operation,
) -> None:
    later = _later_changes(batch, undo_of, op)
    # Runs of the same entity and verb, in order, so that what depends on each other stays in order.
    runs: list[list[Change]] = []
    for change in batch:
        if runs and (runs[-1][0].entity, runs[-1][0].verb) == (change.entity, change.verb):
            runs[-1].append(change)
        else:
            runs.append([change])
    steps = {
        ChangeVerb.CREATE: _remove_created,
        ChangeVerb.UPDATE: _restore_fields,
        ChangeVerb.DELETE: _return_deleted,
    }
    for run in runs:
        step = steps[ChangeVerb(run[0].verb)]
        step(registry[run[0].entity], run, later, undone, op=op, by=by, now=now)


def _later_changes(
    batch: Sequence[Change], undo_of: Operation, op: Operation
) -> dict[uuid.UUID, list[Change]]:
    """Changes of the same records by other operations since."""
    found: dict[uuid.UUID, list[Change]] = defaultdict(list)
    since = Change.objects.filter(
        record__in={change.record for change in batch}, id__gt=min(change.id for change in batch)
    )
    for change in since.exclude(operation_id__in=[undo_of.pk, op.pk]).order_by("id"):
        found[change.record].append(change)
    return found


Later = dict[uuid.UUID, list[Change]]


def _restore_fields(
    entity: Entity,
    run: Sequence[Change],
    later: Later,
    undone: Undone,
    *,
    op: Operation,
    by: Actor,
    now: datetime.datetime,
) -> None:
    stored = write.load(entity, {change.record for change in run})
    for change in run:
        current = stored.get(change.record)
        if current is None:
            undone.conflicts.append(
                Conflict(entity.name, change.record, "", _("It has been deleted since."))
            )
            continue
        overwritten = _overwritten(change, later, current, entity)
        values: dict[str, Any] = {}
        for name, old in (change.before or {}).items():
            if name not in entity.fields:
                continue
            if name in overwritten:
                label = str(entity.fields[name].label)
                reason = _("%(field)s has been changed since.") % {"field": label}
                undone.conflicts.append(Conflict(entity.name, change.record, name, reason))
            else:
                values[name] = from_json(entity.fields[name], old)
        values = _drop_dangling(entity, change.record, values, undone)
        if values:
            draft = Draft(id=change.record, values=values, current=current)
            write.write(entity, [draft], op=op, by=by, now=now)
            stored[change.record] = write.load(entity, [change.record])[change.record]
            undone.restored += 1


def _overwritten(change: Change, later: Later, current: dict[str, Any], entity: Entity) -> set[str]:
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


def _drop_dangling(
    entity: Entity, record: uuid.UUID, values: dict[str, Any], undone: Undone
) -> dict[str, Any]:
    """Links are not put back to records that are gone."""
    kept: dict[str, Any] = {}
    for name, value in values.items():
        found = entity.fields[name]
        if value and found.kind in {Kind.LOOKUP, Kind.POINTER}:
            target, id_ = found.ref(value)
            if not registry[target].records().filter(pk=id_).exists():
                reason = _("What %(field)s named is gone.") % {"field": str(found.label)}
                undone.conflicts.append(Conflict(entity.name, record, name, reason))
                continue
        kept[name] = value
    return kept


def _remove_created(
    entity: Entity,
    run: Sequence[Change],
    later: Later,
    undone: Undone,
    *,
    op: Operation,
    by: Actor,
    now: datetime.datetime,
) -> None:
    ids = [change.record for change in run]
    there = set(entity.records().filter(pk__in=ids).values_list("pk", flat=True))
    changed = {change.record for change in run if later.get(change.record)} & there
    named = checking.pointed_at(entity, there - changed)
    for id_ in changed:
        undone.conflicts.append(Conflict(entity.name, id_, "", _("It has been changed since.")))
    for id_, label in named.items():
        reason = _("%(entity)s points at it.") % {"entity": label}
        undone.conflicts.append(Conflict(entity.name, id_, "", reason))
    free = [id_ for id_ in ids if id_ in there and id_ not in changed and id_ not in named]
    write.delete(entity, free, op=op, now=now)
    undone.removed += len(free)


def _return_deleted(
    entity: Entity,
    run: Sequence[Change],
    _later: Later,
    undone: Undone,
    *,
    op: Operation,
    by: Actor,
    now: datetime.datetime,
) -> None:
    ids = [change.record for change in run]
    there = set(entity.records().filter(pk__in=ids).values_list("pk", flat=True))
    wholes = {}
    for change in run:
        if change.record in there:
            reason = _("It is there already.")
            undone.conflicts.append(Conflict(entity.name, change.record, "", reason))
            continue
        whole = dict(change.before or {})
        if _return_links(entity, change.record, whole, undone):
            wholes[change.record] = whole
    write.restore(entity, wholes, op=op, now=now)
    undone.returned += len(wholes)


def _return_links(entity: Entity, record: uuid.UUID, whole: dict[str, Any], undone: Undone) -> bool:
    """Empty links whose target is gone; False when the record cannot be without one."""
    for found in entity.fields.values():
        if found.kind is not Kind.LOOKUP or not whole.get(found.column) or found.target is None:
            continue
        target = registry[found.target]
        if target.records().filter(pk=whole[found.column]).exists():
            continue
        reason = _("What %(field)s named is gone.") % {"field": str(found.label)}
        undone.conflicts.append(Conflict(entity.name, record, found.name, reason))
        if not entity.model._meta.get_field(found.name).null:
            return False
        whole[found.column] = None
    for found in entity.fields.values():
        if (
            found.unique
            and entity.records().filter(**{found.column: whole.get(found.column)}).exists()
        ):
            reason = _("%(field)s is taken by now.") % {"field": str(found.label)}
            undone.conflicts.append(Conflict(entity.name, record, found.name, reason))
            return False
    return True
