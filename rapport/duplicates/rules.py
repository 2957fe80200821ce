"""Duplicate rules: what they are made of, which are in force, how they are stored and checked."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext as _, gettext_lazy

from rapport.meta.columns import Label
from rapport.meta.entity import Entity
from rapport.meta.field import Field
from rapport.meta.kinds import TEXTS, Kind
from rapport.meta.registry import registry
from rapport.models import DuplicateRule
from rapport.models.duplicates import ACTIVE


class Criterion(StrEnum):
    """How two values are compared."""

    EXACT = "exact"
    FIRST = "first"
    LAST = "last"
    SAME_DATE = "same_date"
    SAME_INSTANT = "same_instant"
    LABEL = "label"
    EMAIL = "email"
    PHONE = "phone"
    COMPANY = "company"
    NAME = "name"
    DOMAIN = "domain"
    TEXT = "text"
    ADDRESS = "address"
    CITY = "city"
    POSTCODE = "postcode"
    DATE = "date"


LABELS: dict[Criterion, Label] = {
    Criterion.EXACT: gettext_lazy("Exact match"),
    Criterion.FIRST: gettext_lazy("Same first characters"),
    Criterion.LAST: gettext_lazy("Same last characters"),
    Criterion.SAME_DATE: gettext_lazy("Same date"),
    Criterion.SAME_INSTANT: gettext_lazy("Same date and time"),
    Criterion.LABEL: gettext_lazy("Same choice"),
    Criterion.EMAIL: gettext_lazy("Same e-mail address"),
    Criterion.PHONE: gettext_lazy("Same phone number in any format"),
    Criterion.COMPANY: gettext_lazy("Similar company, without legal form"),
    Criterion.NAME: gettext_lazy("Similar personal name"),
    Criterion.DOMAIN: gettext_lazy("Same domain"),
    Criterion.TEXT: gettext_lazy("Similar text"),
    Criterion.ADDRESS: gettext_lazy("Similar street"),
    Criterion.CITY: gettext_lazy("Similar city"),
    Criterion.POSTCODE: gettext_lazy("Similar postal code"),
    Criterion.DATE: gettext_lazy("Similar date"),
}

_ANY = frozenset(Kind) - {Kind.ADDRESS}
_DATES = frozenset({Kind.DATE, Kind.DATETIME})
# Names may stand in a text, or in the title of what a look-up names.
_NAMES = frozenset({Kind.TEXT, Kind.LONG_TEXT, Kind.LOOKUP})
KINDS: dict[Criterion, frozenset[Kind]] = {
    Criterion.EXACT: _ANY,
    Criterion.FIRST: TEXTS | {Kind.LOOKUP},
    Criterion.LAST: TEXTS | {Kind.LOOKUP},
    Criterion.SAME_DATE: _DATES,
    Criterion.SAME_INSTANT: frozenset({Kind.DATETIME}),
    Criterion.LABEL: frozenset({Kind.CHOICE, Kind.STATE, Kind.TEXT}),
    Criterion.EMAIL: frozenset({Kind.EMAIL, Kind.TEXT}),
    Criterion.PHONE: frozenset({Kind.PHONE, Kind.TEXT}),
    Criterion.COMPANY: _NAMES,
    Criterion.NAME: _NAMES,
    Criterion.DOMAIN: frozenset({Kind.EMAIL, Kind.URL, Kind.TEXT}),
    Criterion.TEXT: TEXTS | {Kind.LOOKUP},
    Criterion.ADDRESS: _NAMES,
    Criterion.CITY: _NAMES,
    Criterion.POSTCODE: _NAMES,
    Criterion.DATE: frozenset({Kind.DATE, Kind.DATETIME, Kind.TEXT}),
}
WITH_PARAMETER = frozenset({Criterion.FIRST, Criterion.LAST})
# What can be looked up by a key when a condition must hold; the others only compare.
MAX_CONDITIONS = 30


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One comparison. `base`, `matching`: one field each, or several of which any may agree.

    parameter: number of characters. ignore_blanks: two blanks say nothing; else they agree.
    must: the rule holds only if this agrees. weight: bits for full agreement, None to learn it.
    """

    base: tuple[str, ...]
    matching: tuple[str, ...]
    criterion: Criterion
    parameter: int | None = None
    ignore_blanks: bool = True
    must: bool = False
    weight: float | None = None


