"""Counting how good the data is: once a day by the clock, and when somebody asks for it."""

from __future__ import annotations

import time

from django.utils import timezone

from rapport.access import SystemActor
from rapport.actions import quality
from rapport.actions.lease import Run
from rapport.queries import quality as declared

BY = SystemActor("quality")


def count_day(patience: float) -> None:
    """Count what is not counted yet today, for at most so many seconds: the rest is for the next
    time."""
    day, until = timezone.localdate(), time.monotonic() + patience
    done = declared.measured(day)
    for step in declared.steps():
        if time.monotonic() > until:
            return
        if not step.measures <= done:
            quality.keep(declared.measure(step, BY), day)


def step(run: Run) -> bool:
    """Count one part anew. Reading takes no lock, so only what is kept is a batch."""
    steps = declared.steps()
    at = int((run.job.cursor or {}).get("at", 0))
    figures = declared.measure(steps[at], BY) if at < len(steps) else []
    with run.batch() as job:
        quality.keep(figures, timezone.localdate())
        job.cursor = {"at": at + 1}
        job.total = len(steps)
        job.progress = min(at + 1, len(steps))
    return at + 1 < len(steps)
