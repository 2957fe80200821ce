"""Rows of a plan that change nothing, and of which nobody has said anything: a batch of them is
kept as one. Whoever has something to say of some of them turns those into rows of their own.

A row is either here or a `PlanRow`, never both.
"""

from __future__ import annotations

import uuid
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from itertools import chain, groupby
from typing import Any

from django.db.models import QuerySet, Sum

from rapport.actions import rows as table_rows
from rapport.actions.adapted import Column, Same
from rapport.meta.batches import batches
from rapport.models import Plan, PlanRow, SameRows
from rapport.models.operations import Fate

# Hexadecimal digits of an id.
_ID = 32
# What a row of its own has besides its plan, number and record.
_ALIKE: Mapping[str, Any] = {
    "fate": Fate.SAME, "reasons": [], "cells": None, "found": Fate.SAME, "like": 0, "changes": [],
    "decision": "",
}  # fmt: skip


def keep(plan: Plan, same: Mapping[int, str]) -> None:
    """Keep rows, in the order of the file, with the ids, as texts, of the records that they
    repeat."""
    if same:
        SameRows.objects.create(plan=plan, **_columns([*same], "".join(same.values())))


def _columns(numbers: Sequence[int], records: str) -> dict[str, Any]:
    first, last, count = numbers[0], numbers[-1], len(numbers)
    if last - first + 1 == count:
        spans = [[first, last]]
    else:
        parts = (list(one) for _gap, one in groupby(enumerate(numbers), lambda at: at[1] - at[0]))
        spans = [[part[0][1], part[-1][1]] for part in parts]
    return {
        "first": first, "last": last, "count": count, "spans": spans,
        "records": records.replace("-", ""),
    }  # fmt: skip


def _numbers(spans: Sequence[Sequence[int]]) -> Iterator[int]:
    return chain.from_iterable(range(first, last + 1) for first, last in spans)


def _rows(one: SameRows) -> dict[int, str]:
    """The ids of the records by row."""
    ids = (one.records[at : at + _ID] for at in range(0, len(one.records), _ID))
    return dict(zip(_numbers(one.spans), ids, strict=True))


def count(plan: Plan) -> int:
    """How many rows of `plan` are kept here."""
    return plan.same.aggregate(all=Sum("count"))["all"] or 0


def numbers(plan: Plan) -> Iterator[int]:
    """Which rows these are."""
    for spans in plan.same.order_by("first").values_list("spans", flat=True).iterator():
        yield from _numbers(spans)


def between(plan: Plan, first: int, last: int) -> set[int]:
    """The rows from `first` to `last` that are kept here."""
    return {
        number
        for spans in _near(plan, first, last).values_list("spans", flat=True)
        for number in _numbers(spans)
        if first <= number <= last
    }


def _near(plan: Plan, first: int, last: int) -> QuerySet[SameRows]:
    return plan.same.filter(first__lte=last, last__gte=first).order_by("first")


def told(plan: Plan, *, after: int = 0, last: int | None = None) -> Iterator[PlanRow]:
    """The rows behind the row `after`, up to `last`, as they would be if they were kept each by
    itself."""
    found = plan.same.filter(last__gt=after).order_by("first")
    if last is not None:
        found = found.filter(first__lte=last)
    for one in found.iterator(chunk_size=10):
        for number, record in _rows(one).items():
            if after < number and (last is None or number <= last):
                id_ = uuid.UUID(hex=record)
                yield PlanRow(plan=plan, row=number, record=id_, **_ALIKE)


def take(plan: Plan, numbers: Collection[int]) -> dict[int, PlanRow]:
    """Make rows of their own of those of `numbers` that are kept here. In a transaction."""
    taken: dict[int, str] = {}
    for one in _holding(plan, sorted(numbers)):
        rows = _rows(one)
        own = rows.keys() & numbers
        taken |= {number: rows.pop(number) for number in sorted(own)}
        if not own:
            continue
        if rows:
            kept = plan.same.filter(pk=one.pk)
            kept.update(**_columns([*rows], "".join(rows.values())))
        else:
            one.delete()
    if not taken:
        return {}
    columns: dict[str, Column] = {
        name: Same(value) for name, value in {"plan_id": plan.pk, **_ALIKE}.items()
    }
    columns |= {"row": [*taken], "record": [*taken.values()]}
    table_rows.insert_columns(PlanRow, columns, len(taken))
    made: dict[int, PlanRow] = {}
    for part in batches(taken):
        made |= {row.row: row for row in plan.rows.filter(fate=Fate.SAME, row__in=part)}
    return made


def _holding(plan: Plan, numbers: Sequence[int]) -> Iterator[SameRows]:
    """What may hold some of `numbers` (in order)."""
    if not numbers:
        return
    near = _near(plan, numbers[0], numbers[-1]).values_list("pk", "first", "last")
    for key, first, last in list(near):
        at = bisect_left(numbers, first)
        if at < len(numbers) and numbers[at] <= last:
            yield plan.same.get(pk=key)


def take_all(plan: Plan, locked: Callable[[], AbstractContextManager[Any]]) -> None:
    """Make rows of their own of all. `locked`: entered for each part of them."""
    for spans in list(plan.same.order_by("first").values_list("spans", flat=True)):
        with locked():
            take(plan, [*_numbers(spans)])
