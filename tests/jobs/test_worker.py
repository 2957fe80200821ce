"""Taking, doing, ending, retrying and cancelling jobs, with a worker in this process."""

import datetime
import subprocess
import sys

import pytest
from django.db.utils import ConnectionHandler
from django.utils import timezone

from rapport import processes
from rapport.access import Forbidden
from rapport.actions import jobs, lease
from rapport.actions.jobs import JobIsOver
from rapport.actions.lease import LostLease
from rapport.jobs import worker as worker_module
from rapport.jobs.worker import ATTEMPTS, Worker, advance
from rapport.models import Job
from tests.factories import make_user
from tests.jobs.counting import ends

pytestmark = pytest.mark.django_db


def stored(job):
    return Job.objects.get(pk=job.pk)


def long_ago():
    return timezone.now() - datetime.timedelta(hours=1)


def test_job_is_done_batch_by_batch(count_to, work_off):
    job = work_off(count_to(3))

    assert (job.state, job.progress, job.total, job.attempts) == ("done", 3, 3, 1)
    assert (job.worker, job.message, ends) == ("", "", [(job.pk, "done")])
    assert job.started_at <= job.ended_at


def test_worker_takes_turns_between_jobs(count_to, worker):
    first, second = count_to(9), count_to(9)

    for _ in range(4):
        worker.turn()

    assert (stored(first).progress, stored(second).progress) == (4, 3)


def test_worker_that_became_large_leaves_the_rest_to_a_new_process(count_to, worker, monkeypatch):
    monkeypatch.setattr(worker_module, "LARGE", 2)
    monkeypatch.setattr(worker_module, "FULL", 1)
    count_to(1)
    worker.turn()
    worker.turn()
    assert not worker.runs
    assert not worker.is_worn

    count_to(2)
    count_to(4)
    seen = []
    while not seen or worker.runs:
        worker.turn()
        seen.append((len(worker.runs), worker.is_worn))

    # Not while another job is in hand.
    assert (1, False) in seen
    assert seen[-1] == (0, processes.own_memory() > 0)


def test_error_is_tried_again_from_the_last_batch(count_to, work_off):
    job = work_off(count_to(4, stumble_at=3, times=2))

    assert (job.state, job.progress, job.attempts) == ("done", 4, 3)
    assert ends == [(job.pk, "done")]


def test_error_that_stays_fails_the_job_in_plain_words(count_to, work_off):
    job = work_off(count_to(4, stumble_at=3, times=99))

    message = f"It failed {ATTEMPTS} times (RuntimeError). The log says more."
    assert (job.state, job.progress, job.message) == ("failed", 2, message)
    assert ends == [(job.pk, "failed")]


def test_error_waits_before_the_next_try(count_to, worker, settings):
    settings.JOB_RETRY_SECONDS = 30
    job = count_to(4, stumble_at=1, times=1)

    worker.turn()
    worker.turn()

    job = stored(job)
    assert (job.state, job.attempts, worker.runs) == ("waiting", 1, [])
    assert job.message == "Something went wrong (RuntimeError). It will be tried again."
    assert job.not_before > timezone.now() + datetime.timedelta(seconds=25)


def test_refused_job_is_not_tried_again(count_to, work_off):
    job = work_off(count_to(4, refuse_at=2))

    assert (job.state, job.attempts, job.message) == ("failed", 1, "That is enough.")


def test_job_of_an_unknown_kind_is_left_for_newer_workers(worker):
    job = jobs.enqueue("from the future", {}, by=make_user(), label="?")

    worker.turn()

    assert stored(job).state == "waiting"


# -- two workers and one job ---------------------------------------------------------------------


def test_worker_that_lost_its_job_writes_nothing(count_to):
    job = count_to(9)
    slow = lease.take("slow", ["count"])
    advance(slow)
    Job.objects.filter(pk=job.pk).update(heartbeat_at=long_ago())
    assert lease.sweep(lease=60) == 1
    lease.take("quick", ["count"])

    assert advance(slow) is False
    slow._beaten = 0
    with pytest.raises(LostLease):
        slow.beat()

    job = stored(job)
    assert (job.progress, job.worker, job.attempts, job.state) == (1, "quick", 2, "running")


def test_same_worker_is_fenced_off_by_the_attempt(count_to):
    count_to(9)
    old = lease.take("one", ["count"])
    Job.objects.update(heartbeat_at=long_ago())
    lease.sweep(lease=60)
    lease.take("one", ["count"])

    assert advance(old) is False
    assert Job.objects.get().progress == 0


def test_other_worker_is_fenced_off_although_attempts_began_anew(count_to):
    alice = make_user()
    job = count_to(9, by=alice)
    hung = lease.take("hung", ["count"])
    Job.objects.filter(pk=job.pk).update(state="failed")
    jobs.retry(job, by=alice)
    quick = lease.take("quick", ["count"])

    assert (hung.job.attempts, quick.job.attempts) == (1, 1)
    assert advance(hung) is False
    assert stored(job).progress == 0


def test_sweeper_leaves_living_jobs_alone_and_can_run_twice(count_to):
    job = count_to(9)
    lease.take("one", ["count"])

    assert lease.sweep(lease=60) == 0
    Job.objects.filter(pk=job.pk).update(heartbeat_at=long_ago())
    assert (lease.sweep(lease=60), lease.sweep(lease=60)) == (1, 0)


