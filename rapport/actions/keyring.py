"""Match keys as they are stored: each in the index that finds records by it, and all of a record on
its ring, by which the index is rid of them again."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from django.db import connection

from rapport.meta.batches import batches
from rapport.meta.entity import Entity
from rapport.models import KeyRing, MatchKey

from . import rows


@dataclass(frozen=True, slots=True)
class Packed:
    """The keys of new records as PostgreSQL takes them: lines of the index, in its order, and of
    the rings; `ids`: of all that have a line, as hexadecimal digits."""

    ids: frozenset[str]
    index: bytes
    rings: bytes


def pack(entity: Entity, ids: Sequence[str], keys: Sequence[Sequence[int]]) -> Packed | None:
    """The keys of these records, ready to be put; None on SQLite, which takes them as they are.
    Asks no database."""
    if connection.vendor != "postgresql":
        return None
    code = entity.code
    # As long as each other, so that texts have the order of numbers.
    index = [
        f"{hash_:020d}\t{code}\t{id_}\n"
        for id_, own in zip(ids, keys, strict=True)
        for hash_ in own
    ]
    index.sort()
    rings = [
        f"{id_}\t{code}\t{','.join(map(str, own))}\n"
        for id_, own in zip(ids, keys, strict=True)
        if own
    ]
    return Packed(frozenset(ids), "".join(index).encode(), "".join(rings).encode())


def put_packed(packed: Iterable[Packed], but: Collection[str]) -> None:
    """Store what was packed, `but` of these ids."""
    index: list[bytes] = []
    rings: list[bytes] = []
    without = frozenset(id_.encode() for id_ in but)
    for one in packed:
        own, its = one.index.splitlines(keepends=True), [one.rings]
        if not one.ids.isdisjoint(but):
            own = [line for line in own if line[-33:-1] not in without]
            its = [line for line in one.rings.splitlines(keepends=True) if line[:32] not in without]
        index += own
        rings += its
    # Parts that have an order are soon brought into one.
    index.sort()
    rows.insert_lines(MatchKey, ("hash", "entity", "record"), b"".join(index))
    rows.insert_lines(KeyRing, ("record", "entity", "hashes"), b"".join(rings))


def put(entity: Entity, ids: Sequence[str], keys: Sequence[Sequence[int]]) -> None:
    """Store the keys of records that have none. `ids`: as hexadecimal digits."""
    held = [(id_, own) for id_, own in zip(ids, keys, strict=True) if own]
    records, code = [record for record, _own in held], rows.Same(entity.code)
    hashes = [hash_ for _record, own in held for hash_ in own]
    holders = [record for record, own in held for _ in own]
    # In the order of the index, of which each page is then changed once.
    order = sorted(range(len(hashes)), key=hashes.__getitem__)
    index: dict[str, rows.Column] = {
        "hash": [hashes[place] for place in order],
        "entity": code,
        "record": [holders[place] for place in order],
    }
    rows.insert_columns(MatchKey, index, len(hashes))
    written = [",".join(map(str, own)) for _record, own in held]
    rings: dict[str, rows.Column] = {"record": records, "entity": code, "hashes": written}
    rows.insert_columns(KeyRing, rings, len(held))


def remove(ids: Collection[uuid.UUID]) -> None:
    """Take the keys of these records away."""
    with connection.cursor() as cursor:
        for part in batches(ids):
            if connection.vendor == "postgresql":
                cursor.execute(_REMOVE, [list(part)])
                continue
            # One by one: a set of triples SQLite would look up by the hash alone.
            cursor.execute(_RINGS % rows.listed(part))
            triples = [
                (hash_, code, id_)
                for id_, code, hashes in cursor.fetchall()
                for hash_ in map(int, hashes.split(","))
            ]
            cursor.executemany(_REMOVE_ONE, sorted(triples))
            rows.delete(KeyRing, part, "record")


_REMOVE = """
WITH gone AS (DELETE FROM rapport_keyring WHERE record = ANY(%s) RETURNING record, entity, hashes)
DELETE FROM rapport_matchkey k
USING (SELECT record, entity, unnest(string_to_array(hashes, ','))::bigint AS hash FROM gone) g
WHERE k.hash = g.hash AND k.entity = g.entity AND k.record = g.record
"""
_RINGS = "SELECT record, entity, hashes FROM rapport_keyring WHERE record IN (%s)"
_REMOVE_ONE = "DELETE FROM rapport_matchkey WHERE hash = %s AND entity = %s AND record = %s"
