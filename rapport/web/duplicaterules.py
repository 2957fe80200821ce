"""Settings > Duplicate rules: when two records are the same. For administrators."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import path, reverse
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from rapport.actions import rules as actions
from rapport.actions.records import InvalidRecord, RecordNotFound, StaleRecord
from rapport.duplicates import catalogue, preview, rules
from rapport.duplicates.catalogue import Entry
from rapport.duplicates.rules import Condition, Criterion, Rule
from rapport.meta.entity import Entity
from rapport.meta.registry import registry
from rapport.models import Operation
from rapport.queries import duplicates as pairs

from . import limits, shell
from .cells import cell_context
from .duplicates import reason_chips
from .panels import address
from .settings import administrator
from .signin import see_other

THRESHOLD = 80
MUST, LEARNED, OWN = "must", "learned", "own"
COUNTS = {
    MUST: gettext_lazy("Must agree"),
    LEARNED: gettext_lazy("Counts: the weight is learned from the records"),
    OWN: gettext_lazy("Counts with a weight of my own"),
}
NEW = "new"


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


# -- the list --------------------------------------------------------------------------------------


@administrator
@require_safe
def rule_list(request: HttpRequest) -> HttpResponse:
    """All rules, by what they compare."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for entry in catalogue.entries(request.user):
        rule = entry.rule
        groups.setdefault(rule.base, []).append(
            {
                "entry": entry,
                "url": reverse("duplicate-rule", args=[rule.key]),
                "name": rule.name,
                "between": _between(rule),
                "conditions": [in_words(rule, condition) for condition in rule.conditions],
                "problems": rules.check(rule),
            }
        )
    labels = {n: registry[n].label_plural if n in registry else n for n in groups}
    context = {"groups": [(labels[name], rows) for name, rows in groups.items()]}
    return shell.render(request, "duplicaterules/list.html", context)


def _between(rule: Rule) -> str:
    one, other = (registry[n].label if n in registry else n for n in (rule.base, rule.matching))
    return str(one) if rule.base == rule.matching else f"{one} ↔ {other}"


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
            threshold=_number(self.threshold) or 0,
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
        parameter=_number(row.parameter) if criterion in rules.WITH_PARAMETER else None,
        ignore_blanks=row.ignore_blanks,
        must=row.counts == MUST,
        weight=weight,
    )


def _known(name: str) -> str:
    return name if name in {entity.name for entity in pairs.compared()} else "contact"


def _number(text: str) -> int | None:
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


# -- one rule --------------------------------------------------------------------------------------


@administrator
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, key: str = "") -> HttpResponse:
    """A rule: GET shows it; POST saves it, or shows it again with what a button changed."""
    entry = _entry(request, key) if key else None
    status = 200
    if request.method == "POST":
        form = RuleForm.posted(request.POST)
        if "save" in request.POST:
            answer = _save(request, form, entry)
            if answer is not None:
                return answer
            status = 422
    else:
        form = RuleForm.of(entry.rule) if entry else RuleForm(rows=[Row(number=0)], open=0)
    shown = None
    if "preview" in request.POST:
        shown = _preview(request, form.rule(key))
    return _page(request, form, entry, status, shown)


def _page(
    request: HttpRequest,
    form: RuleForm,
    entry: Entry | None,
    status: int,
    shown: dict[str, Any] | None = None,
) -> HttpResponse:
    form.furnish()
    key = entry.rule.key if entry else NEW
    context = {
        "form": form,
        "entry": entry,
        "heading": entry.rule.name if entry else _("New duplicate rule"),
        "action": request.path,
        "preview_url": reverse("duplicate-rule-preview", args=[key]),
        "entities": [(entity.name, entity.label) for entity in pairs.compared()],
        "counts": COUNTS,
        "limited": rules.WITH_PARAMETER,
        "preview": shown,
        "version": request.POST.get("version", entry.version if entry else 0),
        "verbs": _verbs(entry) if entry else [],
    }
    return shell.render(
        request, "duplicaterules/edit.html", context, status=status, part="duplicaterules/form.html"
    )


def _verbs(entry: Entry) -> list[dict[str, Any]]:
    """What can be done to the rule as it is stored."""

    def verb(name: str, label: str, confirm: str = "") -> dict[str, Any]:
        url = reverse("duplicate-rule-do", args=[entry.rule.key, name])
        return {"url": url, "label": label, "confirm": confirm}

    made = [verb("unpublish", _("Unpublish")) if entry.on else verb("publish", _("Publish"))]
    if entry.row and entry.shipped:
        question = _("Make this rule as it ships with Rapport again?")
        made.append(verb("reset", _("Reset"), question))
    elif entry.row:
        made.append(verb("delete", _("Delete"), _("Delete this rule?")))
    return made


