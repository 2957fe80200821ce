"""Headers and cells in the words of people who sell."""

import pytest

from rapport.imports import flow, headers
from rapport.meta.registry import registry
from rapport.models import Opportunity
from tests.imports.bringing import bring, describe, fates, plan

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


def test_deals_end_when_they_are_won_or_lost(alice):
    content = """Title,Organization,Value,Status,Won time,Lost time,Expected close date
Looms,Engines,5,Won,2026-10-02 10:00:00,,2026-10-01
Mills,Engines,5,Lost,,2026-10-05 09:00:00,2026-10-01
Gears,Engines,5,Open,,,2026-12-01
"""

    found = bring(content.encode(), "auto", by=alice)

    days = Opportunity.objects.order_by("pk").values_list("topic", "actual_close_date")
    assert [(topic, str(day)) for topic, day in days] == [
        ("Looms", "2026-10-02"),
        ("Mills", "2026-10-05"),
        ("Gears", "None"),
    ]
    assert found.upload.options["notes"] == [
        "“Won time” has the days of “Lost time”, too, where it is blank."
    ]


def test_days_of_lost_deals_alone(alice):
    fields, _meant = targets(
        "Title,Organization,Value,Status,Lost time\nA,B,5,Lost,2026-10-05\n", "auto", alice
    )

    assert fields["Lost time"] == "actual_close_date"


def test_amounts_in_thousands_without_a_fraction_anywhere(alice):
    content = "Deal name;Company;Value\nLooms;Engines;12.500\nMills;Engines;900\n"

    bring(content.encode(), "opportunity", by=alice)

    amounts = Opportunity.objects.order_by("pk").values_list("estimated_revenue", flat=True)
    assert list(amounts) == [12_500, 900]


def test_message_of_a_web_form(alice):
    fields, _meant = targets("Name;Email;Message\nAda Byron;ada@x.example;Call me\n", "lead", alice)

    assert fields == {"Name": "full_name", "Email": "email", "Message": "description"}


def test_pipeline_of_next_week_is_of_the_same_deals(alice):
    first = (
        "Deal name;Company;Contact;Stage\nLooms;Engines;;Propose\nMills;Engines;Ada Byron;Qualify\n"
    )
    bring(first.encode(), "opportunity", by=alice)
    content = """Deal name;Company;Contact;Stage
Looms;Engines;Ada Byron;Close
Mills;Engines;;Develop
Looms;Other Works;;Develop
Gears;Engines;Ada Byron;Develop
"""

    upload = plan(content.encode(), "opportunity", by=alice)

    assert fates(upload) == {2: "duplicate", 3: "duplicate"}
    assert upload.counts["create"] == 2
