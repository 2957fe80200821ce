"""Actions as parts of one operation that goes on over several transactions."""

import pytest

from rapport.actions import journal, records
from rapport.meta.registry import registry
from rapport.models import Account, Change, Operation
from tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada():
    return make_user(roles=("system-administrator",))


def create(name, by):
    return records.create_record(registry["account"], {"name": name}, by=by)


def test_parts_become_one_operation(ada):
    with journal.spanning() as span:
        create("One", ada)
        first = span.op
    with journal.spanning(first) as span:
        create("Two", ada)
    journal.finish(span.op)

    op = Operation.objects.get(kind="account.create")
    assert (op.state, op.counts, op.user) == ("done", {"created": 2}, ada)
    assert Change.objects.filter(operation=op).count() == 2


def stumble(by):
    """A part that fails after it has written and counted."""
    with journal.operation("account.create", by=by) as op:
        journal.count(op, "created", 5)
        raise RuntimeError


def test_part_that_is_rolled_back_counts_nothing(ada):
    with journal.spanning() as span:
        create("One", ada)
        with pytest.raises(RuntimeError):
            stumble(ada)
        create("Two", ada)
    journal.finish(span.op)

    assert Operation.objects.get(pk=span.op.pk).counts == {"created": 2}


def test_first_part_that_is_rolled_back_leaves_nothing(ada):
    with journal.spanning() as span:
        with pytest.raises(RuntimeError):
            stumble(ada)
        nothing = span.op
        create("One", ada)

    assert nothing is None
    assert Operation.objects.filter(kind="account.create").count() == 1


def test_outside_each_is_an_operation_of_its_own(ada):
    with journal.spanning():
        pass
    for name in ("One", "Two"):
        create(name, ada)

    assert Account.objects.count() == 2
    assert Operation.objects.filter(kind="account.create").count() == 2
