"""A real Rapport for journeys: its own data folder, server and worker, all gone afterwards."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS = 120
STOP_SECONDS = 15


class Hub:
    """`rapport serve` on a free port. Use as a context manager."""

    def __init__(self, home: Path):
        self.home = home
        self.log = home / "hub.log"
        self.url = f"http://127.0.0.1:{_free_port()}"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        port = self.url.rpartition(":")[2]
        with self.log.open("wb") as log:
            self._process = _start("serve", "--port", port, "--workers", "1", "--threads", "4",
                                   home=self.home, stdout=log, stderr=log)  # fmt: skip
        try:
            self._wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        if self._process is not None:
            _stop(self._process)

    def run(self, *arguments: str) -> str:
        """What `rapport …` prints, on the data of this hub."""
        done = subprocess.run(
            [sys.executable, "-m", "rapport", *arguments], cwd=ROOT, env=environment(self.home),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise AssertionError(f"rapport {' '.join(arguments)} failed:\n{done.stdout}")
        return done.stdout

    def last_words(self) -> str:
        """The end of the server's log."""
        return self.log.read_text(errors="replace")[-4000:]

    def first_link(self) -> str:
        """The one-time link that an empty installation prints."""
        found = re.search(r"http\S+/welcome/\S+/", self.log.read_text())
        assert found, self.last_words()
        return found[0]

    def _wait(self) -> None:
        until = time.monotonic() + READY_SECONDS
        while not self._answers():
            if self._process.poll() is not None:
                raise AssertionError(f"rapport serve ended:\n{self.last_words()}")
            if time.monotonic() > until:
                raise AssertionError(f"rapport serve does not answer:\n{self.last_words()}")
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/sign-in/", timeout=5) as answer:
                return answer.status == 200
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False


class Seed:
    """Makes records in the database of a hub, through the actions, in a process of its own."""

    def __init__(self, home: Path):
        self.log = home / "seed.log"
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.e2e.seed"], cwd=ROOT, env=environment(home),
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
            )  # fmt: skip
        self.people: dict[str, str] = self._read()

    def __call__(self, what: str, /, **values: Any) -> str:
        """Make one record and answer its key; `owner` is the small first name of a person."""
        self._process.stdin.write(json.dumps({"make": what, "values": values}) + "\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> Any:
        answer = self._process.stdout.readline()
        if not answer:
            raise AssertionError(f"the seed ended:\n{self.log.read_text()[-4000:]}")
        return json.loads(answer)

    def close(self) -> None:
        """End the process."""
        self._process.stdin.close()
        self._process.wait(STOP_SECONDS)
        self._process.stdout.close()


def environment(home: Path) -> dict[str, str]:
    """Nothing of the person who runs the tests, and nothing of the test process itself."""
    dropped = {"DATABASE_URL", "DJANGO_ALLOW_ASYNC_UNSAFE", "PYTHONWARNINGS"}
    kept = {
        k: v for k, v in os.environ.items() if k not in dropped and not k.startswith("RAPPORT_")
    }
    return kept | {
        "RAPPORT_HOME": str(home),
        "DJANGO_SETTINGS_MODULE": "rapport.config.settings",
    }


def _start(*arguments: str, home: Path, **streams: Any) -> subprocess.Popen[bytes]:
    # A session of its own, so that the whole family can be ended at once.
    return subprocess.Popen(
        [sys.executable, "-m", "rapport", *arguments], cwd=ROOT, env=environment(home),
        start_new_session=True, **streams,
        preexec_fn=_die_with_parent,  # noqa: PLW1509 -- one system call, which takes no lock
    )  # fmt: skip


def _die_with_parent() -> None:
    """A killed test run leaves no server behind (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        pass
    finally:
        # Whatever of the family is left.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
