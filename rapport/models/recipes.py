"""Saved mappings that run again, with or without a person; not journalled, like imports."""

from django.conf import settings
from django.db import models

from rapport.meta.ids import new_id

from .operations import ImportFile

NAME_LENGTH = 100


class ImportRecipe(models.Model):
    """How files with these `headers` are imported.

    `mapping` as in `ImportFile.mapping`, by place in `headers`; `decisions` {fate: decision} for
    all rows alike. The rest is about running without a person: `folder` is below
    RAPPORT_IMPORT_FOLDER, '' for none; with `looks_first` a person applies the plan; an import
    stops when more than so many percent of its rows would be refused or updated (None: any).
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=NAME_LENGTH)
    entity = models.CharField(max_length=32)
    headers = models.JSONField(default=list)
    program = models.CharField(max_length=60, default="", blank=True)
    reading = models.JSONField(default=dict)
    mapping = models.JSONField(default=dict)
    decisions = models.JSONField(default=dict)
    is_shared = models.BooleanField(default=False)
    folder = models.CharField(max_length=200, default="", blank=True)
    looks_first = models.BooleanField(default=False)
    most_refused = models.PositiveSmallIntegerField(null=True)
    most_updated = models.PositiveSmallIntegerField(null=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    created_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner", "name"], name="one_recipe_name"),
            models.UniqueConstraint(
                fields=["folder"], condition=~models.Q(folder=""), name="one_recipe_folder"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class RecipeKey(models.Model):
    """What a program says to run one recipe. Only a hash of it is kept."""

    digest = models.CharField(max_length=64, primary_key=True)
    recipe = models.OneToOneField(ImportRecipe, models.CASCADE, related_name="key")
    created_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)


class TakenFile(models.Model):
    """A file out of a watched folder, from when it was taken until it is put away. It lies in
    `folder`/.taken/`id`; `put` is the name that it gets in the end, '' before that is decided."""

    id = models.UUIDField(primary_key=True)
    recipe = models.ForeignKey(ImportRecipe, models.SET_NULL, null=True, related_name="+")
    import_file = models.ForeignKey(ImportFile, models.SET_NULL, null=True, related_name="+")
    folder = models.CharField(max_length=200)
    name = models.CharField(max_length=255)
    put = models.CharField(max_length=300, default="", blank=True)
    message = models.TextField(default="", blank=True)
    taken_at = models.DateTimeField()
    put_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["put_at", "taken_at"], name="taken_file_by_date")]
        constraints = [
            # Two workers that put files away at once never choose the same name.
            models.UniqueConstraint(
                fields=["folder", "put"],
                condition=models.Q(put_at=None) & ~models.Q(put=""),
                name="one_place_for_a_taken_file",
            )
        ]
