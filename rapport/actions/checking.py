"""Checks of drafts before they are written, in a handful of statements per batch."""

from __future__ import annotations

import datetime
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from django.db import connection
from django.db.models import UniqueConstraint
from django.utils.translation import gettext as _, gettext_lazy

from rapport import access
from rapport.access import Actor, SystemActor
from rapport.meta.entity import Draft, Entity
from rapport.meta.ids import new_id
from rapport.meta.kinds import InvalidValue, Kind, check as check_value
from rapport.meta.registry import registry
from rapport.models import Principal, User
from rapport.models.people import Verb

from .lease import take_turn

NOT_ALLOWED = gettext_lazy("You may not change this record.")
NOT_TO_GIVE = gettext_lazy("You may not give this record to somebody else.")
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
    """Put errors on the drafts that cannot be written, and fill in what follows from the rest. All
    that is wrong is said at once, but nothing that only follows from it.

    A draft may come with errors: whoever made it could not tell the values of these fields.
    `values`: False when each is known to fit its field, which people may write. `pending`: ids
    of records that the same operation is about to make, so that drafts may name them.
    """
    if values:
        for draft in drafts:
            _check_values(entity, draft, trusted=trusted)
    if entity.ownership == "user":
        _give_owners(drafts, by)
        if not trusted:
            _check_assignment(entity, drafts, by)
    # What follows from the rest may be more than its writer may see: the company of a contact.
    asked = {} if trusted else {draft.id: set(draft.values) for draft in drafts}
    if entity.prepare is not None:
        entity.prepare(drafts, by, now)
    for draft in drafts:
        _check_required(entity, draft)
        _check_state(entity, draft, trusted=trusted)
    if not trusted:
        # Another action has looked its links up; the database refuses what is not there.
        _check_links(entity, drafts, by, asked, pending)
    _check_unique(entity, drafts)
    if entity.hierarchy:
        check_circles(entity, drafts)


def given(entity: Entity, values: Mapping[str, Any], *, by: Actor) -> Draft:
    """What a person wants for a record that another action fills in for the rest: a draft with
    its values, and errors where they may not be given."""
    draft = Draft(id=new_id(), values=dict(values))
    _check_values(entity, draft, trusted=False)
    if entity.ownership == "user":
        _check_assignment(entity, [draft], by)
    _check_links(entity, [draft], by, {draft.id: set(values)}, ())
    return draft


def _check_values(entity: Entity, draft: Draft, *, trusted: bool) -> None:
    for name, value in list(draft.values.items()):
        found = entity.fields.get(name)
        if found is None:
            draft.refuse("", _("There is no field “%(name)s”.") % {"name": name})
            del draft.values[name]
            continue
        if found.read_only and not trusted and not _status_within_state(entity, draft, name):
            draft.refuse(name, _("%(field)s cannot be changed.") % {"field": found.label})
            del draft.values[name]
            continue
        try:
            draft.values[name] = check_value(found, value)
        except InvalidValue as error:
            draft.refuse(name, str(error))
            # Whoever looks at the rest need not be able to stand it.
            del draft.values[name]


def _status_within_state(entity: Entity, draft: Draft, name: str) -> bool:
    """Whether this sets a status reason that belongs to the state the record is in."""
    if name != "status":
        return False
    state = 0 if draft.current is None else draft.current["state"]
    return any(s.value == draft.values[name] and s.state == state for s in entity.states.statuses)


def _check_required(entity: Entity, draft: Draft) -> None:
    for found in entity.fields.values():
        if not found.required or found.name in draft.errors:
            continue
        if found.name not in draft.values and (
            draft.current is not None or found.default not in {None, ""}
        ):
            continue
        value = draft.now(found.name)
        if value is None or value == "":
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
        owner = draft.values.get("owner")
        if (
            isinstance(owner, uuid.UUID)
            and "owner" not in draft.errors
            and _changes(draft, "owner")
        ):
            chosen[owner].append(draft)
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


def _changes(draft: Draft, name: str) -> bool:
    return draft.current is None or draft.current.get(name) != draft.values.get(name)