@dataclass(frozen=True, kw_only=True)
class Rule:
    """When a `base` record is the same as a `matching` one.

    threshold: percent from which two records are shown as duplicates. Of a rule with nothing but
    musts it is also the confidence.
    """

    key: str
    name: Label
    base: str
    matching: str
    conditions: tuple[Condition, ...]
    threshold: int
    case_sensitive: bool = False
    exclude_inactive: bool = False
    builtin: str = ""

    @property
    def weighed(self) -> bool:
        """Whether anything counts, rather than must be."""
        return any(not condition.must for condition in self.conditions)

    def turned(self) -> Rule:
        """The same rule asked from the other side."""
        conditions = tuple(
            Condition(
                base=c.matching, matching=c.base, criterion=c.criterion, parameter=c.parameter,
                ignore_blanks=c.ignore_blanks, must=c.must, weight=c.weight,
            )
            for c in self.conditions
        )  # fmt: skip
        return Rule(
            key=self.key, name=self.name, base=self.matching, matching=self.base,
            conditions=conditions, threshold=self.threshold, case_sensitive=self.case_sensitive,
            exclude_inactive=self.exclude_inactive, builtin=self.builtin,
        )  # fmt: skip


# -- which rules are in force ---------------------------------------------------------------------

# A rule saved by another process is in force after so many seconds.
FRESH = 2.0


@dataclass(slots=True)
class _Kept:
    rules: tuple[Rule, ...] | None = None
    until: float = 0.0
    version: int = 0


_kept = _Kept()


def forget() -> None:
    """Read the rules anew when next asked: one was saved by this process."""
    _kept.until = 0.0


def shipped() -> tuple[Rule, ...]:
    """Every rule that ships, also those that are not switched on."""
    from .shipped import every  # it declares rules, so it needs this module

    return every()


def published(base: str | None = None) -> tuple[Rule, ...]:
    """The rules in force, of one base entity or all: shipped ones that are on and not replaced,
    and stored ones that are active."""
    now = time.monotonic()
    if _kept.rules is None or now >= _kept.until:
        take(DuplicateRule.objects.order_by("created_at", "pk"), until=now + FRESH)
    assert _kept.rules is not None
    if base is None:
        return _kept.rules
    return tuple(rule for rule in _kept.rules if rule.base == base)


def stay() -> None:
    """Go by what is known from now on: in a process that must not ask the database."""
    _kept.until = math.inf


def take(rows: Iterable[DuplicateRule], *, until: float) -> None:
    """Let these stored rules, with the shipped ones, be in force until so late."""
    found = tuple(_in_force(list(rows)))
    if found != _kept.rules:
        _kept.rules, _kept.version = found, _kept.version + 1
    _kept.until = until


def version() -> int:
    """Another number whenever other rules are in force: for keeping what was made of them."""
    published()
    return _kept.version


def _in_force(rows: Sequence[DuplicateRule]) -> Iterator[Rule]:
    from .shipped import switched_on

    replaced = {row.builtin for row in rows if row.builtin}
    yield from (rule for rule in switched_on() if rule.key not in replaced)
    for row in rows:
        if row.state != ACTIVE:
            continue
        rule = loads(row)
        # A field may have gone with an upgrade; such a rule rests until somebody mends it.
        if not check(rule):
            yield rule


# -- stored ---------------------------------------------------------------------------------------


def dumps(rule: Rule) -> str:
    """The conditions of `rule` as `DuplicateRule.definition` keeps them."""
    conditions = [
        {
            "base": list(c.base),
            "matching": list(c.matching),
            "criterion": c.criterion.value,
            "parameter": c.parameter,
            "ignore_blanks": c.ignore_blanks,
            "must": c.must,
            "weight": c.weight,
        }
        for c in rule.conditions
    ]
    return json.dumps({"conditions": conditions}, ensure_ascii=False)


