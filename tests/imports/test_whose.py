"""Lists that are about records that are there: what their rows are found by."""

import pytest

from rapport.imports import flow
from rapport.queries.imports import plan_of
from tests.factories import make_account, make_contact, make_lead
from tests.imports.bringing import describe, errors, plan, plan_rows

pytestmark = pytest.mark.django_db


def told(upload):
    return [(row.row, row.fate, row.changes) for row in plan_rows(plan_of(upload))]


def found_by(upload):
    return flow.mapping_of(upload).match


def notes(upload):
    return upload.options["notes"]


@pytest.fixture
def ada(alice):
    return make_contact(owner=alice, last_name="Byron", email="ada@engines.example")


def test_addresses_without_names_are_those_of_contacts(alice, ada):
    content = b"E-Mail;Funktion\nada@engines.example;Head\nbob@engines.example;Clerk\n"

    upload = plan(content, "contact", by=alice)

    assert found_by(upload) == (("email",),)
    said = (
        "No column is Last name, so nothing can be created: each row changes the contact that has "
        "its Email."
    )
    assert notes(upload) == [said]
    assert told(upload)[0] == (2, "update", [["job_title", "", "Head"]])
    reason = (
        "There is no contact with this Email. Correct it, or map a column to Last name to make a "
        "new one."
    )
    assert errors(upload) == [(3, None, reason)]


def test_numbers_without_names_are_those_of_accounts(alice):
    make_account(owner=alice, name="Engines", number="1001")

    upload = plan(b"Customer Number,Phone\n1001,030 22\n", "account", by=alice)

    assert found_by(upload) == (("number",),)
    assert told(upload) == [(2, "update", [["main_phone", "", "030 22"]])]


def test_number_finds_the_account_whose_name_is_corrected(alice):
    make_account(owner=alice, name="Engines & Co", number="1001")
    make_account(owner=alice, name="Looms", number="1002")
    content = b"Customer Number,Company\n1001,Engines and Sons\n1002,Looms\n1003,Mills\n"

    upload = plan(content, "account", by=alice)

    assert found_by(upload) == (("number",),)
    said = (
        "Rows are about the account that has their Account number: of the first rows 2 have that "
        "of one that is here by the same name."
    )
    assert notes(upload) == [said]
    assert told(upload) == [
        (2, "update", [["name", "Engines & Co", "Engines and Sons"]]),
        (3, "same", []),
    ]


def test_numbers_of_somebody_else_find_nothing(alice):
    make_account(owner=alice, name="Engines", number="1")
    make_account(owner=alice, name="Looms", number="2")

    upload = plan(b"No.,Company\n1,Looms\n2,Mills\n", "account", by=alice)

    assert found_by(upload) == ()


def test_names_without_addresses_or_numbers_are_needed_as_before(alice, ada):
    upload = plan(b"First Name,Phone\nAda,030 1\n", "contact", by=alice)

    assert found_by(upload) == ()
    assert errors(upload) == [(2, None, "Last name is required. Map a column to it.")]


@pytest.mark.parametrize(
    ("addresses", "entity"),
    [
        (("ada@engines.example",), "contact"),
        (("ada@engines.example", "bo@engines.example", "cy@engines.example"), "lead"),
        (("eve@engines.example",), "lead"),
    ],
)
def test_addresses_say_whose_they_are(addresses, entity, alice, ada):
    make_lead(owner=alice, last_name="Eve", email="eve@engines.example")
    content = "\n".join(["E-Mail;Owner", *(f"{one};Alice Archer" for one in addresses)])

    assert describe(content.encode(), "auto", by=alice).entity == entity


def test_addresses_that_one_may_not_see_say_nothing(charlie, alice, ada):
    content = b"E-Mail;Owner\nada@engines.example;Charlie\n"

    assert describe(content, "auto", by=charlie).entity == "lead"


def test_names_decide_however_many_addresses_are_known(alice, ada):
    content = b"Name;Company;Topic;E-Mail\nAda Byron;Engines;Looms;ada@engines.example\n"

    assert describe(content, "auto", by=alice).entity == "lead"
