"""The worker: takes waiting jobs and does a batch of each in turn: none waits for another."""

from __future__ import annotations

import contextlib
import datetime
import gc
import logging
import os
import signal
import time
from collections.abc import Iterator
from types import FrameType
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.db.backends.signals import connection_created
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from rapport import processes
from rapport.access import Forbidden, SystemActor
from rapport.actions import lease
from rapport.actions.lease import CancelAsked, LostLease, Refused, Run, take
from rapport.actions.records import InvalidRecord, RecordNotFound
from rapport.actions.undo import CannotUndo
from rapport.models.operations import JobState
from rapport.queries.query import InvalidQuery

from .clock import Clock
from .kinds import KINDS
from .queue import Bell

log = logging.getLogger(__name__)

# Jobs that one worker has in hand, a batch of each in turn.
AT_ONCE = 4
ATTEMPTS = 5
NOTE_EVERY = 5.0
# Jobs with so much behind them leave much memory. With more bytes than this, mostly holes that
# nothing else fits into, another process had better go on.
LARGE, FULL = 20_000, 64 * 1024**2
# Trying again cannot help.
FINAL = (Refused, Forbidden, RecordNotFound, InvalidRecord, CannotUndo, InvalidQuery)


class Worker:
    """One process that works off jobs. It ends with the process `child_of`, when there is one."""

    def __init__(self, *, child_of: int | None = None) -> None:
        # Never the name of an earlier worker: it is half of the fencing token.
        self.name = processes.name()
        self.runs: list[Run] = []
        self.stopping = False
        self._bell = Bell()
        self.clock = Clock()
        self._noted = 0.0
        self._parent = child_of
        self._is_full = False

    def stop(self, _signal: int = 0, _frame: FrameType | None = None) -> None:
        """End after the batch at hand."""
        self.stopping = True

    @property
    def is_worn(self) -> bool:
        """Whether a new process had better go on, and may: nothing is in hand."""
        return self._is_full and not self.runs

    def work(self) -> bool:
        """Work until told to stop; then hand over what is not finished. True when it ends because
        a new process should go on."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.stop)
        log.info("Worker %s starts", self.name)
        processes.give_memory_back()
        connection.close()
        lease.keep_few_statements()
        connection_created.connect(_keep_nothing)
        try:
            while not self._is_over() and not self.is_worn:
                try:
                    self.turn()
                except (DatabaseError, InterfaceError):
                    # The leases run out by themselves; what was not committed did not happen.
                    log.exception("The database does not answer")
                    self.runs.clear()
                    connection.close()
                    time.sleep(1)
                if not self.runs and not self.is_worn:
                    self._bell.wait(self._is_over)
            self._hand_over()
        finally:
            self._bell.forget(self.name)
            self._bell.close()
            connection_created.disconnect(_keep_nothing)
            connection.close()
        log.info("Worker %s ends", self.name)
        return self.is_worn and not self._is_over()

    def _is_over(self) -> bool:
        # A child whose server was killed must not live on: the next server brings its own.
        return self.stopping or self._parent not in {None, os.getppid()}

    def turn(self) -> None:
        """What is due by the clock, one more job if there is one, one batch of each in hand."""
        _refresh_connection()
        self._note()
        self.clock.tick()
        if len(self.runs) < AT_ONCE and (run := take(self.name, KINDS)):
            self.runs.append(run)
        for run in list(self.runs):
            if self.stopping:
                return
            if not advance(run):
                self.runs.remove(run)
                if run.job.progress >= LARGE:
                    _tidy()
                    self._is_full = processes.own_memory() > FULL
            run.pace.let_others_in()

    def _note(self) -> None:
        if time.monotonic() - self._noted > NOTE_EVERY:
            self._noted = time.monotonic()
            self._bell.note(self.name, {"at": timezone.now().isoformat(), "jobs": len(self.runs)})

    def _hand_over(self) -> None:
        for run in self.runs:
            with contextlib.suppress(LostLease):
                run.release()
        self.runs.clear()


def advance(run: Run) -> bool:
    """Do one batch of the job; False when it is out of our hands."""
    kind = KINDS[run.job.kind]
    ended = kind.when_ended
    try:
        with _as_its_owner(run):
            if run.job.attempts > ATTEMPTS:
                run.end(JobState.FAILED, _("It was interrupted too often."), ended)
                return False
            try:
                if run.cancel_asked():
                    raise CancelAsked(run.job.pk)
                if kind.do_step(run):
                    return True
                run.end(JobState.DONE, ended=ended)
            except CancelAsked:
                run.end(JobState.CANCELLED, ended=ended)
            except FINAL as error:
                log.info("Job %s (%s) refused: %s", run.job.pk, kind.name, error)
                run.end(JobState.FAILED, str(error) or type(error).__name__, ended)
    except LostLease:
        log.warning("Job %s is in other hands by now", run.job.pk)
    except Exception as error:
        # Everything else may be an accident: it is tried again, from the last committed batch.
        log.exception("Job %s (%s) failed", run.job.pk, kind.name)
        _refresh_connection()
        _put_back(run, error)
    return False


def _tidy() -> None:
    """Give back what a long job has left: its circles, pages of the database, holes."""
    gc.collect()
    lease.shrink()
    processes.trim()


def _keep_nothing(**_opened: object) -> None:
    lease.settle(lease.READING)


def _refresh_connection() -> None:
    """Drop a connection that broke; inside a transaction Django would drop every one."""
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()


def _put_back(run: Run, error: Exception) -> None:
    attempt = run.job.attempts
    with contextlib.suppress(LostLease), _as_its_owner(run):
        if attempt >= ATTEMPTS:
            message = _("It failed %(count)d times (%(error)s). The log says more.")
            values = {"count": attempt, "error": type(error).__name__}
            _fail(run, message % values)
            return
        wait = datetime.timedelta(seconds=settings.JOB_RETRY_SECONDS * 4 ** (attempt - 1))
        message = _("Something went wrong (%(error)s). It will be tried again.")
        values = {"error": type(error).__name__}
        run.put_back(message=message % values, after=timezone.now() + wait)


def _fail(run: Run, message: str) -> None:
    try:
        run.end(JobState.FAILED, message, KINDS[run.job.kind].when_ended)
    except LostLease:
        raise
    except Exception:
        log.exception("Closing job %s failed", run.job.pk)
        run.end(JobState.FAILED, message)


@contextlib.contextmanager
def _as_its_owner(run: Run) -> Iterator[None]:
    """Words and times as the job's owner reads them."""
    by = run.by
    language = "" if isinstance(by, SystemActor) else by.language
    zone = "" if isinstance(by, SystemActor) else by.time_zone
    with (
        translation.override(language or settings.LANGUAGE_CODE),
        timezone.override(ZoneInfo(zone or settings.TIME_ZONE)),
    ):
        yield
