"""Saved mappings that run again, their keys, and the files that they took from watched folders."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import rapport.meta.ids


class Migration(migrations.Migration):
    dependencies = [
        ("rapport", "0006_choice_options"),
    ]

    operations = [
        migrations.CreateModel(
            name="ImportRecipe",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=rapport.meta.ids.new_id,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("name", models.CharField(max_length=100)),
                ("entity", models.CharField(max_length=32)),
                ("headers", models.JSONField(default=list)),
                ("program", models.CharField(blank=True, default="", max_length=60)),
                ("reading", models.JSONField(default=dict)),
                ("mapping", models.JSONField(default=dict)),
                ("decisions", models.JSONField(default=dict)),
                ("is_shared", models.BooleanField(default=False)),
                ("folder", models.CharField(blank=True, default="", max_length=200)),
                ("looks_first", models.BooleanField(default=False)),
                ("most_refused", models.PositiveSmallIntegerField(null=True)),
                ("most_updated", models.PositiveSmallIntegerField(null=True)),
                ("created_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(null=True)),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="importfile",
            name="recipe",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="imports",
                to="rapport.importrecipe",
            ),
        ),
        migrations.CreateModel(
            name="RecipeKey",
            fields=[
                ("digest", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(null=True)),
                (
                    "recipe",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="key",
                        to="rapport.importrecipe",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="TakenFile",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("folder", models.CharField(max_length=200)),
                ("name", models.CharField(max_length=255)),
                ("put", models.CharField(blank=True, default="", max_length=300)),
                ("message", models.TextField(blank=True, default="")),
                ("taken_at", models.DateTimeField()),
                ("put_at", models.DateTimeField(null=True)),
                (
                    "import_file",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="rapport.importfile",
                    ),
                ),
                (
                    "recipe",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="rapport.importrecipe",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="importrecipe",
            constraint=models.UniqueConstraint(fields=("owner", "name"), name="one_recipe_name"),
        ),
        migrations.AddConstraint(
            model_name="importrecipe",
            constraint=models.UniqueConstraint(
                condition=models.Q(("folder", ""), _negated=True),
                fields=("folder",),
                name="one_recipe_folder",
            ),
        ),
        migrations.AddIndex(
            model_name="takenfile",
            index=models.Index(fields=["put_at", "taken_at"], name="taken_file_by_date"),
        ),
        migrations.AddConstraint(
            model_name="takenfile",
            constraint=models.UniqueConstraint(
                condition=models.Q(("put_at", None), models.Q(("put", ""), _negated=True)),
                fields=("folder", "put"),
                name="one_place_for_a_taken_file",
            ),
        ),
    ]
