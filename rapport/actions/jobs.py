"""Jobs: asked for, cancelled and retried here; worked off by workers on a floor above.

The row is the truth. Whoever runs workers registers a way to wake them; it only saves time.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from rapport import access
from rapport.access import Actor, SystemActor
from rapport.models import Job
from rapport.models.operations import JobState
from rapport.queries.jobs import ALIVE

_wakers: list[Callable[[], None]] = []


class JobIsOver(ValueError):
    """The job has ended, so there is nothing to cancel; or it has not, so nothing to retry."""


def wake_by(waker: Callable[[], None]) -> None:
    """Call `waker` whenever a job is waiting."""
    if waker not in _wakers:
        _wakers.append(waker)


def enqueue(
    kind: str,
    parameters: Mapping[str, Any],
    *,
    by: Actor,
    label: str,
    total: int | None = None,
    now: datetime.datetime | None = None,
) -> Job:
    """Ask for a job, in the transaction of what it works on. `parameters` are plain JSON; `label`
    is what people read; `total` the number of steps of its progress, when known."""
    job = Job.objects.create(
        kind=kind,
        parameters=dict(parameters),
        label=label[:300],
        total=total,
        created_by=None if isinstance(by, SystemActor) else by,
        created_at=now or timezone.now(),
    )
    _wake()
    return job


def _wake() -> None:
    for waker in _wakers:
        # Robust: a queue that does not answer must not fail what has been committed.
        transaction.on_commit(waker, robust=True)


def cancel(job: Job, *, by: Actor) -> None:
    """Ask for an end between two batches; what is done stays done. Raises Forbidden, JobIsOver."""
    _require_own(job, by)
    running = Job.objects.filter(pk=job.pk, state__in=ALIVE)
    # A waiting job is ended by a worker too, so that there is one way to end.
    if not running.update(cancel_asked=True, not_before=None):
        raise JobIsOver(job.pk)
    _wake()


def retry(job: Job, *, by: Actor) -> None:
    """Let a failed or cancelled job go on from its cursor. Raises Forbidden, JobIsOver."""
    _require_own(job, by)
    ended = Job.objects.filter(pk=job.pk, state__in=[JobState.FAILED, JobState.CANCELLED])
    changed = ended.update(
        state=JobState.WAITING,
        cancel_asked=False,
        attempts=0,
        message="",
        not_before=None,
        ended_at=None,
    )
    if not changed:
        raise JobIsOver(job.pk)
    _wake()


def _require_own(job: Job, by: Actor) -> None:
    own = not isinstance(by, SystemActor) and job.created_by_id == by.pk
    if not own and not access.is_administrator(by):
        raise access.Forbidden("job")
