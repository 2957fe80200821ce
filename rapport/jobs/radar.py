"""The radar: looks for duplicates among all records. What changes afterwards, `following` looks at.

The job walks the match keys in the order of their hashes, part by part; a part is read and judged
in one go, and what it found is written with the cursor.
"""

from __future__ import annotations

import datetime
import shutil
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone

from rapport import processes
from rapport.actions import duplicates
from rapport.actions.lease import Run
from rapport.duplicates import blocks
from rapport.duplicates.pairs import Alike, Judges
from rapport.models import Job
from rapport.models.operations import JobState
from rapport.queries import deltas

from . import following, radarpairs, radarwork
from .crew import Crew, Over

# Keys that are read and judged in one go, and rows written at once.
KEYS_AT_ONCE = 60_000
WRITTEN_AT_ONCE = 1000
VERIFIED_AT_ONCE = 1000
# From this many keys other processes do the work.
ALONE = 200_000
PROCESSES = 2
# Seconds to wait for them before other jobs have their turn.
WAIT = 0.1
# Values shared by so many records that they tell nothing: how many of them are told.
CROWDED = 30

LEARN, COUNT, SHELVE, BIND, SEARCH, VERIFY = (
    "learn", "count", "shelve", "bind", "search", "verify",
)  # fmt: skip


@dataclass(slots=True)
class _Hand:
    """What the worker has in hand of a job beside its cursor; another one begins anew with that."""

    token: tuple[str, int]
    crew: Crew
    folder: str = ""
    phase: str = ""
    found: list[Alike] = field(default_factory=list)
    judged: int = 0
    crowded: list[tuple[int, int]] = field(default_factory=list)
    begun: bool = False


_hands: dict[uuid.UUID, _Hand] = {}


def step(run: Run) -> bool:
    """One batch."""
    try:
        cursor = run.job.cursor
        if cursor is None:
            return _begin(run)
        return {LEARN: _learn, SEARCH: _search, VERIFY: _verify}[cursor["phase"]](run, cursor)
    except BaseException:
        _let_go(run.job.pk)
        raise


