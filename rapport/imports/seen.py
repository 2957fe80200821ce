"""Which keys a file has had already, in little memory: 10 bytes a key, not 150 as in a dict; and
what earlier rows hold, in a file of its own."""

from __future__ import annotations

import os
import tempfile
from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import IO

from rapport.duplicates.room import Room

from .chains import Chains
from .compact import Held, Layout, held_of

IN_MEMORY = 1 << 20
# Bytes of a glance that is kept.
LONGEST = 0xFFFF
# Rows begin at multiples of so many bytes, so that numbers of half the size tell where.
UNIT = 16
# Neither texts in UTF-8 nor pickled ones end like that.
_FILLING = b"\xff"


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
        hashes, mask, rows = self._hashes, self._mask, self._rows
        place = hash_ & mask
        while rows[place]:
            if hashes[place] == hash_:
                return rows[place]
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


class Firsts(Seen):
    """The same for the rows of several files, one after the other: `base` is added to the numbers
    of the file that is in turn. A row of an earlier one is told as its number below zero."""

    base = 0

    def get(self, hash_: int) -> int:
        return told(super().get(hash_), self.base)

    def add(self, hash_: int, row: int) -> None:
        super().add(hash_, row + self.base)

    def pairs(self) -> tuple[array[int], array[int]]:
        """Hashes and rows, in pairs."""
        places = [place for place, row in enumerate(self._rows) if row]
        hashes = array("q", map(self._hashes.__getitem__, places))
        return hashes, array("i", map(self._rows.__getitem__, places))


def told(number: int, base: int) -> int:
    """A number of several files as the file sees it that begins behind `base`."""
    return -number if 0 < number <= base else number - base if number else 0


