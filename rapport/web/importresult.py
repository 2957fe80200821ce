"""An import that runs, and what came of one."""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _, gettext_lazy, ngettext
from django.views.decorators.http import require_safe

from rapport.actions import undo as undoing
from rapport.actions.records import RecordNotFound
from rapport.imports import bundle, decisions, flow, parts, report
from rapport.imports.kept import Places
from rapport.imports.showing import Shown
from rapport.imports.uploads import FileRefused, UploadGone
from rapport.meta.registry import registry
from rapport.models import ImportFile, Plan, PlanRow
from rapport.models.operations import Fate, ImportState, JobState
from rapport.queries import imports as found, operations, pages
from rapport.queries.query import Group, InvalidQuery, field_of, of_view

from . import importbar, importbundle, panels, shell
from .cells import CellContext, cell, cell_context, local_text
from .importsteps import FATES, TONES, head, is_applied, tally, visible
from .lists import TITLE_WIDTH, WIDTHS, title_text
from .liststate import label_of, require_read
from .signin import signed_in

# A rate says something once this many seconds have passed, and the time left after these: the
# first rows wait until everything is loaded.
SETTLED, TOLD = 2, 5
# What an import does to records, as its counts call it.
VERBS = ("created", "updated")


# -- progress -------------------------------------------------------------------------------------


def progress_page(request: HttpRequest, upload: ImportFile) -> HttpResponse:
    """How far the job of an import is; asks again by itself."""
    job = upload.job
    cells = cell_context()
    planning = upload.state != ImportState.IMPORTING
    step, title = {
        ImportState.IMPORTING: (3, _("Importing")),
        ImportState.PLANNING: (2, _("Checking every row")),
    }.get(ImportState(upload.state), (1, _("Reading the file")))
    since = _since(request, upload)
    context = {
        **head(upload, step),
        "title": title,
        "progress": job.progress if job else 0,
        "total": _total(upload),
        "progress_text": _progress_text(upload, cells),
        "pace": _pace(upload, cells, since),
        "since": f"{since[0]}-{since[1]}" if since else "",
        "waiting": job is None or job.state == JobState.WAITING,
        "message": job.message if job else "",
        "ending": bool(job and job.cancel_asked),
        "planning": planning,
        "counts": tally(upload.counts, cells) if not planning and is_applied(upload) else [],
    }
    return shell.render(request, "imports/progress.html", context, part="imports/running.html")


def _total(upload: ImportFile) -> int | None:
    """How many rows there are, for a text file about."""
    job = upload.job
    if job is None or job.total:
        return job.total if job else None
    about = upload.options.get("about_rows")
    return max(about, job.progress + 1) if about else None


def _since(request: HttpRequest, upload: ImportFile) -> tuple[int, int] | None:
    """(row, second) at which this page first saw the job at work: a job that was resumed has
    done rows before, which say nothing about its pace."""
    job = upload.job
    if job is None or job.state != JobState.RUNNING:
        return None
    row, _dash, second = request.GET.get("since", "").partition("-")
    if row.isdecimal() and second.isdecimal() and len(row) < 12 and len(second) < 12:
        return int(row), int(second)
    return job.progress, int(time.time())


def _progress_text(upload: ImportFile, cells: CellContext) -> str:
    job = upload.job
    if job is None or not job.progress:
        return ""
    if not job.total:
        # The end is a guess, and only the bar says it.
        return _("%(rows)s rows") % {"rows": cells.number(job.progress)}
    values = {"done": cells.number(job.progress), "total": cells.number(job.total)}
    return _("%(done)s of %(total)s rows") % values


