"""Who sees and may do what, for every entity, verb and depth."""

from types import SimpleNamespace

import pytest

from rapport import access, queries
from rapport.access import Forbidden
from rapport.actions import records, shares, states
from rapport.actions.records import RecordNotFound
from rapport.meta.kinds import Kind
from rapport.meta.registry import registry
from rapport.models.people import Depth, RoleGrant, Verb
from tests import factories, people
from tests.contract.samples import MADE, OWNED, other_values

VERBS = ("read", "write", "delete", "assign", "share", "export", "merge")
REACH = {
    Depth.NONE: set(),
    Depth.OWN: {"own", "team"},
    Depth.UNIT: {"own", "team", "unit"},
    Depth.BELOW: {"own", "team", "unit", "below"},
    Depth.ALL: {"own", "team", "unit", "below", "elsewhere"},
}
owned = pytest.mark.parametrize("entity", OWNED, ids=lambda entity: entity.name)


def someone(unit, **values):
    return factories.make_user(roles=(), unit=unit, **values)


@pytest.fixture
def viewer(north, team):
    """Somebody without any role, in Alice's unit and team."""
    return people.again("viewer", lambda: someone(north, teams=(team,)))


@pytest.fixture
def owners(viewer, north, south, team):
    """Whose records there are, as the viewer sees them."""
    others = people.again(
        "owners",
        lambda: {
            "unit": someone(north),
            "below": someone(factories.make_unit(parent_unit=north)),
            "elsewhere": someone(south),
        },
    )
    return {"own": viewer, "team": team, **others}


def governing(entity):
    return "activity" if entity.activity else entity.name


@owned
def test_right_reaches_as_deep_as_its_depth(entity, viewer, owners):
    rows = {name: factories.make(entity.name, owner=owner) for name, owner in owners.items()}
    ids = {row.pk: name for name, row in rows.items()}
    role = factories.make_role({}, viewer)

    for depth, reach in REACH.items():
        factories.grant(role, {(governing(entity), verb): depth for verb in VERBS})
        access.forget(viewer)
        for verb in VERBS:
            seen = {ids[pk] for pk in access.allowed_ids(ids, entity, viewer, verb)}
            each = {name for name, row in rows.items() if access.allows(viewer, verb, entity, row)}
            assert (depth, verb, seen, each) == (depth, verb, reach, reach)
            assert access.may(viewer, verb, entity) == (depth != Depth.NONE)
        assert access.sees_all(viewer, entity) == (depth == Depth.ALL)
        RoleGrant.objects.filter(role=role).delete()


@owned
def test_right_to_one_verb_is_no_right_to_another(entity, viewer):
    row = factories.make(entity.name, owner=viewer)
    factories.make_role({(governing(entity), "read"): Depth.ALL}, viewer)

    allowed = {verb for verb in VERBS if access.allowed_ids([row.pk], entity, viewer, verb)}
    assert allowed == {"read"}


@owned
def test_right_to_every_entity_counts_for_each(entity, viewer, charlie):
    row = factories.make(entity.name, owner=charlie)
    factories.make_role({("*", "read"): Depth.ALL}, viewer)

    assert access.allowed_ids([row.pk], entity, viewer, "read") == {row.pk}


@owned
def test_role_of_a_team_counts_for_its_members(entity, viewer, team):
    row = factories.make(entity.name, owner=viewer)
    factories.make_role({(governing(entity), "read"): Depth.OWN}, team)

    assert access.allowed_ids([row.pk], entity, viewer, "read") == {row.pk}


@owned
def test_deeper_of_two_rights_counts(entity, viewer, owners):
    row = factories.make(entity.name, owner=owners["unit"])
    factories.make_role({(governing(entity), "read"): Depth.OWN}, viewer)
    factories.make_role({(governing(entity), "read"): Depth.UNIT}, viewer)

    assert access.allowed_ids([row.pk], entity, viewer, "read") == {row.pk}


