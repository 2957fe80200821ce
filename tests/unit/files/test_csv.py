"""Records of CSV files: numbers, cells and problems."""

import pytest

from rapport.files.limits import LIMITS
from rapport.files.read import ReadOptions, open_table
from rapport.files.refusal import FileRefused


@pytest.fixture
def read(tmp_path):
    def read(data, **options):
        path = tmp_path / "list.csv"
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return open_table(path, ReadOptions(**options))

    return read


def plain(table):
    return [(record.number, record.cells) for record in table]


def problems(table):
    return [(r.number, p.column, str(p.message)) for r in table for p in r.problems]


def test_number_is_the_row_of_a_spreadsheet(read):
    table = read('\r\nTitle,\r\n\r\na,b\r\n"two\r\nlines",1\r\n\r\n,  \r\nx,2\r\n', header=4)

    assert table.columns == ("a", "b")
    assert plain(table) == [(5, ("two\r\nlines", "1")), (8, ("x", "2"))]
    assert (table.header, table.unit) == (4, "row")


def test_sep_line_is_no_row(read):
    table = read("sep=;\r\nA;B\r\n1;2\r\n")

    assert (table.columns, plain(table)) == (("A", "B"), [(2, ("1", "2"))])


def test_header_is_trimmed_and_may_repeat_or_lack_names(read):
    assert read("\ufeff a ,,a,b \n1,2,3,4\n").columns == ("a", "", "a", "b")


def test_byte_order_mark_before_a_quoted_header_is_no_text(read):
    assert read(b'\xef\xbb\xbf\xef\xbb\xbf"a,b",c\n1,2\n').columns == ("a,b", "c")


def test_byte_order_mark_is_no_text_where_the_encoding_was_chosen(read):
    assert read(b"\xff\xfea\0,\0b\0\n\x001\0,\x002\0", encoding="utf-16-le").columns == ("a", "b")


def test_short_records_are_padded_and_surplus_blanks_ignored(read):
    table = read("a,b,c\n1\n1,2,3, ,\n")

    assert plain(table) == [(2, ("1", "", "")), (3, ("1", "2", "3"))]
    assert problems(table) == []


def test_blank_record_of_full_width_is_none(read):
    assert plain(read("a,b\n1,2\n, \n3,4\n")) == [(2, ("1", "2")), (4, ("3", "4"))]


def test_end_of_file_of_dos_is_no_record(read):
    assert plain(read("a,b\r\n1,2\r\n\x1a")) == [(2, ("1", "2"))]


def test_surplus_text_is_a_problem_of_the_record(read):
    table = read("a,b\n1,2,3\n4,5\n")

    assert plain(table) == [(2, ("1", "2", "3")), (3, ("4", "5"))]
    assert problems(table) == [(2, None, "3 cells, 2 columns.")]
    assert [str(record.problem) for record in table] == ["3 cells, 2 columns.", "None"]


def test_text_stays_text(read):
    cells = ("007", "+49 30", "12345678901234567890", "=1+1", "1E5", "NULL", " x ", "'=1")

    assert plain(read("a,b,c,d,e,f,g,h\n" + ",".join(cells) + "\n")) == [(2, cells)]


def test_mixed_line_ends(read):
    table = read("a,b\r\n1,2\r3,4\n5,6")

    assert [cells for _, cells in plain(table)] == [("1", "2"), ("3", "4"), ("5", "6")]


def test_line_separators_of_unicode_end_no_line(read):
    assert plain(read("a,b\nx\u2028y\x0bz\x85,1\n")) == [(2, ("x\u2028y\x0bz\x85", "1"))]


def test_undecodable_byte_is_shown_and_named(read):
    table = read((("ä,ö\n" * 30).encode()) + b"x\x81y,1\n")

    assert plain(table)[-1] == (31, ("x\\x81y", "1"))
    assert problems(table) == [(31, 0, "Not readable in this encoding (bytes 81).")]


def test_byte_that_cp1252_lacks_is_named(read):
    table = read(b"a,b\nM\xfcller,x\x9dy\n")

    assert plain(table) == [(2, ("Müller", "x\\x9dy"))]
    assert problems(table) == [(2, 1, "Not readable in this encoding (bytes 9D).")]


def test_half_a_character_at_the_end_is_named(read):
    table = read("a,b\n1,ü".encode("utf-16-le") + b"x", encoding="utf-16-le")

    assert problems(table) == [(2, 1, "Not readable in this encoding (bytes 78).")]


def test_nul_is_shown_and_named(read):
    table = read(b"a,b\n1\x00,2\n3,4\n")

    assert plain(table) == [(2, ("1␀", "2")), (3, ("3", "4"))]
    assert problems(table) == [(2, 0, "Not readable in this encoding (bytes 00).")]


def test_quotation_mark_that_is_never_closed_is_a_problem(read):
    table = read('a,b\n1,2\n3,"4\n5,6\n7,8')

    assert plain(table) == [(2, ("1", "2")), (3, ("3", "4\n5,6\n7,8"))]
    assert problems(table) == [
        (3, None, "The file ends inside this record: a quotation mark is never closed.")
    ]


