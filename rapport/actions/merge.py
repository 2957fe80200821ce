"""Merge: several records become one. A plan first; then one operation, which undo takes back.

The losers are deleted rows in the journal: `queries.moved` leads old links to the one that stayed.
"""

from __future__ import annotations

import datetime
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from rapport import access
from rapport.access import Actor, Forbidden
from rapport.meta.entity import Draft, Entity
from rapport.meta.ids import new_id
from rapport.meta.kinds import Kind, Ref
from rapport.meta.registry import registry
from rapport.models import Operation, Principal, Share, User
from rapport.models.people import Verb

from . import checking, choosing, journal, pointers, records, write
from .choosing import FieldChoice
from .pointers import Held
from .records import InvalidRecord, StaleRecord

KIND = "merge"
# Records that become one at once.
MOST = 50
# So many of them are named by the operation.
NAMED = 3


class CannotMerge(ValueError):
    """Not these: too few, too many, or of a kind that cannot be merged."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MergePlan:
    """What a merge would do.

    why: why this master. fields: the choices, in the order of the entity. values: what the master
    will hold. follow: (entity, number) of the rows that will point at the master; related: how many
    hang on each record now. titles, versions: of all the records, the master's first.
    """

    entity: Entity
    master: uuid.UUID
    why: str
    losers: tuple[uuid.UUID, ...]
    fields: tuple[FieldChoice, ...]
    values: Mapping[str, Any]
    follow: tuple[tuple[Entity, int], ...]
    related: Mapping[uuid.UUID, int]
    warnings: tuple[str, ...]
    titles: Mapping[uuid.UUID, str]
    versions: Mapping[uuid.UUID, int]

    @property
    def ids(self) -> tuple[uuid.UUID, ...]:
        """All the records, the master first."""
        return (self.master, *self.losers)

    @property
    def lost(self) -> tuple[FieldChoice, ...]:
        """Choices that leave some value nowhere but in the journal."""
        return tuple(choice for choice in self.fields if choice.lost)


def plan(
    entity: Entity,
    ids: Iterable[uuid.UUID],
    *,
    by: Actor,
    master: uuid.UUID | None = None,
    values: Mapping[str, uuid.UUID] | None = None,
) -> MergePlan:
    """What merging `ids` would do. `master`: the record that stays, else the best one; `values`
    {field or address: the record whose value it gets}.

    Raises CannotMerge, RecordNotFound, Forbidden.
    """
    wanted = _wanted(entity, ids, by)
    stored = records.get_for(entity, wanted, by=by, verb=Verb.WRITE, lock=False)
    _require(entity, wanted, by)
    return _plan(entity, stored, pointers.held(entity, wanted), master, values or {})


def merge(
    entity: Entity,
    ids: Iterable[uuid.UUID],
    *,
    by: Actor,
    master: uuid.UUID | None = None,
    values: Mapping[str, uuid.UUID] | None = None,
    expected: Mapping[uuid.UUID, int] | None = None,
    now: datetime.datetime | None = None,
) -> Operation:
    """Merge `ids` as `plan` says. `expected` {record: version}: what the plan was made of must
    still be so. Rows that name a loser follow whoever may change them, as they do in a deletion.

    Raises CannotMerge, RecordNotFound, Forbidden, StaleRecord, InvalidRecord.
    """
    wanted = _wanted(entity, ids, by)
    now = now or timezone.now()
    with (
        records.refusing_clashes(),
        journal.operation(f"{entity.name}.{KIND}", by=by, now=now) as op,
    ):
        if entity.hierarchy:
            checking.lock_hierarchy(entity)
        stored = records.get_for(entity, wanted, by=by, verb=Verb.WRITE)
        _require(entity, wanted, by)
        for id_, version in (expected or {}).items():
            if id_ in stored and stored[id_]["version"] != version:
                raise StaleRecord({})
        made = _plan(entity, stored, pointers.held(entity, wanted), master, values or {})
        _hold(entity, made.losers)
        op.parameters = {
            **op.parameters,
            "master": str(made.master),
            "losers": [str(id_) for id_ in made.losers],
            "name": _names([made.titles[id_] for id_ in made.losers]),
        }
        _follow(made, op, by, now)
        _update_master(made, stored[made.master], op, by, now)
        _share_with_owners(made, stored, op, by, now)
        write.delete(entity, made.losers, op=op, now=now)
    return op


def _wanted(entity: Entity, ids: Iterable[uuid.UUID], by: Actor) -> list[uuid.UUID]:
    wanted = list(dict.fromkeys(ids))
    if not entity.mergeable:
        raise CannotMerge(_("%(records)s cannot be merged.") % {"records": entity.label_plural})
    access.require(by, Verb.MERGE, entity)
    if len(wanted) < 2:
        raise CannotMerge(_("Choose at least two records to merge."))
    if len(wanted) > MOST:
        raise CannotMerge(_("At most %(count)s records can be merged at once.") % {"count": MOST})
    return wanted


def _require(entity: Entity, ids: Collection[uuid.UUID], by: Actor) -> None:
    if set(ids) - access.allowed_ids(ids, entity, by, Verb.MERGE):
        raise Forbidden(f"merge {entity.name}")


def _names(titles: Sequence[str]) -> str:
    more = len(titles) - NAMED
    named = ", ".join(titles[:NAMED])
    return f"{named} (+{more})" if more > 0 else named


# -- the plan --------------------------------------------------------------------------------------


def _plan(
    entity: Entity,
    stored: Mapping[uuid.UUID, dict[str, Any]],
    held: Sequence[Held],
    master: uuid.UUID | None,
    wanted: Mapping[str, uuid.UUID],
) -> MergePlan:
    related: dict[uuid.UUID, int] = defaultdict(int)
    for one in held:
        for id_ in one.names:
            related[id_] += one.number
    why = _("your choice")
    if master is None:
        master, why = choosing.best(entity, stored, related)
    elif master not in stored:
        raise CannotMerge(_("The main record is none of those that are merged."))
    losers = tuple(id_ for id_ in stored if id_ != master)
    barred, warnings = _barred(entity, stored)
    fields, values = choosing.choose(entity, stored, master, wanted=wanted, barred=barred)
    follow: dict[Entity, int] = defaultdict(int)
    for one in held:
        if one.names & set(losers):
            follow[one.entity] += one.number
    return MergePlan(
        entity=entity,
        master=master,
        why=why,
        losers=losers,
        fields=tuple(fields),
        values=values,
        follow=tuple(follow.items()),
        related=dict(related),
        warnings=(*_warnings(entity, stored, fields), *warnings),
        titles={id_: _title(entity, stored[id_]) for id_ in (master, *losers)},
        versions={id_: stored[id_]["version"] for id_ in (master, *losers)},
    )


def _title(entity: Entity, row: Mapping[str, Any]) -> str:
    return str(row[entity.title] or entity.label)


def _barred(
    entity: Entity, stored: Mapping[uuid.UUID, Mapping[str, Any]]
) -> tuple[set[tuple[uuid.UUID, str]], list[str]]:
    """Links that would lead from the master to itself, at once or through others that name it."""
    barred: set[tuple[uuid.UUID, str]] = set()
    warnings = []
    for link in entity.fields.values():
        if link.kind is not Kind.LOOKUP or not _is_of(link.target, entity):
            continue
        for id_, row in stored.items():
            above = row[link.name]
            if above is None:
                continue
            if above in stored or (
                link.name == entity.hierarchy and _leads_to(entity, above, stored)
            ):
                barred.add((id_, link.name))
        if any(name == link.name for _id, name in barred):
            text = _("“%(field)s” would lead in a circle: it is emptied where it does.")
            warnings.append(text % {"field": link.label})
    return barred, warnings


def _is_of(name: str | None, entity: Entity) -> bool:
    """Whether the entity `name` is stored in the table of `entity`."""
    return name is not None and registry[name].model is entity.model


def _leads_to(entity: Entity, start: uuid.UUID, ids: Collection[uuid.UUID]) -> bool:
    """Whether one of `ids` stands above `start`."""
    column = entity.fields[entity.hierarchy].column
    seen: set[uuid.UUID] = set()
    place: uuid.UUID | None = start
    while place is not None and place not in seen:
        if place in ids:
            return True
        seen.add(place)
        place = entity.records().filter(pk=place).values_list(column, flat=True).first()
    return False


def _warnings(
    entity: Entity,
    stored: Mapping[uuid.UUID, Mapping[str, Any]],
    fields: Sequence[FieldChoice],
) -> list[str]:
    """What a person should look at before."""
    found = []
    for link in entity.fields.values():
        if link.kind is Kind.LOOKUP and (
            link.on_delete == "refuse" or link.name == entity.hierarchy
        ):
            named = {row[link.name] for row in stored.values()} - {None, *stored}
            if len(named) > 1:
                found.append(_("They differ in “%(field)s”.") % {"field": link.label})
    if len({row["owner"] for row in stored.values()}) > 1:
        found.append(_("They have different owners: who owned one keeps seeing what stays."))
    states = entity.states
    for row in stored.values():
        if row["state"] not in states.editable:
            text = _("“%(title)s” is closed: %(state)s.")
            state = states.states[row["state"]]
            found.append(text % {"title": _title(entity, row), "state": state})
    if "currency" in entity.fields:
        amounts = [c for c in fields if entity.fields[c.field].kind is Kind.MONEY]
        currencies = {stored[c.chosen]["currency"] for c in amounts if c.candidates[c.chosen]}
        if len(currencies) > 1:
            found.append(_("The chosen amounts are in different currencies."))
    return found


# -- doing it --------------------------------------------------------------------------------------


def _hold(entity: Entity, losers: Collection[uuid.UUID]) -> None:
    """Whoever is about to point at a loser waits, and is then told that it is gone."""
    if connection.features.has_select_for_update:
        rows = entity.records().filter(pk__in=losers).order_by("pk")
        list(rows.select_for_update(of=("self",)).values_list("pk", flat=True))


def _follow(made: MergePlan, op: Operation, by: Actor, now: datetime.datetime) -> None:
    """Let everything that names a loser name the master."""
    entity, losers = made.entity, set(made.losers)
    for other, same in list(pointers.clashes(entity, made.master, made.losers)):
        _unite(other, same, op, by, now)
    besides = made.ids
    for one in pointers.held(entity, made.losers):
        after = {
            name: value._replace(id=made.master) if isinstance(value, Ref) else made.master
            for name, value in one.values.items()
        }
        rows = one.rows(besides=besides if one.entity.model is entity.model else ())
        write.alter(one.entity, rows, one.values, after, op=op, by=by, now=now)
    for other, row, name, text in list(pointers.texts(losers)):
        current = write.load(other, [row])[row]
        draft = Draft(
            id=row, values={name: pointers.renamed(text, losers, made.master)}, current=current
        )
        write.write(other, [draft], op=op, by=by, now=now)


def _unite(
    other: Entity, same: Sequence[uuid.UUID], op: Operation, by: Actor, now: datetime.datetime
) -> None:
    """The first row instead of several that say the same of the same record: with the rights of
    all of them."""
    stored = write.load(other, same)
    flags = [field.name for field in other.fields.values() if field.kind is Kind.BOOLEAN]
    union = {name: any(row[name] for row in stored.values()) for name in flags}
    draft = Draft(id=same[0], values=union, current=stored[same[0]])
    write.write(other, [draft], op=op, by=by, now=now)
    write.delete(other, same[1:], op=op, now=now)


def _update_master(
    made: MergePlan,
    current: dict[str, Any],
    op: Operation,
    by: Actor,
    now: datetime.datetime,
) -> None:
    values = {name: value for name, value in made.values.items() if value != current[name]}
    if "owner" in values and made.master not in access.allowed_ids(
        [made.master], made.entity, by, Verb.ASSIGN
    ):
        raise Forbidden(f"assign {made.entity.name}")
    # Written in any case: the master's history tells of the merge, and who edits it is told.
    draft = Draft(id=made.master, values=values, current=current, extra={"modified_at": now})
    if records.save_drafts(made.entity, [draft], op=op, by=by, now=now, trusted=True):
        raise InvalidRecord(draft.errors)


def _share_with_owners(
    made: MergePlan,
    stored: Mapping[uuid.UUID, Mapping[str, Any]],
    op: Operation,
    by: Actor,
    now: datetime.datetime,
) -> None:
    """Who owned a loser and would not see the master gets to read and change it."""
    entity, master = made.entity, made.master
    owners = {stored[id_]["owner"] for id_ in made.losers} - {made.values["owner"]}
    known = Share.objects.filter(record_id=master, principal_id__in=owners)
    owners -= set(known.values_list("principal_id", flat=True))
    users = {user.pk: user for user in User.objects.filter(pk__in=owners)}
    drafts = [
        Draft(
            id=new_id(),
            values={
                "record": Ref(entity.name, master),
                "principal": principal,
                **{column: verb == Verb.WRITE for verb, column in access.SHARED.items()},
            },
        )
        for principal in Principal.objects.filter(pk__in=owners, is_active=True)
        .order_by("pk")
        .values_list("pk", flat=True)
        if principal not in users
        or not access.allowed_ids([master], entity, users[principal], Verb.READ)
    ]
    records.save_drafts(registry["share"], drafts, op=op, by=by, now=now, trusted=True)
