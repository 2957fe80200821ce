"""The reference names every command, option and kind of job, and no other."""

import argparse
import re

from rapport.cli.parser import parser
from rapport.jobs.kinds import KINDS
from tests.meta.test_docs import ROOT


def commands(found, prefix=""):
    """{command: its options and arguments as the reference writes them}."""
    all_of_it = {}
    for action in found._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, below in action.choices.items():
                all_of_it |= commands(below, f"{prefix} {name}".strip())
    if all_of_it or not prefix:
        return all_of_it
    named = []
    for action in found._actions:
        if action.help == argparse.SUPPRESS or "--help" in action.option_strings:
            continue
        named.append(action.option_strings[-1] if action.option_strings else action.metavar)
    return {prefix: sorted(named)}


def test_every_command_and_option_is_in_the_reference():
    page = (ROOT / "docs/reference/commands.md").read_text("utf-8")
    rows = re.findall(r"(?m)^\| `([a-z ]+)` \| (.*?)\| ", page)

    listed = {name: sorted(re.findall(r"`([^`]+)`", text)) for name, text in rows}
    assert listed == commands(parser())


def test_every_kind_of_job_is_in_the_guide():
    page = (ROOT / "docs/developers/jobs.md").read_text("utf-8")
    rows = re.findall(r"(?m)^\| (`[^|]+`) \|", page)

    named = {name for row in rows for name in re.findall(r"`([^`]+)`", row)}
    assert named == set(KINDS)
