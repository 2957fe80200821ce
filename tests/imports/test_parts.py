"""Several entities in one row: linked accounts, contacts and deals."""

import pytest

from rapport.actions import undo
from rapport.imports import flow
from rapport.models import Account, Contact, ImportFile, Opportunity
from tests.factories import make_account, make_contact, share_with
from tests.imports.bringing import bring, describe, errors, fates, outcome, plan
from tests.imports.takingover import finished_by_another

pytestmark = pytest.mark.django_db

FAIR = (
    "Vorname,Name,Email,Phone,City,Firma,Company Phone,Company Web,Company City,Company: Branche",
    "Anna,Bo,anna@x.de,+49 30 1,Bonn,Acme GmbH,+49 30 99,,Berlin,",
    "Carl,Dee,carl@x.de,,,ACME GMBH,+49 30 77,acme.example,,Consulting",
    "Eve,Fa,eve@x.de,,Mainz,,,,,",
)
DEALS = (
    "Deal Name,Amount,Stage,Close Date,Company,Company Web,First Name,Last Name,Email,Position",
    "Roof,1000,Propose,2027-01-31,Acme GmbH,acme.example,Anna,Bo,anna@x.de,Buyer",
    "Wall,2000,Qualify,2027-02-28,ACME GMBH,,Anna,Bo,ANNA@x.de,",
    "Door,30,Close,,Bee Ltd,,Carl,Dee,,",
)


def mapped(upload):
    """{header: target} of what is mapped."""
    columns = flow.columns_of(upload)
    return {columns[i]: t.field for i, t in flow.mapping_of(upload).columns.items()}


def test_header_says_whose_column_it_is(alice, table):
    assert mapped(describe(table(*FAIR), by=alice)) == {
        "Vorname": "first_name", "Name": "last_name", "Email": "email",
        "Phone": "business_phone", "City": "address1_city", "Firma": "account",
        "Company Phone": "account.main_phone", "Company Web": "account.website",
        "Company City": "account.address1_city", "Company: Branche": "account.industry",
    }  # fmt: skip
    deals = describe(table(*DEALS), "auto", by=alice)
    assert (deals.entity, mapped(deals)) == (
        "opportunity",
        {
            "Deal Name": "topic", "Amount": "estimated_revenue", "Stage": "sales_stage",
            "Close Date": "estimated_close_date", "Company": "account",
            "Company Web": "account.website", "First Name": "contact.first_name",
            "Last Name": "contact.last_name", "Email": "contact.email",
            "Position": "contact.job_title",
        },
    )  # fmt: skip


def test_company_columns_make_and_fill_one_account(alice, table):
    upload = plan(table(*FAIR), by=alice)
    assert {name: count for name, count in upload.counts.items() if count} == {
        "rows": 3, "create": 3, "accounts": 1,
    }  # fmt: skip

    done = bring(table(*FAIR), by=alice)

    assert done.counts == {"rows": 3, "created": 3, "accounts_created": 1}
    acme = Account.objects.get()
    assert (acme.name, acme.main_phone, acme.website, acme.address1_city, acme.industry) == (
        "Acme GmbH", "+49 30 99", "acme.example", "Berlin", 7,
    )  # fmt: skip
    cities = Contact.objects.order_by("first_name").values_list("address1_city", "account__name")
    assert list(cities) == [("Bonn", "Acme GmbH"), ("", "Acme GmbH"), ("Mainz", None)]


