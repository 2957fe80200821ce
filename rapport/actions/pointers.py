"""Everything that holds the id of a record: derived from the models, plus a short list.

A merge lets all of it follow to the record that stays. A test asks `uncovered`, so that a pointer
that a later model adds is followed, or left alone for a reason that stands here.
"""

from __future__ import annotations

import json
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models import Case, Count, F, Q, QuerySet, When

from rapport.meta.entity import Entity
from rapport.meta.field import Field
from rapport.meta.kinds import Kind, Ref
from rapport.meta.registry import registry

from . import checking, dependants

# Fields of entities whose text (JSON) names records by their ids.
TEXTS: dict[str, tuple[str, ...]] = {"saved_view": ("definition",)}

# Columns (model, column) that hold ids and stay as they are, and why.
LEFT: dict[tuple[str, str], str] = {
    ("Change", "record"): "the journal tells what was; history adds what the merged ones had",
    ("Visit", "record"): "the Recent page is led from a merged record to the one that stays",
    ("PlanRow", "record"): "a plan is judged anew when it is applied; links are led on",
    ("SourceId", "record"): "an import is led from a merged record to the one that stays",
    ("MatchKey", "record"): "derived: the writer keeps it",
    ("FreshKey", "record"): "derived: match keys that are not in their index yet",
    ("KeyRing", "record"): "derived: the writer keeps it",
    ("SearchQueue", "record"): "derived: who is gone is passed over",
    ("DuplicatePair", "first"): "the radar follows the journal",
    ("DuplicatePair", "second"): "the radar follows the journal",
}


@dataclass(frozen=True, slots=True)
class Held:
    """So many rows of `entity` name one or more of some records: in each of them the fields
    `values` have these values."""

    entity: Entity
    values: Mapping[str, Any]
    number: int

    @property
    def names(self) -> set[uuid.UUID]:
        """The records that they name."""
        return {value.id if isinstance(value, Ref) else value for value in self.values.values()}

    def rows(self, *, besides: Collection[uuid.UUID] = ()) -> QuerySet[Any]:
        """The rows, and those that name the same records in more fields; without some."""
        columns: dict[str, Any] = {}
        for name, value in self.values.items():
            pair = (value.entity, value.id) if isinstance(value, Ref) else (value,)
            columns.update(zip(self.entity.fields[name].columns, pair, strict=True))
        found = self.entity.records().filter(**columns)
        return found.exclude(pk__in=besides) if besides else found


def held(entity: Entity, ids: Collection[uuid.UUID]) -> list[Held]:
    """What names `ids` and is none of them, by what exactly it names: those that do in most fields
    first. A statement for each table."""
    links: dict[Entity, list[Field]] = defaultdict(list)
    for other, link in dependants.pointing(entity):
        links[other].append(link)
    found = [one for other, fields in links.items() for one in _held(entity, other, fields, ids)]
    return sorted(found, key=lambda one: -len(one.values))


def _held(
    entity: Entity, other: Entity, links: Iterable[Field], ids: Collection[uuid.UUID]
) -> Iterator[Held]:
    any_of, named = Q(), {}
    for link in links:
        names_one = _names_one(entity, link, ids)
        any_of |= names_one
        for column in link.columns:
            named[f"named_{column}"] = Case(When(names_one, then=F(column)))
    rows = other.records().filter(any_of)
    if other.model is entity.model:
        rows = rows.exclude(pk__in=ids)
    for row in rows.order_by().values(**named).annotate(number=Count("pk")):
        values = {}
        for link in links:
            pair = [row[f"named_{column}"] for column in link.columns]
            if pair[-1] is not None:
                values[link.name] = Ref(*pair) if link.kind is Kind.POINTER else pair[0]
        yield Held(other, values, row["number"])


def _names_one(entity: Entity, link: Field, ids: Collection[uuid.UUID]) -> Q:
    condition = Q(**{f"{link.columns[-1]}__in": list(ids)})
    if link.kind is Kind.POINTER:
        same = [one.name for one in registry if one.model is entity.model]
        condition &= Q(**{f"{link.columns[0]}__in": same})
    return condition


def clashes(
    entity: Entity, master: uuid.UUID, losers: Collection[uuid.UUID]
) -> Iterator[tuple[Entity, list[uuid.UUID]]]:
    """(entity, rows) of which only one can be there when they name the same record, as two shares
    with the same user: the one that stays comes first."""
    for other, link in dependants.pointing(entity):
        for columns in checking.unique_columns(other):
            if link.columns[-1] not in columns:
                continue
            rest = [column for column in columns if column not in link.columns]
            rows = other.records().filter(_names_one(entity, link, [master, *losers]))
            alike: dict[tuple[Any, ...], list[tuple[bool, uuid.UUID]]] = defaultdict(list)
            for id_, named, *values in rows.order_by("pk").values_list(
                "pk", link.columns[-1], *rest
            ):
                alike[tuple(values)].append((named != master, id_))
            for same in alike.values():
                if len(same) > 1:
                    yield other, [id_ for _not_masters, id_ in sorted(same)]


def texts(ids: Collection[uuid.UUID]) -> Iterator[tuple[Entity, uuid.UUID, str, str]]:
    """(entity, row, field, its text) of the texts that name some of `ids`."""
    for name, fields in TEXTS.items():
        entity = registry[name]
        for field in fields:
            any_of = Q()
            for id_ in ids:
                any_of |= Q(**{f"{field}__contains": str(id_)})
            for row, text in entity.records().filter(any_of).values_list("pk", field):
                yield entity, row, field, text


def renamed(text: str, losers: Collection[uuid.UUID], master: uuid.UUID) -> str:
    """The JSON `text` with every loser's id replaced; a list that names the master twice then
    names it once."""
    gone = {str(id_) for id_ in losers}

    def walk(value: Any) -> Any:
        match value:
            case dict():
                return {key: walk(one) for key, one in value.items()}
            case list():
                walked = [walk(one) for one in value]
                twice = walked.count(str(master)) > 1
                return list(dict.fromkeys(walked)) if twice and _plain(walked) else walked
            case str() if value in gone:
                return str(master)
        return value

    try:
        return json.dumps(walk(json.loads(text)))
    except ValueError:
        return text


def _plain(values: list[Any]) -> bool:
    return all(isinstance(value, str) for value in values)


# -- whether all are known -------------------------------------------------------------------------


def uncovered(every: Iterable[type[models.Model]]) -> list[str]:
    """Columns that can hold the id of a record that may be merged, and that nobody follows or
    leaves on purpose."""
    found = []
    merged = {entity.model for entity in registry if entity.mergeable}
    for model in every:
        for column in model._meta.concrete_fields:
            if column.primary_key or (model.__name__, column.name) in LEFT:
                continue
            if isinstance(column, models.ForeignKey):
                known = column.related_model not in merged or _is_field(model, column)
            else:
                known = not isinstance(column, models.UUIDField) or _is_field(model, column)
            if not known:
                found.append(f"{model.__name__}.{column.name}")
    return found


def _is_field(model: type[models.Model], column: models.Field[Any, Any]) -> bool:
    """Whether an entity that stands for the whole table declares it as a look-up or pointer."""
    return any(
        entity.model is model
        and not entity.scope
        and any(
            column.attname in field.columns and field.kind in {Kind.LOOKUP, Kind.POINTER}
            for field in entity.fields.values()
        )
        for entity in registry
    )
