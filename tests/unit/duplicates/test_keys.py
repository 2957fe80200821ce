"""What makes two records the same."""

import pytest
from hypothesis import given, strategies as st

from rapport.duplicates.keys import keys, normalise
from rapport.meta.registry import registry

CONTACT, LEAD, ACCOUNT = registry["contact"], registry["lead"], registry["account"]


def made(entity, names=None, **values):
    """{rule: hash} of a record with these values."""
    return {key.rule: key.hash for key in keys(entity, values, names or {})}


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [
        ("email", "Eva@Stone.Example", " eva@stone.example "),
        ("full_name", "Eva Stone", "EVA  STONE"),
        ("full_name", "Jürgen Müller", "Jurgen Muller"),
        ("full_name", "Conan O'Brien", "Conan O’Brien"),
        ("full_name", "Stone, Eva", "Stone Eva"),
        ("full_name", "Mill & Stone", "Mill Stone"),
        ("full_name", "Mill - Stone", "Mill Stone"),
        ("business_phone", "+49 (30) 123 45 67 8", "030/12345678"),
        ("business_phone", "0049 30 12345678", "+49-30-12345678"),
    ],
)
def test_values_that_say_the_same(name, one, other):
    field = CONTACT.fields[name]

    assert normalise(field, one) == normalise(field, other) != ""


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [
        ("email", "eva@stone.example", "eva@stone.example.com"),
        ("full_name", "Eva Stone", "Eva Stones"),
        ("business_phone", "+49 30 12345678", "+49 30 12345679"),
    ],
)
def test_values_that_differ(name, one, other):
    field = CONTACT.fields[name]

    assert normalise(field, one) != normalise(field, other)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_normal_form_is_its_own_normal_form(text):
    for name in ("email", "full_name", "business_phone"):
        field = CONTACT.fields[name]
        assert normalise(field, normalise(field, text)) == normalise(field, text)


def test_each_filled_group_gives_a_key():
    assert set(made(CONTACT, {"account": "Stone Ltd"}, email="e@x.de", full_name="Eva")) == {
        "email", "full_name+account",
    }  # fmt: skip


def test_group_with_a_blank_counts_only_when_there_is_no_other():
    assert set(made(CONTACT, email="e@x.de", full_name="Eva")) == {"email"}
    assert set(made(CONTACT, full_name="Eva")) == {"full_name+account"}


def test_last_resort_counts_only_when_there_is_no_other():
    assert set(made(LEAD, business_phone="12345678", email="e@x.de")) == {"email"}
    assert set(made(LEAD, business_phone="12345678")) == {"business_phone"}


def test_record_without_any_of_it_has_no_key():
    assert made(CONTACT) == {}
    assert made(CONTACT, full_name="---") == {}


def test_company_tells_people_of_one_name_apart():
    one = made(CONTACT, {"account": "Stone Ltd"}, full_name="Eva Stone")
    other = made(CONTACT, {"account": "Mill Ltd"}, full_name="Eva Stone")
    same = made(CONTACT, {"account": "STONE LTD."}, full_name="Eva Stone")

    assert (one == other, one == same) == (False, True)


def test_entities_do_not_share_keys():
    assert (
        set(made(CONTACT, email="e@x.de").values()) & set(made(LEAD, email="e@x.de").values())
        == set()
    )


def test_parts_do_not_run_together():
    one = made(CONTACT, {"account": "b c"}, full_name="a")
    other = made(CONTACT, {"account": "c"}, full_name="a b")

    assert one != other


def test_key_fits_the_column():
    assert all(
        -(2**63) <= key < 2**63 for n in range(50) for key in made(ACCOUNT, name=str(n)).values()
    )