def test_deal_comes_with_its_person_and_company_and_goes_with_them(alice, table):
    upload = plan(table(*DEALS), "opportunity", by=alice)
    assert {name: count for name, count in upload.counts.items() if count} == {
        "rows": 3, "create": 3, "accounts": 2, "contacts": 2,
    }  # fmt: skip

    done = bring(table(*DEALS), "opportunity", by=alice)

    assert done.counts == {"rows": 3, "created": 3, "accounts_created": 2, "contacts_created": 2}
    deals = Opportunity.objects.order_by("-estimated_revenue").values_list(
        "topic", "account__name", "contact__full_name", "contact__account__name"
    )
    assert list(deals) == [
        ("Wall", "Acme GmbH", "Anna Bo", "Acme GmbH"),
        ("Roof", "Acme GmbH", "Anna Bo", "Acme GmbH"),
        ("Door", "Bee Ltd", "Carl Dee", "Bee Ltd"),
    ]
    assert Contact.objects.get(email="anna@x.de").job_title == "Buyer"
    again = bring(table(*DEALS), "opportunity", by=alice)
    assert again.counts.keys() <= {"rows", "same", "duplicates"}

    _, undone = undo.undo(done.operation, by=alice)
    assert (undone.removed, undone.conflicts) == (7, [])


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("", ("+49 1", "acme.example", 1)),
        ("update", ("+49 30 77", "acme.example", 1)),
        ("leave", ("+49 1", "", 0)),
    ],
)
def test_account_that_is_there_is_filled_updated_or_left(rule, expected, alice, table):
    make_account(name="acme gmbh", main_phone="+49 1", owner=alice)
    upload = describe(table(*FAIR), by=alice)
    mapping = flow.mapping_of(upload)
    flow.remap(upload, type(mapping)(
        entity=mapping.entity, columns=mapping.columns, parts={"account": rule} if rule else {},
    ))  # fmt: skip
    flow.plan_now(upload, by=alice)
    assert ImportFile.objects.get(pk=upload.pk).counts.get("accounts_updated", 0) == expected[2]
    flow.apply_now(upload, by=alice)

    acme = Account.objects.get()
    counts = ImportFile.objects.get(pk=upload.pk).counts
    assert (acme.main_phone, acme.website, counts.get("accounts_updated", 0)) == expected
    undo.undo(ImportFile.objects.get(pk=upload.pk).operation, by=alice)
    assert Account.objects.values_list("main_phone", "website").get() == ("+49 1", "")


def test_account_of_others_is_linked_but_not_filled(alice, charlie, table):
    acme = make_account(name="Acme", owner=charlie)
    share_with(acme, alice)

    bring(table("Last Name,Company,Company Phone", "Bo,Acme,1"), by=alice)

    assert Contact.objects.get().account_id == acme.pk
    assert Account.objects.get().main_phone == ""


def test_part_is_checked_like_a_record_of_its_own(alice, table):
    make_contact(last_name="Cee", first_name="Bob", owner=alice)
    make_contact(last_name="Cee", first_name="Bob", owner=alice)
    upload = plan(
        table(
            "Topic,Company,Company Website,Company Industry,Contact Name,Contact Email",
            f"a,Acme,{'w' * 201}.de,Consulting,,",
            "b,Acme,,Consulting,,",
            "c,,x.example,,Ann Bo,",
            "d,,,,Bob Cee,",
            "e,Acme,,,,ann@x.de",
            "f,Acme,,,Ann Bo,nonsense",
        ),
        "opportunity",
        by=alice,
    )
    assert fates(upload) == {2: "refused", 4: "refused", 5: "refused", 6: "refused", 7: "refused"}
    assert [(row, column) for row, column, _reason in errors(upload)] == [
        (2, "Company Website"), (4, "Company"), (5, "Contact Name"), (6, "Contact Name"),
        (7, "Contact Email"),
    ]  # fmt: skip


def test_row_without_a_person_makes_its_company_alone(alice, table):
    content = table("Last Name,Company,Company Phone", "Bo,Acme,1", ",Bee,2", ",Acme,3")
    upload = plan(content, by=alice)
    assert fates(upload) == {3: "same", 4: "same"}
    done = bring(content, by=alice)

    assert done.counts == {"rows": 3, "created": 1, "same": 2, "accounts_created": 2}
    accounts = Account.objects.order_by("name").values_list("name", "main_phone")
    assert list(accounts) == [("Acme", "1"), ("Bee", "2")]


@pytest.mark.parametrize("before", [1, 2, 4])
def test_killed_between_batches_makes_nothing_twice(before, alice, table):
    """Batches of four rows: what an earlier one has made is found again, also by another worker."""
    lines = [f"Bo {n},b{n % 5}@x.de,Acme,{n if n > 5 else ''},Deal {n}" for n in range(12)]
    content = table("Contact Name,Contact Email,Company,Company Phone,Topic", *lines)
    upload = plan(content, "opportunity", by=alice)
    planned = upload.counts
    flow.start_apply(upload, by=alice)

    finished_by_another(before)

    done = outcome(upload)
    assert done.counts == {
        "rows": 12, "created": 12, "accounts_created": 1, "contacts_created": 5,
    }  # fmt: skip
    assert (planned["accounts"], planned["contacts"]) == (1, 5)
    assert Account.objects.get().main_phone == "6"
    assert Contact.objects.count() == 5
    _, undone = undo.undo(done.operation, by=alice)
    assert (undone.removed, undone.conflicts) == (18, [])
