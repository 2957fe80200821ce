"""What somebody may not see shows nowhere: no title, no count, no order, no place in a cursor."""

import base64

import pytest

from rapport.actions import records, undo
from rapport.meta.ids import new_id
from rapport.meta.registry import registry
from rapport.queries import history, home, one, pages, search, timeline
from rapport.queries.query import Condition, Exists, Group, Order, Query
from tests import factories

CONTACT, ACCOUNT, LEAD = registry["contact"], registry["account"], registry["lead"]


@pytest.fixture
def hidden(charlie):
    """An account that Alice may not see."""
    return factories.make_account(
        owner=charlie, name="Hidden Inc", email="secret@hidden.example", employees=7
    )


@pytest.fixture
def contact(alice, hidden):
    """Alice's contact in it."""
    return factories.make_contact(owner=alice, last_name="Stone", account=hidden)


def ask(alice, *conditions, **options):
    return Query(entity="contact", where=Group(conditions), **options)


def test_list_shows_no_title_and_no_field_behind_the_link(alice, contact, hidden):
    columns = ("account", "account.email", "account.employees", "account.owner", "account.address1")
    (row,) = pages.page(ask(alice, columns=columns), alice).rows

    assert row.values["account"] == pages.Link("account", hidden.pk, "")
    assert [row.values[name] for name in columns[1:]] == [None] * 4


def test_pointer_shows_no_title(alice, hidden):
    task = factories.make_task(owner=alice, regarding=hidden)
    (row,) = pages.page(Query(entity="task", columns=("regarding",)), alice).rows

    assert (row.id, row.values["regarding"]) == (task.pk, pages.Link("account", hidden.pk, ""))


@pytest.mark.parametrize(
    "condition",
    [
        Condition("account.name", "eq", "Hidden Inc"),
        Condition("account.email", "contains", "secret"),
        Condition("account.employees", "gt", 5),
        Condition("account.name", "filled"),
        Condition("account", "contains", "hidden"),
    ],
    ids=str,
)
def test_filter_through_the_link_finds_nothing(condition, alice, contact, admin):
    assert pages.count(ask(alice, condition), alice) == 0
    assert pages.count(ask(alice, condition), admin) == 1


def test_records_that_point_here_do_not_count_unless_visible(alice, charlie):
    mine = factories.make_account(owner=alice)
    factories.make_contact(owner=charlie, account=mine)
    pointing = Query(entity="account", exists=(Exists("contact", "account"),))

    assert pages.count(pointing, alice) == 0


@pytest.mark.parametrize("name", ["account", "account.name", "account.email", "account.employees"])
@pytest.mark.parametrize("descending", [False, True])
def test_order_does_not_tell_the_title(name, descending, alice, charlie):
    for title in ("Alpha", "Beta", "Gamma"):
        company = factories.make_account(
            owner=charlie, name=title, email=f"{title}@example.com", employees=len(title)
        )
        factories.make_contact(owner=alice, account=company)
    query = ask(alice, order=(Order(name, descending),), size=2)
    page = pages.page(query, alice)

    ids = sorted((row.pk for row in CONTACT.records()), reverse=descending)
    assert [row.id for row in page.rows] == ids[:2]
    place = base64.urlsafe_b64decode(page.next + "==").decode().lower()
    assert not any(word in place for word in ("alpha", "beta", "gamma", "example"))


def test_page_of_the_record_shows_no_title(alice, contact, hidden):
    shown = one.get(CONTACT, contact.pk, alice)

    assert shown.links["account"] == pages.Link("account", hidden.pk, "")
    assert one.get(ACCOUNT, hidden.pk, alice) is None


def test_history_shows_no_title(alice, contact, hidden, admin):
    records.update_record(CONTACT, contact.pk, {"account": None}, by=alice)
    own, _ = history.history(one.get(CONTACT, contact.pk, alice), alice)
    theirs, _ = history.history(one.get(CONTACT, contact.pk, admin), admin)

    assert [(c.before.title, c.after) for c in own[0].fields] == [("", None)]
    assert [(c.before.title, c.after) for c in theirs[0].fields] == [("Hidden Inc", None)]


