"""Files that we write: what stands in them, and that they come back as they were."""

import datetime as dt
import io
import zipfile
from decimal import Decimal

import openpyxl
import pytest
from hypothesis import given, settings, strategies as st

from rapport.files import xlsxwrite
from rapport.files.detect import sniff
from rapport.files.formula import any_runs, escape, unescape
from rapport.files.read import ReadOptions, open_table
from rapport.files.write import (
    Column,
    csv_writer,
    json_writer,
    spreadsheet_writer,
    streamed,
    xlsx_writer,
)

MOMENT = dt.datetime.fromisoformat("2020-01-02T03:04:05")
MIDNIGHT = dt.datetime.fromisoformat("2020-01-02T00:00:00")
# What a database can hold: no NUL and no half characters.
TEXTS = st.text(
    st.characters(blacklist_categories=["Cs"], blacklist_characters="\0\ufffe\uffff"), max_size=30
)
TRICKY = st.sampled_from(
    ["=1+1", "'=x", "''", "'", "+49 30", "-5", "-x", "@a", "\t=", '"', ";", ","]
)
ROWS = st.lists(st.lists(TEXTS | TRICKY, min_size=3, max_size=3), max_size=8)


@pytest.fixture
def written(tmp_path):
    def write(make, columns, rows, **options):
        path = tmp_path / "out"
        with path.open("wb") as stream, make(stream, columns, **options) as writer:
            writer.write(rows)
        return path

    return write


def loaded(path):
    with path.open("rb") as stream:
        return openpyxl.load_workbook(stream)


def columns(*names):
    return [Column(name=name) for name in names]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("=1+1", "'=1+1"),
        ("@sum", "'@sum"),
        ("\tx", "'\tx"),
        ("\r\nx", "'\r\nx"),
        ("-- x", "'-- x"),
        ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
        ("＝1", "'＝1"),
        ("+", "'+"),
        ("'=x", "''=x"),
        ("''", "'''"),
        ("+49 (30) 123/4", "+49 (30) 123/4"),
        ("-1,234.50", "-1,234.50"),
        ("'tis", "'tis"),
        ("'", "'"),
        ("a=b", "a=b"),
        ("", ""),
    ],
)
def test_formula_is_defused_and_comes_back(text, written):
    assert escape(text) == written
    assert unescape(written) == text


def test_csv_is_what_excel_and_everyone_expects(written):
    rows = [["Jö", '"=1"', None, True, Decimal("1.50"), 3, dt.date(2020, 1, 2), MIDNIGHT]]

    path = written(csv_writer, columns(*"abcdefg", "=h"), rows)

    assert path.read_bytes() == (
        b'\xef\xbb\xbf"a","b","c","d","e","f","g","\'=h"\r\n'
        b'"J\xc3\xb6","""=1""","","true","1.50","3","2020-01-02","2020-01-02 00:00:00"\r\n'
    )


@given(ROWS)
@settings(deadline=None, max_examples=150)
def test_csv_comes_back_as_it_was(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("csv") / "out"
    names = ("(Do Not Modify) Contact", "=b", "c")
    with path.open("wb") as stream, csv_writer(stream, columns(*names)) as writer:
        writer.write(rows)

    with open_table(path) as table:
        assert table.columns == names
        assert [record.cells for record in table] == _filled(rows)
        assert all(record.problems == () for record in table)


@given(st.lists(TEXTS | TRICKY, max_size=5))
@settings(deadline=None, max_examples=150)
def test_one_look_at_many_texts_finds_what_each_would(texts):
    assert any_runs("\0".join(texts)) == any(escape(text) != text for text in texts)


@given(ROWS)
@settings(deadline=None, max_examples=12)
@pytest.mark.parametrize("make", [xlsx_writer, spreadsheet_writer, json_writer])
def test_other_formats_come_back_as_they_were(tmp_path_factory, make, rows):
    rows = [row for row in rows if any(row)] or [["x", "y", "z"]]
    path = tmp_path_factory.mktemp("other") / "out"
    with path.open("wb") as stream, make(stream, columns(*"abc")) as writer:
        writer.write(rows)

    with open_table(path) as table:
        assert [record.cells for record in table] == _filled(rows)


def _filled(rows):
    """A record of which all cells are blank is no record."""
    return [tuple(row) for row in rows if "".join(row).strip()]


def test_xlsx_cells_are_typed(written):
    kinds = [
        Column(name="text"),
        Column(name="money", kind="number", decimals=2),
        Column(name="day", kind="date"),
        Column(name="moment", kind="datetime", hidden=True),
        Column(name="yes", kind="yes-no"),
    ]
    rows = [
        ["007", Decimal("12.50"), dt.date(2020, 2, 29), MOMENT, True],
        ["=1+1", -3, dt.date(1850, 1, 1), None, False],
        ["12", 10**18, None, "text", None],
        ["", float("inf"), dt.date(1900, 3, 1), MIDNIGHT, ""],
    ]

    book = loaded(written(xlsx_writer, kinds, rows, sheet="It's: me?"))

    sheet = book["It's me"]
    assert [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)] == [
        ["007", 12.5, dt.datetime.fromisoformat("2020-02-29"), MOMENT, True],
        ["=1+1", -3, "1850-01-01", None, False],
        ["12", "1" + "0" * 18, None, "text", None],
        [None, "inf", dt.datetime.fromisoformat("1900-03-01"), MIDNIGHT, None],
    ]
    assert [cell.number_format for cell in sheet[2]] == [
        *("@", "#,##0.00", "mm-dd-yy", "m/d/yy h:mm", "General")
    ]
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("A2", "A1:E5")
    assert sheet.column_dimensions["D"].hidden is True


