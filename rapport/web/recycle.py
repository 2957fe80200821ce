"""The recycle bin: what was deleted and can be put back."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from rapport import access
from rapport.actions import undo
from rapport.meta.registry import registry
from rapport.models.people import Verb
from rapport.queries import history, operations
from rapport.queries.history import Deleted

from . import panels, shell
from .cells import CellContext, cell_context, moment_text
from .signin import signed_in


@signed_in
@require_GET
def recycle_bin(request: HttpRequest) -> HttpResponse:
    """Deleted records, newest first."""
    cells = cell_context()
    chosen = request.GET.get("entity", "")
    before = request.GET.get("before", "")
    last = int(before) if before.isdecimal() and len(before) < 19 else None
    found, more = history.deleted(request.user, entity=chosen, before=last)
    kinds = [e for e in registry if e.in_hub and e.menu and access.may(request.user, Verb.READ, e)]
    context = {
        "rows": [_row(row, request, cells) for row in found],
        "kinds": [(e.name, e.label_plural, e.name == chosen) for e in kinds],
        "chosen": chosen,
        "more_url": f"?entity={chosen}&before={found[-1].change.pk}" if more else "",
    }
    return shell.render(request, "records/recycle.html", context)


def _row(row: Deleted, request: HttpRequest, cells: CellContext) -> dict[str, Any]:
    moment = row.change.at.astimezone(cells.zone)
    may = access.may(request.user, Verb.CREATE, row.entity)
    return {
        "title": row.title,
        "entity": row.entity.label,
        "face": panels.face(row.entity, row.title),
        "who": row.who,
        "iso": row.change.at.isoformat(),
        "time": moment_text(moment, cells.language),
        "restore_url": reverse("restore", args=[row.change.pk]) if may else "",
        "operation_url": reverse("operation", args=[row.change.operation_id]),
    }


@signed_in
@require_POST
def restore(request: HttpRequest, change: int) -> HttpResponse:
    """Put one deleted record back."""
    try:
        operation, undone = undo.restore_record(change, by=request.user)
    except undo.CannotUndo as error:
        messages.error(request, str(error))
        return shell.moved(request, reverse("recycle-bin"))
    if undone.conflicts:
        reasons = " ".join(str(conflict.reason) for conflict in undone.conflicts)
        messages.warning(request, _("It is back, but not as it was: %(why)s") % {"why": reasons})
    else:
        shell.say_done(request, _("It is back."), operation.pk)
    name = operation.kind.partition(".")[0]
    record = operations.created(operation)[0]
    return shell.moved(request, panels.address(registry[name], record))


urlpatterns = [
    path("recycle-bin/", recycle_bin, name="recycle-bin"),
    path("recycle-bin/<int:change>/restore", restore, name="restore"),
]
