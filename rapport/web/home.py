"""The first page after signing in, and what was opened lately."""

from __future__ import annotations

import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _, ngettext

from rapport import access
from rapport.imports import flow
from rapport.meta.registry import registry
from rapport.queries import home as work, recent as visited
from rapport.queries.recent import Seen

from . import sentences, shell
from .cells import CellContext, cell, cell_context, day_text, moment_text
from .signin import signed_in

# What a new installation is filled with first, and what a new colleague looks at.
FIRST = ("account", "contact", "lead")
SHOWN = (*FIRST, "opportunity")


@signed_in
def home(request: HttpRequest) -> HttpResponse:
    """What needs doing now; or how to begin."""
    now = timezone.now()
    found = work.home(request.user, now=now)
    cells = cell_context()
    context = {
        "greeting": _greeting(request, now),
        "today": day_text(timezone.localdate(now), cells.language),
        "blank": found.is_blank,
        "steps": _first_steps(request) if found.is_blank else None,
        "todos": _todos(found.todos, cells, now),
        "leads": _leads(found, cells),
        "deals": _deals(found, cells),
        "new": {
            name: reverse("quick-create", args=[name])
            for name in ("task", "lead", "opportunity")
            if access.may(request.user, "create", registry[name])
        },
        "recent": [_seen(*one, cells) for one in found.recent],
        "news": [_news(one, cells) for one in found.news],
    }
    return shell.render(request, "home/home.html", context)


@signed_in
def recent(request: HttpRequest) -> HttpResponse:
    """Records that this person opened, newest first, by day."""
    cells = cell_context()
    rows = [_seen(*one, cells) for one in visited.recent(request.user)]
    days = [(day, list(seen)) for day, seen in groupby(rows, key=lambda row: row["day"])]
    return shell.render(request, "home/recent.html", {"days": days})


# -- parts of the first page -----------------------------------------------------------------------


def _greeting(request: HttpRequest, now: datetime.datetime) -> str:
    hour = timezone.localtime(now).hour
    name = request.user.first_name or str(request.user)
    if hour < 12:
        return _("Good morning, %(name)s") % {"name": name}
    if hour < 18:
        return _("Good afternoon, %(name)s") % {"name": name}
    return _("Good evening, %(name)s") % {"name": name}


def _first_steps(request: HttpRequest) -> dict[str, Any]:
    """How to begin, as far as this person may."""
    user = request.user
    administrator = access.is_administrator(user)
    return {
        "empty": work.is_empty(user),
        "import_url": reverse("import-new") if flow.importable_for(user) else "",
        "lists": [
            {
                "label": next(view.label for view in registry[name].views if view.key == "all"),
                "url": f"{reverse('list', args=[name])}?view=all",
                "icon": registry[name].icon,
            }
            for name in SHOWN
            if access.may(user, access.READ, registry[name])
        ],
        "create": [
            {
                "label": _("New %(entity)s") % {"entity": str(registry[name].label).lower()},
                "url": reverse("quick-create", args=[name]),
                "icon": registry[name].icon,
            }
            for name in FIRST
            if access.may(user, "create", registry[name])
        ],
        "invite_url": reverse("invite") if administrator else "",
        "administrator": administrator,
    }


def _todos(todos: work.Todos | None, cells: CellContext, now: datetime.datetime) -> Any:
    if todos is None:
        return None
    rows = []
    for todo in todos.rows:
        due, tone = _due(todo.due_at, now, cells)
        rows.append(
            {
                "url": cells.address(todo.type, todo.id),
                "title": todo.subject,
                "icon": registry[todo.type].icon,
                "complete_url": reverse("command", args=[todo.type, todo.id, "complete"]),
                "regarding": todo.regarding,
                "regarding_url": todo.regarding
                and cells.address(todo.regarding.entity, todo.regarding.id),
                "due": due,
                "tone": tone,
            }
        )
    return {
        "rows": rows,
        "total": _count(todos.total),
        "overdue": _count(todos.overdue),
        "today": _count(todos.today),
        "url": reverse("list", args=["activity"]),
    }


