"""Text to value and back, for every kind of value."""

import time
import uuid
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from django.utils.translation import get_language, override
from hypothesis import given, strategies as st

from rapport.meta.field import Field
from rapport.meta.kinds import (
    InvalidValue,
    Kind,
    Reading,
    Ref,
    address_text,
    all_fit,
    check,
    from_json,
    parse,
    to_json,
    to_text,
    trimmed,
    with_line_ends,
)
from rapport.meta.options import Option

GERMAN = Reading(date_order="dmy", decimal_mark=",", time_zone="Europe/Berlin")
AMERICAN = Reading(date_order="mdy")
ID = uuid.UUID("01a200e3-0593-71d8-a2d5-22b9a781c044")


def field(kind, **options):
    """A field of `kind`."""
    return Field(
        **{"name": "thing", "label": "Thing", "kind": kind, "columns": ("thing",)} | options
    )


CHOICE = field(Kind.CHOICE, shipped=(Option(1, "Hot"), Option(2, "Warm"), Option(0, "None")))


def refusal(call, *arguments):
    """What the call says against its value."""
    with pytest.raises(InvalidValue) as caught:
        call(*arguments)
    return str(caught.value)


# -- text -> value --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (Kind.TEXT, "  Ann  ", "Ann"),
        (Kind.LONG_TEXT, "  two\nlines ", "  two\nlines "),
        (Kind.EMAIL, "ann@example.com", "ann@example.com"),
        (Kind.EMAIL, "ann.o'neil+x@mail.example.com", "ann.o'neil+x@mail.example.com"),
        (Kind.EMAIL, "jürgen@müller.de", "jürgen@müller.de"),
        (Kind.PHONE, "+49 (30) 12-34", "+49 (30) 12-34"),
        (Kind.URL, "www.example.com/a?b=c", "www.example.com/a?b=c"),
        (Kind.URL, "HTTPS://example.com", "HTTPS://example.com"),
        (Kind.LONG_TEXT, "a\r\nb\rc\n", "a\nb\nc\n"),
        (Kind.URL, "example.com:8080/x", "example.com:8080/x"),
        (Kind.NUMBER, "1,234", 1234),
        (Kind.NUMBER, "1,00,000", 100000),
        (Kind.MONEY, "12,34,567.50", Decimal("1234567.50")),
        (Kind.NUMBER, "-5", -5),
        (Kind.NUMBER, "1e3", 1000),
        (Kind.NUMBER, "12.0", 12),
        (Kind.MONEY, "1,234.5", Decimal("1234.50")),
        (Kind.MONEY, "€ 1 234", Decimal("1234.00")),
        (Kind.MONEY, "EUR 12.50", Decimal("12.50")),
        (Kind.MONEY, "12.50 USD", Decimal("12.50")),
        (Kind.MONEY, "-USD 12", Decimal("-12.00")),
        (Kind.MONEY, "(1,234.00)", Decimal("-1234.00")),
        (Kind.MONEY, "1'234.50", Decimal("1234.50")),
        (Kind.DATE, "2026-01-31", date(2026, 1, 31)),
        (Kind.DATE, "31.1.2026", date(2026, 1, 31)),
        (Kind.DATE, "2026/1/31", date(2026, 1, 31)),
        (Kind.DATE, "31.12.99", date(1999, 12, 31)),
        (Kind.DATE, "19991231", date(1999, 12, 31)),
        (Kind.DATE, "01.02.03", date(2003, 2, 1)),
        (Kind.DATE, "2026-01-31T00:00:00", date(2026, 1, 31)),
        (Kind.DATETIME, "2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
        (Kind.DATETIME, "2026-01-31 14:05", datetime(2026, 1, 31, 14, 5, tzinfo=UTC)),
        (Kind.DATETIME, "2026-01-31T14:05:06.789Z", datetime(2026, 1, 31, 14, 5, 6, tzinfo=UTC)),
        (Kind.DATETIME, "2026-01-31 12:05 am", datetime(2026, 1, 31, 0, 5, tzinfo=UTC)),
        (Kind.DATETIME, "2026-01-31 12:05 PM", datetime(2026, 1, 31, 12, 5, tzinfo=UTC)),
        (Kind.DATETIME, "2026-01-31 14:05+02:00", datetime(2026, 1, 31, 12, 5, tzinfo=UTC)),
        (Kind.DATETIME, "2026-01-31 14:05 GMT-0530", datetime(2026, 1, 31, 19, 35, tzinfo=UTC)),
        (Kind.BOOLEAN, "Ja", True),
        (Kind.BOOLEAN, "FALSE", False),
        (Kind.LOOKUP, str(ID), ID),
        (Kind.OWNER, str(ID), ID),
        (Kind.POINTER, f"account:{ID}", Ref("account", ID)),
    ],
)
def test_text_is_read(kind, text, value):
    assert parse(field(kind), text) == value


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (Kind.MONEY, "1.234,50", Decimal("1234.50")),
        (Kind.MONEY, "1234,5 €", Decimal("1234.50")),
        (Kind.NUMBER, "1.234", 1234),
        (Kind.DATE, "3.4.2026", date(2026, 4, 3)),
        (Kind.DATETIME, "31.01.2026 14:05", datetime(2026, 1, 31, 13, 5, tzinfo=UTC)),
    ],
)
def test_text_is_read_as_its_country_writes(kind, text, value):
    assert parse(field(kind), text, GERMAN) == value


