"""The queue of records that look alike, as different people see it."""

import pytest

from rapport.meta.kinds import Ref
from rapport.meta.registry import registry
from rapport.models import Contact
from rapport.queries import duplicates
from rapport.queries.query import InvalidQuery
from tests import factories
from tests.factories import make_pair

pytestmark = pytest.mark.django_db
CONTACT, LEAD = registry["contact"], registry["lead"]


@pytest.fixture
def people(alice):
    return [factories.make_contact(owner=alice, last_name=f"Person {n}") for n in range(4)]


def ids(found):
    return [one.id for one in found.pairs]


def test_strongest_pair_comes_first_page_by_page(alice, people):
    lead = factories.make_lead(owner=alice)
    made = [
        make_pair(people[0], people[1], weight=5), make_pair(people[0], people[2], weight=20),
        make_pair(people[1], lead, weight=10), make_pair(people[2], people[3], weight=10),
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
    make_pair(people[0], theirs)
    mine = make_pair(people[0], people[1])
    factories.share_with(people[0], charlie)

    assert ids(duplicates.suspects(alice)) == [mine.pk]
    assert duplicates.counts(alice).by_status == {"open": 1, "later": 0, "different": 0}
    assert duplicates.cluster(CONTACT, people[0].pk, alice) == [people[0].pk, people[1].pk]
    # Charlie sees his own and the one that is shared with him.
    seen = duplicates.suspects(charlie).pairs
    assert [one.other(theirs.pk).id for one in seen] == [people[0].pk]
    assert [one.cluster for one in seen] == [2]


def test_pair_of_a_record_that_is_gone_does_not_show(alice, people):
    make_pair(people[0], people[1])
    Contact.objects.filter(pk=people[1].pk).delete()

    assert duplicates.suspects(alice).pairs == []
    assert duplicates.counts(alice).by_entity == {}
    assert duplicates.open_pairs_of(people[0].pk, alice) == []


def test_pairs_of_a_record(alice, people):
    lead = factories.make_lead(owner=alice)
    weak, strong = make_pair(people[1], people[0], weight=1), make_pair(people[1], lead, weight=2)
    make_pair(people[2], people[3])
    said = make_pair(people[1], people[3], status="different")

    assert duplicates.open_pairs_of(people[1].pk, alice) == [strong.pk, weak.pk]
    assert duplicates.open_pairs_of(lead.pk, alice) == [strong.pk]
    assert duplicates.said_different(CONTACT, people[1].pk, alice) == {Ref("contact", people[3].pk)}
    assert duplicates.pair(said.pk, alice).status == "different"
    found = duplicates.between(factories.ref(lead), factories.ref(people[1]), alice)
    assert found.id == strong.pk


def test_cluster_goes_on_from_pair_to_pair(alice, people):
    make_pair(people[0], people[1], weight=5)
    make_pair(people[1], people[2], weight=4)
    make_pair(people[2], people[3], weight=3, status="different")
    make_pair(people[1], factories.make_lead(owner=alice), weight=1)

    assert set(duplicates.cluster(CONTACT, people[0].pk, alice)) == {p.pk for p in people[:3]}
    assert [one.cluster for one in duplicates.suspects(alice).pairs] == [3, 3, 2]
    assert duplicates.counts(alice).by_entity == {"contact": 3, "lead": 1}


@pytest.mark.parametrize("cursor", ["?", "W10", "WzEsMl0x", "Wzk5OSwiYSJd", "W251bGwsMV0"])
def test_forged_cursor_is_refused(alice, cursor):
    with pytest.raises(InvalidQuery):
        duplicates.suspects(alice, after=cursor)
