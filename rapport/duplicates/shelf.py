"""Values on disk by id, for as long as a search takes: a record is met in many places of it, a
million do not fit into memory, and to read them from here takes a tenth of the time."""

from __future__ import annotations

import marshal
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Sequence
from heapq import merge
from itertools import islice
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

# The index is one sorted list of numbers: 40 bits of the id, 24 of the place.
_PRIME = (1 << 40) - 87
_PLACES = 24
LARGEST = (1 << _PLACES) - 1
# The index, and where values end, of all files.
INDEX, ENDS = "all.index", "all.ends"
TOGETHER = 10_000


def write(path: Path, values: Iterable[tuple[str, Any]]) -> None:
    """Put (id, value) into the file `path`, with its index beside it. Values are made of tuples,
    texts and numbers."""
    keys, ends = [], array("Q")
    with path.open("wb") as file:
        for id_, value in values:
            file.write(marshal.dumps((id_, value)))
            keys.append((_key(id_) << _PLACES) | len(ends))
            ends.append(file.tell())
    path.with_suffix(".keys").write_bytes(array("Q", sorted(keys)).tobytes())
    path.with_suffix(".ends").write_bytes(ends.tobytes())


def bind(folder: Path) -> None:
    """Make one index of all that was written into `folder`."""
    begin = places = 0
    parts = []
    with (folder / ENDS).open("wb") as file:
        for path in _files(folder):
            keys = _numbers(path.with_suffix(".keys"))
            # Merged rather than sorted: a list of a million numbers takes forty megabytes.
            parts.append(array("Q", (key + places for key in keys)))
            ends = _numbers(path.with_suffix(".ends"))
            file.write(array("Q", (end + begin for end in ends)).tobytes())
            begin, places = begin + path.stat().st_size, places + len(ends)
    merged = merge(*parts)
    with (folder / INDEX).open("wb") as file:
        while some := array("Q", islice(merged, TOGETHER)):
            file.write(some.tobytes())


class Shelf:
    """All that was written into a folder and bound. Processes that look into it share its index."""

    def __init__(self, folder: Path) -> None:
        self._files = []
        # Where each file begins and each value ends, as if all files were one.
        self._begins: list[int] = []
        begin = 0
        for path in _files(folder):
            self._files.append(path.open("rb", buffering=0))
            self._begins.append(begin)
            begin += path.stat().st_size
        self._index, self._ends = _mapped(folder / INDEX), _mapped(folder / ENDS)

    def get(self, ids: Collection[str]) -> dict[str, Any]:
        """The values of those of `ids` that are here."""
        index, count = self._index, len(self._index)
        found = {}
        for id_ in ids:
            key = _key(id_)
            at = bisect_left(index, key << _PLACES)
            # Two ids may have the same key, very rarely.
            while at < count and index[at] >> _PLACES == key:
                whose, value = self._value(index[at] & LARGEST)
                if whose == id_:
                    found[id_] = value
                    break
                at += 1
        return found

    def _value(self, place: int) -> Any:
        start, end = self._ends[place - 1] if place else 0, self._ends[place]
        number = bisect_right(self._begins, start) - 1
        file = self._files[number]
        file.seek(start - self._begins[number])
        # It was written by this very program, a moment ago.
        return marshal.loads(file.read(end - start))  # noqa: S302

    def close(self) -> None:
        """Let go of the files."""
        for file in self._files:
            file.close()


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.values"))


def _mapped(path: Path) -> Sequence[int]:
    """The numbers in a file, in the memory of the system."""
    if not path.stat().st_size:
        return ()
    with path.open("rb") as file:
        return memoryview(mmap(file.fileno(), 0, access=ACCESS_READ)).cast("Q")


def _numbers(path: Path) -> array[int]:
    found = array("Q")
    found.frombytes(path.read_bytes())
    return found


def _key(id_: str) -> int:
    return int(id_.replace("-", ""), 16) % _PRIME
