"""The radar: looks for duplicates among all records, and afterwards in what changes.

The job walks the match keys in the order of their hashes, part by part; a part is read and judged
in one go, and what it found is written with the cursor.
"""

from __future__ import annotations

import datetime
import hashlib
import shutil
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone

from rapport import processes
from rapport.actions import duplicates, lease, match_keys, merge
from rapport.actions.duplicates import Found
from rapport.actions.lease import Run
from rapport.duplicates import blocks, rules, shelf
from rapport.duplicates.pairs import Alike, Judges, held_id
from rapport.meta.kinds import Ref
from rapport.meta.registry import registry
from rapport.models import DuplicatePair, Job, Operation, RadarState
from rapport.models.journal import ChangeVerb
from rapport.models.operations import JobState
from rapport.queries import deltas
from rapport.queries.duplicates import compared

from . import pauses
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
# Changes that are taken in at once, and how many of them a new installation may begin with.
CHANGES_AT_ONCE = 500
BACKLOG = 5000
# Seconds that taking in may last before jobs have their turn again.
PATIENCE = 2.0
# Values shared by so many records that they tell nothing: how many of them are told.
CROWDED = 30

# Pairs of which it is remembered that they were told.
TOLD = 500_000
# Records that are made ready in one go.
SHELVED_AT_ONCE = 20_000

LEARN, COUNT, SHELVE, BIND, SEARCH, VERIFY = (
    "learn", "count", "shelve", "bind", "search", "verify",
)  # fmt: skip


# -- what is computed, here or in another process --------------------------------------------------


@dataclass(slots=True)
class _Bench:
    """What a process keeps between the tasks of one job."""

    job: str = ""
    judges: Judges | None = None
    # Pairs that were told before: many share several keys.
    told: set[int] = field(default_factory=set)


_bench = _Bench()


def _judges(job: str, folder: str = "") -> Judges:
    if _bench.job != job or _bench.judges is None:
        _leave_bench()
        _bench.job, _bench.judges = job, Judges()
        here = Path(folder) / _bench.judges.made_of
        if folder and here.is_dir():
            _bench.judges.shelf = shelf.Shelf(here)
    return _bench.judges


def _leave_bench() -> None:
    if _bench.judges is not None and _bench.judges.shelf is not None:
        _bench.judges.shelf.close()
    _bench.job, _bench.judges = "", None
    _bench.told.clear()


def learn(job: str, key: str) -> tuple[str, dict[str, Any]]:
    """What the records teach about the rule with this key."""
    judges = _judges(f"{job} learns")
    rule = next(rule for rule in judges.weighed() if rule.key == key)
    return key, judges.learn(rule).to_json()


def spans(job: str) -> list[tuple[int, str, str]]:
    """All the records, in parts to make ready."""
    return list(_judges(f"{job} shelves").spans(SHELVED_AT_ONCE))


def shelve(job: str, folder: str, number: int, span: tuple[int, str, str]) -> None:
    """Make some of the records ready for all who search."""
    judges = _judges(f"{job} shelves")
    here = Path(folder) / judges.made_of
    here.mkdir(exist_ok=True)
    code, after, upto = span
    judges.put_on_shelf(code, here / f"{number:06}.values", after, upto)


def bind(job: str, folder: str) -> None:
    """Make one index of all records that are ready."""
    here = Path(folder) / _judges(f"{job} shelves").made_of
    if here.is_dir():
        shelf.bind(here)


def search(
    job: str, folder: str, part: int, parts: int
) -> tuple[list[Alike], int, list[tuple[int, int]]]:
    """The pairs that are alike by the keys of one part, how many were judged, and the keys that
    too many records have."""
    judges = _judges(job, folder)
    few, crowded = blocks.shared(*blocks.part_of(part, parts))
    pairs = blocks.pairs(few, judges.compared)
    if len(_bench.told) > TOLD:
        _bench.told.clear()
    alike = judges.judge([pair for pair in pairs if hash(pair) not in _bench.told])
    _bench.told.update(hash((one.one, one.other)) for one in alike)
    return alike, len(pairs), crowded


# -- the job ---------------------------------------------------------------------------------------


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
            "rules": digest(),
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
    hand.crew.begin(learn, [(str(job.pk), key) for key in keys[cursor["part"] :]])


def _begin_shelving(hand: _Hand, job: Job) -> None:
    hand.phase = COUNT
    hand.crew.renew()
    hand.crew.begin(spans, [(str(job.pk),)])


def _shelve(hand: _Hand, job: Job, cursor: dict[str, Any]) -> None:
    """Wait a moment for the next records to be ready."""
    try:
        found = hand.crew.result(WAIT)
    except Over:
        if hand.phase == SHELVE:
            hand.phase = BIND
            hand.crew.begin(bind, [(str(job.pk), hand.folder)])
        else:
            _begin_search(hand, job, cursor)
        return
    if hand.phase == COUNT and found:
        hand.phase = SHELVE
        tasks = enumerate(found[0])
        hand.crew.begin(shelve, ((str(job.pk), hand.folder, *numbered) for numbered in tasks))


def _begin_search(hand: _Hand, job: Job, cursor: dict[str, Any]) -> None:
    hand.phase, parts = SEARCH, cursor["parts"]
    hand.crew.renew()
    rest = range(cursor["part"], parts)
    hand.crew.begin(search, ((str(job.pk), hand.folder, part, parts) for part in rest))


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
    _leave_bench()


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
        duplicates.keep(map(_found, part), now=timezone.now())
        job.result = {**job.result, "found": job.result["found"] + len(part)}
        if not hand.found:
            done = cursor["part"] + 1
            crowded = sorted([*map(tuple, cursor["crowded"]), *hand.crowded], key=lambda c: -c[1])
            job.cursor = {**cursor, "part": done, "crowded": crowded[:CROWDED]}
            job.result["compared"] += hand.judged
            job.progress = job.total * done // cursor["parts"]
    hand.begun = bool(hand.found)
    return True


