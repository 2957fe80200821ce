"""Operations: the frame of every write."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from rapport.access import Actor, SystemActor
from rapport.meta.ids import new_id
from rapport.models import Change, Operation, User
from rapport.models.journal import ChangeVerb, OperationState

from . import rows
from .adapted import Same

CHANGE_COLUMNS = (
    "operation_id", "entity", "record", "verb", "row", "version", "at", "before", "after",
)  # fmt: skip


def _operation(
    kind: str,
    by: Actor,
    now: datetime.datetime | None,
    parameters: Mapping[str, Any] | None,
    undo_of: Operation | None,
) -> Operation:
    return Operation(
        id=new_id(),
        kind=kind,
        parameters=dict(parameters or {}),
        user=by if isinstance(by, User) else None,
        actor=by.name if isinstance(by, SystemActor) else "",
        started_at=now or timezone.now(),
        state=OperationState.RUNNING,
        undo_of=undo_of,
        counts={},
    )


@contextmanager
def operation(
    kind: str,
    *,
    by: Actor,
    now: datetime.datetime | None = None,
    parameters: Mapping[str, Any] | None = None,
    undo_of: Operation | None = None,
) -> Iterator[Operation]:
    """One operation in one transaction. Its row is written last, with its counts; an operation
    that changed nothing leaves no row (its `pk` then names nothing)."""
    span = _span.get()
    if span is not None:
        with _part(span, kind, by, parameters) as op:
            yield op
        return
    with transaction.atomic():
        op = _operation(kind, by, now, parameters, undo_of)
        op.pending, op.titles = [], {}
        yield op
        op.state = OperationState.DONE
        op.ended_at = timezone.now()
        if op.counts:
            op.save(force_insert=True)
            rows.insert(Change, CHANGE_COLUMNS, op.pending)


@dataclass(slots=True)
class Span:
    """A long operation that actions become parts of; None until the first of them begins it."""

    op: Operation | None = None


_span: ContextVar[Span | None] = ContextVar("span", default=None)


@contextmanager
def spanning(op: Operation | None = None) -> Iterator[Span]:
    """Actions called inside are parts of one operation that goes on over several transactions:
    `op`, or the one that the first of them begins. Whoever spans it must `finish` it."""
    span = Span(op)
    token = _span.set(span)
    try:
        yield span
    finally:
        _span.reset(token)


@contextmanager
def _part(
    span: Span, kind: str, by: Actor, parameters: Mapping[str, Any] | None
) -> Iterator[Operation]:
    before = span.op
    counts = dict(before.counts) if before else {}
    try:
        with transaction.atomic():
            op = before or begin(kind, by=by, parameters=parameters)
            span.op = op
            yield op
            checkpoint(op)
    except BaseException:
        # Rolled back: what the next part goes on from is what is stored.
        span.op = before
        if before is not None:
            before.counts = counts
        raise


def begin(
    kind: str,
    *,
    by: Actor,
    parameters: Mapping[str, Any] | None = None,
    undo_of: Operation | None = None,
    id: uuid.UUID | None = None,
) -> Operation:
    """Start an operation that spans many transactions (an import): running until `finish`."""
    op = _operation(kind, by, None, parameters, undo_of)
    op.id = id or op.id
    op.save(force_insert=True)
    return op


def checkpoint(op: Operation) -> None:
    """Keep the counts of a long operation, in the transaction of its batch."""
    op.save(update_fields=["counts"])


def finish(op: Operation, state: OperationState = OperationState.DONE) -> None:
    """End a long operation."""
    op.state = state
    op.ended_at = timezone.now()
    op.save(update_fields=["state", "ended_at", "counts"])


def go_on(op: Operation) -> None:
    """Let a long operation that failed or was cancelled run again."""
    op.state = OperationState.RUNNING
    op.ended_at = None
    op.save(update_fields=["state", "ended_at"])


def note(op: Operation, changes: list[tuple[Any, ...]]) -> None:
    """Record `changes` (values of CHANGE_COLUMNS) of `op`: now, or at the end of a short one."""
    if op.pending is None:
        rows.insert(Change, CHANGE_COLUMNS, changes)
    else:
        op.pending += changes


def note_new(
    op: Operation,
    entity: str,
    ids: Sequence[uuid.UUID] | Sequence[str],
    source_rows: Sequence[int | None],
    now: datetime.datetime,
) -> None:
    """Record that `op` created these records, each from a row of a file or from none. Those of a
    long one may be given by the hexadecimal digits of their ids."""
    verb = ChangeVerb.CREATE
    if op.pending is not None:
        op.pending += [
            (op.pk, entity, id_, verb, row, 1, now, None, None)
            for id_, row in zip(ids, source_rows, strict=True)
        ]
        return
    same = [Same(value) for value in (op.pk, entity, verb, 1, now, None, None)]
    operation, name, created, version, at, before, after = same
    columns = (operation, name, ids, created, source_rows, version, at, before, after)
    rows.insert_columns(Change, dict(zip(CHANGE_COLUMNS, columns, strict=True)), len(ids))


def flush(op: Operation) -> None:
    """Store the changes that `op` keeps back: what is recorded past `note` stands behind them."""
    if op.pending:
        rows.insert(Change, CHANGE_COLUMNS, op.pending)
        op.pending.clear()


def settled() -> int | None:
    """On PostgreSQL: the last change before which none can be stored any more. None while others
    are writing, who may have numbered theirs already."""
    if connection.vendor != "postgresql":
        return None
    with connection.cursor() as cursor:
        # Two statements: whoever begins to write between them numbers behind.
        cursor.execute(_LAST, [Change._meta.db_table])
        (last,) = cursor.fetchone()
        cursor.execute(_WRITING)
        (writing,) = cursor.fetchone()
    return None if writing else int(last)


_LAST = "SELECT coalesce(pg_sequence_last_value(pg_get_serial_sequence(%s, 'id')::regclass), 0)"

# Who writes has a number, and holds it; a snapshot does not tell of the latest.
_WRITING = (
    "SELECT count(*) FROM pg_locks WHERE locktype = 'transactionid' AND mode = 'ExclusiveLock' "
    "AND granted AND pid IS DISTINCT FROM pg_backend_pid()"
)


def others_since(op: Operation, change: int) -> bool:
    """Whether others than `op` have stored changes behind this one."""
    behind = Change.objects.filter(id__gt=change).exclude(operation=op.pk)
    # In the order of the index, or PostgreSQL may read the table.
    return bool(behind.order_by("id").values_list("id", flat=True)[:1])


def touched(op: Operation, ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """Those of `ids` that `op` has made or changed already."""
    found = Change.objects.filter(operation=op, record__in=ids)
    return set(found.values_list("record", flat=True))


def count(op: Operation, what: str, number: int) -> None:
    """Add to a count of `op`: created, updated, deleted."""
    if number:
        op.counts[what] = op.counts.get(what, 0) + number