@pytest.mark.parametrize(
    "text",
    [
        "12 Mar 2024", "12-Mar-24", "March 12, 2024", "Mar 12th, 2024", "12. März 2024",
        "12 mars 2024", "12 de marzo de 2024", "12MAR2024", "12/mrt/2024", "12-Mar-2024 00:00:00",
    ],
)  # fmt: skip
def test_months_are_read_by_their_names(text):
    assert parse(field(Kind.DATE), text, AMERICAN) == date(2024, 3, 12)


@pytest.mark.parametrize("text", ["12 Marathon 2024", "Mar 2024", "12 Mar", "31 Feb 2024"])
def test_no_day_is_made_of_other_words(text):
    with pytest.raises(InvalidValue):
        parse(field(Kind.DATE), text)


def test_month_first_is_read_where_it_was_detected():
    assert parse(field(Kind.DATE), "4/3/2026", AMERICAN) == date(2026, 4, 3)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Kind.EMAIL, "ann"),
        (Kind.EMAIL, "ann@home"),
        (Kind.EMAIL, "ann@example..com"),
        (Kind.EMAIL, "ann@exa mple.com"),
        (Kind.EMAIL, "<ann@example.com>"),
        (Kind.URL, "javascript:alert(1)"),
        (Kind.URL, "JavaScript:alert(1)"),
        (Kind.URL, "data:text/html,x"),
        (Kind.URL, "two words"),
        (Kind.NUMBER, "twelve"),
        (Kind.NUMBER, "1.5"),
        (Kind.NUMBER, "1,23,4"),
        (Kind.NUMBER, "NaN"),
        (Kind.NUMBER, "Infinity"),
        (Kind.MONEY, "ten"),
        (Kind.MONEY, "12345678901234"),
        (Kind.DATE, "2026-02-30"),
        (Kind.DATE, "yesterday"),
        (Kind.DATE, "2026-01-31x"),
        (Kind.DATETIME, "2026-01-31 25:00"),
        (Kind.DATETIME, "2026-01-31 14:05 CET"),
        (Kind.DATETIME, "2026-01-31 14:05+99:99x"),
        (Kind.DATETIME, "9999-12-31 23:59-01:00"),
        (Kind.DATETIME, "0001-01-01 00:00+01:00"),
        (Kind.BOOLEAN, "perhaps"),
        (Kind.LOOKUP, "Acme"),
        (Kind.POINTER, str(ID)),
        (Kind.ADDRESS, "Main Street 1"),
    ],
)
def test_text_that_is_no_value_is_refused(kind, text):
    assert refusal(parse, field(kind), text)


def test_moment_before_the_calendar_is_refused():
    assert refusal(parse, field(Kind.DATETIME), "0001-01-01 00:10", GERMAN)


