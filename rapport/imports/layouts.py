"""Files of known programs: recognised by their headers, and what those mean there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from . import headers, layoutwords as texts
from .samples import values_of

SOURCE_ID = "source_id"
# What stands between the names of several records in one cell, the most important first.
SEVERAL_IN_A_CELL = {"hubspot": ";"}


@dataclass(frozen=True, kw_only=True)
class Program:
    """`ids`: what its record ids look like; `short` of them say the same as the whole."""

    key: str
    label: str
    ids: re.Pattern[str] = re.compile(r"$^")
    short: int = 200


@dataclass(frozen=True, kw_only=True)
class Layout:
    """A file of `program`; `entity`: what it holds, '' when only its columns can tell. `columns`
    {plain header: target, '' to ignore it}; `values` {target: {cell: option}}."""

    program: Program
    entity: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


# “RecordId” is Insightly's.
_HUBSPOT_ID = re.compile(r"\s*(?:record[ _]id\b|hs[ _]object[ _]id)", re.IGNORECASE)
_GUID = re.compile(r"\{?[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\}?")
DYNAMICS = Program(key="dynamics", label="Dynamics 365", ids=_GUID)
SALESFORCE = Program(
    key="salesforce", label="Salesforce", ids=re.compile(r"[0-9a-zA-Z]{15}([0-9A-Z]{3})?"), short=15
)
HUBSPOT = Program(key="hubspot", label="HubSpot", ids=re.compile(r"\d{1,20}"))
OUTLOOK = Program(key="outlook", label="Outlook")
GOOGLE = Program(key="google", label="Google Contacts")
LINKEDIN = Program(key="linkedin", label="LinkedIn")
PROGRAMS = {p.key: p for p in (DYNAMICS, SALESFORCE, HUBSPOT, OUTLOOK, GOOGLE, LINKEDIN)}

_SALESFORCE = {"001": "account", "003": "contact", "00Q": "lead", "006": "opportunity"}
# The first id column of these says what a row is: a deal may also name a contact.
_OWN_FIRST = ("opportunity", "lead", "contact", "account")
_LOGICAL = frozenset(
    """
    emailaddress1 emailaddress2 telephone1 telephone2 statecode statuscode parentcustomerid
    parentcustomeridvalue address1line1 address1stateorprovince address1composite industrycode
    transactioncurrencyid leadsourcecode leadqualitycode customertypecode parentaccountid
    parentaccountidvalue parentcontactid parentcontactidvalue primarycontactid owneridvalue
    primarycontactidvalue closeprobability importsequencenumber versionnumber ownerid
    donotbulkemail donotemail preferredcontactmethodcode odataetag
    """.split()
)


@dataclass(frozen=True, slots=True)
class _File:
    """What is seen of a file. `plain`: its headers, `known` of them those that say something."""

    columns: Sequence[str]
    plain: Sequence[str]
    known: frozenset[str]
    sample: Sequence[Sequence[str]]


def recognise(columns: Sequence[str], sample: Sequence[Sequence[str]]) -> Layout | None:
    """The program that wrote a file with these headers; None when it is none that we know."""
    plain = [headers.plain(column) for column in columns]
    file = _File(columns, plain, frozenset(plain) - {""}, sample)
    for find in _FINDERS:
        found = find(file)
        if found is not None:
            return found
    return None


def _salesforce(file: _File) -> Layout | None:
    """Its ids say what they are ids of."""
    known = file.known
    found = {name: _prefix(file, name) for name in ("id", *(f"{e}id" for e in _OWN_FIRST))}
    entity = _SALESFORCE.get(found["id"], "")
    for name in _OWN_FIRST:
        if not entity and _SALESFORCE.get(found[f"{name}id"]) == name:
            entity = name
    if not entity and not (known & {"systemmodstamp", "isdeleted"} and "id" in known):
        return None
    if not entity:
        entity = next((e for e, signs in texts.SALESFORCE_SIGNS.items() if signs <= known), "")
    return _layout(SALESFORCE, entity)


def _prefix(file: _File, name: str) -> str:
    """How all ids of a column begin; '' when they are no such ids."""
    if name not in file.plain:
        return ""
    index = file.plain.index(name)
    ids = [row[index].strip() for row in file.sample if index < len(row) and row[index].strip()]
    begin = {one[:3] for one in ids if SALESFORCE.ids.fullmatch(one)}
    whole = bool(ids) and all(SALESFORCE.ids.fullmatch(one) for one in ids)
    return begin.pop() if whole and len(begin) == 1 else ""


def _dynamics(file: _File) -> Layout | None:
    known = file.known
    if "donotmodifyrowchecksum" in known:
        own = [column for column in file.columns if column.startswith("(Do Not Modify) ")]
        names = {headers.plain(column.removeprefix("(Do Not Modify) ")) for column in own}
        return _layout(DYNAMICS, next((e for e in _OWN_FIRST if e in names), ""))
    entity = next((e for e in _OWN_FIRST if f"{e}id" in known), "")
    enough = 1 if entity and _are_guids(file, f"{entity}id") else 2
    if len(known & _LOGICAL) >= enough:
        return _layout(DYNAMICS, entity)
    return _dynamics_elsewhere(file)


def _are_guids(file: _File, name: str) -> bool:
    ids = values_of(file.sample, file.plain.index(name))
    return bool(ids) and all(map(_GUID.fullmatch, ids))


def _dynamics_elsewhere(file: _File) -> Layout | None:
    """An Excel file of Dynamics in another language: its first three columns say that they must
    not be changed, and the first of them has ids."""
    named = [_KEPT.fullmatch(column) for column in file.columns[:3]]
    first = named[0] if named else None
    if len(named) < 3 or first is None:
        return None
    alike = all(one is not None and one[1] == first[1] for one in named)
    if not (alike and _are_guids(file, file.plain[0])):
        return None
    bare = headers.plain(first[2])
    entity = next((e for e, said in texts.DYNAMICS_CALLED.items() if bare in said), "")
    found = _layout(DYNAMICS, entity)
    own = dict.fromkeys(map(headers.plain, file.columns[1:3]), "")
    return replace(found, columns={**found.columns, **own, file.plain[0]: SOURCE_ID})


# As “(Nicht ändern) Kontakt” is.
_KEPT = re.compile(r"\(([^()]{5,30})\) (.+)")


def _hubspot(file: _File) -> Layout | None:
    own = next((at for at, column in enumerate(file.columns) if _HUBSPOT_ID.match(column)), None)
    if own is None or not all(_ids(HUBSPOT, values_of(file.sample, own))):
        # Zoho's ids are called the same and look otherwise.
        return None
    for entity, signs in texts.HUBSPOT_SIGNS.items():
        if file.known & signs:
            return _layout(HUBSPOT, entity)
    return None


def _address_books(file: _File) -> Layout | None:
    for program, signs in (
        (LINKEDIN, texts.LINKEDIN_SIGNS),
        (GOOGLE, texts.GOOGLE_SIGNS),
        (OUTLOOK, texts.OUTLOOK_SIGNS),
    ):
        if any(sign <= file.known for sign in signs):
            return _layout(program, "contact")
    return None


_FINDERS = (_salesforce, _dynamics, _hubspot, _address_books)


def _layout(program: Program, entity: str) -> Layout:
    columns = {
        headers.plain(header): target
        for name in (program.key, f"{program.key}.{entity}")
        for header, target in texts.COLUMNS.get(name, {}).items()
    }
    values = {
        target: cells
        for name in (program.key, f"{program.key}.{entity}")
        for target, cells in texts.VALUES.get(name, {}).items()
    }
    return Layout(program=program, entity=entity, columns=columns, values=values)


def target_of(layout: Layout, header: str, values: Sequence[str]) -> str | None:
    """What a column of such a file is: a target, '' when it is none; None when its header says it
    by itself."""
    bare = headers.plain(header)
    found = layout.columns.get(bare)
    if found is None and bare.startswith(_NUMBERED):
        found = next((t for name, t in layout.columns.items() if bare.startswith(name)), None)
    if found and found.endswith(SOURCE_ID) and not all(_ids(layout.program, values)):
        # A name where others have an id.
        return found.removesuffix(SOURCE_ID).rstrip(".")
    return found


# HubSpot says in brackets whose ids or names they are.
_NUMBERED = ("recordid", "associatedcompany", "associatedcontact")


def _ids(program: Program, values: Sequence[str]) -> Iterator[bool]:
    return (bool(program.ids.fullmatch(_first(value))) for value in values)


def _first(text: str) -> str:
    """HubSpot writes several ids into one cell; the first is the main one."""
    return text.partition(";")[0].strip()


def same_id(system: str, text: str) -> str:
    """An id as it is kept: 15 and 18 characters of Salesforce are one, brackets say nothing."""
    text = _first(text) if system == HUBSPOT.key else text.strip()
    program = PROGRAMS.get(system)
    if program is DYNAMICS:
        return text.strip("{}").lower()
    return text[: program.short] if program else text[:200]
