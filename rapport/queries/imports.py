"""Imports as people see them: their own; administrators all."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence

from django.db.models import Exists, OuterRef, QuerySet

from rapport import access
from rapport.access import Actor, SystemActor
from rapport.models import ImportFile, Operation, Plan, PlanRow
from rapport.models.journal import OperationState

PAGE = 50


def visible_imports(by: Actor) -> QuerySet[ImportFile]:
    """Imports that `by` may see, newest first."""
    found = ImportFile.objects.select_related("created_by", "operation", "job", "parent")
    found = found.annotate(is_undone=Exists(_undoing("operation"))).order_by("-created_at", "-pk")
    if isinstance(by, SystemActor) or access.is_administrator(by):
        return found
    return found.filter(created_by=by)


def _undoing(what: str, depth: int = 3) -> QuerySet[Operation]:
    """What undid an operation and was not undone itself, as far as people go back and forth."""
    found = Operation.objects.filter(undo_of=OuterRef(what), state=OperationState.DONE)
    return found.exclude(Exists(_undoing("pk", depth - 1))) if depth else found


def imports_for(
    by: Actor, *, page: int = 1, states: Collection[str] = ()
) -> tuple[list[ImportFile], bool]:
    """A page of imports in one of `states` (any when empty), and whether there are more. What came
    in an archive is shown with it."""
    start = (max(page, 1) - 1) * PAGE
    wanted = visible_imports(by).filter(parent=None)
    if states:
        wanted = wanted.filter(state__in=states)
    found = list(wanted[start : start + PAGE + 1])
    return found[:PAGE], len(found) > PAGE


def imports_with(columns: Sequence[str], by: Actor) -> QuerySet[ImportFile]:
    """Imports of files with just these headers that `by` may see, newest first; each of several
    files by itself."""
    return visible_imports(by).filter(options__columns=list(columns))


def import_for(id: uuid.UUID, by: Actor) -> ImportFile | None:
    """The import, when `by` may see it."""
    return visible_imports(by).filter(pk=id).first()


def import_of(op: Operation, by: Actor) -> ImportFile | None:
    """The import that wrote this, when `by` may see it."""
    return visible_imports(by).filter(operation=op, parent=None).first()


def plan_of(upload: ImportFile) -> Plan | None:
    """The latest plan of an import."""
    return upload.plans.order_by("-created_at", "-pk").first()


def plan_rows(
    plan: Plan, fates: tuple[str, ...], *, after: int = 0, size: int = PAGE
) -> tuple[list[PlanRow], bool]:
    """Rows of a plan with one of `fates`, in the order of the file, and whether there are more."""
    rows = plan.rows.filter(fate__in=fates, row__gt=after).order_by("row")
    found = list(rows[: size + 1])
    return found[:size], len(found) > size
