"""What a worker holds of a job: the right to commit batches until somebody else takes it over.

A batch, its cursor, its heartbeat and the check that the lease is still held commit together.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from rapport import processes
from rapport.access import Actor, SystemActor
from rapport.models import Job
from rapport.models.operations import JobState

# Seconds that one batch may take. SQLite has one writer, and a page's write waits for it: while
# others are at work, batches are short, and they get their turn in between.
TARGET = {"sqlite": 0.06, "postgresql": 1.0}
ALONE = 1.0
SMALLEST, FIRST, LARGEST = 1, 50, 10_000
# Others are at work when they have written within so many seconds.
AT_WORK = 10.0
# They ask again after up to 0.1 s, so a shorter gap would often be missed.
SHORTEST, LONGEST = 0.05, 0.25
BEAT_EVERY = 1.0
_KEPT = (
    "state", "progress", "total", "cursor", "result", "message", "attempts", "worker",
    "heartbeat_at", "not_before", "ended_at",
)  # fmt: skip

Ended = Callable[[Job, JobState], None]


class LostLease(RuntimeError):
    """Somebody else has taken the job over: nothing of this batch is kept."""


class CancelAsked(RuntimeError):
    """Its owner wants the job to end."""


class Refused(ValueError):
    """The job cannot be done, now or later; the message is for its owner."""


def take_turn(name: str) -> None:
    """Wait until no other transaction has the turn of this name, and keep it until ours ends.
    SQLite has one writer anyway."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [name])


def state_of_database() -> int | None:
    """A number that changes when another connection has written, and only then; None where there is
    no such number."""
    if connection.vendor != "sqlite":
        return None
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA data_version")
        return int(cursor.fetchone()[0])


class Others:
    """Whether others write to the SQLite database of this process."""

    def __init__(self) -> None:
        self._connection: Any = None
        self._version: int | None = None
        self._seen = -AT_WORK

    def at_work(self) -> bool:
        """Whether somebody else has written a short while ago."""
        version = state_of_database()
        if version is None:
            return False
        if self._connection is connection.connection and version != self._version:
            self._seen = time.monotonic()
        self._connection, self._version = connection.connection, version
        return time.monotonic() - self._seen < AT_WORK

    def from_now_on(self) -> None:
        """What they have written up to now does not count: it may be long ago, and whoever asks for
        a job writes that down."""
        self._version = state_of_database()
        self._connection = connection.connection


others = Others()

# While much is written to SQLite: what is changed again and again stays at hand (keys lie anywhere
# in their index), and is brought to its place in the file by and by.
WRITING = {"mmap_size": 0, "cache_size": -98_304, "wal_autocheckpoint": 16_384}
# Jobs go through all there is: the file in the memory of those who have read it once helps nobody;
# with twice as many pages at hand they are no quicker.
# What they sort and count goes to temporary files (1): all e-mail addresses of a million are 60 MB.
READING = {"mmap_size": 0, "cache_size": -8_192, "temp_store": 1}
# Statements that a connection keeps ready. Those of jobs have hundreds of ids in their text, and do
# not come again: a hundred of them are 15 MB.
STATEMENTS = 16


def settle(settings: Mapping[str, int]) -> dict[str, int]:
    """Give the connection these settings; those that it had."""
    before: dict[str, int] = {}
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        with connection.cursor() as cursor:
            for name, value in settings.items():
                cursor.execute(f"PRAGMA {name}")
                before[name] = int(cursor.fetchone()[0])
                cursor.execute(f"PRAGMA {name} = {value}")
    return before


def keep_few_statements() -> None:
    """Let connections to SQLite that this process opens from now on keep few statements ready."""
    if connection.vendor == "sqlite":
        connection.settings_dict["OPTIONS"]["cached_statements"] = STATEMENTS


def shrink() -> None:
    """Let go of the pages of the database that the connection has at hand."""
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA shrink_memory")


@contextmanager
def much_to_write() -> Iterator[None]:
    """Batch after batch is written inside."""
    before = settle(WRITING)
    try:
        yield
    finally:
        settle(before)


@dataclass(slots=True)
class Pace:
    """How many rows fit into one batch, learnt from how long the last ones took. Below `smallest`
    a batch costs as much as one of that size."""

    size: int = FIRST
    held: float = 0.0
    smallest: int = SMALLEST
    is_alone: bool = False

    def learn(self, seconds: float, rows: int | None = None) -> None:
        """Note that a batch of so many rows (about `size`) held its locks for `seconds`."""
        self.held = seconds
        self.is_alone = connection.vendor == "sqlite" and not others.at_work()
        target = ALONE if self.is_alone else TARGET.get(connection.vendor, TARGET["postgresql"])
        # Shrinks at once, grows step by step: one quick batch proves little.
        wanted = int((rows or self.size) * target / max(seconds, 0.001))
        self.size = max(self.smallest, min(wanted, self.size * 3, LARGEST))

    def let_others_in(self) -> None:
        """On SQLite leave the database alone for about as long as it was held."""
        if connection.vendor == "sqlite" and self.held and not self.is_alone:
            time.sleep(min(max(self.held, SHORTEST), LONGEST))


