"""What a test that commits leaves behind: nothing that another test could see."""

import pytest
from django.core.management import call_command
from django.db import connection

from rapport.meta.registry import registry
from rapport.models import Role
from tests import factories

TABLES = sorted({entity.search_table for entity in registry if entity.in_search})


def found():
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"SELECT text FROM {table}")
            yield from (text for (text,) in cursor.fetchall())


@pytest.mark.django_db(transaction=True)
def test_a_test_that_commits_leaves_nothing_to_search():
    factories.make_account(name="Left behind")
    assert "left behind" in list(found())

    # As pytest-django ends such a test.
    call_command("flush", interactive=False, verbosity=0)

    assert Role.objects.exists()
    assert "left behind" not in list(found())
