"""Names of records that other rows of the same import bring: the parent of an account further down
in its file, the primary contact of an account, whose file comes behind that of the accounts. Nobody
is refused for such a name, and nothing is made for it that a row makes: the link is set when all
rows are through.

What names an earlier row is linked with its own batch, see `later`.
"""

from __future__ import annotations

import datetime
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping as MappingType, Sequence
from typing import Any, NamedTuple

from django.db.models import Q

from rapport import access
from rapport.access import Actor
from rapport.actions import records, write
from rapport.meta.batches import batches
from rapport.meta.entity import Draft, Entity
from rapport.meta.ids import new_id
from rapport.meta.kinds import Kind
from rapport.models import Change, Operation, Plan, PlanRow
from rapport.models.operations import Decision, Fate
from rapport.models.people import Verb

from . import (
    decisions,
    later,
    links as linking,
    mapping as mappings,
    names,
    partlinks,
    parts,
)
from .links import Links, Named, Wait
from .mapping import Mapping, Target
from .ownnames import Brings
from .reasons import Reason
from .rowids import Ids
from .rows import Row
from .sources import name_key, title_of
from .verdict import Judged, Verdict

# Look-ups by row.
Some = MappingType[int, Collection[str]]


class Linked(NamedTuple):
    """The rows of which a link stays blank, in the order of the file, with the reasons; how many
    records were made because rows name them."""

    missed: list[Verdict]
    made: Counter[str]


def waiting(
    mapping: Mapping, coming: Collection[str], brings: Callable[[Entity], Brings]
) -> dict[str, Wait]:
    """The look-ups that may name records of the file itself or of the entities `coming`, or of
    which the record is made with what it belongs to; and only by their names. `brings`: of an
    entity, whether some row is called so."""
    found: dict[str, Wait] = {}
    for _index, target in mapping.filling:
        field = mapping.entity.fields.get(target.field)
        if (
            field is None
            or field.kind is not Kind.LOOKUP
            or field.name in mapping.filled_parts
            or f"{field.name}.{parts.SOURCE_ID}" in mapping.fields
        ):
            continue
        rule = rule_of(mapping, field.name)
        if (
            field.target == mapping.entity.name
            or parts.back(field)
            or (field.target in coming and rule != mappings.CREATE)
        ):
            entity = parts.entity_of(mapping.entity, field.name)
            found[field.name] = Wait(brings(entity), rule)
    return found


def named(mapping: Mapping, coming: Collection[str]) -> set[str]:
    """The entities of what such look-ups name."""
    found = waiting(mapping, coming, lambda _entity: bool)
    return {parts.entity_of(mapping.entity, lookup).name for lookup in found}


def rule_of(mapping: Mapping, lookup: str) -> str:
    """What happens where `lookup` names nothing."""
    return mappings.missing_rule(mapping.entity.fields[lookup], _target(mapping, lookup))


def _target(mapping: Mapping, lookup: str) -> Target:
    """What is said of the column of `lookup`; of a constant the usual."""
    column = mapping.column_of(lookup)
    return Target(field=lookup) if column is None else mapping.columns[column]


def link_back(
    mapping: Mapping,
    rows: Sequence[Row],
    judged: Judged,
    *,
    plan: Plan,
    changes: Q,
    op: Operation,
    by: Actor,
    now: datetime.datetime,
) -> bool:
    """Set the links of a batch that has been written to earlier rows of it, which its rows name.
    Whether some row names what is not there yet."""
    waits = judged.links.waits
    back = _backward(mapping, rows, judged)
    if back:
        some = [row for row in rows if row.number in back]
        lookups = {lookup for own in back.values() for lookup in own}
        missed, _made = link(
            mapping, some, lookups, plan=plan, changes=changes, op=op, by=by, now=now, only=back
        )
        # Those are tried once more with what comes later, and told of then.
        for one in missed:
            del back[one.number]
    return any(
        waits.get(verdict.number, {}).keys() - back.get(verdict.number, set())
        for verdict in judged.verdicts
        if verdict.fate in later.WRITTEN
    )


def _backward(mapping: Mapping, rows: Sequence[Row], judged: Judged) -> dict[int, set[str]]:
    """The look-ups of these rows that wait for an earlier one of them."""
    entity = mapping.entity
    before: set[int] = set()
    found: dict[int, set[str]] = {}
    for row, verdict in zip(rows, judged.verdicts, strict=True):
        if verdict.fate not in later.WRITTEN:
            continue
        for lookup, text in judged.links.waits.get(row.number, {}).items():
            target = parts.entity_of(entity, lookup)
            if target is entity and name_key(entity, names.called(entity, text)) in before:
                found.setdefault(row.number, set()).add(lookup)
        before.add(name_key(entity, title_of(entity, row, verdict)))
    return found


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
    only: Some | None = None,
) -> Linked:
    """Set those of `lookups` that are to be set, of records that `rows` have become in `op`.
    `changes`: those that came from their file. `only`: these look-ups by row, for which nothing is
    made."""
    entity = mapping.entity
    named = {
        row.number: {
            n: row.links[n]
            for n in lookups
            if n in row.links and (only is None or n in only[row.number])
        }
        for row in rows
    }
    wanted = [n for n, own in named.items() if own]
    kept = {one.row: one for one in _planned(plan, wanted)}
    about = _records(entity, wanted, kept, plan=plan, changes=changes, op=op)
    stored = write.load(entity, set(about.values()))
    values: dict[uuid.UUID, dict[str, Any]] = {}
    missed: dict[int, Verdict] = {}
    made: Counter[str] = Counter()
    for lookup in sorted(lookups):
        target = parts.entity_of(entity, lookup)
        asking = {
            number: names.called(target, named[number][lookup])
            for number, record in about.items()
            if lookup in named[number]
            and record in stored
            and (not stored[record][lookup] or _replaces(mapping, plan, kept.get(number), lookup))
        }
        known = linking.records(target, {*asking.values()}, by)
        rule = rule_of(mapping, lookup)
        if only is None and rule == mappings.CREATE:
            lost = {n: named[n][lookup] for n, text in asking.items() if not known.get(text)}
            new, whose = _make(mapping, lookup, lost, missed, about, op=op, by=by, now=now)
            made += new
            for number, one in whose.items():
                values.setdefault(about[number], {})[lookup] = one.id
            asking = {n: text for n, text in asking.items() if n not in lost}
        homes = _homes(entity, target, known.values())
        for number, text in asking.items():
            record, found = about[number], known.get(text, [])
            # Of several with this name those who belong to the record.
            own = [one for one in found if homes.get(one.id) == record] or found
            several = _target(mapping, lookup).several
            if len(own) > 1 and several == mappings.OLDEST:
                own = [min(own, key=lambda one: str(one.id))]
            if len(own) == 1:
                values.setdefault(record, {})[lookup] = own[0].id
            elif (several if own else rule) != mappings.BLANK:
                reason = later.nowhere(mapping, lookup, named[number][lookup], len(own))
                later.miss(missed, number, record, reason)
    numbers = {record: number for number, record in about.items()}
    told = later.set_links(entity, values, numbers, stored, missed, op=op, by=by, now=now)
    return Linked(told, made)


