"""What a person said of a mapping besides which column is which field: constants, what blank cells
mean, which cells mean which option."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping as MappingType, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from rapport.files.read import Record
from rapport.meta.entity import Entity
from rapport.meta.field import Field
from rapport.meta.folding import fold
from rapport.meta.kinds import InvalidValue, Kind, Reading, parse, to_text
from rapport.models.operations import Decision

from . import foreign, mapping as mappings, owners, parts, standing
from .cells import Column, Convert, converter, is_choice, is_named, is_told
from .headers import CHANGED_ON, RECORD_ID
from .mapping import Mapping, MappingRefused, Target

if TYPE_CHECKING:
    from .rows import Row


def _substituting(convert: Convert, meant: MappingType[str, str]) -> Convert:
    """`convert` for cells of which some mean something else."""

    def substituted(cells: Sequence[str]) -> Column:
        return convert([meant.get(fold(cell), cell) for cell in cells])

    return substituted


def _lenient(convert: Convert) -> Convert:
    """`convert` for a column of which cells that are no option are left blank."""

    def converted(cells: Sequence[str]) -> Column:
        column = convert(cells)
        return Column(column.values, {}, column.more) if column.errors else column

    return converted


def reads(
    entity: Entity, found: Field, target: Target, reading: Reading, *, ours: bool = False
) -> Convert:
    """How the cells of a column become values of a field of `entity`. `ours`: see `converter`."""
    convert = converter(found, reading, ours=ours)
    if standing.is_stage(entity, found):
        convert = _substituting(convert, standing.last_stage(entity, found))
    if target.missing == mappings.BLANK and is_choice(found):
        convert = _lenient(convert)
    if target.values:
        convert = _substituting(convert, target.meant)
    if target.default and found.read_only:
        # A name that is taken apart: the default is, too.
        convert = _defaulting(convert, target.default)
    return convert


def _defaulting(convert: Convert, default: str) -> Convert:
    return lambda cells: convert([cell if cell.strip() else default for cell in cells])


def meant(target: Target, cells: Iterable[str]) -> Iterator[str]:
    """What the cells of a column stand for, as texts."""
    values = target.meant
    for cell in cells:
        yield values.get(fold(cell), cell) if cell.strip() else target.default


class Extras:
    """What rows get besides what their cells say."""

    def __init__(self, mapping: Mapping, reading: Reading) -> None:
        entity = mapping.entity
        self._values: dict[str, Any] = {}
        self._links: dict[str, str] = {}
        for name, text in mapping.constants.items():
            if found := entity.fields.get(name):
                value = value_of(found, text, reading)
                (self._links if is_named(found) else self._values)[name] = value
        self._blanks: list[tuple[int, Field, Any, bool]] = []
        for index, target in mapping.columns.items():
            found = entity.fields.get(target.field)
            if found is None or found.read_only:
                continue
            if target.default or target.wipe:
                default = value_of(found, target.default, reading) if target.default else None
                self._blanks.append((index, found, default, target.wipe))

    def __bool__(self) -> bool:
        return bool(self._values or self._links or self._blanks)

    def give(self, records: Sequence[Record], rows: Sequence[Row]) -> None:
        """Constants, defaults, and which fields a row empties."""
        if not self:
            return
        for record, row in zip(records, rows, strict=True):
            if row.is_bare:
                continue
            if self._values:
                row.values = {**self._values, **row.values}
            if self._links:
                row.links = {**self._links, **row.links}
            for index, found, default, wipe in self._blanks:
                if record.cells[index].strip() or found.name in row.values:
                    continue
                if wipe:
                    row.wipes = (*row.wipes, found.name)
                if default is not None:
                    row.defaults = {**row.defaults, found.name: default}
                    if is_named(found):
                        row.links = {**row.links, found.name: default}


def value_of(found: Field, text: str, reading: Reading) -> Any:
    """The value of a constant or default; of look-ups the text. Raises MappingRefused."""
    column = converter(found, reading)([text])
    if column.errors:
        raise MappingRefused(f"{found.label}: {column.errors[0]}")
    return column.values[0]


def named_defaults(rows: Iterable[Row]) -> None:
    """Defaults of look-ups, now that it is known what they name, are no more than defaults."""
    for row in rows:
        named = {n: row.values.pop(n, None) for n in row.defaults if n in row.links}
        if named:
            kept = {n: v for n, v in row.defaults.items() if n not in named}
            row.defaults = {**kept, **{n: v for n, v in named.items() if v is not None}}


# -- checks ---------------------------------------------------------------------------------------


def check(mapping: Mapping, reading: Reading) -> None:
    """Raise MappingRefused for what cannot be meant."""
    Extras(mapping, reading)
    for name in mapping.constants:
        if name in {RECORD_ID, CHANGED_ON} or name in mapping.fields:
            _refuse(mapping, name, _("“%(field)s” is filled by a column already."))
    for names in mapping.match:
        for name in names:
            if name not in mapping.entity.fields and name != RECORD_ID:
                _refuse(mapping, name, _("Records cannot be found by “%(field)s”."))
            if mapping.column_of(name) is None and name not in mapping.constants:
                _refuse(mapping, name, _("No column fills “%(field)s”, to find records by."))
    if mapping.on_match not in ON_MATCH or mapping.duplicates not in set(Decision):
        raise MappingRefused(_("There is no such choice for records that are there already."))
    for target in mapping.columns.values():
        _check_target(mapping.entity, target)


ON_MATCH = (Decision.UPDATE, Decision.FILL, Decision.SKIP)


def _refuse(mapping: Mapping, name: str, message: str) -> None:
    raise MappingRefused(message % {"field": mappings.label_of(mapping.entity, name)})


def _check_target(entity: Entity, target: Target) -> None:
    found = parts.field_of(entity, target.field)
    said = (target.missing, target.several)
    allowed = (
        (mappings.missing_choices(found), mappings.several_choices(found)) if found else ((), ())
    )
    if any(one and one not in known for one, known in zip(said, allowed, strict=True)):
        message = _("“%(rule)s” cannot be chosen for %(field)s.")
        label = mappings.label_of(entity, target.field)
        raise MappingRefused(message % {"rule": " ".join(filter(None, said)), "field": label})


# -- what the cells of choices and owners mean ----------------------------------------------------

# So many different cells of a column are told, of so many records.
TOLD, LOOKED_AT = 200, 100_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """A text of a choice or owner column, and how often it comes. `option`: the label of what it
    means, '' when it is left blank, None when it is none of the options, or nobody."""

    text: str
    count: int
    option: str | None


def cells_of(
    mapping: Mapping, batches: Iterable[Sequence[Record]], reading: Reading
) -> dict[int, list[Cell]]:
    """The texts of each choice or owner column, those first that mean nothing and then the most
    common."""
    wanted = {
        index: (found, target)
        for index, target in mapping.columns.items()
        if (found := parts.field_of(mapping.entity, target.field)) is not None and is_told(found)
    }
    texts: dict[int, Counter[str]] = {index: Counter() for index in wanted}
    left = LOOKED_AT
    for batch in batches if wanted else ():
        for index, counted in texts.items():
            counted.update(r.cells[index].strip() for r in batch if index < len(r.cells))
        left -= len(batch)
        if left <= 0:
            break
    found_cells = {}
    for index, (found, target) in wanted.items():
        texts[index].pop("", None)
        meant = target.meant
        common = texts[index].most_common(TOLD)
        said = {text: meant.get(fold(text), text) for text, _count in common}
        if found.kind is Kind.OWNER:
            labels = _owners_of(said.values())
        else:
            labels = {s: _option_of(mapping.entity, found, s, reading) for s in said.values()}
        cells = [Cell(text=text, count=n, option=labels[said[text]]) for text, n in common]
        found_cells[index] = sorted(cells, key=lambda cell: cell.option is not None)
    return found_cells


def _owners_of(texts: Iterable[str]) -> dict[str, str | None]:
    """The one user or team that each text names."""
    known = owners.named({text for text in texts if text})
    return {"": "", **{text: own[0][1] if len(own) == 1 else None for text, own in known.items()}}


def _option_of(entity: Entity, found: Field, text: str, reading: Reading) -> str | None:
    """What a cell means."""
    if not text.strip() or foreign.is_end(entity, found, text):
        return text.strip()
    try:
        return to_text(found, parse(found, text, reading))
    except InvalidValue:
        return None
