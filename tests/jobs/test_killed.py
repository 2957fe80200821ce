"""A worker is killed in the middle of a job; another one finishes, and nothing is done twice."""

import signal

import pytest

from tests.installations import LEASE, PATIENCE, wait_for

COUNT = 1500
PREPARE = f"""
from django.utils import timezone
from rapport.actions import jobs, journal, people, records
from rapport.meta.entity import Draft
from rapport.meta.ids import new_id
from rapport.meta.registry import registry
from rapport.queries import query
ada = people.create_user(
    {{"last_name": "Ada", "email": "ada@x.example"}}, by=people.SETUP,
    roles=("system-administrator",),
)
account, now = registry["account"], timezone.now()
with journal.operation("account.create", by=ada, now=now) as op:
    names = [f"Account {{n}}" for n in range({COUNT})]
    drafts = [Draft(id=new_id(), values={{"name": name, "owner": ada.pk}}) for name in names]
    records.save_drafts(account, drafts, op=op, by=ada, now=now)
where = query.dumps(query.of_view(account, "all"))
what = {{"entity": "account", "command": "update", "query": where}}
jobs.enqueue("bulk", what | {{"form": {{"description": "done"}}}}, by=ada, label="Edit all")
"""
JOB = "SELECT state, progress, attempts FROM rapport_job"


def test_killed_worker_is_replaced_and_nothing_is_doubled(installation):
    installation.python(PREPARE)
    first = installation.start("worker", RAPPORT_JOB_LEASE_SECONDS=LEASE)
    wait_for(lambda: 0 < installation.rows(JOB)[0][1] < COUNT, "the first batches")

    first.send_signal(signal.SIGKILL)
    first.wait()
    state, progress, _attempts = installation.rows(JOB)[0]
    assert (state, 0 < progress < COUNT) == ("running", True)
    installation.start("worker", RAPPORT_JOB_LEASE_SECONDS=LEASE)
    wait_for(lambda: installation.rows(JOB)[0][0] != "running", "a worker to take it over")
    wait_for(lambda: installation.rows(JOB)[0][0] == "done", "the end")

    assert installation.rows(JOB) == [("done", COUNT, 2)]
    changed = "SELECT count(*), count(DISTINCT record) FROM rapport_change WHERE verb = 2"
    assert installation.rows(changed) == [(COUNT, COUNT)]
    versions = "SELECT version, description, count(*) FROM rapport_account GROUP BY 1, 2"
    assert installation.rows(versions) == [(2, "done", COUNT)]
    operations = "SELECT kind, state FROM rapport_operation WHERE kind = 'account.update'"
    assert installation.rows(operations) == [("account.update", "done")]


@pytest.mark.once
def test_worker_that_is_told_to_end_hands_over_at_once(installation):
    installation.python(PREPARE)
    first = installation.start("worker")
    wait_for(lambda: 0 < installation.rows(JOB)[0][1] < COUNT, "the first batches")

    first.send_signal(signal.SIGTERM)

    assert first.wait(PATIENCE) == 0
    state, progress, attempts = installation.rows(JOB)[0]
    assert (state, attempts, 0 < progress < COUNT) == ("waiting", 0, True)
    # No lease has to run out: the next worker goes on at once.
    installation.start("worker")
    wait_for(lambda: installation.rows(JOB)[0][0] == "done", "the end")
    assert installation.rows(JOB) == [("done", COUNT, 1)]
