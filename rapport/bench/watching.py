"""Jobs looked at from outside, past Django: how far they are, and what still waits."""

from __future__ import annotations

import contextlib
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from .databases import Data

PATIENCE = 3600
ENDED = {"done", "failed", "cancelled"}


@dataclass(frozen=True, slots=True)
class Point:
    """How far a job was after so many seconds of work."""

    seconds: float
    rows: int
    state: str


def follow(data: Data, job: str, *, every: float = 0.05) -> list[Point]:
    """The course of a job until it is done; its seconds count from when a worker took it."""
    with asking(data) as ask:
        course: list[Point] = []
        begun = 0.0
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            state, rows = job_state(ask, job)
            now = time.perf_counter()
            if state != "waiting":
                begun = begun or now
                course.append(Point(now - begun, rows, state))
            if state in ENDED:
                if state != "done":
                    raise RuntimeError(f"the job {job} is {state}")
                return course
            time.sleep(every)
    raise RuntimeError(f"the job {job} does not end")


def waiting(data: Data) -> float:
    """Seconds from now until nothing waits to be indexed."""
    begun = time.perf_counter()
    with asking(data) as ask:
        while any(
            ask(f"SELECT 1 FROM {table} LIMIT 1")
            for table in ("rapport_searchbacklog", "rapport_searchqueue")
        ):
            if time.perf_counter() - begun > PATIENCE:
                raise RuntimeError("the backlog of the search index does not end")
            time.sleep(0.05)
    return time.perf_counter() - begun


def job_state(ask: Callable[[str], list[Any]], job: str) -> tuple[str, int]:
    """State and progress."""
    key = uuid.UUID(job)
    found = ask(
        f"SELECT state, progress FROM rapport_job WHERE CAST(id AS text) IN ('{key}', '{key.hex}')"
    )
    return found[0]


def holder(ask: Callable[[str], list[Any]], job: str) -> int:
    """The process that holds the job, 0 when none does."""
    key = uuid.UUID(job)
    found = ask(f"SELECT worker FROM rapport_job WHERE CAST(id AS text) IN ('{key}', '{key.hex}')")
    return int(found[0][0].split()[1]) if found[0][0] else 0


@contextlib.contextmanager
def asking(data: Data) -> Iterator[Callable[[str], list[Any]]]:
    """A function that says what SQL finds; each time in a transaction of its own."""
    connection: Any
    if data.url.startswith("sqlite"):
        path = data.url.removeprefix("sqlite:///")
        connection = sqlite3.connect(path, timeout=60, isolation_level=None)
    else:
        import psycopg

        connection = psycopg.connect(data.url, autocommit=True)

    def ask(sql: str) -> list[Any]:
        found = connection.execute(sql)
        return found.fetchall() if found.description else []

    with contextlib.closing(connection):
        yield ask
