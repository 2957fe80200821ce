"""What runs by the clock, and the queue that wakes workers."""

import contextlib
import datetime
import os
import threading
import time
from pathlib import Path

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import connection
from django.utils import timezone

from rapport.actions import (
    checking,
    jobs,
    journal,
    lease,
    people,
    records,
    retention,
    write,
)
from rapport.actions.people import SETUP
from rapport.jobs import clock, health, queue
from rapport.jobs.clock import Clock, Duty
from rapport.meta.registry import registry
from rapport.models import ImportFile, Job, Plan, PlanRow, SearchBacklog, SearchQueue, SignInLink
from rapport.queries import search
from tests.factories import make_contact, make_user
from tests.installations import PATIENCE

LONG_AGO = datetime.timedelta(days=400)


def test_clock_does_what_is_due_and_survives_what_fails(caplog):
    done = []

    def fail():
        done.append("fails")
        raise RuntimeError("no")

    duties = [
        Duty(name="fails", every=3600, do=fail),
        Duty(name="often", every=0, do=lambda: done.append("often")),
    ]
    ticking = Clock(duties)
    ticking.tick()
    ticking.tick()

    assert done == ["fails", "often", "often"]
    assert "fails failed" in caplog.text


@pytest.mark.django_db
def test_every_duty_can_be_done_on_an_empty_database(settings):
    settings.QUEUE = "none"

    for duty in clock.DUTIES:
        duty.do()


@pytest.mark.django_db
def test_first_records_of_a_long_operation_are_found_at_once_the_rest_after_it(settings):
    contact = registry["contact"]
    owner = make_user()

    def names_found():
        return [hit.title for hit in search.everywhere("lovelace", SETUP).get("contact", [])]

    def write_one(op, first_name):
        values = {"first_name": first_name, "last_name": "Lovelace", "owner": owner.pk}
        drafts = [checking.given(contact, values, by=SETUP)]
        assert not records.save_drafts(contact, drafts, op=op, by=SETUP, now=timezone.now())
        return drafts[0].id

    op = journal.begin("contact.import", by=SETUP)
    write_one(op, "Ada")
    journal.count(op, "created", write.FOUND_AT_ONCE)
    write_one(op, "Byron")
    gone = write_one(op, "Annabella")
    assert names_found() == ["Ada Lovelace"]

    job = jobs.enqueue("import.apply", {}, by=SETUP, label="")
    Job.objects.filter(pk=job.pk).update(state="running")
    clock.index_backlog()
    assert names_found() == ["Ada Lovelace"]

    Job.objects.filter(pk=job.pk).update(state="done")
    records.delete_records(contact, [gone], by=SETUP)
    clock.index_backlog()
    assert names_found() == ["Ada Lovelace", "Byron Lovelace"]
    assert not SearchBacklog.objects.exists()


@pytest.mark.django_db
def test_search_queue_is_drained():
    contact = make_contact(last_name="Lovelace")
    SearchQueue.objects.create(entity="contact", record=contact.pk)
    type(contact).objects.filter(pk=contact.pk).update(search_text="")

    clock.drain_search()

    contact.refresh_from_db()
    assert SearchQueue.objects.count() == 0
    assert "lovelace" in contact.search_text
    assert search.everywhere("lovelace", SETUP)


