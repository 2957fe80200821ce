"""Records by columns: each is made ready once for all who ask, match keys and glances."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import repeat
from typing import Any, Self

from rapport.meta.entity import Entity

from .features import Feature, is_link, normaliser, texts_normaliser
from .rules import Criterion


class Columns:
    """Field values and titles of what look-ups name, of records of one entity. `known`: none has
    other fields than these."""

    def __init__(
        self,
        entity: Entity,
        values: Sequence[Mapping[str, Any]],
        names: Sequence[Mapping[str, str]],
        known: Collection[str] | None = None,
    ) -> None:
        self.entity, self._count = entity, len(values)
        self._rows: Sequence[tuple[Mapping[str, Any], Mapping[str, str]]] | None
        self._rows = list(zip(values, names, strict=True))
        self._known = known
        self._raw: dict[str, list[Any]] = {}
        self._ready: dict[tuple[str, Criterion], list[str]] = {}

    @classmethod
    def of(cls, entity: Entity, count: int, columns: Mapping[str, list[Any]]) -> Self:
        """The same of `count` records that come as columns; of look-ups the titles."""
        made = cls(entity, (), (), columns.keys())
        made._count, made._rows, made._raw = count, None, {**columns}
        return made

    def __len__(self) -> int:
        return self._count

    def one_by_one(self) -> Iterable[tuple[Mapping[str, Any], Mapping[str, str]]]:
        """Field values and titles of each record."""
        if self._rows is not None:
            return self._rows
        fields = self.entity.fields
        titles = {name: one for name, one in self._raw.items() if is_link(fields[name])}
        values = {name: one for name, one in self._raw.items() if name not in titles}
        return [
            ({n: one[at] for n, one in values.items()}, {n: one[at] for n, one in titles.items()})
            for at in range(self._count)
        ]

    def those(self, names: Iterable[str]) -> list[str]:
        """Fields that any of the records may have."""
        return [name for name in names if self._known is None or name in self._known]

    def raw(self, name: str) -> list[Any]:
        """The values of a field; of a look-up the titles, where they are known."""
        found = self._raw.get(name)
        if found is None:
            if self._rows is None:
                return [None] * self._count
            found = [values.get(name) for values, _titles in self._rows]
            if name in self.entity.fields and is_link(self.entity.fields[name]):
                rows = zip(self._rows, found, strict=True)
                found = [titles.get(name) or raw for (_values, titles), raw in rows]
            self._raw[name] = found
        return found

    def ready(self, name: str, criterion: Criterion) -> list[str]:
        """The values of a field as `criterion` compares them, "" for blanks."""
        found = self._ready.get((name, criterion))
        if found is None:
            raws, of_texts = self.raw(name), texts_normaliser(criterion)
            if len(raws) > 1 and of_texts and set(map(type, raws)) == {str}:
                found = of_texts(raws)
            else:
                normal = normaliser(Feature((name,), criterion, None, case_sensitive=False))
                found = [normal(raw) if raw else "" for raw in raws]
            self._ready[name, criterion] = found
        return found

    def rows(self, columns: Sequence[Sequence[Any]]) -> Iterable[Sequence[Any]]:
        """What each record has in these columns."""
        return zip(*columns, strict=True) if columns else repeat((), len(self))

    def bags(self, names: Iterable[str], criterion: Criterion) -> Iterable[Sequence[str]]:
        """What each record has in any of these fields, each value once."""
        columns = [self.ready(name, criterion) for name in self.those(names)]
        if len(columns) == 1:
            return [(one,) if one else () for one in columns[0]]
        if len(columns) == 2:
            return [
                (one, other) if one and other and one != other
                else (one or other,) if one or other
                else ()
                for one, other in zip(*columns, strict=True)
            ]  # fmt: skip
        return [tuple(dict.fromkeys(filter(None, row))) for row in self.rows(columns)]

    def last(self, names: Iterable[str], criterion: Criterion) -> Sequence[str]:
        """What each record has in the last of these fields that is filled."""
        known = self.those(names)
        if len(known) == 1:
            return self.ready(known[0], criterion)
        found = [""] * len(self)
        for name in known:
            rows = zip(found, self.raw(name), self.ready(name, criterion), strict=True)
            found = [one if raw else kept for kept, raw, one in rows]
        return found
