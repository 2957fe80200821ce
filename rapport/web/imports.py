"""Imports: My Imports, the step at which one stands, and what can be done with it."""

from __future__ import annotations

import uuid
from itertools import chain
from typing import Any

from django.contrib import messages
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.urls import path, reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _, gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from rapport import access
from rapport.actions import jobs
from rapport.actions.records import RecordNotFound
from rapport.imports import bundle, flow, report
from rapport.imports.uploads import FileRefused, UploadGone
from rapport.meta.registry import registry
from rapport.models import ImportFile
from rapport.models.operations import Fate, ImportState, JobState
from rapport.queries import imports as found

from . import importbar, importbundle, importcolumns, importplan, importresult, importstart, shell
from .cells import CellContext, cell_context, local_text
from .importsteps import error_text, is_applied, visible, whole
from .signin import signed_in

# My Imports by status: names in the address, their labels and the states that they mean.
STATUSES = {
    "": (gettext_lazy("All"), ()),
    "open": (gettext_lazy("To be continued"), (ImportState.UPLOADED, ImportState.PLANNED)),
    "running": (gettext_lazy("Running"), (ImportState.PLANNING, ImportState.IMPORTING)),
    "done": (gettext_lazy("Completed"), (ImportState.DONE,)),
    "failed": (gettext_lazy("Failed"), (ImportState.FAILED,)),
    "cancelled": (gettext_lazy("Cancelled"), (ImportState.CANCELLED,)),
}


# -- My Imports -----------------------------------------------------------------------------------


@require_safe
@signed_in
def imports_page(request: HttpRequest) -> HttpResponse:
    """The viewer's imports; an administrator sees everybody's."""
    text = request.GET.get("page", "")
    page = int(text) if text.isdecimal() and len(text) < 6 else 1
    status = request.GET.get("status", "")
    status = status if status in STATUSES else ""
    rows, more = found.imports_for(request.user, page=page, states=STATUSES[status][1])
    cells = cell_context()

    def address(page: int) -> str:
        return f"{reverse('imports')}?{f'status={status}&' if status else ''}page={page}"

    context = {
        "rows": [_row(upload, cells) for upload in rows],
        "alive": any(_is_alive(upload) for upload in rows),
        "everybody": access.is_administrator(request.user),
        "statuses": [
            (f"?status={name}" if name else reverse("imports"), label, name == status)
            for name, (label, _states) in STATUSES.items()
        ],
        "is_filtered": bool(status),
        "here": address(page),
        "next_url": address(page + 1) if more else "",
        "previous_url": address(page - 1) if page > 1 else "",
        "new_url": reverse("import-new") if flow.importable_for(request.user) else "",
    }
    return shell.render(request, "imports/list.html", context, part="imports/table.html")


def _row(upload: ImportFile, cells: CellContext) -> dict[str, Any]:
    """An import as the list shows it."""
    counts = upload.counts
    applied = is_applied(upload)
    state, tone = importbar.state_of(upload)
    job = upload.job if upload.state in {ImportState.PLANNING, ImportState.IMPORTING} else None
    sums = {
        "successes": ("created", "updated", "same"),
        "failures": ("refused", "changed"),
        "partial": ("partial",),
        "held": ("duplicates", "skipped"),
    }
    numbers = {
        name: cells.number(sum(counts.get(one, 0) for one in own)) if applied else ""
        for name, own in sums.items()
    }
    return {
        "id": upload.pk,
        "url": reverse("import", args=[upload.pk]),
        "name": upload.name,
        "entity": _contents(upload),
        "icon": registry[upload.entity].icon if upload.entity else "file-spreadsheet",
        "state": state,
        "tone": tone,
        "message": upload.message,
        "progress": job.progress if job else 0,
        "total": job.total if job else 0,
        "running": bool(job),
        "applied": applied,
        "bad": bool(applied and (counts.get("refused") or counts.get("changed"))),
        **numbers,
        "rows": cells.number(counts["rows"]) if "rows" in counts else "",
        "by": str(upload.created_by) if upload.created_by else _("Rapport"),
        "moment": upload.created_at,
        "moment_text": local_text(upload.created_at, cells),
    }


def _contents(upload: ImportFile) -> str:
    """What an import is of."""
    if bundle.is_bundle(upload):
        number = len(upload.options.get("members", ()))
        if upload.reading.get("sheet"):
            return ngettext("%(n)s sheet", "%(n)s sheets", number) % {"n": number}
        return ngettext("%(n)s file", "%(n)s files", number) % {"n": number}
    return str(registry[upload.entity].label_plural) if upload.entity else ""


