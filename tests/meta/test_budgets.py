"""How many statements the everyday things cost. A number here goes up only with a reason."""

import pytest

from rapport import access
from rapport.actions import activities, leads, records, undo
from rapport.meta.registry import registry
from rapport.queries import history, one, pages, search, timeline
from rapport.queries.query import of_view
from tests import factories, journal
from tests.meta.statements import statements

ACCOUNT, CONTACT = registry["account"], registry["contact"]


@pytest.fixture
def alice(alice):
    """Her rights have been read: that costs one statement once for each request."""
    access.rights(alice).shared(ACCOUNT, access.READ)
    return alice


@pytest.fixture
def contact(alice):
    company = factories.make_account(owner=alice)
    return factories.make_contact(owner=alice, account=company, email="eva@stone.example")


def cost(call):
    return len(statements(call))


def test_rights_of_a_user(bob):
    assert cost(lambda: access.rights(bob)) == 1
    assert cost(lambda: access.rights(bob)) == 0


def test_list(alice, contact):
    query = of_view(CONTACT, "all")

    assert cost(lambda: pages.page(query, alice)) == 1
    assert cost(lambda: pages.count(query, alice)) == 1


def test_record(alice, contact):
    shown = one.get(CONTACT, contact.pk, alice)

    # The row; all that it names.
    assert cost(lambda: one.get(CONTACT, contact.pk, alice)) == 2
    # Activities, notes, changes; who is meant.
    assert cost(lambda: timeline.timeline(shown, alice)) <= 4
    assert cost(lambda: history.history(shown, alice)) <= 3


def test_search(admin, contact):
    access.rights(admin)
    entities = [e for e in registry if e.in_search and e.in_hub and e.menu and not e.scope]

    # Two for each entity; SQLite asks its index first.
    assert cost(lambda: search.everywhere("eva", admin)) <= 3 * len(entities)


# An operation: its row and its changes are two of each of the following.


def test_creating(alice, contact):
    values = {"last_name": "Stone", "account": contact.account_id, "email": "x@stone.example"}

    # Company visible, row, its title for the search text, keys, their ring (and index), operation,
    # changes.
    assert cost(lambda: records.create_record(CONTACT, values, by=alice)) <= 8


def test_changing(alice, contact):
    # Row, title, new row, operation, changes.
    change = {"job_title": "CEO"}
    assert cost(lambda: records.update_record(CONTACT, contact.pk, change, by=alice)) <= 6


def test_changing_nothing(alice, contact):
    assert cost(lambda: records.update_record(CONTACT, contact.pk, {"fax": ""}, by=alice)) == 1


def test_qualifying(alice):
    lead = factories.make_lead(owner=alice, company="Stone Ltd", email="eva@stone.example")

    assert cost(lambda: leads.qualify_lead(lead.pk, by=alice)) <= 19


def test_completing_a_task(alice):
    task = factories.make_task(owner=alice)

    assert cost(lambda: activities.complete_activities([task.pk], by=alice)) <= 4


def test_taking_a_change_back(alice, contact):
    records.update_record(CONTACT, contact.pk, {"job_title": "CEO"}, by=alice)

    assert cost(lambda: undo.undo(journal.last(), by=alice)) <= 16
