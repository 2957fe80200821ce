"""A list as a file: its whole result, or the rows that are marked."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import replace

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase, StreamingHttpResponse
from django.urls import path
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from rapport import access
from rapport.access import Actor
from rapport.exports.formats import FORMATS, fitting, pieces, table_for
from rapport.exports.rows import Table, template
from rapport.meta.entity import Entity
from rapport.models.people import Verb
from rapport.queries.query import Group

from . import shell
from .bulk import selection
from .converters import slug
from .liststate import Listing, listing, require_read
from .signin import signed_in

EVERY_FIELD = "all"


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def export(request: HttpRequest, entity: Entity, format: str) -> HttpResponseBase:
    """The file of what the address describes, as for the list itself; posted by the grid's form,
    because the keys of many rows do not fit into an address, of the rows that are marked.

    `columns=all` is for every field of the entity.
    """
    if format not in fitting(entity):
        raise Http404
    require_read(entity, request.user)
    access.require(request.user, Verb.EXPORT, entity)
    if request.method == "POST":
        return _selected(request, entity, format)
    params = request.GET.copy()
    every = params.get("columns") == EVERY_FIELD
    if every:
        del params["columns"]
    seen = listing(entity, params, request.user)
    if seen.problems:
        # Without a filter that is gone the file would hold more than was asked for. The list at
        # the same address says what is wrong.
        return HttpResponseRedirect(f"{seen.url}?{params.urlencode()}")
    return _file(seen, format, request.user, every=every)


def _selected(request: HttpRequest, entity: Entity, format: str) -> HttpResponseBase:
    chosen = selection(request, entity)
    seen, every = chosen.seen, request.GET.get("columns") == EVERY_FIELD
    if chosen.whole and seen.problems:
        return _back(request, seen, _("The list is not the one that you saw any more."))
    if chosen.whole:
        return _file(seen, format, request.user, every=every)
    if not chosen.ids:
        return _back(request, seen, _("Select some rows first."))
    # What is marked is meant, whatever has become of the filter since.
    seen.query = replace(seen.query, where=Group(), exists=(), find="")
    return _file(seen, format, request.user, every=every, among=chosen.ids)


def _back(request: HttpRequest, seen: Listing, text: str) -> HttpResponse:
    messages.warning(request, text)
    return shell.moved(request, seen.address())


def _file(
    seen: Listing,
    format: str,
    by: Actor,
    *,
    every: bool,
    among: Collection[uuid.UUID] | None = None,
) -> HttpResponseBase:
    found = table_for(format, seen.query, by, all_fields=every, among=among)
    return _answer(found, format, f"{slug(seen.entity)}-{timezone.localdate():%Y-%m-%d}.{format}")


@signed_in
@require_safe
def template_page(request: HttpRequest, entity: Entity) -> HttpResponseBase:
    """An empty workbook with the columns and drop-downs of `entity`, to be filled and imported."""
    if not entity.importable:
        raise Http404
    found = template(entity, request.user)
    return _answer(found, "xlsx", f"{slug(entity)}.xlsx")


def _answer(found: Table, format: str, name: str) -> HttpResponseBase:
    return StreamingHttpResponse(
        pieces(found, format),
        content_type=FORMATS[format].content_type,
        headers={
            "Content-Disposition": content_disposition_header(as_attachment=True, filename=name),
            "X-Content-Type-Options": "nosniff",
        },
    )


urlpatterns = [
    path("<entity:entity>/template.xlsx", template_page, name="template"),
    path("<entity:entity>/export.<slug:format>", export, name="export"),
]
