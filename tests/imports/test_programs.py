"""Files of known programs, in their true layouts: recognised, mapped, and imported whole."""

import datetime
from pathlib import Path

import pytest

from rapport.imports import flow
from rapport.meta.registry import registry
from rapport.models import Account, Contact, Opportunity
from tests.factories import make_contact
from tests.imports.bringing import bring, describe, outcome

pytestmark = pytest.mark.django_db

FOLDER = Path(__file__).parent / "programs"
ANNA = {
    "first_name": "Anna", "last_name": "Berg", "email": "anna@berg.example",
    "account__name": "Acme GmbH", "job_title": "Head of Sales",
}  # fmt: skip
AT_WORK = {"address1_line1": "Ring 5", "address1_city": "Bonn", "business_phone": "+49 228 2"}
AT_HOME = {
    "address2_city": "Kiel", "home_phone": "+49 431 1", "mobile_phone": "+49 170 1",
    "email2": "anna@home.example", "fax": "+49 228 9", "account__main_phone": "+49 228 1",
    "birthday": datetime.date(1980, 5, 14), "anniversary": None,
}  # fmt: skip
FILES = {
    "dynamics_accounts.csv": ("account", "Dynamics 365", {
        "name": "Acme GmbH", "main_phone": "+49 228 1", "industry": 7,
    }),
    "dynamics_contacts.csv": ("contact", "Dynamics 365", {
        **ANNA, "business_phone": "+49 30 1", "gender": 2, "address1_postal_code": "53111",
    }),
    "google_new.csv": ("contact", "Google Contacts", {
        **ANNA, **AT_WORK, "mobile_phone": "+49 170 1", "email2": "anna@home.example",
        "department": "Sales", "website": "acme.example",
    }),
    "google_old.csv": ("contact", "Google Contacts", {
        **ANNA, **AT_WORK, "mobile_phone": "+49 170 1", "email2": "anna@home.example",
        "department": "Sales",
    }),
    "hubspot_companies.csv": ("account", "HubSpot", {
        "name": "Acme GmbH", "industry": 16, "website": "acme.example", "employees": 120,
        "main_phone": "+49 228 1",
    }),
    "hubspot_contacts.csv": ("contact", "HubSpot", {**ANNA, "account__industry": 16}),
    "hubspot_deals.csv": ("opportunity", "HubSpot", {
        "topic": "Roof", "sales_stage": 2, "account__name": "Acme GmbH",
        "contact__full_name": "Anna Berg",
        "estimated_close_date": datetime.date(2027, 1, 31),
    }),
    "linkedin_connections.csv": ("contact", "LinkedIn", {
        **ANNA, "website": "https://www.linkedin.com/in/anna-berg",
    }),
    "outlook_de.csv": ("contact", "Outlook", {
        **ANNA, **AT_WORK, **AT_HOME, "job_title": "Leiterin", "gender": 2, "salutation": "Frau",
    }),
    "outlook_en.csv": ("contact", "Outlook", {
        **ANNA, **AT_WORK, **AT_HOME, "gender": None, "spouse_name": "Bo",
    }),
    "outlook_fr.csv": ("contact", "Outlook", {
        "salutation": "Mme", "last_name": "Dupont", "job_title": "Directrice", "gender": 2,
        "account__main_phone": "+33 4 1", "email": "anne@dupont.example",
        "birthday": datetime.date(1980, 5, 14), "department": "Ventes",
    }),
    "salesforce_accounts.csv": ("account", "Salesforce", {
        "name": "Acme GmbH", "relationship_type": 8, "industry": None, "employees": 120,
    }),
    "salesforce_contacts.csv": ("contact", "Salesforce", {
        "last_name": "Berg", "job_title": "Head of Sales", "address1_city": "Bonn",
        "address2_city": "Kiel", "do_not_bulk_email": False,
    }),
    "salesforce_leads.csv": ("lead", "Salesforce", {
        "last_name": "Fuchs", "company": "Bee Ltd", "source": 4, "industry": 16, "rating": 1,
    }),
    "salesforce_opportunities.csv": ("opportunity", "Salesforce", {
        "topic": "Roof", "sales_stage": 2, "account__name": "Acme GmbH", "probability": 60,
        "estimated_close_date": datetime.date(2027, 1, 31),
    }),
}  # fmt: skip


def test_every_file_is_expected():
    assert sorted(FILES) == sorted(file.name for file in FOLDER.iterdir())


@pytest.mark.parametrize("name", FILES)
def test_file_of_a_known_program_is_imported_whole(name, alice):
    entity, program, values = FILES[name]

    upload = describe((FOLDER / name).read_bytes(), "auto", by=alice, name=name)
    flow.plan_now(upload, by=alice)
    flow.apply_now(upload, by=alice)

    done = outcome(upload)
    assert (done.upload.entity, done.upload.options["program"]) == (entity, program)
    assert done.errors == []
    assert done.counts["created"] == done.counts["rows"]
    found = registry[entity]
    assert found.records().order_by(found.title_fields[-1]).values(*values)[0] == values


