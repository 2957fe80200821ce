"""Match keys that stand beside their index for a while: on SQLite a long operation writes those of
a batch as a sorted run, and many runs are merged into the index at once (decision 0403).

Whoever asks for keys asks both. In one statement: a key that is being moved is in one of them.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from django.db import connection

from rapport.models import FreshKey, MatchKey


def runs() -> list[int]:
    """The runs that stand beside the index; none on PostgreSQL, and mostly none at all."""
    if connection.vendor != "sqlite":
        return []
    with connection.cursor() as cursor:
        cursor.execute(RUNS)
        return [run for (run,) in cursor.fetchall()]


def number(first: str, last: str, taken: Sequence[int]) -> int:
    """A number for a run of the records with ids from the one to the other, in hexadecimal digits;
    it tells of which import they are, if of one."""
    ends = {int(first, 16) >> ROWS, int(last, 16) >> ROWS}
    free = min(set(range(1, 1 << _PLACES)) - {run & ((1 << _PLACES) - 1) for run in taken})
    return (_origin(ends.pop()) if len(ends) == 1 else 0) << _PLACES | free


def but_of(first: uuid.UUID) -> str:
    """SQL of the runs but those of the import whose ids begin with this one."""
    return f"{RUNS} AND run >> {_PLACES} <> {_origin(first.int >> ROWS)}"


def _origin(import_: int) -> int:
    # Two imports that have runs at the same time will hardly be told as one; if they were, rows of
    # the one would be trusted that share a key with the other, as the plan has found them new.
    return import_ % _PRIME + 1


def source(where: str, values: Sequence[Any]) -> tuple[str, list[Any]]:
    """All keys for which `where` holds, for a FROM, with its values."""
    found = runs()
    if not found:
        return f"{INDEX} WHERE {where}", [*values]
    return (
        f"(SELECT hash, entity, record FROM {INDEX} WHERE {where} UNION ALL SELECT hash, entity, "
        f"record FROM {FRESH} WHERE run IN ({', '.join(map(str, found))}) AND {where})"
    ), [*values, *values]


# Ids of the records that one import makes differ in so many last bits.
ROWS = 24
# So many last bits of a run's number count the runs; the others are those of its import.
_PLACES, _PRIME = 8, 8_388_593
INDEX = f'"{MatchKey._meta.db_table}"'
FRESH = f'"{FreshKey._meta.db_table}"'
# From run to run by the index: there are few, of very many keys.
RUNS = (
    f"WITH RECURSIVE r(run) AS (SELECT min(run) FROM {FRESH} UNION ALL "
    f"SELECT (SELECT min(run) FROM {FRESH} WHERE run > r.run) FROM r "
    "WHERE r.run IS NOT NULL) SELECT run FROM r WHERE run IS NOT NULL"
)
