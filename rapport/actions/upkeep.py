"""Keeping what follows from records (match keys, the search index, principals) beside them, in the
transaction that writes them; and renewing it when something that they name changes."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from rapport.duplicates import rules
from rapport.meta import options
from rapport.meta.entity import Entity
from rapport.meta.kinds import Kind
from rapport.meta.registry import registry
from rapport.models import ChoiceOption, DuplicateRule, Principal, SearchQueue

from . import idlists, keyring, rows, search_index, wholesale
from .derived import Derived, named_by, texts, titles_of, told_by
from .rowvalues import from_columns, ref

# Records that name a renamed one are refreshed at once up to this many, else by the worker.
REFRESH_AT_ONCE = 200


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


def remove(
    entity: Entity, ids: Sequence[uuid.UUID], *, later: bool = False, keys: bool = True
) -> None:
    """Take away what was derived from deleted records; `later`: from the search index soon;
    `keys`: their keys, too."""
    if keys:
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
    found = entity.records().filter(idlists.among(entity.model, ids)).order_by("pk")
    if entity.principal or entity.model is DuplicateRule:
        records = [(row["id"], from_columns(entity, row)) for row in found.values()]
    else:
        names = [entity.fields[name] for name in sorted(told_by(entity) | set(named_by(entity)))]
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
    told = [name for name in after if name in told_by(entity)]
    links = [name for name in told if name in named_by(entity)]
    titles = titles_of(entity, [before, after], None) if links else {}
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
    for other, field in registry.pointing_at(entity):
        if field.name not in named_by(other) or field.kind is not Kind.LOOKUP or other.scope:
            continue
        naming = other.records().filter(**{f"{field.column}__in": list(ids)})
        naming = naming.values_list("pk", flat=True)
        stale = list(naming[: REFRESH_AT_ONCE + 1])
        if len(stale) <= REFRESH_AT_ONCE:
            if stale:
                refresh(other, stale)
            continue
        queued = [(other.name, id_) for id_ in naming.iterator()]
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
