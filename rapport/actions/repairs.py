"""Repairs: new values out of the ones that are stored, for many records at once."""

from __future__ import annotations

import re
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from rapport import access, queries
from rapport.access import Actor
from rapport.meta.batches import batches
from rapport.meta.columns import Label
from rapport.meta.entity import Entity
from rapport.meta.folding import fold
from rapport.meta.kinds import TEXTS, Kind
from rapport.meta.plausible import PLACEHOLDER, TIDY
from rapport.models.people import Verb

from . import journal, records
from .records import Outcome

Values = Mapping[str, Any]
# A preview looks at so many records, and shows so many of those that would change.
LOOKED_AT, SHOWN = 2000, 100
# A city's country is taken from others when so many know it, and so many percent of them agree.
_WITNESSES, _AGREE = 2, 95
_LANGUAGES = ("en", "de", "fr", "es", "it", "nl", "pt", "pl")
_COMMON = {
    "usa": "US", "u.s.a.": "US", "u.s.": "US", "uk": "GB", "u.k.": "GB", "great britain": "GB",
    "england": "GB", "scotland": "GB", "wales": "GB", "holland": "NL", "czech republic": "CZ",
}  # fmt: skip


class UnknownRepair(LookupError):
    """There is no such repair of this entity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """`names(entity)`: fields that it may change; `needs(entity)`: those that it also reads;
    `new(entity, rows, by)` -> the changed values of those rows that it changes."""

    key: str
    label: Label
    says: Label
    names: Callable[[Entity], tuple[str, ...]]
    new: Callable[[Entity, Mapping[uuid.UUID, Values], Actor], dict[uuid.UUID, dict[str, Any]]]
    needs: Callable[[Entity], tuple[str, ...]] = lambda _entity: ()


def repairs_of(entity: Entity) -> tuple[Repair, ...]:
    """The repairs that make sense for records of `entity`."""
    return tuple(one for one in REPAIRS.values() if one.names(entity))


def repair_of(entity: Entity, key: str) -> Repair:
    """The repair `key`. Raises UnknownRepair."""
    if key not in REPAIRS or not REPAIRS[key].names(entity):
        raise UnknownRepair(key)
    return REPAIRS[key]


def repair_records(entity: Entity, ids: Iterable[uuid.UUID], key: str, *, by: Actor) -> Outcome:
    """Mend records, one operation; what needs no repair stays as it is.

    Raises UnknownRepair.
    """
    repair, now = repair_of(entity, key), timezone.now()
    parameters = {"repair": key}
    with journal.operation(f"{entity.name}.repair", by=by, now=now, parameters=parameters) as op:
        wanted = list(dict.fromkeys(ids))
        refused, drafts = records.drafts_for(entity, wanted, {}, by=by, verb=Verb.WRITE)
        changes = repair.new(entity, {draft.id: draft.current or {} for draft in drafts}, by)
        drafts = [draft for draft in drafts if draft.id in changes]
        for draft in drafts:
            draft.values.update(changes[draft.id])
        failed = records.save_drafts(entity, drafts, op=op, by=by, now=now)
        refused.update({draft.id: draft.complaints for draft in failed})
    return Outcome(op, tuple(draft.id for draft in drafts if not draft.errors), refused)


# -- before it is done -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Mending:
    """One record that would change: {field: (old, new)}."""

    id: uuid.UUID
    title: str
    changes: Mapping[str, tuple[Any, Any]]


@dataclass(frozen=True, slots=True)
class Preview:
    """What a repair would do. `count`: how many of the `looked_at` records would change."""

    rows: list[Mending]
    count: int
    looked_at: int


def preview(entity: Entity, ids: Sequence[uuid.UUID], key: str, *, by: Actor) -> Preview:
    """What the repair would make of these records, of the first LOOKED_AT ones."""
    repair = repair_of(entity, key)
    names = tuple(dict.fromkeys((*repair.names(entity), *repair.needs(entity))))
    shown: list[Mending] = []
    count, looked_at = 0, ids[:LOOKED_AT]
    for part in batches(looked_at):
        mine = queries.records(entity, by, Verb.WRITE).filter(pk__in=part).order_by()
        mine = mine.filter(state__in=entity.states.editable)
        stored = {row["pk"]: row for row in mine.values("pk", entity.title, *names)}
        changes = repair.new(entity, stored, by)
        count += len(changes)
        for id_ in part:
            if id_ in changes and len(shown) < SHOWN:
                old = stored[id_]
                pairs = {name: (old[name], value) for name, value in changes[id_].items()}
                shown.append(Mending(id_, str(old[entity.title] or ""), pairs))
    return Preview(shown, count, len(looked_at))


# -- the repairs -----------------------------------------------------------------------------------


def _of_kind(*kinds: Kind) -> Callable[[Entity], tuple[str, ...]]:
    return lambda entity: tuple(f.name for f in entity.editable if f.kind in kinds)


def _each(
    names: Callable[[Entity], tuple[str, ...]], mend: Callable[[Entity, str, str, Values], str]
) -> Callable[[Entity, Mapping[uuid.UUID, Values], Actor], dict[uuid.UUID, dict[str, Any]]]:
    """A repair of texts, one by one: `mend(entity, field name, text, row)` is the new text."""

    def new(
        entity: Entity, rows: Mapping[uuid.UUID, Values], _by: Actor
    ) -> dict[uuid.UUID, dict[str, Any]]:
        found: dict[uuid.UUID, dict[str, Any]] = defaultdict(dict)
        for id_, row in rows.items():
            for name in names(entity):
                if (text := row[name]) and (wanted := mend(entity, name, text, row)) != text:
                    found[id_][name] = wanted
        return dict(found)

    return new


_AROUND = re.compile(r"^\s*(?:mailto:)?\s*<?|>?[\s;,]*$", re.IGNORECASE)
_IN_BRACKETS = re.compile(r"[^<>]*<([^<>@\s]+@[^<>@\s]+)>\s*")


def _tidy_email(_entity: Entity, _name: str, text: str, _row: Values) -> str:
    """In lower case, without dots too many and what stands around it: 'Eva <Eva..S@acme.com>'."""
    if found := _IN_BRACKETS.fullmatch(text):
        text = found[1]
    bare = re.sub(r"\.{2,}", ".", _AROUND.sub("", text)).replace(".@", "@")
    # An address with a blank in it was meant as something that nobody can guess.
    return bare.lower() if re.fullmatch(r"[^@\s<>]+@[^@\s<>]+", bare) else text


def _tidy_phone(entity: Entity, _name: str, text: str, row: Values) -> str:
    """In international format, by the country of the record where the number has none."""
    import phonenumbers

    if re.fullmatch(TIDY[Kind.PHONE], text):
        return text
    # "+49 (0)30": the zero is dialled at home only.
    plain = text.replace("(0)", "") if text.lstrip().startswith(("+", "00")) else text
    plain = re.sub(r"^\s*00(?=[1-9])", "+", plain)
    country = next((row[part] for part in _countries(entity) if row.get(part)), "")
    region = None if plain.lstrip().startswith("+") else region_of(country)
    try:
        number = phonenumbers.parse(plain, region)
    except phonenumbers.NumberParseException:
        return text
    if not phonenumbers.is_valid_number(number):
        return text
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL))


def _countries(entity: Entity) -> tuple[str, ...]:
    """The fields that say in which country a record is."""
    parts = [part for address in entity.addresses.values() for part in address.parts]
    return tuple(part for part in parts if part.endswith("_country"))


def region_of(country: str) -> str | None:
    """The two letters of a country that people named in one of a few languages."""
    return _regions().get(fold(country))


@lru_cache(maxsize=1)
def _regions() -> dict[str, str]:
    import phonenumbers
    from babel import Locale

    found: dict[str, str] = {}
    for language in reversed(_LANGUAGES):
        territories = Locale(language).territories
        found |= {fold(territories.get(code, "")): code for code in phonenumbers.SUPPORTED_REGIONS}
    found |= {code.lower(): code for code in phonenumbers.SUPPORTED_REGIONS}
    return {name: code for name, code in {**found, **_COMMON}.items() if name}


def _no_placeholder(entity: Entity, name: str, text: str, _row: Values) -> str:
    """Nothing, where nothing was meant."""
    found = entity.fields[name]
    if found.required or found.labels:
        return text
    return "" if re.search(PLACEHOLDER[found.kind], text, re.IGNORECASE) else text


def _person(entity: Entity) -> tuple[str, ...]:
    return ("first_name", "last_name") if {"first_name", "last_name"} <= set(entity.fields) else ()


def _split_name(
    entity: Entity, rows: Mapping[uuid.UUID, Values], _by: Actor
) -> dict[uuid.UUID, dict[str, Any]]:
    """First and last name of those who have both in one field."""
    found = {}
    for id_, row in rows.items():
        if not row["first_name"] and " " in row["last_name"].strip():
            wanted = records.from_title(entity, row["last_name"])
            limits = {name: entity.fields[name].max_length or 0 for name in wanted}
            if all(wanted[name] and len(wanted[name]) <= limits[name] for name in wanted):
                found[id_] = dict(wanted)
    return found


def _city_and_country(entity: Entity) -> tuple[str, ...]:
    both = ("address1_country", "address1_city")
    return both if set(both) <= set(entity.fields) else ()


def _country(
    entity: Entity, rows: Mapping[uuid.UUID, Values], by: Actor
) -> dict[uuid.UUID, dict[str, Any]]:
    """The country that other records, which the viewer may read, know of the same city."""
    asked = {
        id_: row["address1_city"]
        for id_, row in rows.items()
        if row["address1_city"] and not row["address1_country"]
    }
    if not asked:
        return {}
    known: dict[str, Counter[str]] = defaultdict(Counter)
    same = queries.records(entity, by).filter(address1_city__in=set(asked.values()))
    same = same.exclude(address1_country="").order_by()
    for city, country in same.values_list("address1_city", "address1_country"):
        known[city][country] += 1
    found = {}
    for id_, city in asked.items():
        for country, number in known[city].most_common(1):
            if number >= _WITNESSES and number * 100 >= _AGREE * known[city].total():
                found[id_] = {"address1_country": country}
    return found


_EMAILS, _PHONES = _of_kind(Kind.EMAIL), _of_kind(Kind.PHONE)
_ALL_TEXTS = _of_kind(*(TEXTS - {Kind.LONG_TEXT}))

REPAIRS: dict[str, Repair] = {
    one.key: one
    for one in (
        Repair(
            key="email",
            label=_("Tidy e-mail addresses"),
            says=_("Lower case, without blanks, brackets or “mailto:”, without too many dots."),
            names=_EMAILS,
            new=_each(_EMAILS, _tidy_email),
        ),
        Repair(
            key="phone",
            label=_("Phone numbers in international format"),
            says=_(
                "+49 30 1234567. A number without country code takes it from the country of the "
                "record; what is no valid number stays as it is."
            ),
            names=_PHONES,
            needs=_countries,
            new=_each(_PHONES, _tidy_phone),
        ),
        Repair(
            key="placeholder",
            label=_("Empty what is made up"),
            says=_("n/a, xxx, test@…, 000000 become blanks. Required fields stay."),
            names=_ALL_TEXTS,
            new=_each(_ALL_TEXTS, _no_placeholder),
        ),
        Repair(
            key="name",
            label=_("Split names"),
            says=_("The last word of “Eva Maria Sommer” becomes the last name."),
            names=_person,
            new=_split_name,
        ),
        Repair(
            key="country",
            label=_("Fill in countries"),
            says=_("The country that other records have for the same city, when they agree."),
            names=lambda entity: _city_and_country(entity)[:1],
            needs=_city_and_country,
            new=_country,
        ),
    )
}


def mendable(entity: Entity, by: Actor) -> bool:
    """Whether there is anything that `by` could mend in records of `entity`."""
    return bool(repairs_of(entity)) and access.may(by, Verb.WRITE, entity)
