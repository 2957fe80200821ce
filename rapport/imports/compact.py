"""Rows in little room: what is needed of all of them in columns, the rest as bytes that hardly
anybody has to look into. A process of its own makes them, see `ahead`.

Only rows about which there is nothing to say are compact: every cell fits, nothing is missing, and
they name nothing but records that are found by their title. All others come as they are, and so
does every row of a mapping that asks for more.
"""

from __future__ import annotations

import datetime
import pickle
from array import array
from collections.abc import Callable, Iterable, Mapping as MappingType, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice
from typing import Any, NamedTuple

from rapport.actions import checking, derived, keyring, readymade
from rapport.duplicates.columns import Columns
from rapport.duplicates.features import Feature
from rapport.duplicates.keys import has_title_key, keys_of, plan_of
from rapport.duplicates.room import room_for
from rapport.files.read import Record
from rapport.meta.entity import Entity
from rapport.meta.kinds import Kind
from rapport.meta.registry import registry

from . import standing
from .cells import is_named
from .mapping import Mapping
from .names import PARTS
from .rows import Converter, Row

# Field values of a row, and the titles of what it names by look-up.
Held = tuple[MappingType[str, Any], MappingType[str, str]]
# Stands for the title of what a row names.
MARK = "\x00%d\x00"
# With this the bytes of a row begin that is not compact: no text in UTF-8 does.
_AS_IT_IS = b"\x80"
# Between the cells of a compact row.
CELL = "\x1f"
# Their number is kept in a byte.
MOST_KEYS = 255


class Texts(NamedTuple):
    """How values of a kind are written as texts, and read again."""

    write: Callable[[Any], str]
    read: Callable[[str], Any]


# Of kinds whose values are no texts. What is not here makes no compact rows.
TEXTS: dict[Kind, Texts] = {
    Kind.CHOICE: Texts(str, int),
    Kind.STATE: Texts(str, int),
    Kind.NUMBER: Texts(str, int),
    Kind.MONEY: Texts(str, Decimal),
    Kind.DATE: Texts(datetime.date.isoformat, datetime.date.fromisoformat),
    Kind.DATETIME: Texts(datetime.datetime.isoformat, datetime.datetime.fromisoformat),
    Kind.BOOLEAN: Texts(lambda value: "1" if value else "0", lambda text: text == "1"),
}
_PLAIN = frozenset({Kind.TEXT, Kind.LONG_TEXT, Kind.EMAIL, Kind.PHONE, Kind.URL})


@dataclass(frozen=True, slots=True)
class Layout:
    """What stands where in the bytes of a compact row: first the texts of its look-ups, then the
    values of its fields; `derived` are those that follow from others. `other`: which cells are no
    texts. `glance`: what glances tell."""

    links: tuple[str, ...]
    fields: tuple[str, ...]
    derived: frozenset[str]
    other: tuple[tuple[int, Texts], ...]
    glance: tuple[Feature, ...]

    def pack(self, columns: Sequence[Sequence[Any]]) -> list[bytes] | None:
        """Rows as bytes, of the columns of their look-ups and fields; None where that cannot be,
        because a text has in it what stands between cells."""
        cells = [
            ["" if one is None else one for one in column] if None in column else column
            for column in columns
        ]
        for place, texts in self.other:
            cells[place] = ["" if one == "" else texts.write(one) for one in cells[place]]
        rows = list(map(CELL.join, zip(*cells, strict=True)))
        if "".join(rows).count(CELL) != (len(cells) - 1) * len(rows):
            return None
        return list(map(str.encode, rows))

    def open(self, packed: bytes) -> tuple[dict[str, Any], dict[str, str]]:
        """Values and texts of a compact row."""
        return self.named(self.cells(packed))

    def cells(self, packed: bytes) -> tuple[Any, ...]:
        """Texts of the look-ups and values of the fields; None for what is blank."""
        found: list[Any] = [one or None for one in packed.decode().split(CELL)]
        for place, texts in self.other:
            if (one := found[place]) is not None:
                found[place] = texts.read(one)
        return tuple(found)

    def texts(self, packed: Iterable[bytes]) -> list[tuple[str, ...]]:
        """The cells of rows by columns as they are packed, "" for blank ones."""
        return list(zip(*[one.split(CELL) for one in map(bytes.decode, packed)], strict=True))

    def columns(self, packed: Sequence[bytes]) -> list[Sequence[Any]]:
        """The cells of rows by columns; blank ones as "" or None."""
        columns: list[Sequence[Any]] = [*self.texts(packed)]
        for place, texts in self.other:
            columns[place] = [texts.read(one) if one else None for one in columns[place]]
        return columns

    def named(self, found: tuple[Any, ...]) -> tuple[dict[str, Any], dict[str, str]]:
        """Values and texts of these cells."""
        count = len(self.links)
        texts = {n: text for n, text in zip(self.links, found, strict=False) if text}
        values = {
            n: one for n, one in zip(self.fields, found[count:], strict=True) if one is not None
        }
        return values, texts


