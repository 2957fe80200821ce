"""Merge: which record stays, which values, what follows, who may, and what old links lead to."""

import json
import uuid

import pytest

from rapport.access import Forbidden
from rapport.actions import journal as frame, merge, records, shares, states, visits
from rapport.actions.merge import CannotMerge
from rapport.actions.records import RecordNotFound, StaleRecord
from rapport.meta.kinds import Ref
from rapport.meta.registry import registry
from rapport.models import Account, Contact, Share, User
from rapport.models.people import Depth
from rapport.queries import history, moved, one, recent, timeline
from rapport.queries.query import Condition, Group, Query, dumps
from tests import factories, journal

ACCOUNT, CONTACT, LEAD = registry["account"], registry["contact"], registry["lead"]


def ids(*records_):
    return [record.pk for record in records_]


def choice(plan, name):
    return next(one for one in plan.fields if one.field == name)


def plan_of(by, *records_, **options):
    entity = registry[type(records_[0]).__name__.lower()]
    return merge.plan(entity, ids(*records_), by=by, **options)


@pytest.fixture
def pair(alice):
    """Two companies of Alice's that are one; the first has more to say."""
    first = factories.make_account(
        owner=alice, name="Stone Ltd", number="7", email="a@stone.example"
    )
    return first, factories.make_account(owner=alice, name="Stone", email="b@stone.example")


# -- the record that stays -------------------------------------------------------------------------


def test_record_on_which_most_hangs_stays(alice, pair):
    first, second = pair
    factories.make_contact(owner=alice, account=second)
    plan = plan_of(alice, first, second)

    assert (plan.master, plan.losers) == (second.pk, (first.pk,))
    assert plan.why == "the one with the most related records: 1"


def test_most_complete_record_stays(alice, pair):
    first, second = pair
    plan = plan_of(alice, second, first)

    assert plan.master == first.pk
    assert plan.why == "the most complete one: 4 fields are filled in"


def test_oldest_of_equal_ones_stays(alice):
    first, second = (factories.make_account(owner=alice) for _ in range(2))

    assert (plan_of(alice, second, first).master, plan_of(alice, second, first).why) == (
        first.pk,
        "the oldest one",
    )


def test_open_record_stays_and_closed_ones_are_named(alice, pair):
    first, second = pair
    states.deactivate("account", [first.pk], by=alice)
    plan = plan_of(alice, first, second)

    assert (plan.master, plan.why) == (second.pk, "the active one")
    assert plan.warnings == ("“Stone Ltd” is closed: Inactive.",)


def test_person_chooses_who_stays(alice, pair):
    first, second = pair
    plan = plan_of(alice, first, second, master=second.pk)

    assert (plan.master, plan.why) == (second.pk, "your choice")


# -- values ----------------------------------------------------------------------------------------


def test_main_record_keeps_its_values_and_others_fill_its_blanks(alice):
    first = factories.make_contact(
        owner=alice, last_name="Stone", job_title="Buyer", email="a@b.example"
    )
    second = factories.make_contact(
        owner=alice, last_name="Stone", job_title="CEO", department="Mill"
    )
    plan = plan_of(alice, first, second, master=first.pk)

    assert (choice(plan, "job_title").chosen, choice(plan, "job_title").why) == (
        first.pk,
        "of the main record",
    )
    assert choice(plan, "job_title").lost == (second.pk,)
    assert (choice(plan, "department").chosen, choice(plan, "department").why) == (
        second.pk,
        "the only value",
    )
    assert choice(plan, "last_name").why == "the same in all"
    assert [one.field for one in plan.lost] == ["job_title"]


def test_what_every_new_record_has_gives_way(alice):
    first, second = (
        factories.make_account(owner=alice, preferred_contact_method=n) for n in (1, 2)
    )
    plan = plan_of(alice, first, second, master=first.pk)

    assert choice(plan, "preferred_contact_method").chosen == second.pk


