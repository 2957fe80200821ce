"""Import wizard: a file, its columns, the plan, progress, the result; and My Imports."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.urls import path, reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from rapport import access
from rapport.actions import jobs
from rapport.actions.records import RecordNotFound
from rapport.imports import flow, report
from rapport.imports.mapping import MappingRefused
from rapport.imports.uploads import FileRefused, UploadGone, UploadTooLarge
from rapport.meta.entity import Entity
from rapport.meta.registry import registry
from rapport.models import ImportFile, Plan
from rapport.models.operations import Fate, ImportState, JobState
from rapport.queries import imports as found, operations

from . import importcolumns, shell
from .cells import CellContext, cell_context, moment_text
from .importsteps import (
    FATES,
    error_text,
    groups,
    head,
    in_words,
    label_of,
    rows_table,
    tally,
    visible,
)
from .signin import signed_in

TONES = {
    ImportState.UPLOADED: "",
    ImportState.PLANNING: "accent",
    ImportState.PLANNED: "accent",
    ImportState.IMPORTING: "accent",
    ImportState.DONE: "ok",
    ImportState.FAILED: "bad",
    ImportState.CANCELLED: "warn",
}
FORMATS = {
    "xlsx": gettext_lazy("Excel workbook"),
    "csv": gettext_lazy("CSV"),
    "xml": gettext_lazy("XML"),
}


# -- My Imports -----------------------------------------------------------------------------------


@require_safe
@signed_in
def imports_page(request: HttpRequest) -> HttpResponse:
    """The viewer's imports; an administrator sees everybody's."""
    text = request.GET.get("page", "")
    page = int(text) if text.isdecimal() and len(text) < 6 else 1
    rows, more = found.imports_for(request.user, page=page)
    cells = cell_context()
    here = reverse("imports")
    context = {
        "rows": [_row(upload, cells) for upload in rows],
        "alive": any(_is_alive(upload) for upload in rows),
        "everybody": access.is_administrator(request.user),
        "here": f"{here}?page={page}",
        "next_url": f"{here}?page={page + 1}" if more else "",
        "previous_url": f"{here}?page={page - 1}" if page > 1 else "",
        "new_url": reverse("import-new") if flow.importable_for(request.user) else "",
    }
    return shell.render(request, "imports/list.html", context, part="imports/table.html")


def _row(upload: ImportFile, cells: CellContext) -> dict[str, Any]:
    """An import as the list shows it."""
    counts = upload.counts
    applied = "created" in counts
    undone = getattr(upload, "is_undone", False)
    numbers = [
        (label_of(fate, applied=applied), cells.number(number), tone)
        for fate, (tone, planned, done) in FATES.items()
        if (number := counts.get(done if applied else planned, 0))
    ]
    return {
        "id": upload.pk,
        "url": reverse("import", args=[upload.pk]),
        "name": upload.name,
        "entity": registry[upload.entity].label_plural if upload.entity else "",
        "state": _("Undone") if undone else upload.get_state_display(),
        "tone": "" if undone else TONES[ImportState(upload.state)],
        "message": upload.message,
        "numbers": numbers,
        "by": str(upload.created_by) if upload.created_by else _("Rapport"),
        "moment": upload.created_at,
        "moment_text": moment_text(upload.created_at.astimezone(cells.zone), cells.language),
    }


def _is_alive(upload: ImportFile) -> bool:
    return upload.state in {ImportState.PLANNING, ImportState.IMPORTING} or _is_being_read(upload)


def _is_being_read(upload: ImportFile) -> bool:
    return upload.state == ImportState.UPLOADED and "columns" not in upload.options


# -- a new file -----------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def new(request: HttpRequest) -> HttpResponse:
    """Choose a file and what it holds."""
    choices = flow.importable_for(request.user)
    if not choices:
        raise access.Forbidden("import")
    if request.method == "POST":
        return _receive(request, choices)
    return _new_page(request, choices, request.GET.get("entity", flow.AUTO))


def _new_page(
    request: HttpRequest, choices: list[Entity], entity: str, *, error: str = "", status: int = 200
) -> HttpResponse:
    context = {
        "entities": [(e.name, e.label_plural) for e in choices],
        "entity": entity if entity in {e.name for e in choices} else flow.AUTO,
        "format": FORMATS.get(request.GET.get("format", "")),
        "limit": settings.UPLOAD_LIMIT // 1024**2,
        "templates": [(e.label_plural, reverse("template", args=[e])) for e in choices],
        "error": error,
    }
    return shell.render(request, "imports/new.html", context, status=status)


def _receive(request: HttpRequest, choices: list[Entity]) -> HttpResponse:
    entity = request.POST.get("entity", flow.AUTO)
    if entity not in {flow.AUTO, *(e.name for e in choices)}:
        raise access.Forbidden("import")
    file = request.FILES.get("file")
    if file is None or not file.size:
        text = _("Choose a file.") if file is None else _("There is no data in this file.")
        return _new_page(request, choices, entity, error=text, status=422)
    try:
        upload = flow.receive(file.chunks(), name=file.name or "", entity=entity, by=request.user)
    except UploadTooLarge as error:
        return _new_page(request, choices, entity, error=str(error), status=413)
    if flow.is_large(upload):
        flow.describe_later(upload, by=request.user)
        return shell.moved(request, reverse("import", args=[upload.pk]))
    try:
        _describe(request, upload, choices)
    except FileRefused as refused:
        flow.delete(upload)
        text = f"{in_words(refused.reason)} {in_words(refused.remedy)}"
        return _new_page(request, choices, entity, error=text, status=422)
    return shell.moved(request, reverse("import", args=[upload.pk]))


def _describe(request: HttpRequest, upload: ImportFile, choices: list[Entity]) -> None:
    """Look at the file; when it does not tell what it holds, start with the first and say so."""
    try:
        flow.describe(upload, by=request.user)
    except MappingRefused as refused:
        flow.read_again(upload, choices[0], {}, by=request.user)
        upload.options = {**upload.options, "doubt": str(refused)}
        upload.save(update_fields=["options"])


# -- one import -----------------------------------------------------------------------------------


@require_safe
@signed_in
def import_page(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """The step at which an import stands."""
    upload = visible(request, id)
    if _is_alive(upload) and not (upload.job and upload.job.state == JobState.FAILED):
        return _progress_page(request, upload)
    if request.GET.get("poll"):
        # What was waited for is there: the whole page, not a part of it.
        url = reverse("import", args=[upload.pk])
        return HttpResponse(status=204, headers={"HX-Redirect": url})
    match upload.state:
        case ImportState.UPLOADED:
            return importcolumns.show(request, upload)
        case ImportState.PLANNED:
            return _plan_page(request, upload)
    return _result_page(request, upload)


def _progress_page(request: HttpRequest, upload: ImportFile) -> HttpResponse:
    job = upload.job
    cells = cell_context()
    planning = upload.state != ImportState.IMPORTING
    context = {
        **head(upload, 3 if not planning else 2 if upload.state == ImportState.PLANNING else 1),
        "title": _("Importing")
        if not planning
        else _("Checking every row")
        if upload.state == ImportState.PLANNING
        else _("Reading the file"),
        "progress": job.progress if job else 0,
        "total": job.total if job else None,
        "progress_text": _progress_text(upload, cells),
        "waiting": job is None or job.state == JobState.WAITING,
        "message": job.message if job else "",
        "ending": bool(job and job.cancel_asked),
        "planning": planning,
    }
    return shell.render(request, "imports/progress.html", context, part="imports/running.html")


def _progress_text(upload: ImportFile, cells: CellContext) -> str:
    job = upload.job
    if job is None or not job.progress:
        return ""
    if not job.total:
        return _("%(rows)s rows") % {"rows": cells.number(job.progress)}
    values = {"done": cells.number(job.progress), "total": cells.number(job.total)}
    return _("%(done)s of %(total)s rows") % values


# -- the plan -------------------------------------------------------------------------------------


def _plan_page(request: HttpRequest, upload: ImportFile) -> HttpResponse:
    plan = found.plan_of(upload)
    if plan is None:
        return importcolumns.show(request, upload)
    cells = cell_context()
    counts = plan.counts
    entity = registry[upload.entity]
    written = counts["create"] + counts["update"]
    context = {
        **head(upload, 2),
        "tally": tally(counts, cells, applied=False),
        "groups": groups(upload, counts, cells),
        "preview": _preview(upload, plan),
        "tables": [
            table
            for fates in ((Fate.REFUSED,), (Fate.DUPLICATE,), (Fate.UPDATE,))
            if (table := rows_table(request, upload, plan, fates, 0))
        ],
        "written": cells.number(written) if written else "",
        "record": str(entity.label if written == 1 else entity.label_plural).lower(),
        "nothing": _nothing(counts),
        "mapping_url": reverse("import-mapping", args=[upload.pk]),
        "apply_url": reverse("import-apply", args=[upload.pk]),
        "errors_url": reverse("import-errors", args=[upload.pk]) if counts["refused"] else "",
    }
    return shell.render(request, "imports/plan.html", context)


def _nothing(counts: dict[str, Any]) -> str:
    """Why there is nothing to import; '' when there is something."""
    if counts["create"] or counts["update"]:
        return ""
    if counts["refused"] == counts["rows"]:
        return _("Every row would be refused: correct the columns, or the file.")
    if counts["refused"]:
        return _("Nothing would be written: all rows that can be taken are there already.")
    return _("Everything in this file is there already.")


def _preview(upload: ImportFile, plan: Plan) -> dict[str, Any]:
    """The first rows as they would be stored."""
    entity = registry[upload.entity]
    kept = plan.parameters.get("preview", [])
    filled = {name for row in kept for name in row["values"]}
    mapped = flow.mapping_of(upload).columns
    # In the order of the file; what a name was split into stands in front.
    own = [target.field for _, target in sorted(mapped.items())]
    names = [*(n for n in entity.title_fields if n not in own), *own]
    names = [name for name in names if name in filled]
    return {
        "labels": [entity.fields[name].label for name in names],
        "rows": [
            {
                "number": row["row"],
                "fate": Fate(row["fate"]).label,
                "tone": FATES[Fate(row["fate"])][0],
                "values": [row["values"].get(name, "") for name in names],
                "reason": " ".join(row["reasons"]),
            }
            for row in kept
        ],
    }


@require_safe
@signed_in
def rows_page(request: HttpRequest, id: uuid.UUID, fate: str) -> HttpResponse:
    """More rows of one fate: the next part of a table, or a page of its own."""
    upload = visible(request, id)
    plan = found.plan_of(upload)
    after = request.GET.get("after", "0")
    if plan is None or fate not in Fate.values or not after.isdecimal() or len(after) > 9:
        raise RecordNotFound("import")
    table = rows_table(request, upload, plan, (Fate(fate),), int(after))
    context = {**head(upload, 2), "table": table}
    return shell.render(request, "imports/rows.html", context, part="imports/row_table.html")


@require_POST
@signed_in
def apply(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """Import what the plan says."""
    upload = visible(request, id)
    try:
        flow.start_apply(upload, by=request.user)
    except flow.NotNow as error:
        messages.warning(request, str(error))
    return shell.moved(request, reverse("import", args=[upload.pk]))


# -- the result -----------------------------------------------------------------------------------


def _result_page(request: HttpRequest, upload: ImportFile) -> HttpResponse:
    plan = found.plan_of(upload)
    cells = cell_context()
    counts = upload.counts
    applied = "created" in counts
    op = upload.operation
    undone = bool(op and operations.undone_by(op))
    fates = (Fate.CHANGED, Fate.REFUSED, Fate.DUPLICATE)
    tables = [rows_table(request, upload, plan, (fate,), 0) for fate in fates] if plan else []
    job = upload.job
    context = {
        **head(upload, 3 if applied else 1),
        "tally": tally(counts, cells, applied=True) if applied else [],
        "tables": [table for table in tables if table] if applied else [],
        "tone": TONES[ImportState(upload.state)],
        "heading": _heading(upload, cells, undone=undone),
        "undone": undone,
        "undo_url": reverse("undo", args=[op.pk]) if op and not undone else "",
        "records_url": reverse("operation", args=[op.pk]) if op else "",
        "list_url": reverse("list", args=[registry[upload.entity]]) if upload.entity else "",
        "errors_url": reverse("import-errors", args=[upload.pk])
        if plan and counts.get("refused", 0) + counts.get("changed", 0)
        else "",
        "retry_url": reverse("import-retry", args=[upload.pk])
        if job and job.state in {JobState.FAILED, JobState.CANCELLED} and not undone
        else "",
        "mapping_url": reverse("import-mapping", args=[upload.pk])
        if not applied and "columns" in upload.options
        else "",
        "by": str(upload.created_by) if upload.created_by else _("Rapport"),
        "moment_text": moment_text(upload.created_at.astimezone(cells.zone), cells.language),
    }
    return shell.render(request, "imports/result.html", context)


def _heading(upload: ImportFile, cells: CellContext, *, undone: bool) -> str:
    created = upload.counts.get("created", 0)
    number = cells.number(created)
    if undone:
        return _("This import has been undone")
    match upload.state:
        case ImportState.CANCELLED:
            return _("Cancelled: what was imported until then is there")
        case ImportState.FAILED:
            if "created" not in upload.counts:
                return _("This file cannot be imported")
            return _("The import could not be finished")
    entity = registry[upload.entity]
    if created:
        name = str(entity.label if created == 1 else entity.label_plural).lower()
        return _("%(count)s %(records)s imported") % {"count": number, "records": name}
    return _("Imported: nothing new")


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
    answer = StreamingHttpResponse(_joined(first, pieces), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = content_disposition_header(
        True, f"{stem} ({fate or 'errors'}).csv"
    )
    return answer


def _joined(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


@require_POST
@signed_in
def cancel(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """Ask what is running for this import to end."""
    upload = visible(request, id)
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
    upload = visible(request, id)
    try:
        flow.go_on(upload, by=request.user)
    except (flow.NotNow, jobs.JobIsOver) as error:
        messages.warning(request, str(error) or _("It is running already."))
    return shell.moved(request, reverse("import", args=[upload.pk]))


@require_POST
@signed_in
def delete(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """Forget a file that has not been imported."""
    upload = visible(request, id)
    try:
        flow.delete(upload)
        messages.success(request, _("“%(file)s” is forgotten.") % {"file": upload.name})
    except flow.NotNow as error:
        messages.warning(request, str(error))
        return shell.moved(request, reverse("import", args=[upload.pk]))
    return shell.moved(request, reverse("imports"))


urlpatterns = [
    path("imports/", imports_page, name="imports"),
    path("imports/new/", new, name="import-new"),
    path("imports/<uuid:id>/", import_page, name="import"),
    path("imports/<uuid:id>/columns/", importcolumns.mapping_page, name="import-mapping"),
    path("imports/<uuid:id>/apply/", apply, name="import-apply"),
    path("imports/<uuid:id>/rows/<str:fate>/", rows_page, name="import-rows"),
    path("imports/<uuid:id>/errors.csv", errors_file, name="import-errors"),
    path("imports/<uuid:id>/cancel/", cancel, name="import-cancel"),
    path("imports/<uuid:id>/retry/", retry, name="import-retry"),
    path("imports/<uuid:id>/delete/", delete, name="import-delete"),
]
