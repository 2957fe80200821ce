"""All that is wrong with a row, not only what was found first.

Of a row that is refused anyway it is still asked what else would refuse it. What cannot be told
because of something wrong says nothing: a field is not missing because its cell cannot be read, and
nobody knows which record a row is about whose id cannot be read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from rapport.meta.entity import Draft, Entity

from . import parts, sources, updates
from .headers import RECORD_ID
from .mapping import Mapping
from .reasons import Reason
from .rows import Row


def readable(mapping: Mapping, row: Row) -> Row:
    """`row` with what can be told of it; `wrong` names all that cannot."""
    wrong = {*row.wrong, *_following(mapping.entity, row.wrong)}
    said = {
        lookup: {n: v for n, v in values.items() if f"{lookup}.{n}" not in wrong}
        for lookup, values in row.parts.items()
    }
    for name in row.wrong:
        lookup, _own = parts.split(name)
        if lookup in mapping.filled_parts:
            # It says something of the part all the same.
            said.setdefault(lookup, {})
    return replace(
        row,
        values={n: v for n, v in row.values.items() if n not in wrong},
        links={n: text for n, text in row.links.items() if n not in wrong},
        sources={n: text for n, text in row.sources.items() if n not in wrong},
        defaults={n: v for n, v in row.defaults.items() if n not in wrong},
        wipes=[n for n in row.wipes if n not in wrong],
        parts=said,
        reasons=list(row.reasons),
        wrong=tuple(wrong),
    )


def _following(entity: Entity, wrong: Iterable[str]) -> Iterator[str]:
    """What else cannot be told when these targets cannot."""
    wrong = {*wrong}
    for name in wrong:
        lookup, own = parts.split(name)
        if own == parts.SOURCE_ID:
            yield lookup or RECORD_ID
    if entity.title in wrong:
        yield from entity.title_fields
    elif not wrong.isdisjoint(entity.title_fields):
        yield entity.title


def refused(mapping: Mapping, row: Row, draft: Draft) -> list[Reason]:
    """Why `draft`, made of `row`, cannot be written."""
    lacking = sources.lacking(mapping, row, draft.errors)
    if lacking:
        # That these are blank only follows from it.
        given = {name for name in row.sources if name not in row.values}
        draft.errors = {n: said for n, said in draft.errors.items() if n not in given}
    return lacking + updates.why_not(mapping, draft)


def in_order(reasons: Iterable[Reason]) -> list[Reason]:
    """Each reason once, in the order of the columns; last what is about the whole row."""
    found = dict.fromkeys(reasons)
    return sorted(found, key=lambda reason: (reason.column is None, reason.column or 0))
