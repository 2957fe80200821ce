"""Where records begin in a text file: noted when all of it is read, so that a page deep in a large
file comes as quickly as the first."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self

from rapport.files.dialect import Dialect
from rapport.files.partial import beside
from rapport.files.textstream import BLOCK

# So many records at least lie between two places.
APART = 1000
# Encodings in which a line ends with the byte 0A, and nothing else has that byte.
_SEVERAL_BYTES = frozenset({"cp932", "euc-jp", "gb18030", "big5", "cp949"})
_WIDE = ("utf-16", "utf-32")


class Place(NamedTuple):
    """The record `number` begins at the byte `offset`."""

    number: int
    offset: int


START = Place(1, 0)


@dataclass(frozen=True, slots=True)
class Places:
    """Records and where they begin, in order. `clean`: every byte of the file decodes."""

    clean: bool
    numbers: Sequence[int]
    offsets: Sequence[int]

    def before(self, number: int) -> Place:
        """The last place that is not behind the record `number`."""
        at = bisect_right(self.numbers, number) - 1
        return Place(self.numbers[at], self.offsets[at]) if at >= 0 else START

    @classmethod
    def load(cls, path: Path) -> Self | None:
        """What is kept there; None when there is nothing."""
        try:
            kept = json.loads(path.read_text("ascii"))
        except FileNotFoundError:
            return None
        return cls(kept["clean"], kept["numbers"], kept["offsets"])

    def save(self, path: Path) -> None:
        """Keep them, whole or not at all; two readers may do so at once."""
        partial = beside(path)
        kept = {"clean": self.clean, "numbers": list(self.numbers), "offsets": list(self.offsets)}
        partial.write_text(json.dumps(kept), "ascii")
        partial.replace(path)


def can_be_noted(encoding: str, dialect: Dialect, *, clean: bool) -> bool:
    """Whether the lines of such a file can be told apart by their bytes, and its records counted by
    its lines."""
    if dialect.sep_line or encoding.startswith(_WIDE):
        return False
    return clean or encoding not in _SEVERAL_BYTES


class Marks:
    """Notes how many lines lie before some records while a file is read from its beginning."""

    def __init__(self) -> None:
        self._found: list[tuple[int, int]] = []
        self._last = 0

    def add(self, number: int, lines: int) -> None:
        """`lines` lines lie before the record `number`."""
        if number - self._last >= APART:
            self._found.append((lines, number))
            self._last = number

    def places(self, path: Path, *, clean: bool) -> Places | None:
        """The same by bytes; None when there are none, or some lines end otherwise."""
        found = list(_offsets(path, self._found))
        if not found or found[-1] is None:
            return None
        placed = [place for place in found if place is not None]
        return Places(clean, [p.number for p in placed], [p.offset for p in placed])


def _offsets(path: Path, marks: Iterable[tuple[int, int]]) -> Iterator[Place | None]:
    """Places of `marks` as far as the file has so many lines; ends with None if that cannot be
    said."""
    waiting = iter(marks)
    wanted = next(waiting, None)
    lines = start = 0
    last = b""
    with path.open("rb") as stream:
        while block := stream.read(BLOCK):
            alone = block.count(b"\r") - block.count(b"\r\n") - (block[-1:] == b"\r")
            if alone or (last == b"\r" and block[:1] != b"\n"):
                yield None
                return
            number, at = block.count(b"\n"), -1
            while wanted is not None and wanted[0] <= lines + number:
                for _line in range(wanted[0] - lines):
                    at = block.index(b"\n", at + 1)
                number -= wanted[0] - lines
                lines = wanted[0]
                yield Place(wanted[1], start + at + 1)
                wanted = next(waiting, None)
            lines += number
            start += len(block)
            last = block[-1:]
