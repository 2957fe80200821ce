"""OpenDocument sheets that the library cannot read, or of which it tells too little: files that are
flat or indented, formulas without a result, errors, times. It is ten times as fast."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import IO

from rapport.files import archive, safexml
from rapport.files.canonical import Converted, Sink, marked
from rapport.files.celltext import moment, number
from rapport.files.detect import Sheet
from rapport.files.limits import LIMITS
from rapport.files.refusal import damaged
from rapport.files.safexml import Element, local

_CONTENT = "content.xml"
_TIME = re.compile(r"(-?)PT(\d+)H(\d+)M(\d+)(?:[.,]\d+)?S")
_WHITE = re.compile(r"\s+")
_ROWS = 1_048_576
_SPECIAL = archive.Sought(
    re.compile(
        rb"<(?:\w+:)?table-cell\b(?=[^>]*\bformula=)(?![^>]*value-type)[^>]*/>"
        rb"|value-type=.(?:error|time)\b"
    ),
    (b"formula=", b'value-type="error', b'value-type="time'),
)
# A whole number that is shown with leading zeros.
_CODES = archive.Sought(
    re.compile(
        rb"""[^-]\bvalue=["']\d+["'][^<>]*>\s*<(?:\w+:)?p\b[^<>]*>\s*[-+ ()/]*0[-+ ()/]*\d"""
    ),
    (b">0", b">(0", b">+0"),
)
# A code whose digits a format arranges: 00042, 012-34-5678.
_CODE = re.compile(r"[-+ ()/]*0[-+ ()/\d]*\d[-+ ()/\d]*")
_NO_DIGIT = re.compile(r"\D+")
_NUMBERS = frozenset({"float", "percentage", "currency"})
_BREAKS = {"tab": "\t", "line-break": "\n"}


def is_special(path: Path) -> bool:
    """Whether the library would tell too little of it."""
    with _opened(path) as stream:
        return archive.search(stream, _SPECIAL, _CODES)


def _has_codes(path: Path) -> bool:
    with _opened(path) as stream:
        return archive.search(stream, _CODES)


def sheets(path: Path) -> tuple[Sheet, ...]:
    """The sheets, with the last row of each that holds something."""
    found: list[Sheet] = []
    hidden: set[str] = set()
    row = 0
    for event, element in _events(path, ("style", "table", "table-row")):
        if event == "start":
            if _is_sheet(element):
                style = _attribute(element, "style-name")
                found.append(
                    Sheet(name=_attribute(element, "name"), rows=0, hidden=style in hidden)
                )
                row = 0
        elif _is(element, "style"):
            if _is_hidden(element):
                hidden.add(_attribute(element, "name"))
        elif _is(element, "table-row"):
            if _is_sheet(_table_of(element)):
                row += _repeated(element, "rows")
                if any(_cells(element)):
                    found[-1] = replace(found[-1], rows=row)
            safexml.forget(element)
    return tuple(found)


def convert(path: Path, sheet: str | None, target: Path) -> Converted:
    sink = Sink(target)
    try:
        blank = 0
        for row in _rows(path, sheet):
            cells = list(_cells(row))
            repeated = _repeated(row, "rows")
            if not cells:
                blank += repeated
                continue
            if sink.rows + blank + repeated > _ROWS:
                raise damaged(f"more than {_ROWS} rows")
            sink.add_all([()] * blank + [cells] * repeated)
            blank = 0
            sink.marked = sink.marked or any("\0" in cell for cell in cells)
        return sink.converted(notes=("masked",) if _has_codes(path) else ())
    finally:
        sink.close()


def _rows(path: Path, sheet: str | None) -> Iterator[Element]:
    for event, element in _events(path, ("table-row",)):
        if event == "end":
            table = _table_of(element)
            if _is_sheet(table) and sheet in {None, _attribute(table, "name")}:
                yield element
            safexml.forget(element)


def _events(path: Path, names: tuple[str, ...]) -> Iterator[tuple[str, Element]]:
    with _opened(path) as stream:
        yield from safexml.events_of(stream, ("start", "end"), names)


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """The XML with the sheets: a part of the archive, or the file itself."""
    if not zipfile.is_zipfile(path):
        with path.open("rb") as stream:
            yield stream
        return
    with archive.opened(path) as opened, archive.honest(), opened.open(_CONTENT) as stream:
        yield stream


