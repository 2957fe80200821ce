"""Which field a header means: labels, aliases, logical names, words in several languages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from django.utils.translation import get_language, override

from rapport.meta.entity import Entity
from rapport.meta.folding import fold
from rapport.meta.kinds import Kind
from rapport.meta.registry import registry

from . import tongues, words

RECORD_ID = "id"
# When the record was changed last, as the second column of our own exports has it.
CHANGED_ON = "changed_on"
_SEPARATORS = re.compile(r"[\W_]+")
_CUSTOM = re.compile(r"__c\s*$", re.IGNORECASE)  # Salesforce writes its custom fields like this
_OF_OTHERS = frozenset({"name", "title", "type", "value", "label", "description"})
# 'Company's Name'.
_OWNED = re.compile(r"(?<=\w)['’]s(?=\s)", re.IGNORECASE)
# 'FullAddress/City' of XML, 'RegAddress.PostTown' of flattened JSON.
_PATH = re.compile(r"[\w@:-]+([/.][\w@:-]+)+")
_STEPS = re.compile(r"[/.]")
# Not a path, but a cell where no header is: a@acme.org.
_EMAIL = re.compile(r"[^@/]+@(?!odata)[^@/]+\.[a-z]{2,}", re.IGNORECASE)
# 'First Name *', 'Company (required)'.
_MUST = re.compile(rf"\s*(?:\*+|[(\[](?:{words.MUST})[)\]])\s*$", re.IGNORECASE)
# What stands between the same in several languages, of which nobody writes more.
_BESIDE = re.compile(r"\s*\n\s*|\s+[/|]\s+")
MOST_LANGUAGES = 4
# What Salesforce's says of a record itself.
_ABOUT = re.compile(r"(?:.*/)?attributes/(?:type|url)")
# What web services keep the fields of a record in: 'attributes/name'.
_WRAPPED = re.compile(
    r"(?:(?:data|records?|items?|results?|value|content)/)*"
    r"(?:attributes|properties|fields)/(?!type$|url$)(.+)"
)
# 'Phone (mobile)', 'City - Home': what sort it is stands behind.
_SORT_BEHIND = re.compile(r"(.+?)\s*(?:\(([^()\d]+)\)|\s[-–]\s*([^-–\d]+))")
_NEW = "|".join(map(re.escape, words.RENEWED.split("|")))
_RENEWED = re.compile(
    rf"(?:{_NEW})[\s_.:-]+(.+)|(.+?)[\s_.:-]*(?:[\s_.:-]|(?=\())\(?(?:{_NEW})\)?", re.IGNORECASE
)
_SECOND = re.compile(r"^(.*?)[\s._:-]*\(?([23])\)?$")


def plain(header: str) -> str:
    """A header without case, accents, blanks and punctuation: 'E-Mail 1' -> 'email1'."""
    return _SEPARATORS.sub("", fold(_CUSTOM.sub("", header)))


def field_for(entity: Entity, header: str) -> str:
    """Name of the field that `header` means; '' when none."""
    known = _index(entity, get_language() or "en")
    header = _MUST.sub("", header)
    bare = plain(header)
    if found := _known(known, bare):
        return found
    if (found := _OWNED.sub("", header)) != header and (found := _known(known, plain(found))):
        return found
    if (wrapped := _WRAPPED.fullmatch(header)) and (found := field_for(entity, wrapped[1])):
        return found
    if _PATH.fullmatch(header) and not (_ABOUT.fullmatch(header) or _EMAIL.fullmatch(header)):
        # An element inside of others. A name is that of what is around it.
        outer, inner = map(plain, _STEPS.split(header)[-2:])
        if "/" in header and _is_list(known, outer, inner):
            return _of_both(entity, known, outer, inner)
        if inner in _OF_PARENT:
            found = "" if outer in _OF_PARENT else _known(known, outer)
            if found and (inner not in _ADDRESSES or entity.fields[found].kind in _REACHES):
                return found
        if inner not in _OF_OTHERS and (found := _known(known, inner)):
            return found
    if found := _called_more(entity, known, header):
        return found
    if (numbered := _SECOND.match(header)) and (found := field_for(entity, numbered[1])):
        # 'Email 2' beside 'Email': the second of its kind.
        at = int(numbered[2]) - 1
        row = (found, *siblings(entity, found))
        return row[at] if at < len(row) else ""
    if behind := _SORT_BEHIND.fullmatch(header.strip()):
        sort = behind[2] or behind[3]
        bare = plain(behind[1] if fold(sort) in _OF_COMPANY else f"{sort} {behind[1]}")
        return _known(known, bare) or _of_second_address(entity, bare)
    return _of_second_address(entity, bare) or _in_both_languages(entity, header)


def _in_both_languages(entity: Entity, header: str) -> str:
    """'Last name / Nachname': what all of them say."""
    said = _BESIDE.split(header.strip())
    if not 1 < len(said) <= MOST_LANGUAGES:
        return ""
    found = {field_for(entity, one) for one in said}
    return found.pop() if len(found) == 1 else ""


def _called_more(entity: Entity, known: Mapping[str, str], header: str) -> str:
    """The field of a header with a word that says no more: 'New phone', 'Deal value'."""
    if (renewed := without_new(header)) and (found := field_for(entity, renewed)):
        return found
    bare = plain(header)
    for word in words.CALLED.get(entity.name, ()):
        if bare.startswith(word) and (found := known.get(bare[len(word) :], "")):
            return found
    return ""


def without_new(header: str) -> str:
    """'Phone' of 'New phone' or 'Phone (new)'; '' of other headers."""
    found = _RENEWED.fullmatch(header.strip())
    return (found[1] or found[2]).strip() if found else ""


def _is_list(known: Mapping[str, str], outer: str, inner: str) -> bool:
    """Whether a header names two fields in one, as 'City/Zip', and no element inside of another:
    nothing is inside of a city."""
    first, second = _known(known, outer), _known(known, inner)
    is_leaf = first.endswith(_LEAVES) or first in _PARTS
    return is_leaf and bool(second) and second != first and inner not in _OF_PARENT | _OF_OTHERS


def _of_both(entity: Entity, known: Mapping[str, str], outer: str, inner: str) -> str:
    """First and last name are a whole one. Of others nobody can tell what belongs to which."""
    both = (_known(known, outer), _known(known, inner))
    return entity.title if both == ("first_name", "last_name") and is_split(entity) else ""


def _of_second_address(entity: Entity, bare: str) -> str:
    """'shipping city', 'alternate address street': the same of the second address."""
    if not bare.startswith(_OTHER_PLACES):
        return ""
    known = _index(entity, get_language() or "en")
    for word in _OTHER_PLACES:
        found = known.get(bare[len(word) :], "") if bare.startswith(word) else ""
        if found.startswith("address1_"):
            second = f"address2_{found.removeprefix('address1_')}"
            return second if second in entity.fields else ""
    return ""


def is_label(entity: Entity, header: str) -> bool:
    """Whether a field is called just so on pages. Addresses come whole, whatever they are called:
    none of their columns goes before the others."""
    return plain(header) in _labels(entity, get_language() or "en")


def is_vague(header: str) -> bool:
    """Whether the header means its field only where no other column does."""
    return plain(header) in _VAGUE


@lru_cache(maxsize=64)
def _labels(entity: Entity, language: str) -> frozenset[str]:
    found: set[str] = set()
    for spoken in (language, "en"):
        with override(spoken):
            found |= {
                plain(str(entity.fields[name].label))
                for name in targets(entity)
                if not name.startswith("address")
            }
    return frozenset(found)


def direct(entity: Entity, header: str) -> str:
    """Name of the field that is called just like this; '' when none."""
    return _index(entity, get_language() or "en").get(plain(header), "")


def known(entity: Entity, bare: str) -> str:
    """Name of the field that a plain header means; '' when none."""
    return _known(_index(entity, get_language() or "en"), bare)


def _known(known: Mapping[str, str], bare: str) -> str:
    """The field of a plain header, also with words around it that only say whose it is."""
    if found := known.get(bare) or known.get(_turned(bare)):
        return found
    # Most of ten thousand headers begin with none of these.
    for owner in _OWNERS if bare.startswith(_OWNERS) else ():
        if not bare.startswith(owner):
            continue
        inner = bare[len(owner) :]
        if found := known.get(inner) or known.get(_turned(inner)):
            return found
        if owner in _PERSONS:
            # 'primary_contact_primary_email'
            inner = bare[len(owner) :].removeprefix("primary")
            if found := known.get(inner):
                return found
    for tail in _TAILS:
        if bare.endswith(tail) and len(bare) > len(tail):
            return _known(known, bare[: -len(tail)])
    if bare.endswith(_SHORT):
        for short, long in words.SHORT.items():
            if bare.endswith(short) and (found := known.get(bare.removesuffix(short) + long)):
                return found
    return ""


def _turned(bare: str) -> str:
    """'phonemobile' as 'mobilephone', since the word for both may stand first."""
    word = next((word for word in _TURNED if bare.startswith(word)), "")
    return bare[len(word) :] + word


def tell_of_people(columns: Iterable[str]) -> bool:
    """Whether some column is part of somebody's name."""
    people = [entity for entity in registry if entity.importable and is_split(entity)]
    parts = {"first_name", "last_name"}
    return any(field_for(e, column) in parts for column in columns for e in people)


