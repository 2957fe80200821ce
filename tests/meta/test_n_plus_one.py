"""Statements do not grow with the number of records."""

import pytest

from rapport import access
from rapport.actions import journal as frame, records, states, undo
from rapport.actions.undo import Undone
from rapport.duplicates.find import Proposed, find
from rapport.meta.entity import Draft
from rapport.meta.ids import new_id
from rapport.meta.registry import registry
from rapport.models import Operation
from rapport.queries import history, one, search, timeline
from tests import factories
from tests.contract.samples import MADE, other_values
from tests.meta.statements import statements

FEW, MANY = 2, 12
made = pytest.mark.parametrize("entity", MADE, ids=lambda entity: entity.name)


def warm(user):
    """`user`, whose rights have been read: that happens once for each request."""
    access.rights(user).shared(registry["account"], access.READ)
    return user


@pytest.fixture
def alice(alice):
    return warm(alice)


@pytest.fixture
def admin(admin):
    return warm(admin)


def costs(prepare, call):
    """How many statements `call` makes of what `prepare` makes, for few and for many records."""
    found = []
    for number in (FEW, MANY):
        prepared = prepare(number)
        found.append(len(statements(lambda prepared=prepared: call(prepared))))
    return found


def stored(entity, number, **values):
    return [factories.make(entity.name, **values) for _ in range(number)]


def ids(rows):
    return [row.pk for row in rows]


@made
def test_creating(entity, admin):
    def write(drafts):
        with frame.operation("test", by=admin) as op:
            assert records.save_drafts(entity, drafts, op=op, by=admin, now=op.started_at) == []

    def prepare(number):
        return [Draft(id=new_id(), values=factories.minimal(entity.name)) for _ in range(number)]

    few, many = costs(prepare, write)
    assert many == few


@made
def test_changing_and_taking_it_back(entity, admin):
    rows = {number: stored(entity, number) for number in (FEW, MANY)}
    values = other_values(entity, rows[FEW][0])
    if any(entity.fields[name].target for name in values):
        # Rows that are nothing but links are unique: no two can be made the same.
        return

    def change(number):
        outcome = records.update_records(entity, ids(rows[number]), values, by=admin)
        assert len(outcome.done) == number
        return outcome.operation

    few, many = costs(lambda number: number, change)
    assert many == few
    few, many = costs(
        lambda number: Operation.objects.filter(counts__updated=number).latest("started_at"),
        lambda op: undo.undo(op, by=admin),
    )
    assert many == few


@made
def test_deleting_and_taking_it_back(entity, admin):
    if not entity.deletable:
        return
    operations = []
    few, many = costs(
        lambda number: ids(stored(entity, number)),
        lambda doomed: operations.append(records.delete_records(entity, doomed, by=admin)),
    )
    assert many == few
    few, many = costs(lambda number: operations[number == MANY], lambda op: undo.undo(op, by=admin))
    assert many == few


def family(number, owner):
    """Accounts with everything that can hang on them."""
    companies = []
    for _ in range(number):
        company = factories.make_account(owner=owner)
        boss = factories.make_contact(owner=owner, account=company)
        deal = factories.make_opportunity(owner=owner, account=company, contact=boss)
        factories.make_lead(owner=owner, account=company)
        task = factories.make_task(owner=owner, regarding=deal)
        factories.make("party", activity=task, person=factories.ref(boss))
        factories.make_note(owner=owner, regarding=company)
        factories.make_account(owner=owner, parent_account=company)
        companies.append(company)
    return ids(companies)


def test_deleting_all_of_it_and_taking_it_back(alice):
    account, operations = registry["account"], []
    few, many = costs(
        lambda number: family(number, alice),
        lambda doomed: operations.append(
            records.delete_records(account, doomed, by=alice, with_all=True)
        ),
    )
    assert many == few
    few, many = costs(lambda number: operations[number == MANY], lambda op: undo.undo(op, by=alice))
    assert many == few


def test_assigning_with_children(alice, bob):
    few, many = costs(
        lambda number: family(number, alice),
        lambda given: records.assign_records(
            registry["account"], given, bob.pk, by=alice, with_children=True
        ),
    )
    assert many == few


def test_changing_the_state(alice):
    few, many = costs(
        lambda number: ids(stored(registry["account"], number, owner=alice)),
        lambda rows: states.deactivate("account", rows, by=alice),
    )
    assert many == few


def test_hanging_records_below_others(admin):
    account = registry["account"]
    top = factories.make_account()
    for _ in range(3):
        top = factories.make_account(parent_account=top)

    few, many = costs(
        lambda number: ids(stored(account, number)),
        lambda rows: records.update_records(account, rows, {"parent_account": top.pk}, by=admin),
    )
    assert many == few


def test_taking_creations_back(alice):
    def create(number):
        with frame.operation("test", by=alice) as op:
            drafts = [
                Draft(id=new_id(), values=factories.minimal("contact")) for _ in range(number)
            ]
            records.save_drafts(registry["contact"], drafts, op=op, by=alice, now=op.started_at)
        return op

    few, many = costs(create, lambda op: undo.undo(op, by=alice))
    assert many == few


def test_finding_duplicates(alice):
    def propose(number):
        return [
            Proposed({"email": contact.email, "full_name": contact.full_name}, {})
            for contact in stored(registry["contact"], number, owner=alice, email="x@example.com")
        ]

    few, many = costs(propose, lambda rows: find(registry["contact"], rows, by=alice))
    assert many == few == 3


def test_timeline(alice):
    company = factories.make_account(owner=alice)

    def log(number):
        for _ in range(number):
            person = factories.make_contact(owner=alice, account=company)
            factories.make_task(owner=alice, regarding=person)
            factories.make_note(owner=alice, regarding=company)
        return one.get(registry["account"], company.pk, alice)

    few, many = costs(log, lambda found: timeline.timeline(found, alice, size=50))
    assert many == few


def test_history(alice):
    contact = registry["contact"]
    record = factories.make_contact(owner=alice)

    def change(number):
        for _ in range(number):
            company = factories.make_account(owner=alice)
            records.update_record(contact, record.pk, {"account": company.pk}, by=alice)
        return one.get(contact, record.pk, alice)

    few, many = costs(change, lambda found: history.history(found, alice))
    assert many == few


def test_recycle_bin(admin):
    contact = registry["contact"]

    def delete(number):
        for row in ids(stored(contact, number)):
            records.delete_records(contact, [row], by=admin)

    few, many = costs(delete, lambda _: history.deleted(admin))
    assert many == few


def test_searching_everywhere(admin):
    few, many = costs(
        lambda number: stored(registry["contact"], number, last_name="Stone"),
        lambda _: search.everywhere("stone", admin),
    )
    assert many <= few


@pytest.mark.parametrize("size", [5, 50])
def test_undo_batch_of_any_size_costs_the_same(size, alice):
    contact = registry["contact"]
    rows = ids(stored(contact, size, owner=alice))
    op = records.update_records(contact, rows, {"department": "Board"}, by=alice).operation
    back = undo.begin(op, by=alice)

    spent = statements(lambda: undo.advance(back, Undone(), by=alice, size=size))
    assert len(spent) <= UNDO_UPDATE


# Reading the batch, later changes and rows; writing rows, keys and changes; conflicts and counts.
UNDO_UPDATE = 12
