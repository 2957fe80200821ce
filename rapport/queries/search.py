"""Finding by words: case and accents folded, anywhere in name, e-mail, phone or company."""

from __future__ import annotations

import re
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import F, Lookup, Q, QuerySet
from django.db.models.functions import Length

from rapport import queries
from rapport.access import Actor, may
from rapport.meta.entity import Entity
from rapport.meta.folding import digits, fold
from rapport.meta.kinds import TEXTS
from rapport.meta.registry import registry

TRIGRAM = 3
# With more hits than this in the index, walking the list in its order and testing each row finds a
# page sooner than fetching and sorting all hits.
COMMON = 1000
MAX_WORDS = 8
MAX_GRAMS = 64
# Fewer digits are no phone number.
PHONE_DIGITS = 5
# What no stored text has, and no database lets one ask for.
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")


def words(text: str) -> list[str]:
    """The folded words of `text` that must all be found."""
    return fold(_UNSTORABLE.sub(" ", text)).split()[:MAX_WORDS]


def _readings(text: str) -> list[list[str]]:
    """The ways to read `text`, each as words: as it stands, and as a phone number. These are
    stored as digits, with the code of the country where people dial a zero."""
    plain = words(text)
    number = digits("".join(plain)).lstrip("0")
    if len(number) < PHONE_DIGITS or any(c.isalpha() for word in plain for c in word):
        return [plain]
    return [plain] if plain == [number] else [plain, [number]]


def narrow(rows: QuerySet[Any, Any], entity: Entity, text: str) -> QuerySet[Any, Any]:
    """Those of `rows` whose search text has every word of `text`."""
    readings = _readings(text)
    if not readings[0]:
        return rows
    if entity.in_search:
        ids = _hits(entity, readings)
        if ids is not None and len(ids) <= COMMON:
            rows = _among(rows, ids)
            if connection.vendor == "postgresql":
                return rows
    condition = Q()
    for reading in readings:
        every = Q()
        for word in reading:
            every &= Q(search_text__contains=word)
        condition |= every
    return rows.filter(condition)


def _hits(entity: Entity, readings: list[list[str]]) -> list[uuid.UUID] | None:
    """Up to COMMON + 1 ids out of the index: on PostgreSQL of the records that have the words, on
    SQLite of those that have all their trigrams, to be tested again. None where the words are too
    short for the index."""
    table = entity.search_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            condition = " OR ".join(
                "(" + " AND ".join(["text LIKE %s"] * len(words)) + ")" for words in readings
            )
            values = [
                f"%{connection.ops.prep_for_like_query(word)}%"
                for words in readings
                for word in words
            ]
            cursor.execute(
                f"SELECT record FROM {table} WHERE {condition} LIMIT %s", [*values, COMMON + 1]
            )
            return [record for (record,) in cursor.fetchall()]
        grams = [_grams(reading) for reading in readings]
        if not all(grams):
            return None
        match = " OR ".join(
            "(" + " AND ".join('"' + gram.replace('"', '""') + '"' for gram in own) + ")"
            for own in grams
        )
        cursor.execute(
            f"SELECT record FROM {table} WHERE {table} MATCH %s LIMIT %s", [match, COMMON + 1]
        )
        return [uuid.UUID(hex=record) for (record,) in cursor.fetchall()]


def _among(rows: QuerySet[Any, Any], ids: Collection[uuid.UUID]) -> QuerySet[Any, Any]:
    """Those of `rows` with one of these ids."""
    if connection.vendor == "sqlite" or not ids:
        return rows.filter(pk__in=ids)
    return rows.filter(_AnyOf(F("pk"), list(ids)))


class _AnyOf(Lookup):
    """`= ANY (array)`: one parameter, where a long IN list costs more to write than to answer."""

    lookup_name = "any_of"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        column, parameters = self.process_lhs(compiler, connection)
        return f"{column} = ANY(%s)", [*parameters, self.rhs]


def _grams(reading: list[str]) -> list[str]:
    return list(
        dict.fromkeys(
            word[i : i + TRIGRAM] for word in reading for i in range(len(word) - TRIGRAM + 1)
        )
    )[:MAX_GRAMS]


def best(
    rows: QuerySet[Any, Any], entity: Entity, text: str, columns: tuple[str, ...], limit: int
) -> list[tuple[Any, ...]]:
    """`columns` (the first is 'pk') of up to `limit` of `rows` that have every word of `text`,
    those whose name begins with the words first."""
    rows = narrow(rows, entity, text)
    starting = rows.filter(sort_name__startswith=words(text)[0]).order_by(
        Length("sort_name"), "sort_name", "pk"
    )
    hits = list(starting.values_list(*columns)[:limit])
    if len(hits) < limit:
        rest = rows.exclude(pk__in=[hit[0] for hit in hits]).order_by("sort_name", "pk")
        hits += rest.values_list(*columns)[: limit - len(hits)]
    return hits


def detail(entity: Entity) -> list[str]:
    """Two plain columns of the list that tell records of the same name apart. Not those of linked
    records: who may see this one may not see them."""
    plain = [n for n in entity.columns if "." not in n and entity.fields[n].kind in TEXTS]
    return [name for name in plain if name != entity.title][:2]


@dataclass(frozen=True, slots=True)
class Hit:
    """A record that global search found."""

    entity: str
    id: uuid.UUID
    title: str
    detail: str


def everywhere(text: str, by: Actor, *, limit: int = 5) -> dict[str, list[Hit]]:
    """Up to `limit` hits in each entity that `by` may read, best names first."""
    if not words(text):
        return {}
    found: dict[str, list[Hit]] = {}
    for entity in registry:
        if not entity.in_search or not entity.in_hub or entity.scope or not entity.menu:
            continue
        if not may(by, "read", entity):
            continue
        columns = ("pk", entity.title, *detail(entity))
        hits = best(queries.records(entity, by), entity, text, columns, limit)
        if hits:
            found[entity.name] = [
                Hit(entity.name, id_, title, " · ".join(filter(None, details)))
                for id_, title, *details in hits
            ]
    return found
