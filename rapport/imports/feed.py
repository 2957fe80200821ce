"""An upload as rows, a batch of any size at a time, from any place in the file on."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping as MappingType
from dataclasses import replace
from typing import Any

from rapport.files.read import Record, Table
from rapport.meta.kinds import Reading
from rapport.meta.registry import registry
from rapport.models import ImportFile

from . import uploads
from .mapping import Mapping
from .rows import Converter, Row

READ_AT_ONCE = 2000


def reading_of(upload: ImportFile) -> Reading:
    """How dates and numbers of `upload` are written."""
    kept = upload.reading
    return Reading(
        date_order=kept.get("date_order", "ymd"),
        decimal_mark=kept.get("decimal_mark", "."),
        time_zone=kept.get("time_zone", "UTC"),
    )


def mapping_of(upload: ImportFile) -> Mapping:
    """What the columns of `upload` are."""
    made = Mapping.from_json(registry[upload.entity], upload.mapping)
    return replace(made, country=upload.reading.get("phone_country", ""))


class Feed:
    """Rows of an upload in the order of the file, after the record number `after`. `repaired`:
    cells that are other than in the file, by record and column."""

    def __init__(
        self,
        upload: ImportFile,
        *,
        after: int = 0,
        repaired: MappingType[int, MappingType[int, str]] | None = None,
    ) -> None:
        self.table: Table = uploads.open_upload(upload)
        self.mapping = mapping_of(upload)
        cards = self.table.unit == "card"
        self._converter = Converter(self.mapping, reading_of(upload), lenient=cards)
        self._batches: Iterator[list[Record]] = self.table.iter_batches(READ_AT_ONCE, after=after)
        self._waiting: list[Record] = []
        self._repaired = repaired or {}

    def next(self, size: int) -> list[Row]:
        """The next rows, `size` of them unless the file ends."""
        while len(self._waiting) < size and (batch := next(self._batches, None)):
            self._waiting += batch
        taken, self._waiting = self._waiting[:size], self._waiting[size:]
        if self._repaired:
            taken = [_with(record, self._repaired.get(record.number)) for record in taken]
        return self._converter.rows(taken)

    def only(self, numbers: Collection[int]) -> list[Row]:
        """The rows with these numbers."""
        found: list[Record] = []
        last = max(numbers, default=0)
        for batch in self._batches:
            found += [record for record in batch if record.number in numbers]
            if batch[-1].number >= last:
                break
        return self._converter.rows(
            [_with(record, self._repaired.get(record.number)) for record in found]
        )

    def close(self) -> None:
        """Let go of the file."""
        self.table.close()


def _with(record: Record, cells: MappingType[int, str] | None) -> Record:
    """`record` with repaired cells, in which nothing is wrong any more."""
    if not cells:
        return record
    texts = [cells.get(index, text) for index, text in enumerate(record.cells)]
    texts += [""] * (max(cells) + 1 - len(texts))
    for index, text in cells.items():
        texts[index] = text
    problems = tuple(p for p in record.problems if p.column is not None and p.column not in cells)
    return Record(record.number, tuple(texts), problems)


class Sessions:
    """What a worker keeps of a job between two batches: found again, or made anew after a crash.

    A few at most: a job that went to another worker is forgotten here.
    """

    KEPT = 8

    def __init__(self) -> None:
        self._kept: dict[Any, Any] = {}

    def get(self, key: Any, make: Callable[[], Any]) -> Any:
        """The session `key`, made by `make` when there is none."""
        if key not in self._kept:
            while len(self._kept) >= self.KEPT:
                self.drop(next(iter(self._kept)))
            self._kept[key] = make()
        return self._kept[key]

    def drop(self, key: Any) -> None:
        """Forget the session `key`: its job has ended, or a batch of it failed."""
        session = self._kept.pop(key, None)
        if session is not None:
            session.close()
