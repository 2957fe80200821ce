"""One command for many records: what a list and the job behind it do alike."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from rapport import access
from rapport.access import Actor, Forbidden
from rapport.meta.entity import Command, Entity
from rapport.meta.kinds import from_json
from rapport.meta.registry import registry
from rapport.models import Operation
from rapport.models.journal import OperationState
from rapport.models.people import Verb

from . import dependants, journal, records, repairs
from .records import HasDependants, InvalidRecord, Outcome, RecordNotFound

# Records of one transaction: others who write wait no longer than it takes.
BATCH = 200

Refusals = dict[uuid.UUID, str]
# What a command does to some records, as one user.
Action = Callable[[list[uuid.UUID], Actor], tuple[int, Refusals]]


class UnknownCommand(LookupError):
    """The entity has no such command for many records."""


@dataclass(slots=True)
class Result:
    """What became of it. `operation`: the one that undoes it; None when nothing was changed, or
    when each record was an operation of its own."""

    done: int = 0
    refused: Refusals = field(default_factory=dict)
    operation: Operation | None = None


def run(
    entity: Entity, command: str, ids: Sequence[uuid.UUID], form: Mapping[str, Any], *, by: Actor
) -> Result:
    """Do `command` to the records that `by` may see: all of it is one operation, in transactions
    of `BATCH` records. What refuses it stays as it is, and the result says why.

    `form`: plain JSON, as a job keeps it. Raises UnknownCommand, InvalidRecord.
    """
    action, separate = action_of(entity, command, form)
    result = Result()
    span = journal.Span()
    with nullcontext(span) if separate else journal.spanning() as span:
        try:
            for start in range(0, len(ids), BATCH):
                batch = list(ids[start : start + BATCH])
                done, refused = perform(action, batch, by)
                result.done += done
                result.refused.update(refused)
        finally:
            if span.op is not None:
                close(span.op)
    if span.op is not None and span.op.counts:
        result.operation = span.op
    return result


def close(op: Operation, state: OperationState = OperationState.DONE) -> None:
    """End the operation of a command; one that changed nothing leaves no trace."""
    if op.counts:
        journal.finish(op, state)
    else:
        op.delete()


def action_of(entity: Entity, command: str, form: Mapping[str, Any]) -> tuple[Action, bool]:
    """What `command` does, and whether each record is an operation of its own."""
    match command:
        case "update":
            values = {name: from_json(entity.fields[name], v) for name, v in form.items()}
            return lambda ids, by: _outcome(
                records.update_records(entity, ids, values, by=by)
            ), False
        case "assign":
            owner, along = uuid.UUID(form["owner"]), bool(form.get("with_children"))
            return lambda ids, by: _outcome(
                records.assign_records(entity, ids, owner, by=by, with_children=along)
            ), False
        case "delete":
            return lambda ids, by: _deleted(entity, ids, by, bool(form.get("with_all"))), False
        case "repair":
            key = repairs.repair_of(entity, str(form.get("repair"))).key
            return lambda ids, by: _outcome(repairs.repair_records(entity, ids, key, by=by)), False
    own = command_of(entity, command)
    return lambda ids, by: _outcome(own.run(ids, by=by, **form)), own.separate


def command_of(entity: Entity, key: str) -> Command:
    """The entity's own command that works on many records. Raises UnknownCommand."""
    for command in entity.commands:
        if command.key == key and command.bulk:
            return command
    raise UnknownCommand(key)


def _outcome(outcome: Outcome) -> tuple[int, Refusals]:
    return len(outcome.done), dict(outcome.refused)


def _deleted(
    entity: Entity, ids: list[uuid.UUID], by: Actor, with_all: bool
) -> tuple[int, Refusals]:
    records.delete_records(entity, ids, by=by, with_all=with_all)
    return len(ids), {}


def perform(action: Action, ids: list[uuid.UUID], by: Actor) -> tuple[int, Refusals]:
    """Do `action`; when one record refuses for all, the others are done without it."""
    if not ids:
        return 0, {}
    try:
        with transaction.atomic():
            return action(ids, by)
    except (Forbidden, RecordNotFound, HasDependants, InvalidRecord) as error:
        if len(ids) == 1:
            return 0, {ids[0]: _why(error)}
    # Halves, not one by one: few refuse, and whole halves without them are done at once.
    middle = len(ids) // 2
    done, refused = perform(action, ids[:middle], by)
    more_done, more_refused = perform(action, ids[middle:], by)
    return done + more_done, {**refused, **more_refused}


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
            return error.complaints
    return str(error)


# -- before it is done -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Deletion:
    """What deleting would do: how many of the records may be deleted, and what belongs to them.
    `along` goes with them; `refusing` only when asked for. Both {entity: number}."""

    count: int
    along: Mapping[Entity, int]
    refusing: Mapping[Entity, int]


def preview_deletion(entity: Entity, ids: Sequence[uuid.UUID], *, by: Actor) -> Deletion:
    """The names of what a deletion of these records takes along."""
    allowed = access.allowed_ids(ids, entity, by, Verb.DELETE)
    doomed = dependants.doomed(entity, list(allowed))
    refusing = {registry[name]: len(found) for name, found in doomed.refusing.items()}
    along = {e: len(found) for e, found in doomed.along.items() if e not in refusing}
    return Deletion(len(allowed), along, refusing)


def has_children(entity: Entity) -> bool:
    """Whether records with an owner of their own may stand below those of `entity`."""
    return any(
        pointing.entity.ownership == "user" and pointing.field.on_delete in {"refuse", "cascade"}
        for pointing in registry.pointing_at(entity)
    )
