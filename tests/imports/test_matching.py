"""Rows find the record that they are about by any set of fields, and nothing is doubled."""

import datetime

import pytest

from rapport.imports import flow
from rapport.models import Account, Contact, ImportFile, Opportunity
from tests.factories import make_account, make_contact, make_opportunity, share_with
from tests.imports.bringing import brought, errors, fates, outcome, planned

pytestmark = pytest.mark.django_db
BORN = datetime.date(1980, 12, 31)


@pytest.mark.parametrize(
    ("match", "header", "cells"),
    [
        ("email", "Email,Job Title", "ANNA@X.de,CEO"),
        ("business_phone", "Business Phone,Job Title", "(030) 123 45-67,CEO"),
        ("last_name+account", "Last Name,Company,Job Title", "MÜLLER,acme gmbh,CEO"),
        ("first_name+last_name", "First Name,Last Name,Job Title", "ÁNNA,Muller,CEO"),
        ("full_name", "Name,Job Title", "anna MÜLLER,CEO"),
        ("external_id", "External User Identifier,Job Title", "x-77,CEO"),
        ("nickname+birthday", "Nickname,Birthday,Job Title", "annie,31.12.1980,CEO"),
        ("email/last_name+account", "Email,Last Name,Company,Job Title", ",muller,acme gmbh,CEO"),
    ],
)
def test_record_is_found_blind_to_case_accents_and_format(match, header, cells, alice, table):
    acme = make_account(name="Acme GmbH", owner=alice)
    anna = make_contact(
        first_name="Anna", last_name="Müller", email="anna@x.de", account=acme, owner=alice,
        business_phone="+49 30 1234567", external_id="X-77", nickname="Annie",
        birthday=BORN,
    )  # fmt: skip
    make_contact(first_name="Anna", last_name="Mueller", birthday=BORN, owner=alice,
                 account=make_account(name="Bee", owner=alice))  # fmt: skip
    sets = tuple(tuple(names.split("+")) for names in match.split("/"))

    upload = planned(
        table(header, cells), by=alice, match=sets, targets={"Company": {"missing": "refuse"}}
        if "Company" in header else None,
    )  # fmt: skip

    (row,) = flow.rows_of(upload, by=alice)
    assert (row.fate, row.record and row.record.id) == ("update", anna.pk)
    flow.apply_now(upload, by=alice)
    anna.refresh_from_db()
    assert (anna.job_title, Contact.objects.count()) == ("CEO", 2)


def test_numbers_are_read_with_the_country_of_the_file(alice, table):
    own, other = (
        make_account(name=name, main_phone=phone, owner=alice)
        for name, phone in (("Own", "+49 30 1234"), ("Other", "+43 30 1234"))
    )
    content = table("Main Phone,Account Number", "030 1234,1")

    done = brought(content, "account", by=alice, match=(("main_phone",),),
                   reading={"phone_country": "DE"})  # fmt: skip

    own.refresh_from_db()
    other.refresh_from_db()
    # Stored as it stood there before: nobody typed it anew.
    assert (done.counts["updated"], own.number, other.number) == (1, "1", "")


def test_opportunity_is_found_by_topic_and_account(alice, table):
    acme, bee = (make_account(name=name, owner=alice) for name in ("Acme", "Bee"))
    deals = [
        make_opportunity(topic="Pump", account=account, owner=alice) for account in (acme, bee)
    ]

    brought(table("Topic,Account,Probability", "PUMP,Bee,70"), "opportunity", by=alice,
            match=(("topic", "account"),))  # fmt: skip

    found = dict(Opportunity.objects.values_list("pk", "probability"))
    assert found == {deals[0].pk: None, deals[1].pk: 70}


def test_several_records_are_refused_and_an_active_one_goes_first(alice, table):
    from rapport.actions import states

    for number in ("1", "1", "2", "2"):
        last = make_account(name=f"A{number}", number=number, owner=alice)
    states.deactivate("account", [last.pk], by=alice)

    upload = planned(table("Account Number,Account Name", "1,Acme", "2,Bee"), "account", by=alice,
                     match=(("number",),))  # fmt: skip

    assert fates(upload) == {2: "refused", 3: "update"}
    ((row, column, reason),) = errors(upload)
    assert (row, column) == (2, "Account Number")
    assert reason.startswith("There are 2 records with the same Account number.")


def test_only_what_one_sees_is_found_and_only_what_one_may_change_is_changed(bob, charlie, table):
    hidden, shown = (
        make_contact(last_name="Bo", email=email, owner=charlie) for email in ("h@x.de", "s@x.de")
    )
    share_with(shown, bob)
    content = table("Last Name,Email,Job Title", "Bo,h@x.de,CEO", "Bo,s@x.de,CEO")

    done = brought(content, by=bob, match=(("email",),))

    assert done.counts == {"rows": 2, "created": 1, "refused": 1}
    assert [reason for _row, _column, reason in done.errors] == [
        "You may not change this record, or it is not visible to you."
    ]
    hidden.refresh_from_db()
    assert (hidden.job_title, Contact.objects.filter(email="h@x.de").count()) == ("", 2)


