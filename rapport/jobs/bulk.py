"""The job that does one command to many records:
{"entity", "command", "ids" or "query", "form"}; all of it is one operation."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from itertools import islice
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from rapport.access import Actor, Forbidden
from rapport.actions import journal, records
from rapport.actions.lease import Refused, Run
from rapport.actions.records import HasDependants, InvalidRecord, Outcome, RecordNotFound
from rapport.meta.entity import Entity
from rapport.meta.kinds import from_json
from rapport.meta.registry import registry
from rapport.models import Job, Operation
from rapport.models.journal import OperationState
from rapport.models.operations import JobState
from rapport.queries import query, translate

REASONS_KEPT = 200

Refusals = dict[uuid.UUID, str]
# What a command does to some records, as one user.
Action = Callable[[list[uuid.UUID], Actor], tuple[int, Refusals]]


def step(run: Run) -> bool:
    """Do the command to the next records."""
    entity = registry[run.job.parameters["entity"]]
    action, separate = _action(entity, run.job.parameters)
    with run.batch() as job:
        cursor = dict(job.cursor or {})
        if job.cursor is None:
            job.total = _total(entity, job, run.by)
            job.result = {"done": 0, "refused": 0, "reasons": {}, "operation": None}
        ids = _next(entity, job, cursor, run.by, run.size)
        op = Operation.objects.filter(pk=cursor.get("operation")).first()
        with nullcontext(journal.Span()) if separate else journal.spanning(op) as span:
            done, refused = _perform(action, ids, run.by)
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


def _first(reasons: dict[str, str]) -> dict[str, str]:
    return dict(islice(reasons.items(), REASONS_KEPT))


def ended(job: Job, state: JobState) -> None:
    """Close the operation. One that changed nothing leaves no trace."""
    op = Operation.objects.filter(pk=(job.cursor or {}).get("operation")).first()
    if op is None:
        return
    if op.counts:
        # What is done stays done and can be undone, so even a cancelled one is complete in itself.
        journal.finish(
            op, OperationState.CANCELLED if state == JobState.CANCELLED else OperationState.DONE
        )
    else:
        op.delete()


def _total(entity: Entity, job: Job, by: Actor) -> int:
    if "ids" in job.parameters:
        return len(job.parameters["ids"])
    return _matching(entity, job, by).count()


def _matching(entity: Entity, job: Job, by: Actor) -> Any:
    found = translate.rows(query.loads(job.parameters["query"]), by)
    # Ids are ordered in time: what people add while the job runs is not meant.
    return found.filter(created_at__lte=job.created_at)


def _next(
    entity: Entity, job: Job, cursor: dict[str, Any], by: Actor, size: int
) -> list[uuid.UUID]:
    """The next ids, and `cursor` behind them. A query goes by key: each record is met once, even
    when the command changes by what it was found."""
    if "ids" in job.parameters:
        start = cursor.get("start", 0)
        ids = [uuid.UUID(text) for text in job.parameters["ids"][start : start + size]]
        cursor["start"] = start + len(ids)
        return ids
    found = _matching(entity, job, by).order_by("pk")
    if "after" in cursor:
        found = found.filter(pk__gt=uuid.UUID(cursor["after"]))
    ids = list(found.values_list("pk", flat=True)[:size])
    if ids:
        cursor["after"] = str(ids[-1])
    return ids


def _action(entity: Entity, parameters: Mapping[str, Any]) -> tuple[Action, bool]:
    """What to do, and whether it makes an operation of its own for each record."""
    name, form = parameters["command"], parameters.get("form") or {}
    if name == "update":
        values = {field: from_json(entity.fields[field], value) for field, value in form.items()}
        return lambda ids, by: _outcome(records.update_records(entity, ids, values, by=by)), False
    if name == "assign":
        owner, along = uuid.UUID(form["owner"]), bool(form.get("with_children"))
        return lambda ids, by: _outcome(
            records.assign_records(entity, ids, owner, by=by, with_children=along)
        ), False
    if name == "delete":
        return lambda ids, by: _deleted(entity, ids, by, bool(form.get("with_all"))), False
    command = next((c for c in entity.commands if c.key == name and c.bulk), None)
    if command is None:
        raise Refused(_("There is no such command."))
    return lambda ids, by: _outcome(command.run(ids, by=by, **form)), command.separate


def _outcome(outcome: Outcome) -> tuple[int, Refusals]:
    return len(outcome.done), dict(outcome.refused)


def _deleted(
    entity: Entity, ids: list[uuid.UUID], by: Actor, with_all: bool
) -> tuple[int, Refusals]:
    records.delete_records(entity, ids, by=by, with_all=with_all)
    return len(ids), {}


def _perform(action: Action, ids: list[uuid.UUID], by: Actor) -> tuple[int, Refusals]:
    if not ids:
        return 0, {}
    try:
        with transaction.atomic():
            return action(ids, by)
    except (Forbidden, RecordNotFound, HasDependants, InvalidRecord) as error:
        if len(ids) == 1:
            return 0, {ids[0]: _why(error)}
    # One of them refuses for all: go one by one.
    done, refused = 0, {}
    for id_ in ids:
        one_done, one_refused = _perform(action, [id_], by)
        done += one_done
        refused.update(one_refused)
    return done, refused


def _why(error: Exception) -> str:
    match error:
        case Forbidden():
            return _("You may not do this to this record.")
        case RecordNotFound():
            return _("It is not there any more.")
        case HasDependants():
            counts = ", ".join(
                f"{number} {registry[name].label_plural}" for name, number in error.counts.items()
            )
            return _("Other records belong to it: %(counts)s.") % {"counts": counts}
        case InvalidRecord():
            return " ".join(message for found in error.errors.values() for message in found)
    return str(error)
