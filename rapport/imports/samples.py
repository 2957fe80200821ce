"""What the first values of columns look like."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from rapport.meta.days import read_moment
from rapport.meta.folding import fold

from . import words


def values_of(sample: Sequence[Sequence[str]], index: int) -> list[str]:
    """What stands in the column, without blanks."""
    found = (row[index].strip() for row in sample if index < len(row))
    return [value for value in found if value]


def are_salutations(values: Sequence[str]) -> bool:
    """Whether most are forms of address, or there are none."""
    known = sum(fold(value).rstrip(".") in words.SALUTATIONS for value in values)
    return not values or known * 2 > len(values)


# In Chinese, Japanese and Korean names have no blank and few signs.
_PERSON = re.compile(
    r"[^\W\d_]['’.\w-]*( (?:[^\W\d_]['’.\w-]*|[a-zß-ÿ]{2,3})){1,3}"
    r"|[\u4e00-\u9fff]{2,4}|[가-힣]{2,4}"
)


def are_people(values: Sequence[str]) -> bool:
    """Whether most look like whole names of people."""
    people, others = 0, words.LEGAL_FORMS | words.NOT_IN_NAMES
    for value in values:
        parts = {word.strip(".,") for word in fold(value).split()}
        if _PERSON.fullmatch(_turned(value)) and not parts & others:
            people += len(parts) < 4 or bool(parts & words.PARTICLES)
    return people * 2 > len(values)


def _turned(value: str) -> str:
    """'Bo, Anna' as 'Anna Bo'."""
    last, comma, first = value.partition(",")
    return f"{first.strip()} {last.strip()}" if comma and "," not in first else value


def first_addresses(sample: Sequence[Sequence[str]], columns: int) -> int | None:
    """The first column of e-mail addresses."""
    for index in range(columns):
        values = values_of(sample, index)
        if values and all(map(is_address, values)):
            return index
    return None


def is_address(value: str) -> bool:
    """Whether it is an e-mail address and nothing else."""
    return bool(_EMAIL.fullmatch(value))


_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]{2,}")


def first_text(
    sample: Sequence[Sequence[str]], columns: Iterable[int], limit: int, *, words: bool = False
) -> int | None:
    """The first of the columns that always says something short: words that are mostly not the same
    before what has letters in it, and that before digits; with `words` no others."""
    if not sample:
        return None
    by_column = {i: values_of(sample, i) for i in columns}
    full = [
        index
        for index, found in by_column.items()
        if len(found) == len(sample) and (not limit or max(map(len, found)) <= limit)
    ]
    own = [i for i in full if len(set(by_column[i])) * 2 > len(by_column[i])]
    worded = [i for i in own if all(map(_is_worded, by_column[i]))]
    if words or worded:
        return next(iter(worded), None)
    texts = [i for i in full if all(any(c.isalpha() for c in value) for value in by_column[i])]
    return next((i for i in texts if i in own), next(iter(texts or full), None))


# A sign that is not Latin may be a word alone.
_LETTERS = re.compile(r"[^\W\d_]{2}|[^\W\d_a-zA-Z]")
# “https://x.de/a”, “web01.x.de”, “/srv/a”, “10.0.0.1/8”.
_ADDRESS = re.compile(r"\w+://\S+|\S+\.[a-z]{2,}(?:/\S*)?|/?\S+/\S*/\S*", re.IGNORECASE)


def _is_worded(value: str) -> bool:
    """Whether there is a word in it that may be a name: it is no day, code or address."""
    if not _LETTERS.search(value) or _EMAIL.fullmatch(value) or _ADDRESS.fullmatch(value):
        return False
    return not any(c.isdigit() for c in value) or read_moment(value, "dmy", "UTC") is None
