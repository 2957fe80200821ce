"""A server for the benches: `rapport serve` on a filled database, and the memory of processes."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from . import client
from .databases import Data, environment


def bare_start() -> float:
    """Seconds that Python and Django take before anything of ours: the limit of a start."""
    start = time.perf_counter()
    code = "import django; from django.core.wsgi import get_wsgi_application; import granian"
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - start


@dataclass(slots=True)
class Server:
    """A running `rapport serve`."""

    process: subprocess.Popen[bytes]
    port: int
    seconds: float

    def settled(self) -> float:
        """Megabytes of memory (PSS) of all its processes, once all of them have started."""
        before = 0.0
        for _ in range(20):
            now = memory(self.process.pid)
            if abs(now - before) < 0.5:
                break
            before = now
            time.sleep(0.5)
        return now


@contextlib.contextmanager
def serving(data: Data) -> Iterator[Server]:
    """`rapport serve` on a free port: two web processes and a worker."""
    port = _free_port()
    with tempfile.TemporaryFile() as log:
        start = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "rapport", "serve", "--port", str(port), "--workers", "2"],
            env=environment(data),
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            while not client.answers(port, "/sign-in/"):
                if process.poll() is not None or time.perf_counter() - start > 60:
                    log.seek(0)
                    raise RuntimeError(
                        f"rapport serve did not start: {log.read().decode()[-2000:]}"
                    )
                time.sleep(0.02)
            yield Server(process, port, time.perf_counter() - start)
        finally:
            end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """Let a process that leads a group of its own end, and nothing of the group stay."""
    process.send_signal(signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(20)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def memory(root: int) -> float:
    """PSS of a process and all below it, in MB."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, IndexError):
                stat = (entry / "stat").read_text().rpartition(")")[2].split()
                parents[int(entry.name)] = int(stat[1])
    ours = {root}
    grown = True
    while grown:
        found = {pid for pid, parent in parents.items() if parent in ours} - ours
        ours |= found
        grown = bool(found)
    total = 0
    for pid in ours:
        with contextlib.suppress(OSError):
            for line in (Path("/proc") / str(pid) / "smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
    return total / 1024
