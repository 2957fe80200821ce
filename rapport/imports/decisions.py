"""What people decided about the rows of a plan, and what follows from it."""

from __future__ import annotations

from collections.abc import Collection, Mapping as MappingType, Sequence
from dataclasses import dataclass, field
from typing import Any

from rapport.models import ImportFile, Plan, PlanRow
from rapport.models.operations import Decision, Fate

from . import uploads

# `Plan.parameters`: what is to become of all rows that are found to be this or that.
ALIKE = "decisions"
# What can be decided about a row, by what it is found to be. A row that repeats an earlier one of
# the file has no record yet that it could change.
CHOICES: MappingType[str, tuple[Decision, ...]] = {
    Fate.CREATE: (Decision.CREATE, Decision.SKIP),
    Fate.UPDATE: (Decision.UPDATE, Decision.FILL, Decision.CREATE, Decision.SKIP),
    Fate.SAME: (Decision.CREATE, Decision.SKIP),
    Fate.DUPLICATE: (Decision.UPDATE, Decision.FILL, Decision.CREATE, Decision.SKIP),
    Fate.REFUSED: (Decision.SKIP,),
}
# What an update changes: [field, old, new] each, as JSON.
Changes = list[list[Any]]


@dataclass(frozen=True, slots=True)
class Decided:
    """Decisions for rows that are judged. `rows` {number: decision}; `alike` {fate: decision}. Of a
    plan also `found` {number: what it found a row to be}, and `others` for all other rows: what is
    decided for all alike is meant of what people saw."""

    rows: MappingType[int, str] = field(default_factory=dict)
    alike: MappingType[str, str] = field(default_factory=dict)
    found: MappingType[int, str] = field(default_factory=dict)
    others: str = ""

    def of(self, number: int, fate: str) -> str:
        """What is decided about the row `number`, which is found to be `fate`; '' when nothing."""
        return self.rows.get(number) or self.alike.get(
            self.found.get(number, self.others or fate), ""
        )

    def __bool__(self) -> bool:
        return bool(self.rows or self.alike)


NOTHING = Decided()


def alike_of(plan: Plan) -> Decided:
    """What is decided for all rows of `plan` that are found to be alike."""
    return Decided(alike=plan.parameters.get(ALIKE, {}))


def of_plan(plan: Plan, kept: MappingType[int, PlanRow], same: Collection[int] = ()) -> Decided:
    """The decisions about `kept`, rows of `plan`, and about all others; of those the rows `same`
    are found to change nothing. A row that is held back for another one, which may come later, must
    not take its place: it is left out."""
    alike = alike_of(plan).alike
    rows = {
        number: Decision.SKIP if row.like and row.fate == Fate.DUPLICATE else row.decision
        for number, row in kept.items()
        if row.decision or (row.like and row.fate == Fate.DUPLICATE)
    }
    if not alike:
        return Decided(rows) if rows else NOTHING
    found = dict.fromkeys(same, str(Fate.SAME))
    found |= {number: row.found for number, row in kept.items() if row.found}
    return Decided(rows, alike, found, Fate.CREATE)


def shown(row: PlanRow | None, decided: Decided) -> Fate:
    """What the plan says becomes of a row; rows that are simply created keep no detail."""
    if row is not None:
        return Fate(row.fate)
    return Fate.SKIP if decided.alike.get(Fate.CREATE) == Decision.SKIP else Fate.CREATE


NEW = "+"


def new(name: str) -> str:
    """How a record that is still to be made stands among changes."""
    return f"{NEW}{name}"


def name_of_new(value: Any) -> str | None:
    """The inverse of `new`; None for a record that is there."""
    return value[1:] if isinstance(value, str) and value.startswith(NEW) else None


def filling(changes: Changes) -> Changes:
    """Those of `changes` that fill a blank field."""
    return [one for one in changes if is_blank(one[1])]


def is_blank(value: Any) -> bool:
    """Whether a stored value (or its JSON) is nothing; No is something."""
    return value is None or value == ""


def choices(found: str, like: int) -> Sequence[Decision]:
    """What can be decided about a row that is `found` to be this, and repeats the row `like`."""
    allowed = CHOICES.get(found, ())
    if like:
        return [one for one in allowed if one not in {Decision.UPDATE, Decision.FILL}]
    return allowed


def repaired(plan: Plan) -> dict[int, dict[int, str]]:
    """The cells that people have repaired, by row and column. Few: they are typed."""
    rows = plan.rows.filter(cells__isnull=False).values_list("row", "cells")
    return {number: as_cells(cells or {}) for number, cells in rows}


def as_cells(kept: MappingType[str, str]) -> dict[int, str]:
    """`PlanRow.cells`, with columns as numbers."""
    return {int(index): text for index, text in kept.items()}


@dataclass(frozen=True, slots=True)
class Said:
    """What people said about rows before the plan was made anew. `cells`: repaired ones, by row and
    column; `rows`: decisions."""

    cells: MappingType[int, MappingType[int, str]] = field(default_factory=dict)
    rows: MappingType[int, str] = field(default_factory=dict)
    alike: MappingType[str, str] = field(default_factory=dict)
    numbers: frozenset[int] = frozenset()

    def kept(self, number: int) -> dict[str, str] | None:
        """The repaired cells of a row, for `PlanRow.cells`."""
        cells = self.cells.get(number)
        return {str(index): text for index, text in cells.items()} if cells else None


NOTHING_SAID = Said()
READ = "read"


def told_of(upload: ImportFile) -> dict[str, Any]:
    """What the numbers of rows and columns of `upload` mean: part of the parameters of its plan."""
    return {READ: [upload.entity, uploads.reading_of(uploads.options_of(upload.reading))]}


def carried(upload: ImportFile, plan: Plan) -> Said:
    """What was said about the rows of the last whole plan: it holds for the new `plan` when the
    file is read in the same way, also by another mapping."""
    for last in upload.plans.exclude(pk=plan.pk).order_by("-created_at", "-pk"):
        told = last.parameters.get(READ)
        if told is None:
            continue
        if told != told_of(upload)[READ]:
            break
        cells = repaired(last)
        rows = dict(last.rows.exclude(decision="").values_list("row", "decision"))
        return Said(cells, rows, alike_of(last).alike, frozenset({*cells, *rows}))
    return Said(alike=upload.options.get(ALIKE, {}))
