"""The one door: who looks like these proposed records. For one, or for a batch of thousands, in
two statements."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rapport import access
from rapport.access import Actor
from rapport.meta.entity import Entity
from rapport.models import MatchKey

from .keys import Key, keys

# A value that so many records share (info@example.com) says nothing; no more are looked at.
CANDIDATES = 20
# Values in one statement; SQLite takes 32,766.
AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class Proposed:
    """A record that may be written. `names` {look-up field: title of what it names}."""

    values: Mapping[str, Any]
    names: Mapping[str, str]
    id: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """A stored record that looks the same, and the rules that say so."""

    id: uuid.UUID
    rules: tuple[str, ...]


def find(entity: Entity, proposed: Sequence[Proposed], *, by: Actor) -> list[list[Match]]:
    """For each proposed record the stored ones that share a match key and that `by` may see,
    the strongest first."""
    wanted = [keys(entity, one.values, one.names) for one in proposed]
    found = find_keys(entity, wanted, by=by)
    return [
        [match for match in matches if match.id != one.id]
        for one, matches in zip(proposed, found, strict=True)
    ]


def find_keys(
    entity: Entity, wanted: Sequence[Sequence[Key]], *, by: Actor
) -> list[list[Match]]:
    """The same for proposed records of which the match keys are known."""
    hashes = list({key.hash for own in wanted for key in own})
    stored: dict[int, list[uuid.UUID]] = defaultdict(list)
    for start in range(0, len(hashes), AT_ONCE):
        pairs = MatchKey.objects.filter(hash__in=hashes[start : start + AT_ONCE]).order_by("pk")
        for hash_, record in pairs.values_list("hash", "record"):
            if len(stored[hash_]) < CANDIDATES:
                stored[hash_].append(record)
    if not stored:
        return [[] for _ in wanted]
    visible = _visible({record for found in stored.values() for record in found}, entity, by)
    result: list[list[Match]] = []
    for own in wanted:
        rules: dict[uuid.UUID, list[str]] = defaultdict(list)
        for key in own:
            for record in stored.get(key.hash, ()):
                if record in visible:
                    rules[record].append(key.rule)
        matches = [Match(record, tuple(found)) for record, found in rules.items()]
        result.append(sorted(matches, key=lambda match: -len(match.rules)))
    return result


def _visible(candidates: set[uuid.UUID], entity: Entity, by: Actor) -> set[uuid.UUID]:
    ids = list(candidates)
    found: set[uuid.UUID] = set()
    for start in range(0, len(ids), AT_ONCE):
        found |= access.allowed_ids(ids[start : start + AT_ONCE], entity, by, access.READ)
    return found
