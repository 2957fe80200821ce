"""What the bench of imports does inside Django; see `inside`."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# Rows in one transaction of the raw limit.
TOGETHER = 10_000


def settle(contacts: int) -> dict[str, Any]:
    """Migrate the database of DATABASE_URL; an administrator, and nothing else."""
    from django.core.management import call_command
    from django.db import transaction

    from rapport.actions import people
    from rapport.actions.people import SETUP

    call_command("migrate", verbosity=0)
    with transaction.atomic():
        root = people.ensure_organisation("Bench")
        values = {"last_name": "Admin", "email": "admin@bench.example", "business_unit": root}
        admin = people.create_user(values, by=SETUP, roles=("system-administrator",))
    return {"people": {"admin": str(admin.pk)}}


def write_list(file: str, rows: int) -> dict[str, Any]:
    """The file of so many people."""
    from .people import write_list

    write_list(Path(file), rows)
    return {}


# -- the way in -----------------------------------------------------------------------------------


def receive(user: str, file: str, entity: str = "contact") -> dict[str, Any]:
    """A file on its way in: received, described, ready to be planned."""
    upload, seconds = _received(user, file, entity)
    return {"import": str(upload.pk), "seconds": seconds}


def _received(user: str, file: str, entity: str = "contact") -> tuple[Any, float]:
    from rapport.imports import flow
    from rapport.models import User

    by = User.objects.get(pk=user)
    start = time.perf_counter()
    with Path(file).open("rb") as stream:
        chunks = iter(lambda: stream.read(1 << 20), b"")
        upload = flow.receive(chunks, name=Path(file).name, entity=entity, by=by)
    flow.describe(upload, by=by)
    return upload, time.perf_counter() - start


def bring(user: str, file: str) -> dict[str, Any]:
    """The whole way of a file in, in this process, with the seconds of each part."""
    from rapport.imports import flow
    from rapport.models import ImportFile, User

    by = User.objects.get(pk=user)
    upload, described = _received(user, file)
    start, worked = time.perf_counter(), _processors()
    flow.plan_now(upload, by=by)
    planned, plan_worked = time.perf_counter(), _processors()
    upload = ImportFile.objects.get(pk=upload.pk)
    plan = dict(upload.counts)
    flow.apply_now(upload, by=by)
    ended, apply_worked = time.perf_counter(), _processors()
    upload.refresh_from_db()
    return {
        "describe": described,
        "plan": planned - start,
        "apply": ended - planned,
        "plan_processors": plan_worked - worked,
        "apply_processors": apply_worked - plan_worked,
        "planned": plan,
        "counts": upload.counts,
        "operation": str(upload.operation_id or ""),
    }


def _processors() -> float:
    """Seconds that processors worked for this process and its ended children: it tells more than
    the clock where others work on the same machine. A database server is not in it."""
    return sum(os.times()[:4])


def begin(user: str, upload: str, step: str) -> dict[str, Any]:
    """Ask a worker for the plan, for its application, or to take that back."""
    from rapport.actions import jobs
    from rapport.imports import flow
    from rapport.models import ImportFile, User

    by = User.objects.get(pk=user)
    file = ImportFile.objects.get(pk=upload)
    if step == "undo":
        asked = {"operation": str(file.operation_id)}
        return {"job": str(jobs.enqueue("undo", asked, by=by, label="Undo").pk)}
    ask = {"plan": flow.start_plan, "apply": flow.start_apply}[step]
    return {"job": str(ask(file, by=by).pk)}


def account(user: str) -> dict[str, Any]:
    """A record for pages to write about."""
    from rapport.actions import records
    from rapport.meta.registry import registry
    from rapport.models import User

    by = User.objects.get(pk=user)
    made = records.create_record(registry["account"], {"name": "Others at work"}, by=by)
    return {"account": str(made)}


def undo(user: str, operation: str) -> dict[str, Any]:
    """Take an import back."""
    from rapport.actions import undo as room
    from rapport.models import Contact, Operation, User

    by = User.objects.get(pk=user)
    op = Operation.objects.get(pk=operation)
    begun = time.perf_counter()
    _back, undone = room.undo(op, by=by)
    seconds = time.perf_counter() - begun
    return {"seconds": seconds, "conflicts": len(undone.conflicts), "left": Contact.objects.count()}


def export(user: str, format: str, file: str) -> dict[str, float]:
    """All contacts with the columns of the list that was imported, as a file."""
    from rapport.exports.formats import pieces
    from rapport.exports.rows import table
    from rapport.models import User
    from rapport.queries.query import Query

    fields = (
        "first_name", "last_name", "email", "account", "job_title", "business_phone",
        "mobile_phone", "address1_line1", "address1_city", "address1_postal_code",
        "address1_country", "department", "website", "birthday", "description",
    )  # fmt: skip
    by = User.objects.get(pk=user)
    begun = time.perf_counter()
    with Path(file).open("wb") as stream:
        stream.writelines(pieces(table(Query(entity="contact"), by, fields=fields), format))
    return {"seconds": time.perf_counter() - begun}


# -- the raw limit --------------------------------------------------------------------------------


def raw(source: str) -> dict[str, float]:
    """The rows that an import wrote in the database `source` into this empty one: the same tables,
    indexes, keys and journal, by COPY or executemany and nothing else."""
    from django.db import connection

    connection.ensure_connection()
    copy = _copy if connection.vendor == "postgresql" else _insert
    seconds, rows = 0.0, 0
    for number, tables in enumerate(_written(source)):
        begun = time.perf_counter()
        copy(tables, first=not number)
        seconds += time.perf_counter() - begun
        rows += len(tables["contact"][1])
    return {"seconds": seconds, "rows": rows}


Tables = dict[str, tuple[str, list[Any]]]


def _written(source: str) -> Iterator[Tables]:
    """What stands in `source`, batch by batch as in an import: {table: (statement, rows)}. On
    PostgreSQL the rows are lines as COPY writes them."""
    from django.db import connection

    from rapport.models import Account, Change, Contact, KeyRing, MatchKey, Operation

    read = _Lines if connection.vendor == "postgresql" else _Tuples
    change, contact = Change._meta.db_table, "'contact'"
    with read(source) as rows:
        last = rows(f"SELECT max(row) FROM {change} WHERE entity = {contact}")[0]
        last = int(last if isinstance(last, bytes) else last[0])
        for start in range(0, last + 1, TOGETHER):
            span = f"c.row >= {start} AND c.row < {start + TOGETHER}"
            tables: Tables = {}
            for name, model, on in (
                ("operation", Operation, "t.id = c.operation_id"),
                ("account", Account, "t.id = c.record"),
                ("contact", Contact, "t.id = c.record"),
                ("key", MatchKey, "t.record = c.record"),
                ("ring", KeyRing, "t.record = c.record"),
                ("change", Change, "t.id = c.id"),
            ):
                columns = [
                    column.column
                    for column in model._meta.concrete_fields
                    if column.get_internal_type() != "BigAutoField"
                ]
                found = rows(
                    f"SELECT {', '.join(f't.{n}' for n in columns)} FROM {change} c "
                    f"JOIN {model._meta.db_table} t ON {on} WHERE {span} "
                    f"{'LIMIT 1' if name == 'operation' else 'ORDER BY c.id'}"
                )
                into = f"{model._meta.db_table} ({', '.join(columns)})"
                tables[name] = (into, found)
            yield tables


class _Lines:
    """SQL to lines of COPY."""

    def __init__(self, source: str) -> None:
        import psycopg

        self._connection = psycopg.connect(source)

    def __enter__(self) -> Any:
        return self._read

    def _read(self, sql: str) -> list[bytes]:
        with self._connection.cursor().copy(f"COPY ({sql}) TO STDOUT") as copy:
            return [bytes(line) for line in copy]

    def __exit__(self, *_: object) -> None:
        self._connection.close()


class _Tuples(_Lines):
    """SQL to rows of SQLite."""

    def __init__(self, source: str) -> None:
        import sqlite3

        self._connection: Any = sqlite3.connect(source.removeprefix("sqlite:///"))

    def _read(self, sql: str) -> list[Any]:
        return self._connection.execute(sql).fetchall()


def _copy(tables: Tables, *, first: bool) -> None:
    from django.db import connection, transaction

    with transaction.atomic(), connection.cursor() as cursor:
        for name, (into, lines) in tables.items():
            if lines and (first or name != "operation"):
                with cursor.copy(f"COPY {into} FROM STDIN") as copy:
                    copy.write(b"".join(lines))


def _insert(tables: Tables, *, first: bool) -> None:
    from django.db import connection, transaction

    with transaction.atomic(), connection.cursor() as cursor:
        bare = cursor.connection.cursor()
        for name, (into, rows) in tables.items():
            if rows and (first or name != "operation"):
                marks = ", ".join("?" * len(rows[0]))
                bare.executemany(f"INSERT INTO {into} VALUES ({marks})", rows)


TASKS = {
    "settle": settle,
    "write_list": write_list,
    "receive": receive,
    "bring": bring,
    "begin": begin,
    "account": account,
    "undo": undo,
    "export": export,
    "raw": raw,
}
