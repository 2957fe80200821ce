"""Tables out, in a stream: CSV, workbooks of two sorts, JSON lines."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import IO

from rapport.files.column import Column, Value, Writer
from rapport.files.csvwrite import CsvWriter
from rapport.files.jsonwrite import JsonWriter
from rapport.files.spreadsheetwrite import SpreadsheetWriter
from rapport.files.xlsxwrite import XlsxWriter

__all__ = [
    "Column",
    "Value",
    "Writer",
    "csv_writer",
    "json_writer",
    "spreadsheet_writer",
    "streamed",
    "xlsx_writer",
]


def csv_writer(stream: IO[bytes], columns: Sequence[Column]) -> CsvWriter:
    return CsvWriter(stream, columns)


def json_writer(stream: IO[bytes], columns: Sequence[Column]) -> JsonWriter:
    return JsonWriter(stream, columns)


def spreadsheet_writer(
    stream: IO[bytes], columns: Sequence[Column], *, sheet: str = "Sheet1"
) -> SpreadsheetWriter:
    return SpreadsheetWriter(stream, columns, sheet=sheet)


def xlsx_writer(
    stream: IO[bytes], columns: Sequence[Column], *, sheet: str = "Sheet1"
) -> XlsxWriter:
    return XlsxWriter(stream, columns, sheet=sheet)


def streamed(
    make: Callable[[IO[bytes]], Writer], batches: Iterable[Sequence[Sequence[Value]]]
) -> Iterator[bytes]:
    """A file as pieces of bytes, for an answer that is sent while it is made; each of `batches`
    is a list of columns."""
    pipe = _Pipe()
    writer = make(pipe)
    for batch in batches:
        writer.write_columns(batch)
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
