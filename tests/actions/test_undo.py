"""Undo: the table of rules, conflicts, who may, previews, and undo of undo."""

import datetime
from decimal import Decimal

import pytest
from django.utils import timezone

from rapport.actions import (
    dependants,
    journal as frame,
    preferences,
    records,
    states,
    undo,
    write,
)
from rapport.actions.undo import CannotUndo, NotYours
from rapport.meta.entity import Draft
from rapport.meta.ids import new_id
from rapport.meta.kinds import Kind
from rapport.meta.registry import registry
from rapport.models import Account, Change, Contact, KeyRing, MatchKey, Operation, User
from rapport.models.journal import OperationState
from tests import factories, journal

ACCOUNT, CONTACT = registry["account"], registry["contact"]


def change(record, by, **values):
    """One update of a contact."""
    return records.update_record(CONTACT, record.pk, values, by=by)


def conflicts(undone):
    return [(c.field, c.reason) for c in undone.conflicts]


# -- a field --------------------------------------------------------------------------------------


def test_changed_field_goes_back(alice):
    contact = factories.make_contact(owner=alice, job_title="Buyer", last_name="Stone")
    op = change(contact, alice, job_title="CEO", last_name="Hill")
    back, undone = undo.undo(op, by=alice)

    contact.refresh_from_db()
    assert (contact.job_title, contact.full_name) == ("Buyer", "Chris Stone")
    assert (contact.version, undone.restored, undone.conflicts) == (3, 1, [])
    assert journal.changes(back) == [("contact", "update", contact.pk)]


def test_newer_value_stays_and_is_listed(alice):
    contact = factories.make_contact(owner=alice, job_title="Buyer", department="Mill")
    first = change(contact, alice, job_title="CEO", department="Board")
    change(contact, alice, job_title="Chair")
    _, undone = undo.undo(first, by=alice)

    contact.refresh_from_db()
    assert (contact.job_title, contact.department) == ("Chair", "Mill")
    assert conflicts(undone) == [("job_title", "Job title has been changed since.")]


def test_value_that_was_changed_and_changed_back_is_no_conflict(alice):
    contact = factories.make_contact(owner=alice, job_title="Buyer")
    first = change(contact, alice, job_title="CEO")
    change(contact, alice, job_title="Chair")
    change(contact, alice, job_title="CEO")
    _, undone = undo.undo(first, by=alice)

    contact.refresh_from_db()
    assert (contact.job_title, undone.conflicts) == ("Buyer", [])


def test_change_of_a_deleted_record_is_a_conflict(alice):
    contact = factories.make_contact(owner=alice)
    op = change(contact, alice, job_title="CEO")
    records.delete_records(CONTACT, [contact.pk], by=alice)
    _, undone = undo.undo(op, by=alice)

    assert conflicts(undone) == [("", "It has been deleted since.")]


def test_link_does_not_go_back_to_what_is_gone(alice):
    company = factories.make_account(owner=alice)
    contact = factories.make_contact(owner=alice, account=company, job_title="Buyer")
    op = change(contact, alice, account=None, job_title="CEO")
    records.delete_records(ACCOUNT, [company.pk], by=alice)
    _, undone = undo.undo(op, by=alice)

    contact.refresh_from_db()
    assert (contact.account_id, contact.job_title) == (None, "Buyer")
    assert conflicts(undone) == [("account", "What Company name named is gone.")]


def test_record_changed_twice_in_one_operation_goes_all_the_way_back(alice):
    contact = factories.make_contact(owner=alice, job_title="Buyer")
    with frame.operation("test", by=alice) as op:
        for title in ("CEO", "Chair"):
            records.update_records(CONTACT, [contact.pk], {}, by=alice)
            current = records.get_for(CONTACT, [contact.pk], by=alice, verb="write")[contact.pk]
            draft = Draft(id=contact.pk, values={"job_title": title}, current=current)
            records.save_drafts(CONTACT, [draft], op=op, by=alice, now=op.started_at)
    undo.undo(op, by=alice)

    contact.refresh_from_db()
    assert contact.job_title == "Buyer"


def test_closed_record_opens_again(alice):
    contact = factories.make_contact(owner=alice)
    outcome = states.deactivate("contact", [contact.pk], by=alice)
    undo.undo(outcome.operation, by=alice)

    contact.refresh_from_db()
    assert (contact.state, contact.status) == (0, 1)


# -- a create -------------------------------------------------------------------------------------


def created(alice):
    id_ = records.create_record(CONTACT, {"last_name": "Stone"}, by=alice)
    return Contact.objects.get(pk=id_), journal.last()


def test_created_record_goes(alice):
    _, op = created(alice)
    _, undone = undo.undo(op, by=alice)

    assert (Contact.objects.count(), undone.removed, undone.conflicts) == (0, 1, [])


