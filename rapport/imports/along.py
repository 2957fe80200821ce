"""How many other records an import makes along with its rows, as it is decided now: counted by one
look at the columns that name them."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain, compress

from django.db.models import TextField
from django.db.models.functions import Cast

from rapport.access import Actor
from rapport.duplicates.keys import title_hash
from rapport.meta.batches import batches
from rapport.meta.field import Field
from rapport.meta.kinds import Kind
from rapport.meta.registry import registry
from rapport.models import ImportFile, Plan
from rapport.models.operations import Decision, Fate

from . import decisions, links, mapping as mappings, options, parts, samerows, uploads
from .mapping import Mapping, Target

READ_AT_ONCE = 2000
ASKED_AT_ONCE = 2000


class Unread(Exception):
    """What the rows of `upload` name has to be read (`read`) before it can be counted: not within
    the transaction, which would keep everybody waiting for as long as that takes."""

    def __init__(self, upload: ImportFile, plan: Plan) -> None:
        super().__init__(upload.name)
        self.upload, self.plan = upload, plan


# What is still to be made of what the rows name: for each such column a match key by row number, 0
# for nothing. Last, where rows may name other ones of their file, those of the rows themselves.
Named = Sequence["array[int]"]


def counts(
    upload: ImportFile, plan: Plan, mapping: Mapping, by: Actor, named: Named | None
) -> dict[str, int]:
    """The records to be made, by what the plan calls their count. Nothing for mappings that say
    more of other records than a name: theirs are not told by it. `named`: what `read` returned.

    Raises Unread.
    """
    columns = _columns(mapping)
    if mapping.filled_parts or not columns:
        return {}
    hashes: dict[str, set[int]] = {found.target or "": set() for _index, found, _target in columns}
    texts: dict[str, set[str]] = {name: set() for name in hashes}
    called: set[int] = set()
    for field, text in _in_updates(plan, mapping):
        texts[field.target or ""].add(text)
    if _is_any_created(plan):
        if named is None:
            raise Unread(upload, plan)
        created = _Created(plan, len(named[0]))
        for (index, field, target), keys in zip(columns, named, strict=False):
            as_read, repaired = created.told(index, keys)
            hashes[field.target or ""] |= as_read
            texts[field.target or ""].update({*_meant(target, repaired)} - {""})
        if (title := _own_title(mapping)) is not None:
            # Whoever names these has nothing made.
            as_read, repaired = created.told(title, named[-1])
            called = as_read.union(map(title_hash, repaired))
    for name, own in texts.items():
        hashes[name].update(_to_make(name, own, by).values())
    if called:
        hashes[mapping.entity.name] -= called
    return {parts.plural(name): len(own - {0}) for name, own in hashes.items()}


def read(upload: ImportFile, mapping: Mapping, by: Actor) -> Named:
    """What the rows of a file name that is still to be made. Raises FileRefused, UploadGone."""
    columns, title = _columns(mapping), _own_title(mapping)
    found = [array("q", [0]) for _column in columns]
    titles = array("q", [0])
    # By cell: most come again and again.
    known: list[dict[str, int]] = [{} for _column in columns]
    with uploads.open_upload(upload) as table:
        for batch in table.iter_batches(READ_AT_ONCE):
            for (index, field, target), own, keys in zip(columns, found, known, strict=True):
                cells = [record.cells[index] for record in batch]
                news = list({*cells} - keys.keys())
                texts = _meant(target, news)
                made = _to_make(field.target or "", {*texts} - {""}, by)
                keys.update((c, made.get(text, 0)) for c, text in zip(news, texts, strict=True))
                for record, cell in zip(batch, cells, strict=True):
                    # Numbers may be left out.
                    own.extend([0] * (record.number - len(own)))
                    own.append(keys[cell])
            if title is not None:
                for record in batch:
                    titles.extend([0] * (record.number - len(titles)))
                    titles.append(title_hash(record.cells[title]))
    return [*found, titles] if title is not None else found


def targets(mapping: Mapping) -> set[str]:
    """The entities of which records are made because rows name them."""
    return {field.target or "" for _index, field, _target in _columns(mapping)}


def _to_make(name: str, texts: Collection[str], by: Actor) -> dict[str, int]:
    """The match keys of those of `texts` that name nothing yet, 0 for the others."""
    made: dict[str, int] = {}
    for part in batches(texts, ASKED_AT_ONCE):
        stored = links.records(registry[name], part, by)
        made |= {text: 0 if stored.get(text) else title_hash(text) for text in part}
    return made


def _meant(target: Target, cells: Iterable[str]) -> list[str]:
    return [" ".join(text.split()) for text in options.meant(target, cells)]


Column = tuple[int, Field, Target]


def _columns(mapping: Mapping) -> list[Column]:
    """The look-ups that make what is missing out of its name alone."""
    found = (
        (index, mapping.entity.fields.get(target.field), target)
        for index, target in mapping.columns.items()
    )
    return [
        (index, field, target)
        for index, field, target in found
        if field is not None
        and field.kind is Kind.LOOKUP
        and field.target in mappings.MADE_BY_NAME
        and mappings.missing_rule(field, target) == mappings.CREATE
    ]


def _own_title(mapping: Mapping) -> int | None:
    """The column by which rows may name other ones of their file."""
    entity = mapping.entity
    is_named = any(field.target == entity.name for _index, field, _target in _columns(mapping))
    return mapping.column_of(entity.title) if is_named else None


def names_itself(mapping: Mapping) -> bool:
    """Whether what is made depends on which rows of the file are."""
    return _own_title(mapping) is not None


def _in_updates(plan: Plan, mapping: Mapping) -> Iterator[tuple[Field, str]]:
    """What updates name that is still to be made."""
    alike = decisions.alike_of(plan).alike
    updates = plan.rows.filter(fate=Fate.UPDATE).annotate(text=Cast("changes", TextField()))
    # Few updates name what is not there yet: the others need not be opened.
    naming = updates.filter(text__contains=f'"{decisions.NEW}')
    rows = naming.values_list("found", "decision", "changes")
    for found, decision, changes in rows.iterator(chunk_size=READ_AT_ONCE):
        said = decision or alike.get(found) or mapping.usual(found)
        own = decisions.filling(changes or []) if said == Decision.FILL else changes or []
        for name, _old, new in own:
            field = mapping.entity.fields.get(name)
            text = decisions.name_of_new(new)
            if field is not None and field.target in mappings.MADE_BY_NAME and text is not None:
                yield field, text


def _are_plain_created(plan: Plan) -> bool:
    """Whether the rows are created of which the plan keeps no detail."""
    return decisions.shown(None, decisions.alike_of(plan)) == Fate.CREATE


def _is_any_created(plan: Plan) -> bool:
    if not _are_plain_created(plan):
        return plan.rows.filter(fate=Fate.CREATE).exists()
    others = plan.rows.exclude(fate=Fate.CREATE).count() + samerows.count(plan)
    return others < int(plan.counts["rows"])


def _created(plan: Plan, size: int) -> bytearray:
    """Which rows are created, a byte a row: there may be a million."""
    is_plain = _are_plain_created(plan)
    created = bytearray([is_plain]) * size
    kept = plan.rows.exclude(fate=Fate.CREATE) if is_plain else plan.rows.filter(fate=Fate.CREATE)
    rows = kept.values_list("row", flat=True).iterator(chunk_size=READ_AT_ONCE)
    for row in chain(rows, samerows.numbers(plan)) if is_plain else rows:
        created[row] = not is_plain
    return created


class _Created:
    """The rows of a plan that are created."""

    def __init__(self, plan: Plan, size: int) -> None:
        self._rows, self._repaired = _created(plan, size), decisions.repaired(plan)

    def told(self, index: int, keys: array[int]) -> tuple[set[int], list[str]]:
        """What these rows have in a column: `keys` as they were read, of repaired cells the
        texts."""
        as_read = bytearray(self._rows)
        said = {row: cells[index] for row, cells in self._repaired.items() if index in cells}
        for row in said:
            as_read[row] = 0
        return {*compress(keys, as_read)}, [text for row, text in said.items() if self._rows[row]]
