"""Ids of other programs."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("rapport", "0008_key_rings"),
    ]

    operations = [
        migrations.CreateModel(
            name="SourceId",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("system", models.CharField(max_length=60)),
                ("entity", models.CharField(max_length=32)),
                ("text", models.CharField(max_length=200)),
                ("record", models.UUIDField()),
            ],
            options={
                "indexes": [models.Index(fields=["record"], name="source_id_by_record")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("system", "entity", "text"), name="one_source_id"
                    )
                ],
            },
        ),
    ]
