"""Companies that a list calls otherwise than they are called here."""

import pytest

from rapport.imports import flow
from rapport.models import Account, Contact
from tests.factories import make_account
from tests.imports.bringing import bring, describe, zipped

pytestmark = pytest.mark.django_db


def people(*companies):
    """A list of people of these companies."""
    lines = [f"Anna{number},Byron{number},{name}" for number, name in enumerate(companies)]
    return "\n".join(["First Name,Last Name,Company", *lines]).encode()


def meant(content, by, entity="contact"):
    """What names of companies are proposed to mean."""
    upload = describe(content, entity, by=by)
    found = flow.mapping_of(upload)
    return dict(found.columns[found.column_of("account")].values)


def test_name_without_legal_form_is_the_company_that_is_here(alice):
    make_account(owner=alice, name="Hansa Pumps GmbH")
    make_account(owner=alice, name="Acme")

    found = bring(people("Hansa Pumps", "ACME Inc.", "Looms Ltd"), "contact", by=alice)

    assert list(Contact.objects.order_by("pk").values_list("account__name", flat=True)) == [
        "Hansa Pumps GmbH", "Acme", "Looms Ltd",
    ]  # fmt: skip
    assert found.counts["accounts_created"] == 1
    said = (
        "“Company”: companies by other spellings of their names: “Hansa Pumps” = “Hansa Pumps "
        "GmbH”, “ACME Inc.” = “Acme”."
    )
    assert found.upload.options["notes"] == [said]


def test_new_company_is_made_once_by_its_whole_name(alice):
    bring(people("Hansa Pumps", "Hansa Pumps GmbH", "hansa pumps"), "contact", by=alice)

    assert list(Account.objects.values_list("name", flat=True)) == ["Hansa Pumps GmbH"]
    assert Contact.objects.filter(account__name="Hansa Pumps GmbH").count() == 3


@pytest.mark.parametrize(
    ("stored", "name"),
    [
        ("Müller & Co. KG", "Mueller und Co KG"),
        ("Baeckerei Maier", "Bäckerei Maier"),
        ("Contoso Ltd.", "Contoso Limited"),
        ("Acme Corporation", "Acme"),
        ("Straßenbau Süd GmbH", "Strassenbau Sued"),
    ],
)
def test_spellings_of_one_company(stored, name, alice):
    make_account(owner=alice, name=stored)

    assert meant(people(name), alice) == {name: stored}


@pytest.mark.parametrize(
    ("stored", "names"),
    [
        (("Acme GmbH",), ("Acme AG",)),  # two legal forms are two companies
        (("Acme GmbH", "Acme AG"), ("Acme",)),  # either
        (("Acme GmbH", "Acme GmbH"), ("Acme",)),  # two of them
        (("Acme GmbH", "Acme"), ("Acme",)),  # just so
        (("Acme Tools GmbH",), ("Acme",)),  # more than a legal form
        (("Neu AG",), ("Neue AG",)),  # no umlaut
        ((), ("Acme GmbH", "Acme AG", "Acme")),
    ],
)
def test_names_that_may_be_of_others_mean_themselves(stored, names, alice):
    for name in stored:
        make_account(owner=alice, name=name)

    assert meant(people(*names), alice) == {}


def test_company_that_one_may_not_see_is_none(charlie, alice):
    make_account(owner=alice, name="Acme GmbH")

    assert meant(people("Acme"), charlie) == {}


def test_names_of_several_files_mean_themselves(alice):
    files = {"contacts.csv": people("Acme", "Acme GmbH"), "accounts.csv": b"Name,City\nAcme,Ulm\n"}

    found = describe(zipped(files), "auto", by=alice, name="all.zip")

    mappings = [flow.mapping_of(member) for member in found.members.all()]
    assert [target.values for m in mappings for target in m.columns.values() if target.values] == []


def test_deals_name_companies_so_too(alice):
    make_account(owner=alice, name="Acme GmbH")
    content = b"Deal name,Company,Value\nLooms,Acme,5\n"

    assert meant(content, alice, "opportunity") == {"Acme": "Acme GmbH"}
