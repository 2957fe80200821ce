"""What the look-ups of a batch name: found for the user who imports, or to be made."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping as MappingType, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from rapport import access, queries
from rapport.access import Actor
from rapport.duplicates.find import named
from rapport.duplicates.keys import has_title_key, title_hash
from rapport.meta.batches import batches
from rapport.meta.entity import Entity
from rapport.meta.field import Field
from rapport.meta.folding import fold, sort_key
from rapport.meta.ids import new_id
from rapport.meta.kinds import InvalidValue, Kind, Ref
from rapport.meta.registry import registry
from rapport.models.people import Verb
from rapport.queries import extract, moved
from rapport.queries.query import Query

from . import candidates, mapping as mappings, names, owners, parts, since
from .cells import is_named
from .mapping import Mapping
from .reasons import of_cell
from .rows import Row


class Named(NamedTuple):
    """A record that a text names."""

    id: Any  # a Ref for pointers
    title: str


class Said(NamedTuple):
    """What a row says of a record that it names, in the columns of that part."""

    row: int
    values: dict[str, Any]


class Wait(NamedTuple):
    """How a look-up is filled that may name other rows, or of which the record is made with what it
    belongs to. `brings`: whether some row is called so; `rule`: what happens where none is."""

    brings: Callable[[str], bool]
    rule: str


Waiting = MappingType[str, Wait]


@dataclass(slots=True)
class New:
    """A record to be made because a look-up names it. `hash`: its match key, the same for every
    spelling of the name; `also`: others by which it is known. `row`: the first that asks for it.
    `said`: what rows say of it."""

    id: uuid.UUID
    title: str
    hash: int
    row: int
    asked_by: set[int] = field(default_factory=set)
    also: tuple[int, ...] = ()
    said: list[Said] = field(default_factory=list)


@dataclass(slots=True)
class Part:
    """A stored record that rows name and say something of. `current`: as it is stored; None when it
    stays as it is."""

    entity: Entity
    rule: str
    said: list[Said] = field(default_factory=list)
    current: dict[str, Any] | None = None


@dataclass(slots=True)
class Links:
    """What a batch of rows names. `names` {row number: {look-up: title}} for match keys. `parts`:
    stored records of which rows say something. `rules` {entity: what happens to its parts}. `kept`
    {(record, look-up): title}: what the records that the file names by id have. `promised`: ids of
    records that another file of the same import will make. `waiting`: look-ups whose names other
    rows may bring; `waits` {row number: {look-up: text}}: those that name nobody yet."""

    names: dict[int, dict[str, str]] = field(default_factory=dict)
    new: dict[str, dict[int, New]] = field(default_factory=lambda: defaultdict(dict))
    parts: dict[uuid.UUID, Part] = field(default_factory=dict)
    rules: dict[str, str] = field(default_factory=dict)
    kept: dict[tuple[uuid.UUID | None, str], str] = field(default_factory=dict)
    promised: set[uuid.UUID] = field(default_factory=set)
    waiting: Waiting = field(default_factory=dict)
    waits: dict[int, dict[str, str]] = field(default_factory=dict)

    @property
    def pending(self) -> set[uuid.UUID]:
        """Ids of records that would be made."""
        made = {one.id for found in self.new.values() for one in found.values()}
        return made | self.promised if self.promised else made

    def name(self, row: Row, lookup: str, id_: Any, title: str) -> None:
        """The look-up of `row` leads to this record."""
        row.values[lookup] = id_
        self.names.setdefault(row.number, {})[lookup] = title

    def wait(self, rows: Sequence[Row], lookup: str) -> bool:
        """Whether the look-up of `rows`, which leads nowhere, is left to be set later."""
        if lookup not in self.waiting:
            return False
        how = self.waiting[lookup]
        if how.rule == mappings.REFUSE and not how.brings(rows[0].links[lookup]):
            return False
        for row in rows:
            self.waits.setdefault(row.number, {})[lookup] = row.links[lookup]
        return True


@dataclass(frozen=True, slots=True)
class _Column:
    """A look-up column: its field, its place in the file, what to do when nothing is found."""

    field: Field
    index: int | None
    rule: str
    several: str

    @property
    def thing(self) -> str:
        """What its texts name."""
        if self.field.kind is Kind.OWNER:
            return str(_("user or team"))
        if self.field.kind is Kind.POINTER:
            return str(_("record"))
        return str(registry[self.field.target or ""].label).lower()

    def refuse(self, rows: Iterable[Row], message: str | InvalidValue) -> None:
        """Tell `rows` what is wrong with their cell."""
        for row in rows:
            row.refuse(self.field.name, of_cell(self.field, message, self.index))


def resolve(mapping: Mapping, rows: Sequence[Row], links: Links, *, by: Actor) -> None:
    """Turn the look-up texts of `rows` into ids among their values, or into reasons. `links`: what
    they name by other ids already, and what other rows of the batch name."""
    stored = links.kept = _stored_titles(mapping, rows, by)
    stored |= since.called_then(mapping.entity, rows, stored)
    for index, target in mapping.filling:
        found = mapping.entity.fields.get(target.field)
        if found is None or not is_named(found) or is_person(mapping.entity, found.name):
            continue
        asking: dict[str, list[Row]] = defaultdict(list)
        for row in rows:
            text = row.links.get(found.name)
            # What a record names already stays, also when others are called the same.
            if text and stored.get((row.asked, found.name)) != text and not _is_named(row, found):
                asking[text].append(row)
        if asking:
            rule = mappings.missing_rule(found, target)
            column = _Column(found, index, rule, target.several)
            _resolve_column(column, asking, links, by)


def _is_named(row: Row, found: Field) -> bool:
    return found.name in row.sources and found.name in row.values


def is_person(entity: Entity, lookup: str) -> bool:
    """Whether the look-up names somebody of whom the row may say more than a name: `persons` finds
    them."""
    return lookup in parts.parts_of(entity) and not has_title_key(parts.entity_of(entity, lookup))


def _stored_titles(
    mapping: Mapping, rows: Sequence[Row], by: Actor
) -> dict[tuple[uuid.UUID | None, str], str]:
    """What the records that the file names by id have in their look-ups, as far as `by` sees it."""
    asked = {row.asked for row in rows if row.asked}
    fields = mapping.entity.fields
    names = tuple(n for n in sorted(mapping.fields) if n in fields and is_named(fields[n]))
    if not asked or not names:
        return {}
    titles: dict[tuple[uuid.UUID | None, str], str] = {}
    query = Query(entity=mapping.entity.name, columns=names)
    for batch in extract.batches(query, by, among=asked):
        for name, column in zip(names, batch.columns, strict=True):
            for id_, title in zip(batch.ids, column, strict=True):
                titles[uuid.UUID(id_), name] = " ".join((title or "").split())
    return titles


def _resolve_column(column: _Column, asking: dict[str, list[Row]], links: Links, by: Actor) -> None:
    known = _FINDERS[column.field.kind](column.field, asking, by)
    for text, rows in asking.items():
        named = known.get(text, [])
        if len(named) > 1 and column.several == mappings.OLDEST:
            # Ids begin with the moment of their making.
            named = [min(named, key=lambda one: str(one.id))]
        if len(named) == 1:
            for row in rows:
                links.name(row, column.field.name, *named[0])
        elif named:
            if column.several != mappings.BLANK:
                message = _("There are %(count)d records called “%(text)s”.")
                column.refuse(rows, message % {"count": len(named), "text": text[:80]})
        elif column.rule == mappings.CREATE:
            _make(column, text, rows, links, by)
        elif links.wait(rows, column.field.name):
            continue
        elif column.rule == mappings.REFUSE:
            message = _("There is no %(entity)s called “%(text)s”.")
            column.refuse(rows, message % {"entity": column.thing, "text": text[:80]})


def _principals(_found: Field, texts: Collection[str], _by: Actor) -> dict[str, list[Named]]:
    """Users and teams by id, e-mail address or name."""
    return {text: [Named(*one) for one in own] for text, own in owners.named(texts).items()}


def _records(found: Field, texts: Collection[str], by: Actor) -> dict[str, list[Named]]:
    entity = registry[found.target or ""]
    called = {text: names.called(entity, text) for text in texts}
    known = records(entity, {*texts, *called.values()}, by)
    return {text: known.get(text) or known.get(name, []) for text, name in called.items()}


def _pointers(found: Field, texts: Collection[str], by: Actor) -> dict[str, list[Named]]:
    """Visible records by 'Entity: name' or 'entity:id'; a bare name is looked for everywhere."""
    targets = [registry[name] for name in found.targets] or [e for e in registry if e.has_timeline]
    asked: dict[Entity, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for text in texts:
        before, colon, name = text.partition(":")
        own = [e for e in targets if fold(before) in {e.name, fold(str(e.label))}] if colon else []
        for entity in own or targets:
            asked[entity][name.strip() if own else text].append(text)
    result: dict[str, list[Named]] = defaultdict(list)
    for entity, called in asked.items():
        for name, ones in records(entity, list(called), by).items():
            for text in called[name]:
                result[text] += [Named(Ref(entity.name, one.id), one.title) for one in ones]
    return result


def records(entity: Entity, texts: Collection[str], by: Actor) -> dict[str, list[Named]]:
    """Visible records by id, name, e-mail address or number; of several, those that are active."""
    result = _by_id(entity, texts, by)
    left = [text for text in texts if text not in result]
    if has_title_key(entity):
        result.update(_by_key(entity, left, by))
    else:
        result.update(_by_sort_name(entity, left, by))
    if unnamed := [text for text in left if text not in result]:
        for text, own in candidates.by_other_names(entity, unnamed, by).items():
            result[text] = [Named(*one) for one in own]
    return result


def _by_id(entity: Entity, texts: Collection[str], by: Actor) -> dict[str, list[Named]]:
    ids: dict[uuid.UUID, str] = {}
    for text in texts:
        if len(text) == 36 and text.count("-") == 4:
            with suppress(ValueError):
                ids[uuid.UUID(text)] = text
    if not ids:
        return {}
    visible = queries.records(entity, by).values_list("pk", entity.title)
    titles = dict(visible.filter(pk__in=list(ids)))
    # The id of a merged record means the one that stayed.
    led = moved.all_moved(entity, ids.keys() - titles) if len(titles) < len(ids) else {}
    titles |= visible.filter(pk__in=set(led.values())) if led else {}
    places = ((text, led.get(id_, id_)) for id_, text in ids.items())
    return {text: [Named(id_, titles[id_])] for text, id_ in places if id_ in titles}


def _by_key(entity: Entity, texts: Sequence[str], by: Actor) -> dict[str, list[Named]]:
    found = named(entity, texts, by=by)
    return {
        text: candidates.active({Named(id_, title): state for id_, title, state in own})
        for text, own in found.items()
        if own
    }


def _by_sort_name(entity: Entity, texts: Sequence[str], by: Actor) -> dict[str, list[Named]]:
    wanted: dict[str, list[str]] = defaultdict(list)
    for text in texts:
        wanted[sort_key(text)].append(text)
    found: dict[str, dict[Named, int]] = defaultdict(dict)
    for part in batches(wanted):
        rows = queries.records(entity, by).filter(sort_name__in=part)
        for id_, title, state, name in rows.values_list("pk", entity.title, "state", "sort_name"):
            found[name][Named(id_, title)] = state
    return {text: candidates.active(own) for name, own in found.items() for text in wanted[name]}


def _make(column: _Column, text: str, rows: Sequence[Row], links: Links, by: Actor) -> None:
    entity = registry[column.field.target or ""]
    title = entity.fields[entity.title]
    hash_ = title_hash(text)
    if entity.title not in entity.title_fields:
        _make_person(column, text, rows, links)
    elif not hash_:
        column.refuse(rows, _("“%(text)s” is no name.") % {"text": text[:80]})
    elif title.max_length and len(text) > title.max_length:
        message = _("Longer than %(limit)s characters (%(length)s).")
        column.refuse(rows, message % {"limit": title.max_length, "length": len(text)})
    elif links.wait(rows, column.field.name):
        return
    elif not access.may(by, Verb.CREATE, entity):
        message = _("There is no %(entity)s called “%(text)s”, and you may not create one.")
        column.refuse(rows, message % {"entity": column.thing, "text": text[:80]})
    else:
        new = links.new[entity.name].get(hash_)
        if new is None:
            new = links.new[entity.name][hash_] = New(new_id(), text, hash_, rows[0].number)
        for row in rows:
            new.asked_by.add(row.number)
            links.name(row, column.field.name, new.id, new.title)


def _make_person(column: _Column, text: str, rows: Sequence[Row], links: Links) -> None:
    """Somebody who belongs to the record of the row, and is made when that is there."""
    entity = registry[column.field.target or ""]
    try:
        made = names.name_of(entity, text)
    except InvalidValue as error:
        column.refuse(rows, error)
        return
    if not made.get(entity.title_fields[-1]) or not links.wait(rows, column.field.name):
        message = _("There is no %(entity)s called “%(text)s”.")
        column.refuse(rows, message % {"entity": column.thing, "text": text[:80]})


_FINDERS = {Kind.LOOKUP: _records, Kind.OWNER: _principals, Kind.POINTER: _pointers}
