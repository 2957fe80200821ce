"""What a bench does inside Django: a process of its own, `python -m rapport.bench.inside TASK`,
with the database in DATABASE_URL. Prints one JSON object."""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

ROUNDS = 60


def fill(contacts: int, leads: int) -> dict[str, Any]:
    """Migrate and fill the database of DATABASE_URL."""
    from django.core.management import call_command

    from . import sample

    call_command("migrate", verbosity=0)
    return {"people": sample.fill(contacts, leads)}


def cookie(user: str) -> dict[str, Any]:
    """A signed-in session of the user with this id."""
    from importlib import import_module

    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

    from rapport.models import User

    store = import_module(settings.SESSION_ENGINE).SessionStore()
    store[SESSION_KEY] = user
    store[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    store[HASH_SESSION_KEY] = User.objects.get(pk=user).get_session_auth_hash()
    store.create()
    return {"cookie": f"{settings.SESSION_COOKIE_NAME}={store.session_key}"}


def page(user: str, path: str) -> dict[str, Any]:
    """SQL statements of one page, and the median milliseconds that those statements take when
    nothing but the database works: the raw limit."""
    from django.db import connection
    from django.test.client import Client
    from django.test.utils import CaptureQueriesContext

    from rapport.models import User

    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(User.objects.get(pk=user), "django.contrib.auth.backends.ModelBackend")
    client.get(path)
    statements: list[tuple[str, Any]] = []

    def keep(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        statements.append((sql, params))
        return execute(sql, params, many, context)

    with CaptureQueriesContext(connection) as captured, connection.execute_wrapper(keep):
        answer = client.get(path)
    assert answer.status_code == 200, answer.status_code
    reads = [(s, p) for s, p in statements if s.lstrip().upper().startswith("SELECT")]
    taken = []
    for _ in range(ROUNDS):
        with connection.cursor() as cursor:
            start = time.perf_counter()
            for sql, params in reads:
                cursor.execute(sql, params)
                cursor.fetchall()
            taken.append((time.perf_counter() - start) * 1000)
    return {"statements": len(captured), "limit": statistics.median(taken)}


def qualify(user: str, count: int) -> dict[str, Any]:
    """Leads a second through the action, one at a time; and the raw limit: the same number of rows
    into the same tables by plain SQL, one transaction per lead."""
    from rapport.actions.leads import qualify_lead
    from rapport.models import Lead, User

    by = User.objects.get(pk=user)
    if Lead.objects.filter(state=0).count() < count:
        # Earlier runs of this cached database have used them up.
        Lead.objects.update(state=0, status=1, account=None, contact=None, opportunity=None)
    leads = list(Lead.objects.filter(state=0).order_by("pk").values_list("pk", flat=True))[:count]
    for lead in leads[:5]:
        qualify_lead(lead, by=by)
    start = time.perf_counter()
    for lead in leads[5:]:
        qualify_lead(lead, by=by)
    rate = (len(leads) - 5) / (time.perf_counter() - start)
    return {"rate": rate, "limit": _raw_rate(leads[-1], 100)}


def _raw_rate(lead: Any, count: int) -> float:
    """Copies of what one qualification wrote, a second: INSERT … SELECT of each row by its id,
    rolled back at the end of the run so that nothing stays."""
    from django.db import connection, transaction

    from rapport.meta.ids import new_id
    from rapport.models import (
        Account,
        Change,
        Contact,
        KeyRing,
        Lead,
        MatchKey,
        Operation,
        Opportunity,
    )

    made = Lead.objects.get(pk=lead)
    operation = Change.objects.filter(record=lead).latest("id").operation_id
    rows: list[tuple[Any, Any]] = [
        (Account, made.account_id),
        (Contact, made.contact_id),
        (Opportunity, made.opportunity_id),
        (Operation, operation),
    ]
    rings = list(KeyRing.objects.filter(record__in=[made.account_id, made.contact_id]))
    changes = list(Change.objects.filter(operation_id=operation))

    def as_stored(id_: Any) -> Any:
        return id_.hex if connection.vendor == "sqlite" else id_

    start = time.perf_counter()
    for _ in range(count):
        with transaction.atomic(), connection.cursor() as cursor:
            for model, id_ in rows:
                _copy_row(cursor, model, as_stored(id_), as_stored(new_id()))
            for ring in rings:
                ring.record = new_id()
                ring.save(force_insert=True)
                MatchKey.objects.bulk_create(
                    MatchKey(hash=int(hash_), entity=ring.entity, record=ring.record)
                    for hash_ in ring.hashes.split(",")
                )
            for change in changes:
                _copy_row(cursor, Change, change.pk)
            cursor.execute(
                'UPDATE "rapport_lead" SET version = version WHERE id = %s', [as_stored(lead)]
            )
    return count / (time.perf_counter() - start)


def _copy_row(cursor: Any, model: Any, id_: Any, new: Any = None) -> None:
    """Copy the row `id_`; as `new`, or by a number that the database gives."""
    columns = [c.column for c in model._meta.concrete_fields if not c.primary_key]
    names, table = ", ".join(f'"{c}"' for c in columns), f'"{model._meta.db_table}"'
    into, given = (names, names) if new is None else (f"id, {names}", f"%s, {names}")
    values = [id_] if new is None else [new, id_]
    cursor.execute(
        f"INSERT INTO {table} ({into}) SELECT {given} FROM {table} WHERE id = %s", values
    )


TASKS = {"fill": fill, "cookie": cookie, "page": page, "qualify": qualify}


def main() -> None:
    """Run the task named in the arguments: TASK JSON-of-keyword-arguments."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rapport.config.settings")
    import django

    django.setup()
    from . import duplicatetasks, importtasks, killtasks

    tasks = TASKS | duplicatetasks.TASKS | importtasks.TASKS | killtasks.TASKS
    task, arguments = sys.argv[1], json.loads(sys.argv[2])
    print(json.dumps(tasks[task](**arguments)))


if __name__ == "__main__":
    main()
