"""Ids of other programs: a row with an id that was imported before is about that record, and links
by such ids find what came from the row with that id, from whichever file."""

from __future__ import annotations

import marshal
import tempfile
import uuid
from array import array
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping as MappingType, Sequence
from typing import TYPE_CHECKING, NamedTuple

from django.utils.translation import gettext as _

from rapport import queries
from rapport.access import Actor
from rapport.actions import rows as table_rows
from rapport.duplicates import normalise
from rapport.duplicates.keys import has_title_key, title_hash
from rapport.meta.batches import batches
from rapport.meta.entity import Entity
from rapport.meta.ids import new_id
from rapport.meta.registry import registry
from rapport.models import SourceId
from rapport.models.operations import Fate
from rapport.queries import moved

from . import mapping as mappings, parts
from .hashes import hash_of
from .links import Links, Named
from .mapping import Mapping
from .reasons import Reason
from .rows import Row
from .seen import IN_MEMORY, Earlier, Seen

if TYPE_CHECKING:
    from .verdict import Judged, Verdict

# Whose ids files have of which nobody knows the program: those of one import.
OWN_IDS = "import "
# Fates of rows of which it is known what record they are about.
MEANT = frozenset({Fate.CREATE, Fate.UPDATE, Fate.SAME, Fate.DUPLICATE})
COLUMNS = ("system", "entity", "text", "record")


class Learned(NamedTuple):
    """The record that an id of another program means."""

    entity: str
    text: str
    record: uuid.UUID


def linking(mapping: Mapping) -> tuple[str, ...]:
    """The look-ups that some column fills with ids of the other program."""
    found = map(parts.split, mapping.fields)
    return tuple(lookup for lookup, own in found if lookup and own == parts.SOURCE_ID)


def _own(system: str, by: Actor) -> str:
    """Where ids stand that mean another record to `by` alone: two people may have imported the
    same, and see nothing of each other. '' where that cannot be."""
    if system.startswith(OWN_IDS) or _OF in system:
        return ""
    return f"{system}{_OF}{getattr(by, 'pk', '')}"


_OF = " of "


def find(system: str, entity: Entity, ids: Collection[str], by: Actor) -> dict[str, Named]:
    """The records that `by` may see by their ids in `system`."""
    known: dict[str, uuid.UUID] = {}
    for part in batches(ids):
        rows = SourceId.objects.filter(system=system, entity=entity.name, text__in=part)
        known.update(rows.values_list("text", "record"))
    if not known:
        return {}
    led = moved.all_moved(entity, set(known.values()))
    known = {text: led.get(record, record) for text, record in known.items()}
    titles: dict[uuid.UUID, str] = {}
    for some in batches(set(known.values())):
        seen = queries.records(entity, by).filter(pk__in=some)
        titles.update(seen.values_list("pk", entity.title))
    found = {
        text: Named(record, titles[record]) for text, record in known.items() if record in titles
    }
    if len(found) < len(known) and (own := _own(system, by)):
        found |= find(own, entity, known.keys() - found.keys(), by)
    return found


def ask(mapping: Mapping, rows: Sequence[Row], *, by: Actor) -> None:
    """Tell the rows which record they are about, where their id was imported before."""
    asking = [row for row in rows if row.source and row.asked is None]
    if asking and mapping.system:
        known = find(mapping.system, mapping.entity, {row.source for row in asking}, by)
        for row in asking:
            if row.source in known:
                row.asked = known[row.source].id


