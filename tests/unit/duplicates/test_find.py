"""Who looks like a proposed record."""

import pytest

from rapport.actions import records
from rapport.duplicates import find as finding
from rapport.duplicates.find import Proposed, find
from rapport.meta.registry import registry
from tests import factories

CONTACT = registry["contact"]


def matches(by, *proposed):
    """[[(id, rules)]] for contacts given as values."""
    found = find(CONTACT, [Proposed(*one) for one in proposed], by=by)
    return [[(match.id, match.rules) for match in own] for own in found]


def test_same_address_is_found(alice):
    contact = factories.make_contact(owner=alice, email="Eva@Stone.example")

    assert matches(alice, ({"email": "eva@stone.EXAMPLE"}, {})) == [[(contact.pk, ("email",))]]


def test_same_name_at_the_same_company_is_found(alice):
    company = factories.make_account(owner=alice, name="Stone Ltd")
    contact = factories.make_contact(
        owner=alice, first_name="Eva", last_name="Stone", account=company
    )
    values = {"full_name": "Eva Stone"}

    assert matches(alice, (values, {"account": "STONE ltd"})) == [
        [(contact.pk, ("full_name+account",))]
    ]
    assert matches(alice, (values, {"account": "Mill Ltd"})) == [[]]


def test_strongest_match_comes_first(alice):
    company = factories.make_account(owner=alice, name="Stone Ltd")
    weak = factories.make_contact(owner=alice, email="eva@stone.example")
    strong = factories.make_contact(
        owner=alice, email="eva@stone.example", first_name="Eva", last_name="Stone", account=company
    )
    proposed = ({"email": "eva@stone.example", "full_name": "Eva Stone"}, {"account": "Stone Ltd"})

    assert matches(alice, proposed) == [
        [(strong.pk, ("email", "full_name+account")), (weak.pk, ("email",))]
    ]


def test_each_of_a_batch_has_its_own_matches(alice):
    one = factories.make_contact(owner=alice, email="a@stone.example")
    two = factories.make_contact(owner=alice, email="b@stone.example")
    proposed = [({"email": f"{c}@stone.example"}, {}) for c in "abc"]

    assert matches(alice, *proposed) == [[(one.pk, ("email",))], [(two.pk, ("email",))], []]


def test_record_does_not_look_like_itself(alice):
    contact = factories.make_contact(owner=alice, email="eva@stone.example")

    assert matches(alice, ({"email": "eva@stone.example"}, {}, contact.pk)) == [[]]


def test_invisible_record_is_not_found(alice, charlie):
    factories.make_contact(owner=charlie, email="eva@stone.example")

    assert matches(alice, ({"email": "eva@stone.example"}, {})) == [[]]


def test_many_invisible_records_do_not_hide_a_visible_one(alice, charlie, monkeypatch):
    monkeypatch.setattr(finding, "CANDIDATES", 1)
    for owner in (charlie, charlie, alice, alice):
        contact = factories.make_contact(owner=owner, email="info@stone.example")

    (found,) = matches(alice, ({"email": "info@stone.example"}, {}))
    assert len(found) == 1
    assert contact.owner_id == alice.pk


def test_nothing_to_look_for_is_no_statement(alice, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert matches(alice, ({}, {}), ({"full_name": ""}, {})) == [[], []]


@pytest.mark.parametrize("change", ["changed", "deleted"])
def test_record_is_found_by_what_it_is_now(change, alice):
    contact = factories.make_contact(owner=alice, email="eva@stone.example")
    if change == "deleted":
        records.delete_records(CONTACT, [contact.pk], by=alice)
    else:
        records.update_record(CONTACT, contact.pk, {"email": "eva@mill.example"}, by=alice)

    assert matches(alice, ({"email": "eva@stone.example"}, {})) == [[]]


def test_person_is_found_at_the_company_under_its_new_name(alice):
    company = factories.make_account(owner=alice, name="Stone Ltd")
    contact = factories.make_contact(
        owner=alice, first_name="Eva", last_name="Stone", account=company
    )
    records.update_record(registry["account"], company.pk, {"name": "Mill Ltd"}, by=alice)
    values = {"full_name": "Eva Stone"}

    assert matches(alice, (values, {"account": "Mill Ltd"}))[0][0][0] == contact.pk
    assert matches(alice, (values, {"account": "Stone Ltd"})) == [[]]
