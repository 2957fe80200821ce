"""Cells as people write them who write for people: “n/a” for nothing, “2.3 million”, “about 50”,
“51-200”. Only looked at where a cell is not simply a value of its field."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from rapport.meta.field import Field
from rapport.meta.kinds import InvalidValue, Kind, Reading, decimal_of, parse

from .choicewords import CODES, CURRENCIES

# The largest number of fields that are so many of a hundred: “10-12” of these is rather a date.
HUNDRED = 100
# Nothing that a company is called.
NOTHING = frozenset(
    {
        "-", "--", "---", "–", "—", "?", "??", "???", ".", "..", "...", "…", "*", "/", "_", "#",
        "n/a", "#n/a", "n.a.", "n.a", "n. a.", "k.a.", "k. a.", "k.a", "n/v", "n/k", "none",
        "null", "(null)", "nan", "nil", "undefined", "(none)", "(blank)", "(leer)", "(vide)",
        "not available", "not applicable", "not known", "keine angabe", "keine", "non renseigné",
        "no disponible", "non disponibile", "niet beschikbaar", "nvt", "n.v.t.", "tbd", "tba",
    }
)  # fmt: skip
# No number, date, address or option either.
_LESS = NOTHING | {
    "na", "no data", "unknown", "unbekannt", "inconnu", "inconnue", "desconocido", "desconocida",
    "sconosciuto", "sconosciuta", "onbekend", "unspecified", "not specified", "not set", "empty",
    "blank", "leer", "vide", "vacío", "vuoto", "leeg", "nicht angegeben",
}  # fmt: skip
_TIMES = {
    3: "k|t|tsd|th|thousand|tausend|mille|mil|mila|duizend",
    6: "m|mm|mn|mio|mill|mln|million|millions|millionen|millones|millón|milioni|milione|miljoen",
    9: "b|bn|mrd|mia|md|mld|billion|billions|milliarde|milliarden|milliard|milliards|miliardi"
    "|miliardo|miljard",
}  # fmt: skip
_POWERS = {word: power for power, words in _TIMES.items() for word in words.split("|")}
_WORDS = "|".join(sorted(map(re.escape, _POWERS), key=len, reverse=True))
_ABOUT = (
    r"~|≈|±|>=|<=|≥|≤|>|<|ca\.?|circa|approx(?:\.|imately)?|about|around|over|under|up to"
    r"|more than|less than|at least|etwa|rund|ungefähr|über|unter|mehr als|weniger als|bis zu"
    r"|mindestens|env(?:\.|iron)?|plus de|moins de|unos|más de|menos de|circa|più di|meno di"
    r"|ongeveer|meer dan|minder dan"
)
_NAMES = [name for names in CURRENCIES.values() for name in names.split("|")]
_MONEY = "|".join(
    sorted(map(re.escape, (*CODES, "dollars", "dollar", "$", "¥", *_NAMES)), key=len, reverse=True)
)
_UNITS = (
    r"employees|employee|emp\.?|people|persons|staff|fte|mitarbeiter(?:innen)?|mitarbeitende|ma"
    r"|beschäftigte|employés|salariés|empleados|dipendenti|medewerkers"
)
_AMOUNT = re.compile(
    rf"(?P<about>{_ABOUT})?\s*(?:(?P<before>[tk])?(?:{_MONEY}))?"
    # “500.–”, “500,-”
    r"\s*(?P<number>\d(?:[\d.,'’\s\u00a0\u202f]*\d)?)(?:[.,]\s?[-–—]{1,2})?"
    rf"\s*(?:(?P<times>{_WORDS})\b\.?|(?P<behind>[tk])(?=eur|€|usd|\$|chf))?\s*(?P<more>\+)?"
    rf"\s*(?:{_MONEY})?\s*(?P<plus>\+)?\s*(?P<unit>{_UNITS})?",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"\s*(?:-|–|—|\bto\b|\bbis\b|\bà\b|\ba\b|\btot\b)\s*", re.IGNORECASE)
# Groups of thousands, unless that is how the column writes fractions.
_GROUPED = {mark: re.compile(rf"\d{{1,3}}(?:\{mark}\d{{3}})+") for mark in ".,"}
_PLAIN = {mark: Reading(decimal_mark=mark) for mark in ".,"}


class Spoken(NamedTuple):
    """A number that is written for people. `is_about`: it stands for others near it; `is_range`: it
    is the lower end of a range."""

    value: Any
    is_about: bool = False
    is_range: bool = False


def is_nothing(text: str, *, of: frozenset[str] = NOTHING) -> bool:
    """Whether a cell says that there is nothing to say. `of`: the words for that."""
    return text.strip().lower() in of


def read(field: Field, text: str, reading: Reading, error: InvalidValue) -> Any:
    """The value of a cell that is none as it stands, None for nothing; else raises `error`."""
    if is_nothing(text, of=_LESS):
        return None
    found = number(field, text, reading)
    if found is None:
        raise error
    return found.value


def number(field: Field, text: str, reading: Reading) -> Spoken | None:
    """The number that a cell tells of in words; None where it tells none."""
    if field.kind not in {Kind.NUMBER, Kind.MONEY}:
        return None
    try:
        return _amount(field, text, reading) or _range(field, text, reading)
    except InvalidValue:
        return None


def _amount(field: Field, text: str, reading: Reading) -> Spoken | None:
    found = _AMOUNT.fullmatch(text.strip())
    if found is None:
        return None
    if found["unit"] and field.kind is not Kind.NUMBER:
        return None
    value = _scaled(field, found["number"], _times(found), reading)
    return Spoken(value, bool(found["about"] or found["more"] or found["plus"]))


def _range(field: Field, text: str, reading: Reading) -> Spoken | None:
    ends = _BETWEEN.split(text.strip())
    if len(ends) != 2 or field.maximum == HUNDRED:
        return None
    low, high = map(_AMOUNT.fullmatch, ends)
    if low is None or high is None:
        return None
    # “10-50 million” means ten million.
    times = _times(low) or _times(high)
    lower = _scaled(field, low["number"], times, reading)
    upper = _scaled(field, high["number"], _times(high), reading)
    return Spoken(lower, is_range=True) if lower < upper else None


def _times(found: re.Match[str]) -> str | None:
    """The word or letter that says how many: “12k”, “12 Mio.”, “TEUR 12”."""
    return found["before"] or found["behind"] or found["times"]


def _scaled(field: Field, digits: str, times: str | None, reading: Reading) -> Any:
    power, mark = _POWERS[times.lower()] if times else 0, reading.decimal_mark
    other = "," if mark == "." else "."
    if _GROUPED[mark].fullmatch(digits):
        # Nobody writes “about 10.000” of ten; of “1.500 million” it cannot be told.
        if power:
            raise InvalidValue(digits)
        mark = other
    elif power and digits.count(other) == 1 and mark not in digits and digits[-4:-3] != other:
        # Of “2,3 million” the mark is plain, whatever it is elsewhere.
        mark = other
    value = decimal_of(digits, _PLAIN[mark])
    return parse(field, f"{value.scaleb(power):f}", _PLAIN["."])
