"""A real process that is killed in the middle of an import, and a worker that goes on with it."""

import contextlib
import json
import signal
import sqlite3

import pytest

from tests.installations import Installation

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
"""


@pytest.fixture
def installed(tmp_path):
    """An installation on SQLite with an administrator."""
    home = tmp_path / "home"
    home.mkdir()
    made = Installation(home, f"sqlite:///{home / 'rapport.db'}")
    made.environment["RAPPORT_QUEUE"] = "none"
    name = ("--name", "Ada Admin", "--role", "system-administrator", "--password-stdin")
    done = made.run("user", "create", "ada@example.com", *name, text="correct horse battery\n")
    assert done.returncode == 0, done.stderr
    return made


def contacts(installed):
    """How many there are, asked from outside."""
    path = installed.database.removeprefix("sqlite:///")
    with contextlib.closing(sqlite3.connect(path)) as database:
        return database.execute("SELECT count(*) FROM rapport_contact").fetchone()[0]


def test_killed_import_is_finished_by_a_worker_and_nothing_is_doubled(installed, tmp_path):
    file = tmp_path / "people.csv"
    lines = [f"Anna,Bo {n},a{n}@x.de,Acme {n % 50}" for n in range(ROWS)]
    file.write_text("\n".join(["First Name,Last Name,Email,Company", *lines]), "utf-8")
    process = installed.start("import", str(file), "--entity", "contact")

    written = 0
    while not written and process.poll() is None:
        written = contacts(installed)
    process.send_signal(signal.SIGKILL)
    process.wait()

    assert 0 < written < ROWS
    found = installed.python(LEFT).split()
    assert found == ["done", "2", str(ROWS), str(ROWS), "50", str(ROWS), str(ROWS), "done"]
    again = installed.run("import", str(file), "--entity", "contact", "--json")
    assert json.loads(again.stdout)["skipped"] == ROWS
