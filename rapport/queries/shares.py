"""With whom a record is shared."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from rapport.access import SHARED
from rapport.models import Share
from rapport.models.people import Verb

from .one import One


@dataclass(frozen=True, slots=True)
class Shared:
    """A user or team that a record is shared with, and what they may do besides reading."""

    principal: uuid.UUID
    kind: str
    name: str
    verbs: tuple[Verb, ...]


def shares_of(one: One) -> list[Shared]:
    """Everybody that the record is shared with, by name."""
    rows = Share.objects.filter(record_id=one.id).select_related("principal")
    return [
        Shared(
            row.principal_id,
            row.principal.kind,
            row.principal.name,
            tuple(Verb(verb) for verb, column in SHARED.items() if getattr(row, column)),
        )
        for row in rows.order_by("principal__name", "pk")
    ]