def test_created_record_that_was_changed_stays(alice):
    contact, op = created(alice)
    change(contact, alice, fax="1")
    _, undone = undo.undo(op, by=alice)

    assert (Contact.objects.count(), undone.removed) == (1, 0)
    assert conflicts(undone) == [("", "It has been changed since.")]


def test_created_record_goes_when_its_change_was_undone(alice):
    contact, op = created(alice)
    undo.undo(change(contact, alice, fax="1"), by=alice)
    _, undone = undo.undo(op, by=alice)

    assert (Contact.objects.count(), undone.conflicts) == (0, [])


def test_created_record_stays_when_the_undo_of_its_change_was_undone(alice):
    contact, op = created(alice)
    back, _ = undo.undo(change(contact, alice, fax="1"), by=alice)
    undo.undo(back, by=alice)
    _, undone = undo.undo(op, by=alice)

    assert conflicts(undone) == [("", "It has been changed since.")]


def test_created_record_stays_when_its_change_was_undone_in_part(alice):
    contact, op = created(alice)
    first = change(contact, alice, job_title="CEO")
    second = change(contact, alice, job_title="Chair")
    undo.undo(first, by=alice)
    undo.undo(second, by=alice)
    _, undone = undo.undo(op, by=alice)

    contact.refresh_from_db()
    assert (contact.job_title, conflicts(undone)) == (
        "CEO", [("", "It has been changed since.")],
    )  # fmt: skip


# As with few records, and as with many.
however_many = pytest.mark.parametrize("many", [dependants.MANY, 1])


@however_many
def test_created_record_that_others_point_at_stays(alice, many, monkeypatch):
    monkeypatch.setattr(dependants, "MANY", many)
    contact, op = created(alice)
    factories.make_note(owner=alice, regarding=contact)
    _, undone = undo.undo(op, by=alice)

    assert (Contact.objects.count(), conflicts(undone)) == (1, [("", "Note points at it.")])


def test_records_that_point_at_each_other_go_together(alice):
    top, middle, bottom = new_id(), new_id(), new_id()
    with frame.operation("test", by=alice) as op:
        drafts = [
            Draft(id=top, values={"name": "Top"}),
            Draft(id=middle, values={"name": "Middle", "parent_account": top}),
            Draft(id=bottom, values={"name": "Bottom", "parent_account": middle}),
        ]
        records.save_drafts(ACCOUNT, drafts, op=op, by=alice, now=op.started_at, trusted=True)
    _, undone = undo.undo(op, by=alice)

    assert (Account.objects.count(), undone.removed, undone.conflicts) == (0, 3, [])


@however_many
def test_record_below_which_one_must_stay_stays(alice, many, monkeypatch):
    monkeypatch.setattr(dependants, "MANY", many)
    top, middle, bottom = new_id(), new_id(), new_id()
    with frame.operation("test", by=alice) as op:
        drafts = [
            Draft(id=top, values={"name": "Top"}),
            Draft(id=middle, values={"name": "Middle", "parent_account": top}),
            Draft(id=bottom, values={"name": "Bottom"}),
        ]
        records.save_drafts(ACCOUNT, drafts, op=op, by=alice, now=op.started_at, trusted=True)
    factories.make_contact(owner=alice, account=Account.objects.get(pk=middle))
    undo.undo(op, by=alice)

    assert set(Account.objects.values_list("pk", flat=True)) == {top, middle}


def test_user_who_has_done_something_stays(admin):
    newcomer = factories.make_user()
    op = journal.last()
    records.create_record(CONTACT, {"last_name": "Stone"}, by=newcomer)
    _, undone = undo.undo(op, by=admin)

    assert User.objects.filter(pk=newcomer.pk).exists()
    assert [c.entity for c in undone.conflicts] == ["user"]


@pytest.mark.parametrize("stamp", ["created_by", "modified_by"])
def test_user_whom_a_record_names_as_its_maker_stays(stamp, admin, alice):
    newcomer = factories.make_user()
    op = journal.last()
    contact = factories.make_contact(owner=alice)
    Contact.objects.filter(pk=contact.pk).update(**{stamp: newcomer})
    _, undone = undo.undo(op, by=admin)

    assert User.objects.filter(pk=newcomer.pk).exists()
    assert conflicts(undone) == [("", "Contact points at it.")]


@however_many
def test_user_who_has_chosen_something_stays(admin, many, monkeypatch):
    monkeypatch.setattr(dependants, "MANY", many)
    newcomer = factories.make_user()
    op = journal.last()
    preferences.put(newcomer, "theme", "dark")
    _, undone = undo.undo(op, by=admin)

    assert User.objects.filter(pk=newcomer.pk).exists()
    assert conflicts(undone) == [("", "preference points at it.")]


