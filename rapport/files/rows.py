"""Records out of one CSV file, quickly: the reader that every format ends in.

A record's number is its row as a spreadsheet shows it: blank lines and title rows count, line
breaks inside a cell do not, and an Excel `sep=` line is no row.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain, count, islice, repeat
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple, Protocol

from rapport.files import canonical, foot
from rapport.files.dialect import SEP_LINE, Dialect, Rows
from rapport.files.formula import unescape
from rapport.files.limits import LIMITS
from rapport.files.places import START, Marks, Place, Places
from rapport.files.refusal import FileRefused, Message, gettext_noop
from rapport.files.textstream import lines, open_text, show_bytes

# A line after the last: it can only end up inside a record when a quotation mark was never closed.
END = "\ue000end of file\ue000"
# What may be wrong with a whole record.
SURPLUS = gettext_noop("%(cells)d cells, %(columns)d columns.")
NEVER_CLOSED = gettext_noop("The file ends inside this record: a quotation mark is never closed.")
SWALLOWED = gettext_noop(
    "A quotation mark that is not closed takes further lines in, which look like %(lines)d records."
)
# So many delimiters in lines inside of a cell, just as many in each as records have, are no text.
_TELLING = 12


class Problem(NamedTuple):
    """What is wrong with a cell, or with the whole record when `column` is None."""

    column: int | None
    message: Message


class Record(NamedTuple):
    """One record. There are as many cells as columns, unless a problem says that there are more."""

    number: int
    cells: tuple[str, ...]
    problems: tuple[Problem, ...] = ()

    @property
    def problem(self) -> Message | None:
        """Why the record cannot be taken as it is, whatever its columns mean."""
        return next((p.message for p in self.problems if p.column is None), None)


@dataclass(frozen=True, kw_only=True)
class Source:
    """A CSV file and everything that is needed to read it."""

    path: Path
    encoding: str
    dialect: Dialect
    clean: bool  # every byte decodes and there is no NUL
    canonical: bool = False  # made by us: NULs are marks
    unescape: bool = False  # leading apostrophes are our writer's
    foot: frozenset[foot.Filled] = frozenset()  # rows below the table that are no records
    noted: Path | None = None  # where it is kept at which bytes records begin
    places: Places | None = None  # what is kept there

    @contextmanager
    def lines(self, offset: int = 0) -> Iterator[Iterator[str]]:
        """The lines from the one on that begins at the byte `offset`; the last is `END`."""
        with open_text(self.path, self.encoding, offset) as stream:
            found = stream if offset else lines(stream)
            if self.dialect.sep_line and not offset:
                first = next(found, "")
                found = found if SEP_LINE.match(first) else chain((first,), found)
            yield chain(found, (END,))

    @contextmanager
    def opened(self, offset: int = 0) -> Iterator[Rows]:
        """All rows, blank ones too, from the one on that begins at the byte `offset`; `END` is the
        last of them, or inside the last."""
        with self.lines(offset) as found:
            yield self.dialect.reader(found)

    def place(self, number: int) -> Place:
        """A place that is not behind the record `number`, and near it if such are kept."""
        return self.places.before(number) if self.places else START

    def note(self, marks: Marks) -> None:
        """Keep where records begin, once all of them have been read."""
        places = marks.places(self.path, clean=self.clean)
        if self.noted is not None and places is not None:
            # Without them all is the same, only slower.
            with suppress(OSError):
                places.save(self.noted)


def take(rows: Iterator[list[str]], size: int, number: int) -> list[list[str]]:
    """The next rows, of which the first has this number."""
    batch: list[list[str]] = []
    try:
        # Not list(islice(...)): what came before an error stays, and tells the row.
        batch.extend(islice(rows, size))
    except csv.Error as error:
        raise FileRefused(
            "cell-too-long",
            gettext_noop(
                "Row %(row)d has a cell of more than %(limit)d characters. "
                "Perhaps a quotation mark is never closed."
            ),
            gettext_noop("Choose another quotation mark, or correct the row."),
            row=number + len(batch),
            limit=LIMITS.cell_characters,
        ) from error
    return batch


class Turns(Protocol):
    """How several who read one file tell each other where the next batch begins: what record it is,
    and how many lines lie before it."""

    first: bool  # of all, who waits for nobody

    def wait(self) -> tuple[int, int] | None:
        """Where our next batch begins; None when there is no more."""

    def tell(self, place: tuple[int, int] | None) -> None:
        """Where the batch begins that follows ours."""


class Reader:
    """Batches of records from a source, after its header."""

    def __init__(self, source: Source, *, header: int, width: int) -> None:
        self._source = source
        self._header = header
        self._width = width
        self._expose = _exposer(source)

    def batches(self, size: int, *, after: int = 0) -> Iterator[list[Record]]:
        """Lists of at most `size` records with a number above `after`; blank ones are left out."""
        first = max(self._header, after) + 1
        number, offset = self._source.place(first)
        marks = Marks() if self._source.noted and not self._source.places else None
        with self._source.opened(offset) as rows:
            for skipped in chunks(first - number):
                number += len(take(rows, skipped, number))
            before = rows.line_num
            while batch := take(rows, size, number):
                taken = len(batch)
                whole = rows.line_num - before == taken
                before = rows.line_num
                unclosed = without_end(batch)
                records = self._mended(batch, number, unclosed=unclosed, whole=whole)
                if records:
                    yield records
                number += taken
                if marks is not None:
                    marks.add(number, rows.line_num)
        if marks is not None:
            self._source.note(marks)

    def shared(self, size: int, turns: Turns, *, after: int = 0) -> Iterator[list[Record]]:
        """The same of one of several readers: the batches that are its own, also those of which
        nothing is left. The lines of the others are passed over, which takes a tenth of the time:
        records end where lines do, and whoever reads a batch says after which line."""
        source = self._source
        first = max(self._header, after) + 1
        start, offset = source.place(first)
        marks = Marks() if source.noted and not source.places else None
        with source.lines(offset) as found:
            rows, passed = source.dialect.reader(found), 0
            at: tuple[int, int] | None = None
            if turns.first:
                for skipped in chunks(first - start):
                    start += len(take(rows, skipped, start))
                at = start, rows.line_num
            while at or (at := turns.wait()):
                number, line = at
                skipping = line - passed - rows.line_num
                next(islice(found, skipping, skipping), None)
                passed += skipping
                before = rows.line_num
                batch = take(rows, size, number)
                if not batch:
                    break
                taken = len(batch)
                at = number + taken, passed + rows.line_num
                turns.tell(at)
                if marks is not None:
                    marks.add(number, line)
                    marks.add(*at)
                whole = rows.line_num - before == taken
                yield self._mended(batch, number, unclosed=without_end(batch), whole=whole)
                at = None
        turns.tell(None)
        if marks is not None and at:
            source.note(marks)

    def picked(self, numbers: Collection[int]) -> Iterator[Record]:
        """The records with these numbers. What lies between is passed over without being looked
        at, which is twice as quick, or leapt over where places are kept."""
        wanted = sorted({number for number in numbers if number > self._header})
        while wanted:
            number, offset = self._source.place(wanted[0])
            with self._source.opened(offset) as rows:
                while wanted and self._source.place(wanted[0]).number <= number:
                    for skipped in chunks(wanted[0] - number):
                        number += len(take(rows, skipped, number))
                    batch = take(rows, 1, number)
                    if number != wanted.pop(0) or not batch:
                        return
                    unclosed = without_end(batch)
                    if batch:
                        yield from self._mended(batch, number, unclosed=unclosed, whole=False)
                    number += 1

    def _mended(
        self, batch: list[list[str]], number: int, *, unclosed: bool, whole: bool
    ) -> list[Record]:
        """`whole`: each record is a line."""
        if not unclosed and self._is_plain(batch):
            records = _plain(batch, number)
        else:
            records = list(self._records(batch, number))
        if not whole and not self._source.canonical and self._width > 2:
            records = list(map(self._looked_into, records))
        if unclosed and records:
            records[-1] = _never_closed(records[-1])
        return records

    def _is_plain(self, batch: list[list[str]]) -> bool:
        """Whether all rows are of full width and begin with something: nothing to mend."""
        return (
            self._expose is None
            and not self._source.foot
            and bool(batch)
            and set(map(len, batch)) == {self._width}
            and all(map(str.strip, map(itemgetter(0), batch)))
        )

    def _records(self, batch: list[list[str]], number: int) -> Iterator[Record]:
        width = self._width
        for at, row in enumerate(batch, number):
            if is_blank(row):
                continue
            problems: tuple[Problem, ...] = ()
            if self._expose:
                problems = self._expose(row)
            missing = width - len(row)
            if missing > 0:
                row += [""] * missing
            elif missing < 0:
                problems = (*self._surplus(row), *problems)
            if self._source.foot and foot.filled(row) in self._source.foot:
                problems = (Problem(None, foot.FOOT),)
            yield Record(at, tuple(row), problems)

    def _looked_into(self, record: Record) -> Record:
        """A quotation mark that is never closed ends at the next one: what looks like lines of the
        table inside of a cell are records that would be lost."""
        between = self._width - 1
        for cell in record.cells:
            if "\n" in cell or "\r" in cell:
                inside = cell.splitlines()[1:-1]
                delimiter = self._source.dialect.delimiter
                alike = sum(line.count(delimiter) == between for line in inside)
                if alike * between >= _TELLING and alike * 5 >= len(inside) * 4:
                    found = Problem(None, Message(SWALLOWED, {"lines": len(inside)}))
                    return record._replace(problems=(found, *record.problems))
        return record

    def _surplus(self, row: list[str]) -> tuple[Problem, ...]:
        """Empty cells beyond the last column mean nothing; text there means a shift."""
        found = len(row)
        if is_blank(row[self._width :]):
            del row[self._width :]
            return ()
        return (Problem(None, Message(SURPLUS, {"cells": found, "columns": self._width})),)


def chunks(total: int, size: int = 10_000) -> Iterator[int]:
    """A large number in bearable pieces."""
    for start in range(0, total, size):
        yield min(size, total - start)


def is_blank(row: list[str]) -> bool:
    # Programs of the days of DOS end a file with control-Z.
    return not any(row) or not "".join(row).strip().strip("\x1a")


def _plain(batch: list[list[str]], number: int) -> list[Record]:
    # Without a Python call for each record: a third of the time of reading.
    fields = zip(count(number), map(tuple, batch), repeat(()))
    return list(map(tuple.__new__, repeat(Record), fields))


def without_end(batch: list[list[str]]) -> bool:
    """Take the end line off the last batch; whether it stood inside a record."""
    last = batch[-1]
    if last == [END]:
        batch.pop()
        return False
    if last and last[-1].endswith(END):
        last[-1] = last[-1].removesuffix(END)
        return True
    return False


def _never_closed(record: Record) -> Record:
    return record._replace(problems=(Problem(None, Message(NEVER_CLOSED)), *record.problems))


def _exposer(source: Source) -> Callable[[list[str]], tuple[Problem, ...]] | None:
    if source.canonical:
        return None if source.clean else _expose_marks
    if source.clean:
        return _unescape if source.unescape else None
    return _unescape_and_expose if source.unescape else _expose_bytes


def _expose_marks(row: list[str]) -> tuple[Problem, ...]:
    problems = []
    for column, cell in enumerate(row):
        if canonical.MARK in cell:
            row[column], message, whole = canonical.shown(cell)
            problems.append(Problem(None if whole else column, message))
    return tuple(problems)


def _expose_bytes(row: list[str]) -> tuple[Problem, ...]:
    problems = []
    for column, cell in enumerate(row):
        if cell.isascii() and "\0" not in cell:
            continue
        row[column], found = show_bytes(cell)
        if found:
            shown = " ".join(f"{byte:02X}" for byte in found[:20])
            problems.append(Problem(column, Message(canonical.MEANINGS["bytes"], {"value": shown})))
    return tuple(problems)


def _unescape(row: list[str]) -> tuple[Problem, ...]:
    row[:] = map(unescape, row)
    return ()


def _unescape_and_expose(row: list[str]) -> tuple[Problem, ...]:
    _unescape(row)
    return _expose_bytes(row)
