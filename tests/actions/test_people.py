"""Users, roles, units and one-time links."""

import datetime

import pytest

from rapport import access
from rapport.access import Forbidden
from rapport.actions import people, records, states
from rapport.actions.people import LinkUsed
from rapport.actions.records import InvalidRecord
from rapport.actions.roles import BUILTIN
from rapport.meta.registry import registry
from rapport.models import BusinessUnit, Principal, Role, RoleAssignment, RoleGrant, User
from rapport.models.people import Depth
from tests import factories, journal
from tests.refusals import errors

USER = registry["user"]
NOW = datetime.datetime(2026, 5, 4, tzinfo=datetime.UTC)


# -- roles ----------------------------------------------------------------------------------------


def grants(key):
    stored = RoleGrant.objects.filter(role__builtin=key)
    return {(g.entity, g.verb): g.depth for g in stored}


@pytest.mark.parametrize("key", list(BUILTIN))
def test_builtin_role_has_the_rights_of_the_table(key, db):
    assert grants(key) == {pair: int(depth) for pair, depth in BUILTIN[key][2].items()}


def test_making_sure_of_the_roles_twice_changes_nothing(db):
    before = journal.operations()
    people.ensure_organisation()

    assert journal.since(before) == []
    assert BusinessUnit.objects.filter(parent_unit=None).count() == 1


def test_role_that_was_bent_is_put_right(db):
    grant = RoleGrant.objects.filter(role__builtin="read-only").first()
    RoleGrant.objects.filter(pk=grant.pk).update(depth=Depth.OWN)
    RoleGrant.objects.filter(role__builtin="read-only").exclude(pk=grant.pk).first().delete()
    people.ensure_organisation()

    assert grants("read-only") == {p: int(d) for p, d in BUILTIN["read-only"][2].items()}


def test_builtin_role_is_not_changed_by_people(admin):
    role = Role.objects.get(builtin="salesperson")
    values = {"role": role.pk, "entity": "account", "verb": "merge", "depth": 8}

    assert errors(records.update_record, registry["role"], role.pk, {"name": "X"}, by=admin) == [""]
    assert errors(records.create_record, registry["role_grant"], values, by=admin) == ["role"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [({"entity": "invoice"}, ["entity"]), ({"verb": "admire"}, ["verb"])],
    ids="+".join,
)
def test_right_names_what_exists(values, expected, admin):
    role = factories.make("role")
    full = {"role": role.pk, "entity": "account", "verb": "read", "depth": 1} | values

    assert errors(records.create_record, registry["role_grant"], full, by=admin) == expected


def test_right_says_once_what_is_wrong_with_it(admin):
    values = {"role": factories.make("role").pk, "entity": "x" * 99, "verb": "y" * 99, "depth": 1}
    with pytest.raises(InvalidRecord) as caught:
        records.create_record(registry["role_grant"], values, by=admin)
    assert [len(said) for said in caught.value.errors.values()] == [1, 1]


def test_only_administrators_change_people_and_roles(alice, admin):
    values = factories.minimal("user")
    with pytest.raises(Forbidden):
        people.create_user(values, by=alice)
    with pytest.raises(Forbidden):
        records.create_record(registry["role"], {"name": "Mine"}, by=alice)
    with pytest.raises(Forbidden):
        records.update_record(USER, alice.pk, {"job_title": "CEO"}, by=alice)

    assert people.create_user(values, by=admin, roles=("read-only",)).email == values["email"]


# -- users ----------------------------------------------------------------------------------------


def test_new_user_can_own_records_at_once(admin):
    user = factories.make_user(first_name="Ann", last_name="Able", roles=("salesperson",))
    principal = Principal.objects.get(pk=user.pk)

    assert (principal.kind, principal.name, principal.is_active) == ("user", "Ann Able", True)
    assert principal.unit_id == user.business_unit_id
    assert list(RoleAssignment.objects.filter(principal=principal).values_list("role__name")) == [
        ("Salesperson",)
    ]


def test_principal_follows_the_user(admin, south):
    user = factories.make_user(first_name="Ann", last_name="Able")
    values = {"last_name": "Baker", "business_unit": south.pk}
    records.update_record(USER, user.pk, values, by=admin)
    states.deactivate("user", [user.pk], by=admin)

    principal = Principal.objects.get(pk=user.pk)
    assert (principal.name, principal.unit_id, principal.is_active) == (
        "Ann Baker",
        south.pk,
        False,
    )


def test_address_signs_in_in_any_case(db):
    user = factories.make_user(email="Ann@Example.com")

    assert user.email == "ann@example.com"
    assert User.objects.get_by_natural_key("ANN@example.COM") == user


