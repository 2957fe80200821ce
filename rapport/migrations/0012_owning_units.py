"""What the database need not look for: the unit of a record is its owner's, and that one is."""

from django.db import migrations

from ._constraints import DropConstraints

OWNED = ("account", "activity", "contact", "lead", "note", "opportunity", "savedview")


class Migration(migrations.Migration):
    dependencies = [("rapport", "0011_same_rows")]

    operations = [DropConstraints([(model, "owning_unit") for model in OWNED])]
