"""All that is wrong with a row is said at once, and nothing that only follows from it."""

import uuid

import pytest

from rapport.imports import deciding, report
from rapport.imports.mapping import Target
from rapport.imports.reasons import from_json
from rapport.models import Account, Contact
from rapport.queries.imports import plan_of
from tests.factories import make_account, make_contact
from tests.imports.bringing import applied, errors, fates, plan, planned

pytestmark = pytest.mark.django_db


def said(content, entity="contact", **options):
    """[(column, beginning of the reason)] of the rows that are refused."""
    found = errors(plan(content, entity, **options))
    return [(column, reason[:31]) for _row, column, reason in found]


def test_wrong_cells_missing_fields_and_names_of_nothing_are_said_together(alice, table):
    make_account(name="Bee", owner=alice)
    make_account(name="Bee", owner=alice)
    content = table(
        "Owner,Gender,Last Name,Manager,Birthday,Company,Salutation",
        f"Nobody,robot,,Boss,30.02.1990,Bee,{'x' * 101}",
        ",female,Fine,,,,",
    )
    missing = {"owner": "refuse", "manager": "refuse"}
    assert said(content, by=alice, missing=missing, picks=("Manager=manager",)) == [
        ("Owner", "There is no user or team called"),
        ("Gender", "“robot” is not one of: Male, Fe"),
        ("Last Name", "Last name is required. Fill the"),
        ("Manager", "There is no contact called “Bos"),
        ("Birthday", "“30.02.1990” is not a date. Wri"),
        ("Company", "There are 2 records called “Bee"),
        ("Salutation", "Longer than 100 characters (101"),
    ]


def test_rows_of_the_error_file_have_all_reasons_in_the_order_of_the_columns(alice, table):
    upload = plan(table("Birthday,Last Name,Email", "x,,y"), by=alice)
    content = b"".join(report.rows_file(upload, plan_of(upload))).decode("utf-8-sig")
    reason = content.splitlines()[1].split(",", 3)[3]
    places = [reason.index(text) for text in ("“x”", "Last name is required", "“y”")]
    assert places == sorted(places)


def test_what_is_wrong_is_not_missing_as_well(alice, table):
    content = table("Last Name,Birthday", f"{'x' * 51},x")
    assert [column for column, _ in said(content, by=alice)] == ["Last Name", "Birthday"]
    # Nor is what would come from a cell that is wrong.
    content = table("Name,Birthday", f"Anna {'x' * 51},x")
    assert [column for column, _ in said(content, by=alice)] == ["Name", "Birthday"]


def test_rules_of_an_entity_look_at_what_can_be_told(alice, table):
    header = "First Name,Last Name,Company,Email,Annual Revenue"
    assert said(table(header, "Anna,,,,much"), "lead", by=alice) == [
        ("Last Name", "A lead needs a last name, a com"),
        ("Annual Revenue", "“much” is not a number. Write d"),
    ]
    # An address that cannot be read is one, too.
    found = said(table(header, "Anna,,,nonsense,much"), "lead", by=alice)
    assert [column for column, _ in found] == ["Email", "Annual Revenue"]


def test_a_row_about_a_record_lacks_nothing_that_the_record_has(alice, table):
    contact = make_contact(last_name="Bo", owner=alice)
    header = "(Do Not Modify) Contact,Last Name,Birthday"
    assert said(table(header, f"{contact.pk},,x"), by=alice) == [
        ("Birthday", "“x” is not a date. Write it as ")
    ]
    # Of which record it is cannot be told: it may have a last name.
    assert [column for column, _ in said(table(header, "no id,,x"), by=alice)] == [
        "(Do Not Modify) Contact", "Birthday",
    ]  # fmt: skip
    # There is no such record: a new one would be made.
    assert [column for column, _ in said(table(header, f"{uuid.uuid4()},,x"), by=alice)] == [
        "Last Name", "Birthday",
    ]  # fmt: skip


