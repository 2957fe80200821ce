"""What follows from records and is not journalled: sort and search text, match keys, the search
index, principals. Kept by the writer, in its transaction."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from rapport.duplicates import rules
from rapport.duplicates.columns import Columns
from rapport.duplicates.features import is_link
from rapport.duplicates.keys import keys_of as match_keys, plan_of
from rapport.meta import options
from rapport.meta.entity import Entity, Known
from rapport.meta.folding import SORT_LENGTH, digits, fold_all
from rapport.meta.kinds import Kind, Ref, to_text
from rapport.meta.registry import registry
from rapport.models import ChoiceOption, DuplicateRule, Principal, SearchQueue

from . import idlists, keyring, rows, search_index, wholesale

SEARCH_LENGTH = 10_000
# Records that name a renamed one are refreshed at once up to this many, else by the worker.
REFRESH_AT_ONCE = 200


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


def ref(entity: str, id_: uuid.UUID | None) -> Ref | None:
    """A pointer out of its two columns."""
    return Ref(entity, id_) if entity and id_ else None


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
    named = _named(entity)
    brought = [_NO_NAMES if one is None else one.names for one in known]
    # Asked for are only those that nobody brought.
    unknown = [
        {name: values[name] for name in named if values.get(name) and name not in names}
        for values, names in zip(records, brought, strict=True)
    ]
    found = _titles(entity, unknown, titles) if any(unknown) else {}
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
    titles = _titles(entity, values, None, links)
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


def _named(entity: Entity) -> list[str]:
    """Look-ups whose title is part of the search text, the keys or the title."""
    return sorted(_named_in_text(entity) | plan_of(entity).links)


@cache
def _named_in_text(entity: Entity) -> frozenset[str]:
    used = {*entity.search, entity.title}
    return frozenset(n for n in used if is_link(entity.fields[n]))


def _told(entity: Entity) -> frozenset[str]:
    """Fields that the search text, the keys or the title are made of."""
    return plan_of(entity).fields | {*entity.search, entity.title}


def _titles(
    entity: Entity,
    records: Iterable[Mapping[str, Any]],
    known: Mapping[Any, str] | None,
    names: Sequence[str] | None = None,
) -> dict[Any, str]:
    """Titles of the records that `records` name, by id or pointer. names: only by these fields."""
    records = list(records)
    found: dict[Any, str] = dict(known or {})
    for name in _named(entity) if names is None else names:
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


def add(entity: Entity, made: Sequence[Derived], *, later: bool = False) -> None:
    """Keys, index rows and principals of new records; `later`: found by search a little later."""
    ids = [one.id.hex for one in made]
    put(entity, ids, [one.keys for one in made], [one.search_text for one in made], later=later)
    if entity.principal:
        _keep_principals(entity, made)
    _read_anew(entity)


def put(
    entity: Entity,
    ids: Sequence[str],
    keys: Sequence[Sequence[int]] | None,
    search: Sequence[str],
    *,
    later: bool = False,
) -> None:
    """Keys (None: they have them) and index rows of new records, given by the hexadecimal digits of
    their ids."""
    if later:
        search_index.put_later(entity, ids)
    else:
        found = zip(ids, search, strict=True)
        search_index.put(entity, {uuid.UUID(hex=id_): text for id_, text in found})
    if keys is not None:
        keyring.put(entity, ids, keys, later=later)


def replace_keys(entity: Entity, made: Mapping[uuid.UUID, Sequence[int]]) -> None:
    """Let these records have these match keys and no others."""
    keyring.remove(list(made))
    keyring.put(entity, [id_.hex for id_ in made], list(made.values()))


def renew(entity: Entity, made: Sequence[Derived], before: Sequence[Mapping[str, Any]]) -> None:
    """The same for changed records; `before` are their old field values."""
    old = texts(entity, [(one.id, was) for one, was in zip(made, before, strict=True)])
    changed = list(zip(made, old, strict=True))
    moved = {one.id: one.keys for one, was in changed if one.keys != was.keys}
    if moved:
        replace_keys(entity, moved)
    search_index.put(
        entity,
        {one.id: one.search_text for one, was in changed if one.search_text != was.search_text},
    )
    title = entity.title
    renamed = [one.id for one, was in changed if one.values.get(title) != was.values.get(title)]
    if renamed:
        _refresh_those_that_name(entity, renamed)
    if entity.principal:
        _keep_principals(entity, made)
    _read_anew(entity)


def remove(entity: Entity, ids: Sequence[uuid.UUID], *, later: bool = False) -> None:
    """Take away what was derived from deleted records; `later`: from the search index soon."""
    keyring.remove(ids)
    if later:
        search_index.put_later(entity, [id_.hex for id_ in ids])
    else:
        search_index.remove(entity, ids)
    if entity.principal:
        rows.delete(Principal, ids)
    _read_anew(entity)


def _read_anew(entity: Entity) -> None:
    """What this process remembers of rules and options is not so any more: what comes next in the
    same transaction goes by the new ones already. Again after it, since another thread may have
    read the old ones meanwhile."""
    if entity.model is DuplicateRule:
        rules.forget()
        rules.version()
        transaction.on_commit(rules.forget)
    elif entity.model is ChoiceOption:
        options.forget()
        transaction.on_commit(options.forget)


def refresh(entity: Entity, ids: Sequence[uuid.UUID]) -> None:
    """Compute search text and keys of stored records anew (a record that they name changed)."""
    from .write import from_columns  # the writer keeps derived rows, and they read its rows

    # Locked: a text made of what somebody is about to change would stay.
    found = (
        entity.records()
        .filter(pk__in=ids)
        .select_for_update(of=("self",), no_key=True)
        .order_by("pk")
    )
    stored = [(row["id"], from_columns(entity, row)) for row in found.values()]
    keyring.remove([id_ for id_, _values in stored])
    _derive(entity, stored)


def make(entity: Entity, ids: Sequence[uuid.UUID], *, later: bool) -> None:
    """Compute what follows from stored records that have nothing of it yet; `later` as in
    `add`."""
    from .write import from_columns  # as above

    found = entity.records().filter(idlists.among(entity.model, ids)).order_by("pk")
    if entity.principal or entity.model is DuplicateRule:
        records = [(row["id"], from_columns(entity, row)) for row in found.values()]
    else:
        names = [entity.fields[name] for name in sorted(_told(entity) | set(_named(entity)))]
        columns = [column for field in names for column in field.columns]
        records = [
            (
                row["id"],
                {
                    field.name: ref(row[field.columns[0]], row[field.columns[1]])
                    if field.kind is Kind.POINTER
                    else row[field.column]
                    for field in names
                    if field.columns
                },
            )
            for row in found.values("id", *columns)
        ]
    _derive(entity, records, later=later)


def _derive(
    entity: Entity,
    records: Sequence[tuple[uuid.UUID, Mapping[str, Any]]],
    *,
    later: bool = False,
) -> None:
    """Write what follows from stored records that have no keys."""
    made = texts(entity, records)
    rows.update(
        entity.model,
        ("sort_name", "search_text"),
        [(one.id, (one.sort_name, one.search_text)) for one in made],
    )
    add(entity, made, later=later)


def reworded(
    entity: Entity,
    chosen: QuerySet[Any],
    before: Mapping[str, Any],
    after: Mapping[str, Any],
) -> list[uuid.UUID]:
    """Those of `chosen` whose text or keys become others when `before` becomes `after`, to be
    refreshed then; when they are many the worker does it, and here are none."""
    told = [name for name in after if name in _told(entity)]
    links = [name for name in told if name in _named(entity)]
    titles = _titles(entity, [before, after], None) if links else {}
    if not any(
        titles.get(before[n], "") != titles.get(after[n], "") if n in links else True for n in told
    ):
        return []
    stale = list(chosen.values_list("pk", flat=True)[: REFRESH_AT_ONCE + 1])
    if len(stale) <= REFRESH_AT_ONCE:
        return stale
    wholesale.insert_for(SearchQueue, {"entity": entity.name}, "record", chosen)
    return []


def drain_queue(limit: int = 500) -> int:
    """Refresh up to `limit` queued records; how many there were. One transaction of its own."""
    with transaction.atomic():
        queued = list(
            SearchQueue.objects.order_by("pk").select_for_update(skip_locked=True)[:limit]
        )
        by_entity: dict[str, set[uuid.UUID]] = defaultdict(set)
        for entry in queued:
            by_entity[entry.entity].add(entry.record)
        for name, ids in by_entity.items():
            refresh(registry[name], list(ids))
        rows.delete(SearchQueue, [entry.pk for entry in queued])
    return len(queued)


def _refresh_those_that_name(entity: Entity, ids: Sequence[uuid.UUID]) -> None:
    for pointing in registry.pointing_at(entity):
        other, field = pointing
        if field.name not in _named(other) or field.kind is not Kind.LOOKUP or other.scope:
            continue
        stale = list(
            other.records()
            .filter(**{f"{field.column}__in": list(ids)})
            .values_list("pk", flat=True)[: REFRESH_AT_ONCE + 1]
        )
        if len(stale) <= REFRESH_AT_ONCE:
            if stale:
                refresh(other, stale)
            continue
        every = other.records().filter(**{f"{field.column}__in": list(ids)})
        queued = [(other.name, id_) for id_ in every.values_list("pk", flat=True).iterator()]
        rows.insert(SearchQueue, ("entity", "record"), queued)


def _keep_principals(entity: Entity, made: Sequence[Derived]) -> None:
    stored = Principal.objects.filter(pk__in=[one.id for one in made])
    units = dict(stored.values_list("pk", "unit_id"))
    Principal.objects.bulk_create(
        [
            Principal(
                id=one.id,
                kind=entity.name,
                name=str(one.values.get(entity.title) or "")[:200],
                unit_id=one.values["business_unit"],
                is_active=one.values["state"] == 0,
            )
            for one in made
        ],
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["kind", "name", "unit_id", "is_active"],
    )
    for one in made:
        unit = one.values["business_unit"]
        if units.get(one.id, unit) != unit:
            _move_owned(one.id, unit)


def _move_owned(owner: uuid.UUID, unit: uuid.UUID) -> None:
    """What somebody owns is of the unit that they are of."""
    for model in {other.model for other in registry if other.ownership == "user"}:
        model._default_manager.filter(owner_id=owner).update(owning_unit_id=unit)
