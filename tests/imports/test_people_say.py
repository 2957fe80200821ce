"""Headers and cells in the words of people who sell."""

import pytest

from rapport.imports import flow, headers
from rapport.meta.registry import registry
from tests.imports.bringing import describe

pytestmark = pytest.mark.django_db


def targets(content, entity, by):
    """{header: target} and {header: what its cells mean}."""
    upload = describe(content.encode(), entity, by=by)
    found, columns = flow.mapping_of(upload).columns, flow.columns_of(upload)
    fields = {columns[index]: target.field for index, target in found.items()}
    return fields, {columns[index]: dict(t.values) for index, t in found.items() if t.values}


def test_stages_ratings_and_sources_in_words(alice):
    content = """Projekt;Kunde;Wert;Phase;Abschluss;Priorität;Verkäufer
Pumpen;Engines;500;2 - Angebot;31.12.2026;A - heiß;Alice Archer
Wellen;Engines;600;50 % Verhandlung;31.12.2026;B;Alice Archer
Räder;Engines;700;Auftrag erteilt;31.10.2026;C;Alice Archer
"""

    fields, meant = targets(content, "auto", alice)

    assert fields == {
        "Projekt": "topic",
        "Kunde": "account",
        "Wert": "estimated_revenue",
        "Phase": "sales_stage",
        "Abschluss": "estimated_close_date",
        "Priorität": "rating",
        "Verkäufer": "owner",
    }
    assert meant == {
        "Phase": {
            "2 - Angebot": "Propose",
            "50 % Verhandlung": "Propose",
            "Auftrag erteilt": "Won",
        },
        "Priorität": {"A - heiß": "Hot", "B": "Warm", "C": "Cold"},
    }


def test_list_of_a_fair(alice):
    content = """Vorname;Nachname;Firma;Interesse an;Kontaktart;Budget
Ada;Byron;Engines;Looms;Messegespräch;10.000 €
"""

    fields, meant = targets(content, "auto", alice)

    assert fields == {
        "Vorname": "first_name",
        "Nachname": "last_name",
        "Firma": "company",
        "Interesse an": "topic",
        "Kontaktart": "source",
        "Budget": "budget",
    }
    assert meant == {"Kontaktart": {"Messegespräch": "Trade Show"}}


def test_budget_that_is_an_answer(alice):
    fields, _meant = targets(
        "Last Name;Company;Budget\nByron;Engines;Can Buy\nBell;Looms;May Buy\n", "lead", alice
    )

    assert fields["Budget"] == "budget_status"


@pytest.mark.parametrize(
    "header", ["Telefon neu", "Neue Telefonnummer", "New phone", "Phone (new)", "phone_new"]
)
def test_new_values_are_those_of_the_field(header):
    assert headers.field_for(registry["contact"], header) == "business_phone"


@pytest.mark.parametrize("header", ["Renew", "Newsletter", "New", "Neu"])
def test_word_for_new_means_no_field_by_itself(header):
    assert headers.without_new(header) == ""


def test_new_values_stand_beside_the_old(alice):
    content = "Nachname;E-Mail;Telefon;Telefon neu\nByron;ada@x.example;030 1;030 2\n"

    fields, _meant = targets(content, "contact", alice)

    assert fields == {"Nachname": "last_name", "E-Mail": "email", "Telefon neu": "business_phone"}


def test_switchboard_is_that_of_the_company(alice):
    content = "Nachname;Firma;Tel. Zentrale;Telefon\nByron;Engines;030 1;030 1-22\n"

    fields, _meant = targets(content, "contact", alice)

    assert fields == {
        "Nachname": "last_name",
        "Firma": "account",
        "Tel. Zentrale": "account.main_phone",
        "Telefon": "business_phone",
    }
