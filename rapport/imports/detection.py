"""How dates and numbers of a file are written, told by looking at them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from django.utils.translation import gettext as _

from rapport.meta.field import Field
from rapport.meta.kinds import InvalidValue, Kind, NotWhole, Reading, parse, to_text

from . import parts, spoken
from .cells import rounded
from .mapping import Mapping
from .samples import values_of

_DAY = re.compile(r"\s*(\d{1,2})([./\- ])(\d{1,2})\2(?:\d{4}|\d{2})(?!\d)")
_GROUPED = re.compile(r"\D*[1-9]\d{0,2}(?:\.\d{3})+\D*")
# Not that of “ca.” or “Mio.”.
_PLAIN_POINT = re.compile(r"\d\.\d")
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


def decimal_mark(values: Sequence[str]) -> str:
    """'.' or ','. The first value that can only be read one way decides; else whether all with a
    point in them are in groups of three: nobody writes amounts with three decimals, or counts."""
    for value in values:
        comma, point = _COMMA.search(value), _POINT.search(value)
        if comma and not point:
            return ","
        if point and not comma:
            return "."
    pointed = [text for text in values if _PLAIN_POINT.search(text)]
    return "," if pointed and all(map(_GROUPED.fullmatch, pointed)) else "."


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


def rounding(
    mapping: Mapping, columns: Sequence[str], sample: Sequence[Sequence[str]], reading: Reading
) -> list[str]:
    """What is to be said of columns whose numbers are rounded to whole ones."""
    said = _("“%(column)s” has fractions, which are rounded: %(text)s becomes %(n)d.")
    return _of_numbers(mapping, columns, sample, said, partial(_rounded, reading))


def as_spoken(
    mapping: Mapping, columns: Sequence[str], sample: Sequence[Sequence[str]], reading: Reading
) -> list[str]:
    """What is to be said of columns with numbers that stand for others."""
    said = _("“%(column)s” has numbers for others near them: “%(text)s” becomes %(n)s.")
    return _of_numbers(mapping, columns, sample, said, partial(_near, reading))


def undecided(
    mapping: Mapping, columns: Sequence[str], sample: Sequence[Sequence[str]], reading: Reading
) -> list[str]:
    """What is to be said where no date tells whether day or month comes first."""
    first: tuple[int, Field, str] | None = None
    for index, target in mapping.columns.items():
        found = parts.field_of(mapping.entity, target.field)
        if found is None or found.kind not in {Kind.DATE, Kind.DATETIME}:
            continue
        for text in values_of(sample, index):
            if day := _DAY.match(text):
                one, sign, other = int(day[1]), day[2], int(day[3])
                if max(one, other) > 12 or sign == ".":
                    return []
                first = first or ((index, found, text) if one != other else None)
    if first is None:
        return []
    index, found, text = first
    said = _("“%(column)s”: no date tells whether day or month comes first. “%(text)s” is %(day)s.")
    with suppress(InvalidValue):
        value = to_text(found, parse(found, text, reading))
        return [said % {"column": columns[index], "text": text, "day": value}]
    return []


def _of_numbers(
    mapping: Mapping,
    columns: Sequence[str],
    sample: Sequence[Sequence[str]],
    said: str,
    read: Callable[[Field, str], Any],
) -> list[str]:
    """`said` of each column of numbers with the first cell that `read` makes something of."""
    notes = []
    for index, target in mapping.columns.items():
        found = parts.field_of(mapping.entity, target.field)
        if found is None or found.kind not in {Kind.NUMBER, Kind.MONEY}:
            continue
        made = ((text, read(found, text)) for text in values_of(sample, index))
        text, value = next(((text, n) for text, n in made if n is not None), ("", None))
        if value is not None:
            notes.append(said % {"column": columns[index], "text": text, "n": value})
    return notes


def _near(reading: Reading, found: Field, text: str) -> str | None:
    one = spoken.number(found, text, reading)
    return to_text(found, one.value) if one and (one.is_range or one.is_about) else None


def _rounded(reading: Reading, found: Field, text: str) -> int | None:
    try:
        parse(found, text, reading)
    except NotWhole as error:
        return rounded(found, error)
    except InvalidValue:
        pass
    return None


def _cells(mapping: Mapping, sample: Sequence[Sequence[str]], kinds: set[Kind]) -> list[str]:
    fields = {i: parts.field_of(mapping.entity, t.field) for i, t in mapping.columns.items()}
    wanted = [index for index, found in fields.items() if found and found.kind in kinds]
    return [row[index] for row in sample for index in wanted if index < len(row) and row[index]]
