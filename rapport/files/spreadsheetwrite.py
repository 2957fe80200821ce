"""XML Spreadsheet 2003 written in one pass: a workbook as one XML text, as Dynamics exports it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from math import isfinite
from typing import IO

from rapport.files.celltext import text_of
from rapport.files.column import NO, YES, ByColumns, Column, Value, clocks
from rapport.files.spreadsheetml import ENCODED
from rapport.files.xlsxwrite import CELL_CHARACTERS, CHOICES, LAST_ROW, sheet_title

_SLICE = 1000
_FIRST_YEAR = 1900
_SPECIAL = re.compile('[&<>"\r\n]')
_MARKUP = {
    "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;", "\n": "&#10;",
}  # fmt: skip
# What XML cannot hold at all, and what looks like its stand-in.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]|_x[0-9A-F]{4}_")
_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<?mso-application progid="Excel.Sheet"?>\n'
    '<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" '
    'xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet" '
    'xmlns:x="urn:schemas-microsoft-com:office:excel">\n<Styles>'
    '<Style ss:ID="Default"/>'
    '<Style ss:ID="header"><Font ss:Bold="1"/></Style>'
    '<Style ss:ID="text"><NumberFormat ss:Format="@"/></Style>'
    f'<Style ss:ID="{ENCODED}"><NumberFormat ss:Format="@"/></Style>'
    '<Style ss:ID="date"><NumberFormat ss:Format="Short Date"/></Style>'
    '<Style ss:ID="datetime"><NumberFormat ss:Format="General Date"/></Style>'
    '<Style ss:ID="money"><NumberFormat ss:Format="Standard"/></Style>'
    "</Styles>\n"
)
_STYLES = {"date": "date", "datetime": "datetime"}
_FROZEN = (
    '<WorksheetOptions xmlns="urn:schemas-microsoft-com:office:excel"><FreezePanes/>'
    "<FrozenNoSplit/><SplitHorizontal>1</SplitHorizontal><TopRowBottomPane>1</TopRowBottomPane>"
    "<ActivePane>2</ActivePane></WorksheetOptions>"
)
_HIDDEN = (
    '<WorksheetOptions xmlns="urn:schemas-microsoft-com:office:excel">'
    "<Visible>SheetHidden</Visible></WorksheetOptions>"
)


class SpreadsheetWriter(ByColumns):
    """Rows go out as they come; a sheet that is full is followed by another. `left_out` as in
    `XlsxWriter`."""

    def __init__(self, stream: IO[bytes], columns: Sequence[Column], *, sheet: str) -> None:
        self._stream = stream
        self._columns = columns
        self._title = sheet_title(sheet)
        self._sheets = 0
        self.left_out = 0
        self._put(_HEAD)
        self._begin()

    def write_columns(self, columns: Sequence[Sequence[Value]]) -> None:
        start, end = 0, len(columns[0])
        while start < end:
            if self._row >= LAST_ROW:
                self._end()
                self._begin()
            stop = min(end, start + _SLICE, start + LAST_ROW - self._row)
            made = [
                self._cells(column, values[start:stop])
                for column, values in zip(self._columns, columns, strict=True)
            ]
            rows = "</Row>\n<Row>".join(map("".join, zip(*made, strict=True)))
            self._put(f"<Row>{rows}</Row>\n")
            self._row += stop - start
            start = stop

    def close(self) -> None:
        self._end()
        if lists := [column.choices for column in self._columns if column.choices]:
            self._write_choices(lists)
        self._put("</Workbook>\n")

    def _put(self, text: str) -> None:
        self._stream.write(text.encode("utf-8"))

    def _begin(self) -> None:
        self._sheets += 1
        title = self._title if self._sheets == 1 else f"{self._title} ({self._sheets})"
        self._put(f'<Worksheet ss:Name="{_escaped(title)}"><Table>')
        for column in self._columns:
            hidden = ' ss:Hidden="1"' if column.hidden else ""
            # In points, of which a character of the usual font takes about five and a half.
            self._put(f'<Column ss:Width="{column.width * 5.5:g}" ss:AutoFitWidth="0"{hidden}/>')
        self._put("<Row>")
        self._put("".join(_text_cell("header", column.name or " ") for column in self._columns))
        self._put("</Row>\n")
        self._row = 1

    def _end(self) -> None:
        self._put(f"</Table>{_FROZEN}")
        for text in self._rules():
            self._put(text)
        self._put("</Worksheet>\n")

    def _rules(self) -> Iterator[str]:
        office = 'xmlns="urn:schemas-microsoft-com:office:excel"'
        yield f'<AutoFilter x:Range="R1C1:R{self._row}C{len(self._columns)}" {office}/>'
        offered = [place for place, column in enumerate(self._columns, 1) if column.choices]
        for number, place in enumerate(offered, 1):
            source = f"{CHOICES}!R1C{number}:R{len(self._columns[place - 1].choices)}C{number}"
            yield (
                f"<DataValidation {office}><Range>R2C{place}:R{LAST_ROW}C{place}</Range>"
                f"<Type>List</Type><UseBlank/><Value>{source}</Value></DataValidation>"
            )

    def _write_choices(self, lists: Sequence[Sequence[str]]) -> None:
        """On a hidden sheet of their own, because a list inside a rule may have 255 characters."""
        self._put(f'<Worksheet ss:Name="{CHOICES}"><Table>')
        for row in range(max(map(len, lists))):
            cells = (_text_cell("text", one[row]) if row < len(one) else "<Cell/>" for one in lists)
            self._put(f"<Row>{''.join(cells)}</Row>")
        self._put(f"</Table>{_HIDDEN}</Worksheet>\n")

    def _cells(self, column: Column, values: Sequence[Value]) -> list[str]:
        kinds = set(map(type, values))
        if datetime in kinds:
            values = clocks(column, values)
        if bool in kinds and column.choices:
            values = [(NO, YES)[value] if isinstance(value, bool) else value for value in values]
        return [self._cell(column, value) for value in values]

    def _cell(self, column: Column, value: Value) -> str:
        if value is None or value == "":
            return "<Cell/>"
        kind, text = _typed(value)
        if kind != "String":
            style = "money" if column.decimals else _STYLES.get(column.kind, "Default")
            return f'<Cell ss:StyleID="{style}"><Data ss:Type="{kind}">{text}</Data></Cell>'
        if len(text) > CELL_CHARACTERS:
            self.left_out += 1
            return "<Cell/>"
        return _text_cell("text", text)


def _text_cell(style: str, text: str) -> str:
    if _FORBIDDEN.search(text):
        style = ENCODED
        text = _FORBIDDEN.sub(_stand_in, text)
    return f'<Cell ss:StyleID="{style}"><Data ss:Type="String">{_escaped(text)}</Data></Cell>'


def _escaped(text: str) -> str:
    return _SPECIAL.sub(lambda found: _MARKUP[found[0]], text) if _SPECIAL.search(text) else text


def _stand_in(match: re.Match[str]) -> str:
    found = match[0]
    return f"_x005F{found}" if len(found) > 1 else f"_x{ord(found):04X}_"


def _typed(value: Value) -> tuple[str, str]:
    """What the format calls a value, and its text. A number that a spreadsheet could not keep
    every digit of is text."""
    if isinstance(value, bool):
        return "Boolean", str(int(value))
    if isinstance(value, datetime):
        if value.tzinfo is None and value.year > _FIRST_YEAR:
            return "DateTime", value.isoformat(timespec="milliseconds")
    elif isinstance(value, date) and value.year > _FIRST_YEAR:
        return "DateTime", f"{value.isoformat()}T00:00:00.000"
    elif isinstance(value, int) and abs(value) < 10**15:
        return "Number", str(value)
    elif isinstance(value, float) and isfinite(value):
        return "Number", repr(value)
    elif (
        isinstance(value, Decimal)
        and value.is_finite()
        and len(value.normalize().as_tuple().digits) <= 15
    ):
        return "Number", format(value, "f")
    return "String", text_of(value)
