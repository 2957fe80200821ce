"""How saved mappings fit the columns of a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping as MappingType, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _, ngettext

from rapport.meta.entity import Entity
from rapport.meta.folding import fold
from rapport.meta.registry import registry
from rapport.models import ImportRecipe

from . import headers, mapping as mappings
from .mapping import Mapping, Target

# `ImportRecipe.mapping` of a recipe for several files: what it says of each.
MEMBERS = "members"


class RecipeRefused(ValueError):
    """It cannot be kept or used like this; the message is for people. `code`: for pages."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, kw_only=True)
class Fit:
    """A saved mapping on the columns of a file. `missing`: headers that it needs and the file has
    not; `gone`: fields that there are no more; `likeness`: the share of headers that both have."""

    recipe: ImportRecipe
    mapping: Mapping
    missing: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    likeness: float = 0.0

    @property
    def is_exact(self) -> bool:
        """Whether the file has just the same headers."""
        return self.likeness == 1.0

    @property
    def problems(self) -> list[str]:
        """What does not fit any more, in sentences."""
        found = gone_texts(self.gone)
        if self.missing:
            names = ", ".join(f"“{name}”" for name in self.missing[:20])
            text = ngettext(
                "The file has no column %(columns)s.",
                "The file has no columns %(columns)s.",
                len(self.missing),
            )
            found.append(text % {"columns": names})
        return found


def gone_texts(gone: Sequence[str]) -> list[str]:
    """The sentence about fields that there are no more, if there are any."""
    if not gone:
        return []
    return [_("There is no field %(fields)s any more.") % {"fields": ", ".join(gone)}]


def fit(recipe: ImportRecipe, columns: Sequence[str]) -> Fit:
    """How `recipe` fits a file with these headers. Raises RecipeRefused when its entity is gone."""
    entity = entity_of(recipe)
    places = {key: index for index, key in enumerate(_keys(columns))}
    kept: dict[str, Any] = {}
    missing = []
    known = _keys(recipe.headers)
    for name, value in recipe.mapping.items():
        if not name.isdecimal():
            kept[name] = value
        elif int(name) < len(known):
            place = places.get(known[int(name)])
            if place is None:
                missing.append(recipe.headers[int(name)] or f"#{int(name) + 1}")
            else:
                kept[str(place)] = value
    mapping = Mapping.from_json(entity, kept)
    return Fit(
        recipe=recipe,
        mapping=mapping,
        missing=tuple(missing),
        gone=_gone(kept, mapping),
        likeness=_likeness(recipe.headers, columns),
    )


def gone_fields(recipe: ImportRecipe) -> tuple[str, ...]:
    """Fields of its mapping that there are no more."""
    gone: set[str] = set()
    for part in parts_of(recipe):
        gone.update(_gone(part.mapping, Mapping.from_json(entity_of(part), part.mapping)))
    return tuple(sorted(gone))


def entity_of(recipe: ImportRecipe) -> Entity:
    """What it imports. Raises RecipeRefused when that is no more."""
    if recipe.entity not in registry:
        text = _("“%(recipe)s” is for records of a kind that there is no more.")
        raise RecipeRefused(text % {"recipe": recipe.name})
    return registry[recipe.entity]


def _keys(columns: Sequence[str]) -> list[tuple[str, int]]:
    """A header without case, accents and punctuation, and how often it came before."""
    seen: Counter[str] = Counter()
    keys = []
    for header in columns:
        name = headers.plain(header) or fold(header)
        keys.append((name, seen[name]))
        seen[name] += 1
    return keys


def _likeness(ours: Sequence[str], theirs: Sequence[str]) -> float:
    one = {key for key in _keys(ours) if key[0]}
    other = {key for key in _keys(theirs) if key[0]}
    # Without headers all files look alike.
    return len(one & other) / len(one | other) if one and other else 0.0


def _gone(kept: MappingType[str, Any], mapping: Mapping) -> tuple[str, ...]:
    """Names in the stored mapping that reading it has left out."""
    named = {Target.from_json(value).field for name, value in kept.items() if name.isdecimal()}
    named |= set(kept.get("constants", {})) | {n for names in kept.get("match", ()) for n in names}
    there = {*mapping.fields, *mapping.constants, *(n for names in mapping.match for n in names)}
    # A set to match by goes as a whole: what of it is still there is no loss.
    return tuple(sorted(named - there - mappings.targets(mapping.entity)))


def parts_of(recipe: ImportRecipe) -> list[ImportRecipe]:
    """What a recipe says of each of several files, each like a recipe of its own; else itself."""
    kept = recipe.mapping.get(MEMBERS)
    if kept is None:
        return [recipe]
    names = ("entity", "headers", "program", "reading", "mapping", "decisions")
    return [
        ImportRecipe(
            name=one["file"],
            owner_id=recipe.owner_id,
            **{name: one[name] for name in names},
        )
        for one in kept
    ]


def is_of_several(recipe: ImportRecipe) -> bool:
    """Whether it is for several files at once."""
    return MEMBERS in recipe.mapping