def test_user_who_has_done_nothing_goes_and_leaves_no_password_behind(admin):
    newcomer = factories.make_user(password="correct horse battery")
    back, _ = undo.undo(journal.last(), by=admin)

    assert not User.objects.filter(pk=newcomer.pk).exists()
    assert "password" not in Change.objects.get(operation=back, record=newcomer.pk).before

    undo.undo(back, by=admin)
    assert not User.objects.get(pk=newcomer.pk).check_password("correct horse battery")


# -- a delete -------------------------------------------------------------------------------------


def test_record_that_is_there_again_is_a_conflict(alice):
    contact = factories.make_contact(owner=alice)
    op = records.delete_records(CONTACT, [contact.pk], by=alice)
    undo.restore_record(op.changes.get().pk, by=alice)
    _, undone = undo.undo(op, by=alice)

    assert conflicts(undone) == [("", "It is there already.")]


def test_record_whose_makers_are_gone_returns_without_them(admin, alice):
    newcomer = factories.make_user()
    made = journal.last()
    contact = factories.make_contact(owner=alice)
    Contact.objects.filter(pk=contact.pk).update(created_by=newcomer, modified_by=newcomer)
    op = records.delete_records(CONTACT, [contact.pk], by=alice)
    undo.undo(made, by=admin)
    _, undone = undo.undo(op, by=alice)

    back = Contact.objects.get(pk=contact.pk)
    assert (back.created_by_id, back.modified_by_id) == (None, None)
    assert [c.field for c in undone.conflicts] == ["created_by", "modified_by"]


# -- anything -------------------------------------------------------------------------------------


def test_operation_is_undone_once(alice):
    _, op = created(alice)
    undo.undo(op, by=alice)

    with pytest.raises(CannotUndo):
        undo.undo(op, by=alice)


def test_operation_undone_again_after_redo_is_not_undone_a_third_time(alice):
    contact = factories.make_contact(owner=alice, job_title="Buyer")
    op = change(contact, alice, job_title="CEO")
    back, _ = undo.undo(op, by=alice)
    redo, _ = undo.undo(back, by=alice)
    undo.undo(redo, by=alice)

    with pytest.raises(CannotUndo):
        undo.undo(op, by=alice)


def test_running_operation_is_not_undone(alice):
    op = frame.begin("import", by=alice)

    with pytest.raises(CannotUndo):
        undo.undo(op, by=alice)


def test_undo_that_runs_keeps_others_away(alice):
    _, op = created(alice)
    undo.begin(op, by=alice)

    with pytest.raises(CannotUndo):
        undo.undo(op, by=alice)


def test_failed_undo_can_be_tried_again(alice):
    _, op = created(alice)
    frame.finish(undo.begin(op, by=alice), OperationState.FAILED)
    undo.undo(op, by=alice)

    assert Contact.objects.count() == 0


def test_undo_needs_write_access_to_every_record(alice, bob):
    mine, other = factories.make_contact(owner=alice), factories.make_contact(owner=bob)
    both = [mine.pk, other.pk]
    outcome = records.update_records(CONTACT, both, {"fax": "1"}, by=factories.SETUP)

    for user in (alice, bob):
        with pytest.raises(NotYours):
            undo.undo(outcome.operation, by=user)
    assert Contact.objects.filter(fax="1").count() == 2


def test_reader_undoes_nothing(alice):
    _, op = created(alice)
    reader = factories.make_user(roles=("read-only",))

    with pytest.raises(NotYours):
        undo.undo(op, by=reader)


def test_preview_says_what_undo_would_do_and_does_nothing(alice):
    contact = factories.make_contact(owner=alice, job_title="Buyer", department="Mill")
    op = change(contact, alice, job_title="CEO", department="Board")
    change(contact, alice, job_title="Chair")
    before = journal.operations()
    found = undo.preview(op, by=alice)

    contact.refresh_from_db()
    assert (found.restored, conflicts(found)) == (
        1, [("job_title", "Job title has been changed since.")],
    )  # fmt: skip
    assert (contact.job_title, contact.department, contact.version) == ("Chair", "Board", 3)
    assert journal.operations() == before


def test_preview_is_for_those_who_may(alice, bob):
    _, op = created(alice)

    with pytest.raises(NotYours):
        undo.preview(op, by=bob)


def test_conflicts_are_kept_with_the_undo(alice):
    contact = factories.make_contact(owner=alice)
    op = change(contact, alice, job_title="CEO")
    change(contact, alice, job_title="Chair")
    back, _ = undo.undo(op, by=alice)

    assert Operation.objects.get(pk=back.pk).parameters == {
        "kind": "contact.update",
        "conflicts": [
            {"entity": "contact", "record": str(contact.pk), "field": "job_title",
             "reason": "Job title has been changed since."},
        ],
    }  # fmt: skip


