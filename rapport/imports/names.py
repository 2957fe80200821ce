"""A person's name in one cell, taken apart."""

from __future__ import annotations

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