def test_who_asked_not_to_be_phoned_is_not_phoned(alice):
    first, second = (factories.make_account(owner=alice, do_not_phone=no) for no in (False, True))
    merge.merge(ACCOUNT, ids(first, second), by=alice, master=first.pk)

    assert Account.objects.get().do_not_phone is True


def test_newest_of_several_wins_where_the_main_record_has_none(alice):
    first, second, third = (factories.make_contact(owner=alice) for _ in range(3))
    for contact, title in ((third, "Chair"), (second, "CEO")):
        records.update_record(CONTACT, contact.pk, {"job_title": title}, by=alice)
    found = choice(plan_of(alice, first, second, third, master=first.pk), "job_title")

    assert (found.chosen, found.why, found.lost) == (second.pk, "the newest one", (third.pk,))


def test_what_a_mailbox_brought_is_named(alice):
    first, second, third = (factories.make_contact(owner=alice) for _ in range(3))
    records.update_record(CONTACT, second.pk, {"job_title": "CEO"}, by=alice)
    with frame.spanning(), frame.operation("exchange.sync", by=alice):
        records.update_record(CONTACT, third.pk, {"job_title": "Chair"}, by=alice)
    found = choice(plan_of(alice, first, second, third, master=first.pk), "job_title")

    assert (found.chosen, found.why) == (third.pk, "the newest one, from Exchange")


def test_most_complete_text_wins(alice):
    first, second, third = (
        factories.make_contact(owner=alice, description=text)
        for text in ("", "Met at the fair, likes tea", "the fair")
    )
    found = choice(plan_of(alice, first, second, third, master=first.pk), "description")

    assert (found.chosen, found.why, found.lost) == (second.pk, "the most complete one", ())


def test_address_is_chosen_as_a_whole(alice):
    first = factories.make_account(owner=alice, address1_city="Bonn")
    second = factories.make_account(owner=alice, address1_city="Bonn", address1_line1="Markt 1")
    third = factories.make_account(owner=alice, address1_city="Kiel", address1_line1="Hafen 2")
    plan = plan_of(alice, first, second, third, master=first.pk)
    found = choice(plan, "address1")

    assert (found.chosen, found.why) == (second.pk, "the most complete one")
    assert (found.kept, found.lost) == ({third.pk: "address2"}, ())
    assert (plan.values["address2_line1"], plan.values["address2_city"]) == ("Hafen 2", "Kiel")


def test_other_value_is_kept_in_a_free_second_field(alice):
    one_, two, three, four = (
        factories.make_account(
            owner=alice, email=f"{n}@stone.example", main_phone=f"0228 55{n}{n}{n}{n}"
        )
        for n in range(4)
    )
    plan = plan_of(alice, one_, two, three, four, master=one_.pk)
    found = choice(plan, "email")

    assert found.kept == {two.pk: "email2", three.pk: "email3"}
    assert found.lost == (four.pk,)
    assert plan.values["other_phone"] == "0228 551111"


def test_value_that_is_there_already_is_not_kept_twice(alice):
    first = factories.make_account(
        owner=alice, email="a@stone.example", email2="B@stone.example", main_phone="+49 228 5555555"
    )
    second = factories.make_account(owner=alice, email="b@stone.example", main_phone="0228/5555555")
    plan = plan_of(alice, first, second, master=first.pk)

    assert (choice(plan, "email").kept, choice(plan, "email").lost) == ({}, ())
    assert (choice(plan, "main_phone").differs, plan.values["other_phone"]) == (False, "")


def test_person_chooses_values(alice, pair):
    first, second = pair
    chosen = {"name": second.pk, "email": second.pk}
    merge.merge(ACCOUNT, ids(first, second), by=alice, master=first.pk, values=chosen)

    account = Account.objects.get()
    assert (account.pk, account.name, account.number) == (first.pk, "Stone", "7")
    assert (account.email, account.email2) == ("b@stone.example", "a@stone.example")


