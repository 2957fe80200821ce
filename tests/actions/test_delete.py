"""Deleting, what goes along, and putting it back."""

import pytest

from rapport.access import Forbidden
from rapport.actions import records, undo
from rapport.actions.records import HasDependants, RecordNotFound
from rapport.meta.kinds import Ref
from rapport.meta.registry import registry
from rapport.models import (
    Account,
    Activity,
    Contact,
    Lead,
    MatchKey,
    Note,
    Opportunity,
    Party,
    Principal,
    Share,
    Team,
)
from tests import factories, journal

ACCOUNT, CONTACT, TASK = registry["account"], registry["contact"], registry["task"]


def stored():
    """All rows of records, but what a return changes: versions and times."""
    news = {"version", "modified_at", "modified_by_id"}
    return {
        model.__name__: {
            row["id"]: {name: value for name, value in row.items() if name not in news}
            for row in model.objects.values()
        }
        for model in (Account, Contact, Opportunity, Lead, Activity, Party, Note, Share)
    }


def whole_family(alice, bob):
    """An account with everything that can hang on it."""
    company = factories.make_account(owner=alice, name="Müller GmbH")
    boss = factories.make_contact(owner=alice, account=company, email="boss@mueller.example")
    clerk = factories.make_contact(owner=alice, account=company, manager=boss)
    records.update_record(ACCOUNT, company.pk, {"primary_contact": boss.pk}, by=alice)
    deal = factories.make_opportunity(owner=alice, account=company, contact=boss)
    task = factories.make_task(owner=alice, regarding=deal)
    factories.make("party", activity=task, person=Ref("contact", clerk.pk))
    factories.make_note(owner=alice, regarding=company)
    factories.make_note(owner=alice, regarding=task)
    factories.make_lead(owner=alice, account=company, contact=boss)
    factories.make_account(owner=alice, parent_account=company)
    factories.share_with(company, bob, can_write=True)
    return company


def test_deleted_record_is_gone_and_kept_whole(alice):
    company = factories.make_account(owner=alice, name="Müller GmbH", number="7")
    op = records.delete_records(ACCOUNT, [company.pk], by=alice)

    assert not Account.objects.exists()
    assert not MatchKey.objects.filter(record=company.pk).exists()
    assert journal.changes(op) == [("account", "delete", company.pk)]
    kept = op.changes.get().before
    assert (kept["name"], kept["number"], kept["owner_id"]) == ("Müller GmbH", "7", str(alice.pk))
    assert {"id", "search_text", "sort_name"} & set(kept) == set()


def test_account_with_contacts_is_not_deleted_in_passing(alice, bob):
    company = whole_family(alice, bob)
    before = stored()

    with pytest.raises(HasDependants) as caught:
        records.delete_records(ACCOUNT, [company.pk], by=alice)
    assert caught.value.counts == {"contact": 2, "opportunity": 1}
    assert stored() == before


def test_deleted_with_all_of_it_and_put_back(alice, bob):
    company = whole_family(alice, bob)
    before = stored()
    op = records.delete_records(ACCOUNT, [company.pk], by=alice, with_all=True)

    assert (Contact.objects.count(), Opportunity.objects.count(), Activity.objects.count()) == (
        0,
    ) * 3
    assert (Party.objects.count(), Note.objects.count(), Share.objects.count()) == (0,) * 3
    assert Lead.objects.get().account_id is None
    assert Account.objects.get().parent_account_id is None

    _, undone = undo.undo(op, by=alice)
    after = stored()
    assert undone.conflicts == []
    assert after == before


@pytest.mark.parametrize("size", [1, 2, 3])
def test_put_back_in_any_number_of_transactions(size, alice, bob):
    company = whole_family(alice, bob)
    before = stored()
    op = records.delete_records(ACCOUNT, [company.pk], by=alice, with_all=True)
    undone = undo.Undone()
    back = undo.begin(op, by=alice)
    place = undo.advance(back, undone, by=alice, size=size)
    while place is not None:
        place = undo.advance(back, undone, by=alice, size=size, before=place)

    assert (stored(), undone.conflicts) == (before, [])


def test_record_unlinked_twice_is_changed_once(alice):
    company = factories.make_account(owner=alice)
    boss = factories.make_contact(owner=alice, account=company)
    lead = factories.make_lead(owner=alice, account=company, contact=boss)
    op = records.delete_records(ACCOUNT, [company.pk], by=alice, with_all=True)

    assert [c for c in journal.changes(op) if c[0] == "lead"] == [("lead", "update", lead.pk)]


def test_notes_go_with_the_activity_whichever_list_it_is_deleted_from(alice):
    for entity in (TASK, registry["activity"]):
        task = factories.make_task(owner=alice)
        factories.make_note(owner=alice, regarding=task)
        records.delete_records(entity, [task.pk], by=alice)

        assert Note.objects.count() == 0


def test_deleting_needs_the_right(alice, bob, charlie):
    company = factories.make_account(owner=alice)

    with pytest.raises(Forbidden):
        records.delete_records(ACCOUNT, [company.pk], by=bob)
    with pytest.raises(RecordNotFound):
        records.delete_records(ACCOUNT, [company.pk], by=charlie)
    assert Account.objects.count() == 1


def test_deleting_all_of_it_needs_the_right_to_each(alice, bob, charlie):
    company = factories.make_account(owner=alice)
    for owner in (bob, charlie):
        contact = factories.make_contact(account=company, owner=owner)
        with pytest.raises(Forbidden):
            records.delete_records(ACCOUNT, [company.pk], by=alice, with_all=True)
        records.delete_records(CONTACT, [contact.pk], by=factories.SETUP)


