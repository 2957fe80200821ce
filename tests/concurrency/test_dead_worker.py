"""A worker dies while the database still writes what it sent last."""

import subprocess
import sys

import psycopg
import pytest
from django.db import connection
from psycopg.conninfo import make_conninfo

from rapport.actions import jobs, lease
from rapport.actions.people import SETUP
from rapport.models import Job
from tests.installations import wait_for

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

GATE = 7_001
# All of a batch in one message: nobody is needed any more for its commit.
WORKER = """
import signal, sys
import psycopg
from rapport import processes
with psycopg.connect(sys.argv[1], autocommit=True) as database:
    database.execute("UPDATE rapport_job SET worker = %s", [processes.name()])
    database.pgconn.send_query(sys.argv[2].encode())
    database.pgconn.flush()
    print(database.info.backend_pid, flush=True)
    signal.pause()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux to tell processes apart")
def test_job_is_taken_over_with_what_the_dead_worker_had_sent():
    job = jobs.enqueue("count", {"to": 9}, by=SETUP, label="Count")
    lease.take("nobody yet", ["count"])
    batch = f"BEGIN; UPDATE rapport_job SET progress = 4; SELECT pg_advisory_lock({GATE}); COMMIT"
    found = connection.get_connection_params()
    names = ("host", "port", "user", "password", "dbname")
    address = make_conninfo(**{name: found[name] for name in names if found.get(name)})
    with psycopg.connect(address, autocommit=True) as gate:
        gate.execute("SELECT pg_advisory_lock(%s)", [GATE])
        process = subprocess.Popen(
            [sys.executable, "-c", WORKER, address, batch], stdout=subprocess.PIPE, text=True
        )
        backend = int(process.stdout.readline())
        blocked = "SELECT 1 FROM pg_locks WHERE pid = %s AND locktype = 'advisory' AND NOT granted"
        wait_for(lambda: gate.execute(blocked, [backend]).fetchone(), "its batch")
        process.kill()
        process.communicate()
        before = lease.sweep(lease=60)
        gate.execute("SELECT pg_advisory_unlock(%s)", [GATE])
    wait_for(lambda: lease.sweep(lease=60), "its commit")
    run = lease.take("next", ["count"])

    assert (before, run.job.pk, run.job.progress, run.job.attempts) == (0, job.pk, 4, 2)
    assert Job.objects.get().worker == "next"