def _save(request: HttpRequest, form: RuleForm, entry: Entry | None) -> HttpResponse | None:
    rule = form.rule(entry.rule.key if entry else "")
    if not form.name:
        form.errors.append(_("Give the rule a name."))
    problems = rules.check(rule)
    form.complain(problems)
    if form.errors or problems:
        return None
    published = entry.on if entry else True
    if request.POST["save"] == "publish":
        published = True
    try:
        saved, op = actions.save_rule(
            rule,
            by=request.user,
            published=published,
            version=_number(request.POST.get("version", "")),
        )
    except StaleRecord:
        form.errors.append(
            _("Somebody else has changed this rule meanwhile. Open it again to see how it is now.")
        )
        return None
    except InvalidRecord as error:
        form.complain([message for found in error.errors.values() for message in found])
        return None
    _say(request, _("The rule was saved."), op)
    return shell.moved(request, reverse("duplicate-rule", args=[saved]))


def _say(request: HttpRequest, text: str, op: Operation) -> None:
    shell.say_done(request, text, op.pk if op.counts else None)


def _entry(request: HttpRequest, key: str) -> Entry:
    entry = catalogue.entry(key, request.user)
    if entry is None:
        raise RecordNotFound(actions.RULE)
    return entry


@administrator
@require_POST
def do(request: HttpRequest, key: str, verb: str) -> HttpResponse:
    """Publish, unpublish, reset or delete a rule."""
    by, after = request.user, reverse("duplicate-rule", args=[key])
    try:
        match verb:
            case "publish":
                op = actions.publish_rule(key, by=by)
                text = _("The rule is published: it works from now on.")
            case "unpublish":
                op = actions.publish_rule(key, by=by, published=False)
                text = _("The rule finds nothing any more.")
            case "reset":
                op = actions.reset_rule(key, by=by)
                text = _("The rule is as it ships.")
            case "delete":
                op = actions.delete_rule(key, by=by)
                text, after = _("The rule was deleted."), reverse("duplicate-rules")
            case _:
                raise RecordNotFound(verb)
    except InvalidRecord as error:
        messages.error(request, " ".join(m for found in error.errors.values() for m in found))
        return see_other(after)
    _say(request, text, op)
    return see_other(after)


# -- what it would find ----------------------------------------------------------------------------


@administrator
@require_POST
def preview_part(request: HttpRequest, key: str) -> HttpResponse:
    """What the rule, as it is typed, would find."""
    form = RuleForm.posted(request.POST)
    # The condition that is being written counts once it says what it compares.
    form.rows = [row for row in form.rows if row.base]
    shown = _preview(request, form.rule("" if key == NEW else key))
    return shell.render(request, "duplicaterules/preview.html", {"preview": shown})


def _preview(request: HttpRequest, rule: Rule) -> dict[str, Any]:
    if problems := rules.check(rule):
        return {"problems": problems}
    limits.check(request, "rule-preview", per_minute=60)
    found = preview.preview(rule, by=request.user)
    cells = cell_context()
    base, matching = registry[rule.base], registry[rule.matching]
    if not found.in_time:
        covered = _("There was time for a part of the newest %(count)s records.")
    elif found.whole:
        covered = _("All %(count)s records were looked at.")
    else:
        covered = _("The newest %(count)s records were looked at.")
    return {
        "pairs": found.pairs,
        "pairs_text": cells.number(found.pairs) + ("" if found.in_time else "+"),
        "covered": covered % {"count": cells.number(found.looked_at)},
        "examples": [
            {
                "first": one.first_title,
                "first_url": address(base, one.first),
                "second": one.second_title,
                "second_url": address(matching, one.second),
                "confidence": one.confidence,
                "reasons": reason_chips(one.reasons, request.user),
            }
            for one in found.examples
        ],
    }


urlpatterns = [
    path("settings/duplicate-rules/", rule_list, name="duplicate-rules"),
    path("settings/duplicate-rules/new/", edit, name="duplicate-rule-new"),
    path("settings/duplicate-rules/<str:key>/", edit, name="duplicate-rule"),
    path(
        "settings/duplicate-rules/<str:key>/preview/", preview_part, name="duplicate-rule-preview"
    ),
    path("settings/duplicate-rules/<str:key>/<slug:verb>/", do, name="duplicate-rule-do"),
]
