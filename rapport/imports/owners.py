"""Users and teams as owners: those that a text names, and all of them to choose from."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection

from django.utils.translation import gettext as _

from rapport.meta.folding import sort_key
from rapport.meta.registry import registry
from rapport.models import Principal


def named(texts: Collection[str]) -> dict[str, list[tuple[uuid.UUID, str]]]:
    """(id, name) of the active users and teams that each text names by id, e-mail or name."""
    people: dict[str, list[tuple[uuid.UUID, str]]] = defaultdict(list)
    # All of them: an organisation has few, and any spelling of a name must do.
    for principal in Principal.objects.filter(is_active=True):
        one = (principal.pk, principal.name)
        people[str(principal.pk)].append(one)
        people[sort_key(principal.name)].append(one)
    users = registry["user"].records().filter(email__in=[t.lower() for t in texts if "@" in t])
    for id_, email, name in users.values_list("pk", "email", "full_name"):
        # Whoever has left owns nothing new, by whichever name.
        if str(id_) in people:
            people[email.lower()].append((id_, name))
    return {text: people.get(text.lower()) or people.get(sort_key(text), []) for text in texts}


def everybody() -> list[tuple[str, str]]:
    """(id, label) of all active users and teams, by name."""
    found = Principal.objects.filter(is_active=True).order_by("name", "pk")
    return [
        (str(pk), _("%(name)s (team)") % {"name": name} if kind == "team" else name)
        for pk, kind, name in found.values_list("pk", "kind", "name")
    ]
