"""Reading ahead: processes of their own make blocks of rows while ours judges and writes.

They are forked, so they begin at once and cost no memory but what they change; they ask the
database, if at all, by connections of their own, and end with us. Each makes every second block,
and tells the next one where the block after that begins as soon as it has found its end. The blocks
go through files beside the upload. Once these are whole they stay for a day: what the plan has read
need not be read again to be applied, nor when the same file comes again.
"""

from __future__ import annotations

import itertools
import json
import logging
import os
import signal
import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, NoReturn

from rapport import processes
from rapport.actions.retention import MADE_AHEAD
from rapport.files.partial import beside
from rapport.files.refusal import FileRefused

from . import child
from .aside import Aside
from .compact import Block

log = logging.getLogger(__name__)

# A smaller file is read before a process has begun.
LARGE = 2 * 1024**2
READERS = 2
# Behind whoever waits: the process that judges and writes, the database, people's pages. With two
# processors and three who want them, each would else get two thirds of one. Not far behind: towards
# the end of a large file, when comparing takes longest, they should be through.
NICE = 3
_LENGTH = struct.Struct("<Q")
# What the other process says: there is one more block; that was all; it was refused; it failed.
_MORE, _END, _REFUSED, _FAILED = b".", b"E", b"R", b"F"
# A record and how many lines lie before it; zeros after the last.
_PLACE = struct.Struct("<QQ")


class ReaderDied(RuntimeError):
    """The process that reads ahead is gone: it failed, was killed, or had no memory."""


class Turns:
    """One of `count` processes that make the blocks of a file by turns, as `rows.Turns`: each
    listens to the one before it, the first one to the last."""

    def __init__(self, count: int, turn: int, ring: Sequence[tuple[int, int]]) -> None:
        self.count, self.turn, self.first = count, turn, not turn
        self._listening, self._telling = ring[turn - 1][0], ring[turn][1]
        for end in {end for both in ring for end in both} - {self._listening, self._telling}:
            # Or nobody would notice when its owner is gone.
            os.close(end)

    def wait(self) -> tuple[int, int] | None:
        said = os.read(self._listening, _PLACE.size)
        if not said:
            raise ReaderDied
        number, line = _PLACE.unpack(said)
        return (number, line) if number else None

    def tell(self, place: tuple[int, int] | None) -> None:
        # Whoever has come to the end listens no more.
        with suppress(BrokenPipeError):
            os.write(self._telling, _PLACE.pack(*(place or (0, 0))))


Make = Callable[[Turns], Iterator[Block]]


def is_worth_it(size: int) -> bool:
    """Whether a file of so many bytes is read by a process of its own."""
    return size >= LARGE and child.can_fork()


def path_for(folder: Path, fingerprint: str) -> Path:
    """Where blocks are kept that are made in just this way."""
    return folder / f"{MADE_AHEAD}{fingerprint}"


def _part(path: Path, turn: int) -> Path:
    return path.with_name(f"{path.name}-{turn}")


def forget(folder: Path) -> None:
    """Remove what was made ahead."""
    for old in folder.glob(f"{MADE_AHEAD}*"):
        old.unlink(missing_ok=True)


def readers() -> int:
    """How many processes read one file. More than two have nothing to do: what they read is judged
    and written by one."""
    return min(processes.processors(), READERS)


class Kept:
    """Blocks that earlier processes have made, in turns, each in a file of its own."""

    def __init__(self, path: Path) -> None:
        self._files: list[IO[bytes]] = []
        try:
            self._files.append(_part(path, 0).open("rb"))
            self._files += [_part(path, turn).open("rb") for turn in range(1, self._count(0))]
        except FileNotFoundError:
            self.close()
            raise
        self._begin()

    def _begin(self) -> None:
        self._turn, self._ends = 0, [_LENGTH.size] * len(self._files)

    def _count(self, turn: int) -> int:
        """Of how many files this is one."""
        (found,) = _LENGTH.unpack(os.pread(self._files[turn].fileno(), _LENGTH.size, 0))
        return int(found)

    @property
    def is_whole(self) -> bool:
        """Whether the files belong together."""
        return all(self._count(turn) == len(self._files) for turn in range(len(self._files)))

    def __iter__(self) -> Iterator[Block]:
        return filter(len, self.every(1, 0))

    def every(self, count: int, turn: int) -> Iterator[Block]:
        """Each block of which the number, divided by `count`, leaves `turn`."""
        self._begin()
        for number in itertools.count():
            found = self._next(skipping=number % count != turn)
            if found is None:
                return
            if found:
                # Where all rows are blank there is nothing in it, and yet it has its turn.
                yield Block.load(found)

    def _next(self, *, skipping: bool = False) -> bytes | None:
        """The bytes of the next block, empty when they are passed over; None after the last."""
        turn = self._turn
        descriptor, end = self._files[turn].fileno(), self._ends[turn]
        (length,) = _LENGTH.unpack(os.pread(descriptor, _LENGTH.size, end))
        if not length:
            return None
        start = end + _LENGTH.size
        self._ends[turn] = start + length
        self._turn = (turn + 1) % len(self._files)
        return b"" if skipping else os.pread(descriptor, length, start)

    def close(self) -> None:
        """Let go of the files."""
        for file in self._files:
            file.close()


