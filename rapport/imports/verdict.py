"""What becomes of the rows of a batch."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from rapport.actions.readymade import Keys, Ready
from rapport.duplicates.explain import Reason as Likeness
from rapport.meta.entity import Draft
from rapport.models.operations import Fate

from . import links as linking, partlinks
from .decisions import Changes
from .reasons import Reason


@dataclass(slots=True)
class Verdict:
    """What becomes of one row. `found`: what it is by itself, before anybody decides. `record`: the
    stored one that it updates or repeats; `like`: the earlier row of the file that it repeats; then
    `confidence` and `likeness` say how surely it does and why. `changes`: all that an update would
    change, None where there cannot be one."""

    number: int
    fate: Fate
    draft: Draft | None = None
    record: uuid.UUID | None = None
    like: int = 0
    confidence: int = 0
    likeness: tuple[Likeness, ...] = ()
    reasons: list[Reason] = field(default_factory=list)
    found: Fate = Fate.CREATE
    changes: Changes | None = None


@dataclass(slots=True)
class Judged:
    """The verdicts of a batch, in the order of its rows, and what would be made along with it.
    `same` {row: id of the record, as a text}: further rows, which change nothing; `simple`: numbers
    of those that are simply created; `keys`, `ready` (by `make_ready`) and `drafts`: of the latter,
    to be written."""

    verdicts: list[Verdict]
    links: linking.Links
    same: dict[int, str] = field(default_factory=dict)
    simple: list[int] = field(default_factory=list)
    keys: Keys | None = None
    making: Callable[[], Ready] | None = None
    drafts: list[Draft] = field(default_factory=list)
    ready: Ready | None = None

    def make_ready(self) -> None:
        """Let `making` make `ready`, unless it has."""
        if self.making is not None:
            self.ready, self.making = self.making(), None

    @property
    def new(self) -> dict[str, list[linking.New]]:
        """Records to be made because rows that will be written name them, by entity."""
        return partlinks.news(self.links, self.written)

    @property
    def written(self) -> set[int]:
        """Numbers of the rows whose parts are written: also those of which nothing else changes."""
        kept = {Fate.CREATE, Fate.UPDATE, Fate.SAME}
        return {*self.simple, *(v.number for v in self.verdicts if v.fate in kept)}
