"""The queue of records that look alike: of pairs both of whose records the viewer may see."""

from __future__ import annotations

import base64
import datetime
import heapq
import json
import uuid
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from rapport import access, queries
from rapport.access import Actor
from rapport.meta.batches import batches
from rapport.meta.entity import Entity
from rapport.meta.kinds import TEXTS, Kind, Ref
from rapport.meta.registry import registry
from rapport.models import DuplicatePair
from rapport.models.duplicates import PairStatus

from . import one, pages
from .query import InvalidQuery

SIZE = 50
# More records than this are not compared at once.
CLUSTER = 50
# How often a page asks for the neighbours of neighbours to tell the size of its clusters.
ROUNDS = 3
COUNT_LIMIT = pages.COUNT_LIMIT
# Pairs that are looked at to tell what hangs together with so many records.
LINKS = 1000
# Pairs of one record that are shown.
OF_RECORD = 100
UNDECIDED = (PairStatus.OPEN, PairStatus.LATER)


@dataclass(frozen=True, slots=True)
class Suspect:
    """A pair of the queue. `reasons`: as stored, see `duplicates.find.Reason`. `cluster`: how many
    records of that entity hang together by open pairs, these two among them, at most CLUSTER."""

    id: int
    first: pages.Link
    second: pages.Link
    confidence: int
    weight: float
    rule: str
    reasons: list[Any]
    effort: int
    status: str
    found_at: datetime.datetime
    decided_by: uuid.UUID | None
    decided_at: datetime.datetime | None
    cluster: int = 2

    def other(self, id: uuid.UUID) -> pages.Link:
        """The record that looks like `id`."""
        return self.second if self.first.id == id else self.first


@dataclass(frozen=True, slots=True)
class Suspects:
    """A page of the queue, and the cursor of the next one ('' at the end)."""

    pairs: list[Suspect]
    next: str


@dataclass(frozen=True, slots=True)
class Counts:
    """How many pairs: {status: n}, and of the open ones {entity: n} (a pair of two entities counts
    for both). A number above COUNT_LIMIT means "more than that"."""

    by_status: dict[str, int]
    by_entity: dict[str, int]


def compared() -> list[Entity]:
    """The entities of which pairs can be found, in the order of their names."""
    found = [e for e in registry if e.menu and e.ownership == "user" and not e.activity]
    return sorted(found, key=lambda entity: entity.name)


def in_order(one: Ref, other: Ref) -> tuple[Ref, Ref]:
    """Two records in the order in which a pair holds them."""
    return (one, other) if (one.entity, one.id) < (other.entity, other.id) else (other, one)


def linked(pairs: Iterable[tuple[Ref, Ref]]) -> set[frozenset[Ref]]:
    """Those of two entities of which one names the other: a lead and what it was qualified into
    are alike, but nobody has to decide about them."""
    return _naming(pair for pair in pairs if pair[0].entity != pair[1].entity)


def above(pairs: Iterable[tuple[Ref, Ref]]) -> set[frozenset[Ref]]:
    """Those of one entity of which one names the other: who reports to a namesake is another
    person, and a branch is not its parent."""
    return _naming(pair for pair in pairs if pair[0].entity == pair[1].entity)


def _naming(pairs: Iterable[tuple[Ref, Ref]]) -> set[frozenset[Ref]]:
    wanted: dict[tuple[str, str], dict[uuid.UUID, set[uuid.UUID]]] = defaultdict(dict)
    for pair in pairs:
        for one_, other in (pair, pair[::-1]):
            others = wanted[one_.entity, other.entity].setdefault(one_.id, set())
            others.add(other.id)
    found: set[frozenset[Ref]] = set()
    for (name, target), others_of in wanted.items():
        entity = registry[name]
        links = [f for f in entity.fields.values() if f.kind is Kind.LOOKUP and f.target == target]
        for part in batches(others_of) if links else ():
            rows = entity.records().filter(pk__in=part)
            for id_, *named in rows.values_list("pk", *(link.column for link in links)):
                both = others_of[id_].intersection(named)
                found.update(frozenset((Ref(name, id_), Ref(target, other))) for other in both)
    return found


