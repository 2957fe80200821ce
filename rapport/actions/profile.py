"""What people change about themselves without being administrators."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from rapport.access import Forbidden
from rapport.meta.entity import Draft
from rapport.meta.registry import registry
from rapport.models import Operation, User

from . import journal, people, records, write

OWN_FIELDS = ("first_name", "last_name", "job_title", "phone", "language", "time_zone")


class WrongPassword(ValueError):
    """The present password is another one."""


def update_profile(
    user: User, values: Mapping[str, Any], *, now: datetime.datetime | None = None
) -> Operation:
    """Change one's own name and preferences. Raises Forbidden for another field, InvalidRecord."""
    if set(values) - set(OWN_FIELDS):
        raise Forbidden("write user")
    now = now or timezone.now()
    entity = registry["user"]
    with journal.operation("user.update", by=user, now=now) as op:
        current = write.load(entity, [user.pk])[user.pk]
        draft = Draft(id=user.pk, values=dict(values), current=current)
        if records.save_drafts(entity, [draft], op=op, by=user, now=now):
            raise records.InvalidRecord(draft.errors)
    return op


def change_password(user: User, *, present: str, wanted: str) -> None:
    """A new password for whoever knows the present one; the same one again is fine. Every session
    ends, for each holds a hash of what is stored. Raises WrongPassword."""
    with transaction.atomic():
        stored = User.objects.select_for_update().get(pk=user.pk)
        if not stored.check_password(present):
            raise WrongPassword
        people.set_password(stored, wanted)
    user.password = stored.password
