"""Judging pairs of prepared records; most end by a glance, before they are compared in full."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import log2

from . import apart
from .bounds import OWN, PERHAPS, PHONE, PLACE, Begun, Bound
from .compare import (
    BLANK,
    CLOSE,
    COMPARE,
    DIFFERENT,
    LESS_THAN_ITSELF,
    LEVELS,
    SAME,
    VARIANT,
    Compare,
)  # fmt: skip
from .evidence import Levels, Weighing
from .features import ONE, Prepared, Shape
from .rules import Criterion, Rule
from .weights import Weights

# Two records may agree in all that is written and still be two people.
SUREST = 99
# "Same e-mail" holds for the same only; of a name or a company a likeness will do.
_STRICT = frozenset(
    {
        Criterion.EXACT, Criterion.FIRST, Criterion.LAST, Criterion.SAME_DATE,
        Criterion.SAME_INSTANT, Criterion.LABEL, Criterion.EMAIL, Criterion.DOMAIN, Criterion.PHONE,
        Criterion.POSTCODE,
    }
)  # fmt: skip


# What comparing takes, roughly; else 1.
_EFFORT = {
    Criterion.PHONE: 3, Criterion.CITY: 2, Criterion.COMPANY: 4, Criterion.TEXT: 4,
    Criterion.ADDRESS: 8,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a rule says of a pair at or over its threshold."""

    rule: str
    confidence: int
    weight: float
    levels: Levels


