"""The page of a record: its values, what happened, what hangs on it, every change."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from rapport.actions import visits
from rapport.meta.entity import Entity
from rapport.queries import history, one
from rapport.queries.one import One

from . import commands, panels, sentences, shell, similar, timelines
from .cells import CellContext, cell, cell_context, moment_text
from .panels import Facts, address, closed, facts_of, find
from .signin import signed_in

# Sections in the first column when the last one has nothing else to show.
LEFT = 2
TABS = ("summary", "details", "history")


# -- the page --------------------------------------------------------------------------------------


@signed_in
@require_GET
def record(request: HttpRequest, entity: Entity, id: uuid.UUID) -> HttpResponse:
    """The page of a record; ?tab= summary, details or history."""
    found = find(request, entity, id, system=request.GET.get("tab") == "details")
    specific = one.specific(found)
    if specific is not entity:
        return shell.moved(request, address(specific, id))
    return show(request, found)


def show(
    request: HttpRequest,
    found: One,
    *,
    composer: Mapping[str, str] | None = None,
    status: int = 200,
) -> HttpResponse:
    """The page of `found`. `composer`: what was wrong with a note, and its text."""
    user, entity = request.user, found.entity
    cells = cell_context(whole=True)
    tab = request.GET.get("tab", "")
    tab = tab if tab in TABS else "summary"
    facts = facts_of(found, request, cells)
    bar = commands.record_bar(found, user)
    context: dict[str, Any] = {
        "one": found,
        "entity": entity,
        "face": panels.face(entity, found.title, "large"),
        "parts": _subtitle(found, cells),
        "keyfacts": panels.key_facts(found, facts),
        "closed": closed(found),
        "alike": similar.notice(found, user) if tab == "summary" else None,
        "tabs": _tabs(found, tab),
        "tab": tab,
        "commands": bar.start,
        "commands_end": bar.end,
        "visit_url": address(entity, found.id, "visit"),
    }
    if tab == "history":
        context.update(_history(request, found, cell_context()))
    else:
        context["sections"] = sections = _sections(found, facts, tab)
    if tab == "summary":
        context["related"] = panels.related_panels(found, user, cells)
        context["cards"] = panels.cards(found, user, cells)
        if entity.has_timeline:
            context["timeline"] = {**timelines.panel(found, request, cells), **(composer or {})}
            if not context["related"] and not context["cards"]:
                # Nothing hangs on it: the room is for more of its own values.
                context["sections"], context["more"] = sections[:LEFT], sections[LEFT:]
    elif tab == "details":
        context["system"] = _system_facts(found, facts)
    return shell.render(request, "records/record.html", context, status=status)


def _sections(found: One, facts: Facts, tab: str) -> list[tuple[Any, SafeString]]:
    return [
        (section.label, facts.section(section.fields))
        for section in found.entity.sections
        if section.tab == tab
    ]


def _system_facts(found: One, facts: Facts) -> SafeString:
    """Who made and changed it, and when."""
    names = ("created_at", "created_by", "modified_at", "modified_by", "owning_unit")
    return facts.section(name for name in names if name in found.entity.fields)


def _subtitle(found: One, cells: CellContext) -> list[Any]:
    """What it is, and what it belongs to."""
    parts: list[Any] = [found.entity.label]
    for name in found.entity.cards:
        link = found.links.get(name)
        if link is not None and link.title:
            parts.append(cell(found.entity.fields[name], link, cells))
    return parts


def _tabs(found: One, current: str) -> list[tuple[str, Any, bool]]:
    """(address, label, whether it is the present one)."""
    base = address(found.entity, found.id)
    tabs = [("", _("Summary"), "summary")]
    if any(section.tab == "details" for section in found.entity.sections):
        tabs.append(("?tab=details", _("Details"), "details"))
    tabs.append(("?tab=history", _("History"), "history"))
    return [(f"{base}{query}", label, key == current) for query, label, key in tabs]


def _history(request: HttpRequest, found: One, cells: CellContext) -> dict[str, Any]:
    """Every change of the record, newest first."""
    before = request.GET.get("before", "")
    last = int(before) if before.isdecimal() and len(before) < 19 else None
    events, more = history.history(found, request.user, before=last)
    return {
        "events": [event_row(event, cells) for event in events],
        "origins": [
            {
                **event_row(event, cells),
                "label": field.label,
                "value": cell(field, found.links.get(field.name, found.values[field.name]), cells),
            }
            for field, event in (history.origins(found, request.user) if last is None else ())
        ],
        "more_url": f"?tab=history&before={events[-1].change.pk}" if more else "",
    }


def event_row(event: history.Event, cells: CellContext) -> dict[str, Any]:
    """An event as the history shows it."""
    moment = event.at.astimezone(cells.zone)
    text, source = sentences.about(event), sentences.source(event)
    return {
        "iso": event.at.isoformat(),
        "time": moment_text(moment, cells.language),
        "who": event.who,
        "text": text,
        "source": "" if source in text else source,
        "changes": [
            (change.field.label, *(cell(change.field, value, cells) for value in pair))
            for change in event.fields
            for pair in [(change.before, change.after)]
        ],
        "url": reverse("operation", args=[event.operation.pk]),
    }


@signed_in
@require_GET
def related_part(request: HttpRequest, entity: Entity, id: uuid.UUID, number: int) -> HttpResponse:
    """One related list, for those that are fetched later."""
    found = find(request, entity, id)
    shown = panels.related_panels(found, request.user, cell_context(), only=number)
    if not shown:
        raise Http404
    if not shell.is_part(request):
        return shell.moved(request, address(entity, id))
    return shell.render(request, "panels/related.html", {"panel": shown[0]})


@signed_in
@require_POST
def visit(request: HttpRequest, entity: Entity, id: uuid.UUID) -> HttpResponse:
    """The page tells that it was opened: reading it does not write."""
    visits.record_visit(entity, id, by=request.user)
    return HttpResponse(status=204)


urlpatterns = [
    path("<entity:entity>/<uuid:id>/", record, name="record"),
    path("<entity:entity>/<uuid:id>/related/<int:number>", related_part, name="related"),
    path("<entity:entity>/<uuid:id>/visit", visit, name="visit"),
]
