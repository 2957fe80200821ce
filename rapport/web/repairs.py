"""Repairs of the rows that are marked, or of a whole result: what would change, then the deed."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from rapport import access
from rapport.actions import repairs
from rapport.meta.entity import Entity
from rapport.models.people import Verb
from rapport.queries import pages

from .bulk import Selection, dialog, do, not_allowed, refusal, selection
from .cells import cell, cell_context
from .signin import signed_in


@signed_in
@require_POST
def repair(request: HttpRequest, entity: Entity) -> HttpResponse:
    """Choose a repair, see what it would make of the first records, do it."""
    access.require(request.user, Verb.WRITE, entity)
    chosen = selection(request, entity)
    if answer := refusal(request, chosen):
        return answer
    key = "" if "back" in request.POST else request.POST.get("repair", "")
    try:
        wanted = repairs.repair_of(entity, key)
    except repairs.UnknownRepair:
        known = repairs.repairs_of(entity)
        return dialog(request, chosen, "lists/repair.html", repairs=known)
    if "confirm" in request.POST:
        return do(request, chosen, "repair", {"repair": key}, _("%(records)s mended"))
    return dialog(request, chosen, "lists/repair_confirm.html", **_preview(chosen, wanted))


def _preview(chosen: Selection, wanted: repairs.Repair) -> dict[str, Any]:
    entity, context = chosen.entity, cell_context()
    ids = chosen.ids
    if chosen.whole:
        ids = pages.ids(chosen.seen.query, chosen.by, limit=repairs.LOOKED_AT)
    found = repairs.preview(entity, ids, wanted.key, by=chosen.by)
    rows = [
        {
            "title": row.title or entity.label,
            "url": context.address(entity.name, row.id),
            "changes": [
                (entity.fields[name].label, _marked(old), cell(entity.fields[name], new, context))
                for name, (old, new) in row.changes.items()
            ],
        }
        for row in found.rows
    ]
    return {
        "wanted": wanted,
        "carry": [("repair", wanted.key)],
        "rows": rows,
        "would_change": context.number(found.count),
        "same": context.number(found.looked_at - found.count),
        "looked_at": context.number(found.looked_at),
        "partly": found.looked_at < chosen.count,
        "shown": len(rows) if len(rows) < found.count else 0,
        "not_allowed": not_allowed(chosen, Verb.WRITE),
    }


def _marked(text: Any) -> str:
    """A text whose blanks at the ends can be seen."""
    plain = str(text)
    bare = plain.strip()
    start = len(plain) - len(plain.lstrip())
    return "␣" * start + bare + "␣" * (len(plain) - start - len(bare)) if bare else plain


urlpatterns = [path("<entity:entity>/bulk/repair", repair, name="repair")]
