"""Visits: which records a user opened last. Not journalled."""

from __future__ import annotations

import datetime
import uuid

from django.utils import timezone

from rapport import access
from rapport.meta.entity import Entity
from rapport.models import User, Visit

from .records import RecordNotFound


def record_visit(
    entity: Entity, id: uuid.UUID, *, by: User, now: datetime.datetime | None = None
) -> None:
    """Remember that `by` opened the record now. Raises RecordNotFound."""
    if not access.allowed_ids([id], entity, by, access.READ):
        raise RecordNotFound(entity.name)
    Visit.objects.update_or_create(
        user=by, entity=entity.name, record=id, defaults={"at": now or timezone.now()}
    )
