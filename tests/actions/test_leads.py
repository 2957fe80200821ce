"""Leads: what makes one, and what qualifying makes of it."""

import datetime
from decimal import Decimal

import pytest

from rapport.access import Forbidden
from rapport.actions import leads, records, states, undo
from rapport.actions.leads import Choice, LeadIsClosed, LinkedRecordMissing, qualify_lead
from rapport.actions.records import RecordNotFound
from rapport.meta.kinds import Kind
from rapport.meta.registry import registry
from rapport.models import Account, Contact, Lead, Opportunity
from tests import factories, journal
from tests.refusals import errors

LEAD = registry["lead"]


def counts():
    """How many accounts, contacts and opportunities there are."""
    return tuple(model.objects.count() for model in (Account, Contact, Opportunity))


def make_lead(owner, **values):
    """A lead of a company and a person, as the web form brings them."""
    return factories.make_lead(
        **{"first_name": "Bob", "last_name": "Stone", "company": "Stone Ltd",
           "email": "bob@stone.example", "owner": owner} | values
    )  # fmt: skip


# -- what makes a lead ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "values",
    [
        {"last_name": "Stone"},
        {"company": "Stone Ltd"},
        {"email": "bob@stone.example"},
        {"business_phone": "123"},
        {"mobile_phone": "123"},
        {"home_phone": "123"},
    ],
    ids="+".join,
)
def test_one_of_these_makes_a_lead(values, alice):
    assert records.create_record(LEAD, values, by=alice)


@pytest.mark.parametrize(
    "values", [{}, {"first_name": "Bob"}, {"topic": "A mill"}, {"fax": "123"}], ids="+".join
)
def test_lead_that_nobody_could_find_is_refused(values, alice):
    assert errors(records.create_record, LEAD, values, by=alice) == ["last_name"]


def test_last_thing_that_identifies_a_lead_cannot_be_emptied(alice):
    lead = factories.make_lead(owner=alice, last_name="", first_name="", company="Stone Ltd")

    assert errors(records.update_record, LEAD, lead.pk, {"company": ""}, by=alice) == ["last_name"]


@pytest.mark.parametrize(
    ("values", "topic"),
    [
        ({"last_name": "Stone", "company": "Stone Ltd"}, "Inquiry: Stone Ltd"),
        ({"first_name": "Bob", "last_name": "Stone"}, "Inquiry: Bob Stone"),
        ({"email": "bob@stone.example"}, "Inquiry: bob@stone.example"),
        ({"business_phone": "12"}, "Inquiry: 12"),
        ({"mobile_phone": "34"}, "Inquiry: 34"),
        ({"home_phone": "56"}, "Inquiry: 56"),
        ({"last_name": "Stone", "topic": "A mill"}, "A mill"),
    ],
)
def test_topic_is_derived_when_nobody_gave_one(values, topic, alice):
    assert Lead.objects.get(pk=records.create_record(LEAD, values, by=alice)).topic == topic


# -- qualify --------------------------------------------------------------------------------------


def test_lead_becomes_account_contact_and_opportunity_in_one_operation(alice):
    lead = make_lead(alice, topic="A mill", estimated_value=Decimal(5000))
    before = journal.operations()
    made = qualify_lead(lead.pk, by=alice)

    account, contact = Account.objects.get(pk=made.account), Contact.objects.get(pk=made.contact)
    deal = Opportunity.objects.get(pk=made.opportunity)
    assert (account.name, account.primary_contact_id) == ("Stone Ltd", contact.pk)
    assert (contact.full_name, contact.account_id) == ("Bob Stone", account.pk)
    assert (deal.topic, deal.account_id, deal.contact_id) == ("A mill", account.pk, contact.pk)
    assert deal.estimated_revenue == Decimal(5000)
    assert {one.originating_lead_id for one in (account, contact, deal)} == {lead.pk}
    assert {one.owner_id for one in (account, contact, deal)} == {alice.pk}
    lead.refresh_from_db()
    assert (lead.state, lead.status) == (1, 3)
    assert (lead.account_id, lead.contact_id, lead.opportunity_id) == (
        account.pk, contact.pk, deal.pk,
    )  # fmt: skip
    assert journal.since(before) == ["lead.qualify"]
    assert made.operation.parameters == {
        "account": str(account.pk), "contact": str(contact.pk), "opportunity": str(deal.pk),
    }  # fmt: skip


