"""The queue that wakes workers up: a file beside SQLite, or tables in PostgreSQL.

It carries no work. Whatever happens to it, workers look at the jobs themselves every few seconds.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import connection

from rapport.actions import jobs

if TYPE_CHECKING:
    from huey.storage import BaseStorage

NAME = "rapport"
# How often a worker looks at the jobs although nobody woke it, in seconds.
LOOK_EVERY = 2.0
# SQLite has no notices: its queue is asked this often.
ASK_EVERY = 0.25

log = logging.getLogger(__name__)


def bind() -> None:
    """Let the actions wake workers."""
    jobs.wake_by(wake)


def wake() -> None:
    """Wake one worker."""
    try:
        with closing(open_store(create=False)) as store:
            store.enqueue(b"wake")
    except Exception as error:  # noqa: BLE001 -- whatever it is, the worker looks by itself
        log.info("The queue does not answer (%s); the worker looks by itself.", error)


def is_on() -> bool:
    """Whether there is a queue at all."""
    return bool(settings.QUEUE != "none")


def open_store(*, create: bool = True) -> BaseStorage:
    """The queue's store. The library is loaded here: pages that start no job do without it."""
    if not is_on():
        raise LookupError("RAPPORT_QUEUE is none")
    if connection.vendor == "postgresql":
        from huey.storage import PostgresStorage

        found = connection.settings_dict
        return PostgresStorage(
            name=NAME,
            read_timeout=ASK_EVERY,
            table_prefix="rapport_queue",
            create_tables=create,
            dbname=found["NAME"],
            user=found["USER"] or None,
            password=found["PASSWORD"] or None,
            host=found["HOST"] or None,
            port=found["PORT"] or None,
            **found["OPTIONS"],
        )
    from huey.storage import SqliteStorage

    return SqliteStorage(
        name=NAME, filename=str(settings.HOME / "queue.db"), fsync=False, create_tables=create
    )


class Bell:
    """A worker's end of the queue; without a store it only waits."""

    def __init__(self) -> None:
        self.store: BaseStorage | None = None
        self._tried = 0.0
        self._open()

    def _open(self) -> None:
        self._tried = time.monotonic()
        try:
            self.store = open_store()
        except Exception as error:  # noqa: BLE001 -- a worker runs without a queue too
            log.info("No queue (%s); looking every %s s.", error, LOOK_EVERY)

    def wait(self, stopping: Callable[[], bool]) -> None:
        """Return when somebody rings, when it is time to look anyway, or when `stopping`."""
        until = time.monotonic() + LOOK_EVERY
        while not stopping() and time.monotonic() < until:
            asked = time.monotonic()
            try:
                if self.store is not None and self.store.dequeue() is not None:
                    return
            except Exception as error:  # noqa: BLE001 -- a queue that broke is opened again later
                log.warning("The queue broke: %s", error)
                self.close()
            # What the store has not waited itself; in small pieces, so that a stop is heard.
            time.sleep(max(0.0, ASK_EVERY - (time.monotonic() - asked)))
        if self.store is None and time.monotonic() - self._tried > 30:
            self._open()

    def note(self, worker: str, state: dict[str, Any]) -> None:
        """Leave a sign of life for `read_notes`."""
        if self.store is not None:
            with suppress(Exception):
                self.store.put_data(f"worker {worker}", json.dumps(state).encode())

    def forget(self, worker: str) -> None:
        """Take the sign of life away: this worker has ended properly."""
        if self.store is not None:
            with suppress(Exception):
                self.store.delete_data(f"worker {worker}")

    def close(self) -> None:
        """Leave the queue."""
        if self.store is not None:
            with suppress(Exception):
                self.store.close()
            self.store = None


def read_notes() -> dict[str, dict[str, Any]]:
    """The last sign of life of each worker. Raises whatever keeps the queue from answering."""
    with closing(open_store(create=False)) as store:
        notes = store.result_items()
    return {
        _text(key).removeprefix("worker "): json.loads(value)
        for key, value in notes.items()
        if _text(key).startswith("worker ")
    }


def remove_notes(workers: list[str]) -> None:
    """Forget workers that died long ago."""
    with closing(open_store(create=False)) as store:
        for worker in workers:
            store.delete_data(f"worker {worker}")


def _text(key: str | bytes) -> str:
    return key.decode() if isinstance(key, bytes) else key
