"""How alike two normalised values are: a level for each pair, by criterion."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from rapidfuzz.distance import OSA, JaroWinkler
from rapidfuzz.fuzz import token_sort_ratio

from .rules import Criterion
from .tables import NICKNAMES, SHARED_BOXES

# Levels, from the strongest. A blank says nothing.
BLANK, SAME, VARIANT, CLOSE, LOOSE, DIFFERENT = range(6)
LEVELS = 6
# From here on texts are alike as they stand, or as words in whatever order.
ALIKE, WORDS_ALIKE = 0.82, 80
WORDS = ("", "same", "similar", "similar", "similar", "different")

Compare = Callable[[Any, Any], int]
_typos = OSA.distance
_jaro = JaroWinkler.similarity


def exact(ours: str, theirs: str) -> int:
    """The same or not."""
    return SAME if ours == theirs else DIFFERENT


def name(ours: str, theirs: str) -> int:
    """One part of a personal name: also nicknames, initials, a part of several, typing errors."""
    if ours == theirs:
        return SAME
    return _name(ours, theirs) if ours < theirs else _name(theirs, ours)


# Names repeat: most pairs of names have been compared before.
@lru_cache(maxsize=16_384)
def _name(ours: str, theirs: str) -> int:
    one, two = ours.split(), theirs.split()
    if len(one[0]) == 1 or len(two[0]) == 1 or len(one) > 1 or len(two) > 1:
        if _within(one, two) or _within(two, one):
            return VARIANT
        if "".join(one) == "".join(two):
            return VARIANT
    if NICKNAMES.get(one[0], _NONE) & NICKNAMES.get(two[0], _NONE):
        return VARIANT
    typos, likeness = _typos(ours, theirs, score_cutoff=2), _jaro(ours, theirs)
    if typos > 2 and likeness < 0.8:
        # As most are.
        return DIFFERENT
    shorter = min(len(ours), len(theirs))
    if not ours.isascii() and shorter < 4:
        # In scripts of syllables another sign is another name.
        return DIFFERENT
    if figures(ours) != figures(theirs):
        return DIFFERENT
    if (typos <= 1 and shorter >= 3) or (typos <= 2 and shorter >= 6):
        return CLOSE
    if likeness >= 0.92 and shorter >= 4:
        return CLOSE
    return LOOSE if likeness >= 0.8 and shorter >= 3 else DIFFERENT


_NONE: frozenset[str] = frozenset()


def _within(few: list[str], many: list[str]) -> bool:
    """Whether each word of `few` is one of `many`, or its initial; no figure is one."""
    return len(few) <= len(many) and all(
        word in many
        or (len(word) == 1 and word.isalpha() and any(other[0] == word for other in many))
        for word in few
    )


def text(ours: str, theirs: str) -> int:
    """Words that may be misspelt, or in another order, or some of them missing."""
    if ours == theirs:
        return SAME
    return _text(ours, theirs) if ours < theirs else _text(theirs, ours)


@lru_cache(maxsize=4096)
def _text(ours: str, theirs: str) -> int:
    shorter = min(len(ours), len(theirs))
    if figures(ours + theirs) and figures(ours) != figures(theirs):
        # “Store 12” is not “Store 13”.
        return DIFFERENT
    if " " in ours or " " in theirs:
        one, two = set(ours.split()), set(theirs.split())
        if one == two or ours.replace(" ", "") == theirs.replace(" ", ""):
            return VARIANT
        if (one < two or two < one) and shorter >= 4:
            return VARIANT
    typos = _typos(ours, theirs, score_cutoff=2)
    if (typos <= 1 and shorter >= 4) or (typos <= 2 and shorter >= 8):
        return CLOSE
    likeness = _jaro(ours, theirs)
    if likeness >= 0.93 and shorter >= 5:
        return CLOSE
    if shorter < 4:
        return DIFFERENT
    if likeness >= ALIKE or token_sort_ratio(ours, theirs) >= WORDS_ALIKE:
        return LOOSE
    return DIFFERENT


def email(ours: str, theirs: str) -> int:
    """An address: also with a typing error. A box that an office shares is a likeness at most."""
    if ours == theirs:
        return LOOSE if ours.partition("@")[0] in SHARED_BOXES else SAME
    if _typos(ours, theirs, score_cutoff=1) == 1:
        if ours[1:] == theirs[1:]:
            # The initials of two colleagues with one last name.
            return LOOSE
        # One figure more or less is another person's box: anna1@, anna2@.
        return DIFFERENT if figures(ours) != figures(theirs) else CLOSE
    local, _at, _domain = ours.partition("@")
    # Made of a name it says what the name says; with figures in it somebody chose it.
    if len(local) > 6 and local == theirs.partition("@")[0] and figures(local):
        return LOOSE
    return DIFFERENT


def figures(value: str) -> str:
    if value.isalpha():
        return ""
    if value.isascii():
        return value.encode().translate(None, _NO_FIGURES).decode()
    return "".join(c for c in value if c.isdigit())


_NO_FIGURES = bytes(one for one in range(256) if not chr(one).isdigit() or one > 127)


def phone(ours: str, theirs: str) -> int:
    """The last digits: one may lack the area code, one digit may be wrong."""
    if ours == theirs:
        return SAME
    if len(ours) != len(theirs) and (ours.endswith(theirs) or theirs.endswith(ours)):
        return VARIANT
    return CLOSE if _typos(ours, theirs, score_cutoff=1) <= 1 else DIFFERENT


def street(ours: tuple[str, str, str], theirs: tuple[str, str, str]) -> int:
    """A street line: the street, then the house number."""
    if ours[0] == theirs[0]:
        return SAME
    likeness = text(ours[2], theirs[2]) if ours[2] and theirs[2] else BLANK
    same_number = ours[1] == theirs[1]
    if likeness in {SAME, VARIANT}:
        if not ours[1] or not theirs[1]:
            return VARIANT
        return VARIANT if same_number else (CLOSE if _near(ours[1], theirs[1]) else LOOSE)
    if likeness == CLOSE:
        return CLOSE if same_number or not ours[1] or not theirs[1] else LOOSE
    if likeness == LOOSE:
        return LOOSE
    return LOOSE if likeness == BLANK and same_number else DIFFERENT


def _near(ours: str, theirs: str) -> bool:
    return max(len(ours), len(theirs)) > 1 and _typos(ours, theirs, score_cutoff=1) <= 1


def postcode(ours: str, theirs: str) -> int:
    """A postal code: one sign wrong, two exchanged, or the same district."""
    if ours == theirs:
        return SAME
    if len(ours) >= 4 and _typos(ours, theirs, score_cutoff=1) <= 1:
        return CLOSE
    return LOOSE if sorted(ours) == sorted(theirs) else DIFFERENT


def day(ours: str, theirs: str) -> int:
    """A date as eight digits: day and month exchanged, a digit wrong, a part wrong."""
    if ours == theirs:
        return SAME
    if (
        ours[:4] != theirs[:4]
        and ours[6:] != theirs[6:]
        and ours[4:6] != theirs[4:6]
        and len(ours) == len(theirs)
    ):
        # One typing error damages two of the three parts at most.
        return DIFFERENT
    if ours[:4] == theirs[:4] and ours[4:6] == theirs[6:] and ours[6:] == theirs[4:6]:
        return VARIANT
    if _typos(ours, theirs, score_cutoff=1) <= 1:
        return CLOSE
    same = (ours[:4] == theirs[:4]) + (ours[4:6] == theirs[4:6]) + (ours[6:] == theirs[6:])
    return LOOSE if same == 2 else DIFFERENT


def any_of(compare: Compare) -> Compare:
    """Several values on each side, of which any two may agree."""

    def best(ours: tuple[Any, ...], theirs: tuple[Any, ...]) -> int:
        least = DIFFERENT
        for one in ours:
            for other in theirs:
                least = min(least, compare(one, other))
        return least

    return best


# Criteria by which two may be unlike that have the same value.
LESS_THAN_ITSELF = frozenset({Criterion.EMAIL})
COMPARE: dict[Criterion, Compare] = {
    Criterion.EXACT: exact,
    Criterion.FIRST: exact,
    Criterion.LAST: exact,
    Criterion.SAME_DATE: exact,
    Criterion.SAME_INSTANT: exact,
    Criterion.LABEL: exact,
    Criterion.EMAIL: email,
    Criterion.PHONE: phone,
    Criterion.COMPANY: text,
    Criterion.NAME: name,
    Criterion.DOMAIN: exact,
    Criterion.TEXT: text,
    Criterion.ADDRESS: street,
    Criterion.CITY: text,
    Criterion.POSTCODE: postcode,
    Criterion.DATE: day,
}