def visible(by: Actor, pairs: QuerySet[DuplicatePair]) -> QuerySet[DuplicatePair]:
    """Those of `pairs` both of whose records exist and `by` may read."""
    every = compared()
    return _visible(by, pairs, every, every)


def _visible(
    by: Actor,
    pairs: QuerySet[DuplicatePair],
    firsts: Iterable[Entity],
    seconds: Iterable[Entity],
) -> QuerySet[DuplicatePair]:
    for side, entities in (("first", firsts), ("second", seconds)):
        seen = [
            Q(**{f"{side}_entity": entity.name}) & Q(_seen(side, entity, by))
            for entity in entities
            if access.may(by, access.READ, entity)
        ]
        pairs = pairs.filter(reduce(or_, seen)) if seen else pairs.none()
    return pairs


def _seen(side: str, entity: Entity, by: Actor) -> Exists:
    return Exists(access.visible_to(entity.records().filter(pk=OuterRef(side)), entity, by))


def suspects(
    by: Actor,
    *,
    entity: str = "",
    status: str = PairStatus.OPEN,
    after: str | None = None,
    size: int = SIZE,
) -> Suspects:
    """A page of the queue, the strongest first; with `entity` only pairs that hold one of it.
    Raises InvalidQuery."""
    cursor = _read_cursor(after) if after else None
    parts = []
    # One index range for each, in its order; the few are put together here.
    for first in compared():
        found = _of_status(by, status, first, entity)
        if cursor:
            weight, last = cursor
            further = Q(weight__lt=weight) | Q(weight=weight, pk__gt=last)
            found = found.filter(further, weight__lte=weight)
        parts.append(found.order_by("-weight", "pk")[: size + 1])
    rows = list(heapq.merge(*parts, key=lambda row: (-row.weight, row.pk)))
    return Suspects(_shown(rows[:size], by), _cursor(rows[size - 1]) if len(rows) > size else "")


def _of_status(by: Actor, status: str, first: Entity, holding: str = "") -> QuerySet[DuplicatePair]:
    """Pairs that begin with an entity, and hold one of `holding`."""
    pairs = DuplicatePair.objects.filter(status=status, first_entity=first.name)
    every = compared()
    if holding and holding != first.name:
        every = [entity for entity in every if entity.name == holding]
    return _visible(by, pairs, [first], every)


def _cursor(row: DuplicatePair) -> str:
    return _place(row.weight, row.pk)


def _place(weight: float, pk: int) -> str:
    document = json.dumps([weight, pk], separators=(",", ":"))
    return base64.urlsafe_b64encode(document.encode()).decode().rstrip("=")


def behind(pair: Suspect) -> str:
    """The cursor of what comes after `pair` in the queue."""
    return _place(pair.weight, pair.id)


def _read_cursor(cursor: str) -> tuple[float, int]:
    try:
        weight, last = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if type(weight) not in {int, float} or type(last) is not int or abs(last) >= 1 << 63:
            raise ValueError(cursor)
        return float(weight), last
    except (ValueError, TypeError, OverflowError, RecursionError):
        raise InvalidQuery("cursor") from None


def pair(id: int, by: Actor) -> Suspect | None:
    """One pair, decided or not."""
    found = _shown(list(visible(by, DuplicatePair.objects.filter(pk=id))), by)
    return found[0] if found else None


def between(one: Ref, other: Ref, by: Actor) -> Suspect | None:
    """The pair of these two records, decided or not."""
    first, second = in_order(one, other)
    rows = DuplicatePair.objects.filter(
        first_entity=first.entity, first=first.id, second_entity=second.entity, second=second.id
    )
    found = _shown(list(visible(by, rows)), by)
    return found[0] if found else None


def said_different(entity: Entity, id: uuid.UUID, by: Actor) -> set[Ref]:
    """The records of which somebody said that they are not the same as this one."""
    found = visible(by, touching([id]).filter(status=PairStatus.DIFFERENT))
    return {
        Ref(row.second_entity, row.second) if row.first == id else Ref(row.first_entity, row.first)
        for row in found
        if _holds(row, entity, id)
    }


