"""Pairs of stored records, judged in bulk: for the radar."""

from __future__ import annotations

import hashlib
import re
import string
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast
from django.utils import translation

from rapport.meta.batches import batches
from rapport.meta.entity import Entity
from rapport.meta.folding import fold
from rapport.meta.kinds import Kind
from rapport.meta.registry import registry
from rapport.models import LearnedWeights
from rapport.queries.duplicates import compared as entities_compared

from . import blocks, explain, shelf, weights
from .blocks import Held, Pair
from .explain import Source
from .features import Prepared, Shape, is_link
from .judge import Judge, Verdict
from .learn import learn
from .rules import Criterion, Rule, published
from .stored import load, title_path

# A record made ready, and the bare letters of the values that some rules want to be equal.
Ready = tuple[Prepared, tuple[str, ...]]
# Records and pairs that a rule learns from, of the millions that there may be.
SAMPLE, SAMPLE_PAIRS = 10_000, 10_000
# Pairs whose records are held in memory at the same time.
AT_ONCE = 3000


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


class Surest(NamedTuple):
    """What the surest rule says of a pair. `turned`: the second record is its base."""

    judge: Judge
    verdict: Verdict
    turned: bool

    @property
    def rank(self) -> tuple[int, float]:
        """The larger, the surer."""
        return self.verdict.confidence, self.verdict.weight


