"""State changes, and the commands that make them."""

import datetime
from decimal import Decimal
from itertools import product

import pytest

from rapport.actions import activities, leads, opportunities, records, states
from rapport.actions.states import StateRefused, set_state
from rapport.meta.registry import registry
from tests import factories, journal
from tests.refusals import errors

NOW = datetime.datetime(2026, 5, 4, 12, tzinfo=datetime.UTC)


def in_state(entity, state, **values):
    """A record of `entity` in `state`."""
    status = registry[entity].states.default(state)
    return factories.make(entity, state=state, status=status, **values)


# -- the table ------------------------------------------------------------------------------------

MACHINES = sorted({e.model: e for e in registry}.values(), key=lambda e: e.name)


@pytest.mark.parametrize("machine", MACHINES, ids=lambda e: e.name)
def test_every_state_has_one_default_reason(machine):
    defaults = {
        state: [s.value for s in machine.states.statuses if s.state == state and s.default]
        for state in machine.states.states
    }

    assert {state: len(found) for state, found in defaults.items()} == dict.fromkeys(defaults, 1)


@pytest.mark.parametrize("machine", MACHINES, ids=lambda e: e.name)
def test_table_names_known_states_only(machine):
    pairs = set(machine.states.transitions) | set(machine.states.reserved)

    assert {state for pair in pairs for state in pair} <= set(machine.states.states)
    assert machine.states.editable <= set(machine.states.states)
    assert {s.state for s in machine.states.statuses} == set(machine.states.states)
    assert len({s.value for s in machine.states.statuses}) == len(machine.states.statuses)


@pytest.mark.parametrize("machine", MACHINES, ids=lambda e: e.name)
def test_no_state_is_a_dead_end(machine):
    pairs = set(machine.states.transitions) | set(machine.states.reserved)

    assert {before for before, _ in pairs} == set(machine.states.states)


def _steps(name):
    return list(product(registry[name].states.states, repeat=2))


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [(name, *step) for name in ("account", "lead", "opportunity", "task") for step in _steps(name)],
)
def test_plain_state_change_follows_the_table(name, before, after, alice):
    record = in_state(name, before, owner=alice)
    outcome = set_state(name, [record.pk], state=after, by=alice)

    record.refresh_from_db()
    allowed = before == after or (before, after) in registry[name].states.transitions
    assert (record.state, bool(outcome.refused)) == (after if allowed else before, not allowed)


def test_reserved_step_is_for_its_action_alone(alice):
    lead = factories.make_lead(owner=alice)

    assert set_state("lead", [lead.pk], state=1, by=alice).done == ()
    assert set_state("lead", [lead.pk], state=1, by=alice, reserved="convert").done == ()
    assert set_state("lead", [lead.pk], state=1, by=alice, reserved="qualify").done == (lead.pk,)


def test_action_with_a_reserved_step_has_no_other(alice):
    lead = in_state("lead", 2, owner=alice)

    assert set_state("lead", [lead.pk], state=1, by=alice, reserved="qualify").done == ()


@pytest.mark.parametrize("status", [1, 3, 99])
def test_reason_must_belong_to_the_state(status, alice):
    deal = factories.make_opportunity(owner=alice)

    with pytest.raises(StateRefused):
        set_state("opportunity", [deal.pk], state=2, status=status, by=alice)


# -- commands -------------------------------------------------------------------------------------


def test_deactivate_and_activate(alice, bob):
    mine, visible = factories.make_account(owner=alice), factories.make_account(owner=bob)
    outcome = states.deactivate("account", [mine.pk, visible.pk], by=alice)

    mine.refresh_from_db()
    assert (mine.state, mine.status) == (1, 2)
    assert outcome.refused == {visible.pk: "You may not change this record."}
    assert journal.last().kind == "account.deactivate"

    states.activate("account", [mine.pk], by=alice)
    mine.refresh_from_db()
    assert (mine.state, mine.status) == (0, 1)


def test_won_deal_brings_what_was_estimated_today(alice):
    deal = factories.make_opportunity(owner=alice, estimated_revenue=Decimal(1000))
    opportunities.win_opportunities([deal.pk], by=alice, now=NOW)

    deal.refresh_from_db()
    assert (deal.state, deal.status) == (1, 3)
    assert (deal.actual_revenue, deal.actual_close_date) == (Decimal(1000), NOW.date())


def test_won_deal_brings_what_was_said(alice):
    deal = factories.make_opportunity(owner=alice, estimated_revenue=Decimal(1000))
    day = datetime.date(2026, 5, 1)
    opportunities.win_opportunities(
        [deal.pk], by=alice, actual_revenue=Decimal(900), actual_close_date=day
    )

    deal.refresh_from_db()
    assert (deal.actual_revenue, deal.actual_close_date) == (Decimal(900), day)


