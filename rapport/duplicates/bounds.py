"""What conditions of a rule may still say for a pair of records while they are looked at one after
another: most pairs end as soon as that cannot bring them to the threshold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from .compare import BLANK, LEVELS, Compare
from .evidence import of_place

# Parts of the evidence.
OWN, PLACE, PHONE = range(3)
# An outcome beside those of comparing: not surely different, which takes nothing away.
PERHAPS = LEVELS
# Sums of the same numbers in another order differ by less.
ROUNDING = 1e-6


class Bound(NamedTuple):
    """What a condition can tell at most, and what less by each outcome; `free`: what counts where
    the place counts as much as it may."""

    one: int
    other: int
    compare: Compare
    part: int
    lost: list[float]
    lost_free: list[float]
    most: float
    most_free: float

    @property
    def if_blank(self) -> tuple[int, int, float]:
        """What is lost where it is blank."""
        return self.one, self.other, self.lost[BLANK]


# Parts of what may be said for a pair at most: own evidence, the same where the place counts as
# much as it may, place, phone.
Parts = tuple[float, float, float, float]


class Left(dict[int, Any]):
    """What may be said for a pair at most before the first of `bounds` is looked at; by how that
    one comes out the same after it, None where the pair cannot come to the threshold any more. The
    same few outcomes come again and again, so each is worked out once."""

    def __init__(self, bounds: Sequence[Bound], limits: tuple[float, float], parts: Parts) -> None:
        super().__init__()
        self._bounds, self._limits, self._parts = bounds, limits, parts

    def __missing__(self, outcome: int) -> Left | None:
        own, free, place, phone = self._parts
        bound, rest = self._bounds[0], self._bounds[1:]
        if outcome == PERHAPS:
            pass
        elif bound.part == PLACE:
            place -= bound.lost[outcome]
        elif bound.part == PHONE:
            phone -= bound.lost[outcome]
        else:
            own -= bound.lost[outcome]
            free -= bound.lost_free[outcome]
        found = self[outcome] = left_of(rest, self._limits, (own, free, place, phone))
        return found


def left_of(bounds: Sequence[Bound], limits: tuple[float, float], parts: Parts) -> Left | None:
    """The first of these, unless the pair cannot come to the threshold at all."""
    own, free, place, phone = parts
    needed, ceiling = limits
    if free + ceiling < needed or own + of_place(place, phone) < needed:
        return None
    return Left(bounds, limits, parts)


class Begun(dict[Parts, "Left | None"]):
    """The same before the first of all `bounds`, by what may be said for a pair then."""

    def __init__(self, bounds: Sequence[Bound], needed: float, ceiling: float) -> None:
        super().__init__()
        self._bounds, self._limits = bounds, (needed - ROUNDING, ceiling)

    def __missing__(self, parts: Parts) -> Left | None:
        found = self[parts] = left_of(self._bounds, self._limits, parts)
        return found
