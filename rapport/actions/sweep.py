"""Taking back what many records got alike: a few statements, however many they are.

Whatever needs a look (changed since, gone, changed twice) is left to `reversal`, row by row.
"""

from __future__ import annotations

import datetime
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from django.db import connection
from django.db.models import Count, QuerySet

from rapport.access import Actor
from rapport.meta.batches import batches
from rapport.meta.entity import Draft, Entity
from rapport.meta.kinds import from_json
from rapport.meta.registry import registry
from rapport.models import Change, Operation
from rapport.models.journal import ChangeVerb

from . import idlists, reversal, write
from .reversal import Noted, Undone, noted

# From so many changes that follow each other it pays.
LEAST = 50
# One statement does in the time of one row that is looked at so many.
FASTER = 20
# More exceptions than this, and the row by row way is the better one.
MOST_EXCEPTIONS = 1000


def start(batch: Sequence[Noted]) -> int | None:
    """Where in `batch` (newest first) changes begin that can be swept; None when nowhere."""
    first = 0
    for place, change in enumerate(batch):
        if not _like(batch[first], change):
            if place - first >= LEAST and _few(batch[first:place]):
                return first
            first = place
    return first if len(batch) - first >= LEAST and _few(batch[first:]) else None


def _like(one: Noted, other: Noted) -> bool:
    return one.entity == other.entity and one.verb == other.verb == ChangeVerb.UPDATE


def _few(run: Sequence[Noted]) -> bool:
    """Whether few different things happened to many records."""
    names = {name for change in run for name in change.before or ()}
    entity = registry[run[0].entity]
    kinds = {json.dumps([change.before, change.after]) for change in run}
    return (
        run[0].verb == ChangeVerb.UPDATE
        and bool(names)
        and len(kinds) * FASTER <= len(run)
        and entity.hierarchy not in names  # it may lead in a circle by now
        and write.may_alter(entity, names)
    )


@dataclass(frozen=True, slots=True)
class _Back:
    """Who takes back, when, and as which operation."""

    op: Operation
    by: Actor
    now: datetime.datetime


def sweep(
    first: Noted,
    undone: Undone,
    *,
    op: Operation,
    by: Actor,
    now: datetime.datetime,
    undo_of: Operation,
    limit: int,
) -> int:
    """Take back `first` and the changes of the same entity that its operation made before it, as a
    part of `op`: up to `limit` of them. The id of the last one that was taken back."""
    entity, back = registry[first.entity], _Back(op, by, now)
    own = Change.objects.filter(operation_id=first.operation_id, id__lte=first.id)
    other = own.exclude(entity=first.entity, verb=ChangeVerb.UPDATE).order_by("-id")
    beyond = other.values_list("id", flat=True).first() or 0
    run = own.filter(id__gt=beyond)
    last = run.order_by("-id").values_list("id", flat=True)[limit - 1 : limit].first()
    if last is not None:
        run = run.filter(id__gte=last)
    lowest = int(run.order_by("id").values_list("id", flat=True)[0])
    exceptions = _exceptions(entity, run, lowest, op)
    if len(exceptions) > MOST_EXCEPTIONS:
        part = noted(run.order_by("-id")[:MOST_EXCEPTIONS], undo_of.pk)
        reversal.revert(part, undone, op=op, by=by, now=now, undo_of=undo_of)
        return part[-1].id
    plain = run
    if exceptions:
        looked_at = noted(run.filter(record__in=exceptions).order_by("-id"), undo_of.pk)
        reversal.revert(looked_at, undone, op=op, by=by, now=now, undo_of=undo_of)
        plain = run.exclude(record__in=exceptions)
    alike = plain.order_by().values("before", "after").annotate(number=Count("id"))
    for before, after, number in list(alike.values_list("before", "after", "number")):
        # Conditions on the journal alone: of a join the planner knows too little.
        group = plain.filter(before=before, after=after)
        if not _take_back(entity, group, number, undone, back):
            looked_at = noted(group.order_by("-id"), undo_of.pk)
            reversal.revert(looked_at, undone, op=op, by=by, now=now, undo_of=undo_of)
    return lowest


def _exceptions(
    entity: Entity, run: QuerySet[Change], lowest: int, op: Operation
) -> set[uuid.UUID]:
    """Records that others changed or deleted since, or that were changed twice."""
    ids = list(run.order_by("record").values_list("record", flat=True))
    found = {one for one, after in pairwise(ids) if one == after}
    for part in batches(dict.fromkeys(ids)):
        if connection.features.has_select_for_update:
            write.lock(entity, part, no_key=True)
        later = Change.objects.filter(idlists.among(Change, part, "record"), id__gt=lowest)
        later = later.exclude(operation_id__in=[op.undo_of_id, op.pk])
        changed = list(later.values_list("record", "operation_id"))
        without = reversal.cancelled({operation for _record, operation in changed})
        found.update(record for record, operation in changed if operation not in without)
    return found


def _take_back(
    entity: Entity, group: QuerySet[Change], number: int, undone: Undone, back: _Back
) -> bool:
    """Give the records of `group` what they had; whether that was possible."""
    one = group.order_by("-id").first()
    ids = list(group.values_list("record", flat=True))
    if one is None or len(ids) != number:
        return False
    had, has = (
        {
            name: from_json(entity.fields[name], value)
            for name, value in (values or {}).items()
            if name in entity.fields
        }
        for values in (one.before, one.after)
    )
    # What is gone by now is the same for all of them.
    draft, missing = Draft(id=one.record, values=dict(had)), Undone()
    reversal.drop_dangling(entity, [draft], missing)
    if missing.conflicts or set(draft.values) != set(has) or not has:
        return False
    for part in batches(ids):
        chosen = entity.records().filter(idlists.among(entity.model, part))
        undone.restored += write.alter(
            entity, chosen, has, draft.values, op=back.op, by=back.by, now=back.now
        )
    return True
