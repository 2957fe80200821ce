"""Where the list in a file begins: on which sheet, and with which row as its header, if any."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from rapport.files.read import FileRefused, ReadOptions, Table, open_table

from . import headers, layouts
from .samples import is_address
from .subject import importable

# So many fields named in one row make it a header.
TELLING = 2
# So many sheets are looked at for one that is a list.
SHEETS = 5


def opened(path: Path, options: ReadOptions, others: Sequence[str]) -> Table:
    """The file as a table: of `others`, its sheets, the first that plainly is a list, where the one
    that would be taken says what the workbook is for."""
    table = _below_title(path, options)
    if _known(table.columns) >= min(TELLING, len(_named(table))):
        return table
    for name in others[:SHEETS]:
        if name != options.sheet:
            with suppress(FileRefused):
                other = _below_title(path, replace(options, sheet=name))
                if _is_plainer(other, table):
                    return other
    return table


def _below_title(path: Path, options: ReadOptions) -> Table:
    """The file as a table; a title or what a program writes above its header is passed over."""
    table = open_table(path, options, scratch=path.parent)
    if options.header is not None:
        return table
    if table.header_guess:
        below = open_table(path, replace(options, header=table.header_guess), scratch=path.parent)
        if layouts.recognise(below.columns, ()) is not None or _is_plainer(below, table):
            return below
    elif table.header and "" in table.columns:
        with suppress(FileRefused):
            after = replace(options, header=table.header + 1)
            below = open_table(path, after, scratch=path.parent)
            if _is_header_of_groups(table, below):
                return below
    if table.header and _is_record(table.columns):
        return open_table(path, replace(options, header=0), scratch=path.parent)
    return table


def _is_record(cells: Sequence[str]) -> bool:
    """Whether what stands where the header would be is a person or company already."""
    return any(map(is_address, cells)) and not _known(cells)


def _is_header_of_groups(first: Table, below: Table) -> bool:
    """Whether `first` only says what groups of columns are, and those of `below` their names."""
    names, known = _named(below), _known(below.columns)
    return (
        len(names) > len(_named(first))
        and known > max(TELLING, _known(first.columns))
        and known * 2 > len(names)
    )


def _is_plainer(table: Table, first: Table) -> bool:
    """Whether the header of `table` plainly is one, and that of `first`, which comes before it, is
    not."""
    known = _known(table.columns)
    return known >= max(TELLING, 2 * _known(first.columns) + 1) and known * 2 >= len(_named(table))


def _named(table: Table) -> list[str]:
    return [column for column in table.columns if column]


def _known(columns: Sequence[str]) -> int:
    """How many of these headers are those of fields."""
    return sum(
        any(headers.field_for(entity, column) for entity in importable())
        for column in columns
        if column
    )
