"""The state that a row says its record is in: won, lost, disqualified, inactive."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.utils.translation import get_language, override

from rapport.meta.entity import Entity
from rapport.meta.field import Field
from rapport.meta.folding import fold
from rapport.meta.kinds import Kind

from . import words

STATE, STATUS = "state", "status"
NAMES = frozenset({STATE, STATUS})


def believed(entity: Entity, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """`values` of a row without a status reason that belongs to another state than the row says."""
    if not values.keys() >= NAMES:
        return values
    fits = entity.states.state_of(values[STATUS]) == values[STATE]
    return values if fits else {n: v for n, v in values.items() if n != STATUS}


def whole(entity: Entity, values: dict[str, Any]) -> dict[str, Any]:
    """`values` of a new record with both state and status reason, when they have either."""
    if values.keys().isdisjoint(NAMES):
        return values
    states, said = entity.states, believed(entity, values)
    state = said[STATE] if STATE in said else states.state_of(said[STATUS])
    status = said[STATUS] if STATUS in said else states.default(state)
    return {**values, STATE: state, STATUS: status}


def becoming(entity: Entity, values: dict[str, Any], current: Mapping[str, Any]) -> dict[str, Any]:
    """What becomes of a stored record with these `values`, all others than its `current` ones. An
    import closes what is open, but neither reopens what somebody has closed nor takes a way that
    only an action may take."""
    if values.keys().isdisjoint(NAMES):
        return values
    rest = {name: value for name, value in values.items() if name not in NAMES}
    states, before = entity.states, current[STATE]
    said = whole(entity, {n: values[n] for n in NAMES if n in values})
    after = said[STATE]
    if before not in states.editable:
        return rest
    if after == before:
        return {**rest, STATUS: said[STATUS]}
    return {**rest, **said} if states.may_follow(before, after) else rest


def usual_reason(entity: Entity, state: int | None) -> str | None:
    """The status reason of a state that says no more."""
    if state is None:
        return None
    return str(entity.states.status(entity.states.default(state)).label)


def is_stage(entity: Entity, found: Field) -> bool:
    """Whether the options of `found` say how far an open record has come, so that other programs
    write there, too, how it has ended."""
    return words.STAGES.get(entity.name) == found.name


def last_stage(entity: Entity, found: Field) -> dict[str, str]:
    """The option that stands for each end that is written among stages."""
    last = str(found.options[-1].value)
    return dict.fromkeys(_endings(entity, get_language() or "en"), last)


def ends(entity: Entity, found: Field) -> list[str]:
    """What may stand among stages beside the options: how it has ended."""
    if not is_stage(entity, found):
        return []
    states = entity.states
    return [str(label) for state, label in states.states.items() if state not in states.editable]


def closed_by(entity: Entity, text: str) -> int | None:
    """The state that a stage says which is none: 'Lost'; None when it is open."""
    return _endings(entity, get_language() or "en").get(fold(text))


@lru_cache(maxsize=64)
def _endings(entity: Entity, language: str) -> Mapping[str, int]:
    states = entity.states
    found: dict[str, int] = {}
    for spoken in ("en", language):
        with override(spoken):
            labels = {fold(str(label)): state for state, label in states.states.items()}
        found |= {text: state for text, state in labels.items() if state not in states.editable}
    return found


def meant(entity: Entity, found: Field, text: str) -> str | None:
    """What people and programs mean by a text that is no option of `found`, a state, a status
    reason or a stage: its label, or that of an end; None when that is not known."""
    field = found.name if found.kind is Kind.STATE else STATE
    label = _words(entity).get((field, fold(text)))
    if label is None or found.kind is Kind.STATE or closed_by(entity, label) is not None:
        return label
    return None


@lru_cache(maxsize=64)
def _words(entity: Entity) -> Mapping[tuple[str, str], str]:
    return {
        (name, fold(word)): label
        for name, by_label in words.STANDS.get(entity.name, {}).items()
        for label, text in by_label.items()
        for word in text.split("|")
    }
