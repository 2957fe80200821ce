"""The job that does one command to many records:
{"entity", "command", "ids" or "query", "form"}; all of it is one operation."""

from __future__ import annotations

import uuid
from contextlib import nullcontext
from itertools import islice
from typing import Any

from django.utils.translation import gettext as _

from rapport.access import Actor
from rapport.actions import bulk, journal
from rapport.actions.lease import Refused, Run
from rapport.meta.registry import registry
from rapport.models import Job, Operation
from rapport.models.journal import OperationState
from rapport.models.operations import JobState
from rapport.queries import query, translate

REASONS_KEPT = 200


def step(run: Run) -> bool:
    """Do the command to the next records."""
    entity = registry[run.job.parameters["entity"]]
    parameters = run.job.parameters
    try:
        action, separate = bulk.action_of(
            entity, parameters["command"], parameters.get("form") or {}
        )
    except bulk.UnknownCommand:
        raise Refused(_("There is no such command.")) from None
    with run.batch() as job:
        cursor = dict(job.cursor or {})
        if job.cursor is None:
            job.total = _total(job, run.by)
            job.result = {"done": 0, "refused": 0, "reasons": {}, "operation": None}
        ids = _next(job, cursor, run.by, run.size)
        op = _operation(cursor)
        with nullcontext(journal.Span()) if separate else journal.spanning(op) as span:
            done, refused = bulk.perform(action, ids, run.by)
        if span.op is not None:
            cursor["operation"] = str(span.op.pk)
        job.cursor = cursor
        job.progress += len(ids)
        job.result = {
            "done": job.result["done"] + done,
            "refused": job.result["refused"] + len(refused),
            "reasons": _first({**job.result["reasons"], **{str(i): t for i, t in refused.items()}}),
            "operation": cursor.get("operation"),
        }
    return bool(ids) and ("query" in job.parameters or job.progress < job.total)


def _operation(cursor: dict[str, Any]) -> Operation | None:
    """The operation of the batches before, open again when the job had ended and was retried."""
    op = Operation.objects.filter(pk=cursor.get("operation")).first()
    if op is not None and op.state != OperationState.RUNNING:
        if op.undone_by.exists():
            raise Refused(_("What was done has been undone: start again."))
        journal.go_on(op)
    return op


def _first(reasons: dict[str, str]) -> dict[str, str]:
    return dict(islice(reasons.items(), REASONS_KEPT))


def ended(job: Job, state: JobState) -> None:
    """Close the operation. One that changed nothing leaves no trace."""
    op = Operation.objects.filter(pk=(job.cursor or {}).get("operation")).first()
    if op is not None:
        # What is done stays done and can be undone, so even a cancelled one is complete in itself.
        cancelled = state == JobState.CANCELLED
        bulk.close(op, OperationState.CANCELLED if cancelled else OperationState.DONE)


def _total(job: Job, by: Actor) -> int:
    if "ids" in job.parameters:
        return len(job.parameters["ids"])
    return _matching(job, by).count()


def _matching(job: Job, by: Actor) -> Any:
    found = translate.rows(query.loads(job.parameters["query"]), by)
    # What people add while the job runs is not meant.
    return found.filter(created_at__lte=job.created_at)


def _next(job: Job, cursor: dict[str, Any], by: Actor, size: int) -> list[uuid.UUID]:
    """The next ids, and `cursor` behind them. A query goes by key: each record is met once, even
    when the command changes by what it was found."""
    if "ids" in job.parameters:
        start = cursor.get("start", 0)
        ids = [uuid.UUID(text) for text in job.parameters["ids"][start : start + size]]
        cursor["start"] = start + len(ids)
        return ids
    found = _matching(job, by).order_by("pk")
    if "after" in cursor:
        found = found.filter(pk__gt=uuid.UUID(cursor["after"]))
    ids = list(found.values_list("pk", flat=True)[:size])
    if ids:
        cursor["after"] = str(ids[-1])
    return ids
