"""What the database knows of its indexes."""

import pytest
from django.db import connection

from rapport.jobs.clock import DUTIES
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