def layout_of(mapping: Mapping) -> Layout | None:
    """How rows of this mapping are packed; None when it asks for what only a look at every row
    can tell."""
    entity = mapping.entity
    names = {*mapping.fields, *mapping.constants}
    fields = [entity.fields[name] for name in sorted(names) if name in entity.fields]
    links = [found for found in fields if is_named(found)]
    unique = {checking.field_over(entity, c) for u in checking.unique_columns(entity) for c in u}
    following = entity.derive({})
    shape = room_for(entity, {entity.name}).shape
    told = {*plan_of(entity).fields, *shape.fields} - names - following.keys()
    if (
        len(fields) < len(names)  # a record id, or fields of a part
        or mapping.match
        or entity.prepare is not None
        or entity.ownership != "user"
        or unique & names
        or not all(_is_found_by_title(entity, found.name) for found in links)
        or not all(is_named(f) or f.kind in _PLAIN or f.kind in TEXTS for f in fields)
        or told & {"owner", "owning_unit", "state", "status"}
        or names & standing.NAMES
    ):
        return None
    plain = {found.name for found in fields if not is_named(found)}
    if entity.title in plain and entity.fields[entity.title].read_only:
        plain |= {name for name in PARTS if name in entity.fields}
    cells = sorted(plain | following.keys())
    kinds = [entity.fields[name].kind for name in cells]
    other = [(at, TEXTS[kind]) for at, kind in enumerate(kinds, len(links)) if kind in TEXTS]
    return Layout(
        tuple(found.name for found in links),
        tuple(cells),
        frozenset(following),
        tuple(other),
        shape.told,
    )


def _is_found_by_title(entity: Entity, lookup: str) -> bool:
    found = entity.fields[lookup]
    return (
        found.kind is Kind.LOOKUP
        # Its name may be that of another row.
        and found.target != entity.name
        and has_title_key(registry[found.target or ""])
    )


@dataclass(slots=True)
class Block:
    """Rows in the order of the file. `rows`: those that are not compact, else None. Of the others:
    their bytes, their match keys, the texts of their look-ups, and of finished ones `search`, what
    search finds them by, with a mark for each title that is not known yet, and `ready`, their
    columns as the database takes them; None where that cannot be said yet. `glances`: what is
    compared first with other rows. `stored`: keys of finished rows, packed for the database, with
    the numbers of the first and the last. `same`: the ids, as texts, of the records that rows
    repeat without changing anything, '' for the others; empty where nobody has looked."""

    numbers: list[int] = field(default_factory=list)
    rows: list[Row | None] = field(default_factory=list)
    packed: list[bytes] = field(default_factory=list)
    keys: list[tuple[int, ...]] = field(default_factory=list)
    texts: list[tuple[str, ...]] = field(default_factory=list)
    search: list[str] = field(default_factory=list)
    ready: list[Any] = field(default_factory=list)
    glances: list[str] = field(default_factory=list)
    stored: list[tuple[int, int, keyring.Packed]] = field(default_factory=list)
    same: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.numbers)

    def extend(self, other: Block) -> None:
        """Add the rows that follow."""
        self.numbers += other.numbers
        self.rows += other.rows
        self.packed += other.packed
        self.glances += other.glances
        self.keys += other.keys
        self.texts += other.texts
        self.search += other.search
        self.ready += other.ready
        self.stored += other.stored
        self.same += other.same

    def cut(self, size: int) -> Block:
        """Take off the first `size` rows."""
        parts: tuple[list[Any], ...] = (
            self.numbers, self.rows, self.packed, self.keys, self.texts, self.search, self.ready,
            self.glances,
        )  # fmt: skip
        taken = Block(*(part[:size] for part in parts))
        taken.same = self.same[:size]
        for part in (*parts, self.same):
            del part[:size]
        if taken.numbers:
            last = taken.numbers[-1]
            # What is cut through belongs to both.
            taken.stored = [one for one in self.stored if one[0] <= last]
            self.stored = [one for one in self.stored if one[1] > last]
        return taken

    def row(self, place: int, layout: Layout | None) -> Row:
        """A row as it is. Without a layout none is compact."""
        found = self.rows[place]
        if found is not None:
            return found
        assert layout is not None
        values, links = layout.open(self.packed[place])
        values = {n: value for n, value in values.items() if n not in layout.derived}
        return Row(self.numbers[place], values, links)

    def dump(self) -> bytes:
        """The block as bytes."""
        hashes = array("q", [key for own in self.keys for key in own])
        counts = bytes(map(len, self.keys))
        odd = [(place, row) for place, row in enumerate(self.rows) if row is not None]
        numbers = array("Q", self.numbers)
        parts = (
            numbers, self.packed, hashes, counts, self.texts, odd, self.search, self.ready,
            self.glances, self.stored, self.same,
        )  # fmt: skip
        return pickle.dumps(parts, pickle.HIGHEST_PROTOCOL)

    @classmethod
    def load(cls, dumped: bytes) -> Block:
        """The inverse of `dump`."""
        found = pickle.loads(dumped)  # noqa: S301 -- our own
        numbers, packed, hashes, counts, texts, odd, search, ready, glances, stored, same = found
        rows: list[Row | None] = [None] * len(numbers)
        for place, row in odd:
            rows[place] = row
        rest = iter(hashes)
        own = [tuple(islice(rest, count)) for count in counts]
        return cls(list(numbers), rows, packed, own, texts, search, ready, glances, stored, same)