def is_record_id(entity: Entity, header: str) -> bool:
    """Whether `header` is that of the id column of our own exports."""
    if "modify" not in header.lower():
        return False
    return plain(header) in {plain(id_header(entity)), plain(f"(Do Not Modify) {entity.name}")}


def is_changed_on(header: str) -> bool:
    """Whether `header` is that of the column of our own exports beside the record ids."""
    return plain(header) == _CHANGED_ON


def id_header(entity: Entity) -> str:
    """Header of the column with record ids in exports; people know it from other programs."""
    with override("en"):
        return f"(Do Not Modify) {entity.label}"


def siblings(entity: Entity, name: str) -> tuple[str, ...]:
    """Where a second and a third value of the same sort go: e-mail 2 after e-mail."""
    return tuple(n for n in _siblings(name) if n in entity.fields)


def _siblings(name: str) -> tuple[str, ...]:
    if name in {"business_phone", "main_phone"}:
        return ("business_phone2", "other_phone", "phone3")
    if name in {"mobile_phone", "home_phone"}:
        return ("other_phone", "phone3", "business_phone2")
    if name.startswith("address1_"):
        return (f"address2_{name.removeprefix('address1_')}",)
    if name == "email2":
        return ("email3",)
    return (f"{name}2", f"{name}3")


