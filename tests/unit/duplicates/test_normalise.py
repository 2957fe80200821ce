"""Values as matching sees them."""

import datetime

import pytest
from hypothesis import given, strategies as st

from rapport.duplicates import normalise


@pytest.mark.parametrize(
    ("form", "one", "other"),
    [
        ("words", "Conan O'Brien", "CONAN  O’brien"),
        ("words", "Mill & Stone", "Mill - Stone"),
        ("name", "Jürgen Müller", "Jurgen Muller"),
        ("name", "Иванов", "Ivanov"),
        ("name", "Παπαδόπουλος", "Papadopoylos"),
        ("email", " Eva@Stone.Example ", "eva@stone.example"),
        ("phone", "+49 (30) 123 45 67 8", "030/12345678"),
        ("phone", "0049 30 12345678", "+49-30-12345678"),
        ("phone", "0049 89 000 12345", "089 00012345"),
        ("company", "Acme Widgets GmbH & Co. KG", "ACME Widgets"),
        ("company", "The Acme Company, Inc.", "acme"),
        ("company", "株式会社日立", "日立"),
        ("company", "ООО Ромашка", "Romashka"),
        ("company", "Foo Sp. z o.o.", "foo"),
        ("company", "Bar S.p.A.", "BAR"),
        ("domain", "https://www.acme.example/about", "sales@acme.example"),
        ("domain", "ACME.example:8080", "acme.example"),
        ("postcode", "D-10115 ", "d 10115"),
        ("day", datetime.date(1980, 12, 31), "1980-12-31"),
    ],
)
def test_values_that_say_the_same(form, one, other):
    normal = getattr(normalise, form)

    assert normal(one) == normal(other) != ""


@pytest.mark.parametrize(
    ("form", "one", "other"),
    [
        ("email", "eva@stone.example", "eva@stone.example.com"),
        ("phone", "+49 30 12345678", "+49 30 12345679"),
        ("company", "Acme Paper", "Acme Steel"),
        ("name", "王伟", "王芳"),
    ],
)
def test_values_that_differ(form, one, other):
    normal = getattr(normalise, form)

    assert normal(one) != normal(other)


@pytest.mark.parametrize(
    ("form", "value"),
    [("email", "none"), ("phone", "0000000"), ("phone", "123"), ("phone", "000001"),
     ("phone", "+1 000 000 0001"),
     ("domain", "eva@gmail.com"), ("name", "..."), ("day", "May"), ("company", " ")],
)  # fmt: skip
def test_values_that_say_nothing(form, value):
    assert getattr(normalise, form)(value) == ""


@pytest.mark.parametrize("text", ["GmbH", "Ltd", "株式会社", "The Company"])
def test_company_that_is_called_like_a_legal_form_keeps_a_name(text):
    assert normalise.company(text) != ""


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_normal_form_is_its_own_normal_form(text):
    for form in (normalise.words, normalise.email, normalise.phone):
        assert form(form(text)) == form(text)


def test_street_knows_spellings_and_where_the_number_stands():
    spellings = ("Hauptstraße 12", "Hauptstr. 12", "12, Haupt Strasse")
    assert {normalise.street(text) for text in spellings} == {("12 haupt st", "12", "haupt st")}
    assert normalise.street("Main Road") == ("main rd", "", "main rd")
    assert normalise.street("-") is None