def test_a_record_of_somebody_else_says_nothing_of_itself(alice, charlie, table):
    theirs = make_contact(last_name="Bo", state=1, status=2, owner=charlie)
    found = errors(
        plan(table("(Do Not Modify) Contact,Last Name,Birthday", f"{theirs.pk},,x"), by=alice)
    )
    assert [column for _row, column, _reason in found] == ["Birthday", None]
    assert found[1][2] == "You may not change this record, or it is not visible to you."


def test_a_closed_record_says_so_beside_a_wrong_cell(alice, table):
    closed = make_contact(last_name="Bo", state=1, status=2, owner=alice)
    content = table("(Do Not Modify) Contact,Job Title,Birthday", f"{closed.pk},Cook,x")
    assert said(content, by=alice) == [
        ("Birthday", "“x” is not a date. Write it as "),
        (None, "This record is closed: reactiva"),
    ]


def test_rows_found_by_a_field_that_is_wrong_lack_nothing(alice, table):
    match = (("email",), ("last_name",))
    make_contact(last_name="Bo", owner=alice)
    make_contact(last_name="Bo", owner=alice)
    content = table("Email,Last Name,Birthday", "nonsense,Bo,x", "new@x.de,,x", ",Bo,x")
    found = [(row, column) for row, column, _ in errors(planned(content, by=alice, match=match))]
    assert found == [
        (2, "Email"), (2, "Birthday"),
        (3, "Last Name"), (3, "Birthday"),
        (4, "Last Name"), (4, "Birthday"),
    ]  # fmt: skip


def test_parts_of_a_row_tell_what_they_lack_too(alice, table):
    header = "Last Name,Birthday,Company,Company Website,Company Email"
    found = said(table(header, f"Bo,x,,{'w' * 300},y"), by=alice)
    assert [column for column, _ in found] == [
        "Birthday", "Company", "Company Website", "Company Email",
    ]  # fmt: skip
    # A row that says something only of a company needs no person.
    found = said(table(header, ",,,,y"), by=alice)
    assert [column for column, _ in found] == ["Company", "Company Email"]
    # The company is named, but by nothing that would do.
    found = said(table(header, f"Bo,x,{'c' * 161},w.de,y"), by=alice)
    assert [column for column, _ in found] == ["Birthday", "Company", "Company Email"]


def test_deal_says_all_that_is_wrong_with_its_person(alice, table):
    header = "Topic,Contact First Name,Contact Last Name,Contact Email,Est. Close Date"
    picks = [
        f"Contact {name}=contact.{name.replace(' ', '_').lower()}"
        for name in ("First Name", "Last Name", "Email")
    ]
    found = said(table(header, "Roof,Ann,,a@b.de,x"), "opportunity", by=alice, picks=picks)
    assert [column for column, _ in found] == ["Contact Last Name", "Est. Close Date"]
    # Whoever has that address may be there, and have a last name.
    found = said(table(header, "Roof,Ann,,nonsense,x"), "opportunity", by=alice, picks=picks)
    assert [column for column, _ in found] == ["Contact Email", "Est. Close Date"]


def test_rows_that_are_refused_take_nothing_from_others(alice, table):
    content = table(
        "Last Name,Email,Company,Birthday",
        "Bo,a@b.de,ACME,x", "Bo,a@b.de,Acme,", "Dee,d@b.de,Bee,x", "Bo,a@b.de,Acme,",
    )  # fmt: skip
    upload = plan(content, by=alice)
    assert fates(upload) == {2: "refused", 4: "refused", 5: "duplicate"}
    assert upload.counts["accounts"] == 1
    done = applied(upload, by=alice)
    assert (done.counts["created"], done.counts["refused"]) == (1, 2)
    assert list(Account.objects.values_list("name", flat=True)) == ["Acme"]


