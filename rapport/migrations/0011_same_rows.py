"""Rows of a plan that change nothing, many in one."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("rapport", "0010_fresh_keys"),
    ]

    operations = [
        migrations.CreateModel(
            name="SameRows",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("first", models.IntegerField()),
                ("last", models.IntegerField()),
                ("count", models.IntegerField()),
                ("spans", models.JSONField()),
                ("records", models.TextField()),
                (
                    "plan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="same",
                        to="rapport.plan",
                    ),
                ),
            ],
        ),
    ]
