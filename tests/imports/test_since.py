"""A file that Rapport has exported comes back after others have changed what is in it."""

import csv
import io

import pytest

from rapport.actions import records, undo
from rapport.exports.formats import pieces, table_for
from rapport.imports.doubles import likeness_of
from rapport.meta.registry import registry
from rapport.models import Contact
from rapport.queries.imports import plan_of
from rapport.queries.query import Query
from tests.factories import make_account, make_contact
from tests.imports.bringing import applied, bring, plan, plan_rows

pytestmark = pytest.mark.django_db

CONTACT = registry["contact"]


def exported(by):
    """The contacts as Excel shows a CSV of them: a list of {header: cell}."""
    table = table_for("csv", Query(entity="contact"), by, all_fields=True)
    text = b"".join(pieces(table, "csv")).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def edited(rows, **cells):
    """The file with these cells {header: text} in its first row."""
    rows = [{**rows[0], **{name.replace("_", " "): text for name, text in cells.items()}}]
    text = io.StringIO()
    lines = csv.DictWriter(text, [*rows[0]])
    lines.writeheader()
    lines.writerows(rows)
    return text.getvalue().encode()


def changed(record, by, **values):
    """Somebody edits the record here."""
    records.update_record(CONTACT, record.pk, values, by=by)


def told(upload):
    return [
        (row.row, row.fate, row.changes, [reason[0] for reason in row.reasons])
        for row in plan_rows(plan_of(upload))
    ]


STAYS = "Changed here since the file was exported, and left as it is: {}."


@pytest.fixture
def ada(alice):
    return make_contact(
        owner=alice, first_name="Ada", last_name="Byron", job_title="Clerk", business_phone="030 1"
    )


def test_what_others_changed_since_the_export_stays(alice, ada):
    rows = exported(alice)
    changed(ada, alice, job_title="Head")

    upload = plan(edited(rows, Business_phone="030 22"), "contact", by=alice)
    applied(upload, by=alice)

    assert told(upload) == [
        (2, "update", [["business_phone", "030 1", "030 22"]], [STAYS.format("Job title")])
    ]
    ada.refresh_from_db()
    assert (ada.job_title, ada.business_phone) == ("Head", "030 22")


def test_row_that_only_has_what_was_changed_changes_nothing(alice, ada):
    rows = exported(alice)
    firm = make_account(name="Engines", owner=alice)
    changed(ada, alice, job_title="Head", account=firm.pk)

    upload = plan(edited(rows), "contact", by=alice)

    assert told(upload) == [(2, "same", [], [STAYS.format("Job title")])]


def test_cell_that_was_edited_counts_against_a_later_change(alice, ada):
    rows = exported(alice)
    changed(ada, alice, job_title="Head")

    upload = plan(edited(rows, Job_title="Chief"), "contact", by=alice)

    assert told(upload) == [(2, "update", [["job_title", "Head", "Chief"]], [])]


def test_without_the_moment_of_the_export_the_file_counts(alice, ada):
    rows = exported(alice)
    changed(ada, alice, job_title="Head")
    content = edited(rows, **{"(Do Not Modify) Modified On": ""})

    assert told(plan(content, "contact", by=alice)) == [
        (2, "update", [["job_title", "Head", "Clerk"]], [])
    ]


def test_file_that_is_edited_on_comes_again(alice, ada):
    rows = exported(alice)
    bring(edited(rows, Job_title="Head"), "contact", by=alice)

    again = plan(edited(rows, Job_title="Head"), "contact", by=alice)
    back = plan(edited(rows), "contact", by=alice)

    assert told(again) == [(2, "same", [], [])]
    assert told(back) == [(2, "update", [["job_title", "Head", "Clerk"]], [])]


def test_import_that_was_undone_can_be_made_again(alice, ada):
    rows = exported(alice)
    first = bring(edited(rows, Job_title="Head"), "contact", by=alice)
    undo.undo(first.operation, by=alice)

    again = plan(edited(rows, Job_title="Head"), "contact", by=alice)

    assert told(again) == [(2, "update", [["job_title", "Clerk", "Head"]], [])]


def test_import_of_somebody_else_is_news(alice, admin, ada):
    rows = exported(alice)
    bring(edited(exported(admin), Job_title="Head"), "contact", by=admin)

    upload = plan(edited(rows), "contact", by=alice)

    assert Contact.objects.get(pk=ada.pk).job_title == "Head"
    assert told(upload) == [(2, "same", [], [STAYS.format("Job title")])]


def test_second_row_about_a_record_is_held_back_all_the_same(alice, ada):
    rows = exported(alice)
    changed(ada, alice, job_title="Head")
    one = edited(rows, Business_phone="030 22")
    two = one + one.splitlines(keepends=True)[-1].replace(b"030 22", b"030 33")

    upload = plan(two, "contact", by=alice)

    rows = plan_rows(plan_of(upload))
    assert [(row.row, row.fate, row.like, likeness_of(row)[0]) for row in rows] == [
        (2, "update", 0, 0),
        (3, "duplicate", 2, 100),
    ]


def test_company_that_was_renamed_since_is_not_made_again(alice, ada):
    firm = make_account(name="Engins", owner=alice)
    changed(ada, alice, account=firm.pk)
    rows = exported(alice)
    records.update_record(registry["account"], firm.pk, {"name": "Engines"}, by=alice)

    upload = plan(edited(rows, Job_title="Chief"), "contact", by=alice)
    other = plan(edited(rows, Company_name="Engin"), "contact", by=alice)

    assert told(upload) == [(2, "update", [["job_title", "Clerk", "Chief"]], [])]
    assert upload.counts["create"] == upload.counts.get("accounts", 0) == 0
    assert told(other) == [(2, "update", [["account", str(firm.pk), "+Engin"]], [])]
