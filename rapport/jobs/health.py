"""Whether everything is in order: for load balancers, and for `rapport check`."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.core import checks
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from rapport.imports import foldercheck, folders
from rapport.meta.registry import registry
from rapport.models import Job, SearchBacklog
from rapport.models.operations import JobState

from . import queue

LITTLE_DISK, NO_DISK = 500 * 1024**2, 50 * 1024**2
SILENT_SECONDS = 30
WAITING_MINUTES = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing that was looked at. `grade`: ok, warning (works, but look into it) or failed."""

    name: str
    grade: str
    text: str


Findings = Iterator[Finding]


def ok(name: str, text: str) -> Finding:
    """All is well."""
    return Finding(name=name, grade="ok", text=text)


def warning(name: str, text: str) -> Finding:
    """It works, but somebody should look into it."""
    return Finding(name=name, grade="warning", text=text)


def failed(name: str, text: str) -> Finding:
    """It does not work."""
    return Finding(name=name, grade="failed", text=text)


def quick() -> list[Finding]:
    """What a web process needs to answer; a few milliseconds."""
    return _look(database, migrations, disk, worker)


def thorough() -> list[Finding]:
    """Everything, also what takes seconds on a large database."""
    return _look(declarations, database, migrations, integrity, indexes, disk, folder, worker, jobs)


def as_json(findings: list[Finding]) -> dict[str, object]:
    """One object for programs: the worst grade, and each finding. Nothing secret is in it."""
    grades = {finding.grade for finding in findings}
    worst = next(grade for grade in ("failed", "warning", "ok") if grade in grades)
    return {"status": worst, "checks": [asdict(finding) for finding in findings]}


def _look(*parts: Callable[[], Findings]) -> list[Finding]:
    found: list[Finding] = []
    for part in parts:
        try:
            found += part()
        except Exception as error:  # noqa: BLE001 -- a check that fails is a finding
            # The type only: messages of databases name hosts and users.
            found.append(failed(part.__name__, f"cannot be looked at ({type(error).__name__})"))
    return found


def declarations() -> Findings:
    """Django's and our system checks."""
    found = [m for m in checks.run_checks() if m.level >= checks.ERROR]
    for message in found:
        yield failed("declarations", " ".join(f"{message.id}: {message.msg}".split()))
    if not found:
        yield ok("declarations", f"{sum(1 for _ in registry)} entities declared")


def database() -> Findings:
    """The database answers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    yield ok("database", connection.display_name)


_migrated = False


def migrations() -> Findings:
    """The database is of this version. Once it is, it stays so for the life of the process."""
    global _migrated  # noqa: PLW0603 -- reading all migrations costs more than the rest together
    if not _migrated:
        executor = MigrationExecutor(connection)
        pending = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
        if pending:
            yield failed("migrations", f"{pending} pending: run rapport migrate")
            return
        _migrated = True
    yield ok("migrations", "none pending")


def integrity() -> Findings:
    """SQLite's own check of its file; PostgreSQL watches over its own."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA quick_check(5)")
            problems = [row[0] for row in cursor.fetchall()]
        yield (
            ok("integrity", "file is sound")
            if problems == ["ok"]
            else failed("integrity", "; ".join(problems))
        )


def indexes() -> Findings:
    """Search finds every record: its indexes are there, and complete on SQLite."""
    missing = list(_missing_indexes())
    yield from (failed("indexes", text) for text in missing)
    if not missing:
        yield ok("indexes", "complete")


def _missing_indexes() -> Iterator[str]:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT count(*) FROM pg_extension WHERE extname = 'pg_trgm'")
            if not cursor.fetchone()[0]:
                yield "the extension pg_trgm is missing"
            cursor.execute("SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid")
            for (name,) in cursor.fetchall():
                yield f"{name} is not valid: REINDEX it"
        if SearchBacklog.objects.exists():
            return  # the worker is at it
        for entity in registry:
            if not entity.in_search or entity.scope:
                continue
            table = connection.ops.quote_name(entity.search_table)
            cursor.execute(f"SELECT count(*) FROM {table}")  # noqa: S608 -- a declared name
            found, wanted = cursor.fetchone()[0], entity.records().count()
            if found != wanted:
                yield f"{entity.name}: {found} of {wanted} records can be searched"


def disk() -> Findings:
    """There is room for what comes in."""
    free = shutil.disk_usage(settings.HOME).free
    text = f"{free // 1024**2:,} MB free"
    if free < NO_DISK:
        yield failed("disk", text)
    elif free < LITTLE_DISK:
        yield warning("disk", text)
    else:
        yield ok("disk", text)


def folder() -> Findings:
    """The folder that recipes watch can be used by whoever runs this, if there is one."""
    if folders.is_on():
        try:
            yield ok("folder", foldercheck.state())
        except foldercheck.Fault as fault:
            grade = warning if fault.works else failed
            yield grade("folder", f"RAPPORT_IMPORT_FOLDER: {fault}")


def worker() -> Findings:
    """A worker has given a sign of life lately. Pages work without one, so this is no failure."""
    if not queue.is_on():
        yield ok("worker", "works without a queue, so nothing is known of it")
        return
    try:
        notes = queue.read_notes()
    except Exception as error:  # noqa: BLE001 -- whatever it is, workers look for jobs themselves
        yield warning("worker", f"the queue does not answer ({type(error).__name__})")
        return
    ages = [timezone.now() - datetime.fromisoformat(note["at"]) for note in notes.values()]
    alive = [age for age in ages if age < timedelta(seconds=SILENT_SECONDS)]
    if alive:
        yield ok("worker", f"{len(alive)} running, heard of {min(alive).seconds} s ago")
    elif ages:
        yield warning("worker", f"last heard of {int(min(ages).total_seconds())} s ago")
    else:
        yield warning("worker", "none has started yet")


def jobs() -> Findings:
    """No job has been waiting for long."""
    late = timezone.now() - timedelta(minutes=WAITING_MINUTES)
    waiting = Job.objects.filter(state=JobState.WAITING, created_at__lt=late, not_before=None)
    count = waiting.count()
    if count:
        yield warning("jobs", f"{count} waiting for more than {WAITING_MINUTES} minutes")
    else:
        yield ok("jobs", "none is late")
