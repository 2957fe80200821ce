"""How dates and numbers of a file are written, told by looking at them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from rapport.meta.kinds import Kind, Reading

from . import parts
from .mapping import Mapping

_DAY = re.compile(r"\s*(\d{1,2})([./\- ])(\d{1,2})\2(?:\d{4}|\d{2})(?!\d)")
_COMMA = re.compile(r"\d,\d{1,2}\D*$|\.\d{3},|\d,\d{4,}\D*$")
_POINT = re.compile(r"\d\.\d{1,2}\D*$|,\d{3}\.|\d\.\d{4,}\D*$")


def date_order(values: Iterable[str], *, language: str = "en") -> str:
    """'dmy' or 'mdy' of days written in numbers; what decides is a number above twelve."""
    slashes = False
    for value in values:
        if found := _DAY.match(value):
            first, sign, second = int(found[1]), found[2], int(found[3])
            if first > 12 >= second:
                return "dmy"
            if second > 12 >= first:
                return "mdy"
            slashes = slashes or sign == "/"
    # Points are never written month first; a slash among English speakers mostly is.
    return "mdy" if slashes and language.lower() in {"en", "en-us"} else "dmy"


def decimal_mark(values: Iterable[str]) -> str:
    """'.' or ','. The first value that can only be read one way decides."""
    for value in values:
        comma, point = _COMMA.search(value), _POINT.search(value)
        if comma and not point:
            return ","
        if point and not comma:
            return "."
    return "."


def reading(
    mapping: Mapping,
    sample: Sequence[Sequence[str]],
    *,
    time_zone: str,
    language: str = "en",
) -> Reading:
    """How the mapped columns are to be read."""
    days = _cells(mapping, sample, {Kind.DATE, Kind.DATETIME})
    amounts = _cells(mapping, sample, {Kind.MONEY, Kind.NUMBER})
    return Reading(
        date_order=date_order(days, language=language),
        decimal_mark=decimal_mark(amounts),
        time_zone=time_zone or "UTC",
    )


def _cells(mapping: Mapping, sample: Sequence[Sequence[str]], kinds: set[Kind]) -> list[str]:
    fields = {i: parts.field_of(mapping.entity, t.field) for i, t in mapping.columns.items()}
    wanted = [index for index, found in fields.items() if found and found.kind in kinds]
    return [row[index] for row in sample for index in wanted if index < len(row) and row[index]]
