"""The radar: everything is searched through, then what changes."""

import datetime
import signal
import subprocess
import sys

import pytest
from django.utils import timezone

from rapport.actions import duplicates, jobs, lease, merge, records, undo
from rapport.actions.people import SETUP
from rapport.duplicates import blocks
from rapport.jobs import following, radar
from rapport.jobs.clock import Clock
from rapport.jobs.worker import advance
from rapport.meta.kinds import Ref
from rapport.meta.registry import registry
from rapport.models import (
    Change,
    DuplicatePair,
    Job,
    LearnedWeights,
    QualityFigure,
    RadarState,
)
from tests import factories
from tests.installations import LEASE, PATIENCE, wait_for

pytestmark = pytest.mark.django_db
CONTACT = registry["contact"]
ANNA = {
    "first_name": "Anna",
    "last_name": "Kellermann",
    "email": "anna.kellermann@stone.example",
    "business_phone": "+49 30 1234567",
}


@pytest.fixture
def search(worker):
    """Search everything."""
    worker.clock = Clock(())

    def run():
        job = duplicates.search_now(by=SETUP)
        while worker.turn() or worker.runs:
            pass
        return Job.objects.get(pk=job.pk)

    return run


@pytest.fixture
def followed():
    """The radar has read the journal so far."""
    following._follower.mark = None
    duplicates.begin_state(following.digest(), is_new=True)
    following.follow()


def two(**values):
    """The same person twice."""
    one = factories.make_contact(**ANNA)
    return one, factories.make_contact(**{**ANNA, "first_name": "Ana", **values})


def pairs(*fields):
    found = DuplicatePair.objects.order_by("first", "second")
    return list(found.values_list(*(fields or ("first", "second", "status"))))


def ordered(*records_):
    return tuple(sorted(record.pk for record in records_))


# -- everything ------------------------------------------------------------------------------------


def test_search_puts_what_is_alike_into_the_queue(search):
    one, other = two(email="")
    factories.make_contact(first_name="Boris", last_name="Quandt")

    job = search()

    assert pairs() == [(*ordered(one, other), "open")]
    row = DuplicatePair.objects.get()
    assert (row.first_entity, row.second_entity) == ("contact", "contact")
    assert (row.confidence >= 80, row.effort) == (True, 1)
    assert ["contact.business_phone", "same"] in [reason[:2] for reason in row.reasons]
    assert (job.state, job.result["found"], job.result["compared"] >= 1) == ("done", 1, True)
    state = RadarState.objects.get(entity="*")
    assert (state.change, state.figures["rules"]) == (
        Change.objects.latest("pk").pk,
        following.digest(),
    )
    assert LearnedWeights.objects.count() == 5
    figure = QualityFigure.objects.get(entity="contact", measure="duplicates.open")
    assert (figure.number, figure.total) == (1, 3)


def test_lead_is_found_beside_a_contact(search):
    contact = factories.make_contact(**ANNA)
    lead = factories.make_lead(**ANNA)

    search()

    assert pairs("first_entity", "first", "second_entity", "second") == [
        ("contact", contact.pk, "lead", lead.pk)
    ]


def test_each_pair_is_told_by_one_part(search, monkeypatch):
    monkeypatch.setattr(radar, "KEYS_AT_ONCE", 2)
    monkeypatch.setattr(radar, "WRITTEN_AT_ONCE", 1)
    made = [factories.make_contact(**ANNA) for _ in range(3)]

    told = []
    keep = duplicates.keep

    def listen(found, *, now):
        found = list(found)
        told.extend(found)
        keep(found, now=now)

    monkeypatch.setattr(duplicates, "keep", listen)
    job = search()

    assert blocks.extent() > 6
    assert (len(told), job.result["found"], len(pairs())) == (3, 3, 3)
    assert job.progress == job.total
    assert {row[0] for row in pairs()} | {row[1] for row in pairs()} == {one.pk for one in made}


def test_decisions_stay_and_what_is_not_alike_leaves(search):
    one, _other = two()
    search()
    row = DuplicatePair.objects.get()
    duplicates.decide([row.pk], "different", by=SETUP)
    third = factories.make_contact(last_name="Abel")
    gone = [
        duplicates.Found(factories.ref(one), factories.ref(third), "old", 90, 20.0),
        duplicates.Found(
            factories.ref(third), factories.ref(factories.make_lead()), "old", 90, 2.0
        ),
    ]
    duplicates.keep(gone, now=timezone.now())

    search()

    assert pairs("pk", "status") == [(row.pk, "different")]


