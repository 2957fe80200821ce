"""`rapport import`."""

import argparse
import io
import json
from pathlib import Path

import openpyxl
import pytest

from rapport.imports import command
from rapport.models import Account, Contact, ImportFile
from tests.factories import make_account, make_contact

pytestmark = pytest.mark.django_db

FIELDS = {
    "rows", "created", "updated", "skipped", "duplicates", "errors", "accounts_created",
    "operation", "seconds", "mapping", "entity", "file", "encoding", "delimiter", "sheet",
    "refused", "refused_rows", "dry_run", "format", "import", "notes", "program",
    "date_order", "decimal_mark",
}  # fmt: skip


@pytest.fixture
def file(tmp_path, table):
    path = tmp_path / "fair.csv"
    path.write_bytes(
        table(
            "Name;Mail;Company;Odd",
            "Anna Bo;a@x.de;Acme;1",
            "Carl Dee;nonsense;Acme;2",
            "Eve Fa;;;",
        )
    )
    return path


def run(path, by, capsys, entity="contact", **more):
    """The exit code and what was printed."""
    options = {"dry_run": False, "json": True, "map": None} | more
    code = command.run(argparse.Namespace(file=path, entity=entity, by=by, **options))
    printed = capsys.readouterr()
    return code, json.loads(printed.out) if options["json"] else printed


def test_json_is_one_object(file, alice, capsys):
    code, found = run(file, alice, capsys)

    assert (code, set(found)) == (0, FIELDS)
    assert {name: found[name] for name in ("rows", "created", "updated", "skipped")} == {
        "rows": 3, "created": 2, "updated": 0, "skipped": 0,
    }  # fmt: skip
    assert (found["duplicates"], found["refused_rows"], found["accounts_created"]) == (0, 1, 1)
    assert "held_back" not in found
    assert found["errors"] == [
        {
            "row": 3,
            "column": "Mail",
            "reason": "“nonsense” is not an e-mail address. Correct the address or empty the cell.",
        }
    ]
    assert found["mapping"] == {
        "Name": "full_name", "Mail": "email", "Company": "account", "Odd": None,
    }  # fmt: skip
    assert (found["entity"], found["format"], found["delimiter"], found["encoding"]) == (
        "contact", "csv", ";", "utf-8",
    )  # fmt: skip
    assert str(ImportFile.objects.get().operation_id) == found["operation"]


def test_dry_run_leaves_nothing_behind(file, alice, capsys):
    code, found = run(file, alice, capsys, dry_run=True)

    assert (code, found["created"], found["accounts_created"], found["operation"]) == (
        0,
        2,
        1,
        None,
    )
    assert (Contact.objects.count(), Account.objects.count()) == (0, 0)
    assert ImportFile.objects.count() == 0


def test_dry_run_of_a_header_alone_is_refused_and_leaves_nothing(file, alice, capsys):
    file.write_bytes(b"First Name,Last Name\n")

    code, found = run(file, alice, capsys, dry_run=True)

    assert (code, found["refused"]) == (
        1, "There is a header in this file, but no record below it.",
    )  # fmt: skip
    assert ImportFile.objects.count() == 0


def test_dry_run_that_nobody_reads_on_leaves_nothing_behind(file, alice, monkeypatch):
    class Closed(io.StringIO):
        def write(self, _text):
            raise BrokenPipeError

    monkeypatch.setattr("sys.stdout", Closed())
    given = {"file": file, "entity": "contact", "map": None, "by": alice, "dry_run": True}
    for as_json in (False, True):
        args = argparse.Namespace(**given, json=as_json)
        with pytest.raises(BrokenPipeError):
            command.run(args)

    assert ImportFile.objects.count() == 0


def test_standard_input_is_a_file(file, alice, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(file.read_bytes())))

    code, found = run(Path("-"), alice, capsys)

    assert (code, found["file"], found["created"]) == (0, "-", 2)
    assert ImportFile.objects.get().name == "standard input"


@pytest.mark.once
def test_sheets_that_are_not_read_are_told(alice, capsys, tmp_path):
    book = openpyxl.Workbook()
    for title in ("North", "South", "East"):
        sheet = book.create_sheet(title)
        sheet.append(["Name", "Mail"])
        sheet.append([f"Anna {title}", f"{title}@x.de"])
    del book["Sheet"]
    path = tmp_path / "regions.xlsx"
    book.save(path)

    told = (
        "The workbook has 2 more sheets with rows. --sheet NAME reads another one, "
        "--sheet '*' all of them."
    )
    assert run(path, alice, capsys, dry_run=True)[1]["notes"] == [told]
    assert f"  {told}\n" in run(path, alice, capsys, dry_run=True, json=False)[1].out
    assert run(path, alice, capsys, dry_run=True, sheet="South")[1]["notes"] == []
    assert run(path, alice, capsys, dry_run=True, sheet="*")[1]["created"] == 3


