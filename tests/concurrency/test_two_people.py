"""Two people at the same moment: nothing is done twice, nothing is lost."""

import pytest

from rapport.actions import leads, merge, opportunities, records, shares, undo
from rapport.actions.leads import LeadIsClosed
from rapport.actions.records import Clash, InvalidRecord, RecordNotFound, StaleRecord
from rapport.actions.undo import CannotUndo
from rapport.imports import flow
from rapport.meta.registry import registry
from rapport.models import Account, Change, Contact, Note, Opportunity, Share, User
from tests import factories
from tests.imports.bringing import outcome, plan

pytestmark = pytest.mark.postgres

ACCOUNT, CONTACT = registry["account"], registry["contact"]


@pytest.fixture
def owner(transactional_db):
    return factories.make_user()


def update(contact, owner, expected=None, **values):
    return lambda: records.update_record(CONTACT, contact.pk, values, by=owner, expected=expected)


def test_same_lead_is_qualified_once(race, owner):
    lead = factories.make_lead(owner=owner, company="Stone Ltd")
    first, second = race(*[lambda: leads.qualify_lead(lead.pk, by=owner)] * 2)

    assert (first.lead, type(second)) == (lead.pk, LeadIsClosed)
    assert [m.objects.count() for m in (Account, Contact, Opportunity)] == [1, 1, 1]


def test_different_fields_of_the_same_record_are_both_kept(race, owner):
    contact = factories.make_contact(owner=owner)
    seen = {"job_title": "", "fax": ""}
    race(update(contact, owner, seen, job_title="CEO"), update(contact, owner, seen, fax="1"))

    contact.refresh_from_db()
    assert (contact.job_title, contact.fax, contact.version) == ("CEO", "1", 3)


def test_same_field_is_a_clash_for_the_second(race, owner):
    contact = factories.make_contact(owner=owner, job_title="Buyer")
    seen = {"job_title": "Buyer"}
    _, second = race(
        update(contact, owner, seen, job_title="CEO"), update(contact, owner, seen, job_title="CFO")
    )

    assert type(second) is StaleRecord
    assert second.clashes == {"job_title": Clash("Buyer", "CEO", "CFO")}


def test_journal_tells_both_changes_in_their_order(race, owner):
    contact = factories.make_contact(owner=owner, job_title="Buyer")
    race(update(contact, owner, job_title="CEO"), update(contact, owner, job_title="CFO"))

    changes = Change.objects.filter(record=contact.pk, verb=2).order_by("pk")
    assert [(c.before, c.after, c.version) for c in changes] == [
        ({"job_title": "Buyer"}, {"job_title": "CEO"}, 2),
        ({"job_title": "CEO"}, {"job_title": "CFO"}, 3),
    ]


def test_undo_waits_for_an_edit_and_keeps_it(race, owner):
    contact = factories.make_contact(owner=owner, job_title="Buyer")
    op = update(contact, owner, job_title="CEO")()
    _, second = race(update(contact, owner, job_title="Chair"), lambda: undo.undo(op, by=owner))

    contact.refresh_from_db()
    assert (contact.job_title, [c.field for c in second[1].conflicts]) == ("Chair", ["job_title"])


def test_edit_waits_for_an_undo_and_is_told(race, owner):
    contact = factories.make_contact(owner=owner, job_title="Buyer")
    op = update(contact, owner, job_title="CEO")()
    _, second = race(
        lambda: undo.undo(op, by=owner),
        update(contact, owner, {"job_title": "CEO"}, job_title="Chair"),
    )

    contact.refresh_from_db()
    assert (contact.job_title, type(second)) == ("Buyer", StaleRecord)


def test_creation_is_not_undone_under_somebodys_hands(race, owner):
    id_ = records.create_record(CONTACT, {"last_name": "Stone"}, by=owner)
    op = Change.objects.get(record=id_).operation
    contact = Contact.objects.get(pk=id_)
    _, second = race(update(contact, owner, fax="1"), lambda: undo.undo(op, by=owner))

    assert (Contact.objects.filter(fax="1").count(), second[1].removed) == (1, 0)


def test_same_operation_is_undone_once(race, owner):
    contact = factories.make_contact(owner=owner, job_title="Buyer")
    op = update(contact, owner, job_title="CEO")()
    first, second = race(*[lambda: undo.undo(op, by=owner)] * 2)

    assert (first[1].restored, type(second)) == (1, CannotUndo)


