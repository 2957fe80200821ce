"""What PostgreSQL's planner is told. SQLite plans without."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, models


def count_anew(tables: Iterable[type[models.Model]]) -> None:
    """Let PostgreSQL look how large these tables are. By itself it does so once a minute, and when
    it looks while an import fills a table it takes that for an empty one, whose keys it then looks
    up in any index. SQLite plans without."""
    if connection.vendor == "postgresql":
        quote = connection.ops.quote_name
        names = [
            f"{quote(model._meta.db_table)} ({', '.join(map(quote, _indexed(model)))})"
            for model in sorted({*tables}, key=lambda model: model._meta.db_table)
        ]
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {', '.join(names)}")


def _indexed(model: type[models.Model]) -> list[str]:
    """Columns that an index begins with: to look at all of them takes five times as long."""
    meta: Any = model._meta
    begin = {index.fields[0].lstrip("-") for index in meta.indexes if index.fields}
    begin |= {column.name for column in meta.pk_fields}
    return [c.column for c in meta.concrete_fields if c.db_index or {c.name, c.attname} & begin]


@contextmanager
def by_index(cursor: Any) -> Iterator[None]:
    """PostgreSQL joins by looking up one row after the other. In a transaction."""
    if connection.vendor != "postgresql":
        yield
        return
    ways = ("enable_hashjoin", "enable_mergejoin")
    cursor.execute("; ".join(f"SET LOCAL {way} = off" for way in ways))
    yield
    # After an error all is rolled back, this too.
    cursor.execute("; ".join(f"SET LOCAL {way} TO DEFAULT" for way in ways))
