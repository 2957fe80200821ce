"""XML Spreadsheet 2003, the XML that Excel and Dynamics write: sheets and their rows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from html import unescape
from pathlib import Path

from rapport.files import safexml
from rapport.files.canonical import Converted, Sink, marked
from rapport.files.celltext import digit_mask, masked, moment, number
from rapport.files.detect import Sheet
from rapport.files.encoding import sniff_encoding
from rapport.files.limits import LIMITS
from rapport.files.refusal import damaged
from rapport.files.safexml import Element, local
from rapport.files.textstream import BLOCK, open_text

_SS = "{urn:schemas-microsoft-com:office:spreadsheet}"
_HEADS = re.compile(
    r"<(?:[\w.-]+:)?(Worksheet|Table|WorksheetOptions)\b([^>]*)>|<(?:\w+:)?(Visible)>SheetHidden"
)
_NAME = re.compile(r"""\bName\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_ROWS = re.compile(r"""\bExpandedRowCount\s*=\s*["'](\d+)["']""")
_OVERLAP = 2000
# The style of the cells in which our writer keeps what XML cannot hold, as _xHHHH_.
ENCODED = "encoded"
_STAND_IN = re.compile("_x([0-9A-F]{4})_")
_DATA = _SS + "Data"
_INDEX, _MERGE, _TYPE = (_SS + name for name in ("Index", "MergeAcross", "Type"))


def sheets(path: Path) -> tuple[Sheet, ...]:
    """The sheets by a quick look at the text: parsing a large file would take a minute."""
    found: list[Sheet] = []
    encoding = sniff_encoding(path).name
    with open_text(path, encoding) as stream:
        text, base = "", 0
        done = -1
        while block := stream.read(BLOCK):
            text += block
            for match in _HEADS.finditer(text):
                # The overlap is searched twice, so remember how far the last tag reached.
                if base + match.start() > done:
                    _note(match, found)
                    done = base + match.start()
            cut = max(len(text) - _OVERLAP, 0)
            text, base = text[cut:], base + cut
    if not found:
        _parse_or_refuse(path)
    return tuple(found)


def _note(match: re.Match[str], found: list[Sheet]) -> None:
    if match[1] == "Worksheet":
        name = _NAME.search(match[2])
        found.append(Sheet(name=unescape((name[1] or name[2] or "") if name else "")))
    elif found and match[1] == "Table":
        rows = _ROWS.search(match[2])
        known = int(rows[1]) if rows else None
        found[-1] = Sheet(name=found[-1].name, rows=0 if match[2].endswith("/") else known)
    elif found and match[3] == "Visible":
        found[-1] = Sheet(name=found[-1].name, rows=found[-1].rows, hidden=True)


def _parse_or_refuse(path: Path) -> None:
    """No sheet was found: say why, if the parser knows."""
    for _, element in safexml.events(path, ("end",)):
        safexml.forget(element)
    raise damaged("no worksheet")


def convert(path: Path, sheet: str | None, target: Path) -> Converted:
    sink = Sink(target)
    try:
        reader = _Reader(path, sheet)
        for index, cells in reader.rows():
            while sink.rows < index - 1:
                sink.add(())
            sink.marked = sink.marked or reader.marked
            sink.add(cells)
        return sink.converted(notes=("masked",) if reader.masked else ())
    finally:
        sink.close()


class _Reader:
    """The rows of one sheet, with the number that Excel shows beside each."""

    def __init__(self, path: Path, sheet: str | None) -> None:
        self._path = path
        self._sheet = sheet
        self._masks: dict[str, str] = {}
        self.marked = False
        self.masked = False

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        number_of_row = 0
        for _, element in safexml.events(self._path, ("end",), ("Row", "Styles", "Worksheet")):
            name = local(element.tag)
            if name == "Styles":
                self._masks = _style_masks(element)
            elif name == "Row":
                if self._is_wanted(element):
                    index = _index(element, number_of_row + 1)
                    number_of_row = index + _whole(_attribute(element, "Span"))
                    yield index, self._cells(element)
                safexml.forget(element)
            elif number_of_row:
                return

    def _is_wanted(self, row: Element) -> bool:
        """Whether a row is in the sheet that is read; it stands in a table in a worksheet."""
        table = row.getparent()
        worksheet = None if table is None else table.getparent()
        if worksheet is None:
            return False
        return self._sheet is None or _attribute(worksheet, "Name") == self._sheet

    def _cells(self, row: Element) -> list[str]:
        cells: list[str] = []
        for cell in row.iterchildren(_SS + "Cell"):
            index = cell.get(_INDEX)
            if index is not None:
                self._skip_to(cells, _index(cell, len(cells) + 1))
            cells.append(self._text(cell))
            merged = cell.get(_MERGE)
            if merged is not None:
                self._skip_to(cells, len(cells) + 1 + _whole(merged))
        while cells and not cells[-1]:
            cells.pop()
        return cells

    def _skip_to(self, cells: list[str], column: int) -> None:
        if column > LIMITS.columns + 1:
            raise damaged(f"column {column}")
        cells.extend([""] * (column - 1 - len(cells)))

    def _text(self, cell: Element) -> str:
        content = next(cell.iterchildren(_DATA), None)
        if content is None:
            return self._without_result(_attribute(cell, "Formula"))
        text = content.text or "" if not len(content) else "".join(content.itertext())
        kind = content.get(_TYPE)
        if kind == "String":
            encoded = "_x" in text and _attribute(cell, "StyleID") == ENCODED
            return _STAND_IN.sub(lambda found: chr(int(found[1], 16)), text) if encoded else text
        if kind == "Number":
            return self._number(text, _attribute(cell, "StyleID"))
        if kind == "DateTime":
            return _date_time(text)
        if kind == "Boolean":
            return "true" if text.strip() == "1" else "false"
        if kind == "Error":
            self.marked = True
            return marked("error", text)
        return text

    def _without_result(self, formula: str) -> str:
        """A cell without data: blank, unless a program has left computing to others."""
        if not formula:
            return ""
        self.marked = True
        return marked("formula", formula)

    def _number(self, text: str, style: str) -> str:
        try:
            value = float(text)
            mask = self._masks.get(style)
            if mask:
                self.masked = True
                return masked(value, mask)
            return number(value)
        except (ValueError, OverflowError):
            return text.strip()


def _style_masks(styles: Element) -> dict[str, str]:
    masks: dict[str, str] = {}
    for style in styles:
        for part in style:
            if isinstance(part.tag, str) and local(part.tag) == "NumberFormat":
                mask = digit_mask(_attribute(part, "Format"))
                if mask:
                    masks[_attribute(style, "ID")] = mask
    return masks


def _date_time(text: str) -> str:
    try:
        value = datetime.fromisoformat(text.strip())
    except ValueError:
        return text.strip()
    if value.year == 1899 and value.month == 12 and value.day >= 30:
        return moment(value).partition(" ")[2] or "00:00:00"
    return moment(value)


def _attribute(element: Element, name: str) -> str:
    return str(element.get(_SS + name) or element.get(name) or "")


def _index(element: Element, default: int) -> int:
    """`ss:Index` where cells or rows were left out. It can only go forward."""
    index = _whole(_attribute(element, "Index")) or default
    if index < default or index > 1_048_576:
        raise damaged(f"index {index}")
    return index


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
