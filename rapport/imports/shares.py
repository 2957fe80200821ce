"""Columns in which a workbook has 0.6 for 60 %, as it keeps what it shows as a percentage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal

from django.utils.translation import gettext as _

from rapport.meta.kinds import InvalidValue, Kind, Reading, decimal_of

from . import parts, spoken
from .mapping import Mapping
from .samples import values_of


def as_percentages(
    mapping: Mapping, columns: Sequence[str], sample: Sequence[Sequence[str]], reading: Reading
) -> Mapping:
    """The `mapping`, with so many of a hundred for the cells of columns that have shares of one,
    and what is to be said of them. One fraction tells it, unless a cell is above one."""
    made, notes = dict(mapping.columns), list(mapping.notes)
    for index, target in mapping.columns.items():
        found = parts.field_of(mapping.entity, target.field)
        if found is None or found.kind is not Kind.NUMBER or found.maximum != spoken.HUNDRED:
            continue
        texts = list(dict.fromkeys(values_of(sample, index)))
        try:
            shares = {text: decimal_of(text, reading) for text in texts if text.strip()}
        except InvalidValue:
            continue
        fractions = [text for text, share in shares.items() if 0 < share < 1]
        if not fractions or target.values or not all(0 <= one <= 1 for one in shares.values()):
            continue
        meant = {text: _of_hundred(share) for text, share in shares.items()}
        made[index] = replace(target, values=meant)
        said = _("“%(column)s” has shares of one: %(text)s becomes %(n)s.")
        notes.append(
            said % {"column": columns[index], "text": fractions[0], "n": meant[fractions[0]]}
        )
    return replace(mapping, columns=made, notes=tuple(notes))


def _of_hundred(share: Decimal) -> str:
    return str(int((share * spoken.HUNDRED).to_integral_value(ROUND_HALF_UP)))