@pytest.mark.parametrize(
    ("rule", "count", "stored"),
    [
        ("update", "updated", ("CEO", "0301")),
        ("fill", "updated", ("Buyer", "0301")),
        ("skip", "skipped", ("Buyer", "")),
    ],
)
def test_what_happens_to_the_record_can_be_chosen(rule, count, stored, alice, table):
    anna = make_contact(last_name="Bo", email="b@x.de", job_title="Buyer", owner=alice)
    content = table("Last Name,Email,Job Title,Mobile Phone", "Bo,b@x.de,CEO,0301")

    done = brought(content, by=alice, match=(("email",),), on_match=rule)

    anna.refresh_from_db()
    assert (done.counts[count], anna.job_title, anna.mobile_phone) == (1, *stored)
    again = brought(content, by=alice, match=(("email",),), on_match="update")
    assert ("same" in again.counts) is (rule == "update")


def test_two_rows_about_one_record_and_two_alike_are_not_doubled(alice, table):
    anna = make_contact(last_name="Bo", email="b@x.de", external_id="7", owner=alice)
    content = table(
        "External User Identifier,Last Name,Email,Job Title",
        "7,Bo,,CEO", "7,Bo,,CTO", "8,Dee,d@x.de,A", "8,Fa,f@x.de,B", ",Ga,g@x.de,C",
    )  # fmt: skip
    upload = planned(content, by=alice, match=(("external_id",), ("email",)))

    rows = flow.rows_of(upload, by=alice, fate="duplicate")
    assert [(row.number, row.like, row.confidence) for row in rows] == [(3, 2, 100), (5, 4, 100)]

    flow.apply_now(upload, by=alice)
    assert outcome(upload).counts == {"rows": 5, "created": 2, "updated": 1, "duplicates": 2}
    anna.refresh_from_db()
    assert (anna.job_title, Contact.objects.count()) == ("CEO", 3)


def test_rows_far_apart_are_not_doubled_either(alice, table, monkeypatch):
    from rapport.actions.lease import Run

    monkeypatch.setattr(Run, "size", property(lambda _run: 2))
    rows = [f"{n % 3},Bo {n},CEO {n}" for n in range(12)]
    make_contact(last_name="There", external_id="0", owner=alice)
    upload = planned(table("External User Identifier,Last Name,Job Title", *rows), by=alice,
                     match=(("external_id",),))  # fmt: skip

    flow.apply_now(upload, by=alice)

    assert outcome(upload).counts == {"rows": 12, "created": 2, "updated": 1, "duplicates": 9}
    assert sorted(Contact.objects.values_list("external_id", "job_title")) == [
        ("0", "CEO 0"), ("1", "CEO 1"), ("2", "CEO 2"),
    ]  # fmt: skip


def test_record_id_goes_before_other_fields(alice, table):
    by_id, by_mail = (make_contact(last_name="Bo", email=f"{n}@x.de", owner=alice) for n in (1, 2))
    content = table(
        "(Do Not Modify) Contact,Last Name,Email,Job Title",
        f"{by_id.pk},Bo,2@x.de,A",
        "0190a0a0-0000-7000-8000-000000000001,Bo,2@x.de,B",
    )

    upload = planned(content, by=alice, match=(("id",), ("email",)))

    # The id of another installation says nothing: the address does.
    found = [(r.fate, r.record.id) for r in flow.rows_of(upload, by=alice)]
    assert found == [("update", by_id.pk), ("update", by_mail.pk)]


def test_same_file_again_changes_nothing_and_says_so(alice, table):
    content = table(
        "Name,Email,Company,Birthday,Phone,Gender,Website,Contact Owner",
        "Dr. Anna Bo,Anna@X.de,Acme GmbH,31.12.1980,030 1 ::: 030 2,Female,x.de,nobody",
        "Carl Dee,<c@x.de>,ACME GMBH,,,,,alice@example.com",
        "Madonna,,,,,,,",
        "Carl Dee,c@x.de,Acme GmbH,,,,,",
    )
    assert brought(content, by=alice).counts == {
        "rows": 4, "created": 3, "duplicates": 1, "accounts_created": 1,
    }  # fmt: skip
    kept = list(Contact.objects.order_by("pk").values())

    for said in ({}, {"match": (("email",), ("full_name",))}):
        again = brought(content, by=alice, **said)
        assert (again.counts["same"], again.operation) == (4 - len(again.counts) + 2, None)
    assert (list(Contact.objects.order_by("pk").values()), Account.objects.count()) == (kept, 1)
    assert ImportFile.objects.count() == 3
