"""Days in several columns, read as one: birthdays in three of them, as Thunderbird writes them,
where the year is mapped; the ends of deals, won or lost, in two of them, as Pipedrive does."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping as MappingType, Sequence
from typing import NamedTuple

from rapport.files.read import Record
from rapport.meta.kinds import Kind

from . import headers, parts
from .mapping import Mapping

_PARTS = {
    **dict.fromkeys(("year", "jahr", "annee", "ano"), "year"),
    **dict.fromkeys(("month", "monat", "mois", "mes"), "month"),
    **dict.fromkeys(("day", "tag", "jour", "dia"), "day"),
}
_WORDS = "|".join(_PARTS)
# 'Birth Year', 'Geburtsjahr', 'Year of Birth', 'Année de naissance', all without blanks.
_HEADER = re.compile(rf"(?P<of>.+)(?P<part>{_WORDS})|(?P<first>{_WORDS})(?:of|de)(?P<what>.+)")


class Day(NamedTuple):
    """Columns of year, month and day, and what it is the day of."""

    year: int
    month: int
    day: int
    what: str

    @property
    def names(self) -> tuple[str, ...]:
        """What the whole of it may be called."""
        return (f"{self.what} date", f"{self.what}datum", f"date de {self.what}")

    def text(self, cells: Sequence[str]) -> str:
        """The day as one text; blank when some part is, since half a day is none."""
        year, month, day = (cells[at].strip() for at in self[:3])
        if not (year and month and day):
            return ""
        return f"{year}-{month}-{day}" if month.isdecimal() else f"{day} {month} {year}"


class End(NamedTuple):
    """Columns of the day on which a deal was won, or was lost. `year`: the one that is mapped."""

    year: int
    other: int

    def text(self, cells: Sequence[str]) -> str:
        """The day, whichever it was."""
        return cells[self.year].strip() or cells[self.other].strip()


_WON = frozenset(("wontime", "dealwontime", "wondate", "gewonnenam"))
_LOST = frozenset(("losttime", "deallosttime", "lostdate", "verlorenam"))


def days_of(columns: Sequence[str]) -> MappingType[int, Day]:
    """All days that stand in three of these columns, by the column of the year."""
    found: dict[str, dict[str, int]] = {}
    for index, column in enumerate(columns):
        if header := _HEADER.fullmatch(headers.plain(column)):
            part = _PARTS[header["part"] or header["first"]]
            found.setdefault(header["of"] or header["what"], {}).setdefault(part, index)
    return {
        at["year"]: Day(at["year"], at["month"], at["day"], what)
        for what, at in found.items()
        if len(at) == 3
    }


def ends_of(columns: Sequence[str]) -> tuple[int, int] | None:
    """The columns of the days on which deals were won, and lost; None unless there are both."""
    found: list[int] = []
    for ways in (_WON, _LOST):
        found += [at for at, one in enumerate(columns) if headers.plain(one) in ways][:1]
    return (found[0], found[1]) if len(found) == 2 else None


def _ends_in(columns: Sequence[str], mapping: Mapping) -> Iterator[End]:
    """Those of which one is mapped to a date and the other to nothing."""
    won, lost = ends_of(columns) or (0, 0)
    for mapped, other in ((won, lost), (lost, won)):
        if mapped in mapping.columns and other not in mapping.columns:
            field = parts.field_of(mapping.entity, mapping.columns[mapped].field)
            if field is not None and field.kind is Kind.DATE:
                yield End(mapped, other)


def days_in(columns: Sequence[str], mapping: Mapping) -> MappingType[int, Day | End]:
    """Those of which the column of the year is mapped to a date and the others to nothing."""
    ends = {end.year: end for end in _ends_in(columns, mapping)}
    return ends | {
        year: day
        for year, day in days_of(columns).items()
        if year in mapping.columns
        and not mapping.columns.keys() & {day.month, day.day}
        and (field := parts.field_of(mapping.entity, mapping.columns[year].field))
        and field.kind is Kind.DATE
    }


def joined(batches: Iterator[list[Record]], days: Iterable[Day | End]) -> Iterator[list[Record]]:
    """Records with those days in the columns of their years."""
    days = tuple(days)
    if not days:
        return batches
    return ([_joined(record, days) for record in batch] for batch in batches)


def _joined(record: Record, days: Sequence[Day | End]) -> Record:
    if record.problem:
        return record
    cells = list(record.cells)
    for day in days:
        cells[day.year] = day.text(record.cells)
    return record._replace(cells=tuple(cells))
