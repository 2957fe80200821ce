"""What people decide about records that look alike, and the queue that the radar fills."""

from __future__ import annotations

import datetime
import json
import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any

from django.db import connection, transaction
from django.db.models import Max, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from rapport import access
from rapport.access import Actor, SystemActor
from rapport.meta.batches import batches
from rapport.meta.entity import Entity
from rapport.meta.kinds import Ref
from rapport.meta.registry import registry
from rapport.models import DuplicatePair, Job, LearnedWeights, RadarState
from rapport.models.duplicates import PairStatus
from rapport.models.operations import JobState
from rapport.queries import duplicates, radar
from rapport.queries.jobs import ALIVE
from rapport.queries.quality import Figure

from . import jobs, match_keys, quality
from .records import InvalidRecord, RecordNotFound

ACTOR = SystemActor("radar")
# The row of `RadarState` that stands for all entities.
WHOLE = "*"
# Everything is searched again so often, and when so many records more have come and they are more
# than there were: others may teach other weights.
LEARN_AGAIN = datetime.timedelta(days=7)
GROWN = 2000
# A search that was cancelled, or that failed, is not asked for again so soon.
RETRY_AFTER = datetime.timedelta(days=1)
# Two of whom one names the other are hardly the same, however alike they look.
DOUBTED = 50
# What people can say of a pair; that it was merged shows by itself.
DECISIONS = (PairStatus.OPEN, PairStatus.LATER, PairStatus.DIFFERENT)
# Measures of `QualityFigure`.
OPEN_PAIRS, MERGED_PAIRS = "duplicates.open", "duplicates.merged"


@dataclass(frozen=True, slots=True)
class Found:
    """Two records that look alike, as the radar finds them; see DuplicatePair."""

    one: Ref
    other: Ref
    rule: str
    confidence: int
    weight: float
    effort: int = 0
    reasons: list[Any] = field(default_factory=list)


def decide(
    pair_ids: Collection[int],
    status: str,
    *,
    by: Actor,
    now: datetime.datetime | None = None,
) -> int:
    """Remember for these pairs that they are different, or for later, or open again; how many were
    decided anew. All or none. Raises RecordNotFound when one is not there or `by` may not read both
    records, InvalidRecord."""
    status = _decision(status)
    with transaction.atomic():
        wanted = set(pair_ids)
        found = duplicates.visible(by, DuplicatePair.objects.filter(pk__in=wanted))
        seen = set(found.values_list("pk", flat=True))
        if seen != wanted:
            raise RecordNotFound("duplicate pair")
        return _decide(seen, status, by, now)


def decide_cluster(
    entity: Entity,
    ids: Sequence[uuid.UUID],
    status: str,
    *,
    by: Actor,
    now: datetime.datetime | None = None,
) -> int:
    """The same for every two of these records, also for those that were not found alike: the radar
    will not bring them up. Raises RecordNotFound, InvalidRecord."""
    return remember([Ref(entity.name, id_) for id_ in ids], status, by=by, now=now)


def remember(
    records: Collection[Ref],
    status: str,
    *,
    by: Actor,
    now: datetime.datetime | None = None,
) -> int:
    """The same for every two of these records of any entity. Raises RecordNotFound,
    InvalidRecord."""
    status = _decision(status)
    wanted = set(records)
    if len(wanted) > duplicates.CLUSTER:
        raise InvalidRecord({"": [_("These are too many records at once.")]})
    with transaction.atomic():
        _require_read(wanted, by)
        couples = [duplicates.in_order(one, other) for one, other in combinations(wanted, 2)]
        if status == PairStatus.DIFFERENT:
            _make_missing(couples, now or timezone.now())
        firsts = [first.id for first, _second in couples]
        rows = DuplicatePair.objects.filter(first__in=firsts)
        known = {
            (Ref(*row[1:3]), Ref(*row[3:])): row[0]
            for row in rows.values_list("pk", "first_entity", "first", "second_entity", "second")
        }
        return _decide({known[two] for two in couples if two in known}, status, by, now)


def forget(pair_ids: Collection[int], *, by: Actor, now: datetime.datetime | None = None) -> int:
    """Take decisions back: the pairs are open again. Raises RecordNotFound."""
    return decide(pair_ids, PairStatus.OPEN, by=by, now=now)


