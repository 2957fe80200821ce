"""Match keys that stand beside their index for a while: on SQLite a long operation writes those of
a batch as a sorted run, and many runs are merged into the index at once (decision 0403).

Whoever asks for keys asks both. In one statement: a key that is being moved is in one of them.
"""

from __future__ import annotations

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


def source(where: str, values: Sequence[Any]) -> tuple[str, list[Any]]:
    """All keys for which `where` holds, for a FROM, with its values."""
    found = runs()
    if not found:
        return f"{INDEX} WHERE {where}", [*values]
    return (
        f"(SELECT hash, entity, record FROM {INDEX} WHERE {where} UNION ALL SELECT hash, entity, "
        f"record FROM {FRESH} WHERE run IN ({', '.join(map(str, found))}) AND {where})"
    ), [*values, *values]


INDEX = f'"{MatchKey._meta.db_table}"'
FRESH = f'"{FreshKey._meta.db_table}"'
# From run to run by the index: there are few, of very many keys.
RUNS = (
    f"WITH RECURSIVE r(run) AS (SELECT min(run) FROM {FRESH} UNION ALL "
    f"SELECT (SELECT min(run) FROM {FRESH} WHERE run > r.run) FROM r "
    "WHERE r.run IS NOT NULL) SELECT run FROM r WHERE run IS NOT NULL"
)
