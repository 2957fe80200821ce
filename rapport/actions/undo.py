"""Undo: any operation can be taken back, with the conflicts named; the undo is an operation too.

`reversal` has the rules.
"""

from __future__ import annotations

import datetime
import time
import uuid
from dataclasses import dataclass

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from rapport import access
from rapport.access import Actor, SystemActor
from rapport.meta.entity import Entity
from rapport.meta.registry import registry
from rapport.models import Change, KeyRing, MatchKey, Operation
from rapport.models.journal import ChangeVerb, OperationState
from rapport.models.people import Verb
from rapport.queries import history, moved
from rapport.queries.operations import undone_by

from . import journal, lease, leftkeys, pgplanner, sweep
from .records import RecordNotFound
from .reversal import Conflict, Noted, Standing, Undone, noted, return_deleted, revert, stored

__all__ = ["BATCH", "LARGE", "CannotUndo", "Conflict", "NotYours", "Undone", "preview", "undo"]

# Changes undone in one transaction.
BATCH = 500
# A smaller batch takes hardly less time.
SMALLEST = 200
# From this many changes on people get a job instead of waiting.
LARGE = 1000
# Conflicts that the undo's operation lists.
CONFLICTS_KEPT = 1000


class CannotUndo(ValueError):
    """The operation runs still, or has been undone."""


class NotYours(access.Forbidden):
    """Undo needs write access to every record of the operation."""


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
            while before:
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
    pace = lease.Pace(size=BATCH, smallest=SMALLEST)
    with transaction.atomic():
        back = begin(op, by=by)
        before = advance(back, undone, by=by, now=now)
    try:
        with lease.much_to_write():
            while before is not None:
                started = time.monotonic()
                with transaction.atomic():
                    before = advance(back, undone, by=by, now=now, before=before, size=pace.size)
                pace.learn(time.monotonic() - started)
                pace.let_others_in()
    except BaseException:
        # What is taken back stays so; the rest can be tried again.
        journal.finish(back, OperationState.FAILED)
        raise
    journal.finish(back)
    return back, undone


def begin(op: Operation, *, by: Actor) -> Operation:
    """Start to undo `op`; `advance` takes it back. In the transaction of the first batch.

    Raises CannotUndo, NotYours.
    """
    # Locked, so that of two people who take the same thing back the second is told.
    op = Operation.objects.select_for_update(of=("self",)).get(pk=op.pk)
    check(op, by=by)
    if is_large(op):
        written = {
            registry[name].model for name in op.changes.values_list("entity", flat=True).distinct()
        }
        pgplanner.count_anew({*written, Change, MatchKey, KeyRing})
    parameters = {"kind": op.kind, **(leftkeys.parameters(op) if is_large(op) else {})}
    return journal.begin("undo", by=by, undo_of=op, parameters=parameters)


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
    batch starts, 0 when only the keys that were left are to go, None at the end (then
    `journal.finish`). One transaction."""
    op = back.undo_of
    assert op is not None
    batch = _batch(op, before, size) if before != 0 else []
    if not batch:
        more = leftkeys.clear(back, size)
        back.save(update_fields=["parameters"])
        return 0 if more else None
    known, now = len(undone.conflicts), now or timezone.now()
    following = batch[-1].id if len(batch) == size else None
    swept = sweep.start(batch)
    if swept == 0:
        limit = size * sweep.FASTER
        following = sweep.sweep(batch[0], undone, op=back, by=by, now=now, undo_of=op, limit=limit)
    else:
        if swept:
            batch = batch[:swept]
            following = batch[-1].id
        revert(batch, undone, op=back, by=by, now=now, undo_of=op)
    listed = back.parameters.get("conflicts", [])
    listed += [
        {"entity": c.entity, "record": str(c.record), "field": c.field, "reason": str(c.reason)}
        for c in undone.conflicts[known:]
    ]
    back.parameters = {**back.parameters, "conflicts": listed[:CONFLICTS_KEPT]}
    back.save(update_fields=["parameters", "counts"])
    return 0 if following is None and leftkeys.are_left(back) else following


def conflicts_of(back: Operation) -> list[Conflict]:
    """What the undo `back` left as it was, as far as it is listed."""
    listed = back.parameters.get("conflicts", []) if back.undo_of_id else []
    return [Conflict(**{**one, "record": uuid.UUID(one["record"])}) for one in listed]


def check(op: Operation, *, by: Actor) -> None:
    """Raise CannotUndo or NotYours unless `by` may undo `op` now."""
    if op.state == OperationState.RUNNING:
        raise CannotUndo(_("It is still running."))
    if undone_by(op) is not None:
        raise CannotUndo(_("It has been undone already."))
    merge = moved.merge_behind(op)
    if merge is not None:
        _check_merge(merge, op, by)
        return
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


def _check_merge(merge: Operation, op: Operation, by: Actor) -> None:
    """Of a merge only its records are asked for: what pointed at them followed by itself, and goes
    back so. One whose main record was itself merged later is taken back after that."""
    entity = registry[merge.kind.partition(".")[0]]
    access.require(by, Verb.WRITE, entity)
    master, losers = moved.merged(merge)
    there = set(entity.records().filter(pk__in=[master, *losers]).values_list("pk", flat=True))
    if master not in there and moved.moved(entity, master):
        text = _("“%(title)s” was itself merged into another record later: undo that first.")
        title = history.title_of_deleted(moved.deletion(master))
        raise CannotUndo(text % {"title": title})
    if there - access.allowed_ids(there, entity, by, Verb.WRITE):
        raise NotYours(_("You may not change all records of this operation."))
    gone = op.changes.filter(entity=entity.name, verb=ChangeVerb.DELETE)
    if gone.exists():
        access.require(by, Verb.CREATE, entity)
        if not isinstance(by, SystemActor) and op.user_id != by.pk:
            _check_deleted(entity, gone, by)


def is_large(op: Operation) -> bool:
    """Whether undoing `op` takes so long that people get a job instead of waiting."""
    size = sum(op.counts.values())
    return bool(size >= (LARGE * sweep.FASTER if moved.merge_behind(op) else LARGE))


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
    if not isinstance(by, SystemActor) and deletion.operation.user_id != by.pk:
        _check_deleted(entity, Change.objects.filter(pk=deletion.pk), by)
    now = now or timezone.now()
    undone = Undone()
    with journal.operation(f"{entity.name}.restore", by=by, now=now) as op:
        back = noted(Change.objects.filter(pk=deletion.pk), deletion.operation_id)
        standing = Standing(there=stored(entity, [one.record for one in back], lock=True))
        return_deleted(entity, back, standing, undone, op=op, by=by, now=now)
        if not undone.returned:
            raise CannotUndo(" ".join(str(conflict.reason) for conflict in undone.conflicts))
    return op, undone


def _batch(op: Operation, before: int | None, size: int) -> list[Noted]:
    """The next changes of `op`, newest first: what was made last goes first."""
    page = Change.objects.filter(operation_id=op.pk).order_by("-id")
    return noted(page.filter(id__lt=before)[:size] if before else page[:size], op.pk)
