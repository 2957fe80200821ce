"""The rows of a query as a table for a file: batch by batch, for the person who takes it along."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from django.utils import timezone, translation

from rapport import access
from rapport.access import Actor
from rapport.files.read import OWN_COLUMN
from rapport.files.write import Column, Value
from rapport.meta.entity import Entity
from rapport.meta.kinds import Kind
from rapport.meta.registry import registry
from rapport.models.people import Verb
from rapport.queries import extract
from rapport.queries.query import Query, field_of

from . import cells

_STAMP = "modified_at"


@dataclass(frozen=True, kw_only=True)
class Table:
    """Columns, and their rows in batches that are read while they are written, each as a list of
    columns. Read them once. `names`: the fields behind the columns after our own two."""

    entity: Entity
    names: tuple[str, ...]
    columns: tuple[Column, ...]
    batches: Iterator[list[Sequence[Value]]]


def table(
    query: Query,
    by: Actor,
    *,
    all_fields: bool = False,
    fields: Sequence[str] = (),
    among: Collection[uuid.UUID] | None = None,
    page: int = extract.SIZE,
) -> Table:
    """The rows of `query` that `by` may export, with its columns, or `all_fields` of the entity, or
    just `fields`.

    `among`: only these records. Labels and clocks are in the language and time zone that are active
    now, also when the rows are read later. Raises Forbidden, InvalidQuery.
    """
    entity = registry[query.entity]
    access.require(by, Verb.EXPORT, entity)
    names = tuple(fields)
    if not names:
        names = _every(entity) if all_fields else _in_parts(entity, query.columns)
    query = replace(query, columns=(_STAMP, *names))
    found = extract.batches(query, by, verb=Verb.EXPORT, among=among, size=page)
    shown = tuple(cells.column(field_of(entity, name), header(entity, name)) for name in names)
    makers = [_cells_of(entity, name) for name in names]
    return Table(
        entity=entity,
        names=names,
        columns=(*_own_columns(entity), *shown),
        batches=_batches(found, [cells.stamps, *makers]),
    )


def template(entity: Entity, by: Actor) -> Table:
    """A table without rows: the columns that people fill, to be imported. Raises Forbidden."""
    access.require(by, Verb.IMPORT, entity)
    names = tuple(name for name in _every(entity) if entity.fields[name].importable)
    shown = (cells.column(entity.fields[name], header(entity, name)) for name in names)
    columns = (*_own_columns(entity), *shown)
    return Table(entity=entity, names=names, columns=columns, batches=iter(()))


def _own_columns(entity: Entity) -> tuple[Column, Column]:
    return (
        Column(name=own_header(english_label(entity)), width=12, hidden=True),
        Column(name=own_header("Modified On"), width=12, hidden=True),
    )


def own_header(text: str) -> str:
    """The header of a column that belongs to us. The import knows our files by it, and the
    record of a row by the one with the entity's name: so it is in English for everybody."""
    return f"{OWN_COLUMN} {text}"


def english_label(entity: Entity) -> str:
    """What people call a record of `entity`, in the language of the headers that are ours."""
    with translation.override("en"):
        return str(entity.label)


def header(entity: Entity, name: str) -> str:
    """The label of the field at `name`, as a list shows it and the import knows it again."""
    head, dot, _tail = name.partition(".")
    label = str(field_of(entity, name).label)
    return f"{label} ({entity.fields[head].label})" if dot else label


def _every(entity: Entity) -> tuple[str, ...]:
    """All fields: first the name, then as on the form, then the rest."""
    return _in_parts(entity, (*entity.form_fields, *entity.fields))


def _in_parts(entity: Entity, names: Collection[str]) -> tuple[str, ...]:
    """`names` behind the title, as lists have it. What is made of others comes with or as those
    others, because only they can come back: a full name with its parts, an address as its lines."""
    found: list[str] = []
    for name in (entity.title, *names):
        head, dot, _tail = name.rpartition(".")
        field = field_of(entity, name)
        if field.kind is Kind.ADDRESS:
            found += [f"{head}{dot}{part}" for part in field.parts]
        elif name == entity.title:
            found += [name, *entity.title_fields]
        else:
            found.append(name)
    return tuple(dict.fromkeys(found))


def _cells_of(entity: Entity, name: str) -> cells.Convert | None:
    found = field_of(entity, name)
    return cells.SHAPES[found.kind].cells(found)


def _batches(
    found: Iterator[extract.Batch], makers: Sequence[cells.Convert | None]
) -> Iterator[list[Sequence[Value]]]:
    # An answer is sent when the request, its language and its time zone are over. They hold for
    # a batch at a time, because between two batches the thread belongs to whoever sends them.
    language, zone = translation.get_language(), timezone.get_current_timezone()

    def read() -> Iterator[list[Sequence[Value]]]:
        while True:
            with translation.override(language), timezone.override(zone):
                batch = next(found, None)
                if batch is None:
                    return
                made = [
                    values if make is None else make(values)
                    for make, values in zip(makers, batch.columns, strict=True)
                ]
            yield [batch.ids, *made]

    return read()
