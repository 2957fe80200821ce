"""Repairs: new values out of stored ones, previewed, one operation, undone."""

import pytest

from rapport.actions import bulk, repairs, undo
from rapport.meta.registry import registry
from rapport.models import Contact
from tests.factories import make_contact, share_with

CONTACT = registry["contact"]


def stored(owner, **values):
    """A contact with values that no form would take."""
    row = make_contact(owner=owner)
    Contact.objects.filter(pk=row.pk).update(**values)
    return row.pk


def mended(key, by, *ids):
    """{field: new value} of the only one of the records that a repair would change."""
    (row,) = repairs.preview(CONTACT, ids, key, by=by).rows
    return {name: new for name, (_old, new) in row.changes.items()}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Eva@ACME.com", "eva@acme.com"),
        (" eva@acme.com ;", "eva@acme.com"),
        ("mailto:eva@acme.com", "eva@acme.com"),
        ("Eva Lang <eva@acme.com>", "eva@acme.com"),
        ("eva..lang.@acme.com", "eva.lang@acme.com"),
        ("eva lang@acme.com", None),
        ("call me", None),
        ("eva@acme.com", None),
    ],
)
def test_email_addresses(text, expected, alice):
    found = repairs.preview(CONTACT, [stored(alice, email2=text)], "email", by=alice)

    assert [row.changes["email2"][1] for row in found.rows] == [expected] * found.count
    assert (found.count == 0) == (expected is None)


@pytest.mark.parametrize(
    ("text", "country", "expected"),
    [
        ("030 / 123 45 67", "Germany", "+49 30 1234567"),
        ("030 1234567", "Deutschland", "+49 30 1234567"),
        ("030 1234567", "de", "+49 30 1234567"),
        ("(202) 555-0143", "USA", "+1 202-555-0143"),
        ("0049 30 1234567", "", "+49 30 1234567"),
        ("+49 (0)30 1234567", "France", "+49 30 1234567"),
        ("030 1234567", "", None),
        ("030 1234567", "Atlantis", None),
        ("12", "Germany", None),
        ("call me", "Germany", None),
        ("+49 30 1234567", "Germany", None),
    ],
)
def test_phone_numbers(text, country, expected, alice):
    id_ = stored(alice, home_phone=text, address1_country=country)
    found = repairs.preview(CONTACT, [id_], "phone", by=alice)

    assert [row.changes["home_phone"][1] for row in found.rows] == [expected] * found.count
    assert (found.count == 0) == (expected is None)


def test_what_is_made_up_is_emptied_but_for_what_is_required(alice):
    id_ = stored(
        alice, last_name="Test", job_title="n/a", email="a@a.a", fax="000000", department="Sales"
    )

    assert mended("placeholder", alice, id_) == {"job_title": "", "email": "", "fax": ""}


def test_names_are_split(alice):
    whole = stored(alice, first_name="", last_name="Eva Maria Lang")
    parts = stored(alice, first_name="Eva", last_name="de la Cruz")

    assert mended("name", alice, whole, parts) == {"first_name": "Eva Maria", "last_name": "Lang"}


def test_a_country_comes_from_others_who_agree_and_are_visible(alice, charlie):
    for country in ("Germany", "Germany"):
        stored(alice, address1_city="Bonn", address1_country=country)
    for owner, city, country in (
        (alice, "Paris", "France"),
        (alice, "Paris", "France"),
        (alice, "Paris", "USA"),
        (alice, "Rome", "Italy"),
        (charlie, "Oslo", "Norway"),
        (charlie, "Oslo", "Norway"),
    ):
        stored(owner, address1_city=city, address1_country=country)
    ids = [stored(alice, address1_city=c) for c in ("Bonn", "Paris", "Rome", "Oslo")]

    assert mended("country", alice, *ids) == {"address1_country": "Germany"}


def test_one_operation_that_is_undone(alice, monkeypatch):
    monkeypatch.setattr(bulk, "BATCH", 2)
    ids = [stored(alice, email=f"Eva{n}@acme.com") for n in range(3)]
    fine = stored(alice, email="tom@acme.com")

    result = bulk.run(CONTACT, "repair", [*ids, fine], {"repair": "email"}, by=alice)
    emails = sorted(Contact.objects.values_list("email", flat=True))
    undo.undo(result.operation, by=alice)

    assert (result.done, result.refused) == (3, {})
    assert emails == ["eva0@acme.com", "eva1@acme.com", "eva2@acme.com", "tom@acme.com"]
    assert Contact.objects.filter(email__startswith="Eva").count() == 3


def test_what_one_may_not_change_stays(alice, charlie):
    seen, hidden = stored(charlie, email="Seen@x.org"), stored(charlie, email="Hidden@x.org")
    share_with(Contact.objects.get(pk=seen), alice)

    found = repairs.preview(CONTACT, [seen, hidden], "email", by=alice)
    result = bulk.run(CONTACT, "repair", [seen, hidden], {"repair": "email"}, by=alice)

    assert (found.rows, found.count) == ([], 0)
    assert (result.done, set(result.refused)) == (0, {seen})
    assert set(Contact.objects.values_list("email", flat=True)) == {"Seen@x.org", "Hidden@x.org"}


def test_a_closed_record_is_left_out_of_the_preview(alice):
    id_ = stored(alice, email="Eva@acme.com", state=1, status=2)

    assert repairs.preview(CONTACT, [id_], "email", by=alice).count == 0


def test_a_preview_looks_at_so_many(alice, monkeypatch):
    monkeypatch.setattr(repairs, "LOOKED_AT", 3)
    monkeypatch.setattr(repairs, "SHOWN", 1)
    ids = [stored(alice, email=f"Eva{n}@acme.com") for n in range(4)]

    found = repairs.preview(CONTACT, ids, "email", by=alice)

    assert (len(found.rows), found.count, found.looked_at) == (1, 3, 3)


def test_a_repair_that_is_none(alice):
    with pytest.raises(repairs.UnknownRepair):
        repairs.repair_of(CONTACT, "magic")
    with pytest.raises(repairs.UnknownRepair):
        repairs.repair_of(registry["opportunity"], "name")
    assert [one.key for one in repairs.repairs_of(registry["opportunity"])] == [
        "email",
        "placeholder",
    ]
