"""What the database knows of its indexes."""

import pytest
from django.db import connection

from rapport.actions import rows
from rapport.jobs import measure
from rapport.jobs.clock import DUTIES
from rapport.meta.ids import new_id
from rapport.models import MatchKey
from tests.factories import make_contact


@pytest.mark.sqlite
@pytest.mark.django_db
def test_tables_are_measured_by_the_clock():
    make_contact()
    duty = next(duty for duty in DUTIES if duty.name == "measure tables")

    duty.do()

    with connection.cursor() as cursor:
        cursor.execute("SELECT idx FROM sqlite_stat1 WHERE idx = 'contact_by_owner'")
        measured = cursor.fetchall()
    assert measured == [("contact_by_owner",)]


@pytest.mark.sqlite
@pytest.mark.django_db
def test_value_of_very_many_rows_is_known_to_be_one():
    """SQLite stops to read at a thousand rows for each value and would take that for all."""
    many = 3 * measure.SAMPLE
    rows.insert(MatchKey, ("hash", "entity", "record"), [(7, 2, new_id()) for _ in range(many)])
    rows.insert(MatchKey, ("hash", "entity", "record"), [(8, 2, new_id()) for _ in range(many)])

    measure.measure_tables()

    with connection.cursor() as cursor:
        cursor.execute("SELECT stat FROM sqlite_stat1 WHERE idx = 'key_by_hash'")
        total, each, *_rest = map(int, cursor.fetchone()[0].split())
    assert 0.8 < each / many < 1.2
    assert 0.8 < total / (2 * many) < 1.2
