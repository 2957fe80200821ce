"""Which process is surely gone, and who ends with whom: real processes that are killed."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager

import psutil
import pytest

from rapport import processes
from tests.installations import wait_for

LINUX = sys.platform == "linux"
pytestmark = pytest.mark.skipif(not LINUX, reason="needs Linux to tell processes apart")

NAMED = "import sys; from rapport import processes; print(processes.name(), flush=True); input()"
# A parent that forks, and its child, which says when it is ready and then waits for ever.
PARENT = """
import os, signal, sys
from rapport import processes
parent = os.getpid()
late = sys.argv[1] == "late"
if os.fork():
    signal.pause()
signal.signal(signal.SIGTERM, lambda *_: None)  # as a server, which only notes it
if late:
    print(os.getpid(), flush=True)
    while os.getppid() == parent:
        pass
processes.end_with(parent)
print(os.getpid(), flush=True)
signal.pause()
"""


@contextmanager
def running(code, *arguments):
    """A process, and the first line that it prints."""
    process = subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate()


def test_process_that_lives_is_not_gone_even_when_it_is_stopped():
    with running(NAMED) as (process, name):
        process.send_signal(signal.SIGSTOP)
        wait_for(lambda: psutil.Process(process.pid).status() == "stopped", "it to stop")

        assert (processes.is_gone(name), processes.is_gone(processes.name())) == (False, False)
        assert len(name) <= 100


def test_killed_process_is_gone_before_and_after_its_parent_asks_for_it():
    with running(NAMED) as (process, name):
        process.kill()
        wait_for(lambda: psutil.Process(process.pid).status() == "zombie", "its end")
        before = processes.is_gone(name)
        process.wait()

        assert (before, processes.is_gone(name)) == (True, True)


def test_number_that_another_process_has_by_now_does_not_keep_the_first_alive():
    host, number, token, started, here = processes.name().rsplit(" ", 4)

    assert processes.is_gone(f"{host} {number} {token} {int(started) - 1} {here}") is True


def test_nothing_is_known_of_other_machines_and_of_names_without_a_place():
    with running(NAMED) as (process, name):
        process.kill()
        process.wait()
        parts = name.split()

        assert processes.is_gone(name) is True
        assert processes.is_gone(" ".join([*parts[:4], "0" * 20])) is False
        assert processes.is_gone(" ".join(parts[:3])) is False
        assert processes.is_gone("") is False


@pytest.mark.parametrize("what", ["self", "sys/kernel/random/boot_id", "self/ns/pid"])
def test_name_has_no_place_where_processes_cannot_be_told_apart(tmp_path, monkeypatch, what):
    proc = tmp_path / "proc"
    own = proc / str(os.getpid())
    (own / "ns").mkdir(parents=True)
    (own / "stat").write_text(f"{os.getpid()} (a) b) R {' '.join(map(str, range(4, 53)))}")
    (own / "ns" / "pid").symlink_to("pid:[1]")
    (proc / "self").symlink_to(str(os.getpid()))
    (proc / "sys/kernel/random").mkdir(parents=True)
    (proc / "sys/kernel/random/boot_id").write_text("some-boot\n")
    monkeypatch.setattr(processes, "PROC", proc)
    whole = processes.name().split()
    (proc / what).unlink()
    if what == "self":
        # The files of another container, or of the host around ours.
        (proc / "self").symlink_to("1")
        (proc / "1").symlink_to(own)

    assert whole[3] == "22"
    assert len(processes.name().split()) == 3
    # Who is in such a place knows nothing of others either.
    assert processes.is_gone(" ".join([*whole[:3], "21", whole[4]])) is False


@pytest.mark.parametrize("seen", ["boot_id", "pid", "time"])
def test_another_boot_or_another_container_is_another_place(tmp_path, monkeypatch, seen):
    def place(**values):
        found = {"boot_id": "one", "pid": "pid:[1]", "time": "time:[1]"} | values
        proc = tmp_path / "-".join(found.values())
        (proc / str(os.getpid()) / "ns").mkdir(parents=True)
        (proc / "self").symlink_to(str(os.getpid()))
        for name in ("pid", "time"):
            (proc / "self" / "ns" / name).symlink_to(found[name])
        (proc / "sys/kernel/random").mkdir(parents=True)
        (proc / "sys/kernel/random/boot_id").write_text(found["boot_id"])
        monkeypatch.setattr(processes, "PROC", proc)
        return processes._here()

    assert place() != place(**{seen: "another"})


@pytest.mark.parametrize("begun", ["early", "late"])
def test_child_ends_with_its_parent_also_when_that_is_gone_already(begun):
    with running(PARENT, begun) as (parent, child):
        there = psutil.Process(int(child))
        parent.kill()
        parent.wait()

        wait_for(lambda: not there.is_running() or there.status() == "zombie", "its end")


FREEING = """
from rapport import processes
def held():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096 >> 20
processes.give_memory_back()
bytearray(16 << 20)  # from now on glibc would keep the room of all that is not larger
before = held()
pieces = [bytearray(b"x") * (1 << 20) for _ in range(40)]
del pieces[:-1]
print(held() - before)
"""


def test_memory_goes_back_although_something_behind_it_is_kept():
    found = subprocess.run(
        [sys.executable, "-c", FREEING], capture_output=True, check=True, text=True
    )
    assert int(found.stdout) <= 5
