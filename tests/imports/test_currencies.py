"""Amounts whose cells name their currency."""

from decimal import Decimal

import pytest

from rapport.imports.currencies import code_of
from rapport.models import Account, Lead, Opportunity
from tests.factories import make_account
from tests.imports.bringing import bring, describe, errors, plan


@pytest.mark.once
@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("USD 12k", "USD"),
        ("€ 12.500,00", "EUR"),
        ("12.500 CHF", "CHF"),
        ("Fr. 500", "CHF"),
        ("12.000 US-Dollar", "USD"),
        ("TEUR 12", "EUR"),
        ("12 T€", "EUR"),
        ("(1.200 €)", "EUR"),
        ("CA$ 5", "CAD"),
        ("$5", "USD"),
        ("£5", "GBP"),
        ("¥5", "JPY"),
        ("5 zł", "PLN"),
        ("1.2 Mio", ""),
        ("5 kr", ""),
        ("12,500.00", ""),
    ],
)
def test_currency_of_an_amount(text, code):
    assert code_of(text, "EUR") == code


@pytest.mark.once
def test_plain_dollar_is_that_of_the_installation():
    assert [code_of("$5", home) for home in ("AUD", "USD", "CHF")] == ["AUD", "USD", "USD"]
    assert code_of("¥5", "CNY") == "CNY"


@pytest.mark.django_db
def test_deal_has_the_currency_of_its_amount(alice):
    content = """Deal name;Company;Value
Pumps;Engines;USD 12k
Looms;Engines;€ 12.500,00
Mills;Engines;12.500,- CHF
Gears;Engines;TEUR 3
Belts;Engines;700
"""

    found = bring(content.encode(), "opportunity", by=alice)

    assert found.errors == []
    rows = Opportunity.objects.order_by("pk").values_list("topic", "estimated_revenue", "currency")
    assert list(rows) == [
        ("Pumps", Decimal(12_000), "USD"),
        ("Looms", Decimal(12_500), "EUR"),
        ("Mills", Decimal(12_500), "CHF"),
        ("Gears", Decimal(3_000), "EUR"),
        ("Belts", Decimal(700), "EUR"),
    ]
    assert found.upload.options["notes"][-1] == (
        "“Value” names currencies, which become those of the records: CHF, EUR, USD."
    )


@pytest.mark.django_db
def test_currency_among_many_plain_amounts(alice):
    lines = [f"Works {number},{number}00" for number in range(1, 30)]
    content = "\n".join(["Company,Annual Revenue", *lines, "Looms,$500"])

    bring(content.encode(), "account", by=alice)

    found = Account.objects.exclude(currency="EUR").values_list("name", "annual_revenue")
    assert list(found) == [("Looms", Decimal(500))]


@pytest.mark.django_db
def test_company_of_a_person_has_the_currency_of_its_revenue(alice):
    content = b"Last Name,Company,Annual Revenue\nByron,Engines,GBP 500\n"

    bring(content, "contact", by=alice)

    assert list(Account.objects.values_list("annual_revenue", "currency")) == [(500, "GBP")]


@pytest.mark.django_db
def test_amount_in_another_currency_changes_it(alice):
    make_account(owner=alice, name="Engines", number="1001", annual_revenue=5, currency="USD")

    bring("No.,Annual Revenue\n1001,€ 7\n".encode(), "account", by=alice)

    assert list(Account.objects.values_list("annual_revenue", "currency")) == [(7, "EUR")]


@pytest.mark.django_db
def test_column_or_constant_of_currencies_counts(alice):
    content = "Company,Annual Revenue,Currency\nEngines,$500,CHF\nLooms,$600,\n"

    bring(content.encode(), "account", by=alice)

    found = Account.objects.order_by("pk").values_list("name", "currency")
    assert list(found) == [("Engines", "CHF"), ("Looms", "EUR")]


@pytest.mark.django_db
def test_two_currencies_in_a_row_are_refused(alice):
    content = b"Last Name,Company,Budget amount,Value\nByron,Engines,USD 5,GBP 6\n"

    upload = plan(content, "lead", by=alice)

    reason = (
        "This amount is in GBP, another one of the row in USD. Write all of them in one currency."
    )
    assert errors(upload) == [(2, "Value", reason)]
    assert Lead.objects.count() == 0


@pytest.mark.django_db
def test_own_currency_is_not_worth_a_note(alice):
    upload = describe(b"Company,Annual Revenue\nEngines,EUR 500\n", "account", by=alice)

    assert upload.options["notes"] == []
