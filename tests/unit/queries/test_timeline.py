"""The timeline: everything once, in order, whatever happened at the same moment."""

import datetime

import pytest

from rapport.actions import activities, records
from rapport.meta.registry import registry
from rapport.queries import one, timeline
from rapport.queries.timeline import Place
from tests import factories

ACCOUNT = registry["account"]
NOW = datetime.datetime(2026, 5, 4, 12, tzinfo=datetime.UTC)


@pytest.fixture
def company(alice):
    return factories.make_account(owner=alice)


def pages(company, user, size, **options):
    """Ids of the entries of each page."""
    shown = one.get(ACCOUNT, company.pk, user)
    found, after = [], None
    for _ in range(50):
        entries, after = timeline.timeline(shown, user, after=after, size=size, **options)
        found.append([entry.row.pk for entry in entries])
        if after is None:
            break
        after = Place.read(str(after))
    return found


@pytest.mark.parametrize("size", [1, 2, 3, 50])
def test_what_happened_at_one_moment_is_shown_once(size, alice, company):
    made = {company.pk}
    for moment in (NOW, NOW, NOW + datetime.timedelta(days=1)):
        for make in (factories.make_task, factories.make_note):
            made.add(make(owner=alice, regarding=company, occurred_at=moment).pk)
    records.update_record(ACCOUNT, company.pk, {"number": "1"}, by=alice, now=NOW)
    found = [pk for page in pages(company, alice, size) for pk in page]

    assert len(found) == len(set(found)) == 8  # six, the creation and the change
    assert made - {company.pk} <= set(found)


def test_newest_comes_first(alice, company):
    days = [
        factories.make_task(owner=alice, regarding=company, due_at=NOW + datetime.timedelta(days=n))
        for n in range(3)
    ]
    ((*found,),) = pages(company, alice, 50, kinds=frozenset({"activity"}))

    assert found == [task.pk for task in reversed(days)]


def test_pinned_notes_stand_on_the_first_page_only(alice, company):
    pinned = [factories.make_note(owner=alice, regarding=company, pinned=True) for _ in range(7)]
    plain = [factories.make_note(owner=alice, regarding=company) for _ in range(3)]
    first, *rest = pages(company, alice, 2, kinds=frozenset({"note"}))

    assert first == [note.pk for note in (*pinned[::-1], plain[2], plain[1])]
    assert rest == [[plain[0].pk]]


def test_company_has_what_was_logged_with_its_people(alice, company):
    person = factories.make_contact(owner=alice, account=company)
    call = factories.make_phone_call(owner=alice, regarding=person)
    shown = one.get(ACCOUNT, company.pk, alice)
    (entry,), _ = timeline.timeline(shown, alice, kinds=frozenset({"activity"}))

    assert (entry.row.pk, entry.regarding_title) == (call.pk, "Chris " + person.last_name)


def test_deal_has_what_was_logged_with_its_lead(alice):
    lead = factories.make_lead(owner=alice)
    deal = factories.make_opportunity(owner=alice, originating_lead=lead)
    call = factories.make_phone_call(owner=alice, regarding=lead)
    shown = one.get(registry["opportunity"], deal.pk, alice)
    (entry,), _ = timeline.timeline(shown, alice, kinds=frozenset({"activity"}))

    assert entry.row.pk == call.pk


def test_words_are_looked_for_in_entries(alice, company):
    call = factories.make_phone_call(owner=alice, regarding=company, description="About the mill")
    factories.make_note(owner=alice, regarding=company, text="About nothing")

    assert pages(company, alice, 50, find="MILL about") == [[call.pk]]


def test_finished_task_stands_where_it_was_finished(alice, company):
    task = factories.make_task(owner=alice, regarding=company, due_at=NOW)
    activities.complete_activities([task.pk], by=alice, now=NOW + datetime.timedelta(days=9))
    shown = one.get(ACCOUNT, company.pk, alice)
    (entry,), _ = timeline.timeline(shown, alice, kinds=frozenset({"activity"}))

    assert entry.at == NOW + datetime.timedelta(days=9)


@pytest.mark.parametrize(
    "text", ["", "x", "note~x~y", "system~7~2026-05-04", "film~7~2026-05-04T12:00Z"]
)
def test_damaged_place_is_no_place(text):
    assert Place.read(text) is None
