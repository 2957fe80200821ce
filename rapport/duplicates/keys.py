"""Match keys: hashes of what duplicates share. Keys find, evidence decides.

Each is so narrow that few of a million records share it, and together they are so different that a
record that is damaged in one or two places still shares one with its double. What a key is made of
follows from the rules: the fields that they compare as names, e-mails, phones, addresses. Two
entities share keys, so that a lead finds a contact.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b
from itertools import islice, product
from struct import unpack
from typing import Any

from rapport.meta.entity import Entity

from . import normalise
from .columns import Columns
from .features import Feature, is_link, normaliser, of_condition
from .rules import Condition, Criterion, Rule, published, version
from .shipped import switched_on

# To be raised whenever the same record would get other keys: all are made anew then.
VERSION = 4
# A key that more records have finds nothing by itself (a placeholder, a very common name).
HELD_BY = 100
# No more of one sort: a person with ten numbers is a switchboard.
OF_A_SORT = 4
# Who can be reached and has so many is found by those.
ENOUGH = 5


@dataclass(frozen=True, slots=True)
class Roles:
    """Which fields of an entity hold what."""

    names: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    companies: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    cities: tuple[str, ...] = ()
    postcodes: tuple[str, ...] = ()
    days: tuple[str, ...] = ()
    is_company: bool = False


_ROLES = {
    Criterion.NAME: "names",
    Criterion.EMAIL: "emails",
    Criterion.PHONE: "phones",
    Criterion.DOMAIN: "domains",
    Criterion.COMPANY: "companies",
    Criterion.ADDRESS: "lines",
    Criterion.CITY: "cities",
    Criterion.POSTCODE: "postcodes",
    Criterion.DATE: "days",
}
# Conditions of which equal values give equal keys.
EQUAL = frozenset(
    {
        Criterion.EXACT, Criterion.FIRST, Criterion.LAST, Criterion.SAME_DATE,
        Criterion.SAME_INSTANT, Criterion.LABEL, Criterion.EMAIL, Criterion.PHONE, Criterion.DOMAIN,
        Criterion.POSTCODE,
    }
)  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """How the keys of one entity are made."""

    roles: Roles
    own: tuple[tuple[str, tuple[tuple[Feature, bool], ...]], ...]
    links: frozenset[str] = field(default_factory=frozenset)
    fields: frozenset[str] = field(default_factory=frozenset)


def plan_of(entity: Entity) -> Plan:
    """How the keys of `entity` are made, by the rules in force."""
    return _plan(entity, version())


@lru_cache(maxsize=256)
def _plan(entity: Entity, _version: int) -> Plan:
    return plan_by(entity, published())


@lru_cache(maxsize=16)
def plan_by(entity: Entity, rules: tuple[Rule, ...]) -> Plan:
    """How the keys of `entity` would be made if these rules were in force."""
    found: dict[str, dict[str, None]] = {}
    is_company = False
    own = []
    for rule in dict.fromkeys((*switched_on(), *rules)):
        sides = ((rule.base, True), (rule.matching, False))
        mine = [is_base for name, is_base in sides if name == entity.name]
        names_people = any(c.criterion is Criterion.NAME for c in rule.conditions)
        for is_base in mine:
            for condition in rule.conditions:
                role = _ROLES.get(condition.criterion)
                if role:
                    found.setdefault(role, {}).update(
                        dict.fromkeys(condition.base if is_base else condition.matching)
                    )
                if condition.criterion is Criterion.COMPANY and not names_people:
                    is_company = True
            if rule in rules and not _is_covered(rule):
                features = _own_features(rule, is_base)
                if features and (rule.key, features) not in own:
                    own.append((rule.key, features))
    roles = Roles(**{role: tuple(names) for role, names in found.items()}, is_company=is_company)
    used = [n for names in found.values() for n in names]
    used += [n for _key, features in own for feature, _blank in features for n in feature.fields]
    links = frozenset(n for n in used if is_link(entity.fields[n]))
    return Plan(roles, tuple(own), links, frozenset(used))


def _is_covered(rule: Rule) -> bool:
    """Whether the keys that everybody has find what `rule` wants."""
    musts = [c for c in rule.conditions if c.must]
    if not musts:
        return True
    strong = {Criterion.EMAIL, Criterion.PHONE, Criterion.COMPANY, Criterion.DOMAIN}
    if any(c.criterion in strong and c.ignore_blanks for c in musts):
        return True
    equal = {names for c in musts if c.criterion is Criterion.EXACT for names in (c.base,)}
    return bool(equal & {("full_name",), ("name",)}) or {("first_name",), ("last_name",)} <= equal


def _own_features(rule: Rule, is_base: bool) -> tuple[tuple[Feature, bool], ...]:
    """What the key of a rule that an administrator made consists of."""
    return tuple(
        (_feature(c, is_base, rule), c.ignore_blanks)
        for c in rule.conditions
        if c.must and c.criterion in EQUAL
    )


def _feature(condition: Condition, is_base: bool, rule: Rule) -> Feature:
    fields = condition.base if is_base else condition.matching
    return of_condition(condition, fields, rule.case_sensitive)


def fingerprint(entity: Entity) -> str:
    """Changes when the stored keys of `entity` are not the ones that would be made now."""
    plan = plan_of(entity)
    text = repr((VERSION, plan.roles, plan.own, sorted(plan.links)))
    return blake2b(text.encode(), digest_size=8).hexdigest()


def keys(
    entity: Entity,
    values: Mapping[str, Any],
    names: Mapping[str, str],
    plan: Plan | None = None,
) -> list[int]:
    """The match keys of a record with these field values, each a signed number of 64 bits.
    `names` {look-up field: its title}. `plan`: another one than that of the rules in force."""
    return [*keys_of(Columns(entity, [values], [names]), plan)[0]]


def keys_of(columns: Columns, plan: Plan | None = None) -> list[tuple[int, ...]]:
    """The same of several records, in a third of the time."""
    plan = plan or plan_of(columns.entity)
    found = _standard(plan.roles, columns)
    for key, features in plan.own:
        for texts, (values, names) in zip(found, columns.one_by_one(), strict=True):
            more = [_joined((key, *parts)) for parts in _own(features, values, names)]
            # Both sides of a rule may say the same.
            texts += [one for one in more if one not in texts]
    hashes = []
    for texts in found:
        for text in texts:
            # To copy one takes two thirds of the time of making it.
            made = _EMPTY.copy()
            made.update(text.encode())
            hashes.append(made.digest())
    rest = iter(unpack(f">{len(hashes)}q", b"".join(hashes)))
    return [tuple(islice(rest, len(texts))) for texts in found]


_EMPTY = blake2b(digest_size=8)


# What stands between the parts of a key.
_joined = "\x1f".join


def has_title_key(entity: Entity) -> bool:
    """Whether a record of `entity` is found by its title alone: a company."""
    roles = plan_of(entity).roles
    return roles.is_company and roles.companies == (entity.title,)


def title_key(title: str) -> int:
    """The key by which a company is found that is called `title`; 0 when that has no letters."""
    found = normalise.company(title)
    return _hash("C", found) if found else 0


def email_key(text: str) -> int:
    """The key by which those are found that have this e-mail address; 0 when it is none."""
    found = normalise.email(text)
    return _hash("E", found) if found else 0


def phone_key(text: str) -> int:
    """The same for a phone number."""
    found = normalise.phone(text)
    return _hash("P", found) if found else 0


def person_key(called: Iterable[str]) -> int:
    """The key by which a person with these names is found, in any order."""
    return _hash(
        "N", " ".join(sorted(word for one in called for word in normalise.name(one).split()))
    )


def title_hash(title: str) -> int:
    """The same for every spelling of `title`, but not without its legal form."""
    found = normalise.words(title)
    return _hash("T", found) if found else 0


# E-mails, phones, company, names, city, postal code, street lines, days and domains of one record.
_Row = tuple[
    Sequence[str], Sequence[str], str, Sequence[str], str, str, Sequence[Any], Sequence[str],
    Sequence[str],
]  # fmt: skip


def _standard(roles: Roles, columns: Columns) -> list[list[str]]:
    """The keys that everybody has, as texts."""
    called = [columns.ready(name, Criterion.NAME) for name in columns.those(roles.names[:2])]
    lines = [columns.raw(name) for name in columns.those(roles.lines)]
    days = [columns.ready(name, Criterion.DATE) for name in columns.those(roles.days)]
    domains = roles.domains if roles.is_company else ()
    rows = zip(
        columns.bags(roles.emails, Criterion.EMAIL),
        columns.bags(roles.phones, Criterion.PHONE),
        _companies(roles.companies, columns),
        columns.rows(called),
        columns.last(roles.cities, Criterion.CITY),
        columns.last(roles.postcodes, Criterion.POSTCODE),
        columns.rows(lines),
        columns.rows(days),
        columns.bags(domains, Criterion.DOMAIN),
        strict=True,
    )
    return [_texts(roles.is_company, row) for row in rows]


def _companies(names: Sequence[str], columns: Columns) -> Sequence[str]:
    """The first company of each record of which the name is known."""
    found = [""] * len(columns)
    for name in reversed(columns.those(names)):
        rows = zip(found, columns.raw(name), columns.ready(name, Criterion.COMPANY), strict=True)
        found = [one if raw and isinstance(raw, str) else kept for kept, raw, one in rows]
    return found


def _texts(is_company: bool, row: _Row) -> list[str]:
    """The keys of one record, as texts, each once."""
    emails, phones, company, names, city, code, lines, days, domains = row
    found = ["E\x1f" + one for one in emails[:OF_A_SORT]]
    found += ["P\x1f" + one for one in phones[:OF_A_SORT]]
    called = names if all(names) else [one for one in names if one]
    if called:
        is_reachable = bool(found)
        sounds = [*map(normalise.sound, called)]
        last = sounds[-1]
        # Both names in any order; and the last one, which few lack, with the company or the place.
        found.append("N\x1f" + " ".join(sorted(" ".join(called).split())))
        if company:
            found.append(f"CL\x1f{company}\x1f{last}")
        if code:
            found.append(f"LP\x1f{code}\x1f{last}")
        elif city:
            found.append(f"NC4\x1f{_joint(city)[:4]}\x1f{_begin(called[0], called[-1])}")
        if not is_reachable or len(found) < ENOUGH:
            place = _Place(city, code, lines)
            found += _of_little(called, last, company, place)
            if not is_reachable:
                found = [*dict.fromkeys((*found, *_of_address(called, company, place)))]
        for day in days:
            if day:
                for sound in dict.fromkeys(sounds):
                    found.append(f"D\x1f{day}\x1f{sound}")
    if is_company and company:
        found += map(_joined, _of_company(company, _Place(city, code, lines)))
        found += ["W\x1f" + one for one in domains[:OF_A_SORT]]
    return found


def _begin(first: str, last: str) -> str:
    """Beginnings of both names in any order."""
    one, other = first[:2], last[:2]
    return one + other if one <= other else other + one


def _joint(text: str) -> str:
    return text.replace(" ", "")


class _Place:
    """The parts of an address that keys are made of; blank what is not there. The characters of
    `postcode` are in any order."""

    __slots__ = ("city", "code", "line2", "number", "postcode", "street")

    def __init__(self, city: str, code: str, lines: Iterable[Any]) -> None:
        self.city, self.code, self.postcode = _joint(city), code, "".join(sorted(code))
        self.number = self.street = self.line2 = ""
        filled = [raw for raw in lines if raw]
        if filled and (first := normalise.street(str(filled[0]))):
            self.number, self.street = first[1], _joint(first[2])
        if len(filled) > 1 and (second := normalise.street(str(filled[1]))):
            self.line2 = _joint(second[2])


def _of_little(called: Sequence[str], last: str, company: str, place: _Place) -> Iterator[str]:
    """For those of whom not much more is known."""
    if place.city:
        yield f"LC\x1f{place.city}\x1f{last}"
    if place.street and place.number:
        yield f"LS\x1f{place.street[:4]}\x1f{place.number}\x1f{last}"
    elif not (company or place.street or place.city or place.code) and len(called) > 1:
        # There is nothing else to go by.
        yield _of_sound(called)


def _of_sound(called: Sequence[str]) -> str:
    """Names that sound alike, in any order."""
    return _joined(("S", *sorted((normalise.sound(called[0]), normalise.sound(called[-1])))))


def _of_address(called: Sequence[str], company: str, place: _Place) -> Iterator[str]:
    """For those who can be found by no address of their own."""
    first, last = called[0], called[-1]
    if company:
        initials = first[0] + last[0] if first[0] <= last[0] else last[0] + first[0]
        yield f"NC\x1f{company}\x1f{initials}"
    if not place.street and len(called) > 1:
        yield _of_sound(called)
    yield from map(_joined, _of_lines(_begin(first, last), first, last, place))


def _of_lines(begin: str, first: str, last: str, place: _Place) -> Iterator[tuple[str, ...]]:
    # Chosen for what they find together: a postal code with its digits in any order, beginnings of
    # words rather than words, and no two parts of which one follows from the other.
    city, postcode, street, number = place.city, place.postcode, place.street, place.number
    if postcode:
        yield "NP", postcode, begin
    if street and postcode:
        yield "SP", street[:4], postcode, first[0]
        if last[0] != first[0]:
            yield "SP", street[:4], postcode, last[0]
    if city and number and postcode:
        yield "CHP", city[:2], number, postcode
    if city:
        yield "NC4", city[:4], begin
    if street:
        yield "NS", street[:4], begin
    if street and city:
        yield "SC", street[:4], city[:4]
    if postcode and city:
        yield "PFC", postcode, first[:2], city[:2]
        yield "PLC", postcode, last[:2], city[:2]
    if number and postcode:
        yield "FHP", first[:2], number, postcode
    if place.line2:
        yield "SL", street[:4], place.line2[:4]
        yield "LLP", place.line2[:2], last[:2], postcode
        yield "LFP", place.line2[:2], first[:2], postcode
        yield "LC", place.line2[:4], city[:4]


def _of_company(company: str, place: _Place) -> Iterator[tuple[str, ...]]:
    yield "C", company
    longest = max(company.split(), key=len)
    sound = normalise.sound(longest)
    if place.city:
        yield "CC", sound, place.city[:4]
    if place.postcode:
        yield "CP", sound, place.postcode
        if place.street:
            yield "CS", company[0], place.street[:4], place.number, place.postcode


def _own(
    features: Sequence[tuple[Feature, bool]], values: Mapping[str, Any], names: Mapping[str, str]
) -> Iterator[tuple[str, ...]]:
    """The values of a rule's key: one, or more where any of several fields may agree."""
    choices: list[list[str]] = []
    filled = False
    for feature, ignore_blanks in features:
        normal = normaliser(feature)
        raws = [names.get(n) or values.get(n) for n in feature.fields]
        found = [str(one) for raw in raws if raw not in {None, ""} and (one := normal(raw))]
        if not found and ignore_blanks:
            return
        filled = filled or bool(found)
        choices.append(list(dict.fromkeys(found)) or [""])
    if filled:
        yield from islice(product(*choices), OF_A_SORT)


def _hash(*parts: str) -> int:
    hash_ = blake2b(_joined(parts).encode(), digest_size=8).digest()
    return int.from_bytes(hash_, "big", signed=True)
