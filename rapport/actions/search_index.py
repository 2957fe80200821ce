"""The search index: for every searched table one beside it, of record and text. FTS5 with trigrams
on SQLite, a narrow table with a trigram index on PostgreSQL.

A page's write is found at once. What a long operation writes (an import) is found soon: its ids
wait in a backlog, because the index costs more than all else that is written of a record.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence

from django.db import connection, transaction

from rapport.meta.entity import Entity
from rapport.meta.registry import registry
from rapport.models import SearchBacklog

from . import idlists, keyring, rows

# Ids in one row of the backlog, and in one transaction that works it off.
WAITING_TOGETHER = 500
_LOOKED_AT = 10


def row(id_: uuid.UUID) -> int:
    """Row id in SQLite's table: 63 of the id's random bits. A clash among a million records has a
    chance of one in ten million, and then only one of the two is found by search."""
    return int.from_bytes(id_.bytes[8:]) & 0x7FFF_FFFF_FFFF_FFFF


def put(entity: Entity, texts: Mapping[uuid.UUID, str]) -> None:
    """Index these records under these texts, whether or not they were."""
    if not texts or not entity.in_search:
        return
    if connection.vendor == "sqlite":
        sql = (
            f"INSERT OR REPLACE INTO {entity.search_table} (rowid, record, text) "
            "VALUES (%s, %s, %s)"
        )
        values = [(row(id_), id_.hex, text) for id_, text in texts.items()]
        with connection.cursor() as cursor:
            cursor.executemany(sql, values)
        return
    sql = (
        f"INSERT INTO {entity.search_table} (record, text) "
        "SELECT * FROM unnest(%s::uuid[], %s::text[]) "
        "ON CONFLICT (record) DO UPDATE SET text = excluded.text"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [list(texts), list(texts.values())])


def remove(entity: Entity, ids: Sequence[uuid.UUID]) -> None:
    """Forget these records."""
    if not ids or not entity.in_search:
        return
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            sql = f"DELETE FROM {entity.search_table} WHERE rowid = %s"
            cursor.executemany(sql, [(row(id_),) for id_ in ids])
        else:
            cursor.execute(f"DELETE FROM {entity.search_table} WHERE record = ANY(%s)", [list(ids)])


def clear() -> None:
    """Forget every record of every table."""
    with connection.cursor() as cursor:
        for table in {entity.search_table for entity in registry if entity.in_search}:
            cursor.execute(f"DELETE FROM {table}")


def put_later(entity: Entity, ids: Sequence[str]) -> None:
    """Let these new or deleted records be indexed or forgotten by the worker. In the transaction
    that stores or deletes them; a search finds what is there anyway. `ids`: as hexadecimal digits.
    """
    if not entity.in_search:
        return
    parts = [ids[at : at + WAITING_TOGETHER] for at in range(0, len(ids), WAITING_TOGETHER)]
    waiting = [(entity.name, "".join(part)) for part in parts]
    rows.insert(SearchBacklog, ("entity", "records"), waiting)


def catch_up() -> int:
    """Index the records of the oldest rows of the backlog, and forget those that are gone; how
    many, 0 when nothing waits."""
    with transaction.atomic():
        oldest = SearchBacklog.objects.order_by("pk").select_for_update(skip_locked=True)
        taken: list[SearchBacklog] = []
        by_entity: dict[str, list[uuid.UUID]] = defaultdict(list)
        number = 0
        for waiting in oldest[:_LOOKED_AT]:
            hexes = [waiting.records[at : at + 32] for at in range(0, len(waiting.records), 32)]
            number += len(hexes)
            if taken and number > WAITING_TOGETHER:
                number -= len(hexes)
                break
            taken.append(waiting)
            by_entity[waiting.entity] += [uuid.UUID(hex=text) for text in hexes]
        for name, ids in by_entity.items():
            _index(registry[name], ids)
        rows.delete(SearchBacklog, [waiting.pk for waiting in taken])
    return number


def _index(entity: Entity, ids: Sequence[uuid.UUID]) -> None:
    # Locked: a text that somebody changes meanwhile must not be put back.
    found = entity.records().filter(idlists.among(entity.model, ids))
    texts = dict(
        found.select_for_update(of=("self",), no_key=True)
        .order_by("pk")
        .values_list("pk", "search_text")
    )
    put(entity, texts)
    gone = [id_ for id_ in ids if id_ not in texts]
    remove(entity, gone)
    # An undo that was broken off left them.
    keyring.remove(gone, gone_from=entity)
