"""Match keys: hashes of what duplicates share. Keys find, evidence decides.

Each is so narrow that few of a million records share it, and together they are so different that a
record that is damaged in one or two places still shares one with its double. What a key is made of
follows from the rules: the fields that they compare as names, e-mails, phones, addresses. Two
entities share keys, so that a lead finds a contact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b
from itertools import islice, product
from struct import unpack
from typing import Any

from rapport.meta.entity import Entity

from . import normalise
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
    plan = plan or plan_of(entity)
    found = _standard(plan.roles, values, names)
    for key, features in plan.own:
        found += [_joined((key, *parts)) for parts in _own(features, values, names)]
    hashes = [blake2b(text.encode(), digest_size=8).digest() for text in dict.fromkeys(found)]
    return [*unpack(f">{len(hashes)}q", b"".join(hashes))]


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


def _standard(roles: Roles, values: Mapping[str, Any], names: Mapping[str, str]) -> list[str]:
    """The keys that everybody has, as texts."""
    found = ["E\x1f" + one for one in _some(roles.emails, values, normalise.email)]
    found += ["P\x1f" + one for one in _some(roles.phones, values, normalise.phone)]
    is_reachable = bool(found)
    company = ""
    for name in roles.companies:
        raw = names.get(name) or values.get(name)
        if raw and isinstance(raw, str):
            company = normalise.company(raw)
            break
    called = [
        one for n in roles.names[:2] if (raw := values.get(n)) and (one := normalise.name(str(raw)))
    ]
    if called:
        place = _Place(roles, values)
        found += _of_last(called, company, place)
        if not is_reachable or len(found) < ENOUGH:
            found += _of_little(called, company, place)
        if not is_reachable:
            found += _of_address(called, company, place)
        for n in roles.days:
            if (raw := values.get(n)) and (day := normalise.day(raw)):
                found += [f"D\x1f{day}\x1f{normalise.sound(one)}" for one in called]
    if roles.is_company and company:
        found += map(_joined, _of_company(company, _Place(roles, values)))
        found += ["W\x1f" + one for one in _some(roles.domains, values, normalise.domain)]
    return found


def _some(
    names: Iterable[str], values: Mapping[str, Any], normal: Callable[[str], str]
) -> list[str]:
    found = [one for n in names if (raw := values.get(n)) and (one := normal(raw))]
    return found if len(found) < 2 else list(dict.fromkeys(found))[:OF_A_SORT]


def _begin(first: str, last: str) -> str:
    """Beginnings of both names in any order."""
    one, other = first[:2], last[:2]
    return one + other if one <= other else other + one


class _Place:
    """The parts of an address that keys are made of; blank what is not there."""

    __slots__ = ("_roles", "_values", "city", "code", "line2", "number", "postcode", "street")

    def __init__(self, roles: Roles, values: Mapping[str, Any]) -> None:
        self._roles, self._values = roles, values
        self.number = self.street = self.line2 = self.postcode = ""
        self.city = self.code = ""
        for name in roles.cities:
            if raw := values.get(name):
                self.city = _letters(str(raw))
        for name in roles.postcodes:
            if raw := values.get(name):
                self.code = normalise.postcode(str(raw))

    def read_lines(self) -> None:
        """Street and number, which take more than the rest and are not always needed; and the
        characters of the postal code in any order."""
        self.postcode = "".join(sorted(self.code))
        lines = [raw for name in self._roles.lines if (raw := self._values.get(name))]
        if lines and (first := normalise.street(str(lines[0]))):
            self.number, self.street = first[1], first[2].replace(" ", "")
        if len(lines) > 1 and (second := normalise.street(str(lines[1]))):
            self.line2 = second[2].replace(" ", "")


@lru_cache(maxsize=20_000)
def _letters(text: str) -> str:
    return normalise.name(text).replace(" ", "")


def _of_last(called: Sequence[str], company: str, place: _Place) -> Iterator[str]:
    """Both names in any order; and the last one, which few lack, with the company or the place."""
    yield "N\x1f" + " ".join(sorted(" ".join(called).split()))
    last = normalise.sound(called[-1])
    if company:
        yield f"CL\x1f{company}\x1f{last}"
    if place.code:
        yield f"LP\x1f{place.code}\x1f{last}"
    elif place.city:
        yield f"NC4\x1f{place.city[:4]}\x1f{_begin(called[0], called[-1])}"


def _of_little(called: Sequence[str], company: str, place: _Place) -> Iterator[str]:
    """For those of whom not much more is known."""
    place.read_lines()
    last = normalise.sound(called[-1])
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
    place.read_lines()
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
