"""What follows from the values of records and is not journalled: sort and search text, match keys.
`upkeep` keeps it."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from rapport.duplicates.columns import Columns
from rapport.duplicates.features import is_link
from rapport.duplicates.keys import keys_of as match_keys, plan_of
from rapport.meta.entity import Entity, Known
from rapport.meta.folding import SORT_LENGTH, digits, fold_all
from rapport.meta.kinds import Kind, Ref, to_text
from rapport.meta.registry import registry
from rapport.models import Principal

SEARCH_LENGTH = 10_000


@dataclass(slots=True)
class Derived:
    """The derived columns and match keys of one record."""

    id: uuid.UUID
    values: Mapping[str, Any]
    sort_name: str
    search_text: str
    keys: Sequence[int]

    def columns(self) -> dict[str, Any]:
        """The derived columns."""
        return {"sort_name": self.sort_name, "search_text": self.search_text}


Names = Mapping[str, str]
_NO_NAMES: Names = {}


def texts(
    entity: Entity,
    records: Sequence[tuple[uuid.UUID, Mapping[str, Any]]],
    titles: dict[Any, str] | None = None,
    known: Sequence[Known | None] = (),
) -> list[Derived]:
    """Derived columns and keys of records given as (id, all field values). `titles` of records by
    id; those found here are added. `known`: what each of the records brings along."""
    known = known or [None] * len(records)
    values = [values for _id, values in records]
    names = _names_of(entity, values, titles, known)
    called = [_title(entity, *one) for one in zip(values, names, strict=True)]
    if titles is not None:
        titles.update(zip((id_ for id_, _values in records), called, strict=True))
    sorted_by = [text[:SORT_LENGTH] for text in fold_all(called)]
    found = [it.search for it in known if it is not None and it.search is not None]
    if len(found) < len(values):
        found = search_texts(entity, values, names)
    missing = [place for place, it in enumerate(known) if it is None]
    columns = Columns(entity, [values[p] for p in missing], [names[p] for p in missing])
    rest = iter(match_keys(columns))
    own = [next(rest) if it is None else it.keys for it in known]
    ids = (id_ for id_, _values in records)
    return list(map(Derived, ids, values, sorted_by, found, own))


def _names_of(
    entity: Entity,
    records: Sequence[Mapping[str, Any]],
    titles: Mapping[Any, str] | None,
    known: Sequence[Known | None],
) -> list[Names]:
    """For each record {look-up: title of what it names}, of those look-ups that matter."""
    named = named_by(entity)
    brought = [_NO_NAMES if one is None else one.names for one in known]
    # Asked for are only those that nobody brought.
    unknown = [
        {name: values[name] for name in named if values.get(name) and name not in names}
        for values, names in zip(records, brought, strict=True)
    ]
    found = titles_of(entity, unknown, titles) if any(unknown) else {}
    return [
        {**names, **{name: found.get(value, "") for name, value in rest.items()}} if rest else names
        for names, rest in zip(brought, unknown, strict=True)
    ]


def keys_of(
    entity: Entity, records: Sequence[tuple[uuid.UUID, Mapping[str, Any]]]
) -> dict[uuid.UUID, Sequence[int]]:
    """Only the match keys of records given as (id, all field values)."""
    links = sorted(plan_of(entity).links)
    values = [values for _, values in records]
    titles = titles_of(entity, values, None, links)
    names = [{n: titles.get(one[n], "") for n in links if one.get(n)} for one in values]
    found = match_keys(Columns(entity, values, names))
    return {id_: own for (id_, _values), own in zip(records, found, strict=True)}


def _title(entity: Entity, values: Mapping[str, Any], names: Names) -> str:
    return names.get(entity.title) or str(values.get(entity.title) or "")


def search_texts(
    entity: Entity, records: Sequence[Mapping[str, Any]], names: Sequence[Names]
) -> list[str]:
    """The search texts of records."""
    columns = {
        name: [one.get(name) for one in (names if entity.fields[name].is_link else records)]
        for name in entity.search
    }
    return search_of(entity, columns, len(records))


def search_of(entity: Entity, found: Mapping[str, Sequence[Any]], count: int) -> list[str]:
    """The search texts of `count` records of which these are the fields, and of look-ups the
    titles."""
    columns: list[list[str]] = []
    for name in entity.search:
        field, column = entity.fields[name], found.get(name, ())
        is_text = field.is_link or field.kind in _PLAIN
        texts = [one or "" for one in column] if is_text else [to_text(field, o) for o in column]
        if any(texts):
            columns.append(fold_all(texts))
            if field.kind is Kind.PHONE:
                columns.append(list(map(digits, texts)))
    if not columns:
        return [""] * count
    return ["\n".join(filter(None, parts))[:SEARCH_LENGTH] for parts in zip(*columns, strict=True)]


# Kinds whose values are texts.
_PLAIN = frozenset({Kind.TEXT, Kind.LONG_TEXT, Kind.EMAIL, Kind.PHONE, Kind.URL})


def named_by(entity: Entity) -> list[str]:
    """Look-ups whose title is part of the search text, the keys or the title."""
    return sorted(_named_in_text(entity) | plan_of(entity).links)


@cache
def _named_in_text(entity: Entity) -> frozenset[str]:
    used = {*entity.search, entity.title}
    return frozenset(n for n in used if is_link(entity.fields[n]))


def told_by(entity: Entity) -> frozenset[str]:
    """Fields that the search text, the keys or the title are made of."""
    return plan_of(entity).fields | {*entity.search, entity.title}


def titles_of(
    entity: Entity,
    records: Iterable[Mapping[str, Any]],
    known: Mapping[Any, str] | None,
    names: Sequence[str] | None = None,
) -> dict[Any, str]:
    """Titles of the records that `records` name, by id or pointer. names: only by these fields."""
    records = list(records)
    found: dict[Any, str] = dict(known or {})
    for name in named_by(entity) if names is None else names:
        field = entity.fields[name]
        wanted = {values[name] for values in records if values.get(name)} - set(found)
        if not wanted:
            continue
        if field.kind is Kind.OWNER:
            people = Principal.objects.filter(pk__in=wanted)
            found.update(people.values_list("pk", "name"))
        elif field.kind is Kind.POINTER:
            by_entity: dict[str, list[uuid.UUID]] = defaultdict(list)
            for pointer in wanted:
                by_entity[pointer.entity].append(pointer.id)
            for other, ids in by_entity.items():
                named = registry[other].records().filter(pk__in=ids)
                for id_, title in named.values_list("pk", registry[other].title):
                    found[Ref(other, id_)] = title
        else:
            assert field.target is not None
            target = registry[field.target]
            found.update(target.records().filter(pk__in=wanted).values_list("pk", target.title))
    return found
