"""Tables out, in a stream: CSV that no spreadsheet takes for a program, and Excel workbooks."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import IO, Literal, Protocol, Self

from rapport.files.celltext import text_of
from rapport.files.formula import escape
from rapport.files.xlsxwrite import XlsxWriter

Value = str | int | float | Decimal | bool | date | datetime | time | None


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column to write. All but the name only matters in a workbook."""

    name: str
    kind: Literal["text", "number", "date", "datetime", "yes-no"] = "text"
    decimals: int | None = None  # of a number; None shows it as it is
    choices: tuple[str, ...] = ()  # offered as a drop-down
    width: float = 18.0
    hidden: bool = False


class Writer(Protocol):
    """What every format offers: rows of values in the order of the columns, then the end."""

    def write(self, rows: Iterable[Sequence[Value]]) -> None: ...

    def close(self) -> None: ...


class CsvWriter:
    """UTF-8 with a byte order mark, commas, CRLF, everything quoted: whatever is inside, every
    reader (ours included) sees the same cells. Formulas get an apostrophe, see `formula`."""

    def __init__(self, stream: IO[bytes], columns: Sequence[Column]) -> None:
        self._text = io.TextIOWrapper(
            stream, encoding="utf-8-sig", errors="backslashreplace", newline="", write_through=True
        )
        self._writer = csv.writer(self._text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
        self._writer.writerow([escape(column.name) for column in columns])

    def write(self, rows: Iterable[Sequence[Value]]) -> None:
        self._writer.writerows([_cell(value) for value in row] for row in rows)

    def close(self) -> None:
        # The stream belongs to the caller.
        self._text.flush()
        self._text.detach()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


_DANGER = re.compile(r"['=+\-@\t\r\n＝＋－＠]")


def _cell(value: Value) -> str:
    if type(value) is str:
        return escape(value) if _DANGER.match(value) else value
    if isinstance(value, datetime):
        # Midnight in full: a point in time must not come back as a day.
        return value.isoformat(" ", "seconds")
    return text_of(value)


def csv_writer(stream: IO[bytes], columns: Sequence[Column]) -> CsvWriter:
    return CsvWriter(stream, columns)


def xlsx_writer(
    stream: IO[bytes], columns: Sequence[Column], *, sheet: str = "Sheet1"
) -> XlsxWriter:
    return XlsxWriter(stream, columns, sheet=sheet)


def streamed(
    make: Callable[[IO[bytes]], Writer], batches: Iterable[Iterable[Sequence[Value]]]
) -> Iterator[bytes]:
    """A file as pieces of bytes, for an answer that is sent while it is made."""
    pipe = _Pipe()
    writer = make(pipe)
    for batch in batches:
        writer.write(batch)
        yield pipe.taken()
    writer.close()
    yield pipe.taken()


class _Pipe(io.BytesIO):
    """Holds what was written until it is taken. It cannot seek, and zipfile adapts to that."""

    def seekable(self) -> bool:
        return False

    def seek(self, *_: object) -> int:
        raise io.UnsupportedOperation("seek")

    def tell(self) -> int:
        raise io.UnsupportedOperation("tell")

    def taken(self) -> bytes:
        whole = self.getvalue()
        super().seek(0)
        self.truncate()
        return whole
