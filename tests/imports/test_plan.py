"""The plan: everything is told, nothing is written."""

import pytest
from django.db import transaction

from rapport.actions import jobs, retention
from rapport.actions.lease import Refused
from rapport.files.read import FileRefused
from rapport.imports import flow, report, uploads
from rapport.imports.kept import Places
from rapport.imports.mapping import MappingRefused
from rapport.jobs import clock
from rapport.meta.registry import registry
from rapport.models import (
    Account,
    Change,
    Contact,
    ImportFile,
    Job,
    MatchKey,
    Operation,
    Plan,
    PlanRow,
)
from rapport.queries.imports import plan_of
from tests.factories import make_account, make_contact
from tests.imports.bringing import describe, errors, fates, plan

pytestmark = pytest.mark.django_db


def test_plan_counts_and_explains_and_writes_nothing(alice, table):
    make_contact(email="there@x.de", owner=alice)
    content = table(
        "First Name,Last Name,Email,Company,Birthday,Gender",
        "Anna,Bo,anna@x.de,Acme,1980-12-31,Female",
        "Bob,,bob@x.de,Acme,,",
        "Carl,Dee,nonsense,Acme,30.02.1990,robot",
        "There,Before,there@x.de,,,",
        "Anna,Bo,,ACME,,",
        "Erik,Fa,erik@x.de,Bee,,",
    )
    upload = plan(content, by=alice)

    assert upload.state == "planned"
    assert upload.counts == {
        "rows": 6, "create": 2, "update": 0, "same": 0, "duplicate": 2, "refused": 2, "accounts": 2,
    }  # fmt: skip
    assert fates(upload) == {3: "refused", 4: "refused", 5: "duplicate", 6: "duplicate"}
    assert errors(upload) == [
        (3, "Last Name", "Last name is required. Fill the cell."),
        (4, "Email", "“nonsense” is not an e-mail address. Correct the address or empty the cell."),
        (
            4,
            "Birthday",
            (
                "“30.02.1990” is not a date. Write it as 2026-01-31. Choose another order of day "
                "and month if all dates are refused."
            ),
        ),
        (
            4,
            "Gender",
            (
                "“robot” is not one of: Male, Female. Write one of these options, or their number, "
                "or empty the cell."
            ),
        ),
    ]
    assert (Contact.objects.count(), Account.objects.count()) == (1, 0)
    assert not Operation.objects.filter(kind="import").exists()


EMAIL = ["contact.email", "same", 16.1]


def test_duplicates_say_what_they_are_the_same_as(alice, table):
    there = make_contact(first_name="Anna", last_name="Bo", email="a@x.de", owner=alice)
    upload = plan(table("Last Name,Email", "Other,A@x.de", "Cee,c@x.de", "Cee,C@X.DE"), by=alice)

    rows = list(plan_of(upload).rows.order_by("row"))

    assert [(row.row, row.record, row.reasons) for row in rows] == [
        (2, there.pk, [0, 70, EMAIL]),
        (4, None, [3, 97, EMAIL, ["contact.last_name", "same", 7.3]]),
    ]
    contact, places = registry["contact"], Places(plan_of(upload))
    assert [report.duplicate_text(row, contact, places) for row in rows] == [
        "There is such a record already (70%): the same Email.",
        "The same as row 3 of this file (97%): Email, Last name.",
    ]


def test_name_and_company_make_a_duplicate_whatever_the_spelling(alice, table):
    acme = make_account(name="Acme, Inc.", owner=alice)
    make_contact(first_name="Jörg", last_name="Bo", account=acme, owner=alice)

    upload = plan(table("Name,Company", "JORG BO,ACME Inc", "Jörg Bo,Other"), by=alice)

    assert fates(upload) == {2: "duplicate"}


def test_preview_shows_the_first_rows_as_they_would_be(alice, table):
    upload = plan(table("Name,Company,Foo", "Dr. Anna Bo,Acme,x", "X,Y,z"), by=alice)

    assert plan_of(upload).parameters["preview"][0] == {
        "row": 2,
        "fate": "create",
        "values": {
            "salutation": "Dr.", "first_name": "Anna", "last_name": "Bo", "account": "Acme",
        },
        "reasons": [],
    }  # fmt: skip


def test_row_of_another_width_is_refused_and_a_short_one_filled(alice, table):
    upload = plan(
        table("Name,Email", "Anna Bo", "Carl Dee,c@x.de,surplus", ",,", "Eve Fa,"), by=alice
    )

    assert upload.counts["rows"] == 3
    assert fates(upload) == {3: "refused"}
    assert [(row, column) for row, column, _ in errors(upload)] == [(3, None)]


def test_missing_column_is_told_once_per_row(alice, table):
    upload = plan(table("First Name,Phone", "Anna,030 1"), by=alice)

    assert errors(upload) == [(2, None, "Last name is required. Map a column to it.")]


@pytest.mark.parametrize(
    "content",
    [b"", b"\n \n", b"%PDF-1.7 nothing here", b"PK\x05\x06" + bytes(18), b"\x89PNG\r\n\x1a\n\0\0"],
)
def test_what_is_no_table_is_refused(alice, content):
    with pytest.raises(FileRefused):
        describe(content, by=alice)


def test_header_alone_is_refused(alice, table):
    with pytest.raises(Refused, match="no record below it"):
        plan(table("First Name,Last Name"), by=alice)
    upload = ImportFile.objects.get()
    assert (upload.state, upload.message) == (
        "uploaded",
        "There is a header in this file, but no record below it.",
    )


