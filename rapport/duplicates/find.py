"""The one door: who looks like these proposed records. For one, or for a batch of a thousand, in
a few statements."""

from __future__ import annotations

import uuid
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from rapport import access, queries
from rapport.access import Actor
from rapport.meta.batches import batches
from rapport.meta.entity import Entity
from rapport.meta.registry import registry

from . import explain, fresh, normalise
from .blocks import listed
from .explain import Reason, Source
from .features import Prepared
from .judge import Judge, Verdict
from .keys import HELD_BY, keys, title_key
from .room import Room, room_for
from .stored import load

__all__ = ["Match", "Proposed", "Reason", "find", "find_stored", "named"]

# Of no more holders of one key is it asked whether they are visible.
LOOKED_AT = 2000
# A proposed record is compared with no more stored ones, those first that share most keys.
CANDIDATES = 100
# Keys asked for in one statement.
AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class Proposed:
    """A record that may be written. `names` {look-up field: title of what it names}."""

    values: Mapping[str, Any]
    names: Mapping[str, str]
    id: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """A stored record that looks the same. confidence: percent. weight: evidence in bits. rule: key
    of the surest rule that says so. effort: on how many values somebody would have to choose."""

    entity: str
    id: uuid.UUID
    confidence: int
    weight: float
    rule: str
    reasons: tuple[Reason, ...] = ()
    effort: int = 0


def find(
    entity: Entity,
    proposed: Sequence[Proposed],
    *,
    by: Actor,
    among: Collection[str] | None = None,
    own: Sequence[Sequence[int]] | None = None,
) -> list[list[Match]]:
    """For each proposed record the stored ones that a published rule calls the same and that `by`
    may see, the strongest first. among: names of the entities to look into; None for all. own:
    the keys of the proposed ones, where they are known."""
    room = room_for(entity, among)
    if not room.judges:
        return [[] for _ in proposed]
    wanted = [keys(entity, one.values, one.names) for one in proposed] if own is None else own
    holders = _holders({key for own in wanted for key in own}, room, by)
    chosen = [_candidates(own, holders, one.id) for own, one in zip(wanted, proposed, strict=True)]
    ids: dict[str, set[uuid.UUID]] = defaultdict(set)
    for found in chosen:
        for name, id_ in found:
            ids[name].add(id_)
    stored = {name: load(registry[name], room.shapes[name], found) for name, found in ids.items()}
    return [
        _judged(room, one, ((name, id_, stored[name].get(id_)) for name, id_ in found))
        if found
        else []
        for one, found in zip(proposed, chosen, strict=True)
    ]


def alone(hashes: Collection[int], entity: Entity) -> dict[int, str]:
    """The records of `entity`, as texts, that have one of these keys and are the only ones that do,
    whoever may see them."""
    look = _alone_sqlite if connection.vendor == "sqlite" else _alone
    found: dict[int, str] = {}
    for part in batches(sorted(hashes), AT_ONCE):
        found.update(look(part, entity))
    return found


def _alone(hashes: Sequence[int], entity: Entity) -> dict[int, str]:
    # Two are enough to tell, of however many there are.
    two = (
        f"SELECT record FROM {fresh.INDEX} x WHERE x.hash = k.value AND x.entity = {entity.code} "
        "LIMIT 2"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT k.value, m.record::text FROM unnest(%s::bigint[]) k(value), LATERAL ({two}) m",
            [listed(hashes)],
        )
        rows = cursor.fetchall()
    found = dict(rows)
    if len(found) < len(rows):
        for hash_, number in Counter(hash_ for hash_, _record in rows).items():
            if number > 1:
                del found[hash_]
    return found


def _alone_sqlite(hashes: Sequence[int], entity: Entity) -> dict[int, str]:
    # Mostly nothing stands beside the index; what comes there later is not asked for.
    places = _places() if fresh.runs() else [(fresh.INDEX, "")]
    ends = ", ".join(
        f"(SELECT {end}(x.record) FROM {table} x WHERE {beside.format('x')}x.hash = k.value "
        f"AND x.entity = {entity.code})"
        for table, beside in places
        for end in ("min", "max")
    )
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT k.value, {ends} FROM json_each(%s) k", [listed(hashes)])
        if len(places) == 1:
            return {hash_: low for hash_, low, high in cursor.fetchall() if low and low == high}
        return {
            hash_: low or fresh_low
            for hash_, low, high, fresh_low, fresh_high in cursor.fetchall()
            if low == high and fresh_low == fresh_high and _is_one(low, fresh_low)
        }


