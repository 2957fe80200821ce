"""A person's name in one cell, taken apart."""

from __future__ import annotations

import uuid
from contextlib import suppress
from typing import Any

from rapport.meta.entity import Entity
from rapport.meta.kinds import InvalidValue, check

from .words import SALUTATIONS

_PARTS = {
    "title": "salutation",
    "first": "first_name",
    "middle": "middle_name",
    "last": "last_name",
    "suffix": "suffix",
}
PARTS = frozenset(_PARTS.values())


def split(text: str) -> dict[str, str]:
    """The parts that `text` has, by field name. One word alone is a last name."""
    words = text.split()
    if len(words) == 1:
        return {"last_name": words[0]}
    if len(words) == 2 and "," not in text and words[0].casefold().rstrip(".") not in SALUTATIONS:
        return {"first_name": words[0], "last_name": words[1]}
    from nameparser import HumanName  # loads tables that nothing else needs

    name = HumanName(" ".join(words))
    parts = {ours: str(getattr(name, theirs)) for theirs, ours in _PARTS.items()}
    if not parts["last_name"]:
        instead = parts["first_name"] or parts["salutation"] or parts["suffix"]
        # Nothing but punctuation has no parts.
        parts["last_name"] = instead or " ".join(words)
        parts = {
            n: v if n == "last_name" or v != parts["last_name"] else "" for n, v in parts.items()
        }
    return {name: value for name, value in parts.items() if value}


def name_of(entity: Entity, text: str) -> dict[str, Any]:
    """The parts of a whole name. Raises InvalidValue."""
    # Of several names the first.
    text = text.partition(";")[0].strip()
    if not text or is_id(text):
        return {}
    return {
        name: check(entity.fields[name], part)
        for name, part in split(text).items()
        if name in entity.fields
    }


def called(entity: Entity, text: str) -> str:
    """What a record is called that `text` names: of a person's name the parts, in their order."""
    if not entity.fields[entity.title].read_only:
        return text
    try:
        return str(entity.derive(name_of(entity, text)).get(entity.title) or text)
    except InvalidValue:
        return text


def is_id(text: str) -> bool:
    """Whether a text is the id of a record and no name."""
    if len(text) == 36:
        with suppress(ValueError):
            return bool(uuid.UUID(text))
    return False