def test_job_of_a_dead_process_waits_again_at_once_and_of_others_not(count_to):
    waiting = [count_to(9), count_to(9), count_to(9)]
    dead = "import sys; from rapport import processes; sys.stdout.write(processes.name())"
    gone = subprocess.run([sys.executable, "-c", dead], capture_output=True, text=True, check=True)
    elsewhere = gone.stdout[:-1] + "-"
    for name in (gone.stdout, elsewhere, processes.name()):
        lease.take(name, ["count"])

    # Elsewhere than on Linux nobody can say so.
    found = 1 if sys.platform == "linux" else 0
    assert (lease.sweep(lease=60), lease.sweep(lease=60)) == (found, 0)
    assert [stored(job).state for job in waiting[1:]] == ["running", "running"]
    if found:
        again = lease.take("next", ["count"])
        assert (again.job.pk, again.job.attempts) == (waiting[0].pk, 2)


def test_job_that_is_interrupted_too_often_fails(count_to, work_off):
    job = count_to(9)
    for _ in range(ATTEMPTS):
        lease.take("dies", ["count"])
        Job.objects.update(heartbeat_at=long_ago())
        lease.sweep(lease=60)

    job = work_off(job)

    assert (job.state, job.message) == ("failed", "It was interrupted too often.")
    assert ends == [(job.pk, "failed")]


def test_worker_that_is_told_to_stop_hands_its_jobs_over(count_to, worker):
    job = count_to(9)
    worker.turn()
    worker.stop()

    worker.turn()
    worker._hand_over()

    job = stored(job)
    assert (job.state, job.progress, job.attempts, job.worker) == ("waiting", 1, 0, "")
    assert Worker().name != worker.name


# -- cancel and retry ----------------------------------------------------------------------------


def test_cancelled_job_ends_between_batches(count_to, worker, work_off):
    alice = make_user()
    job = count_to(9, by=alice)
    worker.turn()

    jobs.cancel(job, by=alice)
    job = work_off(job)

    assert (job.state, job.progress, job.message) == ("cancelled", 1, "")
    assert ends == [(job.pk, "cancelled")]


def test_waiting_job_is_cancelled_before_it_starts(count_to, work_off):
    alice = make_user()
    job = count_to(9, by=alice)

    jobs.cancel(job, by=alice)

    job = work_off(job)
    assert (job.state, job.progress) == ("cancelled", 0)


def test_retry_goes_on_from_the_cursor(count_to, work_off):
    alice = make_user()
    job = work_off(count_to(4, by=alice, stumble_at=3, times=ATTEMPTS))
    Job.objects.filter(pk=job.pk).update(parameters={"to": 4})

    jobs.retry(job, by=alice)
    job = work_off(job)

    assert (job.state, job.progress, job.message) == ("done", 4, "")


def test_only_owner_and_administrator_end_a_job(count_to):
    alice, bob = make_user(), make_user()
    root = make_user(roles=("system-administrator",))
    job = count_to(9, by=alice)

    with pytest.raises(Forbidden):
        jobs.cancel(job, by=bob)
    with pytest.raises(Forbidden):
        jobs.retry(job, by=bob)
    jobs.cancel(job, by=root)

    assert stored(job).cancel_asked


def test_ended_job_is_not_cancelled_and_waiting_one_not_retried(count_to, work_off):
    alice = make_user()
    job = count_to(1, by=alice)

    with pytest.raises(JobIsOver):
        jobs.retry(job, by=alice)
    work_off(job)
    with pytest.raises(JobIsOver):
        jobs.cancel(job, by=alice)


# -- heartbeats and batch sizes ------------------------------------------------------------------


def test_beat_tells_progress_and_hears_that_the_job_is_to_end(count_to):
    alice = make_user()
    job = count_to(9, by=alice)
    run = lease.take("one", ["count"])
    Job.objects.update(heartbeat_at=long_ago())

    run.beat("Reading", 5)
    run.beat("Too soon to be written", 6)

    job = stored(job)
    assert (job.message, job.progress) == ("Reading", 5)
    assert job.heartbeat_at > long_ago() + datetime.timedelta(minutes=1)
    jobs.cancel(job, by=alice)
    run._beaten = 0
    with pytest.raises(lease.CancelAsked):
        run.beat()


@pytest.mark.parametrize(("seconds", "larger"), [(0.001, True), (5.0, False)])
def test_batches_adapt_to_how_long_they_take(seconds, larger):
    pace = lease.Pace()

    for _ in range(20):
        pace.learn(seconds)

    assert pace.size == (lease.LARGEST if larger else lease.SMALLEST)


def test_only_what_others_write_during_a_job_makes_batches_short(tmp_path, monkeypatch):
    place = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "one.db")}
    ours, theirs = (ConnectionHandler({"default": place})["default"] for _ in range(2))
    monkeypatch.setattr(lease, "connection", ours)
    others = lease.Others()

    assert not others.at_work()
    theirs.cursor().execute("CREATE TABLE asked_for_the_job (x)")
    others.from_now_on()
    assert not others.at_work()
    theirs.cursor().execute("CREATE TABLE saved_by_a_page (x)")
    assert others.at_work()
    ours.close()
    theirs.close()
