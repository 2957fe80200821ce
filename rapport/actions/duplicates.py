"""What people decide about records that look alike, and the search for all of them."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Collection, Sequence
from itertools import combinations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from rapport import access
from rapport.access import Actor, SystemActor
from rapport.meta.entity import Entity
from rapport.meta.kinds import Ref
from rapport.meta.registry import registry
from rapport.models import DuplicatePair, Job
from rapport.models.duplicates import PairStatus
from rapport.models.operations import JobState
from rapport.queries import duplicates

from . import jobs
from .records import InvalidRecord, RecordNotFound

RADAR = "duplicates.radar"
# What people can say of a pair; that it was merged shows by itself.
DECISIONS = (PairStatus.OPEN, PairStatus.LATER, PairStatus.DIFFERENT)
ALIVE = (JobState.WAITING, JobState.RUNNING)


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
    alive = Job.objects.filter(kind=RADAR, state__in=ALIVE, cancel_asked=False).first()
    return alive or jobs.enqueue(RADAR, {}, by=by, label=_("Search for duplicates"), now=now)


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
