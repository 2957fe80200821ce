"""The rules of one entity, compiled with their weights, and kept while nothing changes."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from rapport.meta.entity import Entity
from rapport.meta.registry import registry
from rapport.models import LearnedWeights

from . import weights
from .features import VALUE, Prepared, Shape
from .judge import Judge, Verdict, strongest
from .rules import Rule, published, version

# What the radar has learned is used after so many seconds.
FRESH = 60.0


@dataclass(slots=True)
class _Kept:
    learned: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    version: int = 0
    until: float = 0.0


_kept = _Kept()


def forget() -> None:
    """Read the learned weights anew when next asked."""
    _kept.until = 0.0


def _learned() -> Mapping[str, Mapping[str, Any]]:
    now = time.monotonic()
    if now >= _kept.until:
        take(dict(LearnedWeights.objects.values_list("rule", "weights")), until=now + FRESH)
    return _kept.learned


def take(learned: Mapping[str, Mapping[str, Any]], *, until: float) -> None:
    """Judge by these learned weights until so late."""
    if learned != _kept.learned:
        _kept.learned, _kept.version = learned, _kept.version + 1
    _kept.until = until


class Room:
    """Judges for proposed records of one entity, by the entity that is looked into."""

    def __init__(
        self, entity: Entity, rules: tuple[Rule, ...], learned: Mapping[str, Mapping[str, Any]]
    ) -> None:
        self.entity = entity
        involved = {entity.name, *(rule.matching for rule in rules)}
        self.shapes = {name: Shape(registry[name], rules) for name in involved}
        self.shape = self.shapes[entity.name]
        self.judges: dict[str, list[Judge]] = {}
        for rule in rules:
            kept = weights.usable(rule, learned.get(weights.key_of(rule)))
            judge = Judge(rule, self.shape, self.shapes[rule.matching], kept)
            self.judges.setdefault(rule.matching, []).append(judge)

    def strongest(
        self, name: str, ours: Prepared, theirs: Prepared
    ) -> tuple[Judge, Verdict] | None:
        """What the surest rule says of a record of ours and one of the entity `name`."""
        return strongest(self.judges[name], ours, theirs)

    def asking(self, glance: str) -> Callable[[str], bool]:
        """What tells of other glances whether a rule may call their records the same as that of
        `glance`, both of ours."""
        ours, judges = glance.split(VALUE), self.judges[self.entity.name]
        seen_of = self.shape.seen_of

        def may_be(glance: str) -> bool:
            theirs = glance.split(VALUE)
            for judge in judges:
                if judge.are_apart(ours, theirs):
                    continue
                # Few come so far.
                if judge.may_be(seen_of(ours), seen_of(theirs)):
                    return True
            return False

        return may_be


def room_for(entity: Entity, among: Collection[str] | None) -> Room:
    """The rules in force that compare `entity` records with those of `among` (None: with all)."""
    _learned()
    wanted = None if among is None else frozenset(among)
    return _room(entity, wanted, version(), _kept.version)


@lru_cache(maxsize=64)
def _room(entity: Entity, among: frozenset[str] | None, _rules: int, _weights: int) -> Room:
    rules = published(entity.name)
    chosen = tuple(rule for rule in rules if among is None or rule.matching in among)
    return Room(entity, chosen, _kept.learned)
