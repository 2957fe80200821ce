"""Columns that name what is elsewhere: records and owners of another program, several in one cell,
days that stand in a second column. What becomes of them, and what is to be said of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping as MappingType, Sequence
from dataclasses import replace

from django.utils.translation import gettext as _

from rapport.meta.entity import Entity
from rapport.meta.field import Field
from rapport.meta.kinds import Kind

from . import datecolumns, headers, layouts, parts
from .layouts import Layout
from .mapping import BLANK, REFUSE, Target, missing_rule
from .samples import values_of


def ids_of_others(
    entity: Entity,
    columns: Sequence[str],
    targets: dict[int, Target],
    sample: Sequence[Sequence[str]],
) -> list[str]:
    """Ids of records in another program name none of ours, and are no names to make some of."""
    notes = []
    for index, target, found in _links(entity, targets):
        values = values_of(sample, index)
        if _ID_HEADER.search(columns[index]):
            if values and all(_ID.fullmatch(value) for value in values):
                targets[index] = replace(target, missing=BLANK)
        elif found.kind is Kind.LOOKUP and len(values) > 1 and all(map(_NUMBER.fullmatch, values)):
            targets[index] = replace(target, missing=BLANK)
            said = _("“%(column)s” holds numbers and no names: nothing new is made of them.")
            notes.append(said % {"column": columns[index]})
    return notes


def people_elsewhere(
    entity: Entity,
    columns: Sequence[str],
    targets: dict[int, Target],
    sample: Sequence[Sequence[str]],
) -> list[str]:
    """Names that a program adds to what it exports: whoever is not here, or is so more than once,
    must not cost the record."""
    notes = []
    for index, target, found in _links(entity, targets):
        if found.kind is not Kind.LOOKUP or target.missing:
            continue
        is_elsewhere = missing_rule(found, target) == REFUSE or parts.back(found)
        if is_elsewhere and values_of(sample, index):
            targets[index] = replace(target, missing=BLANK, several=BLANK)
            said = _("“%(column)s” is left blank where it names nobody who is here, or several.")
            notes.append(said % {"column": columns[index]})
    return notes


def two_ends(columns: Sequence[str], targets: MappingType[int, Target]) -> list[str]:
    """That one column of days has those of another one, too."""
    won, lost = datecolumns.ends_of(columns) or (0, 0)
    if won == lost or won not in targets:
        return []
    said = _("“%(column)s” has the days of “%(other)s”, too, where it is blank.")
    return [said % {"column": columns[won], "other": columns[lost]}]


def several_in_a_cell(
    entity: Entity,
    layout: Layout,
    columns: Sequence[str],
    targets: dict[int, Target],
    sample: Sequence[Sequence[str]],
) -> list[str]:
    """Names of several records in one cell, where there is room for one."""
    sign = layouts.SEVERAL_IN_A_CELL.get(layout.program.key)
    if not sign:
        return []
    said = _("“%(column)s” has several names in one cell, of which the first counts: %(text)s")
    notes = []
    for index, _target, _found in _links(entity, targets):
        text = next((text for text in values_of(sample, index) if sign in text), "")
        if text:
            notes.append(said % {"column": columns[index], "text": text[:80]})
    return notes


def owners_by_id(
    entity: Entity,
    columns: Sequence[str],
    targets: dict[int, Target],
    sample: Sequence[Sequence[str]],
) -> list[str]:
    """Owners that have only an id elsewhere: people may say who each of them is."""
    if any(target.field == "owner" for target in targets.values()) or "owner" not in entity.fields:
        return []
    for index, header in enumerate(columns):
        if headers.plain(header) in _OWNER_IDS and values_of(sample, index):
            targets[index] = Target(field="owner")
            said = _("“%(column)s” holds ids of another program: you own what none of ours has.")
            return [said % {"column": header}]
    return []


def _links(
    entity: Entity, targets: MappingType[int, Target]
) -> Iterator[tuple[int, Target, Field]]:
    """The columns that name records by a look-up of their own."""
    for index, target in targets.items():
        found = entity.fields.get(target.field)
        if found is not None and found.is_link:
            yield index, target, found


def is_owner_id(header: str) -> bool:
    """Whether ids of owners stand there: their names, in another column, say more."""
    return headers.plain(header).endswith("ownerid")


_OWNER_IDS = frozenset({"ownerid", "owneridvalue", "assigneduserid"})
_ID_HEADER = re.compile(r"(?<![A-Za-z])id$|Id$|ID$")
_ID = re.compile(r"(?=.*\d)[\w{}-]+")
# “1-000017” of a company elsewhere. A name with few figures, “1&1” or “360”, is one.
_NUMBER = re.compile(r"(?=(?:\D*\d){4})[\d\s./_#-]+")


def is_id(header: str) -> bool:
    """Whether the header says that its cells are ids, and so no names."""
    bare = headers.plain(header)
    return bool(_ID_HEADER.search(header.strip())) or bare.endswith(_IDS)


_IDS = ("identifier", "uuid", "guid")