@pytest.mark.django_db
def test_retention_takes_old_files_and_plans_but_not_the_row(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    now = timezone.now()

    def upload(name, at):
        (tmp_path / name).write_text("a,b")
        file = ImportFile.objects.create(name=name, stored=name, created_at=at)
        plan = Plan.objects.create(kind="import", import_file=file, created_at=at)
        PlanRow.objects.create(plan=plan, row=1, fate="refused")
        return file

    old, new = upload("old.csv", now - LONG_AGO), upload("new.csv", now)
    Plan.objects.filter(import_file=upload("again.csv", now)).update(import_file=None)
    ImportFile.objects.get(name="again.csv").delete()
    (tmp_path / "again.csv").unlink()
    for state in ("done", "running"):
        Job.objects.create(kind="bulk", state=state, created_at=now - LONG_AGO)
    people.make_link(make_user(), now=now - LONG_AGO)
    people.make_link(make_user(), now=now)

    while retention.expire(now=now):
        pass

    assert [Path(f).name for f in sorted(tmp_path.iterdir())] == ["new.csv"]
    assert [ImportFile.objects.get(pk=f.pk).stored for f in (old, new)] == ["", "new.csv"]
    assert (Plan.objects.get().import_file, PlanRow.objects.count()) == (new, 1)
    assert Job.objects.get().state == "running"
    assert SignInLink.objects.count() == 1


@pytest.mark.django_db
def test_uploads_that_no_import_names_are_forgotten_after_a_day(settings, tmp_path):
    settings.MEDIA_ROOT, now = tmp_path, timezone.now()
    for name, days in (("named", 2), ("stray", 2), ("coming", 0)):
        folder = tmp_path / retention.UPLOADS / name
        folder.mkdir(parents=True)
        (folder / retention.ORIGINAL).write_text("a,b")
        at = (now - datetime.timedelta(days=days)).timestamp()
        os.utime(folder, (at, at))
    stored = f"{retention.UPLOADS}/named/{retention.ORIGINAL}"
    ImportFile.objects.create(name="a.csv", stored=stored, created_at=now)

    retention.expire(now=now)

    left = sorted(path.name for path in (tmp_path / retention.UPLOADS).iterdir())
    assert left == ["coming", "named"]


def test_what_was_made_ahead_goes_when_it_is_old_or_too_much(settings, tmp_path, monkeypatch):
    settings.MEDIA_ROOT, now = tmp_path, timezone.now()
    monkeypatch.setattr(retention, "AHEAD_BYTES", 10)
    names = ("original", "rows-a-0", "rows-b-0", "rows-c-0", "rows-d-0")
    for hours, (name, size) in enumerate(zip(names, (9, 4, 4, 4, 1), strict=True)):
        folder = tmp_path / "imports" / name
        folder.mkdir(parents=True)
        (folder / name).write_bytes(b"x" * size)
        at = (now - datetime.timedelta(hours=7 * hours)).timestamp()
        os.utime(folder / name, (at, at))

    retention.tidy_uploads(now=now)

    # The third is too much, the fourth too old.
    assert sorted(path.name for path in tmp_path.glob("*/*/*")) == ["original", *names[1:3]]


@pytest.mark.django_db
def test_sessions_that_have_run_out_are_cleared():
    for days in (-1, 1):
        session = SessionStore()
        session.set_expiry(timezone.now() + datetime.timedelta(days=days))
        session.save()

    retention.clear_sessions()

    assert Session.objects.get().expire_date > timezone.now()


# -- the queue -------------------------------------------------------------------------------------


@pytest.fixture
def own_queue(settings, tmp_path, transactional_db):
    """A queue of this test: a file of its own, or the tables of the test database."""
    settings.HOME = tmp_path
    settings.QUEUE = "auto"
    with contextlib.closing(queue.open_store()) as store:
        store.flush_all()
    return queue


def test_a_job_wakes_a_worker_when_it_is_committed(own_queue, monkeypatch):
    # By itself it would not wake in time.
    monkeypatch.setattr(queue, "LOOK_EVERY", 2 * PATIENCE)
    bell = own_queue.Bell()

    def sleep():
        bell.wait(lambda: False)
        # In the thread that listened: its connection is its own.
        bell.close()

    own_queue.bind()
    sleeper = threading.Thread(target=sleep, daemon=True)
    sleeper.start()
    jobs.enqueue("count", {}, by=SETUP, label="Count")
    sleeper.join(PATIENCE)

    assert not sleeper.is_alive()
    # Woken once, and only once.
    bell = own_queue.Bell()
    assert bell.store.dequeue() is None
    bell.close()


def test_a_worker_without_a_queue_looks_by_itself(settings, monkeypatch):
    settings.QUEUE = "none"
    monkeypatch.setattr(queue, "LOOK_EVERY", 0.05)
    begin = time.monotonic()
    bell = queue.Bell()

    bell.wait(lambda: False)

    assert bell.store is None
    assert time.monotonic() - begin >= 0.05


def test_a_stop_is_heard_while_waiting(settings, monkeypatch):
    settings.QUEUE = "none"
    monkeypatch.setattr(queue, "LOOK_EVERY", 60)
    begin = time.monotonic()

    queue.Bell().wait(lambda: True)

    assert time.monotonic() - begin < queue.LOOK_EVERY


def test_a_job_is_asked_for_although_the_queue_does_not_answer(settings, tmp_path, db):
    settings.HOME, settings.QUEUE = tmp_path / "missing", "auto"

    queue.wake()

    assert jobs.enqueue("count", {}, by=SETUP, label="Count").state == "waiting"


def test_workers_leave_signs_of_life(own_queue):
    bell = own_queue.Bell()
    bell.note("one", {"at": timezone.now().isoformat(), "jobs": 0})
    bell.note("two", {"at": (timezone.now() - LONG_AGO).isoformat(), "jobs": 0})

    grades = [finding.grade for finding in health.worker()]
    clock.forget_workers()
    left = sorted(own_queue.read_notes())
    bell.forget("one")

    assert (grades, left, own_queue.read_notes()) == (["ok"], ["one"], {})
    assert [finding.grade for finding in health.worker()] == ["warning"]
    bell.close()


# -- two workers on PostgreSQL ---------------------------------------------------------------------


@pytest.mark.postgres
def test_two_workers_never_take_the_same_job(transactional_db, settings):
    settings.QUEUE = "none"
    for number in range(20):
        jobs.enqueue("count", {}, by=SETUP, label=str(number))
    taken = []

    def take(name):
        while run := lease.take(name, ["count"]):
            taken.append(run.job.pk)
        connection.close()

    workers = [threading.Thread(target=take, args=(name,)) for name in ("one", "two")]
    for each in workers:
        each.start()
    for each in workers:
        each.join()

    assert (len(taken), len(set(taken))) == (20, 20)


@pytest.mark.postgres
def test_sweeper_leaves_a_job_alone_that_is_in_a_batch(transactional_db, settings):
    settings.QUEUE = "none"
    jobs.enqueue("count", {}, by=SETUP, label="Count")
    run = lease.take("one", ["count"])
    Job.objects.update(heartbeat_at=timezone.now() - LONG_AGO)
    swept = []

    def sweep():
        swept.append(lease.sweep(lease=60))
        connection.close()

    with run.batch():
        other = threading.Thread(target=sweep)
        other.start()
        other.join(PATIENCE)

    assert swept == [0]
    assert Job.objects.get().worker == "one"
