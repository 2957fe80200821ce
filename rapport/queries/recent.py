"""What somebody opened lately."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from rapport.meta.kinds import Ref
from rapport.models import User, Visit

from . import moved
from .one import title_of


@dataclass(frozen=True, slots=True)
class Seen:
    """A record that somebody opened, and when last."""

    ref: Ref
    at: datetime.datetime


def visits(by: User, *, size: int) -> list[Seen]:
    """The last `size` records that `by` opened, newest first, still there or not."""
    found = Visit.objects.filter(user=by).order_by("-at").values_list("entity", "record", "at")
    return [Seen(Ref(entity, record), at) for entity, record, at in found[:size]]


def recent(by: User, *, size: int = 100) -> list[tuple[Seen, str]]:
    """The records that `by` opened lately and may still see, each with its title; instead of one
    that was merged the one that stayed."""
    seen: Sequence[Seen] = visits(by, size=size)
    titles = title_of([one.ref for one in seen], by)
    led = moved.refs_moved(one.ref for one in seen if one.ref not in titles)
    if led:
        titles.update(title_of(led.values(), by))
        # Newest first: only the last time that it was opened, under whichever name.
        latest: dict[Ref, Seen] = {}
        for one in seen:
            ref = led.get(one.ref, one.ref)
            latest.setdefault(ref, Seen(ref, one.at))
        seen = list(latest.values())
    return [(one, titles[one.ref]) for one in seen if one.ref in titles]
