"""Who sees and may do what. Everything that reads goes through `visible_to`."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet

from rapport.meta.batches import batches
from rapport.meta.entity import Entity
from rapport.meta.kinds import Kind
from rapport.meta.registry import registry
from rapport.models import BusinessUnit, Membership, Role, RoleAssignment, RoleGrant, Share, User
from rapport.models.people import Depth, Verb

READ, WRITE = Verb.READ.value, Verb.WRITE.value
# Shares carry these verbs besides read.
SHARED = {
    Verb.WRITE.value: "can_write",
    Verb.DELETE.value: "can_delete",
    Verb.ASSIGN.value: "can_assign",
    Verb.SHARE.value: "can_share",
}
# Above this many shares a list joins them instead of naming them.
SHARES_INLINE = 500


class Forbidden(PermissionError):
    """Visible, but not allowed (403)."""


@dataclass(frozen=True, slots=True)
class SystemActor:
    """A part of Rapport that acts by itself; it may do everything and is named in the journal."""

    name: str


Actor = User | SystemActor


@dataclass(slots=True)
class Rights:
    """What one user may do: computed once per request, in one statement.

    `depths` {(entity or '*', verb): depth}; `principals` the user and the user's teams.
    """

    user: uuid.UUID
    unit: uuid.UUID
    principals: tuple[uuid.UUID, ...]
    depths: dict[tuple[str, str], int]
    _below: tuple[uuid.UUID, ...] | None = None
    _shares: list[tuple[Any, ...]] | None = None

    def depth(self, entity: Entity, verb: str) -> int:
        """The deepest right on `entity`, as a `Depth` value. The types of activity count as
        `activity`."""
        name = _governing(entity)
        own = max(self.depths.get((name, verb), 0), self.depths.get(("*", verb), 0))
        if entity.ownership == "organisation" and own < Depth.ALL:
            return Depth.NONE
        return own

    @property
    def units_below(self) -> tuple[uuid.UUID, ...]:
        """The user's business unit and all below it."""
        if self._below is None:
            children: dict[uuid.UUID | None, list[uuid.UUID]] = defaultdict(list)
            for unit, above in BusinessUnit.objects.values_list("pk", "parent_unit"):
                children[above].append(unit)
            below = [self.unit]
            for unit in below:  # grows while it is walked
                below += children.pop(unit, ())
            self._below = tuple(below)
        return self._below

    def shared(self, entity: Entity, verb: str) -> list[uuid.UUID] | None:
        """Ids of the records shared with the user for `verb`; None when there are too many shares
        to name them. All shares of the user are read at once."""
        if self._shares is None:
            found = Share.objects.filter(principal_id__in=self.principals)
            columns = ("record_entity", "record_id", *SHARED.values())
            self._shares = list(found.values_list(*columns)[: SHARES_INLINE + 1])
        if len(self._shares) > SHARES_INLINE:
            return None
        names = _names_of(entity)
        place = 2 + list(SHARED).index(verb) if verb in SHARED else None
        return [
            share[1]
            for share in self._shares
            if share[0] in names and (place is None or share[place])
        ]


def rights(by: User) -> Rights:
    """The rights of `by`, kept on the instance: one request, one look."""
    kept: Rights | None = getattr(by, "_rights", None)
    if kept is None:
        teams: list[uuid.UUID] = []
        depths: dict[tuple[str, str], int] = {}
        for team, entity, verb, depth in _teams_and_grants(by.pk):
            if team:
                teams.append(team if isinstance(team, uuid.UUID) else uuid.UUID(hex=team))
            elif by.is_active:
                depths[entity, verb] = depth
        kept = Rights(by.pk, by.business_unit_id, (by.pk, *teams), depths)
        if not by.is_active:
            kept._shares = []
        by._rights = kept  # type: ignore[attr-defined]
    return kept


def _teams_and_grants(user: uuid.UUID) -> list[tuple[Any, str, str, int]]:
    """(team, '', '', 0) for each team of `user`, and (None, entity, verb, depth) for each right.
    By hand and at once, because every request asks it: as two querysets it takes longer to write
    than to answer."""
    key = User._meta.pk.get_db_prep_value(user, connection)
    with connection.cursor() as cursor:
        cursor.execute(_TEAMS_AND_GRANTS, [key, key, key])
        return list(cursor.fetchall())