@lru_cache(maxsize=64)
def _index(entity: Entity, language: str) -> Mapping[str, str]:
    """Field names by plain header. Labels win over aliases, logical names and words."""
    found: dict[str, str] = {}
    names = targets(entity)
    for spoken in dict.fromkeys((language, "en")):
        with override(spoken):
            for name in names:
                found.setdefault(plain(str(entity.fields[name].label)), name)
    for name in names:
        for alias in entity.fields[name].aliases:
            found.setdefault(plain(alias), name)
    for name in names:
        if wire := entity.fields[name].wire:
            found.setdefault(plain(wire), name)
        if not entity.fields[name].is_link:
            # “contact” is how Python calls a look-up; in a file it may be anything.
            found.setdefault(plain(name), name)
    for name in names:
        for word in words.WORDS.get(name, "").split("|"):
            found.setdefault(plain(word), name)
    for name in names:
        for word in tongues.words_of(name, names):
            found.setdefault(plain(word), name)
    found.pop("", None)
    return found


def targets(entity: Entity) -> tuple[str, ...]:
    """Names of the fields that a column can be mapped to. A derived title counts when it can be
    taken apart into the fields that people fill."""
    names = [
        f.name
        for f in entity.fields.values()
        if f.columns and (f.importable or f.kind is Kind.STATE)
    ]
    if entity.title not in names and entity.fields[entity.title].columns and is_split(entity):
        names.append(entity.title)
    return tuple(names)


def is_split(entity: Entity) -> bool:
    """Whether the title is a person's name made of its parts."""
    return entity.title not in entity.title_fields and "last_name" in entity.title_fields


_OWNERS = tuple(sorted({plain(word) for word in words.OWNERS.split("|")}, key=len, reverse=True))
# What is in an element that says what it is: 'email/text', 'PhoneNumber/Number'.
_ADDRESSES = frozenset({"address", "number"})
_OF_PARENT = _ADDRESSES | {"text", "uri", "content", "value"}
# Fields in whose elements no others stand.
_LEAVES = ("_city", "_state_or_province", "_postal_code", "_country")
_PARTS = frozenset({"first_name", "last_name", "middle_name", "email", "fax", "birthday"})
_REACHES = frozenset({Kind.EMAIL, Kind.PHONE, Kind.URL})
_PERSONS = frozenset({"primarycontact", "contact", "person"})
# As people know it from other programs, too.
CHANGED_ON_HEADER = "(Do Not Modify) Modified On"
_CHANGED_ON = plain(CHANGED_ON_HEADER)
_TURNED = ("phone", "email")
_OF_COMPANY = frozenset({"company", "firma", "entreprise", "empresa"})
_VAGUE = frozenset(map(plain, words.VAGUE.split("|")))
_OTHER_PLACES = tuple(sorted(map(plain, words.OTHER_PLACES.split("|")), key=len, reverse=True))
_SHORT = tuple(words.SHORT)
_TAILS = sorted({plain(word) for word in words.TAILS.split("|")}, key=len, reverse=True)
