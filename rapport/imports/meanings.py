"""What the cells of choice columns are proposed to mean; what people should know of the others."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from django.utils.translation import gettext as _

from rapport.meta.entity import Entity
from rapport.meta.field import Field
from rapport.meta.folding import fold
from rapport.meta.kinds import Kind, Reading

from . import choicewords, datecolumns, foreign, headers, parts
from .headers import RECORD_ID
from .layouts import DYNAMICS, Layout
from .mapping import BLANK, Target, label_of
from .samples import values_of

# Cells that a note names.
NAMED = 5
# Columns in which numbers are those of options.
_CODES = frozenset({"statecode", "statuscode"})


def translate(
    entity: Entity,
    layout: Layout,
    columns: dict[int, Target],
    sample: Sequence[Sequence[str]],
    reading: Reading,
) -> None:
    """Values by which the program means one of our options; those that have none stay blank."""
    for index, target in columns.items():
        meant = layout.values.get(target.field)
        found = parts.field_of(entity, target.field)
        if meant is None or found is None:
            continue
        known = {fold(cell) for cell in meant}
        unknown = {
            value: ""
            for value in values_of(sample, index)
            if found.kind in {Kind.CHOICE, Kind.STATE}
            and fold(value) not in known
            and not foreign.fits(found, value, reading)
            and not foreign.is_end(entity, found, value)
        }
        rule = BLANK if found.kind is Kind.STATE else target.missing
        columns[index] = replace(target, values={**meant, **unknown}, missing=rule)


def settle(
    entity: Entity,
    columns: Sequence[str],
    sample: Sequence[Sequence[str]],
    targets: dict[int, Target],
    *,
    reading: Reading,
    layout: Layout | None,
) -> list[str]:
    """Let the cells of choice columns mean the options that they plainly are. What people should
    know of the others."""
    notes = []
    # Who made the file knows what our options are called, and their numbers.
    knows_ours = (layout is not None and layout.program is DYNAMICS) or any(
        target.field == RECORD_ID for target in targets.values()
    )
    for index, target in list(targets.items()):
        found = parts.field_of(entity, target.field)
        if found is None or found.kind not in {Kind.CHOICE, Kind.STATE}:
            continue
        cells = list(dict.fromkeys(values_of(sample, index)))
        is_part = bool(parts.split(target.field)[0])
        is_said = bool(target.values)
        if is_said:
            meant: foreign.Meanings = {cell: target.meant.get(fold(cell), cell) for cell in cells}
        elif found.kind is Kind.STATE:
            taken = {one.field for one in targets.values()}
            is_code = headers.plain(columns[index]) in _CODES
            found, meant = foreign.of_states(
                entity, found, cells, taken, reading, as_numbers=is_code
            )
            target = replace(target, field=found.name)
        else:
            meant = foreign.meanings(entity, found, cells, reading)
        texts = {"column": columns[index], "field": label_of(entity, target.field)}
        if not (knows_ours or is_said) and _are_numbers(found, columns[index], cells):
            del targets[index]
            ignored = _(
                "“%(column)s” is ignored: its numbers may not be those of our options. Choose "
                "%(field)s for it if they are."
            )
            notes.append(ignored % texts)
            continue
        if cells and not is_said and not is_part and set(meant.values()) == {None}:
            del targets[index]
            ignored = _("“%(column)s” is ignored: none of its values is an option of %(field)s.")
            notes.append(ignored % texts)
            continue
        if is_part or found.kind is Kind.STATE:
            # A company's industry that is none of ours must not cost the person.
            target = replace(target, missing=BLANK)
        if not is_said:
            other = {cell: text for cell, text in meant.items() if text and text != cell}
            target = replace(target, values=other)
        targets[index] = target
        # What the program means by leaving it blank is no news.
        known = set(map(fold, layout.values.get(target.field, ()) if layout else ()))
        blank = [cell for cell, text in meant.items() if not text and fold(cell) not in known]
        if blank and (is_said or target.missing == BLANK):
            texts["values"] = ", ".join(f"“{cell[:40]}”" for cell in blank[:NAMED])
            left = _("“%(column)s”: left blank, since no option of %(field)s: %(values)s.")
            notes.append(left % texts)
    return notes


def _are_numbers(found: Field, header: str, cells: Sequence[str]) -> bool:
    """Whether there is nothing but numbers in a column that is not called like the field of a
    program that has our numbers: elsewhere 1 is hot, or one star of five."""
    ours = {fold(str(option.label)) for option in found.options}
    return (
        found.kind is Kind.CHOICE
        and bool(cells)
        and all(cell.isdecimal() and cell not in ours for cell in cells)
        and headers.plain(header) != headers.plain(found.wire or "")
    )


def leave_unfit(
    entity: Entity,
    columns: Sequence[str],
    sample: Sequence[Sequence[str]],
    targets: dict[int, Target],
) -> list[str]:
    """Let go of columns of which no value can be taken, though their headers say what they are.
    What is to be said of them."""
    _name_currencies(entity, sample, targets)
    notes = []
    for look in (partial(_look_at_days, columns), _look_at_currencies):
        for index, target in list(targets.items()):
            found, values = parts.field_of(entity, target.field), values_of(sample, index)
            if found is not None and values and (said := look(index, target, found, values)):
                del targets[index]
                texts = {"column": columns[index], "field": label_of(entity, target.field)}
                notes.append(said % texts)
    return notes


_NO_YEAR = re.compile(r"\d{1,2}([./-])\d{1,2}\1?|\d{1,2}\.? [^\W\d]{3,}\.?|[^\W\d]{3,}\.? \d{1,2}")


def _look_at_days(
    columns: Sequence[str], index: int, _target: Target, found: Field, values: Sequence[str]
) -> str:
    """Days without a year, as birthdays in lists for newsletters; not those in three columns."""
    if (
        found.kind is Kind.DATE
        and all(map(_NO_YEAR.fullmatch, values))
        and index not in datecolumns.days_of(columns)
    ):
        return _("“%(column)s” is ignored: its days have no year, and %(field)s is a whole one.")
    return ""


_CODES_BY_NAME = {
    fold(name): code for code, names in choicewords.CURRENCIES.items() for name in names.split("|")
}


def _name_currencies(
    entity: Entity, sample: Sequence[Sequence[str]], targets: dict[int, Target]
) -> None:
    """Let names of currencies, as “US Dollar”, mean their codes."""
    for index, target in targets.items():
        named = {*map(fold, values_of(sample, index))} & _CODES_BY_NAME.keys()
        if named and _is_of_codes(target, parts.field_of(entity, target.field)):
            targets[index] = replace(target, values=_CODES_BY_NAME)


def _look_at_currencies(_index: int, target: Target, found: Field, values: Sequence[str]) -> str:
    """Something else where a code of a currency belongs."""
    limit = found.max_length or 0
    if _is_of_codes(target, found) and all(len(value) > limit for value in values):
        return _("“%(column)s” is ignored: none of its values is a currency that is known.")
    return ""


def _is_of_codes(target: Target, found: Field | None) -> bool:
    """Whether codes of currencies belong there, and nothing is said of what cells mean."""
    return found is not None and found.name == "currency" and not target.values
