"""Checks of drafts before they are written, in a handful of statements per batch; and what hangs
on a record."""

from __future__ import annotations

import datetime
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _, gettext_lazy

from rapport import access
from rapport.access import Actor
from rapport.meta.entity import Draft, Entity
from rapport.meta.field import Field
from rapport.meta.kinds import InvalidValue, Kind, check as check_value
from rapport.meta.registry import registry
from rapport.models import Principal, User

NOT_ALLOWED = gettext_lazy("You may not change this record.")
NO_SUCH_OWNER = gettext_lazy("There is no active user or team like this.")


def check(
    entity: Entity,
    drafts: Sequence[Draft],
    *,
    by: Actor,
    now: datetime.datetime,
    trusted: bool,
    values: bool = True,
    pending: Collection[uuid.UUID] = (),
) -> None:
    """Put errors on the drafts that cannot be written, and fill in what follows from the rest.

    `values`: False when each is known to fit its field, which people may write. `pending`: ids
    of records that the same operation is about to make, so that drafts may name them.
    """
    if values:
        for draft in drafts:
            _check_values(entity, draft, trusted=trusted)
    if entity.ownership == "user":
        _give_owners(drafts, by)
    if entity.prepare is not None:
        entity.prepare([d for d in drafts if not d.errors], by, now)
    for draft in drafts:
        _check_required(entity, draft)
        _check_state(entity, draft, trusted=trusted)
    if not trusted:
        # Another action has looked its links up; the database refuses what is not there.
        _check_links(entity, drafts, by, pending)
    _check_unique(entity, drafts)
    if entity.hierarchy:
        _check_circles(entity, drafts)


def _check_values(entity: Entity, draft: Draft, *, trusted: bool) -> None:
    for name, value in list(draft.values.items()):
        found = entity.fields.get(name)
        if found is None:
            draft.refuse("", _("There is no field “%(name)s”.") % {"name": name})
            continue
        if found.read_only and not trusted and not _status_within_state(entity, draft, name):
            draft.refuse(name, _("%(field)s cannot be changed.") % {"field": found.label})
            continue
        try:
            draft.values[name] = check_value(found, value)
        except InvalidValue as error:
            draft.refuse(name, str(error))


def _status_within_state(entity: Entity, draft: Draft, name: str) -> bool:
    """Whether this sets a status reason that belongs to the state the record is in."""
    if name != "status" or draft.values["status"] not in entity.fields["status"].option_by_value:
        return False
    state = 0 if draft.current is None else draft.current["state"]
    return entity.states.state_of(draft.values["status"]) == state


def _check_required(entity: Entity, draft: Draft) -> None:
    for found in entity.fields.values():
        if not found.required or found.name in draft.errors:
            continue
        if draft.current is not None and found.name not in draft.values:
            continue
        value = draft.now(found.name)
        if value is None or value == "":
            if draft.current is None and found.default not in {None, ""}:
                continue
            draft.refuse(found.name, _("%(field)s is required.") % {"field": found.label})


def _check_state(entity: Entity, draft: Draft, *, trusted: bool) -> None:
    if draft.current is None or trusted:
        return
    if draft.current["state"] not in entity.states.editable:
        draft.refuse("", _("This record is closed: reactivate it first."))


def _give_owners(drafts: Sequence[Draft], by: Actor) -> None:
    """New records belong to whoever makes them; the unit is the owner's."""
    chosen: dict[Any, list[Draft]] = defaultdict(list)
    for draft in drafts:
        if draft.current is None and not draft.values.get("owner"):
            if isinstance(by, User):
                draft.values["owner"] = by.pk
            else:
                draft.refuse("owner", str(NO_SUCH_OWNER))
        if isinstance(draft.values.get("owner"), uuid.UUID) and "owner" not in draft.errors:
            chosen[draft.values["owner"]].append(draft)
    if set(chosen) == {getattr(by, "pk", None)}:
        units = {by.pk: by.business_unit_id}  # type: ignore[union-attr]
    else:
        found = Principal.objects.filter(pk__in=list(chosen), is_active=True)
        units = dict(found.values_list("pk", "unit_id"))
    for owner, owned in chosen.items():
        for draft in owned:
            if owner not in units:
                draft.refuse("owner", str(NO_SUCH_OWNER))
            else:
                draft.values["owning_unit"] = units[owner]


