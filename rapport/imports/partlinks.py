"""What rows say of the records that they name: put together, checked, ready to be written."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Collection, Iterator, Mapping as MappingType, Sequence
from typing import Any

from rapport import access
from rapport.access import Actor
from rapport.actions import checking, write
from rapport.meta.entity import Draft, Entity
from rapport.meta.kinds import to_text
from rapport.meta.registry import registry
from rapport.models.people import Verb

from . import names, parts, persons, reasons as why
from .headers import RECORD_ID
from .links import Links, New, Part, Said, is_person
from .mapping import Mapping
from .reasons import Reason
from .rows import Row


def resolve(
    mapping: Mapping,
    rows: Sequence[Row],
    links: Links,
    stored: MappingType[uuid.UUID, dict[str, Any]],
    *,
    by: Actor,
    now: datetime.datetime,
    lock: bool = False,
) -> None:
    """Find the parts of `rows`, and refuse the rows whose parts cannot be written. `stored`: the
    records that the rows are about."""
    filled = mapping.filled_parts
    if not filled and not any(is_person(mapping.entity, name) for name in mapping.fields):
        return
    for lookup in parts.parts_of(mapping.entity):
        person = is_person(mapping.entity, lookup)
        if person and (lookup in filled or lookup in mapping.fields):
            persons.resolve(mapping, lookup, rows, links, by=by)
        elif lookup not in filled:
            continue
        _hear(mapping, lookup, rows, links, stored)
    _load(links, by, lock)
    _check(mapping, rows, links, by=by, now=now)


def _hear(
    mapping: Mapping,
    lookup: str,
    rows: Sequence[Row],
    links: Links,
    stored: MappingType[uuid.UUID, dict[str, Any]],
) -> None:
    """Note what each row says of its part."""
    entity = parts.entity_of(mapping.entity, lookup)
    rule = mapping.parts.get(lookup, parts.FILL)
    links.rules[entity.name] = rule
    new = {one.id: one for one in links.new[entity.name].values()}
    for row in rows:
        id_ = row.values.get(lookup)
        if id_ is None and not {lookup, RECORD_ID}.isdisjoint(row.wrong):
            # Whom it names cannot be told.
            continue
        if id_ is None and row.asked is not None and row.asked in stored:
            id_ = stored[row.asked].get(lookup)
        if id_ is None and lookup in row.parts:
            known = entity.fields[entity.title_fields[-1]]
            row.refuse(lookup, why.required(known, mapping.column_of(lookup)))
        elif id_ in new:
            values = _said(mapping.entity, lookup, row)
            if is_person(mapping.entity, lookup) and not values.get(entity.title_fields[-1]):
                values = {**names.name_of(entity, row.links.get(lookup, "")), **values}
            new[id_].said.append(Said(row.number, values))
        elif id_ is not None and lookup in row.parts:
            part = links.parts.setdefault(id_, Part(entity, rule))
            part.said.append(Said(row.number, _said(mapping.entity, lookup, row)))


def _said(whole: Entity, lookup: str, row: Row) -> dict[str, Any]:
    values = dict(row.parts.get(lookup, {}))
    if is_person(whole, lookup):
        same = (other for other in parts.shared(whole, lookup) if row.values.get(other))
        values.update({other: row.values[other] for other in same})
    return values


def _load(links: Links, by: Actor, lock: bool) -> None:
    """What is stored of the parts that may change."""
    wanted: dict[Entity, list[uuid.UUID]] = {}
    for id_, part in links.parts.items():
        if part.rule != parts.LEAVE:
            wanted.setdefault(part.entity, []).append(id_)
    for entity, ids in wanted.items():
        mine = access.allowed_ids(ids, entity, by, Verb.WRITE)
        for id_, row in write.load(entity, mine, lock=lock).items():
            # A closed record is left as it is: nobody asked to open it.
            if row.get("state", 0) in entity.states.editable:
                links.parts[id_].current = row


def _check(
    mapping: Mapping, rows: Sequence[Row], links: Links, *, by: Actor, now: datetime.datetime
) -> None:
    numbers = {row.number: row for row in rows}
    everyone = set(numbers)
    for entity, drafts in (*made(links, everyone), *changed(links, everyone)):
        checking.check(
            entity, drafts, by=by, now=now, trusted=False, values=False, pending=links.pending
        )
        for draft in drafts:
            if draft.errors:
                for number in _asking(links, entity, draft.id) & everyone:
                    _refuse(mapping, entity, numbers[number], draft)


def _asking(links: Links, entity: Entity, id_: uuid.UUID) -> set[int]:
    if id_ in links.parts:
        return {said.row for said in links.parts[id_].said}
    return next(one.asked_by for one in links.new[entity.name].values() if one.id == id_)


def _refuse(mapping: Mapping, entity: Entity, row: Row, draft: Draft) -> None:
    lookup = next(
        n for n in parts.parts_of(mapping.entity) if parts.entity_of(mapping.entity, n) is entity
    )
    part = mapping.part(lookup)
    for name, messages in draft.errors.items():
        target = f"{lookup}.{name}" if name else lookup
        column = part.column_of(name) if name else None
        column = mapping.column_of(lookup) if column is None else column
        known = entity.fields.get(name)
        if known is not None and known.required and draft.now(name) in {None, ""}:
            row.refuse(target, why.required(known, column))
        else:
            for message in messages:
                row.refuse(target, Reason(message, column, "", "part"))


# -- what is written ------------------------------------------------------------------------------


def news(links: Links, written: Collection[int]) -> dict[str, list[New]]:
    """Records to be made because one of the rows `written` names them, by entity."""
    found: dict[str, list[New]] = {}
    for name, by_hash in links.new.items():
        ones = {one.id: one for one in by_hash.values() if not one.asked_by.isdisjoint(written)}
        if ones:
            found[name] = list(ones.values())
    return found


def made(links: Links, written: Collection[int]) -> Iterator[tuple[Entity, list[Draft]]]:
    """Drafts of the new records, those first that others name."""
    for name, ones in news(links, written).items():
        entity, rule = registry[name], links.rules.get(name, parts.FILL)
        yield entity, [_new(entity, one, rule, written) for one in ones]


def _new(entity: Entity, new: New, rule: str, written: Collection[int]) -> Draft:
    said = [one.values for one in new.said if one.row in written]
    values = _together(said[:1] if rule == parts.LEAVE else said, rule)
    if entity.title in entity.title_fields:
        values[entity.title] = new.title
    return Draft(id=new.id, values=values, source_row=min(new.asked_by.intersection(written)))


def _together(said: Sequence[MappingType[str, Any]], rule: str) -> dict[str, Any]:
    """What several rows say of one record: the first that says something counts, or the last."""
    values: dict[str, Any] = {}
    for one in said if rule == parts.UPDATE else reversed(said):
        values.update(one)
    return values


def changed(links: Links, written: Collection[int]) -> Iterator[tuple[Entity, list[Draft]]]:
    """Drafts of the stored records that rows change."""
    found: dict[Entity, list[Draft]] = {}
    for id_, part in links.parts.items():
        said = [one for one in part.said if one.row in written]
        if part.current is None or not said:
            continue
        values = _together([one.values for one in said], part.rule)
        values = {n: v for n, v in values.items() if _takes(part, n, v)}
        if values:
            draft = Draft(id=id_, values=values, current=part.current, source_row=said[0].row)
            found.setdefault(part.entity, []).append(draft)
    yield from found.items()


def _takes(part: Part, name: str, value: Any) -> bool:
    assert part.current is not None
    current, field = part.current.get(name), part.entity.fields[name]
    if current in {None, ""}:
        return value not in {None, ""}
    # A person who works elsewhere by now is not moved back by the row of a deal.
    return part.rule == parts.UPDATE and not field.is_link and current != value


def said_by(mapping: Mapping, links: Links, number: int) -> dict[str, str]:
    """What one row says of its parts, as texts {target: text}, for the preview."""
    found: dict[str, str] = {}
    for lookup in mapping.filled_parts:
        entity = parts.entity_of(mapping.entity, lookup)
        every = [part.said for part in links.parts.values() if part.entity is entity]
        every += [new.said for new in links.new[entity.name].values()]
        for said in (one for ones in every for one in ones if one.row == number):
            found.update(
                {
                    f"{lookup}.{name}": to_text(entity.fields[name], value)
                    for name, value in said.values.items()
                    if not entity.fields[name].is_link
                }
            )
    return found
