"""What one user chose to see: default views, column widths."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from rapport.access import Actor, SystemActor
from rapport.models import Preference


def get(user: Actor, key: str, default: Any = None) -> Any:
    """The preference `key` of `user`."""
    return get_all(user, [key]).get(key, default)


def get_all(user: Actor, keys: Collection[str]) -> dict[str, Any]:
    """Several preferences at once, those that are there."""
    if isinstance(user, SystemActor):
        return {}
    found = Preference.objects.filter(user_id=user.pk, key__in=keys)
    return dict(found.values_list("key", "value"))
