"""The search of the whole database for duplicates: when it last ran, and whether it runs now."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from django.db.models import Min

from rapport import access
from rapport.access import Actor
from rapport.models import Job, RadarState

from .jobs import ALIVE

KIND = "duplicates.radar"


@dataclass(frozen=True, slots=True)
class Radar:
    """`scanned_at`: since when every record has been looked at; `job`: the search under way; `own`:
    whether the viewer may open it."""

    scanned_at: datetime.datetime | None
    job: Job | None
    own: bool


def state(by: Actor) -> Radar:
    """How the search stands."""
    scanned = RadarState.objects.aggregate(at=Min("scanned_at"))["at"]
    job = Job.objects.filter(kind=KIND, state__in=ALIVE).order_by("-created_at").first()
    own = job is not None and (
        access.is_administrator(by) or job.created_by_id == getattr(by, "pk", None)
    )
    return Radar(scanned, job, own)