def resolve(
    mapping: Mapping, rows: Sequence[Row], links: Links, *, by: Actor, siblings: Siblings | None
) -> None:
    """Fill the look-ups of `rows` by the ids that they give. A row that names what is not there
    (yet) may say its name besides; else the look-up stays blank, unless that is to be refused."""
    for lookup in linking(mapping):
        entity = parts.entity_of(mapping.entity, lookup)
        texts = {row.sources[lookup] for row in rows if lookup in row.sources}
        known = find(mapping.system, entity, texts, by)
        index = mapping.column_of(f"{lookup}.{parts.SOURCE_ID}")
        rule = mapping.columns[index].missing if index is not None else ""
        for row in rows:
            text = row.sources.get(lookup, "")
            found = known.get(text)
            if found is None and text and siblings is not None:
                found = siblings.promised(entity, text)
                if found is not None:
                    links.promised.add(found.id)
            if found is not None:
                links.name(row, lookup, found.id, found.title)
            elif text and rule == mappings.REFUSE and not row.links.get(lookup):
                row.refuse(lookup, _nowhere(mapping, lookup, text))


def _nowhere(mapping: Mapping, lookup: str, text: str) -> Reason:
    """Another program's id that means nothing here."""
    message = _("There is no %(entity)s with the id “%(text)s”.")
    entity = parts.entity_of(mapping.entity, lookup)
    values = {"entity": str(entity.label).lower(), "text": text}
    column = mapping.column_of(f"{lookup}.{parts.SOURCE_ID}")
    remedy = _("Import these first, or both files together.")
    return Reason(message % values, column, remedy, "lookup")


def lacking(mapping: Mapping, row: Row, names: Collection[str]) -> list[Reason]:
    """Why a row lacks some of the look-ups `names`, although it gives their ids."""
    return [
        _nowhere(mapping, lookup, text)
        for lookup, text in row.sources.items()
        if lookup in names and lookup not in row.values
    ]


def learned(
    mapping: Mapping, rows: Sequence[Row], verdicts: Sequence[Verdict], written: Collection[Fate]
) -> list[Learned]:
    """What the ids of `rows` mean by now: of the rows themselves, also of those that repeat a
    record, and of what they name."""
    if not mapping.system:
        return []
    found: dict[tuple[str, str], uuid.UUID] = {}
    names = {lookup: parts.entity_of(mapping.entity, lookup).name for lookup in linking(mapping)}
    about: dict[int, uuid.UUID] = {}
    for row, verdict in zip(rows, verdicts, strict=True):
        draft = verdict.draft if verdict.fate in written else None
        record = draft.id if draft is not None else verdict.record or about.get(verdict.like)
        if record is None or verdict.fate not in MEANT:
            continue
        about[row.number] = record
        if row.source:
            found.setdefault((mapping.entity.name, row.source), record)
        for lookup, text in row.sources.items():
            id_ = draft.values.get(lookup) if draft is not None else None
            if id_ is not None:
                found.setdefault((names[lookup], text), id_)
    return [Learned(*key, record) for key, record in found.items()]


def keep(system: str, news: Sequence[Learned], by: Actor) -> None:
    """Remember them. An id that means a record which is still there goes on meaning it, to those
    who may see that."""
    if not news:
        return
    by_entity: dict[str, dict[str, uuid.UUID]] = defaultdict(dict)
    for one in news:
        by_entity[one.entity][one.text] = one.record
    added = []
    for name, wanted in by_entity.items():
        changed = []
        kept = SourceId.objects.filter(system=system, entity=name)
        for part in batches(list(wanted)):
            for pk, text, record in kept.filter(text__in=part).values_list("pk", "text", "record"):
                if record != wanted.pop(text):
                    changed.append((pk, text, record))
        if changed:
            now = {one.text: one.record for one in news if one.entity == name}
            hidden = _correct(registry[name], changed, now, by)
            if own := _own(system, by):
                keep(own, [Learned(name, one, now[one]) for one in hidden], by)
        added += [(system, name, text, record) for text, record in wanted.items()]
    table_rows.insert(SourceId, COLUMNS, added)