def test_one_of_many_that_may_not_be_deleted_stops_all(alice, bob):
    mine, other = factories.make_account(owner=alice), factories.make_account(owner=bob)

    with pytest.raises(Forbidden):
        records.delete_records(ACCOUNT, [mine.pk, other.pk], by=alice)
    assert Account.objects.count() == 2


def test_user_is_never_deleted(admin, bob):
    with pytest.raises(Forbidden):
        records.delete_records(registry["user"], [bob.pk], by=admin)


def test_team_does_not_take_its_customers_along(admin, team):
    factories.make_account(owner=team)

    with pytest.raises(HasDependants) as caught:
        records.delete_records(registry["team"], [team.pk], by=admin, with_all=True)
    assert caught.value.counts == {"account": 1}


def test_team_goes_with_memberships_and_comes_back(admin, alice, team):
    op = records.delete_records(registry["team"], [team.pk], by=admin)
    assert (Team.objects.count(), Principal.objects.filter(pk=team.pk).count()) == (0, 0)

    undo.undo(op, by=admin)
    assert Principal.objects.get(pk=team.pk).name == "Northerners"
    assert registry["membership"].records().filter(team=team.pk).count() == 1


def test_unit_with_people_is_not_deleted(admin, alice, north):
    with pytest.raises(HasDependants):
        records.delete_records(registry["business_unit"], [north.pk], by=admin, with_all=True)


# -- putting back ---------------------------------------------------------------------------------


def test_deleted_record_comes_back_with_id_and_keys(alice):
    company = factories.make_account(owner=alice, email="info@mueller.example")
    keys = set(MatchKey.objects.values_list("hash", flat=True))
    op = records.delete_records(ACCOUNT, [company.pk], by=alice)
    undo.undo(op, by=alice)

    back = Account.objects.get()
    assert (back.pk, back.version, back.created_at) == (company.pk, 2, company.created_at)
    assert set(MatchKey.objects.values_list("hash", flat=True)) == keys


def test_link_to_what_is_gone_by_now_stays_empty(alice):
    company = factories.make_account(owner=alice)
    lead = factories.make_lead(owner=alice, account=company)
    op = records.delete_records(registry["lead"], [lead.pk], by=alice)
    records.delete_records(ACCOUNT, [company.pk], by=alice)
    _, undone = undo.undo(op, by=alice)

    assert Lead.objects.get().account_id is None
    assert [(c.entity, c.record, c.field) for c in undone.conflicts] == [
        ("lead", lead.pk, "account")
    ]


def test_pointer_to_what_is_gone_by_now_stays_empty(alice):
    company = factories.make_account(owner=alice)
    note = factories.make_note(owner=alice, regarding=company)
    op = records.delete_records(registry["note"], [note.pk], by=alice)
    records.delete_records(ACCOUNT, [company.pk], by=alice)
    _, undone = undo.undo(op, by=alice)

    back = Note.objects.get()
    assert (back.regarding_entity, back.regarding_id, back.account_id) == ("", None, None)
    assert {c.field for c in undone.conflicts} == {"regarding", "account"}


def test_row_of_a_record_that_is_gone_does_not_come_back(alice):
    task = factories.make_task(owner=alice)
    party = factories.make("party", activity=task)
    op = records.delete_records(registry["party"], [party.pk], by=alice)
    records.delete_records(TASK, [task.pk], by=alice)
    _, undone = undo.undo(op, by=alice)

    assert (Party.objects.count(), undone.returned) == (0, 0)
    assert [(c.entity, c.field) for c in undone.conflicts] == [("party", "activity")]


def test_record_of_a_team_that_is_gone_does_not_come_back(admin, team):
    company = factories.make_account(owner=team)
    child = factories.make_account(owner=admin, parent_account=company)
    op = records.delete_records(ACCOUNT, [company.pk, child.pk], by=admin)
    records.delete_records(registry["team"], [team.pk], by=admin)
    _, undone = undo.undo(op, by=admin)

    assert list(Account.objects.values_list("pk", "parent_account")) == [(child.pk, None)]
    assert (undone.returned, undone.conflicts[0].field) == (1, "owner")


def test_unique_value_that_is_taken_by_now_is_a_conflict(admin, alice):
    company = factories.make_account(owner=alice)
    share = factories.share_with(company, admin)
    op = records.delete_records(registry["share"], [share.pk], by=factories.SETUP)
    factories.share_with(company, admin)
    _, undone = undo.undo(op, by=admin)

    assert (Share.objects.count(), undone.returned) == (1, 0)
    assert [c.reason for c in undone.conflicts] == ["User or team is taken by now."]


def test_somebody_elses_deletion_is_not_undone(alice, bob):
    company = factories.make_account(owner=alice)
    op = records.delete_records(ACCOUNT, [company.pk], by=alice)

    with pytest.raises(undo.NotYours):
        undo.undo(op, by=bob)


def test_one_record_comes_back_alone(alice):
    both = [factories.make_account(owner=alice) for _ in range(2)]
    op = records.delete_records(ACCOUNT, [one.pk for one in both], by=alice)
    change = op.changes.get(record=both[0].pk)
    undo.restore_record(change.pk, by=alice)

    assert list(Account.objects.values_list("pk", flat=True)) == [both[0].pk]
