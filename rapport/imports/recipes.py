"""Saved mappings: kept with a name, offered when the same headers come again, used once more."""

from __future__ import annotations

import contextlib
import dataclasses
import re
from collections.abc import Mapping as MappingType, Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from rapport import access
from rapport.access import Actor, Forbidden, SystemActor
from rapport.actions.lease import Run
from rapport.files.read import FileRefused
from rapport.meta.entity import Entity
from rapport.meta.kinds import Reading
from rapport.meta.registry import registry
from rapport.meta.storable import storable
from rapport.models import ImportFile, ImportRecipe
from rapport.models.operations import Fate, ImportState
from rapport.models.recipes import NAME_LENGTH
from rapport.queries.imports import imports_with, plan_of
from rapport.queries.recipes import recipe_named, usable_recipes

from . import bundle, flow, mapping as mappings, plan as plans, reasons, sources
from .decisions import ALIKE
from .mapping import MappingRefused
from .recipefit import MEMBERS, Fit, RecipeRefused, entity_of, fit, is_of_several

# Files with at least so much of the same headers are offered a saved mapping.
OFFERED_FROM = 0.5
# Also of `ImportFile.options`: a plan begins with what was decided for all rows alike.
DECISIONS = ALIKE
# Also of `ImportFile.options`: the file whose error rows these are.
AS_BEFORE = "as_before"
# Folders of ours in that of a recipe: where its files are put when they are through.
DONE, FAILED = "done", "failed"
# Of a folder below RAPPORT_IMPORT_FOLDER: plain names, none of ours.
_PART = re.compile(r"\w[\w .+-]*")
# What of the reading says how values are written; the rest is about bytes, which differ by file.
WRITTEN = tuple(field.name for field in dataclasses.fields(Reading))


# -- offered and used -----------------------------------------------------------------------------


def offers(upload: ImportFile, *, by: Actor, any_entity: bool = False) -> list[Fit]:
    """Saved mappings for a file like this, the best first; among equals one's own, then the one
    that was used last."""
    columns = flow.columns_of(upload)
    found = usable_recipes(by)
    if not any_entity:
        found = found.filter(entity=upload.entity)
    single = [recipe for recipe in found if not is_of_several(recipe)]
    fits = [fit(recipe, columns) for recipe in single if recipe.entity in registry]
    fits = [one for one in fits if one.likeness >= OFFERED_FROM and one.mapping.columns]
    mine = getattr(by, "pk", None)

    def rank(one: Fit) -> tuple[float, bool, float]:
        used = one.recipe.used_at or one.recipe.created_at
        return one.likeness, one.recipe.owner_id == mine, used.timestamp()

    return sorted(fits, key=rank, reverse=True)


def use_if_known(upload: ImportFile, *, by: Actor) -> Fit | None:
    """A file with just the headers of a saved mapping is read by it, which its page says."""
    was_auto = bool(upload.options.get("auto") or upload.options.get("doubt"))
    for one in offers(upload, by=by, any_entity=was_auto):
        if one.is_exact and not one.gone:
            # What cannot be used after all leaves the columns as they were proposed.
            with contextlib.suppress(RecipeRefused, FileRefused, MappingRefused):
                return use(upload, one.recipe, by=by)
    with contextlib.suppress(FileRefused, MappingRefused, Forbidden):
        _map_as_before(upload, by=by)
    return None


def _map_as_before(upload: ImportFile, *, by: Actor) -> None:
    """Repaired error rows come back: read as the file was that they are of, which the page says.
    Raises as `flow.read_again`."""
    *columns, last = flow.columns_of(upload) or ("",)
    if not columns or last != reasons.heading():
        return
    done = imports_with(columns, by).filter(state=ImportState.DONE, parent=None)
    before = done.first()
    if before is None or not before.mapping:
        return
    if before.entity != upload.entity:
        flow.read_again(upload, registry[before.entity], {}, by=by)
    written = {name: before.reading[name] for name in WRITTEN if before.reading.get(name)}
    flow.remap(upload, flow.mapping_of(before), reading=written)
    upload.options = {**upload.options, AS_BEFORE: before.name}
    upload.save(update_fields=["options"])