_TEAMS_AND_GRANTS = f"""
SELECT team_id, '', '', 0 FROM {Membership._meta.db_table} WHERE user_id = %s
UNION ALL
SELECT NULL, granted.entity, granted.verb, MAX(granted.depth)
FROM {RoleGrant._meta.db_table} granted
JOIN {Role._meta.db_table} role ON role.id = granted.role_id AND role.state = 0
JOIN {RoleAssignment._meta.db_table} held ON held.role_id = role.id
WHERE granted.state = 0 AND (held.principal_id = %s OR held.principal_id IN (
    SELECT team_id FROM {Membership._meta.db_table} WHERE user_id = %s))
GROUP BY granted.entity, granted.verb
"""  # noqa: S608 -- names of our own tables


def forget(by: Actor) -> None:
    """Compute the rights of `by` anew at the next question."""
    if isinstance(by, User) and hasattr(by, "_rights"):
        del by._rights


def is_administrator(by: Actor) -> bool:
    """Whether `by` may change users, roles and settings."""
    if isinstance(by, SystemActor):
        return True
    return rights(by).depths.get(("*", Verb.ADMINISTER.value), 0) >= Depth.ALL


def may(by: Actor, verb: str, entity: Entity) -> bool:
    """Whether `by` may do `verb` to any `entity` record at all."""
    if isinstance(by, SystemActor):
        return True
    if entity.ownership == "parent":
        verb = READ if verb in {READ, Verb.EXPORT.value} else WRITE
        return any(may(by, verb, parent) for parent in _parents(entity))
    if entity.ownership == "organisation" and verb not in {READ, Verb.EXPORT.value}:
        return is_administrator(by)
    return rights(by).depth(entity, verb) > 0


def as_far_as_seen(by: Actor, verb: str, entity: Entity) -> bool:
    """Whether `by` may do `verb` to every `entity` record that one's role lets one see."""
    if isinstance(by, SystemActor) or entity.ownership == "parent":
        return True
    mine = rights(by)
    return mine.depth(entity, verb) >= mine.depth(entity, READ)


def require(by: Actor, verb: str, entity: Entity) -> None:
    """Raise Forbidden unless `may`."""
    if not may(by, verb, entity):
        raise Forbidden(f"{verb} {entity.name}")


def visible_to(
    rows: QuerySet[Any, Any], entity: Entity, by: Actor, verb: str = READ
) -> QuerySet[Any, Any]:
    """Those of `rows` (of `entity`) to which `by` may do `verb`."""
    if isinstance(by, SystemActor):
        return rows
    if entity.ownership == "parent":
        return _by_parent(rows, entity, by, verb)
    if entity.ownership == "organisation" and verb != READ:
        return rows if may(by, verb, entity) else rows.none()
    mine = rights(by)
    depth = mine.depth(entity, verb)
    if entity.ownership == "organisation" and _public(entity):
        return rows
    if depth >= Depth.ALL:
        return rows
    reach = _reach(mine, entity, verb, depth)
    return rows.filter(reduce(or_, reach)) if reach else rows.none()


def _public(entity: Entity) -> bool:
    """Names of users, teams and units are no secret within the organisation."""
    return entity.name in {"user", "team", "business_unit"}


def _reach(mine: Rights, entity: Entity, verb: str, depth: int, prefix: str = "") -> list[Q]:
    """Conditions of which one must hold. Plain columns only, so that each can use its index.
    `prefix` leads to the record when it is not the row itself."""
    reach: list[Q] = []
    if entity.ownership != "organisation":
        if depth >= Depth.OWN:
            reach.append(_one_or_more(f"{prefix}owner_id", mine.principals))
        if depth >= Depth.BELOW:
            reach.append(_one_or_more(f"{prefix}owning_unit_id", mine.units_below))
        elif depth >= Depth.UNIT:
            reach.append(Q(**{f"{prefix}owning_unit_id": mine.unit}))
    if verb == READ or verb in SHARED:
        shared = mine.shared(entity, verb)
        if shared is None:
            many = _shares_of(mine, entity, verb).values("record_id")
            reach.append(Q(**{f"{prefix}pk__in": many}))
        elif shared:
            reach.append(Q(**{f"{prefix}pk__in": shared}))
    return reach


def _one_or_more(column: str, values: tuple[uuid.UUID, ...]) -> Q:
    return Q(**{column: values[0]}) if len(values) == 1 else Q(**{f"{column}__in": values})


