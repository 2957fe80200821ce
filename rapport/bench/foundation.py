"""Figures of the foundation: lists, search, record page, qualify, start, memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from . import client
from .cluster import throwaway_cluster
from .databases import SERVER, Data, cache_folder, filled, inside
from .figures import Figure, at_least, at_most, shown
from .servers import bare_start, serving

FIRST_CONTACT = "01900002-0000-7000-8000-000000000001"
SEARCHES = ("ackermann 77", "xenia.xu", "works 12", "zzzqqq", "example.com")


def measure(*, quick: bool = False) -> Iterator[Figure]:
    """All figures of the foundation: PostgreSQL against the goals, SQLite beside it."""
    folder = cache_folder()
    sizes = (2_000, 10_000, 20_000) if quick else (10_000, 100_000, 1_000_000)
    with throwaway_cluster(SERVER, folder=folder / "postgresql") as url:
        yield from _measure_database("PostgreSQL", url, sizes, folder, goals=True)
    yield from _measure_database("SQLite", "", sizes, folder, goals=False)


def _measure_database(
    name: str, url: str, sizes: tuple[int, int, int], folder: Path, *, goals: bool
) -> Iterator[Figure]:
    small, middle, large = (_sample(name, url, size, folder) for size in sizes)
    least = at_least if goals else _shown
    most = at_most if goals else _shown
    yield from _middle(name, middle, sizes[1], most, least)
    yield from _sizes(name, small, large, sizes, most)


def _sample(name: str, url: str, size: int, folder: Path) -> Data:
    leads = max(400, min(5_000, size // 10))
    return filled(name, url, size, folder, task="fill", sample="bench", leads=leads)


def _shown(name: str, value: float, _goal: float, unit: str, limit: float | None = None) -> Figure:
    return shown(name, value, unit, limit)


def _middle(name, data, size, most, least):  # type: ignore[no-untyped-def]
    """Everything that is measured on the middle size."""
    admin = data.people["admin"]
    contacts = "/contacts/?view=active"
    record = f"/contacts/{FIRST_CONTACT}/"
    with serving(data) as server:
        yield most(f"{name}: start to first page", server.seconds, 3, "s", bare_start())
        yield most(f"{name}: idle memory, all processes", server.settled(), 250, "MB PSS")
        cookie = inside(data, "cookie", user=admin)["cookie"]
        stated = inside(data, "page", user=admin, path=contacts)
        value = client.p50(server.port, [contacts], cookie, rounds=200)
        yield most(f"{name}: contacts list of {size:,}, p50", value, 15, "ms", stated["limit"])
        yield most(f"{name}: contacts list, statements", stated["statements"], 8, "statements")
        value = client.rate(server.port, contacts, cookie, clients=8, seconds=8)
        yield least(
            f"{name}: contacts list, 8 clients", value, 100, "requests/s", 1000 / stated["limit"]
        )
        paths = [f"{contacts}&q={words.replace(' ', '+')}" for words in SEARCHES]
        limits = [inside(data, "page", user=admin, path=path)["limit"] for path in paths]
        for path, limit, words in zip(paths, limits, SEARCHES, strict=True):
            value = client.p50(server.port, [path], cookie, rounds=40)
            yield most(f"{name}: search contains “{words}”, p50", value, 20, "ms", limit)
        stated = inside(data, "page", user=admin, path=record)
        value = client.p50(server.port, [record], cookie, rounds=150)
        yield most(f"{name}: record with 50 activities, p50", value, 20, "ms", stated["limit"])
        yield most(f"{name}: record, statements", stated["statements"], 15, "statements")
    stated = inside(data, "qualify", user=admin, count=205)
    yield least(f"{name}: qualify, one at a time", stated["rate"], 60, "leads/s", stated["limit"])


def _sizes(name, small, large, sizes, most):  # type: ignore[no-untyped-def]
    """The first page at the small and the large size, for those who see all, few or many."""
    active = "/contacts/?view=active"
    with serving(small) as server:
        cookie = inside(small, "cookie", user=small.people["admin"])["cookie"]
        base = client.p50(server.port, [active], cookie, rounds=150)
    with serving(large) as server:
        times = {}
        limits = {}
        for who in ("admin", "few", "many"):
            cookie = inside(large, "cookie", user=large.people[who])["cookie"]
            times[who] = client.p50(server.port, [active], cookie, rounds=100)
            limits[who] = inside(large, "page", user=large.people[who], path=active)["limit"]
    ratio = times["admin"] / base
    yield most(
        f"{name}: first page at {sizes[2]:,} : at {sizes[0]:,}, administrator", ratio, 1.3, "times"
    )
    yield most(f"{name}: the same, who sees 0.2 %, p50", times["few"], 60, "ms", limits["few"])
    yield most(f"{name}: the same, who sees 20 %, p50", times["many"], 60, "ms", limits["many"])
