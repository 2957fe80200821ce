"""Users and teams as owners: those that a text names, and all of them to choose from."""

from __future__ import annotations

import re
import uuid
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace

from django.utils.translation import gettext as _

from rapport.meta.folding import fold, sort_key
from rapport.meta.kinds import Kind
from rapport.meta.registry import registry
from rapport.models import Principal

from . import parts
from .mapping import BLANK, Mapping, missing_rule
from .samples import values_of


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


# -- what people call each other ------------------------------------------------------------------

# Names that a note tells.
TOLD = 5


def called_otherwise(
    mapping: Mapping, columns: Sequence[str], records: Sequence[Sequence[str]]
) -> Mapping:
    """The `mapping`, with whom initials, first names and the like mean where only one user can be
    meant, and what is to be said of them and of names that nobody has."""
    made, notes = dict(mapping.columns), list(mapping.notes)
    for index, target in mapping.columns.items():
        found = parts.field_of(mapping.entity, target.field)
        if found is None or found.kind is not Kind.OWNER:
            continue
        known = {fold(text) for text in target.values}
        texts = [
            text for text in dict.fromkeys(values_of(records, index)) if fold(text) not in known
        ]
        nobody = [text for text, own in named(texts).items() if not own]
        meant = _meant(nobody)
        if meant:
            made[index] = replace(target, values={**meant, **target.values})
            said = _("“%(column)s”: users who are called otherwise: %(names)s.")
            pairs = [f"“{text}” = “{name}”" for text, name in meant.items()]
            notes.append(said % {"column": columns[index], "names": _told(pairs)})
        left = [f"“{text}”" for text in nobody if text not in meant and not _ID.fullmatch(text)]
        if left and missing_rule(found, target) == BLANK:
            said = _("“%(column)s”: nobody is called %(names)s: you own what is new of theirs.")
            notes.append(said % {"column": columns[index], "names": _told(left)})
    return replace(mapping, columns=made, notes=tuple(notes))


# Ids of another program are told apart from names.
_ID = re.compile(r"(?=.*\d)\S+")


def _told(names: Sequence[str]) -> str:
    return ", ".join(names[:TOLD]) + (" …" if len(names) > TOLD else "")


def _meant(texts: Collection[str]) -> dict[str, str]:
    """The name of the one user whom each text may mean. Whoever has left may be meant, too: then
    nobody knows."""
    if not texts:
        return {}
    users = list(
        Principal.objects.filter(kind=registry["user"].name).values_list("name", "is_active")
    )
    called: dict[str, list[tuple[str, bool]]] = defaultdict(list)
    for name, is_active in users:
        for form in _forms(name):
            called[form].append((name, is_active))
    found = {text: called.get(_bare(text), []) for text in texts}
    return {text: own[0][0] for text, own in found.items() if len(own) == 1 and own[0][1]}


def _forms(name: str) -> set[str]:
    """What else somebody is called: “Anna Berg” is Anna, Berg, A. Berg, Anna B., AB, Berg Anna."""
    words = _bare(name).split()
    if len(words) < 2:
        return set()
    first, last = words[0], words[-1]
    initials = "".join(word[0] for word in words)
    return {
        first, last, f"{first[0]} {last}", f"{first} {last[0]}", f"{last} {first[0]}",
        f"{first[0]}{last}", f"{last} {' '.join(words[:-1])}", initials, " ".join(initials),
        f"{first} {last}",
    }  # fmt: skip


def _bare(text: str) -> str:
    return " ".join(_SIGNS.sub(" ", fold(text)).split())


_SIGNS = re.compile(r"[\W_]+")
