"""Texts that every database takes."""

from __future__ import annotations

import re
from typing import Any

_SURROGATE = re.compile(r"[\ud800-\udfff]")


def is_storable(text: str) -> bool:
    """Whether a database takes `text`: neither NUL nor half of a pair, as broken JSON has it."""
    return "\x00" not in text and (text.isascii() or not _SURROGATE.search(text))


def storable(text: str) -> str:
    """`text` without what no database takes."""
    return text if is_storable(text) else _SURROGATE.sub("", text.replace("\x00", ""))


def storable_document(value: Any) -> Any:
    """A value as JSON has it without what no database takes."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {storable(name): storable_document(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [storable_document(one) for one in value]
    return value
