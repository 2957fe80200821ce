"""The search index: FTS5 with trigrams on SQLite, GIN with pg_trgm on PostgreSQL.

Without the right to create the extension PostgreSQL searches by scanning: slower, not wrong.
"""

from typing import Any

from django.db import migrations, transaction
from django.db.utils import DatabaseError

TABLES = (
    "rapport_account",
    "rapport_contact",
    "rapport_lead",
    "rapport_opportunity",
    "rapport_activity",
    "rapport_note",
    "rapport_user",
    "rapport_team",
    "rapport_businessunit",
    "rapport_role",
)


def create(apps: Any, schema_editor: Any) -> None:
    connection = schema_editor.connection
    if connection.vendor == "sqlite":
        for table in TABLES:
            schema_editor.execute(
                f"CREATE VIRTUAL TABLE {table}_search USING "
                "fts5(record UNINDEXED, text, tokenize='trigram', detail='none')"
            )
        return
    try:
        with transaction.atomic(using=connection.alias):
            schema_editor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    except DatabaseError:
        return
    for table in TABLES:
        schema_editor.execute(
            f"CREATE INDEX {table}_search ON {table} USING gin (search_text gin_trgm_ops)"
        )


def drop(apps: Any, schema_editor: Any) -> None:
    for table in TABLES:
        if schema_editor.connection.vendor == "sqlite":
            schema_editor.execute(f"DROP TABLE IF EXISTS {table}_search")
        else:
            schema_editor.execute(f"DROP INDEX IF EXISTS {table}_search")


class Migration(migrations.Migration):
    dependencies = [("rapport", "0001_initial")]
    operations = [migrations.RunPython(create, drop)]
