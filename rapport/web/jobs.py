"""System jobs: what runs in the background, how far it is, and what came of it."""

from __future__ import annotations

import uuid
from collections import Counter
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from rapport import access
from rapport.actions import jobs
from rapport.actions.certain import operations_of
from rapport.actions.records import RecordNotFound
from rapport.imports.flow import NotNow
from rapport.jobs.kinds import KINDS
from rapport.models import Job
from rapport.models.operations import JobState
from rapport.queries import jobs as found

from . import shell
from .cells import CellContext, cell_context, local_text
from .signin import signed_in

TONES = {
    JobState.WAITING: "",
    JobState.RUNNING: "accent",
    JobState.DONE: "ok",
    JobState.FAILED: "bad",
    JobState.CANCELLED: "warn",
}
# What the numbers of a job's result are called; others are not shown.
RESULTS = {
    "rows": gettext_lazy("Rows"),
    "done": gettext_lazy("Done"),
    "created": gettext_lazy("Created"),
    "updated": gettext_lazy("Updated"),
    "same": gettext_lazy("Unchanged"),
    "duplicates": gettext_lazy("Duplicates"),
    "changed": gettext_lazy("Changed since the plan"),
    "refused": gettext_lazy("Refused"),
    "accounts_created": gettext_lazy("Accounts created"),
    "compared": gettext_lazy("Pairs compared"),
    "found": gettext_lazy("Pairs that look alike"),
    "seconds": gettext_lazy("Seconds"),
    "removed": gettext_lazy("Created records removed"),
    "restored": gettext_lazy("Changed records restored"),
    "returned": gettext_lazy("Deleted records returned"),
    "conflicts": gettext_lazy("Conflicts"),
}


@require_safe
@signed_in
def jobs_page(request: HttpRequest) -> HttpResponse:
    """The jobs that the viewer may see; asks again by itself while one is alive."""
    text = request.GET.get("page", "")
    page = int(text) if text.isdecimal() and len(text) < 6 else 1
    rows, more = found.jobs_for(request.user, page=page)
    cells = cell_context()
    here = reverse("jobs")
    context = {
        "rows": [_row(job, cells) for job in rows],
        "alive": any(job.state in found.ALIVE for job in rows),
        "everybody": access.is_administrator(request.user),
        "here": f"{here}?page={page}",
        "next_url": f"{here}?page={page + 1}" if more else "",
        "previous_url": f"{here}?page={page - 1}" if page > 1 else "",
    }
    return shell.render(request, "jobs/list.html", context, part="jobs/table.html")


@require_safe
@signed_in
def job_page(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """One job, with what came of it."""
    job = _visible(request, id)
    cells = cell_context()
    result = job.result if isinstance(job.result, dict) else {}
    reasons = Counter(map(str, dict(result.get("reasons") or {}).values()))
    context = {
        "row": _row(job, cells),
        "alive": job.state in found.ALIVE,
        "facts": _facts(job, cells),
        "results": [
            (label, cells.number(result[name]))
            for name, label in RESULTS.items()
            if isinstance(result.get(name), int)
        ],
        "reasons": [(cells.number(count), reason) for reason, count in reasons.most_common(20)],
        "operation_url": _address("operation", result.get("operation")),
        "kept": result.get("conflicts", 0),
        "import_url": _address("import", job.parameters.get("import")),
        "unmerge_url": _address("duplicates-unmerge", job.pk) if operations_of(job) else "",
    }
    return shell.render(request, "jobs/job.html", context, part="jobs/details.html")


@require_POST
@signed_in
def cancel(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """Ask a job to end."""
    try:
        jobs.cancel(_visible(request, id), by=request.user)
        messages.info(request, _("It ends after the part at hand. What is done stays done."))
    except jobs.JobIsOver:
        messages.info(request, _("It has ended already."))
    return shell.moved(request, reverse("job", args=[id]))


@require_POST
@signed_in
def retry(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """Let a job go on where it stopped."""
    try:
        job = _visible(request, id)
        kind = KINDS.get(job.kind)
        if kind is None or not kind.again:
            raise RecordNotFound("job")
        kind.retry(job, by=request.user)
        messages.info(request, _("It goes on where it stopped."))
    except NotNow as error:
        messages.warning(request, str(error))
    except jobs.JobIsOver:
        messages.info(request, _("It is waiting or running already."))
    return shell.moved(request, reverse("job", args=[id]))


def _visible(request: HttpRequest, id: uuid.UUID) -> Job:
    job = found.job_for(id, request.user)
    if job is None:
        raise RecordNotFound("job")
    return job


def _row(job: Job, cells: CellContext) -> dict[str, Any]:
    """A job as the table shows it."""
    kind = KINDS.get(job.kind)
    alive = job.state in found.ALIVE
    ending = alive and job.cancel_asked
    return {
        "id": job.pk,
        "label": job.label or (kind.label if kind else job.kind),
        "kind": kind.label if kind else job.kind,
        "url": reverse("job", args=[job.pk]),
        "state": _("Ending") if ending else job.get_state_display(),
        "tone": "warn" if ending else TONES[JobState(job.state)],
        "message": job.message,
        "by": str(job.created_by) if job.created_by else _("Rapport"),
        "moment": job.created_at,
        "moment_text": local_text(job.created_at, cells),
        "progress": job.progress,
        "total": job.total,
        "progress_text": _progress(job, cells),
        "bar": job.state == JobState.RUNNING,
        "cancel_url": reverse("job-cancel", args=[job.pk]) if alive and not ending else "",
        "retry_url": ""
        if alive or job.state == JobState.DONE or not (kind and kind.again)
        else reverse("job-retry", args=[job.pk]),
    }


def _progress(job: Job, cells: CellContext) -> str:
    if not job.progress and job.state != JobState.RUNNING:
        return ""
    if not job.total:
        return cells.number(job.progress)
    values = {"done": cells.number(job.progress), "total": cells.number(job.total)}
    return _("%(done)s of %(total)s") % values


def _facts(job: Job, cells: CellContext) -> list[tuple[str, str]]:
    facts = [
        (_("Asked by"), str(job.created_by) if job.created_by else _("Rapport")),
        (_("Asked on"), local_text(job.created_at, cells)),
        (_("Started on"), local_text(job.started_at, cells)),
        (_("Ended on"), local_text(job.ended_at, cells)),
        (_("Attempts"), cells.number(job.attempts)),
    ]
    return [(label, value) for label, value in facts if value]


def _address(name: str, value: Any) -> str:
    """The page called `name` of an id that a job names."""
    try:
        return reverse(name, args=[uuid.UUID(str(value))])
    except ValueError:
        return ""


urlpatterns = [
    path("jobs/", jobs_page, name="jobs"),
    path("jobs/<uuid:id>/", job_page, name="job"),
    path("jobs/<uuid:id>/cancel/", cancel, name="job-cancel"),
    path("jobs/<uuid:id>/retry/", retry, name="job-retry"),
]