def _is_one(low: str | None, fresh_low: str | None) -> bool:
    """Whether there is a record, and no other one beside the index."""
    return bool(low or fresh_low) and (not low or not fresh_low or low == fresh_low)


def held(
    hashes: Iterable[int], entity: Entity, *, but: tuple[uuid.UUID, uuid.UUID] | None = None
) -> set[int]:
    """Which of these keys some stored record of `entity` has, whoever may see it. `but`: other than
    those with an id from the one to the other."""
    ids = entity.model._default_manager.values_list("pk", flat=True)
    if but is None:
        # Nobody is there, as in a new database.
        return _held(set(hashes), entity, [("", [])], _places()) if ids.exists() else set()
    # By the index: a condition on ids may make PostgreSQL read a whole table that meets none.
    first, last = ids.order_by("pk")[:1], ids.order_by("-pk")[:1]
    if all(id_ >= but[0] for id_ in first) and all(id_ <= but[1] for id_ in last):
        # Nobody else is there.
        return set()
    native = connection.features.has_native_uuid_field
    ends = [[id_ if native else id_.hex] for id_ in but]
    rest = list(zip((" AND m.record < %s", " AND m.record > %s"), ends, strict=True))
    # Most keys nobody has at all.
    places = _places(fresh.but_of(but[0]))
    return _held(_held(set(hashes), entity, [("", [])], places), entity, rest, places)


def _held(
    hashes: Collection[int],
    entity: Entity,
    rest: Sequence[tuple[str, list[Any]]],
    places: Sequence[tuple[str, str]],
) -> set[int]:
    """The keys that some record has for which one of the conditions `rest` holds."""
    found: set[int] = set()
    sqlite = connection.vendor == "sqlite"
    every_key = "json_each(%s) k" if sqlite else "unnest(%s::bigint[]) k(value)"
    # One by one by the index, and no row is read.
    own = f"m.hash = k.value AND m.entity = {entity.code}"
    every = [f"SELECT 1 FROM {table} m WHERE {beside.format('m')}{own}" for table, beside in places]
    some = [f"({has}{one} LIMIT 1)" for has in every for one, _end in rest]
    ends = [end for _has in every for _one, own_ends in rest for end in own_ends]
    statement = f"SELECT k.value FROM {every_key} WHERE " + " OR ".join(
        f"EXISTS {one}" if sqlite else f"{one} IS NOT NULL" for one in some
    )
    # In the order of the index, of which each page is then looked at once.
    for part in batches(sorted(hashes), AT_ONCE):
        with connection.cursor() as cursor:
            cursor.execute(statement, [listed(part), *ends])
            found.update(hash_ for (hash_,) in cursor.fetchall())
    return found


def find_stored(
    entity: Entity, ids: Collection[uuid.UUID], *, by: Actor, among: Collection[str] | None = None
) -> dict[uuid.UUID, list[Match]]:
    """The same for stored records that `by` may see."""
    mine = access.allowed_ids(ids, entity, by, access.READ)
    # Keys are made of what any rule asks for.
    stored = load(entity, room_for(entity, None).shape, mine)
    asked = [
        Proposed(source.values, source.names, id_) for id_, (_prepared, source) in stored.items()
    ]
    matches = find(entity, asked, by=by, among=among)
    return {one.id: found for one, found in zip(asked, matches, strict=True) if one.id}


def named(
    entity: Entity, titles: Collection[str], *, by: Actor
) -> dict[str, list[tuple[uuid.UUID, str, int]]]:
    """Stored records (id, title, state) that `by` may see and that are called just so, blind to
    case, accents and punctuation. For entities with a title key."""
    wanted = {title: key for title in titles if (key := title_key(title))}
    raw = _rows(set(wanted.values()), [entity.code])
    ids = {id_ for found in raw.values() for _code, id_ in found}
    stored: dict[uuid.UUID, tuple[str, int]] = {}
    for part in batches(ids):
        rows = queries.records(entity, by).filter(pk__in=part)
        for id_, title, state in rows.values_list("pk", entity.title, "state"):
            stored[id_] = title, state
    result: dict[str, list[tuple[uuid.UUID, str, int]]] = {}
    for title, key in wanted.items():
        own = [(id_, *stored[id_]) for _code, id_ in raw.get(key, ()) if id_ in stored]
        # Mostly it is written just so.
        if any(one[1] != title for one in own):
            plain = normalise.words(title)
            own = [one for one in own if normalise.words(one[1]) == plain]
        result[title] = own
    return result


Holder = tuple[str, uuid.UUID]


