"""Saved mappings: the list, one with its key, folder and last runs; saving and using one."""

from __future__ import annotations

import shlex
import uuid
from collections.abc import Iterator
from itertools import chain
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import path, reverse
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from rapport import access
from rapport.actions.records import RecordNotFound
from rapport.imports import bundle, flow, mapping as mappings, parts, recipefit, recipekeys, recipes
from rapport.imports.mapping import Mapping, MappingRefused
from rapport.imports.recipefit import RecipeRefused
from rapport.imports.uploads import FileRefused, UploadGone
from rapport.meta.entity import Entity
from rapport.meta.field import Field
from rapport.meta.kinds import Kind
from rapport.meta.registry import registry
from rapport.models import ImportFile, ImportRecipe
from rapport.models.operations import Decision, Fate
from rapport.queries import recipes as found

from . import shell
from .cells import CellContext, cell_context, local_text
from .importsteps import TONES, error_text, head, is_applied, outcome, visible
from .signin import signed_in

MISSING = {
    mappings.CREATE: gettext_lazy("none there: create it"),
    mappings.REFUSE: gettext_lazy("none there: refuse the row"),
    mappings.BLANK: gettext_lazy("none there: leave it blank"),
}
SEVERAL = {
    mappings.REFUSE: gettext_lazy("several: refuse the row"),
    mappings.BLANK: gettext_lazy("several: leave it blank"),
    mappings.OLDEST: gettext_lazy("several: the oldest"),
}
ON_MATCH = {
    mappings.UPDATE: gettext_lazy("updated"),
    mappings.FILL: gettext_lazy("filled where it is blank"),
    mappings.SKIP: gettext_lazy("left as it is"),
}
DUPLICATES = {
    mappings.SKIP: gettext_lazy("Possible duplicates are held back."),
    mappings.UPDATE: gettext_lazy("Possible duplicates update the stored record."),
    mappings.FILL: gettext_lazy("Possible duplicates fill blank fields of the stored record."),
    mappings.CREATE: gettext_lazy("Possible duplicates are created."),
}


# -- the list --------------------------------------------------------------------------------------


@require_safe
@signed_in
def recipe_list(request: HttpRequest) -> HttpResponse:
    """All that the viewer may see."""
    cells = cell_context()
    rows = [_row(recipe, request, cells) for recipe in found.visible_recipes(request.user)]
    context = {"rows": rows, "new_url": reverse("import-new") if _may_import(request) else ""}
    return shell.render(request, "recipes/list.html", context)


def _may_import(request: HttpRequest) -> bool:
    return bool(flow.importable_for(request.user))


def _row(recipe: ImportRecipe, request: HttpRequest, cells: CellContext) -> dict[str, Any]:
    known = recipe.entity in registry
    return {
        "recipe": recipe,
        "url": reverse("recipe", args=[recipe.pk]),
        "records": registry[recipe.entity].label_plural if known else recipe.entity,
        "owner": _("you") if recipe.owner_id == request.user.pk else str(recipe.owner),
        "headers": ", ".join(part.name for part in recipefit.parts_of(recipe) if part is not recipe)
        or ", ".join(header for header in recipe.headers if header),
        "has_key": hasattr(recipe, "key"),
        "problems": _problems(recipe),
        "used": recipe.used_at,
        "used_text": local_text(recipe.used_at, cells),
    }


def _problems(recipe: ImportRecipe) -> list[str]:
    try:
        return recipefit.gone_texts(recipefit.gone_fields(recipe))
    except RecipeRefused as refused:
        return [str(refused)]


# -- one recipe ------------------------------------------------------------------------------------