def test_maps_lead_from_fields_to_fields_of_a_kind():
    lead = LEAD.fields
    wrong = [
        (target, theirs, ours)
        for target, pairs in LEAD.maps.items()
        for theirs, ours in pairs.items()
        if ours not in lead
        or theirs not in registry[target].fields
        or lead[ours].kind is not registry[target].fields[theirs].kind
        or (lead[ours].max_length or 0) > (registry[target].fields[theirs].max_length or 10**9)
        or (lead[ours].maximum or 0) > (registry[target].fields[theirs].maximum or 10**15)
        or [o.value for o in lead[ours].options]
        != [o.value for o in registry[target].fields[theirs].options]
    ]

    assert wrong == []


_SAMPLES = {
    Kind.TEXT: "EUR",
    Kind.LONG_TEXT: "two\nlines",
    Kind.EMAIL: "x@example.com",
    Kind.PHONE: "123",
    Kind.URL: "example.com",
    Kind.NUMBER: 7,
    Kind.MONEY: Decimal("7.50"),
    Kind.DATE: datetime.date(2026, 5, 4),
    Kind.BOOLEAN: True,
}


@pytest.mark.parametrize("target", list(LEAD.maps))
def test_every_mapped_field_is_handed_on(target, alice):
    mapped = {ours: LEAD.fields[ours] for ours in LEAD.maps[target].values()}
    values = {
        name: field.options[-1].value if field.options else _SAMPLES[field.kind]
        for name, field in mapped.items()
    }
    lead = make_lead(alice, **{"last_name": "Stone", "company": "Stone Ltd"} | values)
    made = qualify_lead(lead.pk, by=alice)

    record = registry[target].records().get(pk=getattr(made, target))
    handed = {name: getattr(record, name) for name in LEAD.maps[target]}
    assert handed == {theirs: values[ours] for theirs, ours in LEAD.maps[target].items()}


def test_lead_without_a_company_becomes_a_person(alice):
    made = qualify_lead(make_lead(alice, company="").pk, by=alice)

    assert (made.account, Opportunity.objects.get(pk=made.opportunity).account_id) == (None, None)
    assert Contact.objects.get(pk=made.contact).account_id is None


