"""Which rows of a file have a key, for millions of keys in little memory."""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator

from rapport.duplicates.keys import HELD_BY

# A key that more rows have finds nothing, as among stored records.
MOST = HELD_BY + 1
# Slots of chains.
SMALLEST, LARGEST = 1 << 12, 1 << 22
# The half of a key that is kept.
LOW = 0xFFFF_FFFF
# Of entries that are marked: a power of two.
_MARKED = 6
_AT_ONCE = 100_000


class Chains:
    """Which rows have a key, for millions of keys: a slot holds its last entry, an entry its key
    and the entry before it in the same slot. Half of a key is kept: of a million rows one in a
    hundred seems to share one, and is then compared. `expected`: about how many keys there are."""

    def __init__(self, expected: int = 0) -> None:
        # Half of a key, and above it the entry before; in one number, because each lies somewhere
        # else in memory. Entries begin at 1: 0 is the end of a chain.
        self._entries = array("Q", (0,))
        # The first entry of each row, by its place; and for each so many entries the first row that
        # begins there.
        self._firsts, self._marks = array("I"), array("I")
        self._spread(min(max(SMALLEST, 1 << expected.bit_length()), LARGEST))

    def _spread(self, size: int) -> None:
        """Chain the entries anew in so many slots."""
        self._mask = mask = size - 1
        self._slots = slots = array("I", bytes(4 * size))
        entries = self._entries
        for entry in range(1, len(entries)):
            found = entries[entry]
            if found >> 32 == entry:
                continue
            key = found & LOW
            entries[entry] = slots[key & mask] << 32 | key
            slots[key & mask] = entry

    def is_known(self, keys: Iterable[int]) -> bool:
        """Whether an earlier row seems to have one of `keys`."""
        slots, entries, mask = self._slots, self._entries, self._mask
        for key in keys:
            entry, key = slots[key & mask], key & LOW
            while entry:
                found = entries[entry]
                if found & LOW == key:
                    return True
                entry = found >> 32
        return False

    def arrays(self) -> tuple[array[int], array[int]]:
        """The halves of keys, and the first of each row, which begin at 1."""
        halves = array("I")
        for part in self.halves():
            halves.frombytes(part)
        return halves, self.firsts

    @property
    def firsts(self) -> array[int]:
        """The first key of each row."""
        return self._firsts

    def __len__(self) -> int:
        return len(self._entries)

    def halves(self) -> Iterator[bytes]:
        """The halves of keys as bytes, in parts: there may be seven million."""
        with memoryview(self._entries).cast("B").cast("I") as both:
            halves = both[sys.byteorder == "big" :: 2]
            for start in range(0, len(halves), _AT_ONCE):
                yield halves[start : start + _AT_ONCE].tobytes()

    def push(self, keys: Iterable[int]) -> list[int]:
        """Keep the next row under `keys`; places of the earlier ones that have one of them that
        not very many have. Asked and kept in one walk, which is half of a plan's comparing."""
        slots, entries, mask = self._slots, self._entries, self._mask
        if len(entries) > 2 * len(slots) and len(slots) < LARGEST:
            self._spread(4 * len(slots))
            slots, mask = self._slots, self._mask
        hits: list[int] = []
        first = size = len(entries)
        for key in keys:
            low = key & LOW
            place = low & mask
            head = entry = slots[place]
            if entry:
                begin, most = len(hits), len(hits) + MOST
                while entry:
                    found = entries[entry]
                    if found & LOW == low:
                        hits.append(entry)
                        if len(hits) == most:
                            break
                    entry = found >> 32
                if entry:
                    del hits[begin:]
                    continue
            slots[place] = size
            entries.append(head << 32 | low)
            size += 1
        rows = self._rows(entry for entry in hits if entry < first) if hits else []
        self._firsts.append(first)
        while len(self._marks) << _MARKED <= first:
            self._marks.append(len(self._firsts) - 1)
        return rows

    def _rows(self, entries: Iterable[int]) -> list[int]:
        """The places of the rows that have them."""
        marks, firsts = self._marks, self._firsts
        last, end, found = len(marks) - 1, len(firsts), set()
        for entry in entries:
            mark = entry >> _MARKED
            if mark < last:
                found.add(bisect_right(firsts, entry, marks[mark], marks[mark + 1]) - 1)
            else:
                found.add(bisect_right(firsts, entry, marks[last], end) - 1)
        return sorted(found)

    def pop(self) -> None:
        """Forget the last row."""
        slots, entries, mask = self._slots, self._entries, self._mask
        first = self._firsts.pop()
        while self._marks and self._marks[-1] == len(self._firsts):
            self._marks.pop()
        while len(entries) > first:
            last = entries.pop()
            if last >> 32 != len(entries):
                slots[last & mask] = last >> 32

    def drop(self, row: int) -> None:
        """Forget any row: it keeps its place, and has no key any more."""
        slots, entries, firsts = self._slots, self._entries, self._firsts
        end = firsts[row + 1] if row + 1 < len(firsts) else len(entries)
        for entry in range(firsts[row], end):
            found = entries[entry]
            place = found & LOW & self._mask
            later = slots[place]
            if later == entry:
                slots[place] = found >> 32
            else:
                while (after := entries[later]) >> 32 != entry:
                    later = after >> 32
                entries[later] = (found & ~LOW) | (after & LOW)
            # None comes before itself, so this one is in no chain.
            entries[entry] = entry << 32
