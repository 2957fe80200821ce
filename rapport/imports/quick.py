"""The quick way for rows about which there is nothing to say: new records that nobody has.

Whatever is not certain goes the long way, through `judge`: a key that a stored record or an earlier
row has, a name that leads nowhere. Both ways must come to the same; this one only saves the time.
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Collection, Iterable, Mapping as MappingType, Sequence
from functools import partial
from itertools import chain

from rapport.access import Actor
from rapport.actions import readymade
from rapport.actions.idlists import id_texts
from rapport.actions.readymade import Keys, Ready
from rapport.actions.rows import Packed
from rapport.duplicates import fresh, normalise
from rapport.duplicates.find import held
from rapport.duplicates.keys import keys, plan_of
from rapport.duplicates.room import Room, room_for
from rapport.meta.entity import Draft, Entity, Known
from rapport.meta.folding import fold
from rapport.meta.ids import new_id
from rapport.models import User
from rapport.models.operations import Fate

from . import links as linking
from .compact import MARK, Block, Layout
from .decisions import NOTHING, Decided
from .doubles import Trusted, key_of
from .judge import judge
from .links import Named
from .mapping import Mapping
from .rows import Row
from .seen import Earlier
from .sources import Siblings
from .unchanged import unchanged
from .verdict import Judged

# Texts that are kept per look-up.
KEPT = 200_000
_ASKED_FOR = Named(uuid.UUID(int=0), "")
# Rows of one import may have numbers below this; see `Ids`.
_ROWS = 1 << fresh.ROWS


class Ids:
    """The ids of the records that one plan makes: one after another, so that a row gets the same id
    whenever it is judged, and what the import itself has made is known by its id."""

    def __init__(self, plan: uuid.UUID) -> None:
        self._base = plan.int & ~(_ROWS - 1)

    def of(self, row: int) -> uuid.UUID:
        """The id of the record that `row` becomes."""
        return uuid.UUID(int=self._base | row) if row < _ROWS else new_id()

    def hex_of(self, row: int) -> str:
        """The same as hexadecimal digits."""
        return f"{self._base | row:032x}" if row < _ROWS else new_id().hex

    @property
    def ends(self) -> tuple[uuid.UUID, uuid.UUID]:
        """The first and the last."""
        return uuid.UUID(int=self._base), uuid.UUID(int=self._base | (_ROWS - 1))


def judge_block(
    mapping: Mapping,
    names: Names | None,
    block: Block,
    *,
    by: Actor,
    now: datetime.datetime,
    seen: Earlier | None = None,
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
    for."""
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
        plain = _plain(names, block, repeated, seen=seen, told=left, ids=ids)
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


def _plain(
    names: Names,
    block: Block,
    repeated: dict[int, str],
    *,
    seen: Earlier | None,
    told: Collection[int],
    ids: Ids | None,
) -> list[int]:
    """Places of the rows that are like nothing that there is. Of the rows that are `repeated` those
    are taken out of which an earlier row may have changed the record."""
    entity = names.mapping.entity
    asking = chain.from_iterable(k for p, k in enumerate(block.keys) if p not in repeated)
    stored = held(asking, entity, but=ids.ends if ids else None)
    # Keys of rows that go the long way: who shares one goes behind them.
    others = _keys_of(entity, block, told) if seen is None else set()
    if seen is None and not repeated and not stored and not others:
        rows = zip(block.rows, block.numbers, block.texts, strict=True)
        return [
            place
            for place, (row, number, texts) in enumerate(rows)
            if row is None and number not in told and names.are_known(texts)
        ]
    room = room_for(entity, {entity.name})
    if seen is not None:
        seen.trust(names.layout.glance)
    plain = []
    changed = seen.changed if seen is not None and len(seen.changed) else None
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
            or (seen is not None and _is_like_earlier(block, place, seen, room, names.layout))
        ):
            if seen is not None:
                others.update(own if row is None else _own(entity, row))
            continue
        plain.append(place)
        # To be applied, the plan is trusted: it has compared the rows of the file.
        if seen is not None:
            seen.add(number, own, block.packed[place], block.glances[place])
    return plain


