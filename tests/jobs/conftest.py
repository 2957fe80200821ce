"""A worker in this process, and jobs that only count."""

import pytest


@pytest.fixture(autouse=True)
def counting_kind(monkeypatch, settings):
    # Here and below: when pytest loads this file, Django is not set up yet.
    from rapport.jobs import kinds
    from rapport.jobs.kinds import JobKind
    from tests.jobs import counting

    settings.QUEUE = "none"
    settings.JOB_RETRY_SECONDS = 0
    module = counting.__name__
    kind = JobKind(name="count", label="Count", step=f"{module}:step", ended=f"{module}:ended")
    monkeypatch.setitem(kinds.KINDS, "count", kind)
    counting.ends.clear()


@pytest.fixture
def count_to():
    """Ask for a job that counts."""

    from rapport.actions import jobs
    from rapport.actions.people import SETUP

    def ask(to, *, by=SETUP, **parameters):
        return jobs.enqueue("count", {"to": to, **parameters}, by=by, label=f"Count to {to}")

    return ask


@pytest.fixture
def worker(db):
    from rapport.jobs.worker import Worker

    return Worker()


@pytest.fixture
def work_off(worker):
    """Let the worker work until nothing is left to do; the job as it is stored then."""
    from rapport.models import Job

    def run(job, turns=100):
        for _ in range(turns):
            worker.turn()
            if not worker.runs and not Job.objects.filter(state="waiting").exists():
                break
        return Job.objects.get(pk=job.pk)

    return run