def _attribute(element: Element, wanted: str) -> str:
    """By its local name, whatever the prefix of the namespace."""
    return next((text for name, text in element.attrib.items() if local(name) == wanted), "")


def _is_hidden(style: Element) -> bool:
    return any(
        local(child.tag) == "table-properties" and _attribute(child, "display") == "false"
        for child in style
        if isinstance(child.tag, str)
    )


def _table_of(row: Element) -> Element:
    """Rows may stand in groups."""
    found = row.getparent()
    while found is not None and local(found.tag) != "table":
        found = found.getparent()
    return found


def _is_sheet(table: Element) -> bool:
    """Not a table inside a cell or a copy of linked cells."""
    if table is None or not _is(table, "table"):
        return False
    parent = table.getparent()
    return parent is not None and _is(parent, "spreadsheet")


def _repeated(element: Element, what: str) -> int:
    return _whole(_attribute(element, f"number-{what}-repeated"))


def _cells(row: Element) -> Iterator[str]:
    """The texts of a row up to the last that is not blank."""
    blank = 0
    for cell in row:
        name = local(cell.tag) if isinstance(cell.tag, str) else ""
        if name not in {"table-cell", "covered-table-cell"}:
            continue
        text = _text(cell)
        # More than can be read is refused by the one that writes them.
        repeated = min(_repeated(cell, "columns"), LIMITS.columns + 1)
        if not text:
            blank += repeated
            continue
        yield from [""] * blank
        yield from [text] * repeated
        blank = 0


def _text(cell: Element) -> str:
    kinds = [text for name, text in cell.attrib.items() if local(name) == "value-type"]
    kind = "error" if "error" in kinds else "".join(kinds[:1])
    value = _attribute(cell, "value")
    if kind in _NUMBERS and value:
        try:
            return _as_code(cell, value) or number(float(value))
        except (ValueError, OverflowError):
            return value
    if kind == "date":
        return _date(_attribute(cell, "date-value"))
    if kind == "time":
        return _TIME.sub(r"\1\2:\3:\4", _attribute(cell, "time-value"))
    if kind == "boolean":
        return _attribute(cell, "boolean-value")
    text = "\n".join(_paragraph(child) for child in cell if _is(child, "p"))
    if kind == "error" and text:
        return marked("error", text)
    # A result that is empty text has an empty paragraph.
    if not kind and not len(cell) and _attribute(cell, "formula"):
        return marked("formula", _attribute(cell, "formula"))
    return text or _attribute(cell, "string-value")


def _as_code(cell: Element, value: str) -> str:
    """What is shown of a whole number whose format gives it leading zeros."""
    if not value.isascii() or not value.isdigit():
        return ""
    shown = "".join(_paragraph(child) for child in cell if _is(child, "p"))
    same = _CODE.fullmatch(shown) and int(_NO_DIGIT.sub("", shown)) == int(value)
    return shown if same else ""


def _date(text: str) -> str:
    try:
        return moment(datetime.fromisoformat(text).replace(tzinfo=None))
    except ValueError:
        return text


def _is(element: Element, wanted: str) -> bool:
    return isinstance(element.tag, str) and local(element.tag) == wanted


def _paragraph(element: Element) -> str:
    return re.sub(" ?\n ?", "\n", "".join(_pieces(element)).strip())


def _pieces(element: Element) -> Iterator[str]:
    """Line breaks and runs of blanks of the file itself are one blank; meant ones are elements."""
    yield _WHITE.sub(" ", element.text or "")
    for child in element:
        name = local(child.tag) if isinstance(child.tag, str) else ""
        if name == "s":
            yield " " * min(_whole(_attribute(child, "c")), 1000)
        elif name in _BREAKS:
            yield _BREAKS[name]
        elif name not in {"annotation", "note", ""}:
            yield from _pieces(child)
        yield _WHITE.sub(" ", child.tail or "")


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 8 else 1