class Judges:
    """The rules in force, ready to judge pairs of stored records.

    Rules that only ask for equal values hold for few pairs, and to make their values ready would
    cost as much as all the rest: of those, first the bare letters of all values are compared.
    """

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
        self._shapes = {code: self._shape(entity, False) for code, entity in self.entities.items()}
        self._equal_shapes = {c: self._shape(entity, True) for c, entity in self.entities.items()}
        self._whole_shapes = {c: Shape(e, self._involving(e)) for c, e in self.entities.items()}
        self._judges = self._made(False)
        self._equal_judges = self._made(True)
        # Where records stand that have been made ready before, if anywhere.
        self.shelf: shelf.Shelf | None = None
        self._samples: dict[int, list[Prepared]] = {}
        self._gates = {
            code: [
                tuple(condition.base[0] for condition in judge.rule.conditions)
                for judge, _turned in self._equal_judges.get((code, code), ())
            ]
            for code in self.entities
        }

    def _shape(self, entity: Entity, equal: bool) -> Shape:
        return Shape(entity, [r for r in self._involving(entity) if _asks_for_equal(r) is equal])

    def _involving(self, entity: Entity) -> list[Rule]:
        return [rule for rule in self.rules if entity.name in {rule.base, rule.matching}]

    def _made(self, equal: bool) -> dict[tuple[int, int], list[tuple[Judge, bool]]]:
        """{(smaller code, larger code): judges, and whether the second record is their base}."""
        shapes = self._equal_shapes if equal else self._shapes
        learned = dict(LearnedWeights.objects.values_list("rule", "weights"))
        made: dict[tuple[int, int], list[tuple[Judge, bool]]] = defaultdict(list)
        known = set()
        for rule in self.rules:
            if _asks_for_equal(rule) is not equal:
                continue
            base, matching = registry[rule.base].code, registry[rule.matching].code
            kept = weights.usable(rule, learned.get(weights.key_of(rule)))
            judge = Judge(rule, shapes[base], shapes[matching], kept)
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
        return self._judges.keys() | self._equal_judges.keys()

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
        keys = max(blocks.extent(), 1)
        if not all(sizes):
            return weights.starting(rule)
        samples = {code: self._sample(code, keys) for code in codes}
        first, last, found, share = _some_pairs(codes, keys)
        pairs = blocks.each_once(found, first, last)
        return learn(
            rule,
            (self._shapes[codes[0]], self._shapes[codes[1]]),
            (samples[codes[0]], samples[codes[1]]),
            self._made_pairs(pairs, turned=codes[0] > codes[1]),
            population=sizes,
            share=share,
        )

    def _made_pairs(
        self, pairs: Collection[Pair], *, turned: bool
    ) -> Iterator[tuple[Prepared, Prepared]]:
        """The records of these pairs, ready; those of a few pairs at a time are in memory."""
        for part in batches(pairs, AT_ONCE):
            stored = self._read(part)
            for one, other in part:
                ours, theirs = stored.get(one), stored.get(other)
                if ours and theirs:
                    yield (theirs[0], ours[0]) if turned else (ours[0], theirs[0])

    def _sample(self, code: int, keys: int) -> list[Prepared]:
        if code not in self._samples:
            self._samples[code] = self._made_sample(code, keys)
        return self._samples[code]

    def _made_sample(self, code: int, keys: int) -> list[Prepared]:
        # From the upper end of the hashes: pairs are taken from the lower one.
        share = min(1.0, 4 * SAMPLE / keys)
        while True:
            last = blocks.LOWEST + blocks.SPAN - 1
            first = last - int(blocks.SPAN * share) + 1
            ids = blocks.sample(first, last, code, SAMPLE)
            if share == 1.0 or len(ids) >= SAMPLE / 2:
                return [prepared for prepared, _gates in self._records(code, ids).values()]
            share = min(1.0, share * 4)

    def judge(self, pairs: Collection[Pair]) -> list[Alike]:
        """Those of `pairs` that are alike. Pairs of records that are gone are not."""
        found: dict[Pair, Surest] = {}
        # In order, so that pairs with one record in common come together.
        for part in batches(sorted(pairs), AT_ONCE):
            found.update(self._judged(part))
        return self._told(found)

    @property
    def made_of(self) -> str:
        """Changes when records are made ready in another way."""
        places = [(code, list(shape.places)) for code, shape in sorted(self._shapes.items())]
        text = repr((places, sorted(self._gates.items())))
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()

    def _judged(self, pairs: Collection[Pair]) -> dict[Pair, Surest]:
        stored = self._read(pairs)
        found: dict[Pair, Surest] = {}
        equal: list[tuple[Pair, Judge, bool]] = []
        for pair in pairs:
            one, other = pair
            ours, theirs = stored.get(one), stored.get(other)
            if ours is None or theirs is None:
                continue
            codes = one[0], other[0]
            for judge, turned in self._judges.get(codes, ()):
                two = (theirs[0], ours[0]) if turned else (ours[0], theirs[0])
                verdict = judge.judge(*two)
                if verdict is not None:
                    _keep_surest(found, pair, Surest(judge, verdict, turned))
            for place, (judge, turned) in enumerate(self._equal_judges.get(codes, ())):
                if ours[1][place] == theirs[1][place]:
                    equal.append((pair, judge, turned))
        self._judge_equal(equal, found)
        return found

    def _judge_equal(
        self,
        pairs: Sequence[tuple[Pair, Judge, bool]],
        found: dict[Pair, Surest],
    ) -> None:
        """What the rules say that only ask for equal values."""
        stored = self._sources([pair for pair, _judge, _turned in pairs], self._equal_shapes)
        for pair, judge, turned in pairs:
            ours, theirs = stored.get(pair[0]), stored.get(pair[1])
            if ours is None or theirs is None:
                continue
            two = (theirs[0], ours[0]) if turned else (ours[0], theirs[0])
            verdict = judge.judge(*two)
            if verdict is not None:
                _keep_surest(found, pair, Surest(judge, verdict, turned))

    def _told(self, found: Mapping[Pair, Surest]) -> list[Alike]:
        """With reasons. Their values are read now, because few pairs come so far."""
        sources = self._sources(list(found), self._whole_shapes)
        told = []
        for (one, other), (judge, verdict, turned) in found.items():
            if one not in sources or other not in sources:
                continue
            ours, theirs = sources[one][1], sources[other][1]
            two = (theirs, ours) if turned else (ours, theirs)
            # What is kept has no words in it, so none need be translated.
            with translation.override(None):
                reasons = explain.reasons(judge, verdict.levels, *two)
            told.append(
                Alike(
                    one, other, verdict.rule, verdict.confidence, verdict.weight,
                    explain.effort(reasons), [reason.to_json() for reason in reasons],
                )
            )  # fmt: skip
        return told

    def _sources(
        self, pairs: Collection[Pair], shapes: Mapping[int, Shape]
    ) -> dict[Held, tuple[Prepared, Source]]:
        found: dict[Held, tuple[Prepared, Source]] = {}
        for code, ids in _by_entity(pairs).items():
            wanted = [uuid.UUID(hex=id_) for id_ in ids]
            for id_, one in load(self.entities[code], shapes[code], wanted).items():
                found[code, held_id(id_)] = one
        return found

    def _read(self, pairs: Collection[Pair]) -> dict[Held, Ready]:
        found: dict[Held, Ready] = {}
        for code, ids in _by_entity(pairs).items():
            for id_, one in self._records(code, ids).items():
                found[code, id_] = one
        return found

    def _records(self, code: int, ids: Collection[str]) -> dict[str, Ready]:
        """Records made ready."""
        found: dict[str, Ready] = self.shelf.get(ids) if self.shelf else {}
        entity = self.entities[code]
        for part in batches(found.keys() ^ set(ids) if found else ids):
            rows = entity.records().filter(pk__in=blocks.listed_ids(part))
            found.update(self._made_ready(code, rows))
        return found

    def put_on_shelf(self, code: int, path: Path, after: str, upto: str) -> None:
        """Make the records with ids behind `after` and up to `upto` ready, on disk."""
        rows = self.entities[code].records().order_by("pk")
        if after:
            rows = rows.filter(pk__gt=uuid.UUID(hex=after))
        if upto:
            rows = rows.filter(pk__lte=uuid.UUID(hex=upto))
        shelf.write(path, self._made_ready(code, rows))

    def spans(self, size: int) -> Iterator[tuple[int, str, str]]:
        """(code, after, upto) such that all records are in one, about `size` in each."""
        for code, entity in self.entities.items():
            rows = entity.records().order_by("pk").values_list("pk", flat=True)
            after = ""
            while True:
                behind = rows.filter(pk__gt=uuid.UUID(hex=after)) if after else rows
                last = behind[size : size + 1].first()
                upto = last.hex if last else ""
                yield code, after, upto
                if last is None:
                    break
                after = upto

    def _made_ready(self, code: int, rows: QuerySet[Any, Any]) -> Iterator[tuple[str, Ready]]:
        entity, shape, gates = self.entities[code], self._shapes[code], self._gates[code]
        names = dict.fromkeys((*shape.fields, *(name for gate in gates for name in gate)))
        links = [n for n in names if is_link(entity.fields[n])]
        links = [n for n in links if entity.fields[n].kind is not Kind.POINTER]
        plain = [n for n in names if not is_link(entity.fields[n])]
        columns = [entity.fields[n].column for n in plain] + [title_path(entity, n) for n in links]
        end = 2 + len(plain)
        key = Cast("pk", TextField())
        for row in rows.values_list(key, "state", *columns).iterator(1000):
            values = dict(zip(plain, row[2:end], strict=True))
            values["state"] = row[1]
            titles = dict(zip(links, row[end:], strict=True))
            bare = tuple(_letters(gate, values, titles) for gate in gates)
            yield row[0], (shape.prepare(values, titles), bare)