def test_user_without_a_password_cannot_sign_in(db):
    assert not factories.make_user().has_usable_password()


def test_unknown_role_is_an_error(admin):
    found = errors(people.create_user, factories.minimal("user"), by=admin, roles=("salesman",))

    assert found == ["roles"]
    assert not User.objects.filter(last_name__startswith="User").exists()


def test_same_role_twice_is_given_once(db):
    user = factories.make_user(roles=("salesperson", "salesperson"))

    assert RoleAssignment.objects.filter(principal=user.pk).count() == 1


def test_user_without_a_unit_is_of_the_root(admin):
    values = factories.minimal("user", business_unit=None)

    assert people.create_user(values, by=admin).business_unit_id == factories.root_unit().pk


def test_inactive_user_may_nothing(alice, bob):
    company = factories.make_account(owner=alice)
    factories.share_with(factories.make_account(), alice)
    states.deactivate("user", [alice.pk], by=factories.SETUP)
    gone = User.objects.get(pk=alice.pk)

    account = registry["account"]
    assert not access.visible_to(account.records(), account, gone).exists()
    assert not access.may(gone, "read", account)
    assert company.owner_id == alice.pk


def test_first_administrator_is_the_oldest_active_one(admin):
    second = factories.make_user(roles=("system-administrator",))
    assert people.first_administrator() == admin

    states.deactivate("user", [admin.pk], by=factories.SETUP)
    assert people.first_administrator() == second


# -- one-time links -------------------------------------------------------------------------------


def test_link_lets_a_user_choose_a_password(alice):
    secret = people.make_link(alice)
    assert people.link_user(secret) == alice

    people.use_link(secret, password="correct horse battery")
    alice.refresh_from_db()
    assert alice.check_password("correct horse battery")


def test_link_is_used_once(alice):
    secret = people.make_link(alice)
    people.use_link(secret, password="correct horse battery")

    with pytest.raises(LinkUsed):
        people.use_link(secret, password="something else")
    with pytest.raises(LinkUsed):
        people.link_user(secret)


def test_other_links_of_the_same_user_are_void_with_it(alice):
    first, second = people.make_link(alice), people.make_link(alice)
    people.use_link(first, password="correct horse battery")

    with pytest.raises(LinkUsed):
        people.use_link(second, password="something else")


def test_link_grows_old(alice):
    secret = people.make_link(alice, hours=1, now=NOW)

    assert people.link_user(secret, now=NOW + datetime.timedelta(minutes=59)) == alice
    with pytest.raises(LinkUsed):
        people.link_user(secret, now=NOW + datetime.timedelta(hours=1))


def test_unknown_secret_is_no_link(db):
    with pytest.raises(LinkUsed):
        people.link_user("guess")


def test_link_of_an_inactive_user_is_void(alice):
    secret = people.make_link(alice)
    states.deactivate("user", [alice.pk], by=factories.SETUP)

    with pytest.raises(LinkUsed):
        people.use_link(secret, password="correct horse battery")


def test_link_makes_the_first_administrator_and_no_second(db):
    first, second = people.make_link(None), people.make_link(None)
    values = {"last_name": "First", "email": "first@example.com"}
    made = people.use_link(first, password="correct horse battery", values=values)

    assert access.is_administrator(made)
    with pytest.raises(LinkUsed):
        people.use_link(second, password="x", values=values | {"email": "other@example.com"})


def test_link_is_not_used_up_by_values_that_cannot_be_stored(db):
    secret = people.make_link(None)
    assert errors(people.use_link, secret, password="x", values={"email": "nobody"}) == [
        "email", "last_name",
    ]  # fmt: skip

    assert people.link_user(secret) is None


# -- units ----------------------------------------------------------------------------------------


def test_units_below_are_found_at_any_depth(north, south):
    middle = factories.make_unit(parent_unit=north)
    bottom = factories.make_unit(parent_unit=middle)
    user = factories.make_user(unit=north)

    assert set(access.rights(user).units_below) == {north.pk, middle.pk, bottom.pk}


def test_unit_that_moves_takes_those_below_along(admin, north, south):
    middle = factories.make_unit(parent_unit=north)
    bottom = factories.make_unit(parent_unit=middle)
    unit = registry["business_unit"]
    records.update_record(unit, middle.pk, {"parent_unit": south.pk}, by=admin)

    user = factories.make_user(unit=south)
    assert set(access.rights(user).units_below) == {south.pk, middle.pk, bottom.pk}


def test_unit_cannot_stand_below_itself(admin, north):
    below = factories.make_unit(parent_unit=north)
    values = {"parent_unit": below.pk}

    found = errors(records.update_record, registry["business_unit"], north.pk, values, by=admin)
    assert found == ["parent_unit"]