def _is_like_earlier(block: Block, place: int, seen: Earlier, room: Room, layout: Layout) -> bool:
    """Whether an earlier row is the same."""
    if room.entity.name not in room.judges:
        return False
    likes = seen.like(block.keys[place], block.glances[place], room)
    if not likes:
        return False
    ours = room.shape.lazily(*layout.open(block.packed[place]))
    return any(
        room.strongest(room.entity.name, ours, room.shape.lazily(*theirs))
        for _number, theirs in likes
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


def names_of(mapping: Mapping, layout: Layout | None) -> Names | None:
    """What keeps the names of rows that have this layout."""
    return Names(mapping, layout) if layout else None


class Names:
    """What the rows of a file name: each text is looked for once, and kept."""

    def __init__(self, mapping: Mapping, layout: Layout) -> None:
        self.layout = layout
        self.mapping = mapping
        # By look-up: {text: (id, title)} of those that leave no question.
        self._kept: list[dict[str, Named]] = [{} for _ in layout.links]
        self._known: list[dict[str, Named]] = []
        # Texts of the batch, of any look-up, that lead nowhere.
        self._lost: set[str] = set()
        # Those of which not all is kept.
        self._asked: set[str] = set()
        self._ids: list[dict[str, str]] = [{} for _ in layout.links]
        self._state: int | None = None

    def stay(self, state: int | None) -> None:
        """Forget what is kept unless the database is in the same state as before."""
        if state is None or state != self._state:
            self._kept = [{} for _ in self.layout.links]
            self._ids = [{} for _ in self.layout.links]
        self._state = state

    def read(
        self, block: Block, links: linking.Links, by: User, *, but: Collection[int] = ()
    ) -> None:
        """Find what these rows name, other than those at the places `but`."""
        exact = bool(plan_of(self.mapping.entity).own)
        self._known, self._lost, self._asked = [], set(), set()
        for place, lookup in enumerate(self.layout.links):
            kept = self._kept[place]
            if len(kept) > KEPT:
                kept.clear()
                self._ids[place].clear()
            asking: dict[str, Row] = {}
            rows = zip(block.numbers, block.rows, block.texts, strict=True)
            for at, (number, row, texts) in enumerate(rows):
                if at in but:
                    continue
                text = texts[place] if row is None else _text(row, lookup)
                if text and text not in kept and text not in asking:
                    asking[text] = Row(number, {}, {lookup: text})
            linking.resolve(self.mapping, list(asking.values()), links, by=by)
            made = links.pending
            found: dict[str, Named] = {}
            for text, row in asking.items():
                title = links.names.get(row.number, {}).get(lookup)
                if title is not None and not row.reasons and _is_called(text, title, exact):
                    id_ = row.values[lookup]
                    # Mostly it is written just so: one text for both.
                    named = Named(id_, text if text == title else title)
                    (found if id_ in made else kept)[text] = named
            self._known.append(found)
            self._asked.update(text for text in asking if text not in kept)
            self._lost.update(text for text in asking if text not in kept and text not in found)
        links.names.clear()

    def are_known(self, texts: Iterable[str]) -> bool:
        """Whether a row names what is there or will be made."""
        return self._lost.isdisjoint(texts)

    def are_there(self, texts: Iterable[str]) -> bool:
        """Whether all that a row names is stored, or has been asked for before."""
        return self._asked.isdisjoint(texts)

    def ids(self, place: int, texts: Collection[str]) -> MappingType[str, str]:
        """The ids, as the database writes them, of what these texts name by this look-up."""
        known, kept = self._ids[place], self._kept[place]
        unknown = [text for text in texts if text and text not in known]
        known.update(zip(unknown, id_texts(kept[text].id for text in unknown), strict=True))
        return known

    def ask_for(
        self, plain: Sequence[int], block: Block, links: linking.Links, *, making: bool
    ) -> None:
        """Let what these rows name be made where it is not there. Unless it is really `making`,
        nobody asks which record that would be."""
        if not any(self._known):
            return
        wanted = {new.id: new for made in links.new.values() for new in made.values()}
        for at, (kept, known) in enumerate(zip(self._kept, self._known, strict=True)):
            for place in plain if known else ():
                text = block.texts[place][at]
                if text in known:
                    # Kept only now: what no row asks for in the end is not made.
                    named = known.pop(text)
                    kept[text] = named if making else _ASKED_FOR
                    wanted[named.id].asked_by.add(block.numbers[place])

    def keys(self, plain: Sequence[int], block: Block, ids: Ids) -> Keys | None:
        """The keys of these rows, where all of them are packed."""
        wanted = {ids.hex_of(block.numbers[place]) for place in plain}
        packed = [one for _first, _last, one in block.stored]
        there = frozenset().union(*(one.ids for one in packed))
        return Keys(packed, there - wanted) if wanted <= there else None

    def ready(
        self, plain: Sequence[int], block: Block, ids: Ids, by: User, *, with_keys: bool
    ) -> Ready:
        """The records that these rows become, checked as `checking.check` would."""
        search = [block.search[place] for place in plain]
        links: dict[str, Sequence[str | None]] = {}
        for at, lookup in enumerate(self.layout.links):
            texts = [block.texts[place][at] for place in plain]
            mark, known = MARK % at, self._as_written(at, texts)
            links[lookup] = [known[text][0] if text else None for text in texts]
            search = [
                found.replace(mark, known[text][1]) if text else found
                for found, text in zip(search, texts, strict=True)
            ]
        entity = self.mapping.entity
        names = readymade.packed_columns(entity, self.layout.fields)
        return Ready(
            ids=[ids.hex_of(block.numbers[place]) for place in plain],
            source_rows=[block.numbers[place] for place in plain],
            links=links,
            search=search,
            keys=[block.keys[place] for place in plain] if with_keys else None,
            own=Packed(names, [block.ready[place] for place in plain]),
            same={"owner": by.pk, "owning_unit": by.business_unit_id},
        )

    def _as_written(self, at: int, texts: Iterable[str]) -> MappingType[str, tuple[str, str]]:
        """What new records get of that which these texts name by this look-up: the id as
        hexadecimal digits, the folded title."""
        # Made anew for each batch: to keep it took thirty megabytes for a hundred thousand names.
        kept = self._kept[at]
        return {text: (kept[text].id.hex, fold(kept[text].title)) for text in {*texts} if text}

    def drafts(self, plain: Sequence[int], block: Block, ids: Ids, by: User) -> list[Draft]:
        """The records that these rows become, checked as `checking.check` would."""
        layout = self.layout
        given = {"owner": by.pk, "owning_unit": by.business_unit_id}
        made = []
        for place in plain:
            values, texts = layout.open(block.packed[place])
            titles: dict[str, str] = {}
            for lookup, kept in zip(layout.links, self._kept, strict=True):
                if text := texts.get(lookup):
                    values[lookup], titles[lookup] = kept[text]
            values.update(given)
            number = block.numbers[place]
            search = block.search[place] if block.search else ""
            for at, lookup in enumerate(layout.links):
                if lookup in titles:
                    search = search.replace(MARK % at, fold(titles[lookup]))
            follows = {n: values.get(n, "") for n in layout.derived}
            known = Known(follows, titles, block.keys[place], search or None)
            made.append(Draft(ids.of(number), values, source_row=number, known=known))
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
