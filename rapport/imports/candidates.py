"""Records that may be meant, in one statement for many texts, by whatever index there is."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping as MappingType
from typing import Any, TypeVar

from django.db.models import BooleanField, QuerySet
from django.db.models.expressions import RawSQL
from django.db.models.functions import Lower

from rapport import queries
from rapport.access import Actor
from rapport.duplicates import blocks, keys as match_keys, normalise
from rapport.meta.batches import batches
from rapport.meta.entity import Entity
from rapport.meta.field import Field
from rapport.meta.folding import fold
from rapport.meta.kinds import Kind

One = TypeVar("One")


def active(states: MappingType[One, int]) -> list[One]:
    """Those that are active by their state; all when none is."""
    return [one for one, state in states.items() if state == 0] or list(states)


def held(
    entity: Entity, hashes: Collection[int], records: QuerySet[Any]
) -> Iterator[QuerySet[Any]]:
    """Those of `records` that have one of these match keys."""
    for some in batches(hashes):
        for ids in batches(blocks.holders(list(some), entity.code)):
            yield records.filter(pk__in=ids)


def as_typed(
    records: QuerySet[Any], field: Field, values: Iterable[str]
) -> Iterator[QuerySet[Any]]:
    """Records by a text in any case: of most fields no other form is kept."""
    table = records.model._meta.db_table
    # Not a parameter: only so SQLite sees that the index of filled ones will do.
    filled = RawSQL(f"{table}.{field.column} <> ''", (), output_field=BooleanField())  # noqa: S611
    filled = records.filter(filled).annotate(_lowered=Lower(field.column))
    for part in batches({value.strip().lower() for value in values}):
        yield filled.filter(_lowered__in=part)


def words(value: str) -> str:
    return normalise.words(value) or fold(value)


def by_other_names(
    entity: Entity, texts: Collection[str], by: Actor
) -> dict[str, list[tuple[uuid.UUID, str]]]:
    """Visible records (id, title) by an e-mail address or by a number of theirs, of several those
    that are active."""
    addresses = [text for text in texts if normalise.email(text)]
    numbers = [text for text in texts if any(map(str.isdecimal, text))]
    asked: list[_Asked] = [(name, numbers, words) for name in entity.numbers]
    asked += [
        (field.name, addresses, normalise.email)
        for field in entity.fields.values()
        if field.kind is Kind.EMAIL
    ]
    return _by(entity, asked, by)


def by_fields(
    entity: Entity, names: Collection[str], texts: Collection[str], by: Actor
) -> dict[str, list[tuple[uuid.UUID, str]]]:
    """The same by these of their numbers and e-mail addresses alone."""
    forms = {name: normalise.email for name in names if entity.fields[name].kind is Kind.EMAIL}
    return _by(entity, [(name, texts, forms.get(name, words)) for name in names], by)


# A field, the texts that may stand there, and their normal form.
_Asked = tuple[str, Collection[str], Callable[[str], str]]


def _by(
    entity: Entity, asked: Iterable[_Asked], by: Actor
) -> dict[str, list[tuple[uuid.UUID, str]]]:
    found: dict[str, dict[tuple[uuid.UUID, str], int]] = defaultdict(dict)
    wanted = queries.records(entity, by)
    keyed = match_keys.plan_of(entity).roles.emails
    for name, own, form in asked:
        spelt: dict[str, list[str]] = defaultdict(list)
        for text in own:
            spelt[form(text)].append(text)
        if not own:
            continue
        hashes = {match_keys.email_key(text) for text in own} if name in keyed else set()
        parts = (
            held(entity, hashes, wanted) if hashes else as_typed(wanted, entity.fields[name], own)
        )
        for part in parts:
            for id_, title, state, value in part.values_list("pk", entity.title, "state", name):
                for text in spelt.get(form(value or ""), ()):
                    found[text][id_, title] = state
    return {text: active(own) for text, own in found.items()}
