"""An import of several files: its members, each with its own columns, plan and outcome."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _, ngettext

from rapport.imports import bundle, flow, mapping as mappings
from rapport.meta.registry import registry
from rapport.models import ImportFile
from rapport.models.operations import Fate, ImportState

from . import importbar, shell
from .cells import CellContext, cell_context
from .importsteps import TONES, counted, head, is_applied


def show(request: HttpRequest, upload: ImportFile, *, error: str = "") -> HttpResponse:
    """The files before anything of them is written: what each holds, or what would come of it."""
    cells = cell_context()
    planned = upload.state == ImportState.PLANNED
    rows = members(upload, cells)
    number = sum(not row["message"] for row in rows)
    text = ngettext("Check %(n)s file", "Check %(n)s files", number)
    heading, alone_label = _("%(n)s files"), _("Or import only one file:")
    if upload.reading.get("sheet"):
        alone_label = _("Or import only one sheet:")
        text = ngettext("Check %(n)s sheet", "Check %(n)s sheets", number)
        heading = _("%(n)s sheets")
    context = {
        **head(upload, 2 if planned else 1),
        "heading": heading % {"n": cells.number(len(rows))},
        "error": error or upload.message,
        "members": rows,
        "left_out": upload.options.get("left_out", ()),
        "alone": bundle.names_in(upload),
        "alone_label": alone_label,
        "planned": planned,
        "check": text % {"n": cells.number(number)},
        "action": reverse("import-mapping", args=[upload.pk]),
        "bar": importbar.bar(upload, cells) if planned else {},
    }
    status = 422 if error else 200
    return shell.render(request, "imports/bundle.html", context, status=status)


def members(upload: ImportFile, cells: CellContext) -> list[dict[str, Any]]:
    """The files of an import, in the order in which they are taken; then those that failed."""
    taken = bundle.members_of(upload)
    failed = [one for one in upload.members.all() if one not in taken]
    return [_member(one, cells) for one in (*taken, *failed)]


def _member(member: ImportFile, cells: CellContext) -> dict[str, Any]:
    counts = member.counts
    made: dict[str, Any] = {
        "name": member.options.get("member") or member.name,
        "entity": "",
        "icon": "file-spreadsheet",
        "url": reverse("import", args=[member.pk]),
        "columns_url": reverse("import-mapping", args=[member.pk]),
        "message": member.message if member.state == ImportState.FAILED else "",
        "state": member.get_state_display(),
        "tone": TONES[ImportState(member.state)],
        "program": member.options.get("program", ""),
        "fates": [
            (label, cells.number(number), tone, fate.value)
            for fate, label, tone, number in counted(counts, applied=is_applied(member))
            if number
        ],
    }
    rows = counts.get("rows") or member.options.get("about_rows")
    is_estimate = not counts.get("rows") and (rows or 0) >= flow.LOOKED_AT
    made["rows"] = ("~" if is_estimate else "") + cells.number(rows) if rows else ""
    if member.entity:
        entity = registry[member.entity]
        mapping = flow.mapping_of(member)
        made |= {
            "entity": entity.label_plural,
            "icon": entity.icon,
            "mapped": len(mapping.columns),
            "width": len(flow.columns_of(member)),
            "missing": [str(found.label) for found in mappings.needed(mapping)],
        }
    return made


def siblings(member: ImportFile, cells: CellContext) -> list[dict[str, Any]]:
    """The files beside one, to go from one plan to the next."""
    if member.parent is None:
        return []
    return [
        {
            "url": reverse("import", args=[one.pk]),
            "label": one.options.get("member") or one.name,
            "here": one.pk == member.pk,
            "bad": cells.number(one.counts[Fate.REFUSED]) if one.counts.get(Fate.REFUSED) else "",
        }
        for one in bundle.members_of(member.parent)
    ]