def _holds(row: DuplicatePair, entity: Entity, id: uuid.UUID) -> bool:
    ends = ((row.first_entity, row.first), (row.second_entity, row.second))
    return (entity.name, id) in ends


def cluster(entity: Entity, id: uuid.UUID, by: Actor) -> list[uuid.UUID]:
    """Ids of the records of `entity` that hang together with this one by open pairs, this one
    first; at most CLUSTER."""
    found = [id]
    known = {id}
    border = [id]
    while border and len(found) < CLUSTER:
        near = [other for ends in _links(entity, border, by) for other in ends]
        border = [other for other in dict.fromkeys(near) if other not in known]
        known.update(border)
        found += border
    return found[:CLUSTER]


def counts(by: Actor) -> Counts:
    """How many pairs wait and are decided."""
    by_status: dict[str, int] = {}
    by_entity: dict[str, int] = defaultdict(int)
    for status in (*UNDECIDED, PairStatus.DIFFERENT):
        by_status[status.value] = 0
        for first in compared():
            found = _of_status(by, status, first)
            by_second = Counter(found.values_list("second_entity", flat=True)[: COUNT_LIMIT + 1])
            by_status[status.value] += by_second.total()
            for second, number in by_second.items() if status == PairStatus.OPEN else ():
                for name in {first.name, second}:
                    by_entity[name] += number
    return Counts(by_status, dict(by_entity))


# The site map looks at so many open pairs, and tells of so many.
LOOKED_AT, TOLD = 2000, 99


def waiting(by: Actor) -> int:
    """How many pairs wait for the viewer, for the site map: TOLD + 1 means more. One statement,
    which stays cheap for who sees few of a great many."""
    some = DuplicatePair.objects.filter(status=PairStatus.OPEN).values("pk")[:LOOKED_AT]
    return visible(by, DuplicatePair.objects.filter(pk__in=some))[: TOLD + 1].count()


def open_pairs_of(id: uuid.UUID, by: Actor) -> list[int]:
    """Numbers of the open pairs of a record that `by` may read, the strongest first. One plain
    statement where there are none, because every record page asks."""
    open_ = DuplicatePair.objects.filter(status=PairStatus.OPEN)
    columns = ("weight", "pk", "first_entity", "first", "second_entity", "second")
    ends = [open_.filter(**{side: id}).values_list(*columns) for side in ("first", "second")]
    found: dict[int, Ref] = {}
    for _weight, pk, *ends_ in ends[0].union(ends[1]).order_by("-weight", "pk")[:LINKS]:
        first, second = Ref(*ends_[:2]), Ref(*ends_[2:])
        found[pk] = second if first.id == id else first
    others: dict[str, set[uuid.UUID]] = defaultdict(set)
    for other in found.values():
        others[other.entity].add(other.id)
    seen = {
        name: access.allowed_ids(ids, registry[name], by, access.READ)
        for name, ids in others.items()
    }
    return [pk for pk, other in found.items() if other.id in seen[other.entity]][:OF_RECORD]


# Pairs that are merged at once, at most.
SURE = 5000


def sure(
    by: Actor,
    *,
    confidence: int = 0,
    entity: str = "",
    ids: Collection[int] | None = None,
) -> list[DuplicatePair]:
    """Undecided pairs of two records of one entity, the surest first, at most SURE: of at least
    that confidence, or those with these numbers."""
    found = DuplicatePair.objects.filter(first_entity=F("second_entity"))
    if ids is None:
        found = found.filter(status=PairStatus.OPEN, confidence__gte=confidence)
    else:
        found = found.filter(status__in=UNDECIDED, pk__in=list(ids))
    if entity:
        found = found.filter(first_entity=entity)
    return list(visible(by, found).order_by("-weight", "pk")[:SURE])


# Values that tell records apart at a glance.
GLANCED = 4


