"""A process of its own reads ahead: nothing is lost on the way, and it ends with us."""

import os
import signal
import sys

import psutil
import pytest

from rapport.actions.retention import MADE_AHEAD
from rapport.files.refusal import damaged
from rapport.imports import ahead, uploads
from rapport.imports.ahead import Ahead, Kept, ReaderDied, forget, path_for
from rapport.imports.compact import Block
from rapport.imports.feed import Feed
from rapport.imports.rows import Row
from tests.factories import make_user
from tests.imports.bringing import describe
from tests.installations import wait_for

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no processes by fork here")


def every(turns):
    """Blocks of one of the processes, each told of by the one before it."""
    numbers = range(turns.turn, 50, turns.count)
    for number in numbers:
        assert (turns.first and number == 0) or turns.wait() == (number, 10 * number)
        turns.tell((number + 1, 10 * number + 10))
        yield block(number)


def block(number):
    """Two rows, one of them compact."""
    row = Row(2 * number + 1, {"last_name": "Bo"}, reasons=[])
    return Block(
        [2 * number, 2 * number + 1], [None, row], [b"x.", b""], [(1, -5), ()], [("A",), ()]
    )


def endless(turns):
    """Blocks without an end."""
    while True:
        yield block(0)


def stuck(turns):
    """No block, and no end."""
    signal.pause()
    yield block(0)


def gone(pid):
    """Whether the process has ended."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.parametrize("count", [1, 2, 3])
def test_blocks_come_in_order_and_stay(tmp_path, count):
    path = path_for(tmp_path, "one")
    reading = Ahead(path, every, count=count)
    first = list(reading)
    reading.close()
    kept = Kept(path)

    assert first == list(kept) == [block(number) for number in range(50)]
    assert list(kept.every(2, 1)) == first[1::2]
    kept.close()
    forget(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_refusal_comes_through_with_its_words(tmp_path):
    def refused(turns):
        yield block(0)
        raise damaged("50% of it")

    reading = Ahead(path_for(tmp_path, "one"), refused)
    with pytest.raises(type(damaged(""))) as error:
        list(reading)
    reading.close()

    assert str(error.value) == str(damaged("50% of it"))
    assert list(tmp_path.iterdir()) == []


def test_accident_there_is_one_here(tmp_path):
    def failing(turns):
        yield block(0)
        raise MemoryError

    reading = Ahead(path_for(tmp_path, "one"), failing)

    with pytest.raises(ReaderDied):
        list(reading)
    reading.close()


def test_whoever_waits_for_one_that_is_gone_ends(tmp_path):
    def failing(turns):
        if turns.first:
            raise MemoryError
        turns.wait()
        return iter([])

    reading = Ahead(path_for(tmp_path, "one"), failing, count=3)

    readers = [psutil.Process(pid) for pid in reading._pids]
    wait_for(lambda: {one.status() for one in readers} == {"zombie"}, "their end")
    reading.close()


def test_whoever_stops_ends_the_process(tmp_path):
    reading = Ahead(path_for(tmp_path, "one"), endless)
    assert next(iter(reading)) == block(0)
    pid = reading._pids[0]
    reading.close()

    assert gone(pid)


def test_process_ends_when_ours_is_killed(tmp_path):
    started, tell = os.pipe()
    ours = os.fork()
    if not ours:
        # On Linux also one that is far from its next block.
        make = stuck if sys.platform == "linux" else endless
        reading = Ahead(path_for(tmp_path, "one"), make)
        os.write(tell, str(reading._pids[0]).encode())
        signal.pause()
    reader = psutil.Process(int(os.read(started, 20)))
    os.kill(ours, 9)
    os.waitpid(ours, 0)

    wait_for(lambda: not reader.is_running() or reader.status() == "zombie", "its end")


@pytest.mark.django_db
def test_file_that_comes_again_is_not_read_again(monkeypatch):
    monkeypatch.setattr(ahead, "LARGE", 0)
    monkeypatch.setattr(ahead, "is_worth_it", lambda size: True)
    by = make_user(roles=("salesperson",))

    def read(content):
        """The rows' bytes, and whether a process was needed for them."""
        upload = describe(content, by=by)
        feed = Feed(upload)
        rows = feed.take(10)
        assert not feed.take(10)
        feed.close()
        folder = uploads.path_of(upload).parent
        return rows.packed, any(folder.glob(f"{MADE_AHEAD}*"))

    first = read(b"last name,email\nBo,bo@x.example\nCy,cy@x.example\n")
    again = read(b"last name,email\nBo,bo@x.example\nCy,cy@x.example\n")
    other = read(b"last name,email\nBo,bo@x.example\nCy,cy@y.example\n")

    assert (first[1], again, other[1]) == (True, (first[0], False), True)
    assert other[0] != first[0]