def _is_alive(upload: ImportFile) -> bool:
    return upload.state in {ImportState.PLANNING, ImportState.IMPORTING} or _is_being_read(upload)


def _is_being_read(upload: ImportFile) -> bool:
    return upload.state == ImportState.UPLOADED and "columns" not in upload.options


# -- one import -----------------------------------------------------------------------------------


@require_safe
@signed_in
def import_page(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """The step at which an import stands."""
    upload = visible(request, id)
    if upload.parent is not None and _is_alive(upload.parent):
        return HttpResponseRedirect(reverse("import", args=[upload.parent_id]), status=303)
    if _is_alive(upload) and not (upload.job and upload.job.state == JobState.FAILED):
        return importresult.progress_page(request, upload)
    if request.GET.get("poll"):
        # What was waited for is there: the whole page, not a part of it.
        url = reverse("import", args=[upload.pk])
        return HttpResponse(status=204, headers={"HX-Redirect": url})
    match upload.state:
        case ImportState.UPLOADED | ImportState.PLANNED if bundle.is_bundle(upload):
            return importbundle.show(request, upload)
        case ImportState.UPLOADED:
            return importcolumns.show(request, upload)
        case ImportState.PLANNED:
            return importplan.show(request, upload)
    return importresult.show(request, upload)


@require_POST
@signed_in
def apply(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """Import what the plan says."""
    upload = whole(visible(request, id))
    try:
        flow.start_apply(upload, by=request.user)
    except flow.NotNow as error:
        messages.warning(request, str(error))
    return shell.moved(request, reverse("import", args=[upload.pk]))


@require_safe
@signed_in
def errors_file(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """The rows that were not taken, in the layout of the file, each with its reason."""
    upload = visible(request, id)
    plan = found.plan_of(upload)
    fate = request.GET.get("fate", "")
    if plan is None or (fate and fate not in Fate.values):
        raise RecordNotFound("import")
    pieces = report.rows_file(upload, plan, (fate,) if fate else report.ERRORS)
    try:
        first = next(pieces)
    except (FileRefused, UploadGone) as error:
        messages.error(request, error_text(error))
        return HttpResponseRedirect(reverse("import", args=[upload.pk]), status=303)
    stem = upload.name.rpartition(".")[0] or upload.name
    rows = chain([first], pieces)
    answer = StreamingHttpResponse(rows, content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = content_disposition_header(
        True, f"{stem} ({fate or 'errors'}).csv"
    )
    return answer


@require_POST
@signed_in
def cancel(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """Ask what is running for this import to end."""
    upload = whole(visible(request, id))
    if upload.job is not None:
        try:
            jobs.cancel(upload.job, by=request.user)
        except jobs.JobIsOver:
            messages.info(request, _("It has ended already."))
    return shell.moved(request, reverse("import", args=[upload.pk]))


@require_POST
@signed_in
def retry(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """Let a failed or cancelled import go on where it stopped."""
    upload = whole(visible(request, id))
    try:
        flow.go_on(upload, by=request.user)
    except (flow.NotNow, jobs.JobIsOver) as error:
        messages.warning(request, str(error) or _("It is running already."))
    return shell.moved(request, reverse("import", args=[upload.pk]))


@require_POST
@signed_in
def delete(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """Forget a file that has not been imported; of one that has, only the file itself."""
    upload = whole(visible(request, id))
    url = reverse("import", args=[upload.pk])
    try:
        if upload.operation_id is not None or upload.state == ImportState.DONE:
            flow.delete_source(upload)
            messages.success(request, _("The file is deleted. What was imported stays."))
            return shell.moved(request, url)
        flow.delete(upload)
        messages.success(request, _("“%(file)s” is forgotten.") % {"file": upload.name})
    except flow.NotNow as error:
        messages.warning(request, str(error))
        return shell.moved(request, url)
    return shell.moved(request, reverse("imports"))


urlpatterns = [
    path("imports/", imports_page, name="imports"),
    *importstart.urlpatterns,
    path("imports/<uuid:id>/", import_page, name="import"),
    *importcolumns.urlpatterns,
    *importplan.urlpatterns,
    *importresult.urlpatterns,
    path("imports/<uuid:id>/apply/", apply, name="import-apply"),
    path("imports/<uuid:id>/errors.csv", errors_file, name="import-errors"),
    path("imports/<uuid:id>/cancel/", cancel, name="import-cancel"),
    path("imports/<uuid:id>/retry/", retry, name="import-retry"),
    path("imports/<uuid:id>/delete/", delete, name="import-delete"),
]
