"""Values as they stand in a file that leaves the house: one row of `SHAPES` per kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from django.utils import timezone

from rapport.files.column import YES_OR_NO
from rapport.files.write import Column, Value
from rapport.meta.field import Field
from rapport.meta.kinds import Kind, to_text

# Makes the cells of a column out of values of `queries.extract`; None: the values are the cells.
Convert = Callable[[Sequence[Any]], Sequence[Value]]


@dataclass(frozen=True, kw_only=True)
class Shape:
    """How a kind looks in a table. `cells(field)` makes the function for its columns; it may read
    the language that is active."""

    cells: Callable[[Field], Convert | None]
    kind: Literal["text", "number", "date", "datetime", "yes-no"] = "text"
    decimals: int | None = None
    width: float = 18.0


def column(field: Field, header: str) -> Column:
    """The column of `field`. Choices become a drop-down in a workbook."""
    shape = SHAPES[field.kind]
    offered: tuple[str, ...] = ()
    if field.kind is Kind.CHOICE:
        offered = tuple(str(option.label) for option in field.options)
    elif field.kind is Kind.BOOLEAN:
        offered = YES_OR_NO
    return Column(
        name=header,
        kind=shape.kind,
        decimals=shape.decimals,
        choices=offered,
        width=shape.width,
        # A clock as people see it in the lists.
        zone=timezone.get_current_timezone() if shape.kind == "datetime" else None,
    )


def stamps(values: Sequence[datetime]) -> Sequence[str]:
    """Moments without loss and whoever reads them: for programs, not for people."""
    known = {value: value.astimezone(UTC).isoformat() for value in set(values)}
    return [known[value] for value in values]


def _as_it_is(_field: Field) -> None:
    return None


def _text(field: Field) -> Convert | None:
    if not field.labels:
        return None
    return lambda values: [to_text(field, value) for value in values]


def _option(field: Field) -> Convert:
    labels = {option.value: str(option.label) for option in field.options} | {None: None}
    return lambda values: [labels.get(value, str(value)) for value in values]


SHAPES: dict[Kind, Shape] = {
    Kind.TEXT: Shape(cells=_text),
    Kind.LONG_TEXT: Shape(cells=_as_it_is, width=40),
    Kind.EMAIL: Shape(cells=_as_it_is, width=28),
    Kind.PHONE: Shape(cells=_as_it_is),
    Kind.URL: Shape(cells=_as_it_is, width=28),
    Kind.CHOICE: Shape(cells=_option),
    Kind.STATE: Shape(cells=_option),
    Kind.NUMBER: Shape(cells=_as_it_is, kind="number", width=12),
    Kind.MONEY: Shape(cells=_as_it_is, kind="number", decimals=2, width=16),
    Kind.DATE: Shape(cells=_as_it_is, kind="date", width=12),
    Kind.DATETIME: Shape(cells=_as_it_is, kind="datetime"),
    Kind.BOOLEAN: Shape(cells=_as_it_is, kind="yes-no", width=10),
    Kind.LOOKUP: Shape(cells=_as_it_is, width=24),
    Kind.OWNER: Shape(cells=_as_it_is),
    Kind.POINTER: Shape(cells=_as_it_is, width=24),
    Kind.ADDRESS: Shape(cells=_as_it_is, width=40),
}
