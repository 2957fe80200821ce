"""A duplicate rule as a form: what was typed, and what it says in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.http import QueryDict
from django.utils.translation import gettext as _, gettext_lazy

from rapport.duplicates import rules
from rapport.duplicates.rules import Condition, Criterion, Rule
from rapport.meta.entity import Entity
from rapport.meta.registry import registry
from rapport.queries import duplicates as pairs

THRESHOLD = 80
MUST, LEARNED, OWN = "must", "learned", "own"
COUNTS = {
    MUST: gettext_lazy("Must agree"),
    LEARNED: gettext_lazy("Counts: the weight is learned from the records"),
    OWN: gettext_lazy("Counts with a weight of my own"),
}


# -- in words --------------------------------------------------------------------------------------


def fields_in_words(entity: Entity | None, names: Iterable[str]) -> str:
    """'Email or Email 2'."""
    fields = entity.fields if entity else {}
    labels = [str(fields[name].label) if name in fields else name for name in names]
    return _(" or ").join(labels) or "–"


def in_words(rule: Rule, condition: Condition) -> dict[str, str]:
    """A condition as people read it: what is compared, how, and what follows."""
    base, matching = _entity(rule.base), _entity(rule.matching)
    what = fields_in_words(base, condition.base)
    other = fields_in_words(matching, condition.matching)
    how = str(rules.LABELS[condition.criterion])
    if condition.parameter is not None:
        how += f" ({condition.parameter})"
    if condition.must:
        counts = _("must agree")
    elif condition.weight is None:
        counts = _("counts")
    else:
        counts = _("counts %(bits)s bits") % {"bits": f"{condition.weight:g}"}
    if not condition.ignore_blanks:
        counts += _(", two blanks agree")
    same = rule.base == rule.matching and condition.base == condition.matching
    return {"what": what if same else f"{what} ↔ {other}", "how": how, "counts": counts}


def _entity(name: str) -> Entity | None:
    return registry[name] if name in registry else None  # noqa: SIM401 -- it is no dictionary


# -- the form --------------------------------------------------------------------------------------


@dataclass(kw_only=True)
class Row:
    """A condition of the form. `words`: what it says; `errors`: what is wrong with it."""

    number: int
    base: list[str] = field(default_factory=list)
    matching: list[str] = field(default_factory=list)
    same: bool = True
    criterion: str = ""
    parameter: str = ""
    ignore_blanks: bool = True
    counts: str = LEARNED
    weight: str = ""
    words: dict[str, str] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    base_fields: list[tuple[str, str]] = field(default_factory=list)
    matching_fields: list[tuple[str, str]] = field(default_factory=list)
    more_base: list[tuple[str, str]] = field(default_factory=list)
    more_matching: list[tuple[str, str]] = field(default_factory=list)
    criteria: list[tuple[str, str]] = field(default_factory=list)


@dataclass(kw_only=True)
class RuleForm:
    """A rule as it is typed. `open`: the number of the condition that is being edited."""

    name: str = ""
    base: str = "contact"
    matching: str = "contact"
    threshold: str = str(THRESHOLD)
    exclude_inactive: bool = False
    case_sensitive: bool = False
    rows: list[Row] = field(default_factory=list)
    open: int | None = None
    errors: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, rule: Rule) -> RuleForm:
        """The form that shows `rule`."""
        made = cls(
            name=str(rule.name),
            base=rule.base,
            matching=rule.matching,
            threshold=str(rule.threshold),
            exclude_inactive=rule.exclude_inactive,
            case_sensitive=rule.case_sensitive,
        )
        for condition in rule.conditions:
            made.rows.append(
                Row(
                    number=len(made.rows),
                    base=list(condition.base),
                    matching=list(condition.matching),
                    same=rule.base == rule.matching and condition.base == condition.matching,
                    criterion=condition.criterion.value,
                    parameter=_text(condition.parameter),
                    ignore_blanks=condition.ignore_blanks,
                    counts=MUST if condition.must else LEARNED if condition.weight is None else OWN,
                    weight=_text(condition.weight),
                )
            )
        return made

    @classmethod
    def posted(cls, posted: QueryDict) -> RuleForm:
        """The form as it was sent; a button may have added, opened or taken away a condition."""
        made = cls(
            name=posted.get("name", "").strip(),
            base=_known(posted.get("base", "")),
            matching=_known(posted.get("matching", "")),
            threshold=posted.get("threshold", "").strip(),
            exclude_inactive="exclude_inactive" in posted,
            case_sensitive="case_sensitive" in posted,
        )
        for key in posted.getlist("row")[: rules.MAX_CONDITIONS + 1]:
            if key != posted.get("remove"):
                made.rows.append(_row(len(made.rows), key, posted))
                if key == posted.get("edit", posted.get("open", "")):
                    made.open = made.rows[-1].number
        if "done" in posted:
            made.open = None
        if "add" in posted:
            made.rows.append(Row(number=len(made.rows)))
            made.open = made.rows[-1].number
        return made

    def rule(self, key: str) -> Rule:
        """The rule that this says; what is no number becomes one that `check` refuses."""
        return Rule(
            key=key,
            name=self.name,
            base=self.base,
            matching=self.matching,
            conditions=tuple(_condition(row, self.is_one) for row in self.rows),
            threshold=number_of(self.threshold) or 0,
            case_sensitive=self.case_sensitive,
            exclude_inactive=self.exclude_inactive,
        )

    @property
    def is_one(self) -> bool:
        """Whether both records are of one entity."""
        return self.base == self.matching

    def complain(self, problems: Sequence[str]) -> None:
        """Put what is wrong where it is wrong; the first condition with an error opens."""
        for problem in problems:
            for row in self.rows:
                text = _("Condition %(number)d: %(problem)s")
                start = text % {"number": row.number + 1, "problem": ""}
                if problem.startswith(start):
                    row.errors.append(problem.removeprefix(start))
                    break
            else:
                self.errors.append(problem)
        wrong = [row.number for row in self.rows if row.errors]
        if wrong and self.open not in wrong:
            self.open = wrong[0]

    def furnish(self) -> None:
        """Give the rows their words, and the open one its choices."""
        rule = self.rule("")
        for row, condition in zip(self.rows, rule.conditions, strict=True):
            row.words = in_words(rule, condition)
            if row.number == self.open:
                self._furnish(row)

    def _furnish(self, row: Row) -> None:
        base, matching = registry[self.base], registry[self.matching]
        row.base_fields = _labelled(base, row.base)
        row.matching_fields = _labelled(matching, row.matching)
        row.more_base = _offered(base, row.base)
        row.more_matching = _offered(matching, row.matching)
        kinds = {base.fields[name].kind for name in row.base if name in base.fields}
        row.criteria = [
            (criterion.value, str(rules.LABELS[criterion]))
            for criterion in Criterion
            if kinds <= rules.KINDS[criterion] or criterion == row.criterion
        ]


def _row(number: int, key: str, posted: QueryDict) -> Row:
    def many(name: str) -> list[str]:
        return list(dict.fromkeys(v for v in posted.getlist(f"{name}-{key}") if v))

    base, matching = many("base"), many("matching")
    # One's own words do not matter here: the box says it, and only where it can be ticked.
    same = f"same-{key}" in posted
    return Row(
        number=number,
        base=base,
        matching=base if same else matching,
        same=same,
        criterion=posted.get(f"criterion-{key}", ""),
        parameter=posted.get(f"parameter-{key}", "").strip(),
        ignore_blanks=f"blanks-{key}" not in posted,
        counts=posted.get(f"counts-{key}", LEARNED),
        weight=posted.get(f"weight-{key}", "").strip(),
    )


def _condition(row: Row, is_one: bool) -> Condition:
    known = row.criterion in set(Criterion)
    criterion = Criterion(row.criterion) if known else Criterion.EXACT
    weight = None
    if row.counts == OWN:
        weight = _decimal(row.weight)
    return Condition(
        base=tuple(row.base),
        matching=tuple(row.base if row.same and is_one else row.matching),
        criterion=criterion,
        # A number that an earlier choice needed is left out silently.
        parameter=number_of(row.parameter) if criterion in rules.WITH_PARAMETER else None,
        ignore_blanks=row.ignore_blanks,
        must=row.counts == MUST,
        weight=weight,
    )


def _known(name: str) -> str:
    return name if name in {entity.name for entity in pairs.compared()} else "contact"


def number_of(text: str) -> int | None:
    """The number that was typed; None when it is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else None


def _decimal(text: str) -> float:
    """The number that was typed; 0, which no weight can be, when it is none."""
    try:
        number = float(text.replace(",", "."))
    except ValueError:
        return 0.0
    return number if 0 < number < 1000 else 0.0


def _text(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _labelled(entity: Entity, names: Iterable[str]) -> list[tuple[str, str]]:
    fields = entity.fields
    return [(name, str(fields[name].label) if name in fields else name) for name in names]


def _offered(entity: Entity, chosen: Sequence[str]) -> list[tuple[str, str]]:
    """Fields that can be compared and are not chosen yet, by label."""
    found = [
        (name, str(one.label))
        for name, one in entity.fields.items()
        if name not in chosen and rules.criteria_for(one)
    ]
    return sorted(found, key=lambda pair: pair[1].casefold())