def test_choices_are_offered_from_a_hidden_sheet(written):
    kinds = [
        Column(name="a"),
        Column(name="b", choices=("x & y", "z")),
        Column(name="c", choices=("1",)),
    ]

    path = written(xlsx_writer, kinds, [["1", "z", None]])
    book = loaded(path)

    rules = book.worksheets[0].data_validations.dataValidation
    assert [(str(rule.sqref), rule.type, rule.formula1) for rule in rules] == [
        ("B2:B1048576", "list", "_choices!$A$1:$A$2"),
        ("C2:C1048576", "list", "_choices!$B$1:$B$1"),
    ]
    assert [[c.value for c in row] for row in book["_choices"]] == [["x & y", "1"], ["z", None]]
    assert book["_choices"].sheet_state == "hidden"
    assert sniff(path).sheet == "Sheet1"


def test_full_sheet_is_followed_by_another(written, monkeypatch):
    monkeypatch.setattr(xlsxwrite, "LAST_ROW", 3)

    path = written(xlsx_writer, columns("a"), [[n] for n in range(5)], sheet="S")

    assert [(s.name, s.rows) for s in sniff(path).sheets] == [("S", 3), ("S (2)", 3), ("S (3)", 2)]
    with open_table(path, ReadOptions(sheet="S (3)")) as table:
        assert [record.cells for record in table] == [("4",)]


@pytest.mark.parametrize("make", [xlsx_writer, spreadsheet_writer])
def test_text_that_is_too_long_for_a_cell_is_left_out_and_counted(make, tmp_path):
    # Cut, it would take the place of the whole when the file comes back.
    path = tmp_path / "out"
    with path.open("wb") as stream, make(stream, columns("a", "b")) as writer:
        writer.write([["x" * 40_000, "1"], ["y", "2"]])

    assert writer.left_out == 1
    with open_table(path) as table:
        assert [record.cells for record in table] == [("", "1"), ("y", "2")]


@pytest.mark.parametrize("make", [xlsx_writer, spreadsheet_writer])
@pytest.mark.parametrize("text", ["a\x01b\x0b_x0041_ &<>\r\n\t end ", "0\r", "\r", "'=x", "]]>"])
def test_what_xml_forbids_is_written_all_the_same(written, make, text):
    name = "(Do Not Modify) '="

    with open_table(written(make, columns(name, "'=b"), [["x", text]])) as table:
        assert table.columns == (name, "'=b")
        assert [record.cells for record in table] == [("x", text)]


@pytest.mark.parametrize("make", [csv_writer, xlsx_writer, json_writer, spreadsheet_writer])
def test_streamed_pieces_make_the_same_table(make, tmp_path):
    batches = [[["a", "b"], [n, n + 1]] for n in range(3)]

    pieces = list(streamed(lambda stream: make(stream, columns("x", "x")), batches))

    path = tmp_path / "out"
    path.write_bytes(b"".join(pieces))
    assert len(pieces) == 4
    with open_table(path) as table:
        assert [record.cells for record in table] == [
            (text, str(number)) for batch in batches for text, number in zip(*batch, strict=True)
        ]


def test_workbook_has_no_64_bit_headers_that_excel_refuses():
    stream = io.BytesIO()
    with xlsx_writer(stream, columns("a")) as writer:
        writer.write([["x"]])

    assert [info.extra for info in zipfile.ZipFile(stream).infolist() if info.extra] == []