def _by_entity(pairs: Iterable[Pair]) -> dict[int, set[str]]:
    found: dict[int, set[str]] = defaultdict(set)
    for pair in pairs:
        for code, id_ in pair:
            found[code].add(id_)
    return found


def _keep_surest(found: dict[Pair, Surest], pair: Pair, new: Surest) -> None:
    best = found.get(pair)
    if best is None or new.rank > best.rank:
        found[pair] = new


_PUNCTUATION = str.maketrans("", "", string.punctuation + string.whitespace)
_NO_LETTERS = re.compile(r"[\W_]+")


def _letters(names: Sequence[str], values: Mapping[str, Any], titles: Mapping[str, Any]) -> str:
    """The letters and digits of some values: the same wherever the values are equal to a rule."""
    parts = [titles.get(name) or values.get(name) for name in names]
    text = "\x1f".join("" if part is None else str(part) for part in parts).lower()
    return text.translate(_PUNCTUATION) if text.isascii() else _NO_LETTERS.sub("", fold(text))


def _asks_for_equal(rule: Rule) -> bool:
    """Whether the rule holds where some values are equal, and asks nothing else."""
    return rule.base == rule.matching and all(
        condition.must
        and condition.criterion is Criterion.EXACT
        and condition.base == condition.matching
        and len(condition.base) == 1
        for condition in rule.conditions
    )


def _some_pairs(codes: tuple[int, int], keys: int) -> tuple[int, int, set[Pair], float]:
    """Pairs of a part of the hashes, such that they are about enough: its first and last hash, the
    pairs, and which part of all hashes that is."""
    compared = {(min(codes), max(codes))}
    share = min(1.0, 2 * SAMPLE_PAIRS / keys)
    while True:
        first, last = blocks.LOWEST, blocks.LOWEST + int(blocks.SPAN * share) - 1
        found: set[Pair] = set()
        for begin, end in blocks.parts_of(first, last, keys * share):
            few, _crowded = blocks.shared(begin, end)
            found |= blocks.pairs(few, compared)
            if len(found) > 4 * SAMPLE_PAIRS:
                break
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
