"""Learning what agreement and difference say, from the records themselves and without labels.

After Fellegi and Sunter: u (any two records) from random pairs and the frequencies of values, m
(two records of one) by expectation maximisation over the pairs that share a key. The shipped values
count as so many observed pairs, so that few or sparse records are judged sensibly too.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from math import log2
from typing import Any

from .compare import DIFFERENT, LEVELS, SAME
from .evidence import Levels, ceiling
from .features import Prepared, Shape
from .judge import Judge
from .keys import HELD_BY
from .rules import Criterion, Rule
from .weights import LIFT, Weights, bits_of, shape_of, shipped, starting

# How many pairs the shipped values count for.
M_PAIRS, RANDOM_PAIRS = 40.0, 10_000
ROUNDS = 20
# Values this frequent are remembered, the most frequent first.
OFTEN, REMEMBERED = 5, 400
# How much of a value's own frequency counts, rather than that of an average one.
TERM = 0.5
# Among pairs of one, names do not differ more often than this: without it, colleagues who share an
# office would teach that they do.
DIFFERENT_AT_MOST = 0.25
# Bits from which names are clearly the same or clearly not; for how many pairs at one place the
# shipped odds count; and between which bounds the learned ones stay.
CLEAR, AT_PLACE = 4.0, 2.0
LIFT_LEAST, LIFT_MOST = -10.0, 12.0
# Damage may meet first names so much more often than last ones; and for so many pairs at one place
# it counts that they agree no more than any two.
UNEVEN, AT_PLACE_PAIRS = 2.0, 5.0
# Per pair of one with whole names, so many have one name damaged beyond likeness, or both.
ONE_DAMAGED, BOTH_DAMAGED = 0.5, 0.05
# Values that say who somebody is, unless very many have them; of a small sample never fewer than
# FEW. What agreeing on one of those weighs: as little as agreement can.
_REACHES = frozenset({Criterion.EMAIL, Criterion.PHONE})
FEW, NOTHING = 20, -99.0
Pair = tuple[Prepared, Prepared]


def learn(
    rule: Rule,
    shapes: tuple[Shape, Shape],
    records: tuple[Sequence[Prepared], Sequence[Prepared]],
    pairs: Iterable[Pair],
    *,
    population: tuple[int, int] | None = None,
    share: float = 1.0,
) -> Weights:
    """Weights of `rule` from a sample of `records` of base and matching entity (twice the same
    list when it is one) and `pairs` that share a key. population: how many records there are in
    all; share: which part of all such pairs `pairs` are."""
    base, matching = records
    alike = base is matching
    sizes = population or (len(base), len(matching))
    total = sizes[0] * (sizes[0] - 1) / 2 if alike else float(sizes[0] * sizes[1])
    judge = Judge(rule, *shapes, starting(rule))
    placeholders = _placeholders(judge, base, matching, sizes)
    if placeholders:
        blanks = [
            {judge.place(i, side): values for i, values in placeholders.items()} for side in (0, 1)
        ]
        base = [_without(record, blanks[0]) for record in base]
        matching = base if alike else [_without(record, blanks[1]) for record in matching]
        pairs = ((_without(a, blanks[0]), _without(b, blanks[1])) for a, b in pairs)
    seen = Counter(judge.levels(ours, theirs) for ours, theirs in pairs)
    if total < 1 or min(len(base), len(matching)) < 2:
        return starting(rule)
    chance = _chance(judge, base, matching, alike)
    rates = [_rates(judge, i, base, matching, alike) for i in range(len(rule.conditions))]
    state = _State(rule, judge, chance, rates, total=total, share=share)
    for _round in range(ROUNDS):
        if not state.step(seen):
            break
    weights = state.weights(matching, max(sizes))
    frequent = list(weights.frequent)
    for i, values in placeholders.items():
        frequent[i] = {**frequent[i], **dict.fromkeys(values, NOTHING)}
    return replace(weights, frequent=tuple(frequent))


def _placeholders(
    judge: Judge, base: Sequence[Prepared], matching: Sequence[Prepared], sizes: tuple[int, int]
) -> dict[int, frozenset[str]]:
    """Addresses and numbers that so many records have that they name nobody, by condition. Left
    in, they would teach that neither the same address nor another one says much."""
    found: dict[int, frozenset[str]] = {}
    for i, condition in enumerate(judge.rule.conditions):
        if condition.criterion not in _REACHES:
            continue
        held: set[str] = set()
        for side, records in enumerate((base, matching)):
            most = max(FEW, HELD_BY * len(records) / max(sizes[side], 1))
            counts = _values(judge, i, side, records).counts
            held.update(value for value, count in counts.items() if count > most)
        if held:
            found[i] = frozenset(held)
    return found


def _without(record: Prepared, blanks: Mapping[int, frozenset[str]]) -> Prepared:
    """`record` without these values at these places."""
    made = list(record)
    for place, values in blanks.items():
        if isinstance(made[place], tuple):
            made[place] = tuple(value for value in made[place] if value not in values)
        elif made[place] in values:
            made[place] = ""
    return tuple(made)


def _chance(
    judge: Judge, base: Sequence[Prepared], matching: Sequence[Prepared], alike: bool
) -> list[list[float]]:
    """How often each level comes out between random records, by condition."""
    dice = random.Random(20_260)  # noqa: S311 -- the same records teach the same
    found = [[0.0] * LEVELS for _ in judge.rule.conditions]
    for _number in range(min(RANDOM_PAIRS, 10 * len(base) * len(matching))):
        one, other = dice.randrange(len(base)), dice.randrange(len(matching))
        if alike and one == other:
            continue
        for i, level in enumerate(judge.levels(base[one], matching[other])):
            found[i][level] += 1
    return found


class _Values:
    """How often values occur in a condition's place of records."""

    def __init__(self, records: Sequence[Prepared], place: int, street: bool) -> None:
        column = [record[place] for record in records if record[place]]
        self.filled = len(column)
        self.counts: Counter[Any]
        if street:
            self.counts = Counter(value[0] for value in column)
        elif column and isinstance(column[0], tuple):
            self.counts = Counter(chain.from_iterable(column))
        else:
            self.counts = Counter(column)