def test_amounts_in_two_currencies_are_named(alice):
    first = factories.make_account(owner=alice, currency="EUR", annual_revenue=5)
    second = factories.make_account(owner=alice, currency="USD", credit_limit=6)

    assert (
        "The chosen amounts are in different currencies." in plan_of(alice, first, second).warnings
    )


# -- what follows ----------------------------------------------------------------------------------


def test_everything_follows_and_is_counted(alice, pair):
    first, second = pair
    contact = factories.make_contact(owner=alice, account=second)
    deal = factories.make_opportunity(owner=alice, account=second)
    task = factories.make_task(owner=alice, regarding=second)
    note = factories.make_note(owner=alice, regarding=second)
    plan = plan_of(alice, first, second, master=first.pk)
    op = merge.merge(ACCOUNT, ids(first, second), by=alice, master=first.pk)

    assert {entity.name: n for entity, n in plan.follow} == {
        "contact": 1, "opportunity": 1, "activity": 1, "note": 1,
    }  # fmt: skip
    for record in (contact, deal, task, note):
        record.refresh_from_db()
        assert (record.account_id, record.version) == (first.pk, 2)
    assert (task.regarding_id, note.regarding_id) == (first.pk, first.pk)
    assert journal.fields(op, task) == {
        "account": (str(second.pk), str(first.pk)),
        "regarding": (["account", str(second.pk)], ["account", str(first.pk)]),
    }
    assert op.counts == {"updated": 5, "deleted": 1}
    assert journal.changes(op)[-1] == ("account", "delete", second.pk)


def test_search_finds_who_followed_under_the_new_company(alice, pair):
    first, second = pair
    contact = factories.make_contact(owner=alice, account=second)
    merge.merge(ACCOUNT, ids(first, second), by=alice, master=first.pk)

    contact.refresh_from_db()
    assert "stone ltd" in contact.search_text


def test_history_stays_with_the_company_when_people_are_merged(alice):
    old, new = (factories.make_account(owner=alice) for _ in range(2))
    first, second = (factories.make_contact(owner=alice, account=a) for a in (new, old))
    task = factories.make_task(owner=alice, regarding=second)
    merge.merge(CONTACT, ids(first, second), by=alice, master=first.pk)

    task.refresh_from_db()
    assert (task.regarding_id, task.account_id) == (first.pk, old.pk)


def test_shares_of_both_become_one_with_all_rights(alice, bob, charlie, pair):
    first, second = pair
    shares.share_record(ACCOUNT, first.pk, charlie.pk, by=alice, verbs={"write"})
    shares.share_record(ACCOUNT, second.pk, charlie.pk, by=alice, verbs={"delete"})
    merge.merge(ACCOUNT, ids(first, second), by=alice, master=first.pk)

    share = Share.objects.get()
    assert (share.record_id, share.can_write, share.can_delete, share.can_share) == (
        first.pk, True, True, False,
    )  # fmt: skip


def test_personal_view_names_the_record_that_stays(alice, pair):
    first, second = pair
    where = Group((Condition("account", "in", [first.pk, second.pk]),))
    view = factories.make(
        "saved_view", owner=alice, entity="contact",
        definition=json.dumps(dumps(Query(entity="contact", where=where))),
    )  # fmt: skip
    merge.merge(ACCOUNT, ids(first, second), by=alice, master=first.pk)

    view.refresh_from_db()
    assert (view.definition.count(str(first.pk)), str(second.pk) in view.definition) == (1, False)


def test_owner_of_a_loser_keeps_seeing_what_stays(alice, charlie, admin):
    first, second = (factories.make_account(owner=owner) for owner in (alice, charlie))
    plan = plan_of(admin, first, second, master=first.pk)
    merge.merge(ACCOUNT, ids(first, second), by=admin, master=first.pk)

    share = Share.objects.get()
    assert (share.principal_id, share.can_write, share.can_delete) == (charlie.pk, True, False)
    assert "They have different owners: who owned one keeps seeing what stays." in plan.warnings


