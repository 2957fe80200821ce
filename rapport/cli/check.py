"""`rapport check`."""

from __future__ import annotations

import argparse
import json

from rapport.jobs import health

MARKS = {"ok": "ok     ", "warning": "warning", "failed": "FAILED "}


def run(args: argparse.Namespace) -> int:
    """Look at everything; 1 when something does not work."""
    found = health.thorough()
    if args.json:
        print(json.dumps(health.as_json(found), indent=2))
    else:
        for finding in found:
            print(f"{MARKS[finding.grade]} {finding.name}: {finding.text}")
    return int(any(finding.grade == "failed" for finding in found))
