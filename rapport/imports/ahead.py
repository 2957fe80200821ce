"""Reading ahead: a process of its own makes blocks of rows while ours judges and writes.

It is forked, so it begins at once and costs no memory but what it changes; it asks no database, and
ends with us. The blocks go through a file beside the upload. Once that is whole it stays: what the
plan has read need not be read again to be applied.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import signal
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, NoReturn

from django.db import connections

from rapport.duplicates import rules
from rapport.files.refusal import FileRefused
from rapport.meta import options

from .compact import Block

log = logging.getLogger(__name__)

# A smaller file is read before a process has begun.
LARGE = 2 * 1024**2
_LENGTH = struct.Struct("<Q")
# What the other process says: there is one more block; that was all; it was refused; it failed.
_MORE, _END, _REFUSED, _FAILED = b".", b"E", b"R", b"F"
_PREFIX = "rows-"


class ReaderDied(RuntimeError):
    """The process that reads ahead is gone: it failed, was killed, or had no memory."""


def is_worth_it(size: int) -> bool:
    """Whether a file of so many bytes is read by a process of its own. Not beside threads: what
    they hold at that moment would be held for ever in the new process."""
    return size >= LARGE and hasattr(os, "fork") and threading.active_count() == 1


def path_for(folder: Path, fingerprint: str) -> Path:
    """Where blocks are kept that are made in just this way."""
    return folder / f"{_PREFIX}{fingerprint}"


def forget(folder: Path) -> None:
    """Remove what was made ahead."""
    for old in folder.glob(f"{_PREFIX}*"):
        old.unlink(missing_ok=True)


class Kept:
    """Blocks that an earlier process has made."""

    def __init__(self, path: Path) -> None:
        self._file: IO[bytes] = path.open("rb")
        self._end = 0

    def __iter__(self) -> Iterator[Block]:
        while block := self._next():
            yield block

    def _next(self) -> Block | None:
        descriptor = self._file.fileno()
        (length,) = _LENGTH.unpack(os.pread(descriptor, _LENGTH.size, self._end))
        if not length:
            return None
        start = self._end + _LENGTH.size
        self._end = start + length
        return Block.load(os.pread(descriptor, length, start))

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


class Ahead(Kept):
    """The blocks that `make` yields, made by a process of its own and then kept under `path`.
    `passing`: nothing is kept, and nothing that is kept there forgotten."""

    def __init__(
        self, path: Path, make: Callable[[], Iterator[Block]], *, passing: bool = False
    ) -> None:
        if not passing:
            # Of another mapping, or of a process that was killed.
            forget(path.parent)
        self._part = part = path.with_name(f"{path.name}.{os.getpid()}")
        self._file = part.open("w+b", buffering=0)
        self._end = 0
        if passing:
            part.unlink()
        self._news, telling = os.pipe()
        parent = os.getpid()
        gc.freeze()
        self._pid = os.fork()
        if not self._pid:
            os.close(self._news)
            _make(make, self._file, telling, parent, (part, path))
        gc.unfreeze()
        os.close(telling)

    def __iter__(self) -> Iterator[Block]:
        while (said := os.read(self._news, 1)) == _MORE:
            if block := self._next():
                yield block
        if said == _REFUSED:
            raise _refusal(os.pread(self._file.fileno(), 1 << 16, self._end))
        if said != _END:
            raise ReaderDied

    def close(self) -> None:
        """End the other process, wherever it is."""
        if self._pid:
            os.close(self._news)
            with suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
            with suppress(ChildProcessError):
                os.waitpid(self._pid, 0)
            self._pid = 0
            # Killed in the middle, it could not tidy up.
            self._part.unlink(missing_ok=True)
        super().close()


# -- in the other process -------------------------------------------------------------------------


def _make(
    make: Callable[[], Iterator[Block]],
    file: IO[bytes],
    telling: int,
    parent: int,
    paths: tuple[Path, Path],
) -> NoReturn:
    """Make all blocks; nothing of ours may be closed or asked, so the process just ends."""
    part, path = paths
    try:
        _let_go()
        for block in make():
            if os.getppid() != parent:
                break
            dumped = block.dump()
            file.write(_LENGTH.pack(len(dumped)) + dumped)
            os.write(telling, _MORE)
        else:
            file.write(_LENGTH.pack(0))
            with suppress(FileNotFoundError):
                part.rename(path)
            os.write(telling, _END)
            os._exit(0)
    except FileRefused as refused:
        file.write(_told(refused))
        os.write(telling, _REFUSED)
    except BaseException:
        log.exception("Reading ahead failed")
        os.write(telling, _FAILED)
    finally:
        part.unlink(missing_ok=True)
        os._exit(1)


def _let_go() -> None:
    """Leave alone what belongs to the process that we were forked from."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # Whoever is at the keyboard means our parent, which then ends us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # No circles are made here; looking for them would copy the memory that we share.
    gc.disable()
    options.stay()
    rules.stay()
    for connection in connections.all(initialized_only=True):
        # Kept, because to close it would end it for our parent, too.
        _not_ours.append(connection.connection)
        connection.connection = None


_not_ours: list[object] = []


def _told(refused: FileRefused) -> bytes:
    values = {name: str(value) for name, value in refused.reason.values.items()}
    return json.dumps(
        [refused.code, refused.reason.template, refused.remedy.template, values]
    ).encode()


def _refusal(told: bytes) -> FileRefused:
    code, reason, remedy, values = json.loads(told)
    return FileRefused(code, reason, remedy, **values)
