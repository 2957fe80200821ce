"""Which stored record a row is about, found by any set of its fields.

Blind to case, accents and format. A set of fields first finds candidates in one statement for a
whole batch, by whatever index there is; then every field of the set must agree.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import (
    Callable,
    Collection,
    Iterable,
    Iterator,
    Mapping as MappingType,
    Sequence,
)
from datetime import UTC
from functools import partial
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from rapport import queries
from rapport.access import Actor
from rapport.duplicates import keys as match_keys, normalise
from rapport.meta.batches import batches
from rapport.meta.entity import Entity
from rapport.meta.field import Field
from rapport.meta.folding import fold, sort_key
from rapport.meta.kinds import TEXTS, Kind, Ref

from . import phones, sources
from .candidates import active, as_typed, held, words
from .cells import is_named
from .hashes import hash_of
from .headers import RECORD_ID
from .links import Links
from .mapping import Mapping
from .reasons import Reason
from .rows import Row

# What a field of a record looks like to matching; '' where it is blank.
Form = Callable[[Any], str]


def match(
    mapping: Mapping,
    rows: Sequence[Row],
    stored: Collection[uuid.UUID],
    links: Links,
    *,
    by: Actor,
) -> set[uuid.UUID]:
    """Tell the rows that name no record of `stored` which one they are about, of those that `by`
    may see; a row that several fit is refused. The ids that were found. Of a row in which something
    is wrong that it would be found by, it stays open: RECORD_ID is `wrong` then, too."""
    found: set[uuid.UUID] = set()
    for fields in _sets(mapping, links):
        asking: dict[tuple[str, ...], list[Row]] = defaultdict(list)
        for row in rows:
            if row.asked in stored or row.asked in found or (row.wrong and fields.fail(row)):
                continue
            if own := fields.of_row(row, links, stored_only=True):
                asking[own].append(row)
        if not asking:
            continue
        holders = _holders(fields, [own[0] for own in asking.values()], by)
        for form, alike in asking.items():
            ids = holders.get(form, [])
            for row in alike:
                if len(ids) == 1:
                    row.asked = ids[0]
                elif ids:
                    row.refuse(RECORD_ID, _several(mapping, fields.names, len(ids)))
            if len(ids) == 1:
                found.add(ids[0])
    return found


class OwnKeys:
    """Hashes by which rows are known to later ones that mean the same new record."""

    def __init__(self, mapping: Mapping, links: Links) -> None:
        self._mapping, self._links = mapping, links
        self._sets = _sets(mapping, links)

    def of(self, row: Row) -> list[int]:
        """Those of one row."""
        found = sources.row_key(self._mapping, row)
        for fields in self._sets:
            if own := fields.of_row(row, self._links):
                found.append(hash_of(*fields.names, *own))
        return found


def _sets(mapping: Mapping, links: Links) -> list[_Fields]:
    """The sets of fields, without the record id: that comes first anyway."""
    pending = links.pending if mapping.match else set()
    return [_Fields(mapping, names, pending) for names in mapping.match if RECORD_ID not in names]


def _several(mapping: Mapping, names: Sequence[str], count: int) -> Reason:
    labels = ", ".join(str(mapping.entity.fields[name].label) for name in names)
    message = _("There are %(count)d records with the same %(fields)s.")
    remedy = _("Merge them, or choose other fields to find records by.")
    column = mapping.column_of(names[0])
    return Reason(message % {"count": count, "fields": labels}, column, remedy, "several")


class _Fields:
    """A set of fields by which records are found. `pending`: ids of those still to be made."""

    def __init__(
        self, mapping: Mapping, names: Sequence[str], pending: Collection[uuid.UUID]
    ) -> None:
        self.pending = pending
        self.entity, self.names, self.country = mapping.entity, names, mapping.country
        self.forms = [form_of(mapping.entity, name, mapping.country) for name in names]

    def fail(self, row: Row) -> bool:
        """Whether it cannot be told which record `row` is about, from these fields on."""
        if RECORD_ID not in row.wrong and not {*self.names}.isdisjoint(row.wrong):
            row.wrong += (RECORD_ID,)
        return RECORD_ID in row.wrong

    def value(self, row: Row, name: str) -> Any:
        """What `row` says of a field; a title may be made of its parts."""
        value = row.values.get(name)
        if value is None and name == self.entity.title:
            value = self.entity.derive(row.values).get(name)
        return value

    def of_row(self, row: Row, links: Links, *, stored_only: bool = False) -> tuple[str, ...]:
        """The forms of all fields of `row`, () when one is blank. `stored_only`: also when one
        names a record that is still to be made, so that no stored one can name it."""
        found = []
        for name, form in zip(self.names, self.forms, strict=True):
            value = self.value(row, name)
            own = "" if value is None or value == "" else form(value)
            if own and value in self.pending:
                if stored_only:
                    return ()
                # Another id in every batch, but the same name.
                own = str(match_keys.title_hash(links.names[row.number][name]))
            if not own:
                return ()
            found.append(own)
        return tuple(found)

    def of_stored(self, columns: MappingType[str, Any]) -> tuple[str, ...]:
        """The same of a stored record."""
        found = []
        for name, form in zip(self.names, self.forms, strict=True):
            field = self.entity.fields[name]
            value = columns[field.columns[-1]]
            if field.kind is Kind.POINTER and value:
                value = Ref(columns[field.columns[0]], value)
            found.append("" if value is None or value == "" else form(value))
        return tuple(found)


def form_of(entity: Entity, name: str, country: str = "") -> Form:
    """How values of a field are compared."""
    field = entity.fields[name]
    match field.kind:
        case Kind.EMAIL:
            return normalise.email
        case Kind.PHONE:
            return partial(phones.form, country=country)
        case Kind.URL:
            return lambda value: normalise.domain(value) or fold(value)
        case Kind.TEXT | Kind.LONG_TEXT:
            roles = match_keys.plan_of(entity).roles
            if name in roles.companies:
                return normalise.company
            return normalise.name if name in roles.names else words
        case Kind.DATETIME:
            return lambda value: str(value.astimezone(UTC))
    return str


# -- candidates -----------------------------------------------------------------------------------


def _holders(
    fields: _Fields, rows: Sequence[Row], by: Actor
) -> dict[tuple[str, ...], list[uuid.UUID]]:
    """The visible records by the forms of their fields; of several, those that are active."""
    entity = fields.entity
    columns = {column for name in fields.names for column in entity.fields[name].columns}
    found: dict[tuple[str, ...], dict[uuid.UUID, int]] = defaultdict(dict)
    wanted = queries.records(entity, by)
    for part in _narrowed(fields, rows, wanted):
        for record in part.values("pk", "state", *columns):
            found[fields.of_stored(record)][record["pk"]] = record["state"]
    return {form: active(ids) for form, ids in found.items()}


def _narrowed(
    fields: _Fields, rows: Sequence[Row], records: QuerySet[Any]
) -> Iterator[QuerySet[Any]]:
    """Parts of `records` in which all that `rows` may mean are found, by the narrowest index."""
    entity = fields.entity
    if hashes := _hashes(fields, rows):
        yield from held(entity, hashes, records)
        return
    name = min(fields.names, key=lambda name: _width(entity, entity.fields[name]))
    field, values = entity.fields[name], {fields.value(row, name) for row in rows}
    if name == entity.title:
        for part in batches({sort_key(value) for value in values}):
            yield records.filter(sort_name__in=part)
    elif field.kind is Kind.POINTER:
        for part in batches({value.id for value in values}):
            yield records.filter(**{f"{field.columns[1]}__in": part})
    elif field.kind in TEXTS:
        yield from as_typed(records, field, values)
    else:
        for part in batches(values):
            yield records.filter(**{f"{field.column}__in": part})


def _width(entity: Entity, field: Field) -> int:
    """How many records share a value of `field`, roughly."""
    if field.name == entity.title:
        return 0
    if field.kind in TEXTS:
        return 1 if field.name in entity.numbers else 3
    return 2 if is_named(field) else 4


def _hashes(fields: _Fields, rows: Iterable[Row]) -> set[int]:
    """Match keys that every record has which `rows` may mean; none where no key is made of the
    fields."""
    roles = match_keys.plan_of(fields.entity).roles
    for name in fields.names:
        values = (fields.value(row, name) for row in rows)
        if name in roles.emails:
            return {match_keys.email_key(value) for value in values}
        if name in roles.phones:
            return {key for value in values for key in phones.keys(value, fields.country)}
        if name == fields.entity.title and match_keys.has_title_key(fields.entity):
            return {match_keys.title_key(value) for value in values}
    if roles.names and set(roles.names[:2]) <= set(fields.names):
        return {
            match_keys.person_key([fields.value(row, name) for name in roles.names[:2]])
            for row in rows
        }
    return set()
