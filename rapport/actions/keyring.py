"""Match keys as they are stored: each in the index that finds records by it, and all of a record on
its ring, by which the index is rid of them again."""

from __future__ import annotations

import uuid
from array import array
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from django.db import connection

from rapport.duplicates import blocks, fresh
from rapport.meta.batches import batches
from rapport.meta.entity import Entity
from rapport.models import FreshKey, KeyRing, MatchKey

from . import idlists, pgplanner, rows
from .adapted import COPY_FROM, Same

# About so many keys a record has.
OF_A_RECORD = 8
# From so many keys on they are written as a run beside the index, if that is so large; and no more
# runs than so many, since whoever looks for a key looks into each.
RUN, LARGE, MOST = 20_000, 500_000, 12


@dataclass(frozen=True, slots=True)
class Pairs:
    """The keys of new records with these `ids` (hexadecimal digits) as SQLite takes them: in the
    order of the index, each with the place of its id, and the ring of each. Short as bytes: another
    process makes them."""

    ids: Sequence[str]
    hashes: array[int]
    places: array[int]
    rings: Sequence[str]

    def index(self) -> Iterable[tuple[int, str]]:
        return zip(self.hashes, map(self.ids.__getitem__, self.places), strict=True)


@dataclass(frozen=True, slots=True)
class Lines:
    """The same as PostgreSQL takes them, as lines of COPY."""

    ids: Sequence[str]
    index: bytes
    rings: bytes


Packed = Pairs | Lines


def pack(entity: Entity, ids: Sequence[str], keys: Sequence[Sequence[int]]) -> Packed:
    """The keys of these records, ready to be put. Asks no database."""
    rings = [",".join(map(str, own)) for own in keys]
    if connection.vendor != "postgresql":
        hashes = [hash_ for own in keys for hash_ in own]
        holders = [place for place, own in enumerate(keys) for _ in own]
        order = sorted(range(len(hashes)), key=hashes.__getitem__)
        places = array("L", map(holders.__getitem__, order))
        return Pairs(ids, array("q", map(hashes.__getitem__, order)), places, rings)
    code = entity.code
    # As long as each other, so that neighbours among the texts are neighbours in the index.
    index = [
        f"{hash_:020d}\t{code}\t{id_}\n"
        for id_, own in zip(ids, keys, strict=True)
        for hash_ in own
    ]
    index.sort()
    lines = [f"{id_}\t{code}\t{ring}\n" for id_, ring in zip(ids, rings, strict=True) if ring]
    return Lines(ids, "".join(index).encode(), "".join(lines).encode())


def put_packed(
    entity: Entity, packed: Iterable[Packed], but: Collection[str], *, later: bool = False
) -> None:
    """Store what was packed, `but` of these ids; `later` as in `put`."""
    packed = list(packed)
    _put_pairs(entity, [one for one in packed if isinstance(one, Pairs)], but, later=later)
    _put_lines([one for one in packed if isinstance(one, Lines)], but)


def _put_lines(packed: Iterable[Lines], but: Collection[str]) -> None:
    index: list[bytes] = []
    rings: list[bytes] = []
    without = frozenset(id_.encode() for id_ in but)
    for one in packed:
        own, its = one.index.splitlines(keepends=True), [one.rings]
        if without and not without.isdisjoint(map(str.encode, one.ids)):
            own = [line for line in own if line[-33:-1] not in without]
            its = [line for line in one.rings.splitlines(keepends=True) if line[:32] not in without]
        index += own
        rings += its
    # Parts that have an order are soon brought into one.
    index.sort()
    rows.insert_lines(MatchKey, ("hash", "entity", "record"), b"".join(index))
    rows.insert_lines(KeyRing, ("record", "entity", "hashes"), b"".join(rings))


def _put_pairs(
    entity: Entity, packed: Iterable[Pairs], but: Collection[str], *, later: bool
) -> None:
    index: list[tuple[int, str]] = []
    rings: list[tuple[str, str]] = []
    for one in packed:
        index += one.index()
        rings += [pair for pair in zip(one.ids, one.rings, strict=True) if pair[1]]
    if but:
        index = [pair for pair in index if pair[1] not in but]
        rings = [pair for pair in rings if pair[0] not in but]
    # In the order of the index, of which each page is then changed once.
    index.sort()
    code = {"entity": Same(entity.code)}
    keys = rows.Packed(("hash", "record"), index)
    run = _next_run([record for record, _ring in rings], len(index)) if later else 0
    if run:
        rows.insert_columns(FreshKey, {"run": Same(run), **code}, len(index), keys)
    else:
        rows.insert_columns(MatchKey, code, len(index), keys)
    rows.insert_columns(KeyRing, code, len(rings), rows.Packed(("record", "hashes"), rings))


