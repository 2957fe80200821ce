"""Rows that say what is stored already, found without comparing them with everybody: a list that
comes again is mostly these.

Records come as texts, of which the database makes most, and are compared with rows as they are:
to make values of both would take longer than all the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping as MappingType, Sequence
from typing import Any, cast

from django.db import models
from django.db.models import F
from django.db.models.functions import Cast

from rapport import queries
from rapport.access import Actor
from rapport.actions import idlists
from rapport.duplicates.features import VALUE, Shape
from rapport.duplicates.find import alone
from rapport.duplicates.judge import Judge
from rapport.duplicates.room import room_for
from rapport.meta.batches import batches
from rapport.meta.entity import Entity

from .compact import Block, Layout

# The ids of what texts name by a look-up, by its place.
IdsOf = Callable[[int, Collection[str]], MappingType[str, str]]


def unchanged(
    entity: Entity,
    layout: Layout,
    block: Block,
    places: Sequence[int],
    ids_of: IdsOf,
    *,
    by: Actor,
) -> dict[int, str]:
    """The ids, as texts, of the records that rows at these places repeat without changing anything.

    Only where there can be no question: one record alone has the surest key of the row, all values
    are equal, and a rule calls such two the same.
    """
    room = room_for(entity, {entity.name})
    judges = [judge for judge in room.judges.get(entity.name, ()) if judge.ignores_blanks]
    places = [place for place in places if block.keys[place]]
    if not judges or not places:
        return {}
    by_key = alone({block.keys[place][0] for place in places}, entity)
    places = [place for place in places if block.keys[place][0] in by_key]
    ids = [by_key[block.keys[place][0]] for place in places]
    stored = _load(entity, layout, {*ids}, by)
    ours = _rows(entity, layout, [block.packed[place] for place in places], ids, ids_of)
    is_same = _Same(judges, room.shape, layout)
    return {
        place: id_
        for place, id_, own, record in zip(places, ids, ours, map(stored.get, ids), strict=True)
        if (record == own or (record is not None and _is_within(own, record)))
        and is_same.tells(block.packed[place], block.glances[place])
    }


def _is_within(own: tuple[Any, ...], record: tuple[Any, ...]) -> bool:
    """Whether `record` has all of `own`: what the row leaves blank does not matter."""
    return all(one is None or one in ("", other) for one, other in zip(own, record, strict=True))


class _Same:
    """Whether a rule calls a row and the record that it repeats the same. What is blank in the row
    counts for nothing, so the row stands for the record, too."""

    def __init__(self, judges: Sequence[Judge], shape: Shape, layout: Layout) -> None:
        self._shape, self._layout = shape, layout
        self._is_told = layout.glance == shape.told
        # The quick ones first.
        self._judges = sorted(judges, key=lambda judge: judge.rule.weighed)
        self._glancing = [judge for judge in self._judges if judge.knows_by_glance]

    def tells(self, packed: bytes, glance: str) -> bool:
        glance = glance if self._is_told else ""
        if glance and self._glancing:
            texts = glance.split(VALUE)
            for judge in self._glancing:
                if judge.knows_texts(texts):
                    return True
            seen = self._shape.seen_of(texts)
            for judge in self._glancing:
                if judge.knows(seen):
                    return True
        # Few are left: they have no surest value, so that the sum of all decides.
        row = self._shape.lazily(*self._layout.open(packed), glance)
        return any(judge.knows(row) for judge in self._judges)


def _compared(layout: Layout) -> list[int]:
    """The places of the cells that are compared: what follows from others need not be."""
    count = len(layout.links)
    plain = [at for at, name in enumerate(layout.fields, count) if name not in layout.derived]
    return [*range(count), *plain]


def _rows(
    entity: Entity,
    layout: Layout,
    packed: Sequence[bytes],
    ids: Sequence[str],
    ids_of: IdsOf,
) -> list[tuple[Any, ...]]:
    """The cells of rows as `_load` gives them of the records with these ids."""
    columns, others = layout.texts(packed), dict(layout.other)
    found: list[Sequence[Any]] = [ids]
    for at in _compared(layout) if columns else ():
        column, stored = columns[at], _column(entity, layout, at)
        if at < len(layout.links):
            found.append(list(map(ids_of(at, {*column}).get, column)))
        elif _is_day(stored):
            found.append([one or None for one in column])
        elif at in others:
            read = others[at].read
            found.append([read(one) if one else None for one in column])
        else:
            found.append(column)
    return list(zip(*found, strict=True))


def _load(
    entity: Entity, layout: Layout, ids: Collection[str], by: Actor
) -> dict[str, tuple[Any, ...]]:
    """The ids and cells of what is stored and active, as far as `by` may see it; None or '' for
    blank ones."""
    text, columns = models.TextField(), list[Any]()
    for at in _compared(layout):
        column = _column(entity, layout, at)
        name = F(column.attname)
        if at < len(layout.links) or _is_day(column):
            columns.append(Cast(name, text))
        else:
            columns.append(name)
    found: dict[str, tuple[Any, ...]] = {}
    for part in batches(ids):
        among = idlists.among(entity.model, idlists.listed_texts(part))
        chosen = queries.records(entity, by).filter(among, state=0)
        rows = chosen.values_list(Cast(F("pk"), text), *columns)
        found.update({row[0]: row for row in rows})
    return found


def _column(entity: Entity, layout: Layout, at: int) -> models.Field[Any, Any]:
    name = (*layout.links, *layout.fields)[at]
    return cast("models.Field[Any, Any]", entity.model._meta.get_field(entity.fields[name].column))


def _is_day(column: models.Field[Any, Any]) -> bool:
    return isinstance(column, models.DateField) and not isinstance(column, models.DateTimeField)