def _visible(request: HttpRequest, id: uuid.UUID) -> ImportRecipe:
    recipe = found.recipe_for(id, request.user)
    if recipe is None:
        raise RecordNotFound("recipe")
    return recipe


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def recipe_page(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """What it does, how it runs, what came of it; posted: changed."""
    recipe = _visible(request, id)
    if request.method != "POST":
        return _page(request, recipe)
    post = request.POST
    try:
        recipes.change(
            recipe,
            by=request.user,
            name=post.get("name", ""),
            is_shared="shared" in post,
            folder=post.get("folder", ""),
            looks_first="looks_first" in post,
            most_refused=_percent(post, "most_refused"),
            most_updated=_percent(post, "most_updated"),
        )
    except RecipeRefused as refused:
        return _page(request, recipe, refused=refused)
    messages.success(request, _("Saved."))
    return shell.moved(request, reverse("recipe", args=[recipe.pk]))


def _percent(post: QueryDict, name: str) -> int | None:
    text = post.get(name, "").strip().removesuffix("%").strip()
    if not text:
        return None
    # What is no number is refused like one that is too large.
    return int(text) if text.isdecimal() and len(text) < 5 else -1


@sensitive_variables("key", "context")
def _page(
    request: HttpRequest,
    recipe: ImportRecipe,
    *,
    refused: RecipeRefused | None = None,
    key: str = "",
) -> HttpResponse:
    cells, post = cell_context(), request.POST
    values: dict[str, Any] = {
        "name": recipe.name,
        "shared": recipe.is_shared,
        "folder": recipe.folder,
        "looks_first": recipe.looks_first,
        "most_refused": "" if recipe.most_refused is None else recipe.most_refused,
        "most_updated": "" if recipe.most_updated is None else recipe.most_updated,
    }
    if refused is not None:
        values = {name: post.get(name, "") for name in values}
    kept = getattr(recipe, "key", None)
    rules = chain.from_iterable(map(_rules, recipefit.parts_of(recipe)))
    context = {
        **_row(recipe, request, cells),
        "values": values,
        "error": str(refused) if refused else "",
        "may_change": recipes.may_change(recipe, request.user),
        "may_make_key": recipe.owner_id == request.user.pk,
        "columns": list(_columns(recipe)),
        "rules": list(dict.fromkeys(rules)),
        "runs": [_run(upload, cells) for upload in found.runs_of(recipe, request.user)],
        "watches": bool(settings.IMPORT_FOLDER),
        "kept_key": kept,
        "key_made": local_text(kept.created_at, cells) if kept else "",
        "key_used": local_text(kept.used_at, cells) if kept else "",
        "key": key,
        "command": _command(recipe),
        "call_url": request.build_absolute_uri(reverse("api-import", args=[recipe.pk])),
    }
    return shell.render(request, "recipes/recipe.html", context, status=422 if refused else 200)


def _mapping(recipe: ImportRecipe) -> Mapping | None:
    if recipe.entity not in registry:
        return None
    return Mapping.from_json(registry[recipe.entity], recipe.mapping)


def _columns(recipe: ImportRecipe) -> Iterator[dict[str, Any]]:
    """Header, field and what is said besides, column by column."""
    for part in recipefit.parts_of(recipe):
        yield from _columns_of(part, f"{part.name}: " if part is not recipe else "")


def _columns_of(recipe: ImportRecipe, file: str) -> Iterator[dict[str, Any]]:
    mapping = _mapping(recipe)
    for index, header in enumerate(recipe.headers):
        target = mapping.columns.get(index) if mapping else None
        yield {
            "header": file + (header or _("Column %(number)s") % {"number": index + 1}),
            "field": mappings.label_of(mapping.entity, target.field) if mapping and target else "",
            "said": list(_said(mapping.entity, target)) if mapping and target else [],
        }


def _said(entity: Entity, target: mappings.Target) -> Iterator[str]:
    if target.default:
        yield _("blank cells: “%(text)s”") % {"text": target.default}
    if target.values:
        field = parts.field_of(entity, target.field)
        pairs = [
            f"{cell} → {_option_label(field, option)}"
            for cell, option in list(target.values.items())[:10]
        ]
        yield ", ".join(pairs)
    for rules, rule in ((MISSING, target.missing), (SEVERAL, target.several)):
        if rule in rules:
            yield str(rules[rule])
    if target.wipe:
        yield _("an empty cell empties the field")


def _option_label(field: Field | None, option: str) -> str:
    """What people call the option that a mapping names by number, name or label."""
    if field is None or not option:
        return option or "–"
    if field.labels:
        return str(field.labels.get(option, option))
    if field.kind is Kind.BOOLEAN:
        return str(_("Yes") if option == "1" else _("No"))
    known = {str(one.value): str(one.label) for one in field.options}
    return known.get(option, option)


def _command(recipe: ImportRecipe) -> str:
    """The line to type; a name that a shell would take apart is quoted as it asks for."""
    name = recipe.name
    quoted = shlex.quote(name) if set(name) & set('"\\$`!') else f'"{name}"'
    return f"rapport import customers.csv --recipe {quoted}"


def _rules(recipe: ImportRecipe) -> Iterator[str]:
    """What happens to rows as a whole, in sentences."""
    mapping = _mapping(recipe)
    if mapping is None:
        return
    entity = mapping.entity

    def labels(names: Any) -> str:
        return " + ".join(mappings.label_of(entity, name) for name in names)

    for name, text in mapping.constants.items():
        values = {"field": mappings.label_of(entity, name), "text": text}
        yield _("%(field)s is “%(text)s” in every row.") % values
    if mapping.match:
        ways = "; ".join(labels(names) for names in mapping.match)
        values = {"fields": ways, "what": ON_MATCH.get(mapping.on_match, mapping.on_match)}
        yield _("A stored record with the same %(fields)s is %(what)s.") % values
    yield str(DUPLICATES.get(mapping.duplicates, mapping.duplicates))
    for fate, decision in recipe.decisions.items():
        if fate in Fate.values and decision in Decision.values:
            values = {"fate": Fate(fate).label, "decision": Decision(decision).label}
            yield _("Rows found to be “%(fate)s”: %(decision)s.") % values


def _run(upload: ImportFile, cells: CellContext) -> dict[str, Any]:
    return {
        "url": reverse("import", args=[upload.pk]),
        "name": upload.name,
        "state": upload.get_state_display(),
        "tone": TONES[upload.state],
        "outcome": outcome(upload, cells),
        "via": _VIA.get(upload.options.get("via", ""), ""),
        "moment": upload.created_at,
        "moment_text": local_text(upload.created_at, cells),
    }


_VIA = {"folder": gettext_lazy("Folder"), "api": gettext_lazy("Call")}


@sensitive_variables("key")
@require_POST
@signed_in
def make_key(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """A new key, shown on the answer to this post and nowhere else."""
    recipe = _visible(request, id)
    key = recipekeys.make_key(recipe, by=request.user)
    return _page(request, _visible(request, id), key=key)


@require_POST
@signed_in
def revoke_key(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """Let the key work no more."""
    recipe = _visible(request, id)
    recipekeys.revoke_key(recipe, by=request.user)
    messages.success(request, _("The key works no more."))
    return shell.moved(request, reverse("recipe", args=[recipe.pk]))


@require_POST
@signed_in
def delete(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """Forget a saved mapping."""
    recipe = _visible(request, id)
    recipes.delete(recipe, by=request.user)
    messages.success(request, _("“%(name)s” is deleted.") % {"name": recipe.name})
    return shell.moved(request, reverse("recipes"))


# -- saved from an import, used by one -------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def save(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """Keep the mapping of an import with a name."""
    upload = visible(request, id)
    if not (upload.mapping or bundle.is_bundle(upload)) or upload.entity not in registry:
        raise RecordNotFound("import")
    post, taken, error = request.POST, False, ""
    own = upload.recipe if _is_own(upload.recipe, request) else None
    if request.method == "POST":
        try:
            recipe = recipes.save(
                upload,
                post.get("name", ""),
                by=request.user,
                is_shared="shared" in post,
                replace="replace" in post,
            )
        except (RecipeRefused, MappingRefused) as refused:
            error, taken = str(refused), getattr(refused, "code", "") == "taken"
        else:
            text = _("The mapping is saved as “%(name)s”.") % {"name": recipe.name}
            messages.success(request, text)
            return shell.moved(request, _after(upload, recipe, post))
    context = {
        **head(upload, 3 if is_applied(upload) else 1),
        "name": post.get("name", own.name if own else ""),
        "shared": "shared" in post if post else bool(own and own.is_shared),
        "may_replace": taken or own is not None,
        "replace": "replace" in post if post else own is not None,
        "decisions": bool(upload.options.get(recipes.DECISIONS)),
        "next": post.get("next") or request.GET.get("next", ""),
        "error": error,
    }
    return shell.render(request, "recipes/save.html", context, status=422 if error else 200)


def _is_own(recipe: ImportRecipe | None, request: HttpRequest) -> bool:
    return recipe is not None and recipe.owner_id == request.user.pk


def _after(upload: ImportFile, recipe: ImportRecipe, post: QueryDict) -> str:
    """Back to the columns if one came from there, else to what was made."""
    if post.get("next") == "columns" and upload.operation_id is None:
        return reverse("import-mapping", args=[upload.pk])
    return reverse("recipe", args=[recipe.pk])


@require_POST
@signed_in
def use(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """Read an import by a saved mapping, or by its headers alone."""
    upload = visible(request, id)
    text = request.POST.get("recipe", "")
    try:
        if text:
            one = recipes.find(text, by=request.user)
            for problem in recipes.use(upload, one, by=request.user).problems:
                messages.warning(request, problem)
        else:
            recipes.leave(upload, by=request.user)
    except (RecipeRefused, MappingRefused, FileRefused, UploadGone, flow.NotNow) as error:
        messages.error(request, error_text(error))
    except access.Forbidden:
        messages.error(request, _("You may not import these records."))
    return shell.moved(request, reverse("import-mapping", args=[upload.pk]))


def offer_context(request: HttpRequest, upload: ImportFile) -> dict[str, Any]:
    """For recipes/offer.html on the page of the columns: what is used, and what may be."""
    # Also for other records: what a file holds may have been guessed wrongly.
    offers = recipes.offers(upload, by=request.user, any_entity=True)
    used = upload.recipe
    return {
        "recipe_used": used,
        "recipe_url": reverse("recipe", args=[used.pk])
        if used and found.recipe_for(used.pk, request.user)
        else "",
        "recipe_notes": upload.options.get("recipe_notes", ()) if used else (),
        "recipe_offers": [
            {
                "id": one.recipe.pk,
                "name": one.recipe.name,
                "records": str(one.mapping.entity.label_plural)
                if one.recipe.entity != upload.entity
                else "",
                "owner": "" if _is_own(one.recipe, request) else str(one.recipe.owner),
                "likeness": round(one.likeness * 100),
            }
            for one in offers
            if used is None or one.recipe.pk != used.pk
        ],
        "recipe_use_url": reverse("import-recipe", args=[upload.pk]),
    }


urlpatterns = [
    path("imports/recipes/", recipe_list, name="recipes"),
    path("imports/recipes/<uuid:id>/", recipe_page, name="recipe"),
    path("imports/recipes/<uuid:id>/key/", make_key, name="recipe-key"),
    path("imports/recipes/<uuid:id>/revoke/", revoke_key, name="recipe-revoke"),
    path("imports/recipes/<uuid:id>/delete/", delete, name="recipe-delete"),
    path("imports/<uuid:id>/save/", save, name="import-save"),
    path("imports/<uuid:id>/recipe/", use, name="import-recipe"),
]
