"""The key with which programs run a recipe."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from django.db import transaction
from django.utils import timezone

from rapport.access import Actor, Forbidden
from rapport.models import ImportRecipe, RecipeKey

from . import plan as plans
from .recipefit import entity_of
from .recipes import require_change

KEY_PREFIX = "rapport_"


def make_key(recipe: ImportRecipe, *, by: Actor) -> str:
    """A new key to run `recipe` as its owner, shown this once; an earlier one ends. Only its owner
    can make it: it works with the owner's rights. Raises Forbidden."""
    if getattr(by, "pk", None) != recipe.owner_id:
        raise Forbidden("recipe key")
    plans.require(entity_of(recipe), by)
    key = KEY_PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        RecipeKey.objects.filter(recipe=recipe).delete()
        RecipeKey.objects.create(recipe=recipe, digest=_digest(key), created_at=timezone.now())
    return key


def revoke_key(recipe: ImportRecipe, *, by: Actor) -> None:
    """Let the key work no more. Raises Forbidden."""
    require_change(recipe, by)
    RecipeKey.objects.filter(recipe=recipe).delete()


def recipe_of_key(key: str) -> ImportRecipe | None:
    """The recipe that `key` runs; None when it runs none."""
    digest = _digest(key)
    found = RecipeKey.objects.select_related("recipe__owner").filter(digest=digest).first()
    # Found by a hash that nobody can choose; compared in the same time whatever it is.
    if found is None or not hmac.compare_digest(found.digest, digest):
        return None
    return found.recipe


def note_key_used(recipe: ImportRecipe) -> None:
    """Remember when the key was used last; reading what came of it does not count."""
    RecipeKey.objects.filter(recipe=recipe).update(used_at=timezone.now())


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()