def _correct(
    entity: Entity,
    kept: Sequence[tuple[int, str, uuid.UUID]],
    wanted: MappingType[str, uuid.UUID],
    by: Actor,
) -> list[str]:
    """Let ids of records that are gone mean the new ones; those of records that `by` may not see
    come back."""
    there, seen = set[uuid.UUID](), set[uuid.UUID]()
    for part in batches({record for _pk, _text, record in kept}):
        for found, rows in ((there, entity.records()), (seen, queries.records(entity, by))):
            found.update(rows.filter(pk__in=part).values_list("pk", flat=True))
    for pk, text, record in kept:
        if record not in there:
            SourceId.objects.filter(pk=pk).update(record=wanted[text])
    return [text for _pk, text, record in kept if record in there - seen]


class Siblings:
    """While several files are planned together: what the rows of earlier ones will make. `new`: by
    what names those are known, so that none is counted twice."""

    def __init__(self) -> None:
        self.new: dict[str, Seen] = defaultdict(Seen)
        # Rows of all files by entity, and how many there are so far.
        self.rows: dict[str, Earlier] = defaultdict(Earlier)
        self._ends: Counter[str] = Counter()
        self._seen, self._starts = Seen(), array("Q")
        # In memory while there are few.
        self._file = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 -- see close
        self._end = 0
        # Entities of which a row of an earlier file may have named a record that comes later.
        self.named_before: set[str] = set()

    def earlier(self, entity: Entity) -> tuple[Earlier, int]:
        """The rows of the files before, for the next file with such records; how many they are."""
        found, base = self.rows[entity.name], self._ends[entity.name]
        found.begin(base)
        return found, base

    def listen(self, mapping: Mapping, rows: Sequence[Row], judged: Judged, base: int) -> None:
        """Note what `rows` will make. `base`: how many rows the files before have."""
        entity = mapping.entity
        if rows:
            self._ends[entity.name] = base + rows[-1].number
        for row, verdict in zip(rows, judged.verdicts, strict=True):
            if verdict.fate not in MEANT:
                continue
            title = title_of(entity, row, verdict)
            if row.source:
                self.learn(entity, row.source, title)
            if entity.name in self.named_before:
                self._seen.add(name_key(entity, title), 1)
            if verdict.fate is Fate.CREATE and has_title_key(entity):
                # By its title a row of another file names such a record.
                self.new[entity.name].add(title_hash(title), row.number)

    def learn(self, entity: Entity, text: str, title: str) -> None:
        """A row with this id will be a record."""
        self._starts.append(self._end)
        self._seen.add(key_of(entity, text), len(self._starts))
        self._file.seek(self._end)
        self._end += self._file.write(marshal.dumps((text, title)))

    def is_promised(self, key: int) -> bool:
        """Whether some row has this id (`key_of`), or this name (`name_key`)."""
        return bool(self._seen.get(key))

    def promised(self, entity: Entity, text: str) -> Named | None:
        """What will be made of the row with this id."""
        place = self._seen.get(key_of(entity, text))
        if not place:
            return None
        self._file.seek(self._starts[place - 1])
        known, title = marshal.load(self._file)  # noqa: S302 -- written by ourselves just before
        return Named(new_id(), title) if known == text else None

    def close(self) -> None:
        """Let go of what was kept."""
        self._file.close()
        for earlier in self.rows.values():
            earlier.close()


def key_of(entity: Entity, text: str) -> int:
    """An id of another program in 64 bits."""
    return hash_of(entity.name, text)


def name_key(entity: Entity, title: str) -> int:
    """A name in 64 bits."""
    return hash_of(entity.name, "called", normalise.words(title))


def title_of(entity: Entity, row: Row, verdict: Verdict) -> str:
    """What the record is called that a row is about."""
    values = verdict.draft.values if verdict.draft is not None else row.values
    return str({**values, **entity.derive(values)}.get(entity.title) or "")


def row_key(mapping: Mapping, row: Row) -> list[int]:
    """By what a row with such an id is known to later ones that repeat it."""
    return [key_of(mapping.entity, row.source)] if row.source else []
