"""How cells are found to be separated."""

import pytest

from rapport.files.dialect import Dialect, sniff_dialect


def sniffed(text):
    return sniff_dialect(text, complete=True)


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("a,b\n1,2\n", ","),
        ("a;b\n1,5;2\n2,5;3\n", ";"),
        ("Name;Price;Qty\nA;1,5;2,0\nB;3,5;4,0\n", ";"),
        ("a\tb\nx, y\tz\n", "\t"),
        ("Preis;Menge\n" + "1,5;2,5\n" * 30, ";"),
        ("a|b|c\n1|2|3\n", "|"),
        ("# note\na,b\n# note\n# note\n1,2\n", ","),
        ("Last, First\tMail\nDoe, Jo\tj@x\n", "\t"),
        ('a,b\n"x;y;z",1\n"p;q;r",2\n', ","),
        ('"a";"b"\n"1,2,3";"4"\n', ";"),
        ("name\nAcme, Inc.\nBob\nAnn\n", ""),
        ("name\nBob\n", ""),
        ("My customers\nName;Mail\nA;a@x\nB;b@x\n", ";"),
        ('id,note\n1,"two\nlines; with\nsemicolons;"\n2,"x"\n', ","),
        ("a,b\r1,2\r", ","),
        ("a^b\nx, y^z\np, q^r\n", "^"),
        ("a;b\nx^2;y^2\n", ";"),
    ],
)
def test_delimiter_is_the_one_that_makes_a_table(text, delimiter):
    assert sniffed(text).delimiter == delimiter


@pytest.mark.parametrize("line", ["sep=;", '"sep=;"', "SEP=;", "sep=;,,,"])
def test_sep_line_is_an_instruction(line):
    assert sniffed(f"{line}\r\nA;1\r\n2;3\r\n") == Dialect(delimiter=";", sep_line=True)


def test_sep_line_wins_over_what_looks_better():
    assert sniffed("sep=|\na,b|c\nd,e|f\n").delimiter == "|"


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        ("'a','b'\n'1,2','3'\n", "'"),
        ("name,town\nO'Neill,'s-Hertogenbosch\n", '"'),
        ("a,b\nx's,y's\n", '"'),
    ],
)
def test_single_quotes_count_only_around_cells(text, quote):
    assert sniffed(text).quote == quote


def test_backslash_that_keeps_a_quotation_mark_is_found():
    dialect = sniffed('a,b\n"1\\", 2",3\n"x",y\n"p",q\n')

    assert dialect.escape == "\\"
    assert list(dialect.reader(['"1\\", 2",3\n'])) == [['1", 2', "3"]]


def test_backslash_and_quotation_mark_inside_a_cell_are_one_sign():
    assert sniffed('a,b\n"1 \\"2\\" 3",4\n"5",6\n').escape == "\\"


def test_other_backslashes_beside_such_stay():
    dialect = sniffed('a,b\n"1 \\"2\\" 3",4\n"5",6\n')
    line = '"C:\\new \\"x\\" \\\\",a\\,b\n'
    assert list(dialect.reader([line])) == [['C:\\new "x" \\', "a,b"]]


def test_backslash_at_the_end_of_a_value_is_text():
    assert sniffed('a,b\n"C:\\",3\n"D:\\",4\n').escape == ""


def test_blanks_before_a_quotation_mark_are_skipped():
    dialect = sniffed('a, "b", c\n1, "2, 3", 4\n')

    assert list(dialect.reader(['1, "2, 3", 4\n'])) == [["1", "2, 3", "4"]]


def test_backslash_at_the_end_of_a_cell_joins_no_records():
    found = sniff_dialect('"field 1","field 2\\"\n"field 3\\","field 4"\n', complete=True)
    assert (found.delimiter, found.escape) == (",", "")
