"""`rapport worker`."""

from __future__ import annotations

import argparse
import os
import sys

from rapport.jobs.worker import Worker

from . import prepare


def run(args: argparse.Namespace) -> None:
    """Work off jobs until told to stop."""
    prepare.require_database()
    work(args.child_of)


def work(child_of: int | None) -> None:
    """Work in this process, and when that has become too large in another one of its number: who
    watches it sees no change."""
    if Worker(child_of=child_of).work():
        sys.stdout.flush()
        sys.stderr.flush()
        called = command(child_of)
        os.execv(called[0], called)  # noqa: S606 -- ourselves


def command(child_of: int | None) -> list[str]:
    """What begins a worker."""
    of = [] if child_of is None else ["--child-of", str(child_of)]
    return [sys.executable, "-m", "rapport", "worker", *of]
