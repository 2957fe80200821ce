"""What every writer of tables shares: columns, values, and rows turned into columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, tzinfo
from decimal import Decimal
from typing import Literal, Protocol, Self

Value = str | int | float | Decimal | bool | date | datetime | time | None
# In English whoever reads: the import must know the words again.
YES, NO = "Yes", "No"
YES_OR_NO = (YES, NO)


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column to write. Kind, choices and width matter where a format knows such things.

    `zone`: the clock in which people read its moments; without one they are written as they are.
    """

    name: str
    kind: Literal["text", "number", "date", "datetime", "yes-no"] = "text"
    decimals: int | None = None  # of a number; None shows it as it is
    choices: tuple[str, ...] = ()  # offered as a drop-down
    width: float = 18.0
    hidden: bool = False
    zone: tzinfo | None = None


class Writer(Protocol):
    """What every format offers: rows, or whole columns of a batch of rows, then the end."""

    def write(self, rows: Iterable[Sequence[Value]]) -> None: ...

    def write_columns(self, columns: Sequence[Sequence[Value]]) -> None: ...

    def close(self) -> None: ...


class ByColumns:
    """A writer that works on columns: most values of a column need the same done, often nothing."""

    def write(self, rows: Iterable[Sequence[Value]]) -> None:
        if turned := list(zip(*rows, strict=True)):
            self.write_columns(turned)

    def write_columns(self, columns: Sequence[Sequence[Value]]) -> None:
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def clock(value: datetime, zone: tzinfo | None) -> datetime | str:
    """A moment as the clock in `zone` shows it, to the second. In the hour that a clock shows twice
    a text that says which, so that it comes back as the same moment."""
    if value.tzinfo is None or zone is None:
        return value.replace(microsecond=0)
    shown = value.astimezone(zone).replace(microsecond=0)
    return shown.isoformat(" ") if shown.fold else shown.replace(tzinfo=None)


def clocks(column: Column, values: Sequence[Value]) -> Sequence[Value]:
    """The moments of `values` as people read them, the rest as it is."""
    known = {
        value: clock(value, column.zone) for value in set(values) if isinstance(value, datetime)
    }
    return [known.get(value, value) for value in values] if known else values  # type: ignore[arg-type]
