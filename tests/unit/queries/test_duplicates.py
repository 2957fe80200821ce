"""The queue of records that look alike, as different people see it."""

import pytest
from django.utils import timezone

from rapport.meta.kinds import Ref
from rapport.meta.registry import registry
from rapport.models import Contact, DuplicatePair
from rapport.queries import duplicates
from rapport.queries.query import InvalidQuery
from tests import factories

pytestmark = pytest.mark.django_db
CONTACT, LEAD = registry["contact"], registry["lead"]


def paired(one, other, weight=10.0, **values):
    first, second = duplicates.in_order(factories.ref(one), factories.ref(other))
    return DuplicatePair.objects.create(
        first_entity=first.entity, first=first.id, second_entity=second.entity, second=second.id,
        rule="person", confidence=90, weight=weight, found_at=timezone.now(), **values,
    )  # fmt: skip


@pytest.fixture
def people(alice):
    return [factories.make_contact(owner=alice, last_name=f"Person {n}") for n in range(4)]


def ids(found):
    return [one.id for one in found.pairs]


def test_strongest_pair_comes_first_page_by_page(alice, people):
    lead = factories.make_lead(owner=alice)
    made = [
        paired(people[0], people[1], 5), paired(people[0], people[2], 20),
        paired(people[1], lead, 10), paired(people[2], people[3], 10),
    ]  # fmt: skip
    wanted = [made[place].pk for place in (1, 2, 3, 0)]

    first = duplicates.suspects(alice, size=2)
    second = duplicates.suspects(alice, size=2, after=first.next)

    assert (ids(first), ids(second), second.next) == (wanted[:2], wanted[2:], "")
    assert ids(duplicates.suspects(alice, entity="lead")) == [made[2].pk]
    assert first.pairs[0].first.title == people[0].full_name
    assert first.pairs[0].other(people[0].pk).id == people[2].pk


def test_pair_shows_only_to_who_sees_both(alice, charlie, people):
    theirs = factories.make_contact(owner=charlie)
    paired(people[0], theirs)
    mine = paired(people[0], people[1])
    factories.share_with(people[0], charlie)

    assert ids(duplicates.suspects(alice)) == [mine.pk]
    assert duplicates.counts(alice).by_status == {"open": 1, "later": 0, "different": 0}
    assert duplicates.cluster(CONTACT, people[0].pk, alice) == [people[0].pk, people[1].pk]
    # Charlie sees his own and the one that is shared with him.
    seen = duplicates.suspects(charlie).pairs
    assert [one.other(theirs.pk).id for one in seen] == [people[0].pk]
    assert [one.cluster for one in seen] == [2]


def test_pair_of_a_record_that_is_gone_does_not_show(alice, people):
    paired(people[0], people[1])
    Contact.objects.filter(pk=people[1].pk).delete()

    assert duplicates.suspects(alice).pairs == []
    assert duplicates.counts(alice).by_entity == {}
    assert duplicates.open_pairs_of(people[0].pk, alice) == []


def test_pairs_of_a_record(alice, people):
    lead = factories.make_lead(owner=alice)
    weak, strong = paired(people[1], people[0], 1), paired(people[1], lead, 2)
    paired(people[2], people[3])
    said = paired(people[1], people[3], status="different")

    assert duplicates.open_pairs_of(people[1].pk, alice) == [strong.pk, weak.pk]
    assert duplicates.open_pairs_of(lead.pk, alice) == [strong.pk]
    assert duplicates.said_different(CONTACT, people[1].pk, alice) == {Ref("contact", people[3].pk)}
    assert duplicates.pair(said.pk, alice).status == "different"
    found = duplicates.between(factories.ref(lead), factories.ref(people[1]), alice)
    assert found.id == strong.pk


def test_cluster_goes_on_from_pair_to_pair(alice, people):
    paired(people[0], people[1], 5)
    paired(people[1], people[2], 4)
    paired(people[2], people[3], 3, status="different")
    paired(people[1], factories.make_lead(owner=alice), 1)

    assert set(duplicates.cluster(CONTACT, people[0].pk, alice)) == {p.pk for p in people[:3]}
    assert [one.cluster for one in duplicates.suspects(alice).pairs] == [3, 3, 2]
    assert duplicates.counts(alice).by_entity == {"contact": 3, "lead": 1}


@pytest.mark.parametrize("cursor", ["?", "W10", "WzEsMl0x", "Wzk5OSwiYSJd", "W251bGwsMV0"])
def test_forged_cursor_is_refused(alice, cursor):
    with pytest.raises(InvalidQuery):
        duplicates.suspects(alice, after=cursor)