def search_now(*, by: Actor, now: datetime.datetime | None = None) -> Job:
    """Ask for a search of the whole database; the job that is under way already, when there is
    one. Raises Forbidden unless `by` is an administrator."""
    if not access.is_administrator(by):
        raise access.Forbidden("search for duplicates")
    alive = Job.objects.filter(kind=radar.KIND, state__in=ALIVE, cancel_asked=False).first()
    return alive or jobs.enqueue(radar.KIND, {}, by=by, label=_("Search for duplicates"), now=now)


def _decision(status: str) -> PairStatus:
    if status not in DECISIONS:
        raise InvalidRecord({"status": [_("This cannot be chosen.")]})
    return PairStatus(status)


def _decide(
    ids: Collection[int], status: PairStatus, by: Actor, now: datetime.datetime | None
) -> int:
    rows = DuplicatePair.objects.filter(pk__in=ids).exclude(status=status)
    if status == PairStatus.OPEN:
        # Never found alike, only said to be different: nothing is left of it.
        gone = rows.filter(confidence=0).delete()[0]
        return gone + rows.update(status=status, decided_by=None, decided_at=None)
    who = None if isinstance(by, SystemActor) else by
    return rows.update(status=status, decided_by=who, decided_at=now or timezone.now())


def _require_read(records: Collection[Ref], by: Actor) -> None:
    for name in {ref.entity for ref in records}:
        ids = {ref.id for ref in records if ref.entity == name}
        if name not in registry or access.allowed_ids(ids, registry[name], by, access.READ) != ids:
            raise RecordNotFound(name)


def _make_missing(couples: Sequence[tuple[Ref, Ref]], now: datetime.datetime) -> None:
    made = [
        DuplicatePair(
            first_entity=first.entity,
            first=first.id,
            second_entity=second.entity,
            second=second.id,
            rule="",
            confidence=0,
            found_at=now,
        )
        for first, second in couples
    ]
    DuplicatePair.objects.bulk_create(made, ignore_conflicts=True)


# -- what the radar finds --------------------------------------------------------------------------

_KEPT = (
    "first_entity", "first", "second_entity", "second", "rule", "confidence", "weight", "effort",
    "reasons", "status", "found_at",
)  # fmt: skip
# What is found again; what people decided stays, and a pair that was merged is two records again.
_FOUND_AGAIN = ("rule", "confidence", "weight", "effort", "reasons")


def keep(found: Iterable[Found], *, now: datetime.datetime) -> None:
    """Put pairs into the queue, or renew what is known of them; what people decided stays. All of
    them must be records that exist. A lead and what it was qualified into have no place in it."""
    found = list(found)
    linked = duplicates.linked((pair.one, pair.other) for pair in found)
    above = duplicates.above((pair.one, pair.other) for pair in found)
    _forget_linked(linked)
    prepare = DuplicatePair._meta.get_field("first").get_db_prep_save
    rows = []
    for pair in found:
        if frozenset((pair.one, pair.other)) in linked:
            continue
        first, second = duplicates.in_order(pair.one, pair.other)
        if frozenset((pair.one, pair.other)) in above:
            pair = replace(
                pair, confidence=min(pair.confidence, DOUBTED), weight=min(pair.weight, 0.0)
            )
        rows.append(
            (
                first.entity, prepare(first.id, connection),
                second.entity, prepare(second.id, connection),
                pair.rule, pair.confidence, pair.weight, pair.effort, json.dumps(pair.reasons),
                PairStatus.OPEN.value, now,
            )
        )  # fmt: skip
    if not rows:
        return
    table = connection.ops.quote_name(DuplicatePair._meta.db_table)
    marks = ", ".join(["%s::jsonb" if n == "reasons" else "%s" for n in _KEPT])
    if connection.vendor == "sqlite":
        marks = ", ".join(["%s"] * len(_KEPT))
    renewed = ", ".join(
        # Why two are different is known, and from whom.
        f"rule = CASE WHEN {table}.status = 'different' THEN {table}.rule ELSE excluded.rule END"
        if name == "rule"
        else f"{name} = excluded.{name}"
        for name in _FOUND_AGAIN
    )
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {table} ({', '.join(_KEPT)}) VALUES ({marks}) "
            f"ON CONFLICT (first, second) DO UPDATE SET {renewed}, status = "
            f"CASE WHEN {table}.status = 'merged' THEN 'open' ELSE {table}.status END",
            rows,
        )


