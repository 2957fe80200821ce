"""States and status reasons of an entity, and which state may follow which."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from .columns import Label


@dataclass(frozen=True, kw_only=True, slots=True)
class Status:
    """One status reason; `state` is the state it belongs to, `tone` its colour in the hub."""

    value: int
    label: Label
    state: int
    default: bool = False
    tone: str = ""


@dataclass(frozen=True, kw_only=True)
class States:
    """The state machine of an entity. `transitions` are the pairs (from state, to state) that
    a plain state change may take; `reserved` names the action that alone may take a pair.
    Records in a state outside `editable` are read-only."""

    states: Mapping[int, Label]
    statuses: tuple[Status, ...]
    transitions: frozenset[tuple[int, int]]
    reserved: Mapping[tuple[int, int], str] = field(default_factory=dict)
    editable: frozenset[int] = frozenset({0})

    def default(self, state: int) -> int:
        """The status reason that a record gets when only its state is set."""
        statuses = [s for s in self.statuses if s.state == state]
        return next((s.value for s in statuses if s.default), statuses[0].value)

    def may_follow(self, before: int, after: int, action: str = "") -> bool:
        """Whether `action` ('' for a plain state change) may lead from one state to the other."""
        if (before, after) in self.reserved:
            return self.reserved[before, after] == action
        return (before, after) in self.transitions

    def state_of(self, status: int) -> int:
        """The state that the status reason `status` belongs to. KeyError when unknown."""
        for candidate in self.statuses:
            if candidate.value == status:
                return candidate.state
        raise KeyError(status)

    def status(self, value: int) -> Status:
        """The status reason with this value. KeyError when unknown."""
        for candidate in self.statuses:
            if candidate.value == value:
                return candidate
        raise KeyError(value)