class Judge(Weighing):
    """One rule, ready to judge pairs of records prepared by `base` and `matching`."""

    def __init__(self, rule: Rule, base: Shape, matching: Shape, weights: Weights) -> None:
        super().__init__(rule, base, matching, weights)
        self._musts = [
            (place, VARIANT if condition.criterion in _STRICT else CLOSE)
            for place, condition in enumerate(rule.conditions)
            if condition.must
        ]
        # Evidence that a threshold asks for: most pairs end here, without a logarithm.
        share = min(max(rule.threshold, 1), 99.5) / 100
        self._needed = _logit(share) - weights.prior
        self._bound_pairs(base, matching)
        self._weighed = rule.weighed
        self._knows_by_glance = (
            bool(self._musts) and not rule.weighed and len(self._early_musts) == len(self._musts)
        )
        self._itself = self._places_of_itself() if self._knows_by_glance else []

    def _bound_pairs(self, base: Shape, matching: Shape) -> None:
        """Prepare what ends most pairs early: bounds of what a glance at both leaves open."""
        rule = self.rule
        self._bounds = [self._bound(i) for i in range(len(rule.conditions))]
        self._most = tuple(
            sum(bound.most_free if free else bound.most for bound in self._bounds
                if bound.part == part)
            for part, free in ((OWN, False), (OWN, True), (PLACE, False), (PHONE, False))
        )  # fmt: skip
        early = [
            i
            for i, bound in enumerate(self._bounds)
            if bound.one <= base.glanced and bound.other <= matching.glanced
        ]
        effort = [_EFFORT.get(condition.criterion, 1) for condition in rule.conditions]
        early.sort(key=lambda i: self._bounds[i].lost[DIFFERENT] / effort[i], reverse=True)
        self._second_lines = (
            [self._bounds[i].if_blank for i in self._lines]
            if self._lines is not None
            and all(
                self._bounds[i].one <= base.known and self._bounds[i].other <= matching.known
                for i in self._lines
            )
            else None
        )
        # First and last name are looked at together, before all others.
        others = [i for i in early if i not in (self._names or ())]
        self._early = [self._bounds[i][:3] for i in others]
        self._apart = [
            (*self._bounds[i][:2], apart.by(rule.conditions[i].criterion)) for i in others
        ]
        self._begun = Begun([self._bounds[i] for i in others], self._needed, self._ceiling)
        # What names cannot tell any more, by how first and last name come out.
        self._called = {
            both: self._lost(dict(zip(self._names or (), both, strict=False)))
            for both in product(range(LEVELS), repeat=2)
        }
        self._namesakes = self._called[SAME, SAME]
        self._called_at = [place for i in self._names or () for place in self._bounds[i][:2]]
        self._early_musts = [(i, worst) for i, worst in self._musts if i in early]
        # Of these nothing but the same text will do.
        self._alone = [
            (*self._bounds[i][:2], rule.conditions[i].ignore_blanks)
            for i, _worst in self._early_musts
            if rule.conditions[i].criterion in _STRICT - {Criterion.PHONE}
        ]
        self._equal = [
            found for i, _worst in self._musts if (found := self._names_of(i, base, matching))
        ]
        # Who shares a key with another often has the same names, but lives in another place.
        self._equal.reverse()

    @property
    def ignores_blanks(self) -> bool:
        """Whether a blank never counts as a value like others."""
        return not self._blanks

    def judge(self, ours: Prepared, theirs: Prepared) -> Verdict | None:
        """What the rule says of the pair; None below its threshold."""
        if self.rule.exclude_inactive and not theirs[0]:
            return None
        if self._musts:
            return self._judge_musts(ours, theirs)
        if not self._may_reach(ours, theirs):
            return None
        levels = self.levels(ours, theirs)
        bits = self.evidence(levels, ours, theirs)
        return self._verdict(levels, bits) if bits >= self._needed else None

    @property
    def knows_by_glance(self) -> bool:
        """Whether a glance is enough for `knows`."""
        return self._knows_by_glance

    def _places_of_itself(self) -> list[tuple[int, Compare | None]]:
        """What must be there so that a record is the same as itself: places of a glance, with how
        to compare where a value may be less than itself. None at all when it takes more."""
        found: list[tuple[int, Compare | None]] = []
        for i, _worst in self._musts:
            one, other, _compare = self._steps[i]
            condition = self.rule.conditions[i]
            ours, theirs = {*condition.base}, {*condition.matching}
            if not condition.ignore_blanks or not (ours <= theirs or theirs <= ours):
                return []
            less = condition.criterion in LESS_THAN_ITSELF
            compare = COMPARE[condition.criterion] if less else None
            # What is there on the one side is there on the other, among others perhaps.
            found.append((one if ours <= theirs else other, compare))
        return found

    def knows_texts(self, texts: Sequence[str]) -> bool:
        """The same as `knows` of the texts of a glance; false also where it takes more to tell."""
        if not self._itself or (self.rule.exclude_inactive and not texts[0]):
            return False
        for place, compare in self._itself:
            # One of several that is the same is enough.
            text = texts[place].partition(ONE)[0] if compare else texts[place]
            if not text or (compare and compare(text, text) > SAME):
                return False
        return True

    def knows(self, record: Prepared) -> bool:
        """Whether the rule calls a record the same as another that has all that it has."""
        if self._weighed or not self._musts:
            return self._is_sure_of_itself(record)
        if self.rule.exclude_inactive and not record[0]:
            return False
        return self._holds(self._musts, record, record) and self._says_something(record)

    def _is_sure_of_itself(self, record: Prepared) -> bool:
        """`judge` of a record with itself; most come to the threshold, so it is not bounded."""
        if self.rule.exclude_inactive and not record[0]:
            return False
        if self._musts:
            return self._judge_musts(record, record) is not None
        return self.evidence(self.levels(record, record), record, record) >= self._needed

    def _says_something(self, record: Prepared) -> bool:
        """Blank on all counts is no likeness."""
        return any(record[self._steps[place][0]] for place, _worst in self._musts)

    def may_be(self, ours: Prepared, theirs: Prepared) -> bool:
        """Whether the rule may call the two the same, as far as a glance at both tells."""
        if self._musts:
            for one, other in self._equal:
                if ours[one] != theirs[other]:
                    return False
            return self._holds(self._early_musts, ours, theirs)
        return self._may_reach(ours, theirs)

    def _names_of(self, i: int, base: Shape, matching: Shape) -> tuple[int, int] | None:
        """Where a glance tells the same fields as names: other names are no equal texts, either."""
        condition = self.rule.conditions[i]
        if condition.criterion is not Criterion.EXACT or self.rule.case_sensitive:
            return None
        one, other = base.name_place(condition.base), matching.name_place(condition.matching)
        return (one, other) if one and other else None

    def _may_reach(self, ours: Prepared, theirs: Prepared) -> bool:
        """Whether the pair may come to the threshold by what has not been compared yet. Most pairs
        have a name or a place in common, and end early."""
        left = self._begun[self._left_by_names(ours, theirs)]
        for one, other, compare in self._early:
            if left is None:
                return False
            a, b = ours[one], theirs[other]
            left = left[compare(a, b) if a and b else BLANK]
        return left is not None

    def are_apart(self, ours: Sequence[str], theirs: Sequence[str]) -> bool:
        """Whether `may_be` would surely say no, by the parts of two glances: in much less time."""
        if self._musts:
            return self._differ_in_a_must(ours, theirs)
        return self._stay_below(ours, theirs)

    def _stay_below(self, ours: Sequence[str], theirs: Sequence[str]) -> bool:
        left = self._begun[self._left_by_names(ours, theirs)]
        for one, other, differ in self._apart:
            if left is None:
                return True
            if not (a := ours[one]) or not (b := theirs[other]):
                left = left[BLANK]
            elif differ(a, b):
                left = left[DIFFERENT]
            else:
                left = left[PERHAPS]
        return left is None

    def _differ_in_a_must(self, ours: Sequence[str], theirs: Sequence[str]) -> bool:
        for one, other in self._equal:
            if ours[one] != theirs[other]:
                return True
        for one, other, ignore_blanks in self._alone:
            if not (a := ours[one]):
                if ignore_blanks or theirs[other]:
                    return True
            elif ONE not in a and a not in theirs[other]:
                return True
        return False

    def _left_by_names(self, ours: Prepared, theirs: Prepared) -> tuple[float, float, float, float]:
        """What may be said for the two at most, part by part, once their names and whether there
        are second lines have been looked at: own evidence, the same where the place counts as much
        as it may, place, phone."""
        own, free, place, phone = self._most
        if self._names is not None:
            less, less_free = self._lost_by_names(ours, theirs)
            own -= less
            free -= less_free
        if self._second_lines is not None:
            # What may stand in the wrong line is not looked at here.
            (one, other, less), (one_, other_, less_) = self._second_lines
            if not (ours[one_] or theirs[other_]):
                place -= less_
                if not (ours[one] and theirs[other]):
                    place -= less
        return own, free, place, phone

    def _lost_by_names(self, ours: Prepared, theirs: Prepared) -> tuple[float, float]:
        """What first and last name cannot tell any more: in all, and where the place counts as much
        as it may."""
        one, other, one_, other_ = self._called_at
        a, b, a_, b_ = ours[one], theirs[other], ours[one_], theirs[other_]
        if a == b and a_ == b_ and a and a_:
            return self._namesakes
        assert self._names is not None
        first, last = self._names
        compare = self._steps[first][2]
        found = {
            first: compare(a, b) if a and b else BLANK,
            last: compare(a_, b_) if a_ and b_ else BLANK,
        }
        self._cross_names(found, ours, theirs, first, last)
        return self._called[found[first], found[last]]

    def _lost(self, found: Mapping[int, int]) -> tuple[float, float]:
        bounds = self._bounds
        return (
            sum(bounds[i].lost[level] for i, level in found.items()),
            sum(bounds[i].lost_free[level] for i, level in found.items()),
        )

    def _bound(self, i: int) -> Bound:
        bits = list(self.weights.levels[i])
        # No agreement adds more than one on the rarest value.
        more = max((self.weights.rare[i], *self.weights.frequent[i].values()))
        bits[SAME] = max(bits[SAME] + more, 0.5)
        kin = self.weights.kin[i] if self.weights.kin else (0.0,) * LEVELS
        free = [one - other for one, other in zip(bits, kin, strict=True)]
        bits[BLANK] = free[BLANK] = 0.0
        most, most_free = max(bits), max(free)
        lost, lost_free = [most - one for one in bits], [most_free - one for one in free]
        if i in self._blanks:
            # It will count as something else.
            lost[BLANK] = lost_free[BLANK] = 0.0
        part = PHONE if self._carried[i] else PLACE if self._place[i] else OWN
        return Bound(*self._steps[i], part, lost, lost_free, most, most_free)

    def _judge_musts(self, ours: Prepared, theirs: Prepared) -> Verdict | None:
        if not self._holds(self._musts, ours, theirs) or not self._says_something(ours):
            return None
        levels = self.levels(ours, theirs)
        bits = self.evidence(levels, ours, theirs)
        if not self.rule.weighed:
            return Verdict(self.rule.key, self.rule.threshold, bits, levels)
        return self._verdict(levels, bits) if bits >= self._needed else None

    def _holds(self, musts: Iterable[tuple[int, int]], ours: Prepared, theirs: Prepared) -> bool:
        for place, worst in musts:
            one, other, compare = self._steps[place]
            a, b = ours[one], theirs[other]
            if a and b:
                if compare(a, b) > worst:
                    return False
            elif a or b or self.rule.conditions[place].ignore_blanks:
                return False
        return True

    def _verdict(self, levels: Levels, bits: float) -> Verdict:
        odds: float = 2.0 ** min(bits + self.weights.prior, 60.0)
        return Verdict(self.rule.key, min(int(100 * odds / (1 + odds) + 0.5), SUREST), bits, levels)


def strongest(
    judges: Iterable[Judge], ours: Prepared, theirs: Prepared
) -> tuple[Judge, Verdict] | None:
    """The verdict of the rule that is surest; None when no rule says anything."""
    best: tuple[Judge, Verdict] | None = None
    for judge in judges:
        verdict = judge.judge(ours, theirs)
        if verdict is not None and (best is None or _rank(verdict) > _rank(best[1])):
            best = judge, verdict
    return best


def _rank(verdict: Verdict) -> tuple[int, float]:
    return verdict.confidence, verdict.weight


def _logit(share: float) -> float:
    return log2(share / (1 - share))
