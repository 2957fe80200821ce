"""Columns of a file onto fields of an entity: proposed, chosen, checked, kept."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping as MappingType, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.utils.translation import gettext as _

from rapport.meta.entity import Entity
from rapport.meta.field import Field
from rapport.meta.folding import fold
from rapport.meta.kinds import Kind, Reading
from rapport.meta.registry import registry
from rapport.models.operations import Fate

from . import foreign, headers, layouts, parts, words
from .cells import is_choice
from .headers import RECORD_ID
from .layouts import Layout

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
    return frozenset({*headers.targets(entity), *parts.targets(entity), *ids, RECORD_ID})


def label_of(entity: Entity, name: str) -> str:
    """What people call a target."""
    if name == RECORD_ID:
        return _("Record id")
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
    return found.target in MADE_BY_NAME or parts.is_part(found)


# -- a proposal -----------------------------------------------------------------------------------


def propose(
    entity: Entity,
    columns: Sequence[str],
    sample: Sequence[Sequence[str]],
    *,
    reading: Reading,
    guess: bool = False,
    layout: Layout | None = None,
) -> Mapping:
    """What the columns seem to be, by their headers and a look at the `sample` of records.

    `guess`: when no header says anything, take the first column with text as the name. `layout`:
    the program that wrote the file.
    """
    taken: dict[str, int] = {}
    targets: dict[int, Target] = {}
    theirs = parts.proposed(entity, columns)
    notes: list[str] = []
    for index in _in_order(entity, columns, sample):
        header, values = columns[index], _values(sample, index)
        said = _said(entity, layout, header, values)
        if said is None:
            said = theirs.get(index) or _name_for(entity, header, columns, sample)
        name = _or_phone(entity, _or_position(said, header, values, columns), values)
        others = () if headers.is_vague(header) else _siblings(entity, name)
        for candidate in (name, *others) if name else ():
            if candidate not in taken:
                taken[candidate] = index
                targets[index] = Target(field=candidate)
                break
        else:
            if name and values:
                notes.append(
                    _("“%(column)s” is ignored: another column is %(field)s already.")
                    % {"column": header, "field": label_of(entity, name)}
                )
    _name_beside_first_name(entity, targets, taken)
    _whole_names(entity, targets, sample)
    _ids_of_others(entity, columns, targets, sample)
    notes += _owners_by_id(entity, columns, targets, sample)
    if layout is not None:
        _translate(entity, layout, targets, sample, reading)
    notes += _settle_options(entity, columns, sample, targets, reading=reading, layout=layout)
    if not targets and guess:
        first = _first_text(sample, len(columns), entity.fields[entity.title].max_length or 0)
        if first is not None:
            targets[first] = Target(field=entity.title)
            notes.append(
                _("No header was recognised: “%(column)s” is taken as %(field)s.")
                % {
                    "column": columns[first] or _("Column %(number)s") % {"number": first + 1},
                    "field": label_of(entity, entity.title),
                }
            )
            email = _addresses(sample, len(columns))
            if email is not None and "email" in entity.fields:
                targets[email] = Target(field="email")
    system = layout.program.key if layout is not None else ""
    return Mapping(entity=entity, columns=targets, notes=tuple(notes), system=system)


def _in_order(entity: Entity, columns: Sequence[str], sample: Sequence[Sequence[str]]) -> list[int]:
    """The columns, those first that choose their field first: in which something stands, since
    exports of other programs have many blanks; that are called just as the field is."""
    first: dict[str, int] = {}
    for at, header in enumerate(columns):
        first.setdefault(headers.plain(header), at)
    called = {at for header, at in first.items() if headers.is_label(entity, header)}
    return sorted(
        range(len(columns)),
        key=lambda at: (
            not _values(sample, at),
            headers.is_vague(columns[at]),
            at not in called,
        ),
    )


def _name_for(
    entity: Entity, header: str, columns: Sequence[str], sample: Sequence[Sequence[str]]
) -> str:
    if headers.is_record_id(entity, header):
        return RECORD_ID
    if headers.plain(header) == "birthday" and _has(columns, "Birth Month"):
        # Thunderbird writes a day in three columns; this is the number of the day alone.
        return ""
    typed = _with_type(header, columns, sample)
    return (typed != header and headers.field_for(entity, typed)) or headers.field_for(
        entity, header
    )


def _said(entity: Entity, layout: Layout | None, header: str, values: Sequence[str]) -> str | None:
    """What the program that wrote the file means by a header; None when nothing else."""
    if layout is None or layout.entity != entity.name:
        return None
    found = layouts.target_of(layout, header, values)
    return found if not found or found in targets(entity) else None


def _translate(
    entity: Entity,
    layout: Layout,
    columns: dict[int, Target],
    sample: Sequence[Sequence[str]],
    reading: Reading,
) -> None:
    """Values by which the program means one of our options; those that have none stay blank."""
    for index, target in columns.items():
        meant = layout.values.get(target.field)
        found = parts.field_of(entity, target.field)
        if meant is None or found is None:
            continue
        known = {fold(cell) for cell in meant}
        unknown = {
            value: ""
            for value in _values(sample, index)
            if found.kind in {Kind.CHOICE, Kind.STATE}
            and fold(value) not in known
            and not foreign.fits(found, value, reading)
            and not foreign.is_end(entity, found, value)
        }
        rule = BLANK if found.kind is Kind.STATE else target.missing
        columns[index] = replace(target, values={**meant, **unknown}, missing=rule)


_TITLES = ("title", "titel", "titre")


def _has(columns: Sequence[str], header: str) -> bool:
    return headers.plain(header) in map(headers.plain, columns)


def _or_position(name: str, header: str, values: Sequence[str], columns: Sequence[str]) -> str:
    """“Title” is a salutation in some programs and a position in others."""
    lookup, own = parts.split(name)
    bare = headers.plain(header)
    is_title = bare.endswith(_TITLES)
    if own == "salutation" and is_title and not _are_salutations(values):
        if not lookup and _has(columns, "Job Title"):
            return name
        return f"{lookup}.job_title".lstrip(".")
    return name


def _or_phone(entity: Entity, name: str, values: Sequence[str]) -> str:
    """“Contact” is a person, or how to reach one."""
    phone = "business_phone"
    if name == entity.title and phone in entity.fields and values:
        return phone if all(_PHONE.fullmatch(value) for value in values) else name
    return name


_PHONE = re.compile(r"\+?[\d\s()./-]{5,}")


def _siblings(entity: Entity, name: str) -> list[str]:
    lookup, own = parts.split(name)
    if not lookup:
        return list(headers.siblings(entity, own))
    part = parts.entity_of(entity, lookup)
    return [f"{lookup}.{other}" for other in headers.siblings(part, own)]


def _with_type(header: str, columns: Sequence[str], sample: Sequence[Sequence[str]]) -> str:
    """'Phone 4 - Value' becomes 'Mobile phone' when the column 'Phone 4 - Type' says so."""
    stem, _dash, last = header.rpartition(" - ")
    if not stem or last != "Value":
        return header
    partner = next((f"{stem} - {n}" for n in _TYPES if f"{stem} - {n}" in columns), "")
    if not partner:
        return header
    values = {fold(v).strip(" *") for v in _values(sample, columns.index(partner))}
    word = re.sub(r"[\s\d]+", " ", stem).strip()
    if len(values) != 1 or word not in {"Phone", "Website"}:
        return header
    (kind,) = values
    return kind if "fax" in kind else f"{kind} {word}"


# Google's older and newer word.
_TYPES = ("Type", "Label")


def _values(sample: Sequence[Sequence[str]], index: int) -> list[str]:
    found = (row[index].strip() for row in sample if index < len(row))
    return [value for value in found if value]


def _are_salutations(values: Sequence[str]) -> bool:
    known = sum(fold(value).rstrip(".") in words.SALUTATIONS for value in values)
    return not values or known * 2 > len(values)


def _name_beside_first_name(
    entity: Entity, targets: dict[int, Target], taken: MappingType[str, int]
) -> None:
    """'Name, Vorname': beside a first name and without a last name, the name is the last name."""
    if entity.title in taken and "first_name" in taken and "last_name" not in taken:
        targets[taken[entity.title]] = Target(field="last_name")


def _whole_names(
    entity: Entity, targets: dict[int, Target], sample: Sequence[Sequence[str]]
) -> None:
    """A column called “Nom” or “Nombre” without its other half may hold whole names."""
    halves = {t.field: i for i, t in targets.items() if t.field in {"first_name", "last_name"}}
    if len(halves) != 1 or any(t.field == entity.title for t in targets.values()):
        return
    (index,) = halves.values()
    if headers.is_split(entity) and _are_people(_values(sample, index)):
        targets[index] = replace(targets[index], field=entity.title)


def _ids_of_others(
    entity: Entity,
    columns: Sequence[str],
    targets: dict[int, Target],
    sample: Sequence[Sequence[str]],
) -> None:
    """Ids of records in another program name none of ours, and are no names to make some of."""
    for index, target in targets.items():
        found = entity.fields.get(target.field)
        if found is None or not found.is_link or not _ID_HEADER.search(columns[index]):
            continue
        values = _values(sample, index)
        if values and all(_ID.fullmatch(value) for value in values):
            targets[index] = replace(target, missing=BLANK)


def _owners_by_id(
    entity: Entity,
    columns: Sequence[str],
    targets: dict[int, Target],
    sample: Sequence[Sequence[str]],
) -> list[str]:
    """Owners that have only an id elsewhere: people may say who each of them is."""
    if any(target.field == "owner" for target in targets.values()) or "owner" not in entity.fields:
        return []
    for index, header in enumerate(columns):
        if headers.plain(header) in _OWNER_IDS and _values(sample, index):
            targets[index] = Target(field="owner")
            said = _("“%(column)s” holds ids of another program: you own what none of ours has.")
            return [said % {"column": header}]
    return []


_OWNER_IDS = frozenset({"ownerid", "owneridvalue", "assigneduserid"})
_ID_HEADER = re.compile(r"(?<![A-Za-z])id$|Id$|ID$")
_ID = re.compile(r"(?=.*\d)[\w{}-]+")


def _settle_options(
    entity: Entity,
    columns: Sequence[str],
    sample: Sequence[Sequence[str]],
    targets: dict[int, Target],
    *,
    reading: Reading,
    layout: Layout | None,
) -> list[str]:
    """Let the cells of choice columns mean the options that they plainly are. What people should
    know of the others."""
    notes = []
    for index, target in list(targets.items()):
        found = parts.field_of(entity, target.field)
        if found is None or found.kind not in {Kind.CHOICE, Kind.STATE}:
            continue
        cells = list(dict.fromkeys(_values(sample, index)))
        is_part = bool(parts.split(target.field)[0])
        is_said = bool(target.values)
        if is_said:
            meant: foreign.Meanings = {cell: target.meant.get(fold(cell), cell) for cell in cells}
        elif found.kind is Kind.STATE:
            taken = {one.field for one in targets.values()}
            is_code = headers.plain(columns[index]) in _CODES
            found, meant = foreign.of_states(
                entity, found, cells, taken, reading, as_numbers=is_code
            )
            target = replace(target, field=found.name)
        else:
            meant = foreign.meanings(entity, found, cells, reading)
        texts = {"column": columns[index], "field": label_of(entity, target.field)}
        if cells and not is_said and not is_part and set(meant.values()) == {None}:
            del targets[index]
            ignored = _("“%(column)s” is ignored: none of its values is an option of %(field)s.")
            notes.append(ignored % texts)
            continue
        if is_part or found.kind is Kind.STATE:
            # A company's industry that is none of ours must not cost the person.
            target = replace(target, missing=BLANK)
        if not is_said:
            other = {cell: text for cell, text in meant.items() if text and text != cell}
            target = replace(target, values=other)
        targets[index] = target
        # What the program means by leaving it blank is no news.
        known = set(map(fold, layout.values.get(target.field, ()) if layout else ()))
        blank = [cell for cell, text in meant.items() if not text and fold(cell) not in known]
        if blank and (is_said or target.missing == BLANK):
            texts["values"] = ", ".join(f"“{cell[:40]}”" for cell in blank[:NAMED])
            left = _("“%(column)s”: left blank, since no option of %(field)s: %(values)s.")
            notes.append(left % texts)
    return notes


# Columns in which numbers are those of options.
_CODES = frozenset({"statecode", "statuscode"})
# Cells that a note names.
NAMED = 5


def _addresses(sample: Sequence[Sequence[str]], columns: int) -> int | None:
    """The first column of e-mail addresses."""
    for index in range(columns):
        values = _values(sample, index)
        if values and all(_EMAIL.fullmatch(value) for value in values):
            return index
    return None


_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]{2,}")


def _first_text(sample: Sequence[Sequence[str]], columns: int, limit: int) -> int | None:
    """The first column that always says something short, letters before digits."""
    if not sample:
        return None
    by_column = {i: _values(sample, i) for i in range(columns)}
    full = [
        index
        for index, found in by_column.items()
        if len(found) == len(sample) and (not limit or max(map(len, found)) <= limit)
    ]
    texts = [i for i in full if all(any(c.isalpha() for c in value) for value in by_column[i])]
    return next(iter(texts or full), None)


# -- which entity ---------------------------------------------------------------------------------


def importable() -> list[Entity]:
    """Entities that a file can be imported into."""
    return [
        e
        for e in registry
        if e.importable and e.in_hub and e.creatable and e.ownership == "user" and e.menu
    ]


def choose_entity(
    columns: Sequence[str],
    sample: Sequence[Sequence[str]],
    *,
    file_name: str,
    among: Sequence[Entity],
) -> Entity | None:
    """The entity whose fields the headers name best; None when they name none of them well."""
    best: Entity | None = None
    best_score = 0.0
    for entity in among:
        mapping = propose(entity, columns, sample, reading=Reading())
        if missing_required(mapping) or not _tells_apart(mapping) or _names_nobody(mapping):
            continue
        score = _score(mapping, columns, sample, file_name)
        if score > best_score:
            best, best_score = entity, score
    return best


def _tells_apart(mapping: Mapping) -> bool:
    """Whether some column says which record a row is about."""
    entity = mapping.entity
    groups = (*entity.duplicates, *entity.duplicates_otherwise)
    known = {
        RECORD_ID,
        entity.title,
        entity.title_fields[-1],
        *(n for group in groups for n in group),
    }
    return bool(known & mapping.fields)


def _names_nobody(mapping: Mapping) -> bool:
    """Whether it needs to name somebody, as a deal its customer, and does not."""
    wanted = words.NAMES_ONE.get(mapping.entity.name, frozenset())
    named = {parts.split(name)[0] or name for name in mapping.fields}
    return bool(wanted) and not named & {RECORD_ID, *wanted}


def _score(
    mapping: Mapping, columns: Sequence[str], sample: Sequence[Sequence[str]], file_name: str
) -> float:
    entity = mapping.entity
    score = float(len(mapping.columns))
    called = headers.plain(entity.name)
    score += 0.5 * min(3, sum(headers.plain(column).startswith(called) for column in columns))
    plural = headers.plain(str(entity.label_plural))
    if called in headers.plain(file_name) or plural in headers.plain(file_name):
        score += 2
    if RECORD_ID in mapping.fields:
        score += 100
    if headers.is_split(entity) and mapping.fields & {"first_name", "last_name"}:
        score += 2
    title = mapping.column_of(entity.title)
    if title is not None and headers.plain(columns[title]) != "name":
        # “Name” may be that of people who gave an amount.
        score += len(mapping.fields & words.TELLING.get(entity.name, frozenset()))
    if title is None or mapping.fields & {"first_name", "last_name"}:
        return score
    if not headers.is_split(entity) and headers.tell_of_people(columns):
        # The company of somebody whose first name has a column of its own.
        return score
    # “Name” alone says little; what stands below it says whether they are people.
    fits = _are_people_of(mapping, title, sample) == headers.is_split(entity)
    return score + 2 if fits else score


def _are_people_of(mapping: Mapping, title: int, sample: Sequence[Sequence[str]]) -> bool:
    """Whether the names are those of people: they look so, or their addresses begin like them."""
    email = mapping.column_of("email")
    if _are_people(_values(sample, title)) or email is None:
        return _are_people(_values(sample, title))
    pairs = [(row[title], row[email]) for row in sample if max(title, email) < len(row)]
    same = [
        headers.plain(name.split()[0]) in headers.plain(address.partition("@")[0])
        for name, address in pairs
        if name.strip() and "@" in address and headers.plain(name.split()[0])
    ]
    return sum(same) * 2 > len(pairs)


_PERSON = re.compile(r"[^\W\d_]['’.\w-]*( (?:[^\W\d_]['’.\w-]*|[a-zß-ÿ]{2,3})){1,3}")


def _are_people(values: Sequence[str]) -> bool:
    people = 0
    for value in values:
        parts = {word.strip(".,") for word in fold(value).split()}
        if _PERSON.fullmatch(value) and not parts & (words.LEGAL_FORMS | words.NOT_IN_NAMES):
            people += len(parts) < 4 or bool(parts & words.PARTICLES)
    return people * 2 > len(values)


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
