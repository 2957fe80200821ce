"""Workers that are killed in the middle of imports: what they leave must be what they would have
written, had nobody killed them."""

from __future__ import annotations

import contextlib
import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from .databases import Data, copied, environment, inside
from .figures import Figure, at_least, at_most, shown
from .servers import end
from .watching import ENDED, asking, follow, holder, job_state, waiting

ROWS, QUICK_ROWS = 20_000, 3_000
# Of one job: after one more it is given up as interrupted too often.
KILLS_OF_A_JOB = 4
LONGEST_WAIT = 0.4
TAKEN_GOAL = 15
SHOWN = 3


def measure_kills(name: str, empty: Data, *, kills: int, rows: int) -> Iterator[Figure]:
    """Kill workers so many times, import after import, and compare what is there in the end."""
    user, data = empty.people["admin"], copied(empty, "known")
    uploads = inside(data, "prepare", user=user, rows=rows)
    pick = random.Random(rows)  # noqa: S311 -- moments, not secrets
    for kind, share in (("file", kills - kills // 3), ("archive", kills // 3)):
        what = f"{name}: import of a file" if kind == "file" else f"{name}: of an archive"
        upload = uploads[kind]
        expected = _Import(copied(data, "whole"), upload, user).bring(0, pick, rows)
        done = wrong = left = 0
        taken = [0.0]
        while done < share:
            one = _Import(copied(data, "killed"), upload, user)
            found = one.bring(min(2 * KILLS_OF_A_JOB, share - done), pick, rows)
            done, left, taken = done + one.kills, left + one.left, taken + one.taken
            wrong += _differences(expected, found)
        written = sum(len(lines) for lines in expected.values())
        yield at_least(f"{what}, workers killed", done, share, "kills")
        yield shown(f"{what}, rows compared", written, "rows")
        yield at_most(f"{what}, rows not as without", wrong, 0, "rows")
        yield at_most(f"{what}, processes left behind", left, 0, "processes")
        # Without a lease that has to run out first.
        yield at_most(f"{what}, a new worker has the job after", max(taken), TAKEN_GOAL, "s")


def _differences(expected: Mapping[str, list[str]], found: Mapping[str, list[str]]) -> int:
    """How many rows are not the same; the first ones are told."""
    count = 0
    for table in expected:
        missing, more = Counter(expected[table]), Counter(found[table])
        missing, more = missing - more, more - missing
        for sign, lines in (("-", missing), ("+", more)):
            for line in list(lines)[:SHOWN]:
                print(f"{sign} {table} {line[:1500]}", file=sys.stderr, flush=True)
        count += max(missing.total(), more.total())
    return count


class _Import:
    """One import by workers of which some are killed."""

    def __init__(self, data: Data, upload: str, user: str) -> None:
        self._data, self._upload, self._user = data, upload, user
        self.kills = self.left = 0
        # How long each worker took from its start until it had the job.
        self.taken: list[float] = []

    def bring(self, kills: int, pick: random.Random, rows: int) -> dict[str, list[str]]:
        """Plan, decide, apply; what is there then."""
        for step, share in (("plan", kills - kills // 2), ("apply", kills // 2)):
            asked = {"user": self._user, "upload": self._upload}
            job = inside(self._data, "begin", **asked, step=step)["job"]
            places = [int(pick.random() * rows) for _ in range(share)]
            # The plan begins anew after each, the application goes on.
            for place in places if step == "plan" else sorted(places):
                self._kill_at(job, place, pick.random() * LONGEST_WAIT)
            self._finish(job)
            if step == "plan":
                inside(self._data, "decide", **asked)
        file = self._data.home / "written.json"
        inside(self._data, "written", upload=self._upload, file=str(file))
        found: dict[str, list[str]] = json.loads(file.read_text("utf-8"))
        return found

    def _kill_at(self, job: str, place: int, wait: float) -> None:
        """Let a worker come so far, and kill it a moment later."""
        with self._worker() as process, asking(self._data) as ask:
            begun, ours = time.monotonic(), False
            while process.poll() is None:
                state, progress = job_state(ask, job)
                if state in ENDED:
                    return
                # Of the one that was killed, until this one has taken it over.
                if not ours and holder(ask, job) == process.pid:
                    ours = True
                    self.taken.append(time.monotonic() - begun)
                if ours and progress >= place:
                    break
                time.sleep(0.002)
            time.sleep(wait)
            if job_state(ask, job)[0] in ENDED:
                return
            process.send_signal(signal.SIGKILL)
            process.wait()
            self.kills += 1
            self.left += _left_behind(process.pid)

    def _finish(self, job: str) -> None:
        with self._worker():
            follow(self._data, job)
            waiting(self._data)

    @contextlib.contextmanager
    def _worker(self) -> Iterator[subprocess.Popen[bytes]]:
        with (self._data.home / "worker.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "rapport", "worker"],
                env=environment(self._data),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            yield process
        finally:
            end(process)


def _left_behind(group: int) -> int:
    """Processes of a dead worker that do not end with it."""
    until = time.monotonic() + 5
    while (alive := _alive(group)) and time.monotonic() < until:
        time.sleep(0.05)
    return alive


def _alive(group: int) -> int:
    found = 0
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, IndexError):
                state, _parent, its = (entry / "stat").read_text().rpartition(")")[2].split()[:3]
                found += int(its) == group and state != "Z"
    return found
