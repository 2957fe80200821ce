"""Won, lost, disqualified, inactive: the state that a row says its record is in."""

import datetime

import pytest

from rapport.imports import flow
from rapport.models import Account, Contact, Lead, Opportunity
from tests.factories import make_account, make_lead, make_opportunity
from tests.imports.bringing import bring, brought, describe

pytestmark = pytest.mark.django_db

IN_PAST, IN_FUTURE = datetime.date(2024, 1, 31), datetime.date(2999, 1, 31)


def test_deals_are_won_and_lost_by_status_or_stage(alice, table):
    make_account(name="Acme", owner=alice)
    content = table(
        "Deal Name,Company,Stage,Status,Amount,Close Date",
        "A,Acme,Closed Won,,10,2024-01-31",
        "B,Acme,lost,,20,2999-01-31",
        "C,Acme,Propose,On Hold,30,",
        "D,Acme,Propose,Gewonnen,40,2024-01-31",
        "E,Acme,Closed Won,Open,50,",
    )
    done = bring(content, "auto", by=alice)

    names = ("topic", "state", "status", "sales_stage", "actual_revenue", "actual_close_date")
    assert done.errors == []
    assert sorted(Opportunity.objects.values_list(*names)) == [
        ("A", 1, 3, 3, 10, IN_PAST),
        ("B", 2, 4, 3, 0, None),
        ("C", 0, 2, 2, None, None),
        ("D", 1, 3, 2, 40, IN_PAST),
        ("E", 0, 1, 3, None, None),
    ]
    assert bring(content, "auto", by=alice).counts == {"rows": 5, "same": 5}


def test_words_of_other_programs_are_understood_and_the_rest_is_left_blank(alice, table):
    upload = describe(
        table(
            "Last Name,Company,Lead Status", "A,X,Converted", "B,X,Junk Lead", "C,X,Snoozed",
            "D,X,Working",
        ),
        "lead", by=alice,
    )  # fmt: skip
    flow.plan_now(upload, by=alice)
    flow.apply_now(upload, by=alice)

    assert sorted(Lead.objects.values_list("last_name", "state", "status")) == [
        ("A", 1, 3), ("B", 2, 5), ("C", 0, 1), ("D", 0, 2),
    ]  # fmt: skip
    assert upload.options["notes"] == [
        "“Lead Status”: left blank, since no option of Status reason: “Snoozed”."
    ]


def test_numbers_are_states_only_in_columns_of_that_name(alice, table):
    bring(table("Last Name,Company,Status", "A,X,1", "B,X,0"), by=alice)
    bring(
        table("Name,Phone,statecode,statuscode", "Y,1,1,2", "Z,2,0,", "W,3,1,1"),
        "account",
        by=alice,
    )

    assert set(Contact.objects.values_list("state", flat=True)) == {0}
    # A reason of another state is not believed.
    found = Account.objects.filter(name__in="WYZ").order_by("name")
    assert list(found.values_list("state", "status")) == [(1, 2), (1, 2), (0, 1)]


def test_stored_record_is_closed_but_never_reopened(alice, table):
    acme = make_account(name="Acme", owner=alice)
    deals = [
        make_opportunity(topic=topic, account=acme, owner=alice, **more)
        for topic, more in (
            ("A", {"status": 2, "estimated_revenue": 7}),
            ("B", {"state": 2, "status": 5}),
            ("C", {"status": 2}),
            ("D", {"status": 2}),
        )
    ]
    content = table(
        "Topic,Company,Status", "A,Acme,Won", "B,Acme,Open", "C,Acme,Open", "D,Acme,Canceled"
    )
    done = brought(content, "opportunity", by=alice, match=(("topic",),))

    assert done.counts == {"rows": 4, "updated": 2, "same": 2}
    for deal in deals:
        deal.refresh_from_db()
    assert [(d.state, d.status, d.actual_revenue) for d in deals] == [
        (1, 3, 7), (2, 5, 0), (0, 2, None), (2, 4, 0),
    ]  # fmt: skip
    assert (deals[0].actual_close_date is None, deals[1].actual_close_date) == (False, None)


def test_stored_lead_is_qualified_by_people_alone(alice, table):
    lead = make_lead(last_name="Bo", email="bo@x.de", owner=alice)
    content = table("Last Name,Email,Status", "Bo,bo@x.de,Qualified")
    assert brought(content, "lead", by=alice, match=(("email",),)).counts == {"rows": 1, "same": 1}
    lead.refresh_from_db()
    assert lead.state == 0


def test_reason_of_another_state_changes_nothing(alice, table):
    acme = make_account(name="Acme", owner=alice)
    make_opportunity(topic="A", account=acme, owner=alice)
    content = table("Topic,Company,statecode,statuscode", "A,Acme,0,3")
    done = brought(content, "opportunity", by=alice, match=(("topic",),))
    assert done.counts == {"rows": 1, "same": 1}


def test_all_rows_may_get_one_state(alice, table):
    done = brought(table("Last Name", "Bo"), by=alice, constants={"state": "Inactive"})
    assert (done.errors, list(Contact.objects.values_list("state", "status"))) == ([], [(1, 2)])
