"""What keys a record gets."""

import datetime

import pytest

from rapport.duplicates.columns import Columns
from rapport.duplicates.keys import (
    HELD_BY,
    fingerprint,
    has_title_key,
    keys,
    keys_of,
    title_hash,
    title_key,
)
from rapport.meta.registry import registry

CONTACT, LEAD, ACCOUNT = registry["contact"], registry["lead"], registry["account"]
ADDRESS = {
    "address1_line1": "8 Stanley Street", "address1_city": "Miami", "address1_postal_code": "4223",
}  # fmt: skip
EVA = {"first_name": "Eva", "last_name": "Stone"}
REACHED = {"email": "eva@stone.example", "business_phone": "030 123456"}


def made(entity, names=None, **values):
    return set(keys(entity, values, names or {}))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"email": "Eva@Stone.Example"}, {"email2": " eva@stone.example "}),
        ({"business_phone": "+49 (30) 123 45 67 8"}, {"mobile_phone": "030/12345678"}),
        (EVA, {"first_name": "STONE", "last_name": "Éva"}),
        (EVA | ADDRESS, {"first_name": "Evva", "last_name": "Stonne"} | ADDRESS),
        (EVA | ADDRESS, {"last_name": "Stone"} | ADDRESS | {"address1_city": "Miamy"}),
        (EVA | ADDRESS, EVA | ADDRESS | {"address1_postal_code": "4232", "last_name": "Sto ne"}),
        (
            EVA | {"birthday": datetime.date(1980, 12, 31)},
            {"first_name": "Eva", "last_name": "Mill", "birthday": datetime.date(1980, 12, 31)},
        ),
        # Who can be reached has few keys, but those that one without a first name has, too.
        (EVA | REACHED | ADDRESS, {"last_name": "Stone", "address1_postal_code": "4223"}),
        (EVA | {"email": "eva@x.example"}, {"first_name": "Eva", "last_name": "Stonne"}),
        (
            EVA | {"business_phone": "030 123456", "address1_city": "Linz"},
            {"last_name": "Stone", "email": "e@y.example", "address1_city": "Linz"},
        ),
    ],
)
def test_damaged_double_shares_a_key(one, other):
    assert made(CONTACT, **one) & made(CONTACT, **other) != set()


def test_same_person_at_the_same_company_shares_a_key():
    one = made(CONTACT, {"account": "Stone GmbH"}, first_name="Robert", last_name="Mill")
    other = made(CONTACT, {"account": "STONE"}, first_name="R.", last_name="Miller")

    assert len(one & other) == 1


def test_lead_finds_contact_and_account():
    lead = made(LEAD, **EVA, email="eva@stone.example", company="Stone Ltd.")

    assert len(lead & made(CONTACT, {"account": "Stone Limited"}, **EVA)) == 2
    assert len(lead & made(ACCOUNT, name="STONE")) == 1


def test_placeholders_are_no_keys():
    assert made(CONTACT, email="none", business_phone="00000000", last_name="---") == set()
    assert made(CONTACT, business_phone="-") == made(CONTACT) == set()


def test_average_contact_has_few_keys():
    found = made(
        CONTACT, {"account": "Stone Ltd"}, **EVA, email="eva@stone.example",
        business_phone="030 123456", address1_city="Berlin", address1_postal_code="10115",
    )  # fmt: skip

    assert len(found) == 5


def test_parts_do_not_run_together():
    one = made(CONTACT, {"account": "b c"}, last_name="a")
    other = made(CONTACT, {"account": "c"}, last_name="a b")

    assert one & other == set()


def test_key_fits_the_column():
    found = {key for n in range(50) for key in made(ACCOUNT, name=str(n))}

    assert len(found) == 50
    assert all(-(2**63) <= key < 2**63 for key in found)


def test_title_keys_know_spellings_and_legal_forms():
    assert title_key("Acme, GmbH") == title_key("ACME AG") in made(ACCOUNT, name="Acme")
    assert title_hash("Acme, GmbH") == title_hash("acme gmbh") != title_hash("Acme AG")
    assert (title_key("---"), title_hash("---")) == (0, 0)
    assert [has_title_key(entity) for entity in (ACCOUNT, CONTACT, LEAD)] == [True, False, False]


def test_fingerprints_are_of_one_entity():
    assert fingerprint(CONTACT) == fingerprint(CONTACT) != fingerprint(LEAD)
    assert HELD_BY > 1


@pytest.mark.parametrize("known", [None, {"first_name", "last_name", "email", "account"}])
def test_together_records_get_the_keys_that_each_gets_alone(known):
    people = [
        EVA,
        EVA | REACHED | ADDRESS,
        {},
        REACHED | {"email2": "x@stone.example"},
        ADDRESS | EVA,
    ]
    names = [{"account": "Stone GmbH"}, {}, {"account": "Mill"}, {}, {}]
    if known:
        people = [{n: one[n] for n in one if n in known} for one in people]

    together = keys_of(Columns(CONTACT, people, names, known))

    alone = [keys(CONTACT, *one) for one in zip(people, names, strict=True)]
    assert [*map(list, together)] == alone
    assert len({*map(len, alone)}) > 2


@pytest.mark.parametrize("odd", ["030 1234567", "030\n1234567", "０３０é1234567"])
def test_columns_get_the_keys_of_their_records(odd):
    phones = ("", "+49 (0) 30 1234567", odd, "00000000", "12", "0171")
    people = [
        {**EVA, **ADDRESS, "business_phone": one, "mobile_phone": other, "email": f"{one}@x.de"}
        for one in phones
        for other in phones
    ]
    companies = ["", "Stone sp. z o.o.", "株式会社 Stone", "Limited"] * (len(people) // 4)
    columns = {name: [one[name] for one in people] for name in people[0]}

    made = keys_of(Columns.of(CONTACT, len(people), {**columns, "account": companies}))

    alone = [
        keys(CONTACT, one, {"account": company})
        for one, company in zip(people, companies, strict=True)
    ]
    assert [*map(list, made)] == alone