def test_value_that_very_many_have_finds_nothing_and_is_told(search, monkeypatch):
    monkeypatch.setattr(blocks, "HELD_BY", 3)
    made = [
        factories.make_contact(first_name=f"{c * 4}", last_name=c * 6, email="info@stone.example")
        for c in "abcd"
    ]

    search()

    assert pairs() == []
    (crowded,) = RadarState.objects.get(entity="*").figures["crowded"]
    assert (crowded["entity"], crowded["records"]) == ("contact", 4)
    assert crowded["example"] in {str(one.pk) for one in made}


def test_other_worker_goes_on_from_the_cursor(monkeypatch):
    monkeypatch.setattr(radar, "KEYS_AT_ONCE", 2)
    two()
    job = duplicates.search_now(by=SETUP)
    first = lease.take("first", ["duplicates.radar"])
    while not DuplicatePair.objects.exists():
        assert advance(first)
    stood = Job.objects.get().cursor

    Job.objects.update(heartbeat_at=timezone.now() - datetime.timedelta(hours=1))
    lease.sweep(lease=60)
    second = lease.take("second", ["duplicates.radar"])
    assert advance(first) is False
    assert second.job.cursor == stood
    while advance(second):
        pass

    job.refresh_from_db()
    assert (job.state, job.result["found"], radar._hands) == ("done", 1, {})


# -- what changes ----------------------------------------------------------------------------------


def test_changed_record_is_found_and_leaves_when_it_differs(followed):
    one, other = two()
    far = factories.make_contact(first_name="Boris", last_name="Quandt")
    following.follow()
    assert pairs() == [(*ordered(one, other), "open")]

    change = {"email": "", "business_phone": "", "last_name": "Weber", "first_name": "Ida"}
    records.update_record(CONTACT, other.pk, change, by=SETUP)
    records.update_record(CONTACT, far.pk, ANNA, by=SETUP)
    following.follow()

    assert pairs() == [(*ordered(one, far), "open")]


def test_nothing_is_judged_when_nothing_changed(followed, django_assert_max_num_queries):
    with django_assert_max_num_queries(6):
        following.follow()


def test_deleted_record_leaves_and_returns(followed):
    one, other = two()
    following.follow()
    op = records.delete_records(CONTACT, [other.pk], by=SETUP)
    following.follow()
    assert pairs() == []

    undo.undo(op, by=SETUP)
    following.follow()
    assert pairs() == [(*ordered(one, other), "open")]


def test_merged_pair_is_remembered_and_opens_again(followed):
    one, other = two()
    third = factories.make_contact(**ANNA)
    following.follow()
    assert len(pairs()) == 3
    op = merge.merge(CONTACT, [one.pk, other.pk], by=SETUP, master=one.pk)
    following.follow()
    assert pairs() == sorted(
        [(*ordered(one, other), "merged"), (*ordered(one, third), "open")], key=str
    )

    undo.undo(op, by=SETUP)
    following.follow()
    assert [row[2] for row in pairs()] == ["open"] * 3


def test_what_was_said_of_a_merged_record_holds_for_the_one_that_stays(followed):
    one, other = two()
    third = factories.make_contact(**ANNA)
    following.follow()
    both = [Ref("contact", other.pk), Ref("contact", third.pk)]
    duplicates.remember(both, "different", by=SETUP)
    op = merge.merge(CONTACT, [one.pk, other.pk], by=SETUP, master=one.pk)
    following.follow()
    records.update_record(CONTACT, one.pk, {"job_title": "Baker"}, by=SETUP)
    following.follow()
    statuses = {row[:2]: row[2] for row in pairs()}
    assert statuses[ordered(one, third)] == statuses[ordered(other, third)] == "different"

    # Un-merged, the two are asked about again: nobody has said anything of them.
    undo.undo(op, by=SETUP)
    following.follow()
    statuses = {row[:2]: row[2] for row in pairs()}
    assert statuses[ordered(one, third)] == "open"
    assert statuses[ordered(other, third)] == "different"