def _pace(upload: ImportFile, cells: CellContext, since: tuple[int, int] | None) -> list[str]:
    """Rows per second and the time left, once they can be told."""
    job = upload.job
    if job is None or since is None:
        return []
    rows, seconds = job.progress - since[0], time.time() - since[1]
    if rows <= 0 or seconds < SETTLED:
        if job.attempts > 1 or job.started_at is None or not job.progress:
            return []
        rows, seconds = job.progress, time.time() - job.started_at.timestamp()
    if seconds < SETTLED:
        return []
    rate = rows / seconds
    said = [_("%(rate)s rows/s") % {"rate": cells.number(round(rate))}]
    total = _total(upload)
    if total and rate >= 1 and seconds >= TOLD:
        said.append(_left(max(0, total - job.progress) / rate))
    return said


def _left(seconds: float) -> str:
    if seconds < 10:
        return _("a few seconds left")
    if seconds < 90:
        return _("about %(n)s seconds left") % {"n": round(seconds / 10) * 10}
    minutes = round(seconds / 60)
    text = ngettext("about %(n)s minute left", "about %(n)s minutes left", minutes)
    return text % {"n": minutes}


# -- the result -----------------------------------------------------------------------------------

# Tabs of a result: fates, and how people know them from other programs.
TABS = {
    Fate.REFUSED: gettext_lazy("Failures"),
    Fate.PARTIAL: gettext_lazy("Partial failures"),
    Fate.CHANGED: gettext_lazy("Changed since the plan"),
    Fate.DUPLICATE: gettext_lazy("Held back as duplicates"),
    Fate.SKIP: gettext_lazy("Left out"),
}


def show(request: HttpRequest, upload: ImportFile) -> HttpResponse:
    """What came of an import."""
    plan = found.plan_of(upload)
    cells = cell_context()
    counts = upload.counts
    applied = is_applied(upload)
    op = upload.operation
    back = operations.undone_by(op) if op else None
    undone = back is not None
    job = upload.job
    several = bundle.is_bundle(upload)
    here = reverse("import", args=[upload.pk])
    context = {
        **head(upload, 3 if applied else 1),
        **(_rows(request, upload, plan, cells) if applied and plan and not several else {}),
        "members": importbundle.members(upload, cells) if several else [],
        "applied": applied,
        "tally": _tally(upload, plan, cells) if applied else [],
        "tone": TONES[ImportState(upload.state)],
        "heading": _heading(upload, cells, undone=undone),
        "undone": undone,
        "undo_url": f"{reverse('operation', args=[op.pk])}?next={here}"
        if op and not undone
        else "",
        "operation_url": reverse("operation", args=[op.pk]) if op else "",
        "kept": bool(back and undoing.conflicts_of(back)),
        "back_url": reverse("operation", args=[back.pk]) if back else "",
        "lists": _lists(upload, cells) if op and not undone else [],
        "errors_url": reverse("import-errors", args=[upload.pk])
        if plan
        and upload.stored
        and not several
        and counts.get("refused", 0) + counts.get("changed", 0)
        else "",
        "retry_url": reverse("import-retry", args=[upload.pk])
        if job
        and job.kind == "import.apply"
        and job.state in {JobState.FAILED, JobState.CANCELLED}
        and not undone
        else "",
        "mapping_url": reverse("import-mapping", args=[upload.pk])
        if not applied and "columns" in upload.options
        else "",
        "has_file": bool(upload.stored),
        "delete_url": reverse("import-delete", args=[upload.pk]),
        "by": str(upload.created_by) if upload.created_by else _("Rapport"),
        "moment_text": local_text(upload.created_at, cells),
    }
    return shell.render(request, "imports/result.html", context)


def _tally(upload: ImportFile, plan: Plan | None, cells: CellContext) -> list[dict[str, Any]]:
    """The counts; of an import that has stopped also how many rows there are."""
    made = tally(upload.counts, cells)
    rows = plan.counts.get("rows", 0) if plan else 0
    if upload.state != ImportState.DONE and rows > upload.counts.get("rows", 0):
        values = {"done": made[0]["count"], "total": cells.number(rows)}
        made[0]["count"] = _("%(done)s of %(total)s") % values
    return made


