"""A PostgreSQL server that lives for one run: made, started, stopped and removed.

Standard library only: tasks.py loads this file by its path, before anything is installed.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

# Debian keeps the server's programs away from PATH, one folder per version.
FOLDERS = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin")
# Who runs the server when we are root: PostgreSQL refuses to.
UNPRIVILEGED = ("postgres", "nobody")
# A database that is thrown away needs no safety against power cuts.
THROWN_AWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
START_SECONDS = 30
STOP_SECONDS = 15


class ClusterUnavailable(Exception):
    """PostgreSQL cannot be started here; the text says why."""


def find_binaries() -> Path | None:
    """The folder with the server's programs, the newest version when there are several."""
    found = []
    if initdb := shutil.which("initdb"):
        found.append(Path(initdb).resolve().parent)
    for pattern in FOLDERS:
        found += sorted(Path("/").glob(pattern[1:]), key=version_of, reverse=True)
    return next((folder for folder in found if has_server(folder)), None)


def has_server(folder: Path) -> bool:
    return all((folder / name).exists() for name in ("initdb", "postgres", "createdb"))


def version_of(folder: Path) -> int:
    digits = "".join(character for character in folder.parent.name if character.isdigit())
    return int(digits or 0)


@contextlib.contextmanager
def throwaway_cluster(
    settings: Mapping[str, str] | None = None, *, folder: Path | None = None
) -> Iterator[str]:
    """Run a server and yield the URL of its empty database "rapport".

    `settings` are more settings of the server, stronger than ours. With a `folder` the cluster is
    kept there and found again by the next run; without one it is removed at the end.
    """
    binaries = find_binaries()
    if binaries is None:
        raise ClusterUnavailable("PostgreSQL is not installed (no initdb found)")
    if folder is not None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        yield from _served(binaries, folder, settings or {})
        return
    place = Path(tempfile.mkdtemp(prefix="rapport-postgresql-"))
    try:
        yield from _served(binaries, place, settings or {})
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _served(binaries: Path, place: Path, settings: Mapping[str, str]) -> Iterator[str]:
    data = place / "data"
    secret = place / "password"
    if not data.exists():
        secret.write_text(secrets.token_urlsafe(24), encoding="ascii")
        _hand_over(place)
        # Renamed when complete: a run that was killed half-way leaves nothing that looks whole.
        unfinished = place / "unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        _make(binaries, unfinished, secret)
        unfinished.rename(data)
    password = secret.read_text(encoding="ascii").strip()
    server, port = _start(binaries, data, settings)
    try:
        environment = os.environ | {"PGPASSWORD": password}
        address = ["--host=127.0.0.1", f"--port={port}", "--username=rapport"]
        # It fails when a kept cluster has the database already, which is just as good.
        subprocess.run(
            [binaries / "createdb", *address, "rapport"],
            env=environment, check=False, capture_output=True,
        )  # fmt: skip
        yield f"postgresql://rapport:{password}@127.0.0.1:{port}/rapport"
    finally:
        _stop(server)


def _make(binaries: Path, data: Path, secret: Path) -> None:
    # C.UTF-8 orders by code point and knows the letters of all languages; macOS does not have it.
    locale = "C.UTF-8" if sys.platform.startswith("linux") else "en_US.UTF-8"
    command: list[str | Path] = [
        binaries / "initdb",
        f"--pgdata={data}", "--username=rapport", "--auth=scram-sha-256", f"--pwfile={secret}",
        "--encoding=UTF8", f"--locale={locale}", "--no-sync", "--no-instructions",
    ]  # fmt: skip
    made = subprocess.run(
        command, cwd=data.parent, check=False, capture_output=True, text=True, **_identity()
    )
    if made.returncode:
        raise ClusterUnavailable(f"initdb failed: {made.stderr.strip() or made.stdout.strip()}")


def _start(
    binaries: Path, data: Path, settings: Mapping[str, str]
) -> tuple[subprocess.Popen[Any], int]:
    log = data.parent / "server.log"
    for _ in range(3):
        # Somebody may take the port between our look and the server's start: try again.
        port = _free_port()
        options = THROWN_AWAY | dict(settings) | {
            "listen_addresses": "127.0.0.1",
            "port": str(port),
            # No socket file: its path may be longer than the system allows.
            "unix_socket_directories": "",
        }  # fmt: skip
        command: list[str | Path] = [binaries / "postgres", "-D", data]
        command += [f"--{name}={value}" for name, value in options.items()]
        with log.open("wb") as output:
            server = subprocess.Popen(
                [*_die_with_us(), *command],
                cwd=data.parent, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                # Ctrl-C is for us; we then stop the server in our own order.
                start_new_session=True, **_identity(),
            )  # fmt: skip
        try:
            if _answers(server, binaries, port):
                return server, port
        except BaseException:
            _stop(server)
            raise
        _stop(server)
    text = log.read_text(encoding="utf-8", errors="replace").strip()
    raise ClusterUnavailable(f"PostgreSQL did not start: {text[-2000:]}")


def _answers(server: subprocess.Popen[Any], binaries: Path, port: int) -> bool:
    ready = [str(binaries / "pg_isready"), "--quiet", "--host=127.0.0.1", f"--port={port}"]
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        if subprocess.run(ready, check=False).returncode == 0:
            return True
        time.sleep(0.05)
    return False


def _stop(server: subprocess.Popen[Any]) -> None:
    # SIGINT is PostgreSQL's "fast" shutdown: open sessions are cut off, data is written.
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        if server.poll() is not None:
            return
        server.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(STOP_SECONDS)


def _identity() -> dict[str, Any]:
    """Arguments for subprocess that make an unprivileged user run it when we are root."""
    account = _unprivileged()
    if account is None:
        return {}
    _, uid, gid = account
    return {"user": uid, "group": gid, "extra_groups": []}


def _unprivileged() -> tuple[str, int, int] | None:
    if os.name != "posix" or os.geteuid() != 0:
        return None
    import pwd  # not on Windows

    for name in UNPRIVILEGED:
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return name, entry.pw_uid, entry.pw_gid
    raise ClusterUnavailable("root may not run PostgreSQL, and there is no user postgres or nobody")


def _hand_over(place: Path) -> None:
    account = _unprivileged()
    if account is None:
        return
    name, uid, gid = account
    for path in (place, *place.rglob("*")):
        os.chown(path, uid, gid)
    # A folder below /root, say, is closed to that user whoever owns it.
    reach = subprocess.run(["test", "-w", place], check=False, **_identity())
    if reach.returncode:
        raise ClusterUnavailable(f"the user {name}, who runs PostgreSQL, cannot reach {place}")


def _die_with_us() -> list[str]:
    # On Linux the kernel itself stops the server when this process is killed.
    setpriv = shutil.which("setpriv") if sys.platform.startswith("linux") else None
    return [setpriv, "--pdeathsig", "INT"] if setpriv else []


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
