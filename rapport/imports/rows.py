"""Records of a file as values of an entity: everything that needs no database."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Mapping as MappingType, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from rapport.files.foot import FOOT
from rapport.files.read import Record
from rapport.meta.field import Field
from rapport.meta.folding import fold
from rapport.meta.kinds import InvalidValue, Kind, Reading, check

from . import cells, currencies, names, options, parts, standing
from .cells import is_named
from .headers import CHANGED_ON, RECORD_ID, siblings
from .layouts import SEVERAL_IN_A_CELL, same_id
from .mapping import Mapping, Target
from .reasons import LEFT_OUT, Reason, of_cell, of_reading

# The field for what fits nowhere else.
NOTES = "description"


@dataclass(slots=True)
class Row:
    """One record of the file. `links`: texts of look-ups that are still to be found. `asked`: the
    record that the file itself names. `parts`: what it says of the records that its look-ups name;
    `is_bare`: it says nothing else. `source`, `sources`: its id in the other program, and those of
    what its look-ups name. `defaults`: what fills fields that are blank; `wipes`: fields
    that it empties. `wrong`: targets that are not blank, but of which the value cannot be told.
    `exported_at`: as of when the file has the record that it names."""

    number: int
    values: dict[str, Any]
    links: dict[str, str] = field(default_factory=dict)
    reasons: list[Reason] = field(default_factory=list)
    asked: uuid.UUID | None = None
    defaults: MappingType[str, Any] = field(default_factory=dict)
    wipes: Sequence[str] = ()
    parts: dict[str, dict[str, Any]] = field(default_factory=dict)
    is_bare: bool = False
    source: str = ""
    sources: dict[str, str] = field(default_factory=dict)
    wrong: tuple[str, ...] = ()
    exported_at: datetime.datetime | None = None

    def refuse(self, target: str, reason: Reason) -> None:
        """Note that the row cannot be taken because of what it says of `target`."""
        self.reasons.append(reason)
        self.wrong += (target,)


class Sheet(NamedTuple):
    """Records as columns: values and texts of look-ups by field, blank ones as "" or None. `odd`:
    places of records of which there is more to say than that; what stands there counts for
    nothing."""

    values: dict[str, list[Any]]
    links: dict[str, list[str]]
    odd: set[int]


class Converter:
    """Turns batches of records into rows, column by column.

    `lenient`: what a field cannot hold goes into the description instead. Cards are written by
    phones, not typed into a table: nobody will repair them cell by cell.
    """

    def __init__(self, mapping: Mapping, reading: Reading, *, lenient: bool = False) -> None:
        self.mapping = mapping
        self.entity = mapping.entity
        self._columns: list[tuple[int, Field, cells.Convert]] = []
        self._record_id: int | None = None
        self._changed_on: int | None = None
        self._stages: list[tuple[int, Target]] = []
        ours = RECORD_ID in mapping.fields
        for index, target in mapping.columns.items():
            if target.field == RECORD_ID:
                self._record_id = index
            elif target.field == CHANGED_ON:
                self._changed_on = index
            elif target.field in self.entity.fields:
                found = self.entity.fields[target.field]
                convert = options.reads(self.entity, found, target, reading, ours=ours)
                if mapping.system in SEVERAL_IN_A_CELL and is_named(found):
                    convert = cells.first_of(convert, SEVERAL_IN_A_CELL[mapping.system])
                self._columns.append((index, found, convert))
                if standing.is_stage(self.entity, found):
                    self._stages.append((index, target))
        title = self.entity.fields[self.entity.title]
        self._splits = title.read_only and title.name in mapping.fields
        self._plain = [f.name for _, f, _ in self._columns if not is_named(f)]
        self._links = [f.name for _, f, _ in self._columns if is_named(f)]
        self._extras = options.Extras(mapping, reading)
        self._lenient = lenient and NOTES in self.entity.fields
        self._sources = [
            (index, lookup)
            for index, target in mapping.columns.items()
            for lookup, own in [parts.split(target.field)]
            if own == parts.SOURCE_ID
        ]
        self._parts = {
            lookup: Converter(mapping.part(lookup), reading, lenient=lenient)
            for lookup in mapping.filled_parts
        }
        # What Rapport has written names none.
        self._amounts = {} if ours else currencies.amounts(mapping)
        fields = {found.name for _, found, _ in self._columns}
        # Whether a record is no more than what its columns say.
        self._is_plain = len(fields) == len(mapping.columns) and not (
            self._splits or self._stages or self._extras
        )

    def sheet(self, records: Sequence[Record]) -> Sheet | None:
        """The same as `rows` without a row for each, in half of the time; None where columns do not
        say it all."""
        if not records or not self._is_plain:
            return None
        odd = {place for place, record in enumerate(records) if record.problems}
        columns = list(zip(*[record.cells for record in records], strict=False))
        values: dict[str, list[Any]] = {}
        links: dict[str, list[str]] = {}
        for index, found, convert in self._columns:
            column = convert(columns[index])
            odd.update(column.errors, column.more)
            if index in self._amounts:
                odd.update(currencies.said(columns[index]))
            (links if is_named(found) else values)[found.name] = column.values
        return Sheet(values, links, odd)

    def rows(self, records: Sequence[Record]) -> list[Row]:
        """Rows of `records`; what is wrong with a row stands in its reasons."""
        whole = [record for record in records if not _spoilt(record)]
        converted = self._converted(whole)
        rows = iter(converted)
        return [self._refused(record) if _spoilt(record) else next(rows) for record in records]

    def _refused(self, record: Record) -> Row:
        if record.problem == FOOT:
            return Row(record.number, {}, reasons=[Reason(_(FOOT.template), code=LEFT_OUT)])
        assert record.problem is not None
        return Row(record.number, {}, reasons=[of_reading(record.problem, None)])

    def _converted(self, records: Sequence[Record]) -> list[Row]:
        if not records:
            return []
        texts = [record.cells for record in records]
        values: list[list[Any]] = []
        links: list[list[Any]] = []
        notes: list[tuple[int, Field, cells.Column]] = []
        for index, found, convert in self._columns:
            column = convert(list(map(itemgetter(index), texts)))
            if column.errors or column.more:
                notes.append((index, found, column))
            (links if is_named(found) else values).append(column.values)
        rows = self._made(records, values, links)
        for index, found, column in notes:
            self._tell(index, found, column, records, rows)
        self._cell_problems(records, rows)
        self._take_currencies(texts, rows)
        if self._record_id is not None:
            for row, cells_ in zip(rows, texts, strict=True):
                self._ask(row, cells_[self._record_id])
                if self._changed_on is not None:
                    row.exported_at = _moment(cells_[self._changed_on])
        if self._splits:
            for row in rows:
                self._split_name(row)
        self._take_endings(texts, rows)
        self._take_ids(texts, rows)
        self._take_parts(records, rows)
        self._extras.give(records, rows)
        return rows

    def _tell(
        self,
        index: int,
        found: Field,
        column: cells.Column,
        records: Sequence[Record],
        rows: Sequence[Row],
    ) -> None:
        """What is wrong with cells of a column, and the further values that some hold."""
        for place, message in column.errors.items():
            record, row = records[place], rows[place]
            row.values.pop(found.name, None)
            if any(problem.column == index for problem in record.problems):
                continue  # that an error is no date, say, only follows
            if self._lenient and not found.required:
                self._note(row, found, record.cells[index])
            else:
                row.refuse(found.name, of_cell(found, message, index))
        for place, more in column.more.items():
            self._spread(rows[place], found, more, index)

    def _take_currencies(self, texts: Sequence[Sequence[str]], rows: Sequence[Row]) -> None:
        """The currency that an amount names is that of the record: it has one."""
        for index, name in self._amounts.items():
            for place, code in currencies.said([cells_[index] for cells_ in texts]).items():
                row = rows[place]
                if name not in row.values:
                    continue
                known = row.values.setdefault(currencies.FIELD, code)
                if known != code:
                    message = _("This amount is in %(code)s, another one of the row in %(other)s.")
                    values = {"code": code, "other": known}
                    remedy = _("Write all of them in one currency.")
                    row.refuse(name, Reason(message % values, index, remedy, currencies.FIELD))

    def _take_endings(self, texts: Sequence[Sequence[str]], rows: Sequence[Row]) -> None:
        """How a record has ended, where that is written among its stages."""
        for index, target in self._stages:
            said = options.meant(target, (cells_[index] for cells_ in texts))
            for row, text in zip(rows, said, strict=True):
                state = standing.closed_by(self.entity, text)
                if state is not None and row.values.keys().isdisjoint(standing.NAMES):
                    row.values[standing.STATE] = state

    def _take_ids(self, texts: Sequence[Sequence[str]], rows: Sequence[Row]) -> None:
        """Ids of the program that the file is from."""
        for index, lookup in self._sources:
            for row, cells_ in zip(rows, texts, strict=True):
                text = same_id(self.mapping.system, cells_[index])
                if text and lookup:
                    row.sources[lookup] = text
                elif text:
                    row.source = text

    def _take_parts(self, records: Sequence[Record], rows: Sequence[Row]) -> None:
        """What the columns of the parts say, and what is wrong with it."""
        if not self._parts:
            return
        for row in rows:
            own = row.asked or row.source or row.values or row.reasons
            row.is_bare = not own and not set(row.links) - set(self._parts)
        for lookup, converter in self._parts.items():
            for row, part in zip(rows, converter._converted(records), strict=True):
                if part.values:
                    row.parts[lookup] = part.values
                row.reasons += [reason for reason in part.reasons if reason not in row.reasons]
                row.wrong += tuple(f"{lookup}.{name}" for name in part.wrong)
        for row in rows:
            row.is_bare = row.is_bare and bool(row.parts or row.links or row.wrong)

    def _made(
        self, records: Sequence[Record], values: list[list[Any]], links: list[list[Any]]
    ) -> list[Row]:
        plain = self._plain
        if values:
            # Blank values are left out: a create gets its default, an update keeps what is there.
            filled = [
                {n: v for n, v in zip(plain, one, strict=True) if v or (v is not None and v != "")}
                for one in zip(*values, strict=True)
            ]
        else:
            filled = [{} for _ in records]
        rows = [Row(record.number, one) for record, one in zip(records, filled, strict=True)]
        if links:
            for row, found in zip(rows, zip(*links, strict=True), strict=True):
                row.links = {
                    name: text for name, text in zip(self._links, found, strict=True) if text
                }
        return rows

    def _note(self, row: Row, found: Field, text: str) -> None:
        kept = row.values.get(NOTES, "")
        room = self.entity.fields[NOTES].max_length or 0
        row.values[NOTES] = f"{kept}\n{found.label}: {text}".strip()[:room]

    def _spread(self, row: Row, found: Field, more: Sequence[str], index: int) -> None:
        """Further values of one cell go to the fields of the same sort that are free."""
        free = [n for n in siblings(self.entity, found.name) if n not in self.mapping.fields]
        if found.kind is Kind.PHONE and len(free) < len(more):
            # Better all in one field than the row refused.
            whole = " / ".join((row.values[found.name], *more))
            if len(whole) <= (found.max_length or len(whole)):
                row.values[found.name] = whole
                return
        for text in more:
            if not free:
                message = _("There are more values in the cell than fields for them.")
                row.refuse(found.name, of_cell(found, message, index))
                return
            name = free.pop(0)
            try:
                row.values[name] = check(self.entity.fields[name], text)
            except InvalidValue as error:
                row.refuse(found.name, of_cell(found, error, index))

    def _cell_problems(self, records: Sequence[Record], rows: Sequence[Row]) -> None:
        """What the reader could not make out matters only where the column does."""
        for record, row in zip(records, rows, strict=True):
            for problem in record.problems:
                column = problem.column
                if column is not None and column in self.mapping.columns:
                    reason = of_reading(problem.message, column)
                    row.refuse(self.mapping.columns[column].field, reason)

    def _ask(self, row: Row, text: str) -> None:
        if text.strip():
            try:
                row.asked = uuid.UUID(text.strip())
            except ValueError:
                message = _("“%(text)s” is not a record id.") % {"text": text[:60]}
                remedy = _("Empty the cell to make a new record.")
                row.refuse(RECORD_ID, Reason(message, self._record_id, remedy, "id"))

    def _split_name(self, row: Row) -> None:
        """A full name fills first and last name when no other column does."""
        text = row.values.pop(self.entity.title, "")
        if not text or row.values.get("last_name"):
            return
        company = row.links.get("account") or row.values.get("company")
        first = row.values.get("first_name", "")
        # The card of a company bears its name twice; that is no person's name to take apart.
        parts = {"last_name": text} if text == company else names.split(text)
        if first and fold(text) == fold(first):
            # Nothing but a first name is known, and stands in both: a person needs a last name.
            parts = {"last_name": row.values.pop("first_name")}
        elif set(parts.get("middle_name", "").split()) <= set(first.split()):
            # The first name is one of several words.
            parts.pop("middle_name", None)
        for name, part in parts.items():
            if name in self.entity.fields and not row.values.get(name):
                try:
                    row.values[name] = check(self.entity.fields[name], part)
                except InvalidValue as error:
                    column = self.mapping.column_of(self.entity.title)
                    reason = of_cell(self.entity.fields[name], error, column)
                    row.refuse(self.entity.title, reason)


def _moment(text: str) -> datetime.datetime | None:
    """A moment as our exports write it; None where it cannot be read: the row counts as it is."""
    try:
        found = datetime.datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def _spoilt(record: Record) -> bool:
    return bool(record.problems) and record.problem is not None