def _lists(upload: ImportFile, cells: CellContext) -> list[dict[str, Any]]:
    """Where the records are that it made and changed, and those made along with them."""
    numbers = _touched(upload)
    is_one = {name for _verb, name in numbers} == {upload.entity}
    made = []
    for (verb, name), number in numbers.items():
        if is_one:
            label = _("Show created") if verb == "created" else _("Show updated")
        else:
            label = _("Created %(records)s") if verb == "created" else _("Updated %(records)s")
            label %= {"records": importbar.noun(registry[name], 2)}
        url = reverse("import-records", args=[upload.pk, verb])
        count = cells.number(number)
        made.append({"url": f"{url}?of={name}", "label": label, "count": count})
    return made


def _touched(upload: ImportFile) -> Counter[tuple[str, str]]:
    """How many records of each entity it 'created' and 'updated'."""
    numbers: Counter[tuple[str, str]] = Counter()
    for verb in VERBS:
        for file in bundle.members_of(upload) if bundle.is_bundle(upload) else [upload]:
            numbers[verb, file.entity] += file.counts.get(verb, 0)
            for entity in registry:
                along = file.counts.get(f"{parts.plural(entity.name)}_{verb}", 0)
                numbers[verb, entity.name] += along
    return +numbers


def _rows(
    request: HttpRequest, upload: ImportFile, plan: Plan, cells: CellContext
) -> dict[str, Any]:
    """The rows that were not taken, one fate at a time: row, column, reason and original value."""
    url = reverse("import", args=[upload.pk])
    numbers = {fate: upload.counts.get(FATES[fate][2], 0) for fate in TABS}
    fates = [fate for fate in TABS if numbers[fate]]
    if not fates:
        return {}
    asked = request.GET.get("fate", "")
    here = Fate(asked) if asked in fates else fates[0]
    after = request.GET.get("after", "")
    start = int(after) if after.isdecimal() and len(after) < 10 else 0
    rows, more = found.plan_rows(plan, (here,), after=start)
    # When all new rows are left out the plan keeps nothing of each: only the file has them.
    is_plain = here == decisions.shown(None, decisions.alike_of(plan))
    limit = found.PAGE + 1 if is_plain else max(1, len(rows))
    try:
        shown = flow.rows_of(upload, by=request.user, fate=here, after=start, limit=limit)
    except (FileRefused, UploadGone):
        # The file is not kept any more; what is known of its rows is.
        shown = []
    if is_plain and shown:
        kept, more = {row.row: row for row in rows}, len(shown) > found.PAGE
        numbers_here = [one.number for one in shown[: found.PAGE]]
        rows = [kept.get(number) or PlanRow(row=number, fate=here) for number in numbers_here]
    return {
        "tabs": [
            {
                "url": f"{url}?fate={fate}",
                "label": TABS[fate],
                "count": cells.number(numbers[fate]),
                "here": fate == here,
                "tone": FATES[fate][0],
            }
            for fate in fates
        ],
        "lines": list(_lines(upload, plan, rows, {one.number: one for one in shown})),
        "label": TABS[here],
        "file_url": f"{reverse('import-errors', args=[upload.pk])}?fate={here}"
        if upload.stored
        else "",
        "first_url": f"{url}?fate={here}" if start else "",
        "next_url": f"{url}?fate={here}&after={rows[-1].row}" if more else "",
    }


def _lines(
    upload: ImportFile,
    plan: Plan,
    rows: Sequence[PlanRow],
    shown: Mapping[int, Shown],
) -> Iterator[dict[str, Any]]:
    """A line for each reason of each row."""
    headers = flow.columns_of(upload)
    entity, places = registry[upload.entity], Places(plan)
    prefix = reverse("list", args=[entity])
    for row in rows:
        one = shown.get(row.row)
        record = one.record if one else None
        line = {
            "row": row.row,
            "title": record.title if record else "",
            "url": f"{prefix}{record.id}/" if record else "",
        }
        if row.fate == Fate.DUPLICATE:
            yield {**line, "reason": report.duplicate_text(row, entity, places)}
            continue
        for reason in report.reasons_of(row):
            index = reason.column
            cells = one.cells if one and index is not None else ()
            yield {
                **line,
                "column": report.column_name(headers, index),
                "reason": reason.text,
                "value": cells[index] if index is not None and index < len(cells) else "",
            }