def test_headers_that_say_nothing_are_refused(alice, table):
    with pytest.raises(MappingRefused):
        describe(table("a,b", "1,2"), "auto", by=alice)
    with pytest.raises(MappingRefused):
        plan(table("a,b", ",2", "3,"), "account", by=alice)


def test_unreadable_cell_matters_only_where_its_column_does(alice):
    # Latin-1 bytes in a file that is read as UTF-8.
    content = "Name,Note\nAnna Bo,gr\xfcn\nM\xfcller,x\n".encode("latin-1")

    upload = plan(content, by=alice, encoding="utf-8", picks=["Note="])

    assert fates(upload) == {3: "refused"}
    assert [(row, column) for row, column, _ in errors(upload)] == [(3, "Name")]


def test_error_of_a_workbook_is_the_only_reason_of_its_cell(alice):
    sheet = (
        '<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" '
        'xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet ss:Name="S"><Table>'
        "<Row><Cell><Data>Last Name</Data></Cell><Cell><Data>Birthday</Data></Cell></Row>"
        '<Row><Cell><Data>Bo</Data></Cell><Cell><Data ss:Type="Error">#N/A</Data></Cell></Row>'
        "</Table></Worksheet></Workbook>"
    )

    upload = plan(sheet.encode(), by=alice)

    assert [(row, column) for row, column, _ in errors(upload)] == [(2, "Birthday")]
    assert errors(upload)[0][2].startswith("The workbook has the error #N/A here.")


def test_plan_of_another_mapping_replaces_the_first(alice, table):
    upload = plan(table("Name,Mail", "Anna Bo,nonsense"), by=alice)
    mapping = flow.mapping_of(upload)
    flow.remap(upload, type(mapping)(entity=mapping.entity, columns={0: mapping.columns[0]}))
    flow.plan_now(upload, by=alice)

    upload = ImportFile.objects.get(pk=upload.pk)
    assert (upload.counts["create"], upload.counts["refused"]) == (1, 0)
    assert Plan.objects.filter(import_file=upload).count() == 1


@pytest.mark.parametrize(
    ("birthdays", "reading", "told"),
    [
        (("03/03/1990", "01/02/1990"), {}, ["01/02/1990"]),
        (("01/02/1990", "13/02/1990"), {}, []),
        (("01.02.1990", "03.02.1990"), {}, []),
        (("1990-01-02", "02/02/1990"), {}, []),
        (("01/02/1990", ""), {"date_order": "mdy"}, []),
    ],
)
def test_days_that_may_be_months_are_told(alice, table, birthdays, reading, told):
    rows = (f"Bo {day},{day}" for day in birthdays)
    upload = describe(table("Last Name,Birthday", *rows), by=alice, **reading)
    notes = [note.split("“")[2].split("”")[0] for note in upload.options["notes"]]
    assert notes == told


def test_date_order_and_mark_can_be_chosen(alice, table):
    content = table("Account Name,Revenue", 'Acme,"1,5"', 'Bee,"2,25"')
    upload = describe(content, "account", by=alice)
    assert upload.reading["decimal_mark"] == ","

    upload = describe(content, "account", by=alice, decimal_mark=".")
    flow.plan_now(upload, by=alice)
    assert fates(upload) == {2: "refused", 3: "refused"}


def test_upload_is_kept_apart_and_bounded(alice, settings, tmp_path):
    upload = flow.receive([b"Name\n", b"Anna Bo\n"], name="../../x.csv", entity="contact", by=alice)
    assert upload.name == "x.csv"
    assert uploads.path_of(upload).read_bytes() == b"Name\nAnna Bo\n"
    assert uploads.path_of(upload).is_relative_to(tmp_path / "uploads" / "imports")

    settings.UPLOAD_LIMIT = 5
    with pytest.raises(uploads.UploadTooLarge):
        flow.receive([b"Name\n", b"Anna Bo\n"], name="x.csv", entity="contact", by=alice)
    kept = list((tmp_path / "uploads" / "imports").iterdir())
    assert kept == [uploads.path_of(upload).parent]

    flow.delete(upload)
    assert list((tmp_path / "uploads" / "imports").iterdir()) == []


def test_a_forgotten_file_is_gone_at_once_and_its_rows_piece_by_piece(
    alice, table, django_assert_max_num_queries
):
    rows = [f"Bo{n},nonsense" for n in range(200)]
    gone, left = (plan(table("Last Name,Email", *rows), by=alice) for _time in range(2))
    kept = plan_of(left)

    with django_assert_max_num_queries(25) as asked:
        flow.delete(gone)

    assert list(ImportFile.objects.all()) == [left]
    assert not any("rapport_planrow" in one["sql"] for one in asked.captured_queries)
    assert PlanRow.objects.count() == 400

    job = jobs.enqueue("import.apply", {}, by=alice, label="")
    Job.objects.filter(pk=job.pk).update(state="running")
    clock.forget_plans()
    assert PlanRow.objects.count() == 400

    Job.objects.filter(pk=job.pk).update(state="done")
    with transaction.atomic():
        retention.forget_dropped(50)
    assert (PlanRow.objects.count(), Plan.objects.count()) == (350, 2)

    clock.forget_plans()
    assert (list(Plan.objects.all()), PlanRow.objects.count()) == ([kept], 200)


def test_thousands_of_rows_are_planned_in_a_few_batches(alice, table):
    content = table("Name,Email", *(f"Anna Bo{n},a{n % 900}@x.de" for n in range(2000)))
    keys = MatchKey.objects.count()

    upload = plan(content, by=alice)

    assert (upload.counts["create"], upload.counts["duplicate"]) == (900, 1100)
    assert (Contact.objects.count(), MatchKey.objects.count()) == (0, keys)
    assert not Change.objects.filter(entity="contact").exists()
