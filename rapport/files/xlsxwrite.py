"""An Excel workbook written in one pass and constant memory: typed cells, filter, drop-downs."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from itertools import repeat
from math import isfinite
from typing import IO

from rapport.files import xlsxparts as parts
from rapport.files.celltext import text_of
from rapport.files.column import NO, YES, ByColumns, Column, Value, clocks
from rapport.files.xlsxparts import Style

LAST_ROW = 1_048_576
CELL_CHARACTERS = 32_767
CHOICES = "_choices"
# Excel does not open the 64-bit form of a zip file that was written in one pass.
_SHEET_BYTES = 1_900_000_000
# Rows made at a time.
_SLICE = 1000
_EPOCH = date(1899, 12, 30)
_MIDNIGHT = datetime(1899, 12, 30)  # noqa: DTZ001 -- cells have no zone
_FIRST_DAY = date(1900, 3, 1)  # before it Excel counts a day that never was
_SPECIAL = re.compile("[&<>\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]|_x[0-9A-Fa-f]{4}_")
_MARKUP = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


class XlsxWriter(ByColumns):
    """Rows go to the archive as they come. A sheet that is full is followed by another.

    `left_out` counts the texts that are longer than a cell may be. They are not cut: the part of a
    text that comes back would take the place of the whole.
    """

    def __init__(self, stream: IO[bytes], columns: Sequence[Column], *, sheet: str) -> None:
        self._archive = zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=3)
        self._columns = columns
        self._title = sheet_title(sheet)
        self._letters = [letters(number) for number in range(1, len(columns) + 1)]
        self._styles = [_style(column) for column in columns]
        self._sheets: list[tuple[str, int]] = []
        self.left_out = 0
        self._begin()

    def write_columns(self, columns: Sequence[Sequence[Value]]) -> None:
        columns = [
            self._fitting(column, values)
            for column, values in zip(self._columns, columns, strict=True)
        ]
        start, end = 0, len(columns[0])
        while start < end:
            stop = min(end, start + _SLICE, start + LAST_ROW - self._row)
            made = self._rows([values[start:stop] for values in columns])
            if stop == start or (self._bytes and self._bytes + len(made) > _SHEET_BYTES):
                self._end()
                self._begin()
                continue
            self._bytes += self._sheet.write(made)
            self._row += stop - start
            start = stop

    def close(self) -> None:
        self._end()
        if any(column.choices for column in self._columns):
            self._write_choices()
        for name, text in parts.around(self._sheets, self._letters[-1]):
            self._archive.writestr(name, text)
        self._archive.close()

    def _put(self, pieces: Sequence[str]) -> None:
        self._sheet.write("".join(pieces).encode("utf-8"))

    def _begin(self) -> None:
        number = len(self._sheets) + 1
        self._sheet = self._archive.open(f"xl/worksheets/sheet{number}.xml", "w")
        self._row = 1
        self._bytes = 0
        self._put([parts.HEAD, *_sheet_head(self._columns, self._styles, first=number == 1)])
        cells = zip(self._letters, self._columns, strict=True)
        header = (_text_cell(f"{letter}1", Style.HEADER, c.name or " ") for letter, c in cells)
        self._put(['<row r="1">', *header, "</row>"])

    def _end(self) -> None:
        number = len(self._sheets) + 1
        title = self._title if number == 1 else f"{self._title} ({number})"
        self._sheets.append((title, self._row))
        area = f"A1:{self._letters[-1]}{self._row}"
        self._put([f'</sheetData><autoFilter ref="{area}"/>', *self._drop_downs(), "</worksheet>"])
        self._sheet.close()

    def _fitting(self, column: Column, values: Sequence[Value]) -> Sequence[Value]:
        """The values of a column as they can stand in cells."""
        kinds = set(map(type, values))
        if datetime in kinds:
            values = clocks(column, values)
        if bool in kinds and column.choices:
            # What is chosen from a list is text.
            values = [(NO, YES)[value] if isinstance(value, bool) else value for value in values]
        if str in kinds and any(type(v) is str and len(v) > CELL_CHARACTERS for v in values):
            fits = [not (isinstance(v, str) and len(v) > CELL_CHARACTERS) for v in values]
            self.left_out += fits.count(False)
            values = [v if fit else None for v, fit in zip(values, fits, strict=True)]
        return values

    def _rows(self, columns: Sequence[Sequence[Value]]) -> bytes:
        numbers = range(self._row + 1, self._row + 1 + len(columns[0]))
        made = map(_cells, self._letters, self._styles, repeat(numbers), columns)
        rows = map("".join, zip(*made, strict=True))
        text = [f'<row r="{number}">{row}</row>' for number, row in zip(numbers, rows, strict=True)]
        return "".join(text).encode("utf-8")

    def _drop_downs(self) -> Iterator[str]:
        """Choices stand on a hidden sheet, because a list inside a rule may have 255 characters."""
        offered = [
            (letter, column)
            for letter, column in zip(self._letters, self._columns, strict=True)
            if column.choices
        ]
        if not offered:
            return
        yield f'<dataValidations count="{len(offered)}">'
        for place, (letter, column) in enumerate(offered, 1):
            source = f"{CHOICES}!${letters(place)}$1:${letters(place)}${len(column.choices)}"
            yield (
                '<dataValidation type="list" allowBlank="1" showErrorMessage="1" '
                f'sqref="{letter}2:{letter}{LAST_ROW}"><formula1>{source}</formula1></dataValidation>'
            )
        yield "</dataValidations>"

    def _write_choices(self) -> None:
        lists = [column.choices for column in self._columns if column.choices]
        with self._archive.open(f"xl/worksheets/sheet{len(self._sheets) + 1}.xml", "w") as part:
            part.write(f'{parts.HEAD}<worksheet xmlns="{parts.MAIN}"><sheetData>'.encode())
            for row in range(1, max(map(len, lists)) + 1):
                cells = "".join(
                    _text_cell(f"{letters(place)}{row}", Style.TEXT, offered[row - 1])
                    for place, offered in enumerate(lists, 1)
                    if row <= len(offered)
                )
                part.write(f'<row r="{row}">{cells}</row>'.encode())
            part.write(b"</sheetData></worksheet>")
        self._sheets.append((CHOICES, 0))


def sheet_title(text: str) -> str:
    """`text` as the name of a sheet, with room for a number behind it."""
    return re.sub(r"[\[\]:*?/\\\s]+", " ", text).strip("' ")[:24] or "Sheet1"


def letters(number: int) -> str:
    """A for 1, AA for 27."""
    name = ""
    while number:
        number, place = divmod(number - 1, 26)
        name = chr(65 + place) + name
    return name


def _style(column: Column) -> int:
    if column.kind == "number":
        return (
            Style.GENERAL
            if column.decimals is None
            else Style.MONEY
            if column.decimals
            else Style.GENERAL
        )
    return {"date": Style.DATE, "datetime": Style.DATETIME, "yes-no": Style.GENERAL}.get(
        column.kind, Style.TEXT
    )


def _sheet_head(columns: Sequence[Column], styles: list[int], *, first: bool) -> Iterator[str]:
    selected = ' tabSelected="1"' if first else ""
    yield (
        f'<worksheet xmlns="{parts.MAIN}"><sheetViews><sheetView{selected} workbookViewId="0">'
        '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
        '<selection pane="bottomLeft"/></sheetView></sheetViews>'
        '<sheetFormatPr defaultRowHeight="15"/><cols>'
    )
    for number, (column, style) in enumerate(zip(columns, styles, strict=True), 1):
        hidden = ' hidden="1"' if column.hidden else ""
        yield (
            f'<col min="{number}" max="{number}" width="{column.width}" style="{style}"'
            f'{hidden} customWidth="1"/>'
        )
    yield "</cols><sheetData>"


def _cells(letter: str, style: int, numbers: range, values: Sequence[Value]) -> list[str]:
    """The cells of a column, '' for a blank."""
    if not set(map(type, values)) <= {str, type(None)}:
        return [
            "" if value is None or value == "" else _typed_cell(f"{letter}{number}", style, value)
            for number, value in zip(numbers, values, strict=True)
        ]
    if _SPECIAL.search("\n".join(filter(None, values))):  # type: ignore[arg-type]
        values = [
            _SPECIAL.sub(_encoded, value) if isinstance(value, str) else "" for value in values
        ]
    head = f'<c r="{letter}'
    middle = f'" s="{style}" t="inlineStr"><is><t xml:space="preserve">'
    return [
        f"{head}{number}{middle}{value}</t></is></c>" if value else ""
        for number, value in zip(numbers, values, strict=True)
    ]


def _text_cell(reference: str, style: int, text: str) -> str:
    encoded = _SPECIAL.sub(_encoded, text)
    return (
        f'<c r="{reference}" s="{style}" t="inlineStr"><is>'
        f'<t xml:space="preserve">{encoded}</t></is></c>'
    )


def _typed_cell(reference: str, style: int, value: object) -> str:
    if isinstance(value, bool):
        return f'<c r="{reference}" s="{style}" t="b"><v>{int(value)}</v></c>'
    number = _number(value)
    if number is None:
        return _text_cell(reference, style, text_of(value))
    return f'<c r="{reference}" s="{style}"><v>{number}</v></c>'


def _number(value: object) -> str | None:
    """What stands in the cell, or None where Excel could not keep every digit or the day."""
    if isinstance(value, int):
        return str(value) if abs(value) < 10**15 else None
    if isinstance(value, float):
        return repr(value) if isfinite(value) else None
    if isinstance(value, Decimal):
        digits = value.normalize().as_tuple()
        exact = isinstance(digits.exponent, int) and len(digits.digits) <= 15
        return format(value, "f") if exact else None
    if isinstance(value, datetime):
        if value.tzinfo is not None or value.date() < _FIRST_DAY:
            return None
        since = value - _MIDNIGHT
        return repr(since.days + since.seconds / 86_400)
    if isinstance(value, date):
        return str((value - _EPOCH).days) if value >= _FIRST_DAY else None
    if isinstance(value, time):
        return None
    return None


def _encoded(match: re.Match[str]) -> str:
    """Markup as entities; what XML forbids, and what looks like its stand-in, as _xHHHH_."""
    found = match[0]
    if found in _MARKUP:
        return _MARKUP[found]
    return f"_x005F{found}" if len(found) > 1 else f"_x{ord(found):04X}_"