def _due(
    at: datetime.datetime | None, now: datetime.datetime, cells: CellContext
) -> tuple[str, str]:
    """When something is due, and how urgent that is."""
    if at is None:
        return "", ""
    local = timezone.localtime(at)
    days = (local.date() - timezone.localdate(now)).days
    clock = moment_text(local, cells.language)
    if days < 0:
        return ngettext("%(days)s day overdue", "%(days)s days overdue", -days) % {
            "days": -days
        }, "bad"
    if days == 0:
        return (_("Overdue since %(time)s") if at < now else _("Today, %(time)s")) % {
            "time": clock.rpartition(", ")[2]
        }, "bad" if at < now else "warn"
    if days == 1:
        return _("Tomorrow"), ""
    return day_text(local.date(), cells.language), ""


def _leads(found: work.Home, cells: CellContext) -> Any:
    if found.leads is None:
        return None
    rating = registry["lead"].fields["rating"]
    rows = [
        {
            "url": cells.address("lead", lead.id),
            "title": lead.title,
            "initials": shell.initials(lead.title),
            "hue": shell.hue(lead.title),
            "detail": " · ".join(part for part in (lead.company, lead.topic) if part),
            "end": cell(rating, lead.rating, cells),
        }
        for lead in found.leads
    ]
    url = reverse("list", args=["lead"])
    return {"rows": rows, "total": _count(found.lead_count), "url": url}


def _deals(found: work.Home, cells: CellContext) -> Any:
    if found.deals is None:
        return None
    stage = registry["opportunity"].fields["sales_stage"]
    rows = [
        {
            "url": cells.address("opportunity", deal.id),
            "title": deal.topic,
            "icon": registry["opportunity"].icon,
            "hue": shell.hue(deal.customer),
            "detail": " · ".join(
                part
                for part in (deal.customer, deal.closes and day_text(deal.closes, cells.language))
                if part
            ),
            "end": _amount(deal.amount, deal.currency, cells),
        }
        for deal in found.deals
    ]
    by_value = {one.value: one for one in found.stages}
    # Amounts can be compared in one currency only; with more of them the bars count deals.
    currencies = {currency for one in found.stages for currency in one.amounts}
    stages = []
    for value in (*stage.option_by_value, *({None} & set(by_value))):
        one = by_value.get(value, work.Stage(value, 0, {}))
        option = stage.option_by_value.get(value)
        amount = sum(one.amounts.values(), Decimal(0))
        stages.append(
            {
                "label": option.label if option else _("No stage"),
                "count": one.count,
                "amounts": " + ".join(_amount(a, c, cells) for c, a in sorted(one.amounts.items())),
                "size": int(amount) if len(currencies) == 1 else one.count,
            }
        )
    return {
        "rows": rows,
        "stages": stages if found.deal_count else [],
        "largest": max([s["size"] for s in stages] + [1]),
        "more": found.deal_count > work.FEW,
        "total": _count(found.deal_count),
        "url": reverse("list", args=["opportunity"]),
    }


def _amount(amount: Decimal | None, currency: str, cells: CellContext) -> str:
    """Without cents: what is estimated has none."""
    if amount is None:
        return ""
    return f"{amount:,.0f} {currency}".replace(",", cells.thousands)


def _seen(seen: Seen, title: str, cells: CellContext) -> dict[str, Any]:
    entity = registry[seen.ref.entity]
    local = timezone.localtime(seen.at)
    return {
        "url": cells.address(*seen.ref),
        "title": title,
        "entity": entity.label,
        "icon": entity.icon,
        "hue": shell.hue(title),
        "at": local,
        "at_text": moment_text(local, cells.language),
        "day": _day(local.date(), cells),
    }


def _day(day: datetime.date, cells: CellContext) -> str:
    days = (timezone.localdate() - day).days
    if days in {0, 1}:
        return _("Yesterday") if days else _("Today")
    return day_text(day, cells.language)


def _news(news: work.News, cells: CellContext) -> dict[str, Any]:
    entity = registry[news.link.entity]
    local = timezone.localtime(news.event.at)
    return {
        "url": cells.address(news.link.entity, news.link.id),
        "title": news.link.title,
        "icon": entity.icon,
        "text": sentences.about(news.event),
        "at": local,
        "at_text": moment_text(local, cells.language),
    }


def _count(number: int) -> str:
    """A count that was stopped says so."""
    return f"{work.FEW:,}+" if number > work.FEW else str(number)


urlpatterns = [
    path("", home, name="home"),
    path("recent/", recent, name="recent"),
]