def put(
    entity: Entity, ids: Sequence[str], keys: Sequence[Sequence[int]], *, later: bool = False
) -> None:
    """Store the keys of records that have none. `ids`: as hexadecimal digits. `later`: where the
    index would take long they are brought there by `merge`."""
    if connection.vendor == "postgresql" and len(ids) < COPY_FROM:
        _put_few(entity, ids, keys)
    else:
        put_packed(entity, [pack(entity, ids, keys)], (), later=later)


def _put_few(entity: Entity, ids: Sequence[str], keys: Sequence[Sequence[int]]) -> None:
    """The same by INSERT: COPY begins and ends with a message to the server."""
    held = [(id_, entity.code, own) for id_, own in zip(ids, keys, strict=True) if own]
    index = sorted((hash_, code, id_) for id_, code, own in held for hash_ in own)
    rings = [(id_, code, ",".join(map(str, own))) for id_, code, own in held]
    rows.insert(MatchKey, ("hash", "entity", "record"), index)
    rows.insert(KeyRing, ("record", "entity", "hashes"), rings)


def _next_run(records: Sequence[str], count: int) -> int:
    """The number of a run of so many keys; 0 when they had better go straight to the index."""
    if connection.vendor != "sqlite" or count < RUN or blocks.extent() < LARGE:
        return 0
    runs = fresh.runs()
    return fresh.number(min(records), max(records), runs) if len(runs) < MOST else 0


def are_many() -> bool:
    """Whether so many runs stand beside the index that it is time to merge them."""
    return len(fresh.runs()) >= MOST


def merge(size: int) -> int:
    """Move about `size` keys that stand beside the index to their places, the lowest first; how
    many, 0 when there are no more. Needs a transaction."""
    runs = fresh.runs()
    if not runs:
        return 0
    among = f"({', '.join(map(str, runs))})"
    with connection.cursor() as cursor:
        ends = []
        for run in runs:
            cursor.execute(_PART, [run, max(size // len(runs), 1)])
            ends += cursor.fetchall()
        # A run that ends before that sets no end.
        last = min(ends, default=(blocks.LOWEST + blocks.SPAN - 1,))[0]
        cursor.execute(_MERGE.format(among), [last])
        cursor.execute(f"DELETE FROM {fresh.FRESH} WHERE run IN {among} AND hash <= %s", [last])
        return int(cursor.rowcount)


_PART = f"SELECT hash FROM {fresh.FRESH} WHERE run = %s ORDER BY hash LIMIT 1 OFFSET %s"
_MERGE = (
    f"INSERT INTO {fresh.INDEX} (hash, entity, record) SELECT hash, entity, record "
    f"FROM {fresh.FRESH} WHERE run IN {{}} AND hash <= %s ORDER BY hash, entity, record"
)


def remove(ids: Collection[uuid.UUID], *, gone_from: Entity | None = None) -> None:
    """Take the keys of these records away; of those that were `gone_from` an entity a moment ago
    only if they still are (SQLite has one writer: there they are)."""
    unless = ""
    if gone_from is not None:
        table = connection.ops.quote_name(gone_from.table)
        unless = f"AND NOT EXISTS (SELECT 1 FROM {table} r WHERE r.id = rapport_keyring.record)"
    with connection.cursor() as cursor:
        for part in batches(ids):
            if connection.vendor == "postgresql":
                # It expects few keys on a ring, and would rather read the whole index than look for
                # all of them.
                with pgplanner.by_index(cursor):
                    cursor.execute(_REMOVE.format(unless), [list(part)])
                continue
            # One by one: a set of triples SQLite would look up by the hash alone.
            cursor.execute(_RINGS % idlists.listed(part))
            triples = [
                (hash_, code, id_)
                for id_, code, hashes in cursor.fetchall()
                for hash_ in map(int, hashes.split(","))
            ]
            triples.sort()
            cursor.executemany(_REMOVE_ONE, triples)
            for run in fresh.runs():
                cursor.executemany(_REMOVE_FRESH, [(run, *triple) for triple in triples])
            rows.delete(KeyRing, part, "record")


_REMOVE = """
WITH gone AS (
    DELETE FROM rapport_keyring WHERE record = ANY(%s) {} RETURNING record, entity, hashes
),
g AS MATERIALIZED (
    SELECT unnest(string_to_array(hashes, ','))::bigint AS hash, entity, record FROM gone ORDER BY 1
)
DELETE FROM rapport_matchkey k USING g
WHERE k.hash = g.hash AND k.entity = g.entity AND k.record = g.record
"""
_RINGS = "SELECT record, entity, hashes FROM rapport_keyring WHERE record IN (%s)"
_REMOVE_ONE = "DELETE FROM rapport_matchkey WHERE hash = %s AND entity = %s AND record = %s"
_REMOVE_FRESH = (
    "DELETE FROM rapport_freshkey WHERE run = %s AND hash = %s AND entity = %s AND record = %s"
)
