"""`rapport demo`."""

from __future__ import annotations

import argparse
import sys

from django.utils import timezone

from rapport.actions import demo
from rapport.actions.demo import DEMO

from . import load
from .team import ADMINISTRATOR, DOMAIN, SALESPERSON


def run(args: argparse.Namespace) -> int:
    """Load the demo data, or remove it."""
    if args.remove:
        return _remove()
    if demo.is_loaded() and demo.is_whole():
        load.renew_passwords()
        print("The demo data is there already.")
        _tell_sign_in()
        return 0
    if not args.force and not demo.is_loaded() and load.has_records():
        print("rapport demo: there are records already; --force loads it beside", file=sys.stderr)
        return 1
    load.load(now=timezone.now(), progress=lambda text: print(text, flush=True))
    print("Demo data is loaded. Remove it with: rapport demo --remove")
    _tell_sign_in()
    return 0


def _remove() -> int:
    if not demo.is_loaded():
        print("There is no demo data.")
        return 0
    op = demo.remove(by=DEMO)
    print(f"Demo data is removed: {op.counts.get('deleted', 0)} records.")
    print(f"Back with: rapport undo {op.pk}")
    return 0


def _tell_sign_in() -> None:
    print("Sign in with")
    # The salesperson first: that home page shows the work of a day.
    for key, what in ((SALESPERSON, "salesperson"), (ADMINISTRATOR, "administrator")):
        print(f"  {key}@{DOMAIN}  {load.password()}  ({what})")
