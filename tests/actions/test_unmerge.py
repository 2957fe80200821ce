"""Un-merge: the undo of a merge brings everything back, whatever happened meanwhile."""

import json

import pytest
from django.apps import apps

from rapport.actions import journal as frame, merge, records, states, undo, upkeep
from rapport.actions.sweep import LEAST
from rapport.actions.undo import CannotUndo, NotYours
from rapport.meta.kinds import Kind
from rapport.meta.registry import registry
from rapport.models import Account, Change, Contact
from rapport.queries import moved
from tests import factories

ACCOUNT, CONTACT = registry["account"], registry["contact"]
MERGEABLE = [entity for entity in registry if entity.mergeable]
# What an undo is known to leave its mark on, and what tells of it.
STAMPS = {"version", "modified_at", "modified_by_id"}
TELLING = {"Change", "Operation", "SearchQueue"}


def tables():
    """All rows of all tables, without what says when they were written."""
    upkeep.drain_queue(100_000)
    found = {}
    for model in apps.get_app_config("rapport").get_models():
        if model.__name__ in TELLING:
            continue
        names = [c.attname for c in model._meta.concrete_fields if c.attname not in STAMPS]
        found[model.__name__] = sorted(map(repr, model._default_manager.values_list(*names)))
    return found


def hang_on(entity, record):
    """One row of each sort that can point at `record`, through each of its fields."""
    for other in registry:
        for field in other.fields.values():
            if not registry.leads_to(field, entity) or other.name not in factories.MINIMAL:
                continue
            value = factories.ref(record) if field.kind is Kind.POINTER else record
            factories.make(other.name, **{field.name: value})
    factories.make("saved_view", definition=json.dumps({"where": [str(record.pk)]}))


def family(entity, number, owner):
    """Records that differ, and name each other where they can, with everything on each of them."""
    made = []
    for place in range(number):
        links = {entity.hierarchy: made[-1]} if entity.hierarchy and made else {}
        texts = {"email": f"x{place}@stone.example", "description": "So " * place, **links}
        made.append(factories.make(entity.name, owner=owner, **texts))
    for record in made:
        hang_on(entity, record)
    return made


@pytest.mark.parametrize("number", [2, 5])
@pytest.mark.parametrize("mergeable", MERGEABLE, ids=lambda entity: entity.name)
def test_right_after_the_merge_every_table_is_as_before(admin, mergeable, number):
    made = family(mergeable, number, factories.make_user())
    before = tables()
    op = merge.merge(mergeable, [one.pk for one in made], by=admin)
    merged = tables()
    _, undone = undo.undo(op, by=admin)

    assert undone.conflicts == []
    assert tables() == before != merged
    assert mergeable.records().filter(pk__in=[one.pk for one in made]).count() == number


@pytest.mark.parametrize("mergeable", MERGEABLE, ids=lambda entity: entity.name)
def test_merge_again_is_as_merged(admin, mergeable):
    made = family(mergeable, 3, factories.make_user())
    op = merge.merge(mergeable, [one.pk for one in made], by=admin)
    merged = tables()
    back, _ = undo.undo(op, by=admin)
    _, undone = undo.undo(back, by=admin)

    assert (undone.conflicts, tables()) == ([], merged)
    assert {moved.moved(mergeable, one.pk) for one in made} - {None} == {
        mergeable.records().filter(pk__in=[one.pk for one in made]).get().pk
    }


# -- after further edits ---------------------------------------------------------------------------


@pytest.fixture
def pair(alice):
    """Two companies of Alice's; a contact and a task with the one that goes."""
    first = factories.make_account(owner=alice, name="Stone Ltd")
    second = factories.make_account(owner=alice, name="Stone", number="8")
    contact = factories.make_contact(owner=alice, account=second)
    task = factories.make_task(owner=alice, regarding=second)
    return first, second, contact, task


def merged(by, *records_):
    return merge.merge(ACCOUNT, [one.pk for one in records_], by=by, master=records_[0].pk)


