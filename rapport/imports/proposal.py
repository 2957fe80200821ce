"""What the columns of a file seem to be, by their headers and a look at their values."""

from __future__ import annotations

import re
from collections.abc import Mapping as MappingType, Sequence
from dataclasses import replace

from django.utils.translation import gettext as _

from rapport.meta.entity import Entity
from rapport.meta.folding import fold
from rapport.meta.kinds import Kind, Reading

from . import datecolumns, elsewhere, headers, layouts, parts, tongues, words
from .headers import CHANGED_ON, RECORD_ID
from .layouts import Layout
from .mapping import (
    Mapping,
    Target,
    label_of,
    targets as all_targets,
)
from .meanings import leave_unfit, settle, translate
from .samples import are_people, are_salutations, first_addresses, first_text, values_of


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
    together = _by_others(entity, columns)
    for index in _in_order(entity, columns, sample):
        header, values = columns[index], values_of(sample, index)
        said = _said(entity, layout, header, values)
        if said is None:
            said = together.get(index)
        if said is None:
            said = theirs.get(index) or _name_for(entity, header, columns, sample)
        name = _or_phone(entity, _or_position(said, header, values, columns), values)
        name = _or_amount(entity, name, values)
        others = () if _is_vague(header, columns, sample) else _siblings(entity, name)
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
    _first_address_first(entity, columns, targets)
    _name_beside_first_name(entity, targets, taken, sample)
    _whole_names(entity, targets, sample)
    notes += elsewhere.ids_of_others(entity, columns, targets, sample)
    notes += elsewhere.two_ends(columns, targets)
    notes += elsewhere.owners_by_id(entity, columns, targets, sample)
    if layout is not None:
        notes += elsewhere.people_elsewhere(entity, columns, targets, sample)
        notes += elsewhere.several_in_a_cell(entity, layout, columns, targets, sample)
        translate(entity, layout, targets, sample, reading)
    notes += settle(entity, columns, sample, targets, reading=reading, layout=layout)
    notes += leave_unfit(entity, columns, sample, targets)
    if guess and _says_little(entity, columns, targets):
        notes += _by_values_alone(entity, columns, sample, targets)
    system = layout.program.key if layout is not None else ""
    return Mapping(entity=entity, columns=targets, notes=tuple(notes), system=system)


def _first_address_first(
    entity: Entity, columns: Sequence[str], targets: dict[int, Target]
) -> None:
    """Of e-mail addresses that their headers all call others, the first is the first one; but who
    calls them as we do, or knows our records, means what is said."""
    found = sorted(index for index, target in targets.items() if target.field in _ADDRESSES)
    ours = {
        headers.plain(text) for name in _ADDRESSES if name in entity.fields
        for text in (name, str(entity.fields[name].label))
    }  # fmt: skip
    if any(target.field == RECORD_ID for target in targets.values()):
        return
    if all(targets[i].field != "email" and headers.plain(columns[i]) not in ours for i in found):
        for index, name in zip(found, _ADDRESSES, strict=False):
            targets[index] = replace(targets[index], field=name)


_ADDRESSES = ("email", "email2", "email3")


def _by_values_alone(
    entity: Entity,
    columns: Sequence[str],
    sample: Sequence[Sequence[str]],
    targets: dict[int, Target],
) -> list[str]:
    """Take the first column of texts as the name, and one of addresses as the e-mail; what is to be
    said of it."""
    first = _first_name(entity, columns, sample, targets)
    if first is None:
        return []
    if targets:
        said = _("No header says so, but “%(column)s” is taken as %(field)s.")
    else:
        said = _("No header was recognised: “%(column)s” is taken as %(field)s.")
    email = None if targets else first_addresses(sample, len(columns))
    targets[first] = Target(field=entity.title)
    if email is not None and "email" in entity.fields:
        targets[email] = Target(field="email")
    header = columns[first] or _("Column %(number)s") % {"number": first + 1}
    return [said % {"column": header, "field": label_of(entity, entity.title)}]


def _says_little(entity: Entity, columns: Sequence[str], targets: dict[int, Target]) -> bool:
    """Whether hardly a header was recognised, and none that says what a thing is called."""
    if headers.is_split(entity):
        return not targets
    if targets and headers.tell_of_people(columns):
        # A list of people, whatever it was called.
        return False
    fields = {target.field for target in targets.values()}
    return not fields & {entity.title, RECORD_ID} and len(targets) * 3 <= sum(map(bool, columns))


