"""How a text file separates its cells: delimiter, quotation mark, escapes, an Excel `sep=` line."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from math import log2
from typing import Protocol

from rapport.files.limits import LIMITS
from rapport.files.textstream import as_stream

# Where two make equally good tables, the one that is rarer in ordinary text comes first.
DELIMITERS = ("\t", ";", "|", ",")
# Signs that hardly any program takes: only where none of the others divides the first line.
_RARE = ("^", "~", "¦", "§")
# A file of one column has no delimiter; the csv module wants one that cannot occur.
NO_DELIMITER = "\x1f"
SEP_LINE = re.compile(r"""^"?sep=([^"'\r\n\\])"?[ \t,;]*\r?\n?$""", re.IGNORECASE)
HEAD = 262_144

csv.field_size_limit(LIMITS.cell_characters)


class Rows(Protocol):
    """Rows of cells, as the csv module reads them."""

    @property
    def line_num(self) -> int:
        """How many lines have been read."""

    def __iter__(self) -> Iterator[list[str]]: ...

    def __next__(self) -> list[str]: ...


@dataclass(frozen=True, kw_only=True)
class Dialect:
    delimiter: str = ","
    quote: str = '"'  # "" when nothing is quoted
    escape: str = ""  # "\\" when a backslash keeps the next character
    skip_blanks: bool = False  # blanks between a delimiter and a quotation mark
    sep_line: bool = False  # the first line is Excel's `sep=;`

    def reader(self, lines: Iterable[str]) -> Rows:
        return csv.reader(
            self._with_lone_backslashes(lines) if self.escape else lines,
            delimiter=self.delimiter or NO_DELIMITER,
            quotechar=self.quote or None,
            quoting=csv.QUOTE_MINIMAL if self.quote else csv.QUOTE_NONE,
            escapechar=self.escape or None,
            skipinitialspace=self.skip_blanks,
            doublequote=True,
        )

    def _with_lone_backslashes(self, lines: Iterable[str]) -> Iterator[str]:
        """The lines, with each backslash doubled that keeps no sign from taking the record apart:
        the csv module would swallow those of paths and of what a program means by them."""
        signs = re.escape(f"{self.delimiter}{self.quote}{self.escape}")
        escape = re.escape(self.escape)
        lone = re.compile(rf"((?:{escape}[{signs}\r\n])+)|{escape}")
        twice = self.escape * 2
        for line in lines:
            yield lone.sub(lambda found: found[1] or twice, line) if self.escape in line else line


def sniff_dialect(head: str, *, complete: bool) -> Dialect:
    """The dialect in which the whole head makes the most regular table."""
    first, _, rest = head.partition("\n")
    asked = SEP_LINE.match(first)
    if asked:
        head = rest
    quote = _quote(head)
    best = Dialect(delimiter="", quote=quote)
    best_score = 0.0
    for delimiter in (asked[1],) if asked else _likely(head):
        whole = False
        for escape in _escapes(head, quote, delimiter):
            tried = Dialect(delimiter=delimiter, quote=quote, escape=escape)
            rows = _rows(tried, head, complete=complete)
            score = _score(rows)
            if score > best_score + 1e-9 and not whole:
                best, best_score = tried, score
            # Where the likelier reading leaves nothing open the other one only joins records.
            whole = whole or (score > 0 and len({len(row) for row in rows if row}) == 1)
    if asked:
        best = replace(best, delimiter=asked[1], sep_line=True)
    return _with_blanks(best, head, complete=complete)


def _likely(head: str) -> tuple[str, ...]:
    """The delimiters worth trying."""
    line = next((line for line in head.splitlines() if line.strip()), "")
    if any(sign in line for sign in DELIMITERS):
        return DELIMITERS
    return (*DELIMITERS, *(sign for sign in _RARE if sign in line))


def _escapes(head: str, quote: str, delimiter: str) -> tuple[str, ...]:
    """The escapes worth trying, the likelier first: a backslash and a quotation mark in the middle
    of a cell are one sign, at its end they are a path and the end."""
    if not quote or "\\" + quote not in head:
        return ("",)
    ends = re.escape(f"{delimiter}\r\n{quote}")
    inside = re.search(rf"(?<![{ends}\\])\\{re.escape(quote)}(?![{ends}]|$)", head)
    return ("\\", "") if inside else ("", "\\")


def _rows(dialect: Dialect, head: str, *, complete: bool) -> list[list[str]]:
    rows: list[list[str]] = []
    try:
        rows.extend(dialect.reader(as_stream(head)))
    except csv.Error:
        return rows
    # The last record of a cut head is cut too, unless it is all there is.
    return rows if complete or len(rows) < 2 else rows[:-1]


def _score(rows: list[list[str]]) -> float:
    """Share of records that have the most common width, a little more for more columns."""
    # A line of comment says nothing of the table.
    filled = [
        row
        for row in rows
        if any(cell.strip() for cell in row) and not (len(row) == 1 and row[0].startswith("#"))
    ]
    widths = Counter(map(len, filled))
    if not widths or max(widths) == 1:
        return 0.0
    width, count = max(widths.items(), key=lambda item: (item[1], item[0]))
    if width == 1:
        # Mostly undivided lines: only a header that is divided speaks for this delimiter.
        return 0.1 if len(filled[0]) > 1 else 0.0
    # Decimal commas divide all records alike, but not the header.
    header = 1.0 if len(filled[0]) == width else 0.8
    return header * count / widths.total() * (1 + 0.2 * log2(width))


def _quote(head: str) -> str:
    if '"' in head or "'" not in head:
        return '"'
    # A single quotation mark counts only where it begins and ends cells; in O'Neill it does not.
    opening = len(re.findall(r"(?:^|[,;\t|])[ ]?'", head, re.MULTILINE))
    closing = len(re.findall(r"'(?=[,;\t|\r\n]|$)", head))
    lines = head.count("\n") or head.count("\r")
    return "'" if min(opening, closing) >= max(2, lines / 2) else '"'


def _with_blanks(dialect: Dialect, head: str, *, complete: bool) -> Dialect:
    """`a, "b, c"`: blanks before a quotation mark hide it from the csv module."""
    if not dialect.quote or not re.search(rf"[ \t]{re.escape(dialect.quote)}", head):
        return dialect
    rows = _rows(dialect, head, complete=complete)
    hidden = any(
        cell[:1] in {" ", "\t"} and cell.lstrip().startswith(dialect.quote)
        for row in rows
        for cell in row
    )
    skipping = replace(dialect, skip_blanks=True)
    if hidden and _score(_rows(skipping, head, complete=complete)) >= _score(rows):
        return skipping
    return dialect