def test_huge_exponent_costs_nothing():
    started = time.thread_time()
    refusal(parse, field(Kind.NUMBER), "1e999999999")

    assert time.thread_time() - started < 1


@pytest.mark.parametrize("kind", list(Kind))
def test_blank_text_is_the_blank_value(kind):
    assert parse(field(kind), " " if kind is not Kind.LONG_TEXT else "") == field(kind).blank_value


@pytest.mark.parametrize("text", ["warm", "WARM", "2"])
def test_option_is_read_by_label_or_number(text):
    assert parse(CHOICE, text) == 2


def test_option_is_read_in_the_readers_language_and_in_english():
    translated = field(Kind.CHOICE, shipped=(Option(1, Translated(de="Heiß", en="Hot")),))

    with override("en"):
        assert (parse(translated, "hot"), refusal(parse, translated, "heiß") != "") == (1, True)
    with override("de"):
        assert (parse(translated, "heiß"), parse(translated, "Hot")) == (1, 1)


class Translated:
    """A label in several languages, as a catalogue would give it."""

    def __init__(self, **by_language):
        self.by_language = by_language

    def __str__(self):
        return self.by_language[get_language()]


def test_unknown_option_names_those_there_are():
    assert refusal(parse, CHOICE, "Tepid") == "“Tepid” is not one of: Hot, Warm, None."


@pytest.mark.parametrize("kind", [Kind.NUMBER, Kind.MONEY, Kind.DATE, Kind.BOOLEAN, Kind.EMAIL])
def test_of_a_long_text_the_beginning_is_named(kind):
    text = "many words " * 500

    assert f"“{text[:80]}…”" in refusal(parse, field(kind=kind), text)


def test_of_many_options_the_first_are_named(monkeypatch):
    monkeypatch.setattr("rapport.meta.kinds.NAMED_OPTIONS", 2)

    assert refusal(parse, CHOICE, "Tepid") == ("“Tepid” is none of the 3 options (Hot, Warm …).")


# -- value -> stored value ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "value"),
    [
        ({"kind": Kind.TEXT, "max_length": 3}, "abcd"),
        ({"kind": Kind.TEXT}, "a\x00b"),
        ({"kind": Kind.TEXT}, "half \ud83d"),
        ({"kind": Kind.NUMBER}, "12"),
        ({"kind": Kind.NUMBER}, True),
        ({"kind": Kind.NUMBER, "minimum": 0}, -1),
        ({"kind": Kind.NUMBER, "maximum": 100}, 101),
        ({"kind": Kind.MONEY, "minimum": 0}, Decimal("-0.01")),
        ({"kind": Kind.MONEY}, Decimal(10) ** 13),
        ({"kind": Kind.MONEY}, float("nan")),
        ({"kind": Kind.MONEY}, float("inf")),
        ({"kind": Kind.MONEY}, ["1"]),
        ({"kind": Kind.DATE}, datetime(2026, 1, 31, tzinfo=UTC)),
        ({"kind": Kind.DATE}, "2026-01-31"),
        ({"kind": Kind.DATETIME}, datetime(2026, 1, 31)),  # noqa: DTZ001 -- no zone: that is the point
        ({"kind": Kind.BOOLEAN}, 1),
        ({"kind": Kind.LOOKUP}, str(ID)),
        ({"kind": Kind.POINTER, "targets": ("lead",)}, Ref("account", ID)),
        ({"kind": Kind.POINTER}, ("account", ID)),
        ({"kind": Kind.ADDRESS}, "Main Street 1"),
    ],
)
def test_value_that_the_field_cannot_hold_is_refused(options, value):
    assert refusal(check, field(**options), value)


@pytest.mark.parametrize("value", [3, "2", [2], {"a": 1}, 2.0])
def test_value_that_is_no_option_is_refused(value):
    assert refusal(check, CHOICE, value)


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("value", [None, ""])
def test_nothing_is_the_blank_value(kind, value):
    assert check(field(kind), value) == field(kind).blank_value


def test_money_is_rounded_to_cents():
    assert check(field(Kind.MONEY), Decimal("0.125")) == Decimal("0.12")


