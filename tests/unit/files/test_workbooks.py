"""Excel workbooks as tables. The files are made by another library, openpyxl."""

import datetime as dt
import warnings
import zipfile

import openpyxl
import pytest

from rapport.files.detect import Sheet, format_of, sniff
from rapport.files.limits import Limits
from rapport.files.read import ReadOptions, open_table
from rapport.files.refusal import FileRefused
from rapport.files.workbook import cell_text

DAY = dt.date(2020, 2, 29)
MOMENT = dt.datetime.fromisoformat("2020-01-02T03:04:05")


@pytest.fixture
def book(tmp_path):
    """Save a workbook of {sheet: rows}; a cell may be (value, number format)."""

    def save(sheets, *, hidden=(), name="book.xlsx"):
        made = openpyxl.Workbook()
        made.remove(made.active)
        for title, rows in sheets.items():
            sheet = made.create_sheet(title)
            sheet.sheet_state = "hidden" if title in hidden else "visible"
            for row, cells in enumerate(rows, 1):
                for column, value in enumerate(cells, 1):
                    _set(sheet.cell(row, column), value)
        path = tmp_path / name
        made.save(path)
        return path

    return save


def _set(cell, value):
    if isinstance(value, tuple):
        value, cell.number_format = value
    cell.value = value


def plain(table):
    return [(record.number, record.cells) for record in table]


def test_typed_cells_become_text(book):
    path = book({
        "S": [
            ["a", "b", "c", "d", "e", "f", "g", "h"],
            [
                "007", 5, 1234.5600000000001, True,
                DAY, MOMENT, dt.time(9, 30), 0.25,
            ],
        ]
    })  # fmt: skip

    with open_table(path) as table:
        assert table.columns == tuple("abcdefgh")
        (record,) = table
        assert record.cells == (
            *("007", "5", "1234.56", "true", "2020-02-29", "2020-01-02 03:04:05"),
            *("09:30:00", "0.25"),
        )
        assert (table.known_rows, table.known_records) == (2, 1)


def test_digit_masks_are_kept_as_shown(book):
    rows = [
        ["zip", "ssn", "phone", "kg"],
        [
            (6083, "00000"),
            (12345678, r"000\-00\-0000"),
            (612345678, "0# ## ## ## ##"),
            (7, '00"kg"'),
        ],
    ]

    with open_table(book({"S": rows})) as table:
        assert plain(table) == [(2, ("06083", "012-34-5678", "06 12 34 56 78", "7"))]
        assert [str(note) for note in table.notes] == [
            "Numbers with leading zeros are read as the workbook shows them."
        ]


def test_error_cell_is_a_problem_of_its_column(book):
    with open_table(book({"S": [["a", "b"], ["x", "#N/A"], ["#DIV/0!", "y"]]})) as table:
        found = [
            (r.number, r.cells, [(p.column, str(p.message)) for p in r.problems]) for r in table
        ]

    assert found == [
        (2, ("x", "#N/A"), [(1, "The workbook has the error #N/A here.")]),
        (3, ("#DIV/0!", "y"), [(0, "The workbook has the error #DIV/0! here.")]),
    ]


def test_rows_keep_their_numbers_and_columns_their_letters(book):
    rows = [
        [],
        [],
        [None, "a", "b"],
        [],
        [None, "1", None, "extra"],
        [None, " "],
        [None, None, "2"],
    ]

    with open_table(book({"S": rows})) as table:
        assert table.columns == ("", "a", "b", "")
        assert table.header == 3
        assert plain(table) == [(5, ("", "1", "", "extra")), (7, ("", "", "2", ""))]


def test_line_breaks_and_escapes_in_cells(book):
    with open_table(book({"S": [["a"], ["x\ny _x005F_x0041__x0042_ ü"]]})) as table:
        assert plain(table) == [(2, ("x\ny _x0041_B ü",))]


def test_first_sheet_that_is_shown_is_read(book):
    path = book(
        {"Lists": [["x"]], "Sheet1": [], "People": [["a"], ["1"]], "More": [["b"], ["2"]]},
        hidden=["Lists"],
    )

    found = sniff(path)

    assert found.sheets == (
        Sheet(name="Lists", rows=1, hidden=True),
        Sheet(name="Sheet1", rows=0),
        Sheet(name="People", rows=2),
        Sheet(name="More", rows=2),
    )
    assert open_table(path).columns == ("a",)
    assert open_table(path, ReadOptions(sheet="More")).columns == ("b",)


