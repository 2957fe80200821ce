"""Options that an organisation adds to the choice lists that ship.

The lists live in the database, of which this floor knows nothing: an upper one fills in how they
are read. What was read serves a few seconds; another process's new option is there after those.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from .columns import Label

# An option added by another process is offered after so many seconds.
FRESH = 5.0
# Options that ship have lower values, now and later; a column holds no higher ones than LAST.
FIRST, LAST = 10_000, 32_767


class Option(NamedTuple):
    """One value of a choice or state field."""

    value: int
    label: Label
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Added:
    """What was added to one list. `known` are also those that are not offered any more."""

    offered: tuple[Option, ...] = ()
    known: tuple[Option, ...] = ()


NOTHING = Added()
Lists = Mapping[str, Added]


@dataclass(slots=True)
class _Kept:
    read: Callable[[], Lists] | None = None
    lists: Lists = field(default_factory=dict)
    until: float = 0.0
    version: int = 0


_kept = _Kept()


def fill(read: Callable[[], Lists]) -> None:
    """Read the added options with `read` from now on."""
    _kept.read = read


def forget() -> None:
    """Read anew when next asked: this process has added one."""
    _kept.until = 0.0


def stay() -> None:
    """Go by what is known from now on: in a process that must not ask the database."""
    _kept.until = math.inf


def take(lists: Lists, *, until: float) -> None:
    """Go by these lists until so late (of time.monotonic)."""
    if lists != _kept.lists:
        _kept.lists, _kept.version = lists, _kept.version + 1
    _kept.until = until


def version() -> int:
    """Another number whenever the lists are others: for keeping what was made of them."""
    now = time.monotonic()
    if now >= _kept.until and _kept.read is not None:
        take(_kept.read(), until=now + FRESH)
    return _kept.version


def added(list_name: str) -> Added:
    """What was added to this list."""
    version()
    return _kept.lists.get(list_name, NOTHING)
