"""The dialog that qualifies a lead: what would be made, and what is there already."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from rapport import access
from rapport.actions import leads
from rapport.actions.leads import Choice, LeadIsClosed, LinkedRecordMissing
from rapport.actions.records import InvalidRecord
from rapport.duplicates.find import Match
from rapport.meta.entity import Command
from rapport.meta.kinds import Ref
from rapport.meta.registry import registry
from rapport.models.people import Verb
from rapport.queries import one
from rapport.queries.one import One

from . import panels, shell
from .cells import CellContext, cell, cell_context
from .forms import RecordForm
from .panels import address

# What people may change of the deal before it is made.
DEAL = ("topic", "estimated_revenue", "estimated_close_date")
CUSTOMERS = ("account", "contact")
NEW, SKIP = "new", "skip"


def dialog(request: HttpRequest, found: One, known: Command) -> HttpResponse:
    """GET shows the three records with choices; POST qualifies and leads to what came out."""
    made = leads.proposed(found.values)
    form = RecordForm(
        registry["opportunity"],
        DEAL,
        by=request.user,
        initial=made["opportunity"],
        prefix="d",
    )
    problems: list[str] = []
    if request.method == "POST" and form.read(request.POST):
        try:
            qualified = leads.qualify_lead(
                found.id, by=request.user, choice=_choice(request.POST, form)
            )
        except (LeadIsClosed, LinkedRecordMissing) as error:
            problems.append(str(error))
        except InvalidRecord as error:
            form.add_errors(error.errors)
        else:
            return _done(request, found, qualified)
    base = address(found.entity, found.id)
    context = {
        "one": found,
        "heading": _("Qualify %(title)s") % {"title": found.title},
        "action": f"{base}do/{known.key}",
        "back_url": base,
        "customers": _customers(request, found, made, cell_context()),
        "form": form,
        "fields": form.shown(DEAL),
        "may_deal": access.may(request.user, Verb.CREATE, registry["opportunity"]),
        "with_deal": request.method != "POST" or "opportunity" in request.POST,
        "problems": problems + form.errors.get("", []),
    }
    status = 422 if request.method == "POST" else 200
    return shell.render(request, "dialogs/qualify.html", context, status=status)


def _choice(posted: Mapping[str, str], form: RecordForm) -> Choice:
    with_deal = "opportunity" in posted
    return Choice(
        account=_key(posted.get("account", "")),
        contact=_key(posted.get("contact", "")),
        create_account=posted.get("account") == NEW,
        create_contact=posted.get("contact") == NEW,
        create_opportunity=with_deal,
        values={"opportunity": form.changed} if with_deal else {},
    )


def _key(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _done(request: HttpRequest, found: One, qualified: leads.Qualified) -> HttpResponse:
    made = [
        (name, id_)
        for name in ("opportunity", "account", "contact")
        if (id_ := getattr(qualified, name))
    ]
    text = _("“%(title)s” was qualified.") % {"title": found.title}
    shell.say_done(request, text, qualified.operation.pk)
    if not made:
        return shell.moved(request, address(found.entity, found.id))
    name, id_ = made[0]
    return shell.moved(request, address(registry[name], id_))


def _customers(
    request: HttpRequest, found: One, made: Mapping[str, Mapping[str, Any]], cells: CellContext
) -> list[dict[str, Any]]:
    """For account and contact: the records to use instead of a new one, and what a new one gets."""
    user = request.user
    known = leads.matches(found.values, by=user)
    automatic = leads.automatic_choice(found.values, by=user)
    shown = []
    for name in CUSTOMERS:
        entity = registry[name]
        # A review of duplicates may have named the record to use.
        asked = _key(request.GET.get(name, ""))
        ids = [id_ for id_ in dict.fromkeys((asked, found.values[name])) if id_]
        alike = {match.id: match for match in known.get(name, ())}
        ids += [id_ for id_ in alike if id_ not in ids]
        titles = one.title_of([Ref(name, id_) for id_ in ids], user)
        options = [
            {
                "value": str(id_),
                "title": titles[Ref(name, id_)],
                "detail": " · ".join(one.glance(entity, id_, user).values()),
                "why": _why(alike[id_]) if id_ in alike else "",
                "url": address(entity, id_),
                "face": panels.face(entity, titles[Ref(name, id_)]),
            }
            for id_ in ids
            if Ref(name, id_) in titles
        ]
        may_create = name in made and access.may(user, Verb.CREATE, entity)
        first = asked if str(asked) in {option["value"] for option in options} else None
        first = first or getattr(automatic, name)
        chosen = request.POST.get(name) or _first(first, may_create)
        shown.append(
            {
                "name": name,
                "label": entity.label,
                "options": options,
                "may_create": may_create,
                "facts": [
                    (entity.fields[n].label, cell(entity.fields[n], value, cells))
                    for n, value in made.get(name, {}).items()
                    if n in entity.quick or n in entity.title_fields
                ],
                "chosen": chosen,
            }
        )
    return shown


def _why(match: Match) -> str:
    """How sure it is that the record is the same, and by what."""
    same = ", ".join(reason.label for reason in match.reasons if reason.level != "different")
    return _("%(confidence)s%% alike: %(same)s") % {"confidence": match.confidence, "same": same}


def _first(automatic: uuid.UUID | None, may_create: bool) -> str:
    if automatic is not None:
        return str(automatic)
    return NEW if may_create else SKIP