def test_owner_who_sees_it_anyway_gets_no_share(alice, bob, admin):
    first, second = (factories.make_account(owner=owner) for owner in (alice, bob))
    merge.merge(ACCOUNT, ids(first, second), by=admin, master=first.pk)

    assert Share.objects.count() == 0


# -- circles ---------------------------------------------------------------------------------------


def test_parent_that_is_merged_is_no_parent_any_more(alice):
    top = factories.make_account(owner=alice)
    first = factories.make_account(owner=alice, parent_account=top)
    second = factories.make_account(owner=alice, parent_account=first)
    plan = plan_of(alice, first, second, master=second.pk)
    merge.merge(ACCOUNT, ids(first, second), by=alice, master=second.pk)

    second.refresh_from_db()
    assert second.parent_account_id == top.pk
    assert "“Parent account” would lead in a circle: it is emptied where it does." in plan.warnings


def test_merge_makes_no_circle_through_others(alice):
    first = factories.make_account(owner=alice)
    between = factories.make_account(owner=alice, parent_account=first)
    second = factories.make_account(owner=alice, parent_account=between)
    for master in (first, second):
        assert plan_of(alice, first, second, master=master.pk).values["parent_account"] is None
    merge.merge(ACCOUNT, ids(first, second), by=alice, master=second.pk)

    second.refresh_from_db()
    between.refresh_from_db()
    assert (second.parent_account_id, between.parent_account_id) == (None, second.pk)


def test_people_who_report_to_each_other(alice):
    first, second = (factories.make_contact(owner=alice) for _ in range(2))
    records.update_record(CONTACT, first.pk, {"manager": second.pk}, by=alice)
    merge.merge(CONTACT, ids(first, second), by=alice, master=first.pk)

    assert Contact.objects.get().manager_id is None


def test_different_companies_are_named(alice):
    first, second = (
        factories.make_contact(owner=alice, account=factories.make_account(owner=alice))
        for _ in range(2)
    )

    assert plan_of(alice, first, second).warnings == ("They differ in “Company name”.",)


# -- who may, and what cannot be -------------------------------------------------------------------


@pytest.mark.parametrize("act", [merge.plan, merge.merge])
def test_invisible_and_forbidden_ones(act, alice, bob, charlie):
    mine, bobs, charlies = (factories.make_account(owner=owner) for owner in (alice, bob, charlie))
    with pytest.raises(RecordNotFound):
        act(ACCOUNT, ids(mine, charlies), by=alice)
    with pytest.raises(Forbidden):
        act(ACCOUNT, ids(mine, bobs), by=alice)
    shares.share_record(ACCOUNT, bobs.pk, alice.pk, by=bob, verbs={"write"})

    with pytest.raises(Forbidden):  # a share grants no merging
        act(
            ACCOUNT,
            ids(mine, bobs),
            by=User.objects.get(pk=alice.pk),
        )


def test_owner_is_chosen_by_who_may_assign(alice, admin, bob):
    first, second = (factories.make_account(owner=owner) for owner in (alice, bob))
    merge.merge(ACCOUNT, ids(first, second), by=admin, master=first.pk, values={"owner": second.pk})

    account = Account.objects.get()
    assert (account.owner_id, account.owning_unit_id) == (bob.pk, bob.business_unit_id)


def test_owner_stays_for_who_may_not_assign(alice):
    merger = factories.make_user(roles=())
    grants = {("account", verb): Depth.ALL for verb in ("read", "write", "merge")}
    factories.make_role(grants, merger)
    first, second = (factories.make_account(owner=owner) for owner in (alice, merger))
    with pytest.raises(Forbidden):
        merge.merge(
            ACCOUNT, ids(first, second), by=merger, master=first.pk, values={"owner": second.pk}
        )
    merge.merge(ACCOUNT, ids(first, second), by=merger, master=first.pk)

    assert Account.objects.get().owner_id == alice.pk


