"""What a row would change of a stored record."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping as MappingType, Sequence
from typing import Any

from django.utils.translation import gettext as _

from rapport.duplicates.keys import title_hash
from rapport.meta.entity import Draft, Entity
from rapport.meta.kinds import to_json
from rapport.models.operations import Decision, Fate

from . import decisions, mapping as mappings, reasons as why, standing
from .decisions import Changes, is_blank
from .links import Links
from .mapping import Mapping
from .reasons import Reason
from .rows import Row
from .verdict import Verdict


def differing(
    entity: Entity, row: Row, values: MappingType[str, Any], current: MappingType[str, Any]
) -> dict[str, Any]:
    """Those of the `values` of `row` that are others than the `current` ones. A blank cell counts
    only where it is to wipe; a default only fills what is blank."""
    values = standing.believed(entity, values)
    found = {n: v for n, v in values.items() if v != current.get(n)}
    for name in row.wipes:
        if not is_blank(current.get(name)):
            found[name] = entity.fields[name].blank_value
    found = standing.becoming(entity, found, current) if found else found
    defaults = row.defaults.items()
    found |= {n: v for n, v in defaults if n not in row.wipes and is_blank(current.get(n))}
    return found


def as_changes(
    values: MappingType[str, Any],
    current: MappingType[str, Any],
    made: MappingType[Any, str],
    waits: Changes,
) -> Changes:
    """For `PlanRow.changes`: [field, old, new] each. `made`: names of records that are still to be
    made, by id; they get another id whenever the row is judged. `waits`: what `waiting` found."""
    found = [
        [n, to_json(current.get(n)), decisions.new(made[v]) if v in made else to_json(v)]
        for n, v in values.items()
    ]
    return sorted(found + waits)


def waiting(links: Links, number: int, current: MappingType[str, Any]) -> Changes:
    """The changes of look-ups that wait for what another row brings. Of a record that `current`
    is."""
    waits = links.waits.get(number, {})
    return [
        [name, to_json(current.get(name)), decisions.new(text)]
        for name, text in waits.items()
        # What is nowhere changes nothing.
        if (how := links.waiting[name]).rule == mappings.CREATE or how.brings(text)
    ]


def made_by(links: Links, rows: Iterable[Row]) -> dict[Any, str]:
    """The names of what is to be made, along with these rows or by another file, by id."""
    made = {one.id: one.title for made in links.new.values() for one in made.values()}
    if links.promised:
        for row in rows:
            for lookup, title in links.names.get(row.number, {}).items():
                if row.values.get(lookup) in links.promised:
                    made[row.values[lookup]] = title
    return made


def are_as_planned(planned: Changes, verdict: Verdict, links: Links) -> bool:
    """Whether the row would still change just that. What was to be made may be there by now."""
    changes = verdict.changes
    if changes is None or len(changes) != len(planned):
        return False
    titles = links.names.get(verdict.number, {})
    return all(
        one == other
        or (
            one[:2] == other[:2]
            and (name := decisions.name_of_new(one[2])) is not None
            and title_hash(name) == title_hash(titles.get(one[0], ""))
        )
        for one, other in zip(planned, changes, strict=True)
    )


def draft(
    record: uuid.UUID,
    row: int,
    values: dict[str, Any],
    current: dict[str, Any],
    decision: str,
    *,
    waits: Sequence[list[Any]] = (),
) -> Draft | None:
    """The update of `record` with `values`, or with those that fill a blank field; None when
    nothing is left to change, now or, by `waits`, later."""
    if decision == Decision.FILL:
        values = {n: v for n, v in values.items() if is_blank(current.get(n))}
        waits = decisions.filling([*waits])
    if not values and not waits:
        return None
    return Draft(id=record, values=values, current=current, source_row=row)


def ask_for_used(verdicts: Iterable[Verdict], links: Links) -> None:
    """An update that only fills blank fields may leave out what it names: nothing is made for it
    then."""
    news = [new for made in links.new.values() for new in made.values()]
    for verdict in verdicts:
        if verdict.record is None or verdict.fate not in {Fate.UPDATE, Fate.SAME}:
            continue
        draft = verdict.draft if verdict.fate is Fate.UPDATE else None
        used = set(draft.values.values()) if draft else set()
        for new in news:
            if new.id not in used:
                new.asked_by.discard(verdict.number)


def forbidden() -> Reason:
    """The record is somebody else's."""
    message = _("You may not change this record, or it is not visible to you.")
    return Reason(message, None, "", why.FORBIDDEN)


def why_not(mapping: Mapping, draft: Draft) -> list[Reason]:
    """The errors of a draft that cannot be written."""
    return [
        reason
        for name, messages in draft.errors.items()
        for reason in _of_draft(mapping, draft, name, messages)
    ]


def _of_draft(mapping: Mapping, draft: Draft, name: str, messages: Sequence[str]) -> list[Reason]:
    column = mapping.column_of(name) if name else None
    known = mapping.entity.fields.get(name)
    if known is None:
        return [Reason(message, column) for message in messages]
    if known.required and draft.now(name) in {None, ""}:
        if column is None and mapping.match and draft.current is None:
            return [why.not_found(mapping.entity, mapping.match, known)]
        return [why.required(known, column)]
    return [Reason(message, column, "", known.kind.value) for message in messages]
