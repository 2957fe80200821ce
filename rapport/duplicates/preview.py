"""What a rule that is not stored would find: among the newest records, within a few seconds."""

from __future__ import annotations

import time
import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from heapq import nlargest
from itertools import combinations, product

from rapport import queries
from rapport.access import Actor
from rapport.meta.entity import Entity
from rapport.meta.kinds import Ref
from rapport.meta.registry import registry
from rapport.models import LearnedWeights
from rapport.queries import one

from . import explain, keys, stored, weights
from .explain import Reason, Source
from .features import Prepared, Shape
from .judge import Judge, Verdict
from .keys import HELD_BY
from .rules import Rule

NEWEST = 20_000
SECONDS = 3.0
EXAMPLES = 8
# Pairs between two looks at the clock.
STRIDE = 500

Stored = Mapping[uuid.UUID, tuple[Prepared, Source]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Example:
    """A pair that the rule would find."""

    first: uuid.UUID
    first_title: str
    second: uuid.UUID
    second_title: str
    confidence: int
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Preview:
    """What was found. `looked_at`: records of the base entity; `whole`: whether those are all that
    the viewer may see; `in_time`: whether every candidate among them was judged."""

    pairs: int
    looked_at: int
    whole: bool
    in_time: bool
    examples: tuple[Example, ...]


def preview(rule: Rule, *, by: Actor, newest: int = NEWEST, seconds: float = SECONDS) -> Preview:
    """Judge the newest records that `by` may see by `rule`, which passes `rules.check`."""
    end = time.monotonic() + seconds
    base, matching = registry[rule.base], registry[rule.matching]
    shapes = {entity.name: Shape(entity, [rule]) for entity in (base, matching)}
    learned = LearnedWeights.objects.filter(rule=weights.key_of(rule)).first()
    known = weights.usable(rule, learned.weights if learned else None)
    judge = Judge(rule, shapes[base.name], shapes[matching.name], known)
    ours, whole = _newest(base, shapes[base.name], by, newest)
    theirs, other_whole = ours, whole
    if base is not matching:
        theirs, other_whole = _newest(matching, shapes[matching.name], by, newest)
    found: list[tuple[Verdict, uuid.UUID, uuid.UUID]] = []
    in_time = True
    for number, (one_, other) in enumerate(_candidates(rule, ours, theirs)):
        if number % STRIDE == 0 and time.monotonic() > end:
            in_time = False
            break
        verdict = judge.judge(ours[one_][0], theirs[other][0])
        if verdict is None and base is matching:
            # A rule that compares one field with another one may hold the other way round.
            one_, other = other, one_
            verdict = judge.judge(ours[one_][0], theirs[other][0])
        if verdict is not None:
            found.append((verdict, one_, other))
    best = nlargest(EXAMPLES, found, key=lambda hit: (hit[0].confidence, hit[0].weight))
    refs = [Ref(e.name, id_) for _v, a, b in best for e, id_ in ((base, a), (matching, b))]
    titles = one.title_of(refs, by)
    return Preview(
        pairs=len(found),
        looked_at=len(ours),
        whole=whole and other_whole,
        in_time=in_time,
        examples=tuple(
            Example(
                first=first,
                first_title=titles.get(Ref(base.name, first), str(base.label)),
                second=second,
                second_title=titles.get(Ref(matching.name, second), str(matching.label)),
                confidence=verdict.confidence,
                reasons=explain.reasons(judge, verdict.levels, ours[first][1], theirs[second][1]),
            )
            for verdict, first, second in best
        ),
    )


def _newest(entity: Entity, shape: Shape, by: Actor, newest: int) -> tuple[Stored, bool]:
    """The records that changed last, and whether these are all."""
    rows = queries.records(entity, by).order_by("-modified_at", "-pk")
    ids = list(rows.values_list("pk", flat=True)[: newest + 1])
    return stored.load(entity, shape, ids[:newest]), len(ids) <= newest


def _candidates(rule: Rule, ours: Stored, theirs: Stored) -> Iterator[tuple[uuid.UUID, uuid.UUID]]:
    """Pairs that share a key, each once."""
    blocks = [_blocks(rule, registry[rule.base], ours)]
    if rule.base != rule.matching:
        blocks.append(_blocks(rule, registry[rule.matching], theirs))
    seen: set[tuple[uuid.UUID, uuid.UUID]] = set()
    for hash_, held in blocks[0].items():
        others = held if len(blocks) == 1 else blocks[1].get(hash_, [])
        if len(held) > HELD_BY or len(others) > HELD_BY:
            continue
        for pair in combinations(held, 2) if others is held else product(held, others):
            if pair not in seen:
                seen.add(pair)
                yield pair


def _blocks(rule: Rule, entity: Entity, records: Stored) -> dict[int, list[uuid.UUID]]:
    """Records by their keys under `rule` alone: those that only other rules make are left out, as
    their values were not read."""
    blocks: dict[int, list[uuid.UUID]] = defaultdict(list)
    plan = keys.plan_by(entity, (rule,))
    for id_, (_prepared, source) in records.items():
        for hash_ in keys.keys(entity, source.values, source.names, plan):
            blocks[hash_].append(id_)
    return blocks
