"""Values as matching sees them: blind to case, accents, script, punctuation and format."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from rapport.meta.folding import digits, fold

from .tables import (
    COMPANY_FILL,
    FREE_MAIL,
    LATIN,
    LEGAL_FORMS,
    LEGAL_MARKS,
    LEGAL_PHRASES,
    STREET,
    STREET_ENDS,
)

PHONE_DIGITS = 8
# Shorter numbers are extensions, or nothing.
PHONE_SHORTEST = 6
_NO_DIGITS = bytes(code for code in range(128) if not chr(code).isdigit() and chr(code) != "\n")
_JOINED = re.compile(r"['’`´.\u05f3\u05f4\"]+")
_LEGAL_ENDS = tuple(f" {phrase}" for phrase in LEGAL_PHRASES)
_PUNCTUATION = re.compile(r"[\W_]+")
_NUMBER = re.compile(r"\d+")
_HOST = re.compile(r"(?:[a-z][a-z0-9+.-]*://)?(?:[^/@\s]*@)?(?:www\d?\.)?([^/:?#\s]+)")
_LOCAL = re.compile(r"[^a-z0-9]+")
# What the two patterns above do to ASCII, in a fifth of the time.
_SPACED = {
    code: None if _JOINED.fullmatch(chr(code)) else " "
    for code in range(128)
    if not chr(code).isalnum()
}


# Kept, because a name is asked for when a record is judged and again when it is written.
@lru_cache(maxsize=4_000)
def words(text: str) -> str:
    """Folded words of `text` with single blanks: “Conan O’Brien-Smith” -> "conan obrien smith"."""
    text = text[:400]
    if text.isascii():
        return text.lower() if text.isalpha() else " ".join(text.lower().translate(_SPACED).split())
    return " ".join(_PUNCTUATION.sub(" ", _JOINED.sub("", fold(text))).split())


@lru_cache(maxsize=4_000)
def name(text: str) -> str:
    """Words of a personal name, in Latin letters where there is a way to spell them so."""
    found = words(text)
    return found if found.isascii() else found.translate(LATIN)


# Kept for a moment: what keys are made of is then compared.
@lru_cache(maxsize=4096)
def email(value: str) -> str:
    """An e-mail address without regard to case; nothing when it is none."""
    found = value.strip().casefold()
    return found if "@" in found[1:-1] else ""


@lru_cache(maxsize=4096)
def phone(value: str) -> str:
    """The last digits of a number, the same in national and international format."""
    return _number(digits(value))


def phones(values: Sequence[str]) -> list[str]:
    """The same of many."""
    whole = "\n".join(values)
    if not whole.isascii() or whole.count("\n") != len(values) - 1:
        return [_number(digits(value)) for value in values]
    return list(map(_number, whole.encode().translate(None, _NO_DIGITS).decode().split("\n")))


def _number(found: str) -> str:
    # "+49 (0) 30 …": the zero within brackets is not dialled from abroad, and is not at the end.
    whole = found[-PHONE_DIGITS:]
    tail = whole.lstrip("0")
    if tail.count(tail[-1:]) >= len(tail):
        # Nothing, or one digit again and again.
        return ""
    if len(tail) >= PHONE_SHORTEST:
        return tail
    # 089 000 12345: the zeros in the middle of a long number are dialled.
    return whole if len(found.lstrip("0")) > PHONE_DIGITS else ""


@lru_cache(maxsize=4_000)
def company(text: str) -> str:
    """The name of a company without its legal form, unless that is all there is."""
    # What folds ASCII is done by `words`.
    plain = text[:400] if text.isascii() else fold(text[:400])
    if not plain.isascii():
        for mark in LEGAL_MARKS:
            plain = plain.replace(fold(mark), " ")
    # Kept as a company, not among the words, of which there are fewer.
    spaced = words.__wrapped__(plain)
    if spaced.endswith(_LEGAL_ENDS):
        for phrase in LEGAL_PHRASES:
            if spaced.endswith(" " + phrase):
                spaced = spaced[: -len(phrase)]
    parts = [part for part in spaced.split() if part not in COMPANY_FILL]
    kept = [part for part in parts if part not in LEGAL_FORMS]
    found = " ".join(kept) or " ".join(parts) or words(text)
    return found if found.isascii() else found.translate(LATIN)


def domain(value: str) -> str:
    """The domain of an e-mail or web address; nothing for those where anybody may have one."""
    text = value.strip().casefold()
    if not text or "." not in text:
        return ""
    found = text.rpartition("@")[2] if "@" in text and "/" not in text else ""
    if not found:
        match = _HOST.match(text)
        found = match[1] if match else ""
    found = found.strip(".")
    return "" if "." not in found or found in FREE_MAIL else found


def street(text: str) -> tuple[str, str, str] | None:
    """A street line as (all of it, its numbers, its words), spellings of “street” made one."""
    parts = []
    for part in words(text).split():
        known = STREET.get(part)
        if known is None:
            for end in STREET_ENDS:
                if part.endswith(end) and len(part) > len(end) + 2:
                    part, known = part[: -len(end)], "st"
                    parts.append(part)
                    break
        parts.append(known or part)
    if not parts:
        return None
    numbers = [part for part in parts if part[0].isdigit()]
    names = [part for part in parts if not part[0].isdigit()]
    return " ".join(sorted(numbers) + names), " ".join(sorted(numbers)), " ".join(names)


@lru_cache(maxsize=4_000)
def postcode(value: str) -> str:
    """A postal code in capitals and digits, without country prefix and blanks."""
    if value.isdigit() and value.isascii():
        return value[:12]
    return _LOCAL.sub("", fold(value))[:12]


def day(value: Any) -> str:
    """Eight digits of a date, also of one that cannot be."""
    if isinstance(value, datetime.date):
        return value.isoformat()[:10].replace("-", "")
    found = digits(str(value))
    return found[:8] if len(found) >= 8 else ""


def numbers(text: str) -> list[str]:
    """Every run of digits in `text`."""
    return _NUMBER.findall(text)


_CODE = str.maketrans(
    dict.fromkeys("aeiouyhw ", "") | {"c": "k", "q": "k", "z": "s", "j": "i", "v": "f", "d": "t",
                                    "b": "p", "g": "k", "x": "ks"}
)  # fmt: skip


@lru_cache(maxsize=4_000)
def sound(text: str) -> str:
    """Roughly how a name sounds: first letter and consonants, doubles once. Other scripts stay."""
    if not text or not text.isascii():
        return text
    rest = text[1:].translate(_CODE).replace("ph", "f")
    kept = [text[0]]
    for letter in rest:
        if letter != kept[-1]:
            kept.append(letter)
    return "".join(kept[:6])