def use(
    upload: ImportFile,
    recipe: ImportRecipe,
    *,
    by: Actor,
    strict: bool = False,
    reading: MappingType[str, Any] | None = None,
) -> Fit:
    """Read the file as `recipe` says. `strict`: nothing may be missing, because nobody looks.
    `reading`: what is said of this file, which beats the recipe.

    Raises RecipeRefused, Forbidden, and as `flow.read_again`.
    """
    members = upload.options.get("members", ())
    wanted = (reading or {}).get("member") or recipe.reading.get("member")
    if strict and len(members) > 1 and wanted not in members:
        # Nobody would see that the others are left out.
        text = _("The archive holds %(count)d files, and none of them is said to be the one.")
        raise RecipeRefused(text % {"count": len(members)})
    found = take(upload, recipe, by=by, strict=strict, reading=reading)
    note_used(upload, recipe, found.problems)
    return found


def take(
    upload: ImportFile,
    recipe: ImportRecipe,
    *,
    by: Actor,
    strict: bool,
    reading: MappingType[str, Any] | None = None,
) -> Fit:
    """Read one file, alone or of several, as `recipe` says. Raises as `use`."""
    entity = entity_of(recipe)
    found = _read(upload, recipe, entity, reading or {}, by)
    if strict and found.problems:
        text = _("“%(recipe)s” does not fit this file.") % {"recipe": recipe.name}
        raise RecipeRefused(" ".join([text, *found.problems]))
    if not found.mapping.columns:
        text = _("This file has none of the columns of “%(recipe)s”.")
        raise RecipeRefused(text % {"recipe": recipe.name})
    written = {**recipe.reading, **(reading or {})}
    written = {name: written[name] for name in WRITTEN if written.get(name)}
    flow.remap(upload, found.mapping, reading=written)
    # The plan begins with them.
    upload.options = {**upload.options, DECISIONS: recipe.decisions}
    upload.save(update_fields=["options"])
    return found


def note_used(upload: ImportFile, recipe: ImportRecipe, problems: Sequence[str]) -> None:
    """The import is by `recipe`, which does not fit in everything."""
    upload.recipe = recipe
    upload.options = {**upload.options, "recipe_notes": list(problems)}
    upload.save(update_fields=["recipe", "options"])
    ImportRecipe.objects.filter(pk=recipe.pk).update(used_at=timezone.now())


def _read(
    upload: ImportFile, recipe: ImportRecipe, entity: Entity, said: MappingType[str, Any], by: Actor
) -> Fit:
    """The file read in the way in which the recipe fits it best."""
    first, *others = _readings(upload, recipe)
    flow.read_again(upload, entity, {**first, **said}, by=by)
    found = fit(recipe, flow.columns_of(upload))
    for other in others if found.missing else ():
        try:
            flow.read_again(upload, entity, {**other, **said}, by=by)
        except (FileRefused, MappingRefused):
            continue
        again = fit(recipe, flow.columns_of(upload))
        if len(again.missing) < len(found.missing):
            return again
        flow.read_again(upload, entity, {**first, **said}, by=by)
    return found


def _readings(upload: ImportFile, recipe: ImportRecipe) -> list[dict[str, Any]]:
    """How the file may be read: as it suggests, then just as the one was that was saved."""
    kept = recipe.reading
    first = {name: kept[name] for name in WRITTEN if kept.get(name)}
    options = upload.options
    elements = [element[0] for element in options.get("elements", ())]
    for name, there in (
        ("sheet", options.get("sheets", ())),
        ("member", options.get("members", ())),
        ("element", elements),
    ):
        if kept.get(name) in there and len(there) > 1:
            first[name] = kept[name]
    if kept.get("header") is not None:
        first["header"] = kept["header"]
    if _is_better_guess(kept.get("encoding"), options.get("encoding")):
        first["encoding"] = kept["encoding"]
    second = {name: kept[name] for name in ("encoding", "delimiter", "quote") if name in kept}
    return [first, {**first, **second}] if second else [first]


def _is_better_guess(kept: str | None, detected: MappingType[str, Any] | None) -> bool:
    """Few accents tell little about an encoding: the one of last time beats a guess. Unicode is
    no guess."""
    if not kept or not detected or detected["sure"] == "certain":
        return False
    return not kept.startswith("utf") and not detected["name"].startswith("utf")


