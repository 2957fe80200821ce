"""Comparing aside: of the rows of a batch that share a key with earlier ones most end by a glance
at both, and a process that has nothing to read any more looks at as many of these pairs as we have
not come to.

It is asked by places in the file that keeps the glances, and knows nothing else but the rules as
they were when it began. So it may be slow, or die: then all is looked at here.
"""

from __future__ import annotations

import logging
import os
import select
import struct
from array import array
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, NoReturn

from rapport.duplicates.room import Room

from .seen import Earlier

log = logging.getLogger(__name__)

# So many rows and pairs are asked about at once, and so many such letters wait at most: while one
# is answered, the next is there. The answers to all of them fit into a page, the smallest of pipes:
# neither side ever waits for the other to read.
ROWS, PAIRS = 100, 300
WAITING = 2
# A row that shares its keys with more is looked at here.
_MOST = 100
# Milliseconds that an answer may take, which is made in three.
PATIENCE = 3000
_READY = b"!"
_LENGTH = struct.Struct("<I")


class Question(NamedTuple):
    """Which of the rows at some places may be the same as the row `whose`, which is at `place`."""

    whose: int
    place: int
    glance: str
    others: list[int]


# Whose question, and those that may be the same.
Answer = tuple[int, list[int]]


class Aside:
    """Whoever looks at glances in the file of `earlier` by the rules of `room`: one of the
    processes that read ahead, once it is through. They are forked after this was made; then
    `begin`, and in them `answer` or `leave`."""

    def __init__(self, earlier: Earlier, room: Room) -> None:
        self._earlier, self._room = earlier, room
        self._descriptor = earlier.descriptor
        self._asked, self._asking = os.pipe()
        self._hearing, self._told = os.pipe()
        self._begun = self._ready = self._closed = False
        self._sent: deque[list[Question]] = deque()

    def begin(self) -> None:
        """The others are there."""
        self._begun = True
        self._drop(self._asked, self._told)
        self._news = select.poll()
        self._news.register(self._hearing, select.POLLIN)

    def knows(self, room: Room) -> bool:
        """Whether it looks by these rules."""
        return self._room is room and not self._closed

    @property
    def has_time(self) -> bool:
        """Whether more may be asked."""
        if self._closed or not self._begun or len(self._sent) >= WAITING:
            return False
        if not self._ready and self._has_answered():
            self._ready = os.read(self._hearing, len(_READY)) == _READY
            if not self._ready:
                # It read only a part, or failed; whoever reads says why.
                self.close()
        return self._ready

    @property
    def is_busy(self) -> bool:
        """Whether it has been asked what it has not answered."""
        return bool(self._sent)

    def ask(self, questions: list[Question]) -> None:
        """Send these questions, when it `has_time`."""
        part = self._earlier.part
        numbers = array("Q")
        for _whose, place, _glance, others in questions:
            numbers.extend(part(place))
            numbers.append(len(others))
            for other in others:
                numbers.extend(part(other))
        self._earlier.flush()
        self._sent.append(questions)
        sent = numbers.tobytes()
        try:
            _write(self._asking, _LENGTH.pack(len(sent)) + sent)
        except OSError:
            self._fail()

    def answers(self, *, wait: bool = False) -> Iterator[Answer]:
        """What has been answered since; `wait`: at least one letter, if any was sent. What is not
        answered in time, or never will be, is looked at here."""
        while self._sent and not self._closed and (self._has_answered() or wait):
            try:
                if wait and not self._has_answered(PATIENCE):
                    raise TimeoutError
                wait = False
                (length,) = _LENGTH.unpack(_read(self._hearing, _LENGTH.size))
                found = array("I", _read(self._hearing, length))
            except (OSError, EOFError):
                self._fail()
                break
            questions = self._sent.popleft()
            rest = iter(found)
            for number, count in zip(rest, rest, strict=False):
                question = questions[number]
                yield question.whose, [question.others[next(rest)] for _ in range(count)]
        if self._closed:
            while self._sent:
                yield from looked_at(self._earlier, self._room, self._sent.popleft())

    def _has_answered(self, within: int = 0) -> bool:
        return bool(self._news.poll(within))

    def _fail(self) -> None:
        log.warning("The process that compares aside does not answer; nothing is lost by it.")
        self.close()

    def close(self) -> None:
        """Ask no more."""
        if not self._closed:
            self._closed = True
            self._drop(self._asking, self._hearing)
            if not self._begun:
                self._drop(self._asked, self._told)

    __del__ = close

    @staticmethod
    def _drop(*descriptors: int) -> None:
        for descriptor in descriptors:
            os.close(descriptor)

    # -- in the other processes

    def leave(self) -> None:
        """Leave it to another one."""
        self._drop(self._asking, self._hearing, self._asked, self._told)

    def answer(self) -> NoReturn:
        """Answer until nobody asks any more."""
        try:
            self._drop(self._asking, self._hearing)
            _write(self._told, _READY)
            while True:
                (length,) = _LENGTH.unpack(_read(self._asked, _LENGTH.size))
                numbers = array("Q", _read(self._asked, length))
                found = array("I", _compared(numbers, self._descriptor, self._room)).tobytes()
                _write(self._told, _LENGTH.pack(len(found)) + found)
        except (EOFError, BrokenPipeError):
            os._exit(0)
        except BaseException:
            log.exception("Comparing aside failed")
        finally:
            os._exit(1)


