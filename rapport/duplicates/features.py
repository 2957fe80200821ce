"""What the rules look at in a record, normalised once, so that judging a pair is only comparing."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from rapport.meta.entity import Entity
from rapport.meta.field import Field
from rapport.meta.kinds import Kind, Ref

from . import normalise
from .rules import Condition, Criterion, Rule

if TYPE_CHECKING:
    from .columns import Columns

# Criteria that look at several fields as one bag of values.
BAGS = frozenset({Criterion.EMAIL, Criterion.PHONE, Criterion.DOMAIN})
Prepared = Sequence[Any]
# What is quickly made ready and tells much: most pairs need no more.
_QUICK = frozenset(
    {
        Criterion.NAME, Criterion.EMAIL, Criterion.PHONE, Criterion.DOMAIN, Criterion.COMPANY,
        Criterion.CITY, Criterion.POSTCODE, Criterion.DATE, Criterion.SAME_DATE,
    }
)  # fmt: skip
# Made of the words of a text alone.
_NAMES = frozenset({Criterion.NAME, Criterion.CITY})
# Between values of a glance, and between those of a bag: blanks, which no value has inside.
VALUE, ONE = "\x1f", "\x1e"


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
        places: dict[Feature, None] = {}
        for rule in rules:
            for condition in rule.conditions:
                sides = ((rule.base, condition.base), (rule.matching, condition.matching))
                for name, fields in sides:
                    if name == entity.name:
                        places[of_condition(condition, fields, rule.case_sensitive)] = None
        first = [one for one in places if self._is_glanced(one)]
        lines = [one for one in places if one.criterion is Criterion.ADDRESS and not one.is_bag]
        # The first place says whether the record is active; then comes what a glance tells.
        ordered = dict.fromkeys([*first, *lines, *places])
        self.places = {one: place for place, one in enumerate(ordered, 1)}
        # What a glance tells, in which order.
        self.told = (*first, *lines)
        self.glanced, self.known = len(first), len(first) + len(lines)
        self.fields = tuple(dict.fromkeys(name for f in places for name in f.fields))
        self.links = tuple(n for n in self.fields if is_link(entity.fields[n]))
        self._plan = [(f.fields, normaliser(f), f.is_bag) for f in self.places]
        self._bags = [place for place, one in enumerate(first, 1) if one.is_bag]
        self._lines = [one.fields[0] for one in lines]

    def _is_glanced(self, feature: Feature) -> bool:
        kinds = {self.entity.fields[name].kind for name in feature.fields}
        if feature.criterion is Criterion.EXACT:
            return kinds == {Kind.DATE}
        # A text that is compared as an address may have anything inside.
        is_odd = feature.criterion in {Criterion.EMAIL, Criterion.DOMAIN} and Kind.TEXT in kinds
        return feature.criterion in _QUICK and not is_odd

    def name_place(self, fields: tuple[str, ...]) -> int:
        """Where a glance tells the text of one field as a name; 0 where it does not."""
        return next(
            (
                place
                for place, one in enumerate(self.told[: self.glanced], 1)
                if one.fields == fields and one.criterion in _NAMES and not one.is_bag
            ),
            0,
        )

    def prepare(self, values: Mapping[str, Any], names: Mapping[str, str]) -> Prepared:
        """The record with these field values; `names` {look-up: title of what it names}. First
        whether it is active, then the features. A blank is '' or ()."""
        found = [self._feature(*one, values, names) for one in self._plan]
        return (not values.get("state"), *found)

    def glances(self, columns: Columns) -> list[str]:
        """The first places of these records, each as one text, which takes little room and is soon
        read."""
        found: list[Iterable[str]] = [["" if state else "1" for state in columns.raw("state")]]
        for feature in self.told[: self.glanced]:
            names = columns.those(feature.fields)
            if len(names) == 1:
                found.append(columns.ready(names[0], feature.criterion))
            else:
                found.append(map(ONE.join, columns.bags(names, feature.criterion)))
        # Of a street line only whether there is one.
        found += [["1" if line else "" for line in columns.raw(name)] for name in self._lines]
        return list(map(VALUE.join, zip(*found, strict=True)))

    def seen(self, glance: str) -> Prepared:
        """The places that a glance tells of; no others may be asked."""
        return self.seen_of(glance.split(VALUE))

    def seen_of(self, told: Sequence[str]) -> Prepared:
        """The same of a glance in parts."""
        found: list[Any] = [*told]
        for place in self._bags:
            if text := found[place]:
                found[place] = tuple(text.split(ONE)) if ONE in text else (text,)
        return found

    def lazily(
        self, values: Mapping[str, Any], names: Mapping[str, str], glance: str = ""
    ) -> Prepared:
        """The same, but nothing is prepared before it is looked at: most pairs end early. `glance`
        of the same record: what it tells is prepared already."""
        found = _Lazy(self, values, names)
        if glance:
            found.update(zip(range(self.glanced + 1), self.seen(glance), strict=False))
        return cast("Prepared", found)

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
            return tuple(_bag(fields, normal, values))
        name = fields[0]
        raw = (names.get(name) or values.get(name)) if name in self.links else values.get(name)
        return "" if raw is None or raw == "" else normal(raw)


def _bag(
    fields: Sequence[str], normal: Callable[[Any], Any], values: Mapping[str, Any]
) -> list[Any]:
    found: list[Any] = []
    for name in fields:
        if (raw := values.get(name)) and (one := normal(raw)) and one not in found:
            found.append(one)
    return found


class _Lazy(dict[int, Any]):
    """A prepared record of which every place is prepared when it is first asked for."""

    def __init__(self, shape: Shape, values: Mapping[str, Any], names: Mapping[str, str]) -> None:
        super().__init__()
        self._of = shape, values, names

    def __missing__(self, place: int) -> Any:
        shape, values, names = self._of
        found = self[place] = shape.at(place, values, names)
        return found


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


@lru_cache(maxsize=4_000)
def _street_kept(value: str) -> Any:
    return _street(value)


def texts_normaliser(criterion: Criterion) -> Callable[[Sequence[str]], list[str]] | None:
    """The same for a column of texts, blank ones too, as far as it is quicker; nothing is kept of
    what hardly comes twice."""
    return _OF_TEXTS.get(criterion)


def _each(normal: Callable[[str], str]) -> Callable[[Sequence[str]], list[str]]:
    return lambda texts: list(map(normal, texts))


_OF_TEXTS: dict[Criterion, Callable[[Sequence[str]], list[str]]] = {
    Criterion.EMAIL: _each(normalise.email.__wrapped__),
    Criterion.PHONE: normalise.phones,
    Criterion.COMPANY: _each(normalise.company),
    Criterion.NAME: _each(normalise.name),
    Criterion.CITY: _each(normalise.name),
    Criterion.POSTCODE: _each(normalise.postcode.__wrapped__),
}
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
