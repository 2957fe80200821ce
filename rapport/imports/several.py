"""A recipe for several files: each is read by the part of it that fits, or all by the same."""

from __future__ import annotations

from collections.abc import Mapping as MappingType, Sequence
from typing import Any

from django.utils.translation import gettext as _

from rapport.access import Actor
from rapport.models import ImportFile, ImportRecipe

from . import bundle, flow, packing, recipefit, recipes
from .recipefit import Fit, RecipeRefused


def describe(
    upload: ImportFile,
    recipe: ImportRecipe,
    *,
    by: Actor,
    reading: MappingType[str, Any] | None = None,
) -> None:
    """Look at a file that nobody watches, and read it, or each of several, as `recipe` says.

    `reading`: what is said of it, which beats the recipe. Raises RecipeRefused, Forbidden and as
    `flow.describe`.
    """
    reading = reading or {}
    if recipe.reading.get("sheet") == bundle.EACH_SHEET:
        reading = {"sheet": bundle.EACH_SHEET, **reading}
    flow.describe(upload, by=by, reading=reading, keep=True)
    if not bundle.is_bundle(upload):
        if recipefit.is_of_several(recipe):
            text = _("“%(recipe)s” is for %(count)d files, and this is one.")
            count = len(recipefit.parts_of(recipe))
            raise RecipeRefused(text % {"recipe": recipe.name, "count": count})
        recipes.use(upload, recipe, by=by, strict=True, reading=reading)
        return
    members = bundle.members_of(upload)
    if only := _only(members, recipe):
        members = _leave(upload, members, only)
    parts = recipefit.parts_of(recipe)
    used = [_take(member, parts, by, reading) for member in members]
    for part in parts:
        if part not in used:
            text = _("There is no file as “%(part)s” needs it.")
            raise RecipeRefused(text % {"part": part.name})
    bundle.relate(members, upload)
    recipes.note_used(upload, recipe, ())


def _only(members: Sequence[ImportFile], recipe: ImportRecipe) -> str:
    """The one file of an archive that the recipe is about."""
    name = str(recipe.reading.get("member") or "")
    return name if name in {member.options["member"] for member in members} else ""


def _leave(upload: ImportFile, members: Sequence[ImportFile], only: str) -> list[ImportFile]:
    """Leave out all other files, and say so."""
    kept, left = [], list(upload.options.get("left_out", ()))
    for member in members:
        if member.options["member"] == only:
            kept.append(member)
        else:
            left.append([member.options["member"], _("The recipe is about another file.")])
            packing.drop(member)
    upload.options = {**upload.options, "left_out": left, "members": [only]}
    return kept


def _take(
    member: ImportFile,
    parts: Sequence[ImportRecipe],
    by: Actor,
    reading: MappingType[str, Any],
) -> ImportRecipe:
    """Read one file by the part that fits it best. Raises RecipeRefused when it lacks a column."""
    columns = flow.columns_of(member)

    def rank(place: int) -> tuple[bool, float, int]:
        found: Fit = recipefit.fit(parts[place], columns)
        return not found.missing, found.likeness, -place

    if "sheet" in member.options:
        reading = {**reading, "sheet": member.options["sheet"]}
    part = parts[max(range(len(parts)), key=rank)]
    try:
        recipes.take(member, part, by=by, strict=True, reading=reading)
    except RecipeRefused as refused:
        raise RecipeRefused(f"{member.options['member']}: {refused}") from refused
    return part
