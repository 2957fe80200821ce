"""Who looks like a proposed record."""

import pytest

from rapport.access import SystemActor
from rapport.actions import records, rows
from rapport.duplicates import find as finding, rules
from rapport.duplicates.find import Proposed, find, find_stored, named
from rapport.duplicates.keys import keys
from rapport.duplicates.rules import Condition, Criterion, Rule
from rapport.meta.ids import new_id
from rapport.meta.registry import registry
from rapport.models import MatchKey
from tests import factories

CONTACT, LEAD, ACCOUNT = registry["contact"], registry["lead"], registry["account"]
STONE = {"first_name": "Eva", "last_name": "Stone", "full_name": "Eva Stone"}


def matches(by, *proposed, entity=CONTACT, among=("contact",)):
    """[[(id, rule, percent)]] for records given as values."""
    found = find(entity, [Proposed(*one) for one in proposed], by=by, among=among)
    return [[(match.id, match.rule, match.confidence) for match in own] for own in found]


def test_same_address_is_found(alice):
    contact = factories.make_contact(owner=alice, email="Eva@Stone.example")

    assert matches(alice, ({"email": "eva@stone.EXAMPLE"}, {})) == [
        [(contact.pk, "contact.contact.email", 70)]
    ]


def test_same_name_at_the_same_company_is_found(alice):
    company = factories.make_account(owner=alice, name="Stone Ltd")
    contact = factories.make_contact(
        owner=alice, first_name="Eva", last_name="Stone", account=company
    )

    (found,) = matches(alice, (STONE, {"account": "STONE"}))
    assert [(id_, rule) for id_, rule, _percent in found] == [
        (contact.pk, "contact.contact.person")
    ]
    assert matches(alice, (STONE, {"account": "Mill Ltd"})) == [[]]


def test_strongest_match_comes_first_and_says_why(alice):
    weak = factories.make_contact(owner=alice, email="eva@stone.example", last_name="Mill")
    strong = factories.make_contact(
        owner=alice, email="eva@stone.example", **dict(list(STONE.items())[:2])
    )
    proposed = Proposed({**STONE, "email": "EVA@stone.example"}, {})

    (found,) = find(CONTACT, [proposed], by=alice, among={"contact"})

    assert [(match.id, match.entity, match.effort) for match in found] == [
        (strong.pk, "contact", 0), (weak.pk, "contact", 0),
    ]  # fmt: skip
    assert [(r.label, r.level, r.ours, r.theirs) for r in found[0].reasons] == [
        ("Email", "same", "EVA@stone.example", "eva@stone.example"),
        ("First name", "same", "Eva", "Eva"),
        ("Last name", "same", "Stone", "Stone"),
    ]


def test_lead_finds_the_contact_and_the_account(alice):
    company = factories.make_account(owner=alice, name="Stone Widgets Ltd", website="stone.example")
    contact = factories.make_contact(owner=alice, email="eva@stone.example")
    values = {"email": "eva@stone.example", "company": "Stone Widgets", "website": "stone.example"}

    (found,) = find(LEAD, [Proposed(values, {})], by=alice)

    assert {(match.entity, match.id) for match in found} == {
        ("contact", contact.pk), ("account", company.pk),
    }  # fmt: skip


def test_each_of_a_batch_has_its_own_matches(alice):
    one = factories.make_contact(owner=alice, email="a@stone.example")
    two = factories.make_contact(owner=alice, email="b@stone.example")
    proposed = [({"email": f"{c}@stone.example"}, {}) for c in "abc"]

    assert [[match[0] for match in own] for own in matches(alice, *proposed)] == [
        [one.pk], [two.pk], [],
    ]  # fmt: skip


def test_record_does_not_look_like_itself(alice):
    contact = factories.make_contact(owner=alice, email="eva@stone.example")

    assert matches(alice, ({"email": "eva@stone.example"}, {}, contact.pk)) == [[]]
    assert find_stored(CONTACT, [contact.pk], by=alice) == {contact.pk: []}


def test_invisible_record_is_not_found(alice, charlie):
    hidden = factories.make_contact(owner=charlie, email="eva@stone.example")

    assert matches(alice, ({"email": "eva@stone.example"}, {})) == [[]]
    assert find_stored(CONTACT, [hidden.pk], by=alice) == {}