def test_many_changes_are_taken_in_part_by_part(followed, monkeypatch):
    monkeypatch.setattr(following, "CHANGES_AT_ONCE", 2)
    one, other = two()
    factories.make_contact(first_name="Boris", last_name="Quandt")

    following.follow()

    assert pairs() == [(*ordered(one, other), "open")]
    assert RadarState.objects.get().change == Change.objects.latest("pk").pk


def test_worker_that_was_overtaken_keeps_nothing(followed):
    before = duplicates.state()
    RadarState.objects.update(change=before.change + 1)
    kept = duplicates.take_in(
        before, 99, [], [], gone=[], merged=[], created=[], now=timezone.now()
    )  # fmt: skip
    assert (kept, RadarState.objects.get().change) == (False, before.change + 1)


# -- when everything is searched -------------------------------------------------------------------


def asked():
    return list(Job.objects.values_list("kind", flat=True))


def test_installation_with_a_past_is_searched_once(monkeypatch):
    monkeypatch.setattr(following, "BACKLOG", 0)
    factories.make_contact()

    for _ in range(3):
        following.follow()

    assert asked() == ["duplicates.radar"]


def test_other_rules_old_weights_and_growth_ask_for_a_search(followed):
    now = timezone.now()
    state = duplicates.state()
    assert not duplicates.ask_when_due(state, following.digest(), now=now)

    for change in (
        {"figures": {**state.figures, "rules": "others"}},
        {"figures": {**state.figures, "created": duplicates.GROWN + 1}},
        {"scanned_at": now - 2 * duplicates.LEARN_AGAIN},
    ):
        Job.objects.all().delete()
        fresh = duplicates.state()
        for name, value in change.items():
            setattr(fresh, name, value)
        assert duplicates.ask_when_due(fresh, following.digest(), now=now)
        assert asked() == ["duplicates.radar"]


def test_cancelled_search_is_not_asked_for_again_the_same_day(followed, work_off):
    job = duplicates.search_now(by=SETUP)
    jobs.cancel(job, by=SETUP)
    work_off(job)
    state = duplicates.state()
    state.figures["rules"] = "others"

    assert not duplicates.ask_when_due(state, following.digest(), now=timezone.now())
    later = timezone.now() + 2 * duplicates.RETRY_AFTER
    assert duplicates.ask_when_due(state, following.digest(), now=later)


# -- processes of its own --------------------------------------------------------------------------

PREPARE = """
from rapport.actions import duplicates, people
from rapport.actions.people import SETUP
from tests import factories
factories.somebody()
for n in range(40):
    name = dict(first_name="Anna" + "abcdefghij"[n % 10], last_name="Keller" + "klmn"[n // 10] * 3)
    for _ in range(2):
        factories.make_contact(email=f"anna{n}@stone.example", **name)
duplicates.search_now(by=SETUP)
"""
DIE_HALF_WAY = """
import os, signal, sys
from multiprocessing import active_children
from rapport.jobs import radar
from rapport.jobs.clock import Clock
from rapport.jobs.worker import Worker
radar.ALONE, radar.KEYS_AT_ONCE = 0, 40
worker = Worker()
worker.clock = Clock(())
for _ in range(10_000):
    worker.turn()
    cursor = worker.runs[0].job.cursor or {}
    if cursor.get("phase") == "search" and cursor["part"] == 2:
        print(*(child.pid for child in active_children()), flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_killed_search_is_finished_and_its_crew_ends(installation):
    installation.python(PREPARE)
    killed = subprocess.run(
        [sys.executable, "-c", f"import django; django.setup()\n{DIE_HALF_WAY}"],
        env=installation.environment | {"DJANGO_SETTINGS_MODULE": "rapport.config.settings"},
        capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    # Its output has ended, so nobody holds it open any more.
    crew = [int(pid) for pid in killed.stdout.split()]
    assert (killed.returncode, len(crew)) == (-signal.SIGKILL, radar.PROCESSES)
    job = "SELECT state, attempts FROM rapport_job"
    assert installation.rows(job) == [("running", 1)]

    installation.start("worker", RAPPORT_JOB_LEASE_SECONDS=LEASE)
    wait_for(lambda: installation.rows(job)[0][0] == "done", "the end")

    assert installation.rows(job) == [("done", 2)]
    found = "SELECT count(*), count(DISTINCT first), min(status) FROM rapport_duplicatepair"
    assert installation.rows(found) == [(40, 40, "open")]