def _shares_of(mine: Rights, entity: Entity, verb: str) -> QuerySet[Any, Any]:
    shares = Share.objects.filter(
        principal_id__in=mine.principals, record_entity__in=_names_of(entity)
    )
    return shares.filter(**{SHARED[verb]: True}) if verb in SHARED else shares


def _names_of(entity: Entity) -> list[str]:
    """All entities over the same table: a share of a task is a share of the activity."""
    return [other.name for other in registry if other.model is entity.model]


def _governing(entity: Entity) -> str:
    """The entity whose rights count for `entity`."""
    return "activity" if entity.activity else entity.name


def _parents(entity: Entity) -> list[Entity]:
    """The entities that a row of `entity` can belong to."""
    link = entity.fields[entity.parent]
    return [registry[name] for name in link.targets or (link.target or "",)]


def _by_parent(rows: QuerySet[Any, Any], entity: Entity, by: User, verb: str) -> QuerySet[Any, Any]:
    """Rows whose parent `by` may see; changing them needs the right to change the parent."""
    link = entity.fields[entity.parent]
    verb = READ if verb == READ else WRITE
    if link.kind is Kind.LOOKUP and link.target:
        parent = registry[link.target]
        visible = visible_to(parent.records(), parent, by, verb).values("pk")
        return rows.filter(**{f"{link.column}__in": visible})
    conditions = []
    for name in link.targets:
        parent = registry[name]
        visible = visible_to(parent.records(), parent, by, verb).values("pk")
        conditions.append(Q(**{link.columns[0]: name, f"{link.columns[1]}__in": visible}))
    return rows.filter(reduce(or_, conditions))


def allows(by: Actor, verb: str, entity: Entity, row: Any) -> bool:
    """What `visible_to` says of one row that is at hand (`pk`, `owner_id`, `owning_unit_id`),
    mostly without a statement."""
    if isinstance(by, SystemActor):
        return True
    if entity.ownership == "parent":
        return row.pk in allowed_ids([row.pk], entity, by, verb)
    if entity.ownership == "organisation" and (verb != READ or _public(entity)):
        return verb == READ or may(by, verb, entity)
    mine = rights(by)
    depth = mine.depth(entity, verb)
    if depth >= Depth.ALL or (entity.ownership == "user" and _within(mine, depth, row)):
        return True
    if verb != READ and verb not in SHARED:
        return False
    shared = mine.shared(entity, verb)
    if shared is None:
        return _shares_of(mine, entity, verb).filter(record_id=row.pk).exists()
    return row.pk in shared


def _within(mine: Rights, depth: int, row: Any) -> bool:
    if depth >= Depth.OWN and row.owner_id in mine.principals:
        return True
    if depth >= Depth.UNIT and row.owning_unit_id == mine.unit:
        return True
    return depth >= Depth.BELOW and row.owning_unit_id in mine.units_below


def visible_through(prefix: str, entity: Entity, by: Actor) -> Q | None:
    """The condition under which `by` may read the `entity` record at `prefix` ('account__') of a
    row; None when it always holds. Cheap where that record is joined anyway."""
    if sees_all(by, entity):
        return None
    assert isinstance(by, User)  # a system actor sees all
    if entity.ownership == "parent":
        visible = visible_to(entity.records(), entity, by)
        return Q(**{f"{prefix}pk__in": visible.values("pk")})
    mine = rights(by)
    reach = _reach(mine, entity, READ, mine.depth(entity, READ), prefix)
    return reduce(or_, reach) if reach else Q(pk__in=[])


def sees_all(by: Actor, entity: Entity) -> bool:
    """Whether `by` may read every `entity` record, so that nothing need be asked."""
    if isinstance(by, SystemActor):
        return True
    if entity.ownership == "organisation" and _public(entity):
        return True
    return entity.ownership != "parent" and rights(by).depth(entity, READ) >= Depth.ALL


def allowed_ids(ids: Iterable[uuid.UUID], entity: Entity, by: Actor, verb: str) -> set[uuid.UUID]:
    """Those of `ids` to which `by` may do `verb`."""
    allowed: set[uuid.UUID] = set()
    for part in batches(ids):
        rows = visible_to(entity.records().filter(pk__in=part), entity, by, verb)
        allowed.update(rows.values_list("pk", flat=True))
    return allowed
