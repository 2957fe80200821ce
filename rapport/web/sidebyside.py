"""The values of two records side by side, and how they stand to each other."""

from __future__ import annotations

from typing import Any

from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy
from rapidfuzz.distance import JaroWinkler

from rapport.duplicates import normalise
from rapport.meta.entity import Entity
from rapport.meta.field import Field
from rapport.meta.kinds import TEXTS, Kind
from rapport.queries.one import One

from .cells import CellContext, cell

# Two texts are similar from here on (0 to 1).
ALIKE = 0.85
SAME, SIMILAR, DIFFERENT, ONE = "same", "similar", "different", "one"
# How a value stands to that of the other record: a sign and a word, so that colour says nothing
# that is not said twice.
MARKS = {
    SAME: ("=", gettext_lazy("same")),
    SIMILAR: ("≈", gettext_lazy("similar")),
    DIFFERENT: ("≠", gettext_lazy("different")),
    ONE: ("+", gettext_lazy("only one has it")),
}


def compared(first: One, second: One, cells: CellContext) -> list[dict[str, Any]]:
    """Every field that one of the two has a value of, side by side."""
    made = []
    for ours, theirs in aligned(first.entity, second.entity):
        a, b = first.values.get(ours.name), second.values.get(theirs.name)
        blanks = [value is None or value == "" or value is False for value in (a, b)]
        if all(blanks) or (ours.default is not None and a == b == ours.default):
            # Blank, or as nobody has ever changed it.
            continue
        level = ONE if any(blanks) else _level(first, ours, second, theirs)
        sign, word = MARKS[level]
        made.append(
            {
                "label": ours.label,
                "other_label": theirs.label if str(theirs.label) != str(ours.label) else "",
                "first": _shown(first, ours, cells),
                "second": _shown(second, theirs, cells),
                "level": level,
                "sign": sign,
                "word": word,
            }
        )
    return made


def aligned(first: Entity, second: Entity) -> list[tuple[Field, Field]]:
    """The fields of two record types that mean the same, in the order of the first one's page."""
    if first is second:
        names = [(name, name) for name in (*first.title_fields, *first.form_fields)]
    else:
        mapped = dict(first.maps.get(second.name, {}))
        back = dict(second.maps.get(first.name, {}))
        # A map says {theirs: ours} for what qualifying makes.
        names = [(ours, theirs) for theirs, ours in mapped.items()] or list(back.items())
    return [
        (first.fields[ours], second.fields[theirs])
        for ours, theirs in dict.fromkeys(names)
        if ours in first.fields and theirs in second.fields
    ]


def _level(first: One, ours: Field, second: One, theirs: Field) -> str:
    """How alike two values are."""
    if ours.kind is theirs.kind and first.values[ours.name] == second.values[theirs.name]:
        return SAME
    texts = [_plain(first, ours), _plain(second, theirs)]
    if ours.kind is Kind.PHONE and theirs.kind is Kind.PHONE:
        tails = [normalise.phone(text) for text in texts]
        return SIMILAR if tails[0] and tails[0] == tails[1] else DIFFERENT
    folded = [normalise.words(text) for text in texts]
    if folded[0] == folded[1]:
        return SAME if texts[0] == texts[1] else SIMILAR
    if ours.kind in TEXTS | {Kind.LOOKUP} and JaroWinkler.similarity(*folded) >= ALIKE:
        return SIMILAR
    return DIFFERENT


def _plain(side: One, field: Field) -> str:
    link = side.links.get(field.name)
    if link is not None:
        return link.title
    value = side.values.get(field.name)
    option = field.option_by_value.get(value) if field.options else None
    return str(option.label if option else value)


def _shown(side: One, field: Field, cells: CellContext) -> SafeString:
    value: Any = side.links.get(field.name) or side.values.get(field.name)
    if value is False:
        return SafeString("")
    return cell(field, value, cells)
