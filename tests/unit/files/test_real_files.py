"""Files of other projects, each as its manifest says. RAPPORT_TEST_FILES names their folder."""

import json
import os
from collections import Counter
from pathlib import Path

import pytest

from rapport.files.detect import sniff
from rapport.files.read import ReadOptions, open_table
from rapport.files.refusal import FileRefused
from rapport.files.rows import is_blank
from rapport.files.textstream import lines, open_text

FOLDER = os.environ.get("RAPPORT_TEST_FILES")
LISTED = Path(FOLDER, "import/expected.json") if FOLDER else None
EXPECTED = json.loads(LISTED.read_text("utf-8")) if LISTED and LISTED.is_file() else {}

# The manifest has no header for these because there is none in the file.
WITHOUT_HEADER = {
    "PHPOffice__PhpSpreadsheet/premiere.utf16bebom.csv",
    "PHPOffice__PhpSpreadsheet/premiere.utf16le.csv",
    "PHPOffice__PhpSpreadsheet/NumberFormatTest.de.csv",
}
REFUSED = {
    "wireservice__csvkit/empty.csv": "empty",
    "roo-rb__roo/file_item_error.xlsx": "empty",  # both sheets are
    "PHPOffice__PhpSpreadsheet/CorruptedXmlFile.xml": "damaged",
    "PHPOffice__PhpSpreadsheet/XEETestInvalidUTF-16BE.xml": "doctype",
}
# Where the header shows typed cells, the manifest has what its reference parser made of them.
HEADERS = {
    "PHPOffice__PhpSpreadsheet/30template.xls": ["", "Invoice", "", "2010-09-29", "#12566"],
    "SheetJS__test_files/1900.xml": ["1", "1900-01-01", "1900-01-01", "1900-01-01"],
    "SheetJS__test_files/apachepoi_DateFormats.xls.xml": ["US date", "2007-08-10"],
    "SheetJS__test_files/LONumbers.xlsx.xml": [
        *("General", "1", "-1.2", "12.3", "-12.34", "123.45", "-123.456", "1234.567", "-1234.5678"),
        "12345.6789",
    ],
    "roo-rb__roo/1904_base.xlsx": ["2009-06-15"],
    "roo-rb__roo/datetime.xlsx": ["1961-11-21"],
}
# The reference parser could not read it; a person can.
RECORDS = {"roo-rb__roo/implicit_coordinates.xlsx": 1}


@pytest.fixture(params=sorted(EXPECTED) or ["no files"])
def named(request, real_files):
    return request.param, EXPECTED[request.param], real_files / "import" / request.param


def test_file_is_read_as_its_manifest_says(named):
    name, expected, path = named

    if name in REFUSED:
        with pytest.raises(FileRefused) as refused:
            open_table(path)
        assert refused.value.code == REFUSED[name]
    elif expected["format"] == "zip":
        found = sniff(path)
        assert [[member.name, member.size] for member in found.members] == expected["members"]
    else:
        _check_table(name, expected, path)


def _check_table(name, expected, path):
    found = sniff(path)
    options = ReadOptions.of(found)
    if name in WITHOUT_HEADER:
        options = ReadOptions(header=0)
    with open_table(path, options) as table:
        records = list(table)

        assert found.format == {"jsonl": "json"}.get(expected["format"], expected["format"])
        assert len(records) == RECORDS.get(name, expected["records"])
        if "sheets" in expected:
            assert [sheet.name for sheet in found.sheets] == expected["sheets"]
        if expected.get("header"):
            assert _trimmed(table.columns)[:60] == _header(name, expected)
        if "widths" in expected:
            assert _widths(found, path, table.header) == expected["widths"]
        for number, column, value in expected["cells"]:
            place = column if isinstance(column, int) else table.columns.index(column)
            assert records[number - 1].cells[place] == value
        assert all(len(r.cells) == len(table.columns) or r.problem for r in records)


def _header(name, expected):
    cells = [(cell or "").strip() for cell in expected["header"]]
    return HEADERS.get(name) or _trimmed(cells)[:60]


def _trimmed(names):
    """Without the nameless columns at the end: parsers differ in how many they see."""
    names = list(names)
    while names and not names[-1]:
        names.pop()
    return names


def _widths(found, path, header):
    with open_text(path, found.encoding.name) as stream:
        rows = list(found.dialect.reader(lines(stream)))
    skipped = header + found.dialect.sep_line
    widths = Counter(len(row) for row in rows[skipped:] if not is_blank(row))
    return {str(width): count for width, count in widths.items()}


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("roo-rb__roo/zero-padded-number.xlsx", [("06083",), ("10083",), ("05010",)]),
        ("roo-rb__roo/1904_base.xlsx", [("2013-04-19",)]),
        ("roo-rb__roo/implicit_coordinates.xlsx", [("A2", "B2", "C2")]),
        ("frictionlessdata__frictionless-py/table-infer-boolean.xlsx",
         [("1", "two", "true"), ("3", "four", "false")]),
        ("frictionlessdata__frictionless-py/cast-int-to-string-issue-1251.xls",
         [("001", "b", "1", "a", "1"), ("002", "c", "1", "1", "1")]),
        ("PHPOffice__PhpSpreadsheet/ArrayFormula.xml", [("b", "b-2", "2"), ("c", "c-3", "3")]),
        ("wireservice__csvkit/null_byte.csv", [("␀", "2", "3")]),
        ("mautic__mautic/fakecompanydata.csv", None),
    ],
)  # fmt: skip
def test_cells_of_files_that_the_manifest_only_describes(real_files, name, cells):
    with open_table(real_files / "import" / name) as table:
        found = [record.cells for record in table]

    assert cells is None or found == cells


def test_members_of_a_zip_are_read_by_name(real_files):
    path = real_files / "import/frictionlessdata__frictionless-py/ogd10_catalogs.zip"

    with open_table(path, ReadOptions(member="capital-invalid.csv")) as table:
        assert len(table.columns) > 1
    with pytest.raises(FileRefused) as refused:
        open_table(path)

    assert refused.value.code == "member"


def test_only_workbook_in_a_zip_needs_no_name(real_files):
    with open_table(real_files / "import/roo-rb__roo/bode-v1.xls.zip") as table:
        assert len(list(table)) > 0


def test_same_text_in_utf8_and_utf16_gives_the_same_records(real_files):
    folder = real_files / "import/PHPOffice__PhpSpreadsheet"

    plain = list(open_table(folder / "line_break_in_enclosure.csv"))
    wide = list(open_table(folder / "utf16be.line_break_in_enclosure.csv"))

    assert plain == wide
