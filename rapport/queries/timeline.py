"""The whole history of a record on one page: activities, notes and the system's own entries."""

from __future__ import annotations

import datetime
import uuid
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q, QuerySet

from rapport import queries
from rapport.access import Actor
from rapport.meta.kinds import Ref
from rapport.meta.registry import registry
from rapport.models import Change, Principal

from .one import One, title_of

PAGE = 20


@dataclass(slots=True)
class Entry:
    """One entry. `kind`: 'activity', 'note' or 'system'; `row`: the model instance (for 'system'
    the Change with its operation); `who`: a name; `regarding`: title of another record that it is
    about, when it is not this one."""

    at: datetime.datetime
    kind: str
    row: Any
    who: str
    regarding: Ref | None = None
    regarding_title: str = ""
    pinned: bool = False
    detail: dict[str, Any] = field(default_factory=dict)


def timeline(
    one: One,
    by: Actor,
    *,
    before: datetime.datetime | None = None,
    kinds: frozenset[str] = frozenset({"activity", "note", "system"}),
    find: str = "",
    size: int = PAGE,
) -> tuple[list[Entry], bool]:
    """Up to `size` entries, newest first, older than `before`; and whether there are more.

    An account's timeline has what was logged with the company, whoever it was with: an index scan
    over the stamp. An opportunity shows what was logged with its lead, too.
    """
    entries: list[Entry] = []
    if "activity" in kinds:
        rows = _about(queries.records(registry["activity"], by), one).order_by(
            "-occurred_at", "-pk"
        )
        entries += [
            Entry(row.occurred_at, "activity", row, row.owner.name, _regarding(row))
            for row in _page(rows, before, find, ("subject", "description"), size)
        ]
    if "note" in kinds:
        rows = _about(queries.records(registry["note"], by), one).order_by("-occurred_at", "-pk")
        entries += [
            Entry(row.occurred_at, "note", row, row.owner.name, _regarding(row), pinned=row.pinned)
            for row in _page(rows, before, find, ("subject", "text"), size)
        ]
    if "system" in kinds and not find:
        entries += _system(one, before, size)
    entries.sort(key=lambda entry: entry.at, reverse=True)
    more = len(entries) > size
    entries = entries[:size]
    _name_regarding(entries, one, by)
    return entries, more


def _page(
    rows: QuerySet[Any, Any],
    before: datetime.datetime | None,
    find: str,
    columns: tuple[str, ...],
    size: int,
) -> list[Any]:
    if before is not None:
        rows = rows.filter(occurred_at__lt=before)
    for word in find.split():
        condition = Q()
        for column in columns:
            condition |= Q(**{f"{column}__icontains": word})
        rows = rows.filter(condition)
    return list(rows.select_related("owner")[: size + 1])


def _about(rows: QuerySet[Any, Any], one: One) -> QuerySet[Any, Any]:
    if one.entity.name == "account":
        return rows.filter(account_id=one.id)
    refs = [(one.entity.name, one.id)]
    if one.entity.name == "opportunity" and one.values.get("originating_lead"):
        refs.append(("lead", one.values["originating_lead"]))
    condition = Q()
    for name, id_ in refs:
        condition |= Q(regarding_entity=name, regarding_id=id_)
    return rows.filter(condition)


def _regarding(row: Any) -> Ref | None:
    if row.regarding_entity and row.regarding_id:
        return Ref(row.regarding_entity, row.regarding_id)
    return None


def _system(one: One, before: datetime.datetime | None, size: int) -> list[Entry]:
    changes = Change.objects.filter(record=one.id).select_related("operation__user")
    if before is not None:
        changes = changes.filter(at__lt=before)
    return [
        Entry(change.at, "system", change, who(change.operation))
        for change in changes.order_by("-id")[: size + 1]
    ]


def who(operation: Any) -> str:
    """The name of whoever did it."""
    return str(operation.user) if operation.user else operation.actor


def _name_regarding(entries: list[Entry], one: One, by: Actor) -> None:
    own = Ref(one.entity.name, one.id)
    others = {entry.regarding for entry in entries if entry.regarding and entry.regarding != own}
    titles = title_of(others, by)
    for entry in entries:
        if entry.regarding == own:
            entry.regarding = None
        elif entry.regarding:
            entry.regarding_title = titles.get(entry.regarding, "")


def names_of(ids: set[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Names of users and teams."""
    return dict(Principal.objects.filter(pk__in=ids).values_list("pk", "name"))
