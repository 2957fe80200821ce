"""What becomes of the rows of a batch."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from rapport.duplicates.explain import Reason as Likeness
from rapport.meta.entity import Draft
from rapport.models.operations import Fate

from . import links as linking
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
    """The verdicts of a batch, in the order of its rows, and what would be made along with it."""

    verdicts: list[Verdict]
    links: linking.Links

    @property
    def new(self) -> dict[str, list[linking.New]]:
        """Records to be made because rows that will be written name them, by entity."""
        written = {v.number for v in self.verdicts if v.fate in {Fate.CREATE, Fate.UPDATE}}
        found = {
            name: [one for one in made.values() if one.asked_by & written]
            for name, made in self.links.new.items()
        }
        return {name: made for name, made in found.items() if made}
