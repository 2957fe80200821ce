"""Figures of imports and exports: plan, apply, search, again, undo, xlsx, exports, a million rows,
the writes of pages meanwhile, and workers that are killed."""

from __future__ import annotations

import statistics
import threading
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from .client import Writer
from .cluster import throwaway_cluster
from .databases import SERVER, Data, cache_folder, copied, filled, inside
from .figures import Figure, at_least, at_most, shown
from .kills import QUICK_ROWS, ROWS, measure_kills
from .servers import memory, serving
from .watching import follow, waiting

PARTS = ("apply", "again", "undo", "export", "xlsx", "worker", "waits", "million", "kills")
PLAN_GOAL, APPLY_GOAL, LIMIT_GOAL = 25_000, 12_000, 2.5
FOUND_GOAL, XLSX_GOAL, UNDO_GOAL = 30, 6, 1.5
EXPORT_GOALS = {"csv": 50_000, "xlsx": 10_000}
LAST_GOALS = {"SQLite": 0.6, "PostgreSQL": 0.8}
MEMORY_GOAL, WAIT_GOAL = 200, 300


def measure(
    *, quick: bool = False, only: Collection[str] = (), on: Collection[str] = ()
) -> Iterator[Figure]:
    """The figures of imports; `only` some parts, `on` one of the databases."""
    parts, folder = set(only or PARTS), cache_folder()
    sizes = (10_000, 40_000) if quick else (100_000, 1_000_000)
    if not on or "sqlite" in on:
        yield from _measure_database("SQLite", "", folder, parts, sizes)
    if not on or "postgresql" in on:
        with throwaway_cluster(SERVER, folder=folder / "postgresql") as url:
            yield from _measure_database("PostgreSQL", url, folder, parts, sizes)


def _measure_database(
    name: str, url: str, folder: Path, parts: set[str], sizes: tuple[int, int]
) -> Iterator[Figure]:
    rows, many = sizes
    empty = filled(name, url, 0, folder, task="settle", sample="empty")
    file = _list(empty, folder, rows, "csv")
    if parts & {"apply", "again", "undo", "export", "xlsx"}:
        yield from _in_process(name, empty, file, parts, rows)
    if "worker" in parts:
        yield from _by_worker(name, empty, file, rows)
    if "waits" in parts and name == "SQLite":
        yield from _waits(name, empty, file)
    if "million" in parts:
        yield from _million(name, empty, _list(empty, folder, many, "csv"), many)
    if "kills" in parts:
        few = rows < 100_000
        yield from measure_kills(
            name, empty, kills=6 if few else 50, rows=QUICK_ROWS if few else ROWS
        )


def _list(data: Data, folder: Path, rows: int, form: str) -> Path:
    file = folder / f"people-{rows}.{form}"
    inside(data, "write_list", file=str(file), rows=rows)
    return file


# -- in one process, as `rapport import` ----------------------------------------------------------


def _in_process(name: str, empty: Data, file: Path, parts: set[str], rows: int) -> Iterator[Figure]:
    user = empty.people["admin"]
    data = copied(empty, "import")
    made = inside(data, "bring", user=user, file=str(file))
    written = made["counts"]["created"] + made["counts"]["accounts_created"]
    if "apply" in parts:
        limit = inside(copied(empty, "raw"), "raw", source=data.url)
        yield at_least(f"{name}: plan of {rows:,} rows", rows / made["plan"], PLAN_GOAL, "rows/s")
        yield at_least(
            f"{name}: apply", rows / made["apply"], APPLY_GOAL, "rows/s", rows / limit["seconds"]
        )
        for step in ("plan", "apply"):
            worked = made[f"{step}_processors"] * 1_000_000 / rows
            yield shown(f"{name}: {step}, work of our processes", worked, "us a row")
        ratio = made["apply"] / limit["seconds"]
        yield at_most(f"{name}: apply against the raw limit", ratio, LIMIT_GOAL, "times")
        yield shown(f"{name}: records made", written, "records")
        yield shown(f"{name}: rows held back", rows - made["counts"]["created"], "rows")
    if "export" in parts:
        for form, goal in EXPORT_GOALS.items():
            target = str(data.home / f"out.{form}")
            seconds = inside(data, "export", user=user, format=form, file=target)["seconds"]
            rate = made["counts"]["created"] / seconds
            yield at_least(f"{name}: export as {form}", rate, goal, "rows/s")
    if "again" in parts:
        again = inside(data, "bring", user=user, file=str(file))
        rate = rows / again["plan"]
        yield at_least(f"{name}: plan of the same file again", rate, PLAN_GOAL, "rows/s")
        yield at_most(
            f"{name}: the same file again against the first plan",
            again["plan"] / made["plan"], 1, "times",
        )  # fmt: skip
        yield shown(f"{name}: applying it, which changes nothing", rows / again["apply"], "rows/s")
        same, known = again["planned"]["same"], made["counts"]["created"]
        yield at_least(f"{name}: rows found unchanged", same, known, "rows")
    if "undo" in parts:
        back = inside(data, "undo", user=user, operation=made["operation"])
        ratio = back["seconds"] / made["apply"]
        yield at_most(f"{name}: undo against apply", ratio, UNDO_GOAL, "times")
        yield shown(f"{name}: undo", written / back["seconds"], "records/s")
        yield at_most(f"{name}: records that undo leaves", back["left"] + back["conflicts"], 0, "")
    if "xlsx" in parts:
        book = _list(empty, file.parent, rows, "xlsx")
        other = inside(copied(empty, "xlsx"), "bring", user=user, file=str(book))
        more = _whole(other) - _whole(made)
        yield at_most(f"{name}: xlsx, more than CSV", more, XLSX_GOAL, "s")
        yield shown(f"{name}: the whole way of the CSV", _whole(made), "s")


