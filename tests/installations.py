"""Whole installations of Rapport: an own data folder and database, and the real command."""

import contextlib
import fcntl
import os
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

PATIENCE = 600  # a machine may be busy with much more than this
# Seconds after which a silent worker is given up. On Linux a dead one is known at once, so that no
# living one need be quick; elsewhere tests would wait too long.
LEASE = "3600" if sys.platform == "linux" else "20"


class Installation:
    """One installation. Processes that it starts end with it."""

    def __init__(self, home: Path, database: str):
        self.home = home
        self.database = database
        self.processes: list[subprocess.Popen[str]] = []
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("RAPPORT_", "DJANGO_"))}
        self.environment = kept | {
            "RAPPORT_HOME": str(home),
            "DATABASE_URL": database,
            "PYTHONPATH": str(Path(__file__).resolve().parent.parent),
        }

    def run(self, *arguments: str, text: str = "", **variables: str) -> subprocess.CompletedProcess:
        """Run `rapport …` to its end."""
        return subprocess.run(
            [sys.executable, "-m", "rapport", *arguments],
            env=self.environment | variables,
            input=text, capture_output=True, text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip

    def python(self, code: str) -> str:
        """What `code` prints, run where Rapport is set up."""
        done = subprocess.run(
            [sys.executable, "-c", f"import django; django.setup()\n{code}"],
            env=self.environment | {"DJANGO_SETTINGS_MODULE": "rapport.config.settings"},
            capture_output=True, text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def start(self, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        """Start `rapport …` and leave it running; its output goes to a file beside the data."""
        with (self.home / f"output-{len(self.processes)}").open("w") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "rapport", *arguments],
                env=self.environment | variables,
                stdout=output, stderr=subprocess.STDOUT, text=True,
            )  # fmt: skip
        self.processes.append(process)
        return process

    def output(self, number: int = -1) -> str:
        """What a started process has printed so far."""
        number = range(len(self.processes))[number]
        return (self.home / f"output-{number}").read_text()

    def rows(self, sql: str) -> list[tuple]:
        """Rows of the database, read past Django."""
        if self.database.startswith("sqlite"):
            path = self.database.removeprefix("sqlite:///")
            with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as found:
                return found.execute(sql).fetchall()
        with psycopg.connect(self.database) as found:
            return found.execute(sql).fetchall()

    def close(self) -> None:
        """End whatever still runs."""
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_for(condition, what: str, *, seconds: float = PATIENCE):
    """The first true value of `condition()`; asked again until then."""
    until = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < until, f"waited in vain for {what}"
        time.sleep(0.05)
    return found


def page(url: str) -> tuple[int, str]:
    """Status and text of a page; (0, '') while nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return 0, ""


class Databases:
    """New databases like the migrated one, which is made once for all test processes. `shared` is a
    folder that they have in common."""

    def __init__(self, folder: Path, shared: Path):
        self.folder = folder
        self.server = os.environ.get("DATABASE_URL", "")
        self.count = 0
        self.made: list[str] = []
        # Its address, and a line for each process that uses it.
        self.noted = shared / "migrated-database"
        with self._alone():
            lines = self.noted.read_text().splitlines() if self.noted.exists() else []
            if lines:
                self.migrated = lines[0]
            else:
                self.migrated = self.empty()
                self.made.clear()
                done = Installation(folder, self.migrated).run("migrate")
                assert done.returncode == 0, done.stderr
                lines = [self.migrated]
            self.noted.write_text("\n".join([*lines, "used"]))

    @contextlib.contextmanager
    def _alone(self):
        with self.noted.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def empty(self) -> str:
        """URL of a database without tables."""
        self.count += 1
        if not self.server.startswith("postgres"):
            return f"sqlite:///{self.folder / f'database-{self.count}.db'}"
        return self._create("")

    def copy(self) -> str:
        """URL of a database that is migrated."""
        self.count += 1
        if not self.server.startswith("postgres"):
            target = self.folder / f"database-{self.count}.db"
            self.copy_to(str(target)).close()
            return f"sqlite:///{target}"
        return self._create(f"TEMPLATE {urlsplit(self.migrated).path[1:]}")

    def copy_to(self, file: str) -> sqlite3.Connection:
        """Fill an SQLite database, which lives at least as long as the connection."""
        target = sqlite3.connect(file, uri=True)
        source = sqlite3.connect(self.migrated.removeprefix("sqlite:///"))
        with contextlib.closing(source):
            source.backup(target)
        return target

    def _create(self, like: str) -> str:
        name = f"rapport_installation_{os.getpid()}_{self.count}"
        with psycopg.connect(self.server, autocommit=True) as server:
            server.execute(f"CREATE DATABASE {name} {like}")
        self.made.append(name)
        return urlsplit(self.server)._replace(path=f"/{name}").geturl()

    def close(self) -> None:
        """Drop the databases; files go with their folder."""
        with self._alone():
            lines = self.noted.read_text().splitlines()[:-1]
            if len(lines) == 1:  # nobody else uses it
                self.noted.unlink()
                if self.server.startswith("postgres"):
                    self.made.append(urlsplit(self.migrated).path[1:])
            else:
                self.noted.write_text("\n".join(lines))
        for name in self.made:
            with psycopg.connect(self.server, autocommit=True) as server:
                server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