@pytest.mark.parametrize(
    "name",
    [
        lambda name: f"/{name}",
        lambda name: name.replace("/", "\\"),
        lambda name: name.replace("workbook.xml", "workbook22.xml"),
        lambda name: name.removeprefix("xl/"),
        lambda name: name.replace("xl/", "Book/"),
    ],
    ids=["slash", "backslash", "other workbook", "no folder", "other folder"],
)
def test_parts_may_have_other_names(book, tmp_path, name):
    path = tmp_path / "other.xlsx"
    whole = book({"S": [["a", "b"], ["1", None]]})
    with zipfile.ZipFile(whole) as made, zipfile.ZipFile(path, "w") as other:
        for part in made.namelist():
            info = zipfile.ZipInfo()
            info.filename = name(part)
            text = made.read(part)
            if part in {"_rels/.rels", "[Content_Types].xml"}:
                main = name("xl/workbook.xml").replace("\\", "/").lstrip("/")
                text = text.replace(b"xl/workbook.xml", main.encode())
            other.writestr(info, text)

    with open_table(path) as table:
        assert (table.columns, plain(table)) == (("a", "b"), [(2, ("1", ""))])


def test_workbook_without_its_list_of_types_is_one(book, tmp_path):
    path = tmp_path / "other.xlsx"
    whole = book({"S": [["a"], ["1"]]})
    with zipfile.ZipFile(whole) as made, zipfile.ZipFile(path, "w") as other:
        for part in made.namelist():
            if part != "[Content_Types].xml":
                other.writestr(part, made.read(part))

    assert sniff(path).format == "xlsx"
    assert open_table(path).columns == ("a",)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", "xl/styles.xml"])
def test_document_type_in_a_workbook_is_refused(book, tmp_path, part, encoding):
    path = tmp_path / "other.xlsx"
    with zipfile.ZipFile(book({"S": [["a"]]})) as made, zipfile.ZipFile(path, "w") as other:
        for name in made.namelist():
            text = made.read(name)
            if name == part:
                begin = '<?xml version="1.0"?><!DOCTYPE x SYSTEM "http://127.0.0.1/x.dtd">'
                text = (begin + text.decode().partition("?>")[2]).encode(encoding)
            other.writestr(name, text)

    with pytest.raises(FileRefused) as refused:
        sniff(path)

    assert refused.value.code == "doctype"


def test_error_cell_in_the_header_is_a_name(book):
    assert open_table(book({"S": [["a", "#N/A"], ["1", "2"]]})).columns == ("a", "#N/A")


def test_sheet_that_is_not_there_is_refused(book):
    with pytest.raises(FileRefused) as refused:
        open_table(book({"S": [["a"]]}), ReadOptions(sheet="T"))

    assert (refused.value.code, str(refused.value.remedy)) == ("sheet", "It has these sheets: S.")


def test_empty_sheet_is_refused(book):
    with pytest.raises(FileRefused) as refused:
        open_table(book({"S": []}))

    assert refused.value.code == "empty"


def test_macros_are_refused(book, tmp_path):
    path = tmp_path / "macros.xlsm"
    with zipfile.ZipFile(book({"S": [["a"]]})) as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            target.writestr(name, source.read(name))
        target.writestr("xl/vbaProject.bin", b"x")

    with pytest.raises(FileRefused) as refused:
        sniff(path)

    assert refused.value.code == "macros"


@pytest.mark.parametrize(
    ("stream", "code"), [("EncryptedPackage", "encrypted"), ("_VBA_PROJECT", "macros")]
)
def test_old_office_files_are_told_by_their_streams(tmp_path, stream, code):
    path = tmp_path / "book.xls"
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + stream.encode("utf-16-le"))

    with pytest.raises(FileRefused) as refused:
        sniff(path)

    assert refused.value.code == code


def test_formula_without_a_result_is_a_problem_of_its_cell(book):
    rows = [["a", "b", "c"], ["=1+1", "x", None], ["y", None, '=A2&"z"']]

    with open_table(book({"S": rows})) as table:
        records = list(table)

    assert [r.cells for r in records] == [("=1+1", "x", ""), ("y", "", '=A2&"z"')]
    assert [[p.column for p in r.problems] for r in records] == [[0], [2]]


