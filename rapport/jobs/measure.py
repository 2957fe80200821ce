"""What SQLite's planner knows of the tables. PostgreSQL finds out by itself."""

from __future__ import annotations

from typing import Any

from django.db import connection, transaction

# Rows that SQLite reads for each value of an index: it takes milliseconds however large tables are.
SAMPLE = 1000
# An index whose first column has more values than this has few rows for each.
VALUES = 5000


def measure_tables() -> None:
    """Tell SQLite how many rows a value of each index names: without it the list of somebody who
    sees half of the records sorts all of them."""
    if connection.vendor != "sqlite":
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"PRAGMA analysis_limit = {SAMPLE}")
        cursor.execute("ANALYZE")
        cursor.execute("SELECT tbl, idx, stat FROM sqlite_stat1 WHERE idx IS NOT NULL")
        corrected = [
            (stat, index)
            for table, index, found in cursor.fetchall()
            if (stat := _corrected(cursor, table, index, found))
        ]
        cursor.executemany("UPDATE sqlite_stat1 SET stat = %s WHERE idx = %s", corrected)
        # A table with few rows would be read from end to end, also when an import has filled it:
        # of those the planner had better know nothing, then it takes an index.
        cursor.execute("DELETE FROM sqlite_stat1 WHERE CAST(stat AS integer) < %s", [SAMPLE])
        # Read again by this connection; others read it when they connect.
        cursor.execute("ANALYZE sqlite_schema")


def _corrected(cursor: Any, table: str, index: str, stat: str) -> str:
    """The statistics of an index of which a value names more rows than were read; '' for others.
    SQLite writes down as many as it read, so an owner of half the records would seem to own few."""
    total, each, *rest = stat.split()
    if not each.isdigit() or int(each) <= SAMPLE:
        return ""
    cursor.execute("SELECT name FROM pragma_index_info(%s) WHERE seqno = 0", [index])
    (column,) = cursor.fetchone()
    if column is None:
        return ""
    column, table = map(connection.ops.quote_name, (column, table))
    # From value to value, without reading the rows of each.
    cursor.execute(
        f"WITH RECURSIVE found(value) AS (SELECT min({column}) FROM {table} UNION ALL "  # noqa: S608
        f"SELECT (SELECT min({column}) FROM {table} WHERE {column} > value) FROM found "
        f"WHERE value IS NOT NULL LIMIT {VALUES}) SELECT count(value) FROM found"
    )
    (values,) = cursor.fetchone()
    each = str(max(int(each), int(total) // max(values, 1)))
    return " ".join((total, each, *rest))
