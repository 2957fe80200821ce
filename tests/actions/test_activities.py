"""Activities, notes and who took part."""

import datetime

import pytest

from rapport.actions import records
from rapport.meta.registry import registry
from rapport.models import Party
from tests import factories
from tests.refusals import errors

NOW = datetime.datetime(2026, 5, 4, 12, tzinfo=datetime.UTC)
DAY = datetime.timedelta(days=1)
TASK, PARTY = registry["task"], registry["party"]


def test_activity_is_stamped_with_the_company_of_what_it_is_about(alice):
    company = factories.make_account(owner=alice)
    contact = factories.make_contact(owner=alice, account=company)
    deal = factories.make_opportunity(owner=alice, account=company)
    lead = factories.make_lead(owner=alice, account=company)
    task = factories.make_task(owner=alice, regarding=company)

    about = [
        factories.make_task(owner=alice, regarding=one) for one in (company, contact, deal, lead)
    ]
    assert {one.account_id for one in about} == {company.pk}
    assert factories.make_note(owner=alice, regarding=task).account_id == company.pk
    assert factories.make_task(owner=alice).account_id is None


def test_history_stays_with_the_company_when_the_person_leaves(alice):
    old, new = factories.make_account(owner=alice), factories.make_account(owner=alice)
    contact = factories.make_contact(owner=alice, account=old)
    call = factories.make_phone_call(owner=alice, regarding=contact)
    records.update_record(registry["contact"], contact.pk, {"account": new.pk}, by=alice)

    call.refresh_from_db()
    assert call.account_id == old.pk


def test_activity_about_something_else_gets_its_company(alice):
    old, new = factories.make_account(owner=alice), factories.make_account(owner=alice)
    call = factories.make_task(owner=alice, regarding=old)
    records.update_record(TASK, call.pk, {"regarding": factories.ref(new)}, by=alice)
    call.refresh_from_db()
    assert call.account_id == new.pk

    records.update_record(TASK, call.pk, {"regarding": None}, by=alice)
    call.refresh_from_db()
    assert call.account_id is None


@pytest.mark.parametrize(
    ("values", "moment"),
    [
        ({}, NOW),
        ({"due_at": NOW + DAY}, NOW + DAY),
        ({"due_at": NOW + DAY, "starts_at": NOW - DAY}, NOW - DAY),
    ],
)
def test_activity_stands_where_it_begins_or_is_due(values, moment, alice):
    id_ = records.create_record(TASK, {"subject": "Call", **values}, by=alice, now=NOW)

    assert TASK.records().get(pk=id_).occurred_at == moment


def test_activity_moves_with_its_date(alice):
    task = factories.make_task(owner=alice, due_at=NOW)
    records.update_record(TASK, task.pk, {"due_at": NOW + DAY}, by=alice)

    task.refresh_from_db()
    assert task.occurred_at == NOW + DAY


def test_note_says_something(alice):
    assert errors(records.create_record, registry["note"], {}, by=alice) == ["text"]

    note = factories.make_note(owner=alice, subject="", text="Hello")
    found = errors(records.update_record, registry["note"], note.pk, {"text": ""}, by=alice)
    assert found == ["text"]


def test_somebody_took_part_or_an_address(alice):
    task = factories.make_task(owner=alice)

    assert errors(records.create_record, PARTY, {"activity": task.pk}, by=alice) == ["person"]


def test_address_is_the_persons_when_not_given(alice):
    task = factories.make_task(owner=alice)
    contact = factories.make_contact(owner=alice, first_name="Eva", last_name="Stone")
    values = {"activity": task.pk, "person": factories.ref(contact)}
    id_ = records.create_record(PARTY, values, by=alice)

    assert Party.objects.get(pk=id_).address == "Eva Stone"