def loads(row: DuplicateRule) -> Rule:
    """The rule that `row` keeps; without conditions when they cannot be read."""
    try:
        kept = json.loads(row.definition or "{}")
        conditions = tuple(_condition(one) for one in kept.get("conditions", ()))
    except (ValueError, TypeError, AttributeError, KeyError):
        conditions = ()
    return Rule(
        key=row.builtin or str(row.pk),
        name=row.name,
        base=row.base_entity,
        matching=row.matching_entity,
        conditions=conditions,
        threshold=row.threshold if row.threshold is not None else 80,
        case_sensitive=row.case_sensitive,
        exclude_inactive=row.exclude_inactive,
        builtin=row.builtin,
    )


def _condition(kept: dict[str, Any]) -> Condition:
    parameter, weight = kept.get("parameter"), kept.get("weight")
    return Condition(
        base=tuple(map(str, kept["base"])),
        matching=tuple(map(str, kept["matching"])),
        criterion=Criterion(kept["criterion"]),
        parameter=None if parameter is None else int(parameter),
        ignore_blanks=bool(kept.get("ignore_blanks", True)),
        must=bool(kept.get("must")),
        weight=None if weight is None else float(weight),
    )


# -- checked --------------------------------------------------------------------------------------


def check(rule: Rule) -> list[str]:
    """What is wrong with `rule`, in words; nothing when it can work."""
    found = []
    entities: list[Entity] = []
    for name in (rule.base, rule.matching):
        if name in registry:
            entities.append(registry[name])
        else:
            found.append(_("There is no record type “%(name)s”.") % {"name": name})
    if not rule.conditions:
        found.append(_("A rule needs at least one condition."))
    if len(rule.conditions) > MAX_CONDITIONS:
        found.append(_("A rule has at most %(count)d conditions.") % {"count": MAX_CONDITIONS})
    if not 1 <= rule.threshold <= 100:
        found.append(_("The threshold is a percentage from 1 to 100."))
    if len(entities) == 2:
        for number, condition in enumerate(rule.conditions, start=1):
            found += [
                _("Condition %(number)d: %(problem)s") % {"number": number, "problem": problem}
                for problem in _problems(condition, entities[0], entities[1])
            ]
    return found


def _problems(condition: Condition, base: Entity, matching: Entity) -> Iterator[str]:
    for entity, names in ((base, condition.base), (matching, condition.matching)):
        if not names:
            yield _("no field is chosen.")
        for name in names:
            field = entity.fields.get(name)
            if field is None:
                yield _("%(entity)s has no field “%(name)s”.") % {
                    "entity": entity.label, "name": name,
                }  # fmt: skip
            elif field.kind not in KINDS[condition.criterion]:
                yield _("“%(criterion)s” does not fit %(field)s.") % {
                    "criterion": LABELS[condition.criterion], "field": field.label,
                }  # fmt: skip
    if condition.criterion in WITH_PARAMETER:
        if condition.parameter is None or not 1 <= condition.parameter <= 100:
            yield _("say how many characters, from 1 to 100.")
    elif condition.parameter is not None:
        yield _("“%(criterion)s” takes no number.") % {"criterion": LABELS[condition.criterion]}
    if condition.weight is not None and not 0 < condition.weight <= 60:
        yield _("a weight is more than 0 and at most 60.")


def criteria_for(field: Field) -> tuple[Criterion, ...]:
    """The criteria that fit the values of `field`."""
    return tuple(criterion for criterion in Criterion if field.kind in KINDS[criterion])


def pairs_of(rules: Collection[Rule]) -> dict[tuple[str, str], list[Rule]]:
    """`rules` by the two entities they compare."""
    found: dict[tuple[str, str], list[Rule]] = {}
    for rule in rules:
        found.setdefault((rule.base, rule.matching), []).append(rule)
    return found
