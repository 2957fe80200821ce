"""Why a row is not taken, in words, and which cell it is about."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from rapport.meta.field import Field

from .cells import REMEDIES

# The code of a reason why a row is left out unless it is repaired: it is no record at all.
LEFT_OUT = "foot"


class Reason(NamedTuple):
    """`column`: index in the file, None when it is about the row. `code`: for programs."""

    message: str
    column: int | None = None
    remedy: str = ""
    code: str = ""

    @property
    def text(self) -> str:
        """Reason and remedy as one line."""
        return f"{self.message} {self.remedy}".strip()


def heading() -> str:
    """The header of the column of reasons in a file of rows that were not taken."""
    return _("Reason")


def of_cell(field: Field, message: str, column: int | None) -> Reason:
    """A cell that its field cannot hold."""
    return Reason(message, column, str(REMEDIES[field.kind]), field.kind.value)


def required(field: Field, column: int | None) -> Reason:
    """A field that must not be empty."""
    message = _("%(field)s is required.") % {"field": field.label}
    remedy = _("Map a column to it.") if column is None else _("Fill the cell.")
    return Reason(message, column, remedy, "required")


def only_parts() -> Reason:
    """A row that has nothing of its own."""
    return Reason(_("The row says something only of a record that it names."), None, "", "parts")


def key(reason: Reason) -> str:
    """What reasons that are alike are counted by."""
    return f"{'' if reason.column is None else reason.column}|{reason.code}"


def as_json(reasons: list[Reason]) -> list[Any]:
    """For `PlanRow.reasons`."""
    return [list(reason) for reason in reasons]


def from_json(kept: list[Any]) -> list[Reason]:
    """The inverse of `as_json`."""
    return [Reason(*parts) for parts in kept]