def _check_assignment(entity: Entity, drafts: Sequence[Draft], by: Actor) -> None:
    """Giving a record to somebody else needs the right to assign it, also while it is made."""
    if isinstance(by, SystemActor):
        return
    given = [d for d in drafts if d.values.get("owner") and _changes(d, "owner")]
    stored = [draft.id for draft in given if draft.current is not None]
    mine = access.allowed_ids(stored, entity, by, Verb.ASSIGN) if stored else set()
    own = set(access.rights(by).principals)
    for draft in given:
        if draft.current is not None:
            allowed = draft.id in mine
        else:
            allowed = draft.values["owner"] in own or access.may(by, Verb.ASSIGN, entity)
        if not allowed:
            draft.refuse("owner", str(NOT_TO_GIVE))


def _check_links(
    entity: Entity,
    drafts: Sequence[Draft],
    by: Actor,
    asked: Mapping[uuid.UUID, Collection[str]],
    pending: Collection[uuid.UUID],
) -> None:
    """What a record names must exist and be visible to whoever names it; to put a row into a
    record needs the right to change that record."""
    for found in entity.fields.values():
        if found.kind not in _LINKS or found.name in _LOOKED_UP_ELSEWHERE:
            continue
        naming: dict[str, dict[uuid.UUID, list[Draft]]] = defaultdict(lambda: defaultdict(list))
        for draft in drafts:
            value = draft.values.get(found.name)
            if not value or found.name in draft.errors or found.name not in asked[draft.id]:
                continue
            if not _changes(draft, found.name):
                continue
            target, id_ = found.ref(value)
            if id_ not in pending:
                naming[target][id_].append(draft)
        for target, by_id in naming.items():
            if found.kind is Kind.OWNER:
                label, known = _("user or team"), _principals(by_id)
            else:
                other = registry[target]
                verb = access.WRITE if found.name == entity.parent else access.READ
                label = str(other.label).lower()
                if found.kind is Kind.POINTER:
                    _hold(other, by_id)
                known = access.allowed_ids(by_id, other, by, verb)
            for id_ in set(by_id) - known:
                for draft in by_id[id_]:
                    draft.refuse(found.name, _("There is no such %(entity)s.") % {"entity": label})