def test_second_time_adds_nothing(file, alice, capsys):
    run(file, alice, capsys)

    code, found = run(file, alice, capsys)

    assert (code, found["created"], found["skipped"], found["refused_rows"]) == (0, 0, 2, 1)


def test_people_read_sentences(file, alice, capsys):
    code, printed = run(file, alice, capsys, json=False)

    operation = ImportFile.objects.get().operation_id
    assert code == 0
    assert printed.out.splitlines()[:6] == [
        "fair.csv: csv, utf-8, contact",
        "  Name -> full_name",
        "  Mail -> email",
        "  Company -> account",
        "  Odd -> (ignored)",
        (
            "  row 3 [Mail]: “nonsense” is not an e-mail address. "
            "Correct the address or empty the cell."
        ),
    ]
    assert printed.out.splitlines()[-1] == f"Undo with: rapport undo {operation}"


@pytest.mark.parametrize(
    ("content", "entity", "rows"),
    [
        (b"", "contact", 0),
        (b"\x89PNG\r\n\x1a\n\0\0\0\0", "contact", 0),
        (b"Name\n", "contact", 0),
        (b"a,b\n1,2\n3,4\n", "auto", 2),
        (b"a,b\n,2\n3,\n", "account", 2),
    ],
)
def test_file_that_is_refused_is_told_in_the_same_form(
    content, entity, rows, alice, capsys, tmp_path
):
    path = tmp_path / "x.csv"
    path.write_bytes(content)

    code, found = run(path, alice, capsys, entity)

    assert (code, found["rows"], found["created"], found["errors"]) == (1, rows, 0, [])
    assert found["refused"]
    assert ImportFile.objects.get().state in {"failed", "uploaded"}


def test_missing_file_is_told(alice, capsys, tmp_path):
    path = tmp_path / "none.csv"
    code, found = run(path, alice, capsys)
    refused = f"{path}: No such file or directory"
    assert (code, found["refused"], found["mapping"]) == (1, refused, {})


def test_everything_can_be_said(alice, capsys, tmp_path):
    make_account(name="Acme", owner=alice)
    make_account(name="Acme", owner=alice)
    anna = make_contact(last_name="Bo", business_phone="+49 30 1234", job_title="A", owner=alice)
    path = tmp_path / "x.csv"
    path.write_bytes(
        b"Last Name,Phone,Sex,Position,Department,Company\nBo,030 1234,w,,,Acme\nDee,,?,,X,Bee\n"
    )
    said = {
        "map": ["Sex=gender"], "match": ["business_phone", "first_name+last_name"],
        "on_match": "update", "duplicates": "fill", "constant": ["first_name=Kim"],
        "default": ["Position=Boss"], "value": ["Sex:w=Female", "3:?="], "wipe": ["job_title"],
        "missing": ["Company=blank"], "several": ["account=blank"], "phone_country": "de",
    }  # fmt: skip

    code, found = run(path, alice, capsys, **said)

    assert (code, found["refused"], found["created"], found["updated"]) == (0, None, 1, 1)
    assert found["decided"] == {
        "match": [["business_phone"], ["first_name", "last_name"]],
        "duplicates": "fill",
        "constants": {"first_name": "Kim"},
        "phone_country": "DE",
        "columns": {
            "Sex": {"values": {"w": "Female", "?": ""}},
            "Position": {"default": "Boss", "wipe": True},
            "Company": {"missing": "blank", "several": "blank"},
        },
    }
    anna.refresh_from_db()
    new = Contact.objects.exclude(pk=anna.pk).get()
    assert [
        (c.first_name, c.gender, c.job_title, c.department, c.account_id, c.business_phone)
        for c in (anna, new)
    ] == [("Kim", 2, "", "", None, "030 1234"), ("Kim", None, "Boss", "X", None, "")]


