"""How many other records an import makes along with its rows, as it is decided now: counted by one
look at the columns that name them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping as MappingType
from itertools import chain

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


def counts(upload: ImportFile, plan: Plan, mapping: Mapping, by: Actor) -> dict[str, int]:
    """The records to be made, by what the plan calls their count. Nothing for mappings that say
    more of other records than a name: theirs are not told by it."""
    columns = _columns(mapping)
    if mapping.filled_parts or not columns:
        return {}
    named: dict[str, set[str]] = {found.target or "": set() for _index, found, _target in columns}
    for field, text in _in_updates(plan, mapping):
        named[field.target or ""].add(text)
    others = plan.rows.exclude(fate=Fate.CREATE).count() + samerows.count(plan)
    if others < plan.counts["rows"]:
        _read(upload, plan, columns, named)
    made = {}
    for name, texts in named.items():
        hashes: set[int] = set()
        for part in batches(texts, ASKED_AT_ONCE):
            stored = links.records(registry[name], part, by)
            hashes.update(title_hash(text) for text in part if not stored.get(text))
        made[parts.plural(name)] = len(hashes - {0})
    return made


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


def _read(
    upload: ImportFile, plan: Plan, columns: list[Column], named: MappingType[str, set[str]]
) -> None:
    """What the rows name that are created."""
    ends = (plan.rows.order_by("-row"), "row"), (plan.same.order_by("-last"), "last")
    last = max(found.values_list(name, flat=True).first() or 0 for found, name in ends)
    # A byte a row: there may be a million.
    other = bytearray(last + 1)
    rows = plan.rows.exclude(fate=Fate.CREATE).values_list("row", flat=True)
    for row in chain(rows.iterator(chunk_size=READ_AT_ONCE), samerows.numbers(plan)):
        other[row] = 1
    repaired = decisions.repaired(plan)
    with uploads.open_upload(upload) as table:
        for batch in table.iter_batches(READ_AT_ONCE):
            records = [r for r in batch if r.number > last or not other[r.number]]
            for index, field, target in columns:
                texts = {
                    repaired.get(record.number, {}).get(index, record.cells[index])
                    for record in records
                    if index < len(record.cells)
                }
                meant = {" ".join(text.split()) for text in options.meant(target, texts)}
                named[field.target or ""].update(meant - {""})
