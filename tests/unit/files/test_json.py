"""JSON lines and JSON documents."""

import pytest

from rapport.files import read
from rapport.files.detect import sniff
from rapport.files.read import open_table
from rapport.files.refusal import FileRefused


@pytest.fixture
def file(tmp_path):
    def write(text):
        path = tmp_path / "file.json"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def plain(table):
    return [(record.number, record.cells) for record in table]


def test_lines_are_records_and_numbers_are_lines(file):
    path = file(
        '{"a": "x", "b": 1.50}\n\n{"b": 12345678901234567890, "c": {"d": [true, null, "y"]}}\n'
    )

    with open_table(path) as table:
        assert sniff(path).format == "json"
        assert (table.columns, table.unit) == (("a", "b", "c/d"), "line")
        assert plain(table) == [
            (1, ("x", "1.50", "")),
            (3, ("", "12345678901234567890", "true; ; y")),
        ]


def test_who_converts_the_same_file_at_once_disturbs_nobody(file, tmp_path, monkeypatch):
    path, scratch, real = file('{"a": 1}\n{"a": 2}\n'), tmp_path / "scratch", read.convert
    scratch.mkdir()

    def beaten(path, kind, target, **more):
        """Another process is through when this one begins to write."""
        monkeypatch.undo()
        table = open_table(path, scratch=scratch)
        with target.open("w"):
            assert len(list(table)) == 2
        return real(path, kind, target, **more)

    monkeypatch.setattr(read, "convert", beaten)

    assert len(list(open_table(path, scratch=scratch))) == 2
    assert sorted(made.suffix for made in scratch.iterdir()) == [".csv", ".json"]


def test_list_of_objects_inside_a_record_is_numbered(file):
    with open_table(file('{"a": "x", "p": [{"n": 1}, {"n": 2}]}\n')) as table:
        assert (table.columns, plain(table)) == (("a", "p/n", "p/n 2"), [(1, ("x", "1", "2"))])


@pytest.mark.parametrize(
    "text",
    [
        '{"a": "x", "b": "y", "lines": [{"n": 1, "m": 2}, {"n": 2}]}',
        '{"a": "x", "phones": [{"n": 1, "m": 2, "o": 3}, {"n": 2}]}',
        '{"who": {"a": "x", "b": "y", "p": [{"n": 1, "m": 2}, {"n": 2}]}}',
        '{"a": "x", "l": [{"n": 1, "m": 2}], "k": [{"n": 1, "m": 2}]}',
        '{"tags": ["a", "b"], "langs": ["c"]}',
        '{"a": {"b": 1}, "c": {"0": 1}}',
    ],
)
def test_record_with_lists_in_it_stays_one(file, text):
    assert len(list(open_table(file(text)))) == 1


KEYED = (
    '{"1": {"n": "A", "m": "a@x.de"}, "2": {"n": "B"}}',
    '{"people": {"1": {"n": "A", "m": "a@x.de"},\n "2": {"n": "B"}}}\n',
)


@pytest.mark.parametrize("text", KEYED)
def test_objects_by_the_keys_of_their_records_are_records(file, text):
    with open_table(file(text)) as table:
        assert table.columns == ("key", "n", "m")
        assert plain(table) == [(1, ("1", "A", "a@x.de")), (2, ("2", "B", ""))]


def test_many_objects_alike_are_records_with_any_keys(file):
    many = ", ".join(f'"{letter}": {{"n": 1, "key": 2}}' for letter in "abcdefghij")
    with open_table(file(f"{{{many}}}")) as table:
        assert (table.columns, len(list(table))) == (("_key", "n", "key"), 10)


FIELDS = ", ".join(f'"{letter}": {{"value": 1}}' for letter in "abcdefghijkl")


