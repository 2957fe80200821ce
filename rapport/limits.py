"""How often one address may knock: counted per process, so it costs no statement."""

from __future__ import annotations

import time
from collections import OrderedDict
from contextlib import suppress
from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest

# Older addresses are forgotten first, so that a flood of them cannot fill the memory.
KEPT = 10_000
_seen: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()


class TooMany(Exception):
    """Somebody knocks too often (429)."""


def address(request: HttpRequest) -> str:
    """Where a request comes from. Behind our own TLS proxy that is the last address it added; what
    stands before it was sent by the client and may be a lie."""
    if settings.BEHIND_TLS:
        forwarded = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
        with suppress(ValueError):
            return str(ip_address(forwarded))
    return str(request.META.get("REMOTE_ADDR", ""))


def check(request: HttpRequest, what: str, *, per_minute: int, now: float | None = None) -> None:
    """Raise TooMany when the address did `what` more than `per_minute` times of late: a bucket of
    that size fills again evenly."""
    key, now = (what, address(request)), time.monotonic() if now is None else now
    left, at = _seen.pop(key, (float(per_minute), now))
    left = min(per_minute, left + (now - at) * per_minute / 60)
    _seen[key] = (left - 1 if left >= 1 else left, now)
    while len(_seen) > KEPT:
        _seen.popitem(last=False)
    if left < 1:
        raise TooMany(what)


def forget() -> None:
    """Count anew."""
    _seen.clear()
