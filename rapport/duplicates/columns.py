"""Records by columns: each is made ready once for all who ask, match keys and glances."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import repeat
from typing import Any

from rapport.meta.entity import Entity

from .features import Feature, is_link, normaliser
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
        self.entity, self.values, self.names = entity, values, names
        self._known = known
        self._raw: dict[str, list[Any]] = {}
        self._ready: dict[tuple[str, Criterion], list[str]] = {}

    def __len__(self) -> int:
        return len(self.values)

    def those(self, names: Iterable[str]) -> list[str]:
        """Fields that any of the records may have."""
        return [name for name in names if self._known is None or name in self._known]

    def raw(self, name: str) -> list[Any]:
        """The values of a field; of a look-up the titles, where they are known."""
        found = self._raw.get(name)
        if found is None:
            found = [one.get(name) for one in self.values]
            if name in self.entity.fields and is_link(self.entity.fields[name]):
                found = [one.get(name) or raw for one, raw in zip(self.names, found, strict=True)]
            self._raw[name] = found
        return found

    def ready(self, name: str, criterion: Criterion) -> list[str]:
        """The values of a field as `criterion` compares them, "" for blanks."""
        found = self._ready.get((name, criterion))
        if found is None:
            normal = normaliser(Feature((name,), criterion, None, case_sensitive=False))
            found = [normal(raw) if raw else "" for raw in self.raw(name)]
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
