"""The quick way for rows about which there is nothing to say: new records that nobody has.

Whatever is not certain goes the long way, through `judge`: a key that a stored record or an earlier
row has, a name that leads nowhere. Both ways must come to the same; this one only saves the time.
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Collection, Iterable, Sequence
from functools import partial
from itertools import chain

from rapport.access import Actor
from rapport.duplicates.find import held
from rapport.duplicates.keys import keys
from rapport.duplicates.room import Room, room_for
from rapport.meta.entity import Entity
from rapport.models import User
from rapport.models.operations import Fate

from . import links as linking
from .aside import Aside, Glances, Question
from .compact import Block, Held, Layout
from .decisions import NOTHING, Decided
from .doubles import Trusted, key_of
from .judge import judge
from .mapping import Mapping
from .rowids import Ids
from .rows import Row
from .seen import Earlier
from .sources import Siblings
from .titles import Names
from .unchanged import unchanged
from .verdict import Judged


def judge_block(
    mapping: Mapping,
    names: Names | None,
    block: Block,
    *,
    by: Actor,
    now: datetime.datetime,
    seen: Earlier | None = None,
    aside: Aside | None = None,
    decided: Decided = NOTHING,
    told: Collection[int] = (),
    same: Collection[int] = (),
    ids: Ids | None = None,
    lock: bool = False,
    siblings: Siblings | None = None,
    waiting: linking.Waiting | None = None,
) -> Judged:
    """As `judge`. `names`: what rows of the file name; None sends all of them the long way. `told`:
    numbers of rows of which the plan says something; `same`: of those that change nothing, as it
    says. `ids`: of the records to be made; without them no drafts are made, which a plan has no use
    for. `aside`: who helps to compare with rows that were `seen`."""
    links = linking.Links()
    plain: list[int] = []
    repeated: dict[int, str] = {}
    if names is not None and isinstance(by, User) and not decided.alike.get(Fate.CREATE):
        if block.same:
            repeated = {
                place: id_
                for place, (number, id_) in enumerate(zip(block.numbers, block.same, strict=True))
                if id_ and number not in told
            }
        names.read(block, links, by, but=repeated)
        if not block.same and not decided.alike.get(Fate.SAME):
            repeated = _repeated(names, block, by, told, same if seen is None else None)
        left = {*told, *same}.difference([block.numbers[place] for place in repeated])
        plain = (
            _trusted(names, block, repeated, told=left, ids=ids)
            if seen is None
            else _plain(names, block, repeated, seen, told=left, aside=aside)
        )
        names.ask_for(plain, block, links, making=ids is not None)
    taken = {*plain, *repeated}
    rest = [
        block.row(place, names.layout if names else None)
        for place in range(len(block))
        if place not in taken
    ]
    judged = judge(
        mapping, rest, by=by, now=now, seen=seen, decided=decided, lock=lock, siblings=siblings,
        links=links, trusted=Trusted({*told, *same}, ids.ends) if ids else None, waiting=waiting,
    )  # fmt: skip
    judged.same = {block.numbers[place]: id_ for place, id_ in repeated.items()}
    judged.simple = [block.numbers[place] for place in plain]
    if ids is not None:
        for verdict in judged.verdicts:
            # What the plan did not see as it is now is compared with what comes later.
            made = verdict.fate is Fate.CREATE and verdict.number not in told
            if made and verdict.draft is not None:
                verdict.draft.id = ids.of(verdict.number)
        if plain and names is not None and isinstance(by, User):
            done = [place for place in plain if block.ready and block.ready[place] is not None]
            if done:
                judged.keys = names.keys(done, block, ids)
                judged.making = partial(
                    names.ready, done, block, ids, by, with_keys=judged.keys is None
                )
            if len(done) < len(plain):
                judged.drafts = names.drafts(sorted({*plain}.difference(done)), block, ids, by)
    return judged


def look_up(names: Names, by: User, block: Block) -> None:
    """Note in `block`, before it is judged, which rows repeat what is stored."""
    names.read(block, linking.Links(), by)
    found = _repeated(names, block, by, (), None)
    block.same = [found.get(place, "") for place in range(len(block))]


def _repeated(
    names: Names,
    block: Block,
    by: User,
    told: Collection[int],
    among: Collection[int] | None,
) -> dict[int, str]:
    """Records by the places of the rows that change nothing of them. `among`: only these rows."""
    are_there = names.are_there
    places = [
        place
        for place, (number, row, texts) in enumerate(
            zip(block.numbers, block.rows, block.texts, strict=True)
        )
        if row is None
        and number not in told
        and (among is None or number in among)
        and are_there(texts)
    ]
    if not places:
        return {}
    entity, layout = names.mapping.entity, names.layout
    return unchanged(entity, layout, block, places, names.ids, by=by)


def _trusted(
    names: Names,
    block: Block,
    repeated: dict[int, str],
    *,
    told: Collection[int],
    ids: Ids | None,
) -> list[int]:
    """Places of the rows that are like nothing that there is, when a plan has compared the rows of
    the file with each other."""
    entity = names.mapping.entity
    stored = held(_asking(block, repeated), entity, but=ids.ends if ids else None)
    # Keys of rows that go the long way: who shares one goes behind them.
    others = _keys_of(entity, block, told)
    if not repeated and not stored and not others:
        rows = zip(block.rows, block.numbers, block.texts, strict=True)
        return [
            place
            for place, (row, number, texts) in enumerate(rows)
            if row is None and number not in told and names.are_known(texts)
        ]
    plain = []
    for place, own in enumerate(block.keys):
        if place in repeated:
            if others.isdisjoint(own):
                continue
            del repeated[place]
            stored.update(own)
        if (
            block.rows[place] is None
            and others.isdisjoint(own)
            and block.numbers[place] not in told
            and stored.isdisjoint(own)
            and names.are_known(block.texts[place])
        ):
            plain.append(place)
    return plain


def _plain(
    names: Names,
    block: Block,
    repeated: dict[int, str],
    seen: Earlier,
    *,
    told: Collection[int],
    aside: Aside | None,
) -> list[int]:
    """Places of the rows that are like nothing that there is, nor like an earlier row; these are
    remembered. Of the rows that are `repeated` those are taken out of which an earlier row may have
    changed the record."""
    entity = names.mapping.entity
    stored = held(_asking(block, repeated), entity)
    room = room_for(entity, {entity.name})
    seen.trust(names.layout.glance)
    glances = Glances(seen, room, aside) if entity.name in room.judges else None
    changed = seen.changed if len(seen.changed) else None
    # Keys of rows that go the long way: who shares one goes behind them.
    others: set[int] = set()
    entered: dict[int, int] = {}
    for place, own in enumerate(block.keys):
        row, number = block.rows[place], block.numbers[place]
        if place in repeated:
            if others.isdisjoint(own) and not (
                changed and changed.get(key_of(uuid.UUID(repeated[place])))
            ):
                continue
            del repeated[place]
            stored.update(own)
        if (
            row is not None
            or not others.isdisjoint(own)
            or number in told
            or not stored.isdisjoint(own)
            or not names.are_known(block.texts[place])
        ):
            others.update(own if row is None else _own(entity, row))
            continue
        at = entered[place] = seen.next
        glance = block.glances[place]
        alike = seen.enter(number, own, block.packed[place], glance)
        if alike and glances is not None:
            glances.ask(Question(place, at, glance, alike))
    found = glances.answers() if glances is not None else []
    doubles = {
        place
        for place, alike in found
        if _is_like_any(block, place, seen.held(alike, room), room, names.layout)
    }
    if doubles:
        _set_apart(doubles, block, repeated, entered, seen)
    return [*entered]


def _set_apart(
    doubles: Collection[int],
    block: Block,
    repeated: dict[int, str],
    entered: dict[int, int],
    seen: Earlier,
) -> None:
    """The rows that are like an earlier one go the long way, and those behind them that share a key
    with one that does."""
    others: set[int] = set()
    for place, own in enumerate(block.keys):
        if place in doubles or not others.isdisjoint(own):
            if place in entered:
                seen.leave(entered.pop(place))
            elif not repeated.pop(place, None):
                continue
            others.update(own)


def _asking(block: Block, repeated: Collection[int]) -> Iterable[int]:
    """The keys of the rows that are not repeated."""
    return chain.from_iterable(own for at, own in enumerate(block.keys) if at not in repeated)


def _is_like_any(
    block: Block, place: int, others: Iterable[tuple[Held, str]], room: Room, layout: Layout
) -> bool:
    """Whether the row is the same as one of the `others`, which come with their glances."""
    tells = layout.glance == room.shape.told
    ours = room.shape.lazily(
        *layout.open(block.packed[place]), block.glances[place] if tells else ""
    )
    return any(
        room.strongest(room.entity.name, ours, room.shape.lazily(*theirs, glance))
        for theirs, glance in others
    )


def _own(entity: Entity, row: Row) -> Sequence[int]:
    """The keys of a row that is not compact, as far as it has any."""
    if row.reasons:
        return ()
    return keys(entity, {**row.values, **entity.derive(row.values)}, row.links)


def _keys_of(entity: Entity, block: Block, told: Collection[int]) -> set[int]:
    """Keys of the rows that people have repaired or decided about since they were compared."""
    found: set[int] = set()
    if told:
        for number, row, own in zip(block.numbers, block.rows, block.keys, strict=True):
            if number in told:
                found.update(own if row is None else _own(entity, row))
    return found