def test_winning_twice_keeps_what_was_said_first(alice):
    deal = factories.make_opportunity(owner=alice, estimated_revenue=Decimal(1000))
    opportunities.win_opportunities([deal.pk], by=alice, actual_revenue=Decimal(900), now=NOW)
    opportunities.win_opportunities([deal.pk], by=alice)

    deal.refresh_from_db()
    assert (deal.actual_revenue, deal.actual_close_date) == (Decimal(900), NOW.date())


def test_lost_deal_brings_nothing_and_has_a_reason(alice):
    deal = factories.make_opportunity(owner=alice, estimated_revenue=Decimal(1000))
    opportunities.lose_opportunities([deal.pk], by=alice, choice=5, now=NOW)

    deal.refresh_from_db()
    assert (deal.state, deal.status, deal.actual_revenue) == (2, 5, Decimal(0))
    assert deal.actual_close_date == NOW.date()


def test_losing_again_without_a_reason_keeps_the_reason(alice):
    deal = factories.make_opportunity(owner=alice)
    opportunities.lose_opportunities([deal.pk], by=alice, choice=5)
    opportunities.lose_opportunities([deal.pk], by=alice)

    deal.refresh_from_db()
    assert deal.status == 5


def test_lost_deal_is_not_won_without_being_reopened(alice):
    deal = in_state("opportunity", 2, owner=alice)
    outcome = opportunities.win_opportunities([deal.pk], by=alice)

    assert outcome.refused == {deal.pk: "From “Lost” there is no way to “Won”."}


def test_reopened_deal_brings_nothing_yet(alice):
    deal = factories.make_opportunity(owner=alice)
    opportunities.win_opportunities([deal.pk], by=alice, actual_revenue=Decimal(900))
    opportunities.reopen_opportunities([deal.pk], by=alice)

    deal.refresh_from_db()
    assert (deal.state, deal.actual_revenue, deal.actual_close_date) == (0, None, None)


def test_each_won_deal_brings_its_own_estimate(alice):
    deals = [
        factories.make_opportunity(owner=alice, estimated_revenue=Decimal(amount))
        for amount in (10, 20)
    ]
    opportunities.win_opportunities([deal.pk for deal in deals], by=alice)

    for deal in deals:
        deal.refresh_from_db()
    assert [deal.actual_revenue for deal in deals] == [Decimal(10), Decimal(20)]


def test_deal_needs_a_customer(alice):
    found = errors(records.create_record, registry["opportunity"], {"topic": "Mill"}, by=alice)
    assert found == ["account"]


def test_deal_of_a_contact_is_a_deal_of_their_company(alice):
    company = factories.make_account(owner=alice)
    contact = factories.make_contact(owner=alice, account=company)

    assert factories.make_opportunity(owner=alice, contact=contact).account_id == company.pk


def test_completed_task_is_done_now(alice):
    task = factories.make_task(owner=alice, due_at=NOW - datetime.timedelta(days=3))
    activities.complete_activities([task.pk], by=alice, now=NOW)

    task.refresh_from_db()
    assert (task.state, task.ended_at, task.occurred_at) == (1, NOW, NOW)


def test_completing_twice_keeps_the_first_time(alice):
    task = factories.make_task(owner=alice)
    activities.complete_activities([task.pk], by=alice, now=NOW)
    activities.complete_activities([task.pk], by=alice)

    task.refresh_from_db()
    assert task.ended_at == NOW


def test_reopened_task_stands_where_it_is_due(alice):
    due = NOW - datetime.timedelta(days=3)
    task = factories.make_task(owner=alice, due_at=due)
    activities.complete_activities([task.pk], by=alice, now=NOW)
    activities.reopen_activities([task.pk], by=alice)

    task.refresh_from_db()
    assert (task.state, task.ended_at, task.occurred_at) == (0, None, due)


def test_cancelled_task(alice):
    task = factories.make_task(owner=alice)
    activities.cancel_activities([task.pk], by=alice)

    task.refresh_from_db()
    assert (task.state, task.status) == (2, 3)


def test_lead_with_a_deal_is_not_disqualified(alice, bob):
    lead, plain = factories.make_lead(owner=alice), factories.make_lead(owner=alice)
    factories.make_opportunity(owner=bob, originating_lead=lead)
    outcome = leads.disqualify_leads([lead.pk, plain.pk], by=alice, choice=5)

    plain.refresh_from_db()
    assert (outcome.done, plain.status) == ((plain.pk,), 5)
    assert outcome.refused == {lead.pk: "An opportunity came out of this lead."}


def test_disqualified_lead_may_be_opened_again(alice):
    lead = in_state("lead", 2, owner=alice)
    leads.reactivate_leads([lead.pk], by=alice)

    lead.refresh_from_db()
    assert (lead.state, lead.status) == (0, 1)