def _forget_linked(linked: Collection[frozenset[Ref]]) -> None:
    ends = {duplicates.in_order(*both) for both in linked}
    gone = {(first.id, second.id) for first, second in ends}
    for part in batches({first for first, _second in gone}, 500):
        rows = DuplicatePair.objects.filter(first__in=part, status__in=duplicates.UNDECIDED)
        found = rows.values_list("pk", "first", "second")
        waiting = [pk for pk, *both in found if tuple(both) in gone]
        DuplicatePair.objects.filter(pk__in=waiting).delete()


def drop(pair_ids: Collection[int]) -> None:
    """Take open pairs out of the queue that do not look alike any more."""
    for part in batches(pair_ids):
        DuplicatePair.objects.filter(pk__in=part, status=PairStatus.OPEN).delete()


def leave(gone: Collection[uuid.UUID], merged: Collection[frozenset[uuid.UUID]]) -> None:
    """Take open pairs of records that are gone out of the queue; `merged`: sets of records that
    became one. What people decided waits for their return, and holds for what they became."""
    for part in batches(gone, 500):
        _hand_down(part, merged)
        rows = duplicates.touching(part).filter(status__in=duplicates.UNDECIDED)
        ends = list(rows.values_list("pk", "first", "second"))
        united = [pk for pk, *two in ends if any(two[0] in m and two[1] in m for m in merged)]
        DuplicatePair.objects.filter(pk__in=united).update(status=PairStatus.MERGED)
        drop([pk for pk, *_two in ends if pk not in set(united)])


# What was said of a record that was merged is said of the one that stayed, until it is back.
_INHERITED = "inherited:"


def _hand_down(gone: Collection[uuid.UUID], merged: Collection[frozenset[uuid.UUID]]) -> None:
    masters = {
        id_: next(iter(both - set(gone)), None) for both in merged for id_ in both & set(gone)
    }
    if not masters:
        return
    decided = duplicates.touching(masters).filter(status=PairStatus.DIFFERENT)
    for row in decided.exclude(rule__startswith=_INHERITED):
        ends = (Ref(row.first_entity, row.first), Ref(row.second_entity, row.second))
        loser, other = ends if ends[0].id in masters else (ends[1], ends[0])
        master = masters[loser.id]
        if master is None or other.id in (master, *masters):
            continue
        first, second = duplicates.in_order(Ref(loser.entity, master), other)
        pair = DuplicatePair.objects.filter(first=first.id, second=second.id)
        if not pair.exists():
            _make_missing([(first, second)], row.decided_at or row.found_at)
        pair.filter(status__in=duplicates.UNDECIDED).update(
            status=PairStatus.DIFFERENT,
            rule=f"{_INHERITED}{loser.id}",
            decided_by=row.decided_by_id,
            decided_at=row.decided_at,
        )


def _take_back(ids: Collection[uuid.UUID]) -> None:
    """Records that were merged are back: what was said of them is said of them alone."""
    for part in batches(ids, 500):
        said = duplicates.touching(part).filter(status=PairStatus.DIFFERENT)
        others = {id_ for two in said.values_list("first", "second") for id_ in two}
        if others:
            tags = [f"{_INHERITED}{id_}" for id_ in part]
            inherited = duplicates.touching(others).filter(rule__in=tags)
            _decide(list(inherited.values_list("pk", flat=True)), PairStatus.OPEN, ACTOR, None)


def keep_weights(rule: str, weights: dict[str, Any], *, now: datetime.datetime) -> None:
    """Remember what was learned about the rule with this key."""
    values = {"weights": weights, "learned_at": now}
    LearnedWeights.objects.update_or_create(rule=rule, defaults=values)


def learned_at() -> datetime.datetime | None:
    """When something was last learned."""
    newest = LearnedWeights.objects.order_by("-learned_at")
    return newest.values_list("learned_at", flat=True).first()


def last_pair() -> int:
    """The number of the newest pair."""
    return DuplicatePair.objects.aggregate(last=Max("pk"))["last"] or 0


def count_open() -> int:
    """How many pairs wait in the queue."""
    return DuplicatePair.objects.filter(status=PairStatus.OPEN).count()


