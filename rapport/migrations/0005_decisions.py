"""What people decide about the rows of a plan; files that came in one archive belong together;
records are found by the numbers that others know them by."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models.functions import Lower


class Migration(migrations.Migration):
    dependencies = [
        ("rapport", "0004_search_tables"),
    ]

    operations = [
        migrations.AddField(
            model_name="importfile",
            name="parent",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="members",
                to="rapport.importfile",
            ),
        ),
        migrations.AddField(
            model_name="planrow",
            name="changes",
            field=models.JSONField(null=True),
        ),
        migrations.AddField(
            model_name="planrow",
            name="decision",
            field=models.CharField(
                blank=True,
                choices=[
                    ("update", "Update the record"),
                    ("fill", "Fill its blank fields"),
                    ("create", "Create anyway"),
                    ("skip", "Leave out"),
                ],
                default="",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="planrow",
            name="found",
            field=models.CharField(
                blank=True,
                choices=[
                    ("create", "Create"),
                    ("update", "Update"),
                    ("same", "Unchanged"),
                    ("duplicate", "Duplicate"),
                    ("refused", "Refused"),
                    ("skip", "Left out"),
                    ("changed", "Changed since the plan"),
                    ("partial", "Imported in part"),
                ],
                default="",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="planrow",
            name="like",
            field=models.IntegerField(default=0),
        ),
        migrations.AlterField(
            model_name="planrow",
            name="fate",
            field=models.CharField(
                choices=[
                    ("create", "Create"),
                    ("update", "Update"),
                    ("same", "Unchanged"),
                    ("duplicate", "Duplicate"),
                    ("refused", "Refused"),
                    ("skip", "Left out"),
                    ("changed", "Changed since the plan"),
                    ("partial", "Imported in part"),
                ],
                max_length=10,
            ),
        ),
        *(
            migrations.AddIndex(
                model_name=model,
                index=models.Index(
                    Lower(name),
                    condition=models.Q((name, ""), _negated=True),
                    name=f"{model}_{name}",
                ),
            )
            for model, name in (
                ("account", "number"),
                ("contact", "employee_id"),
                ("contact", "external_id"),
            )
        ),
    ]