def leave(upload: ImportFile, *, by: Actor) -> None:
    """Read the file by its headers alone. Raises as `flow.read_again`."""
    drop(upload)
    flow.read_again(upload, registry[upload.entity], {}, by=by)


def drop(upload: ImportFile) -> None:
    """The mapping of `upload` is no more that of a recipe."""
    upload.recipe = None
    gone = {"recipe_notes", AS_BEFORE, DECISIONS}
    upload.options = {name: value for name, value in upload.options.items() if name not in gone}
    upload.save(update_fields=["recipe", "options"])


def describe_step(run: Run) -> bool:
    """Look at a file, by a saved mapping when there is one for its headers (`import.describe`)."""
    more = flow.describe_step(run)
    upload = ImportFile.objects.filter(pk=run.job.parameters["import"]).first()
    if not more and upload is not None:
        use_if_known(upload, by=run.by)
    return more


def find(name: str, *, by: Actor) -> ImportRecipe:
    """The one of this name or id that `by` may use. Raises RecipeRefused."""
    found = recipe_named(name, by)
    if not found:
        text = _("There is no recipe “%(name)s” that you may use.")
        raise RecipeRefused(text % {"name": name[:NAME_LENGTH]})
    if len(found) > 1:
        ids = ", ".join(f"{recipe.pk} ({recipe.owner})" for recipe in found)
        text = _("Several recipes are called “%(name)s”; say which by its id: %(ids)s.")
        raise RecipeRefused(text % {"name": name, "ids": ids})
    return found[0]


def stopped(recipe: ImportRecipe, counts: MappingType[str, int]) -> str:
    """Why a plan with these counts is not applied without a person; '' when it may be."""
    rows = counts.get("rows", 0)
    for most, name, text in (
        (
            recipe.most_refused,
            Fate.REFUSED.value,
            _("%(count)s of %(rows)s rows would be refused; this recipe stops above %(most)s %%."),
        ),
        (
            recipe.most_updated,
            Fate.UPDATE.value,
            _("%(count)s of %(rows)s rows would update a record; it stops above %(most)s %%."),
        ),
    ):
        count = counts.get(name, 0)
        if most is not None and count * 100 > most * rows:
            return text % {"count": count, "rows": rows, "most": most}
    return ""


# -- kept -----------------------------------------------------------------------------------------


def save(
    upload: ImportFile, name: str, *, by: Actor, is_shared: bool = False, replace: bool = False
) -> ImportRecipe:
    """Keep the mapping of `upload`, how it is read and what was decided for all rows alike.
    `replace`: the one that `by` has of this name. Raises RecipeRefused, Forbidden."""
    if isinstance(by, SystemActor):
        raise Forbidden("recipe")
    plans.require(registry[upload.entity], by)
    if not bundle.is_bundle(upload):
        mappings.check(flow.mapping_of(upload))
    name = _checked_name(name)
    values = _values(upload)
    if bundle.is_bundle(upload):
        members = bundle.members_of(upload)
        for member in members:
            mappings.check(flow.mapping_of(member))
        values["mapping"] = {MEMBERS: [_of_member(member) for member in members]}
    with transaction.atomic():
        own = ImportRecipe.objects.select_for_update().filter(owner_id=by.pk, name__iexact=name)
        recipe = own.first()
        if recipe is not None and not replace:
            text = _("You have a saved mapping “%(name)s” already.")
            raise RecipeRefused(text % {"name": recipe.name}, "taken")
        if recipe is None:
            recipe = ImportRecipe(owner=by, name=name, created_at=timezone.now())
        for field, value in values.items():
            setattr(recipe, field, value)
        recipe.is_shared = is_shared
        recipe.save()
        ImportFile.objects.filter(pk=upload.pk).update(recipe=recipe)
        upload.recipe = recipe
    return recipe


