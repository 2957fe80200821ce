"""Figures of duplicates: check at save, radar and what follows a change, merge and un-merge."""

from __future__ import annotations

import hashlib
import http.client
import statistics
import time
import urllib.parse
from collections.abc import Iterator, Mapping
from pathlib import Path

from .cluster import throwaway_cluster
from .databases import PACKAGE, SERVER, Data, cache_folder, filled, inside
from .figures import Figure, at_most, shown
from .servers import serving

SAVE_GOAL, MEMORY_GOAL, MERGE_GOAL = 15.0, 500.0, 1.0
RADAR_GOALS = {100_000: 10.0, 1_000_000: 180.0}
RELATED = 10_000


def measure(*, quick: bool = False) -> Iterator[Figure]:
    """All figures of duplicates, on both databases."""
    sizes = (5_000, 20_000) if quick else (100_000, 1_000_000)
    folder = cache_folder()
    with throwaway_cluster(SERVER, folder=folder / "postgresql") as url:
        yield from _measure_database("PostgreSQL", url, sizes, folder)
    yield from _measure_database("SQLite", "", sizes, folder)


def _measure_database(
    name: str, url: str, sizes: tuple[int, ...], folder: Path
) -> Iterator[Figure]:
    for size in sizes:
        data = filled(name, url, size, folder, task="fill_crowd", sample="crowd", digest=_digest())
        yield from _radar(f"{name}, {size:,} contacts", data, size)
        if size == sizes[0]:
            yield from _merge(name, data, size)
        if size == sizes[-1]:
            yield from _save(f"{name}, {size:,} contacts", data)


def _radar(name: str, data: Data, size: int) -> Iterator[Figure]:
    inside(data, "forget_radar")
    made = inside(data, "radar")
    limit = inside(data, "read_all")["seconds"]
    goal = RADAR_GOALS.get(size)
    seconds = f"{name}: radar over everything"
    if goal is None:
        yield shown(seconds, made["seconds"], "s", limit)
    else:
        yield at_most(seconds, made["seconds"], goal, "s", limit)
    yield shown(f"{name}: its time in processors", made["processor"], "s")
    yield at_most(f"{name}: its memory, all processes", made["peak"], MEMORY_GOAL, "MB PSS")
    yield shown(f"{name}: pairs found", made["found"], "pairs", made["doubles"])
    yield shown(f"{name}: doubles found", 100 * made["recall"], "%")
    yield shown(f"{name}: found pairs that are doubles", 100 * made["precision"], "%")
    changed = inside(data, "follow", count=20)
    yield shown(f"{name}: one changed record, p50", changed["p50"], "ms", changed["limit"])


def _save(name: str, data: Data) -> Iterator[Figure]:
    asked = inside(data, "ask", count=300)
    yield at_most(f"{name}: check at save, p50", asked["p50"], SAVE_GOAL, "ms", asked["limit"])
    yield shown(f"{name}: check at save, p95", asked["p95"], "ms")
    yield shown(f"{name}: check of 1,000 at once, each", asked["batch"], "ms")
    cookie = inside(data, "cookie", user=data.people["admin"])["cookie"]
    with serving(data) as server:
        value = _panel(server.port, cookie, asked["forms"])
    yield at_most(f"{name}: panel of the form, p50", value, SAVE_GOAL, "ms", asked["p50"])


def _merge(name: str, data: Data, size: int) -> Iterator[Figure]:
    related = min(RELATED, size // 4)
    made = inside(data, "merge", related=related)
    what = f"{name}: merge of two accounts, {related:,} rows"
    yield at_most(what, made["merge"], MERGE_GOAL, "s", made["limit"])
    yield at_most(f"{name}: un-merge", made["unmerge"], MERGE_GOAL, "s", made["limit"])


def _panel(port: int, cookie: str, forms: list[Mapping[str, str]]) -> float:
    """Median milliseconds of what a form asks while somebody types."""
    token = "b" * 32
    headers = {
        "Cookie": f"{cookie}; rapport_csrf={token}",
        "X-CSRFToken": token,
        "HX-Request": "true",
        "Content-Type": "application/x-www-form-urlencoded",
        "Accept-Encoding": "identity",
    }
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    taken = []
    for form in forms:
        start = time.perf_counter()
        body = urllib.parse.urlencode(form)
        connection.request("POST", "/contacts/similar", body, headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise RuntimeError(f"the panel answers {answer.status}")
        taken.append((time.perf_counter() - start) * 1000)
    # Every web process has its first time.
    return statistics.median(taken[6:])


def _digest() -> str:
    """Changes when a crowd of before has other people or other match keys."""
    made = (PACKAGE / "bench" / "crowd.py").read_bytes()
    keys = (PACKAGE / "duplicates" / "keys.py").read_text(encoding="utf-8")
    version = next(line for line in keys.splitlines() if line.startswith("VERSION"))
    return hashlib.sha256(made + version.encode()).hexdigest()[:12]
