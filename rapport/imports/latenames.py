"""Names of records that another file of the same import brings later: the primary contact of an
account, whose file comes behind that of the accounts. Nobody is refused for such a name; the link
is set when all files are through.
"""

from __future__ import annotations

import datetime
import uuid
from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

from django.db.models import Q

from rapport.access import Actor
from rapport.actions import write
from rapport.meta.batches import batches
from rapport.meta.entity import Entity
from rapport.meta.kinds import Kind
from rapport.models import Change, Operation, Plan

from . import later, links as linking, mapping as mappings, parts, persons
from .links import Named
from .mapping import Mapping
from .quick import Ids
from .rows import Row
from .verdict import Verdict


def waiting(mapping: Mapping, coming: Collection[str]) -> frozenset[str]:
    """The look-ups that may name records of the entities `coming`, and only by their names."""
    found = set()
    for _index, target in mapping.filling:
        field = mapping.entity.fields.get(target.field)
        if (
            field is not None
            and field.kind is Kind.LOOKUP
            and field.target in coming
            and mappings.missing_rule(field, target) != mappings.CREATE
            and field.name not in mapping.filled_parts
            and f"{field.name}.{parts.SOURCE_ID}" not in mapping.fields
        ):
            found.add(field.name)
    return frozenset(found)


def link(
    mapping: Mapping,
    rows: Sequence[Row],
    lookups: Collection[str],
    *,
    plan: Plan,
    changes: Q,
    op: Operation,
    by: Actor,
    now: datetime.datetime,
) -> list[Verdict]:
    """Set those of `lookups` that are still blank, of records that `rows` have become in `op`.
    `changes`: those that came from their file. The rows of which some stays blank come back, in the
    order of the file, with the reasons."""
    entity = mapping.entity
    named = {row.number: {n: row.links[n] for n in lookups if n in row.links} for row in rows}
    about = _records(entity, [n for n, own in named.items() if own], plan, changes, op)
    stored = write.load(entity, set(about.values()))
    values: dict[uuid.UUID, dict[str, Any]] = {}
    missed: dict[int, Verdict] = {}
    for lookup in sorted(lookups):
        target = parts.entity_of(entity, lookup)
        asking = {
            number: persons.called(target, named[number][lookup])
            for number, record in about.items()
            if lookup in named[number] and record in stored and not stored[record][lookup]
        }
        known = linking.records(target, {*asking.values()}, by)
        homes = _homes(entity, target, known.values())
        for number, text in asking.items():
            record, found = about[number], known.get(text, [])
            # Of several with this name those who belong to the record.
            own = [one for one in found if homes.get(one.id) == record] or found
            if len(own) == 1:
                values.setdefault(record, {})[lookup] = own[0].id
            else:
                reason = later.nowhere(mapping, lookup, named[number][lookup], len(own))
                later.miss(missed, number, record, reason)
    numbers = {record: number for number, record in about.items()}
    return later.set_links(entity, values, numbers, stored, missed, op=op, by=by, now=now)


def _records(
    entity: Entity, numbers: Sequence[int], plan: Plan, changes: Q, op: Operation
) -> dict[int, uuid.UUID]:
    """The records that rows have become."""
    found: dict[int, set[uuid.UUID]] = defaultdict(set)
    for part in batches(numbers):
        made = Change.objects.filter(changes, operation=op, entity=entity.name, row__in=part)
        for number, record in made.values_list("row", "record"):
            if number is not None:
                found[number].add(record)
    kept, ids = dict(plan.rows.filter(row__in=found).values_list("row", "record")), Ids(plan.pk)
    result: dict[int, uuid.UUID] = {}
    for number, several in found.items():
        # A row may have made others of the same kind along with its own.
        own = several.intersection((kept.get(number), ids.of(number))) or several
        if len(own) == 1:
            (result[number],) = own
    return result


def _homes(
    entity: Entity, target: Entity, known: Collection[Sequence[Named]]
) -> dict[uuid.UUID, uuid.UUID]:
    """The records of `entity` that those belong to whose name several have."""
    back = next((f for f in target.fields.values() if f.target == entity.name), None)
    several = {one.id for found in known if len(found) > 1 for one in found}
    if back is None or not several:
        return {}
    rows = target.records().filter(pk__in=several).values_list("pk", back.column)
    return dict(rows)