class Earlier:
    """Rows that will be created, to compare later ones with: their keys, and what they hold as
    bytes. `expected`: about how many keys there will be; `layout`: of the rows that are compact.

    `changed`: the rows by the records that they change; `matched`: by what finds a record.
    """

    def __init__(self, expected: int = 0, layout: Layout | None = None) -> None:
        self._layout = layout
        self.changed, self.matched = Firsts(), Firsts()
        self._base = 0
        self._chains = Chains(expected)
        self._kept = _Kept()
        # Where each row begins, and how many bytes of it are its glance.
        self._numbers, self._starts, self._glances = array("I"), array("I", (0,)), array("H")
        # What the glances tell; None when they do not tell all the same.
        self._told: object = ()
        # The keys of the row that was asked about last, and is not remembered yet.
        self._asking: Iterable[int] | None = None

    def is_known(self, keys: Iterable[int]) -> bool:
        """Whether an earlier row seems to have one of `keys`."""
        self._withdraw()
        return self._chains.is_known(keys)

    def like(self, keys: Iterable[int], glance: str, room: Room) -> list[tuple[int, Held]]:
        """Rows that share one of `keys` and may be the same by a glance, the first come first, and
        what they hold."""
        self._withdraw()
        places = self._chains.push(keys)
        self._asking = keys
        if not places:
            return []
        if glance and self.tells(room):
            places = self.may_be(glance, places, room)
        numbers = self._numbers
        places.sort(key=numbers.__getitem__)
        return [
            (told(numbers[place], self._base), held)
            for place, (held, _glance) in zip(places, self.held(places, room), strict=True)
        ]

    def tells(self, room: Room) -> bool:
        """Whether glances tell what the rules of `room` ask."""
        return self._told == room.shape.told

    def may_be(self, glance: str, places: Sequence[int], room: Room) -> list[int]:
        """Those of the rows at `places` that may be the same as one with this glance."""
        asked, found = room.asking(glance), self._kept.read_all(map(self.part, places))
        return [
            place
            for place, text in zip(places, found, strict=True)
            if not text or asked(_text(text))
        ]

    def held(self, places: Iterable[int], room: Room) -> Iterator[tuple[Held, str]]:
        """What the rows at `places` hold, and their glances if these tell what `room` asks."""
        tells = self.tells(room)
        for place in places:
            start, size = self.part(place)
            (both,) = self._kept.read_all([(start, self._starts[place + 1] * UNIT - start)])
            yield (
                held_of(both[size:].rstrip(_FILLING), self._layout),
                _text(both[:size]) if tells else "",
            )

    def part(self, place: int) -> tuple[int, int]:
        """Where the glance of a row begins among the bytes that are kept, and its size."""
        return self._starts[place] * UNIT, self._glances[place]

    def trust(self, told: object) -> None:
        """The glances that come now tell this."""
        if not self._numbers:
            self._told = told
        elif told != self._told:
            # The rules have changed meanwhile.
            self._told = None

    def begin(self, base: int) -> None:
        """What comes now is of a file whose rows follow on `base` others."""
        self._base = self.changed.base = self.matched.base = base

    def add(self, row: int, keys: Iterable[int], held: bytes, glance: str) -> None:
        """Remember a row."""
        if self._asking is not keys:
            self._withdraw()
            self._chains.push(keys)
        self._asking = None
        self._keep(row, held, glance)

    def enter(self, row: int, keys: Iterable[int], held: bytes, glance: str) -> list[int]:
        """Remember a row at the next place; the places of earlier ones that share one of `keys`.
        What these are is asked later, of many rows at once; then it may `leave` again."""
        self._withdraw()
        places = self._chains.push(keys)
        self._keep(row, held, glance)
        return places

    def leave(self, place: int) -> None:
        """Forget a row that was entered."""
        self._chains.drop(place)

    @property
    def next(self) -> int:
        """The place of the row that is remembered next."""
        return len(self._numbers)

    def _keep(self, row: int, held: bytes, glance: str) -> None:
        self._numbers.append(row + self._base)
        seen = glance.encode(errors="surrogatepass")
        if len(seen) > LONGEST:
            seen = b""
        self._glances.append(len(seen))
        self._starts.append(self._kept.add(seen + held) // UNIT)

    def arrays(self) -> tuple[array[int], ...]:
        """By which keys the rows are known: halves of keys, the first of each row, the rows; and by
        what finds a record."""
        self._withdraw()
        return *self._chains.arrays(), self._numbers, *self.matched.pairs()

    def in_parts(self) -> tuple[tuple[int, ...], Iterator[bytes | array[int]]]:
        """The same to be kept: how many there are of each, and all of them one after the other."""
        self._withdraw()
        more = (self._chains.firsts, self._numbers, *self.matched.pairs())
        return (len(self._chains), *map(len, more)), chain(self._chains.halves(), more)

    def _withdraw(self) -> None:
        """Whoever was asked about and not remembered is not there."""
        if self._asking is not None:
            self._chains.pop()
            self._asking = None

    @property
    def descriptor(self) -> int:
        """The file of the glances; what was added since the last `flush` is not in it."""
        return self._kept.descriptor

    def flush(self) -> None:
        """Put all into the file that was remembered."""
        self._kept.flush()

    def close(self) -> None:
        """Let go of what is kept."""
        self._kept.close()

    # A worker that fails in the middle of a batch just drops what it had.
    __del__ = close


class _Kept:
    """Bytes that are only added to: the last ones in memory, the others in a file."""

    def __init__(self) -> None:
        self._recent, self._begin = bytearray(), 0
        self._file: IO[bytes] | None = None

    def add(self, more: bytes) -> int:
        """Add bytes, filled up to whole units; where the next ones will begin."""
        self._recent += more
        self._recent += _FILLING * (-len(more) % UNIT)
        end = self._begin + len(self._recent)
        if len(self._recent) > IN_MEMORY:
            self.flush()
        return end

    def flush(self) -> None:
        """Put all into the file."""
        self._opened().write(self._recent)
        self._begin += len(self._recent)
        self._recent.clear()

    @property
    def descriptor(self) -> int:
        return self._opened().fileno()

    def _opened(self) -> IO[bytes]:
        if self._file is None:
            self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 -- see close
        return self._file

    def read_all(self, parts: Iterable[tuple[int, int]]) -> list[bytes]:
        """What stands at these places, by start and size."""
        begin, recent, pread = self._begin, self._recent, os.pread
        descriptor = self._file.fileno() if self._file is not None else -1
        return [
            pread(descriptor, size, start)
            if start < begin
            else bytes(recent[start - begin : start - begin + size])
            for start, size in parts
        ]

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


def _text(glance: bytes) -> str:
    return glance.decode(errors="surrogatepass")
