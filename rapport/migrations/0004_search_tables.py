"""PostgreSQL gets a table beside each searched one, as SQLite has: the index of what an import
writes can follow later, and it is narrower than the records."""

from typing import Any

from django.db import migrations, models, transaction
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
        return
    for table in TABLES:
        schema_editor.execute(f"DROP INDEX IF EXISTS {table}_search")
        schema_editor.execute(
            f"CREATE TABLE {table}_search (record uuid PRIMARY KEY, text text NOT NULL)"
        )
        schema_editor.execute(f"INSERT INTO {table}_search SELECT id, search_text FROM {table}")
    try:
        with transaction.atomic(using=connection.alias):
            for table in TABLES:
                schema_editor.execute(
                    f"CREATE INDEX {table}_search_text ON {table}_search "
                    "USING gin (text gin_trgm_ops)"
                )
    except DatabaseError:
        # Without the extension search reads the table: slower, not wrong.
        return


def drop(apps: Any, schema_editor: Any) -> None:
    connection = schema_editor.connection
    if connection.vendor == "sqlite":
        return
    for table in TABLES:
        schema_editor.execute(f"DROP TABLE {table}_search")
    try:
        with transaction.atomic(using=connection.alias):
            for table in TABLES:
                schema_editor.execute(
                    f"CREATE INDEX {table}_search ON {table} USING gin (search_text gin_trgm_ops)"
                )
    except DatabaseError:
        return


class Migration(migrations.Migration):
    dependencies = [("rapport", "0003_duplicates")]

    operations = [
        migrations.CreateModel(
            name="SearchBacklog",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("entity", models.CharField(max_length=32)),
                ("records", models.TextField()),
            ],
        ),
        migrations.RunPython(create, drop),
    ]
