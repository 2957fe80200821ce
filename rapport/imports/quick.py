"""The quick way for rows about which there is nothing to say: new records that nobody has.

Whatever is not certain goes the long way, through `judge`: a key that a stored record or an earlier
row has, a name that leads nowhere. Both ways must come to the same; this one only saves the time.
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Collection
from itertools import chain
from typing import Any

from rapport.access import Actor
from rapport.duplicates import normalise
from rapport.duplicates.find import held
from rapport.duplicates.keys import keys, plan_of
from rapport.meta.entity import Draft, Entity, Known
from rapport.meta.ids import new_id
from rapport.models import User
from rapport.models.operations import Fate

from . import links as linking
from .compact import Block, Layout
from .decisions import NOTHING, Decided
from .judge import judge
from .mapping import Mapping
from .rows import Row
from .seen import Earlier
from .sources import Siblings
from .verdict import Judged

# Rows of one import may have numbers below this; see `Ids`.
_ROWS = 1 << 24


class Ids:
    """The ids of the records that one plan makes: one after another, so that a row gets the same id
    whenever it is judged, and what the import itself has made is known by its id."""

    def __init__(self, plan: uuid.UUID) -> None:
        self._base = plan.int & ~(_ROWS - 1)

    def of(self, row: int) -> uuid.UUID:
        """The id of the record that `row` becomes."""
        return uuid.UUID(int=self._base | row) if row < _ROWS else new_id()

    @property
    def ends(self) -> tuple[uuid.UUID, uuid.UUID]:
        """The first and the last."""
        return uuid.UUID(int=self._base), uuid.UUID(int=self._base | (_ROWS - 1))


def judge_block(
    mapping: Mapping,
    layout: Layout | None,
    block: Block,
    *,
    by: Actor,
    now: datetime.datetime,
    seen: Earlier | None = None,
    decided: Decided = NOTHING,
    told: Collection[int] = (),
    ids: Ids | None = None,
    lock: bool = False,
    siblings: Siblings | None = None,
) -> Judged:
    """As `judge`. `told`: numbers of rows of which the plan says something. `ids`: of the records
    to be made; without them no drafts are made, which a plan has no use for."""
    links = linking.Links()
    if layout is None or not isinstance(by, User) or decided.alike.get(Fate.CREATE):
        plain: list[int] = []
    else:
        names = _Names(mapping, layout, block, links, by)
        plain = [
            place
            for place, row in enumerate(block.rows)
            if row is None and block.numbers[place] not in told and names.are_known(place)
        ]
        plain = _unlike(mapping.entity, block, plain, seen, ids)
        if seen is None and told:
            others = _keys_of(mapping.entity, block, told)
            plain = [place for place in plain if others.isdisjoint(block.keys[place])]
        names.ask_for(plain)
    taken = set(plain)
    rest = [
        block.row(place, layout) if layout else block.rows[place]
        for place in range(len(block))
        if place not in taken
    ]
    if seen is not None:
        for place in plain:
            seen.add(block.numbers[place], block.keys[place], block.packed[place])
    judged = judge(
        mapping, [row for row in rest if row is not None], by=by, now=now, seen=seen,
        decided=decided, lock=lock, siblings=siblings, links=links,
    )  # fmt: skip
    judged.simple = [block.numbers[place] for place in plain]
    if ids is not None:
        for verdict in judged.verdicts:
            # What the plan did not see as it is now is compared with what comes later.
            made = verdict.fate is Fate.CREATE and verdict.number not in told
            if made and verdict.draft is not None:
                verdict.draft.id = ids.of(verdict.number)
        if plain and layout is not None and isinstance(by, User):
            judged.drafts = names.drafts(plain, ids, by)
    return judged


def _unlike(
    entity: Entity, block: Block, plain: list[int], seen: Earlier | None, ids: Ids | None
) -> list[int]:
    """Those of the places `plain` whose rows share no key with anything."""
    own_keys = block.keys
    every = list(chain.from_iterable(own_keys[place] for place in plain))
    own = set(every)
    shared = held(own, entity, but=ids.ends if ids else None) if own else set()
    if seen is not None:
        # To be applied, the plan is trusted: it has compared the rows of the file.
        if len(own) < len(every):
            once: set[int] = set()
            for key in every:
                (shared if key in once else once).add(key)
        is_known = seen.is_known
        plain = [place for place in plain if not is_known(own_keys[place])]
    if not shared:
        return plain
    return [place for place in plain if shared.isdisjoint(own_keys[place])]


def _keys_of(entity: Entity, block: Block, told: Collection[int]) -> set[int]:
    """Keys of the rows that people have repaired or decided about since they were compared."""
    found: set[int] = set()
    for number, row, own in zip(block.numbers, block.rows, block.keys, strict=True):
        if number in told:
            if row is not None and not row.reasons:
                own = tuple(keys(entity, {**row.values, **entity.derive(row.values)}, row.links))
            found.update(own)
    return found


class _Names:
    """What the rows of a block name, each text looked for once."""

    def __init__(
        self, mapping: Mapping, layout: Layout, block: Block, links: linking.Links, by: User
    ) -> None:
        self._layout, self._block, self._links = layout, block, links
        # By look-up: {text: (id, title)} of those that leave no question.
        self._known: list[dict[str, tuple[Any, str]]] = []
        exact = bool(plan_of(mapping.entity).own)
        for place, lookup in enumerate(layout.links):
            asking: dict[str, Row] = {}
            for number, row, texts in zip(block.numbers, block.rows, block.texts, strict=True):
                text = texts[place] if row is None else _text(row, lookup)
                if text and text not in asking:
                    asking[text] = Row(number, {}, {lookup: text})
            linking.resolve(mapping, list(asking.values()), links, by=by)
            found: dict[str, tuple[Any, str]] = {"": (None, "")}
            for text, row in asking.items():
                title = links.names.get(row.number, {}).get(lookup)
                if title is not None and not row.reasons and _is_called(text, title, exact):
                    found[text] = row.values[lookup], title
            self._known.append(found)
        links.names.clear()

    def are_known(self, place: int) -> bool:
        """Whether a row names what is there or will be made."""
        texts = self._block.texts[place]
        return all(text in known for text, known in zip(texts, self._known, strict=True))

    def ask_for(self, plain: list[int]) -> None:
        """Let those that are to be made be made for these rows."""
        wanted = {new.id: new for made in self._links.new.values() for new in made.values()}
        if not wanted:
            return
        numbers, texts = self._block.numbers, self._block.texts
        for place in plain:
            for text, known in zip(texts[place], self._known, strict=True):
                new = wanted.get(known[text][0])
                if new is not None:
                    new.asked_by.add(numbers[place])

    def drafts(self, plain: list[int], ids: Ids, by: User) -> list[Draft]:
        """The records that these rows become, checked as `checking.check` would."""
        block, layout = self._block, self._layout
        given = {"owner": by.pk, "owning_unit": by.business_unit_id}
        made = []
        for place in plain:
            values, texts = layout.open(block.packed[place])
            names: dict[str, str] = {}
            for lookup, known in zip(layout.links, self._known, strict=True):
                if text := texts.get(lookup):
                    values[lookup], names[lookup] = known[text]
            values.update(given)
            number = block.numbers[place]
            known_ = Known({n: values.get(n, "") for n in layout.derived}, names, block.keys[place])
            made.append(Draft(ids.of(number), values, source_row=number, known=known_))
        return made


def _text(row: Row, lookup: str) -> str:
    return "" if row.reasons else row.links.get(lookup, "")


def _is_called(text: str, title: str, exact: bool) -> bool:
    """Whether a record called `title` has the same keys as one called `text`."""
    if exact or text == title:
        return text == title
    return normalise.words(text) == normalise.words(title) and normalise.company(
        text
    ) == normalise.company(title)
