"""Giving records to somebody else."""

import uuid

import pytest

from rapport.actions import records, states, undo
from rapport.actions.records import InvalidRecord
from rapport.meta.registry import registry
from rapport.models import Account, Activity, Contact, Opportunity
from tests import factories, journal

ACCOUNT, CONTACT = registry["account"], registry["contact"]


def test_record_gets_owner_and_unit_of_the_new_owner(alice, charlie):
    company = factories.make_account(owner=alice)
    outcome = records.assign_records(ACCOUNT, [company.pk], charlie.pk, by=alice)

    company.refresh_from_db()
    assert (company.owner_id, company.owning_unit_id) == (charlie.pk, charlie.business_unit_id)
    assert outcome.done == (company.pk,)
    assert outcome.operation.parameters == {"owner": str(charlie.pk), "name": "Charlie Cook"}


def test_record_may_belong_to_a_team(alice, team):
    company = factories.make_account(owner=alice)
    records.assign_records(ACCOUNT, [company.pk], team.pk, by=alice)

    company.refresh_from_db()
    assert company.owner.kind == "team"


@pytest.mark.parametrize("gone", [False, True], ids=["unknown", "inactive"])
def test_nobody_gets_nothing(gone, alice, bob):
    if gone:
        states.deactivate("user", [bob.pk], by=factories.SETUP)

    with pytest.raises(InvalidRecord):
        records.assign_records(ACCOUNT, [], bob.pk if gone else uuid.uuid4(), by=alice)


def test_assigning_needs_the_right_to_it(alice, bob, charlie):
    mine, visible = factories.make_account(owner=alice), factories.make_account(owner=bob)
    hidden = factories.make_account(owner=charlie)
    ids = [one.pk for one in (mine, visible, hidden)]
    outcome = records.assign_records(ACCOUNT, ids, bob.pk, by=alice)

    assert (outcome.done, set(outcome.refused)) == ((mine.pk,), {visible.pk})
    assert set(Account.objects.filter(owner=bob.pk)) == {mine, visible}


def test_closed_records_change_hands_too(alice, bob):
    deal = factories.make_opportunity(owner=alice, state=1, status=3)
    records.assign_records(registry["opportunity"], [deal.pk], bob.pk, by=alice)

    deal.refresh_from_db()
    assert deal.owner_id == bob.pk


def family(alice, bob):
    """An account of Alice with children, open and closed, hers and Bob's."""
    company = factories.make_account(owner=alice)
    return company, {
        "contact": factories.make_contact(account=company, owner=alice),
        "bob's contact": factories.make_contact(account=company, owner=bob),
        "inactive contact": factories.make_contact(account=company, owner=alice, state=1, status=2),
        "deal": factories.make_opportunity(account=company, owner=alice),
        "won deal": factories.make_opportunity(account=company, owner=alice, state=1, status=3),
        "task": factories.make_task(regarding=company, owner=alice),
        "done task": factories.make_task(regarding=company, owner=alice, state=1, status=2),
        "note": factories.make_note(regarding=company, owner=alice),
    }


def owned_by(user, children):
    found = {
        pk
        for model in (Contact, Opportunity, Activity, registry["note"].model)
        for pk in model.objects.filter(owner=user.pk).values_list("pk", flat=True)
    }
    return {name for name, child in children.items() if child.pk in found}


def test_children_stay_unless_asked_for(alice, bob, charlie):
    company, children = family(alice, bob)
    records.assign_records(ACCOUNT, [company.pk], charlie.pk, by=alice)

    assert owned_by(charlie, children) == set()


@pytest.mark.parametrize("by", ["alice", "admin"])
def test_open_children_of_the_same_owner_follow(by, alice, bob, charlie, admin):
    company, children = family(alice, bob)
    before = journal.operations()
    outcome = records.assign_records(
        ACCOUNT, [company.pk], charlie.pk, by={"alice": alice, "admin": admin}[by],
        with_children=True,
    )  # fmt: skip

    assert owned_by(charlie, children) == {"contact", "deal", "task", "note"}
    assert (journal.since(before), outcome.operation.counts) == (["account.assign"], {"updated": 5})


def test_undo_gives_all_of_them_back(alice, bob, charlie):
    company, children = family(alice, bob)
    outcome = records.assign_records(
        ACCOUNT, [company.pk], charlie.pk, by=alice, with_children=True
    )
    undo.undo(outcome.operation, by=factories.SETUP)

    company.refresh_from_db()
    assert (company.owner_id, company.owning_unit_id) == (alice.pk, alice.business_unit_id)
    assert owned_by(alice, children) == set(children) - {"bob's contact"}


def test_new_owner_may_not_undo_what_they_cannot_reach(alice, bob, charlie):
    mine, other = factories.make_account(owner=alice), factories.make_account(owner=alice)
    first = records.assign_records(ACCOUNT, [mine.pk, other.pk], charlie.pk, by=alice)
    records.assign_records(ACCOUNT, [other.pk], bob.pk, by=charlie)

    with pytest.raises(undo.NotYours):
        undo.undo(first.operation, by=charlie)


def test_records_move_with_their_owner_to_another_unit(alice, charlie, north, south):
    company = factories.make_account(owner=alice)
    user = registry["user"]
    op = records.update_record(user, alice.pk, {"business_unit": south.pk}, by=factories.SETUP)

    company.refresh_from_db()
    assert (company.owning_unit_id, company.version) == (south.pk, 1)

    undo.undo(op, by=factories.SETUP)
    company.refresh_from_db()
    assert company.owning_unit_id == north.pk


def test_undo_of_an_assignment_knows_where_the_owner_is_now(alice, bob, south):
    company = factories.make_account(owner=alice)
    outcome = records.assign_records(ACCOUNT, [company.pk], bob.pk, by=alice)
    values = {"business_unit": south.pk}
    records.update_record(registry["user"], alice.pk, values, by=factories.SETUP)
    undo.undo(outcome.operation, by=factories.SETUP)

    company.refresh_from_db()
    assert (company.owner_id, company.owning_unit_id) == (alice.pk, south.pk)
