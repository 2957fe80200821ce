"""Cells of old .xls workbooks of which the library says nothing, or something wrong.

Errors; results of formulas in the records of earlier versions, which Numbers writes; and numbers in
formats under a number that is usually another one's, as Gnumeric and Numbers write them, or that
show codes like 00042.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from rapport.files import biff
from rapport.files.canonical import marked
from rapport.files.celltext import clock, digit_mask, duration, masked, moment, number

_FORMAT, _STYLE, _FROM_1904 = 0x041E, 0x00E0, 0x0022
_VALUE, _NUMBER, _SHORT, _SHORTS, _TEXT = 0x0205, 0x0203, 0x027E, 0x00BD, 0x0207
_EARLIER = frozenset({0x0206, 0x0406})
_FORMULAS = _EARLIER | {0x0006}
_IS_TRUTH, _IS_ERROR = 1, 2
_ERRORS = {
    0x00: "#NULL!", 0x07: "#DIV/0!", 0x0F: "#VALUE!", 0x17: "#REF!", 0x1D: "#NAME?",
    0x24: "#NUM!", 0x2A: "#N/A",
}  # fmt: skip
_EPOCH, _END = datetime(1899, 12, 30), 2_957_003  # noqa: DTZ001 -- cells have no zone
# Formats of their own stand behind these; the library takes these for dates of East Asia.
_TAKEN = range(27, 82)
_NO_LETTERS = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]|general', re.IGNORECASE)

Place = tuple[int, int]


class Told(NamedTuple):
    """What stands in such cells of one sheet, by row and column from 0; whether codes are there."""

    texts: dict[Place, str]
    masked: bool = False


def told(path: Path, sheet: int) -> Told:
    data = biff.book(path)
    try:
        styles = _styles(data)
        texts = dict(_found(data, sheet, styles))
    except (struct.error, IndexError):
        # Less than there is: the library reads the file, too.
        return Told({})
    return Told(texts, styles.masked)


def _found(data: bytes, sheet: int, styles: _Styles) -> Iterator[tuple[Place, str]]:
    before: Place | None = None
    for kind, body in biff.records(data, biff.sheet_at(data, sheet)):
        if kind == _TEXT and before:
            yield before, _text(body, 2)
        elif kind == _VALUE and len(body) >= 8 and body[7]:
            yield struct.unpack_from("<HH", body), error(body[6])
        elif kind in _FORMULAS and len(body) >= 14:
            place = struct.unpack_from("<HH", body)
            if result := _result(kind, body, styles):
                yield place, result
            before = place if kind in _EARLIER else None
        elif styles.own or styles.masks:
            for place, style, value in _numbers(kind, body):
                if style in styles.own or style in styles.masks:
                    yield place, styles.written(style, value)


def _result(kind: int, body: bytes, styles: _Styles) -> str:
    """The result of a formula; nothing where the library tells it, or where it is a text, which
    stands in the next record."""
    style, value = struct.unpack_from("<Hd", body, 4)
    if body[12:14] != b"\xff\xff":
        is_wrong = kind in _EARLIER or style in styles.own or style in styles.masks
        return styles.written(style, value) if is_wrong else ""
    if body[6] == _IS_ERROR:
        return error(body[8])
    return str(bool(body[8])).lower() if kind in _EARLIER and body[6] == _IS_TRUTH else ""


@dataclass(slots=True)
class _Styles:
    """`own`: by style, the format under a number that the library takes for another's; `masks`:
    formats of codes. `masked`: whether there was a number in one of these."""

    own: dict[int, str]
    masks: dict[int, str]
    from_1904: bool
    masked: bool = False

    def written(self, style: int, value: float) -> str:
        """A number as its format means it."""
        if style in self.masks:
            self.masked = True
            return masked(value, self.masks[style])
        letters = _NO_LETTERS.sub("", self.own.get(style, "").partition(";")[0]).lower()
        if not re.search(r"[ymdhs]", letters) or not 0 <= value < _END:
            return number(value)
        if "[" in letters:
            return duration(timedelta(days=value))
        # The year 1900 has a 29th of February there.
        days = value + (1462 if self.from_1904 else value < 60)
        when = _EPOCH + timedelta(milliseconds=round(days * 86_400_000))
        return clock(when.time()) if value < 1 and not self.from_1904 else moment(when)


def _styles(data: bytes) -> _Styles:
    formats: dict[int, str] = {}
    masks: dict[int, str] = {}
    styles: list[int] = []
    from_1904 = False
    # The version stands at the beginning.
    length = 2 if data[4:6] == b"\0\6" else 1
    for kind, body in biff.records(data, 0):
        if kind == _FORMAT:
            one, text = struct.unpack_from("<H", body)[0], _text(body[2:], length)
            if mask := digit_mask(text):
                masks[one] = mask
            elif one in _TAKEN:
                formats[one] = text
        elif kind == _STYLE:
            styles.append(struct.unpack_from("<H", body, 2)[0])
        elif kind == _FROM_1904:
            from_1904 = body[:1] == b"\1"
    own, codes = (
        {n: by_number[one] for n, one in enumerate(styles) if one in by_number}
        for by_number in (formats, masks)
    )
    return _Styles(own, codes, from_1904)


def _text(body: bytes, length: int) -> str:
    """A text behind its length, of 1 byte before Excel 97, and then of 2 and one for how it is
    written."""
    if length == 1:
        return body[1 : 1 + body[0]].decode("cp1252", "replace")
    count, wide = struct.unpack_from("<HB", body)
    if wide & 1:
        return body[3 : 3 + 2 * count].decode("utf-16-le", "replace")
    return body[3 : 3 + count].decode("latin-1")


def _numbers(kind: int, body: bytes) -> Iterator[tuple[Place, int, float]]:
    """Place, style and value of the numbers of a record."""
    if kind == _NUMBER:
        row, column, style, value = struct.unpack_from("<HHHd", body)
        yield (row, column), style, value
    elif kind == _SHORT:
        row, column, style, short = struct.unpack_from("<HHHI", body)
        yield (row, column), style, _long(short)
    elif kind == _SHORTS:
        row, first = struct.unpack_from("<HH", body)
        for at, (style, short) in enumerate(struct.iter_unpack("<HI", body[4:-2]), first):
            yield (row, at), style, _long(short)


def _long(short: int) -> float:
    """A number of which 30 bits are kept: of a whole one, or of the beginning of another."""
    if short & 2:
        value = float(struct.unpack("<i", struct.pack("<I", short))[0] >> 2)
    else:
        value = struct.unpack("<d", struct.pack("<II", 0, short & ~3))[0]
    return value / 100 if short & 1 else value


def error(code: int) -> str:
    return marked("error", _ERRORS.get(code, "#ERROR!"))