def test_formula_whose_result_is_empty_text_is_blank(book, tmp_path):
    path = tmp_path / "computed.xlsx"
    written = book({"S": [["a", "b"], ['=""', "=1+1"], ["x", "y"]]})
    with zipfile.ZipFile(written) as made, zipfile.ZipFile(path, "w") as other:
        for part in made.namelist():
            old = b'<c r="A2"><f>""</f><v'
            new = b'<c r="A2" t="str"><f>""</f><v'
            other.writestr(part, made.read(part).replace(old, new))

    with open_table(path) as table:
        assert [r.cells for r in table] == [("", "=1+1"), ("x", "y")]


def test_streams_of_old_files_may_be_in_capitals(tmp_path):
    path = tmp_path / "book.xls"
    path.write_bytes(
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + "WORKBOOK\0".encode("utf-16-le")
    )

    assert format_of(path) == "xls"


def test_text_like_the_name_of_a_stream_is_none(tmp_path):
    path = tmp_path / "letter.doc"
    path.write_bytes(
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(506) + "Facebook\0".encode("utf-16-le")
    )

    with pytest.raises(FileRefused) as refused:
        format_of(path)

    assert refused.value.code == "no-table"


@pytest.mark.parametrize(
    ("cell", "text"), [("H\0i\0", "Hi"), ("a\0b", "a␀b"), ("\0x", "␀x"), (1.5, "1.5")]
)
def test_nul_in_a_cell_is_shown_and_never_taken_for_a_mark(cell, text):
    assert cell_text(cell) == text


@pytest.mark.parametrize("beside", ["b", "#N/A"])
def test_escaped_nul_in_a_cell_is_shown(book, beside):
    path = book({"S": [["A", "B"], ["x_x0000_y", beside]]})
    (record,) = open_table(path)
    assert record.cells[0] == "x␀y"


def test_workbook_that_takes_too_long_is_refused(book):
    with pytest.raises(FileRefused) as refused:
        open_table(book({"S": [["a"], ["1"]]}), limits=Limits(workbook_seconds=0.001))

    assert refused.value.code == "too-much"


def test_workbook_that_takes_too_much_memory_is_refused(tmp_path):
    path = tmp_path / "far.xlsx"
    made = openpyxl.Workbook()
    made.active["A1"] = "a"
    made.active.cell(1_048_576, 30).value = "the far corner"
    made.save(path)

    with pytest.raises(FileRefused) as refused:
        open_table(path, limits=Limits(workbook_memory=400_000_000))

    assert refused.value.code == "too-much"


def test_opendocument_sheet(tmp_path):
    path = tmp_path / "book.ods"
    cells = (
        '<table:table-row table:number-rows-repeated="2"/>'
        '<table:table-row><table:table-cell office:value-type="string"><text:p>a</text:p>'
        '</table:table-cell><table:table-cell office:value-type="string"><text:p>b</text:p>'
        "</table:table-cell></table:table-row>"
        '<table:table-row><table:table-cell office:value-type="float" office:value="1.50"/>'
        '<table:table-cell office:value-type="date" office:date-value="2020-02-29"/>'
        "</table:table-row>"
    )
    spaces = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for name in ("office", "table", "text")
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr(
            "content.xml",
            f"<office:document-content {spaces}><office:body><office:spreadsheet>"
            f'<table:table table:name="S">{cells}</table:table>'
            "</office:spreadsheet></office:body></office:document-content>",
        )
        archive.writestr("META-INF/manifest.xml", "<manifest/>")

    found = sniff(path)

    assert (found.format, found.sheets) == ("ods", (Sheet(name="S", rows=4),))
    with open_table(path) as table:
        assert table.columns == ("a", "b")
        assert plain(table) == [(4, ("1.5", "2020-02-29"))]


def test_scratch_folder_saves_the_second_conversion(book, tmp_path):
    path = book({"S": [["a"], ["1"]]})
    scratch = tmp_path / "scratch"
    scratch.mkdir()

    first = open_table(path, scratch=scratch)
    again = open_table(path, scratch=scratch, limits=Limits(workbook_seconds=0.001))

    assert list(first) == list(again)
    assert first.options == again.options
    first.close()
    assert len(list(scratch.iterdir())) == 2


def test_records_outlive_a_table_that_nobody_holds(book):
    path = book({"S": [["a"], ["1"]]})

    assert [record.cells for record in open_table(path)] == [("1",)]
    assert [len(batch) for batch in open_table(path).iter_batches(10)] == [1]


def test_own_folder_goes_with_the_table(book, monkeypatch, tmp_path):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with open_table(book({"S": [["a"], ["1"]]})) as table:
            assert len(list(temporary.iterdir())) == 1
            assert len(list(table)) == 1

    assert list(temporary.iterdir()) == []
