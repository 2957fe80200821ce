"""Match keys on their way into their index."""

from typing import Any

from django.db import migrations, models


def create(apps: Any, schema_editor: Any) -> None:
    sqlite = schema_editor.connection.vendor == "sqlite"
    record, itself = ("char(32)", " WITHOUT ROWID") if sqlite else ("uuid", "")
    schema_editor.execute(
        "CREATE TABLE rapport_freshkey (run integer NOT NULL, hash bigint NOT NULL, "
        f"entity smallint NOT NULL, record {record} NOT NULL, "
        f"CONSTRAINT fresh_key_by_run PRIMARY KEY (run, hash, entity, record)){itself}"
    )


def drop(apps: Any, schema_editor: Any) -> None:
    schema_editor.execute(
        "INSERT INTO rapport_matchkey SELECT hash, entity, record FROM rapport_freshkey"
    )
    schema_editor.execute("DROP TABLE rapport_freshkey")


class Migration(migrations.Migration):
    dependencies = [("rapport", "0009_source_ids")]

    operations = [
        migrations.SeparateDatabaseAndState(
            [migrations.RunPython(create, drop)],
            [
                migrations.CreateModel(
                    name="FreshKey",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "run",
                                "hash",
                                "entity",
                                "record",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("run", models.IntegerField()),
                        ("hash", models.BigIntegerField()),
                        ("entity", models.SmallIntegerField()),
                        ("record", models.UUIDField()),
                    ],
                ),
            ],
        ),
    ]