def test_later_edits_stay_and_untouched_pointers_go_back(alice, pair):
    first, second, contact, task = pair
    op = merged(alice, first, second)
    third = factories.make_account(owner=alice)
    records.update_record(ACCOUNT, first.pk, {"number": "9", "fax": "1"}, by=alice)
    records.update_record(CONTACT, contact.pk, {"account": third.pk}, by=alice)
    records.update_record(registry["task"], task.pk, {"subject": "Call"}, by=alice)
    _, undone = undo.undo(op, by=alice)

    for record in (first, second, contact, task):
        record.refresh_from_db()
    assert (first.number, first.fax, second.number) == ("9", "1", "8")
    assert (contact.account_id, task.account_id, task.subject) == (third.pk, second.pk, "Call")
    assert sorted((c.entity, c.field) for c in undone.conflicts) == [
        ("account", "number"), ("contact", "account"),
    ]  # fmt: skip


def test_child_that_is_gone_is_a_conflict(alice, pair):
    first, second, contact, _task = pair
    op = merged(alice, first, second)
    records.delete_records(CONTACT, [contact.pk], by=alice)
    _, undone = undo.undo(op, by=alice)

    assert [(c.record, c.reason) for c in undone.conflicts] == [
        (contact.pk, "It has been deleted since.")
    ]
    assert Account.objects.count() == 2


def test_merge_that_others_stand_on_waits_for_theirs(alice, pair):
    first, second, contact, _task = pair
    third = factories.make_account(owner=alice, name="Rock")
    older = merged(alice, first, second)
    newer = merged(alice, third, first)
    with pytest.raises(CannotUndo, match=r"“Stone Ltd” was itself merged .* undo that first"):
        undo.undo(older, by=alice)
    undo.undo(newer, by=alice)
    _, undone = undo.undo(older, by=alice)

    contact.refresh_from_db()
    assert (undone.conflicts, contact.account_id) == ([], second.pk)


def test_second_merge_into_the_same_record_does_not_matter(alice, pair):
    first, second, contact, _task = pair
    third = factories.make_account(owner=alice, fax="3")
    older = merged(alice, first, second)
    merged(alice, first, third)
    _, undone = undo.undo(older, by=alice)

    first.refresh_from_db()
    contact.refresh_from_db()
    assert (undone.conflicts, first.fax, contact.account_id) == ([], "3", second.pk)
    assert moved.moved(ACCOUNT, third.pk) == first.pk
    assert moved.moved(ACCOUNT, second.pk) is None
    assert set(moved.absorbed(ACCOUNT, first.pk)) == {third.pk}


def test_child_does_not_go_back_below_what_stands_below_it_by_now(alice):
    top, first = (factories.make_account(owner=alice) for _ in range(2))
    second = factories.make_account(owner=alice, parent_account=top)
    child = factories.make_account(owner=alice, parent_account=second)
    chosen = {"parent_account": first.pk}
    op = merge.merge(ACCOUNT, [first.pk, second.pk], by=alice, master=first.pk, values=chosen)
    records.update_record(ACCOUNT, top.pk, {"parent_account": child.pk}, by=alice)
    _, undone = undo.undo(op, by=alice)

    child.refresh_from_db()
    assert child.parent_account_id == first.pk
    assert [(c.record, c.field) for c in undone.conflicts] == [(child.pk, "parent_account")]


def test_who_merged_takes_it_back_though_others_own_what_followed(alice, bob, charlie, pair):
    first, second, *_ = pair
    theirs = factories.make_contact(owner=charlie, account=second)
    op = merged(alice, first, second)
    with pytest.raises(NotYours):
        undo.undo(op, by=bob)
    undo.undo(op, by=alice)

    theirs.refresh_from_db()
    assert theirs.account_id == second.pk


def test_main_record_is_taken_apart_by_who_may_change_it(alice, bob, admin):
    first, second = (factories.make_account(owner=owner) for owner in (alice, bob))
    op = merged(admin, first, second)
    with pytest.raises(NotYours):
        undo.undo(op, by=bob)


