"""Every rule there is, shipped or made here, and whether it is in force: for administrators."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace

from rapport import queries
from rapport.access import Actor
from rapport.meta.registry import registry
from rapport.models import DuplicateRule
from rapport.models.duplicates import ACTIVE

from . import rules
from .rules import Rule


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """A rule. `row`: its stored record, none for a shipped one that nobody touched; `shipped`: as
    it ships; `on`: whether it is published."""

    rule: Rule
    on: bool
    row: uuid.UUID | None = None
    version: int = 0
    shipped: Rule | None = None

    @property
    def changed(self) -> bool:
        """Whether a shipped rule says something else here."""
        return self.shipped is not None and not same(self.rule, self.shipped)


def same(one: Rule, other: Rule) -> bool:
    """Whether two rules find the same and are called the same."""

    def plain(rule: Rule) -> Rule:
        return replace(rule, key="", builtin="", name=str(rule.name))

    return plain(one) == plain(other)


def entries(by: Actor) -> list[Entry]:
    """All rules: by record type the shipped ones first, as they ship, then one's own by name."""
    rows = list(queries.records(registry["duplicate_rule"], by).order_by("sort_name", "pk"))
    replaced = {row.builtin: row for row in rows if row.builtin}
    default = on_by_default()
    found = []
    for shipped in rules.shipped():
        row = replaced.pop(shipped.key, None)
        if row is None:
            found.append(Entry(rule=shipped, on=shipped.key in default, shipped=shipped))
        else:
            found.append(_stored(row, shipped))
    # A rule that ships no more goes on as one's own.
    found += [_stored(row, None) for row in rows if not row.builtin or row.builtin in replaced]
    order = {entity.name: place for place, entity in enumerate(registry)}
    return sorted(found, key=lambda entry: order.get(entry.rule.base, len(order)))


def entry(key: str, by: Actor) -> Entry | None:
    """The rule with this key."""
    return next((found for found in entries(by) if found.rule.key == key), None)


def on_by_default() -> frozenset[str]:
    """Keys of the shipped rules that are published unless somebody says otherwise."""
    from .shipped import switched_on  # it declares rules, so it comes after them

    return frozenset(rule.key for rule in switched_on())


def _stored(row: DuplicateRule, shipped: Rule | None) -> Entry:
    return Entry(
        rule=rules.loads(row),
        on=row.state == ACTIVE,
        row=row.pk,
        version=row.version,
        shipped=shipped,
    )
