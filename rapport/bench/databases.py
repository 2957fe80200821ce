"""Filled databases for the benches, kept between runs, and work done inside Django on them."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).resolve().parent.parent
# Server settings as a small real server has them; the rest is as it comes.
SERVER = {
    "shared_buffers": "512MB",
    "work_mem": "32MB",
    "maintenance_work_mem": "256MB",
    "random_page_cost": "1.1",
    "max_wal_size": "4GB",
}


@dataclass(frozen=True, slots=True)
class Data:
    """A filled database: its URL, who signs in, the folder that its servers use as home."""

    url: str
    people: dict[str, str]
    home: Path


def cache_folder() -> Path:
    """Where filled databases are kept between runs; a change of the schema or of the sample makes
    a new one. Not below a home folder: the database server runs as somebody else."""
    digest = hashlib.sha256()
    for source in sorted(
        [*(PACKAGE / "migrations").glob("*.py"), Path(__file__).parent / "sample.py"]
    ):
        digest.update(source.read_bytes())
    base = Path(os.environ.get("RAPPORT_BENCH_CACHE") or "/var/tmp")  # noqa: S108 -- see above
    folder = base / f"rapport-bench-{os.getuid()}-{digest.hexdigest()[:12]}"
    for old in base.glob(f"rapport-bench-{os.getuid()}-*"):
        if old != folder:
            shutil.rmtree(old, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    return folder


def filled(
    name: str,
    url: str,
    size: int,
    folder: Path,
    *,
    task: str,
    sample: str,
    digest: str = "",
    **arguments: object,
) -> Data:
    """The database of `sample` with `size` contacts; made by `task`, when the cache has none or one
    of another `digest`. `url`: of a PostgreSQL server, '' for SQLite."""
    home = folder / f"{sample}-{name.lower()}-{size}"
    home.mkdir(exist_ok=True)
    database = f"sqlite:///{home / 'rapport.db'}"
    if url:
        database = url.rpartition("/")[0] + f"/{sample}_{size}"
    note = home / "people.json"
    kept: dict[str, Any] = json.loads(note.read_text()) if note.exists() else {}
    if kept.get("digest") != digest:
        print(f"filling {name} with {size:,} contacts …", file=sys.stderr, flush=True)
        if url:
            _create_database(url, f"{sample}_{size}")
        else:
            for old in home.glob("rapport.db*"):
                old.unlink()
        made = inside(Data(database, {}, home), task, contacts=size, **arguments)
        kept = {"digest": digest, "people": made["people"]}
        note.write_text(json.dumps(kept))
    return Data(database, kept["people"], home)


def copied(data: Data, name: str) -> Data:
    """A database like `data` beside it, to be changed; an earlier one of this `name` is dropped."""
    home = data.home.with_name(f"{data.home.name}-{name}")
    shutil.rmtree(home, ignore_errors=True)
    # With what was uploaded; a database of its own makes its own queue.
    shutil.copytree(data.home, home, ignore=shutil.ignore_patterns("rapport.db-*", "queue.db*"))
    if data.url.startswith("sqlite"):
        return Data(f"sqlite:///{home / 'rapport.db'}", data.people, home)
    server, _slash, like = data.url.rpartition("/")
    _create_database(data.url.replace(f"/{like}", "/rapport"), f"{like}_{name}", like)
    return Data(f"{server}/{like}_{name}", data.people, home)


def _create_database(url: str, name: str, like: str = "") -> None:
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{name}"' + (f' TEMPLATE "{like}"' if like else ""))


def environment(data: Data) -> dict[str, str]:
    """Of a process that works on `data`."""
    return {
        **os.environ,
        "DATABASE_URL": data.url,
        "RAPPORT_HOME": str(data.home),
        "RAPPORT_DEBUG": "0",
        "DJANGO_SETTINGS_MODULE": "rapport.config.settings",
    }


def inside(data: Data, task: str, **arguments: object) -> dict[str, Any]:
    """What `task` of `bench.inside` found in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "rapport.bench.inside", task, json.dumps(arguments)],
        env=environment(data),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"bench task {task}: {done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found
