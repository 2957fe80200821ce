"""What a worker keeps of a job between two batches, and what becomes of a batch that fails."""

from __future__ import annotations

import gc
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar

from django.utils.translation import gettext_lazy

from rapport.access import Forbidden
from rapport.actions.lease import Refused, Run
from rapport.files.read import FileRefused
from rapport.models import Job

from .mapping import MappingRefused
from .uploads import UploadGone

NOT_ALLOWED = gettext_lazy("You may not import these records any more.")


class Session(Protocol):
    """What is kept: open files and what was seen in them."""

    def close(self) -> None:
        """Let go of it."""


S = TypeVar("S", bound=Session)


class Sessions(Generic[S]):
    """What a worker keeps of a job while it holds it: found again, or made anew after a crash.

    A few at most: a job that went to another worker is forgotten here.
    """

    KEPT = 8

    def __init__(self) -> None:
        self._kept: dict[uuid.UUID, tuple[Run, S]] = {}

    @contextmanager
    def of(self, run: Run, make: Callable[[], S]) -> Iterator[S]:
        """What is kept of the job for one batch, made by `make` when there is nothing yet. A batch
        that fails costs it: the file stands behind rows of which nothing was kept, so the next try
        opens it anew. What no try can mend is Refused."""
        try:
            with without_circles():
                yield self._get(run, make)
        except (FileRefused, UploadGone, MappingRefused) as refused:
            self.drop(run.job)
            raise Refused(str(refused)) from refused
        except Forbidden as forbidden:
            self.drop(run.job)
            raise Refused(str(NOT_ALLOWED)) from forbidden
        except BaseException:
            self.drop(run.job)
            raise

    def _get(self, run: Run, make: Callable[[], S]) -> S:
        held, session = self._kept.get(run.job.pk, (None, None))
        if session is not None and held is run:
            return session
        # What an earlier try had open stands where that one came to, not where the job is now.
        self.drop(run.job)
        while len(self._kept) >= self.KEPT:
            self._drop(next(iter(self._kept)))
        made = make()
        self._kept[run.job.pk] = run, made
        return made

    def drop(self, job: Job) -> None:
        """Forget what is kept of `job`: it has ended, or a batch of it failed."""
        self._drop(job.pk)

    def _drop(self, id_: uuid.UUID) -> None:
        if id_ in self._kept:
            _run, session = self._kept.pop(id_)
            session.close()


@contextmanager
def without_circles() -> Iterator[None]:
    """Do not look for circles of objects: a batch makes none, and to look through all of its rows
    again and again takes a tenth of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
