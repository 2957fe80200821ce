"""The database and the static files as this version of Rapport wants them."""

from __future__ import annotations

import argparse
import contextlib
import datetime
import hashlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

import rapport

from .stop import Stop

# Any number that other programs on the same PostgreSQL are unlikely to lock by.
LOCK = 0x52415050


def run(_args: argparse.Namespace) -> None:
    """`rapport migrate`."""
    if not database():
        print("The database is up to date.")


def say(text: str) -> None:
    """Tell whoever started the command; at once, also into a pipe."""
    print(text, flush=True)


def database() -> bool:
    """Make or update the database, its organisation and built-in roles; whether it had to be.

    An existing SQLite database is copied first.
    """
    from rapport.actions import people

    with alone():
        pending = pending_migrations()
        if pending:
            if is_empty():
                say("Making the database …")
            else:
                if kept := back_up():
                    say(f"Copied the database to {kept}")
                say(f"Updating the database ({len(pending)} steps) …")
            call_command("migrate", verbosity=0, interactive=False)
        people.ensure_organisation()
    _prepare_queue()
    return bool(pending)


def require_database() -> None:
    """Make an empty database; refuse one that is behind. Raises Stop."""
    if not pending_migrations():
        return
    if not is_empty():
        raise Stop("the database is of an older version; run: rapport migrate")
    database()


def pending_migrations() -> list[str]:
    """Names of the migrations that the database has not had."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _backwards in plan]


def is_empty() -> bool:
    """Whether the database has no table of ours."""
    return "rapport_user" not in connection.introspection.table_names()


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Wait until no other server prepares the same database."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
            try:
                yield
            finally:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
        return
    with (settings.HOME / "prepare.lock").open("w") as file:
        with contextlib.suppress(ImportError):
            import fcntl  # not on Windows, where one server is all there is

            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def back_up() -> str:
    """Copy a SQLite database to RAPPORT_HOME/backups; the path of the copy. '' for PostgreSQL,
    which has tools of its own for that."""
    if connection.vendor != "sqlite":
        return ""
    folder: Path = settings.HOME / "backups"
    folder.mkdir(mode=0o700, exist_ok=True)
    moment = timezone.now().astimezone(datetime.UTC)
    target = folder / f"rapport-{moment:%Y%m%d-%H%M%S}.db"
    connection.ensure_connection()
    with contextlib.closing(sqlite3.connect(target)) as copy:
        connection.connection.backup(copy)
    target.chmod(0o600)
    return str(target)


def _prepare_queue() -> None:
    from rapport.jobs import queue

    if queue.is_on():
        with contextlib.suppress(Exception):
            queue.open_store().close()


def static_files() -> None:
    """Put styles, scripts and pictures where the web processes read them, when they changed."""
    if settings.DEBUG:
        return
    stamp = Path(settings.STATIC_ROOT) / "stamp"
    wanted = _fingerprint()
    if stamp.is_file() and stamp.read_text("ascii") == wanted:
        return
    with alone():
        call_command("collectstatic", verbosity=0, interactive=False)
        stamp.write_text(wanted, "ascii")


def _fingerprint() -> str:
    """Changes with the version, and with every file: paths, sizes and times of change."""
    digest = hashlib.sha256(rapport.__version__.encode())
    for folder in settings.STATICFILES_DIRS:
        for file in sorted(Path(folder).rglob("*")):
            if file.is_file():
                facts = file.stat()
                digest.update(f"{file}|{facts.st_size}|{facts.st_mtime_ns}\n".encode())
    return digest.hexdigest()
