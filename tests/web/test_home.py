"""The first page and Recent."""

import datetime
import re
from decimal import Decimal

import pytest
from django.utils import timezone

from rapport.actions import activities, records, states, visits
from rapport.meta.registry import registry
from rapport.queries import home
from rapport.web import sentences
from tests.factories import (
    make_account,
    make_contact,
    make_lead,
    make_opportunity,
    make_role,
    make_task,
    make_user,
)

NOON = datetime.datetime(2026, 3, 10, 12, tzinfo=datetime.UTC)


def hours(number):
    return NOON + datetime.timedelta(hours=number)


def test_activities_due_first_then_those_without_a_date(alice, bob):
    make_task(owner=alice, subject="Some day")
    make_task(owner=alice, subject="Tonight", due_at=hours(5))
    make_task(owner=alice, subject="Yesterday", due_at=hours(-20))
    make_task(owner=alice, subject="Next week", due_at=hours(150))
    make_task(owner=bob, subject="Bob's", due_at=hours(1))
    done = make_task(owner=alice, subject="Done", due_at=hours(-1))
    activities.complete_activities([done.pk], by=alice)

    todos = home.home(alice, now=NOON).todos

    assert [row.subject for row in todos.rows] == ["Yesterday", "Tonight", "Next week", "Some day"]
    assert (todos.total, todos.overdue, todos.today) == (4, 1, 1)


def test_today_ends_at_the_viewers_midnight(alice):
    make_task(owner=alice, due_at=datetime.datetime(2026, 3, 10, 20, tzinfo=datetime.UTC))

    with timezone.override(datetime.timezone(datetime.timedelta(hours=9))):
        todos = home.home(alice, now=NOON).todos

    assert (todos.today, todos.total) == (0, 1)


def test_what_an_activity_is_about_is_named_for_those_who_may_see_it(alice, charlie):
    theirs, hers = (
        make_account(owner=charlie, name="Secret"),
        make_account(owner=alice, name="Open"),
    )
    make_task(owner=alice, subject="a", regarding=theirs, due_at=hours(1))
    make_task(owner=alice, subject="b", regarding=hers, due_at=hours(2))

    rows = home.home(alice, now=NOON).todos.rows

    assert [row.regarding and row.regarding.title for row in rows] == [None, "Open"]


def test_leads_are_mine_and_open_newest_first(alice, bob):
    make_lead(owner=alice, last_name="Old", created_at=hours(-2))
    make_lead(owner=alice, last_name="New", company="Acme", created_at=hours(-1))
    make_lead(owner=bob, last_name="Bob's")
    lost = make_lead(owner=alice, last_name="Lost")
    states.set_state("lead", [lost.pk], state=2, by=alice)

    found = home.home(alice, now=NOON)

    assert [(lead.title, lead.company) for lead in found.leads] == [
        ("Lee New", "Acme"),
        ("Lee Old", ""),
    ]
    assert found.lead_count == 2


def test_pipeline_adds_up_by_stage_and_currency(alice, bob):
    make_opportunity(owner=alice, topic="b", sales_stage=1, estimated_revenue=Decimal(100))
    make_opportunity(owner=alice, topic="a", sales_stage=1, estimated_revenue=Decimal("50.50"))
    make_opportunity(
        owner=alice, topic="c", sales_stage=1, estimated_revenue=Decimal(7), currency="USD"
    )
    make_opportunity(owner=alice, topic="d", sales_stage=3)
    make_opportunity(owner=bob, topic="e", sales_stage=1, estimated_revenue=Decimal(999))

    found = home.home(alice, now=NOON)

    stages = {stage.value: (stage.count, stage.amounts) for stage in found.stages}
    assert stages == {1: (3, {"EUR": Decimal("150.50"), "USD": Decimal(7)}), 3: (1, {})}
    assert found.deal_count == 4


def test_deals_closing_first_come_first(alice):
    make_opportunity(owner=alice, topic="No date")
    make_opportunity(owner=alice, topic="May", estimated_close_date=datetime.date(2026, 5, 1))
    make_opportunity(owner=alice, topic="April", estimated_close_date=datetime.date(2026, 4, 1))

    assert [d.topic for d in home.home(alice, now=NOON).deals] == ["April", "May", "No date"]


def test_news_is_what_others_did_to_records_of_mine(alice, bob, admin):
    lead = make_lead(owner=alice, last_name="Stone")
    own = make_lead(owner=alice, last_name="Own", by=alice)
    records.update_record(registry["lead"], lead.pk, {"rating": 1, "topic": "Big"}, by=admin)
    records.update_record(registry["lead"], own.pk, {"rating": 1}, by=alice)
    records.update_record(registry["lead"], make_lead(owner=bob).pk, {"rating": 1}, by=admin)

    news = home.home(alice, now=NOON).news

    assert [(one.link.title, sentences.about(one.event)) for one in news] == [
        ("Lee Stone", "Ada Admin changed Topic and Rating")
    ]