# -- many at once ----------------------------------------------------------------------------------


def test_many_rows_go_back_at_once_and_those_that_changed_one_by_one(alice, pair):
    first, second, *_ = pair
    people = [factories.make_contact(owner=alice, account=second) for _ in range(LEAST)]
    op = merged(alice, first, second)
    gone, elsewhere, renamed = people[:3]
    records.delete_records(CONTACT, [gone.pk], by=alice)
    records.update_record(CONTACT, elsewhere.pk, {"account": None}, by=alice)
    records.update_record(CONTACT, renamed.pk, {"fax": "1"}, by=alice)
    looked = undo.preview(op, by=alice)
    back, undone = undo.undo(op, by=alice)

    assert {(c.record, c.field) for c in undone.conflicts} == {
        (gone.pk, ""), (elsewhere.pk, "account"),
    }  # fmt: skip
    assert (looked.restored, looked.conflicts) == (undone.restored, undone.conflicts)
    assert Contact.objects.filter(account=second).count() == LEAST - 1
    assert back.counts == {"created": 1, "updated": LEAST - 1 + 2}
    versions = dict(Contact.objects.values_list("pk", "version"))
    told = Change.objects.filter(operation_id=back.pk, entity="contact")
    assert {change.record: change.version for change in told} == {
        pk: version for pk, version in versions.items() if pk != elsewhere.pk
    }


def test_bulk_edit_goes_back_at_once(alice):
    people = [factories.make_contact(owner=alice, role=1) for _ in range(LEAST)]
    outcome = records.update_records(CONTACT, [p.pk for p in people], {"role": 2}, by=alice)
    records.update_record(CONTACT, people[0].pk, {"role": 3}, by=alice)
    _, undone = undo.undo(outcome.operation, by=alice)

    assert [(c.record, c.field) for c in undone.conflicts] == [(people[0].pk, "role")]
    assert sorted(Contact.objects.values_list("role", flat=True)) == [1] * (LEAST - 1) + [3]
    assert states.deactivate("contact", [people[1].pk], by=alice).done


def test_many_that_were_changed_twice_go_all_the_way_back(alice):
    people = [factories.make_contact(owner=alice, role=1).pk for _ in range(LEAST)]
    with frame.spanning() as span:
        for role in (2, 3):
            records.update_records(CONTACT, people, {"role": role}, by=alice)
    frame.finish(span.op)
    _, undone = undo.undo(span.op, by=alice)

    assert undone.conflicts == []
    assert set(Contact.objects.values_list("role", flat=True)) == {1}


def test_many_do_not_go_back_to_what_is_gone(alice):
    old, new = (factories.make_account(owner=alice) for _ in range(2))
    people = [factories.make_contact(owner=alice, account=old).pk for _ in range(LEAST)]
    outcome = records.update_records(CONTACT, people, {"account": new.pk}, by=alice)
    records.delete_records(ACCOUNT, [old.pk], by=alice)
    _, undone = undo.undo(outcome.operation, by=alice)

    assert {c.reason for c in undone.conflicts} == {"What Company name named is gone."}
    assert (len(undone.conflicts), Contact.objects.filter(account=new).count()) == (LEAST, LEAST)


def test_many_children_do_not_go_back_in_a_circle(alice):
    top, old, new = (factories.make_account(owner=alice) for _ in range(3))
    children = [factories.make_account(owner=alice, parent_account=old).pk for _ in range(LEAST)]
    outcome = records.update_records(ACCOUNT, children, {"parent_account": new.pk}, by=alice)
    records.update_record(ACCOUNT, top.pk, {"parent_account": children[0]}, by=alice)
    records.update_record(ACCOUNT, old.pk, {"parent_account": top.pk}, by=alice)
    _, undone = undo.undo(outcome.operation, by=alice)

    assert [(c.record, c.field) for c in undone.conflicts] == [(children[0], "parent_account")]
    assert Account.objects.filter(parent_account=old).count() == LEAST - 1
