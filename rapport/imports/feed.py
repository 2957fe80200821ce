"""An upload as rows, a batch of any size at a time, from any place in the file on."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping as MappingType
from dataclasses import replace
from hashlib import blake2b, file_digest

from django.conf import settings
from django.db import connection
from django.utils.translation import get_language

from rapport.duplicates import keys
from rapport.files.read import Record, Table
from rapport.meta.kinds import Reading
from rapport.meta.registry import registry
from rapport.models import ImportFile

from . import ahead, datecolumns, uploads
from .aside import Aside
from .compact import Block, Packer, layout_of
from .mapping import Mapping
from .rows import Converter, Row

READ_AT_ONCE = 2000
PACKED_AT_ONCE = 1000
# Of a row on average.
BYTES = 250
# To be raised whenever the same file would become other blocks.
VERSION = 5


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
    cells that are other than in the file, by record and column. `compact`: simple rows may be;
    `finish` gives them ids: they are made ready to be written."""

    def __init__(
        self,
        upload: ImportFile,
        *,
        after: int = 0,
        repaired: MappingType[int, MappingType[int, str]] | None = None,
        compact: bool = True,
        finish: Callable[[int], str] | None = None,
    ) -> None:
        self.table: Table = uploads.open_upload(upload)
        self.mapping = mapping_of(upload)
        cards = self.table.unit == "card"
        self._converter = Converter(self.mapping, reading_of(upload), lenient=cards)
        self._days = datecolumns.days_in(self.table.columns, self.mapping).values()
        self._batches: Iterator[list[Record]] = datecolumns.joined(
            self.table.iter_batches(READ_AT_ONCE, after=after), self._days
        )
        self._waiting: list[Record] = []
        self._repaired = repaired or {}
        self.layout = layout_of(self.mapping) if compact else None
        self._packer = Packer(self.mapping, self.layout)
        self._ahead: ahead.Kept | None = None
        self._blocks: Iterator[Block] = iter(())
        self._block = Block()
        self._failed: Exception | None = None
        self._upload: ImportFile | None = upload
        self._after, self._size, self._finish = after, upload.size, finish
        self._look_up: Callable[[Block], None] | None = None
        self._aside: Aside | None = None

    def help(self, aside: Aside) -> None:
        """Let whoever reads ahead compare aside in the end."""
        self._aside = aside

    def look_up(self, ask: Callable[[Block], None]) -> None:
        """Let `ask` add to blocks what it finds in the database. Processes that read ahead do so
        where the file was read before: they have nothing else to do."""
        self._look_up = ask

    def next(self, size: int) -> list[Row]:
        """The next rows, `size` of them unless the file ends."""
        return self._converter.rows(self._take(size))

    def _take(self, size: int) -> list[Record]:
        while len(self._waiting) < size and (batch := next(self._batches, None)):
            self._waiting += batch
        taken, self._waiting = self._waiting[:size], self._waiting[size:]
        return self._mended(taken)

    def _mended(self, records: list[Record]) -> list[Record]:
        return mended(records, self._repaired)

    def take(self, size: int) -> Block:
        """The same as a block of rows, read ahead by a process of its own where that is worth it:
        for those who take them all."""
        if self._upload is not None:
            self._begin(self._upload)
            self._upload = None
        if self._failed is not None:
            raise self._failed
        self._load(size)
        return self._block.cut(size)

    def fill(self, size: int) -> None:
        """Have so many rows at hand for the next `take`, which then tells what went wrong."""
        try:
            self._load(size)
        except Exception as error:  # noqa: BLE001 -- told later
            self._failed = error

    def _load(self, size: int) -> None:
        while len(self._block) < size and (block := next(self._blocks, None)):
            if block.numbers[0] <= self._after:
                block.cut(bisect_right(block.numbers, self._after))
            self._block.extend(block)

    def _begin(self, upload: ImportFile) -> None:
        self._blocks = self._make()
        if self.layout is None or upload.size < ahead.LARGE:
            return
        file = uploads.path_of(upload)
        with file.open("rb") as stream:
            content = file_digest(stream, "sha256").hexdigest()
        path = ahead.path_for(file.parent, self._fingerprint(upload, content))
        alone = ahead.is_worth_it(upload.size)
        kept = self._ahead = ahead.kept_at(path)
        if kept and alone and (made := self._again(kept)):
            self._ahead = ahead.Ahead(path, made[0], count=made[1], passing=True, aside=self._aside)
            # They have it as well.
            kept.close()
            self._blocks = iter(self._ahead)
        elif kept:
            self._blocks = filter(len, self._finished(kept)) if self._finish else iter(kept)
        elif alone:
            # A part of the file is of no use to others.
            passing = self._finish is not None or self._after > 0
            self._ahead = ahead.Ahead(
                path, self._make, count=ahead.readers(), passing=passing, aside=self._aside
            )
            self._blocks = iter(self._ahead)

    def _again(self, kept: ahead.Kept) -> tuple[ahead.Make, int] | None:
        """How blocks that are kept are made ready, and by how many processes."""
        if self._finish:
            # One is quick enough where we write ourselves.
            count = 1 if connection.vendor == "sqlite" else ahead.readers()
            return lambda turns: self._finished(kept.every(turns.count, turns.turn)), count
        # What a transaction has written nobody else can see.
        if self._look_up and not connection.in_atomic_block:
            count = ahead.readers()
            return lambda turns: self._looked_up(kept.every(turns.count, turns.turn)), count
        return None

    def _looked_up(self, blocks: Iterable[Block]) -> Iterator[Block]:
        assert self._look_up is not None
        for block in blocks:
            self._look_up(block)
            yield block

    def _make(self, turns: ahead.Turns | None = None) -> Iterator[Block]:
        """The blocks of the file, of several readers those of whom it is the turn."""
        if turns is None:
            parts = iter(lambda: self._take(PACKED_AT_ONCE), [])
        else:
            shared = self.table.shared(PACKED_AT_ONCE, turns, after=self._after)
            parts = map(self._mended, datecolumns.joined(shared, self._days))
        blocks = (self._packer.read(self._converter, part) for part in parts)
        return self._finished(blocks) if self._finish else blocks

    def _finished(self, blocks: Iterable[Block]) -> Iterator[Block]:
        """Those blocks of which rows are still to be written, ready for that; empty the others,
        because it is by turns."""
        id_of = self._finish
        assert id_of is not None
        for block in blocks:
            is_left = block and block.numbers[-1] > self._after
            yield self._packer.finish(block, id_of) if is_left else Block()

    def _fingerprint(self, upload: ImportFile, content: str) -> str:
        """Changes with all that rows are made of: the file, the mapping, the repaired cells, the
        rules, the options and what people call them."""
        entity = self.mapping.entity
        fields = [entity.fields[name] for name in sorted(self.mapping.fields & {*entity.fields})]
        told = (
            VERSION,
            content,
            upload.entity,
            upload.mapping,
            upload.reading,
            sorted((number, sorted(cells.items())) for number, cells in self._repaired.items()),
            keys.fingerprint(entity),
            self.layout.glance if self.layout else (),
            get_language(),
            settings.FULL_NAME_ORDER,
            [
                (found.name, [(one.value, str(one.label)) for one in found.options])
                for found in fields
            ],
        )
        return blake2b(repr(told).encode(), digest_size=16).hexdigest()

    @property
    def expected(self) -> int:
        """About how many rows there are."""
        return self.table.known_rows or self._size // BYTES

    def only(self, numbers: Collection[int]) -> list[Row]:
        """The rows with these numbers, without reading what lies between."""
        picked = datecolumns.joined(iter([list(self.table.pick(numbers))]), self._days)
        return self._converter.rows(
            [_with(one, self._repaired.get(one.number)) for batch in picked for one in batch]
        )

    def close(self) -> None:
        """Let go of the file."""
        if self._ahead is not None:
            self._ahead.close()
        self.table.close()


def mended(
    records: list[Record], repaired: MappingType[int, MappingType[int, str]]
) -> list[Record]:
    """Records with repaired cells."""
    if not repaired:
        return records
    return [_with(record, repaired.get(record.number)) for record in records]


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
