"""Pairs of stored records, judged in bulk: for the radar."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from rapport.meta.entity import Entity
from rapport.meta.registry import registry
from rapport.models import LearnedWeights
from rapport.queries.duplicates import compared as entities_compared

from . import blocks, explain, weights
from .blocks import Held, Pair
from .explain import Source
from .features import Prepared, Shape
from .judge import Judge, Verdict
from .learn import learn
from .rules import Rule, published
from .stored import load

# Records and pairs that a rule learns from, of the millions that there may be.
SAMPLE, SAMPLE_PAIRS = 15_000, 15_000


@dataclass(frozen=True, slots=True)
class Alike:
    """Two records that a rule calls the same. `effort`: on how much they differ. `reasons`: as a
    list of `find.Reason.to_json`."""

    one: Held
    other: Held
    rule: str
    confidence: int
    weight: float
    effort: int
    reasons: list[Any]


class Judges:
    """The rules in force, ready to judge pairs of stored records."""

    def __init__(self, rules: Iterable[Rule] | None = None) -> None:
        by_name = {entity.name: entity for entity in entities_compared()}
        self.rules = tuple(
            rule
            for rule in (published() if rules is None else rules)
            if rule.base in by_name and rule.matching in by_name
        )
        self.entities: dict[int, Entity] = {
            registry[name].code: registry[name]
            for rule in self.rules
            for name in (rule.base, rule.matching)
        }
        self._shapes = {
            code: Shape(entity, [r for r in self.rules if entity.name in {r.base, r.matching}])
            for code, entity in self.entities.items()
        }
        self._judges = self._made()

    def _made(self) -> dict[tuple[int, int], list[tuple[Judge, bool]]]:
        """{(smaller code, larger code): judges, and whether the second record is their base}."""
        learned = dict(LearnedWeights.objects.values_list("rule", "weights"))
        made: dict[tuple[int, int], list[tuple[Judge, bool]]] = defaultdict(list)
        known = set()
        for rule in self.rules:
            base, matching = registry[rule.base].code, registry[rule.matching].code
            kept = weights.usable(rule, learned.get(weights.key_of(rule)))
            judge = Judge(rule, self._shapes[base], self._shapes[matching], kept)
            # Asked from either side, unless that is the same.
            one_sided = rule.exclude_inactive or (base == matching and _is_crossed(rule))
            both = base == matching and one_sided
            for turned in (False, True) if both else (base > matching,):
                same = (
                    weights.key_of(rule), weights.shape_of(rule), rule.threshold,
                    one_sided and (turned, rule.base),
                )  # fmt: skip
                if same not in known:
                    known.add(same)
                    made[min(base, matching), max(base, matching)].append((judge, turned))
        return dict(made)

    @property
    def compared(self) -> Collection[tuple[int, int]]:
        """Which entities are compared with which, by their codes; the smaller comes first."""
        return self._judges.keys()

    def weighed(self) -> list[Rule]:
        """The rules that have something to learn; of a rule and the same one turned only one."""
        found: dict[str, Rule] = {}
        for rule in self.rules:
            if rule.weighed:
                found.setdefault(weights.key_of(rule), rule)
        return list(found.values())

    def learn(self, rule: Rule) -> weights.Weights:
        """What the stored records teach about `rule`."""
        ends = registry[rule.base], registry[rule.matching]
        codes = ends[0].code, ends[1].code
        sizes = ends[0].records().count(), ends[1].records().count()
        keys = max(blocks.count(), 1)
        samples = {code: self._sample(code, keys) for code in codes}
        first, last, found, share = _some_pairs(codes, keys)
        pairs = blocks.each_once(found, first, last)
        stored = {
            code: self._load(code, {id_ for pair in pairs for held, id_ in pair if held == code})
            for code in set(codes)
        }
        turned = codes[0] > codes[1]
        prepared = []
        for one, other in pairs:
            ours, theirs = stored[one[0]].get(one[1]), stored[other[0]].get(other[1])
            if ours and theirs:
                two = ours[0], theirs[0]
                prepared.append((two[1], two[0]) if turned else two)
        return learn(
            rule,
            (self._shapes[codes[0]], self._shapes[codes[1]]),
            (samples[codes[0]], samples[codes[1]]),
            prepared,
            population=sizes,
            share=share,
        )

    def _sample(self, code: int, keys: int) -> list[Prepared]:
        # From the upper end of the hashes: pairs are taken from the lower one.
        share = min(1.0, 4 * SAMPLE / keys)
        while True:
            last = blocks.LOWEST + blocks.SPAN - 1
            first = last - int(blocks.SPAN * share) + 1
            ids = blocks.sample(first, last, code, SAMPLE)
            if share == 1.0 or len(ids) >= SAMPLE / 2:
                return [prepared for prepared, _source in self._load(code, ids).values()]
            share = min(1.0, share * 4)

    def judge(self, pairs: Sequence[Pair]) -> list[Alike]:
        """Those of `pairs` that are alike. Pairs of records that are gone are not."""
        wanted: dict[int, set[str]] = defaultdict(set)
        for pair in pairs:
            for code, id_ in pair:
                wanted[code].add(id_)
        stored = {code: self._load(code, ids) for code, ids in wanted.items()}
        found = []
        for one, other in pairs:
            ours, theirs = stored[one[0]].get(one[1]), stored[other[0]].get(other[1])
            if ours is None or theirs is None:
                continue
            best: tuple[tuple[int, float], Judge, Verdict, bool] | None = None
            for judge, turned in self._judges.get((one[0], other[0]), ()):
                two = (theirs[0], ours[0]) if turned else (ours[0], theirs[0])
                verdict = judge.judge(*two)
                if verdict is not None:
                    rank = verdict.confidence, verdict.weight
                    if best is None or rank > best[0]:
                        best = rank, judge, verdict, turned
            if best is not None:
                _rank, judge, verdict, turned = best
                sources = (theirs[1], ours[1]) if turned else (ours[1], theirs[1])
                reasons = explain.reasons(judge, verdict.levels, *sources)
                found.append(
                    Alike(
                        one, other, verdict.rule, verdict.confidence, verdict.weight,
                        explain.effort(reasons), [reason.to_json() for reason in reasons],
                    )
                )  # fmt: skip
        return found

    def _load(self, code: int, ids: Collection[str]) -> dict[str, tuple[Prepared, Source]]:
        found = load(self.entities[code], self._shapes[code], [uuid.UUID(hex=i) for i in ids])
        return {held_id(id_): one for id_, one in found.items()}


def _some_pairs(codes: tuple[int, int], keys: int) -> tuple[int, int, set[Pair], float]:
    """Pairs of a part of the hashes, such that they are about enough: its first and last hash, the
    pairs, and which part of all hashes that is."""
    compared = {(min(codes), max(codes))}
    share = min(1.0, 2 * SAMPLE_PAIRS / keys)
    while True:
        first, last = blocks.LOWEST, blocks.LOWEST + int(blocks.SPAN * share) - 1
        few, _crowded = blocks.shared(first, last)
        found = blocks.pairs(few, compared)
        if len(found) > 4 * SAMPLE_PAIRS:
            share *= SAMPLE_PAIRS / len(found)
        elif share < 1.0 and len(found) < SAMPLE_PAIRS / 10:
            share = min(1.0, share * 4)
        else:
            return first, last, found, share


def held_id(id: uuid.UUID) -> str:
    """An id as the index of keys gives it."""
    return str(id) if connection.vendor == "postgresql" else id.hex


def _is_crossed(rule: Rule) -> bool:
    """Whether it compares a field with another one."""
    return any(condition.base != condition.matching for condition in rule.conditions)