@dataclass(slots=True)
class Run:
    """One job in the hands of one worker. `job` is the row as last committed."""

    job: Job
    pace: Pace = field(default_factory=Pace)
    _beaten: float = 0.0

    @property
    def by(self) -> Actor:
        """On whose behalf the job runs."""
        return self.job.created_by or SystemActor("job")

    @property
    def size(self) -> int:
        """How many rows the next batch should have."""
        return self.pace.size

    @contextmanager
    def batch(self) -> Iterator[Job]:
        """One transaction of the job: write rows, set `cursor`, `progress`, `result` … of the job.

        Raises LostLease before anything is written when the job is somebody else's by now.
        """
        with transaction.atomic():
            started = time.monotonic()
            # Locked to the end: the next worker's batch starts after this one is in or out.
            job = self._mine().select_for_update(of=("self",), no_key=True).first()
            if job is None:
                raise LostLease(self.job.pk)
            yield job
            job.heartbeat_at = timezone.now()
            job.save(update_fields=_KEPT)
        self.job = job
        self._beaten = time.monotonic()
        self.pace.learn(time.monotonic() - started)

    def beat(self, message: str = "", progress: int | None = None) -> None:
        """Say that work goes on, in a phase without batches; at most once a second.

        Raises LostLease, CancelAsked.
        """
        if time.monotonic() - self._beaten < BEAT_EVERY:
            return
        self._beaten = time.monotonic()
        news: dict[str, object] = {"heartbeat_at": timezone.now()}
        if message:
            news["message"] = message
        if progress is not None:
            news["progress"] = progress
        if not self._mine().update(**news):
            raise LostLease(self.job.pk)
        if self.cancel_asked():
            raise CancelAsked(self.job.pk)

    def cancel_asked(self) -> bool:
        """Whether the job is to end."""
        return Job.objects.filter(pk=self.job.pk, cancel_asked=True).exists()

    def _mine(self) -> QuerySet[Job]:
        """The job's row, while its fencing token is the one that we took."""
        return Job.objects.select_related("created_by").filter(
            pk=self.job.pk,
            state=JobState.RUNNING,
            worker=self.job.worker,
            attempts=self.job.attempts,
        )

    def end(self, state: JobState, message: str = "", ended: Ended | None = None) -> None:
        """Close the job; `ended` tells its kind, in the same transaction. Raises LostLease."""
        with self.batch() as job:
            job.state = state
            job.ended_at = timezone.now()
            job.message = message or job.message
            job.worker = ""
            if ended is not None:
                ended(job, state)

    def put_back(self, *, message: str = "", after: datetime.datetime | None = None) -> None:
        """Let the job wait again, not before `after`; the attempt counts. Raises LostLease."""
        with self.batch() as job:
            job.state = JobState.WAITING
            job.message = message
            job.not_before = after
            job.worker = ""

    def release(self) -> None:
        """Hand the job over because this worker ends; the attempt does not count.

        Only for a worker that takes no other job: its name makes the fencing token unique.
        """
        with self.batch() as job:
            job.state = JobState.WAITING
            job.attempts -= 1
            job.worker = ""


def take(
    worker: str, kinds: Collection[str], *, now: datetime.datetime | None = None
) -> Run | None:
    """The next waiting job of `kinds`, now in the hands of `worker`; None when there is none."""
    now = now or timezone.now()
    due = Q(not_before=None) | Q(not_before__lte=now)
    waiting = Job.objects.filter(due, state=JobState.WAITING, kind__in=kinds)
    waiting = waiting.order_by("created_at", "pk")
    # Looked at first without a transaction: on SQLite that would take the one write lock.
    if not waiting.exists():
        return None
    with transaction.atomic():
        job = waiting.select_for_update(skip_locked=True, no_key=True).first()
        if job is None:
            return None
        job.state = JobState.RUNNING
        job.worker = worker
        job.attempts += 1
        job.heartbeat_at = now
        job.started_at = job.started_at or now
        job.ended_at = None
        job.save(update_fields=[*_KEPT, "started_at"])
    others.from_now_on()
    return Run(Job.objects.select_related("created_by").get(pk=job.pk))


def hold(job: Job, worker: str) -> Run:
    """`job`, asked for in this very transaction, now in the hands of `worker`: of a command that
    does the work itself. If that dies, a worker goes on."""
    job.state, job.worker, job.attempts = JobState.RUNNING, worker, job.attempts + 1
    job.heartbeat_at = job.started_at = timezone.now()
    job.save(update_fields=[*_KEPT, "started_at"])
    return Run(job)


def sweep(*, lease: float, now: datetime.datetime | None = None) -> int:
    """Let jobs wait again whose worker is known to be gone, or has been silent for more than
    `lease` seconds; how many there were.

    A row that is locked is in the middle of a batch: its worker lives, or what it sent to the
    database before it died is still being written.
    """
    silent_since = (now or timezone.now()) - datetime.timedelta(seconds=lease)
    running = Job.objects.filter(state=JobState.RUNNING)
    # Looked at first without a transaction, as in `take`.
    held = list(running.values_list("worker", "heartbeat_at"))
    gone = {worker for worker, _beaten in held if processes.is_gone(worker)}
    if not gone and not any(beaten and beaten < silent_since for _worker, beaten in held):
        return 0
    over = Q(heartbeat_at__lt=silent_since) | Q(worker__in=gone)
    with transaction.atomic():
        locked = running.filter(over).select_for_update(skip_locked=True, no_key=True)
        found = list(locked.values_list("pk", flat=True))
        return Job.objects.filter(pk__in=found).update(state=JobState.WAITING, worker="")
