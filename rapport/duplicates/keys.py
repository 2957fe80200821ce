"""Match keys: hashes of the values that make two records the same.

Today's rules are the groups that an entity declares: the same e-mail, or the same name and company.
A group whose fields are all filled gives a key. A group with blanks, or one of the last resort,
counts only for a record that has no other key, so that a bare row can be known again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from hashlib import blake2b
from typing import Any, NamedTuple

from rapport.meta.entity import Entity
from rapport.meta.field import Field
from rapport.meta.folding import digits, fold
from rapport.meta.kinds import Kind

PHONE_DIGITS = 8
_PUNCTUATION = re.compile(r"[^\w\s]+")


class Key(NamedTuple):
    """One match key: the name of its rule and a signed 64-bit hash."""

    rule: str
    hash: int


def keys(entity: Entity, values: Mapping[str, Any], names: Mapping[str, str]) -> list[Key]:
    """The match keys of a record with these field values. `names` {look-up field: its title}."""
    found: list[Key] = []
    partial: list[Key] = []
    for group, last_resort in _groups(entity):
        parts = [_part(field, values, names) for field in group]
        if not any(parts):
            continue
        rule = "+".join(field.name for field in group)
        key = Key(rule[:24], _hash(entity.name, rule, parts))
        (found if all(parts) and not last_resort else partial).append(key)
    return found or partial


@lru_cache(maxsize=64)
def _groups(entity: Entity) -> tuple[tuple[tuple[Field, ...], bool], ...]:
    declared = [(group, False) for group in entity.duplicates]
    declared += [(group, True) for group in entity.duplicates_otherwise]
    return tuple((tuple(entity.fields[name] for name in group), last) for group, last in declared)


def _part(field: Field, values: Mapping[str, Any], names: Mapping[str, str]) -> str:
    if field.is_link or field.kind is Kind.POINTER:
        return normalise(field, names.get(field.name, ""))
    return normalise(field, values.get(field.name) or "")


def normalise(field: Field, value: Any) -> str:
    """`value` as matching sees it: blind to case, accents, punctuation and format."""
    if value == "":
        return ""
    if field.kind is Kind.EMAIL:
        return str(value).strip().casefold()
    if field.kind is Kind.PHONE:
        return digits(str(value))[-PHONE_DIGITS:]
    return _PUNCTUATION.sub("", fold(str(value))).strip()


def _hash(entity: str, rule: str, parts: Iterable[str]) -> int:
    text = "\x1f".join((entity, rule, *parts))
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), signed=True)