@pytest.mark.parametrize(
    "text",
    [
        '{"billing": {"city": "Bonn", "zip": 1}, "shipping": {"city": "Rom", "zip": 2}}',
        '{"name 1": {"first": "A"}, "address 1": {"city": "Bonn"}}',
        '{"name": "A", "1": {"city": "Bonn"}, "2": {"city": "Rom"}}',
        '{"1": {}, "2": {}, "name": {"first": "A"}}',
        f"{{{FIELDS}}}",
    ],
)
def test_record_with_objects_in_it_stays_one(file, text):
    with open_table(file(text)) as table:
        assert ("key" in table.columns, len(list(table))) == (False, 1)


def test_broken_line_is_a_problem_of_its_record(file):
    text = b'{"a": 1}\n{"a": \n[1]\n{"a": "\xff"}\n{"a": "' + "ü".encode() * 20 + b'"}\n'

    with open_table(file(text)) as table:
        found = [(r.number, r.cells, str(r.problem)) for r in table]

    assert found == [
        (1, ("1",), "None"),
        (2, ('{"a":',), 'This line is not valid JSON: “{"a":”.'),
        (3, ("[1]",), "This line is not valid JSON: “[1]”."),
        (4, ('{"a": "\\xff"}',), 'This line is not valid JSON: “{"a": "\\xff"}”.'),
        (5, ("ü" * 20,), "None"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        '[{"a": 1}, {"a": 2}]',
        '[\n  {"a": 1},\n  {"a": 2}\n]\n',
        '{\n "@odata.context": "x",\n "value": [{"a": 1}, {"a": 2}]\n}',
        '{"@odata.context": "x", "value": [{"a": 1}, {"a": 2}]}',
        '[["a"], [1], ["2"]]',
        '["a"]\n[1]\n["2"]\n',
        '{"d": {"results": [{"a": 1}, {"a": 2}], "__count": "2"}}',
        '{"_links": {"self": {"href": "x"}}, "_embedded": {"people": [{"a": 1}, {"a": 2}]}}',
        '{"status": "ok", "people": [{"a": 1}, {"a": 2}]}',
        '{"schema": {"fields": [{"name": "a"}]}, "data": [{"a": 1}, {"a": 2}]}',
        '{"columns": ["a"], "index": [0, 1], "data": [[1], [2]]}',
        '{\n "a": 1\n}\n{\n "a": 2\n}\n',
    ],
)
def test_documents_that_hold_a_list(file, text):
    with open_table(file(text)) as table:
        assert (table.columns, plain(table)) == (("a",), [(1, ("1",)), (2, ("2",))])


@pytest.mark.parametrize(
    "text", ['{"a": {"0": 1, "1": 2}, "b": {"0": 3, "1": 4}}', '{"a": [1, 2], "b": [3, 4]}']
)
def test_columns_become_rows(file, text):
    with open_table(file(text)) as table:
        assert (table.columns, plain(table)) == (("a", "b"), [(1, ("1", "3")), (2, ("2", "4"))])


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[1, 2]", "damaged"),
        ('[["a", "a"], [1, 2]]', "damaged"),
        ('{\n"a": ', "damaged"),
        ('{\n"a": 1\n}\n{\n"a": 2', "damaged"),
        ("[" * 100_000, "damaged"),
        ("{}\n{}\n", "empty"),
        ("[]", "empty"),
        ('["card", [1, 2]]', "damaged"),
        ('{"a": [{"n": 1}], "b": [{"n": 2}]}', "json-lists"),
    ],
)
def test_what_is_no_table_is_refused(file, text, code):
    path = file(text)

    if sniff(path).format == "json":
        with pytest.raises(FileRefused) as refused:
            open_table(path)
        assert refused.value.code == code
    else:
        assert open_table(path).columns != ()


def test_deep_nesting_is_no_recursion(file):
    deep = '{"a":' * 250 + "1" + "}" * 250

    with open_table(file(deep + "\n")) as table:
        assert len(list(table)) == 1
        assert table.columns[0].count("/") == 39
