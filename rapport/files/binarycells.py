"""Errors in cells of binary workbooks (.xlsb), which the library reads as blank (MS-XLSB)."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path

from rapport.files import archive, package
from rapport.files.oldcells import Place, error

_ROW, _VALUE, _RESULT, _SHEET = 0, 3, 11, 156
_MOST = 256 * 1024**2


def told(path: Path, sheet: str) -> dict[Place, str]:
    """The errors in the cells of one sheet, by row and column from 0."""
    with archive.opened(path) as opened:
        member = _members(opened).get(sheet)
        if member is None or opened.getinfo(member).file_size > _MOST:
            return {}
        data = archive.read_member(opened, member, _MOST)
    try:
        return dict(_found(data))
    except (struct.error, IndexError):
        # Less than there is: the library reads the file, too.
        return {}


def _found(data: bytes) -> Iterator[tuple[Place, str]]:
    row = 0
    for kind, body in _records(data):
        if kind == _ROW:
            row = struct.unpack_from("<I", body)[0]
        elif kind in {_VALUE, _RESULT}:
            yield (row, struct.unpack_from("<I", body)[0]), error(body[8])


def _members(opened: zipfile.ZipFile) -> dict[str, str]:
    """The member of the archive that holds a sheet, by the name of the sheet."""
    names = package.named(opened)
    if package.MAIN not in names:
        return {}
    targets = package.targets_of(opened, names)
    found = {}
    for kind, body in _records(archive.read_member(opened, names[package.MAIN])):
        if kind == _SHEET:
            relation, end = _text(body, 8)
            name, _end = _text(body, end)
            found[name] = names.get(targets.get(relation, ""), "")
    return {name: member for name, member in found.items() if member}


def _text(body: bytes, at: int) -> tuple[str, int]:
    """A text behind its length, and where it ends."""
    end = at + 4 + 2 * struct.unpack_from("<I", body, at)[0]
    return body[at + 4 : end].decode("utf-16-le", "replace"), end


def _records(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Kind and body. Both numbers before it have seven bits in a byte, the eighth: more follow."""
    at = 0
    while at < len(data):
        kind, at = _number(data, at, 2)
        length, at = _number(data, at, 4)
        yield kind, data[at : at + length]
        at += length


def _number(data: bytes, at: int, most: int) -> tuple[int, int]:
    value = 0
    for place in range(most):
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            break
    return value, at
