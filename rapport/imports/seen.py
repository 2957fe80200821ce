"""Which keys a file has had already, in little memory: 24 bytes a key, not 150 as in a dict; and
what earlier rows looked like, in a file of its own."""

from __future__ import annotations

import marshal
import tempfile
from array import array
from bisect import bisect_left
from collections.abc import Iterable
from typing import Any

from rapport.duplicates.keys import HELD_BY

# A key that more rows have finds nothing, as among stored records.
MOST = HELD_BY + 1
IN_MEMORY = 1 << 20


class Seen:
    """A map from 64-bit hashes to row numbers: open addressing in two arrays."""

    def __init__(self) -> None:
        self._resize(1 << 12)
        self._count = 0

    def _resize(self, size: int) -> None:
        self._mask = size - 1
        self._hashes = array("q", bytes(8 * size))
        self._rows = array("i", bytes(4 * size))

    def __len__(self) -> int:
        return self._count

    def get(self, hash_: int) -> int:
        """The first row that was kept for `hash_`, 0 when none."""
        found = self.every(hash_, 1)
        return found[0] if found else 0

    def every(self, hash_: int, most: int = MOST) -> list[int]:
        """The rows that were kept for `hash_`, at most so many."""
        hashes, mask = self._hashes, self._mask
        place = hash_ & mask
        found: list[int] = []
        while self._rows[place] and len(found) < most:
            if hashes[place] == hash_:
                found.append(self._rows[place])
            place = (place + 1) & mask
        return found

    def add(self, hash_: int, row: int, most: int = 1) -> None:
        """Keep `row` (above 0) for `hash_` unless it has as many as `most`."""
        hashes, mask, rows = self._hashes, self._mask, self._rows
        place = hash_ & mask
        while rows[place]:
            if hashes[place] == hash_:
                most -= 1
                if most <= 0:
                    return
            place = (place + 1) & mask
        hashes[place], rows[place] = hash_, row
        self._count += 1
        if self._count * 3 > len(rows) * 2:
            self._grow()

    def _grow(self) -> None:
        hashes, rows = self._hashes, self._rows
        self._resize((self._mask + 1) * 2)
        self._count = 0
        # Straight from the old arrays: a list of pairs would take four times their memory.
        for hash_, row in zip(hashes, rows, strict=True):
            if row:
                self.add(hash_, row, MOST)


class Earlier:
    """Rows that will be created, to compare later ones with: their keys and what they are like.

    `changed`: the rows by the records that they change; `matched`: by what finds a record.
    """

    def __init__(self) -> None:
        self.changed, self.matched = Seen(), Seen()
        self._seen = Seen()
        # In memory while the import is small.
        self._file = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 -- see close
        self._numbers, self._starts = array("q"), array("q")
        self._end = 0

    def like(self, keys: Iterable[int]) -> list[tuple[int, tuple[Any, ...]]]:
        """Rows that share one of `keys`, the first come first, and what they look like."""
        held = [self._seen.every(key) for key in keys]
        numbers = {row for rows in held if len(rows) < MOST for row in rows}
        return [(number, self._read(number)) for number in sorted(numbers)]

    def add(self, row: int, keys: Iterable[int], prepared: tuple[Any, ...]) -> None:
        """Remember a row; the numbers go up."""
        for key in keys:
            self._seen.add(key, row, MOST)
        self._numbers.append(row)
        self._starts.append(self._end)
        self._file.seek(self._end)
        self._end += self._file.write(marshal.dumps(prepared))

    def _read(self, number: int) -> tuple[Any, ...]:
        self._file.seek(self._starts[bisect_left(self._numbers, number)])
        found = marshal.load(self._file)  # noqa: S302 -- written by ourselves just before
        assert isinstance(found, tuple)
        return found

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    # A worker that fails in the middle of a batch just drops what it had.
    __del__ = close
