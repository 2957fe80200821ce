"""The page that merges records: side by side, what stays, what follows, what is lost."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.urls import path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _, ngettext
from django.views.decorators.http import require_http_methods

from rapport import access
from rapport.access import Forbidden
from rapport.actions import merge
from rapport.actions.choosing import FieldChoice
from rapport.actions.merge import CannotMerge, MergePlan
from rapport.actions.records import InvalidRecord, StaleRecord
from rapport.meta.entity import Entity
from rapport.meta.field import Field
from rapport.meta.kinds import TEXTS, Kind, Ref, address_text
from rapport.meta.registry import registry
from rapport.models.people import Verb
from rapport.queries import lookup, moved, one
from rapport.queries.one import PRINCIPAL

from . import panels, shell
from .bulk import counted
from .cells import CellContext, cell, cell_context, day_text
from .duplicates import merge_url
from .inputs import INPUTS, Control
from .panels import address, find
from .signin import local, signed_in

# A radio `v.email` holds the record whose e-mail stays; `was.email` the one that we would choose.
CHOICE, BEFORE, VERSION = "v.", "was.", "version."


@dataclass(slots=True, kw_only=True)
class Asked:
    """What the form says. `values` {field: record} of all radios; `chosen` those of them that were
    moved away from what the page had proposed."""

    ids: list[uuid.UUID]
    master: uuid.UUID | None
    values: dict[str, uuid.UUID]
    chosen: dict[str, uuid.UUID]
    versions: dict[uuid.UUID, int]
    # Another main record was chosen than the one that the values were shown for.
    turned: bool

    @classmethod
    def read(cls, data: QueryDict) -> Asked:
        """What an address or a form asks for; what is damaged is left out."""
        values = _ids_in(data, CHOICE)
        before = _ids_in(data, BEFORE)
        master = _uuid(data.get("master", ""))
        seen = _uuid(data.get("seen_master", ""))
        return cls(
            ids=[id_ for text in data.getlist("id")[:200] if (id_ := _uuid(text))],
            master=master,
            values=values,
            chosen={name: id_ for name, id_ in values.items() if before.get(name) != id_},
            versions={
                id_: int(text)
                for key, text in data.items()
                if key.startswith(VERSION)
                and (id_ := _uuid(key.removeprefix(VERSION)))
                and str(text).isdecimal()
                and len(str(text)) < 10
            },
            turned=seen is not None and master != seen,
        )


def _ids_in(data: QueryDict, prefix: str) -> dict[str, uuid.UUID]:
    pairs = (
        (key.removeprefix(prefix), _uuid(str(text)))
        for key, text in data.items()
        if key.startswith(prefix)
    )
    return {name: id_ for name, id_ in pairs if id_ is not None}


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def merging(request: HttpRequest, entity: Entity) -> HttpResponse:
    """GET shows the plan; POST shows it anew for other choices or, with `merge`, does it."""
    if not entity.mergeable:
        raise Http404
    data = request.POST if request.method == "POST" else request.GET
    asked = Asked.read(data)
    after = local(data.get("next", ""))
    led = moved.all_moved(entity, asked.ids)
    # Who may not see what stayed is told no more than of an id that never was.
    seen = access.allowed_ids(led.values(), entity, request.user, Verb.READ)
    led = {old: new for old, new in led.items() if new in seen}
    ids = list(dict.fromkeys(led.get(id_, id_) for id_ in asked.ids))
    if led and len(ids) < 2:
        messages.info(request, _("These records have been merged already."))
        return shell.moved(request, after or address(entity, ids[0]))
    problem, status = "", 200
    if "merge" in data and request.method == "POST" and not asked.turned:
        try:
            return _merge(request, entity, asked, after)
        except StaleRecord:
            status = 409
            problem = _("One of the records was changed meanwhile. Here they are as they are now.")
        except CannotMerge as error:
            status, problem = 422, str(error)
        except InvalidRecord as error:
            status = 422
            problem = error.complaints
    elif "merge" in data and asked.turned:
        status = 422
        problem = _("You chose another main record: look at the values, then merge.")
    try:
        plan = merge.plan(entity, ids, by=request.user, master=asked.master, values=asked.chosen)
    except CannotMerge as error:
        messages.error(request, str(error))
        return shell.moved(request, after or reverse("list", args=[entity]))
    context = {**_shown(plan, request), "next": after, "problem": problem}
    return shell.render(request, "merging/page.html", context, status=status)


def _merge(request: HttpRequest, entity: Entity, asked: Asked, after: str) -> HttpResponse:
    operation = merge.merge(
        entity,
        asked.ids,
        by=request.user,
        master=asked.master,
        values=asked.values,
        expected=asked.versions,
    )
    master = uuid.UUID(operation.parameters["master"])
    title = one.title_of([Ref(entity.name, master)], request.user).get(Ref(entity.name, master))
    text = _("%(records)s are one now: “%(title)s”.")
    text %= {"records": counted(entity, len(asked.ids)), "title": title or entity.label}
    shell.say_done(request, text, operation.pk)
    return shell.moved(request, after or address(entity, master))


# -- what the page shows ---------------------------------------------------------------------------


def _shown(plan: MergePlan, request: HttpRequest) -> dict[str, Any]:
    entity, cells = plan.entity, cell_context(whole=True)
    titles = one.title_of(_refs(plan), request.user)
    rows = [_row(plan, choice, titles, cells) for choice in plan.fields]
    follow = [counted(other, number) for other, number in plan.follow]
    return {
        "entity": entity,
        "plan": plan,
        "counted": counted(entity, len(plan.ids)),
        "heading": _("Merge %(records)s") % {"records": counted(entity, len(plan.ids))},
        "sides": [_side(plan, id_) for id_ in plan.ids],
        "differing": [row for row in rows if row["differs"]],
        "same": [row for row in rows if not row["differs"]],
        "kept": [kept for row in rows for kept in row["kept"]],
        "lost": [lost for row in rows for lost in row["lost"]],
        "follow": follow,
        "action": reverse("merge", args=[entity]),
        "back_url": reverse("list", args=[entity]),
        "prefixes": {"choice": CHOICE, "before": BEFORE, "version": VERSION},
    }


def _side(plan: MergePlan, id_: uuid.UUID) -> dict[str, Any]:
    """The head of a record's column."""
    title, number = plan.titles[id_], plan.related.get(id_, 0)
    text = ngettext("%(n)s related record", "%(n)s related records", number)
    return {
        "id": str(id_),
        "title": title,
        "url": address(plan.entity, id_),
        "face": panels.face(plan.entity, title),
        "version": plan.versions[id_],
        "master": id_ == plan.master,
        "related": text % {"n": cell_context().number(number)},
    }


