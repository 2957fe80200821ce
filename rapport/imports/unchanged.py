"""Rows that say what is stored already, found without comparing them with everybody: a list that
comes again is mostly these."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping as MappingType, Sequence
from typing import Any

from rapport import queries
from rapport.access import Actor
from rapport.actions import rows as table_rows
from rapport.duplicates.find import holders
from rapport.duplicates.room import room_for
from rapport.meta.batches import batches
from rapport.meta.entity import Entity

from .compact import Block, Layout
from .links import Named


def unchanged(
    entity: Entity,
    layout: Layout,
    block: Block,
    places: Sequence[int],
    named: Sequence[MappingType[str, Named]],
    *,
    by: Actor,
) -> dict[int, uuid.UUID]:
    """The records that rows at these places repeat without changing anything. `named`: what the
    texts of each look-up name.

    Only where there can be no question: one record alone has the surest key of the row, all values
    are equal, and a rule calls such two the same.
    """
    room = room_for(entity, {entity.name})
    judges = [judge for judge in room.judges.get(entity.name, ()) if judge.ignores_blanks]
    judges.sort(key=lambda judge: judge.rule.weighed)
    keys = {block.keys[place][0] for place in places if block.keys[place]}
    if not judges or not keys:
        return {}
    alone = {key: ids[0] for key, ids in holders(keys, entity).items() if len(ids) == 1}
    if not alone:
        return {}
    stored = _load(entity, layout, set(alone.values()), by)
    count = len(layout.links)
    plain = [at for at, name in enumerate(layout.fields, count) if name not in layout.derived]
    is_told = layout.glance == room.shape.told
    found: dict[int, uuid.UUID] = {}
    for place in places:
        id_ = alone.get(block.keys[place][0]) if block.keys[place] else None
        record = stored.get(id_) if id_ else None
        if id_ is None or record is None:
            continue
        cells = layout.cells(block.packed[place])
        links = zip(cells, named, record, strict=False)
        if any(text and known[text].id != own for text, known, own in links):
            continue
        # What the row leaves blank does not matter.
        own, theirs = [cells[at] for at in plain], [record[at] for at in plain]
        if own != theirs and any(
            one is not None and one != other for one, other in zip(own, theirs, strict=True)
        ):
            continue
        # What is blank in the row counts for nothing, so the row stands for the record, too.
        glance = block.glances[place] if is_told else ""
        ours = room.shape.lazily(*layout.named(cells), glance)
        if any(judge.judge(ours, ours) for judge in judges):
            found[place] = id_
    return found


def _load(
    entity: Entity, layout: Layout, ids: Collection[uuid.UUID], by: Actor
) -> dict[uuid.UUID, Sequence[Any]]:
    """What is stored and active, as far as `by` may see it, as cells of the layout."""
    columns = [entity.fields[name].column for name in (*layout.links, *layout.fields)]
    found: dict[uuid.UUID, Sequence[Any]] = {}
    for part in batches(ids):
        chosen = queries.records(entity, by).filter(table_rows.among(entity.model, part), state=0)
        for id_, *row in chosen.values_list("pk", *columns):
            found[id_] = row
    return found
