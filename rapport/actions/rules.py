"""Duplicate rules: saved, published and put away. A shipped rule is replaced by a record."""

from __future__ import annotations

import datetime
import uuid
from typing import Any

from django.utils import timezone

from rapport import access
from rapport.access import Actor
from rapport.duplicates import catalogue, rules
from rapport.duplicates.catalogue import Entry
from rapport.duplicates.rules import Rule
from rapport.meta.entity import Draft
from rapport.meta.ids import new_id
from rapport.meta.registry import registry
from rapport.models import Operation
from rapport.models.duplicates import ACTIVE, INACTIVE, RULE_STATES
from rapport.models.people import Verb

from . import journal, records
from .records import InvalidRecord, RecordNotFound, StaleRecord

RULE = "duplicate_rule"


def save_rule(
    rule: Rule,
    *,
    by: Actor,
    published: bool,
    version: int | None = None,
    now: datetime.datetime | None = None,
) -> tuple[str, Operation]:
    """Store `rule`: a new one (its key is ''), one of one's own, or in the place of a shipped one.
    Its key. `version`: of the record that was edited, 0 when there was none.

    Raises Forbidden, RecordNotFound, StaleRecord, InvalidRecord.
    """
    entry = _entry(rule.key, by) if rule.key else None
    if problems := rules.check(rule):
        raise InvalidRecord({"": problems})
    if entry is not None and version is not None and entry.version != version:
        raise StaleRecord({})
    id_, op = _store(rule, entry, published, kind="update" if entry else "create", by=by, now=now)
    return (entry.rule.key if entry else str(id_)), op


def publish_rule(
    key: str, *, by: Actor, published: bool = True, now: datetime.datetime | None = None
) -> Operation:
    """Let a rule work, or no longer. One that is as it ships goes back to being the shipped one, so
    that upgrades improve it. Raises Forbidden, RecordNotFound, InvalidRecord."""
    entry = _entry(key, by)
    if published and (problems := rules.check(entry.rule)):
        raise InvalidRecord({"": problems})
    usual = published == (key in catalogue.on_by_default())
    if entry.row is not None and entry.shipped is not None and usual and not entry.changed:
        return reset_rule(key, by=by, now=now)
    kind = "publish" if published else "unpublish"
    return _store(entry.rule, entry, published, kind=kind, by=by, now=now)[1]


def reset_rule(key: str, *, by: Actor, now: datetime.datetime | None = None) -> Operation:
    """Let a shipped rule be as it ships. Raises Forbidden, RecordNotFound."""
    entry = _entry(key, by)
    if entry.row is None or entry.shipped is None:
        raise RecordNotFound(RULE)
    return _remove(entry.row, by, now)


def delete_rule(key: str, *, by: Actor, now: datetime.datetime | None = None) -> Operation:
    """Delete one of one's own rules. Raises Forbidden, RecordNotFound."""
    entry = _entry(key, by)
    if entry.row is None or entry.shipped is not None:
        raise RecordNotFound(RULE)
    return _remove(entry.row, by, now)


def _entry(key: str, by: Actor) -> Entry:
    entry = catalogue.entry(key, by)
    if entry is None:
        raise RecordNotFound(RULE)
    return entry


def _remove(id: uuid.UUID, by: Actor, now: datetime.datetime | None) -> Operation:
    return records.delete_records(registry[RULE], [id], by=by, now=now)


def _store(
    rule: Rule,
    entry: Entry | None,
    published: bool,
    *,
    kind: str,
    by: Actor,
    now: datetime.datetime | None,
) -> tuple[uuid.UUID, Operation]:
    entity, now = registry[RULE], now or timezone.now()
    state = ACTIVE if published else INACTIVE
    values: dict[str, Any] = {
        "name": str(rule.name),
        "base_entity": rule.base,
        "matching_entity": rule.matching,
        "case_sensitive": rule.case_sensitive,
        "exclude_inactive": rule.exclude_inactive,
        "threshold": rule.threshold,
        "definition": rules.dumps(rule),
        "state": state,
        "status": RULE_STATES.default(state),
    }
    with (
        records.refusing_clashes(),
        journal.operation(f"{RULE}.{kind}", by=by, now=now) as op,
    ):
        if entry is not None and entry.row is not None:
            stored = records.get_for(entity, [entry.row], by=by, verb=Verb.WRITE)
            draft = Draft(id=entry.row, values=values, current=stored[entry.row])
        else:
            access.require(by, Verb.CREATE, entity)
            if entry is not None:
                values["builtin"] = entry.rule.key
            draft = Draft(id=new_id(), values=values)
        if records.save_drafts(entity, [draft], op=op, by=by, now=now, trusted=True):
            raise InvalidRecord(draft.errors)
    return draft.id, op
