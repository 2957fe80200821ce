"""Operations: what one did, what undoing it would do, and undoing it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from rapport.actions import jobs, undo as undoing
from rapport.actions.undo import CannotUndo, Conflict, NotYours, Undone
from rapport.meta.kinds import Ref
from rapport.meta.registry import registry
from rapport.models import Operation
from rapport.queries import history, imports, one, operations

from . import panels, sentences, shell
from .cells import cell_context, local_text
from .records import event_row
from .signin import local, signed_in

# Records that a toast names.
NAMED = 5


def _find(request: HttpRequest, id: uuid.UUID) -> Operation:
    """The operation, when the viewer may see one of its records. Raises Http404."""
    op = operations.get(id, request.user)
    if op is None:
        raise Http404
    return op


@signed_in
@require_GET
def operation(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """What an operation did, and what undoing it would do."""
    op = _find(request, id)
    cells = cell_context()
    after = request.GET.get("after", "")
    last = int(after) if after.isdecimal() and len(after) < 19 else 0
    changes, more = operations.changes(op, request.user, after=last)
    # What is gone by now has a name, but no page.
    there = one.title_of(
        {Ref(event.change.entity, event.change.record) for event, _title in changes}, request.user
    )
    is_large = undoing.is_large(op)
    context: dict[str, Any] = {
        "op": op,
        "heading": _heading(op),
        "who": history.who(op),
        "iso": op.started_at.isoformat(),
        "time": local_text(op.started_at, cells),
        "counts": sentences.counts(op),
        "undone_by": operations.undone_by(op),
        "undo_of": op.undo_of,
        "import_url": _import_url(op, request),
        "kept": _conflicts(undoing.conflicts_of(op), request),
        "rows": [
            {
                **event_row(event, cells),
                "title": title,
                "entity": registry[event.change.entity].label,
                "record_url": _record_url(event, there),
            }
            for event, title in changes
        ],
        "more_url": f"?after={changes[-1][0].change.pk}" if more and changes else "",
        "is_large": is_large,
        # Where to go on: once what it made is gone, this page is, too.
        "back": local(request.GET.get("next", "")) or request.path,
        **_outlook(op, request, is_large=is_large),
    }
    return shell.render(request, "records/operation.html", context)


def _heading(op: Operation) -> str:
    """The operation by itself; of an import which file it was, of an undo what it took back."""
    if op.undo_of is not None:
        return _("Undo of “%(what)s”") % {"what": _heading(op.undo_of)}
    return " · ".join(filter(None, (sentences.title(op), operations.file_of(op))))


def _import_url(op: Operation, request: HttpRequest) -> str:
    """The import that it was, for those who may see that."""
    upload = imports.import_of(op, request.user)
    return reverse("import", args=[upload.pk]) if upload else ""


def _record_url(event: Any, there: Mapping[Ref, str]) -> str:
    entity = registry[event.change.entity]
    if not entity.in_hub or Ref(entity.name, event.change.record) not in there:
        return ""
    return panels.address(entity, event.change.record)


def _outlook(op: Operation, request: HttpRequest, *, is_large: bool) -> dict[str, Any]:
    """What undoing would do, or why it cannot be done. A large one is not tried out for a look."""
    try:
        if is_large:
            undoing.check(op, by=request.user)
            return {"can_undo": True}
        would = undoing.preview(op, by=request.user)
    except (CannotUndo, NotYours) as error:
        return {"reason": str(error)}
    nothing = not (would.restored or would.removed or would.returned)
    return {
        "can_undo": not nothing,
        "reason": _("Nothing of it can be taken back any more.") if nothing else "",
        "would": sentences.undone(would),
        "conflicts": _conflicts(would.conflicts, request),
    }


def _conflicts(conflicts: list[Conflict], request: HttpRequest) -> list[dict[str, Any]]:
    """Conflicts with the names of their records."""
    refs = {Ref(conflict.entity, conflict.record) for conflict in conflicts}
    titles = one.title_of(refs, request.user)
    return [
        {
            "title": (title := titles.get(Ref(conflict.entity, conflict.record))),
            "url": panels.address(registry[conflict.entity], conflict.record)
            if title and registry[conflict.entity].in_hub
            else "",
            "entity": registry[conflict.entity].label,
            "reason": conflict.reason,
        }
        for conflict in conflicts
    ]


@signed_in
@require_POST
def undo(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """Take an operation back; a large one as a job."""
    op = _find(request, id)
    back = local(request.POST.get("next", "")) or shell.page_before(request) or "/"
    try:
        if undoing.is_large(op):
            return _as_job(request, op)
        done, undone = undoing.undo(op, by=request.user)
    except CannotUndo as error:
        messages.error(request, str(error))
        return shell.moved(request, back)
    if not done.counts:
        messages.warning(request, _("Nothing could be taken back."))
        return shell.moved(request, reverse("operation", args=[done.pk]))
    _say(request, done, undone)
    return shell.moved(request, _still_there(request, op, back))


def _as_job(request: HttpRequest, op: Operation) -> HttpResponse:
    undoing.check(op, by=request.user)
    label = _("Undo: %(operation)s") % {"operation": _heading(op)}
    job = jobs.enqueue(
        "undo",
        {"operation": str(op.pk)},
        by=request.user,
        label=label,
        total=operations.size(op),
    )
    messages.info(request, _("It is being undone in the background."))
    return shell.moved(request, reverse("job", args=[job.pk]))


def _say(request: HttpRequest, done: Operation, undone: Undone) -> None:
    if undone.conflicts:
        kept = {str(c["title"] or c["entity"]) for c in _conflicts(undone.conflicts, request)}
        names = ", ".join(sorted(kept)[:NAMED])
        text = _("Undone, except for what was changed or used since: %(names)s.")
        messages.warning(request, text % {"names": f"{names} …" if len(kept) > NAMED else names})
    else:
        shell.say_done(request, _("Undone."), done.pk)


def _still_there(request: HttpRequest, op: Operation, url: str) -> str:
    """`url`, unless it is the page of a record that the undo took away."""
    gone = [str(id_) for id_ in operations.created(op)]
    if any(id_ in url for id_ in gone):
        entity = registry[op.kind.partition(".")[0]] if "." in op.kind else None
        return reverse("list", args=[entity]) if entity and entity.in_hub else "/"
    return url


urlpatterns = [
    path("operations/<uuid:id>/", operation, name="operation"),
    path("undo/<uuid:id>/", undo, name="undo"),
]
