"""Cells to values, a column of a batch at a time: one converter per kind.

A converter takes the texts of one column and gives the values (None or '' where blank), what is
wrong {place: error}, and further values of a cell that held several {place: texts}.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import ROUND_HALF_UP
from functools import partial
from typing import Any, NamedTuple

from django.utils.translation import gettext as _, gettext_lazy

from rapport.meta.field import Field
from rapport.meta.kinds import (
    InvalidValue,
    Kind,
    NotWhole,
    Reading,
    all_fit,
    check,
    has_unseen,
    parse,
    trimmed,
    with_line_ends,
)

from . import spoken

# Values seen are remembered up to this many per column; names and dates come again and again.
REMEMBERED = 20_000
# Longer texts do not come again: somebody has mapped descriptions to a number.
LONGEST = 100
_EMAIL_INSIDE = re.compile(r"<\s*([^<>\s]+@[^<>\s]+)\s*>")
_BETWEEN = re.compile(r"\s+:::\s+|[;,\n]\s*")
_MANY = " ::: "
# Spreadsheets keep a number as text by an apostrophe; forms say that it is a phone.
_AROUND_PHONES = re.compile(r"(?:'|tel:|p:)\s*(?=[+\d(])", re.IGNORECASE)
# Databases and Outlook write “0000-00-00” and “0/0/00” where there is no day.
_NO_DAY = re.compile(r"\s*0+([./-])0+(?:\1)0+(?:[T ][0:.]+Z?)?\s*")


class Column(NamedTuple):
    """A converted column."""

    values: list[Any]
    errors: dict[int, InvalidValue]
    more: dict[int, list[str]]


Convert = Callable[[Sequence[str]], Column]
Parse = Callable[[Field, str, Reading], Any]


def converter(field: Field, reading: Reading, *, ours: bool = False) -> Convert:
    """The converter for columns mapped to `field`. `ours`: of a file that Rapport has written, of
    which a cell is what is stored, whatever stands in it."""
    if ours and field.kind is Kind.PHONE:
        return _text(field, reading, ours=True)
    convert = CONVERTERS[field.kind](field, reading)
    return convert if ours or field.kind not in _SAYING_NOTHING else _without_nothing(convert)


# Of these any text is a value.
_SAYING_NOTHING = frozenset({Kind.PHONE, Kind.URL, Kind.LOOKUP, Kind.OWNER, Kind.POINTER})


def _without_nothing(convert: Convert) -> Convert:
    """`convert` for cells of which some say that there is nothing to say."""

    def converted(cells: Sequence[str]) -> Column:
        if not spoken.NOTHING.isdisjoint(map(str.lower, map(str.strip, cells))):
            cells = ["" if spoken.is_nothing(cell) else cell for cell in cells]
        return convert(cells)

    return converted


def first_of(convert: Convert, sign: str) -> Convert:
    """`convert` for cells with several names, of which the first counts. `sign`: between them."""
    return lambda cells: convert([cell.partition(sign)[0] for cell in cells])


def is_named(found: Field) -> bool:
    """Whether a cell of this field names a record."""
    return found.is_link or found.kind is Kind.POINTER


_CHOICES = frozenset({Kind.CHOICE, Kind.BOOLEAN, Kind.STATE})


def is_choice(found: Field | None) -> bool:
    """Whether cells of this field mean one of a few options."""
    return found is not None and (found.kind in _CHOICES or bool(found.labels))


def is_told(found: Field | None) -> bool:
    """Whether people may say of each different cell what it means."""
    return found is not None and (is_choice(found) or found.kind is Kind.OWNER)


def _text(field: Field, reading: Reading, *, ours: bool = False) -> Convert:
    if field.labels:
        return _remembering(field, reading)
    is_phone = field.kind is Kind.PHONE and not ours

    def convert(cells: Sequence[str]) -> Column:
        values: list[Any] = _with_line_ends(_trimmed(cells))
        if is_phone and any(map(_AROUND_PHONES.match, values)):
            values = [_AROUND_PHONES.sub("", value) for value in values]
        more = (_split_marked(values) or _split_numbers(values)) if is_phone else {}
        errors = {} if all_fit(field, values) else _errors(field, values)
        return Column(values, errors, more)

    return convert


def _long_text(field: Field, _reading: Reading) -> Convert:
    def convert(cells: Sequence[str]) -> Column:
        values: list[Any] = _with_line_ends(
            [cell if cell and not cell.isspace() else "" for cell in cells]
        )
        errors = {} if all_fit(field, values) else _errors(field, values)
        return Column(values, errors, {})

    return convert


def _trimmed(cells: Sequence[str]) -> list[str]:
    """Cells without blanks around them, and without signs that nobody sees."""
    values = list(map(str.strip, cells))
    return list(map(trimmed, values)) if has_unseen("".join(values)) else values


def _with_line_ends(cells: list[str]) -> list[str]:
    # One look at all of them is a tenth of the time.
    return list(map(with_line_ends, cells)) if "\r" in "".join(cells) else cells


def _errors(field: Field, values: Sequence[Any]) -> dict[int, InvalidValue]:
    errors = {}
    for place, value in enumerate(values):
        try:
            check(field, value)
        except InvalidValue as error:
            errors[place] = _bare(error)
    return errors


def _bare(error: InvalidValue) -> InvalidValue:
    """Without the frames, which would keep the whole batch in memory."""
    return error.with_traceback(None)


def _split_marked(values: list[Any]) -> dict[int, list[str]]:
    """Google writes several values into one cell, with ' ::: ' between them."""
    more = {}
    for place, value in enumerate(values):
        if _MANY in value:
            values[place], *more[place] = [part.strip() for part in value.split(_MANY)]
    return more


# “0421 4488 / 0171 2345678”, but not “0421/4488”: there it is a part of the number.
_BETWEEN_PHONES = re.compile(r"\s*(?:[;,|\n]|\s/\s|/(?=\s*[+0(])|\b(?:oder|or|ou|und|and)\b)\s*")
_PHONE_SIGNS = re.compile(r"[\d\s()./+–-]+")
# A number has so many digits: with its area, and where nothing says that it has one.
_WHOLE, _BARE = 6, 7


def _split_numbers(values: list[Any]) -> dict[int, list[str]]:
    """Cells that hold several whole numbers, as people write them, one after the other."""
    more: dict[int, list[str]] = {}
    if _BETWEEN_PHONES.search("".join(values)) is None:
        return more
    for place, value in enumerate(values):
        numbers = [*dict.fromkeys(_BETWEEN_PHONES.split(value))]
        if len(numbers) > 1 and all(map(_is_whole_phone, numbers)):
            values[place], *more[place] = numbers
    return more


def _is_whole_phone(text: str) -> bool:
    least = _WHOLE if text.startswith(("+", "0", "(")) else _BARE
    return bool(_PHONE_SIGNS.fullmatch(text)) and sum(map(str.isdecimal, text)) >= least


def _url(field: Field, reading: Reading) -> Convert:
    return _unless_all_fit(field, lambda text: (parse(field, text, reading), []), split=True)


def _email(field: Field, _reading: Reading) -> Convert:
    def read(text: str) -> tuple[Any, list[str]]:
        try:
            return check(field, text), []
        except InvalidValue:
            found = _addresses(field, text)
            if not found:
                raise
            return found[0], found[1:]

    return _unless_all_fit(field, read)


def _unless_all_fit(
    field: Field, read: Callable[[str], tuple[Any, list[str]]], *, split: bool = False
) -> Convert:
    """Read every cell that is not blank, unless all of them are what they seem to be. `read`: a
    value, and further ones of the same cell."""

    def convert(cells: Sequence[str]) -> Column:
        values: list[Any] = _trimmed(cells)
        more = _split_marked(values) if split else {}
        errors: dict[int, InvalidValue] = {}
        if all_fit(field, values):
            return Column(values, errors, more)
        for place, value in enumerate(values):
            if not value:
                continue
            try:
                values[place], rest = read(value)
            except InvalidValue as error:
                if spoken.is_nothing(value):
                    values[place] = ""
                else:
                    errors[place] = _bare(error)
                continue
            if rest:
                more[place] = rest
        return Column(values, errors, more)

    return convert


def _addresses(field: Field, text: str) -> list[str]:
    """Addresses as people and programs also write them: 'Ann <a@b.de>', 'mailto:a@b.de',
    'a@b.de; c@d.de'. [] when some part is none."""
    found = []
    for part in _BETWEEN.split(text):
        inside = _EMAIL_INSIDE.search(part)
        bare = (inside[1] if inside else part).strip().removeprefix("mailto:").strip("'\" .")
        if not bare:
            continue
        try:
            found.append(check(field, bare))
        except InvalidValue:
            return []
    return list(dict.fromkeys(found))


def _whole(field: Field, text: str, reading: Reading) -> Any:
    try:
        return parse(field, text, reading)
    except NotWhole as error:
        if (value := rounded(field, error)) is None:
            raise
        return value


def rounded(field: Field, error: NotWhole) -> int | None:
    """The whole number for one with a fraction; None when it is not to be taken. Other programs
    count in tenths of a hundredth. But 0.6 may mean 60 of a hundred; and of anything else a
    fraction rather tells that the decimal mark is misread."""
    if field.maximum != spoken.HUNDRED or error.value < 1:
        return None
    return int(error.value.to_integral_value(ROUND_HALF_UP))


def _as_spoken(field: Field, cell: str, reading: Reading, parse: Parse) -> Any:
    text = trimmed(cell)
    try:
        return parse(field, text, reading)
    except InvalidValue as error:
        return spoken.read(field, text, reading, error)


def _remembering(field: Field, reading: Reading, parse: Parse = parse) -> Convert:
    """Parse every text once: for kinds of which the same few values come again and again."""
    known: dict[str, Any] = {"": None}
    wrong: dict[str, InvalidValue] = {}
    is_day = field.kind in {Kind.DATE, Kind.DATETIME}
    read = partial(_as_spoken, parse=parse)

    def convert(cells: Sequence[str]) -> Column:
        try:
            return Column([known[cell] for cell in cells], {}, {})
        except KeyError:
            pass
        if len(known) + len(wrong) > REMEMBERED:
            known.clear()
            known[""] = None
            wrong.clear()
        values: list[Any] = []
        errors: dict[int, InvalidValue] = {}
        for place, cell in enumerate(cells):
            if cell not in known and cell not in wrong:
                try:
                    # Blank is not No: it leaves what is there.
                    is_blank = not cell.strip() or (is_day and _NO_DAY.fullmatch(cell))
                    known[cell] = None if is_blank else read(field, cell, reading)
                except InvalidValue as error:
                    wrong[cell] = _bare(error)
            if cell in wrong:
                errors[place] = wrong[cell]
            values.append(known.get(cell))
            if len(cell) > LONGEST:
                known.pop(cell, None)
                wrong.pop(cell, None)
        return Column(values, errors, {})

    return convert


def _link(_field: Field, _reading: Reading) -> Convert:
    """Names stay texts here: what they name is found in batches, for the user who imports."""

    def convert(cells: Sequence[str]) -> Column:
        return Column([" ".join(cell.split()) for cell in _trimmed(cells)], {}, {})

    return convert


def _nothing(field: Field, _reading: Reading) -> Convert:
    """Kinds that no column can fill."""

    def convert(cells: Sequence[str]) -> Column:
        error = InvalidValue(_("%(field)s cannot be imported.") % {"field": field.label})
        return Column([None] * len(cells), {i: error for i, c in enumerate(cells) if c}, {})

    return convert


CONVERTERS: dict[Kind, Callable[[Field, Reading], Convert]] = {
    Kind.TEXT: _text,
    Kind.LONG_TEXT: _long_text,
    Kind.EMAIL: _email,
    Kind.PHONE: _text,
    Kind.URL: _url,
    Kind.CHOICE: _remembering,
    Kind.STATE: _remembering,
    Kind.NUMBER: partial(_remembering, parse=_whole),
    Kind.MONEY: _remembering,
    Kind.DATE: _remembering,
    Kind.DATETIME: _remembering,
    Kind.BOOLEAN: _remembering,
    Kind.LOOKUP: _link,
    Kind.OWNER: _link,
    Kind.POINTER: _link,
    Kind.ADDRESS: _nothing,
}
# What to do about a cell that its field cannot hold; choices list their options themselves.
REMEDIES: dict[Kind, Any] = {
    Kind.TEXT: gettext_lazy("Shorten it."),
    Kind.LONG_TEXT: gettext_lazy("Shorten it."),
    Kind.EMAIL: gettext_lazy("Correct the address or empty the cell."),
    Kind.PHONE: gettext_lazy("Shorten it."),
    Kind.URL: gettext_lazy("Correct the address or empty the cell."),
    Kind.CHOICE: gettext_lazy("Write one of these options, or their number, or empty the cell."),
    Kind.STATE: gettext_lazy("Write one of these options, or their number, or empty the cell."),
    Kind.NUMBER: gettext_lazy("Write digits only, or choose another decimal mark."),
    Kind.MONEY: gettext_lazy("Write digits only, or choose another decimal mark."),
    Kind.DATE: gettext_lazy("Choose another order of day and month if all dates are refused."),
    Kind.DATETIME: gettext_lazy("Choose another order of day and month if all dates are refused."),
    Kind.BOOLEAN: gettext_lazy("Write Yes or No."),
    Kind.LOOKUP: gettext_lazy("Correct the name, create the record first, or empty the cell."),
    Kind.OWNER: gettext_lazy("Write the name or e-mail address of a user or team."),
    Kind.POINTER: gettext_lazy("Write it as “Contact: name”, or empty the cell."),
    Kind.ADDRESS: gettext_lazy("Do not map this column."),
}
