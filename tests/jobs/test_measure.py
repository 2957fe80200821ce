"""What the database knows of its indexes."""

import pytest
from django.db import connection

from rapport.actions import rows
from rapport.jobs import measure
from rapport.jobs.clock import DUTIES
from rapport.meta.ids import new_id
from rapport.models import MatchKey
from tests.factories import make_contact

MEASURE = next(duty for duty in DUTIES if duty.name == "measure tables").do


def known(index):
    """The statistics of an index as numbers; none when nothing is known of it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT stat FROM sqlite_stat1 WHERE idx = %s", [index])
        return [int(number) for (stat,) in cursor.fetchall() for number in stat.split()]


@pytest.mark.sqlite
@pytest.mark.django_db
def test_table_of_few_rows_is_not_taken_for_small_when_it_grows():
    make_contact()
    MEASURE()
    assert known("rapport_matchkey") == []


@pytest.mark.sqlite
@pytest.mark.django_db
def test_value_of_very_many_rows_is_known_to_be_one():
    """SQLite stops to read at a thousand rows for each value and would take that for all."""
    many = 3 * measure.SAMPLE
    rows.insert(MatchKey, ("hash", "entity", "record"), [(7, 2, new_id()) for _ in range(many)])
    rows.insert(MatchKey, ("hash", "entity", "record"), [(8, 2, new_id()) for _ in range(many)])

    MEASURE()

    total, each, *_rest = known("rapport_matchkey")
    assert 0.8 < each / many < 1.2
    assert 0.8 < total / (2 * many) < 1.2