def test_repairing_one_cell_leaves_the_other_reason(alice, table):
    upload = plan(table("Last Name,Birthday,Email", ",x,y", "Dee,z,"), by=alice)
    kept = plan_of(upload)
    assert kept.counts["why"] == {"1|date": 2, "0|required": 1, "2|email": 1}

    row = deciding.repair(upload, 2, {1: "1990-01-31"}, by=alice)
    assert (row.fate, [reason[1] for reason in row.reasons]) == ("refused", [0, 2])
    assert plan_of(upload).counts["why"] == {"1|date": 1, "0|required": 1, "2|email": 1}
    row = deciding.repair(upload, 2, {2: "a@b.de"}, by=alice)
    assert (row.fate, [reason[1] for reason in row.reasons]) == ("refused", [0])
    row = deciding.repair(upload, 2, {0: "Bo"}, by=alice)
    assert (row.fate, row.reasons) == ("create", [])
    assert plan_of(upload).counts["why"] == {"1|date": 1}
    applied(upload, by=alice)
    assert Contact.objects.get().last_name == "Bo"


def test_all_rows_that_are_refused_for_a_reason_are_left_out(alice, table):
    upload = plan(table("Last Name,First Name,Birthday", ",A,x", "Dee,A,z", ",A,"), by=alice)
    deciding.decide_all(upload, "refused", "skip", by=alice, column_reason="2|date")
    assert plan_of(upload).counts["why"] == {"0|required": 1}
    assert fates(upload) == {2: "skip", 3: "skip", 4: "refused"}


def test_cells_that_no_encoding_reads_name_nothing(alice):
    content = b"Last Name,Company,Birthday\n" + b",Caf\x81,x\n"
    upload = plan(content, by=alice, encoding="cp1252", missing={"account": "refuse"})
    assert [column for _row, column, _reason in errors(upload)] == [
        "Last Name", "Company", "Birthday",
    ]  # fmt: skip


def test_constants_that_name_nothing_are_not_missing(alice, table):
    make_account(name="Bee", owner=alice)
    make_account(name="Bee", owner=alice)
    content = table("Topic,Est. Close Date", "Roof,x")
    columns = {0: Target(field="topic"), 1: Target(field="estimated_close_date")}
    upload = planned(
        content, "opportunity", by=alice, columns=columns, constants={"account": "Bee"}
    )
    assert [reason[:28] for _row, _column, reason in errors(upload)] == [
        "“x” is not a date. Write it ", "There are 2 records called “",
    ]  # fmt: skip


def test_values_that_are_too_much_are_not_called_something_else(alice, table):
    content = table(
        "Account Name,Employees,Annual Revenue,Email",
        f"Acme,-5,{'9' * 14},{'x' * 100}@x.de",
    )
    upload = plan(content, "account", by=alice)

    (row,) = plan_of(upload).rows.all()
    assert [(reason.message, reason.remedy, reason.code) for reason in from_json(row.reasons)] == [
        ("Less than 0.", "Correct the number or empty the cell.", "range"),
        (
            f"“{'9' * 14}” has more than 15 digits.",
            "Correct the number or empty the cell.",
            "range",
        ),
        ("Longer than 100 characters (105).", "Shorten it.", "long"),
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            b"Name,Mail\nBo,b@x.de,more\n",
            (
                "3 cells, 2 columns. "
                "Correct the row: every line must have as many cells as there are columns."
            ),
        ),
        (
            b'Name,Mail\nBo,b@x.de\n"Di,d@x.de\n',
            (
                "The file ends inside this record: a quotation mark is never closed. "
                "Close the quotation, or choose another quotation mark."
            ),
        ),
        (
            b'{"Name": "Bo", "Mail": "b@x.de"}\n{"Name": "Di", \n{"Name": "Ed", "Mail": ""}\n',
            'This line is not valid JSON: “{"Name": "Di",”. Correct the row.',
        ),
        (
            b"Name,Mail\nB\0o,b@x.de\n",
            (
                "Not readable in this encoding (bytes 00). "
                "Choose the right encoding, or correct the cell."
            ),
        ),
    ],
)
def test_what_cannot_be_read_has_its_own_remedy(content, said, alice):
    assert errors(plan(content, by=alice))[0][2] == said
