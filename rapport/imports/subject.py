"""What the records of a file are: the entity whose fields its headers name best."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rapport import access
from rapport.access import Actor
from rapport.meta.entity import Entity
from rapport.meta.kinds import Reading
from rapport.meta.registry import registry
from rapport.models.people import Verb

from . import headers, parts, words
from .headers import RECORD_ID
from .mapping import Mapping, missing_required
from .proposal import propose
from .samples import are_people, values_of

# A leader is no lead, and accounting keeps no accounts.
_ITSELF = "(?!er|ing)"


def importable() -> list[Entity]:
    """Entities that a file can be imported into."""
    return [
        e
        for e in registry
        if e.importable and e.in_hub and e.creatable and e.ownership == "user" and e.menu
    ]


def importable_for(by: Actor) -> list[Entity]:
    """Entities that `by` may import."""
    return [
        entity
        for entity in importable()
        if access.may(by, Verb.IMPORT, entity) and access.may(by, Verb.CREATE, entity)
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
    named = headers.plain(file_name)
    telling = set(map(headers.plain, columns)) - words.SAY_LITTLE
    score += 0.5 * min(3, sum(column.startswith(called) for column in telling))
    score -= 0.75 * len(mapping.fields & words.HARDLY_TELLING.get(entity.name, frozenset()))
    plural = headers.plain(str(entity.label_plural))
    if re.search(rf"{called}{_ITSELF}", named) or plural in named:
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
    if are_people(values_of(sample, title)) or email is None:
        return are_people(values_of(sample, title))
    pairs = [(row[title], row[email]) for row in sample if max(title, email) < len(row)]
    same = [
        headers.plain(name.split()[0]) in headers.plain(address.partition("@")[0])
        for name, address in pairs
        if name.strip() and "@" in address and headers.plain(name.split()[0])
    ]
    return sum(same) * 2 > len(pairs)
