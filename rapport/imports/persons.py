"""People whom rows name: found by e-mail, name and company or as a double, or made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from rapport import access
from rapport.access import Actor
from rapport.duplicates import normalise
from rapport.duplicates.find import Proposed, find
from rapport.duplicates.keys import plan_of
from rapport.meta.entity import Entity
from rapport.meta.ids import new_id
from rapport.meta.kinds import InvalidValue, Kind
from rapport.models.people import Verb

from . import mapping as mappings, names, parts, reasons as why
from .hashes import hash_of
from .links import Links, New, records
from .mapping import Mapping, Target
from .reasons import Reason, of_cell
from .rows import Row


@dataclass(slots=True)
class _Person:
    """Somebody whom a row names. `text`: the cell with the whole name."""

    row: Row
    text: str
    values: dict[str, Any]
    titles: dict[str, str]

    def is_known_by_more(self, entity: Entity) -> bool:
        """Whether there is more to find them by than a name."""
        kinds = (entity.fields[name].kind for name in self.values if self.values[name])
        return bool(self.titles) or any(kind in {Kind.EMAIL, Kind.PHONE} for kind in kinds)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where people stand in a file."""

    entity: Entity
    lookup: str
    index: int | None
    rule: str
    mapping: Mapping
    shared: tuple[str, ...]

    def refuse(self, row: Row, message: str, remedy: str = "") -> None:
        row.refuse(self.lookup, Reason(message, self.index, remedy, "lookup"))

    def is_known(self, row: Row) -> bool:
        """Whether it can be told whom `row` means."""
        known_by = {*plan_of(self.entity).fields, *self.entity.title_fields, self.entity.title}
        lookups = {self.lookup, *self.shared}
        return not any(
            name in lookups or (lookup == self.lookup and own in known_by)
            for name in row.wrong
            for lookup, own in [parts.split(name)]
        )


def resolve(mapping: Mapping, lookup: str, rows: Sequence[Row], links: Links, *, by: Actor) -> None:
    """Find those whom the look-up of `rows` names, or have them made; other look-ups of the rows
    are found already."""
    place = _place(mapping, lookup)
    people = []
    for row in rows:
        text = row.links.get(lookup)
        if lookup in row.sources and lookup in row.values:
            continue
        if text and links.kept.get((row.asked, lookup)) == text:
            continue
        if row.wrong and not place.is_known(row):
            # Whom it means cannot be told either.
            row.wrong += (lookup,)
        elif text or lookup in row.parts:
            person = _person(place, row, links)
            if lookup not in row.wrong:
                people.append(person)
    if not people:
        return
    left = list(_not_by_name(place, people, links, by))
    proposed = [Proposed(person.values, person.titles) for person in left]
    matches = find(place.entity, proposed, by=by, among={place.entity.name})
    for person, found in zip(left, matches, strict=True):
        if found:
            title = person.values[place.entity.title]
            links.name(person.row, lookup, found[0].id, title)
        else:
            _make(place, person, links, by)


def _place(mapping: Mapping, lookup: str) -> _Place:
    entity = parts.entity_of(mapping.entity, lookup)
    index = mapping.column_of(lookup)
    target = mapping.columns[index] if index is not None else Target(field=lookup)
    rule = mappings.missing_rule(mapping.entity.fields[lookup], target)
    shared = parts.shared(mapping.entity, lookup)
    return _Place(entity, lookup, index, rule, mapping.part(lookup), shared)


def _person(place: _Place, row: Row, links: Links) -> _Person:
    """The row's own values of somebody, the name taken apart."""
    entity, text = place.entity, row.links.get(place.lookup, "")
    values = dict(row.parts.get(place.lookup, {}))
    if not values.get(entity.title_fields[-1]):
        try:
            values = {**names.name_of(entity, text), **values}
        except InvalidValue as error:
            reason = of_cell(entity.fields[entity.title], error, place.index)
            row.refuse(place.lookup, reason)
    titles = links.names.get(row.number, {})
    for other in place.shared:
        if row.values.get(other):
            values[other] = row.values[other]
    values.update(entity.derive(values))
    return _Person(row, text, values, {o: titles[o] for o in place.shared if o in titles})


def _not_by_name(
    place: _Place, people: Sequence[_Person], links: Links, by: Actor
) -> Iterator[_Person]:
    """Those who are not found by an id, nor by a name of which nothing else is said."""
    entity = place.entity
    plain = [
        person
        for person in people
        if names.is_id(person.text) or not person.is_known_by_more(entity)
    ]
    texts = {_called(place, person): person for person in plain}
    known = records(entity, [text for text in texts if text], by)
    bare = {id(person) for person in plain}
    for person in people:
        found = known.get(_called(place, person), []) if id(person) in bare else []
        if len(found) == 1:
            links.name(person.row, place.lookup, *found[0])
        elif found:
            message = _("There are %(count)d records called “%(text)s”.")
            text = _called(place, person)[:80]
            remedy = _("Add a column with their e-mail address or company.")
            place.refuse(person.row, message % {"count": len(found), "text": text}, remedy)
        else:
            yield person


def _called(place: _Place, person: _Person) -> str:
    if names.is_id(person.text):
        return person.text
    return str(person.values.get(place.entity.title) or "")


def _make(place: _Place, person: _Person, links: Links, by: Actor) -> None:
    entity, row = place.entity, person.row
    text = _called(place, person)
    thing = str(entity.label).lower()
    if row.links.get(place.lookup) and links.wait([row], place.lookup):
        return
    if place.rule == mappings.BLANK:
        return
    if names.is_id(person.text) or place.rule == mappings.REFUSE:
        message = _("There is no %(entity)s called “%(text)s”.")
        place.refuse(row, message % {"entity": thing, "text": text[:80]})
    elif not access.may(by, Verb.CREATE, entity):
        message = _("There is no %(entity)s called “%(text)s”, and you may not create one.")
        place.refuse(row, message % {"entity": thing, "text": text[:80]})
    elif not person.values.get(entity.title_fields[-1]):
        last = entity.title_fields[-1]
        column = place.mapping.column_of(last)
        column = place.index if column is None else column
        row.refuse(place.lookup, why.required(entity.fields[last], column))
    else:
        _name_new(place, person, links)


def _name_new(place: _Place, person: _Person, links: Links) -> None:
    """One for all rows of the batch that say the same of somebody."""
    made, row = links.new[place.entity.name], person.row
    known = list(_known_by(place.entity, person))
    new = next((made[key] for key in known if key in made), None)
    if new is None:
        title = person.values[place.entity.title]
        new = New(new_id(), title, known[0], row.number, also=tuple(known[1:]))
    else:
        new.also = tuple(dict.fromkeys((*new.also, *known)))
    for key in known:
        made.setdefault(key, new)
    new.asked_by.add(row.number)
    links.name(row, place.lookup, new.id, new.title)


def _known_by(entity: Entity, person: _Person) -> Iterator[int]:
    """Hashes by which later rows mean the same person: an e-mail address, name and company."""
    for name, value in person.values.items():
        known = entity.fields.get(name)
        if known is not None and known.kind is Kind.EMAIL and value:
            yield hash_of("E", normalise.email(value))
    company = " ".join(normalise.company(title) for title in person.titles.values())
    if company or not person.is_known_by_more(entity):
        yield hash_of("N", normalise.words(person.values[entity.title]), company)
    elif not any(entity.fields[n].kind is Kind.EMAIL for n in person.values if n in entity.fields):
        for name, value in person.values.items():
            if name in entity.fields and entity.fields[name].kind is Kind.PHONE and value:
                yield hash_of("P", normalise.words(person.values[entity.title]), value)