def _values(judge: Judge, i: int, side: int, records: Sequence[Prepared]) -> _Values:
    street = judge.rule.conditions[i].criterion is Criterion.ADDRESS
    return _Values(records, judge.place(i, side), street)


def _rates(
    judge: Judge, i: int, base: Sequence[Prepared], matching: Sequence[Prepared], alike: bool
) -> tuple[float, float]:
    """How likely two random records agree on a condition, exactly, and how likely both have it."""
    ours = _values(judge, i, 0, base)
    if alike:
        same = sum(count * (count - 1) for count in ours.counts.values())
        pairs = ours.filled * (ours.filled - 1)
        return (same / pairs if pairs else 0.0), (ours.filled / max(len(base), 1)) ** 2
    theirs = _values(judge, i, 1, matching)
    same = sum(count * theirs.counts[value] for value, count in ours.counts.items())
    pairs = ours.filled * theirs.filled
    both = pairs / max(len(base) * len(matching), 1)
    return (same / pairs if pairs else 0.0), both


class _State:
    """m, u and the prior while they are being found."""

    def __init__(
        self,
        rule: Rule,
        judge: Judge,
        chance: list[list[float]],
        rates: list[tuple[float, float]],
        *,
        total: float,
        share: float,
    ) -> None:
        self.rule, self.judge, self.total, self.share = rule, judge, total, share
        self.rates = rates
        starts = shipped(rule)
        self.start_m = [list(m) for m, _u in starts]
        self.m = [list(m) for m, _u in starts]
        self.u = [
            _smoothed(chance[i][1:], u, max(sum(chance[i][1:]), 1000.0))
            for i, (_m, u) in enumerate(starts)
        ]
        self.start_same = [u[0] for _m, u in starts]
        self.matches, self.lift = 1.0, LIFT
        self.kin = [[0.0] * LEVELS for _ in starts]
        self.names = [i for i in range(len(self.m)) if judge.is_name(i)]
        self._set_same([0.0] * len(rule.conditions))

    def _set_same(self, agreed: list[float]) -> None:
        """u of agreement: of all pairs that agree, those that are not two records of one."""
        for i, (rate, both) in enumerate(self.rates):
            pairs = self.total * both
            # Shipped values count as the sort of sample that would just show them.
            trust = min(1 / max(self.start_same[i], 1e-6), pairs + 1000)
            chance = max(rate * pairs - agreed[i], 0.0)
            same = (chance + trust * self.start_same[i]) / (pairs + trust)
            same = min(max(same, 1e-7), 0.9)
            rest = sum(self.u[i][1:]) or 1.0
            self.u[i] = [same, *(part * (1 - same) / rest for part in self.u[i][1:])]

    @property
    def prior(self) -> float:
        """Bits for any two records being one."""
        return log2(min(max(self.matches / self.total, 1e-14), 0.2))

    def step(self, seen: Counter[Levels]) -> bool:
        """One round of expectation and maximisation; False when nothing moves any more."""
        bits = self._bits()
        split = {levels: self.judge.parts(bits, levels) for levels in seen}
        self.lift, self.kin = self._at_place(seen, split)
        most = ceiling(self.prior, self.lift)
        sums = [[0.0] * LEVELS for _ in self.m]
        expected = 0.0
        for levels, count in seen.items():
            own, place = split[levels]
            kin = sum(self.kin[i][level] for i, level in enumerate(levels))
            odds = self.prior + own + min(place, most - kin)
            chance = count / (1 + 2.0 ** min(max(-odds, -60), 60))
            if chance < 1e-9:
                continue
            expected += chance
            for i, level in enumerate(levels):
                sums[i][level] += chance
        for i, start in enumerate(self.start_m):
            self.m[i] = self._bounded(i, _smoothed(sums[i][1:], start, M_PAIRS))
        if len(self.names) == 2:
            first, last = self.names
            # Damage meets both names alike. Who differ in the first one far more often are not one.
            most = UNEVEN * max(self.m[last][-1], self.start_m[first][-1])
            self.m[first] = _at_most(self.m[first], most)
        self._set_same([one[SAME] / self.share for one in sums])
        before, self.matches = self.matches, expected / self.share + 1.0
        return abs(self.matches - before) > 0.001 * self.matches

    def _at_place(
        self, seen: Counter[Levels], split: Mapping[Levels, tuple[float, float]]
    ) -> tuple[float, list[list[float]]]:
        """Odds that two at one place are one: of the pairs that clearly are at one place, how many
        are clearly of one name, and how many more are not than damage explains. Where colleagues or
        families are kept the second are many, and the place says little. And what those second ones
        have in common anyway, by condition and level."""
        enough = -self.prior - 2
        one, mixed, two = AT_PLACE * 2.0**LIFT, 0.0, 0.0
        kin, strangers = Counter[Levels](), Counter[Levels]()
        renamed, halves = 0.0, 0.0
        for levels, count in seen.items():
            own, place = split[levels]
            if place < enough:
                continue
            differ = [i for i in self.names if levels[i] == DIFFERENT]
            if own >= CLEAR and not differ:
                if all(levels[i] for i in self.names):
                    one += count
                else:
                    halves += count
            elif own <= -CLEAR or (differ and differ == self.names):
                two += count
                strangers[levels] = count
            elif differ:
                mixed += count
            if differ == self.names[:1]:
                kin[levels] = count
            elif differ == self.names[1:]:
                renamed += count
        damaged = UNEVEN * renamed + AT_PLACE_PAIRS
        families = sum(kin.values()) - damaged if len(self.names) == 2 else 0.0
        # One last name alone may be anybody's of the family.
        one += halves * one / (one + max(families, 0.0))
        excess = max(mixed - ONE_DAMAGED * one, 0.0) + max(two - BOTH_DAMAGED * one, 0.0)
        odds = log2(one / (excess + AT_PLACE))
        lift = min(max(odds, LIFT_LEAST), LIFT_MOST)
        if families <= 0:
            return lift, [[0.0] * LEVELS for _ in self.m]
        return lift, self._kin(kin + strangers, damaged, max(damaged, ONE_DAMAGED / 2 * one))

    def _kin(self, others: Counter[Levels], damaged: float, most: float) -> list[list[float]]:
        """What two of one family have in common. Damage meets first names as often as last ones:
        where far more of those who differ in one name differ in the first, that are families.
        `others`: pairs who differ in the first name; damaged: how many of them are one person, and
        `most`: at most."""
        sums = [[0.0] * LEVELS for _ in self.m]
        for levels, count in others.items():
            for i, level in enumerate(levels):
                sums[i][level] += count
        found = []
        for i, (sum_, m, u) in enumerate(zip(sums, self.m, self.u, strict=True)):
            gone = damaged if i == self.names[1] else most
            left = [max(n - gone * part, 0.0) for n, part in zip(sum_[1:], m, strict=True)]
            h = _smoothed(left, u, AT_PLACE_PAIRS)
            kin = [max(log2(one / other), 0.0) for one, other in zip(h, u, strict=True)]
            nothing = i == self.names[0] or self.judge.is_place(i)
            found.append([0.0] * LEVELS if nothing else [0.0, *kin])
        return found

    def _bounded(self, i: int, m: list[float]) -> list[float]:
        return _at_most(m, DIFFERENT_AT_MOST if self.judge.is_name(i) else 0.6)

    def _bits(self) -> list[tuple[float, ...]]:
        return [
            bits_of(condition, m, u)
            for condition, m, u in zip(self.rule.conditions, self.m, self.u, strict=True)
        ]

    def weights(self, matching: Sequence[Prepared], size: int) -> Weights:
        """What was learned, ready to be kept."""
        frequent: list[dict[str, float]] = []
        rare: list[float] = []
        for i, condition in enumerate(self.rule.conditions):
            if condition.weight is not None or condition.must:
                frequent.append({})
                rare.append(0.0)
                continue
            often, seldom = self._terms(i, matching)
            frequent.append(often)
            rare.append(seldom)
        return Weights(
            shape=shape_of(self.rule), prior=self.prior, levels=tuple(self._bits()),
            frequent=tuple(frequent), rare=tuple(rare), lift=self.lift,
            kin=tuple(map(tuple, self.kin)), records=size, matches=self.matches,
        )  # fmt: skip

    def _terms(self, i: int, records: Sequence[Prepared]) -> tuple[dict[str, float], float]:
        """What common values and all others add to the weight of agreement."""
        values = _values(self.judge, i, 1, records)
        if values.filled < 50:
            return {}, 0.0
        average = self.u[i][0]
        common = [(v, n) for v, n in values.counts.most_common(REMEMBERED) if n >= OFTEN]
        often = {
            value: TERM * (log2(average) - log2(count / values.filled)) for value, count in common
        }
        left = sum(values.counts.values()) - sum(count for _value, count in common)
        kinds = len(values.counts) - len(common)
        usual = max(left / kinds, 1.0) / values.filled if kinds else average
        # A value that is alone in a sample may be anything: it counts as two.
        return often, TERM * (log2(average) - log2(max(usual, 2 / values.filled)))


def _at_most(m: list[float], limit: float) -> list[float]:
    """Levels of which the last one, different, comes out no more often than that."""
    if m[-1] <= limit:
        return m
    rest = sum(m[:-1])
    return [*(part * (1 - limit) / rest for part in m[:-1]), limit]


def _smoothed(seen: Sequence[float], start: Sequence[float], strength: float) -> list[float]:
    total = sum(seen) + strength
    return [(count + strength * part) / total for count, part in zip(seen, start, strict=True)]
