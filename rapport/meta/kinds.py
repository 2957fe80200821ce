"""The kinds of value, and text <-> value for each. Every surface owns one table keyed by `Kind`."""

from __future__ import annotations

import re
import sys
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from django.utils.translation import gettext as _

from . import days
from .storable import is_storable

if TYPE_CHECKING:
    from .field import Field


class Kind(StrEnum):
    """What sort of value a field holds."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    EMAIL = "email"
    PHONE = "phone"
    URL = "url"
    CHOICE = "choice"
    STATE = "state"
    NUMBER = "number"
    MONEY = "money"
    DATE = "date"
    DATETIME = "datetime"
    BOOLEAN = "boolean"
    LOOKUP = "lookup"
    OWNER = "owner"
    POINTER = "pointer"
    ADDRESS = "address"


TEXTS = frozenset({Kind.TEXT, Kind.LONG_TEXT, Kind.EMAIL, Kind.PHONE, Kind.URL})
LINKS = frozenset({Kind.LOOKUP, Kind.OWNER})


class Ref(NamedTuple):
    """The value of a pointer: any record of any entity."""

    entity: str
    id: uuid.UUID


class InvalidValue(ValueError):
    """A value that its field cannot hold; the message is for people."""


class OutOfBounds(InvalidValue):
    """A value of the right kind, but too long, too small or too large."""


class NotWhole(InvalidValue):
    """A number with a fraction where whole ones belong; `value` would be within bounds."""

    def __init__(self, message: str, value: Decimal) -> None:
        super().__init__(message)
        self.value = value


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """How a text is to be read: what a person chose, or what was detected."""

    date_order: str = "ymd"  # ymd, dmy or mdy, for dates written with numbers only
    decimal_mark: str = "."
    time_zone: str = "UTC"
    phone_country: str = ""


CANONICAL = Reading()
# Characters of a value that a refusal quotes: a cell may hold a book.
QUOTED = 80
# Options that a refusal names; a longer list hides what it says.
NAMED_OPTIONS = 12
_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,2})?", re.IGNORECASE)
_EMAIL_SHAPE = re.compile(r"[^@\s<>\"(),;:\\\[\]]+@[^@\s<>\"(),;:\\\[\]]+\.[^@\s.]{2,}")
_SCHEME = re.compile(r"([a-z][a-z0-9+.\-]*):(?!\d)", re.IGNORECASE)
_BLANK = re.compile(r"\s")
_LINE_END = re.compile(r"\r\n?")
# Spaces without width, marks of the direction of writing, soft hyphens.
_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_AROUND = re.compile(rf"^(?:\s|{_UNSEEN.pattern})+|(?:\s|{_UNSEEN.pattern})+$")
_YES = frozenset({"yes", "y", "true", "1", "on", "x", "ja", "oui", "si", "sí", "sim", "tak"})
_NO = frozenset({"no", "n", "false", "0", "off", "", "nein", "non", "não", "nie"})


def parse(field: Field, text: str, reading: Reading = CANONICAL) -> Any:
    """The value that `text` means for `field`; None (or '' for texts) when blank.

    Raises InvalidValue. Look-ups, owners and pointers accept an id only: names are resolved by
    the surface that knows who asks.
    """
    text = text if field.kind is Kind.LONG_TEXT else trimmed(text)
    if not text:
        return field.blank_value
    return _PARSERS[field.kind](field, text, reading)


def check(field: Field, value: Any) -> Any:
    """`value` as the field stores it, or InvalidValue. Cheap: it runs for every imported cell."""
    if value is None or value == "":
        return field.blank_value
    return _CHECKERS[field.kind](field, value)


def all_fit(field: Field, texts: Sequence[str]) -> bool:
    """Whether `check` surely takes all of these texts, none of them with blanks around it, as they
    are: many are told at once. False where it must be asked."""
    if max(map(len, texts), default=0) > (field.max_length or sys.maxsize):
        return False
    whole = "\n".join(texts)
    if not is_storable(whole) or "\r" in whole:
        return False
    if has_unseen(whole) and field.kind is not Kind.LONG_TEXT:
        return False
    if field.kind is Kind.EMAIL:
        return ".." not in whole and all(map(_EMAIL_SHAPE.fullmatch, filter(None, texts)))
    if field.kind is Kind.URL:
        rest = [text for text in texts if not text.startswith(("https://", "http://"))]
        return ":" not in "".join(rest) and not _BLANK.search("".join(texts))
    return field.kind in {Kind.TEXT, Kind.LONG_TEXT, Kind.PHONE}


def has_unseen(text: str) -> bool:
    """Whether there are signs in it that nobody sees."""
    return not text.isascii() and bool(_UNSEEN.search(text))


def trimmed(text: str) -> str:
    """`text` without blanks around it, and without signs that nobody sees: web pages and phones put
    them around what is copied from there."""
    return _AROUND.sub("", text) if has_unseen(text) else text.strip()


def with_line_ends(text: str) -> str:
    """`text` with the one sign for the end of a line that is stored: files, forms and vCards have
    several, and the same text is the same value wherever it comes from."""
    return _LINE_END.sub("\n", text) if "\r" in text else text


def to_text(field: Field, value: Any) -> str:
    """Canonical text: `parse(field, to_text(field, v)) == v` for every kind with text, a moment to
    the second."""
    if value is None or value == "":
        return ""
    return _WRITERS[field.kind](field, value)


def quoted(value: object) -> str:
    """`value` as a refusal names it."""
    text = str(value)
    return text if len(text) <= QUOTED else f"{text[:QUOTED]}…"


def address_text(parts: Mapping[str, str]) -> str:
    """An address as people write it, of texts by the last words of their field names: streets,
    then postal code and city in one line, then the rest."""
    by_end = {name.partition("_")[2]: text for name, text in parts.items()}
    town = " ".join(t for t in (by_end.pop("postal_code", ""), by_end.pop("city", "")) if t)
    streets = [by_end.pop(f"line{n}", "") for n in (1, 2, 3)]
    return "\n".join(line for line in (*streets, town, *by_end.values()) if line)


def to_json(value: Any) -> Any:
    """`value` for the journal."""
    if value is None or isinstance(value, str | int | bool):
        return value
    if isinstance(value, Ref):
        return [value.entity, str(value.id)]
    if isinstance(value, date | datetime):
        return value.isoformat()
    return str(value)


def from_json(field: Field, value: Any) -> Any:
    """The inverse of `to_json` for a value of `field`."""
    if value is None or value == "":
        return field.blank_value
    match field.kind:
        case Kind.LOOKUP | Kind.OWNER:
            return uuid.UUID(value)
        case Kind.POINTER:
            return Ref(value[0], uuid.UUID(value[1]))
        case Kind.MONEY:
            return Decimal(value)
        case Kind.DATE:
            return date.fromisoformat(value)
        case Kind.DATETIME:
            return datetime.fromisoformat(value)
    return value


# -- text -> value ------------------------------------------------------------------------------


def _parse_text(field: Field, text: str, _reading: Reading) -> str:
    for code, label in field.labels.items():
        if text.casefold() in {code, str(label).casefold()}:
            return code
    return _check_text(field, text)


def _parse_choice(field: Field, text: str, _reading: Reading) -> int:
    value = field.option_of(text)
    if value is not None:
        return value
    labels = [str(option.label) for option in field.options]
    if len(labels) > NAMED_OPTIONS:
        said = _("“%(text)s” is none of the %(count)s options (%(options)s …).")
    else:
        said = _("“%(text)s” is not one of: %(options)s.")
    named = ", ".join(labels[:NAMED_OPTIONS])
    raise InvalidValue(said % {"text": quoted(text), "count": len(labels), "options": named})


def _parse_number(field: Field, text: str, reading: Reading) -> int:
    # Up to 100 it is so many of a hundred.
    plain = text.removesuffix("%") if field.maximum == 100 else text
    value = decimal_of(plain, reading)
    if value != value.to_integral_value():
        _check_range(field, value)
        message = _("“%(text)s” is not a whole number.") % {"text": quoted(text)}
        raise NotWhole(message, value)
    return _check_number(field, int(value))


def _parse_money(field: Field, text: str, reading: Reading) -> Decimal:
    plain = re.sub(r"^(\W*)[A-Za-z]{3}\s+|[€$£¥]|\s*[A-Z]{3}$", r"\1", text)
    try:
        value = decimal_of(plain, reading)
    except InvalidValue:
        # As it was written.
        raise InvalidValue(_("“%(text)s” is not a number.") % {"text": quoted(text)}) from None
    return _check_money(field, value)


def decimal_of(text: str, reading: Reading) -> Decimal:
    """The number that a text writes, for no field. Raises InvalidValue."""
    plain = re.sub(r"[\s\u00a0\u202f'’]", "", text)
    if plain.startswith("(") and plain.endswith(")"):  # how accountants write a negative amount
        plain = "-" + plain[1:-1]
    thousands = "," if reading.decimal_mark == "." else "."
    # India has groups of two before the last one.
    groups = rf"(\d{{1,3}}(\{thousands}\d{{3}})+|\d{{1,2}}(\{thousands}\d\d)+\{thousands}\d{{3}})"
    if thousands in plain and not re.fullmatch(rf"[+-]?{groups}(\D\d*)?", plain):
        raise InvalidValue(_("“%(text)s” is not a number.") % {"text": quoted(text)})
    plain = plain.replace(thousands, "").replace(reading.decimal_mark, ".")
    # The pattern bounds the exponent: ten characters could ask for a gigabyte of digits.
    if not _DECIMAL.fullmatch(plain):
        raise InvalidValue(_("“%(text)s” is not a number.") % {"text": quoted(text)})
    return Decimal(plain)


def _not_a_date(text: str) -> str:
    return _("“%(text)s” is not a date. Write it as 2026-01-31.") % {"text": quoted(text)}


def _parse_date(_field: Field, text: str, reading: Reading) -> date:
    day = days.read_day(text, reading.date_order)
    if day is None:
        raise InvalidValue(_not_a_date(text))
    return day


def _parse_datetime(_field: Field, text: str, reading: Reading) -> datetime:
    moment = days.read_moment(text, reading.date_order, reading.time_zone)
    if moment is None:
        raise InvalidValue(_not_a_date(text))
    return moment


def _parse_boolean(_field: Field, text: str, _reading: Reading) -> bool:
    word = text.casefold()
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise InvalidValue(_("“%(text)s” is neither yes nor no.") % {"text": quoted(text)})


def _parse_id(_field: Field, text: str, _reading: Reading) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise InvalidValue(_("“%(text)s” is not a record id.") % {"text": quoted(text)}) from None


def _parse_pointer(field: Field, text: str, reading: Reading) -> Ref:
    entity, colon, key = text.partition(":")
    if not colon or (field.targets and entity not in field.targets):
        raise InvalidValue(_("“%(text)s” is not a record.") % {"text": quoted(text)})
    return Ref(entity, _parse_id(field, key, reading))


def _no_text(field: Field, _text: str, _reading: Reading) -> Any:
    raise InvalidValue(_("%(field)s is made of its parts.") % {"field": field.label})


# -- value -> stored value ----------------------------------------------------------------------


def _check_text(field: Field, value: Any) -> str:
    text = with_line_ends(str(value))
    if field.kind is not Kind.LONG_TEXT and has_unseen(text):
        text = trimmed(text)
    if not is_storable(text):
        raise InvalidValue(_("There is a character in the text that cannot be stored."))
    if field.max_length and len(text) > field.max_length:
        raise OutOfBounds(
            _("Longer than %(limit)s characters (%(length)s).")
            % {"limit": field.max_length, "length": len(text)}
        )
    return text


def _check_email(field: Field, value: Any) -> str:
    text = _check_text(field, value)
    if not _EMAIL_SHAPE.fullmatch(text) or ".." in text:
        raise InvalidValue(_("“%(text)s” is not an e-mail address.") % {"text": quoted(text)})
    return text


def _check_url(field: Field, value: Any) -> str:
    text = _check_text(field, value)
    scheme = _SCHEME.match(text)
    if _BLANK.search(text) or (scheme and scheme[1].lower() not in {"http", "https", "ftp"}):
        raise InvalidValue(_("“%(text)s” is not a web address.") % {"text": quoted(text)})
    return text


def _check_choice(field: Field, value: Any) -> int:
    if isinstance(value, int) and value in field.option_by_value:
        return int(value)
    raise InvalidValue(_("%(value)s is not an option.") % {"value": quoted(value)})


def _check_number(field: Field, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise InvalidValue(_("“%(value)s” is not a whole number.") % {"value": quoted(value)})
    _check_range(field, value)
    return value


def _check_money(field: Field, value: Any) -> Decimal:
    try:
        amount = Decimal(value).quantize(Decimal("0.01"))
    except (InvalidOperation, TypeError, ValueError):
        amount = Decimal("NaN")
    if not amount.is_finite():
        raise InvalidValue(_("“%(value)s” is not an amount.") % {"value": quoted(value)})
    if abs(amount) >= Decimal(10) ** 13:
        raise OutOfBounds(_("“%(value)s” has more than 15 digits.") % {"value": quoted(value)})
    _check_range(field, amount)
    return amount


def _check_range(field: Field, value: Any) -> None:
    if field.minimum is not None and value < field.minimum:
        raise OutOfBounds(_("Less than %(limit)s.") % {"limit": field.minimum})
    if field.maximum is not None and value > field.maximum:
        raise OutOfBounds(_("More than %(limit)s.") % {"limit": field.maximum})


def _check_date(_field: Field, value: Any) -> date:
    if isinstance(value, datetime) or not isinstance(value, date):
        raise InvalidValue(_not_a_date(str(value)))
    return value


def _check_datetime(_field: Field, value: Any) -> datetime:
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise InvalidValue(_not_a_date(str(value)))
    return value


def _check_boolean(_field: Field, value: Any) -> bool:
    if not isinstance(value, bool):
        raise InvalidValue(_("“%(text)s” is neither yes nor no.") % {"text": quoted(value)})
    return value


def _check_id(_field: Field, value: Any) -> uuid.UUID:
    if not isinstance(value, uuid.UUID):
        raise InvalidValue(_("“%(text)s” is not a record id.") % {"text": quoted(value)})
    return value


def _check_pointer(field: Field, value: Any) -> Ref:
    if not isinstance(value, Ref) or (field.targets and value.entity not in field.targets):
        raise InvalidValue(_("“%(text)s” is not a record.") % {"text": quoted(value)})
    return value


def _check_nothing(field: Field, _value: Any) -> Any:
    raise InvalidValue(_("%(field)s is made of its parts.") % {"field": field.label})


# -- value -> text ------------------------------------------------------------------------------


def _write_text(field: Field, value: Any) -> str:
    return str(field.labels.get(value, value) if field.labels else value)


def _write_choice(field: Field, value: Any) -> str:
    option = field.option_by_value.get(value)
    return str(option.label) if option else str(value)


def _write_money(_field: Field, value: Any) -> str:
    return format(Decimal(value).quantize(Decimal("0.01")), "f")


def _write_datetime(_field: Field, value: datetime) -> str:
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def _write_boolean(_field: Field, value: bool) -> str:
    return "Yes" if value else "No"


def _write_pointer(_field: Field, value: Ref) -> str:
    return f"{value.entity}:{value.id}"


_PARSERS: dict[Kind, Callable[[Field, str, Reading], Any]] = {
    Kind.TEXT: _parse_text,
    Kind.LONG_TEXT: _parse_text,
    Kind.EMAIL: lambda field, text, _r: _check_email(field, text),
    Kind.PHONE: _parse_text,
    Kind.URL: lambda field, text, _r: _check_url(field, text),
    Kind.CHOICE: _parse_choice,
    Kind.STATE: _parse_choice,
    Kind.NUMBER: _parse_number,
    Kind.MONEY: _parse_money,
    Kind.DATE: _parse_date,
    Kind.DATETIME: _parse_datetime,
    Kind.BOOLEAN: _parse_boolean,
    Kind.LOOKUP: _parse_id,
    Kind.OWNER: _parse_id,
    Kind.POINTER: _parse_pointer,
    Kind.ADDRESS: _no_text,
}
_CHECKERS: dict[Kind, Callable[[Field, Any], Any]] = {
    Kind.TEXT: _check_text,
    Kind.LONG_TEXT: _check_text,
    Kind.EMAIL: _check_email,
    Kind.PHONE: _check_text,
    Kind.URL: _check_url,
    Kind.CHOICE: _check_choice,
    Kind.STATE: _check_choice,
    Kind.NUMBER: _check_number,
    Kind.MONEY: _check_money,
    Kind.DATE: _check_date,
    Kind.DATETIME: _check_datetime,
    Kind.BOOLEAN: _check_boolean,
    Kind.LOOKUP: _check_id,
    Kind.OWNER: _check_id,
    Kind.POINTER: _check_pointer,
    Kind.ADDRESS: _check_nothing,
}
_WRITERS: dict[Kind, Callable[[Field, Any], str]] = {
    Kind.TEXT: _write_text,
    Kind.LONG_TEXT: _write_text,
    Kind.EMAIL: _write_text,
    Kind.PHONE: _write_text,
    Kind.URL: _write_text,
    Kind.CHOICE: _write_choice,
    Kind.STATE: _write_choice,
    Kind.NUMBER: _write_text,
    Kind.MONEY: _write_money,
    Kind.DATE: _write_text,
    Kind.DATETIME: _write_datetime,
    Kind.BOOLEAN: _write_boolean,
    Kind.LOOKUP: _write_text,
    Kind.OWNER: _write_text,
    Kind.POINTER: _write_pointer,
    Kind.ADDRESS: _write_text,
}
