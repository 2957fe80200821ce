"""How good the data is: what the checks of `flaws` find, and how many important fields are filled.

Counted are records that the viewer may read. For people who see everything the figures are counted
once a day and kept; others count now, up to a limit.
"""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field as attribute

from django.db.models import Count, Q

from rapport import access
from rapport.access import Actor
from rapport.meta.entity import Entity
from rapport.meta.field import Field
from rapport.meta.kinds import TEXTS
from rapport.meta.registry import registry
from rapport.models import QualityFigure

from . import pages
from .flaws import MONTHS, Check, checks, important, in_use, watched
from .query import Group, Query
from .translate import rows

# Somebody who does not see everything counts up to here, and looks at so many records for shares.
LIMIT = 1000
SAMPLE = 5000
# So few records are counted while one looks, also for who sees everything: what one has just mended
# is gone at once.
SMALL = 1000
# Points of a line of history, and how far it goes back.
POINTS = 26
REACH = datetime.timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Figure:
    """A measure of an entity: `number` of `total` records. `more`: counting stopped there."""

    entity: str
    measure: str
    number: int
    total: int
    more: bool = False


def count(check: Check, by: Actor, *, limit: int | None = None) -> Figure:
    """How many records `by` may read that the check finds; at most `limit`."""
    number = pages.count(check.query, by, limit=limit)
    if limit is not None and number > limit:
        return Figure(check.entity, check.key, limit, 0, more=True)
    return Figure(check.entity, check.key, number, 0)


def filled(entity: Entity, by: Actor, *, limit: int | None = None) -> list[Figure]:
    """How many records have each important field filled; of the first `limit` ones only."""
    found = rows(Query(entity=entity.name, where=Group(in_use(entity))), by).order_by()
    if limit is not None:
        found = found[: limit + 1]
    fields = important(entity)
    counted = found.aggregate(
        total=Count("pk"),
        **{f"has_{f.name}": Count("pk", filter=~_blank(f)) for f in fields},
    )
    more = limit is not None and counted["total"] > limit
    return [
        Figure(entity.name, f"filled.{f.name}", counted[f"has_{f.name}"], counted["total"], more)
        for f in fields
    ]


def _blank(found: Field) -> Q:
    if found.kind in TEXTS:
        return Q(**{found.column: ""})
    return Q(**{f"{found.columns[-1]}__isnull": True})


def score(figures: Iterable[Figure]) -> int | None:
    """How much of what is important is filled, in percent; None without a record."""
    counted = [(figure.number, figure.total) for figure in figures]
    wanted = sum(total for _number, total in counted)
    return sum(number for number, _total in counted) * 100 // wanted if wanted else None


@dataclass(frozen=True, slots=True)
class Step:
    """A part of the daily count: a check, or (None) the completeness of an entity."""

    entity: str
    check: Check | None

    @property
    def measures(self) -> frozenset[tuple[str, str]]:
        """(entity, measure) of what it counts."""
        if self.check is not None:
            return frozenset({(self.entity, self.check.key)})
        entity = registry[self.entity]
        return frozenset((self.entity, f"filled.{f.name}") for f in important(entity))


def steps() -> tuple[Step, ...]:
    """All parts of the daily count."""
    whole = [Step(entity.name, None) for entity in watched()]
    return (*whole, *(Step(check.entity, check) for check in checks(*MONTHS)))


def measure(step: Step, by: Actor) -> list[Figure]:
    """The figures of one part, over all that `by` may read."""
    entity = registry[step.entity]
    if step.check is None:
        return filled(entity, by)
    one = count(step.check, by)
    return [Figure(one.entity, one.measure, one.number, total(entity, by))]


def total(entity: Entity, by: Actor) -> int:
    """How many records in use `by` may read."""
    return pages.count(Query(entity=entity.name, where=Group(in_use(entity))), by, limit=None)


def measured(day: datetime.date) -> set[tuple[str, str]]:
    """(entity, measure) of what is counted for `day`."""
    return set(QualityFigure.objects.filter(day=day).values_list("entity", "measure"))


# -- what is kept ---------------------------------------------------------------------------------


def sees_everything(by: Actor) -> bool:
    """Whether the figures of the whole organisation are those of `by`, too."""
    return all(access.sees_all(by, e) for e in (*watched(), registry["activity"]))


Point = tuple[datetime.date, int, int]


@dataclass(slots=True)
class History:
    """Figures of the whole organisation: {(entity, measure): [(day, number, total)]}, oldest
    first. `day`: of the newest ones; None when nothing was counted yet."""

    day: datetime.date | None = None
    lines: Mapping[tuple[str, str], list[Point]] = attribute(default_factory=dict)

    def latest(self, entity: str, measure_: str) -> Figure | None:
        """The newest figure of a measure."""
        line = self.lines.get((entity, measure_))
        return Figure(entity, measure_, *line[-1][1:]) if line else None


def history(*, today: datetime.date, duplicates: bool = False) -> History:
    """What is kept, at most POINTS days of it; for people who see everything only. `duplicates`:
    the radar's figures, which have days of their own, instead of ours."""
    kept = QualityFigure.objects.filter(day__gte=today - REACH, day__lte=today)
    own = Q(measure__startswith="duplicates.")
    kept = kept.filter(own) if duplicates else kept.exclude(own)
    days = sorted(kept.order_by().values_list("day", flat=True).distinct())
    if not days:
        return History()
    apart = max(1, -(-len(days) // POINTS))
    # The newest two: today's count may be under way.
    chosen = {*days[::-1][::apart], *days[-2:]}
    lines: dict[tuple[str, str], list[Point]] = defaultdict(list)
    found = kept.filter(day__in=chosen).order_by("day")
    for day, entity, name, number, total in found.values_list(
        "day", "entity", "measure", "number", "total"
    ):
        lines[entity, name].append((day, number, total))
    return History(days[-1], dict(lines))
