"""`rapport serve`, as real processes that are killed and asked."""

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress

import psutil
import pytest

from tests.installations import PATIENCE, page, wait_for


def address(installation):
    """Where it serves, once it says so and answers."""
    found = wait_for(
        lambda: re.search(r"Rapport is at (\S+)/\n", installation.output()), "the address"
    )
    wait_for(lambda: page(f"{found[1]}/health/live")[0] == 200, "the first answer")
    return found[1]


def ready(url):
    """The grades of /health/ready by name."""
    status, text = page(f"{url}/health/ready")
    return {check["name"]: check["grade"] for check in json.loads(text)["checks"]} | {"": status}


def children(process):
    return psutil.Process(process.pid).children(recursive=True)


def worker_of(installation):
    """Process id of the worker, as it signs its notes."""
    return [int(name.split()[2]) for name in notes_of(installation)]


def notes_of(installation):
    if installation.database.startswith("sqlite"):
        # Asked again and again: a process each time would cost more than what it waits for.
        queue = f"file:{installation.home / 'queue.db'}?mode=ro"
        # Not there yet, or empty yet.
        with suppress(sqlite3.OperationalError), closing(sqlite3.connect(queue, uri=True)) as store:
            found = store.execute("SELECT key FROM kv WHERE key LIKE 'worker %'").fetchall()
            return [key for (key,) in found]
        return []
    return installation.python(
        "from rapport.jobs import queue\nfor name in queue.read_notes(): print('worker', name)"
    ).splitlines()


def test_first_start_makes_everything_and_the_link_makes_an_administrator(new_installation):
    served = new_installation.start("serve", "--port", "0")

    url = address(new_installation)
    link = re.search(r"administrator within 24 hours: (\S+)", new_installation.output())[1]

    assert new_installation.output().startswith("Making the database …\n")
    assert link.startswith(f"{url}/welcome/")
    assert page(link)[0] == 200
    assert page(f"{url}/sign-in/")[0] == 200
    style = re.search(r'href="(/static/css/app\.[0-9a-f]+\.css)"', page(f"{url}/sign-in/")[1])[1]
    assert page(url + style)[0] == 200
    wait_for(lambda: ready(url).get("worker") == "ok", "the worker's sign of life")
    assert ready(url) == {
        "": 200, "database": "ok", "migrations": "ok", "disk": "ok", "worker": "ok",
    }  # fmt: skip

    below = children(served)
    served.send_signal(signal.SIGTERM)

    assert served.wait(PATIENCE) == 0
    assert [process for process in below if process.is_running()] == []
    assert worker_of(new_installation) == []
    # A second start says nothing of the database, and still has no administrator.
    new_installation.start("serve", "--port", "0", "--no-worker")
    address(new_installation)
    assert new_installation.output().startswith("Rapport is at ")
    assert "Create the first administrator" in new_installation.output()


@pytest.mark.once
def test_children_that_die_are_replaced(installation):
    served = installation.start("serve", "--port", "0")
    url = address(installation)
    worker = wait_for(lambda: worker_of(installation), "the worker")[0]
    webs = [process.pid for process in children(served) if process.pid != worker]

    os.kill(worker, signal.SIGKILL)
    other = wait_for(
        lambda: [pid for pid in worker_of(installation) if pid != worker], "another worker"
    )
    os.kill(webs[0], signal.SIGKILL)
    wait_for(
        lambda: (
            len([c for c in children(served) if c.pid not in other]) == len(webs)
            and webs[0] not in [c.pid for c in children(served)]
        ),
        "another web process",
    )

    assert page(f"{url}/health/live")[0] == 200
    served.send_signal(signal.SIGINT)
    assert served.wait(PATIENCE) in {0, 1}
    assert not psutil.pid_exists(other[0]) or psutil.Process(other[0]).status() == "zombie"


@pytest.mark.once
@pytest.mark.skipif(os.uname().sysname != "Linux", reason="needs Linux to tell children")
def test_children_end_with_a_server_that_is_killed(installation):
    served = installation.start("serve", "--port", "0")
    address(installation)
    wait_for(lambda: worker_of(installation), "the worker")
    below = children(served)

    served.kill()
    served.wait()

    wait_for(lambda: not any(c.is_running() for c in below), "the children to end")


@pytest.mark.once
def test_child_hears_signals_that_come_before_it_listens(untouched):
    child = (
        "import os, signal\nfrom rapport.cli import serve\n"
        "signal.signal(signal.SIGTERM, lambda *_: None)  # the server only notes it\n"
        "serve._end_like_others(os.getppid(), signal.SIGKILL)\n"
        "os.kill(os.getpid(), signal.SIGTERM)\n"
    )
    done = subprocess.run([sys.executable, "-c", child], env=untouched.environment, check=False)

    assert done.returncode == -signal.SIGTERM


@pytest.mark.once
def test_port_that_is_taken_is_named(untouched):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = untouched.run("serve", "--port", str(port))

    message = f"rapport serve: cannot listen on 127.0.0.1:{port}: Address already in use\n"
    assert (done.returncode, done.stderr) == (1, message)


def test_old_database_is_updated_and_sqlite_copied_before(installation):
    installation.python(
        "from django.core.management import call_command\n"
        "call_command('migrate', 'sessions', 'zero', verbosity=0)"
    )
    refused = installation.run("user", "list")
    done = installation.run("migrate")

    assert refused.stderr == (
        "rapport user: the database is of an older version; run: rapport migrate\n"
    )
    assert (done.returncode, "Updating the database (1 steps) …" in done.stdout) == (0, True)
    copies = list((installation.home / "backups").glob("rapport-*.db"))
    assert len(copies) == (1 if installation.database.startswith("sqlite") else 0)