def _hold(entity: Entity, ids: Iterable[uuid.UUID]) -> None:
    """Let whoever merges these records wait until what points at them is stored, or wait for that
    merge. No foreign key leads from a pointer, so the database does not see to it."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT 1 FROM {entity.table} WHERE id = ANY(%s) ORDER BY id FOR KEY SHARE",
                [list(ids)],
            )


def _principals(ids: Iterable[uuid.UUID]) -> set[uuid.UUID]:
    return set(Principal.objects.filter(pk__in=list(ids)).values_list("pk", flat=True))


_LINKS = frozenset({Kind.LOOKUP, Kind.POINTER, Kind.OWNER})
_LOOKED_UP_ELSEWHERE = frozenset({"created_by", "modified_by", "owner", "owning_unit"})


def _check_unique(entity: Entity, drafts: Sequence[Draft]) -> None:
    if not unique_columns(entity):
        return
    rows: dict[uuid.UUID, dict[str, Any]] = {}
    for draft in drafts:
        columns = _unique_values(entity, draft)
        if draft.current is None or columns:
            rows[draft.id] = columns
    by_id = {draft.id: draft for draft in drafts}
    faulty = {draft.id for draft in drafts if draft.errors}
    for id_, clash in taken(entity, rows, faulty=faulty).items():
        message = _("This is already there.")
        if len(clash) == 1:
            message = _("“%(value)s” is taken.") % {"value": rows[id_][clash[0]]}
        by_id[id_].refuse(field_over(entity, clash[-1]), message)


def _unique_values(entity: Entity, draft: Draft) -> dict[str, Any]:
    """The columns of `draft` that are part of something unique, as they are after the write; none
    when it leaves them as they are, without those that cannot be told."""
    columns = {column for unique in unique_columns(entity) for column in unique}
    names = {field_over(entity, column) for column in columns}
    if not any(name in draft.values and _changes(draft, name) for name in names):
        return {}
    found: dict[str, Any] = {}
    for name in names - draft.errors.keys():
        field, value = entity.fields[name], draft.now(name)
        pair = (value.entity, value.id) if field.kind is Kind.POINTER and value else (value, value)
        found.update(zip(field.columns, pair, strict=False))
    return found


def field_over(entity: Entity, column: str) -> str:
    """Name of the field that is stored in `column`."""
    return next(field.name for field in entity.fields.values() if column in field.columns)


@cache
def unique_columns(entity: Entity) -> tuple[tuple[str, ...], ...]:
    """The columns, or groups of columns, of which no two records have the same values."""
    meta = entity.model._meta
    alone = [(field.column,) for field in entity.fields.values() if field.unique]
    together = [
        tuple(meta.get_field(name).attname for name in constraint.fields)  # type: ignore[union-attr]
        for constraint in meta.constraints
        if isinstance(constraint, UniqueConstraint)
    ]
    return (*alone, *together)


def taken(
    entity: Entity,
    rows: Mapping[uuid.UUID, Mapping[str, Any]],
    *,
    faulty: Collection[uuid.UUID] = (),
) -> dict[uuid.UUID, tuple[str, ...]]:
    """Those of `rows` (columns by id) that clash in what must be unique, with a stored record or
    with an earlier one of `rows`: {id: the columns}. `faulty`: those that are not written anyway,
    so that no other clashes with them."""
    clashing: dict[uuid.UUID, tuple[str, ...]] = {}
    for columns in unique_columns(entity):
        wanted: dict[tuple[Any, ...], list[uuid.UUID]] = defaultdict(list)
        for id_, row in rows.items():
            values = tuple(row.get(column) for column in columns)
            if all(value not in {None, ""} for value in values):
                wanted[values].append(id_)
        if not wanted:
            continue
        per_column = zip(columns, zip(*wanted, strict=True), strict=True)
        same = entity.records().filter(
            **{f"{name}__in": set(values) for name, values in per_column}
        )
        stored = {tuple(values): pk for pk, *values in same.values_list("pk", *columns)}
        for values, ids in wanted.items():
            holder = stored.get(values) or next((id_ for id_ in ids if id_ not in faulty), None)
            clashing.update((id_, columns) for id_ in ids if holder and id_ != holder)
    return clashing


def check_circles(entity: Entity, drafts: Sequence[Draft]) -> None:
    """Refuse a parent that is the record itself or below it. Parents within the batch count."""
    link = entity.fields[entity.hierarchy]
    named = {
        d.id: d.values[link.name]
        for d in drafts
        if link.name in d.values and link.name not in d.errors
    }
    if not any(named.values()):
        return
    if any(named.get(d.id) for d in drafts if d.current is not None):
        lock_hierarchy(entity)
    # What is not written anyway moves nothing.
    moved = {d.id: named[d.id] for d in drafts if d.id in named and not d.errors}
    above: dict[Any, Any] = dict(moved)
    front = set(named.values()) - {None} - set(above)
    while front:  # one statement for each level of the tree
        rows = entity.records().filter(pk__in=front)
        found = dict(rows.values_list("pk", link.column))
        above.update({id_: found.get(id_) for id_ in front})
        front = set(found.values()) - {None} - set(above)
    for draft in drafts:
        seen, place = {draft.id}, named.get(draft.id)
        while place is not None and place not in seen:
            seen.add(place)
            place = above.get(place)
        if place is not None:
            draft.refuse(
                link.name, _("A record cannot stand above itself: this would make a circle.")
            )


def break_circles(entity: Entity, drafts: Sequence[Draft]) -> list[tuple[Draft, str]]:
    """Take the parents away that lead in a circle: from whom, and why. Of several that lead there
    together the first ones stay."""
    name = entity.hierarchy
    check_circles(entity, drafts)
    doubtful = [draft for draft in drafts if draft.errors.pop(name, None)]
    fine = [draft for draft in drafts if draft not in doubtful]
    taken = []
    # All that lead to a circle were refused; one after the other shows which of them close it.
    for draft in doubtful:
        fine.append(draft)
        check_circles(entity, fine)
        if reasons := draft.errors.get(name):
            del draft.values[name]
            taken.append((draft, reasons[0]))
        # Without it the others are fine again.
        for one in fine:
            one.errors.pop(name, None)
    return taken


def lock_hierarchy(entity: Entity) -> None:
    """Two people who hang two records below each other must wait for one another."""
    take_turn(entity.table)
