"""The index of match keys, read in the order of its hashes: which records share a key."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from itertools import combinations, groupby, pairwise
from operator import itemgetter
from typing import Any

from django.db import connection
from django.db.models.expressions import RawSQL

from rapport.meta.batches import batches
from rapport.models import KeyRing, MatchKey

from . import fresh
from .keys import HELD_BY

HASHES, PAIRS, TOGETHER = 5000, 5000, 100_000
LOWEST, SPAN = -(1 << 63), 1 << 64
# To know how many keys there are one in so many is counted.
COUNTED = 256

# A record: the code of its entity and its id in hexadecimal, which both databases give cheaply.
Held = tuple[int, str]
Pair = tuple[Held, Held]


def part_of(part: int, parts: int) -> tuple[int, int]:
    """First and last hash of the part number `part` of `parts` equal ones: hashes are even."""
    return LOWEST + SPAN * part // parts, LOWEST + SPAN * (part + 1) // parts - 1


def parts_of(first: int, last: int, keys: float) -> Iterator[tuple[int, int]]:
    """The range in parts, so small that the keys of one take little memory; `keys`: about how many
    it has."""
    count = int(keys // TOGETHER) + 1
    begins = [first + (last + 1 - first) * part // count for part in range(count + 1)]
    return ((begin, end - 1) for begin, end in pairwise(begins))


def extent() -> int:
    """About how many keys there are: hashes are even, so a part of them tells of all."""
    few = MatchKey.objects.filter(hash__lt=part_of(0, COUNTED)[1]).count() * COUNTED
    return few if few > 100 * COUNTED else MatchKey.objects.count()


def shared(first: int, last: int) -> tuple[list[int], list[tuple[int, int]]]:
    """Hashes from `first` to `last` that several records have, and (hash, number) of those that too
    many have."""
    table, values = fresh.source("hash BETWEEN %s AND %s", [first, last])
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT hash, count(*) FROM {table} GROUP BY hash HAVING count(*) > 1", values
        )
        found = cursor.fetchall()
    few = [hash_ for hash_, number in found if number <= HELD_BY]
    return few, [row for row in found if row[1] > HELD_BY]


def pairs(hashes: Sequence[int], compared: Collection[tuple[int, int]]) -> set[Pair]:
    """Every two records that share one of `hashes` and whose entities are `compared`. The smaller
    comes first."""
    found: set[Pair] = set()
    for held in _blocks(hashes):
        for pair in combinations(held, 2):
            if (pair[0][0], pair[1][0]) in compared:
                found.add(pair)
    return found


def pairs_of(records: Collection[Held], compared: Collection[tuple[int, int]]) -> set[Pair]:
    """Every two records that share a key and of which one is among `records`."""
    keys: set[int] = set()
    for own in hashes_of([id_ for _code, id_ in records]).values():
        keys |= own
    found: set[Pair] = set()
    for held in _blocks(sorted(keys), crowded=True):
        for one in held:
            if one not in records:
                continue
            for other in held:
                pair = (one, other) if one < other else (other, one)
                if one != other and (pair[0][0], pair[1][0]) in compared:
                    found.add(pair)
    return found


def hashes_of(records: Collection[str]) -> dict[str, set[int]]:
    """The keys of these records."""
    found: dict[str, set[int]] = {}
    table = connection.ops.quote_name(KeyRing._meta.db_table)
    for part in batches(records, HASHES):
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT {_record()}, hashes FROM {table} WHERE record {_among('uuid')}",
                [listed(part)],
            )
            found.update({id_: set(map(int, text.split(","))) for id_, text in cursor if text})
    return found


def sample(first: int, last: int, entity: int, largest: int) -> list[str]:
    """At most `largest` records of `entity` that have a key in the range."""
    table, values = fresh.source("hash BETWEEN %s AND %s AND entity = %s", [first, last, entity])
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT DISTINCT {_record()} FROM {table} LIMIT %s", [*values, largest])
        return [id_ for (id_,) in cursor.fetchall()]


def holders(hashes: Sequence[int], entity: int) -> list[str]:
    """The records of `entity` that have one of these keys."""
    table, values = fresh.source(
        f"hash {_among('bigint')} AND entity = %s", [listed(hashes), entity]
    )
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT DISTINCT {_record()} FROM {table}", values)
        return [id_ for (id_,) in cursor.fetchall()]


def each_once(pairs: Collection[Pair], first: int, last: int) -> list[Pair]:
    """Those of `pairs` that count for this range: each counts for one of its common keys, so that
    over all ranges it comes once, and a range has its share of them."""
    none: set[int] = set()
    kept = []
    # In order and by parts: the keys of a record take a kilobyte.
    for part in batches(sorted(pairs), PAIRS):
        keys = hashes_of({id_ for pair in part for _code, id_ in pair})
        common = {pair: keys.get(pair[0][1], none) & keys.get(pair[1][1], none) for pair in part}
        useful: set[int] = set()
        for hashes in batches({hash_ for shared in common.values() for hash_ in shared}, HASHES):
            with connection.cursor() as cursor:
                useful.update(_not_crowded(cursor, hashes))
        for pair, shared in common.items():
            ranked = sorted(shared & useful)
            if ranked and first <= ranked[sum(ranked) % len(ranked)] <= last:
                kept.append(pair)
    return kept


def example(hash: int) -> Held | None:
    """One of the records that have this key."""
    sql, values = _held("hash = %s", [hash])
    with connection.cursor() as cursor:
        cursor.execute(f"{sql} ORDER BY entity, record LIMIT 1", values)
        row = cursor.fetchone()
    return (row[1], row[2]) if row else None


def _blocks(hashes: Sequence[int], *, crowded: bool = False) -> Iterator[list[Held]]:
    """The records of each hash, in order. `crowded`: some may be of too many records."""
    for part in batches(hashes, HASHES):
        with connection.cursor() as cursor:
            if crowded:
                part = _not_crowded(cursor, part)
            sql, values = _held(f"hash {_among('bigint')}", [listed(part)])
            cursor.execute(f"{sql} ORDER BY hash, entity, record", values)
            for _hash, held in groupby(cursor.fetchall(), itemgetter(0)):
                yield list(dict.fromkeys((row[1], row[2]) for row in held))


def _not_crowded(cursor: Any, hashes: Sequence[int]) -> list[int]:
    """Those that several records have, but not too many."""
    table, values = fresh.source(f"hash {_among('bigint')}", [listed(hashes)])
    cursor.execute(
        f"SELECT hash FROM {table} GROUP BY hash HAVING count(*) BETWEEN 2 AND %s",
        [*values, HELD_BY],
    )
    return [hash_ for (hash_,) in cursor.fetchall()]


def _record() -> str:
    return "record::text" if connection.vendor == "postgresql" else "record"


def _held(where: str, values: Sequence[Any]) -> tuple[str, list[Any]]:
    """SQL of the keys for which `where` holds, with its values."""
    table, values = fresh.source(where, values)
    return f"SELECT hash, entity, {_record()} FROM {table}", values


def _among(kind: str) -> str:
    # One parameter however many there are: a long list costs more to write and to read.
    if connection.vendor == "postgresql":
        return f"= ANY(%s::{kind}[])"
    return "IN (SELECT value FROM json_each(%s))"


def listed_ids(ids: Sequence[str]) -> RawSQL:
    """Ids for a condition `pk__in`."""
    values = (
        "unnest(%s::uuid[])" if connection.vendor == "postgresql" else "value FROM json_each(%s)"
    )
    return RawSQL(f"SELECT {values}", [listed(ids)])  # noqa: S611 -- no text of anybody's


def listed(values: Sequence[int] | Sequence[str]) -> str:
    """Keys, or ids in hexadecimal digits, as one parameter. As a text: the driver for PostgreSQL
    takes as long over each number of a list as its server over finding it."""
    if connection.vendor == "postgresql":
        return f"{{{','.join(map(str, values))}}}"
    return json.dumps(list(values))
