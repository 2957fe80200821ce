"""Pairs as they are judged, by codes and digits, and as the queue keeps them, by names and ids."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from functools import cache

from rapport.actions.duplicates import Found
from rapport.duplicates import blocks
from rapport.duplicates.pairs import Alike, Judges, held_id
from rapport.meta.kinds import Ref
from rapport.meta.registry import registry
from rapport.models import DuplicatePair


def found(alike: Alike) -> Found:
    """A pair as the queue takes it."""
    return Found(
        _ref(alike.one), _ref(alike.other), alike.rule, alike.confidence, alike.weight,
        alike.effort, alike.reasons,
    )  # fmt: skip


def _ref(held: blocks.Held) -> Ref:
    return Ref(names()[held[0]], uuid.UUID(hex=held[1]))


@cache
def names() -> dict[int, str]:
    """Names of entities by their codes."""
    return {entity.code: entity.name for entity in registry if not entity.scope}


def judged(judges: Judges, rows: Sequence[DuplicatePair]) -> tuple[list[Found], list[int]]:
    """Those of `rows` that are alike, and the keys of the others."""
    held = {row.pk: pair_of(row) for row in rows}
    alike = judges.judge(list(held.values()))
    known = {(one.one, one.other) for one in alike}
    return [found(one) for one in alike], [pk for pk, two in held.items() if two not in known]


def pair_of(row: DuplicatePair) -> blocks.Pair:
    """A pair of the queue as it is judged."""
    one = (registry[row.first_entity].code, held_id(row.first))
    other = (registry[row.second_entity].code, held_id(row.second))
    return (one, other) if one < other else (other, one)
