"""`rapport serve`: one loaded parent, web processes and a worker forked from it.

The parent loads everything once and forks: its children share that memory, and start at once.
"""

from __future__ import annotations

import argparse
import gc
import ipaddress
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import connections

from rapport import processes

from . import prepare
from .stop import Stop

log = logging.getLogger(__name__)

# A worker that lived shorter than this is started again with a pause.
SHORT_LIFE, PAUSE = 10, 5
STOP_SECONDS = 20


def run(args: argparse.Namespace) -> None:
    """Serve the hub until told to stop."""
    port = args.port or _free_port(args.host)
    _require_free(args.host, port)
    prepare.database()
    prepare.static_files()
    application = load()
    address = f"http://{_reachable(args.host)}:{port}"
    greeting = _greeting(address, args)
    connections.close_all()
    # What is there now lives as long as the processes: the collector need never look at it, and
    # pages of memory that it does not touch stay shared.
    gc.collect()
    gc.freeze()
    _serve(application, args, port, greeting)


def load() -> Callable[..., Any]:
    """The application, with all that a page needs already in memory."""
    from django.core.wsgi import get_wsgi_application
    from django.template import engines
    from django.urls import get_resolver

    application = get_wsgi_application()
    _ = get_resolver().url_patterns
    folder = settings.PACKAGE / "web" / "templates"
    for file in folder.rglob("*.html"):
        engines["django"].get_template(str(file.relative_to(folder)))
    return application


def _greeting(address: str, args: argparse.Namespace) -> str:
    from rapport.actions import people

    lines = [f"Rapport is at {address}/"]
    if people.first_administrator() is None:
        secret = people.make_link(None)
        lines.append(f"Create the first administrator within 24 hours: {address}/welcome/{secret}/")
    if not _is_loopback(args.host) and "RAPPORT_HOSTS" not in os.environ:
        lines.append("Others reach it only under names that RAPPORT_HOSTS lists.")
    return "\n".join(lines)


def _serve(
    application: Callable[..., Any], args: argparse.Namespace, port: int, greeting: str
) -> None:
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    server = Granian(
        "rapport.config.wsgi:application",
        address=args.host,
        port=port,
        interface=Interfaces.WSGI,
        workers=args.workers,
        # Pages are Python and wait for the database: more threads than this only queue for the
        # interpreter. They keep their connections, so they should live long.
        blocking_threads=args.threads,
        blocking_threads_idle_timeout=600,
        backpressure=64,
        websockets=False,
        respawn_failed_workers=True,
        workers_kill_timeout=10,
        log_level=LogLevels.warning,
    )
    if not args.no_worker:
        keeper = WorkerKeeper(lambda: bool(server.interrupt_signal))
        server.on_startup(keeper.start)
        server.on_shutdown(keeper.stop)
    server.on_startup(lambda: prepare.say(greeting))

    parent = os.getpid()

    def in_child() -> Callable[..., Any]:
        # Killed, so that no orphan keeps the port, whatever it is doing.
        _end_like_others(parent, signal.SIGKILL)
        return application

    # Not by name: the children are forked with it in memory.
    server.serve(target_loader=in_child, wrap_loader=False)


class WorkerKeeper:
    """Keeps one worker running as a child of the server."""

    def __init__(self, stopping: Callable[[], bool]):
        self._stopping = stopping
        self._stopped = threading.Event()
        self._pid = 0
        self._since = 0.0

    def start(self) -> None:
        """Fork the first worker; later ones are started anew, because by then there are threads."""
        self._since = time.monotonic()
        self._pid = _fork_worker() if hasattr(os, "fork") else _spawn_worker()
        threading.Thread(target=self._watch, name="worker keeper", daemon=True).start()

    def _watch(self) -> None:
        while True:
            _wait_for(self._pid)
            lived = time.monotonic() - self._since
            # On Ctrl-C the worker may be gone a moment before we hear of it.
            if self._stopped.wait(PAUSE if lived < SHORT_LIFE else 0.5) or self._stopping():
                return
            log.error("The worker ended unexpectedly; starting another one.")
            self._since = time.monotonic()
            self._pid = _spawn_worker()

    def stop(self) -> None:
        """Tell the worker to end after its batch; kill it if it does not."""
        self._stopped.set()
        _signal(self._pid, signal.SIGTERM)
        until = time.monotonic() + STOP_SECONDS
        while _is_alive(self._pid):
            if time.monotonic() > until:
                _signal(self._pid, signal.SIGKILL)
            time.sleep(0.02)


def _fork_worker() -> int:
    parent = os.getpid()
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        from .worker import work

        _end_like_others(parent, signal.SIGTERM)
        work(parent)
        code = 0
    except BaseException:
        log.exception("The worker failed")
    finally:
        # Nothing of the parent's may run in the child: no exit handlers, no server.
        os._exit(code)


def _end_like_others(parent: int, when_it_dies: int) -> None:
    """In a forked process, which would take the signals of its first moments with the ears of the
    server: as if nothing had been said."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    processes.end_with(parent, when_it_dies)


def _spawn_worker() -> int:
    from .worker import command

    return subprocess.Popen(command(os.getpid())).pid


def _wait_for(pid: int) -> None:
    try:
        os.waitpid(pid, 0)
    except ChildProcessError:
        return


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


# -- addresses ------------------------------------------------------------------------------------


def _require_free(host: str, port: int) -> None:
    """The server itself shares its port between its processes, and would with a stranger too."""
    try:
        _bind(host, port)
    except OSError as error:
        raise Stop(f"cannot listen on {host}:{port}: {error.strerror or error}") from None


def _free_port(host: str) -> int:
    try:
        return _bind(host, 0)
    except OSError as error:
        raise Stop(f"cannot listen on {host}: {error.strerror or error}") from None


def _bind(host: str, port: int) -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # Ports whose last connections are still closing are free all the same.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))
        probe.listen(1)
        return int(probe.getsockname()[1])


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _reachable(host: str) -> str:
    """How a browser on this machine reaches a server that listens on `host`."""
    if host in {"0.0.0.0", "::", ""}:  # noqa: S104 -- compared, not bound
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host
