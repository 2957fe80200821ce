"""Field history: who changed what, when and from where; and what was deleted."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from rapport import access
from rapport.access import Actor, SystemActor
from rapport.meta.entity import Entity
from rapport.meta.field import Field
from rapport.meta.kinds import Kind, Ref, from_json
from rapport.meta.registry import registry
from rapport.models import Change, ImportFile, Operation
from rapport.models.journal import ChangeVerb
from rapport.models.people import Depth, Verb

from . import moved
from .one import PRINCIPAL, One, link_to, title_of

# The machinery's own fields are no news.
QUIET = frozenset({"owning_unit", "occurred_at"})
# Changes among which the origin of a value is looked for.
LOOKED_AT = 200
# The parameter of an import of several files that says from which change on each was in turn.
FILES = "files"
# What was imported: its name, and of several files [first change, name, id] each.
Source = tuple[str, Sequence[Sequence[Any]]]


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field's old and new value; records that it names are `Link`s."""

    field: Field
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Event:
    """What one operation did to the record. `source`: where its values came from (a file).
    `other`: what the record was called that it was done to, before it was merged into this one."""

    change: Change
    operation: Operation
    at: datetime.datetime
    who: str
    source: str
    fields: tuple[FieldChange, ...]
    other: str = ""


def history(
    one: One, by: Actor, *, before: int | None = None, size: int = 50
) -> tuple[list[Event], bool]:
    """Events newest first, with every changed field, also of the records that were merged into
    this one; and whether there are more. `before`: id of the last change seen."""

    def page(changes: QuerySet[Change]) -> list[Change]:
        if before is not None:
            changes = changes.filter(id__lt=before)
        return list(changes.select_related("operation__user").order_by("-id")[: size + 1])

    found, others = with_merged(one, page, first=before is None)
    return describe(one.entity, found[:size], by, others=others), len(found) > size


def origins(one: One, by: Actor) -> list[tuple[Field, Event]]:
    """What gave each field its value: the last event that changed it, or the one that made the
    record; what an undo put back is from where it was before. Blank fields have none, nor have
    those whose change is too long ago."""
    changes = Change.objects.filter(record=one.id).select_related("operation__user")
    events = describe(one.entity, list(changes.order_by("-id")[:LOOKED_AT]), by)
    last: dict[str, Event] = {}
    undone: dict[str, uuid.UUID] = {}
    passed: dict[str, uuid.UUID] = {}
    for event in events:
        for change in event.fields:
            name, op = change.field.name, event.operation
            if name in undone:
                # Down to what was undone, nothing is left of this field.
                if op.pk == undone[name]:
                    passed[name] = undone.pop(name)
            elif op.pk == passed.get(name):
                # It had changed the field more than once.
                continue
            elif op.undo_of_id:
                undone.setdefault(name, op.undo_of_id)
            else:
                last.setdefault(name, event)
        if event.change.verb == ChangeVerb.CREATE:
            for field in one.entity.editable:
                last.setdefault(field.name, event)
    return [
        (field, last[field.name])
        for field in one.entity.editable
        if field.columns and one.values[field.name] and field.name in last
    ]


def with_merged(
    one: One, page: Callable[[QuerySet[Change]], list[Change]], *, first: bool
) -> tuple[list[Change], dict[uuid.UUID, str]]:
    """What `page` takes of the changes of a record and of those that were merged into it, and what
    those were called. Their changes are older than the merge: a `first` page that ends before it
    has none, and asks for none."""
    found = page(Change.objects.filter(record=one.id))
    if not one.entity.mergeable:
        return found, {}
    # Of a merge, or of an undo that may have done one again.
    merging = {f"{one.entity.name}{moved.ENDING}", "undo"}
    if first and not any(change.operation.kind in merging for change in found):
        return found, {}
    others = moved.absorbed(one.entity, one.id)
    if not others:
        return found, {}
    every = Change.objects.filter(record__in=[one.id, *others])
    # The merge is told by the record that stayed.
    return page(every.exclude(record__in=list(others), verb=ChangeVerb.DELETE)), others


def who(operation: Operation) -> str:
    """The name of whoever did it."""
    return str(operation.user) if operation.user else operation.actor


def describe(
    entity: Entity,
    changes: Sequence[Change],
    by: Actor,
    *,
    titles: Mapping[Ref, str] | None = None,
    others: Mapping[uuid.UUID, str] = MappingProxyType({}),
) -> list[Event]:
    """Events of `changes` (of one entity), look-up values named for those who may see them.
    `titles`: those of `named(entity, changes)`, when they are known. `others`: what merged records
    were called."""
    if titles is None:
        titles = title_of(named(entity, changes), by)
    imported = {change.operation_id for change in changes if change.row is not None}
    sources = sources_of(imported) if imported else {}
    events = []
    for change in changes:
        fields = tuple(
            FieldChange(
                entity.fields[name],
                _value(entity.fields[name], (change.before or {}).get(name), titles),
                _value(entity.fields[name], (change.after or {}).get(name), titles),
            )
            for name in entity.fields  # in their order: JSON has none that lasts
            if name in (change.after or {}) and name not in QUIET
        )
        source = source_of(change, sources)
        op, other = change.operation, others.get(change.record, "")
        events.append(Event(change, op, change.at, who(op), source, fields, other))
    return events


