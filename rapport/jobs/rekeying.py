"""The job that makes match keys anew: {"entities": {name: fingerprint}}."""

from __future__ import annotations

import uuid

from rapport.actions import match_keys
from rapport.actions.lease import Run
from rapport.meta.registry import registry


class _Noticed:
    """What was stale when the clock was asked last."""

    before: dict[str, str] | None = None


def notice() -> None:
    """Ask for the job when keys are stale, and have been the last time too: by now every process
    writes the new ones."""
    stale = match_keys.stale()
    if stale and stale == _Noticed.before:
        match_keys.ask(stale)
    _Noticed.before = stale


def step(run: Run) -> bool:
    """One page of records."""
    wanted: dict[str, str] = run.job.parameters["entities"]
    names = sorted(wanted)
    with run.batch() as job:
        cursor = job.cursor or {"entity": names[0], "after": None}
        name = cursor["entity"]
        after = uuid.UUID(cursor["after"]) if cursor["after"] else None
        made = match_keys.make_anew(registry[name], after, run.size)
        if made:
            job.progress += len(made)
            job.cursor = {"entity": name, "after": str(made[-1])}
            return True
        # Remembered as what they were asked to be: newer rules make the clock ask again.
        match_keys.remember({name: wanted[name]})
        left = names[names.index(name) + 1 :]
        if left:
            job.cursor = {"entity": left[0], "after": None}
    return bool(left)
