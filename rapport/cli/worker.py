"""`rapport worker`."""

import argparse

from rapport.jobs.worker import Worker

from . import prepare


def run(args: argparse.Namespace) -> None:
    """Work off jobs until told to stop."""
    prepare.require_database()
    Worker(child_of=args.child_of).work()