def _make(
    mapping: Mapping,
    lookup: str,
    asking: MappingType[int, str],
    missed: dict[int, Verdict],
    about: MappingType[int, uuid.UUID],
    *,
    op: Operation,
    by: Actor,
    now: datetime.datetime,
) -> tuple[Counter[str], dict[int, Named]]:
    """Make what no row has brought: how many there are, and what the rows name now. Rows of which
    the name cannot be made are noted as `missed`."""
    rows = [Row(number, {}, {lookup: text}) for number, text in asking.items()]
    if parts.back(mapping.entity.fields[lookup]):
        drafts = _people(mapping, lookup, rows, about, by)
    else:
        links = Links()
        linking.resolve(mapping, rows, links, by=by)
        drafts = [draft for _entity, own in partlinks.made(links, asking.keys()) for draft in own]
    entity = parts.entity_of(mapping.entity, lookup)
    wrong = records.save_drafts(entity, drafts, op=op, by=by, now=now)
    refused = {draft.id: draft.complaints for draft in wrong}
    known: dict[int, Named] = {}
    for row in rows:
        id_ = row.values.get(lookup)
        reasons = [one._replace(code=later.CODE) for one in row.reasons]
        if id_ in refused:
            reasons.append(Reason(refused[id_], mapping.column_of(lookup), "", later.CODE))
        for reason in reasons:
            later.miss(missed, row.number, about[row.number], reason)
        if id_ is not None and not reasons:
            known[row.number] = Named(id_, row.links[lookup])
    return Counter({f"{parts.plural(entity.name)}_created": len(drafts) - len(wrong)}), known


def _people(
    mapping: Mapping,
    lookup: str,
    rows: Sequence[Row],
    about: MappingType[int, uuid.UUID],
    by: Actor,
) -> list[Draft]:
    """Those who are named, each once, for the first record that names them."""
    field, entity = mapping.entity.fields[lookup], parts.entity_of(mapping.entity, lookup)
    if not access.may(by, Verb.CREATE, entity):
        for row in rows:
            row.refuse(lookup, later.nowhere(mapping, lookup, row.links[lookup]))
        return []
    made: dict[int, Draft] = {}
    for row in rows:
        text = row.links[lookup]
        key = name_key(entity, names.called(entity, text))
        if key not in made:
            values = {**names.name_of(entity, text), parts.back(field): about[row.number]}
            made[key] = Draft(id=new_id(), values=values, source_row=row.number)
        row.values[lookup] = made[key].id
    return [*made.values()]


def _planned(plan: Plan, numbers: Sequence[int]) -> list[PlanRow]:
    return [row for part in batches(numbers) for row in plan.rows.filter(row__in=part)]


def _replaces(mapping: Mapping, plan: Plan, kept: PlanRow | None, lookup: str) -> bool:
    """Whether the plan of an update says that a link which is not blank leads elsewhere then."""
    if kept is None or kept.fate != Fate.UPDATE:
        return False
    said = kept.decision or decisions.alike_of(plan).alike.get(kept.found)
    if (said or mapping.usual(Fate(kept.found))) == Decision.FILL:
        return False
    return any(name == lookup for name, _old, _new in kept.changes or ())


def _records(
    entity: Entity,
    numbers: Sequence[int],
    kept: MappingType[int, PlanRow],
    *,
    plan: Plan,
    changes: Q,
    op: Operation,
) -> dict[int, uuid.UUID]:
    """The records that rows have become."""
    found: dict[int, set[uuid.UUID]] = defaultdict(set)
    for part in batches(numbers):
        made = Change.objects.filter(changes, operation=op, entity=entity.name, row__in=part)
        for number, record in made.values_list("row", "record"):
            if number is not None:
                found[number].add(record)
    ids = Ids(plan.pk)
    result: dict[int, uuid.UUID] = {}
    for number in numbers:
        row, several = kept.get(number), found[number]
        if not several and row is not None and row.fate == Fate.UPDATE and row.record:
            # It changes nothing else.
            several = {row.record}
        # A row may have made others of the same kind along with its own.
        own = several.intersection((row and row.record, ids.of(number))) or several
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
