"""Preferences: what a user chose to see. Not journalled: nobody asks who moved a column."""

from __future__ import annotations

from typing import Any

from rapport.models import Preference, User


def put(user: User, key: str, value: Any) -> None:
    """Keep `value` (plain JSON) as the preference `key` of `user`; None forgets it."""
    if value is None:
        Preference.objects.filter(user_id=user.pk, key=key).delete()
    else:
        Preference.objects.update_or_create(user_id=user.pk, key=key, defaults={"value": value})
