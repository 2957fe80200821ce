"""Activities and notes: stamped with the account at the time, completed, cancelled, reopened."""

from __future__ import annotations

import datetime
import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from rapport.access import Actor
from rapport.meta.entity import Draft
from rapport.meta.registry import registry
from rapport.models.activity import CANCELED, COMPLETED, OPEN

from .records import Outcome
from .states import set_state


def _stamp_accounts(drafts: Sequence[Draft]) -> None:
    """Stamp new and re-pointed rows with the company: history stays with it when a person moves."""
    regarding: dict[str, dict[uuid.UUID, list[Draft]]] = defaultdict(lambda: defaultdict(list))
    for draft in drafts:
        if draft.current is None or "regarding" in draft.values:
            value = draft.values.get("regarding")
            draft.values["account"] = None
            if value:
                regarding[value.entity][value.id].append(draft)
    for name, by_id in regarding.items():
        entity = registry[name]
        if name == "account":
            accounts = {id_: id_ for id_ in by_id}
        elif "account" in entity.fields:
            found = entity.records().filter(pk__in=list(by_id))
            accounts = dict(found.values_list("pk", "account_id"))
        else:
            continue
        for id_, same in by_id.items():
            for draft in same:
                draft.values["account"] = accounts.get(id_)


def prepare_activities(drafts: Sequence[Draft], _by: Actor, now: datetime.datetime) -> None:
    """Account and place in the timeline: when it ended, else is due, else starts, else now."""
    _stamp_accounts(drafts)
    for draft in drafts:
        if draft.values.get("occurred_at"):
            continue
        moment = draft.now("ended_at") or draft.now("starts_at") or draft.now("due_at")
        if draft.current is None or {"ended_at", "starts_at", "due_at"} & set(draft.values):
            draft.values["occurred_at"] = moment or draft.now("created_at") or now


def prepare_notes(drafts: Sequence[Draft], _by: Actor, now: datetime.datetime) -> None:
    """Account and date; a note says something."""
    _stamp_accounts(drafts)
    for draft in drafts:
        if draft.current is None:
            draft.values.setdefault("occurred_at", now)
        if draft.lacks("subject") and draft.lacks("text"):
            draft.refuse("text", _("Write something."))


def prepare_parties(drafts: Sequence[Draft], _by: Actor, _now: datetime.datetime) -> None:
    """Somebody took part: a record or an address; the address is the record's when not given."""
    unaddressed: dict[str, dict[uuid.UUID, list[Draft]]] = defaultdict(lambda: defaultdict(list))
    for draft in drafts:
        person = draft.now("person")
        if draft.lacks("person") and draft.lacks("address"):
            draft.refuse("person", _("Name a person or write an address."))
        elif person and not draft.now("address"):
            unaddressed[person.entity][person.id].append(draft)
    for name, by_id in unaddressed.items():
        entity = registry[name]
        titles = entity.records().filter(pk__in=list(by_id)).values_list("pk", entity.title)
        for id_, title in titles:
            for draft in by_id[id_]:
                draft.values["address"] = title[:200]


def complete_activities(
    ids: Iterable[uuid.UUID], *, by: Actor, now: datetime.datetime | None = None, **_form: Any
) -> Outcome:
    """Mark as done, now."""
    now = now or timezone.now()
    also = {"ended_at": now, "occurred_at": now}
    return set_state("activity", ids, state=COMPLETED, by=by, kind="complete", also=also, now=now)


def cancel_activities(
    ids: Iterable[uuid.UUID], *, by: Actor, now: datetime.datetime | None = None, **_form: Any
) -> Outcome:
    """Call off."""
    return set_state("activity", ids, state=CANCELED, by=by, kind="cancel", now=now)


def reopen_activities(
    ids: Iterable[uuid.UUID], *, by: Actor, now: datetime.datetime | None = None, **_form: Any
) -> Outcome:
    """Open again what was done or cancelled."""
    also = {"ended_at": None}
    return set_state("activity", ids, state=OPEN, by=by, kind="reopen", also=also, now=now)
