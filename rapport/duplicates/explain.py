"""Why two records are called the same: what agrees and what differs, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rapport.meta.entity import Entity
from rapport.meta.kinds import Kind, Ref, to_text
from rapport.meta.registry import registry

from .compare import BLANK, COMPARE, SAME, WORDS
from .evidence import Levels
from .features import is_link, normaliser, of_condition
from .judge import Judge
from .rules import Condition


@dataclass(frozen=True, slots=True)
class Reason:
    """How one condition came out. `level`: same, similar or different; `ours`, `theirs`: the values
    as texts; `weight`: bits. `field`: entity.name of the field, of which the label is made."""

    label: str
    level: str
    ours: str
    theirs: str
    weight: float
    field: str = ""

    def to_json(self) -> list[Any]:
        """For keeping: without the values, which may be erased, and the label, which is translated
        when it is read."""
        return [self.field, self.level, round(self.weight, 1)]

    @classmethod
    def from_json(cls, kept: Sequence[Any]) -> Reason:
        """The inverse of `to_json`; label in the reader's language, values blank."""
        entity, _dot, name = kept[0].partition(".")
        known = registry[entity].fields.get(name) if entity in registry else None
        label = str(known.label) if known else name
        return cls(label, kept[1], "", "", kept[2], kept[0])


@dataclass(frozen=True, slots=True)
class Source:
    """The values of a record and the titles of what it names, for reading to people."""

    entity: Entity
    values: Mapping[str, Any]
    names: Mapping[str, str]

    def of(self, name: str) -> Any:
        """The value of a field as rules see it: of a look-up the title."""
        return self.names.get(name) or self.values.get(name)

    def text(self, name: str) -> str:
        """The value of a field as people read it."""
        field = self.entity.fields[name]
        value = self.of(name)
        if value is None or value == "":
            return ""
        if is_link(field) or field.kind is Kind.OWNER:
            return value if isinstance(value, str) else ""
        return value if isinstance(value, str) else to_text(field, value)


def reasons(judge: Judge, levels: Levels, ours: Source, theirs: Source) -> tuple[Reason, ...]:
    """What each condition says, the strongest first."""
    found = []
    for place, (condition, level) in enumerate(zip(judge.rule.conditions, levels, strict=True)):
        if level == BLANK:
            continue
        one, other = _closest(judge, condition, ours, theirs)
        label = str(ours.entity.fields[one].label)
        bits = judge.weights.levels[place][level]
        key = f"{ours.entity.name}.{one}"
        found.append(Reason(label, WORDS[level], ours.text(one), theirs.text(other), bits, key))
    return tuple(sorted(found, key=lambda reason: -reason.weight))


def effort(found: Sequence[Reason]) -> int:
    """On how many of the values somebody must choose."""
    return sum(reason.level != WORDS[SAME] for reason in found)


def _closest(judge: Judge, condition: Condition, ours: Source, theirs: Source) -> tuple[str, str]:
    """The two fields of a condition that are most alike."""
    if len(condition.base) == len(condition.matching) == 1:
        return condition.base[0], condition.matching[0]
    normal = normaliser(of_condition(condition, condition.base, judge.rule.case_sensitive))
    compare = COMPARE[condition.criterion]
    one = [(n, v) for n in condition.base if (v := _normal(normal, ours.of(n)))]
    other = [(n, v) for n in condition.matching if (v := _normal(normal, theirs.of(n)))]
    ranked = [(compare(v, w), n, m) for n, v in one for m, w in other]
    if not ranked:
        return condition.base[0], condition.matching[0]
    _level, best, match = min(ranked, key=lambda entry: entry[0])
    return best, match


def _normal(normal: Any, value: Any) -> Any:
    return None if value is None or value == "" or isinstance(value, Ref) else normal(value)
