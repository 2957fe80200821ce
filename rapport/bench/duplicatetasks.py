"""What the bench of duplicates does inside Django; see `inside`."""

from __future__ import annotations

import os
import random
import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any


def fill_crowd(contacts: int) -> dict[str, Any]:
    """Migrate and fill the database of DATABASE_URL."""
    from django.core.management import call_command

    from . import crowd

    call_command("migrate", verbosity=0)
    return {"people": crowd.fill(contacts)}


def forget_radar() -> dict[str, Any]:
    """As before the first day. In a process of its own: what it reads stays in its memory."""
    from rapport.models import DuplicatePair, LearnedWeights, RadarState

    for model in (DuplicatePair, LearnedWeights, RadarState):
        model.objects.all().delete()
    return {}


def radar() -> dict[str, Any]:
    """One search of everything by a worker in this process."""
    from rapport.actions import duplicates, lease
    from rapport.actions.people import SETUP
    from rapport.jobs.clock import Clock
    from rapport.jobs.worker import Worker
    from rapport.models import Job

    from .servers import memory

    peaks = [0.0]
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.1):
            peaks.append(memory(os.getpid()))

    watcher = threading.Thread(target=watch)
    watcher.start()
    lease.settle(lease.READING)
    worker = Worker()
    worker.clock = Clock(())
    job = duplicates.search_now(by=SETUP)
    start, before = time.perf_counter(), os.times()
    try:
        while True:
            worker.turn()
            if not worker.runs:
                break
    finally:
        seconds = time.perf_counter() - start
        ended.set()
        watcher.join()
    job = Job.objects.get(pk=job.pk)
    if job.state != "done":
        raise RuntimeError(f"the radar ended as {job.state}: {job.message}")
    after = _wait_for_children(before)
    return {"seconds": seconds, "processor": after, "peak": max(peaks), **_truth()} | {
        "found": job.result["found"]
    }


def _wait_for_children(before: os.times_result) -> float:
    """Seconds that processors worked for this process and its ended children."""
    import multiprocessing

    for child in multiprocessing.active_children():
        child.join()
    after = os.times()
    return sum(after[:4]) - sum(before[:4])


