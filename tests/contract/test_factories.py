"""Every declared entity has a factory, so that a new one gets all contract tests."""

from rapport import access
from tests import factories


def test_factory_makes_a_record(entity, db):
    record = factories.make(entity.name)

    assert entity.records().filter(pk=record.pk).count() == 1


def test_people_are_where_tests_expect_them(alice, bob, charlie, admin):
    assert alice.business_unit_id == bob.business_unit_id != charlie.business_unit_id
    assert [access.rights(user).principals[1:] for user in (alice, bob, charlie)] == [
        access.rights(bob).principals[1:], access.rights(alice).principals[1:], (),
    ]  # fmt: skip
    assert [access.is_administrator(user) for user in (alice, bob, charlie, admin)] == [
        False, False, False, True,
    ]  # fmt: skip
