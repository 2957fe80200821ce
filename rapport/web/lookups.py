"""What a look-up offers while one types, and records that are made out of it."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from rapport.access import Forbidden
from rapport.actions import records
from rapport.meta.field import Field
from rapport.meta.kinds import Kind
from rapport.meta.registry import registry
from rapport.queries import lookup

from . import shell
from .forms import LOOKUPS, target_to_create
from .inputs import input_text
from .signin import signed_in


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def look_up(request: HttpRequest, entity: str, name: str) -> HttpResponse:
    """Options for a look-up field: GET ?q= finds, POST name= makes one and answers it."""
    field = registry[entity].fields.get(name) if entity in registry else None
    if field is None or field.kind not in LOOKUPS:
        raise Http404
    if request.method == "POST":
        return _create(request, field)
    found = lookup.suggest(field, request.GET.get("q", "")[:200], request.user)
    if not found:
        note = format_html('<p class="listbox-note">{}</p>', _("Nothing found"))
        return HttpResponse(note)
    return HttpResponse("".join(option(field, hit) for hit in found))


def _create(request: HttpRequest, field: Field) -> HttpResponse:
    target = target_to_create(field, request.user)
    if target is None:
        raise Forbidden("create")
    text = request.POST.get("name", "").strip()
    try:
        id_ = records.create_record(target, records.from_title(target, text), by=request.user)
    except records.InvalidRecord as error:
        messages = error.complaints
        return HttpResponse(format_html('<p class="listbox-note">{}</p>', messages), status=422)
    return HttpResponse(option(field, lookup.Found(target.name, id_, " ".join(text.split()))))


def option(field: Field, hit: lookup.Found) -> SafeString:
    """One option of the list."""
    entity = registry[hit.entity]
    if field.kind is Kind.OWNER or entity.title_fields != (entity.title,):
        mark = format_html(
            '<span class="avatar hue-{}" aria-hidden="true">{}</span>',
            shell.hue(hit.title),
            shell.initials(hit.title),
        )
    else:
        mark = shell.icon(entity.icon)
    detail = format_html("<small>{}</small>", hit.detail) if hit.detail else ""
    return format_html(
        '<div role="option" class="listbox-option" data-value="{}" data-label="{}">'
        "{}<span><b>{}</b>{}</span></div>",
        input_text(field, hit.value(field)),
        hit.title,
        mark,
        hit.title,
        detail,
    )


urlpatterns = [path("lookup/<slug:entity>/<slug:name>", look_up, name="lookup")]