def test_lead_of_a_company_alone_becomes_an_account(alice):
    lead = make_lead(alice, first_name="", last_name="", email="info@stone.example")
    made = qualify_lead(lead.pk, by=alice)

    assert (made.contact, Account.objects.get(pk=made.account).primary_contact_id) == (None, None)
    assert Opportunity.objects.get(pk=made.opportunity).account_id == made.account


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"first_name": "Bob", "last_name": ""}, "Bob"),
        ({"first_name": "", "last_name": "", "company": ""}, "bob@stone.example"),
        (
            {"first_name": "", "last_name": "", "company": "", "email": "", "home_phone": "12"},
            "12",
        ),
    ],
)
def test_person_without_a_last_name_is_called_by_what_is_known(values, name, alice):
    made = qualify_lead(make_lead(alice, **values).pk, by=alice)

    assert Contact.objects.get(pk=made.contact).full_name == name


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ({"create_account": False}, (0, 1, 1)),
        ({"create_contact": False}, (1, 0, 1)),
        ({"create_opportunity": False}, (1, 1, 0)),
        ({"create_account": False, "create_contact": False}, (0, 0, 0)),
        (
            {"create_account": False, "create_contact": False, "create_opportunity": False},
            (0, 0, 0),
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_only_what_was_chosen_is_made(flags, expected, alice):
    lead = make_lead(alice)
    qualify_lead(lead.pk, by=alice, choice=Choice(**flags))

    lead.refresh_from_db()
    assert (counts(), lead.state) == (expected, 1)


def test_chosen_records_are_used(alice):
    company, person = factories.make_account(owner=alice), factories.make_contact(owner=alice)
    choice = Choice(account=company.pk, contact=person.pk)
    made = qualify_lead(make_lead(alice).pk, by=alice, choice=choice)

    deal = Opportunity.objects.get(pk=made.opportunity)
    assert (made.account, made.contact, counts()) == (company.pk, person.pk, (1, 1, 1))
    assert (deal.account_id, deal.contact_id) == (company.pk, person.pk)
    person.refresh_from_db()
    assert (person.version, person.originating_lead_id) == (1, None)


def test_records_that_the_lead_names_are_used(alice):
    company, person = factories.make_account(owner=alice), factories.make_contact(owner=alice)
    made = qualify_lead(make_lead(alice, account=company, contact=person).pk, by=alice)

    assert (made.account, made.contact) == (company.pk, person.pk)


def test_same_company_and_person_are_used_again(alice):
    first = qualify_lead(make_lead(alice).pk, by=alice)
    second = qualify_lead(make_lead(alice, topic="Another mill").pk, by=alice)

    assert (second.account, second.contact) == (first.account, first.contact)
    assert counts() == (1, 1, 2)


def test_person_found_again_brings_their_company(alice):
    company = factories.make_account(owner=alice, name="Old Name Inc")
    person = factories.make_contact(owner=alice, email="bob@stone.example", account=company)
    made = qualify_lead(make_lead(alice).pk, by=alice)

    assert (made.contact, made.account) == (person.pk, company.pk)


def test_two_that_look_the_same_are_nobodys_choice(alice):
    for _ in range(2):
        factories.make_account(owner=alice, name="Stone Ltd")
    made = qualify_lead(make_lead(alice).pk, by=alice)

    assert Account.objects.filter(name="Stone Ltd").count() == 3
    assert made.account is not None


def test_invisible_company_is_neither_found_nor_used(alice, charlie):
    factories.make_account(owner=charlie, name="Stone Ltd", email="bob@stone.example")
    made = qualify_lead(make_lead(alice).pk, by=alice)

    assert Account.objects.get(pk=made.account).owner_id == alice.pk


def test_invisible_company_of_a_known_person_does_not_stand_in_the_way(alice, charlie):
    hidden = factories.make_account(owner=charlie)
    person = factories.make_contact(owner=alice, email="bob@stone.example", account=hidden)
    made = qualify_lead(make_lead(alice).pk, by=alice)

    assert made.contact == person.pk
    assert made.account != hidden.pk


def test_invisible_record_cannot_be_chosen(alice, charlie):
    hidden = factories.make_account(owner=charlie)

    with pytest.raises(LinkedRecordMissing):
        qualify_lead(make_lead(alice).pk, by=alice, choice=Choice(account=hidden.pk))


def test_values_of_the_form_come_before_those_of_the_lead(alice):
    choice = Choice(values={"opportunity": {"topic": "A bigger mill"}, "account": {"number": "7"}})
    made = qualify_lead(make_lead(alice).pk, by=alice, choice=choice)

    assert Opportunity.objects.get(pk=made.opportunity).topic == "A bigger mill"
    assert Account.objects.get(pk=made.account).number == "7"


@pytest.mark.parametrize(
    "values", [{"state": 1}, {"owning_unit": None}, {"nonsense": 1}, {"probability": 101}],
    ids="+".join,
)  # fmt: skip
def test_form_may_not_say_more_than_a_form_may(values, alice):
    lead = make_lead(alice)

    assert errors(qualify_lead, lead.pk, by=alice, choice=Choice(values={"opportunity": values}))
    lead.refresh_from_db()
    assert (lead.state, counts()) == (0, (0, 0, 0))


def test_form_may_not_name_what_is_not_visible(alice, charlie):
    hidden = factories.make_account(owner=charlie)
    choice = Choice(values={"account": {"parent_account": hidden.pk}})

    found = errors(qualify_lead, make_lead(alice).pk, by=alice, choice=choice)
    assert found == ["parent_account"]


def test_lead_is_qualified_once(alice):
    lead = make_lead(alice)
    qualify_lead(lead.pk, by=alice)

    with pytest.raises(LeadIsClosed):
        qualify_lead(lead.pk, by=alice)
    assert counts() == (1, 1, 1)


def test_disqualified_lead_is_not_qualified(alice):
    lead = make_lead(alice)
    leads.disqualify_leads([lead.pk], by=alice)

    with pytest.raises(LeadIsClosed):
        qualify_lead(lead.pk, by=alice)


def test_qualifying_needs_the_right_to_change_the_lead(alice, bob, charlie):
    lead = make_lead(alice)

    with pytest.raises(Forbidden):
        qualify_lead(lead.pk, by=bob)
    with pytest.raises(RecordNotFound):
        qualify_lead(lead.pk, by=charlie)


def test_qualifying_needs_the_right_to_create(alice):
    marketer = factories.make_user(roles=("marketing",))
    lead = make_lead(alice)

    with pytest.raises(Forbidden):
        qualify_lead(lead.pk, by=marketer)
    lead.refresh_from_db()
    assert (lead.state, counts()) == (0, (0, 0, 0))


def test_several_leads_are_qualified_one_by_one(alice, bob, charlie):
    mine, closed = make_lead(alice), make_lead(alice, state=2, status=7)
    visible, hidden = make_lead(bob), make_lead(charlie)
    ids = [lead.pk for lead in (mine, closed, visible, hidden)]
    outcome = leads.qualify_leads(ids, by=alice)

    assert (outcome.done, set(outcome.refused)) == ((mine.pk,), {closed.pk, visible.pk})


def test_company_named_account_gets_the_longest_name(alice):
    made = qualify_lead(make_lead(alice, company="x" * 160).pk, by=alice)

    assert Account.objects.get(pk=made.account).name == "x" * 160


# -- undo and redo --------------------------------------------------------------------------------


def snapshot():
    """All rows of what qualifying touches, but versions and times."""
    hidden = {"version", "modified_at", "modified_by_id"}
    return {
        model.__name__: sorted(
            tuple((name, value) for name, value in row.items() if name not in hidden)
            for row in model.objects.values()
        )
        for model in (Lead, Account, Contact, Opportunity)
    }


def test_undo_puts_all_of_it_back(alice):
    lead = make_lead(alice)
    before = snapshot()
    made = qualify_lead(lead.pk, by=alice)
    back, undone = undo.undo(made.operation, by=alice)

    assert snapshot() == before
    assert (undone.removed, undone.conflicts) == (3, [])
    assert (back.kind, back.undo_of_id, back.state) == ("undo", made.operation.pk, "done")


def test_undo_of_the_undo_qualifies_again(alice):
    lead = make_lead(alice)
    made = qualify_lead(lead.pk, by=alice)
    qualified = snapshot()
    back, _ = undo.undo(made.operation, by=alice)
    _, undone = undo.undo(back, by=alice)

    assert (snapshot(), undone.conflicts) == (qualified, [])


def test_there_and_back_as_often_as_one_likes(alice):
    made = qualify_lead(make_lead(alice).pk, by=alice)
    qualified, operation = snapshot(), made.operation
    for _ in range(4):
        operation, undone = undo.undo(operation, by=alice)
        assert undone.conflicts == []

    assert snapshot() == qualified


def test_qualification_can_be_undone_again_after_a_redo(alice):
    lead = make_lead(alice)
    before = snapshot()
    made = qualify_lead(lead.pk, by=alice)
    back, _ = undo.undo(made.operation, by=alice)
    undo.undo(back, by=alice)
    _, undone = undo.undo(made.operation, by=alice)

    assert (snapshot(), undone.conflicts) == (before, [])


def test_record_that_was_changed_meanwhile_stays(alice):
    lead = make_lead(alice)
    made = qualify_lead(lead.pk, by=alice)
    records.update_record(registry["contact"], made.contact, {"fax": "1"}, by=alice)
    _, undone = undo.undo(made.operation, by=alice)

    conflicts = {(c.entity, c.reason) for c in undone.conflicts}
    assert conflicts == {
        ("contact", "It has been changed since."), ("account", "Contact points at it."),
    }  # fmt: skip
    assert counts() == (1, 1, 0)


def test_undo_leaves_used_records_alone(alice):
    company = factories.make_account(owner=alice)
    lead = make_lead(alice)
    made = qualify_lead(lead.pk, by=alice, choice=Choice(account=company.pk))
    undo.undo(made.operation, by=alice)

    assert counts() == (1, 0, 0)


def test_lead_that_was_opened_again_keeps_what_was_made(alice):
    lead = make_lead(alice)
    made = qualify_lead(lead.pk, by=alice)
    leads.reactivate_leads([lead.pk], by=alice)

    lead.refresh_from_db()
    assert (lead.state, lead.opportunity_id, counts()) == (0, made.opportunity, (1, 1, 1))


def test_inactive_company_can_be_used(alice):
    company = factories.make_account(owner=alice)
    states.deactivate("account", [company.pk], by=alice)
    made = qualify_lead(make_lead(alice).pk, by=alice, choice=Choice(account=company.pk))

    assert made.account == company.pk
