"""Settings > Duplicate rules: when two records are the same. For administrators."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from rapport import limits
from rapport.actions import rules as actions
from rapport.actions.records import InvalidRecord, RecordNotFound, StaleRecord
from rapport.duplicates import catalogue, preview, rules
from rapport.duplicates.catalogue import Entry
from rapport.duplicates.rules import Rule
from rapport.meta.registry import registry
from rapport.models import Operation
from rapport.queries import duplicates as pairs

from . import shell
from .cells import cell_context
from .duplicates import reason_chips
from .panels import address
from .ruleform import COUNTS, Row, RuleForm, in_words, number_of
from .settings import administrator
from .signin import see_other

NEW = "new"


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
            version=number_of(request.POST.get("version", "")),
        )
    except StaleRecord:
        form.errors.append(
            _("Somebody else has changed this rule meanwhile. Open it again to see how it is now.")
        )
        return None
    except InvalidRecord as error:
        form.complain(error.messages)
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
        messages.error(request, error.complaints)
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
