"""How good the data is: what is missing, wrong or forgotten, each with its list and its repair."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field as attribute, replace
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _, gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from rapport import access
from rapport.access import Actor
from rapport.actions import jobs, preferences
from rapport.meta.columns import Label
from rapport.meta.entity import Entity
from rapport.meta.registry import registry
from rapport.models.duplicates import PairStatus
from rapport.models.people import Verb
from rapport.queries import duplicates, flaws, preferences as kept, quality
from rapport.queries.flaws import Check
from rapport.queries.quality import Figure, History, Point

from . import charts, shell
from .cells import CellContext, cell_context, day_text
from .liststate import whole_list
from .signin import signed_in

MONTHS = "quality:months"
COMPLETENESS, DUPLICATES = "completeness", "duplicates"
PANELS: dict[str, Label] = {
    COMPLETENESS: gettext_lazy("Completeness"),
    **flaws.GROUPS,
    DUPLICATES: gettext_lazy("Duplicates"),
}
# From which share on a figure is good, and from which it is still fair.
_GOOD, _FAIR = 90, 70
# The right that a command of a list needs; those of the entity say it themselves.
_VERBS = {"edit": Verb.WRITE, "repair": Verb.WRITE, "assign": Verb.ASSIGN, "delete": Verb.DELETE}


@dataclass(slots=True)
class _View:
    """Who looks, and at what. `history`: the kept figures, None where they are counted now."""

    by: Any
    months: int
    history: History | None
    cells: CellContext
    _totals: dict[str, int] = attribute(default_factory=dict)

    def total(self, entity: Entity) -> int:
        """How many records are in use now, counted once."""
        if entity.name not in self._totals:
            self._totals[entity.name] = quality.total(entity, self.by)
        return self._totals[entity.name]

    @property
    def readable(self) -> set[str]:
        """Names of the entities that may be read at all."""
        return {e.name for e in registry if access.may(self.by, access.READ, e)}


def _view(request: HttpRequest) -> _View:
    months = kept.get(request.user, MONTHS)
    if months not in flaws.MONTHS:
        months = flaws.DEFAULT_MONTHS
    history = None
    if quality.sees_everything(request.user):
        history = quality.history(today=timezone.localdate())
    found = history if history and history.day else None
    return _View(request.user, months, found, cell_context())


@signed_in
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """All panels: what is kept at once, what must be counted one by one."""
    view = _view(request)
    counted = view.history and view.history.day
    panels = []
    for key, label in PANELS.items():
        lazy = counted is None or key == DUPLICATES
        own = {} if lazy else _panel(key, view)
        panels.append({"key": key, "label": label, "url": _url(key), "lazy": lazy, **own})
    return shell.render(
        request,
        "quality/page.html",
        {
            "panels": panels,
            "months": [(n, _months(n), n == view.months) for n in flaws.MONTHS],
            "counted": counted and day_text(counted, view.cells.language),
            "may_count": quality.sees_everything(request.user),
        },
    )


@signed_in
@require_safe
def panel(request: HttpRequest, key: str) -> HttpResponse:
    """One panel, for the page that fetches it or for a browser without script."""
    if key not in PANELS:
        raise Http404
    found = {"key": key, "label": PANELS[key], "url": _url(key), **_panel(key, _view(request))}
    context = {"panel": found, "page_url": reverse("data-quality")}
    return shell.render(request, "quality/single.html", context, part="quality/panel.html")


@signed_in
@require_POST
def set_months(request: HttpRequest) -> HttpResponse:
    """From when on a record is stale, for this person."""
    text = request.POST.get("months", "")
    if text.isdecimal() and len(text) < 4 and int(text) in flaws.MONTHS:
        preferences.put(request.user, MONTHS, int(text))
    return shell.moved(request, reverse("data-quality"))


@signed_in
@require_POST
def recount(request: HttpRequest) -> HttpResponse:
    """Count everything anew, in the background."""
    if not quality.sees_everything(request.user):
        raise access.Forbidden("data quality")
    total = len(quality.steps())
    label = _("Count data quality")
    job = jobs.enqueue("quality.count", {}, by=request.user, label=label, total=total)
    return shell.moved(request, reverse("job", args=[job.pk]))


def _url(key: str) -> str:
    return reverse("data-quality-panel", args=[key])


def _months(number: int) -> str:
    return ngettext("%(n)s month", "%(n)s months", number) % {"n": number}


def _panel(key: str, view: _View) -> dict[str, Any]:
    if key == COMPLETENESS:
        return {"cards": _cards(view)}
    if key == DUPLICATES:
        return _duplicates(view)
    checks = [c for c in flaws.checks(view.months) if c.group == key]
    rows = [_row(c, view) for c in checks if c.entity in view.readable]
    found = sorted((row for row in rows if row["number"]), key=lambda row: -row["number"])
    return {
        "rows": found,
        "trends": any(row["trend"] for row in found),
        "fine": [row for row in rows if not row["number"]],
        "note": _("No change and no activity for %(months)s counts as not touched for long.")
        % {"months": _months(view.months)}
        if any(check.months for check in checks)
        else "",
    }


# -- checks ----------------------------------------------------------------------------------------


def _row(check: Check, view: _View) -> dict[str, Any]:
    entity = registry[check.entity]
    figure = view.history.latest(check.entity, check.key) if view.history else None
    if figure is None:
        figure = quality.count(check, view.by, limit=quality.LIMIT)
    elif figure.total <= quality.SMALL:
        # Many records may have come since all of them were counted.
        figure = replace(quality.count(check, view.by), total=view.total(entity))
    url, state = whole_list(check.query)
    return {
        "label": check.label,
        "says": check.says,
        "entity": entity.label_plural,
        "icon": entity.icon,
        "number": figure.number,
        "text": _number(figure, view.cells),
        "share": _share(figure),
        "url": url,
        "trend": _trend(check.entity, check.key, view),
        "fixes": [
            {
                "label": fix.label,
                "url": reverse("bulk", args=[entity, fix.command]),
                "carried": [("state", state), ("all", "1"), *fix.values],
            }
            for fix in check.fixes
            if _may(view.by, entity, fix.command)
        ],
    }


def _may(by: Actor, entity: Entity, command: str) -> bool:
    verb = _VERBS.get(command)
    if verb is None:
        own = next((c for c in entity.commands if c.key == command and c.bulk), None)
        return own is not None and access.may(by, own.verb, entity)
    return access.may(by, verb, entity)


def _number(figure: Figure, cells: CellContext) -> str:
    return cells.number(figure.number) + ("+" if figure.more else "")


def _share(figure: Figure) -> str:
    """'3 %' of all records in use, where they are counted."""
    if not figure.total or not figure.number:
        return ""
    share = figure.number * 100 / figure.total
    return _("%(share)s %%") % {"share": round(share) if share >= 1 else "< 1"}


def _trend(entity: str, measure: str, view: _View) -> Any:
    line: Sequence[Point] = view.history.lines.get((entity, measure), ()) if view.history else ()
    return _spark([(day, number) for day, number, _total in line], view.cells)


def _spark(points: Sequence[tuple[datetime.date, int]], cells: CellContext, unit: str = "") -> Any:
    if len(points) < 2:
        return ""
    (first, before), (last, now) = points[0], points[-1]
    words = _("%(before)s on %(first)s, %(now)s on %(last)s") % {
        "before": f"{cells.number(before)}{unit}",
        "first": day_text(first, cells.language),
        "now": f"{cells.number(now)}{unit}",
        "last": day_text(last, cells.language),
    }
    return charts.sparkline([value for _day, value in points], words)


# -- completeness ----------------------------------------------------------------------------------


def _cards(view: _View) -> list[dict[str, Any]]:
    readable = view.readable
    return [_card(entity, view) for entity in flaws.watched() if entity.name in readable]


def _card(entity: Entity, view: _View) -> dict[str, Any]:
    fields = flaws.important(entity)
    history = view.history
    latest = [history.latest(entity.name, f"filled.{f.name}") for f in fields] if history else []
    figures = [figure for figure in latest if figure is not None]
    if len(figures) < len(fields) or max(f.total for f in figures) <= quality.SMALL:
        figures = quality.filled(entity, view.by, limit=quality.SAMPLE)
    score = quality.score(figures)
    total = max((figure.total for figure in figures), default=0)
    cells, partly = view.cells, any(figure.more for figure in figures)
    rows = [_bar(entity, figure, cells) for figure in figures if figure.total]
    return {
        "label": entity.label_plural,
        "icon": entity.icon,
        "score": score,
        "tone": _tone(score or 0),
        "total": cells.number(min(total, quality.SAMPLE) if partly else total),
        "partly": partly,
        "trend": _spark(_scores(entity, history), cells, unit=" %") if history else "",
        "bars": sorted(rows, key=lambda row: row["share"]),
    }


def _bar(entity: Entity, figure: Figure, cells: CellContext) -> dict[str, Any]:
    name = figure.measure.partition(".")[2]
    share = figure.number * 100 // figure.total
    missing = figure.total - figure.number
    return {
        "label": entity.fields[name].label,
        "share": share,
        "tone": _tone(share),
        "url": whole_list(flaws.missing(entity, name).query)[0] if missing else "",
        "missing": cells.number(missing) + ("+" if figure.more else ""),
    }


def _tone(share: int) -> str:
    return "ok" if share >= _GOOD else "warn" if share >= _FAIR else "bad"


def _scores(entity: Entity, history: History) -> list[tuple[datetime.date, int]]:
    days: dict[datetime.date, list[tuple[int, int]]] = defaultdict(list)
    for field in flaws.important(entity):
        for day, number, total in history.lines.get((entity.name, f"filled.{field.name}"), ()):
            days[day].append((number, total))
    found = []
    for day, pairs in sorted(days.items()):
        if wanted := sum(total for _number, total in pairs):
            found.append((day, sum(number for number, _total in pairs) * 100 // wanted))
    return found


# -- duplicates ------------------------------------------------------------------------------------


def _duplicates(view: _View) -> dict[str, Any]:
    """What stands in the queue now, and how it went where everything may be seen."""
    counts = duplicates.counts(view.by).by_status
    cells = view.cells

    def number(status: str) -> str:
        found = counts.get(status, 0)
        over = found > duplicates.COUNT_LIMIT
        return f"{cells.number(duplicates.COUNT_LIMIT)}+" if over else cells.number(found)

    facts = [
        (status.label, number(status.value)) for status in PairStatus if status.value in counts
    ]
    lines: Mapping[str, list[tuple[datetime.date, int]]] = {}
    if quality.sees_everything(view.by):
        lines = _lines(quality.history(today=timezone.localdate(), duplicates=True))
    known = {f"duplicates.{status.value}": str(status.label) for status in PairStatus}
    named = {known[measure]: line for measure, line in lines.items() if measure in known}
    drawn = {label: line for label, line in named.items() if len(line) > 1}
    days = sorted({day for line in drawn.values() for day, _number in line})
    return {
        "facts": facts,
        "found": any(counts.values()),
        "queue_url": reverse("duplicates"),
        "chart": charts.lines(drawn, _("Duplicates over time"), lambda d: _day(d, cells), cells)
        if drawn
        else "",
        "chart_heads": list(drawn),
        "chart_rows": [
            (_day(day, cells), [cells.number(dict(line).get(day, 0)) for line in drawn.values()])
            for day in days[::-1]
        ],
    }


def _day(day: datetime.date, cells: CellContext) -> str:
    return day_text(day, cells.language)


def _lines(history: History) -> dict[str, list[tuple[datetime.date, int]]]:
    """The figures of all entities of a measure, added up by day."""
    sums: dict[str, dict[datetime.date, int]] = defaultdict(lambda: defaultdict(int))
    for (_entity, measure), line in history.lines.items():
        for day, number, _total in line:
            sums[measure][day] += number
    return {measure: sorted(days.items()) for measure, days in sorted(sums.items())}


urlpatterns = [
    path("data-quality/", page, name="data-quality"),
    path("data-quality/months", set_months, name="data-quality-months"),
    path("data-quality/recount", recount, name="data-quality-recount"),
    path("data-quality/<slug:key>/", panel, name="data-quality-panel"),
]