@pytest.mark.parametrize(
    ("entity", "number"), [("account", 1), ("account", 51), ("user", 2), ("opportunity", 2)]
)
def test_what_cannot_be_merged(entity, number, admin):
    made = [uuid.uuid4() for _ in range(number)]
    for act in (merge.plan, merge.merge):
        with pytest.raises(CannotMerge):
            act(registry[entity], made, by=admin)


def test_record_twice_is_one(alice, pair):
    with pytest.raises(CannotMerge):
        merge.plan(ACCOUNT, [pair[0].pk, pair[0].pk], by=alice)


def test_somebody_edited_meanwhile(alice, pair):
    plan = plan_of(alice, *pair)
    records.update_record(ACCOUNT, pair[1].pk, {"number": "8"}, by=alice)
    with pytest.raises(StaleRecord):
        merge.merge(ACCOUNT, plan.ids, by=alice, master=plan.master, expected=plan.versions)

    assert Account.objects.count() == 2


def test_who_edits_the_record_that_stays_is_told(alice, pair):
    first, second = pair
    merge.merge(ACCOUNT, ids(first, second), by=alice, master=first.pk)
    with pytest.raises(StaleRecord):
        records.update_record(ACCOUNT, first.pk, {"number": "9"}, by=alice, version=1)


# -- afterwards ------------------------------------------------------------------------------------


def test_old_id_leads_to_the_record_that_stayed_through_chains(alice):
    a, b, c, d = (factories.make_account(owner=alice) for _ in range(4))
    merge.merge(ACCOUNT, ids(a, b), by=alice, master=a.pk)
    merge.merge(ACCOUNT, ids(a, c), by=alice, master=c.pk)
    records.delete_records(ACCOUNT, [d.pk], by=alice)

    assert moved.all_moved(ACCOUNT, ids(a, b, c, d)) == {a.pk: c.pk, b.pk: c.pk}
    assert set(moved.absorbed(ACCOUNT, c.pk)) == {a.pk, b.pk}
    records.delete_records(ACCOUNT, [c.pk], by=alice)
    assert moved.moved(ACCOUNT, b.pk) is None


def test_history_and_timeline_tell_what_happened_to_the_merged_ones(alice, pair):
    first, second = pair
    records.update_record(ACCOUNT, second.pk, {"number": "8"}, by=alice)
    merge.merge(ACCOUNT, ids(first, second), by=alice, master=first.pk)
    shown = one.get(ACCOUNT, first.pk, alice)
    events, _ = history.history(shown, alice)
    entries, _ = timeline.timeline(shown, alice)

    told = [(event.change.operation.kind, event.other) for event in events]
    assert told == [
        ("account.merge", ""), ("account.update", "Stone"), ("account.create", "Stone"),
        ("account.create", ""),
    ]  # fmt: skip
    assert [entry.event.other for entry in entries] == [other for _kind, other in told]


def test_pages_of_a_history_go_on_with_the_merged_ones(alice, pair):
    first, second = pair
    merge.merge(ACCOUNT, ids(first, second), by=alice, master=first.pk)
    shown = one.get(ACCOUNT, first.pk, alice)
    page, more = history.history(shown, alice, size=1)
    rest, _ = history.history(shown, alice, before=page[-1].change.pk)

    assert (more, [event.other for event in rest]) == (True, ["Stone", ""])


def test_recent_page_names_the_record_that_stayed(alice, pair):
    first, second = pair
    for record in (first, second):
        visits.record_visit(ACCOUNT, record.pk, by=alice)
    merge.merge(ACCOUNT, ids(first, second), by=alice, master=first.pk)

    assert [(seen.ref, title) for seen, title in recent.recent(alice)] == [
        (Ref("account", first.pk), "Stone Ltd")
    ]


def test_merged_record_is_in_no_recycle_bin(alice, pair):
    merge.merge(ACCOUNT, ids(*pair), by=alice)
    gone = factories.make_account(owner=alice)
    records.delete_records(ACCOUNT, [gone.pk], by=alice)

    assert [one_.change.record for one_ in history.deleted(alice)[0]] == [gone.pk]
