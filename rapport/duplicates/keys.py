"""Match keys: hashes of the values that make two records the same.

Today's rules are the groups that an entity declares: the same e-mail, or the same name and company.
A group whose fields are all filled gives a key. A group with blanks, or one of the last resort,
counts only for a record that has no other key, so that a bare row can be known again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
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
    for group in _groups(entity):
        parts = []
        for name, linked, normal in group.parts:
            value = names.get(name) if linked else values.get(name)
            parts.append(normal(value) if value else "")
        if not any(parts):
            continue
        key = Key(group.rule, _hash(group.prefix + "\x1f".join(parts)))
        (found if all(parts) and not group.last_resort else partial).append(key)
    return found or partial


class _Group(NamedTuple):
    """A declared group, made ready: for every field its name, whether it is a look-up, and how
    its value is normalised."""

    rule: str
    prefix: str
    parts: tuple[tuple[str, bool, Callable[[Any], str]], ...]
    last_resort: bool


@lru_cache(maxsize=64)
def _groups(entity: Entity) -> tuple[_Group, ...]:
    declared = [(group, False) for group in entity.duplicates]
    declared += [(group, True) for group in entity.duplicates_otherwise]
    made = []
    for group, last_resort in declared:
        rule = "+".join(group)
        fields = [entity.fields[name] for name in group]
        parts = tuple((f.name, f.is_link or f.kind is Kind.POINTER, _normaliser(f)) for f in fields)
        made.append(_Group(rule[:24], f"{entity.name}\x1f{rule}\x1f", parts, last_resort))
    return tuple(made)


def normalise(field: Field, value: Any) -> str:
    """`value` as matching sees it: blind to case, accents, punctuation and format."""
    return "" if value == "" else _normaliser(field)(value)


def _normaliser(field: Field) -> Callable[[Any], str]:
    return {Kind.EMAIL: _email, Kind.PHONE: _phone}.get(field.kind, _words)


def _email(value: Any) -> str:
    return str(value).strip().casefold()


def _phone(value: Any) -> str:
    return digits(str(value))[-PHONE_DIGITS:]


def _words(value: Any) -> str:
    return _bare(str(value))


# Kept, because a name is asked for when a record is judged and again when it is written.
@lru_cache(maxsize=20_000)
def _bare(text: str) -> str:
    return " ".join(_PUNCTUATION.sub("", fold(text)).split())


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), signed=True)