@owned
def test_salesperson_reads_the_unit_and_changes_what_is_theirs(entity, alice, bob, charlie):
    mine = factories.make(entity.name, owner=alice)
    reach = {
        user.email.split("@")[0]: {
            verb for verb in VERBS[:5] if access.allowed_ids([mine.pk], entity, user, verb)
        }
        for user in (alice, bob, charlie)
    }

    personal = entity.name == "saved_view"
    assert reach == {
        "alice": set(VERBS[:5]),
        "bob": set() if personal else {"read"},
        "charlie": set(),
    }


@owned
def test_stranger_gets_no_record_and_colleague_no_right(entity, alice, charlie):
    reader = factories.make_user(roles=("read-only",))
    mine = factories.make(entity.name, owner=alice)
    values = other_values(entity, mine)

    for change in (
        lambda user: records.update_record(entity, mine.pk, values, by=user),
        lambda user: records.delete_records(entity, [mine.pk], by=user),
        lambda user: shares.share_record(entity, mine.pk, user.pk, by=user),
    ):
        with pytest.raises(RecordNotFound):
            change(charlie)
        with pytest.raises(RecordNotFound if entity.name == "saved_view" else Forbidden):
            change(reader)


def test_role_that_was_put_away_grants_nothing(viewer):
    row = factories.make_account(owner=viewer)
    role = factories.make_role({("account", "read"): Depth.ALL}, viewer)
    states.set_state("role", [role.pk], state=1, by=factories.SETUP)

    assert access.allowed_ids([row.pk], registry["account"], viewer, "read") == set()


def test_organisation_is_changed_by_administrators_whatever_else_is_granted(viewer):
    team = registry["team"]
    factories.make_role({("team", verb): Depth.ALL for verb in ("read", "create", "write")}, viewer)

    assert [access.may(viewer, verb, team) for verb in ("read", "create", "write")] == [
        True, False, False,
    ]  # fmt: skip
    with pytest.raises(Forbidden):
        records.create_record(team, factories.minimal("team"), by=viewer)


# -- shares ---------------------------------------------------------------------------------------


@owned
def test_shared_record_is_read_and_no_more(entity, alice, charlie):
    mine = factories.make(entity.name, owner=alice)
    shares.share_record(entity, mine.pk, charlie.pk, by=alice)
    access.forget(charlie)

    allowed = {verb for verb in VERBS if access.allowed_ids([mine.pk], entity, charlie, verb)}
    assert allowed == {"read"}
    assert access.allows(charlie, "read", entity, mine)


@owned
def test_share_may_carry_more_rights(entity, alice, charlie):
    verbs = ("write", "delete", "assign", "share")
    mine = {verb: factories.make(entity.name, owner=alice).pk for verb in verbs}
    for verb, pk in mine.items():
        shares.share_record(entity, pk, charlie.pk, by=alice, verbs=[verb])
    access.forget(charlie)

    allowed = {
        verb: {v for v in VERBS if access.allowed_ids([pk], entity, charlie, v)}
        for verb, pk in mine.items()
    }
    assert allowed == {verb: {"read", verb} for verb in verbs}


@owned
def test_record_may_be_shared_with_a_team(entity, alice, charlie, south):
    mine = factories.make(entity.name, owner=alice)
    team = factories.make_team(unit=south, members=(charlie,))
    shares.share_record(entity, mine.pk, team.pk, by=alice)
    access.forget(charlie)

    assert access.allowed_ids([mine.pk], entity, charlie, "read") == {mine.pk}


@owned
def test_share_that_was_taken_back_counts_no_more(entity, alice, charlie):
    mine = factories.make(entity.name, owner=alice)
    shares.share_record(entity, mine.pk, charlie.pk, by=alice)
    shares.unshare_record(entity, mine.pk, charlie.pk, by=alice)
    access.forget(charlie)

    assert access.allowed_ids([mine.pk], entity, charlie, "read") == set()