def test_many_invisible_records_do_not_hide_a_visible_one(alice, charlie, monkeypatch):
    monkeypatch.setattr(finding, "HELD_BY", 1)
    for owner in (charlie, charlie, alice):
        contact = factories.make_contact(owner=owner, email="eva@stone.example")

    (found,) = matches(alice, ({"email": "eva@stone.example"}, {}))
    assert [match[0] for match in found] == [contact.pk]


def test_box_that_an_office_shares_is_nobody_s(alice):
    values = {"email": "info@stone.example", "address1_city": "Berlin"}
    factories.make_contact(owner=alice, first_name="Eva", last_name="Stone", **values)

    assert matches(alice, ({**values, "first_name": "Jan", "last_name": "Mill"}, {})) == [[]]


def test_placeholder_of_very_many_finds_nothing_by_itself(alice, django_assert_num_queries):
    values = {"email": "info@stone.example"}
    (key,) = keys(CONTACT, values, {})
    many = range(finding.LOOKED_AT + 1)
    rows.insert(MatchKey, ("hash", "entity", "record"), [(key, 2, new_id()) for _ in many])
    company = factories.make_account(owner=alice, name="Stone Ltd")
    known = factories.make_contact(
        owner=alice, first_name="Eva", last_name="Stone", account=company, **values
    )

    with django_assert_num_queries(1):
        assert matches(SystemActor("test"), (values, {})) == [[]]
    (found,) = matches(alice, ({**values, **STONE}, {"account": "Stone"}))
    assert [match[0] for match in found] == [known.pk]


@pytest.mark.parametrize("values", [
    {}, {"full_name": ""}, {"last_name": "---"}, {"first_name": "\u200f", "email": "none"},
])  # fmt: skip
def test_nothing_to_look_for_is_no_statement(values, alice, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert matches(alice, (values, {})) == [[]]


@pytest.mark.parametrize("name", ["王伟", "محمد العلي", "משה כהן", "Ян"])
def test_names_of_any_script_are_found_and_told_apart(name, alice):
    there = {"last_name": name, "address1_postal_code": "10115", "address1_city": "Berlin",
             "address1_line1": "Hauptstr. 12"}  # fmt: skip
    contact = factories.make_contact(owner=alice, first_name="", **there)

    assert [m[0] for m in matches(alice, (there, {}))[0]] == [contact.pk]
    assert matches(alice, ({**there, "last_name": "李娜"}, {})) == [[]]


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
    records.update_record(ACCOUNT, company.pk, {"name": "Mill Ltd"}, by=alice)

    assert matches(alice, (STONE, {"account": "Mill Ltd"}))[0][0][0] == contact.pk
    assert matches(alice, (STONE, {"account": "Stone Ltd"})) == [[]]


def test_companies_are_named_with_their_legal_form(alice, charlie):
    one = factories.make_account(owner=alice, name="Acme, GmbH")
    factories.make_account(owner=alice, name="Acme AG")
    factories.make_account(owner=charlie, name="Acme GmbH")

    assert named(ACCOUNT, ["ACME GmbH", "Acme", "?"], by=alice) == {
        "ACME GmbH": [(one.pk, "Acme, GmbH", 0)], "Acme": [],
    }  # fmt: skip


def test_rule_that_somebody_made_finds_by_its_own_key(alice, admin):
    rule = Rule(
        key="", name="Same job in town", base="contact", matching="contact", threshold=90,
        conditions=(
            Condition(base=("job_title",), matching=("job_title",), criterion=Criterion.FIRST,
                      parameter=4, must=True),
            Condition(base=("address1_city",), matching=("address1_city",),
                      criterion=Criterion.EXACT, must=True),
        ),
    )  # fmt: skip
    values = {
        "name": rule.name, "base_entity": "contact", "matching_entity": "contact",
        "threshold": 90, "definition": rules.dumps(rule), "state": 1, "status": 2,
    }  # fmt: skip
    made = factories.make("duplicate_rule", **values)
    contact = factories.make_contact(owner=alice, job_title="Driver", address1_city="Köln")
    asked = {"job_title": "DRIVING instructor", "address1_city": "Koln"}

    assert matches(alice, (asked, {})) == [[(contact.pk, str(made.pk), 90)]]
    assert matches(alice, ({**asked, "address1_city": "Bonn"}, {})) == [[]]


def test_where_nobody_is_no_key_is_looked_for(db, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert finding.held(range(30_000), LEAD) == set()
