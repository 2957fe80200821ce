"""The rows of a plan as people look at them: cells, old and new values, the record beside."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping as MappingType, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from operator import attrgetter
from typing import Any

from django.db.models import QuerySet

from rapport import queries
from rapport.access import Actor
from rapport.actions.rowvalues import from_columns
from rapport.duplicates.explain import Reason as Likeness
from rapport.files.read import Record
from rapport.meta.entity import Entity
from rapport.meta.field import Field
from rapport.meta.kinds import Kind, Ref, from_json, to_text
from rapport.meta.registry import registry
from rapport.models import Change, ImportFile, Plan, PlanRow
from rapport.models.journal import ChangeVerb
from rapport.models.operations import Decision, Fate
from rapport.queries.imports import plan_of
from rapport.queries.one import PRINCIPAL, title_of

from . import bundle, decisions, kept as kept_keys, plan as plans, reasons as why, samerows, uploads
from .cells import is_named
from .decisions import Decided, as_cells
from .doubles import likeness_of
from .feed import mapping_of
from .kept import Places
from .mapping import Mapping
from .reasons import Reason
from .rejudging import reason_keys

READ_AT_ONCE = 2000
VERBS = {"created": ChangeVerb.CREATE, "updated": ChangeVerb.UPDATE}


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldChange:
    """What an update does to a field, as texts. `column`: where the new value comes from."""

    name: str
    label: str
    old: str
    new: str
    column: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Beside:
    """The stored record that a row is about: its values (label, text), as far as they may be
    seen."""

    id: uuid.UUID
    title: str
    values: Sequence[tuple[str, str]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """A row of the plan. `choices`: what can be decided about it; `usual`: what the mapping or a
    decision for all alike says already. `repaired`: columns of `cells` that are not as in the
    file. `like`: the earlier row that it repeats, `like_file` the file of an archive that it is in
    when that is another one, and `earlier` its cells, in the columns of this file."""

    number: int
    fate: Fate
    found: Fate
    decision: str
    usual: str
    choices: Sequence[Decision]
    cells: Sequence[str]
    repaired: Collection[int]
    fields: Sequence[FieldChange]
    reasons: Sequence[Reason]
    record: Beside | None
    like: int
    like_file: str
    earlier: Sequence[str]
    confidence: int
    likeness: Sequence[Likeness]


def rows_of(
    upload: ImportFile,
    *,
    by: Actor,
    fate: str | None = None,
    reason: str | None = None,
    after: int = 0,
    limit: int = 50,
) -> list[Shown]:
    """Rows of the plan behind the row `after`, in the order of the file: all, or those of one fate,
    or those refused for one reason (as the plan counts them). Raises FileRefused, UploadGone."""
    plan = plan_of(upload)
    if plan is None:
        return []
    mapping = mapping_of(upload)
    decided = decisions.alike_of(plan)
    places = Places(plan)
    earlier: dict[int, Sequence[str]] = {}
    if fate == decisions.shown(None, decided) and not plan.counts.get(fate):
        return []
    if fate in {None, decisions.shown(None, decided)}:
        records, kept = _all_rows(upload, plan, fate, after, limit)
    else:
        kept = {row.row: row for row in _kept_rows(plan, fate, reason, after, limit)}
        likes = {row.like for row in kept.values() if row.like > 0}
        records = _records(upload, {*kept, *likes})
        earlier = {record.number: record.cells for record in records if record.number in likes}
        records = [record for record in records if record.number in kept]
        likes = {row.like for row in kept.values() if row.like < 0}
        earlier |= _elsewhere(places, mapping, likes)
    page = _Page(
        mapping,
        decided,
        _beside(mapping, kept.values(), by),
        _changes(mapping, kept.values(), by),
        earlier,
        places,
    )
    shown = []
    for record in records:
        row = kept.get(record.number) or PlanRow(row=record.number, found=Fate.CREATE)
        row.fate = row.fate or decisions.shown(None, decided)
        shown.append(page.row(record, row))
    return shown


@dataclass(frozen=True, slots=True)
class _Page:
    """What the rows of a page share."""

    mapping: Mapping
    decided: Decided
    beside: MappingType[uuid.UUID, Beside]
    fields: MappingType[int, Sequence[FieldChange]]
    earlier: MappingType[int, Sequence[str]]
    places: Places

    def row(self, record: Record, row: PlanRow) -> Shown:
        """One of them."""
        confidence, likeness = likeness_of(row)
        found = Fate(row.found or row.fate)
        usual = self.decided.of(row.row, found) or self.mapping.usual(found)
        fields = self.fields.get(row.row, ())
        file, like = self.places.where(row.like)
        if (row.decision or usual) == Decision.FILL:
            fields = [one for one in fields if not one.old]
        return Shown(
            number=row.row,
            fate=Fate(row.fate),
            found=found,
            decision=row.decision,
            usual=usual,
            choices=decisions.choices(found, row.like),
            cells=_with(record, as_cells(row.cells or {})),
            repaired=set(as_cells(row.cells or {})),
            fields=fields,
            reasons=() if confidence else why.from_json(row.reasons),
            record=self.beside.get(row.record) if row.record else None,
            like=like,
            like_file=kept_keys.name_of(file) if file else "",
            earlier=self.earlier.get(row.like, ()),
            confidence=confidence,
            likeness=likeness,
        )


def _with(record: Record, cells: MappingType[int, str]) -> list[str]:
    texts = list(record.cells) + [""] * (max(cells, default=-1) + 1 - len(record.cells))
    for index, text in cells.items():
        texts[index] = text
    return texts


# -- which rows -----------------------------------------------------------------------------------


def _kept_rows(
    plan: Plan, fate: str | None, reason: str | None, after: int, limit: int
) -> list[PlanRow]:
    found = plan.rows.filter(fate=fate, row__gt=after).order_by("row")
    if reason is None:
        shown = list(found[:limit])
        if fate == Fate.SAME:
            shown += islice(samerows.told(plan, after=after), limit)
        return sorted(shown, key=attrgetter("row"))[:limit]
    taken: list[PlanRow] = []
    for row in found.iterator(chunk_size=READ_AT_ONCE):
        if reason in reason_keys(row):
            taken.append(row)
            if len(taken) == limit:
                break
    return taken


def _all_rows(
    upload: ImportFile, plan: Plan, fate: str | None, after: int, limit: int
) -> tuple[list[Record], dict[int, PlanRow]]:
    """The next records of the file, or those of which the plan keeps no detail, and others of the
    same fate."""
    taken: list[Record] = []
    with uploads.open_upload(upload) as table:
        # Of a rare fate most rows are passed over.
        for batch in table.iter_batches(limit if fate is None else READ_AT_ONCE, after=after):
            ends = batch[0].number, batch[-1].number
            passed: set[int] = set()
            if fate is not None:
                others = plans.between(plan, *ends).exclude(fate=fate)
                passed = {*others.values_list("row", flat=True), *samerows.between(plan, *ends)}
            taken += [record for record in batch if record.number not in passed]
            if len(taken) >= limit:
                break
    taken = taken[:limit]
    if not taken:
        return [], {}
    first, last = taken[0].number, taken[-1].number
    found = plans.between(plan, first, last)
    if fate is not None:
        return taken, {row.row: row for row in found.filter(fate=fate)}
    together = samerows.told(plan, after=first - 1, last=last)
    return taken, {row.row: row for row in chain(found, together)}


def _records(upload: ImportFile, numbers: Collection[int]) -> list[Record]:
    """The records with these numbers, as they stand in the file."""
    if not numbers:
        return []
    with uploads.open_upload(upload) as table:
        return list(table.pick(numbers))


def _elsewhere(
    places: Places, mapping: Mapping, likes: Collection[int]
) -> dict[int, Sequence[str]]:
    """Rows of other files of the archive, with their cells in the columns of this one."""
    found: dict[int, Sequence[str]] = {}
    for like in likes:
        file, number = places.where(like)
        if file is None:
            continue
        theirs = mapping_of(file)
        for record in _records(file, {number}):
            cells = [""] * (max(mapping.columns, default=-1) + 1)
            for index, target in mapping.columns.items():
                column = theirs.column_of(target.field)
                if column is not None and column < len(record.cells):
                    cells[index] = record.cells[column]
            found[like] = cells
    return found


# -- values as texts ------------------------------------------------------------------------------


def _beside(mapping: Mapping, rows: Collection[PlanRow], by: Actor) -> dict[uuid.UUID, Beside]:
    """The records of `rows` with the values of the mapped fields and what else is filled in their
    quick form."""
    entity = mapping.entity
    ids = {row.record for row in rows if row.record}
    if not ids:
        return {}
    stored = {
        row["id"]: from_columns(entity, row)
        for row in queries.records(entity, by).filter(pk__in=ids).values()
    }
    wanted = {*mapping.fields, *entity.quick} - {entity.title}
    names = [name for name in entity.fields if name in wanted]
    titles = title_of(
        {
            ref
            for values in stored.values()
            for n in names
            if (ref := _ref(entity, n, values.get(n)))
        },
        by,
    )
    return {
        id_: Beside(
            id=id_,
            title=str(values.get(entity.title) or entity.label),
            values=[
                (str(entity.fields[name].label), text)
                for name in names
                if (text := _text(entity, name, values.get(name), titles))
            ],
        )
        for id_, values in stored.items()
    }


def _changes(
    mapping: Mapping, rows: Collection[PlanRow], by: Actor
) -> dict[int, list[FieldChange]]:
    """What updates change, by row."""
    entity = mapping.entity
    read = {
        row.row: [
            (name, _value(entity.fields[name], old), _value(entity.fields[name], new))
            for name, old, new in row.changes or ()
            if name in entity.fields
        ]
        for row in rows
    }
    refs = (
        _ref(entity, name, value)
        for changes in read.values()
        for name, *both in changes
        for value in both
    )
    titles = title_of({ref for ref in refs if ref}, by)
    return {
        number: [
            FieldChange(
                name=name,
                label=str(entity.fields[name].label),
                old=_text(entity, name, old, titles),
                new=_text(entity, name, new, titles),
                column=mapping.column_of(name),
            )
            for name, old, new in changes
        ]
        for number, changes in read.items()
    }


def _value(field: Field, kept: Any) -> Any:
    """A value out of its JSON; of a record that is still to be made its name."""
    name = decisions.name_of_new(kept) if is_named(field) else None
    return from_json(field, kept) if name is None else name


def _ref(entity: Entity, name: str, value: Any) -> Ref | None:
    field = entity.fields[name]
    if not value or isinstance(value, str) or not is_named(field):
        return None
    if field.kind is Kind.OWNER or (field.target and registry[field.target].principal):
        return Ref(PRINCIPAL, value)
    return field.ref(value)


def _text(entity: Entity, name: str, value: Any, titles: MappingType[Ref, str]) -> str:
    """A value as people read it; of a record its title, when it may be seen."""
    if ref := _ref(entity, name, value):
        return titles.get(ref, "…")
    if isinstance(value, str) and is_named(entity.fields[name]):
        return value
    return to_text(entity.fields[name], value)


# -- what came of it ------------------------------------------------------------------------------


def records_of(upload: ImportFile, verb: str, by: Actor, *, entity: Entity) -> QuerySet[Any]:
    """The records of `entity` that the import 'created' or 'updated', as far as `by` may see
    them."""
    found = queries.records(entity, by)
    if upload.operation_id is None:
        return found.none()
    touched = Change.objects.filter(
        bundle.changes_of(upload),
        operation=upload.operation_id,
        entity=entity.name,
        verb=VERBS[verb],
    )
    return found.filter(pk__in=touched.values("record"))
