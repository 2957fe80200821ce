"""Operations: what somebody did, as those who may see its records read it."""

from __future__ import annotations

import uuid

from rapport import access, queries
from rapport.access import Actor
from rapport.meta.kinds import Ref
from rapport.meta.registry import registry
from rapport.models import Change, Operation, User
from rapport.models.journal import ChangeVerb, OperationState

from . import history
from .history import Event
from .one import title_of


def get(id: uuid.UUID, by: Actor) -> Operation | None:
    """The operation, or None when somebody else did it and `by` may see none of its records, living
    or deleted."""
    op = Operation.objects.select_related("user", "undo_of").filter(pk=id).first()
    if op is None or not _is_visible(op, by):
        return None
    return op


def _is_visible(op: Operation, by: Actor) -> bool:
    did_it = isinstance(by, User) and op.user_id == by.pk
    if did_it or access.is_administrator(by):
        return True
    for name in op.changes.order_by().values_list("entity", flat=True).distinct():
        entity = registry[name]
        touched = op.changes.filter(entity=name).values("record")
        if queries.records(entity, by).filter(pk__in=touched).exists():
            return True
    gone = op.changes.filter(verb=ChangeVerb.DELETE).select_related("operation")
    return any(history.may_see_deleted(change, by) for change in gone[:100])


def changes(
    op: Operation, by: Actor, *, after: int = 0, size: int = 50
) -> tuple[list[tuple[Event, str]], bool]:
    """(event, title of its record) of the changes to records that `by` may see, in their order,
    behind change `after`; and whether there are more."""
    found = op.changes.filter(id__gt=after).select_related("operation__user").order_by("id")
    page = list(found[: size + 1])
    more, page = len(page) > size, page[:size]
    titles = _titles(page, by)
    shown: dict[int, tuple[Event, str]] = {}
    for name in {change.entity for change in page}:
        own = [change for change in page if change.entity == name]
        for event in history.describe(registry[name], own, by):
            title = titles.get(Ref(name, event.change.record))
            if title is not None:
                shown[event.change.pk] = (event, title)
    return [shown[change.pk] for change in page if change.pk in shown], more


def _titles(page: list[Change], by: Actor) -> dict[Ref, str]:
    """Titles of the records that `by` may see, also of those that are gone by now."""
    refs = {Ref(change.entity, change.record) for change in page}
    titles = title_of(refs, by)
    for change in page:
        ref = Ref(change.entity, change.record)
        if change.verb == ChangeVerb.DELETE and history.may_see_deleted(change, by):
            titles.setdefault(ref, history.title_of_deleted(change))
    # What the operation made or changed and somebody deleted since: whoever did it knows of it.
    for name in {ref.entity for ref in refs - set(titles)}:
        entity = registry[name]
        missing = {ref.id for ref in refs if ref.entity == name and ref not in titles}
        there = set(entity.records().filter(pk__in=missing).values_list("pk", flat=True))
        if access.is_administrator(by) or page[0].operation.user_id == getattr(by, "pk", None):
            titles.update({Ref(name, id_): str(entity.label) for id_ in missing - there})
            titles.update(_last_titles(name, missing - there, by))
    return titles


def _last_titles(name: str, gone: set[uuid.UUID], by: Actor) -> dict[Ref, str]:
    """What records were called when they were deleted, also by an undo."""
    deleted = Change.objects.filter(record__in=gone, entity=name, verb=ChangeVerb.DELETE)
    return {
        Ref(name, change.record): history.title_of_deleted(change)
        for change in deleted.select_related("operation").order_by("id")
        if history.may_see_deleted(change, by)
    }


def file_of(op: Operation) -> str:
    """The name of the file that an import took."""
    names = op.imports.filter(parent=None).values_list("name", flat=True)
    return names.first() or ""


def last_of(record: uuid.UUID) -> uuid.UUID | None:
    """The operation that touched the record last."""
    changes_ = Change.objects.filter(record=record).order_by("-id")
    return changes_.values_list("operation_id", flat=True).first()


def size(op: Operation) -> int:
    """How many records it touched."""
    return sum(op.counts.values())


def created(op: Operation, *, limit: int = 200) -> list[uuid.UUID]:
    """Records that it made."""
    made = op.changes.filter(verb=ChangeVerb.CREATE).order_by("id")
    return list(made.values_list("record", flat=True)[:limit])


def undone_by(op: Operation) -> Operation | None:
    """The operation that took it back last, unless that was taken back itself."""
    states = [OperationState.DONE, OperationState.RUNNING]
    tried = op.undone_by.filter(state__in=states).select_related("user")
    found = tried.order_by("-started_at", "-id")
    return next((back for back in found if undone_by(back) is None), None)