def _whole(made: dict[str, float]) -> float:
    return made["describe"] + made["plan"] + made["apply"]


# -- by the worker of a server --------------------------------------------------------------------


def _by_worker(name: str, empty: Data, file: Path, rows: int) -> Iterator[Figure]:
    user, data = empty.people["admin"], copied(empty, "worker")
    with serving(data) as server:
        server.settled()
        received = inside(data, "receive", user=user, file=str(file))
        for step in ("plan", "apply"):
            job = inside(data, "begin", user=user, upload=received["import"], step=step)["job"]
            seconds = follow(data, job)[-1].seconds
            yield shown(f"{name}: {step} by a worker", rows / seconds, "rows/s")
        seconds = waiting(data)
    yield at_most(f"{name}: until all is found by search", seconds, FOUND_GOAL, "s")


def _million(name: str, empty: Data, file: Path, rows: int) -> Iterator[Figure]:
    user, data = empty.people["admin"], copied(empty, "million")
    part = min(100_000, rows // 4)
    with serving(data) as server:
        idle = server.settled()
        with Meanwhile(lambda: memory(server.process.pid), every=0.5) as seen:
            received = inside(data, "receive", user=user, file=str(file))
            for step in ("plan", "apply"):
                job = inside(data, "begin", user=user, upload=received["import"], step=step)["job"]
                course = follow(data, job)
                what = f"{name}, {rows:,} rows: {step}"
                yield shown(what, rows / course[-1].seconds, "rows/s")
                first = next(p.seconds for p in course if p.rows >= part)
                last = course[-1].seconds - next(p.seconds for p in course if p.rows >= rows - part)
                ratio = first / max(last, 0.001)
                goal = LAST_GOALS[name]
                yield shown(f"{what}, the first {part:,}", part / first, "rows/s")
                yield at_least(f"{what}, the last against the first", ratio, goal, "times")
            found = waiting(data)
        yield shown(f"{name}, {rows:,} rows: until all is found", found, "s")
    growth = max(seen) - idle
    yield at_most(f"{name}, {rows:,} rows: growth over idle", growth, MEMORY_GOAL, "MB PSS")


def _waits(name: str, empty: Data, file: Path) -> Iterator[Figure]:
    """How long a page's write takes while a worker imports."""
    user, data = empty.people["admin"], copied(empty, "waits")
    with serving(data) as server:
        cookie = inside(data, "cookie", user=user)["cookie"]
        account = inside(data, "account", user=user)["account"]
        write = Writer(server.port, cookie, f"/accounts/{account}/note")
        alone = statistics.median([write() for _ in range(30)][5:])
        received = inside(data, "receive", user=user, file=str(file))
        for step in ("plan", "apply", "undo"):
            job = inside(data, "begin", user=user, upload=received["import"], step=step)["job"]
            with Meanwhile(write, every=0.1) as taken:
                follow(data, job)
            what = f"{name}: a page's write during {step}"
            yield shown(f"{what}, p50", statistics.median(taken), "ms", alone)
            worst = statistics.quantiles(taken, n=20)[-1]
            yield at_most(f"{what}, p95", worst, WAIT_GOAL, "ms", alone)


class Meanwhile:
    """What `look` finds again and again while the block runs."""

    def __init__(self, look: Callable[[], float], *, every: float) -> None:
        self._look, self._every = look, every
        self._ended = threading.Event()
        self._seen: list[float] = []
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._ended.wait(self._every):
            self._seen.append(self._look())

    def __enter__(self) -> list[float]:
        self._thread.start()
        return self._seen

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
