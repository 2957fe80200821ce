"""The rows of a query as a table for a file: page by page, for the person who takes it along."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator
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
from rapport.queries import pages
from rapport.queries.pages import Row
from rapport.queries.query import Query, field_of

from . import cells

# Rows read at a time: more memory for fewer statements.
PAGE = 1000
_STAMP = "modified_at"


@dataclass(frozen=True, kw_only=True)
class Table:
    """Columns, and their rows in batches that are read while they are written. Read them once."""

    entity: Entity
    columns: tuple[Column, ...]
    batches: Iterator[list[list[Value]]]


def table(
    query: Query,
    by: Actor,
    *,
    all_fields: bool = False,
    among: Collection[uuid.UUID] | None = None,
    page: int = PAGE,
) -> Table:
    """The rows of `query` that `by` may export, with its columns or `all_fields` of the entity.

    `among`: only these records. Labels and clocks are in the language and time zone that are active
    now, also when the rows are read later. Raises Forbidden, InvalidQuery.
    """
    entity = registry[query.entity]
    access.require(by, Verb.EXPORT, entity)
    names = _every(entity) if all_fields else _in_parts(entity, query.columns)
    query = replace(query, columns=(*names, _STAMP), size=page, after="", before="")
    own = (
        Column(name=own_header(english_label(entity)), width=12, hidden=True),
        Column(name=own_header("Modified On"), width=12, hidden=True),
    )
    shown = (cells.column(field_of(entity, name), header(entity, name)) for name in names)
    return Table(
        entity=entity,
        columns=(*own, *shown),
        batches=_batches(query, by, names, among),
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


def _batches(
    query: Query, by: Actor, names: tuple[str, ...], among: Collection[uuid.UUID] | None
) -> Iterator[list[list[Value]]]:
    # An answer is sent when the request, its language and its time zone are over. They hold for
    # a page at a time, because between two pages the thread belongs to whoever sends them.
    language, zone = translation.get_language(), timezone.get_current_timezone()
    entity = registry[query.entity]
    writers = [(name, _cell_of(entity, name)) for name in names]

    def read() -> Iterator[list[list[Value]]]:
        current = query
        while True:
            with translation.override(language), timezone.override(zone):
                page = pages.page(current, by, verb=Verb.EXPORT, among=among)
            yield [_cells(row, writers) for row in page.rows]
            if not page.next:
                return
            current = replace(current, after=page.next)

    return read()


def _cell_of(entity: Entity, name: str) -> cells.Cell | None:
    field = field_of(entity, name)
    return cells.SHAPES[field.kind].cell(field)


def _cells(row: Row, writers: list[tuple[str, cells.Cell | None]]) -> list[Value]:
    values = row.values
    made: list[Value] = [str(row.id), cells.stamp(values[_STAMP])]
    for name, write in writers:
        value = values[name]
        made.append(value if write is None or value is None or value == "" else write(value))
    return made
