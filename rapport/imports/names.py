"""A person's name in one cell, taken apart."""

from __future__ import annotations

import re
import uuid
from contextlib import suppress
from functools import cache
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
    "nickname": "nickname",
}
PARTS = frozenset(_PARTS.values())
# Words that nameparser takes for titles: names that people have, and words that are a title only
# together with another one, as in “First Lieutenant”.
_NO_TITLES = frozenset(
    "ab baba banner bard baron blessed british burgess business canon chancellor civil count "
    "deacon discovery district division english ens field film financial first flag flying "
    "foreign forester gen goodman grand group guru gyani hajji her high his host imam judicial "
    "king knight knowledge lama law legal magnate mahdi maid marcher marketing marquis marquise "
    "master me member met military model monk most murshid mystery nanny national navy opera "
    "petty pilot pioneer pir player poet police pope premier primate prime prin prince princess "
    "principal printer prior private pro queen ra radio ranger rear rep resident right risk "
    "rock royal rt saint scholar security senior servant shaik shaikh shayk shaykh sheik sheikh "
    "singer sma sn soccer social soldier special staff state states sultan sultana superior "
    "supreme swami tax tenor timi travel uk uncle united us vc vice voice warden warrant wing "
    "woodman wp writer".split()
)
# The rest of what it takes for letters behind a name are surnames when they are not written as
# letters: “Chidi Ann Mba”, “Kim Bo Vi”.
_LETTERS = frozenset(
    "bsc esq esquire ii iii iv jd jr jnr junior md msc phd ret sr snr senior vet".split()
)
_SURNAME = re.compile(r"[A-Z][a-z]{1,3}")
_QUOTED = re.compile(r"[\"“”„«»].+[\"“”„«»]|.\([A-Z][a-zß-ÿ]+\) ")


def split(text: str) -> dict[str, str]:
    """The parts that `text` has, by field name. One word alone is a last name."""
    words = text.split()
    if len(words) == 1:
        return {"last_name": words[0]}
    if len(words) == 2 and "," not in text and words[0].casefold().rstrip(".") not in SALUTATIONS:
        return {"first_name": words[0], "last_name": words[1]}
    parts = _parts(" ".join(words))
    if not parts["last_name"]:
        instead = parts["first_name"] or parts["salutation"] or parts["suffix"]
        # Nothing but punctuation has no parts.
        parts["last_name"] = instead or " ".join(words)
        parts = {
            n: v if n == "last_name" or v != parts["last_name"] else "" for n, v in parts.items()
        }
    return {name: value for name, value in parts.items() if value}


def _parts(text: str) -> dict[str, str]:
    """The same of more than two words; parts that are not there are empty."""
    from nameparser import HumanName  # loads tables that nothing else needs

    name = HumanName(text)
    if name.title and name.title.casefold().split()[-1] in _NO_TITLES:
        name = HumanName(text, constants=_without_names())
    parts = {ours: str(getattr(name, theirs)) for theirs, ours in _PARTS.items()}
    if not _QUOTED.search(text):
        # What stands in parentheses may be anything.
        parts["nickname"] = ""
    if _is_surname(parts["suffix"], text):
        parts["middle_name"] = f"{parts['middle_name']} {parts['last_name']}".strip()
        parts["last_name"], parts["suffix"] = parts["suffix"], ""
    return parts


def _is_surname(suffix: str, text: str) -> bool:
    if not _SURNAME.fullmatch(suffix) or suffix.casefold() in _LETTERS:
        return False
    return text.endswith(f" {suffix}") and "," not in text


@cache
def _without_names() -> Any:
    from nameparser.config import Constants

    found = Constants()
    found.titles.remove(*(_NO_TITLES & {str(title) for title in found.titles}))
    return found


def name_of(entity: Entity, text: str) -> dict[str, Any]:
    """The parts of a whole name, and the address behind it. Raises InvalidValue."""
    # Of several names the first.
    text = text.partition(";")[0].strip()
    if not text or is_id(text):
        return {}
    address = _ADDRESS.search(text)
    said = split(_ADDRESS.sub(" ", text)) if address else split(text)
    if address:
        said["email"] = address[1]
    return {
        name: check(entity.fields[name], part)
        for name, part in said.items()
        if name in entity.fields
    }


# “Ann Bell (ann@bell.example)”, “Ann Bell <ann@bell.example>”
_ADDRESS = re.compile(r"\s[(<\[]\s*([^\s()<>\[\]]+@[^\s()<>\[\]]+)\s*[)>\]]\s*$")


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
