"""Reading the journal forwards."""

import pytest

from rapport.queries import deltas
from tests import factories

pytestmark = pytest.mark.django_db


def test_changes_come_in_parts_and_end_at_the_mark():
    start = deltas.mark().change
    made = [factories.make_account(), factories.make_contact(), factories.make_account()]
    mark = deltas.mark()
    factories.make_account()

    first, position = deltas.changes(start, mark, entities={"account"}, limit=2)
    second, end = deltas.changes(position, mark, entities={"account"}, limit=5)

    found = [one.record for one in first + second]
    assert [id_ for id_ in found if id_ in {m.pk for m in made}] == [made[0].pk, made[2].pk]
    assert (end, deltas.is_settled(mark)) == (mark.change, True)
    assert deltas.changes(end, mark) == ([], mark.change)