def test_timeline_has_visible_entries_only(alice, charlie):
    mine = factories.make_account(owner=alice)
    seen = factories.make_task(owner=alice, regarding=mine)
    factories.make_task(owner=charlie, regarding=mine)
    factories.make_note(owner=charlie, regarding=mine)
    entries, _ = timeline.timeline(one.get(ACCOUNT, mine.pk, alice), alice)

    assert [e.row.pk for e in entries if e.kind != "system"] == [seen.pk]


def test_timeline_does_not_name_whom_an_entry_is_about(alice, charlie):
    mine = factories.make_account(owner=alice)
    theirs = factories.make_contact(owner=charlie, last_name="Hidden", account=mine)
    factories.make_task(owner=alice, regarding=theirs)
    entries, _ = timeline.timeline(one.get(ACCOUNT, mine.pk, alice), alice)

    assert [e.regarding_title for e in entries if e.kind == "activity"] == [""]


def test_search_neither_shows_nor_counts_what_is_hidden(alice, hidden):
    assert search.everywhere("hidden", alice) == {}
    assert pages.count(Query(entity="account", find="hidden"), alice) == 0


def test_first_page_does_not_name_the_customer_of_a_deal(alice, hidden, contact, admin):
    factories.make_opportunity(owner=alice, account=hidden, topic="One")
    factories.make_opportunity(owner=alice, account=hidden, contact=contact, topic="Two")

    assert {deal.topic: deal.customer for deal in home.home(alice).deals} == {
        "One": "", "Two": "Chris Stone",
    }  # fmt: skip


def test_recycle_bin_has_what_was_ones_own(alice, bob, charlie, admin):
    mine = factories.make_contact(owner=alice)
    theirs = factories.make_contact(owner=charlie)
    records.delete_records(CONTACT, [mine.pk], by=alice)
    records.delete_records(CONTACT, [theirs.pk], by=charlie)

    gone = {
        user: [d.change.record for d in history.deleted(user)[0]]
        for user in (alice, bob, charlie, admin)
    }
    assert gone == {
        alice: [mine.pk], bob: [], charlie: [theirs.pk], admin: [theirs.pk, mine.pk],
    }  # fmt: skip


def test_recycle_bin_has_all_for_those_who_may_delete_all(charlie):
    keeper = factories.make_user(roles=())
    factories.make_role({("contact", "delete"): 8}, keeper)
    theirs = factories.make_contact(owner=charlie)
    hidden = factories.make_account(owner=charlie)
    records.delete_records(CONTACT, [theirs.pk], by=charlie)
    records.delete_records(ACCOUNT, [hidden.pk], by=charlie)

    assert [d.change.record for d in history.deleted(keeper)[0]] == [theirs.pk]


def test_recycle_bin_by_pages(alice):
    rows = [factories.make_contact(owner=alice) for _ in range(3)]
    for row in rows:
        records.delete_records(CONTACT, [row.pk], by=alice)
    first, more = history.deleted(alice, size=2)
    second, no_more = history.deleted(alice, size=2, before=first[-1].change.pk)

    assert [d.change.record for d in (*first, *second)] == [row.pk for row in reversed(rows)]
    assert (more, no_more) == (True, False)


def test_preview_of_an_undo_is_for_those_who_may_undo(alice, charlie):
    lead = factories.make_lead(owner=charlie)
    op = records.update_record(LEAD, lead.pk, {"company": "Hidden Inc"}, by=charlie)

    with pytest.raises(undo.NotYours):
        undo.preview(op, by=alice)


def test_dependants_of_others_are_no_more_than_a_number(alice, charlie):
    mine = factories.make_account(owner=alice)
    factories.make_contact(owner=charlie, account=mine, last_name="Hidden")

    with pytest.raises(records.HasDependants) as caught:
        records.delete_records(ACCOUNT, [mine.pk], by=alice)
    assert caught.value.counts == {"contact": 1}


def test_refusal_does_not_tell_a_hidden_record_from_none(alice, hidden):
    messages = []
    for id_ in (hidden.pk, new_id()):
        values = {"last_name": "Stone", "account": id_}
        with pytest.raises(records.InvalidRecord) as caught:
            records.create_record(CONTACT, values, by=alice)
        messages.append(caught.value.errors)

    assert messages[0] == messages[1]
