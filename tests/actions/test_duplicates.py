"""Deciding about records that look alike."""

import pytest
from django.utils import timezone

from rapport.access import Forbidden
from rapport.actions import duplicates
from rapport.actions.records import InvalidRecord, RecordNotFound
from rapport.meta.registry import registry
from rapport.models import Contact, DuplicatePair, Lead
from tests import factories
from tests.factories import make_pair

pytestmark = pytest.mark.django_db
CONTACT = registry["contact"]


@pytest.fixture
def people(alice):
    return [factories.make_contact(owner=alice) for _ in range(3)]


def test_lead_and_what_it_was_made_into_do_not_wait(alice, people):
    contact, other, _third = people
    lead = factories.make_lead(owner=alice)
    found = [
        duplicates.Found(factories.ref(lead), factories.ref(one), "person", 99, 20.0)
        for one in (contact, other)
    ]
    duplicates.keep(found, now=timezone.now())
    assert len(stored()) == 2

    Lead.objects.filter(pk=lead.pk).update(contact=contact)
    duplicates.keep(found, now=timezone.now())
    assert [row.first for row in DuplicatePair.objects.all()] == [other.pk]


def test_namesakes_of_whom_one_reports_to_the_other_are_doubted(alice, people):
    boss, second, third = people
    Contact.objects.filter(pk=second.pk).update(manager=boss)
    pairs = [(boss, second), (boss, third)]
    found = [duplicates.Found(*map(factories.ref, two), "person", 99, 20.0) for two in pairs]

    duplicates.keep(found, now=timezone.now())

    assert set(DuplicatePair.objects.values_list("confidence", "weight")) == {(50, 0.0), (99, 20.0)}


def stored():
    found = DuplicatePair.objects.order_by("first", "second")
    return [(row.status, row.decided_by_id) for row in found]


def test_decision_is_remembered_with_who_and_when(alice, people):
    pair = make_pair(*people[:2])

    assert duplicates.decide([pair.pk], "different", by=alice) == 1
    assert duplicates.decide([pair.pk], "different", by=alice) == 0

    assert stored() == [("different", alice.pk)]
    assert DuplicatePair.objects.get().decided_at is not None


def test_decision_is_taken_back(alice, people):
    pair = make_pair(*people[:2])
    duplicates.decide([pair.pk], "later", by=alice)

    assert duplicates.forget([pair.pk], by=alice) == 1
    assert stored() == [("open", None)]


def test_all_or_none_are_decided(alice, charlie, people):
    mine, half = make_pair(*people[:2]), make_pair(people[2], factories.make_contact(owner=charlie))

    with pytest.raises(RecordNotFound):
        duplicates.decide([mine.pk, half.pk], "different", by=alice)
    with pytest.raises(RecordNotFound):
        duplicates.decide([mine.pk], "different", by=charlie)

    assert {status for status, _who in stored()} == {"open"}


@pytest.mark.parametrize("status", ["merged", "", "nonsense"])
def test_only_a_decision_can_be_made(alice, people, status):
    with pytest.raises(InvalidRecord):
        duplicates.decide([make_pair(*people[:2]).pk], status, by=alice)


def test_cluster_is_decided_for_every_two_of_it(alice, people):
    make_pair(*people[:2])
    ids = [one.pk for one in people]

    assert duplicates.decide_cluster(CONTACT, ids, "different", by=alice) == 3
    assert stored() == [("different", alice.pk)] * 3

    # What was never found alike leaves nothing behind.
    assert duplicates.decide_cluster(CONTACT, ids, "open", by=alice) == 3
    assert stored() == [("open", None)]


def test_two_records_of_different_entities_are_told_apart(alice, charlie, people):
    lead = factories.make_lead(owner=alice)
    refs = [factories.ref(lead), factories.ref(people[0])]

    assert duplicates.remember(refs, "different", by=alice) == 1
    row = DuplicatePair.objects.get()
    assert (row.first_entity, row.second_entity, row.second) == ("contact", "lead", lead.pk)
    with pytest.raises(RecordNotFound):
        duplicates.remember(refs, "open", by=charlie)


def test_whole_search_is_asked_for_once_by_administrators(admin, alice):
    with pytest.raises(Forbidden):
        duplicates.search_now(by=alice)

    assert duplicates.search_now(by=admin).pk == duplicates.search_now(by=admin).pk
