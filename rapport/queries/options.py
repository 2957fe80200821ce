"""Choice lists that grow: which there are, and what was added to them."""

from __future__ import annotations

import uuid
from collections import defaultdict
from dataclasses import dataclass

from rapport.access import Actor
from rapport.meta.field import Field
from rapport.meta.options import Added, Lists, Option
from rapport.meta.registry import registry
from rapport.models import ChoiceOption

from . import records


def read() -> Lists:
    """The added options of every list, by label."""
    found: dict[str, list[tuple[Option, bool]]] = defaultdict(list)
    rows = ChoiceOption.objects.order_by("sort_name", "value")
    for name, value, label, state in rows.values_list("list_name", "value", "label", "state"):
        found[name].append((Option(value, label), state == 0))
    return {
        name: Added(tuple(o for o, offered in own if offered), tuple(o for o, _offered in own))
        for name, own in found.items()
    }


@dataclass(frozen=True, slots=True)
class Growing:
    """A list that grows: the fields that choose from it, what ships, and what was added as
    (id, option, offered)."""

    name: str
    fields: tuple[tuple[str, Field], ...]
    shipped: tuple[Option, ...]
    added: tuple[tuple[uuid.UUID, Option, bool], ...]

    @property
    def label(self) -> str:
        """What people call it."""
        return str(self.fields[0][1].label)


def fields_of(list_name: str) -> list[tuple[str, Field]]:
    """(entity, field) of every field that chooses from this list."""
    return [
        (entity.name, found)
        for entity in registry
        for found in entity.fields.values()
        if found.grows == list_name
    ]


def growing(by: Actor) -> list[Growing]:
    """Every list that grows, with all its options."""
    added: dict[str, list[tuple[uuid.UUID, Option, bool]]] = defaultdict(list)
    rows = records(registry["choice_option"], by).order_by("sort_name", "value")
    for id_, name, value, label, state in rows.values_list(
        "pk", "list_name", "value", "label", "state"
    ):
        added[name].append((id_, Option(value, label), state == 0))
    names = dict.fromkeys(f.grows for e in registry for f in e.fields.values() if f.grows)
    found = []
    for name in names:
        fields = tuple(fields_of(name))
        found.append(Growing(name, fields, fields[0][1].shipped, tuple(added[name])))
    return sorted(found, key=lambda one: one.label)
