"""Why a row is not taken, in words, and which cell it is about."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from rapport.files.canonical import MEANINGS
from rapport.files.refusal import Message, gettext_noop
from rapport.files.rows import NEVER_CLOSED, SURPLUS, SWALLOWED
from rapport.meta.entity import Entity
from rapport.meta.field import Field
from rapport.meta.kinds import InvalidValue, Kind, OutOfBounds

from .cells import REMEDIES

# The code of a reason why a row is left out unless it is repaired: it is no record at all.
LEFT_OUT = "foot"
# The codes of values of the right kind that do not fit.
OUT_OF_RANGE, TOO_LONG = "range", "long"
# The code of a row about a record that is somebody else's.
FORBIDDEN = "forbidden"


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


def of_cell(field: Field, problem: InvalidValue | str, column: int | None) -> Reason:
    """A cell that its field cannot hold."""
    remedy, code = REMEDIES[field.kind], field.kind.value
    if isinstance(problem, OutOfBounds):
        if field.kind in {Kind.NUMBER, Kind.MONEY}:
            remedy, code = _("Correct the number or empty the cell."), OUT_OF_RANGE
        else:
            remedy, code = _("Shorten it."), TOO_LONG
    return Reason(str(problem), column, str(remedy), code)


def of_reading(problem: Message, column: int | None) -> Reason:
    """What the reader of the file could not make out: a cell, or the row as a whole (None)."""
    if column is None:
        remedy = _WHOLE.get(problem.template) or gettext_noop("Correct the row.")
        return Reason(in_words(problem), None, _(remedy), "shape")
    if problem.template == MEANINGS["bytes"]:
        remedy = _("Choose the right encoding, or correct the cell.")
    else:
        remedy = _("Correct the cell.")
    return Reason(in_words(problem), column, remedy, "unreadable")


_WHOLE = {
    SURPLUS: gettext_noop(
        "Correct the row: every line must have as many cells as there are columns."
    ),
    NEVER_CLOSED: gettext_noop("Close the quotation, or choose another quotation mark."),
    SWALLOWED: gettext_noop("Close the quotation in the file, and import it again."),
    MEANINGS["group"]: gettext_noop("Leave it out."),
}


def in_words(message: Message) -> str:
    """A message of a reader of files in the language of who reads it."""
    return str(Message(_(message.template), message.values))


def required(field: Field, column: int | None) -> Reason:
    """A field that must not be empty."""
    message = _("%(field)s is required.") % {"field": field.label}
    remedy = _("Map a column to it.") if column is None else _("Fill the cell.")
    return Reason(message, column, remedy, "required")


def not_found(entity: Entity, sets: Iterable[Iterable[str]], lacking: Field) -> Reason:
    """A row that finds no record by one of these `sets` of fields, and that no column lets become a
    new one."""
    said = [" + ".join(str(entity.fields[name].label) for name in names) for names in sets]
    message = _("There is no %(entity)s with this %(fields)s.")
    remedy = _("Correct it, or map a column to %(field)s to make a new one.")
    values = {"entity": str(entity.label).lower(), "fields": _(" or ").join(said)}
    return Reason(message % values, None, remedy % {"field": lacking.label}, "not-found")


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
