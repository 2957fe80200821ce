"""The small parts of a workbook around its sheets: contents, relations, styles, names."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from xml.sax.saxutils import quoteattr

HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"


class Style(IntEnum):
    """The cell styles, in the order in which they stand in the styles part."""

    GENERAL = 0
    HEADER = 1
    TEXT = 2
    DATE = 3
    DATETIME = 4
    MONEY = 5


# Excel's own numbers of formats. Text has one too, so that 007 stays text when a person edits it;
# dates have those that each person sees in the form of their country.
_FORMATS = {
    Style.GENERAL: 0,
    Style.HEADER: 0,
    Style.TEXT: 49,
    Style.DATE: 14,
    Style.DATETIME: 22,
    Style.MONEY: 4,
}


def around(sheets: list[tuple[str, int]], last_column: str) -> Iterator[tuple[str, str]]:
    """Name and text of every part; `sheets` are title and number of rows, 0 for a hidden one."""
    numbers = range(1, len(sheets) + 1)
    yield "[Content_Types].xml", HEAD + _content_types(numbers)
    yield (
        "_rels/.rels",
        HEAD + _relations([("rId1", "officeDocument", "xl/workbook.xml")]),
    )
    targets = [(f"rId{n}", "worksheet", f"worksheets/sheet{n}.xml") for n in numbers]
    yield (
        "xl/_rels/workbook.xml.rels",
        HEAD + _relations([*targets, ("rIdStyles", "styles", "styles.xml")]),
    )
    yield "xl/styles.xml", HEAD + _styles()
    yield "xl/workbook.xml", HEAD + _workbook(sheets, last_column)


def _content_types(numbers: range) -> str:
    sheets = "".join(
        f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{_TYPES}.worksheet+xml"/>'
        for n in numbers
    )
    return (
        f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPES}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_TYPES}.styles+xml"/>'
        f"{sheets}</Types>"
    )


def _relations(targets: list[tuple[str, str, str]]) -> str:
    listed = "".join(
        f'<Relationship Id="{name}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for name, kind, target in targets
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{listed}</Relationships>'


def _workbook(sheets: list[tuple[str, int]], last_column: str) -> str:
    listed = names = ""
    for number, (title, rows) in enumerate(sheets, 1):
        hidden = "" if rows else ' state="hidden"'
        listed += f'<sheet name={quoteattr(title)} sheetId="{number}"{hidden} r:id="rId{number}"/>'
        if rows:
            # Excel wants the area of a filter as a name too.
            quoted = quoteattr(title.replace("'", "''"))[1:-1]
            names += (
                '<definedName name="_xlnm._FilterDatabase" hidden="1" '
                f'localSheetId="{number - 1}">'
                f"'{quoted}'!$A$1:${last_column}${rows}</definedName>"
            )
    return (
        f'<workbook xmlns="{MAIN}" xmlns:r="{_OFFICE}"><bookViews><workbookView/></bookViews>'
        f"<sheets>{listed}</sheets><definedNames>{names}</definedNames></workbook>"
    )


def _styles() -> str:
    cells = "".join(
        f'<xf numFmtId="{_FORMATS[style]}" fontId="{int(style is Style.HEADER)}" fillId="0" '
        'borderId="0" xfId="0" applyNumberFormat="1" applyFont="1"/>'
        for style in Style
    )
    font = '<sz val="11"/><name val="Calibri"/>'
    plain = 'numFmtId="0" fontId="0" fillId="0" borderId="0"'
    return (
        f'<styleSheet xmlns="{MAIN}"><fonts count="2"><font>{font}</font><font><b/>{font}</font>'
        '</fonts><fills count="2"><fill><patternFill patternType="none"/></fill>'
        '<fill><patternFill patternType="gray125"/></fill></fills>'
        '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
        f'<cellStyleXfs count="1"><xf {plain}/></cellStyleXfs>'
        f'<cellXfs count="{len(_FORMATS)}">{cells}</cellXfs><cellStyles count="1">'
        '<cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
    )
