"""What changed since: the journal read forwards, without missing what is still being written."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass

from django.db import connection
from django.db.models import Max

from rapport.models import Change

SIZE = 1000


@dataclass(frozen=True, slots=True)
class Delta:
    """One change: of which record, what (a `ChangeVerb`), by which operation."""

    id: int
    entity: str
    record: uuid.UUID
    verb: int
    operation: uuid.UUID


@dataclass(frozen=True, slots=True)
class Mark:
    """How far the journal was written at some moment: its last change, and on PostgreSQL the
    transactions that were under way."""

    change: int
    running: frozenset[int] = frozenset()


def mark() -> Mark:
    """How far the journal is written now."""
    last = Change.objects.aggregate(last=Max("pk"))["last"] or 0
    # In this order: who began to write later has later changes.
    return Mark(last, _running())


def is_settled(mark: Mark) -> bool:
    """Whether no change up to `mark` can still appear.

    On PostgreSQL numbers are given out before they are committed, so whoever was under way may
    still commit a smaller one. A change is never the first row of its transaction: who holds such a
    number is among the running. SQLite has one writer, and its order is that of the commits.
    """
    return not (mark.running and mark.running & _running())


def _running() -> frozenset[int]:
    """Numbers of the other transactions of this database that write."""
    if connection.vendor != "postgresql":
        return frozenset()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT l.transactionid::text FROM pg_locks l JOIN pg_stat_activity a USING (pid) "
            "WHERE l.locktype = 'transactionid' AND l.mode = 'ExclusiveLock' AND l.granted "
            "AND a.datname = current_database() AND l.pid <> pg_backend_pid()"
        )
        return frozenset(int(row[0]) for row in cursor.fetchall())


def changes(
    after: int, upto: Mark, *, entities: Collection[str] | None = None, limit: int = SIZE
) -> tuple[list[Delta], int]:
    """The next changes behind number `after` and up to a settled mark, of `entities` when given;
    and the number to go on from. That is `upto.change` when there is nothing left."""
    found = Change.objects.filter(pk__gt=after, pk__lte=upto.change).order_by("pk")
    rows = list(found.values_list("pk", "entity", "record", "verb", "operation_id")[:limit])
    last = rows[-1][0] if len(rows) == limit else upto.change
    return [Delta(*row) for row in rows if entities is None or row[1] in entities], max(after, last)