def glances(refs: Iterable[Ref], by: Actor) -> dict[Ref, dict[str, Any]]:
    """The first plain columns of records of a list that say something, by record: one statement
    for each entity."""
    found: dict[Ref, dict[str, Any]] = {}
    ids: dict[str, set[uuid.UUID]] = defaultdict(set)
    for ref in refs:
        ids[ref.entity].add(ref.id)
    for name, wanted in ids.items():
        entity = registry[name]
        columns = [c for c in entity.columns if c != entity.title and "." not in c]
        plain = [c for c in columns if entity.fields[c].kind in TEXTS]
        for row in queries.records(entity, by).filter(pk__in=wanted).values("pk", *plain):
            pairs = [(c, row[c]) for c in plain if row[c]]
            found[Ref(name, row["pk"])] = dict(pairs[:GLANCED])
    return found


def touching(ids: Iterable[uuid.UUID]) -> QuerySet[DuplicatePair]:
    """Pairs that hold one of these records. A union of two index ranges: an OR would read all."""
    ids = list(ids)
    first = DuplicatePair.objects.filter(first__in=ids).values("pk")
    second = DuplicatePair.objects.filter(second__in=ids).values("pk")
    return DuplicatePair.objects.filter(pk__in=first.union(second))


def _links(
    entity: Entity, ids: Iterable[uuid.UUID], by: Actor
) -> Iterable[tuple[uuid.UUID, uuid.UUID]]:
    """The open pairs within `entity` that hold one of `ids`."""
    for part in batches(ids, 500):
        near = touching(part).filter(
            status=PairStatus.OPEN, first_entity=entity.name, second_entity=entity.name
        )
        seen = _visible(by, near, [entity], [entity])
        yield from seen.order_by("-weight").values_list("first", "second")[:LINKS]


def _shown(rows: list[DuplicatePair], by: Actor) -> list[Suspect]:
    """Pairs with the titles of both records and the sizes of their clusters."""
    firsts = [Ref(row.first_entity, row.first) for row in rows]
    seconds = [Ref(row.second_entity, row.second) for row in rows]
    titles = one.title_of([*firsts, *seconds], by)
    sizes = _cluster_sizes(rows, by)
    return [
        Suspect(
            id=row.pk,
            first=one.link_to(first, titles),
            second=one.link_to(second, titles),
            confidence=row.confidence,
            weight=row.weight,
            rule=row.rule,
            reasons=row.reasons,
            effort=row.effort,
            status=row.status,
            found_at=row.found_at,
            decided_by=row.decided_by_id,
            decided_at=row.decided_at,
            cluster=sizes.get(row.first, 2) if row.first_entity == row.second_entity else 2,
        )
        for row, first, second in zip(rows, firsts, seconds, strict=True)
    ]


def _cluster_sizes(rows: list[DuplicatePair], by: Actor) -> dict[uuid.UUID, int]:
    """{record: size of its cluster}, for all clusters of a page at once."""
    sizes: dict[uuid.UUID, int] = {}
    for name in {row.first_entity for row in rows}:
        linked = {
            (row.first, row.second)
            for row in rows
            if row.first_entity == row.second_entity == name and row.status == PairStatus.OPEN
        }
        known: set[uuid.UUID] = set()
        border = {id_ for ends in linked for id_ in ends}
        for _round in range(ROUNDS):
            if not border or len(known) > CLUSTER * SIZE:
                break
            known |= border
            linked.update(_links(registry[name], border, by))
            border = {id_ for ends in linked for id_ in ends} - known
        sizes.update(_components(linked))
    return sizes


def _components(linked: Iterable[tuple[uuid.UUID, uuid.UUID]]) -> dict[uuid.UUID, int]:
    """{record: how many hang together with it}."""
    group: dict[uuid.UUID, set[uuid.UUID]] = {}
    for first, second in linked:
        one_, other = group.get(first, {first}), group.get(second, {second})
        if one_ is other:
            continue
        small, large = sorted((one_, other), key=len)
        large |= small
        for id_ in large if len(large) == 2 else small:
            group[id_] = large
    return {id_: min(len(found), CLUSTER) for id_, found in group.items()}
