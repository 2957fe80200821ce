"""The index of match keys, read in the order of its hashes: which records share a key."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from itertools import combinations, groupby
from operator import itemgetter
from typing import Any

from django.db import connection
from django.db.models.expressions import RawSQL

from rapport.meta.batches import batches
from rapport.models import KeyRing, MatchKey

from .keys import HELD_BY

HASHES = 5000
LOWEST, SPAN = -(1 << 63), 1 << 64
# To know how many keys there are one in so many is counted.
COUNTED = 256

# A record: the code of its entity and its id in hexadecimal, which both databases give cheaply.
Held = tuple[int, str]
Pair = tuple[Held, Held]


def part_of(part: int, parts: int) -> tuple[int, int]:
    """First and last hash of the part number `part` of `parts` equal ones: hashes are even."""
    return LOWEST + SPAN * part // parts, LOWEST + SPAN * (part + 1) // parts - 1


def extent() -> int:
    """About how many keys there are: hashes are even, so a part of them tells of all."""
    few = MatchKey.objects.filter(hash__lt=part_of(0, COUNTED)[1]).count() * COUNTED
    return few if few > 100 * COUNTED else MatchKey.objects.count()


def shared(first: int, last: int) -> tuple[list[int], list[tuple[int, int]]]:
    """Hashes from `first` to `last` that several records have, and (hash, number) of those that too
    many have."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT hash, count(*) FROM {_table()} WHERE hash BETWEEN %s AND %s "
            "GROUP BY hash HAVING count(*) > 1",
            [first, last],
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
    record = "record::text" if connection.vendor == "postgresql" else "record"
    table = connection.ops.quote_name(KeyRing._meta.db_table)
    for part in batches(records, HASHES):
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT {record}, hashes FROM {table} WHERE record {_among('uuid')}",
                [_listed(part)],
            )
            found.update({id_: set(map(int, text.split(","))) for id_, text in cursor if text})
    return found


def sample(first: int, last: int, entity: int, largest: int) -> list[str]:
    """At most `largest` records of `entity` that have a key in the range."""
    with connection.cursor() as cursor:
        record = "record::text" if connection.vendor == "postgresql" else "record"
        cursor.execute(
            f"SELECT DISTINCT {record} FROM {_table()} WHERE hash BETWEEN %s AND %s "
            "AND entity = %s LIMIT %s",
            [first, last, entity, largest],
        )
        return [id_ for (id_,) in cursor.fetchall()]


def each_once(pairs: Collection[Pair], first: int, last: int) -> list[Pair]:
    """Those of `pairs` that count for this range: each counts for one of its common keys, so that
    over all ranges it comes once, and a range has its share of them."""
    keys = hashes_of({id_ for pair in pairs for _code, id_ in pair})
    none: set[int] = set()
    common = {pair: keys.get(pair[0][1], none) & keys.get(pair[1][1], none) for pair in pairs}
    useful: set[int] = set()
    for part in batches({hash_ for shared in common.values() for hash_ in shared}, HASHES):
        with connection.cursor() as cursor:
            useful.update(_not_crowded(cursor, part))
    kept = []
    for pair, shared in common.items():
        ranked = sorted(shared & useful)
        if ranked and first <= ranked[sum(ranked) % len(ranked)] <= last:
            kept.append(pair)
    return kept


def example(hash: int) -> Held | None:
    """One of the records that have this key."""
    with connection.cursor() as cursor:
        cursor.execute(f"{_held()} WHERE hash = %s ORDER BY entity, record LIMIT 1", [hash])
        row = cursor.fetchone()
    return (row[1], row[2]) if row else None


def _blocks(hashes: Sequence[int], *, crowded: bool = False) -> Iterator[list[Held]]:
    """The records of each hash, in order. `crowded`: some may be of too many records."""
    for part in batches(hashes, HASHES):
        with connection.cursor() as cursor:
            if crowded:
                part = _not_crowded(cursor, part)
            cursor.execute(
                f"{_held()} WHERE hash {_among('bigint')} ORDER BY hash, entity, record",
                [_listed(part)],
            )
            for _hash, held in groupby(cursor.fetchall(), itemgetter(0)):
                yield list(dict.fromkeys((row[1], row[2]) for row in held))


def _not_crowded(cursor: Any, hashes: Sequence[int]) -> list[int]:
    """Those that several records have, but not too many."""
    cursor.execute(
        f"SELECT hash FROM {_table()} WHERE hash {_among('bigint')} "
        "GROUP BY hash HAVING count(*) BETWEEN 2 AND %s",
        [_listed(hashes), HELD_BY],
    )
    return [hash_ for (hash_,) in cursor.fetchall()]


def _table() -> str:
    return connection.ops.quote_name(MatchKey._meta.db_table)


def _held() -> str:
    record = "record::text" if connection.vendor == "postgresql" else "record"
    return f"SELECT hash, entity, {record} FROM {_table()}"


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
    return RawSQL(f"SELECT {values}", [_listed(ids)])  # noqa: S611 -- no text of anybody's


def _listed(values: Sequence[Any]) -> Any:
    return list(values) if connection.vendor == "postgresql" else json.dumps(list(values))