# -- round trips ----------------------------------------------------------------------------------

_texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
_stored = _texts.map(with_line_ends)
_lines = _stored.map(trimmed)
_money = st.decimals(-(10**13) + 1, 10**13 - 1, places=2, allow_nan=False, allow_infinity=False)
_moments = st.datetimes(
    timezones=st.integers(-14, 14).map(lambda hours: timezone(timedelta(hours=hours))),
    min_value=datetime(1, 1, 2),  # noqa: DTZ001 -- hypothesis adds the zone
    max_value=datetime(9999, 12, 30),  # noqa: DTZ001 -- the same
)
VALUES = {
    Kind.TEXT: _lines,
    Kind.LONG_TEXT: _stored,
    Kind.EMAIL: st.sampled_from(["a@b.de", "x.y+z@mail.example.com"]),
    Kind.PHONE: _lines,
    Kind.URL: st.sampled_from(["https://example.com/ü", "example.com"]),
    Kind.CHOICE: st.sampled_from([0, 1, 2]),
    Kind.STATE: st.sampled_from([0, 1, 2]),
    Kind.NUMBER: st.integers(-(10**9), 10**9),
    Kind.MONEY: _money,
    Kind.DATE: st.dates(),
    Kind.DATETIME: _moments,
    Kind.BOOLEAN: st.booleans(),
    Kind.LOOKUP: st.uuids(),
    Kind.OWNER: st.uuids(),
    Kind.POINTER: st.uuids().map(lambda id_: Ref("account", id_)),
}
_pairs = st.sampled_from(sorted(VALUES)).flatmap(
    lambda kind: st.tuples(st.just(kind), VALUES[kind] | st.just(field(kind).blank_value))
)


def field_of(kind):
    return field(kind, shipped=CHOICE.options) if kind in {Kind.CHOICE, Kind.STATE} else field(kind)


@given(_pairs)
def test_json_keeps_the_value(pair):
    kind, value = pair

    assert from_json(field_of(kind), to_json(value)) == value


@given(_pairs)
def test_text_keeps_the_value(pair):
    kind, value = pair
    if kind is Kind.DATETIME and value:
        value = value.replace(microsecond=0)

    assert parse(field_of(kind), to_text(field_of(kind), value)) == value


@given(_pairs)
def test_stored_value_is_stored_as_it_is(pair):
    kind, value = pair

    assert check(field_of(kind), value) == value


@given(st.sampled_from(list(Kind)), _texts)
def test_any_text_is_read_or_refused(kind, text):
    try:
        value = parse(field_of(kind), text)
    except InvalidValue:
        return
    assert check(field_of(kind), value) == value


def test_every_kind_has_values_here():
    # An address is shown, never stored.
    assert set(VALUES) == set(Kind) - {Kind.ADDRESS}


def test_address_has_postal_code_and_city_in_one_line():
    parts = {
        "address1_line1": "Mühlweg 126",
        "address1_line2": "",
        "address1_line3": "",
        "address1_postal_code": "50667",
        "address1_city": "Köln",
        "address1_state_or_province": "",
        "address1_country": "Germany",
    }

    assert address_text(parts) == "Mühlweg 126\n50667 Köln\nGermany"


TOGETHER = [
    "", "a@x.example", "a@x..example", "a@x", "Ann", "https://x.example/a", "www.x.example", "a b",
    "mailto:x", "x.example:80", "nul\x00", "half\ud800", "a\r\nb", "x\u200b", "x" * 300,
    "a\nb@x.example",
]  # fmt: skip


@pytest.mark.parametrize("kind", [Kind.TEXT, Kind.LONG_TEXT, Kind.PHONE, Kind.EMAIL, Kind.URL])
def test_texts_that_fit_together_fit_one_by_one(kind):
    one = field(kind, max_length=200)
    fitting = [text for text in TOGETHER if all_fit(one, ["", text])]

    assert [check(one, text) for text in fitting] == fitting
    assert len(fitting) > 1
    assert all_fit(one, fitting)
    for text in TOGETHER:
        assert all_fit(one, [*fitting, text]) == (text in fitting)
