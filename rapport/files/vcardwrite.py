"""vCards, version 3.0, which phones and mail programs all take."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from rapport.files.vcard import OUR_NAME

_WIDTH = 75  # bytes of a line before it is folded
_LINE_END = re.compile(r"\r\n?")
_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", ",": "\\,", ";": "\\;"})


@dataclass(frozen=True, kw_only=True)
class Line:
    """One property. `values`: its parts, of which each may list several; `ours`: the column that
    it comes back as, where its name and types do not say that by themselves."""

    name: str
    values: tuple[tuple[str, ...], ...]
    types: tuple[str, ...] = ()
    ours: str = ""


def card(lines: Iterable[Line]) -> bytes:
    """One card; properties without a value are left out."""
    texts = ["BEGIN:VCARD", "VERSION:3.0"]
    texts += [_text(line) for line in lines if any(any(part) for part in line.values)]
    texts.append("END:VCARD")
    return b"".join(_folded(text) for text in texts)


def _text(line: Line) -> str:
    types = f";TYPE={','.join(line.types)}" if line.types else ""
    ours = f";{OUR_NAME}={line.ours}" if line.ours else ""
    value = ";".join(",".join(map(_escaped, part)) for part in line.values)
    return f"{line.name}{types}{ours}:{value}"


def _escaped(text: str) -> str:
    return _LINE_END.sub("\n", text).translate(_ESCAPES)


def _folded(text: str) -> bytes:
    """A line of at most 75 bytes; the rest on further ones that begin with a blank. No character
    is torn apart."""
    data = text.encode("utf-8", "backslashreplace")
    pieces = []
    width = _WIDTH
    while len(data) > width:
        end = width
        while data[end] & 0xC0 == 0x80:
            end -= 1
        pieces.append(data[:end])
        data = data[end:]
        width = _WIDTH - 1
    return b"\r\n ".join([*pieces, data]) + b"\r\n"