def test_handed_over_records_are_news(alice, bob):
    account = make_account(owner=bob, name="Acme")
    records.assign_records(registry["account"], [account.pk], alice.pk, by=bob)

    (news,) = home.home(alice, now=NOON).news

    assert (news.link.title, sentences.about(news.event)) == (
        "Acme",
        "Bob Baker gave this record to Alice Archer",
    )


def test_without_the_right_to_read_there_is_no_panel(north, charlie):
    user = make_user(roles=(), unit=north)
    make_role({("account", "read"): 1}, user)

    found = home.home(user, now=NOON)

    assert (found.todos, found.leads, found.deals, found.stages) == (None, None, None, [])


def test_opened_lately_shows_what_is_there_and_visible(alice, charlie, client_of):
    account, gone = make_account(owner=alice, name="Acme"), make_account(owner=alice)
    lost = make_account(owner=alice, name="Lost")
    contact = make_contact(owner=alice, last_name="Stone")
    for number, record in enumerate((account, gone, lost, contact)):
        name = "contact" if record is contact else "account"
        visits.record_visit(registry[name], record.pk, by=alice, now=hours(number))
    records.delete_records(registry["account"], [gone.pk], by=alice)
    records.assign_records(registry["account"], [lost.pk], charlie.pk, by=alice)

    page = client_of(alice).get("/recent/").content.decode()

    titles = [title for _seen, title in home.home(alice, now=NOON).recent]
    assert titles == ["Chris Stone", "Acme"]
    assert ("Chris Stone" in page, "Acme" in page, "Lost" in page) == (True, True, False)


def test_page_shows_the_work(alice, client_of):
    now = timezone.now()
    make_task(owner=alice, subject="Ring <b>them</b>", due_at=now - datetime.timedelta(days=2))
    make_lead(owner=alice, last_name="Stone")
    make_opportunity(owner=alice, topic="Chairs", estimated_revenue=Decimal(12_345))

    page = client_of(alice).get("/").content.decode()

    for text in (
        "Ring &lt;b&gt;them&lt;/b&gt;", "2 days overdue", "Lee Stone", "Chairs", "12,345 EUR",
        "All my open leads (1)",
    ):  # fmt: skip
        assert text in page


def test_blank_page_says_how_to_begin(alice, admin, client_of):
    hers, admins = (client_of(user).get("/").content.decode() for user in (alice, admin))

    assert ("New account" in hers, "Invite a colleague" in hers) == (True, False)
    assert ("Invite a colleague" in admins, "rapport demo" in admins) == (True, True)


def test_reader_is_offered_nothing_that_is_refused(client_of, db):
    page = client_of(make_user(roles=("read-only",))).get("/").content.decode()

    assert ("New account" in page, 'type="file"' in page) == (False, False)


@pytest.mark.parametrize("rows", [1, 3])
def test_statements_do_not_grow_with_rows(alice, bob, client_of, django_assert_num_queries, rows):
    for number in range(rows):
        account = make_account(owner=alice)
        make_task(owner=alice, regarding=account, due_at=hours(number))
        make_opportunity(owner=alice, account=account)
        lead = make_lead(owner=alice)
        visits.record_visit(registry["lead"], lead.pk, by=alice)
    client = client_of(alice)

    with django_assert_num_queries(19):
        client.get("/")


def test_who_owns_very_many_gets_a_bounded_count(alice, monkeypatch):
    monkeypatch.setattr(home, "FEW", 2)
    for number in range(4):
        make_lead(owner=alice, last_name=f"{number}")
        make_task(owner=alice, due_at=hours(number))
        make_opportunity(owner=alice, topic=f"{number}")

    found = home.home(alice, now=NOON)

    assert (found.todos.total, found.lead_count, found.deal_count) == (3, 3, 3)
    assert [len(found.todos.rows), len(found.leads), len(found.deals)] == [4, 4, 4]


def test_activity_is_completed_from_the_first_page(alice, client_of):
    task = make_task(owner=alice)
    client = client_of(alice)
    url = re.search(r'action="([^"]+/complete)"', client.get("/").content.decode())[1]

    answer = client.post(url, {"next": "/"})

    task.refresh_from_db()
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert task.state == 1


def test_new_colleague_is_led_to_what_others_have(alice, bob, client_of):
    make_account(owner=bob)
    client = client_of(alice)

    page = client.get("/").content.decode()

    assert ('href="/accounts/?view=all"' in page, "All Accounts" in page) == (True, True)
    assert client.get("/accounts/?view=all").status_code == 200
