"""The timeline of a record: what people did and wrote, and what Rapport noted by itself."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from rapport import access
from rapport.actions import records
from rapport.meta.entity import Entity
from rapport.meta.kinds import Ref
from rapport.meta.registry import registry
from rapport.models.activity import COMPLETED
from rapport.models.people import Verb
from rapport.queries import timeline
from rapport.queries.one import One
from rapport.queries.timeline import Entry, Place

from . import sentences, shell
from .cells import CellContext, cell_context, moment_text
from .commandbar import Item
from .panels import PLAIN, address, find
from .signin import local, signed_in

# A long text is cut: the whole stands on the page of the activity or note.
TEXT_SHOWN = 1200
FILTERS = (
    ("activity", gettext_lazy("Activities")),
    ("note", gettext_lazy("Notes")),
    ("system", gettext_lazy("System entries")),
)


@signed_in
@require_GET
def timeline_part(request: HttpRequest, entity: Entity, id: uuid.UUID) -> HttpResponse:
    """The timeline alone, as filtered; or its next entries (?after=)."""
    found = find(request, entity, id)
    context = panel(found, request, cell_context())
    part = "panels/timeline_more.html" if "after" in request.GET else "panels/timeline.html"
    if not shell.is_part(request):
        return shell.moved(request, f"{address(entity, id)}?{request.GET.urlencode()}")
    return shell.render(request, part, {"timeline": context})


@signed_in
@require_POST
def add_note(request: HttpRequest, entity: Entity, id: uuid.UUID) -> HttpResponse:
    """Write a note about the record."""
    found = find(request, entity, id)
    text = request.POST.get("text", "").replace("\r\n", "\n").strip()
    error = ""
    try:
        values = {"text": text, "regarding": Ref(entity.name, id)}
        records.create_record(registry["note"], values, by=request.user)
    except records.InvalidRecord as refused:
        error = refused.complaints
    if shell.is_part(request):
        context = panel(found, request, cell_context())
        context.update({"error": error, "text": text if error else ""})
        status = 422 if error else 200
        return shell.render(request, "panels/timeline.html", {"timeline": context}, status=status)
    if error:
        from .records import show  # that page shows this panel

        return show(request, found, composer={"error": error, "text": text}, status=422)
    return shell.moved(request, local(request.POST.get("next", "")) or address(entity, id))


def panel(found: One, request: HttpRequest, cells: CellContext) -> dict[str, Any]:
    """What `panels/timeline.html` shows, as the address asks for it."""
    params = request.GET
    chosen = [kind for kind, _label in FILTERS if kind in params.getlist("show")]
    find = params.get("find", "").strip()[:200]
    after = Place.read(params["after"]) if "after" in params else None
    kinds = frozenset(chosen) or timeline.KINDS
    entries, end = timeline.timeline(found, request.user, after=after, kinds=kinds, find=find)
    base = address(found.entity, found.id)
    note = registry["note"]
    return {
        "url": f"{base}timeline",
        "page_url": base,
        "filters": [(kind, label, kind in chosen) for kind, label in FILTERS],
        "find": find,
        "filtered": bool(chosen or find),
        "groups": _grouped(entries, found, request.user, cells),
        "more_url": _more(f"{base}timeline", params, end),
        "note_url": f"{base}note" if access.may(request.user, Verb.CREATE, note) else "",
        "new": _new(found, request.user),
        "new_label": _("New activity"),
    }


def _more(url: str, params: QueryDict, end: Place | None) -> str:
    if end is None:
        return ""
    pairs = [(name, value) for name in ("show", "find") for value in params.getlist(name) if value]
    return f"{url}?{urlencode([*pairs, ('after', str(end))])}"


def _new(found: One, by: Any) -> list[Item]:
    """Menu: a new activity about this record."""
    query = urlencode({"regarding": f"{found.entity.name}:{found.id}"})
    return [
        Item(
            label=kind.label,
            url=f"{reverse('quick-create', args=[kind])}?{query}",
            icon=kind.icon,
            dialog=True,
        )
        for kind in activities_about(found.entity)
        if access.may(by, Verb.CREATE, kind)
    ]


def activities_about(entity: Entity) -> list[Entity]:
    """The types of activity that can be about a record of `entity`."""
    return [
        kind
        for kind in registry
        if kind.activity and kind.creatable and entity.name in kind.fields["regarding"].targets
    ]


# -- entries ---------------------------------------------------------------------------------------


def _grouped(
    entries: list[Entry], found: One, by: Any, cells: CellContext
) -> list[tuple[str, list[dict[str, Any]]]]:
    """Entries under headings: pinned, planned, today, yesterday, then by month."""
    now = timezone.now()
    today = timezone.localdate(now)
    groups: list[tuple[str, list[dict[str, Any]]]] = []
    for entry in entries:
        heading = _heading(entry, now, today, cells)
        if not groups or groups[-1][0] != heading:
            groups.append((heading, []))
        groups[-1][1].append(SHOW[entry.kind](entry, found, by, cells))
    return groups


def _heading(entry: Entry, now: datetime.datetime, today: datetime.date, cells: CellContext) -> str:
    if entry.pinned:
        return _("Pinned")
    day = timezone.localtime(entry.at).date()
    if entry.at > now and day > today:
        return _("Planned")
    if day == today:
        return _("Today")
    if day == today - datetime.timedelta(days=1):
        return _("Yesterday")
    return month_text(day.year, day.month, cells.language)


@lru_cache(maxsize=512)
def month_text(year: int, month: int, language: str) -> str:
    """A month in words of `language`: "November 2026"."""
    from babel.dates import format_skeleton  # heavy, as in cells

    first = datetime.date(year, month, 1)
    return str(format_skeleton("yMMMM", first, locale=language.replace("-", "_")))


def _frame(entry: Entry, cells: CellContext) -> dict[str, Any]:
    local_time = entry.at.astimezone(cells.zone)
    return {
        "iso": entry.at.isoformat(),
        "time": moment_text(local_time, cells.language),
        "about": entry.regarding_title,
        "about_url": cells.address(entry.regarding.entity, entry.regarding.id)
        if entry.regarding and entry.regarding_title
        else "",
    }


def _activity(entry: Entry, _found: One, by: Any, cells: CellContext) -> dict[str, Any]:
    row = entry.row
    kind = registry[row.type]
    url = cells.address(kind.name, row.pk)
    status = kind.fields["status"].option_by_value.get(row.status)
    commands = []
    if access.allows(by, Verb.WRITE, kind, row):
        commands = [
            (command.label, f"{url}do/{command.key}")
            for command in kind.commands
            if command.primary and command.when(row)
        ]
    overdue = row.is_open and row.due_at is not None and row.due_at < timezone.now()
    return {
        **_frame(entry, cells),
        "id": f"t-{row.pk}",
        "mark": kind.name,
        "icon": kind.icon,
        "title": row.subject,
        "url": url,
        "meta": " · ".join([str(kind.label), entry.who]),
        "badge": status if row.state != COMPLETED else None,
        "overdue": overdue,
        **_cut(row.description),
        "commands": commands,
        "edit_url": "",
    }


def _note(entry: Entry, _found: One, by: Any, cells: CellContext) -> dict[str, Any]:
    row = entry.row
    note = registry["note"]
    url = cells.address(note.name, row.pk)
    mine = access.allows(by, Verb.WRITE, note, row)
    return {
        **_frame(entry, cells),
        "id": f"t-{row.pk}",
        "mark": "note",
        "icon": note.icon,
        "title": row.subject or _("Note"),
        "url": url,
        "meta": " · ".join([str(note.label), entry.who] if row.subject else [entry.who]),
        **_cut(row.text),
        "commands": [],
        "edit_url": f"{url}edit" if mine else "",
        "pin_url": f"{url}field/pinned" if mine else "",
        "pinned": row.pinned,
    }


def _system(entry: Entry, _found: One, _by: Any, cells: CellContext) -> dict[str, Any]:
    event = entry.event
    assert event is not None
    changes = [
        (
            change.field.label,
            _plain(change, change.before, cells),
            _plain(change, change.after, cells),
        )
        for change in event.fields
    ]
    return {
        **_frame(entry, cells),
        "id": f"t-{event.change.pk}",
        "mark": "system",
        "icon": "sparkles",
        "title": sentences.about(event),
        "url": "",
        "meta": _("System"),
        "changes": changes,
        "operation_url": f"/operations/{event.operation.pk}/",
    }


def _plain(change: Any, value: Any, cells: CellContext) -> str:
    if value is None or value == "":
        return ""
    return PLAIN[change.field.kind](change.field, value, cells)


def _cut(text: str) -> dict[str, Any]:
    if len(text) <= TEXT_SHOWN:
        return {"text": text, "is_cut": False}
    return {"text": text[:TEXT_SHOWN] + "…", "is_cut": True}


SHOW: dict[str, Callable[[Entry, One, Any, CellContext], dict[str, Any]]] = {
    "activity": _activity,
    "note": _note,
    "system": _system,
}


urlpatterns = [
    path("<entity:entity>/<uuid:id>/timeline", timeline_part, name="timeline"),
    path("<entity:entity>/<uuid:id>/note", add_note, name="add-note"),
]
