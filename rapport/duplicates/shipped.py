"""The rules that ship. An upgrade improves them; a stored rule with the same key replaces one."""

from __future__ import annotations

from functools import cache

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from rapport.meta.columns import Label
from rapport.meta.registry import registry

from .rules import Condition, Criterion, Rule

THRESHOLD = 70
# What a rule says that knows nothing but one agreement.
PLAIN = 70

EMAILS = ("email", "email2", "email3")
PHONES = {
    "contact": ("business_phone", "mobile_phone", "home_phone", "business_phone2", "phone3"),
    "lead": ("business_phone", "mobile_phone", "home_phone", "other_phone"),
    "account": ("main_phone", "other_phone", "phone3"),
}
COMPANY = {"contact": "account", "lead": "company", "account": "name"}


def _both(
    base: str | tuple[str, ...],
    criterion: Criterion,
    matching: str | tuple[str, ...] | None = None,
    *,
    must: bool = False,
    ignore_blanks: bool = True,
    parameter: int | None = None,
) -> Condition:
    """A condition on the same fields of both, or on `matching` of the other."""
    base = (base,) if isinstance(base, str) else base
    other = base if matching is None else matching
    other = (other,) if isinstance(other, str) else other
    return Condition(
        base=base, matching=other, criterion=criterion, must=must, ignore_blanks=ignore_blanks,
        parameter=parameter,
    )  # fmt: skip


def _address() -> tuple[Condition, ...]:
    return (
        _both("address1_line1", Criterion.ADDRESS),
        _both("address1_line2", Criterion.ADDRESS),
        _both("address1_city", Criterion.CITY),
        _both("address1_postal_code", Criterion.POSTCODE),
    )


def _person(base: str, matching: str) -> Rule:
    conditions = [
        _both("first_name", Criterion.NAME),
        _both("last_name", Criterion.NAME),
        _both(EMAILS, Criterion.EMAIL),
        _both(PHONES[base], Criterion.PHONE, PHONES[matching]),
        _both(COMPANY[base], Criterion.COMPANY, COMPANY[matching]),
        *_address(),
    ]
    if base == matching == "contact":
        conditions.append(_both("birthday", Criterion.DATE))
    return Rule(
        key=f"{base}.{matching}.person",
        name=_("Same person"),
        base=base,
        matching=matching,
        conditions=tuple(conditions),
        threshold=THRESHOLD,
    )


def _company(base: str, matching: str) -> Rule:
    return Rule(
        key=f"{base}.{matching}.company",
        name=_("Same company"),
        base=base,
        matching=matching,
        conditions=(
            _both(COMPANY[base], Criterion.COMPANY, COMPANY[matching]),
            _both(("website", *EMAILS), Criterion.DOMAIN),
            _both(PHONES[base], Criterion.PHONE, PHONES[matching]),
            *_address(),
        ),
        threshold=THRESHOLD,
    )


def _plain(key: str, name: Label, base: str, matching: str, *conditions: Condition) -> Rule:
    return Rule(
        key=f"{base}.{matching}.{key}", name=name, base=base, matching=matching,
        conditions=conditions, threshold=PLAIN,
    )  # fmt: skip


def _email(base: str, matching: str) -> Rule:
    # The main address among any of the other's: after a merge the loser's stands second.
    condition = _both("email", Criterion.EMAIL, EMAILS, must=True)
    return _plain("email", _("Same e-mail address"), base, matching, condition)


def _bare(entity: str, *names: str) -> Rule:
    """Two records that are equal and blank in the same places are the same as far as we know."""
    conditions = (_both(name, Criterion.EXACT, must=True, ignore_blanks=False) for name in names)
    return _plain("bare", _("Alike in all that is known"), entity, entity, *conditions)


@cache
def switched_on() -> tuple[Rule, ...]:
    """The shipped rules that are on by default."""
    return (
        _person("contact", "contact"),
        _person("lead", "lead"),
        _person("lead", "contact"),
        _person("contact", "lead"),
        _company("account", "account"),
        _company("lead", "account"),
        *(_email(one, other) for one in ("contact", "lead") for other in ("contact", "lead")),
        # A box that everybody there reads is just the company's.
        _plain("email", _("Same e-mail address"), "account", "account",
               _both("email", Criterion.EXACT, EMAILS, must=True)),
        _bare("contact", "last_name", "first_name", "account", "email", "business_phone",
              "mobile_phone", "address1_line1", "address1_city", "birthday"),
        _bare("lead", "last_name", "first_name", "company", "email", "business_phone",
              "mobile_phone", "address1_line1", "address1_city"),
        _plain("name", _("Same account name"), "account", "account",
               _both("name", Criterion.EXACT, must=True)),
        *_declared(),
    )  # fmt: skip


def _declared() -> tuple[Rule, ...]:
    """Of the other entities: what their declaration calls the same."""
    found = []
    for entity in registry:
        if entity.name in COMPANY:
            continue
        for group in entity.duplicates:
            emails = len(group) == 1 and entity.fields[group[0]].kind == "email"
            criterion = Criterion.EMAIL if emails else Criterion.EXACT
            conditions = [
                _both(name, criterion, must=True, ignore_blanks=position == 0)
                for position, name in enumerate(group)
            ]
            labels = [entity.fields[field].label for field in group]
            name = format_lazy(" + ".join(["{}"] * len(group)), *labels)
            found.append(_plain("+".join(group), name, entity.name, entity.name, *conditions))
    return tuple(found)


@cache
def every() -> tuple[Rule, ...]:
    """Those and the ones that an administrator may switch on: they would show too much."""
    return (
        *switched_on(),
        _plain("name", _("Same first and last name"), "contact", "contact",
               _both("first_name", Criterion.EXACT, must=True),
               _both("last_name", Criterion.EXACT, must=True)),
        _plain("phone", _("Same business phone"), "contact", "contact",
               _both("business_phone", Criterion.PHONE, must=True)),
        _plain("phone", _("Same phone number"), "account", "account",
               _both("main_phone", Criterion.PHONE, must=True)),
        _plain("website", _("Same website"), "account", "account",
               _both("website", Criterion.DOMAIN, must=True)),
        _plain("phone", _("Same phone number"), "lead", "lead",
               _both(PHONES["lead"], Criterion.PHONE, must=True)),
        _plain("domain", _("Similar name and same domain"), "lead", "lead",
               _both("last_name", Criterion.NAME, must=True),
               _both(("website", *EMAILS), Criterion.DOMAIN, must=True)),
    )  # fmt: skip
