"""Cells to values, kind by kind."""

import datetime
import sys
from decimal import Decimal

import pytest
from hypothesis import example, given, strategies as st

from rapport.imports import cells, names
from rapport.imports.seen import Seen
from rapport.meta.kinds import Kind, Reading
from rapport.meta.registry import registry

GERMAN = Reading(date_order="dmy", decimal_mark=",", time_zone="Europe/Berlin")


def converted(entity, field, *texts, reading=GERMAN):
    return cells.converter(registry[entity].fields[field], reading)(texts)


def test_every_kind_has_a_converter_and_a_remedy():
    assert set(cells.CONVERTERS) == set(Kind)
    assert set(cells.REMEDIES) == set(Kind)


@pytest.mark.parametrize(
    ("entity", "field", "text", "expected"),
    [
        ("contact", "last_name", "  Bo ", "Bo"),
        ("contact", "last_name", "=1+1", "=1+1"),
        ("contact", "last_name", "\u200b Bo\u00a0\ufeff", "Bo"),
        ("contact", "last_name", "\u0645\u06cc\u200c\u0645", "\u0645\u06cc\u200c\u0645"),
        ("contact", "email", "\u200ba@b.de\u200b", "a@b.de"),
        ("contact", "mobile_phone", "\u202a+49 170 1\u202c", "+49 170 1"),
        ("contact", "account", "Acme\u200b", "Acme"),
        ("contact", "birthday", "1.2.1980\u200e", datetime.date(1980, 2, 1)),
        ("contact", "employee_id", "007", "007"),
        ("contact", "description", " two\nlines ", " two\nlines "),
        ("contact", "description", "two\r\nlines\rmore", "two\nlines\nmore"),
        ("contact", "description", "  ", ""),
        ("account", "address1_line1", "two\r\nlines", "two\nlines"),
        ("contact", "birthday", "1.2.1980", datetime.date(1980, 2, 1)),
        ("contact", "birthday", "1980-02-01T12:00:00.000Z", datetime.date(1980, 2, 1)),
        ("contact", "birthday", "", None),
        ("contact", "gender", "female", 2),
        ("contact", "gender", "2", 2),
        ("contact", "children_count", "1.000", 1000),
        ("opportunity", "probability", "17,5 %", 18),
        ("opportunity", "probability", "2,49", 2),
        ("account", "annual_revenue", "1.234,50 €", Decimal("1234.50")),
        ("account", "credit_hold", "ja", True),
        ("account", "credit_hold", "0", False),
        ("account", "credit_hold", "", None),
        ("contact", "email", "Anna <anna@x.de>", "anna@x.de"),
        ("contact", "email", "mailto:anna@x.de", "anna@x.de"),
    ],
)
def test_text_becomes_a_value(entity, field, text, expected):
    column = converted(entity, field, text)
    assert (column.values, column.errors) == ([expected], {})


@pytest.mark.parametrize(
    ("entity", "field", "text", "expected"),
    [
        ("contact", "last_name", "x" * 51, "Longer than 50 characters (51)."),
        ("contact", "last_name", "a\0b", "There is a character in the text that cannot be stored."),
        ("contact", "email", "anna@x", "“anna@x” is not an e-mail address."),
        ("contact", "children_count", "1,5", "“1,5” is not a whole number."),
        ("opportunity", "probability", "100,4", "More than 100."),
        ("contact", "gender", "robot", "“robot” is not one of: Male, Female."),
        ("contact", "birthday", "30.2.1990", "“30.2.1990” is not a date. Write it as 2026-01-31."),
        ("account", "annual_revenue", "a lot", "“a lot” is not a number."),
        ("account", "employees", "60%", "“60%” is not a number."),
        (
            "account",
            "website",
            "javascript:alert(1)",
            "“javascript:alert(1)” is not a web address.",
        ),
    ],
)
def test_cell_that_its_field_cannot_hold_is_named(entity, field, text, expected):
    column = converted(entity, field, "", text)
    assert {place: str(error) for place, error in column.errors.items()} == {1: expected}


def test_several_values_in_a_cell_are_told_apart():
    assert converted("contact", "email", "a@b.de; c@d.de").more == {0: ["c@d.de"]}
    assert converted("contact", "business_phone", "1 ::: 2 ::: 3").more == {0: ["2", "3"]}
    assert converted("contact", "website", "a.de ::: b.de").more == {0: ["b.de"]}


