"""Saved mappings as people see them: their own and shared ones; administrators all."""

from __future__ import annotations

import uuid

from django.db.models import Q, QuerySet

from rapport import access
from rapport.access import Actor, SystemActor
from rapport.meta.registry import registry
from rapport.models import ImportFile, ImportRecipe
from rapport.models.people import Verb
from rapport.models.recipes import NAME_LENGTH

from .imports import visible_imports

LAST_RUNS = 10


def visible_recipes(by: Actor) -> QuerySet[ImportRecipe]:
    """Saved mappings that `by` may see, by name."""
    found = ImportRecipe.objects.select_related("owner", "key").order_by("name", "pk")
    if isinstance(by, SystemActor) or access.is_administrator(by):
        return found
    return found.filter(_theirs(by))


def usable_recipes(by: Actor) -> QuerySet[ImportRecipe]:
    """Those that are offered to `by`: not everybody's, even for an administrator."""
    found = ImportRecipe.objects.select_related("owner", "key").order_by("name", "pk")
    if isinstance(by, SystemActor):
        return found
    return found.filter(_theirs(by), entity__in=_importable(by))


def _theirs(by: Actor) -> Q:
    assert not isinstance(by, SystemActor)  # sees all
    return Q(owner_id=by.pk) | Q(is_shared=True, entity__in=_importable(by))


def _importable(by: Actor) -> list[str]:
    wanted = (Verb.IMPORT, Verb.CREATE)
    return [e.name for e in registry if all(access.may(by, verb, e) for verb in wanted)]


def recipe_for(id: uuid.UUID, by: Actor) -> ImportRecipe | None:
    """The saved mapping, when `by` may see it."""
    return visible_recipes(by).filter(pk=id).first()


def recipe_named(name: str, by: Actor) -> list[ImportRecipe]:
    """Those that `by` may use of this name or id: the own one alone when there is one."""
    if "\0" in name or len(name) > NAME_LENGTH:
        return []  # what no database takes for a text to compare
    usable = usable_recipes(by)
    try:
        return list(usable.filter(pk=uuid.UUID(name)))
    except ValueError:
        found = list(usable.filter(name__iexact=name))
    own = [recipe for recipe in found if recipe.owner_id == getattr(by, "pk", None)]
    return own or found


def runs_of(recipe: ImportRecipe, by: Actor) -> list[ImportFile]:
    """The last imports by `recipe` that `by` may see."""
    return list(visible_imports(by).filter(recipe=recipe)[:LAST_RUNS])


def run_for(recipe: ImportRecipe, id: uuid.UUID) -> ImportFile | None:
    """One import by `recipe`, for whoever holds its key: what others did with a shared one is
    theirs."""
    own = recipe.imports.filter(created_by=recipe.owner_id)
    return own.select_related("operation").filter(pk=id).first()
