"""Typed cells of a workbook as the one text that stands for each of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

# A place for a digit, a literal, or a locale that changes nothing. Letters never: "kg" is no code.
_LITERAL = r'\\[^A-Za-z]|"[^"A-Za-z]*"|_.|[-+ ()/]|\[\$[^\]]*\]'
_MASK = re.compile(rf"(?:[0#]|{_LITERAL})+")
_MASK_TOKEN = re.compile(rf"[0#]|{_LITERAL}")
_PLACES = {"0": "0", "#": ""}  # what stands there without a digit
_MOST_DIGITS = 2**53


def text_of(value: object) -> str:
    write = _WRITERS.get(type(value))
    return write(value) if write else str(value)


def number(value: float) -> str:
    """As a person would type it: no exponent, no trailing .0, the 15 digits that Excel knows."""
    if value.is_integer() and abs(value) <= _MOST_DIGITS:
        return str(int(value))
    short = f"{value:.15g}"
    if "e" not in short:
        return short
    exponent = int(short.partition("e")[2])
    # Numbers nobody types stay in the notation that spreadsheets use for them.
    return format(Decimal(short), "f") if -12 <= exponent <= 21 else short.upper()


def moment(value: datetime) -> str:
    """ISO with a blank; midnight is a date, as date cells are stored with a time of zero."""
    value = _without_dust(value)
    if (value.hour, value.minute, value.second, value.microsecond) == (0, 0, 0, 0):
        return value.date().isoformat()
    return value.isoformat(" ", "milliseconds" if value.microsecond else "seconds")


def clock(value: time) -> str:
    return value.isoformat("milliseconds" if value.microsecond else "seconds")


def duration(value: timedelta) -> str:
    seconds = round(value.total_seconds())
    sign = "-" if seconds < 0 else ""
    minutes, second = divmod(abs(seconds), 60)
    return f"{sign}{minutes // 60}:{minutes % 60:02d}:{second:02d}"


def _without_dust(value: datetime) -> datetime:
    """Days are stored as binary fractions: 12:17:17.999 was 12:17:18."""
    if 0 < value.microsecond < 1000 or value.microsecond > 998_999:
        try:
            rounded = value + timedelta(microseconds=500_000)
        except OverflowError:
            return value
        return rounded.replace(microsecond=0)
    return value


def digit_mask(number_format: str) -> str | None:
    """The format, if it only arranges the digits of a code: 00000, 000-00-0000, 0# ## ## ## ##."""
    shown = number_format.partition(";")[0]
    if not _MASK.fullmatch(shown):
        return None
    places = re.sub(r"[^0#]", "", re.sub(_LITERAL, "", shown))
    # Hashes and one zero at the end (#, ##0) show a number as it is.
    return shown if "0" in places[:-1] else None


def masked(value: float, mask: str) -> str:
    """A whole number as its mask shows it; anything else as it is."""
    if value < 0 or not float(value).is_integer() or value >= 1e15:
        return number(float(value))
    digits = str(int(value))
    tokens = _MASK_TOKEN.findall(mask)
    places = sum(token in _PLACES for token in tokens)
    shown: list[str] = []
    left = max(len(digits) - places, 0)
    queue = list(digits[left:].rjust(places, "\0"))
    if left:
        shown.append(digits[:left])
    for token in tokens:
        if token in _PLACES:
            digit = queue.pop(0)
            shown.append(_PLACES[token] if digit == "\0" else digit)
        elif token[0] == "\\":
            shown.append(token[1:])
        elif token[0] == '"':
            shown.append(token[1:-1])
        elif token[0] not in "[_":
            shown.append(token)
    return "".join(shown).strip()


_WRITERS: dict[type, Callable[[Any], str]] = {
    str: str,
    float: number,
    int: str,
    bool: lambda value: "true" if value else "false",
    datetime: moment,
    date: date.isoformat,
    time: clock,
    timedelta: duration,
    Decimal: lambda value: format(value, "f"),
    type(None): lambda _: "",
}
