"""Processes that are forked from one that imports, and end with it."""

from __future__ import annotations

import gc
import os
import signal
import threading

from django.db import connections

from rapport import processes
from rapport.duplicates import rules
from rapport.meta import options


def can_fork() -> bool:
    """Whether processes may be forked. Not beside threads: what they hold at that moment would be
    held for ever in the new process."""
    return hasattr(os, "fork") and threading.active_count() == 1


def fork() -> int:
    """The number of a new process; 0 in that one, which begins with `begin`."""
    # Looked through by nobody, or the memory that both share would be copied.
    gc.freeze()
    pid = os.fork()
    if pid:
        gc.unfreeze()
    return pid


def begin(parent: int) -> None:
    """In the new process: end with `parent`, and leave alone what belongs to it."""
    processes.end_with(parent)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # Whoever is at the keyboard means our parent, which then ends us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # No circles are made here.
    gc.disable()
    options.stay()
    rules.stay()
    for alias in [one.alias for one in connections.all(initialized_only=True)]:
        # Kept, because to close it would end it for our parent, too.
        _not_ours.append(connections[alias])
        del connections[alias]


_not_ours: list[object] = []