class Packer:
    """Makes blocks of rows. Needs no database once it is made."""

    def __init__(self, mapping: Mapping, layout: Layout | None) -> None:
        self._entity = mapping.entity
        self._layout = layout
        self._fields = frozenset(layout.fields if layout else ())
        self._links = frozenset(layout.links if layout else ())
        self._shape = room_for(mapping.entity, {mapping.entity.name}).shape
        self._can_pack = readymade.can_pack(mapping.entity)
        # An owner is given to every record; a field with a default need not be filled.
        self._required = [
            found.name
            for found in mapping.entity.fields.values()
            if found.required and found.default in {None, ""} and found.name != "owner"
        ]

    def finish(self, block: Block, id_of: Callable[[int], str]) -> Block:
        """The block with all of its rows that the database is given, as far as that is known.
        `id_of`: the ids that rows get, as hexadecimal digits."""
        layout = self._layout
        block.search, block.ready = [""] * len(block), [None] * len(block)
        if layout is None or not self._can_pack:
            return block
        places = [place for place, row in enumerate(block.rows) if row is None]
        if not places:
            return block
        columns = layout.columns([block.packed[place] for place in places])
        count = len(layout.links)
        found = dict(zip(layout.fields, columns[count:], strict=True))
        for at, name in enumerate(layout.links):
            found[name] = [MARK % at if text else "" for text in columns[at]]
        made = derived.search_of(self._entity, found, len(places))
        ready = readymade.pack(self._entity, layout.fields, columns[count:])
        for place, text, own in zip(places, made, ready, strict=True):
            # What is nearly too long is cut when the titles are known.
            if len(text) < derived.SEARCH_LENGTH // 2:
                block.search[place], block.ready[place] = text, own
        done = [place for place in places if block.ready[place] is not None]
        ids = [id_of(block.numbers[place]) for place in done]
        stored = keyring.pack(self._entity, ids, [block.keys[place] for place in done])
        if done:
            block.stored = [(block.numbers[done[0]], block.numbers[done[-1]], stored)]
        return block

    def block(self, rows: Sequence[Row]) -> Block:
        """These rows, compact where they can be."""
        block = _empty([row.number for row in rows])
        block.rows[:] = rows
        self._pack_rows(block, range(len(rows)))
        return block

    def read(self, converter: Converter, records: Sequence[Record]) -> Block:
        """The rows of these records, without making those that are compact."""
        sheet = converter.sheet(records) if self._layout is not None else None
        if sheet is None:
            return self.block(converter.rows(records))
        columns: dict[str, list[Any]] = {**sheet.values, **sheet.links}
        self._derive(columns, len(records))
        odd = sheet.odd | self._incomplete(columns, len(records))
        block = _empty([record.number for record in records])
        places: Sequence[int] = range(len(records))
        if odd:
            again = sorted(odd)
            rows = converter.rows([records[place] for place in again])
            for place, row in zip(again, rows, strict=True):
                block.rows[place] = row
            self._pack_rows(block, again)
            places = [place for place in places if place not in odd]
            columns = {n: [one[place] for place in places] for n, one in columns.items()}
        if places and not self._put(block, places, Columns.of(self._entity, len(places), columns)):
            return self.block(converter.rows(records))
        return block

    def _derive(self, columns: dict[str, list[Any]], count: int) -> None:
        """Add the columns of what follows from others."""
        assert self._layout is not None
        if not self._layout.derived:
            return
        names = [n for n in self._entity.derived_from or columns if n in columns]
        rows = zip(*[columns[name] for name in names], strict=True) if names else [()] * count
        # Blank ones are left out, as they are of a row.
        made = [
            self._entity.derive(
                {n: one for n, one in zip(names, row, strict=True) if one or one == 0}
            )
            for row in rows
        ]
        for name in self._layout.derived:
            columns[name] = [one.get(name) for one in made]

    def _incomplete(self, columns: MappingType[str, list[Any]], count: int) -> set[int]:
        """Places of records that lack what must be filled."""
        found: set[int] = set()
        for name in self._required:
            column = columns.get(name, [None] * count)
            if not all(column):
                found.update(at for at, one in enumerate(column) if one is None or one == "")
        return found

    def _pack_rows(self, block: Block, places: Sequence[int]) -> None:
        """Make those of the rows at these places compact that can be."""
        if self._layout is None:
            return
        rows = [(place, row) for place in places if (row := block.rows[place]) is not None]
        filled = [(at, row.links, self._filled(row)) for at, row in rows if self._is_simple(row)]
        whole = [one for one in filled if self._is_whole(one[2], one[1])]
        for some in [whole, *([one] for one in whole)]:
            if not some:
                return
            at, names, values = zip(*some, strict=True)
            done = self._put(
                block, at, Columns(self._entity, values, names, self._fields | self._links)
            )
            if done and some is whole:
                # Else one by one.
                return

    def _put(self, block: Block, places: Sequence[int], columns: Columns) -> bool:
        """Put these records into the block as compact rows, unless some of them cannot be."""
        assert self._layout is not None
        links, fields = self._layout.links, self._layout.fields
        texts = [[one or "" for one in columns.raw(name)] for name in links]
        packed = self._layout.pack([*texts, *map(columns.raw, fields)])
        own = keys_of(columns)
        if packed is None or max(map(len, own)) > MOST_KEYS:
            return False
        named: list[Any] = list(columns.rows(texts))
        glances = self._shape.glances(columns)
        if len(places) == len(block):
            block.packed, block.keys, block.texts, block.glances = packed, own, named, glances
            block.rows = [None] * len(block)
            return True
        for part, made in (
            (block.packed, packed), (block.keys, own), (block.texts, named),
            (block.glances, glances),
        ):  # fmt: skip
            _scatter(part, places, made)
        for place in places:
            block.rows[place] = None
        return True

    def _is_simple(self, row: Row) -> bool:
        return (
            not _says_more(row)
            and row.values.keys() <= self._fields
            and row.links.keys() <= self._links
        )

    def _filled(self, row: Row) -> MappingType[str, Any]:
        return {**row.values, **self._entity.derive(row.values)}

    def _is_whole(self, values: MappingType[str, Any], names: MappingType[str, str]) -> bool:
        for name in self._required:
            value = values.get(name)
            if (value is None or value == "") and not names.get(name):
                return False
        return True


def _says_more(row: Row) -> bool:
    """Whether there is more to a row than values and names."""
    return bool(
        row.reasons or row.asked or row.parts or row.is_bare or row.defaults or row.wipes
        or row.source or row.sources
    )  # fmt: skip


def _scatter(part: list[Any], places: Sequence[int], made: Sequence[Any]) -> None:
    for place, one in zip(places, made, strict=True):
        part[place] = one


def _empty(numbers: list[int]) -> Block:
    count = len(numbers)
    return Block(
        numbers, [None] * count, [b""] * count, [()] * count, [()] * count, glances=[""] * count
    )


def hold(values: MappingType[str, Any], names: MappingType[str, str]) -> bytes:
    """The bytes of a row that is not compact."""
    return pickle.dumps((dict(values), dict(names)), pickle.HIGHEST_PROTOCOL)


def held_of(packed: bytes, layout: Layout | None) -> Held:
    """What the bytes of a row say, be it compact or not."""
    if layout is None or packed.startswith(_AS_IT_IS):
        values, names = pickle.loads(packed)  # noqa: S301 -- written by ourselves just before
        return values, names
    return layout.open(packed)