def source_of(change: Change, sources: Mapping[uuid.UUID, Source]) -> str:
    """The file that the values of `change` came from."""
    if change.operation_id not in sources:
        return ""
    name, files = sources[change.operation_id]
    return next((file for first, file, *_key in reversed(files) if change.id >= first), name)


def sources_of(operations: set[uuid.UUID]) -> dict[uuid.UUID, Source]:
    """What was imported by each operation, of those that are imports."""
    files = ImportFile.objects.filter(operation_id__in=operations, parent=None)
    rows = files.values_list("operation_id", "name", "operation__parameters")
    return {op: (name, parameters.get(FILES, [])) for op, name, parameters in rows}


def named(entity: Entity, changes: Sequence[Change]) -> set[Ref]:
    """Records that old and new values name."""
    refs: set[Ref] = set()
    for change in changes:
        for values in (change.before, change.after) if change.after else ():
            for name, raw in (values or {}).items():
                field = entity.fields.get(name)
                if raw and field is not None and (ref := _ref(field, raw)):
                    refs.add(ref)
    return refs


def _ref(field: Field, raw: Any) -> Ref | None:
    match field.kind:
        case Kind.OWNER:
            return Ref(PRINCIPAL, uuid.UUID(raw))
        case Kind.LOOKUP:
            return Ref(field.target or "", uuid.UUID(raw))
        case Kind.POINTER:
            found: Ref = from_json(field, raw)
            return found
    return None


def _value(field: Field, raw: Any, titles: Mapping[Ref, str]) -> Any:
    if raw is None or raw == "":
        return None
    ref = _ref(field, raw)
    return from_json(field, raw) if ref is None else link_to(ref, titles)


# -- the recycle bin -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Deleted:
    """A deleted record: its title when it was deleted, and the operation to undo."""

    change: Change
    entity: Entity
    title: str
    who: str


def deleted(
    by: Actor, *, entity: str = "", before: int | None = None, size: int = 50
) -> tuple[list[Deleted], bool]:
    """Deleted records that are still gone, newest first: those that `by` deleted or owned, or all
    for those who may delete everything of that entity. A merged record is not gone but elsewhere:
    the undo of the merge brings it back, with all that was its own."""
    later = Change.objects.filter(record=OuterRef("record"), id__gt=OuterRef("id"))
    changes = Change.objects.filter(verb=ChangeVerb.DELETE).exclude(Exists(later))
    changes = changes.exclude(operation__kind__endswith=moved.ENDING)
    shown = [e for e in registry if e.in_hub and (not entity or e.name == entity)]
    every = Q(entity__in=[e.name for e in shown if _sees_all_deleted(e, by)])
    if not isinstance(by, SystemActor):
        mine = [str(principal) for principal in access.rights(by).principals]
        own = Q(operation__user=by.pk) | Q(before__owner_id__in=mine)
        every |= own & Q(entity__in=[e.name for e in shown])
    changes = changes.filter(every).select_related("operation__user")
    if before is not None:
        changes = changes.filter(id__lt=before)
    found = list(changes.order_by("-id")[: size + 1])
    return [
        Deleted(c, registry[c.entity], title_of_deleted(c), who(c.operation)) for c in found[:size]
    ], len(found) > size


def _sees_all_deleted(entity: Entity, by: Actor) -> bool:
    if isinstance(by, SystemActor) or access.is_administrator(by):
        return True
    reach = access.rights(by).depth(entity, Verb.DELETE)
    return entity.ownership == "user" and reach >= Depth.ALL


def title_of_deleted(change: Change) -> str:
    """What a record was called when `change` deleted it."""
    entity = registry[change.entity]
    title = "" if entity.fields[entity.title].is_link else (change.before or {}).get(entity.title)
    return str(title or entity.label)


def may_see_deleted(change: Change, by: Actor) -> bool:
    """Whether `by` may know what this deletion took away: it was theirs, they did it, or they
    may delete all such records."""
    if isinstance(by, SystemActor) or _sees_all_deleted(registry[change.entity], by):
        return True
    mine = {str(principal) for principal in access.rights(by).principals}
    return change.operation.user_id == by.pk or (change.before or {}).get("owner_id") in mine
