"""What an outcome says: bits for each level of each condition, as shipped or as learned."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from math import log2
from typing import Any

from .compare import CLOSE, DIFFERENT, LEVELS, LOOSE, SAME, VARIANT
from .rules import Condition, Criterion, Rule

# (m, u) of the levels from the same to different: how often each comes out between two records of
# one person or company, and between any two records.
_TINY = 1e-7
SHIPPED: dict[Criterion, tuple[tuple[float, ...], tuple[float, ...]]] = {
    Criterion.NAME: ((0.78, 0.07, 0.08, 0.03, 0.04), (0.005, 0.01, 0.005, 0.03, 0.95)),
    Criterion.EMAIL: ((0.68, 0.0, 0.05, 0.05, 0.22), (1e-5, 0.0, 1e-5, 0.01, 0.99)),
    Criterion.PHONE: ((0.60, 0.05, 0.05, 0.0, 0.30), (3e-5, 1e-5, 1e-5, 0.0, 1.0)),
    Criterion.COMPANY: ((0.75, 0.08, 0.06, 0.04, 0.07), (0.001, 0.001, 0.0005, 0.005, 0.99)),
    Criterion.DOMAIN: ((0.80, 0.0, 0.0, 0.0, 0.20), (3e-4, 0.0, 0.0, 0.0, 1.0)),
    Criterion.ADDRESS: ((0.65, 0.10, 0.10, 0.05, 0.10), (5e-4, 0.002, 0.002, 0.02, 0.97)),
    Criterion.CITY: ((0.80, 0.05, 0.06, 0.02, 0.07), (0.015, 0.003, 0.002, 0.01, 0.97)),
    Criterion.POSTCODE: ((0.80, 0.0, 0.10, 0.02, 0.08), (0.001, 0.0, 0.01, 0.005, 0.98)),
    Criterion.DATE: ((0.84, 0.02, 0.08, 0.02, 0.04), (4e-5, 1e-4, 0.001, 0.005, 0.99)),
    Criterion.TEXT: ((0.60, 0.10, 0.10, 0.05, 0.15), (0.01, 0.005, 0.005, 0.03, 0.95)),
}
# Many people are of one company, but few companies of one name.
_OF_COMPANY = ((0.75, 0.08, 0.06, 0.04, 0.07), (3e-5, 3e-4, 1e-4, 0.004, 0.99))
_PLAIN = ((0.80, 0.0, 0.0, 0.0, 0.20), (0.01, 0.0, 0.0, 0.0, 0.99))
# Two records chosen at random are the same with this probability, before anything is learned:
# one in thirty has a double among ten thousand.
PRIOR = log2(1 / 300_000)
# And with these odds when they live or work at one place.
LIFT = -2.0
# A value that says where somebody works or lives, which whole teams and families share.
SHARED = frozenset(
    {
        Criterion.PHONE, Criterion.COMPANY, Criterion.DOMAIN, Criterion.ADDRESS, Criterion.CITY,
        Criterion.POSTCODE,
    }
)  # fmt: skip
# Parts of a weight that a person gave, by level.
_GIVEN = {SAME: 1.0, VARIANT: 0.75, CLOSE: 0.6, LOOSE: 0.2, DIFFERENT: -0.3}


def shipped(rule: Rule) -> list[tuple[tuple[float, ...], tuple[float, ...]]]:
    """Starting m and u of each condition, by level from the same to different."""
    of_people = any(c.criterion is Criterion.NAME for c in rule.conditions)
    found = []
    for condition in rule.conditions:
        m, u = SHIPPED.get(condition.criterion, _PLAIN)
        if condition.criterion is Criterion.COMPANY and not of_people:
            m, u = _OF_COMPANY
        found.append((_whole(m), _whole(u)))
    return found


def _whole(parts: Sequence[float]) -> tuple[float, ...]:
    kept = [max(part, _TINY) for part in parts]
    total = sum(kept)
    return tuple(part / total for part in kept)


def bits_of(condition: Condition, m: Sequence[float], u: Sequence[float]) -> tuple[float, ...]:
    """Evidence by level; blank first, which says nothing."""
    if condition.weight is not None:
        return (0.0, *(condition.weight * _GIVEN[level] for level in range(SAME, LEVELS)))
    return (0.0, *(log2(one / other) for one, other in zip(m, u, strict=True)))


@dataclass(frozen=True, kw_only=True)
class Weights:
    """Of one rule. prior: bits. levels: bits by condition and level. frequent: by condition, what a
    common value adds to agreement (less than nothing). rare: what any other value adds. lift: odds,
    in bits, that two at one place are one. kin: by condition and level, the part of `levels` that
    two at one place get anyway, as families do of a last name.
    records, matches: what they were learned from; nothing when they are the shipped ones."""

    shape: str
    prior: float
    levels: tuple[tuple[float, ...], ...]
    frequent: tuple[Mapping[str, float], ...]
    rare: tuple[float, ...]
    lift: float = LIFT
    kin: tuple[tuple[float, ...], ...] = ()
    records: int = 0
    matches: float = 0.0
    figures: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """For `LearnedWeights.weights`."""
        return {
            "shape": self.shape,
            "prior": round(self.prior, 3),
            "levels": [[round(bits, 3) for bits in levels] for levels in self.levels],
            "frequent": [{v: round(b, 2) for v, b in one.items()} for one in self.frequent],
            "rare": [round(bits, 3) for bits in self.rare],
            "lift": round(self.lift, 3),
            "kin": [[round(bits, 3) for bits in levels] for levels in self.kin],
            "records": self.records,
            "matches": round(self.matches, 1),
            "figures": dict(self.figures),
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Weights:
        """The inverse of `to_json`."""
        return cls(
            shape=kept["shape"],
            prior=kept["prior"],
            levels=tuple(tuple(levels) for levels in kept["levels"]),
            frequent=tuple(kept["frequent"]),
            rare=tuple(kept["rare"]),
            lift=kept["lift"],
            kin=tuple(tuple(levels) for levels in kept.get("kin", ())),
            records=kept.get("records", 0),
            matches=kept.get("matches", 0.0),
            figures=kept.get("figures", {}),
        )


def shape_of(rule: Rule) -> str:
    """Changes when weights that were learned for `rule` say nothing about it any more."""
    parts = [
        [sorted([list(c.base), list(c.matching)]), c.criterion.value, c.parameter, c.weight]
        for c in rule.conditions
    ]
    return blake2b(json.dumps(parts).encode(), digest_size=6).hexdigest()


def key_of(rule: Rule) -> str:
    """Under which key its weights are kept: a rule and the same one turned share them."""
    parts = rule.key.split(".")
    return ".".join([*sorted(parts[:2]), *parts[2:]]) if len(parts) == 3 else rule.key


def starting(rule: Rule) -> Weights:
    """What ships: for a rule of which nothing has been learned."""
    count = len(rule.conditions)
    return Weights(
        shape=shape_of(rule),
        prior=PRIOR,
        levels=tuple(
            bits_of(condition, *start)
            for condition, start in zip(rule.conditions, shipped(rule), strict=True)
        ),
        frequent=({},) * count,
        rare=(0.0,) * count,
    )


def usable(rule: Rule, kept: Mapping[str, Any] | None) -> Weights:
    """The learned weights when they fit `rule`, else the shipped ones."""
    if kept and kept.get("shape") == shape_of(rule):
        return Weights.from_json(kept)
    return starting(rule)
