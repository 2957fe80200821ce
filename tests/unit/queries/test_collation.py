"""Sort columns on PostgreSQL, whose order depends on how a database was made."""

import pytest
from django.db import connection

from rapport.meta.registry import registry


@pytest.mark.postgres
def test_names_sort_by_code_points_in_a_database_of_any_language(db):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, collation_name FROM information_schema.columns "
            "WHERE column_name = 'sort_name' AND table_schema = current_schema()"
        )
        found = dict(cursor.fetchall())

    assert found == {entity.table: "C" for entity in registry}
