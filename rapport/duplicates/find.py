"""The one door: who looks like these proposed records. For one, or for a batch of thousands, in
two statements."""

from __future__ import annotations

import json
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.db import connection

from rapport import access
from rapport.access import Actor
from rapport.meta.batches import batches
from rapport.meta.entity import Entity
from rapport.meta.registry import registry
from rapport.models import MatchKey

from .keys import Key, keys

# A value that so many records share (info@example.com) says nothing; no more are told, and of no
# more it is asked whether they are visible.
CANDIDATES = 20
LOOKED_AT = 500
# Keys asked for in one statement.
AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class Proposed:
    """A record that may be written. `names` {look-up field: title of what it names}."""

    values: Mapping[str, Any]
    names: Mapping[str, str]
    id: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """How one condition came out. `level`: same, similar or different; `ours`, `theirs`: the values
    as texts; `weight`: bits. `field`: entity.name of the field, of which the label is made."""

    label: str
    level: str
    ours: str
    theirs: str
    weight: float
    field: str = ""

    def to_json(self) -> list[Any]:
        """For keeping: without the values, which may be erased, and the label, which is translated
        when it is read."""
        return [self.field, self.level, round(self.weight, 1)]

    @classmethod
    def from_json(cls, kept: Sequence[Any]) -> Reason:
        """The inverse of `to_json`; label in the reader's language, values blank."""
        entity, _dot, name = kept[0].partition(".")
        known = registry[entity].fields.get(name) if entity in registry else None
        label = str(known.label) if known else name
        return cls(label, kept[1], "", "", kept[2], kept[0])


@dataclass(frozen=True, slots=True)
class Match:
    """A stored record that looks the same. confidence: percent. weight: evidence in bits. rule: key
    of the strongest rule that says so. effort: values on which the two differ."""

    entity: str
    id: uuid.UUID
    confidence: int
    weight: float
    rule: str
    reasons: tuple[Reason, ...] = ()
    effort: int = 0
    rules: tuple[str, ...] = ()


def find_stored(
    entity: Entity, ids: Collection[uuid.UUID], *, by: Actor, among: Collection[str] | None = None
) -> dict[uuid.UUID, list[Match]]:
    """The same for stored records, which are not told as their own match."""
    return {id_: [] for id_ in ids}


def find(
    entity: Entity,
    proposed: Sequence[Proposed],
    *,
    by: Actor,
    among: Collection[str] | None = None,
) -> list[list[Match]]:
    """For each proposed record the stored ones that share a match key and that `by` may see,
    the strongest first."""
    wanted = [keys(entity, one.values, one.names) for one in proposed]
    found = find_keys(entity, wanted, by=by)
    return [
        [match for match in matches if match.id != one.id]
        for one, matches in zip(proposed, found, strict=True)
    ]


def find_keys(entity: Entity, wanted: Sequence[Sequence[Key]], *, by: Actor) -> list[list[Match]]:
    """The same for proposed records of which the match keys are known."""
    stored: dict[int, list[uuid.UUID]] = defaultdict(list)
    for part in batches({key.hash for own in wanted for key in own}, AT_ONCE):
        for hash_, record in _holders(part):
            if len(stored[hash_]) < LOOKED_AT:
                stored[hash_].append(record)
    if not stored:
        return [[] for _ in wanted]
    candidates = {record for found in stored.values() for record in found}
    visible = access.allowed_ids(candidates, entity, by, access.READ)
    seen = {
        hash_: list(islice((record for record in found if record in visible), CANDIDATES))
        for hash_, found in stored.items()
    }
    result: list[list[Match]] = []
    for own in wanted:
        rules: dict[uuid.UUID, list[str]] = defaultdict(list)
        for key in own:
            for record in seen.get(key.hash, ()):
                rules[record].append(key.rule)
        matches = [
            Match(entity.name, record, 70, 10.0, found[0], rules=tuple(found))
            for record, found in rules.items()
        ]
        result.append(sorted(matches, key=lambda match: -len(match.rules)))
    return result


def _holders(hashes: Sequence[int]) -> Iterable[tuple[int, uuid.UUID]]:
    """Who has one of these keys, oldest first. One parameter however many there are: a long IN
    list costs more to write and to read than to answer."""
    table = connection.ops.quote_name(MatchKey._meta.db_table)
    value: list[Any] = [list(hashes)]
    among = "= ANY(%s)"
    if connection.vendor == "sqlite":
        among, value = "IN (SELECT value FROM json_each(%s))", [json.dumps(hashes)]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT hash, record FROM {table} WHERE hash {among} ORDER BY id", value)
        for hash_, record in cursor.fetchall():
            yield hash_, record if isinstance(record, uuid.UUID) else uuid.UUID(hex=record)
