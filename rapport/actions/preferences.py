"""Preferences: what a user chose to see. Not journalled: nobody asks who moved a column."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from rapport.models import Preference, User


def put(user: User, key: str, value: Any) -> None:
    """Keep `value` (plain JSON) as the preference `key` of `user`; None forgets it."""
    if value is None:
        Preference.objects.filter(user_id=user.pk, key=key).delete()
    else:
        Preference.objects.update_or_create(user_id=user.pk, key=key, defaults={"value": value})


def add(user: User, key: str, values: Mapping[str, Any]) -> None:
    """Add `values` to the preference `key`, which holds a mapping."""
    with transaction.atomic():
        kept = Preference.objects.select_for_update().filter(user_id=user.pk, key=key).first()
        known = kept.value if kept and isinstance(kept.value, dict) else {}
        put(user, key, {**known, **values})
