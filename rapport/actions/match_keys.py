"""Match keys of stored records, made anew when rules need others or an upgrade makes others.

Which keys are stored is remembered by a fingerprint for each entity.
"""

from __future__ import annotations

import uuid

from django.db import transaction
from django.utils.translation import gettext as _

from rapport.access import SystemActor
from rapport.duplicates import keys
from rapport.meta.entity import Entity
from rapport.meta.registry import registry
from rapport.models import Job, RadarState
from rapport.queries.jobs import ALIVE

from . import derived, jobs, upkeep
from .rowvalues import from_columns

KIND = "duplicates.keys"
ACTOR = SystemActor("duplicates")
# The row of `RadarState` that remembers the fingerprints.
KEPT = "keys"
# So many records take no job.
FEW = 100


def fingerprints() -> dict[str, str]:
    """Of the keys that every entity would get now; of those that have keys at all."""
    return {
        entity.name: keys.fingerprint(entity)
        for entity in registry
        if keys.plan_of(entity).fields and not entity.scope
    }


def stale() -> dict[str, str]:
    """Entities whose stored keys are not the ones that they would get now, with the fingerprint of
    those. What has few records is put right at once."""
    kept = _kept()
    wanted = {name: print_ for name, print_ in fingerprints().items() if kept.get(name) != print_}
    few = {n: p for n, p in wanted.items() if not registry[n].records()[FEW : FEW + 1].exists()}
    for name, print_ in few.items():
        with transaction.atomic():
            make_anew(registry[name], None, FEW)
            remember({name: print_})
    return {name: print_ for name, print_ in wanted.items() if name not in few}


def ask(wanted: dict[str, str]) -> Job | None:
    """Ask for a job that makes the keys of these entities anew; None when one is under way."""
    with transaction.atomic():
        alive = Job.objects.filter(kind=KIND, state__in=ALIVE)
        if alive.exists():
            return None
        total = sum(registry[name].records().count() for name in wanted)
        label = _("Prepare the search for duplicates")
        return jobs.enqueue(KIND, {"entities": wanted}, by=ACTOR, label=label, total=total)


def remember(made: dict[str, str]) -> None:
    """The stored keys of these entities are up to date."""
    with transaction.atomic():
        state, _created = RadarState.objects.get_or_create(entity=KEPT)
        state.figures = {**state.figures, **made}
        state.save(update_fields=["figures"])


def _kept() -> dict[str, str]:
    return RadarState.objects.filter(entity=KEPT).values_list("figures", flat=True).first() or {}


def make_anew(entity: Entity, after: uuid.UUID | None, size: int) -> list[uuid.UUID]:
    """Make the keys of the next `size` records behind `after`: their ids, none at the end. Needs a
    transaction."""
    found = entity.records().order_by("pk")
    if after is not None:
        found = found.filter(pk__gt=after)
    # Locked: keys made of what somebody is about to change would stay.
    found = found.select_for_update(of=("self",), no_key=True)
    stored = [(row["id"], from_columns(entity, row)) for row in found.values()[:size]]
    upkeep.replace_keys(entity, derived.keys_of(entity, stored))
    return [id_ for id_, _values in stored]
