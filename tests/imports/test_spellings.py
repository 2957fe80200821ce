"""Cells and columns as other programs spell them, one by one."""

from datetime import date

import pytest

from rapport.models import Account, Contact
from tests.imports.bringing import bring

pytestmark = pytest.mark.django_db


def test_names_of_currencies_are_their_codes(alice, table):
    header = "Name,Annual Revenue,Currency"
    done = bring(table(header, "Acme,5,US Dollar", "Bee,5,Livre sterling", "Cee,5,CHF"), "account",
                 by=alice)  # fmt: skip
    found = Account.objects.order_by("name").values_list("currency", flat=True)
    assert (list(found), done.errors) == (["USD", "GBP", "CHF"], [])

    done = bring(table("Name,Currency", "Dee,Galleons"), "account", by=alice)
    assert done.counts["created"] == 1
    assert done.upload.options["notes"] == [
        "“Currency” is ignored: none of its values is a currency that is known."
    ]


def test_days_without_year_are_left_out_and_told(alice, table):
    rows = ("Anna,Bo,05/12,", "Eva,Dee,1/3,2001-02-03")
    done = bring(table("First Name,Last Name,Birthday,Anniversary", *rows), by=alice)
    assert set(Contact.objects.values_list("birthday", "anniversary")) == {
        (None, None), (None, date(2001, 2, 3)),
    }  # fmt: skip
    assert done.upload.options["notes"] == [
        "“Birthday” is ignored: its days have no year, and Birthday is a whole one."
    ]


@pytest.mark.parametrize("cell", ["0000-00-00", "0/0/00", "00.00.0000", "0000-00-00 00:00:00"])
def test_day_of_zeros_is_none(alice, table, cell):
    bring(table("Last Name,Birthday", "Bo,1980-01-02", f"Dee,{cell}"), by=alice)
    found = Contact.objects.order_by("last_name").values_list("birthday", flat=True)
    assert list(found) == [date(1980, 1, 2), None]


def test_signs_before_phone_numbers_are_no_part_of_them(alice, table):
    phones = ("'+49 30 1", "tel:+49 30 2", "p:+49303", "' 5", "0171 'work'")
    bring(table("Last Name,Phone", *(f"B{at},{text}" for at, text in enumerate(phones))), by=alice)
    found = Contact.objects.order_by("last_name").values_list("business_phone", flat=True)
    assert list(found) == ["+49 30 1", "+49 30 2", "+49303", "5", "0171 'work'"]


def test_addresses_begin_with_the_first(alice, table):
    bring(table("Last Name,Personal Email", "Bo,a@bo.example"), by=alice)
    header = "Last Name,Email address - other,Secondary Email"
    bring(table(header, "Dee,d@dee.example,e@dee.example"), by=alice)
    found = Contact.objects.order_by("last_name").values_list("email", "email2", "email3")
    assert list(found) == [("a@bo.example", "", ""), ("d@dee.example", "e@dee.example", "")]


def test_names_that_begin_with_the_last_are_those_of_people(alice, table):
    done = bring(table("Name,City", '"Bo, Anna",Bonn', '"Dee, Eva Maria",Ulm'), "auto", by=alice)
    assert done.upload.entity == "contact"
    found = Contact.objects.order_by("last_name").values_list("first_name", "last_name")
    assert list(found) == [("Anna", "Bo"), ("Eva", "Dee")]
