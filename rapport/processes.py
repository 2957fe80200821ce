"""Processes: by name, which of them is surely gone, who ends with whom; what memory they keep."""

from __future__ import annotations

import hashlib
import os
import secrets
import signal
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
_SET_DEATH_SIGNAL = 1
_LONGEST_HOST = 40
# Options of mallopt. Of glibc's own accord pieces of up to 32 MB come to stay.
_TRIM_FROM, _APART_FROM, _LARGE = -1, -3, 128 * 1024


@dataclass(frozen=True, slots=True)
class _Process:
    started: str
    is_over: bool


def name() -> str:
    """A name that no process had before: host, number, a random token; then, where it can be told,
    when it started and on which machine, so that others there can see that it is gone."""
    host = socket.gethostname()[:_LONGEST_HOST]
    known = f"{host} {os.getpid()} {secrets.token_hex(4)}"
    here, own = _here(), _process(os.getpid())
    return f"{known} {own.started} {here}" if here and own else known


def is_gone(whose: str) -> bool:
    """Whether the process of that name has surely ended. False for all that cannot be seen from
    here: other machines, other containers, other systems than Linux."""
    parts = whose.rsplit(" ", 4)
    if len(parts) < 5:
        return False
    _host, number, _token, started, where = parts
    if where != _here():
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        # It is somebody else's, so it is there.
        pass
    found = _process(int(number))
    # The number may have been given to another process since.
    return found is not None and (found.is_over or found.started != started)


def end_with(parent: int, number: int = signal.SIGKILL) -> bool:
    """In a new process: get the signal when `parent`, whose main thread began us, dies in whatever
    way. False where the system knows no such thing."""
    if sys.platform != "linux":
        return False
    import ctypes

    ctypes.CDLL(None).prctl(_SET_DEATH_SIGNAL, int(number))
    if os.getppid() != parent:
        # It was gone before we asked, so nothing will come.
        os._exit(1)
    return True


def processors() -> int:
    """How many processors this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def give_memory_back() -> None:
    """Let what this process frees go back to the system at once, where its library can: a worker
    of long jobs would else keep the room of the largest one. Processes forked from it do the
    same."""
    if sys.platform != "linux":
        return
    import ctypes

    with suppress(AttributeError):
        settle = ctypes.CDLL(None).mallopt
        for option in (_TRIM_FROM, _APART_FROM):
            settle(option, _LARGE)


def trim() -> None:
    """Give the system what is free by now between what is in use."""
    if sys.platform == "linux":
        import ctypes

        with suppress(AttributeError):
            ctypes.CDLL(None).malloc_trim(0)


def own_memory() -> int:
    """Bytes that this process shares with no file; 0 where that cannot be told."""
    try:
        resident, shared = map(int, (PROC / "self/statm").read_text("ascii").split()[1:3])
    except (OSError, ValueError):
        return 0
    return (resident - shared) * os.sysconf("SC_PAGE_SIZE")


def _here() -> str:
    """This machine since its start, as processes see each other's numbers and starting times: two
    that find the same here speak of the same process. '' where that cannot be told."""
    if sys.platform != "linux":
        return ""
    try:
        # With the files of another container's processes, or of the host's, nothing is proven.
        if str((PROC / "self").readlink()) != str(os.getpid()):
            return ""
        seen = [
            socket.gethostname(),
            (PROC / "sys/kernel/random/boot_id").read_text("ascii").strip(),
            str((PROC / "self/ns/pid").readlink()),
        ]
        # Old kernels have one time for all.
        if (PROC / "self/ns/time").is_symlink():
            seen.append(str((PROC / "self/ns/time").readlink()))
    except OSError:
        return ""
    return hashlib.blake2b(repr(seen).encode(), digest_size=10).hexdigest()


def _process(number: int) -> _Process | None:
    try:
        text = (PROC / str(number) / "stat").read_text("utf-8", "replace")
    except OSError:
        return None
    # The name before it, in brackets, may hold anything.
    fields = text.rpartition(")")[2].split()
    state, threads, started = fields[0], int(fields[17]), fields[19]
    # Ended, and its parent has not asked for it yet. Other threads may outlive the first one.
    return _Process(started, state in "ZX" and threads <= 1)