@pytest.mark.parametrize("size", [1, 2, 500])
def test_batches_of_any_size_undo_the_same(size, alice):
    contacts = [factories.make_contact(owner=alice, department="Mill") for _ in range(3)]
    ids = [contact.pk for contact in contacts]
    outcome = records.update_records(CONTACT, ids, {"department": "Board"}, by=alice)
    undone = undo.Undone()
    back = undo.begin(outcome.operation, by=alice)
    place = undo.advance(back, undone, by=alice, size=size)
    while place is not None:
        place = undo.advance(back, undone, by=alice, size=size, before=place)

    assert set(Contact.objects.values_list("department", flat=True)) == {"Mill"}
    assert (undone.restored, back.counts) == (3, {"updated": 3})


def long(alice):
    """A long operation, which stores each of its changes at once."""
    return frame.begin("import", by=alice)


def save(op, id_, **values):
    """What `op` does to a contact."""
    current = write.load(CONTACT, [id_]).get(id_)
    owner = {} if current else {"owner": op.user_id}
    drafts = [Draft(id=id_, values={**values, **owner}, current=current)]
    records.save_drafts(CONTACT, drafts, op=op, by=op.user, now=timezone.now())


def test_record_that_came_and_went_and_came_goes(alice):
    op, id_ = long(alice), new_id()
    save(op, id_, last_name="Stone")
    write.delete(CONTACT, [id_], op=op, now=timezone.now())
    save(op, id_, last_name="Hill")
    frame.finish(op)
    _, undone = undo.undo(op, by=alice)

    assert (Contact.objects.count(), undone.conflicts) == (0, [])
    assert (undone.removed, undone.returned) == (2, 1)


def test_change_amid_those_of_a_long_operation_stays(alice):
    first, second = (factories.make_contact(owner=alice, department="Mill") for _ in range(2))
    op = long(alice)
    save(op, first.pk, department="Board")
    change(first, alice, department="Yard")
    save(op, second.pk, department="Board")
    frame.finish(op)
    _, undone = undo.undo(op, by=alice)

    found = Contact.objects.order_by("pk").values_list("department", flat=True)
    assert (list(found), len(undone.conflicts)) == (["Yard", "Mill"], 1)


def test_rows_of_which_each_has_what_the_others_lack_survive_the_way_through_the_journal(alice):
    """What they have in common is written down once, and what is blank in all of them not at all;
    both may be otherwise in the next batch."""
    full = {
        field.name: f"{field.name}}}"[: field.max_length]
        for field in ACCOUNT.fields.values()
        if field.kind is Kind.TEXT and not field.read_only
    }
    op = long(alice)
    for values in ({}, full, {"name": "x"}, {"credit_hold": True}, {"employees": 0}, full):
        drafts = [Draft(id=new_id(), values={"name": "Mill", "owner": alice.pk, **values})]
        records.save_drafts(ACCOUNT, drafts, op=op, by=alice, now=timezone.now())
    frame.finish(op)
    before = list(Account.objects.order_by("pk").values())

    undone, back = undo.Undone(), undo.begin(op, by=alice)
    place = undo.advance(back, undone, by=alice, size=1)
    while place is not None:
        place = undo.advance(back, undone, by=alice, size=2, before=place)
    frame.finish(back)
    left = Account.objects.count()
    undo.undo(back, by=alice)

    after = list(Account.objects.order_by("pk").values())
    for row in after:
        row["version"] -= 1
    assert (left, after) == (0, before)


def test_all_values_survive_the_way_through_the_journal(alice):
    """What a deletion writes down is written by the database."""
    nasty = 'a"b\\c}{\n\t%s \u2028 Ærø 😀 }'
    values = {
        "name": nasty,
        "annual_revenue": Decimal("1234567890123.10"),
        "market_capitalization": Decimal("0.05"),
        "credit_hold": True,
        "employees": 0,
        "industry": 3,
    }
    company = records.create_record(ACCOUNT, values, by=alice)
    first = journal.last()
    person = {"last_name": "x", "birthday": datetime.date(1970, 1, 2), "account": company}
    records.create_record(CONTACT, person, by=alice)
    tables = (Account, Contact, MatchKey, KeyRing)
    before = [list(model.objects.order_by("pk").values()) for model in tables]

    gone = [undo.undo(op, by=alice)[0] for op in (journal.last(), first)]
    left = (Account.objects.count(), Contact.objects.count())
    for back in reversed(gone):
        undo.undo(back, by=alice)

    after = [list(model.objects.order_by("pk").values()) for model in tables]
    for row in (*after[0], *after[1]):
        row["version"] -= 1
    assert (left, after) == ((0, 0), before)
