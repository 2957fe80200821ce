"""Columns of a file onto fields of an entity: chosen, checked, kept."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping as MappingType, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.utils.translation import gettext as _

from rapport.meta.entity import Entity
from rapport.meta.field import Field
from rapport.meta.folding import fold
from rapport.meta.kinds import Kind
from rapport.models.operations import Fate

from . import headers, parts
from .cells import is_choice
from .headers import CHANGED_ON, CHANGED_ON_HEADER, RECORD_ID

# What happens when a look-up finds nothing, or several.
CREATE, REFUSE, BLANK, OLDEST = "create", "refuse", "blank", "oldest"
# What happens to a stored record that a row is about; a duplicate may also be created.
UPDATE, FILL, SKIP = "update", "fill", "skip"
# A look-up to one of these may make what is missing out of its name alone.
MADE_BY_NAME = frozenset({"account"})


class MappingRefused(ValueError):
    """The columns cannot be mapped like this; the message is for people."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """Where a column goes.

    `missing`, `several`: what happens when a look-up finds nothing or several; '': the usual.
    `default`: the text of blank cells. `values` {cell: option, or '' to leave it blank}: cells that
    mean an option. `wipe`: a blank cell empties the field of a stored record.
    """

    field: str
    missing: str = ""
    several: str = ""
    default: str = ""
    values: MappingType[str, str] = dataclasses.field(default_factory=dict)
    wipe: bool = False

    def as_json(self) -> Any:
        """A plain name when nothing else is said."""
        said = {name: value for name in _SAID if (value := getattr(self, name))}
        return {"field": self.field, **said} if said else self.field

    @property
    def meant(self) -> dict[str, str]:
        """`values` by folded cells: blind to case and accents."""
        return {fold(cell): text for cell, text in self.values.items()}

    @classmethod
    def from_json(cls, kept: Any) -> Target:
        """The inverse of `as_json`."""
        if isinstance(kept, str):
            return cls(field=kept)
        return cls(**{name: kept[name] for name in ("field", *_SAID) if name in kept})


_SAID = ("missing", "several", "default", "values", "wipe")


@dataclass(frozen=True, kw_only=True)
class Mapping:
    """Targets by column index. `notes`: what a person should know about the proposal.

    `constants` {field: text}: what no column fills. `match`: sets of fields, tried in turn, by
    which a row finds the stored record that it is about; a record id always comes first.
    `on_match`: what happens to that record. `duplicates`: what happens to a row that the duplicate
    rules hold back. `parts` {look-up: what happens to the record that it names}. `country`: of
    phone numbers that do not say theirs; kept with how the file is read. `system`: the program or
    file whose ids it has.
    """

    entity: Entity
    columns: MappingType[int, Target] = dataclasses.field(default_factory=dict)
    notes: tuple[str, ...] = ()
    constants: MappingType[str, str] = dataclasses.field(default_factory=dict)
    match: tuple[tuple[str, ...], ...] = ()
    on_match: str = UPDATE
    duplicates: str = SKIP
    parts: MappingType[str, str] = dataclasses.field(default_factory=dict)
    country: str = ""
    system: str = ""

    def as_json(self) -> dict[str, Any]:
        """For `ImportFile.mapping`: options that are as usual are left out."""
        kept = {str(index): target.as_json() for index, target in sorted(self.columns.items())}
        said = {
            "constants": dict(self.constants),
            "match": [list(names) for names in self.match],
            "on_match": self.on_match if self.on_match != UPDATE else "",
            "duplicates": self.duplicates if self.duplicates != SKIP else "",
            "parts": dict(self.parts),
            "system": self.system,
        }
        return {**kept, **{name: value for name, value in said.items() if value}}

    @classmethod
    def from_json(cls, entity: Entity, kept: MappingType[str, Any]) -> Mapping:
        """The inverse of `as_json`; fields that are gone are left out."""
        known = targets(entity)
        columns = {int(i): Target.from_json(t) for i, t in kept.items() if i.isdecimal()}
        constants = kept.get("constants", {})
        return cls(
            entity=entity,
            columns={i: t for i, t in columns.items() if t.field in known},
            constants={name: text for name, text in constants.items() if name in known},
            match=tuple(tuple(names) for names in kept.get("match", ()) if known.issuperset(names)),
            on_match=kept.get("on_match", UPDATE),
            duplicates=kept.get("duplicates", SKIP),
            parts=kept.get("parts", {}),
            system=kept.get("system", ""),
        )

    def usual(self, found: str) -> str:
        """What happens to a row that is found to be this when nobody decides."""
        if found == Fate.UPDATE:
            return self.on_match
        return self.duplicates if found == Fate.DUPLICATE else ""

    @property
    def fields(self) -> set[str]:
        """Names of the fields that some column fills."""
        return {target.field for target in self.columns.values()}

    def column_of(self, name: str) -> int | None:
        """The column that fills the field `name`, directly or out of a full name."""
        for index, target in self.columns.items():
            if target.field == name:
                return index
        if name in self.entity.title_fields and name != self.entity.title:
            return self.column_of(self.entity.title)
        return None

    @property
    def filling(self) -> list[tuple[int | None, Target]]:
        """All targets by column; constants have none."""
        constants = [(None, Target(field=name)) for name in self.constants]
        return [*self.columns.items(), *constants]

    @property
    def filled_parts(self) -> tuple[str, ...]:
        """The look-ups whose records other columns of the row fill."""
        named = (*self.fields, *self.constants)
        filled = {lookup for lookup, own in map(parts.split, named) if own != parts.SOURCE_ID}
        return tuple(lookup for lookup in parts.parts_of(self.entity) if lookup in filled)

    def part(self, lookup: str) -> Mapping:
        """The mapping of those columns, onto the entity that the look-up names."""
        columns = {
            index: replace(target, field=own)
            for index, target in self.columns.items()
            for found, own in [parts.split(target.field)]
            if found == lookup
        }
        constants = {
            own: text
            for name, text in self.constants.items()
            for found, own in [parts.split(name)]
            if found == lookup
        }
        entity = parts.entity_of(self.entity, lookup)
        return Mapping(entity=entity, columns=columns, constants=constants)


def targets(entity: Entity) -> frozenset[str]:
    """All that a column may be."""
    ids = parts.id_targets(entity)
    return frozenset(
        {*headers.targets(entity), *parts.targets(entity), *ids, RECORD_ID, CHANGED_ON}
    )


def label_of(entity: Entity, name: str) -> str:
    """What people call a target."""
    if name == RECORD_ID:
        return _("Record id")
    if name == CHANGED_ON:
        return CHANGED_ON_HEADER
    return parts.label(entity, name)


def missing_rule(found: Field, target: Target) -> str:
    """What to do when the look-up `found` finds nothing, or a cell is none of its options."""
    if target.missing:
        return target.missing
    if found.kind is Kind.OWNER:
        return BLANK
    return CREATE if _can_be_made(found) else REFUSE


def missing_choices(found: Field) -> tuple[str, ...]:
    """The rules that a person may choose from; none where any text will do."""
    if is_choice(found):
        return (REFUSE, BLANK)
    if not found.is_link:
        return ()
    return (CREATE, REFUSE, BLANK) if _can_be_made(found) else (REFUSE, BLANK)


def several_choices(found: Field) -> tuple[str, ...]:
    """The rules for several records of one name."""
    return (REFUSE, BLANK, OLDEST) if found.is_link else ()


def _can_be_made(found: Field) -> bool:
    return found.target in MADE_BY_NAME or parts.is_part(found) or bool(parts.back(found))


# -- checks and changes ---------------------------------------------------------------------------


def missing_required(mapping: Mapping) -> list[Field]:
    """Required fields that no column fills."""
    entity = mapping.entity
    if RECORD_ID in mapping.fields:
        return []
    blank = {None, ""}
    return [
        found
        for found in entity.editable
        if found.required
        and found.kind is not Kind.OWNER
        and found.default in blank
        and mapping.column_of(found.name) is None
        and found.name not in mapping.constants
    ]


def needed(mapping: Mapping) -> list[Field]:
    """Required fields that no column fills, where rows do not just find the records that are there:
    what a person is asked for."""
    return [] if mapping.match else missing_required(mapping)


def check(mapping: Mapping) -> None:
    """Raise MappingRefused when nothing can come of it."""
    if not mapping.columns:
        raise MappingRefused(
            _("No column matches a field of %(entity)s. Say what each column is.")
            % {"entity": mapping.entity.label_plural}
        )
    seen: set[str] = set()
    for target in mapping.columns.values():
        if target.field in seen:
            raise MappingRefused(
                _("Two columns are mapped to %(field)s.")
                % {"field": label_of(mapping.entity, target.field)}
            )
        seen.add(target.field)


def chosen(
    entity: Entity, picks: MappingType[int, str], missing: MappingType[int, str] | None = None
) -> Mapping:
    """The mapping that a person picked: {column: field name, '' to ignore it}.

    Raises MappingRefused for a field that does not exist.
    """
    known = targets(entity)
    columns = {}
    for index, name in picks.items():
        if not name:
            continue
        name = parts.plainly(entity, name)
        if name not in known:
            raise MappingRefused(_("There is no field “%(name)s”.") % {"name": name})
        rule = (missing or {}).get(index, "")
        found = parts.field_of(entity, name)
        allowed = missing_choices(found) if found else ()
        columns[index] = Target(field=name, missing=rule if rule in allowed else "")
    return Mapping(entity=entity, columns=columns)


def changed(mapping: Mapping, columns: Sequence[str], picks: Sequence[str]) -> Mapping:
    """`mapping` with picks like 'Header=field' or '3=field' ('Header=' ignores the column)."""
    made = dict(mapping.columns)
    for pick in picks:
        header, equals, name = pick.rpartition("=")
        index = index_of(header, columns)
        if not equals or index is None:
            raise MappingRefused(_("There is no column “%(column)s”.") % {"column": header or pick})
        name = parts.plainly(mapping.entity, name)
        made = {i: t for i, t in made.items() if i != index and t.field != name}
        made |= chosen(mapping.entity, {index: name}).columns
    return replace(mapping, columns=made)


def index_of(header: str, columns: Sequence[str]) -> int | None:
    """The column with this header, or this number."""
    if header in columns:
        return columns.index(header)
    if header.isdecimal() and 0 < int(header) <= len(columns):
        return int(header) - 1
    return None
