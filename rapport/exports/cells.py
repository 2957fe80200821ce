"""Values as they stand in a file that leaves the house: one row of `SHAPES` per kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from django.utils import timezone

from rapport.files.write import Column, Value
from rapport.meta.field import Field
from rapport.meta.kinds import Kind, to_text

# Gives the cell for a value of `queries.pages`; None: the value is the cell.
Cell = Callable[[Any], Value]


@dataclass(frozen=True, kw_only=True)
class Shape:
    """How a kind looks in a table. `cell(field)` makes the function for its values; it may read
    the language and time zone that are active."""

    cell: Callable[[Field], Cell | None]
    kind: Literal["text", "number", "date", "datetime", "yes-no"] = "text"
    decimals: int | None = None
    width: float = 18.0


def column(field: Field, header: str) -> Column:
    """The column of `field`. Choices become a drop-down in a workbook."""
    shape = SHAPES[field.kind]
    offered = tuple(str(option.label) for option in field.options)
    return Column(
        name=header,
        kind=shape.kind,
        decimals=shape.decimals,
        choices=offered if field.kind is Kind.CHOICE else (),
        width=shape.width,
    )


def stamp(value: datetime | None) -> str:
    """A moment without loss and whoever reads it: for programs, not for people."""
    return "" if value is None else value.astimezone(UTC).isoformat()


def _as_it_is(_field: Field) -> None:
    return None


def _text(field: Field) -> Cell | None:
    return (lambda value: to_text(field, value)) if field.labels else None


def _option(field: Field) -> Cell:
    labels = {option.value: str(option.label) for option in field.options}
    return lambda value: labels.get(value, str(value))


def _yes_or_no(field: Field) -> Cell:
    # Not in the reader's language: the import must know the words again.
    return lambda value: to_text(field, value)


def _moment(_field: Field) -> Cell:
    # A clock as people see it in the lists. Spreadsheets take nothing with a zone for a date.
    zone = timezone.get_current_timezone()
    return lambda value: value.astimezone(zone).replace(tzinfo=None, microsecond=0)


def _title(_field: Field) -> Cell:
    return lambda link: link.title


SHAPES: dict[Kind, Shape] = {
    Kind.TEXT: Shape(cell=_text),
    Kind.LONG_TEXT: Shape(cell=_as_it_is, width=40),
    Kind.EMAIL: Shape(cell=_as_it_is, width=28),
    Kind.PHONE: Shape(cell=_as_it_is),
    Kind.URL: Shape(cell=_as_it_is, width=28),
    Kind.CHOICE: Shape(cell=_option),
    Kind.STATE: Shape(cell=_option),
    Kind.NUMBER: Shape(cell=_as_it_is, kind="number", width=12),
    Kind.MONEY: Shape(cell=_as_it_is, kind="number", decimals=2, width=16),
    Kind.DATE: Shape(cell=_as_it_is, kind="date", width=12),
    Kind.DATETIME: Shape(cell=_moment, kind="datetime"),
    Kind.BOOLEAN: Shape(cell=_yes_or_no, width=10),
    Kind.LOOKUP: Shape(cell=_title, width=24),
    Kind.OWNER: Shape(cell=_title),
    Kind.POINTER: Shape(cell=_title, width=24),
    Kind.ADDRESS: Shape(cell=_as_it_is, width=40),
}