@owned
def test_many_shares_are_joined_instead_of_named(entity, alice, charlie, monkeypatch):
    mine = [factories.make(entity.name, owner=alice) for _ in range(3)]
    for row in mine[:2]:
        shares.share_record(entity, row.pk, charlie.pk, by=alice, verbs=["write"])
    access.forget(charlie)
    monkeypatch.setattr(access, "SHARES_INLINE", 1)

    for verb, expected in (("read", 2), ("write", 2), ("delete", 0)):
        assert len(access.allowed_ids([row.pk for row in mine], entity, charlie, verb)) == expected
    assert [access.allows(charlie, "write", entity, row) for row in mine] == [True, True, False]


# -- rows of the organisation, and rows of a record -----------------------------------------------


@pytest.mark.parametrize(
    "entity", [e for e in MADE if e.ownership == "organisation"], ids=lambda entity: entity.name
)
def test_organisation_is_read_by_all_or_none_and_changed_by_administrators(entity, alice, admin):
    row = factories.make(entity.name)
    public = entity.name in {"user", "team", "business_unit"}

    reach = {
        user.email.split("@")[0]: [
            bool(access.allowed_ids([row.pk], entity, user, verb)) for verb in ("read", "write")
        ]
        for user in (alice, admin)
    }
    assert reach == {"alice": [public, False], "admin": [True, True]}
    with pytest.raises(Forbidden):
        records.create_record(entity, factories.minimal(entity.name), by=alice)


def test_row_of_a_record_is_seen_with_it_and_changed_by_those_who_may_change_it(
    alice, bob, charlie
):
    task = factories.make_task(owner=alice)
    row = factories.make("party", activity=task)
    party = registry["party"]

    allowed = [
        {
            verb
            for verb in ("read", "write", "delete")
            if access.allowed_ids([row.pk], party, u, verb)
        }
        for u in (alice, bob, charlie)
    ]
    assert allowed == [{"read", "write", "delete"}, {"read"}, set()]
    assert [access.may(u, "create", party) for u in (alice, bob, charlie)] == [True] * 3


def test_shares_are_seen_with_their_record(alice, charlie):
    mine = factories.make_account(owner=alice)
    row = factories.share_with(mine, factories.make_user())

    share = registry["share"]
    assert access.allowed_ids([row.pk], share, alice, "read") == {row.pk}
    assert access.allowed_ids([row.pk], share, charlie, "read") == set()


def test_system_actor_may_everything(entity):
    actor = access.SystemActor("import")

    assert all(access.may(actor, verb, entity) for verb in Verb)
    assert access.sees_all(actor, entity)


# -- through links --------------------------------------------------------------------------------


@pytest.mark.parametrize("depth", list(REACH), ids=lambda depth: depth.name.lower())
def test_record_behind_a_link_is_visible_as_in_its_own_list(depth, viewer, owners, admin):
    account, contact = registry["account"], registry["contact"]
    behind = {
        factories.make_contact(owner=admin, account=factories.make_account(owner=owner)).pk: name
        for name, owner in owners.items()
    }
    factories.make_role({("account", "read"): depth, ("contact", "read"): Depth.ALL}, viewer)

    condition = access.visible_through("account__", account, viewer)
    rows = contact.records() if condition is None else contact.records().filter(condition)
    assert {behind[pk] for pk in rows.values_list("pk", flat=True)} == REACH[depth]
    listed = queries.records(account, viewer).values("pk")
    assert rows.count() == contact.records().filter(account__in=listed).count()


def test_every_look_up_leads_to_an_entity_that_access_knows(entity, alice):
    targets = {f.target for f in entity.fields.values() if f.kind is Kind.LOOKUP}

    for name in targets:
        access.visible_through("x__", registry[name], alice)
        gone = SimpleNamespace(pk=None, owner_id=None, owning_unit_id=None)
        if registry[name].ownership == "user":
            assert not access.allows(alice, "write", registry[name], gone)
