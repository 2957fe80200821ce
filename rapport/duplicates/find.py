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

from .keys import keys

# A value that so many records share (info@example.com) says nothing; no more are looked at.
CANDIDATES = 20


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
    hashes = {key.hash for own in wanted for key in own}
    if not hashes:
        return [[] for _ in proposed]
    stored: dict[int, list[uuid.UUID]] = defaultdict(list)
    pairs = MatchKey.objects.filter(hash__in=hashes).order_by("pk").values_list("hash", "record")
    for hash_, record in pairs:
        if len(stored[hash_]) < CANDIDATES:
            stored[hash_].append(record)
    candidates = {record for found in stored.values() for record in found}
    visible = access.allowed_ids(candidates, entity, by, access.READ) if candidates else set()
    result: list[list[Match]] = []
    for one, own in zip(proposed, wanted, strict=True):
        rules: dict[uuid.UUID, list[str]] = defaultdict(list)
        for key in own:
            for record in stored[key.hash]:
                if record in visible and record != one.id:
                    rules[record].append(key.rule)
        matches = [Match(record, tuple(found)) for record, found in rules.items()]
        result.append(sorted(matches, key=lambda match: -len(match.rules)))
    return result
