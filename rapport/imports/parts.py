"""Several entities in one row: the records that its look-ups name, and the columns that fill them.

A target `account.website` is the website of the account that the row names.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, partial

from django.utils.translation import gettext as _

from rapport.meta.entity import Entity
from rapport.meta.field import Field
from rapport.meta.kinds import Kind
from rapport.meta.registry import registry

from . import headers, layouts, words

# What happens to a part that is there already.
FILL, UPDATE, LEAVE = "fill", "update", "leave"
# A column with the id of a record in the program that the file is from.
SOURCE_ID = layouts.SOURCE_ID
# What the counts of a file call the records that are made or changed along with its rows.
COUNTED = ("accounts", "contacts")


@lru_cache(maxsize=64)
def parts_of(entity: Entity) -> tuple[str, ...]:
    """The look-ups of `entity` that may stand in its row with columns of their own. What is handed
    on when it is qualified (a lead) holds company and person itself."""
    if entity.maps:
        return ()
    return tuple(n for n in entity.cards if entity.fields[n].kind is Kind.LOOKUP)


def is_part(found: Field) -> bool:
    """Whether `found` is such a look-up of its entity."""
    return any(e.fields.get(found.name) is found and found.name in parts_of(e) for e in registry)


def back(found: Field) -> str:
    """By which of their own look-ups the records belong to a record that its look-up `found` names:
    the primary contact of an account is one of its contacts. '' where they need not."""
    if found.kind is not Kind.LOOKUP or found.read_only:
        return ""
    whole = next((e for e in registry if e.fields.get(found.name) is found), None)
    theirs = registry[found.target or ""]
    if whole is None or whole is theirs:
        return ""
    return next((name for name in theirs.cards if theirs.fields[name].target == whole.name), "")


def entity_of(entity: Entity, lookup: str) -> Entity:
    """What the look-up names."""
    return registry[entity.fields[lookup].target or ""]


@lru_cache(maxsize=64)
def shared(entity: Entity, lookup: str) -> tuple[str, ...]:
    """The look-ups that the record of `lookup` has as well: the account of a row is that of its
    person."""
    theirs = entity_of(entity, lookup).fields
    return tuple(
        other
        for other in parts_of(entity)
        if other in theirs and theirs[other].target == entity.fields[other].target
    )


@lru_cache(maxsize=64)
def id_targets(entity: Entity) -> tuple[str, ...]:
    """Targets for ids of another program: of the record, and of those that it names."""
    links = (f.name for f in entity.fields.values() if f.kind is Kind.LOOKUP and not f.read_only)
    return (SOURCE_ID, *(f"{name}.{SOURCE_ID}" for name in links))


def plural(name: str) -> str:
    """What counts call records of the entity `name`."""
    return f"{name[:-1]}ies" if name.endswith("y") else f"{name}s"


def split(name: str) -> tuple[str, str]:
    """'account.website' -> ('account', 'website'); an own field has no look-up."""
    lookup, dot, own = name.rpartition(".")
    return (lookup, own) if dot else ("", name)


def field_of(entity: Entity, name: str) -> Field | None:
    """The field of a target, also of a part; None for a record id, or when there is none."""
    lookup, own = split(name)
    if not lookup:
        return entity.fields.get(own)
    return entity_of(entity, lookup).fields.get(own) if lookup in parts_of(entity) else None


@lru_cache(maxsize=64)
def targets(entity: Entity) -> tuple[str, ...]:
    """Names of the targets in the parts of `entity`."""
    return tuple(
        f"{lookup}.{name}"
        for lookup in parts_of(entity)
        for name in fields(entity_of(entity, lookup))
    )


@lru_cache(maxsize=64)
def fields(entity: Entity) -> tuple[str, ...]:
    """The fields of a part that columns may fill: those that name no other record, since a part
    belongs to whoever imports and to the records of its row. Its name is what the look-up says."""
    return tuple(
        name
        for name in headers.targets(entity)
        if name != entity.title
        and not entity.fields[name].is_link
        and entity.fields[name].kind not in {Kind.POINTER, Kind.STATE}
    )


def plainly(entity: Entity, name: str) -> str:
    """'account.name' as the target that it is: the look-up, which names the account."""
    lookup, own = split(name)
    if lookup in parts_of(entity) and own == entity_of(entity, lookup).title:
        return lookup
    return name


def label(entity: Entity, name: str) -> str:
    """What people call a target: 'Account: Website' for that of a part."""
    lookup, own = split(name)
    found = field_of(entity, name)
    if own == SOURCE_ID:
        ours = _("id in another program")
        return f"{entity.fields[lookup].label}: {ours}" if lookup else ours.capitalize()
    if found is None:
        return own
    return f"{entity.fields[lookup].label}: {found.label}" if lookup else str(found.label)


# -- whose a header says its column is ------------------------------------------------------------


def proposed(entity: Entity, columns: Sequence[str]) -> dict[int, str]:
    """Targets in the parts of `entity`, for the columns whose header says whose they are."""
    found: dict[int, str] = {}
    if any(headers.is_record_id(entity, header) for header in columns):
        # Our own export, in which every header means a field of its own.
        return found
    named = [(lookup, entity_of(entity, lookup)) for lookup in _named(entity, columns)]
    free = [
        (index, header)
        for index, header in enumerate(columns)
        if headers.direct(entity, header) not in parts_of(entity)
    ]
    for told in (_owned, partial(_only_theirs, entity)):
        for lookup, part in named:
            for index, header in free:
                name = told(part, header)
                if name in fields(part) or (name and name == part.title):
                    found.setdefault(index, plainly(entity, f"{lookup}.{name}"))
    return found


def _named(entity: Entity, columns: Sequence[str]) -> tuple[str, ...]:
    """The look-ups whose record some column names, so that others can fill it; people first, whose
    columns are those of a person also without saying so."""
    lookups = []
    for lookup in reversed(parts_of(entity)):
        part = entity_of(entity, lookup)
        if any(_names(entity, lookup, part, header) for header in columns):
            lookups.append(lookup)
    return tuple(lookups)


def _names(entity: Entity, lookup: str, part: Entity, header: str) -> bool:
    own = headers.field_for(entity, header)
    said = {part.title, part.title_fields[-1]}
    return (
        own == lookup
        or _owned(part, header) in said
        or (not own and headers.is_split(part) and headers.field_for(part, header) == "last_name")
    )


def _owned(part: Entity, header: str) -> str:
    """The field of `part` that a header means which begins with what the part is called."""
    bare = headers.plain(header)
    for word in _OWNERS.get(part.name, ()):
        if bare.startswith(word) and len(bare) > len(word):
            return headers.known(part, bare[len(word) :])
    return ""


def _only_theirs(entity: Entity, part: Entity, header: str) -> str:
    """The field of a header that can only be meant of `part`: an industry is a company's."""
    if "main_phone" in part.fields and headers.plain(header) in _SWITCHBOARD:
        return "main_phone"
    name = headers.field_for(part, header)
    if name not in words.ONLY_THEIRS.get(part.name, ()):
        return ""
    own = headers.field_for(entity, header)
    # “Email” beside somebody's name is that person's, not the deal's.
    return "" if own and own not in words.RATHER_THEIRS.get(part.name, ()) else name


_SWITCHBOARD = frozenset(map(headers.plain, words.SWITCHBOARD.split("|")))
_OWNERS = {
    name: sorted({headers.plain(word) for word in text.split("|")}, key=len, reverse=True)
    for name, text in words.WHOSE.items()
}
