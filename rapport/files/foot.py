"""What programs write below a table: the name of the report, its copyright, who made it, totals."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile
from typing import TYPE_CHECKING

from rapport.files.refusal import Message, gettext_noop
from rapport.files.textstream import as_stream

if TYPE_CHECKING:
    from rapport.files.rows import Source

FOOT = Message(gettext_noop("This is the foot of a report, not a record."))
# So much of the end is looked at; a foot is a few lines.
_TAIL, _LINES = 8192, 5
# How many records there are, or what they add up to: only below rows of several cells.
_COUNT = re.compile(
    r"(?:(?:grand |sub)?totals?|sum|summe|gesamt(?:summe|zahl)?|anzahl|count|number of \w+|nombre"
    r"|totale?|total général|suma|somma|totaal|razem)(?: \w+)?\s*[:=]\s*\d[\d.,'\s]*"
    r"|\(?\d[\d.,'\s]* (?:records?|rows?|entries|items|results?|contacts?|accounts?|leads?"
    r"|datensätze|einträge|zeilen|enregistrements|registros|righe)"
    r"(?: (?:exported|found|total))?\)?",
    re.IGNORECASE,
)
# Lines that no list of people or companies has.
_TELLING = re.compile(
    r"copyright (?:\(c\)|©) [-\d ]+ salesforce\.com, inc\b.*"
    r"|confidential information - do not distribute\W*"
    r"|grand totals? \(\d[\d.,]* records?\)",
    re.IGNORECASE,
)
_TOTALS = re.compile(r"(?:grand |sub)?totals?(?: \([^()]*\))?:?", re.IGNORECASE)
_FIGURE = re.compile(r"[^\w\s]?\s?(?:[A-Z]{3}\s)?-?[\d.,'\s]*\d%?\s?\S?|sum|count|average|avg")

Filled = tuple[str, ...]


def of(source: Source) -> frozenset[Filled]:
    """The rows of the foot, each as its filled cells; none where no line tells that it is one."""
    rows = _last_rows(source)
    # A table may end in lines of one cell, too: only what follows a telling one, and what stands
    # with it below a blank line, is no record.
    below = list(takewhile(_may_be_foot, map(filled, reversed(rows))))[::-1]
    is_wide = any(len(filled(row)) > 1 for row in rows[: len(rows) - len(below)])
    telling = [
        place
        for place, row in enumerate(below)
        if len(row) == 1 and (_tells(row[0]) or (is_wide and _COUNT.fullmatch(row[0])))
    ]
    if not telling:
        return frozenset()
    blank = [place for place in range(telling[0]) if not below[place]]
    start = blank[-1] if blank else telling[0]
    while start and (not below[start - 1] or _TOTALS.fullmatch(below[start - 1][0])):
        start -= 1
    return frozenset(row for row in below[start:] if row)


def filled(row: Sequence[str]) -> Filled:
    return tuple(cell.strip() for cell in row if cell.strip())


def _tells(text: str) -> bool:
    return bool(_TELLING.fullmatch(text))


def _may_be_foot(row: Filled) -> bool:
    """Blank, or one cell, or what the columns add up to."""
    figures = row[1:]
    return not figures or bool(_TOTALS.fullmatch(row[0]) and all(map(_FIGURE.fullmatch, figures)))


def _last_rows(source: Source) -> list[list[str]]:
    with source.path.open("rb") as stream:
        size = stream.seek(0, 2)
        # The same distance from a letter's first byte in encodings of two and four.
        stream.seek(max(0, size - _TAIL) // 4 * 4)
        text = stream.read().decode(source.encoding, "replace").replace("\0", "")
    tells = _TELLING.search(text) or any(map(_COUNT.search, text.splitlines()[-_LINES:]))
    return list(source.dialect.reader(as_stream(text))) if tells else []