def _truth() -> dict[str, float]:
    """How many of the pairs of contacts are doubles, and of the doubles were found."""
    from rapport.models import Contact, DuplicatePair

    who = dict(Contact.objects.exclude(employee_id="").values_list("pk", "employee_id"))
    sizes = Counter(who.values())
    doubles = sum(n * (n - 1) // 2 for n in sizes.values())
    pairs = DuplicatePair.objects.filter(first_entity="contact", second_entity="contact")
    found = right = 0
    for one, other in pairs.values_list("first", "second").iterator():
        found += 1
        right += who.get(one) == who.get(other)
    return {
        "doubles": doubles,
        "recall": right / max(doubles, 1),
        "precision": right / max(found, 1),
    }


def read_all() -> dict[str, float]:
    """The raw limit: every key in its order, and every contact with what is compared, once."""
    from django.db import connection

    keys = "SELECT hash, count(*) FROM rapport_matchkey GROUP BY hash HAVING count(*) > 1"
    contacts = (
        "SELECT c.id, c.first_name, c.last_name, c.email, c.business_phone, c.mobile_phone, "
        "c.address1_line1, c.address1_city, c.address1_postal_code, c.birthday, a.name "
        "FROM rapport_contact c LEFT JOIN rapport_account a ON a.id = c.account_id"
    )
    start = time.perf_counter()
    with connection.cursor() as cursor:
        for statement in (keys, contacts):
            cursor.execute(statement)
            while cursor.fetchmany(1000):
                pass
    return {"seconds": time.perf_counter() - start}


class _Database:
    """Adds up the milliseconds that statements take."""

    def __init__(self) -> None:
        self.taken = 0.0

    def __call__(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        start = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            self.taken += (time.perf_counter() - start) * 1000


def _timed(call: Callable[[], Any]) -> tuple[float, float]:
    """Milliseconds of a call, and of its statements alone."""
    from django.db import connection

    database = _Database()
    start = time.perf_counter()
    with connection.execute_wrapper(database):
        call()
    return (time.perf_counter() - start) * 1000, database.taken


def follow(count: int) -> dict[str, float]:
    """What the radar does after one contact has changed."""
    from rapport.actions import records
    from rapport.actions.people import SETUP
    from rapport.jobs import following
    from rapport.meta.registry import registry

    entity = registry["contact"]
    following.follow()
    ids = list(entity.records().order_by("pk").values_list("pk", flat=True)[: count + 5])
    taken = []
    for number, id_ in enumerate(ids):
        records.update_record(entity, id_, {"job_title": f"Job {time.time()}"}, by=SETUP)
        made = _timed(following.follow)
        if number >= 5:
            taken.append(made)
    return {
        "p50": statistics.median(whole for whole, _database in taken),
        "limit": statistics.median(database for _whole, database in taken),
    }


FORM = ("first_name", "last_name", "email", "business_phone", "mobile_phone", "address1_line1",
        "address1_city", "address1_postal_code", "job_title")  # fmt: skip


def ask(count: int) -> dict[str, Any]:
    """The door, for records that somebody may be about to save: half of them are known already
    in another spelling."""
    from rapport.duplicates.find import Proposed, find
    from rapport.meta.registry import registry
    from rapport.models import Contact, User

    from . import crowd

    pick = random.Random(7)  # noqa: S311 -- believable data, not secrets
    every = list(Contact.objects.order_by("pk").values_list("pk", flat=True))
    ids = every[:: max(1, len(every) // count)][:count]
    chosen = Contact.objects.filter(pk__in=ids).select_related("account").order_by("pk")
    proposed = []
    for number, row in enumerate(chosen):
        values = {name: getattr(row, name) for name in (*FORM, "birthday")}
        values["account"] = row.account_id
        if number % 2:
            values = crowd.damaged_person(pick, values)
        else:
            values |= {"first_name": f"Neu{number}", "email": f"new{number}@new.example"}
        values["full_name"] = f"{values['first_name']} {values['last_name']}"
        names = {"account": row.account.name} if values["account"] and row.account else {}
        proposed.append(Proposed(values, names))
    by = User.objects.get(email="admin@bench.example")
    entity = registry["contact"]
    for one in proposed[:20]:
        find(entity, [one], by=by)
    taken = [_timed(lambda one=one: find(entity, [one], by=by)) for one in proposed[20:]]
    start = time.perf_counter()
    many = (proposed * 4)[:1000]
    find(entity, many, by=by)
    batch = (time.perf_counter() - start) * 1000 / len(many)
    whole = [one for one, _database in taken]
    forms = [{name: one.values[name] or "" for name in FORM} for one in proposed[:76]]
    return {
        "p50": statistics.median(whole),
        "p95": statistics.quantiles(whole, n=20)[-1],
        "limit": statistics.median(database for _whole, database in taken),
        "batch": batch,
        "forms": forms,
    }


def merge(related: int) -> dict[str, float]:
    """Two accounts with so many contacts become one, and two again."""
    from rapport.actions import merge as room, undo
    from rapport.actions.people import SETUP
    from rapport.meta.registry import registry
    from rapport.models import Account, Contact

    first, second = Account.objects.order_by("pk")[:2]
    for account, start in ((first, 0), (second, related // 2)):
        ids = list(
            Contact.objects.order_by("pk").values_list("pk", flat=True)[
                start : start + related // 2
            ]
        )
        Contact.objects.filter(pk__in=ids).update(account=account)
    limit = _raw_merge(first.pk, second.pk)
    begin = time.perf_counter()
    op = room.merge(registry["account"], [first.pk, second.pk], by=SETUP, master=first.pk)
    merged = time.perf_counter()
    undo.undo(op, by=SETUP)
    return {"merge": merged - begin, "unmerge": time.perf_counter() - merged, "limit": limit}


def _raw_merge(master: Any, loser: Any) -> float:
    """Seconds of the bare statements: point the rows at the master, note each in the journal;
    rolled back."""
    from django.db import connection, transaction
    from django.utils import timezone

    from rapport.actions.people import SETUP
    from rapport.models import Operation

    if connection.vendor == "sqlite":
        master, loser = master.hex, loser.hex
    start = time.perf_counter()
    with transaction.atomic(), connection.cursor() as cursor:
        op = Operation.objects.create(
            kind="bench", actor=SETUP.name, started_at=timezone.now(), state="running"
        ).pk
        op = op.hex if connection.vendor == "sqlite" else op
        cursor.execute(
            "INSERT INTO rapport_change (operation_id, entity, record, verb, version, at) "
            "SELECT %s, 'contact', id, 2, version + 1, modified_at FROM rapport_contact "
            "WHERE account_id = %s",
            [op, loser],
        )
        cursor.execute(
            "UPDATE rapport_contact SET account_id = %s, version = version + 1 "
            "WHERE account_id = %s",
            [master, loser],
        )
        transaction.set_rollback(True)
    return time.perf_counter() - start


TASKS = {
    "fill_crowd": fill_crowd,
    "forget_radar": forget_radar,
    "radar": radar,
    "read_all": read_all,
    "follow": follow,
    "ask": ask,
    "merge": merge,
}
