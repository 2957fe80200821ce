"""PostgreSQL: what is inserted while we go on, and whether anybody writes beside us."""

import psycopg
import pytest
from django.db import connection, transaction

from rapport.actions import journal, pgcopy, rows
from rapport.actions.adapted import COPY_FROM
from rapport.meta.ids import new_id
from rapport.models import MatchKey, Operation
from tests.installations import wait_for

pytestmark = [pytest.mark.postgres, pytest.mark.django_db]

MANY = 20_000
KEYS = ("hash", "entity", "record")


def keys(start):
    return [(number, 2, new_id()) for number in range(start, start + MANY)]


def test_statement_waits_for_what_is_inserted_beside():
    with pgcopy.beside() as is_beside:
        rows.insert(MatchKey, KEYS, keys(0))
        rows.insert(MatchKey, KEYS, keys(MANY))
        seen = MatchKey.objects.count()

    assert (is_beside, seen) == (True, 2 * MANY)


def test_end_waits_for_what_is_inserted_beside():
    with pgcopy.beside():
        for part in range(3):
            rows.insert(MatchKey, KEYS, keys(part * MANY))

    assert MatchKey.objects.count() == 3 * MANY


def test_what_went_wrong_beside_is_heard_at_the_end():
    names = [column.attname for column in Operation._meta.concrete_fields]
    op = Operation.objects.create(kind="test", started_at="2026-01-01T00:00Z")
    again = [[getattr(op, name) for name in names]] * COPY_FROM
    with pytest.raises(psycopg.errors.UniqueViolation), transaction.atomic(), pgcopy.beside():
        rows.insert(Operation, names, again)

    assert Operation.objects.filter(pk=op.pk).count() == 1


@pytest.mark.parametrize("later", [0, 1], ids=["latest", "before one that has ended"])
def test_others_that_write_leave_no_number_to_go_by(later):
    found = connection.get_connection_params()
    names = ("host", "port", "user", "password", "dbname")
    address = {name: found[name] for name in names if found.get(name)}
    with psycopg.connect(**address) as other:
        other.execute("SELECT txid_current()")
        for _ in range(later):
            with psycopg.connect(**address) as third:
                third.execute("SELECT txid_current()")
        beside = journal.settled()
        other.rollback()
    # Tests that run in other databases of the server write, too, but not all the time.
    alone = wait_for(lambda: journal.settled() is not None, "nobody to write")

    assert (beside, alone) == (None, True)
