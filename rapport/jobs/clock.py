"""What workers do by the clock. Every worker does all of it, so each part may happen twice."""

from __future__ import annotations

import datetime
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from rapport.actions import duplicates, keyring, lease, retention, search_index, upkeep
from rapport.actions.lease import Pace
from rapport.duplicates import fresh
from rapport.models import ImportRecipe, Job, SearchQueue
from rapport.models.operations import JobState

from . import measure, pauses, quality, queue

log = logging.getLogger(__name__)

# Seconds that one part may take before jobs have their turn again.
PATIENCE = 2.0
# Jobs that write so much that what follows from their records waits for their end.
FIRST = ("import.apply", "undo", "bulk")


@dataclass(frozen=True, kw_only=True)
class Duty:
    """Something to do every so many seconds; first so many seconds after the worker started."""

    name: str
    every: float
    do: Callable[[], object]
    first: float = 0.0


def sweep_jobs() -> None:
    """Let jobs of dead workers wait again."""
    found = lease.sweep(lease=settings.JOB_LEASE_SECONDS)
    if found:
        log.warning("%d jobs of workers that died or fell silent wait again.", found)


def drain_search() -> None:
    """Renew the search text of records that name a renamed one."""
    _by_batches(SearchQueue.objects.exists, upkeep.drain_queue)


def _by_batches(is_more: Callable[[], object], write: Callable[[int], object]) -> None:
    """`write` so many records at a time as fit, as long as there are more, and others wait."""
    pace = Pace()
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and is_more():
        with transaction.atomic():
            started = time.monotonic()
            write(pace.size)
        pace.learn(time.monotonic() - started)
        pauses.after_writing(pace.held)


def _others_first() -> bool:
    return Job.objects.filter(state=JobState.RUNNING, kind__in=FIRST).exists()


def index_backlog() -> None:
    """Let what long operations wrote be found. An import goes first: its rows follow it."""
    if _others_first():
        return
    until = time.monotonic() + PATIENCE
    started = time.monotonic()
    while search_index.catch_up() and time.monotonic() < until:
        pauses.after_writing(time.monotonic() - started)
        started = time.monotonic()


def merge_keys() -> None:
    """Bring match keys into their index that an import left beside it because it was stopped."""
    if not _others_first():
        _by_batches(fresh.runs, lambda size: keyring.merge(size * keyring.OF_A_RECORD))


def expire() -> None:
    """Remove what is not kept for ever."""
    until = time.monotonic() + PATIENCE
    while retention.expire() and time.monotonic() < until:
        pauses.after_writing(lease.TARGET["sqlite"])


def forget_plans() -> None:
    """Remove the plans of files that people deleted, and those that a later one replaced."""
    if not _others_first():
        _by_batches(retention.is_plan_dropped, retention.forget_dropped)


def forget_workers() -> None:
    """Remove the last signs of workers that died."""
    if not queue.is_on():
        return
    day_ago = (timezone.now() - datetime.timedelta(days=1)).isoformat()
    notes = queue.read_notes()
    queue.remove_notes([name for name, note in notes.items() if note["at"] < day_ago])


def count_quality() -> None:
    """Keep the day's figures of the quality of the data."""
    quality.count_day(PATIENCE)


def follow_duplicates() -> None:
    """Look for duplicates of what changed. An import goes first: its rows follow it."""
    if _others_first():
        return
    # Comparing needs libraries that a worker without records can do without.
    from . import following

    following.follow()


def renew_keys() -> None:
    """Have match keys made anew that rules or an upgrade made stale."""
    from . import rekeying

    rekeying.notice()


def run_recipes() -> None:
    """Import what programs sent, or put into the folders of recipes."""
    if not settings.IMPORT_FOLDER and not ImportRecipe.objects.exists():
        return
    from rapport.imports import folders, unattended  # loads every reader; many have no recipe

    unattended.start_waiting()
    folders.look(until=time.monotonic() + PATIENCE)


def note_quality() -> None:
    """Keep today's number of duplicates."""
    duplicates.keep_figures(timezone.localdate())


DUTIES = (
    Duty(name="sweep jobs", every=1, do=sweep_jobs),
    Duty(name="drain search queue", every=2, do=drain_search),
    Duty(name="index backlog", every=1, do=index_backlog),
    Duty(name="fresh keys", every=2, do=merge_keys),
    Duty(name="duplicates", every=2, do=follow_duplicates),
    Duty(name="match keys", every=15, do=renew_keys),
    Duty(name="recipes", every=5, do=run_recipes),
    Duty(name="duplicates over time", every=3600, do=note_quality, first=60),
    Duty(name="dropped plans", every=2, do=forget_plans),
    Duty(name="retention", every=3600, do=expire),
    Duty(name="uploads", every=3600, do=retention.tidy_uploads),
    Duty(name="sessions", every=3600, do=retention.clear_sessions),
    Duty(name="forget workers", every=3600, do=forget_workers),
    Duty(name="measure tables", every=3600, do=measure.measure_tables),
    # Not among the first: whoever starts Rapport wants a page, not a count.
    Duty(name="count quality", every=60, do=count_quality, first=60),
)


class Clock:
    """Remembers when each duty was done last."""

    def __init__(self, duties: Iterable[Duty] = DUTIES):
        started = time.monotonic()
        self._due = {duty: started + duty.first if duty.first else 0.0 for duty in duties}

    def tick(self) -> None:
        """Do what is due. A duty that fails is logged and due again at its next time."""
        for duty, due in self._due.items():
            if time.monotonic() < due:
                continue
            self._due[duty] = time.monotonic() + duty.every
            try:
                duty.do()
            except Exception:
                log.exception("%s failed", duty.name)
