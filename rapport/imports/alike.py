"""One decision for all rows of a plan that are found to be alike: a few statements for thousands of
rows. Those of which the plan cannot know what would become of them are left to be judged."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import BooleanField, Case, Count, F, Min, Q, QuerySet, Value, When
from django.db.models.expressions import RawSQL

from rapport.actions import rows as table_rows
from rapport.meta.batches import batches
from rapport.models import Plan, PlanRow
from rapport.models.operations import Decision, Fate

from . import reasons as why

# Rows that are rewritten in one transaction: SQLite's lock is short.
AT_ONCE = 10_000
# Fates of rows that are written.
TAKEN = frozenset({Fate.CREATE, Fate.UPDATE})
# Of a row of which the changes are known it is no more of interest whom it has repeated.
_LIKE = Case(When(changes__isnull=False, then=Value(0)), default=F("like"))
_EVERY, _NONE = Q(pk__isnull=False), Q(pk__isnull=True)
Locked = Callable[[], AbstractContextManager[Any]]


@dataclass(frozen=True, slots=True)
class Left:
    """What is still to be done. `questions`: rows that must be judged; `changed`: those that are
    written now and were not, or the other way round, as far as others repeat them; `groups`: what
    is to be added to the reasons that the plan counts."""

    questions: list[int]
    changed: list[int]
    groups: Counter[str]


def rewrite(plan: Plan, chosen: QuerySet[PlanRow], found: Fate, said: str, locked: Locked) -> Left:
    """Give the rows `chosen` of `plan`, all of them `found` to be the same, the fate that follows
    when `said` is decided about them. `locked`: entered for each part of them."""
    before = _repeated(plan, chosen)
    asked = _asked(found, said)
    questions = list(chosen.filter(asked).order_by("row").values_list("row", flat=True))
    rest = chosen.exclude(asked)
    fate, groups = _fate(found, said), Counter[str]()
    if found is Fate.REFUSED:
        for reasons in rest.exclude(fate=fate).values_list("reasons", flat=True).iterator():
            groups.update(reason_keys(reasons))
        if fate is Fate.SKIP:
            groups = Counter({key: -count for key, count in groups.items()})
    keys = list(rest.order_by("pk").values_list("pk", flat=True))
    for part in batches(keys, AT_ONCE):
        with locked():
            rest.filter(pk__gte=part[0], pk__lte=part[-1]).update(fate=fate, like=_LIKE)
    if said in {Decision.UPDATE, Decision.FILL}:
        with locked():
            _hold_back(plan, rest.filter(fate=Fate.UPDATE))
    return Left(questions, _changed(plan, before), groups)


def reason_keys(reasons: list[Any]) -> set[str]:
    """The reasons of a refused row as the plan counts them."""
    return {why.key(reason) for reason in why.from_json(reasons)}


def _asked(found: Fate, said: str) -> Q:
    """Which rows must be judged."""
    if found is Fate.REFUSED:
        return _NONE
    # An earlier decision has refused them: what else there was to tell of them is gone.
    refused = Q(fate=Fate.REFUSED)
    if said == Decision.CREATE and found is Fate.DUPLICATE:
        return refused | Q(record__isnull=False, changes__isnull=True)
    if said == Decision.CREATE and found is not Fate.CREATE:
        # They may lack what a new record needs.
        return _EVERY
    if said in {Decision.UPDATE, Decision.FILL} and found is not Fate.SAME:
        return refused | Q(record__isnull=False, changes__isnull=True)
    return refused


def _fate(found: Fate, said: str) -> Any:
    """What becomes of the other rows."""
    if said == Decision.SKIP:
        return Fate.SKIP
    if found in {Fate.CREATE, Fate.REFUSED, Fate.SAME} or not said:
        return found
    if said == Decision.CREATE:
        return Fate.CREATE
    return Case(
        When(record=None, then=Value(found)),
        When(_is_filling() if said == Decision.FILL else _EVERY, then=Value(Fate.UPDATE)),
        default=Value(Fate.SAME),
    )


def _is_filling() -> RawSQL:
    """The condition that an update fills some blank field: `decisions.is_blank` of an old value."""
    changes = f'{connection.ops.quote_name(PlanRow._meta.db_table)}."changes"'
    if connection.vendor == "postgresql":
        sql = f"""jsonb_path_exists({changes}, 'strict $[*] ? (@[1] == null || @[1] == "")')"""
    else:
        sql = (
            f"EXISTS (SELECT 1 FROM json_each({changes}) AS one "  # noqa: S608 -- a column of ours
            "WHERE coalesce(json_extract(one.value, '$[1]'), '') = '')"
        )
    return RawSQL(sql, (), output_field=BooleanField())  # noqa: S611 -- nothing from outside


def _hold_back(plan: Plan, updating: QuerySet[PlanRow]) -> None:
    """Of several rows that would change the same record, only the first does; any that does so
    already by another decision comes first."""
    own = updating.values("record")
    others = plan.rows.filter(fate=Fate.UPDATE).exclude(pk__in=updating.values("pk"))
    firsts: dict[uuid.UUID | None, int] = dict(
        own.annotate(rows=Count("pk"), first=Min("row"))
        .filter(rows__gt=1)
        .order_by()
        .values_list("record", "first")
    )
    if others.exists():
        firsts |= dict(others.filter(record__in=own).values_list("record", "row"))
    held: list[tuple[Any, tuple[Any, ...]]] = []
    for part in batches(list(firsts)):
        rows = updating.filter(record__in=part).values_list("pk", "row", "record")
        for key, row, record in rows:
            if firsts[record] != row:
                held.append((key, (Fate.DUPLICATE, firsts[record])))
    table_rows.update(PlanRow, ("fate", "like"), held)


def _repeated(plan: Plan, chosen: QuerySet[PlanRow]) -> dict[int, str]:
    """The fates of those of `chosen` that other rows repeat."""
    likes = plan.rows.filter(like__gt=0).values("like")
    return dict(chosen.filter(row__in=likes).values_list("row", "fate"))


def _changed(plan: Plan, before: dict[int, str]) -> list[int]:
    """Those of which it is another thing now whether they are written."""
    return [row for row, fate in _fates(plan, before) if (fate in TAKEN) != (before[row] in TAKEN)]


def _fates(plan: Plan, numbers: Collection[int]) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    for part in batches(sorted(numbers)):
        rows = plan.rows.filter(fate__in=Fate.values, row__in=part)
        found += rows.values_list("row", "fate")
    return found
