"""Match keys that a large undo leaves behind for a while: those of the records that it deletes go
in the end, in the order of their index, of which each page is then written once and not with every
batch.

Until then keys lead to records that are gone, which whoever asks passes over. Of an undo that does
not come to its end the worker takes them away, with what search knows (`search_index`).
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from django.db import connection

from rapport.duplicates import blocks, fresh
from rapport.meta.entity import Entity
from rapport.meta.registry import registry
from rapport.models import KeyRing, Operation

from . import pgplanner
from .keyring import OF_A_RECORD

# The parameter of an undo that tells of them: `of`: of about how many keys; `next`: the hash from
# which on they are there still; `ends` {entity: first and last id}: whose they are; `few`: whether
# few records between those stay.
LEFT = "keys"
# To walk past so many keys takes as long as to look one up and write its page.
PASSED = 32
FEW = 1000
_HIGHEST = blocks.LOWEST + blocks.SPAN - 1
_RINGS = f'"{KeyRing._meta.db_table}"'


def parameters(undo_of: Operation) -> dict[str, Any]:
    """The parameters of an undo that leaves keys for its end; none where that does not pay."""
    keys, created = blocks.extent(), undo_of.counts.get("created", 0)
    if created * OF_A_RECORD * PASSED < keys:
        return {}
    return {LEFT: {"of": max(keys, 1), "next": blocks.LOWEST, "ends": {}}}


def leave(op: Operation, entity: Entity, ids: Sequence[uuid.UUID]) -> bool:
    """Whether the keys of these deleted records stay for the end of `op`. What finds them if that
    never comes is the backlog of search."""
    left = op.parameters.get(LEFT)
    if left is None or not ids or not entity.in_search:
        return False
    ends = [id_.hex for id_ in (min(ids), max(ids))]
    known = left["ends"].get(entity.name, ends)
    left["ends"][entity.name] = [min(known[0], ends[0]), max(known[1], ends[1])]
    return True


def are_left(op: Operation) -> bool:
    """Whether `op` has left keys, which `clear` is to take away."""
    return bool(op.parameters.get(LEFT, {}).get("ends"))


def clear(op: Operation, size: int) -> bool:
    """Take the next of the keys that `op` left away, about those of `size` records; whether there
    are more. Changes the parameters of `op`, which must be stored in the same transaction."""
    if not are_left(op):
        return False
    left = op.parameters[LEFT]
    if "few" not in left:
        left["few"] = all(_few(registry[name], *ends) for name, ends in left["ends"].items())
    with connection.cursor() as cursor, pgplanner.by_index(cursor):
        if left["next"] <= _HIGHEST:
            width = blocks.SPAN * size * OF_A_RECORD // left["of"]
            last = min(left["next"] + width, _HIGHEST)
            for name, ends in left["ends"].items():
                _clear_index(cursor, registry[name], ends, left["few"], (left["next"], last))
            left["next"] = last + 1
            return True
        name, ends = next(iter(left["ends"].items()))
        ends[0] = _clear_rings(cursor, registry[name], ends, left["few"], size)
    if ends[0] is None:
        del left["ends"][name]
    if not left["ends"]:
        del op.parameters[LEFT]
    return are_left(op)


def _few(entity: Entity, first: str, last: str) -> bool:
    between = entity.model._default_manager.filter(pk__gte=first, pk__lte=last)
    return not between.order_by("pk")[FEW : FEW + 1].exists()


def _clear_index(
    cursor: Any, entity: Entity, ends: Sequence[str], few: bool, hashes: tuple[int, int]
) -> None:
    gone, values = _gone(entity, ends, few)
    gone, values = f"k.hash BETWEEN %s AND %s AND {gone}", [*hashes, *values]
    cursor.execute(f"DELETE FROM {fresh.INDEX} AS k WHERE {gone}", values)
    for run in fresh.runs():
        cursor.execute(f"DELETE FROM {fresh.FRESH} AS k WHERE k.run = {run} AND {gone}", values)


def _clear_rings(
    cursor: Any, entity: Entity, ends: Sequence[str], few: bool, size: int
) -> str | None:
    """Rings go last, by which the worker would find the keys. The first that is not looked at yet,
    None at the end."""
    cursor.execute(
        f"SELECT record FROM {_RINGS} WHERE record BETWEEN %s AND %s ORDER BY record "
        "LIMIT 1 OFFSET %s",
        [*ends, size * OF_A_RECORD],
    )
    row = cursor.fetchone()
    following = uuid.UUID(str(row[0])).hex if row else None
    gone, values = _gone(entity, [ends[0], following or ends[1]], few)
    cursor.execute(f"DELETE FROM {_RINGS} AS k WHERE {gone}", values)
    return following


def _gone(entity: Entity, ends: Sequence[str], few: bool) -> tuple[str, list[Any]]:
    """The condition that `k` is of a record of `entity` between `ends` that is gone. Asked in the
    statement that deletes: meanwhile one may come back, with its keys."""
    table = connection.ops.quote_name(entity.table)
    own = f"k.entity = {entity.code} AND k.record BETWEEN %s AND %s"
    if few:
        staying = f"SELECT r.id FROM {table} r WHERE r.id BETWEEN %s AND %s"
        return f"{own} AND k.record NOT IN ({staying})", [*ends, *ends]
    return f"{own} AND NOT EXISTS (SELECT 1 FROM {table} r WHERE r.id = k.record)", [*ends]