def _found(alike: Alike) -> Found:
    return Found(
        _ref(alike.one), _ref(alike.other), alike.rule, alike.confidence, alike.weight,
        alike.effort, alike.reasons,
    )  # fmt: skip


def _ref(held: blocks.Held) -> Ref:
    return Ref(_names()[held[0]], uuid.UUID(hex=held[1]))


@cache
def _names() -> dict[int, str]:
    """Names of entities by their codes."""
    return {entity.code: entity.name for entity in registry if not entity.scope}


def _verify(run: Run, cursor: dict[str, Any]) -> bool:
    """Judge again what waited in the queue before: some of it is not alike any more."""
    pairs = duplicates.open_pairs(cursor["after"], cursor["last"], VERIFIED_AT_ONCE)
    alike, unlike = _judged(_judges(str(run.job.pk)), pairs)
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


def _judged(judges: Judges, rows: Sequence[DuplicatePair]) -> tuple[list[Found], list[int]]:
    """Those of `rows` that are alike, and the keys of the others."""
    held = {row.pk: _pair(row) for row in rows}
    alike = judges.judge(list(held.values()))
    known = {(one.one, one.other) for one in alike}
    return [_found(one) for one in alike], [pk for pk, two in held.items() if two not in known]


def _pair(row: DuplicatePair) -> blocks.Pair:
    one = (registry[row.first_entity].code, held_id(row.first))
    other = (registry[row.second_entity].code, held_id(row.second))
    return (one, other) if one < other else (other, one)


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
        {"records": number, "entity": _names()[one[0]], "example": str(uuid.UUID(hex=one[1]))}
        for number, one in examples
        if one is not None
    ]


# -- what changes ----------------------------------------------------------------------------------


def digest() -> str:
    """Changes when other rules are in force, or records get other keys."""
    parts = [
        (
            r.key,
            r.base,
            r.matching,
            r.threshold,
            r.case_sensitive,
            r.exclude_inactive,
            rules.dumps(r),
        )
        for r in rules.published()
    ]
    text = repr((sorted(parts), sorted(match_keys.fingerprints().items())))
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


@dataclass(slots=True)
class _Follower:
    """What this process keeps between two looks: how far the journal was written, and the judges
    while neither rules nor weights are others."""

    mark: deltas.Mark | None = None
    judges: Judges | None = None
    made_of: object = None


_follower = _Follower()


def follow(now: datetime.datetime | None = None) -> None:
    """Take in what changed since; ask for a search of everything where that is due."""
    now = now or timezone.now()
    state = duplicates.state()
    if duplicates.is_searching():
        return
    mark = _follower.mark or deltas.mark()
    if state is None:
        # A new installation has little to read; an old one is searched through.
        duplicates.begin_state(digest(), is_new=mark.change <= BACKLOG)
        return
    if duplicates.ask_when_due(state, digest(), now=now):
        return
    if mark.change <= state.change:
        _follower.mark = None
        return
    if not deltas.is_settled(mark):
        _follower.mark = mark
        return
    _follower.mark = None
    until = time.monotonic() + PATIENCE
    while _take_in(state, mark, now) and state.change < mark.change and time.monotonic() < until:
        pauses.after_writing(lease.TARGET["sqlite"])


def _take_in(state: RadarState, mark: deltas.Mark, now: datetime.datetime) -> bool:
    """The next changes of the journal; False when another worker was quicker."""
    entities = {entity.name for entity in compared()}
    changes, position = deltas.changes(state.change, mark, entities=entities, limit=CHANGES_AT_ONCE)
    judges = _lasting_judges(state)
    touched = {
        (registry[one.entity].code, held_id(one.record))
        for one in changes
        if registry[one.entity].code in judges.entities
    }
    gone = {one.record for one in changes if one.verb == ChangeVerb.DELETE}
    pairs = blocks.pairs_of(touched, judges.compared) if touched else set()
    alike = judges.judge(list(pairs))
    known = {(one.one, one.other) for one in alike}
    waiting = duplicates.open_pairs_of({one.record for one in changes})
    rest = [row for row in waiting if _pair(row) not in known]
    still, unlike = _judged(judges, rest)
    created = [one.record for one in changes if one.verb == ChangeVerb.CREATE]
    return duplicates.take_in(
        state, position, [*map(_found, alike), *still], unlike,
        gone=gone, merged=_merged(changes), created=created, now=now,
    )  # fmt: skip


def _lasting_judges(state: RadarState) -> Judges:
    made_of = (state.figures.get("rules"), duplicates.learned_at())
    if _follower.judges is None or _follower.made_of != made_of:
        _follower.judges, _follower.made_of = Judges(), made_of
    return _follower.judges


def _merged(changes: Sequence[deltas.Delta]) -> list[frozenset[uuid.UUID]]:
    """Sets of records that became one in these changes."""
    operations = {one.operation for one in changes if one.verb == ChangeVerb.DELETE}
    ends = Operation.objects.filter(pk__in=operations, kind__endswith=f".{merge.KIND}")
    return [
        frozenset(map(uuid.UUID, [found["master"], *found["losers"]]))
        for found in ends.values_list("parameters", flat=True)
    ]
