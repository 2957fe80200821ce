"""State changes: the only way that a state is set."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _, gettext_lazy

from rapport.access import Actor
from rapport.meta.entity import Command
from rapport.meta.registry import registry
from rapport.models.people import Verb

from . import journal
from .records import Outcome, drafts_for, save_drafts


class StateRefused(ValueError):
    """That state cannot follow the present one, or the status reason does not belong to it."""


def set_state(
    entity_name: str,
    ids: Iterable[uuid.UUID],
    *,
    state: int,
    by: Actor,
    status: int | None = None,
    kind: str = "set_state",
    also: Mapping[str, Any] | None = None,
    each: Mapping[uuid.UUID, Mapping[str, Any]] | None = None,
    now: datetime.datetime | None = None,
    reserved: str = "",
) -> Outcome:
    """Move records to `state` with `status` (default: that of the state). `also`: more values for
    the same change; `each`: those of one record. `reserved`: name of the action that calls, for
    transitions that only it may take.

    Raises StateRefused when `status` does not belong to `state`. A record from whose state there
    is no way is refused in the outcome.
    """
    entity = registry[entity_name]
    states = entity.states
    again: dict[str, Any] = {} if status is None else {"status": status}
    status = states.default(state) if status is None else status
    try:
        fits = states.state_of(status) == state
    except KeyError:
        fits = False
    if not fits:
        raise StateRefused(_("This status reason does not belong to this status."))
    now = now or timezone.now()
    values = {**(also or {}), "state": state, "status": status}
    parameters = {"state": state, "status": status}
    ids = list(dict.fromkeys(ids))
    with journal.operation(f"{entity.name}.{kind}", by=by, now=now, parameters=parameters) as op:
        refused, drafts = drafts_for(entity, ids, values, by=by, verb=Verb.WRITE)
        for draft in drafts:
            draft.values.update((each or {}).get(draft.id, {}))
            before = (draft.current or {})["state"]
            if before == state:
                # Once more is not again: what the first time noted (a date, an amount) stays.
                draft.values = dict(again)
            elif not states.may_follow(before, state, reserved):
                draft.refuse(
                    "",
                    _("From “%(before)s” there is no way to “%(after)s”.")
                    % {"before": states.states[before], "after": states.states[state]},
                )
        ready = [draft for draft in drafts if not draft.errors]
        save_drafts(entity, ready, op=op, by=by, now=now, trusted=True)
    refused.update({draft.id: draft.complaints for draft in drafts if draft.errors})
    return Outcome(op, tuple(d.id for d in drafts if not d.errors), refused)


def deactivate(entity_name: str, ids: Iterable[uuid.UUID], *, by: Actor, **_form: Any) -> Outcome:
    """Make records inactive."""
    return set_state(entity_name, ids, state=1, by=by, kind="deactivate")


def activate(entity_name: str, ids: Iterable[uuid.UUID], *, by: Actor, **_form: Any) -> Outcome:
    """Make records active again."""
    return set_state(entity_name, ids, state=0, by=by, kind="activate")


def state_commands(entity_name: str) -> tuple[Command, ...]:
    """The two commands of an entity that is active or inactive."""
    return (
        Command(
            key="deactivate",
            label=gettext_lazy("Deactivate"),
            icon="circle-alert",
            run=partial(deactivate, entity_name),
            when=lambda record: record.state == 0,
            bulk=True,
        ),
        Command(
            key="activate",
            label=gettext_lazy("Activate"),
            icon="circle-check-big",
            run=partial(activate, entity_name),
            when=lambda record: record.state == 1,
            bulk=True,
        ),
    )
