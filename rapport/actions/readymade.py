"""New records of which all is worked out before they are written, without a draft of each."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rapport.access import Actor
from rapport.duplicates.keys import plan_of
from rapport.meta.entity import Entity
from rapport.meta.folding import SORT_LENGTH, fold_all
from rapport.models import Operation

from . import journal, keyring, rows, upkeep
from .adapted import Column, Same
from .rowvalues import defaults, hidden_defaults, to_columns
from .write import is_many, stamp


@dataclass(frozen=True, slots=True)
class Ready:
    """New records of which all is worked out (and checked) that the database is given. `ids`: as
    hexadecimal digits; `links` {look-up: ids}; `own`: their other columns, made by `pack`;
    `same` {field: what all of them have}. `keys`: None where `write_keys` stores them."""

    ids: Sequence[str]
    source_rows: Sequence[int]
    links: Mapping[str, Sequence[str | None]]
    search: Sequence[str]
    keys: Sequence[Sequence[int]] | None
    own: rows.Packed
    same: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Keys:
    """Match keys of new records: what was `packed`, but that of the ids `but`."""

    packed: Sequence[keyring.Packed]
    but: frozenset[str]


def write_keys(entity: Entity, made: Keys, op: Operation) -> None:
    """The keys of records that are written next, in the same transaction. They come first, of
    which there is most: the rest may be made while the database stores them."""
    keyring.put_packed(entity, made.packed, made.but, later=is_many(op))


def can_pack(entity: Entity) -> bool:
    """Whether records of `entity` can be `Ready`: nothing follows from their values but what
    whoever makes them ready knows."""
    told = {*entity.search, *plan_of(entity).fields}
    blank = defaults(entity)
    return (
        not entity.principal
        and not entity.fields[entity.title].is_link
        and all(blank.get(name) in {None, ""} for name in told)
    )


def packed_columns(entity: Entity, names: Iterable[str]) -> tuple[str, ...]:
    """The columns that `pack` makes of these fields."""
    fields = (entity.fields[name] for name in names)
    return (*(f.column for f in fields if f.columns), "sort_name")


def pack(entity: Entity, names: Sequence[str], found: Sequence[Sequence[Any]]) -> list[Any]:
    """What new records with these columns of the fields `names`, blank ones as "" or None, have in
    their `packed_columns`. Asks no database."""
    blank = defaults(entity)
    columns: dict[str, Sequence[Any]] = {}
    titles: Sequence[Any] = ()
    for name, column in zip(names, found, strict=True):
        field, default = entity.fields[name], blank.get(name)
        if name == entity.title:
            titles = column
        if field.columns:
            columns[field.column] = [default if one is None or one == "" else one for one in column]
    sort_names = fold_all([text or "" for text in titles]) or [""] * len(found[0])
    columns["sort_name"] = [text[:SORT_LENGTH] for text in sort_names]
    return rows.pack(entity.model, columns)


def write_ready(
    entity: Entity, made: Ready, *, op: Operation, by: Actor, now: datetime.datetime
) -> None:
    """Write new records, as `write.write` does, that are `Ready`."""
    user, count = stamp(by), len(made.ids)
    system = {"created_at": now, "created_by": user, "modified_at": now, "modified_by": user}
    same = to_columns(entity, {**defaults(entity), **system, **made.same})
    constant = {**hidden_defaults(entity), "version": 1, **same, **entity.scope}
    own = {*made.own.names, *(entity.fields[name].column for name in made.links)}
    columns: dict[str, Column] = {"id": made.ids}
    columns.update({n: Same(value) for n, value in constant.items() if n not in own})
    columns.update({entity.fields[name].column: ids for name, ids in made.links.items()})
    columns["search_text"] = made.search
    upkeep.put(entity, made.ids, made.keys, made.search, later=is_many(op))
    rows.insert_columns(entity.model, columns, count, made.own)
    journal.note_new(op, entity.name, made.ids, made.source_rows, now)
    journal.count(op, "created", count)