def test_endless_cell_refuses_the_file(read):
    endless = "x\n" * (LIMITS.cell_characters // 2 + 1)

    with pytest.raises(FileRefused) as refused:
        list(read(f'a,b\n1,2\n3,"{endless}"\n'))

    assert refused.value.code == "cell-too-long"
    assert refused.value.reason.values["row"] == 3


def test_file_without_line_ends_is_refused(read):
    with pytest.raises(FileRefused) as refused:
        read(b"x" * (LIMITS.cell_characters * 8 + 2), encoding="utf-8")

    assert refused.value.code == "no-lines"


def test_too_many_columns_are_refused_with_the_limit(read):
    with pytest.raises(FileRefused) as refused:
        read(",".join(f"c{n}" for n in range(LIMITS.columns + 1)) + "\n")

    assert refused.value.code == "columns"
    assert str(LIMITS.columns) in str(refused.value)


@pytest.mark.parametrize("data", [b"", b"\n", b"\r\n\r\n", b" , ,\n", b"\xef\xbb\xbf", b"\xff\xfe"])
def test_file_without_data_is_refused(read, data):
    with pytest.raises(FileRefused) as refused:
        read(data)

    assert refused.value.code == "empty"


def test_file_without_header_is_as_wide_as_its_records(read):
    table = read("1,2\n3,4,5\n", header=0)

    assert table.columns == ("", "", "")
    assert plain(table) == [(1, ("1", "2", "")), (2, ("3", "4", "5"))]


def test_header_that_is_not_there_is_refused(read):
    with pytest.raises(FileRefused) as refused:
        read("a,b\n", header=7)

    assert refused.value.code == "header"


def test_title_above_the_header_is_noticed(read):
    assert read("My list,,\na,b,c\n1,2,3\n").header_guess == 2
    assert read("a,b,c\n1,2,3\n").header_guess is None


def test_reading_goes_on_after_a_record(read):
    table = read("a,b\n" + "".join(f"{n},x\n\n" for n in range(50)))
    whole = list(table)

    rest = [r for batch in table.iter_batches(7, after=whole[19].number) for r in batch]

    assert rest == whole[20:]
    assert [len(batch) for batch in table.iter_batches(1000)] == [50]


def test_single_records_are_picked(read):
    table = read('Title\na,b\n1,2\n\n,3\n5,"6', header=2)
    whole = {record.number: record for record in table}
    assert set(whole) == {3, 5, 6}

    for numbers in ({3}, {6, 3}, {5}, {4, 1}, {6, 7, 99}, set()):
        assert list(table.pick(numbers)) == [whole[n] for n in sorted(numbers) if n in whole]


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
def test_batches_of_any_size_hold_the_same(read, size):
    table = read('a,b\n1,2\n,3\n\n4\n5,"6')
    whole = [
        (2, ("1", "2")),
        (3, ("", "3")),
        (5, ("4", "")),
        (6, ("5", "6")),
    ]

    assert plain(r for batch in table.iter_batches(size) for r in batch) == whole


@pytest.mark.parametrize(
    "options",
    [
        {"delimiter": "ab"},
        {"delimiter": '"'},
        {"quote": "\n"},
        {"escape": '"'},
        {"quote": " "},
        {"delimiter": "\0"},
        {"quote": "\0"},
    ],
)
def test_impossible_dialects_are_refused(read, options):
    with pytest.raises(FileRefused) as refused:
        read("a,b\n1,2\n", **options)

    assert refused.value.code == "dialect"


def test_chosen_dialect_wins(read):
    table = read("a:b\n'1:2':3\n", delimiter=":", quote="'")

    assert plain(table) == [(2, ("1:2", "3"))]


def test_options_as_decided_read_the_same_again(read, tmp_path):
    table = read("a;b\n1;2\n")

    again = open_table(tmp_path / "list.csv", table.options)

    assert (table.options.delimiter, table.options.encoding) == (";", "utf-8")
    assert list(again) == list(table)


def test_apostrophes_are_taken_off_only_in_our_own_files(read):
    assert plain(read("(Do Not Modify) Contact,b\n1,'=x\n2,'y\n")) == [
        (2, ("1", "=x")),
        (3, ("2", "'y")),
    ]
    assert plain(read("a,b\n1,'=x\n")) == [(2, ("1", "'=x"))]
    assert plain(read("a,b\n1,'=x\n", unescape=True)) == [(2, ("1", "=x"))]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ('ID;PWXL;N;E\nC;Y1;X1;K"Name"\n', "This is a table in the old format “SYLK”."),
        ('TABLE\r\n0,1\r\n"EXCEL"\r\nVECTORS\r\n', "This is a table in the old format “DIF”."),
        (
            "MIME-Version: 1.0\nContent-Type: multipart/related; boundary=x\n\n--x\n<table>",
            "This is a web page, even if its name says that it is a workbook.",
        ),
    ],
)
def test_old_and_packed_tables_are_called_what_they_are(read, data, reason):
    with pytest.raises(FileRefused, match=reason):
        read(data)


@pytest.mark.parametrize("data", ["ID;PLZ\n1;10115\n", "Content-Type,From\ntext/html,Ann\n"])
def test_headers_that_begin_like_another_format_are_headers(read, data):
    assert len(read(data).columns) == 2


def test_records_inside_of_a_cell_are_not_lost_without_a_word(read):
    between = "".join(f"{n};B;C;D\n" for n in range(5))
    table = read(f'a;b;c;d\n1;"x;y;z\n{between}2;"B";C;D\n3;B;C;D\n')

    ((number, column, said),) = problems(table)
    assert (number, column, said[-26:]) == (2, None, "which look like 5 records.")
    assert [number for number, _cells in plain(table)] == [2, 3]


@pytest.mark.parametrize("note", ["one, two\nthree\nfour, five, six\nend", "a,b,c\nd,e,f\ng"])
def test_lines_of_text_in_a_cell_are_text(read, note):
    assert problems(read(f'a,b,c,d\n1,"{note}",c,d\n2,b,c,d\n')) == []