def _check_links(
    entity: Entity, drafts: Sequence[Draft], by: Actor, pending: Collection[uuid.UUID]
) -> None:
    """What a record names must exist and be visible to whoever names it."""
    for found in entity.fields.values():
        if found.kind not in {Kind.LOOKUP, Kind.POINTER} or found.name in _SYSTEM_LINKS:
            continue
        naming: dict[str, dict[uuid.UUID, list[Draft]]] = defaultdict(lambda: defaultdict(list))
        for draft in drafts:
            value = draft.values.get(found.name)
            if not value or found.name in draft.errors:
                continue
            if draft.current is not None and draft.current.get(found.name) == value:
                continue
            target, id_ = found.ref(value)
            if id_ not in pending:
                naming[target][id_].append(draft)
        for target, by_id in naming.items():
            other = registry[target]
            for id_ in set(by_id) - _visible(other, list(by_id), by):
                for draft in by_id[id_]:
                    draft.refuse(
                        found.name,
                        _("There is no such %(entity)s.") % {"entity": str(other.label).lower()},
                    )


def _visible(entity: Entity, ids: Sequence[uuid.UUID], by: Actor) -> set[uuid.UUID]:
    known: set[uuid.UUID] = set()
    for start in range(0, len(ids), _AT_ONCE):
        rows = entity.records().filter(pk__in=ids[start : start + _AT_ONCE])
        known.update(access.visible_to(rows, entity, by).values_list("pk", flat=True))
    return known


# Values in one statement; SQLite takes 32,766.
_AT_ONCE = 10_000
_SYSTEM_LINKS = frozenset({"created_by", "modified_by", "owning_unit"})


def _check_unique(entity: Entity, drafts: Sequence[Draft]) -> None:
    for found in entity.fields.values():
        if not found.unique:
            continue
        wanted: dict[Any, list[Draft]] = defaultdict(list)
        for draft in drafts:
            value = draft.values.get(found.name)
            if value and (draft.current is None or draft.current.get(found.name) != value):
                wanted[value].append(draft)
        taken = (
            set(
                entity.records()
                .filter(**{f"{found.column}__in": list(wanted)})
                .values_list(found.column, flat=True)
            )
            if wanted
            else set()
        )
        for value, same in wanted.items():
            for draft in same if value in taken else same[1:]:
                draft.refuse(found.name, _("“%(value)s” is taken.") % {"value": value})
    for names in _unique_together(entity):
        for draft in drafts:
            if draft.current is not None or any(n in draft.errors for n in names):
                continue
            columns = {entity.fields[n].column: draft.values.get(n) for n in names}
            if all(columns.values()) and entity.records().filter(**columns).exists():
                draft.refuse(names[-1], _("This is already there."))


def _unique_together(entity: Entity) -> Iterable[tuple[str, ...]]:
    for constraint in entity.model._meta.constraints:
        names = tuple(getattr(constraint, "fields", ()))
        if names and all(name in entity.fields for name in names):
            yield names


def _check_circles(entity: Entity, drafts: Sequence[Draft]) -> None:
    """Refuse a parent that is the record itself or below it. Parents within the batch count."""
    link = entity.fields[entity.hierarchy]
    moved = {d.id: d.values[link.name] for d in drafts if d.values.get(link.name) and not d.errors}
    for draft in drafts:
        if draft.id not in moved:
            continue
        seen, above = {draft.id}, moved[draft.id]
        while above is not None and above not in seen:
            seen.add(above)
            above = moved.get(above) or (
                entity.records().filter(pk=above).values_list(link.column, flat=True).first()
            )
        if above is not None:
            draft.refuse(
                link.name,
                _("A record cannot stand above itself: this would make a circle."),
            )


