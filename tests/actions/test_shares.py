"""Shares and visits: rights on one record, and what was opened last."""

import datetime

import pytest
from django.utils import timezone

from rapport import access
from rapport.access import Forbidden
from rapport.actions import records, shares, visits
from rapport.actions.records import InvalidRecord, RecordNotFound
from rapport.meta.registry import registry
from rapport.models import Change, Share, Visit
from rapport.queries import one
from rapport.queries.shares import shares_of
from tests.factories import make, make_account, make_contact, make_user, share_with

pytestmark = pytest.mark.django_db

ACCOUNT = registry["account"]
VERBS = ("read", "write", "delete", "assign", "share")


def may(user, record):
    access.forget(user)
    return {verb for verb in VERBS if access.allowed_ids([record.pk], ACCOUNT, user, verb)}


def test_a_share_gives_what_it_says_and_no_more(alice, charlie):
    account = make_account(owner=alice)

    shares.share_record(ACCOUNT, account.pk, charlie.pk, by=alice, verbs={"write"})

    assert may(charlie, account) == {"read", "write"}
    shares.share_record(ACCOUNT, account.pk, charlie.pk, by=alice, verbs={"delete"})
    assert (may(charlie, account), Share.objects.count()) == ({"read", "delete"}, 1)
    shares.unshare_record(ACCOUNT, account.pk, charlie.pk, by=alice)
    assert (may(charlie, account), Share.objects.count()) == (set(), 0)


def test_shares_are_operations(alice, charlie):
    account = make_account(owner=alice)

    operation = shares.share_record(ACCOUNT, account.pk, charlie.pk, by=alice)

    change = Change.objects.get(operation=operation)
    assert (operation.kind, operation.parameters, change.entity) == (
        "account.share", {"record": str(account.pk), "name": "Charlie Cook"}, "share",
    )  # fmt: skip


def test_a_team_can_be_shared_with(team, bob, charlie):
    account = make_account(owner=charlie)

    shares.share_record(ACCOUNT, account.pk, team.pk, by=charlie)

    assert may(bob, account) == {"read"}
    found = shares_of(one.get(ACCOUNT, account.pk, charlie))
    assert [(shared.kind, shared.name, shared.verbs) for shared in found] == [
        ("team", "Northerners", ())
    ]


def test_nobody_grants_a_right_that_is_not_theirs(alice, bob, charlie):
    account = make_account(owner=alice)
    share_with(account, charlie, can_share=True)

    with pytest.raises(Forbidden):
        shares.share_record(ACCOUNT, account.pk, bob.pk, by=charlie, verbs={"write"})

    assert not Share.objects.filter(principal_id=bob.pk).exists()


def test_only_those_who_may_share_do(alice, bob, charlie):
    account = make_account(owner=alice)
    share_with(account, charlie)

    for user, error in (
        (bob, Forbidden),
        (charlie, Forbidden),
        (make_user(roles=()), RecordNotFound),
    ):
        with pytest.raises(error):
            shares.share_record(ACCOUNT, account.pk, user.pk, by=user)
        with pytest.raises(error):
            shares.unshare_record(ACCOUNT, account.pk, charlie.pk, by=user)


def test_a_share_needs_somebody(alice):
    account = make_account(owner=alice)

    with pytest.raises(InvalidRecord):
        shares.share_record(ACCOUNT, account.pk, account.pk, by=alice)


def test_what_is_not_shared_cannot_be_taken_back(alice, bob):
    account = make_account(owner=alice)

    with pytest.raises(RecordNotFound):
        shares.unshare_record(ACCOUNT, account.pk, bob.pk, by=alice)


# -- rights on a row at hand -----------------------------------------------------------------------

# Every depth there is: own and unit, unit and below, all; and nothing.
ROLES = [("salesperson",), ("sales-manager",), ("system-administrator",), ()]


@pytest.mark.parametrize("roles", ROLES, ids=lambda roles: (roles or ("none",))[0])
@pytest.mark.parametrize("entity", list(registry), ids=lambda entity: entity.name)
def test_rights_on_a_row_at_hand_are_those_of_a_query(entity, roles, north, alice, charlie):
    user = make_user(roles=roles, unit=north)
    owners = (user, alice, charlie) if entity.ownership == "user" else (None,)
    rows = [make(entity.name, **({"owner": o} if o else {})) for o in owners]
    if entity.ownership == "user":
        rows.append(make(entity.name, owner=charlie))
        share_with(rows[-1], user, can_write=True)

    for row in rows:
        for verb in VERBS:
            queried = row.pk in access.allowed_ids([row.pk], entity, user, verb)
            assert (verb, access.allows(user, verb, entity, row)) == (verb, queried)


# -- made along ------------------------------------------------------------------------------------


def test_a_record_is_made_along_in_the_same_operation(alice):
    contact = registry["contact"]

    made = records.create_record(
        contact, {"last_name": "Sommer"}, by=alice, new={"account": "Acme"}
    )

    change = Change.objects.get(record=made)
    assert change.operation.counts == {"created": 2}
    assert contact.model.objects.get(pk=made).account.name == "Acme"


def test_nothing_is_made_along_when_the_rest_is_refused(alice):
    with pytest.raises(InvalidRecord):
        records.create_record(registry["contact"], {}, by=alice, new={"account": "Acme"})

    assert not ACCOUNT.model.objects.exists()


def test_nothing_is_made_along_without_the_right(alice):
    marketing = make_user(roles=("marketing",))

    with pytest.raises(Forbidden):
        records.create_record(
            registry["contact"], {"last_name": "Sommer"}, by=marketing, new={"account": "Acme"}
        )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Sommer", {"first_name": "", "last_name": "Sommer"}),
        ("Eva Maria  Sommer", {"first_name": "Eva Maria", "last_name": "Sommer"}),
        ("Sommer, Eva", {"first_name": "Eva", "last_name": "Sommer"}),
    ],
)
def test_a_person_is_named_by_one_text(text, expected):
    assert records.from_title(registry["contact"], text) == expected
    assert records.from_title(ACCOUNT, " Acme  Ltd ") == {"name": "Acme Ltd"}


# -- visits ----------------------------------------------------------------------------------------


def test_a_visit_is_remembered_once(alice):
    contact = make_contact(owner=alice)
    now = timezone.now()
    for minutes in (0, 5):
        visits.record_visit(
            registry["contact"], contact.pk, by=alice, now=now + datetime.timedelta(minutes=minutes)
        )

    assert [visit.at for visit in Visit.objects.all()] == [now + datetime.timedelta(minutes=5)]


def test_a_stranger_visits_nothing(alice, charlie):
    contact = make_contact(owner=alice)

    with pytest.raises(RecordNotFound):
        visits.record_visit(registry["contact"], contact.pk, by=charlie)