def _holders(hashes: Collection[int], room: Room, by: Actor) -> dict[int, list[Holder]]:
    """Who has these keys, of what `by` may see. A key that too many of those have finds nothing:
    counted after the question who may be seen, so that nobody learns of the others."""
    names = {registry[name].code: name for name in room.judges}
    raw = _rows(hashes, list(names))
    ids: dict[int, set[uuid.UUID]] = defaultdict(set)
    for found in raw.values():
        for code, id_ in found:
            ids[code].add(id_)
    visible = {
        code: found
        if access.sees_all(by, registry[names[code]])
        else access.allowed_ids(found, registry[names[code]], by, access.READ)
        for code, found in ids.items()
    }
    holders: dict[int, list[Holder]] = {}
    for hash_, found in raw.items():
        seen = [(names[code], id_) for code, id_ in found if id_ in visible[code]]
        if len(seen) <= HELD_BY:
            holders[hash_] = seen
    return holders


def _candidates(
    own: Sequence[int], holders: Mapping[int, Sequence[Holder]], id_: uuid.UUID | None
) -> list[Holder]:
    shared = Counter(one for key in own for one in holders.get(key, ()) if one[1] != id_)
    return [one for one, _count in shared.most_common(CANDIDATES)]


def _judged(
    room: Room,
    one: Proposed,
    candidates: Iterable[tuple[str, uuid.UUID, tuple[Prepared, Source] | None]],
) -> list[Match]:
    source = Source(room.entity, one.values, one.names)
    ours = room.shape.prepare(one.values, one.names)
    matches = []
    for name, id_, stored in candidates:
        found = room.strongest(name, ours, stored[0]) if stored else None
        if found is not None and stored is not None:
            matches.append(_match(name, id_, found, source, stored[1]))
    return sorted(matches, key=lambda match: (-match.confidence, -match.weight))


def _match(
    name: str, id_: uuid.UUID, found: tuple[Judge, Verdict], ours: Source, theirs: Source
) -> Match:
    judge, verdict = found
    reasons = explain.reasons(judge, verdict.levels, ours, theirs)
    return Match(
        name, id_, verdict.confidence, verdict.weight, verdict.rule, reasons,
        explain.effort(reasons),
    )  # fmt: skip


def _rows(hashes: Collection[int], codes: Sequence[int]) -> dict[int, list[tuple[int, uuid.UUID]]]:
    """Code and id of the records that have these keys, unless very many have one."""
    found: dict[int, list[tuple[int, uuid.UUID]]] = defaultdict(list)
    if not hashes:
        return found
    sqlite = connection.vendor == "sqlite"
    if sqlite:
        # Counted first, which stops early: the holders of a placeholder are never read. CROSS: by
        # keys, never by all that stands in a run.
        statements = [
            f"SELECT m.hash, m.entity, m.record FROM json_each(%s) k CROSS JOIN {table} m "
            f"ON {beside.format('m')}m.hash = k.value WHERE (SELECT count(*) FROM (SELECT 1 "
            f"FROM {table} x WHERE {beside.format('x')}x.hash = k.value LIMIT %s)) <= %s "
            "AND m.entity IN (SELECT value FROM json_each(%s))"
            for table, beside in _places()
        ]
    else:
        own = f"SELECT entity, record FROM {fresh.INDEX} x WHERE x.hash = k.hash LIMIT %s"
        every = f"unnest(%s::bigint[]) k(hash) CROSS JOIN LATERAL ({own}) m"
        statements = [f"SELECT hash, entity, record FROM {every} WHERE entity = ANY(%s::int[])"]
    statement = " UNION ALL ".join(statements)
    for part in batches(hashes, AT_ONCE):
        limits: list[Any] = [LOOKED_AT + 1, LOOKED_AT] if sqlite else [LOOKED_AT + 1]
        own_values = [listed(part), *limits, listed(codes)]
        with connection.cursor() as cursor:
            cursor.execute(statement, own_values * len(statements))
            for hash_, code, record in cursor.fetchall():
                id_ = record if isinstance(record, uuid.UUID) else uuid.UUID(hex=record)
                found[hash_].append((code, id_))
    return {hash_: held for hash_, held in found.items() if len(held) <= LOOKED_AT}


def _places(runs: str = fresh.RUNS) -> list[tuple[str, str]]:
    """Where keys stand: tables, each with a condition in which a place is left for its name."""
    if connection.vendor != "sqlite":
        return [(fresh.INDEX, "")]
    return [(fresh.INDEX, ""), (fresh.FRESH, f"{{}}.run IN ({runs}) AND ")]
