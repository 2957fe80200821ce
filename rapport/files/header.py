"""Where a table begins: the row of its header, the names in it, and how wide the table is."""

from __future__ import annotations

from dataclasses import dataclass

from rapport.files import canonical
from rapport.files.limits import LIMITS
from rapport.files.refusal import FileRefused, empty, gettext_noop
from rapport.files.rows import Source, is_blank, take, without_end
from rapport.files.textstream import show_bytes

# How far ahead the header and the widest record are looked for.
_PEEK = 1000


@dataclass(frozen=True, kw_only=True)
class Header:
    columns: tuple[str, ...]
    row: int  # 0 when there is none
    guess: int | None = None  # a later row that looks more like it, below a title
    above: str = ""  # what stands above it


def find(source: Source, asked: int | None, made: canonical.Converted | None) -> Header:
    """The header that was asked for (0: none), else the first row that is not blank."""
    if made and made.columns is not None:
        found = Header(columns=made.columns, row=0)
    else:
        rows = _peek(source)
        width = made.width if made else 0
        found = _without_header(rows, width) if asked == 0 else _at(rows, asked, width)
    if not found.columns:
        raise empty()
    if len(found.columns) > LIMITS.columns:
        raise canonical.too_many_columns(len(found.columns))
    return found


def _peek(source: Source) -> list[list[str]]:
    with source.opened() as found:
        rows = take(found, _PEEK, 1)
    if rows:
        without_end(rows)
    show = _unmarked if source.canonical else show_bytes
    return [[show(cell)[0] for cell in row] for row in rows]


def _unmarked(cell: str) -> tuple[str, object]:
    return canonical.shown(cell)[:2] if canonical.MARK in cell else (cell, None)


def _without_header(rows: list[list[str]], width: int) -> Header:
    widest = max((len(row) for row in rows if not is_blank(row)), default=0)
    return Header(columns=("",) * (width or widest), row=0)


def _at(rows: list[list[str]], asked: int | None, width: int) -> Header:
    """A sheet is as wide as its cells are, even where its header is shorter."""
    first = next((n for n, row in enumerate(rows, 1) if not is_blank(row)), 0)
    if not first:
        raise empty()
    at = asked or first
    if not 0 < at <= len(rows):
        raise FileRefused(
            "header",
            gettext_noop("There is no row %(row)d that could be the header."),
            gettext_noop("Choose one of the first rows."),
            row=at,
        )
    names = [name.replace("\ufeff", "").strip() for name in rows[at - 1]]
    names += [""] * (width - len(names))
    above = " · ".join(cell.strip() for row in rows[: at - 1] for cell in row if cell.strip())
    return Header(columns=tuple(names), row=at, guess=_guess(rows, at), above=above)


def _guess(rows: list[list[str]], header: int) -> int | None:
    """The first of the fullest rows that follow, if the header is at most half as full."""
    filled = [sum(bool(cell.strip()) for cell in row) for row in rows[header - 1 : header + 19]]
    most = max(filled)
    return header + filled.index(most) if filled[0] * 2 <= most else None