def _values(upload: ImportFile) -> dict[str, Any]:
    plan = plan_of(upload)
    return {
        "entity": upload.entity,
        "headers": list(flow.columns_of(upload)),
        "program": str(upload.options.get("program") or "")[:60],
        "reading": upload.reading,
        "mapping": upload.mapping,
        "decisions": dict((plan.parameters if plan else upload.options).get(DECISIONS) or {}),
    }


def _of_member(member: ImportFile) -> dict[str, Any]:
    """A file of several, as the recipe of all keeps it."""
    values = _values(member)
    if str(values["mapping"].get("system", "")).startswith(sources.OWN_IDS):
        # What an id means in these files it need not mean in the next ones.
        values["mapping"] = {k: v for k, v in values["mapping"].items() if k != "system"}
    return {**values, "file": member.options.get("member") or member.name}


def change(
    recipe: ImportRecipe,
    *,
    by: Actor,
    name: str,
    is_shared: bool,
    folder: str = "",
    looks_first: bool = False,
    most_refused: int | None = None,
    most_updated: int | None = None,
) -> None:
    """Another name, folder, limits … Raises RecipeRefused, Forbidden."""
    require_change(recipe, by)
    name, folder = _checked_name(name), checked_folder(folder)
    others = ImportRecipe.objects.exclude(pk=recipe.pk)
    if others.filter(owner_id=recipe.owner_id, name__iexact=name).exists():
        text = _("You have a saved mapping “%(name)s” already.")
        raise RecipeRefused(text % {"name": name}, "taken")
    if folder and others.filter(folder__iexact=folder).exists():
        text = _("Another recipe takes the files of the folder “%(folder)s”.")
        raise RecipeRefused(text % {"folder": folder}, "folder")
    if any(most is not None and not 0 <= most <= 100 for most in (most_refused, most_updated)):
        raise RecipeRefused(_("A limit is a number from 0 to 100."), "limit")
    recipe.name, recipe.is_shared, recipe.folder = name, is_shared, folder
    recipe.looks_first = looks_first
    recipe.most_refused, recipe.most_updated = most_refused, most_updated
    names = ["name", "is_shared", "folder", "looks_first", "most_refused", "most_updated"]
    try:
        with transaction.atomic():
            recipe.save(update_fields=names)
    except IntegrityError:
        text = _("Somebody else has just taken this name or folder.")
        raise RecipeRefused(text, "taken") from None


def may_change(recipe: ImportRecipe, by: Actor) -> bool:
    """Its owner and administrators may change it."""
    return getattr(by, "pk", None) == recipe.owner_id or access.is_administrator(by)


def require_change(recipe: ImportRecipe, by: Actor) -> None:
    """Raise Forbidden unless `may_change`."""
    if not may_change(recipe, by):
        raise Forbidden("recipe")


def delete(recipe: ImportRecipe, *, by: Actor) -> None:
    """Forget it, and its key; what it imported stays. Raises Forbidden."""
    require_change(recipe, by)
    with transaction.atomic():
        # What waits for its turn will never have one.
        ImportFile.objects.filter(recipe=recipe, state=ImportState.UPLOADED, job=None).update(
            state=ImportState.FAILED,
            message=_("The recipe is not there any more."),
            ended_at=timezone.now(),
        )
        recipe.delete()


def _checked_name(name: str) -> str:
    name = " ".join(storable(name).split())
    if not name:
        raise RecipeRefused(_("Give it a name."), "name")
    if len(name) > NAME_LENGTH:
        text = _("A name has at most %(length)d characters.")
        raise RecipeRefused(text % {"length": NAME_LENGTH}, "name")
    return name


def checked_folder(folder: str) -> str:
    """A path below the import folder, as we keep it: plain names only. Raises RecipeRefused."""
    parts = folder.strip().strip("/").split("/") if folder.strip() else []
    for part in parts:
        if not _PART.fullmatch(part) or part.endswith((" ", ".")) or part.lower() in {DONE, FAILED}:
            if not part:
                raise RecipeRefused(_("A folder is written like “shop/customers”."), "folder")
            text = _("No folder can be called “%(part)s”: write it like “shop/customers”.")
            raise RecipeRefused(text % {"part": part}, "folder")
    folder = "/".join(parts)
    if len(folder) > 200:
        raise RecipeRefused(_("The name of the folder is too long."), "folder")
    return folder
