"""Cells of choice columns that other programs and people have filled: which of our options they
mean, where that is plain."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from rapport.meta.entity import Entity
from rapport.meta.field import Field
from rapport.meta.folding import fold
from rapport.meta.kinds import InvalidValue, Kind, Reading, parse

from . import choicewords, layoutwords, standing

# Each cell with the text that stands for it; None where that is not known.
Meanings = dict[str, str | None]


def fits(found: Field, text: str, reading: Reading) -> bool:
    """Whether `text` is a value of the field as it stands."""
    try:
        parse(found, text, reading)
    except InvalidValue:
        return False
    return True


def meanings(entity: Entity, found: Field, cells: Collection[str], reading: Reading) -> Meanings:
    """What the `cells` of a column of this choice field mean."""
    return {cell: _meaning(entity, found, cell, reading) for cell in cells}


def _meaning(entity: Entity, found: Field, cell: str, reading: Reading) -> str | None:
    if fits(found, cell, reading) or is_end(entity, found, cell):
        return cell
    if found.kind is Kind.STATE or standing.is_stage(entity, found):
        ours = standing.meant(entity, found, cell)
        if ours is not None:
            return ours
    said = _WORDS.get(found.name, {}).get(fold(cell))
    if said is None and (numbered := _NUMBERED.fullmatch(cell.strip())):
        return _meaning(entity, found, numbered[1], reading)
    return said


# “1 - Qualify”, “2. Angebot”, “50 % Verhandlung”, “A - hot”: lists sort by what stands first.
_NUMBERED = re.compile(r"(?:\d{1,3}\s?%\s?[-–:.)]?|(?:\d{1,3}|[A-Z])\s?[-–:.)])\s*([^\W\d_].+)")


def is_end(entity: Entity, found: Field, cell: str) -> bool:
    """Whether a stage says that it is over."""
    return standing.is_stage(entity, found) and standing.closed_by(entity, cell) is not None


def of_states(
    entity: Entity,
    found: Field,
    cells: Sequence[str],
    taken: Collection[str],
    reading: Reading,
    *,
    as_numbers: bool,
) -> tuple[Field, Meanings]:
    """A column called “Status” may hold states, status reasons or both: the field that knows its
    cells best, and what they mean there. `taken`: fields of other columns; `as_numbers`: a number
    is that of an option, by the name of the column."""
    texts = [cell for cell in cells if as_numbers or not cell.isdecimal()]
    state, status = entity.fields[standing.STATE], entity.fields[standing.STATUS]
    tried = {
        one.name: {**dict.fromkeys(cells), **meanings(entity, one, texts, reading)}
        for one in (status, state)
        if one is found or not (as_numbers or one.name in taken)
    }
    # Reasons say more where either would do.
    for name, meant in tried.items():
        if len(tried) == 1 or None not in meant.values():
            return entity.fields[name], meant
    usual = {
        cell: standing.usual_reason(entity, state.option_of(text))
        for cell, text in tried[state.name].items()
        if text is not None
    }
    return status, {cell: text or usual.get(cell) for cell, text in tried[status.name].items()}


def _words(name: str) -> dict[str, str]:
    """What stands for options of the field, in the words of programs and of other languages."""
    called = choicewords.CALLED.get(name, {}).items()
    ours = {fold(word): option for option, words in called for word in words.split("|")}
    programs = layoutwords.MEANT.get(name, {}).items()
    return ours | {fold(cell): option for cell, option in programs}


# By field, for files of any program.
_WORDS = {name: _words(name) for name in layoutwords.MEANT | choicewords.CALLED}
