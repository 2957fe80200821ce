"""The whole history of a record on one page: activities, notes and the system's own entries."""

from __future__ import annotations

import datetime
import uuid
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from rapport import queries
from rapport.access import Actor
from rapport.meta.kinds import Ref
from rapport.meta.registry import registry
from rapport.models import Change

from . import history
from .history import who
from .one import One, title_of

PAGE = 15
KINDS = frozenset({"activity", "note", "system"})
# Columns that a timeline shows; the others of activities and notes are many.
_SHOWN = (
    "state", "status", "occurred_at", "owner__name", "owning_unit_id", "regarding_entity",
    "regarding_id",
)  # fmt: skip
_TOLD = (
    "operation_id", "record", "verb", "row", "at", "before", "after", "operation__kind",
    "operation__parameters", "operation__actor", "operation__user__full_name",
    "operation__user__email",
)  # fmt: skip
# What happened at the same moment stands in this order, so that pages neither skip nor repeat.
_RANKS = {"activity": 2, "note": 1, "system": 0}
# So many pinned notes cost no statement of their own.
FEW_PINNED = 5
MOST_PINNED = 200


@dataclass(slots=True)
class Entry:
    """One entry. `kind`: 'activity', 'note' or 'system'; `row`: the model instance (for 'system'
    the Change, told by `event`); `who`: a name; `regarding`: title of another record that it is
    about, when it is not this one."""

    at: datetime.datetime
    kind: str
    row: Any
    who: str
    regarding: Ref | None = None
    regarding_title: str = ""
    pinned: bool = False
    event: history.Event | None = None

    @property
    def key(self) -> tuple[datetime.datetime, int, Any]:
        """Where it stands: later ones first."""
        return self.at, _RANKS[self.kind], self.row.pk


@dataclass(frozen=True, slots=True)
class Place:
    """The entry that a page ended with."""

    at: datetime.datetime
    kind: str
    id: Any

    @classmethod
    def read(cls, text: str) -> Place | None:
        """The place that `str` wrote; None when it is damaged."""
        kind, _, rest = text.partition("~")
        id_, _, moment = rest.partition("~")
        try:
            at = datetime.datetime.fromisoformat(moment)
            key: Any = int(id_) if kind == "system" else uuid.UUID(id_)
        except ValueError:
            return None
        return cls(at, kind, key) if kind in KINDS and at.tzinfo else None

    def __str__(self) -> str:
        return f"{self.kind}~{self.id}~{self.at.isoformat()}"

    def beyond(self, kind: str, column: str) -> Q:
        """Entries of `kind`, dated by `column`, that stand behind this place."""
        earlier = Q(**{f"{column}__lt": self.at})
        if _RANKS[kind] > _RANKS[self.kind]:
            return earlier
        same = Q(**{column: self.at})
        return earlier | (same & Q(pk__lt=self.id) if kind == self.kind else same)


def timeline(
    one: One,
    by: Actor,
    *,
    after: Place | None = None,
    kinds: frozenset[str] = KINDS,
    find: str = "",
    size: int = PAGE,
) -> tuple[list[Entry], Place | None]:
    """Up to `size` entries, newest first, behind `after`; and where they end if there are more.
    The first page begins with the pinned notes, and no other page has them.

    An account's timeline has what was logged with the company, whoever it was with: an index scan
    over the stamp. An opportunity shows what was logged with its lead, too.
    """
    pinned: list[Entry] = []
    entries: list[Entry] = []
    if "activity" in kinds:
        rows = _about(queries.records(registry["activity"], by), one)
        rows = _page(rows, "activity", after, find, ("subject", "description"))
        entries += [
            Entry(row.occurred_at, "activity", row, row.owner.name, _regarding(row))
            for row in rows.order_by("-occurred_at", "-pk")[: size + 1]
        ]
    if "note" in kinds:
        rows = _about(queries.records(registry["note"], by), one)
        rows = _page(rows, "note", after, find, ("subject", "text"))
        notes = _notes(rows, after, size)
        pinned = [note for note in notes if note.pinned]
        entries += [note for note in notes if not note.pinned]
    others: dict[uuid.UUID, str] = {}
    if "system" in kinds and not find:
        system, others = _system(one, after, size)
        entries += system
    entries.sort(key=lambda entry: entry.key, reverse=True)
    end = None
    if len(entries) > size:
        last = entries[size - 1]
        end = Place(last.at, last.kind, last.row.pk)
    shown = pinned + entries[:size]
    _finish(shown, one, by, others)
    return shown, end


def _notes(rows: QuerySet[Any, Any], after: Place | None, size: int) -> list[Entry]:
    """Notes newest first; on the first page the pinned ones as well, in the same statement."""
    newest = ("-occurred_at", "-pk")
    if after is None:
        limit = size + 1 + FEW_PINNED
        found = list(rows.order_by("-pinned", *newest)[:limit])
        pinned = [row for row in found if row.pinned]
        if len(pinned) > FEW_PINNED and len(found) == limit:
            pinned = list(rows.filter(pinned=True).order_by(*newest)[:MOST_PINNED])
            found = [*pinned, *rows.filter(pinned=False).order_by(*newest)[: size + 1]]
    else:
        found = list(rows.filter(pinned=False).order_by(*newest)[: size + 1])
    return [
        Entry(row.occurred_at, "note", row, row.owner.name, _regarding(row), pinned=row.pinned)
        for row in found
    ]


def _page(
    rows: QuerySet[Any, Any], kind: str, after: Place | None, find: str, columns: tuple[str, ...]
) -> QuerySet[Any, Any]:
    if after is not None:
        rows = rows.filter(after.beyond(kind, "occurred_at"))
    for word in find.split():
        condition = Q()
        for column in columns:
            condition |= Q(**{f"{column}__icontains": word})
        rows = rows.filter(condition)
    own = ("type", "due_at") if kind == "activity" else ("pinned",)
    return rows.select_related("owner").only(*_SHOWN, *own, *columns)


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


def _system(one: One, after: Place | None, size: int) -> tuple[list[Entry], dict[uuid.UUID, str]]:
    """What the journal tells, also of records that were merged into this one, and their names."""

    def page(changes: QuerySet[Change]) -> list[Change]:
        if after is not None:
            changes = changes.filter(after.beyond("system", "at"))
        changes = changes.select_related("operation__user").only(*_TOLD)
        return list(changes.order_by("-at", "-pk")[: size + 1])

    found, others = history.with_merged(one, page, first=after is None)
    return [Entry(change.at, "system", change, who(change.operation)) for change in found], others


def _finish(entries: list[Entry], one: One, by: Actor, others: dict[uuid.UUID, str]) -> None:
    """Name what entries are about and what changes name, all in one statement."""
    own = Ref(one.entity.name, one.id)
    changes = [entry.row for entry in entries if entry.kind == "system"]
    refs = {entry.regarding for entry in entries if entry.regarding and entry.regarding != own}
    titles = title_of(refs | history.named(one.entity, changes), by)
    events = iter(history.describe(one.entity, changes, by, titles=titles, others=others))
    for entry in entries:
        if entry.kind == "system":
            entry.event = next(events)
        elif entry.regarding == own:
            entry.regarding = None
        elif entry.regarding:
            entry.regarding_title = titles.get(entry.regarding, "")