@require_safe
@signed_in
def records_page(request: HttpRequest, id: uuid.UUID, verb: str) -> HttpResponse:
    """The records that an import made or changed, as a list."""
    upload = visible(request, id)
    asked = request.GET.get("of", upload.entity)
    if verb not in VERBS or asked not in registry:
        raise RecordNotFound("import")
    entity = registry[asked]
    require_read(entity, request.user)
    query = of_view(entity, "all" if any(v.key == "all" for v in entity.views) else "")
    query = replace(query, where=Group(), after=request.GET.get("after", ""))
    rows = flow.records_of(upload, verb, request.user, entity=entity)
    try:
        page = pages.page(query, request.user, rows=rows)
    except InvalidQuery:
        page = pages.page(replace(query, after=""), request.user, rows=rows)
    cells = cell_context()
    is_person = "first_name" in entity.title_fields
    names = [name for name in query.columns if name != entity.title]
    fields = [(name, field_of(entity, name)) for name in names]
    url = f"{reverse('import-records', args=[upload.pk, verb])}?of={entity.name}"
    text = _("Created by “%(file)s”") if verb == "created" else _("Updated by “%(file)s”")
    context = {
        **head(upload, 3),
        "heading": text % {"file": upload.name},
        "heads": [
            (label_of(entity, entity.title), TITLE_WIDTH),
            *((label_of(entity, name), WIDTHS[field.kind]) for name, field in fields),
        ],
        "rows": [
            {
                "url": cells.address(entity.name, row.id),
                "title": (title := title_text(row.values[entity.title], str(entity.label))),
                "face": panels.avatar(title) if is_person else "",
                "cells": [cell(field, row.values.get(name), cells) for name, field in fields],
            }
            for row in page.rows
        ],
        "count": cells.number(_touched(upload)[verb, entity.name]),
        "first_url": url if query.after else "",
        "next_url": f"{url}&after={quote(page.next)}" if page.next else "",
    }
    return shell.render(request, "imports/records.html", context)


def _heading(upload: ImportFile, cells: CellContext, *, undone: bool) -> str:
    if undone:
        return _("This import has been undone")
    match upload.state:
        case ImportState.CANCELLED:
            return _("Cancelled: what was imported until then is there")
        case ImportState.FAILED:
            if not is_applied(upload):
                return _("This file cannot be imported")
            return _("The import could not be finished")
    said = []
    for verb, text in (("created", _("%(what)s created")), ("updated", _("%(what)s updated"))):
        if count := upload.counts.get(verb, 0):
            # The second number is of the same records.
            name = "" if said else f" {_called(upload, count)}"
            said.append(text % {"what": f"{cells.number(count)}{name}"})
    if not said:
        # Rows that say nothing new of their own record may do so of the one that they name.
        for (verb, name), count in _touched(upload).items():
            what = f"{cells.number(count)} {importbar.noun(registry[name], count)}"
            text = _("%(what)s created") if verb == "created" else _("%(what)s updated")
            said.append(text % {"what": what})
    if said:
        return ", ".join(said)
    return _("Imported: nothing new")


def _called(upload: ImportFile, number: int) -> str:
    """What so many records of an import are called."""
    if bundle.is_bundle(upload):
        return ngettext("record", "records", number)
    return importbar.noun(registry[upload.entity], number)


urlpatterns = [
    path("imports/<uuid:id>/records/<str:verb>/", records_page, name="import-records"),
]
