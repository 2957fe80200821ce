"""The files that a table can become."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO

from rapport.files.write import Writer, csv_writer, streamed, xlsx_writer

from .rows import Table


@dataclass(frozen=True, kw_only=True)
class Format:
    """What a browser calls it, and what writes it."""

    content_type: str
    writer: Callable[[Table, IO[bytes]], Writer]


FORMATS: dict[str, Format] = {
    "csv": Format(
        content_type="text/csv; charset=utf-8",
        writer=lambda table, stream: csv_writer(stream, table.columns),
    ),
    "xlsx": Format(
        content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        writer=lambda table, stream: xlsx_writer(
            stream, table.columns, sheet=str(table.entity.label_plural)
        ),
    ),
}


def pieces(table: Table, name: str) -> Iterator[bytes]:
    """`table` as a file of the format `name`, made while it is taken."""
    make = FORMATS[name].writer
    return streamed(lambda stream: make(table, stream), table.batches)
