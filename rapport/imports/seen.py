"""Which keys a file has had already, in little memory: 24 bytes a key, not 150 as in a dict."""

from __future__ import annotations

from array import array


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
        """The row that was kept for `hash_`, 0 when none."""
        hashes, mask = self._hashes, self._mask
        place = hash_ & mask
        while self._rows[place]:
            if hashes[place] == hash_:
                return self._rows[place]
            place = (place + 1) & mask
        return 0

    def add(self, hash_: int, row: int) -> None:
        """Keep `row` (above 0) for `hash_` unless it has one."""
        hashes, mask, rows = self._hashes, self._mask, self._rows
        place = hash_ & mask
        while rows[place]:
            if hashes[place] == hash_:
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
                self.add(hash_, row)
