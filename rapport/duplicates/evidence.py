"""How the conditions of a rule come out for two records, and what evidence that is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .compare import (
    BLANK,
    CLOSE,
    COMPARE,
    DIFFERENT,
    LOOSE,
    SAME,
    VARIANT,
    Compare,
    any_of,
)  # fmt: skip
from .features import Prepared, Shape, of_condition
from .rules import Condition, Criterion, Rule
from .weights import SHARED, Weights

# What having moved may cost at most, so that an e-mail address or a birthday can outweigh it.
PLACE_FLOOR = -8.0
PLACE_LEAST = 6.0
Levels = tuple[int, ...]


class Weighing:
    """One rule, ready to compare records prepared by `base` and `matching`."""

    def __init__(self, rule: Rule, base: Shape, matching: Shape, weights: Weights) -> None:
        self.rule = rule
        self.weights = weights
        self._steps = [self._step(condition, base, matching) for condition in rule.conditions]
        self._blanks = [i for i, c in enumerate(rule.conditions) if not c.ignore_blanks]
        kinds = {condition.criterion for condition in rule.conditions}
        shared = SHARED if Criterion.NAME in kinds else SHARED - {Criterion.COMPANY}
        decides = any(c.criterion not in shared for c in rule.conditions)
        self._place = tuple(decides and c.criterion in shared for c in rule.conditions)
        self._carried = tuple(
            is_place and c.criterion is Criterion.PHONE
            for is_place, c in zip(self._place, rule.conditions, strict=True)
        )
        self._streets = tuple(c.criterion is Criterion.ADDRESS for c in rule.conditions)
        self._names = self._siblings(Criterion.NAME)
        self._lines = self._siblings(Criterion.ADDRESS)
        self._ceiling = ceiling(weights.prior, weights.lift)

    def _step(self, condition: Condition, base: Shape, matching: Shape) -> tuple[int, int, Compare]:
        sensitive = self.rule.case_sensitive
        compare: Compare = COMPARE[condition.criterion]
        ours = of_condition(condition, condition.base, sensitive)
        theirs = of_condition(condition, condition.matching, sensitive)
        if ours.is_bag and theirs.is_bag:
            compare = any_of(compare)
        elif ours.is_bag or theirs.is_bag:
            compare = _mixed(compare, ours.is_bag)
        return base.places[ours], matching.places[theirs], compare

    def place(self, i: int, side: int) -> int:
        """Where the value of condition `i` stands in a record of the base (0) or matching side."""
        ours, theirs, _compare = self._steps[i]
        return theirs if side else ours

    def is_name(self, i: int) -> bool:
        """Whether condition `i` compares what a person or a company is called."""
        criterion = self.rule.conditions[i].criterion
        return criterion is Criterion.NAME or (
            criterion is Criterion.COMPANY and not self._place[i]
        )

    def is_place(self, i: int) -> bool:
        """Whether condition `i` tells where somebody lives or works."""
        return self._place[i]

    def parts(self, bits: Sequence[Sequence[float]], levels: Levels) -> tuple[float, float]:
        """Evidence of the person or company itself, and of its place, by these bits."""
        own = place = phone = 0.0
        for i, level in enumerate(levels):
            if self._carried[i]:
                phone += bits[i][level]
            elif self._place[i]:
                place += bits[i][level]
            else:
                own += bits[i][level]
        return own, of_place(place, phone)

    def _siblings(self, criterion: Criterion) -> tuple[int, int] | None:
        """Two conditions whose values people put into each other's place."""
        found = [i for i, c in enumerate(self.rule.conditions) if c.criterion is criterion]
        single = all(len(self.rule.conditions[i].base) == 1 for i in found)
        return (found[0], found[1]) if len(found) == 2 and single else None

    def levels(self, ours: Prepared, theirs: Prepared) -> Levels:
        """How each condition comes out."""
        found = [
            compare(a, b) if (a := ours[one]) and (b := theirs[other]) else BLANK
            for one, other, compare in self._steps
        ]
        if self._names is not None:
            self._cross_names(found, ours, theirs, *self._names)
        if self._lines is not None:
            first, last = self._lines
            if found[first] >= LOOSE or (not found[first] and not found[last]):
                self._cross_lines(found, ours, theirs, first, last)
        for i in self._blanks:
            if not found[i]:
                # A blank is a value like others.
                one, other, _compare = self._steps[i]
                found[i] = DIFFERENT if ours[one] or theirs[other] else SAME
        return tuple(found)

    def _cross_names(
        self,
        found: list[int] | dict[int, int],
        ours: Prepared,
        theirs: Prepared,
        first: int,
        last: int,
    ) -> None:
        """First and last name exchanged, or both in one field."""
        if found[first] == found[last] == SAME:
            return
        compare = COMPARE[Criterion.NAME]
        (one, other, _), (one_, other_, _) = self._steps[first], self._steps[last]
        a, a_, b, b_ = ours[one], ours[one_], theirs[other], theirs[other_]
        if a and a_ and b and b_:
            if found[first] > CLOSE or found[last] > CLOSE:
                # Where the first names are the same, the first of these is known after the first
                # pair.
                crossed = compare(a_, b)
                if crossed <= CLOSE:
                    crossed = max(crossed, compare(a, b_))
                if (crossed <= CLOSE and crossed < max(found[first], found[last])) or (
                    " " in a_ + b_ + a + b and _letters(a, a_) == _letters(b, b_)
                ):
                    found[first] = found[last] = VARIANT
        elif found[last] != SAME:
            whole, other_whole = _letters(a, a_), _letters(b, b_)
            if whole and whole == other_whole:
                found[first] = found[last] = VARIANT
            elif found[last] > CLOSE and (
                (a_ and b and compare(a_, b) <= CLOSE) or (a and b_ and compare(a, b_) <= CLOSE)
            ):
                # One name alone, in the wrong place: it may be either.
                found[last] = BLANK

    def _cross_lines(
        self, found: list[int], ours: Prepared, theirs: Prepared, first: int, last: int
    ) -> None:
        """The lines of an address in another order."""
        compare = COMPARE[Criterion.ADDRESS]
        (one, other, _), (one_, other_, _) = self._steps[first], self._steps[last]
        a, a_, b, b_ = ours[one], ours[one_], theirs[other], theirs[other_]
        crossed = [compare(x, y) for x, y in ((a, b_), (a_, b)) if x and y]
        if crossed and min(crossed) <= CLOSE and max(crossed) <= LOOSE:
            found[first] = VARIANT
            found[last] = VARIANT if len(crossed) == 2 else BLANK

    def evidence(self, levels: Sequence[int], ours: Prepared, theirs: Prepared) -> float:
        """Bits for and against, without the prior."""
        bits = place = phone = kin = 0.0
        weights = self.weights
        for i, level in enumerate(levels):
            if not level:
                continue
            one = weights.levels[i][level]
            if level == SAME and (weights.rare[i] or weights.frequent[i]):
                one = max(one + self._rarity(i, ours, theirs), 0.5)
            if self._carried[i]:
                phone += one
            elif self._place[i]:
                place += one
            else:
                bits += one
                if weights.kin:
                    kin += weights.kin[i][level]
        return bits + min(of_place(place, phone), self._ceiling - kin)

    def _rarity(self, i: int, ours: Prepared, theirs: Prepared) -> float:
        """What the value on which the two agree adds to the weight of agreement."""
        one, other, _compare = self._steps[i]
        value = ours[one]
        if value and isinstance(value, tuple):
            if self._streets[i] or len(value) == 1 or not isinstance(theirs[other], tuple):
                value = value[0]
            else:
                value = next((v for v in value if v in theirs[other]), value[0])
        return self.weights.frequent[i].get(value, self.weights.rare[i])


def of_place(place: float, phone: float) -> float:
    """Evidence of the place: a number goes along with who moves, and then says more than that all
    the rest of the place is another."""
    return max(max(place, PLACE_FLOOR) + phone, PLACE_FLOOR)


def ceiling(prior: float, lift: float) -> float:
    """Evidence that living or working at one place may give at most: it does not make two people
    one. `lift`: the odds, in bits, that two at one place are."""
    return max(PLACE_LEAST, lift - prior)


def _letters(first: str, last: str) -> str:
    return " ".join(sorted(f"{first} {last}".split()))


def _mixed(compare: Compare, ours_is_bag: bool) -> Compare:
    whole = any_of(compare)

    def mixed(ours: Any, theirs: Any) -> int:
        return whole(ours, (theirs,)) if ours_is_bag else whole((ours,), theirs)

    return mixed
