"""Columns of a list: which, in which order, how wide."""

from __future__ import annotations

import re
from dataclasses import replace

from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods, require_POST

from rapport.actions import preferences
from rapport.meta.entity import Entity
from rapport.queries.query import InvalidQuery, field_of

from . import shell
from .filters import field_groups
from .liststate import Listing, label_of, listing, require_read, widths_key
from .signin import signed_in

NARROWEST, WIDEST = 60, 1200
MOST = 40
_WIDTH = re.compile(r"([a-z0-9_.]{1,80}):(\d{1,5})(?:\.\d+)?(?:,|$)")


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def edit_columns(request: HttpRequest, entity: Entity) -> HttpResponse:
    """The editor of columns. Each button posts: `up`, `down`, `drop` a column, `add` one, and
    `apply` shows the list with them; nothing is kept until the view is saved."""
    require_read(entity, request.user)
    given = request.POST if request.method == "POST" else request.GET
    seen = listing(entity, QueryDict(given.get("state", "")), request.user)
    names = [n for n in given.getlist("columns") if _is_field(entity, n)] or list(
        seen.query.columns
    )
    if entity.title not in names:
        names.insert(0, entity.title)
    names = _changed(entity, list(dict.fromkeys(names)), given)[:MOST]
    if request.method == "POST" and "apply" in given:
        query = replace(seen.query, columns=tuple(names), after="", before="")
        return shell.moved(request, seen.address(query))
    return shell.render(request, "lists/columns.html", _editor(seen, names))


def _changed(entity: Entity, names: list[str], given: QueryDict) -> list[str]:
    if (name := given.get("add", "")) and _is_field(entity, name) and name not in names:
        names.append(name)
    if (name := given.get("drop")) in names and name != entity.title:
        names.remove(name)
    for key, step in (("up", -1), ("down", 1)):
        if (name := given.get(key)) in names:
            at = names.index(name)
            names.insert(min(max(at + step, 0), len(names) - 1), names.pop(at))
    return names


def _is_field(entity: Entity, name: str) -> bool:
    try:
        field_of(entity, name)
    except InvalidQuery:
        return False
    return True


def _editor(seen: Listing, names: list[str]) -> dict[str, object]:
    entity = seen.entity
    groups = [
        (title, [pair for pair in pairs if pair[0] not in names])
        for title, pairs in field_groups(entity)
    ]
    return {
        "entity": entity,
        "listing": seen,
        "action": reverse("list-columns", args=[entity]),
        "chosen": [(n, label_of(entity, n), n != entity.title) for n in names],
        "groups": groups if len(names) < MOST else [],
    }


@signed_in
@require_POST
def keep_widths(request: HttpRequest, entity: Entity) -> HttpResponse:
    """Column widths as the grid sends them: 'full_name:240,email:180'."""
    require_read(entity, request.user)
    sent = dict(_WIDTH.findall(request.POST.get("widths", "")[:8000]))
    kept = {
        name: min(max(int(width), NARROWEST), WIDEST)
        for name, width in sent.items()
        if _is_field(entity, name)
    }
    if kept:
        preferences.add(request.user, widths_key(entity), kept)
    return HttpResponse(status=204)


urlpatterns = [
    path("<entity:entity>/columns", edit_columns, name="list-columns"),
    path("<entity:entity>/widths", keep_widths, name="list-widths"),
]
