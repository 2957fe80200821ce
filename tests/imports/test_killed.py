"""A real process that is killed in the middle of an import, and a worker that goes on with it."""

import signal

import pytest

ROWS = 2500
LEFT = """
from rapport.models import *
from rapport.jobs.worker import Worker
from django.utils import timezone
import datetime
Job.objects.filter(state="running").update(heartbeat_at=timezone.now() - datetime.timedelta(1))
worker = Worker()
while Job.objects.filter(state__in=("waiting", "running")).exists():
    worker.turn()
upload = ImportFile.objects.get()
rows = Change.objects.filter(entity="contact").values_list("row", flat=True)
print(upload.state, Job.objects.get(kind="import.apply").attempts, upload.counts["created"],
      Contact.objects.count(), Account.objects.count(), len(set(rows)), len(rows),
      upload.operation.state)
# The same file once more: all of it is there, with the keys by which it is found.
from rapport.imports import flow, uploads
with uploads.path_of(upload).open("rb") as stream:
    again = flow.receive([stream.read()], name="again.csv", entity="contact", by=upload.created_by)
flow.describe(again, by=upload.created_by)
flow.plan_now(again, by=upload.created_by)
print(ImportFile.objects.get(pk=again.pk).counts["same"])
"""


# On PostgreSQL workers are killed in `test_resume` and by the bench.
pytestmark = pytest.mark.once


@pytest.fixture
def installed(installation):
    """An installation with an administrator."""
    installation.environment["RAPPORT_QUEUE"] = "none"
    name = ("--name", "Ada Admin", "--role", "system-administrator", "--password-stdin")
    text = "correct horse battery\n"
    done = installation.run("user", "create", "ada@example.com", *name, text=text)
    assert done.returncode == 0, done.stderr
    return installation


def test_killed_import_is_finished_by_a_worker_and_nothing_is_doubled(installed, tmp_path):
    file = tmp_path / "people.csv"
    lines = [f"Anna,Bo {n},a{n}@x.de,Acme {n % 50}" for n in range(ROWS)]
    file.write_text("\n".join(["First Name,Last Name,Email,Company", *lines]), "utf-8")
    process = installed.start("import", str(file), "--entity", "contact")

    written = 0
    while not written and process.poll() is None:
        ((written,),) = installed.rows("SELECT count(*) FROM rapport_contact")
    process.send_signal(signal.SIGKILL)
    process.wait()

    assert 0 < written < ROWS
    found = installed.python(LEFT).split()
    assert found == [
        "done",
        "2",
        str(ROWS),
        str(ROWS),
        "50",
        str(ROWS),
        str(ROWS),
        "done",
        str(ROWS),
    ]
