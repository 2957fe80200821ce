"""Bytes to lines without losing one: what does not decode stays visible and is reported."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TextIO

from rapport.files.limits import LIMITS
from rapport.files.refusal import FileRefused, gettext_noop

BLOCK = 1 << 20
BYTE_MARKS = re.compile("[\udc00-\udcff]")
_KEEP = "rapport-keep-bytes"


def _keep_bytes(error: UnicodeError) -> tuple[str, int]:
    """Carry each undecodable byte through as one lone surrogate, which no decoder ever produces."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    bad = error.object[error.start : error.end]
    return "".join(chr(0xDC00 + byte) for byte in bad), error.end


codecs.register_error(_KEEP, _keep_bytes)


def open_text(path: Path, encoding: str, offset: int = 0) -> TextIO:
    """A text stream that keeps its line ends; undecodable bytes come as U+DC00 + byte. `offset`: a
    byte at which a line begins."""
    if not offset:
        return path.open(encoding=encoding, errors=_KEEP, newline="")
    raw = path.open("rb")
    raw.seek(offset)
    return io.TextIOWrapper(raw, encoding=encoding, errors=_KEEP, newline="")


def lines(stream: TextIO) -> Iterator[str]:
    """The lines of a stream without byte order marks before the first."""
    first = next(stream, "").lstrip("\ufeff")
    return chain((first,), stream) if first else stream


def is_clean(path: Path, encoding: str) -> bool:
    """Whether the whole file decodes and holds no NUL; also refuses a file that has no lines.

    One quick pass here spares the reader a look at every cell.
    """
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    clean = True
    run = 0
    with path.open("rb") as raw:
        while block := raw.read(BLOCK):
            if clean:
                clean = _decodes(decoder, block)
            run = _bounded_run(run, block)
    return clean and _decodes(decoder, b"", final=True)


def _decodes(decoder: codecs.IncrementalDecoder, block: bytes, *, final: bool = False) -> bool:
    try:
        return "\0" not in decoder.decode(block, final)
    except UnicodeError:
        return False


def _bounded_run(run: int, block: bytes) -> int:
    """Bytes since the last line end. A line is held in memory whole, so it must have a bound."""
    last = max(block.rfind(b"\n"), block.rfind(b"\r"))
    first = min(
        (at for at in (block.find(b"\n"), block.find(b"\r")) if at >= 0), default=len(block)
    )
    if run + first > LIMITS.cell_characters * 8:
        raise FileRefused(
            "no-lines",
            gettext_noop("The file has no line ends, so it is no table."),
            gettext_noop("Save it as CSV or Excel workbook and try again."),
        )
    return len(block) - last - 1 if last >= 0 else run + len(block)


def show_bytes(text: str) -> tuple[str, list[int]]:
    """The text with undecodable bytes and NULs made visible, and the values of those bytes."""
    found = [ord(mark) - 0xDC00 for mark in BYTE_MARKS.findall(text)]
    found += [0] * text.count("\0")
    if not found:
        return text, found
    shown = BYTE_MARKS.sub(lambda mark: f"\\x{ord(mark[0]) - 0xDC00:02x}", text)
    return shown.replace("\0", "␀"), found


def read_head(path: Path, encoding: str, characters: int) -> tuple[str, bool]:
    """The first characters of a file, and whether that is all of it."""
    with open_text(path, encoding) as stream:
        head = stream.read(characters)
        return head.lstrip("\ufeff"), not stream.read(1)


def as_stream(text: str) -> io.StringIO:
    return io.StringIO(text, newline="")
