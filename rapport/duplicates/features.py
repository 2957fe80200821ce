"""What the rules look at in a record, normalised once, so that judging a pair is only comparing."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from rapport.meta.entity import Entity
from rapport.meta.field import Field
from rapport.meta.kinds import Kind, Ref

from . import normalise
from .rules import Condition, Criterion, Rule

# Criteria that look at several fields as one bag of values.
BAGS = frozenset({Criterion.EMAIL, Criterion.PHONE, Criterion.DOMAIN})
Prepared = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Feature:
    """Some fields of a record under one criterion."""

    fields: tuple[str, ...]
    criterion: Criterion
    parameter: int | None
    case_sensitive: bool

    @property
    def is_bag(self) -> bool:
        """Whether its value is a tuple of values."""
        return self.criterion in BAGS or len(self.fields) > 1


def of_condition(condition: Condition, fields: tuple[str, ...], case_sensitive: bool) -> Feature:
    """What `condition` looks at in `fields`."""
    sensitive = case_sensitive and condition.criterion in _CASED
    return Feature(fields, condition.criterion, condition.parameter, sensitive)


_CASED = frozenset({Criterion.EXACT, Criterion.FIRST, Criterion.LAST})


class Shape:
    """The features of one entity's records that some rules need: prepares them."""

    def __init__(self, entity: Entity, rules: Sequence[Rule]) -> None:
        self.entity = entity
        places: dict[Feature, int] = {}
        for rule in rules:
            for condition in rule.conditions:
                sides = ((rule.base, condition.base), (rule.matching, condition.matching))
                for name, fields in sides:
                    if name == entity.name:
                        found = of_condition(condition, fields, rule.case_sensitive)
                        # The first place says whether the record is active.
                        places.setdefault(found, len(places) + 1)
        self.places = places
        self.fields = tuple(dict.fromkeys(name for f in places for name in f.fields))
        self.links = tuple(n for n in self.fields if is_link(entity.fields[n]))
        self._plan = [(f.fields, normaliser(f), f.is_bag) for f in places]

    def prepare(self, values: Mapping[str, Any], names: Mapping[str, str]) -> Prepared:
        """The record with these field values; `names` {look-up: title of what it names}. First
        whether it is active, then the features. A blank is '' or ()."""
        found = [self._feature(*one, values, names) for one in self._plan]
        return (not values.get("state"), *found)

    def lazily(self, values: Mapping[str, Any], names: Mapping[str, str]) -> Prepared:
        """The same, but nothing is prepared before it is looked at: most pairs end early."""
        return cast("Prepared", _Lazy(self, values, names))

    def at(self, place: int, values: Mapping[str, Any], names: Mapping[str, str]) -> Any:
        """One place of a prepared record."""
        if not place:
            return not values.get("state")
        return self._feature(*self._plan[place - 1], values, names)

    def _feature(
        self,
        fields: tuple[str, ...],
        normal: Callable[[Any], Any],
        is_bag: bool,
        values: Mapping[str, Any],
        names: Mapping[str, str],
    ) -> Any:
        if is_bag:
            bag: list[Any] = []
            for name in fields:
                raw = values.get(name)
                if raw:
                    one = normal(raw)
                    if one and one not in bag:
                        bag.append(one)
            return tuple(bag)
        name = fields[0]
        raw = (names.get(name) or values.get(name)) if name in self.links else values.get(name)
        return "" if raw is None or raw == "" else normal(raw)


class _Lazy:
    """A prepared record of which every place is prepared when it is first asked for."""

    __slots__ = ("_made", "_names", "_shape", "_values")

    def __init__(self, shape: Shape, values: Mapping[str, Any], names: Mapping[str, str]) -> None:
        self._shape, self._values, self._names = shape, values, names
        self._made: dict[int, Any] = {}

    def __getitem__(self, place: int) -> Any:
        if place not in self._made:
            self._made[place] = self._shape.at(place, self._values, self._names)
        return self._made[place]


def is_link(field: Field) -> bool:
    """Whether a value of `field` is another record, known by its title."""
    return field.is_link or field.kind is Kind.POINTER


def normaliser(feature: Feature) -> Callable[[Any], Any]:
    """How a value under `feature` is normalised."""
    criterion, count = feature.criterion, feature.parameter or 0
    plain: Callable[[Any], str] = _raw if feature.case_sensitive else _words
    if criterion is Criterion.FIRST:
        return lambda value: plain(value)[:count]
    if criterion is Criterion.LAST:
        return lambda value: plain(value)[-count:]
    if criterion is Criterion.EXACT:
        return plain
    return _NORMAL[criterion]


def _raw(value: Any) -> str:
    return " ".join(str(value).split())


def _words(value: Any) -> str:
    if isinstance(value, str):
        # "C++" and "C#" have no words of their own but are something.
        return normalise.words(value) or _raw(value)
    return str(value.id) if isinstance(value, Ref) else str(value)


def _moment(value: Any) -> str:
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.UTC).isoformat(timespec="seconds")
    return str(value)


def _street(value: Any) -> Any:
    return normalise.street(str(value)) or ""


@lru_cache(maxsize=20_000)
def _street_kept(value: str) -> Any:
    return _street(value)


_NORMAL: dict[Criterion, Callable[[Any], Any]] = {
    Criterion.SAME_DATE: normalise.day,
    Criterion.SAME_INSTANT: _moment,
    Criterion.LABEL: _words,
    Criterion.EMAIL: lambda value: normalise.email(str(value)),
    Criterion.PHONE: lambda value: normalise.phone(str(value)),
    Criterion.COMPANY: lambda value: normalise.company(str(value)),
    Criterion.NAME: lambda value: normalise.name(str(value)),
    Criterion.DOMAIN: lambda value: normalise.domain(str(value)),
    Criterion.TEXT: lambda value: normalise.name(str(value)),
    Criterion.ADDRESS: lambda value: _street_kept(str(value)[:250]),
    Criterion.CITY: lambda value: normalise.name(str(value)),
    Criterion.POSTCODE: lambda value: normalise.postcode(str(value)),
    Criterion.DATE: normalise.day,
}
