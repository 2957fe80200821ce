"""Figures of the foundation: lists, search, record page, qualify, start, memory."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
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
from .cluster import throwaway_cluster
from .figures import Figure, at_least, at_most, shown

PACKAGE = Path(__file__).resolve().parent.parent
FIRST_CONTACT = "01900002-0000-7000-8000-000000000001"
# Server settings as a small real server has them; the rest is as it comes.
SERVER = {
    "shared_buffers": "512MB",
    "work_mem": "32MB",
    "maintenance_work_mem": "256MB",
    "random_page_cost": "1.1",
    "max_wal_size": "4GB",
}
SEARCHES = ("ackermann 77", "xenia.xu", "works 12", "zzzqqq", "example.com")


@dataclass(frozen=True, slots=True)
class Data:
    """A filled database: its URL, who signs in, the folder that its servers use as home."""

    url: str
    people: dict[str, str]
    home: Path


def measure(*, quick: bool = False) -> Iterator[Figure]:
    """All figures of the foundation: PostgreSQL against the goals, SQLite beside it."""
    folder = cache_folder()
    sizes = (2_000, 10_000, 20_000) if quick else (10_000, 100_000, 1_000_000)
    with throwaway_cluster(SERVER, folder=folder / "postgresql") as url:
        yield from _measure_database("PostgreSQL", url, sizes, folder, goals=True)
    yield from _measure_database("SQLite", "", sizes, folder, goals=False)


def cache_folder() -> Path:
    """Where filled databases are kept between runs; a change of the schema or of the sample makes
    a new one. Not below a home folder: the database server runs as somebody else."""
    digest = hashlib.sha256()
    for source in sorted(
        [*(PACKAGE / "migrations").glob("*.py"), Path(__file__).parent / "sample.py"]
    ):
        digest.update(source.read_bytes())
    base = Path(os.environ.get("RAPPORT_BENCH_CACHE") or "/var/tmp")  # noqa: S108 -- see above
    folder = base / f"rapport-bench-{os.getuid()}-{digest.hexdigest()[:12]}"
    for old in base.glob(f"rapport-bench-{os.getuid()}-*"):
        if old != folder:
            shutil.rmtree(old, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    return folder


def _measure_database(
    name: str, url: str, sizes: tuple[int, int, int], folder: Path, *, goals: bool
) -> Iterator[Figure]:
    small, middle, large = (_filled(name, url, size, folder) for size in sizes)
    least = at_least if goals else _shown
    most = at_most if goals else _shown
    yield from _middle(name, middle, sizes[1], most, least)
    yield from _sizes(name, small, large, sizes, most)


def _shown(name: str, value: float, _goal: float, unit: str, limit: float | None = None) -> Figure:
    return shown(name, value, unit, limit)


def _middle(name, data, size, most, least):  # type: ignore[no-untyped-def]
    """Everything that is measured on the middle size."""
    admin = data.people["admin"]
    contacts = "/contacts/?view=active"
    record = f"/contacts/{FIRST_CONTACT}/"
    with serving(data) as server:
        yield most(f"{name}: start to first page", server.seconds, 3, "s", _bare_start())
        yield most(f"{name}: idle memory, all processes", server.settled(), 250, "MB PSS")
        cookie = _inside(data, "cookie", user=admin)["cookie"]
        stated = _inside(data, "page", user=admin, path=contacts)
        value = client.p50(server.port, [contacts], cookie, rounds=200)
        yield most(f"{name}: contacts list of {size:,}, p50", value, 15, "ms", stated["limit"])
        yield most(f"{name}: contacts list, statements", stated["statements"], 8, "statements")
        value = client.rate(server.port, contacts, cookie, clients=8, seconds=8)
        yield least(
            f"{name}: contacts list, 8 clients", value, 100, "requests/s", 1000 / stated["limit"]
        )
        paths = [f"{contacts}&q={words.replace(' ', '+')}" for words in SEARCHES]
        limits = [_inside(data, "page", user=admin, path=path)["limit"] for path in paths]
        for path, limit, words in zip(paths, limits, SEARCHES, strict=True):
            value = client.p50(server.port, [path], cookie, rounds=40)
            yield most(f"{name}: search contains “{words}”, p50", value, 20, "ms", limit)
        stated = _inside(data, "page", user=admin, path=record)
        value = client.p50(server.port, [record], cookie, rounds=150)
        yield most(f"{name}: record with 50 activities, p50", value, 20, "ms", stated["limit"])
        yield most(f"{name}: record, statements", stated["statements"], 15, "statements")
    stated = _inside(data, "qualify", user=admin, count=205)
    yield least(f"{name}: qualify, one at a time", stated["rate"], 60, "leads/s", stated["limit"])


def _sizes(name, small, large, sizes, most):  # type: ignore[no-untyped-def]
    """The first page at the small and the large size, for those who see all, few or many."""
    active = "/contacts/?view=active"
    with serving(small) as server:
        cookie = _inside(small, "cookie", user=small.people["admin"])["cookie"]
        base = client.p50(server.port, [active], cookie, rounds=150)
    with serving(large) as server:
        times = {}
        limits = {}
        for who in ("admin", "few", "many"):
            cookie = _inside(large, "cookie", user=large.people[who])["cookie"]
            times[who] = client.p50(server.port, [active], cookie, rounds=100)
            limits[who] = _inside(large, "page", user=large.people[who], path=active)["limit"]
    ratio = times["admin"] / base
    yield most(
        f"{name}: first page at {sizes[2]:,} : at {sizes[0]:,}, administrator", ratio, 1.3, "times"
    )
    yield most(f"{name}: the same, who sees 0.2 %, p50", times["few"], 60, "ms", limits["few"])
    yield most(f"{name}: the same, who sees 20 %, p50", times["many"], 60, "ms", limits["many"])


# -- databases and servers -------------------------------------------------------------------------


def _filled(name: str, url: str, size: int, folder: Path) -> Data:
    """The database with `size` contacts, made when the cache has none."""
    home = folder / f"{name.lower()}-{size}"
    home.mkdir(exist_ok=True)
    database = f"sqlite:///{home / 'rapport.db'}"
    if url:
        database = url.rpartition("/")[0] + f"/bench_{size}"
    note = home / "people.json"
    data = Data(database, {}, home)
    if not note.exists():
        print(f"filling {name} with {size:,} contacts …", file=sys.stderr, flush=True)
        if url:
            _create_database(url, f"bench_{size}")
        else:
            for old in home.glob("rapport.db*"):
                old.unlink()
        made = _inside(data, "fill", contacts=size, leads=max(400, min(5_000, size // 10)))
        note.write_text(json.dumps(made["people"]))
    return Data(database, json.loads(note.read_text()), home)


def _create_database(url: str, name: str) -> None:
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}"')
        connection.execute(f'CREATE DATABASE "{name}"')


def _environment(data: Data) -> dict[str, str]:
    return {
        **os.environ,
        "DATABASE_URL": data.url,
        "RAPPORT_HOME": str(data.home),
        "RAPPORT_DEBUG": "0",
        "DJANGO_SETTINGS_MODULE": "rapport.config.settings",
    }


def _inside(data: Data, task: str, **arguments: object) -> dict:  # type: ignore[type-arg]
    done = subprocess.run(
        [sys.executable, "-m", "rapport.bench.inside", task, json.dumps(arguments)],
        env=_environment(data),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"bench task {task}: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def _bare_start() -> float:
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
            now = _memory(self.process.pid)
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
            env=_environment(data),
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
            process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(15)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _memory(root: int) -> float:
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
