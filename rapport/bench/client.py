"""A small HTTP client for loopback: keep-alive connections, times of each request."""

from __future__ import annotations

import http.client
import statistics
import threading
import time
from collections.abc import Sequence


class BadAnswer(RuntimeError):
    """The server answered something else than 200."""


def times(port: int, paths: Sequence[str], cookie: str, *, rounds: int) -> list[float]:
    """Milliseconds of each request, one client, `rounds` times over `paths`."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    taken = []
    for _ in range(rounds):
        for path in paths:
            start = time.perf_counter()
            _get(connection, path, cookie)
            taken.append((time.perf_counter() - start) * 1000)
    connection.close()
    return taken


def p50(port: int, paths: Sequence[str], cookie: str, *, rounds: int) -> float:
    """Median milliseconds, after a warm-up of every web process."""
    times(port, paths, cookie, rounds=6)
    return statistics.median(times(port, paths, cookie, rounds=rounds))


def rate(port: int, path: str, cookie: str, *, clients: int, seconds: float) -> float:
    """Requests a second that `clients` get answered at once."""
    counts = [0] * clients
    until = time.perf_counter() + seconds

    def work(number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        while time.perf_counter() < until:
            _get(connection, path, cookie)
            counts[number] += 1

    threads = [threading.Thread(target=work, args=(number,)) for number in range(clients)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.perf_counter() - start)


def _get(connection: http.client.HTTPConnection, path: str, cookie: str) -> bytes:
    connection.request("GET", path, headers={"Cookie": cookie, "Accept-Encoding": "identity"})
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise BadAnswer(f"{path}: {answer.status}")
    return body


def answers(port: int, path: str) -> bool:
    """Whether the server answers `path` with 200 by now."""
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except OSError:
        return False


class Writer:
    """Posts a short text to `path` whenever it is called; the milliseconds that it took."""

    def __init__(self, port: int, cookie: str, path: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self._path, token = path, "b" * 32
        self._headers = {
            "Cookie": f"{cookie}; rapport_csrf={token}",
            "X-CSRFToken": token,
            "Content-Type": "application/x-www-form-urlencoded",
        }

    def __call__(self) -> float:
        start = time.perf_counter()
        self._connection.request("POST", self._path, "text=They+call+back+tomorrow", self._headers)
        answer = self._connection.getresponse()
        answer.read()
        if answer.status not in {200, 302, 303}:
            raise BadAnswer(f"{self._path}: {answer.status}")
        return (time.perf_counter() - start) * 1000
