"""Merging the pairs that are certain, many at a time: what would be merged, then a job."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _, ngettext
from django.views.decorators.http import require_http_methods, require_POST

from rapport import access
from rapport.actions import certain as actions, merge
from rapport.actions.certain import Group
from rapport.actions.records import RecordNotFound
from rapport.meta.kinds import Ref
from rapport.models.people import Verb
from rapport.queries import duplicates, jobs, one

from . import panels, shell
from .cells import cell_context
from .duplicates import Place, certainty
from .panels import address
from .signin import signed_in

CONFIDENCE, LOWEST = 95, 50
# Groups whose plan is shown; the others are counted.
PLANNED = 15


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def certain(request: HttpRequest) -> HttpResponse:
    """What would be merged: pairs above a confidence, or those that were ticked."""
    by = request.user
    if not any(access.may(by, Verb.MERGE, entity) for entity in duplicates.compared()):
        raise access.Forbidden("merge")
    given = request.POST if request.method == "POST" else request.GET
    place = Place.of(given)
    ticked = _numbers(",".join(given.getlist("ids")))
    confidence = _confidence(given.get("confidence", ""))
    with_conflicts = given.get("conflicts") == "1"
    named = ticked if ticked or "ids" in given else None
    if request.method == "POST" and named is None and "confirm" not in given:
        messages.warning(request, _("Tick some pairs first."))
        return shell.moved(request, reverse("duplicates"))
    found = actions.certain(
        by,
        confidence=0 if named is not None else confidence,
        entity=place.entity,
        with_conflicts=with_conflicts or named is not None,
        pair_ids=named,
    )
    if "confirm" in request.POST and found.groups:
        label = _merging(found.groups)
        job = actions.merge_later(found, by=by, with_conflicts=with_conflicts, label=label)
        return shell.moved(request, reverse("job", args=[job.pk]))
    shown = [_shown(group, by, with_conflicts) for group in found.groups[:PLANNED]]
    # What is left out is not promised; of ticked ones a box below may still take it in.
    groups = found.groups
    if named is None and len(groups) <= PLANNED:
        groups = [g for g, row in zip(groups, shown, strict=True) if "skipped" not in row]
    context = {
        "place": place,
        "ticked": named is not None,
        "confidence": confidence,
        "lowest": LOWEST,
        "with_conflicts": with_conflicts,
        "pairs": ",".join(map(str, found.pairs)),
        "left": found.left,
        "differ": found.differ,
        "groups": shown,
        "may_go": bool(groups),
        "more": cell_context().number(max(len(found.groups) - PLANNED, 0)),
        "has_more": len(found.groups) > PLANNED,
        "heading": _merging(groups) if groups else _("Merge the certain ones"),
        "entities": [(e.name, e.label_plural) for e in duplicates.compared() if e.menu],
        "back_url": place.url(),
    }
    return shell.render(request, "duplicates/certain.html", context)


def _merging(groups: Sequence[Group]) -> str:
    records = sum(len(group.ids) for group in groups)
    text = ngettext(
        "Merge %(records)s records into %(n)s", "Merge %(records)s records into %(n)s",
        len(groups),
    )  # fmt: skip
    cells = cell_context()
    return text % {"records": cells.number(records), "n": cells.number(len(groups))}


def _numbers(text: str) -> list[int]:
    parts = [part for part in text.split(",") if part.isdecimal() and len(part) < 19]
    return [int(part) for part in parts[: duplicates.SURE]]


def _confidence(text: str) -> int:
    number = int(text) if text.isdecimal() and len(text) < 4 else CONFIDENCE
    return min(max(number, LOWEST), 100)


def _shown(group: Group, by: Any, with_conflicts: bool) -> dict[str, Any]:
    """What a group would become."""
    row: dict[str, Any] = {"confidence": group.confidence, "tone": certainty(group.confidence)}
    try:
        plan = merge.plan(group.entity, group.ids, by=by)
    except actions.REFUSALS as error:
        titles = one.title_of([Ref(group.entity.name, id_) for id_ in group.ids], by)
        return row | {
            "title": ", ".join(titles.values()),
            "face": panels.face(group.entity, next(iter(titles.values()), "")),
            "skipped": actions.why(error),
        }
    lost = [str(group.entity.fields[choice.field].label) for choice in plan.lost]
    if lost and not with_conflicts:
        row["skipped"] = actions.why(actions.ValuesDiffer())
    title = plan.titles[plan.master]
    return row | {
        "title": title,
        "url": address(group.entity, plan.master),
        "face": panels.face(group.entity, title),
        "others": [(plan.titles[id_], address(group.entity, id_)) for id_ in plan.losers],
        "why": plan.why,
        "lost": ", ".join(lost),
        "follow": [
            f"{number} {str(e.label if number == 1 else e.label_plural).lower()}"
            for e, number in plan.follow
        ],
    }


@signed_in
@require_POST
def unmerge(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """Take back everything that a merging job did."""
    job = jobs.job_for(id, request.user)
    if job is None or not actions.operations_of(job):
        raise RecordNotFound("job")
    label = _("Undo: %(what)s") % {"what": job.label}
    back = actions.unmerge_later(job, by=request.user, label=label)
    return shell.moved(request, reverse("job", args=[back.pk]))


urlpatterns = [
    path("duplicates/certain/", certain, name="duplicates-certain"),
    path("duplicates/merged/<uuid:id>/undo/", unmerge, name="duplicates-unmerge"),
]