def _begin(run: Run) -> bool:
    mark = deltas.mark()
    if not deltas.is_settled(mark):
        # What is being written now might be missed both by the search and by who follows it.
        run.beat()
        time.sleep(WAIT)
        return True
    keys = blocks.extent()
    with run.batch() as job:
        job.total = keys
        job.result = {"found": 0, "compared": 0}
        job.cursor = {
            "phase": LEARN,
            "part": 0,
            "parts": max(1, keys // KEYS_AT_ONCE),
            "started": timezone.now().isoformat(),
            "change": mark.change,
            "rules": following.digest(),
            "last": duplicates.last_pair(),
            "crowded": [],
        }
    return True


def _hand(run: Run) -> _Hand:
    """What is in hand of the job."""
    token = (run.job.worker, run.job.attempts)
    hand = _hands.get(run.job.pk)
    if hand is None or hand.token != token:
        _let_go(run.job.pk)
        count, folder = 0, ""
        if run.job.total and run.job.total > ALONE and not connection.in_atomic_block:
            count, folder = min(PROCESSES, processes.processors()), _folder()
        hand = _hands[run.job.pk] = _Hand(token, Crew(count), folder)
    return hand


def _begin_learning(hand: _Hand, job: Job, cursor: dict[str, Any]) -> None:
    hand.phase = LEARN
    keys = sorted(rule.key for rule in Judges().weighed())
    hand.crew.begin(radarwork.learn, [(str(job.pk), key) for key in keys[cursor["part"] :]])


def _begin_shelving(hand: _Hand, job: Job) -> None:
    hand.phase = COUNT
    hand.crew.renew()
    hand.crew.begin(radarwork.spans, [(str(job.pk),)])


def _shelve(hand: _Hand, job: Job, cursor: dict[str, Any]) -> None:
    """Wait a moment for the next records to be ready."""
    try:
        found = hand.crew.result(WAIT)
    except Over:
        if hand.phase == SHELVE:
            hand.phase = BIND
            hand.crew.begin(radarwork.bind, [(str(job.pk), hand.folder)])
        else:
            _begin_search(hand, job, cursor)
        return
    if hand.phase == COUNT and found:
        hand.phase = SHELVE
        tasks = enumerate(found[0])
        hand.crew.begin(
            radarwork.shelve, ((str(job.pk), hand.folder, *numbered) for numbered in tasks)
        )


def _begin_search(hand: _Hand, job: Job, cursor: dict[str, Any]) -> None:
    hand.phase, parts = SEARCH, cursor["parts"]
    hand.crew.renew()
    rest = range(cursor["part"], parts)
    hand.crew.begin(radarwork.search, ((str(job.pk), hand.folder, part, parts) for part in rest))


def _folder() -> str:
    """An empty folder for records that are made ready. What an earlier search left is removed: a
    worker that was killed could not."""
    folder = settings.HOME / "radar"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    return str(folder)


def _let_go(job: uuid.UUID) -> None:
    hand = _hands.pop(job, None)
    if hand is not None:
        hand.crew.close()
        if hand.folder:
            shutil.rmtree(hand.folder, ignore_errors=True)
    radarwork.leave_bench()


def _learn(run: Run, cursor: dict[str, Any]) -> bool:
    hand = _hand(run)
    if hand.phase != LEARN:
        _begin_learning(hand, run.job, cursor)
    try:
        found = hand.crew.result(WAIT)
    except Over:
        with run.batch() as job:
            job.cursor = {**cursor, "phase": SEARCH, "part": 0}
        return True
    if found is None:
        run.beat()
        return True
    with run.batch() as job:
        key, weights = found[0]
        duplicates.keep_weights(key, weights, now=timezone.now())
        job.cursor = {**cursor, "part": cursor["part"] + 1}
    return True


def _search(run: Run, cursor: dict[str, Any]) -> bool:
    hand = _hand(run)
    if hand.phase not in {COUNT, SHELVE, BIND, SEARCH}:
        if hand.folder:
            _begin_shelving(hand, run.job)
        else:
            _begin_search(hand, run.job, cursor)
    if hand.phase != SEARCH:
        _shelve(hand, run.job, cursor)
        run.beat()
        return True
    if not hand.begun:
        try:
            found = hand.crew.result(WAIT)
        except Over:
            with run.batch() as job:
                job.cursor = {**cursor, "phase": VERIFY, "part": 0, "after": 0}
            return True
        if found is None:
            run.beat()
            return True
        hand.found, hand.judged, hand.crowded = found[0]
        hand.begun = True
    part, hand.found = hand.found[:WRITTEN_AT_ONCE], hand.found[WRITTEN_AT_ONCE:]
    with run.batch() as job:
        duplicates.keep(map(radarpairs.found, part), now=timezone.now())
        job.result = {**job.result, "found": job.result["found"] + len(part)}
        if not hand.found:
            done = cursor["part"] + 1
            crowded = sorted([*map(tuple, cursor["crowded"]), *hand.crowded], key=lambda c: -c[1])
            job.cursor = {**cursor, "part": done, "crowded": crowded[:CROWDED]}
            job.result["compared"] += hand.judged
            job.progress = job.total * done // cursor["parts"]
    hand.begun = bool(hand.found)
    return True


def _verify(run: Run, cursor: dict[str, Any]) -> bool:
    """Judge again what waited in the queue before: some of it is not alike any more."""
    pairs = duplicates.open_pairs(cursor["after"], cursor["last"], VERIFIED_AT_ONCE)
    alike, unlike = radarpairs.judged(radarwork.judges_of(str(run.job.pk)), pairs)
    with run.batch() as job:
        duplicates.keep(alike, now=timezone.now())
        duplicates.drop(unlike)
        job.cursor = {**cursor, "after": pairs[-1].pk if pairs else cursor["after"]}
        if not pairs:
            started = datetime.datetime.fromisoformat(cursor["started"])
            seconds = (timezone.now() - started).total_seconds()
            found = duplicates.count_open()
            job.result = {**job.result, "found": found, "seconds": max(1, round(seconds))}
    return bool(pairs)


def ended(job: Job, state: JobState) -> None:
    """Remember how far the radar has looked. In the transaction that ends the job."""
    _let_go(job.pk)
    cursor = job.cursor
    if state != JobState.DONE or cursor is None:
        return
    duplicates.searched(
        change=cursor["change"],
        at=datetime.datetime.fromisoformat(cursor["started"]),
        figures={"rules": cursor["rules"], "crowded": _crowded(cursor["crowded"]), **job.result},
    )
    duplicates.keep_figures(timezone.localdate())


def _crowded(found: Sequence[Sequence[int]]) -> list[dict[str, Any]]:
    """Keys that too many records have, as somebody can look them up: one of the records."""
    examples = [(number, blocks.example(hash_)) for hash_, number in found]
    return [
        {
            "records": number,
            "entity": radarpairs.names()[one[0]],
            "example": str(uuid.UUID(hex=one[1])),
        }
        for number, one in examples
        if one is not None
    ]
