"""What the look-ups of a batch name: found for the user who imports, or to be made."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from rapport import access, queries
from rapport.access import Actor
from rapport.duplicates.find import Proposed, find
from rapport.duplicates.keys import keys
from rapport.meta.entity import Entity
from rapport.meta.field import Field
from rapport.meta.folding import sort_key
from rapport.meta.ids import new_id
from rapport.meta.kinds import Kind, from_json
from rapport.meta.registry import registry
from rapport.models import Principal
from rapport.models.people import Verb

from . import mapping as mappings
from .mapping import Mapping
from .reasons import of_cell
from .rows import Row

# Values in one IN list; SQLite takes 32,766 at most.
PART = 5000


class Named(NamedTuple):
    """A record that a text names."""

    id: uuid.UUID
    title: str


@dataclass(slots=True)
class New:
    """A record to be made because a look-up names it. `hash`: its match key, the same for every
    spelling of the name. `row`: the first that asks for it."""

    id: uuid.UUID
    title: str
    hash: int
    row: int
    asked_by: set[int] = field(default_factory=set)


@dataclass(slots=True)
class Links:
    """What a batch of rows names. `names` {row number: {look-up: title}} for match keys."""

    names: dict[int, dict[str, str]] = field(default_factory=dict)
    new: dict[str, dict[int, New]] = field(default_factory=lambda: defaultdict(dict))

    @property
    def pending(self) -> set[uuid.UUID]:
        """Ids of records that would be made."""
        return {one.id for found in self.new.values() for one in found.values()}


def resolve(mapping: Mapping, rows: Sequence[Row], *, by: Actor) -> Links:
    """Turn the look-up texts of `rows` into ids among their values, or into reasons."""
    links = Links()
    for index, target in mapping.columns.items():
        found = mapping.entity.fields.get(target.field)
        if found is None or not found.is_link:
            continue
        asking: dict[str, list[Row]] = defaultdict(list)
        for row in rows:
            if text := row.links.get(found.name):
                asking[text].append(row)
        if asking:
            rule = mappings.missing_rule(found, target)
            _resolve_column(found, index, rule, asking, links, by)
    return links


def _resolve_column(
    found: Field,
    index: int,
    rule: str,
    asking: dict[str, list[Row]],
    links: Links,
    by: Actor,
) -> None:
    known = _principals(asking) if found.kind is Kind.OWNER else _records(found, asking, by)
    for text, rows in asking.items():
        named = known.get(text, [])
        if len(named) == 1:
            for row in rows:
                row.values[found.name] = named[0].id
                links.names.setdefault(row.number, {})[found.name] = named[0].title
        elif named:
            message = _("There are %(count)d records called “%(text)s”.")
            values = {"count": len(named), "text": text[:80]}
            _refuse(rows, found, index, message % values)
        elif rule == mappings.CREATE:
            _make(found, index, text, rows, links, by)
        elif rule == mappings.REFUSE:
            message = _("There is no %(entity)s called “%(text)s”.")
            _refuse(rows, found, index, message % {"entity": _thing(found), "text": text[:80]})


def _thing(found: Field) -> str:
    if found.kind is Kind.OWNER:
        return str(_("user or team"))
    return str(registry[found.target or ""].label).lower()


def _refuse(rows: Iterable[Row], found: Field, index: int, message: str) -> None:
    for row in rows:
        row.reasons.append(of_cell(found, message, index))


def _principals(texts: Collection[str]) -> dict[str, list[Named]]:
    """Users and teams by id, e-mail address or name."""
    people: dict[str, list[Named]] = defaultdict(list)
    # All of them: an organisation has few, and any spelling of a name must do.
    for principal in Principal.objects.filter(is_active=True):
        named = Named(principal.pk, principal.name)
        people[str(principal.pk)].append(named)
        people[sort_key(principal.name)].append(named)
    users = registry["user"].records().filter(email__in=[t.lower() for t in texts if "@" in t])
    for id_, email, name in users.values_list("pk", "email", "full_name"):
        people[email.lower()].append(Named(id_, name))
    return {text: people.get(text.lower()) or people.get(sort_key(text), []) for text in texts}


def _records(found: Field, texts: Collection[str], by: Actor) -> dict[str, list[Named]]:
    """Visible records by id or by name; of several, those that are active."""
    entity = registry[found.target or ""]
    result = _by_id(entity, found, texts, by)
    left = [text for text in texts if text not in result]
    if _key_is_title(entity):
        result.update(_by_key(entity, left, by))
    else:
        result.update(_by_sort_name(entity, left, by))
    return result


def _by_id(
    entity: Entity, found: Field, texts: Collection[str], by: Actor
) -> dict[str, list[Named]]:
    ids: dict[uuid.UUID, str] = {}
    for text in texts:
        if len(text) == 36 and text.count("-") == 4:
            try:
                ids[from_json(found, text)] = text
            except ValueError:
                continue
    if not ids:
        return {}
    rows = queries.records(entity, by).filter(pk__in=list(ids))
    return {ids[id_]: [Named(id_, title)] for id_, title in rows.values_list("pk", entity.title)}


def _key_is_title(entity: Entity) -> bool:
    """Whether two records of the same name are duplicates: then the match key finds them."""
    return (entity.title,) in entity.duplicates


def title_key(entity: Entity, title: str) -> int:
    """The match key of a record that has nothing but this name; 0 when it has no letters."""
    own = keys(entity, {entity.title: title}, {})
    return own[0].hash if own else 0


def _by_key(entity: Entity, texts: Sequence[str], by: Actor) -> dict[str, list[Named]]:
    matches = find(entity, [Proposed({entity.title: text}, {}) for text in texts], by=by)
    rule = entity.title
    hits = {
        t: [m.id for m in found if rule in m.rules] for t, found in zip(texts, matches, strict=True)
    }
    ids = {id_ for found in hits.values() for id_ in found}
    stored = _titles(entity.records(), entity, ids)
    return {
        text: _active([stored[id_] for id_ in found if id_ in stored])
        for text, found in hits.items()
        if found
    }


def _by_sort_name(entity: Entity, texts: Sequence[str], by: Actor) -> dict[str, list[Named]]:
    wanted: dict[str, list[str]] = defaultdict(list)
    for text in texts:
        wanted[sort_key(text)].append(text)
    found: dict[str, list[tuple[Named, int]]] = defaultdict(list)
    names = list(wanted)
    for start in range(0, len(names), PART):
        rows = queries.records(entity, by).filter(sort_name__in=names[start : start + PART])
        for id_, title, state, name in rows.values_list("pk", entity.title, "state", "sort_name"):
            found[name].append((Named(id_, title), state))
    return {text: _active(found[name]) for name in found for text in wanted[name]}


def _titles(
    rows: QuerySet[Any, Any], entity: Entity, ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, tuple[Named, int]]:
    listed = list(ids)
    stored: dict[uuid.UUID, tuple[Named, int]] = {}
    for start in range(0, len(listed), PART):
        found = rows.filter(pk__in=listed[start : start + PART])
        for id_, title, state in found.values_list("pk", entity.title, "state"):
            stored[id_] = (Named(id_, title), state)
    return stored


def _active(found: Sequence[tuple[Named, int]]) -> list[Named]:
    active = [named for named, state in found if state == 0]
    return active or [named for named, _state in found]


def _make(
    found: Field, index: int, text: str, rows: Sequence[Row], links: Links, by: Actor
) -> None:
    entity = registry[found.target or ""]
    title = entity.fields[entity.title]
    hash_ = title_key(entity, text)
    if not hash_:
        _refuse(rows, found, index, _("“%(text)s” is no name.") % {"text": text[:80]})
    elif title.max_length and len(text) > title.max_length:
        message = _("Longer than %(limit)s characters (%(length)s).")
        values = {"limit": title.max_length, "length": len(text)}
        _refuse(rows, found, index, message % values)
    elif not access.may(by, Verb.CREATE, entity):
        message = _("There is no %(entity)s called “%(text)s”, and you may not create one.")
        _refuse(rows, found, index, message % {"entity": _thing(found), "text": text[:80]})
    else:
        new = links.new[entity.name].get(hash_)
        if new is None:
            new = links.new[entity.name][hash_] = New(new_id(), text, hash_, rows[0].number)
        for row in rows:
            row.values[found.name] = new.id
            new.asked_by.add(row.number)
            links.names.setdefault(row.number, {})[found.name] = new.title
