"""After the radar has searched everything: duplicates among what changes, by the journal."""

from __future__ import annotations

import datetime
import hashlib
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils import timezone

from rapport.actions import duplicates, lease, match_keys, merge
from rapport.duplicates import blocks, rules
from rapport.duplicates.pairs import Judges, held_id
from rapport.meta.registry import registry
from rapport.models import Operation, RadarState
from rapport.models.journal import ChangeVerb
from rapport.queries import deltas
from rapport.queries.duplicates import compared

from . import pauses, radarpairs

# Changes that are taken in at once, and how many of them a new installation may begin with.
CHANGES_AT_ONCE = 500
BACKLOG = 5000
# Seconds that taking in may last before jobs have their turn again.
PATIENCE = 2.0


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
    rest = [row for row in waiting if radarpairs.pair_of(row) not in known]
    still, unlike = radarpairs.judged(judges, rest)
    created = [one.record for one in changes if one.verb == ChangeVerb.CREATE]
    return duplicates.take_in(
        state, position, [*map(radarpairs.found, alike), *still], unlike,
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
