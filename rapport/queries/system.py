"""What administrators ask about the installation itself."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path

from django.db import connection
from django.utils import timezone

from rapport.models import Job, User
from rapport.models.operations import JobState


@dataclass(frozen=True, slots=True)
class System:
    """`bytes` of the database; `waiting` jobs."""

    database: str
    bytes: int
    users: int
    waiting: int


def system(*, now: datetime.datetime | None = None) -> System:
    """The installation as it is now."""
    now = now or timezone.now()
    database, size = _postgresql() if connection.vendor == "postgresql" else _sqlite()
    waiting = Job.objects.filter(state=JobState.WAITING).exclude(not_before__gt=now)
    return System(database, size, User.objects.filter(state=0).count(), waiting.count())


def _sqlite() -> tuple[str, int]:
    import sqlite3

    name = Path(str(connection.settings_dict["NAME"]))
    files = [name, name.with_name(f"{name.name}-wal")]
    return f"SQLite {sqlite3.sqlite_version}", sum(f.stat().st_size for f in files if f.exists())


def _postgresql() -> tuple[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('server_version'), pg_database_size(current_database())"
        )
        version, size = cursor.fetchone()
    return f"PostgreSQL {version.split()[0]}", size
