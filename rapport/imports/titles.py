"""What the rows of a file name by title, kept while it is planned or applied."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping as MappingType, Sequence

from rapport.actions import readymade
from rapport.actions.idlists import id_texts
from rapport.actions.readymade import Keys, Ready
from rapport.actions.rows import Packed
from rapport.duplicates import normalise
from rapport.duplicates.keys import plan_of
from rapport.meta.entity import Draft, Known
from rapport.meta.folding import fold
from rapport.models import User

from . import links as linking
from .compact import MARK, Block, Layout
from .links import Named
from .mapping import Mapping
from .rowids import Ids
from .rows import Row

# Texts that are kept per look-up.
KEPT = 200_000
_ASKED_FOR = Named(uuid.UUID(int=0), "")


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