def _first_name(
    entity: Entity,
    columns: Sequence[str],
    sample: Sequence[Sequence[str]],
    taken: MappingType[int, Target],
) -> int | None:
    """The column that may hold names when no header says so. Ids, codes and days are none, but for
    things that have nothing else."""
    limit = entity.fields[entity.title].max_length or 0
    free = [index for index in range(len(columns)) if index not in taken]
    names = [index for index in free if not elsewhere.is_id(columns[index])]
    first = first_text(sample, names, limit, words=True)
    if first is not None or headers.is_split(entity):
        return first
    return first_text(sample, free if len(columns) > 1 else names, limit)


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
            not values_of(sample, at),
            _is_vague(columns[at], columns, sample),
            elsewhere.is_owner_id(columns[at]),
            at not in called,
        ),
    )


def _name_for(
    entity: Entity, header: str, columns: Sequence[str], sample: Sequence[Sequence[str]]
) -> str:
    if headers.is_record_id(entity, header):
        return RECORD_ID
    if headers.is_changed_on(header):
        return CHANGED_ON if any(headers.is_record_id(entity, one) for one in columns) else ""
    typed = _with_type(header, columns, sample)
    return (typed != header and headers.field_for(entity, typed)) or headers.field_for(
        entity, header
    )


def _by_others(entity: Entity, columns: Sequence[str]) -> dict[int, str]:
    """What columns are by others beside them: days in three, names that belong to somebody."""
    found: dict[int, str] = {}
    whose = _whose(entity, columns)
    for index, column in enumerate(columns):
        if whose.match(column) and not headers.field_for(entity, column):
            found[index] = headers.field_for(entity, whose.sub("", column))
    beside = set(map(headers.plain, columns))
    for word, (name, others) in tongues.BESIDE.items():
        others_there = not beside.isdisjoint(map(headers.plain, others.split("|")))
        if word in beside and others_there and name in headers.targets(entity):
            found |= {i: name for i, column in enumerate(columns) if headers.plain(column) == word}
    for index, column in enumerate(columns):
        # Beside “New phone” the column “Phone” has what it was.
        if (old := headers.plain(headers.without_new(column))) and old in beside:
            name = headers.field_for(entity, column)
            before = {at: "" for at, one in enumerate(columns) if headers.plain(one) == old}
            found |= {index: name, **before} if name else {}
    if (ends := datecolumns.ends_of(columns)) and headers.field_for(entity, columns[ends[0]]):
        found[ends[1]] = ""
    for day in datecolumns.days_of(columns).values():
        names = (headers.field_for(entity, name) for name in day.names)
        if name := next(filter(None, names), ""):
            found |= {day.year: name, day.month: "", day.day: ""}
    return found


def _whose(entity: Entity, columns: Sequence[str]) -> re.Pattern[str]:
    """How the headers begin that only say whose first and last name they are: 'Player'."""
    known = {headers.field_for(entity, column) for column in columns}
    for telling, pair in _WHOSE:
        if known & telling:
            continue
        one, other = (
            [found[1] for column in columns if (found := half.fullmatch(column.strip()))]
            for half in pair
        )
        folded = set(map(fold, other))
        for stem in one:
            if fold(stem) in folded:
                return re.compile(rf"{re.escape(stem)}[\s_.-]*", re.IGNORECASE)
    return _NOBODY


def _ending(*words: str) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(rf"(.+?)[\s_.-]*{word}", re.IGNORECASE) for word in words)


# Pairs of headers of one and the same person, where no column is called just so.
_WHOSE = (
    ({"first_name", "last_name"}, _ending(r"first[\s_.-]*name", r"last[\s_.-]*name")),
    ({"last_name", "full_name", "name", "email"}, _ending("name", r"e-?mail(?:[\s_.-]*address)?")),
)
_NOBODY = re.compile(r"(?!)")


def _are_sorts(values: Sequence[str]) -> bool:
    """Whether cells say what a row is, a person or an organisation, and name neither."""
    found = {fold(value) for value in values}
    return found <= words.SORTS and bool(found & words.SORTS_OF_PEOPLE)


