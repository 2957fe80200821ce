"""Cells that people have written for people."""

from decimal import Decimal

import pytest

from rapport.imports import spoken
from rapport.imports.cells import converter
from rapport.meta.kinds import InvalidValue, Reading
from rapport.meta.registry import registry
from rapport.models import Account, Contact
from tests.imports.bringing import bring, describe

ACCOUNT, CONTACT = registry["account"], registry["contact"]
EMPLOYEES, REVENUE = ACCOUNT.fields["employees"], ACCOUNT.fields["annual_revenue"]


@pytest.mark.parametrize(
    ("text", "mark", "value"),
    [
        ("1.5M", ".", 1_500_000), ("€ 2,3 Mio.", ".", 2_300_000), ("2.5k", ".", 2500),
        ("1'200 Tsd. CHF", ".", 1_200_000), ("USD 3 mn", ",", 3_000_000), ("~50", ".", 50),
        ("ca. 200", ",", 200), ("10.000+", ".", 10_000), ("10,000+", ",", 10_000),
        ("1.000 bis 5.000", ".", 1000), ("51-200", ".", 51), ("51–200 employees", ".", 51),
        ("10-50 million", ".", 10_000_000), ("$10M-$50M", ".", 10_000_000),
        ("> 1,000", ".", 1000), ("more than 3 thousand", ".", 3000), ("50 MA", ".", 50),
    ],
)  # fmt: skip
def test_numbers_in_words(text, mark, value):
    assert spoken.number(EMPLOYEES, text, Reading(decimal_mark=mark)).value == value


@pytest.mark.parametrize(
    "text",
    [
        "twelve", "k", "$", "1.5.2", "200-51", "12-31-2020", "2020-01-05", "100 %", "2,3",
        "1.500 million", "1,5 Mrd. EUR", "10-", "-", "about", "5 m 3", "50 apples",
    ],
)  # fmt: skip
def test_what_is_no_number_stays_none(text):
    # A billion and a half is more than people can be employed.
    assert spoken.number(EMPLOYEES, text, Reading()) is None
    convert = converter(EMPLOYEES, Reading())
    assert bool(convert([text]).errors) is (text != "-")


def test_amounts_are_exact_and_chances_no_ranges():
    found = spoken.number(REVENUE, "$1.25 billion", Reading())
    assert (found.value, found.is_about, found.is_range) == (Decimal("1250000000.00"), False, False)
    assert spoken.number(REVENUE, "50 employees", Reading()) is None
    chance = registry["opportunity"].fields["probability"]
    assert spoken.number(chance, "10-12", Reading()) is None


@pytest.mark.parametrize(
    ("entity", "field", "texts"),
    [
        (ACCOUNT, "employees", ["n/a", " - ", "NA", "Unknown"]),
        (ACCOUNT, "annual_revenue", ["N/A", "k. A.", "?"]),
        (ACCOUNT, "industry", ["-", "none", "Unbekannt"]),
        (ACCOUNT, "website", ["n/a", "-", "NULL"]),
        (CONTACT, "birthday", ["n.a.", "#N/A", "unknown"]),
        (CONTACT, "email", ["-", "none", "N/A"]),
        (CONTACT, "do_not_email", ["n/a", "?"]),
        (CONTACT, "mobile_phone", ["-", "N/A"]),
        (CONTACT, "account", ["n/a", "--", "None"]),
    ],
)
def test_words_for_nothing_are_blank(entity, field, texts):
    column = converter(entity.fields[field], Reading())(["", *texts])
    assert (set(column.values) <= {None, ""}, column.errors) == (True, {})


def test_names_and_texts_are_what_they_are():
    for field, text in (("last_name", "None"), ("job_title", "N/A"), ("account", "NA")):
        assert converter(CONTACT.fields[field], Reading())([text]).values == [text]
    # What Rapport has written itself is what is stored.
    for field in ("account", "mobile_phone"):
        assert converter(CONTACT.fields[field], Reading(), ours=True)(["n/a"]).values == ["n/a"]
    # An option may be called so.
    options = {str(option.label) for option in ACCOUNT.fields["industry"].options}
    assert "None" not in options
    with pytest.raises(InvalidValue):
        spoken.read(EMPLOYEES, "many", Reading(), InvalidValue("many"))


@pytest.mark.django_db
def test_a_list_as_people_keep_it_comes_in_whole(alice, table):
    content = table(
        "Company,Revenue,Employees,Email,Website,Phone",
        "Acme,1.5M,51-200,-,acme.com,n/a", "Bee,n/a,10.000+,none,-,+49 30 123456",
        "Cee,\"€ 2,3 Mio.\",~50,c@cee.io,N/A,?", "Dee,-,unknown,,,",
    )  # fmt: skip
    done = bring(content, "account", by=alice)

    assert done.counts == {"rows": 4, "created": 4}
    found = Account.objects.order_by("name").values_list(
        "name", "annual_revenue", "employees", "email", "website", "main_phone"
    )
    assert list(found) == [
        ("Acme", 1_500_000, 51, "", "acme.com", ""),
        ("Bee", None, 10_000, "", "", "+49 30 123456"),
        ("Cee", 2_300_000, 50, "c@cee.io", "", ""), ("Dee", None, None, "", "", ""),
    ]  # fmt: skip
    assert done.upload.options["notes"] == [
        "“Employees” has numbers for others near them: “51-200” becomes 51."
    ]
    people = table("Last Name,Company", "Bo,n/a", "Dee,-", "Eck,None")
    assert bring(people, by=alice).counts == {"rows": 3, "created": 3}
    assert not Contact.objects.exclude(account=None).exists()


@pytest.mark.django_db
def test_whole_numbers_in_groups_of_three_are_thousands(alice, table):
    for cells, mark in ((("1.250", "10.000"), ","), (("5.000", "12345.000"), "."), (("7",), ".")):
        content = table("Company,Employees", *(f"Acme {cell},{cell}" for cell in cells))
        upload = describe(content, "account", by=alice)
        assert upload.reading["decimal_mark"] == mark
    done = bring(table("Company,Employees", "Acme,1.250", "Bee,10.000"), "account", by=alice)
    assert sorted(Account.objects.values_list("employees", flat=True)) == [1250, 10_000]
    assert done.counts["created"] == 2