def looked_at(earlier: Earlier, room: Room, questions: Iterable[Question]) -> Iterator[Answer]:
    """The answers, by ourselves."""
    for whose, _place, glance, others in questions:
        if found := earlier.may_be(glance, others, room):
            yield whose, found


class Glances:
    """The questions of one batch; `aside`: who may be asked besides ourselves."""

    def __init__(self, earlier: Earlier, room: Room, aside: Aside | None) -> None:
        self._earlier, self._room = earlier, room
        self._aside = aside if aside is not None and aside.knows(room) else None
        self._tells = earlier.tells(room)
        # Letters to be sent, and the one that is being written.
        self._letters: deque[list[Question]] = deque()
        self._letter: list[Question] = []
        self._pairs = 0
        self._found: list[Answer] = []

    def ask(self, question: Question) -> None:
        """Have the question answered, now or later."""
        whose, place, glance, others = question
        if not glance or not self._tells:
            self._found.append((whose, others))
        elif self._aside is None or len(others) > _MOST or not self._earlier.part(place)[1]:
            self._found += looked_at(self._earlier, self._room, [question])
        else:
            self._letter.append(question)
            self._pairs += len(others)
            if len(self._letter) == ROWS or self._pairs > PAIRS - _MOST:
                self._letters.append(self._letter)
                self._letter, self._pairs = [], 0
                self._share(self._aside)

    def _share(self, aside: Aside) -> None:
        self._found += aside.answers()
        while self._letters and aside.has_time:
            aside.ask(self._letters.popleft())

    def answers(self) -> list[Answer]:
        """Of all questions those with rows that may be the same, in any order."""
        if self._aside is not None:
            if self._letter:
                self._letters.append(self._letter)
            while self._letters:
                self._share(self._aside)
                if self._letters:
                    self._found += looked_at(self._earlier, self._room, self._letters.pop())
            while self._aside.is_busy:
                self._found += self._aside.answers(wait=True)
        return self._found


def _compared(numbers: Sequence[int], descriptor: int, room: Room) -> Iterator[int]:
    """For each row with others that may be the same: its number, how many they are, and which."""
    pread = os.pread
    rest = iter(numbers)
    for number, (start, size, count) in enumerate(zip(rest, rest, rest, strict=False)):
        may_be = room.asking(_text(pread(descriptor, size, start)))
        found = []
        for other in range(count):
            begin = next(rest)
            text = pread(descriptor, next(rest), begin)
            if not text or may_be(_text(text)):
                found.append(other)
        if found:
            yield number
            yield len(found)
            yield from found


def _text(glance: bytes) -> str:
    return glance.decode(errors="surrogatepass")


def _read(descriptor: int, size: int) -> bytes:
    """So many bytes. Raises EOFError."""
    parts = b""
    while len(parts) < size:
        more = os.read(descriptor, size - len(parts))
        if not more:
            raise EOFError
        parts += more
    return parts


def _write(descriptor: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]
