"""Rows that say what is stored already, found without comparing them with everybody: a list that
comes again is mostly these.

Records come as texts, of which the database makes most, and are compared with rows as they are:
to make values of both would take longer than all the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping as MappingType, Sequence
from typing import Any, cast

from django.db import models
from django.db.models import Expression, F, Func, Value
from django.db.models.functions import Cast, Coalesce

from rapport import queries
from rapport.access import Actor
from rapport.actions import idlists
from rapport.duplicates.features import VALUE, Shape
from rapport.duplicates.find import alone
from rapport.duplicates.judge import Judge
from rapport.duplicates.room import room_for
from rapport.meta.batches import batches
from rapport.meta.entity import Entity

from .compact import CELL, Block, Layout

# The ids of what texts name by a look-up, by its place.
IdsOf = Callable[[int, Collection[str]], MappingType[str, str]]
# The cells of a row or record as one text, as far as the database writes them as rows have them,
# and the values of the others; "" and None for blank ones.
Said = tuple[Any, ...]
_TEXT = models.TextField()


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
    if not places:
        return {}
    ids = [by_key[block.keys[place][0]] for place in places]
    stored = _load(entity, layout, {*ids}, by)
    ours = _rows(entity, layout, [block.packed[place] for place in places], ids_of)
    follows = _follows(layout, _apart(entity, layout))
    is_same = _Same(judges, room.shape, layout)
    return {
        place: id_
        for place, id_, own, record in zip(places, ids, ours, map(stored.get, ids), strict=True)
        if (record == own or (record is not None and _is_within(own, record, follows)))
        and is_same.tells(block.packed[place], block.glances[place])
    }


def _is_within(own: Said, record: Said, follows: Collection[int]) -> bool:
    """Whether `record` has all of `own`: what the row leaves blank does not matter, nor what stands
    at the places `follows`."""
    cells, others = own[0].split(CELL), record[0].split(CELL)
    if len(cells) != len(others):
        # A text that is stored has in it what stands between cells.
        return False
    return all(
        not one or one == other or at in follows
        for at, (one, other) in enumerate(zip(cells, others, strict=True))
    ) and all(one is None or one == other for one, other in zip(own[1:], record[1:], strict=True))


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


def _apart(entity: Entity, layout: Layout) -> list[int]:
    """The places of the cells that the database does not write as rows have them."""
    return [at for at, _texts in layout.other if not _is_text(_column(entity, layout, at))]


def _follows(layout: Layout, apart: Collection[int]) -> set[int]:
    """Where in the one text stands what follows from other cells."""
    names = [n for at, n in enumerate((*layout.links, *layout.fields)) if at not in apart]
    return {at for at, name in enumerate(names) if name in layout.derived}


def _rows(
    entity: Entity,
    layout: Layout,
    packed: Sequence[bytes],
    ids_of: IdsOf,
) -> list[Said]:
    """What rows say, as `_load` gives it of records."""
    apart, count = _apart(entity, layout), len(layout.links)
    # All that comes behind the look-ups is mostly taken as it is.
    cut = -1 if apart else count
    columns: list[Sequence[Any]] = [
        *zip(*[one.split(CELL, cut) for one in map(bytes.decode, packed)], strict=True)
    ]
    for at in range(count) if columns else ():
        ids = ids_of(at, {*columns[at]})
        columns[at] = [ids.get(text, "") for text in columns[at]]
    readers = dict(layout.other)
    found = [[readers[at].read(one) if one else None for one in columns[at]] for at in apart]
    told = [column for at, column in enumerate(columns) if at not in apart]
    return list(zip(map(CELL.join, zip(*told, strict=True)), *found, strict=True))


def _load(entity: Entity, layout: Layout, ids: Collection[str], by: Actor) -> dict[str, Said]:
    """What is stored and active under these ids, as far as `by` may see it."""
    apart = _apart(entity, layout)
    columns = [_column(entity, layout, at) for at in range(len(layout.links) + len(layout.fields))]
    told = [_as_text(column) for at, column in enumerate(columns) if at not in apart]
    others = [F(columns[at].attname) for at in apart]
    found: dict[str, Said] = {}
    for part in batches(ids):
        among = idlists.among(entity.model, idlists.listed_texts(part))
        chosen = queries.records(entity, by).filter(among, state=0)
        rows = chosen.values_list(Cast(F("pk"), _TEXT), _Joined(*told), *others)
        found.update({row[0]: row[1:] for row in rows})
    return found


class _Joined(Func):
    """Texts as one, as the cells of rows are joined."""

    template = "(%(expressions)s)"
    arg_joiner = f" || '{CELL}' || "
    output_field = _TEXT


def _as_text(column: models.Field[Any, Any]) -> Expression | F:
    """The text of a column as rows have it, '' for blank ones."""
    found: Any = F(column.attname)
    if isinstance(column, models.BooleanField):
        found = Cast(found, models.IntegerField())
    if not isinstance(column, models.CharField | models.TextField):
        found = Cast(found, _TEXT)
    return Coalesce(found, Value("")) if column.null else found


def _is_text(column: models.Field[Any, Any]) -> bool:
    """Whether the database writes the values of `column` as a compact row does."""
    kinds = models.IntegerField | models.BooleanField | models.DateField
    return isinstance(column, kinds) and not isinstance(column, models.DateTimeField)


def _column(entity: Entity, layout: Layout, at: int) -> models.Field[Any, Any]:
    name = (*layout.links, *layout.fields)[at]
    return cast("models.Field[Any, Any]", entity.model._meta.get_field(entity.fields[name].column))
