"""The files that a table can become."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import IO

from django.utils.translation import gettext_lazy as _

from rapport.access import Actor
from rapport.files.write import (
    Writer,
    csv_writer,
    json_writer,
    spreadsheet_writer,
    streamed,
    xlsx_writer,
)
from rapport.meta.columns import Label
from rapport.meta.entity import Entity
from rapport.meta.registry import registry
from rapport.queries.query import Query

from . import cards
from .rows import Table, table


@dataclass(frozen=True, kw_only=True)
class Format:
    """What people and browsers call it, and what writes it. `fields`: those that it always holds,
    whatever columns were asked for. `fits`: whether records of an entity can be written so."""

    label: Label
    content_type: str
    writer: Callable[[Table, IO[bytes]], Writer]
    fields: Callable[[Entity], Sequence[str]] = lambda _entity: ()
    fits: Callable[[Entity], bool] = lambda _entity: True


def _title(found: Table) -> str:
    return str(found.entity.label_plural)


FORMATS: dict[str, Format] = {
    "xlsx": Format(
        label=_("Excel workbook"),
        content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        writer=lambda found, stream: xlsx_writer(stream, found.columns, sheet=_title(found)),
    ),
    "csv": Format(
        label=_("CSV"),
        content_type="text/csv; charset=utf-8",
        writer=lambda found, stream: csv_writer(stream, found.columns),
    ),
    "xml": Format(
        label=_("XML Spreadsheet 2003"),
        content_type="application/xml; charset=utf-8",
        writer=lambda found, stream: spreadsheet_writer(stream, found.columns, sheet=_title(found)),
    ),
    "jsonl": Format(
        label=_("JSON lines"),
        content_type="application/jsonl; charset=utf-8",
        writer=lambda found, stream: json_writer(stream, found.columns),
    ),
    "vcf": Format(
        label=_("vCard"),
        content_type="text/vcard; charset=utf-8",
        writer=lambda found, stream: cards.CardWriter(
            stream, found.entity, found.names, own_column=found.columns[0].name
        ),
        fields=cards.fields,
        fits=lambda entity: bool(cards.fields(entity)),
    ),
}


def fitting(entity: Entity) -> list[str]:
    """Names of the formats that records of `entity` can be written in."""
    return [name for name, found in FORMATS.items() if found.fits(entity)]


def table_for(
    name: str,
    query: Query,
    by: Actor,
    *,
    all_fields: bool = False,
    among: Collection[uuid.UUID] | None = None,
) -> Table:
    """The table for a file of the format `name`. Raises Forbidden, InvalidQuery."""
    fields = FORMATS[name].fields(registry[query.entity])
    return table(query, by, all_fields=all_fields, fields=fields, among=among)


def pieces(found: Table, name: str) -> Iterator[bytes]:
    """`found` as a file of the format `name`, made while it is taken."""
    make = FORMATS[name].writer
    return streamed(lambda stream: make(found, stream), found.batches)