@pytest.mark.parametrize(
    "said",
    [
        {"match": ["no_field"]},
        {"constant": ["Nothing"]},
        {"default": ["None=x"]},
        {"value": ["Name=x"]},
        {"phone_country": "Atlantis"},
        {"map": ["Nowhere=email"]},
        {"map": ["Mail=no_field"]},
        {"missing": ["Company=guess"]},
        {"encoding": "klingon"},
        {"header": 40},
    ],
)
def test_what_is_said_wrongly_is_wrong_usage(said, file, alice, capsys):
    code, found = run(file, alice, capsys, **said)
    assert (code, found["created"], bool(found["refused"])) == (2, 0, True)


def test_sheet_that_is_not_there_is_wrong_usage(alice, capsys, tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["Name", "Mail"])
    book.active.append(["Anna Bo", "a@x.de"])
    book.save(path := tmp_path / "x.xlsx")

    assert run(path, alice, capsys, sheet="Nowhere")[0] == 2


def test_option_is_not_at_fault_where_nothing_can_be_mapped(alice, capsys, tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes(b"q,z\n1,\n,2\n")

    assert run(path, alice, capsys)[0] == 1
    assert run(path, alice, capsys, on_match="fill")[0] == 1


def test_columns_can_be_mapped_by_hand(alice, capsys, tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes(b"a,b\nAnna Bo,a@x.de\n")

    _code, found = run(path, alice, capsys, map=["a=full_name", "2=email"])

    assert found["mapping"] == {"a": "full_name", "b": "email"}
    assert Contact.objects.values_list("full_name", "email").get() == ("Anna Bo", "a@x.de")


def test_who_may_not_import_is_told(file, capsys):
    from tests.factories import make_user

    code, found = run(file, make_user(roles=("read-only",)), capsys)
    assert (code, found["rows"], bool(found["refused"])) == (1, 0, True)


def test_what_is_held_back_is_told(alice, tmp_path, table, capsys):
    stored = make_contact(first_name="Eve", last_name="Fa", email="eve@x.de", owner=alice)
    path = tmp_path / "list.csv"
    path.write_bytes(
        table(
            "First Name,Last Name,Email,City",
            "Eve,Fa,eve@x.de,Ulm", "Bo,Dee,bo@x.de,Bonn", "Bo,Dee,bo@x.de,Rom",
        )
    )  # fmt: skip
    _code, found = run(path, alice, capsys, dry_run=True)
    told = [(one["row"], one["record"], one["like"]) for one in found["held_back"]]
    assert told == [(2, str(stored.pk), None), (4, None, 3)]
    assert found["held_back"][1]["confidence"] >= 90

    _code, printed = run(path, alice, capsys, dry_run=True, json=False)
    assert "  row 2: There is such a record already (" in printed.out
    assert "  row 4: The same as row 3 of this file (" in printed.out
    assert "--duplicates update or fill brings it into the stored record" in printed.out


def test_encoding_that_is_a_guess_is_told_with_a_word_to_look_at(tmp_path, alice, capsys):
    path = tmp_path / "list.csv"
    path.write_bytes("Last Name,City\nBo,Köln\n".encode("cp1252"))

    said = {}
    for more in ({}, {"encoding": "cp1252"}):
        command.run(argparse.Namespace(
            file=path, entity="contact", by=alice, dry_run=True, json=True, map=None, **more
        ))  # fmt: skip
        said[len(more)] = json.loads(capsys.readouterr().out)["notes"]

    assert ("cp1252 is a guess" in said[0][0], "“Köln”" in said[0][0]) == (True, True)
    assert said[1] == []


def test_second_list_of_an_xml_file_is_told_and_can_be_chosen(tmp_path, alice, capsys):
    path = tmp_path / "both.xml"
    path.write_text(
        "<d><firm><name>Acme</name><tel>1</tel><tel>2</tel></firm><firm><name>Bee</name></firm>"
        "<man><last_name>Bo</last_name></man><man><last_name>Dee</last_name></man></d>"
    )

    said = []
    for element in (None, "d/man", "d/firm/tel"):
        command.run(argparse.Namespace(
            file=path, entity="contact", by=alice, dry_run=True, json=True, map=None,
            element=element,
        ))  # fmt: skip
        found = json.loads(capsys.readouterr().out)
        said.append((found["rows"], [note for note in found["notes"] if "is read" in note]))

    other = "“%s” is read. What else repeats is left out and can be chosen: “%s”."
    assert said == [
        (2, [other % ("d/firm", "d/man")]),
        (2, [other % ("d/man", "d/firm”, “d/firm/tel")]),
        (2, [other % ("d/firm/tel", "d/man")]),
    ]
