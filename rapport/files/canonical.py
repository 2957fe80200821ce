"""The one form into which every other format is brought: a plain CSV file and what it needs told.

A cell that was not a plain value is marked with a NUL, which no real text contains.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rapport.files.limits import LIMITS
from rapport.files.refusal import FileRefused, Message, gettext_noop

MARK = "\0"
# What a mark says about its cell; a page can translate it.
MEANINGS = {
    "error": gettext_noop("The workbook has the error %(value)s here."),
    "formula": gettext_noop(
        "The file holds a formula here without its result (%(value)s). "
        "Open it in a spreadsheet program and save it."
    ),
    "bytes": gettext_noop("Not readable in this encoding (bytes %(value)s)."),
    "line": gettext_noop("This line is not valid JSON: “%(value)s”."),
    "group": gettext_noop("“%(value)s” is a group of other cards, not a person or company."),
}
# These are said of a whole record.
_OF_RECORDS = frozenset({"line", "group"})
NOTES = {
    "masked": gettext_noop("Numbers with leading zeros are read as the workbook shows them."),
}


@dataclass(frozen=True, kw_only=True)
class Converted:
    """What a conversion found. `columns` is None where the first row of the sheet is the header."""

    rows: int
    width: int
    marked: bool = False
    columns: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Converted:
        columns = found["columns"]
        found = {**found, "notes": tuple(found["notes"])}
        return cls(**{**found, "columns": None if columns is None else tuple(columns)})


def marked(meaning: str, value: str) -> str:
    return f"{MARK}{meaning}{MARK}{value}"


def shown(cell: str) -> tuple[str, Message, bool]:
    """A marked cell without its mark, what the mark says, and whether it spoils the record."""
    _, meaning, value = cell.split(MARK, 2)
    listed, inside, text = value.partition(MARK)
    if inside:
        value = text
    return value, Message(MEANINGS[meaning], {"value": listed[:80]}), meaning in _OF_RECORDS


class Sink:
    """Writes the canonical file. An empty row is an empty line, so that rows keep their numbers."""

    def __init__(self, target: Path) -> None:
        self._stream = target.open("w", encoding="utf-8", errors="replace", newline="")
        # Only line ends that are in the terminator make the csv module quote a cell.
        self._writer = csv.writer(self._stream, lineterminator="\r\n")
        self.rows = 0
        self.width = 0
        self.marked = False

    def add(self, cells: Sequence[str]) -> None:
        self.rows += 1
        if not any(cells):
            self._stream.write("\r\n")
            return
        self.width = max(self.width, len(cells))
        if self.width > LIMITS.columns:
            raise too_many_columns(self.width)
        self._writer.writerow(cells)

    def add_all(self, rows: Iterable[Sequence[str]]) -> None:
        for row in rows:
            self.add(row)

    def close(self) -> None:
        self._stream.close()

    def converted(
        self, *, columns: Sequence[str] | None = None, notes: Iterable[str] = ()
    ) -> Converted:
        return Converted(
            rows=self.rows,
            width=self.width,
            marked=self.marked,
            columns=None if columns is None else tuple(columns),
            notes=tuple(notes),
        )


class Columns:
    """The columns of records that name their own cells, in the order in which they turn up."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}

    def row(self, cells: Iterable[tuple[str, str]]) -> list[str]:
        """One record as a row; a name that comes again in it gets a number: e-mail, e-mail 2."""
        places = self._places
        row = [""] * len(places)
        used: dict[str, int] = {}
        for name, text in cells:
            count = used[name] = used.get(name, 0) + 1
            place = places.setdefault(name if count == 1 else f"{name} {count}", len(places))
            if place >= len(row):
                if place >= LIMITS.columns:
                    raise too_many_columns(place + 1)
                row.extend([""] * (place + 1 - len(row)))
            row[place] = text
        return row

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._places)


def too_many_columns(count: int) -> FileRefused:
    return FileRefused(
        "columns",
        gettext_noop("The file has %(count)d columns; %(limit)d are the most that can be read."),
        gettext_noop("Remove the columns that are not needed."),
        count=count,
        limit=LIMITS.columns,
    )
