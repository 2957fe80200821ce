"""Views of a list: the menu that switches, and what people do with their personal ones."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from rapport.actions import preferences, records
from rapport.actions.records import InvalidRecord
from rapport.meta.entity import Entity
from rapport.meta.registry import registry
from rapport.queries import preferences as kept_preferences, views
from rapport.queries.query import Query, dumps

from . import shell
from .commandbar import LINE, Item
from .liststate import Listing, default_key, encode, listing, require_read
from .signin import signed_in

SAVED_VIEW = "saved_view"


def definition(query: Query) -> str:
    """What a saved view keeps of a list: everything but its page."""
    return json.dumps(dumps(replace(query, after="", before="")))


def view_menu(seen: Listing) -> list[Item]:
    """The system views, as items of the menu; the personal ones are fetched when it opens."""
    return [
        Item(label=view.label, url=_url(seen, view.key), current=view.key == seen.view.key)
        for view in seen.entity.views
    ]


def _url(seen: Listing, key: str) -> str:
    return seen.url if key == seen.default else seen.url + encode([("view", key)])


@signed_in
@require_safe
def my_views(request: HttpRequest, entity: Entity) -> HttpResponse:
    """The personal views, for the menu."""
    require_read(entity, request.user)
    seen = listing(entity, QueryDict(request.GET.get("state", "")), request.user)
    items = [
        Item(
            label=view.label,
            url=_url(seen, view.key),
            current=view.key == seen.view.key,
            hint="" if view.mine else view.owner,
        )
        for view in views.personal(entity, request.user)
    ]
    if items:
        items = [Item(title=_("My Views")), *items, LINE]
    return shell.render(request, "lists/my_views.html", {"items": items})


@signed_in
@require_safe
def all_views(request: HttpRequest, entity: Entity) -> HttpResponse:
    """All views of an entity, with what can be done to each."""
    require_read(entity, request.user)
    seen = listing(entity, QueryDict(), request.user)
    chosen = seen.default

    def row(view: views.View) -> dict[str, Any]:
        return {
            "view": view,
            "url": _url(seen, view.key),
            "is_default": view.key == chosen,
            "share_url": reverse("share", args=[SAVED_VIEW, view.key]) if view.mine else "",
        }

    return shell.render(
        request,
        "lists/views.html",
        {
            "entity": entity,
            "listing": seen,
            "mine": [row(view) for view in views.personal(entity, request.user)],
            "system": [row(view) for view in views.system(entity)],
        },
    )


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def save_as(request: HttpRequest, entity: Entity) -> HttpResponse:
    """A new personal view that shows what the list shows now."""
    require_read(entity, request.user)
    given = request.POST if request.method == "POST" else request.GET
    seen = listing(entity, QueryDict(given.get("state", "")), request.user)
    name, error = given.get("name", "").strip(), ""
    # Without a name in it the post comes from the list itself, and only asks for the dialog.
    if request.method == "POST" and "name" in given:
        values = {"name": name, "entity": entity.name, "definition": definition(seen.query)}
        try:
            id_ = records.create_record(registry[SAVED_VIEW], values, by=request.user)
        except InvalidRecord as problem:
            error = problem.complaints
        else:
            if given.get("default") == "1":
                preferences.put(request.user, default_key(entity), str(id_))
            messages.success(request, _("The view “%(view)s” is saved.") % {"view": name})
            return shell.moved(request, seen.url + encode([("view", str(id_))]))
    context = {"entity": entity, "listing": seen, "name": name, "error": error}
    return shell.render(request, "lists/save_view.html", context, status=422 if error else 200)


@signed_in
@require_POST
def save_changes(request: HttpRequest, entity: Entity) -> HttpResponse:
    """Let the personal view that the list shows keep what it shows now."""
    seen = listing(entity, QueryDict(request.POST.get("state", "")), request.user)
    if not seen.view.personal:
        raise Http404
    if seen.problems:
        messages.warning(request, " ".join(seen.problems))
        return shell.moved(request, seen.address())
    values = {"definition": definition(seen.query)}
    id_ = uuid.UUID(seen.view.key)
    op = records.update_record(registry[SAVED_VIEW], id_, values, by=request.user)
    text = _("The view “%(view)s” is saved.") % {"view": seen.view.label}
    shell.say_done(request, text, op.pk if op.counts else None)
    return shell.moved(request, _url(seen, seen.view.key))


@signed_in
@require_POST
def set_default(request: HttpRequest, entity: Entity) -> HttpResponse:
    """The view that the list shows first, for this person."""
    key = request.POST.get("view") or QueryDict(request.POST.get("state", "")).get("view", "")
    view = views.find(entity, key, request.user)
    if view is None:
        raise Http404
    standard = view.key == views.default(entity).key
    preferences.put(request.user, default_key(entity), None if standard else view.key)
    messages.success(
        request,
        _("%(records)s open with “%(view)s” from now on.")
        % {"records": entity.label_plural, "view": view.label},
    )
    return shell.moved(request, reverse("list", args=[entity]))


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def rename(request: HttpRequest, entity: Entity, id: uuid.UUID) -> HttpResponse:
    """Another name for a personal view."""
    view = _own(request, entity, id)
    name, error = request.POST.get("name", view.label).strip(), ""
    if request.method == "POST":
        try:
            records.update_record(registry[SAVED_VIEW], id, {"name": name}, by=request.user)
        except InvalidRecord as problem:
            error = problem.complaints
        else:
            return shell.moved(request, reverse("views", args=[entity]))
    context = {"entity": entity, "view": view, "name": name, "error": error}
    return shell.render(request, "lists/rename_view.html", context, status=422 if error else 200)


@signed_in
@require_POST
def delete(request: HttpRequest, entity: Entity, id: uuid.UUID) -> HttpResponse:
    """Delete a personal view; it can be put back."""
    view = _own(request, entity, id)
    op = records.delete_records(registry[SAVED_VIEW], [id], by=request.user)
    if kept_preferences.get(request.user, default_key(entity)) == view.key:
        preferences.put(request.user, default_key(entity), None)
    text = _("The view “%(view)s” is deleted.") % {"view": view.label}
    shell.say_done(request, text, op.pk)
    return shell.moved(request, reverse("views", args=[entity]))


def _own(request: HttpRequest, entity: Entity, id_: uuid.UUID) -> views.View:
    view = views.find(entity, str(id_), request.user)
    if view is None:
        raise Http404
    return view


urlpatterns = [
    path("<entity:entity>/views/", all_views, name="views"),
    path("<entity:entity>/views/mine", my_views, name="my-views"),
    path("<entity:entity>/views/new", save_as, name="save-view"),
    path("<entity:entity>/views/save", save_changes, name="save-view-changes"),
    path("<entity:entity>/views/default", set_default, name="default-view"),
    path("<entity:entity>/views/<uuid:id>/rename", rename, name="rename-view"),
    path("<entity:entity>/views/<uuid:id>/delete", delete, name="delete-view"),
]