# -- what hangs on a record ----------------------------------------------------------------------


@dataclass(slots=True)
class Doomed:
    """What a deletion takes along. `along` {entity: ids} in the order found; `refusing` the part
    of it that people must name first; `links` (entity, field name, ids) to be emptied."""

    along: dict[Entity, set[uuid.UUID]] = field(default_factory=dict)
    refusing: dict[str, set[uuid.UUID]] = field(default_factory=dict)
    links: list[tuple[Entity, str, list[uuid.UUID]]] = field(default_factory=list)


def doomed(entity: Entity, ids: Sequence[uuid.UUID]) -> Doomed:
    """Everything that a deletion of these records takes along or unlinks, however deep."""
    found = Doomed()
    front: list[tuple[Entity, set[uuid.UUID]]] = [(entity, set(ids))]
    gone: dict[str, set[uuid.UUID]] = defaultdict(set)
    gone[entity.table] |= set(ids)
    while front:
        target, targets = front.pop(0)
        for other, link in _pointing(target):
            held = _holding(other, link, target, targets)
            held -= gone[other.table]
            if not held or link.on_delete == "unlink":
                continue
            gone[other.table] |= held
            found.along.setdefault(other, set()).update(held)
            if link.on_delete == "refuse":
                found.refusing.setdefault(other.name, set()).update(held)
            front.append((other, held))
    for target, targets in [(entity, set(ids)), *found.along.items()]:
        for other, link in _pointing(target):
            if link.on_delete == "unlink":
                held = _holding(other, link, target, targets) - gone[other.table]
                if held:
                    found.links.append((other, link.name, list(held)))
    return found


def _pointing(target: Entity) -> Iterable[tuple[Entity, Field]]:
    """Fields that lead to `target`; tables with several entities are asked once, by the entity
    that stands for the whole table."""
    for other, link in registry.pointing_at(target):
        if not (other.scope and any(o.model is other.model and not o.scope for o in registry)):
            yield other, link


def _holding(
    other: Entity, link: Field, target: Entity, ids: Iterable[uuid.UUID]
) -> set[uuid.UUID]:
    """Ids of the `other` records whose `link` holds one of `ids`."""
    held: set[uuid.UUID] = set()
    ids = list(ids)
    for start in range(0, len(ids), 500):
        part = ids[start : start + 500]
        if link.kind is Kind.POINTER:
            names = [e.name for e in registry if e.model is target.model]
            where: Mapping[str, Any] = {
                f"{link.columns[0]}__in": names,
                f"{link.columns[1]}__in": part,
            }
        else:
            where = {f"{link.column}__in": part}
        held.update(other.records().filter(**where).values_list("pk", flat=True))
    return held


def pointed_at(entity: Entity, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Those of `ids` that other records still point at: {id: label of the first that does}."""
    found: dict[uuid.UUID, str] = {}
    ids = list(ids)
    for other, link in _pointing(entity):
        column = link.columns[-1]
        rows = other.records().filter(**{f"{column}__in": ids})
        if link.kind is Kind.POINTER:
            names = [e.name for e in registry if e.model is entity.model]
            rows = rows.filter(**{f"{link.columns[0]}__in": names})
        for id_ in rows.values_list(column, flat=True).distinct():
            found.setdefault(id_, str(other.label))
    return found


def children(entity: Entity, ids: Sequence[uuid.UUID]) -> dict[Entity, set[uuid.UUID]]:
    """Owned records that belong to these: those that a deletion would take along or refuse for."""
    found: dict[Entity, set[uuid.UUID]] = {}
    for other, link in _pointing(entity):
        if other.ownership == "user" and link.on_delete in {"refuse", "cascade"}:
            held = _holding(other, link, entity, ids)
            if held:
                found.setdefault(other, set()).update(held)
    return found
