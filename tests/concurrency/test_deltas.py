"""Reading the journal forwards while others write it."""

import pytest

from rapport.queries import deltas
from tests import factories

pytestmark = pytest.mark.postgres


def test_change_that_is_committed_late_is_not_missed(race, transactional_db):
    owner = factories.somebody()
    before = deltas.mark()

    def late():
        return factories.make_account(owner=owner)

    def early():
        made, seen = factories.make_account(owner=owner), deltas.mark()
        return made, seen, deltas.is_settled(seen)

    slow, (quick, seen, settled) = race(late, early)

    assert (settled, deltas.is_settled(seen)) == (False, True)
    found, last = deltas.changes(before.change, seen)
    assert [one.record for one in found] == [slow.pk, quick.pk]
    assert last == seen.change