@pytest.mark.parametrize("text", ["no number at all " * 10, "7".zfill(200)])
def test_long_texts_are_not_remembered(text):
    convert = cells.converter(registry["contact"].fields["children_count"], GERMAN)
    held = sys.getrefcount(text)

    convert([text, text])

    assert sys.getrefcount(text) == held


def test_remembered_values_are_forgotten_when_they_are_too_many(monkeypatch):
    monkeypatch.setattr(cells, "REMEMBERED", 3)
    convert = cells.converter(registry["contact"].fields["children_count"], GERMAN)

    for start in range(0, 20, 2):
        assert convert([str(start), str(start + 1)]).values == [start, start + 1]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Madonna", {"last_name": "Madonna"}),
        ("Anna Bo", {"first_name": "Anna", "last_name": "Bo"}),
        ("Bo, Anna", {"first_name": "Anna", "last_name": "Bo"}),
        ("Anna Maria Bo", {"first_name": "Anna", "middle_name": "Maria", "last_name": "Bo"}),
        ("Ludwig van Beethoven", {"first_name": "Ludwig", "last_name": "van Beethoven"}),
        ("Dr. Bo", {"salutation": "Dr.", "last_name": "Bo"}),
        (
            "Dr. Anna M. Bo Jr.",
            {"salutation": "Dr.", "first_name": "Anna", "middle_name": "M.", "last_name": "Bo",
             "suffix": "Jr."},
        ),
        # Names that are titles elsewhere, and surnames that are letters behind a name elsewhere.
        ("Mahdi Ali Omar",
         {"first_name": "Mahdi", "middle_name": "Ali", "last_name": "Omar"}),
        ("Dr. Prince Obi", {"salutation": "Dr.", "first_name": "Prince", "last_name": "Obi"}),
        ("First Lieutenant Anna Bo",
         {"salutation": "First Lieutenant", "first_name": "Anna", "last_name": "Bo"}),
        ("Gen. Anna Bo", {"salutation": "Gen.", "first_name": "Anna", "last_name": "Bo"}),
        ("Chidi Ann Mba", {"first_name": "Chidi", "middle_name": "Ann", "last_name": "Mba"}),
        ("Anna Bo MBA", {"first_name": "Anna", "last_name": "Bo", "suffix": "MBA"}),
        ("Anna Bo Bsc", {"first_name": "Anna", "last_name": "Bo", "suffix": "Bsc"}),
        ("Anna “Annie” Bo", {"first_name": "Anna", "last_name": "Bo", "nickname": "Annie"}),
        ("Anna (Annie) Bo", {"first_name": "Anna", "last_name": "Bo", "nickname": "Annie"}),
        ("Anna Bo (Acme)", {"first_name": "Anna", "last_name": "Bo"}),
    ],
)  # fmt: skip
def test_full_name_is_taken_apart(text, expected):
    assert names.split(text) == expected


@given(st.text(min_size=1).filter(str.strip))
@example(": :")
def test_any_name_has_a_last_name(text):
    assert names.split(text).get("last_name")


@given(st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), st.integers(1, 2**31 - 1))))
def test_seen_is_a_dictionary_that_keeps_the_first(pairs):
    seen, expected = Seen(), {}
    for hash_, row in pairs:
        seen.add(hash_, row)
        expected.setdefault(hash_, row)

    assert {hash_: seen.get(hash_) for hash_ in expected} == expected
    assert len(seen) == len(expected)


def test_seen_grows():
    seen = Seen()
    for number in range(1, 20_001):
        seen.add(number * 7919, number)

    assert [seen.get(number * 7919) for number in (1, 9_999, 20_000)] == [1, 9_999, 20_000]
    assert seen.get(1) == 0


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("0421 448899 / 0171 2345678", ["0421 448899", "0171 2345678"]),
        ("0421/448899, 0171/2345678", ["0421/448899", "0171/2345678"]),
        ("+49 421 448899 oder +49 171 2345678", ["+49 421 448899", "+49 171 2345678"]),
        ("0421448899/01712345678", ["0421448899", "01712345678"]),
        ("617-555-0101; 617-555-0199", ["617-555-0101", "617-555-0199"]),
        ("0421 448899 / 0421 448899", None),
        ("0421/448899", None),
        ("0421 / 44 88 99", None),
        ("+49/421/0448899", None),
        ("0421 448899/90", None),
        ("0421 448899, Zentrale", None),
        ("0421 448899 - 0", None),
    ],
)
def test_numbers_of_one_cell(text, numbers):
    column = converted("contact", "business_phone", text)

    assert [*column.values, *column.more.get(0, ())] == (numbers or [text])
