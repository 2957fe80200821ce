"""The records of old .xls workbooks, where the library does not tell enough of them.

They stand in a stream of a container that is laid out like a disk (MS-CFB, MS-XLS).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

_FREE = 0xFFFFFFFA  # and above: no sector
_NAMES = ("workbook", "book")
_BOF, _EOF, _LOCKED, _SHEET = 0x0809, 0x000A, 0x002F, 0x0085
_MOST = 256 * 1024**2
# Where it says that it is locked it says so at once.
_SOON = 20


def is_locked(file: bytes) -> bool:
    """Whether the workbook can only be read with a password."""
    return any(kind == _LOCKED for kind, _body in islice(records(_stream(file), 0), _SOON))


def book(path: Path) -> bytes:
    """All records of a workbook: first those about it as a whole, then those of its sheets."""
    return _stream(path.read_bytes()) if path.stat().st_size <= _MOST else b""


def sheet_at(data: bytes, number: int) -> int:
    """Where the records of a sheet begin; behind the last one when there is none."""
    sheets = [body for kind, body in records(data, 0) if kind == _SHEET]
    if number >= len(sheets) or len(sheets[number]) < 4:
        return len(data)
    at: int = struct.unpack_from("<I", sheets[number])[0]
    return at


def records(data: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    """Kind and body of the records of one part; charts inside of it are passed over."""
    depth = 0
    while at + 4 <= len(data):
        kind, length = struct.unpack_from("<HH", data, at)
        depth += (kind == _BOF) - (kind == _EOF)
        if depth <= 1:
            yield kind, data[at + 4 : at + 4 + length]
        if depth <= 0:
            return
        at += 4 + length


def _stream(file: bytes) -> bytes:
    """The stream of the workbook; b"" when the container is not as it should be."""
    try:
        return _found(file)
    except (struct.error, IndexError):
        return b""


def _found(data: bytes) -> bytes:
    shift, small_shift = struct.unpack_from("<HH", data, 30)
    if not 7 <= shift <= 16 or small_shift > shift:
        return b""
    tables = list(struct.unpack_from("<109I", data, 76))
    after, size = struct.unpack_from("<I", data, 68)[0], 1 << shift
    while after < _FREE and len(tables) <= len(data) >> shift:
        *more, after = struct.unpack_from(f"<{size // 4}I", data, (after + 1) << shift)
        tables += more
    fat = [
        entry
        for table in tables
        if table < len(data) >> shift
        for entry in struct.unpack_from(f"<{size // 4}I", data, (table + 1) << shift)
    ]
    entries = _chain(data, struct.unpack_from("<I", data, 48)[0], fat, size, size)
    root = first = length = 0
    for at in range(0, len(entries) - 127, 128):
        letters = struct.unpack_from("<H", entries, at + 64)[0]
        name = entries[at : at + max(min(letters, 64) - 2, 0)].decode("utf-16-le", "replace")
        if not at:
            root = struct.unpack_from("<I", entries, 116)[0]
        elif name.lower() in _NAMES:
            first, length = struct.unpack_from("<II", entries, at + 116)
            break
    if length >= struct.unpack_from("<I", data, 56)[0]:
        return _chain(data, first, fat, size, size)[:length]
    # What is small stands in a stream of its own with smaller sectors.
    small = _chain(data, struct.unpack_from("<I", data, 60)[0], fat, size, size)
    places = list(struct.unpack_from(f"<{len(small) // 4}I", small))
    return _chain(_chain(data, root, fat, size, size), first, places, 1 << small_shift)[:length]


def _chain(data: bytes, at: int, following: list[int], size: int, skip: int = 0) -> bytes:
    """The sectors from the one at `at` on; `skip`: what stands before the first of all."""
    parts: list[bytes] = []
    # A chain that leads in a circle ends all the same.
    while at < len(following) and len(parts) <= len(following):
        parts.append(data[skip + at * size : skip + (at + 1) * size])
        at = following[at]
    return b"".join(parts)