def kept_at(path: Path) -> Kept | None:
    """The blocks that are kept under `path`, or under the same name beside another upload, if all
    of them are."""
    for one in (path, *path.parent.parent.glob(f"*/{path.name}-0")):
        with suppress(FileNotFoundError):
            kept = Kept(one.with_name(path.name))
            if kept.is_whole:
                return kept
            kept.close()
    return None


class Ahead(Kept):
    """Blocks made by `count` processes in turns and then kept under `path`: each makes what `make`
    yields for its turns. `passing`: nothing is kept, and nothing that is kept there
    forgotten. `aside`: what the first one does when it is through."""

    def __init__(
        self,
        path: Path,
        make: Make,
        *,
        count: int = 1,
        passing: bool = False,
        aside: Aside | None = None,
    ) -> None:
        if not passing:
            # Of another mapping, or of a process that was killed.
            forget(path.parent)
        self._files = []
        self._parts: list[Path] = []
        self._pids: list[int] = []
        self._news: list[int] = []
        self._aside = aside
        ring = [os.pipe() for _ in range(count)]
        for turn in range(count):
            self._start(_part(path, turn), make, turn, ring, passing=passing)
        for end in itertools.chain.from_iterable(ring):
            os.close(end)
        if aside is not None:
            aside.begin()
        self._begin()

    def _start(
        self, path: Path, make: Make, turn: int, ring: Sequence[tuple[int, int]], *, passing: bool
    ) -> None:
        part = beside(path)
        file = part.open("w+b", buffering=0)
        file.write(_LENGTH.pack(len(ring)))
        self._files.append(file)
        self._parts.append(part)
        if passing:
            part.unlink()
        news, telling = os.pipe()
        parent = os.getpid()
        pid = child.fork()
        if not pid:
            for other in (*self._news, news):
                os.close(other)
            aside = self._aside
            if aside is not None and turn:
                aside.leave()
                aside = None
            turns = Turns(len(ring), turn, ring)
            _make(lambda: make(turns), file, telling, parent, (part, path), aside=aside)
        os.close(telling)
        self._pids.append(pid)
        self._news.append(news)

    def __iter__(self) -> Iterator[Block]:
        while (said := os.read(self._news[self._turn], 1)) == _MORE:
            # One of which nothing is left to do is empty: it only keeps the turns.
            if (found := self._next()) and (block := Block.load(found)):
                yield block
        if said == _REFUSED:
            raise _refusal(
                os.pread(self._files[self._turn].fileno(), 1 << 16, self._ends[self._turn])
            )
        if said != _END:
            raise ReaderDied
        # All have come to the end: what they keep is whole only when each of them says so.
        for turn, news in enumerate(self._news):
            if turn != self._turn and os.read(news, 1) != _END:
                raise ReaderDied

    def close(self) -> None:
        """End the other processes, wherever they are."""
        for news in self._news:
            os.close(news)
        for pid in self._pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            with suppress(ChildProcessError):
                os.waitpid(pid, 0)
        # Killed in the middle, they could not tidy up.
        for part in self._parts:
            part.unlink(missing_ok=True)
        self._news, self._pids, self._parts = [], [], []
        super().close()


# -- in the other process -------------------------------------------------------------------------


def _make(
    make: Callable[[], Iterator[Block]],
    file: IO[bytes],
    telling: int,
    parent: int,
    paths: tuple[Path, Path],
    *,
    aside: Aside | None,
) -> NoReturn:
    """Make all blocks; nothing of ours may be closed or asked, so the process just ends. Before
    that it compares `aside`."""
    part, path = paths
    try:
        # Whoever goes on with the job of a process that was killed has readers of its own.
        child.begin(parent)
        os.nice(NICE)
        for block in make():
            if os.getppid() != parent:
                break
            dumped = block.dump()
            file.write(_LENGTH.pack(len(dumped)) + dumped)
            os.write(telling, _MORE)
            # A block leaves holes of several megabytes.
            processes.trim()
        else:
            file.write(_LENGTH.pack(0))
            with suppress(FileNotFoundError):
                part.rename(path)
            os.write(telling, _END)
            if aside is not None:
                aside.answer()
            os._exit(0)
    except FileRefused as refused:
        file.write(_told(refused))
        os.write(telling, _REFUSED)
    except ReaderDied:
        # The other one has said why.
        os.write(telling, _FAILED)
    except BaseException:
        log.exception("Reading ahead failed")
        os.write(telling, _FAILED)
    finally:
        part.unlink(missing_ok=True)
        os._exit(1)


def _told(refused: FileRefused) -> bytes:
    values = {name: str(value) for name, value in refused.reason.values.items()}
    return json.dumps(
        [refused.code, refused.reason.template, refused.remedy.template, values]
    ).encode()


def _refusal(told: bytes) -> FileRefused:
    code, reason, remedy, values = json.loads(told)
    return FileRefused(code, reason, remedy, **values)