def test_deleted_record_is_gone_for_who_comes_second(race, owner):
    contact = factories.make_contact(owner=owner)
    _, second = race(
        lambda: records.delete_records(CONTACT, [contact.pk], by=owner),
        update(contact, owner, fax="1"),
    )

    assert (type(second), Contact.objects.count()) == (RecordNotFound, 0)


def test_record_that_names_a_deleted_one_is_refused(race, owner):
    company = factories.make_account(owner=owner)
    values = {"last_name": "Stone", "account": company.pk}
    _, second = race(
        lambda: records.delete_records(ACCOUNT, [company.pk], by=owner),
        lambda: records.create_record(CONTACT, values, by=owner),
    )

    assert (type(second), list(second.errors), Contact.objects.count()) == (InvalidRecord, [""], 0)


def test_two_records_do_not_come_to_stand_above_each_other(race, owner):
    one, other = (factories.make_account(owner=owner) for _ in range(2))
    _, second = race(
        lambda: records.update_record(ACCOUNT, one.pk, {"parent_account": other.pk}, by=owner),
        lambda: records.update_record(ACCOUNT, other.pk, {"parent_account": one.pk}, by=owner),
    )

    assert (type(second), list(second.errors)) == (InvalidRecord, ["parent_account"])


def test_address_that_signs_in_is_taken_once(race, transactional_db):
    admin = factories.make_user(roles=("system-administrator",))
    values = [factories.minimal("user", email="ann@example.com") for _ in range(2)]
    user = registry["user"]
    _, second = race(*[lambda v=v: records.create_record(user, v, by=admin) for v in values])

    assert type(second) is InvalidRecord
    assert User.objects.filter(email="ann@example.com").count() == 1


def test_record_is_shared_once_with_the_same(race, owner):
    company, other = factories.make_account(owner=owner), factories.make_user()
    race(*[lambda: shares.share_record(ACCOUNT, company.pk, other.pk, by=owner)] * 2)

    assert Share.objects.count() == 1


def test_bulk_changes_of_the_same_records_do_not_lock_each_other_out(race, owner):
    ids = [factories.make_contact(owner=owner).pk for _ in range(5)]
    first, second = race(
        lambda: records.update_records(CONTACT, ids, {"fax": "1"}, by=owner),
        lambda: records.update_records(CONTACT, ids[::-1], {"department": "Board"}, by=owner),
    )

    assert (len(first.done), len(second.done)) == (5, 5)
    assert Contact.objects.filter(fax="1", department="Board").count() == 5


def test_deal_is_won_or_lost_not_both(race, owner):
    deal = factories.make_opportunity(owner=owner)
    _, second = race(
        lambda: opportunities.win_opportunities([deal.pk], by=owner),
        lambda: opportunities.lose_opportunities([deal.pk], by=owner),
    )

    deal.refresh_from_db()
    assert (deal.state, list(second.refused)) == (1, [deal.pk])


def test_what_points_at_a_merged_record_follows_or_is_refused(race, owner):
    first, second = (factories.make_contact(owner=owner) for _side in "12")

    def note():
        values = factories.minimal("note", regarding=second)
        return records.create_record(registry["note"], values, by=owner)

    def merging():
        return merge.merge(CONTACT, [first.pk, second.pk], by=owner, master=first.pk)

    made, merged = race(note, merging)
    assert Note.objects.get(pk=made).regarding_id == first.pk
    undo.undo(merged, by=owner)
    _merged, refused = race(merging, note)
    assert (type(refused), Note.objects.count()) == (InvalidRecord, 1)


def test_two_imports_at_once_make_each_person_and_company_once(race, owner):
    content = b"First Name,Last Name,Email,Company\nAda,Byron,ada@x.example,New Firm\n"
    uploads = [plan(content, by=owner) for _ in range(2)]
    results = race(*[lambda upload=one: flow.apply_now(upload, by=owner) for one in uploads])

    assert results == (None, None)
    assert (Contact.objects.count(), Account.objects.count()) == (1, 1)
    assert [outcome(one).counts for one in uploads] == [
        {"rows": 1, "created": 1, "accounts_created": 1}, {"rows": 1, "changed": 1},
    ]  # fmt: skip
