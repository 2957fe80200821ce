"""What each kind of value looks like, and that no value can become markup or a script."""

import datetime
import uuid
from decimal import Decimal

import pytest
from django.utils import timezone, translation

from rapport.meta.kinds import Kind
from rapport.meta.registry import registry
from rapport.queries.pages import Link
from rapport.web.cells import CELLS, cell, cell_context

CONTACT, OPPORTUNITY = registry["contact"], registry["opportunity"]
ACCOUNT = registry["account"]
ID = uuid.UUID("01900000-0000-7000-8000-000000000001")


def show(entity, name, value, **options):
    return str(cell(entity.fields[name], value, cell_context(**options)))


def test_cells_know_every_kind():
    assert set(CELLS) == set(Kind)


@pytest.mark.parametrize("kind", list(Kind))
def test_blank_is_empty(kind):
    some = next(f for e in registry for f in e.fields.values() if f.kind is kind)

    assert [str(cell(some, value, cell_context())) for value in (None, "")] == ["", ""]


def test_text_is_escaped():
    assert show(CONTACT, "full_name", "<script>alert(1)</script>") == (
        "&lt;script&gt;alert(1)&lt;/script&gt;"
    )


def test_long_text_of_a_list_is_one_short_line():
    assert show(CONTACT, "description", "one\n\n two <b>") == "one two &lt;b&gt;"
    assert show(CONTACT, "description", "x" * 500) == "x" * 160 + "…"


def test_long_text_of_a_record_keeps_its_lines():
    assert show(CONTACT, "description", "one\n<b>two", whole=True) == "one<br>&lt;b&gt;two"


def test_email_is_a_link():
    assert show(CONTACT, "email", "eva+x@müller.de") == (
        '<a href="mailto:eva+x@m%C3%BCller.de">eva+x@müller.de</a>'
    )


def test_email_that_is_none_is_text():
    assert show(CONTACT, "email", '"><img onerror=1>') == "&quot;&gt;&lt;img onerror=1&gt;"


def test_email_cannot_leave_its_attribute():
    assert show(CONTACT, "email", '"onerror=1@x.de') == (
        '<a href="mailto:%22onerror%3D1@x.de">&quot;onerror=1@x.de</a>'
    )


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("+49 (0)30 23-45", "+49302345"),
        ("030 / 23 45 ext. 7", "0302345"),
        ("+1 212-555-9076", "+12125559076"),
    ],
)
def test_phone_dials_its_digits(text, number):
    assert show(CONTACT, "business_phone", text) == f'<a href="tel:{number}">{text}</a>'


def test_phone_without_digits_is_text():
    assert show(CONTACT, "business_phone", '"><script>') == "&quot;&gt;&lt;script&gt;"


def test_url_of_the_web_is_a_link():
    rest = 'target="_blank" rel="noopener noreferrer"'

    assert show(ACCOUNT, "website", "https://a.de/?x=1&y=2") == (
        f'<a href="https://a.de/?x=1&amp;y=2" {rest}>https://a.de/?x=1&amp;y=2</a>'
    )
    assert show(ACCOUNT, "website", "www.a.de") == f'<a href="https://www.a.de" {rest}>www.a.de</a>'


@pytest.mark.parametrize(
    "text",
    ["javascript:alert(1)", "data:text/html,x", "//evil.com", " https://x.de", "ftp://x.de/y"],
)
def test_url_of_anything_else_is_text(text):
    assert show(ACCOUNT, "website", text) == text


def test_choice_shows_its_label():
    assert show(CONTACT, "role", 1) == "Decision Maker"
    assert show(CONTACT, "role", 99) == "99"


def test_state_is_a_badge_with_a_tone():
    field = CONTACT.fields["status"]
    option = next(o for o in field.options if o.tone)

    assert str(cell(field, option.value, cell_context())) == (
        f'<span class="badge" data-tone="{option.tone}">{option.label}</span>'
    )
    assert show(CONTACT, "state", 0) == '<span class="badge">Active</span>'


def test_numbers_are_grouped_as_the_viewer_writes_them():
    assert show(ACCOUNT, "employees", 1234567) == "1,234,567"
    assert show(OPPORTUNITY, "estimated_revenue", Decimal("-1234567.5")) == "-1,234,567.50"
    with translation.override("de"):
        assert show(OPPORTUNITY, "estimated_revenue", Decimal("1234567.5")) == "1.234.567,50"


def test_dates_are_in_the_language_of_the_viewer():
    day = datetime.date(2026, 1, 31)

    assert show(CONTACT, "birthday", day) == '<time datetime="2026-01-31">Jan 31, 2026</time>'
    with translation.override("de"):
        assert show(CONTACT, "birthday", day) == '<time datetime="2026-01-31">31.01.2026</time>'


def test_moments_are_in_the_zone_of_the_viewer():
    moment = datetime.datetime(2026, 1, 31, 23, 30, tzinfo=datetime.UTC)

    with timezone.override("Europe/Berlin"):
        shown = show(CONTACT, "created_at", moment)

    text = "Feb 1, 2026, 12:30\u202fAM"
    assert shown == f'<time datetime="2026-01-31T23:30:00+00:00">{text}</time>'


def test_no_is_not_blank():
    some = next(f for e in registry for f in e.fields.values() if f.kind is Kind.BOOLEAN)

    assert [str(cell(some, value, cell_context())) for value in (True, False)] == ["Yes", "No"]


def test_link_names_its_record():
    link = Link("account", ID, "<Müller>")

    assert show(CONTACT, "account", link) == f'<a href="/accounts/{ID}/">&lt;Müller&gt;</a>'


def test_link_to_a_hidden_record_says_no_more():
    assert show(CONTACT, "account", Link("account", ID, "")) == (
        '<span class="muted">Not visible to you</span>'
    )


def test_link_to_an_entity_without_pages_is_text():
    hidden = next(e for e in registry if not e.in_hub)

    assert show(CONTACT, "account", Link(hidden.name, ID, "x")) == "x"


def test_address_is_one_line_in_a_list():
    assert show(CONTACT, "address1", "Weg 1\n<b>Ort") == "Weg 1, &lt;b&gt;Ort"
    assert show(CONTACT, "address1", "Weg 1\n<b>Ort", whole=True) == "Weg 1<br>&lt;b&gt;Ort"
