"""Sharing a record with somebody besides its owner."""

import uuid

import pytest

from rapport import access
from rapport.access import Forbidden
from rapport.actions import records, states, undo
from rapport.actions.records import RecordNotFound
from rapport.actions.shares import share_record, unshare_record
from rapport.meta.registry import registry
from rapport.models import Share
from rapport.queries import one, shares
from tests import factories, journal
from tests.refusals import errors

ACCOUNT, SHARE = registry["account"], registry["share"]


@pytest.fixture
def mine(alice):
    return factories.make_account(owner=alice)


def granted():
    """{name of the user or team: verbs besides read} of all shares."""
    return {
        row.principal.name: {v for v, column in access.SHARED.items() if getattr(row, column)}
        for row in Share.objects.select_related("principal")
    }


def test_share_is_one_operation_that_names_whom(alice, charlie, mine):
    before = journal.operations()
    op = share_record(ACCOUNT, mine.pk, charlie.pk, by=alice, verbs=["write"])

    assert journal.since(before) == ["account.share"]
    assert op.parameters == {"record": str(mine.pk), "name": "Charlie Cook"}
    assert granted() == {"Charlie Cook": {"write"}}


def test_sharing_again_replaces_what_was_granted(alice, charlie, mine):
    share_record(ACCOUNT, mine.pk, charlie.pk, by=alice, verbs=["write", "delete"])
    share_record(ACCOUNT, mine.pk, charlie.pk, by=alice, verbs=["assign"])

    assert granted() == {"Charlie Cook": {"assign"}}


def test_everybody_it_is_shared_with_is_shown(alice, bob, charlie, team, mine):
    share_record(ACCOUNT, mine.pk, charlie.pk, by=alice, verbs=["write"])
    share_record(ACCOUNT, mine.pk, team.pk, by=alice)

    shown = shares.shares_of(one.get(ACCOUNT, mine.pk, bob))
    assert [(s.name, s.kind, s.verbs) for s in shown] == [
        ("Charlie Cook", "user", ("write",)), ("Northerners", "team", ()),
    ]  # fmt: skip


def test_nobody_grants_a_right_that_is_not_theirs(alice, bob, charlie, mine):
    share_record(ACCOUNT, mine.pk, charlie.pk, by=alice, verbs=["share"])
    access.forget(charlie)

    with pytest.raises(Forbidden):
        share_record(ACCOUNT, mine.pk, bob.pk, by=charlie, verbs=["write"])
    share_record(ACCOUNT, mine.pk, bob.pk, by=charlie)
    assert granted()["Bob Baker"] == set()


def test_sharing_and_taking_back_need_the_right(alice, bob, charlie, mine):
    share_record(ACCOUNT, mine.pk, bob.pk, by=alice)
    access.forget(bob)

    for call in (share_record, unshare_record):
        with pytest.raises(Forbidden):
            call(ACCOUNT, mine.pk, bob.pk, by=bob)
        with pytest.raises(RecordNotFound):
            call(ACCOUNT, mine.pk, bob.pk, by=charlie)


def test_nobody_is_nobody(alice, bob, mine):
    assert errors(share_record, ACCOUNT, mine.pk, uuid.uuid4(), by=alice) == ["principal"]
    states.deactivate("user", [bob.pk], by=factories.SETUP)
    assert errors(share_record, ACCOUNT, mine.pk, bob.pk, by=alice) == ["principal"]


def test_what_is_not_shared_cannot_be_taken_back(alice, bob, mine):
    with pytest.raises(RecordNotFound):
        unshare_record(ACCOUNT, mine.pk, bob.pk, by=alice)


def test_share_is_undone_by_whoever_shared(alice, charlie, mine):
    op = share_record(ACCOUNT, mine.pk, charlie.pk, by=alice)
    back, undone = undo.undo(op, by=alice)
    assert (granted(), undone.conflicts) == ({}, [])

    undo.undo(back, by=alice)
    assert granted() == {"Charlie Cook": set()}


def test_share_is_made_by_its_action_alone(alice, bob, admin, mine):
    share_record(ACCOUNT, mine.pk, bob.pk, by=alice)
    share = Share.objects.get()
    values = {"record": factories.ref(mine), "principal": bob.pk}

    for user in (alice, admin):
        with pytest.raises(Forbidden):
            records.create_record(SHARE, values, by=user)
        with pytest.raises(Forbidden):
            records.delete_records(SHARE, [share.pk], by=user)
        assert errors(records.update_record, SHARE, share.pk, {"can_write": True}, by=user) == [
            "can_write"
        ]


def test_activity_is_shared_whichever_list_it_is_opened_from(alice, charlie):
    task = factories.make_task(owner=alice)
    share_record(registry["activity"], task.pk, charlie.pk, by=alice)
    access.forget(charlie)

    for name in ("task", "activity"):
        assert access.allowed_ids([task.pk], registry[name], charlie, "read") == {task.pk}