def open_pairs(after: int, upto: int, limit: int) -> list[DuplicatePair]:
    """The next undecided pairs, by number."""
    rows = DuplicatePair.objects.filter(pk__gt=after, pk__lte=upto, status__in=duplicates.UNDECIDED)
    return list(rows.order_by("pk")[:limit])


def open_pairs_of(ids: Collection[uuid.UUID]) -> list[DuplicatePair]:
    """The undecided pairs that hold one of these records."""
    found: dict[int, DuplicatePair] = {}
    for part in batches(ids, 500):
        rows = duplicates.touching(part).filter(status__in=duplicates.UNDECIDED)
        found.update((row.pk, row) for row in rows)
    return list(found.values())


# -- how far it has looked -------------------------------------------------------------------------


def state() -> RadarState | None:
    """How far the radar has looked; None when it never has."""
    return RadarState.objects.filter(entity=WHOLE).first()


def begin_state(rules: str, *, is_new: bool) -> None:
    """Let the radar begin: an installation that is new by following the journal from its start."""
    figures = {"rules": rules if is_new else "", "created": 0}
    RadarState.objects.get_or_create(entity=WHOLE, defaults={"figures": figures})


def is_searching() -> bool:
    """Whether a search, or the making of keys that it needs, is under way."""
    return Job.objects.filter(kind__in=(radar.KIND, match_keys.KIND), state__in=ALIVE).exists()


def ask_when_due(state: RadarState, rules: str, *, now: datetime.datetime) -> bool:
    """Ask for a search of everything when there never was one, when other rules are in force or
    there is much to learn anew; not again on the day on which one was cancelled or failed. True
    when it is due, so that the journal need not be followed before."""
    last = Job.objects.filter(kind=radar.KIND).order_by("-created_at").first()
    if last and last.state != JobState.DONE and (last.ended_at or now) > now - RETRY_AFTER:
        return False
    figures = state.figures
    grown = figures.get("created", 0) > max(GROWN, figures.get("records", 0))
    old = state.scanned_at is not None and state.scanned_at < now - LEARN_AGAIN
    if figures.get("rules") == rules and not grown and not old:
        return False
    if match_keys.stale():
        # They are about to be made anew, and only then all is found.
        return True
    with transaction.atomic():
        # Several workers look at the clock.
        list(RadarState.objects.select_for_update(no_key=True).filter(entity=WHOLE))
        if not is_searching():
            jobs.enqueue(radar.KIND, {}, by=ACTOR, label=_("Search for duplicates"), now=now)
    return True


def searched(*, change: int, at: datetime.datetime, figures: dict[str, Any]) -> None:
    """Everything has been searched through, as it was at number `change` of the journal."""
    records = sum(entity.records().count() for entity in duplicates.compared())
    RadarState.objects.update_or_create(
        entity=WHOLE,
        defaults={
            "change": change,
            "scanned_at": at,
            "figures": {**figures, "records": records, "created": 0},
        },
    )


def take_in(
    state: RadarState,
    position: int,
    alike: Iterable[Found],
    unlike: Collection[int],
    *,
    gone: Collection[uuid.UUID],
    merged: Collection[frozenset[uuid.UUID]],
    created: Collection[uuid.UUID],
    now: datetime.datetime,
) -> bool:
    """What changed up to number `position` of the journal has been judged. False when another
    worker was quicker: then nothing is kept."""
    figures = {**state.figures, "created": state.figures.get("created", 0) + len(created)}
    with transaction.atomic():
        mine = RadarState.objects.filter(entity=WHOLE, change=state.change)
        if not mine.update(change=position, figures=figures):
            return False
        # First those who are gone: of what was merged is remembered that it was.
        leave(gone, merged)
        _take_back(set(created) - set(gone))
        keep(alike, now=now)
        drop(unlike)
    state.change, state.figures = position, figures
    return True


def keep_figures(day: datetime.date) -> None:
    """How many pairs are open and were merged, per entity, for `day`."""
    figures = []
    for entity in duplicates.compared():
        holding = Q(first_entity=entity.name) | Q(second_entity=entity.name)
        total = entity.records().count()
        for measure, status in ((OPEN_PAIRS, PairStatus.OPEN), (MERGED_PAIRS, PairStatus.MERGED)):
            number = DuplicatePair.objects.filter(holding, status=status).count()
            figures.append(Figure(entity.name, measure, number, total))
    quality.keep(figures, day)