def _row(
    plan: MergePlan, choice: FieldChoice, titles: Mapping[Ref, str], cells: CellContext
) -> dict[str, Any]:
    """A field: what each record has in it, which is chosen and why."""
    field = plan.entity.fields[choice.field]
    values = {id_: _value(field, choice.candidates[id_], titles, cells) for id_ in plan.ids}
    label = str(field.label)

    def listed(id_: uuid.UUID, where: str) -> dict[str, Any]:
        return {"label": label, "value": values[id_], "where": where, "of": plan.titles[id_]}

    kept = {id_: str(plan.entity.fields[name].label) for id_, name in choice.kept.items()}
    return {
        "name": choice.field,
        "label": label,
        "differs": choice.differs,
        "proposed": str(choice.proposed),
        "why": choice.why,
        "cells": [
            {
                "id": str(id_),
                "of": plan.titles[id_],
                "value": values[id_],
                "chosen": id_ == choice.chosen,
                "kept": kept.get(id_, ""),
                "lost": id_ in choice.lost,
                "since": _since(choice, id_, cells) if values[id_] else "",
            }
            for id_ in plan.ids
        ],
        "kept": [listed(id_, where) for id_, where in kept.items()],
        "lost": [listed(id_, "") for id_ in choice.lost],
    }


def _since(choice: FieldChoice, id_: uuid.UUID, cells: CellContext) -> str:
    origin = choice.origins.get(id_)
    if origin is None:
        return ""
    day = day_text(origin.at.astimezone(cells.zone).date(), cells.language)
    return _("%(day)s, from Exchange") % {"day": day} if origin.by_exchange else day


def _value(
    field: Field, value: Any, titles: Mapping[Ref, str], cells: CellContext
) -> SafeString | str:
    """A value as text: a link inside of a choice would lead away when it is chosen."""
    if value is None or value == "":
        return ""
    if field.parts:
        return address_text(dict(zip(field.parts, value, strict=True)))
    if field.kind in TEXTS:
        return str(value)
    if ref := _named(field, value):
        return titles.get(ref) or cells.hidden
    return cell(field, value, cells)


def _named(field: Field, value: Any) -> Ref | None:
    """The record that a value names."""
    if not value or field.kind not in {Kind.LOOKUP, Kind.OWNER, Kind.POINTER}:
        return None
    return Ref(PRINCIPAL, value) if field.kind is Kind.OWNER else field.ref(value)


def _refs(plan: MergePlan) -> set[Ref]:
    named = (
        _named(plan.entity.fields[choice.field], value)
        for choice in plan.fields
        for value in choice.candidates.values()
    )
    return {ref for ref in named if ref is not None}


# -- from the page of a record ---------------------------------------------------------------------


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def merge_with(request: HttpRequest, entity: Entity, id: uuid.UUID) -> HttpResponse:
    """Choose the record that this one is to be merged with."""
    found = find(request, entity, id)
    if not entity.mergeable:
        raise Http404
    if not one.may(found, Verb.MERGE, request.user):
        raise Forbidden(f"merge {entity.name}")
    pointing, field = next(p for p in registry.pointing_at(entity) if p.field.kind is Kind.LOOKUP)
    problem, hits = "", []
    if request.method == "POST":
        text = request.POST.get("other_text", "").strip()
        other = _uuid(request.POST.get("pick", "") or request.POST.get("other", ""))
        if other is None and text:
            hits = [hit for hit in lookup.named(field, text, request.user) if hit.id != id]
            other = hits[0].id if len(hits) == 1 else None
        if other is not None and other != id:
            return shell.moved(request, merge_url(entity.name, [id, other], address(entity, id)))
        problem = _("Choose another record.") if hits or not text else _("Nothing found")
    control = Control(
        field=field,
        id="merge-other",
        name="other",
        text="",
        attrs=' autofocus aria-describedby="merge-problem"',
        urls=(reverse("lookup", args=[pointing.name, field.name]), ""),
    )
    context = {
        "heading": _("Merge %(title)s with …") % {"title": found.title},
        "action": request.path,
        "back_url": address(entity, id),
        "control": INPUTS[Kind.LOOKUP](control),
        "problem": problem,
        "hits": hits,
        "label": entity.label,
    }
    status = 422 if problem else 200
    return shell.render(request, "merging/with.html", context, status=status)


urlpatterns = [
    path("merge/<entity:entity>/", merging, name="merge"),
    path("<entity:entity>/<uuid:id>/merge", merge_with, name="merge-with"),
]