def test_other_files_are_of_no_program(alice, table):
    upload = describe(table("Id,First Name,Last Name,Company", "1,Anna,Bo,Acme"), by=alice)
    assert upload.options["program"] == ""
    assert bring(table("Notes,Last Name", "Notes:,Bo"), by=alice).counts["created"] == 1


@pytest.mark.parametrize(
    ("entity", "words"),
    [
        ("contact", "Nicht ändern|Kontakt|Prüfsumme|Geändert am|Vollständiger Name|Firmenname"),
        ("contact", "Ne pas modifier|Contact|Somme|Date|Nom complet|Nom de la société"),
        ("account", "No modificar|Cuenta|Suma|Fecha|Nombre de cuenta|Persona de contacto"),
    ],
)  # fmt: skip
def test_view_of_dynamics_in_another_language_keeps_its_ids(entity, words, alice, table):
    keep, *names = words.split("|")
    kept, others = [f"({keep}) {name}" for name in names[:3]], names[3:]
    row = "475b158c-541c-e511-80d3-3863bb347ba9;x==;01.02.2023 10:00;Anna Bo;Acme"
    upload = describe(table(";".join(kept + others), row), "auto", by=alice)
    found = flow.mapping_of(upload).columns[0].field
    assert (upload.options["program"], upload.entity, found) == (
        "Dynamics 365", entity, "source_id",
    )  # fmt: skip

    content = table(";".join(names), row)
    assert describe(content, entity, by=alice).options["program"] == ""


def test_account_of_dynamics_is_not_refused_for_its_primary_contact(alice, table):
    header = (
        "(Do Not Modify) Account,(Do Not Modify) Row Checksum,(Do Not Modify) Modified On,"
        "Account Name,Primary Contact"
    )
    rows = [
        f"6f1c1a52-1111-4c1e-9b1a-00000000000{at},x==,05.01.2026 10:00,{name}"
        for at, name in enumerate(("Acme,Anna Bo", "Bee,Eva Dee", "Cee,Max Eck"))
    ]
    for name in ("Bo", "Dee", "Dee"):
        make_contact(owner=alice, first_name={"Bo": "Anna"}.get(name, "Eva"), last_name=name)
    done = bring(table(header, *rows), "account", by=alice)

    found = Account.objects.order_by("name").values_list("name", "primary_contact__last_name")
    assert list(found) == [("Acme", "Bo"), ("Bee", None), ("Cee", None)]
    assert done.upload.options["notes"] == [
        "“Primary Contact” is left blank where it names nobody who is here, or several."
    ]
    # Of a list that people made, each name is meant.
    done = bring(table("Name,Primary Contact", "Dee,Max Eck"), "account", by=alice)
    assert (done.counts["created"], done.counts["contacts_created"]) == (1, 1)


def test_ids_and_one_logical_name_are_enough_for_dynamics(alice, table):
    header, guid = "accountid,name,primarycontactid", "475b158c-541c-e511-80d3-3863bb347b"
    content = table(header, f"{guid}a8,Acme,{guid}a1")
    done = bring(content, "account", by=alice)
    assert (done.upload.options["program"], done.counts["created"]) == ("Dynamics 365", 1)

    upload = describe(table(header, "A-17,Acme,Anna Bo"), "account", by=alice)
    assert upload.options["program"] == ""


def test_of_several_companies_and_people_of_a_deal_the_first_counts(alice):
    content = (
        "Record ID,Deal Name,Deal Stage,Amount,Associated Company,Associated Contact\n"
        "9001,Looms,Closed Won,500,Delta Ltd;Delta Holding,"
        "Dora Delta (dora@delta.example);Dan Delta (dan@delta.example)\n"
    )

    found = bring(content.encode(), "auto", by=alice)

    assert found.errors == []
    assert list(Account.objects.values_list("name", flat=True)) == ["Delta Ltd"]
    assert list(Contact.objects.values_list("full_name", "email", "account__name")) == [
        ("Dora Delta", "dora@delta.example", "Delta Ltd")
    ]
    assert found.upload.options["notes"][0] == (
        "“Associated Company” has several names in one cell, of which the first counts: "
        "Delta Ltd;Delta Holding"
    )


def test_person_of_a_deal_is_found_by_the_address_behind_the_name(alice):
    dora = make_contact(owner=alice, last_name="Delta-Smith", email="dora@delta.example")
    content = b"Deal name,Company,Contact,Value\nLooms,Delta,Dora Delta <dora@delta.example>,5\n"

    bring(content, "opportunity", by=alice)

    assert list(Opportunity.objects.values_list("contact", flat=True)) == [dora.pk]
