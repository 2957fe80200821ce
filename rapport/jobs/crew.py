"""Processes that compute for a job, so that its worker stays free for others and their memory goes
back at the end. Hardly more than this file is loaded before Django is set up in them."""

from __future__ import annotations

import gc
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, TimeoutError as Late
from multiprocessing import get_context
from typing import Any

from rapport import processes

WATCH_SECONDS = 1.0
# Of SQLite, in kilobytes below zero: with four times as many pages at hand they are no quicker,
# and each of them has its own.
CACHE = -4_096


class Over(Exception):
    """There are no more tasks."""


class Crew:
    """Does tasks in order: in processes of their own, or, without any, when a result is asked
    for."""

    def __init__(self, processes: int) -> None:
        self._tasks: Iterator[tuple[Any, ...]] = iter(())
        self._ahead: deque[Future[Any]] = deque()
        self._function: Callable[..., Any] | None = None
        self._pool: ProcessPoolExecutor | None = None
        self._processes, self._keep_ahead = processes, 2 * processes
        self.renew()

    def renew(self) -> None:
        """Go on in new processes, which have nothing in memory yet. Those that are there, and have
        nothing to do any more, end first: both would need memory at once."""
        self.close(wait=True)
        if self._processes:
            self._pool = ProcessPoolExecutor(
                self._processes,
                mp_context=get_context("spawn"),
                initializer=_prepare,
                initargs=(os.getpid(),),
            )

    def begin(self, function: Callable[..., Any], tasks: Iterable[tuple[Any, ...]]) -> None:
        """From now on call `function`, which is at the top of a module, with each of `tasks`."""
        self._function, self._tasks = function, iter(tasks)
        self._ahead.clear()

    def result(self, patience: float) -> tuple[Any] | None:
        """The result of the next task, None when it is not there within `patience` seconds.
        Raises Over after the last one."""
        assert self._function is not None
        if self._pool is None:
            task = next(self._tasks, None)
            if task is None:
                raise Over
            return (self._function(*task),)
        while len(self._ahead) < self._keep_ahead:
            task = next(self._tasks, None)
            if task is None:
                break
            self._ahead.append(self._pool.submit(_do, self._function, *task))
        if not self._ahead:
            raise Over
        try:
            found = self._ahead[0].result(patience)
        except Late:
            return None
        self._ahead.popleft()
        return (found,)

    def close(self, *, wait: bool = False) -> None:
        """Let the processes end; `wait` until they have."""
        if self._pool is not None:
            self._pool.shutdown(wait=wait, cancel_futures=True)
            self._pool = None


def _do(function: Callable[..., Any], *arguments: Any) -> Any:
    """One task, in a process of the crew."""
    try:
        return function(*arguments)
    finally:
        gc.collect()
        processes.trim()


def _prepare(parent: int) -> None:
    """In a process of the crew, before its first task."""
    # The worker decides when to stop; what is at hand ends first.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    # A worker that is killed cannot tell its crew, and the next one may begin at once.
    if not processes.end_with(parent):
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    processes.give_memory_back()
    import django

    django.setup()
    from rapport.actions import lease

    lease.keep_few_statements()
    lease.settle({**lease.READING, "cache_size": CACHE})
    # Tasks make millions of objects and no circles: to look for those takes a sixth of the time.
    gc.freeze()
    gc.disable()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(WATCH_SECONDS)
    os._exit(1)
