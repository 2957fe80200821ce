"""Excel and OpenDocument workbooks: their sheets, and one sheet as rows of text."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from itertools import chain, repeat
from pathlib import Path
from typing import Any

from rapport.files import archive, binarycells, oldcells, opendocument, package, safexml
from rapport.files.canonical import MARK, Converted, Sink, marked
from rapport.files.celltext import digit_mask, masked, text_of
from rapport.files.detect import Format, Sheet
from rapport.files.limits import Limits
from rapport.files.refusal import FileRefused, damaged, empty, gettext_noop
from rapport.files.safexml import Element, local

_DIMENSION = re.compile(rb'<(?:\w+:)?dimension\s[^>]*ref="[A-Z]+\d+:[A-Z]+(\d+)"')
_CELL = re.compile(rb"<(?:\w+:)?c[\s>/]")
_END = re.compile(rb"</(?:\w+:)?worksheet>")
_ROW = re.compile(rb"<(?:\w+:)?row[\s>/]")
_ERROR = archive.Sought(re.compile(rb"""\st=["']e["']"""), (b't="e"', b"t='e'"))
# Nothing follows the formula: the program that wrote it does not compute.
_NO_RESULT = archive.Sought(
    re.compile(
        rb"(?:</(?:\w+:)?f>|<(?:\w+:)?f\b[^<>]*/>)\s*"
        rb"(?:<(?:\w+:)?v>\s*</(?:\w+:)?v>|<(?:\w+:)?v\s*/>)?\s*</(?:\w+:)?c>"
    ),
    (b"</f>", b"<f ", b"<f/", b":f>", b":f ", b":f/"),
)
_COUNT_UP_TO = 64 * 1024**2
# So many texts are found sooner one by one than by a pattern.
_FEW = 16


def sheets(path: Path, kind: Format, limits: Limits) -> tuple[Sheet, ...]:
    if kind != "xlsx":
        from rapport.files import convert  # convert leans on this module

        return convert.sheets_by_child(path, kind, limits)
    with archive.opened(path, limits) as opened:
        return tuple(
            Sheet(name=part.name, rows=_rows(opened, part.member), hidden=part.hidden)
            for part in package.parts(opened)
        )


def _rows(opened: zipfile.ZipFile, member: str) -> int | None:
    """The last row by the sheet's own word; else count the rows, if that is quickly done."""
    head = archive.head(opened, member, 8192)
    if _END.search(head) and not _CELL.search(head):
        return 0
    dimension = _DIMENSION.search(head)
    if dimension:
        return int(dimension[1])
    if opened.getinfo(member).file_size > _COUNT_UP_TO:
        return None
    return len(_ROW.findall(archive.read_member(opened, member, _COUNT_UP_TO)))


def convert(path: Path, kind: str, sheet: str | None, target: Path) -> Converted:
    """One sheet as the canonical file, in a process of its own: the library holds all cells."""
    import python_calamine  # only the process that converts needs it

    if _is_ours(path, kind):
        return opendocument.convert(path, sheet, target)
    tidy = package.tidied(path, target) if kind == "xlsx" else path
    try:
        with python_calamine.CalamineWorkbook.from_path(str(tidy)) as book:
            names = [meta.name for meta in book.sheets_metadata]
            chosen = sheet if sheet in names else _missing(sheet, names)
            # The library lets others work while it reads.
            with ThreadPoolExecutor(1) as beside:
                looking = beside.submit(_Special, path, sheet) if kind == "xlsx" else None
                found = book.get_sheet_by_name(chosen)
                special = looking.result() if looking else None
            return _write(found, special, _told(path, kind, names, found.name), target)
    except python_calamine.PasswordError as error:
        raise archive.encrypted() from error
    except python_calamine.CalamineError as error:
        if kind == "ods":
            return opendocument.convert(path, sheet, target)
        raise _refusal(error) from error
    finally:
        if tidy != path:
            tidy.unlink()


def _told(path: Path, kind: str, names: list[str], sheet: str) -> oldcells.Told:
    """What the library does not tell of the cells of a workbook that is no XML."""
    if kind == "xlsb":
        return oldcells.Told(binarycells.told(path, sheet))
    return oldcells.told(path, names.index(sheet)) if kind == "xls" else oldcells.Told({})


def _is_ours(path: Path, kind: str) -> bool:
    """Whether it is an OpenDocument sheet of which the library tells too little."""
    return kind == "ods" and (not zipfile.is_zipfile(path) or opendocument.is_special(path))


def list_sheets(path: Path, kind: str) -> list[dict[str, Any]]:
    """The sheets of a workbook that is no xlsx, for which they must be loaded."""
    import python_calamine  # only the process that converts needs it

    if _is_ours(path, kind):
        return [asdict(sheet) for sheet in opendocument.sheets(path)]
    try:
        with python_calamine.CalamineWorkbook.from_path(str(path)) as book:
            return [
                {
                    "name": meta.name,
                    "rows": (book.get_sheet_by_name(meta.name).end or (-1, 0))[0] + 1,
                    "hidden": meta.visible != python_calamine.SheetVisibleEnum.Visible,
                }
                for meta in book.sheets_metadata
                if meta.typ == python_calamine.SheetTypeEnum.WorkSheet
            ]
    except python_calamine.PasswordError as error:
        raise archive.encrypted() from error
    except python_calamine.CalamineError as error:
        if kind == "ods":
            return [asdict(sheet) for sheet in opendocument.sheets(path)]
        raise _refusal(error) from error


def _refusal(error: Exception) -> FileRefused:
    protected = re.search(r"password|encrypt", str(error), re.IGNORECASE)
    return archive.encrypted() if protected else damaged(error)


def _missing(sheet: str | None, names: list[str]) -> str:
    if sheet is None:
        # Nothing but charts, or nothing at all.
        raise empty()
    raise FileRefused(
        "sheet",
        gettext_noop("The workbook has no sheet “%(sheet)s”."),
        gettext_noop("It has these sheets: %(sheets)s."),
        sheet=sheet,
        sheets=", ".join(names)[:500],
    )


def _write(found: Any, special: _Special | None, told: oldcells.Told, target: Path) -> Converted:
    sink = Sink(target)
    # The library leaves out what is blank before the first column; people count from A.
    blank = [""] * _first_column(found)
    try:
        if special is None:
            rows = (blank + [cell_text(cell) for cell in row] for row in found.iter_rows())
            sink.add_all(_with(told.texts, rows) if told.texts else rows)
            sink.marked = any(MARK in text for text in told.texts.values())
            return sink.converted(notes=("masked",) if told.masked else ())
        if not special.any:
            for row in found.iter_rows():
                # Mostly they are texts.
                sink.add(
                    blank
                    + [
                        one if type(one) is str and "\0" not in one else cell_text(one)
                        for one in row
                    ]
                )
            return sink.converted()
        for number, row in enumerate(found.iter_rows(), 1):
            sink.add(special.corrected(number, blank + [cell_text(cell) for cell in row]))
        sink.marked = special.marked
        return sink.converted(notes=("masked",) if special.masked else ())
    finally:
        sink.close()


def _with(told: dict[oldcells.Place, str], rows: Iterator[list[str]]) -> Iterator[list[str]]:
    """The rows with what else is told of their cells; there may be more of them then."""
    by_row: dict[int, list[tuple[int, str]]] = {}
    for (row, column), text in told.items():
        by_row.setdefault(row, []).append((column, text))
    last = max(by_row)
    for number, texts in enumerate(chain(rows, repeat(None))):
        if texts is None and number > last:
            return
        texts = texts or []
        for column, text in by_row.get(number, ()):
            texts += [""] * (column + 1 - len(texts))
            texts[column] = text
        yield texts


def _first_column(found: Any) -> int:
    column: int = (found.start or (0, 0))[1]
    return column


def cell_text(value: object) -> str:
    """The text of a cell without a NUL, which would be a mark of ours and no XML can hold."""
    text = text_of(value)
    if "\0" not in text:
        return text
    # Some old writers say that a byte is a letter and mean UTF-16; else a NUL is damage.
    if not text[1::2].strip("\0") and not len(text) % 2:
        return text[::2]
    return text.replace("\0", "␀")


class _Special:
    """Cells of an xlsx sheet of which the library tells too little: errors, formulas without a
    result, and codes like 00042.

    A quick look decides whether there are any; only then the sheet's XML is read beside the values.
    """

    def __init__(self, path: Path, sheet: str | None) -> None:
        self._path = path
        self.marked = False
        self.masked = False
        self._member = ""
        with archive.opened(path) as opened:
            parts = {part.name: part.member for part in package.parts(opened)}
            self._member = parts.get(sheet or "", "")
            self._masks = _masks(opened)
            self.any = bool(self._member) and _has_any(opened, self._member, self._masks)
        self._cells = self._found() if self.any else iter(())
        self._next = next(self._cells, None)

    def corrected(self, row: int, texts: list[str]) -> list[str]:
        while self._next and self._next[0] <= row:
            at, column, text, mark = self._next
            if at == row:
                texts += [""] * (column + 1 - len(texts))
                texts[column] = marked(mark, text) if mark else text
                self.marked = self.marked or bool(mark)
                self.masked = self.masked or not mark
            self._next = next(self._cells, None)
        return texts

    def _found(self) -> Iterator[tuple[int, int, str, str]]:
        """Row, column, text and what it is a mark of, in the order of the sheet."""
        row = column = 0
        with archive.opened(self._path) as opened, opened.open(self._member) as stream:
            for event, element in safexml.events_of(stream, ("start", "end")):
                name = local(element.tag)
                if name == "row":
                    if event == "start":
                        row = int(element.get("r") or row + 1)
                        column = 0
                    else:
                        safexml.forget(element)
                elif name == "c" and event == "end":
                    column = _column(element.get("r")) or column + 1
                    text, mark = self._text(element)
                    if text:
                        yield row, column - 1, text, mark

    def _text(self, cell: Element) -> tuple[str, str]:
        """The text that replaces the library's, or nothing; what it is a mark of."""
        kind = cell.get("t", "n")
        inside = {local(child.tag): child.text or "" for child in cell}
        value = inside.get("v", "")
        if kind == "e":
            return value, "error"
        if "f" in inside and not value and (kind != "str" or "v" not in inside):
            return f"={inside['f']}", "formula"
        mask = self._masks.get(cell.get("s", ""))
        if kind != "n" or not mask or not value:
            return "", ""
        try:
            return masked(float(value), mask), ""
        except (ValueError, OverflowError):
            return "", ""


def _masks(opened: zipfile.ZipFile) -> dict[str, str]:
    """Style number → digit mask, for the styles that have one."""
    names = package.named(opened)
    if "xl/styles.xml" not in names:
        return {}
    formats: dict[str, str] = {}
    masks: dict[str, str] = {}
    root = safexml.small(archive.read_member(opened, names["xl/styles.xml"]))
    for element in root.iter():
        if local(element.tag) == "numFmt":
            mask = digit_mask(element.get("formatCode", ""))
            if mask:
                formats[element.get("numFmtId", "")] = mask
    for styles in root:
        if local(styles.tag) == "cellXfs":
            for number, style in enumerate(styles):
                mask = formats.get(style.get("numFmtId", ""))
                if mask:
                    masks[str(number)] = mask
    return masks


def _has_any(opened: zipfile.ZipFile, member: str, masks: Collection[str]) -> bool:
    """Whether there is a cell of which the library tells too little."""
    sought = [_ERROR, _NO_RESULT]
    if masks:
        styles = "|".join(masks).encode()
        signs = [b"s=%b%b%b" % (q, style.encode(), q) for style in masks for q in (b'"', b"'")]
        # Some files have hundreds of styles.
        signs = signs if len(signs) <= _FEW else [b's="', b"s='"]
        pattern = re.compile(rb"""\bs=["'](?:%s)["']""" % styles)
        sought.append(archive.Sought(pattern, signs))
    with opened.open(member) as stream:
        return archive.search(stream, *sought)


def _column(reference: str | None) -> int:
    """1 for A, 27 for AA; 0 when the cell does not say."""
    column = 0
    for letter in re.match(r"[A-Z]*", reference or "")[0]:  # type: ignore[index]
        column = column * 26 + ord(letter) - 64
    return column