def _said(entity: Entity, layout: Layout | None, header: str, values: Sequence[str]) -> str | None:
    """What the program that wrote the file means by a header; None when nothing else."""
    if layout is None or layout.entity != entity.name:
        return None
    found = layouts.target_of(layout, header, values)
    return found if not found or found in all_targets(entity) else None


_TITLES = ("title", "titel", "titre", "titolo", "titulo")


def _has(columns: Sequence[str], header: str) -> bool:
    return headers.plain(header) in map(headers.plain, columns)


def _or_position(name: str, header: str, values: Sequence[str], columns: Sequence[str]) -> str:
    """“Title” is a salutation in some programs and a position in others."""
    lookup, own = parts.split(name)
    bare = headers.plain(header)
    is_title = bare.endswith(_TITLES)
    if own == "salutation" and is_title and not are_salutations(values):
        if not lookup and _has(columns, "Job Title"):
            return name
        return f"{lookup}.job_title".lstrip(".")
    return name


def _or_phone(entity: Entity, name: str, values: Sequence[str]) -> str:
    """“Contact” is a person, or how to reach one; cells that say what a row is name nobody, and
    “Phone primary: yes” is no number."""
    phone = "business_phone"
    if _are_sorts(values) or (
        (found := parts.field_of(entity, name)) is not None
        and found.kind in _WAYS
        and values
        and words.ANSWERS.issuperset(map(fold, values))
    ):
        return ""
    if name == entity.title and phone in entity.fields and values:
        return phone if all(_PHONE.fullmatch(value) for value in values) else name
    return name


def _or_amount(entity: Entity, name: str, values: Sequence[str]) -> str:
    """“Budget” says whether there is one, or how much; “Children” who they are, or how many."""
    if name == "children_names" and values and all(map(str.isdecimal, values)):
        return "children_count"
    if name != "budget_status" or "budget" not in entity.fields:
        return name
    return "budget" if values and all(map(_HAS_DIGIT.search, values)) else name


_HAS_DIGIT = re.compile(r"\d{2}|\d\s*[km]?\b", re.IGNORECASE)
_WAYS = frozenset({Kind.EMAIL, Kind.PHONE, Kind.URL})
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
    values = {fold(v).strip(" *") for v in values_of(sample, columns.index(partner))}
    word = re.sub(r"[\s\d]+", " ", stem).strip()
    if len(values) != 1 or word not in {"Phone", "Website"}:
        return header
    (kind,) = values
    return kind if "fax" in kind else f"{kind} {word}"


def _is_vague(header: str, columns: Sequence[str], sample: Sequence[Sequence[str]]) -> bool:
    return headers.is_vague(_with_type(header, columns, sample))


# Google's older and newer word.
_TYPES = ("Type", "Label")


def _name_beside_first_name(
    entity: Entity,
    targets: dict[int, Target],
    taken: MappingType[str, int],
    sample: Sequence[Sequence[str]],
) -> None:
    """'Name, Vorname': beside a first name and without a last name, the name is the last name,
    unless it has the first name in it."""
    if entity.title in taken and "first_name" in taken and "last_name" not in taken:
        name, first = taken[entity.title], taken["first_name"]
        filled = [row for row in sample if max(name, first) < len(row) and row[first].strip()]
        # A card that knows a first name alone bears it twice, which tells nothing.
        rows = [row for row in filled if fold(row[name]) != fold(row[first])]
        whole = sum(
            len(said := fold(row[name]).replace(",", " ").split()) > 1
            and set(fold(row[first]).split()) <= set(said)
            for row in rows
        )
        if whole * 2 < len(rows) or not filled:
            targets[name] = Target(field="last_name")


def _whole_names(
    entity: Entity, targets: dict[int, Target], sample: Sequence[Sequence[str]]
) -> None:
    """A column called “Nom” or “Nombre” without its other half may hold whole names."""
    halves = {t.field: i for i, t in targets.items() if t.field in {"first_name", "last_name"}}
    if len(halves) != 1 or any(t.field == entity.title for t in targets.values()):
        return
    (index,) = halves.values()
    if headers.is_split(entity) and are_people(values_of(sample, index)):
        targets[index] = replace(targets[index], field=entity.title)
