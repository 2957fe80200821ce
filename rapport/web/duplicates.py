"""The review of records that look alike: the queue, and two of them side by side."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _, gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from rapport import access
from rapport.actions import duplicates as actions
from rapport.actions.certain import to_choose
from rapport.actions.records import InvalidRecord, RecordNotFound
from rapport.duplicates.find import Reason
from rapport.meta.entity import Entity
from rapport.meta.folding import fold
from rapport.meta.kinds import Kind, Ref
from rapport.meta.registry import registry
from rapport.models.duplicates import PairStatus
from rapport.models.people import Verb
from rapport.queries import duplicates as found, one, pages, radar as searches
from rapport.queries.duplicates import Suspect
from rapport.queries.one import One
from rapport.queries.pages import Link
from rapport.queries.query import Condition, Group, InvalidQuery, Query

from . import panels, shell
from .cells import CellContext, cell, cell_context, local_text
from .panels import address
from .sidebyside import DIFFERENT, MARKS, SAME, compared
from .signin import local, signed_in

SIZE = 25
# More related records than this are not counted.
COUNTED = 99
TABS = {
    PairStatus.OPEN: gettext_lazy("To review"),
    PairStatus.LATER: gettext_lazy("Later"),
    PairStatus.DIFFERENT: gettext_lazy("Not a duplicate"),
}
SAID = {
    PairStatus.OPEN: gettext_lazy("Back in the queue."),
    PairStatus.LATER: gettext_lazy("Kept for later."),
    PairStatus.DIFFERENT: gettext_lazy("Not a duplicate: nobody is asked again."),
}
# -- what a pair says ------------------------------------------------------------------------------


def reason_chips(reasons: Iterable[Reason], by: Any) -> list[dict[str, Any]]:
    """Reasons (of a match, or as a pair stores them) for `duplicates/reasons.html`. What a look-up
    names may be more than the viewer may read: such a reason is for those who see all of them."""
    made = []
    for reason in reasons:
        entity, _dot, name = reason.field.partition(".")
        field = registry[entity].fields.get(name) if entity in registry else None
        target = field.target if field is not None and field.kind is Kind.LOOKUP else None
        if target and not access.sees_all(by, registry[target]):
            continue
        sign, word = MARKS.get(reason.level, MARKS[DIFFERENT])
        same = reason.level == SAME and fold(reason.ours) == fold(reason.theirs)
        made.append(
            {
                "label": reason.label,
                "level": reason.level,
                "sign": sign,
                "word": word,
                "ours": reason.ours,
                "theirs": "" if same else reason.theirs,
            }
        )
    return made


def certainty(confidence: int) -> str:
    """The tone of a confidence."""
    return "ok" if confidence >= 95 else "accent" if confidence >= 80 else "warn"


def effort(number: int) -> str:
    """How much somebody would have to choose."""
    if not number:
        return _("no conflicts")
    text = ngettext("%(n)s value to choose", "%(n)s values to choose", number)
    return text % {"n": number}


def merge_url(entity: str, ids: Iterable[uuid.UUID], after: str = "") -> str:
    """The page that merges these records."""
    pairs = [("id", str(id_)) for id_ in ids]
    query = urlencode([*pairs, ("next", after)] if after else pairs)
    return f"{reverse('merge', args=[entity])}?{query}"


@dataclass(frozen=True, slots=True)
class Place:
    """Which part of the queue somebody works through."""

    status: str = PairStatus.OPEN
    entity: str = ""

    @classmethod
    def of(cls, given: Mapping[str, str]) -> Place:
        """What an address or a form says; what makes no sense is left out."""
        status, entity = given.get("status", ""), given.get("entity", "")
        names = {known.name for known in found.compared()}
        return cls(
            status if status in set(TABS) else PairStatus.OPEN, entity if entity in names else ""
        )

    def query(self, **more: str) -> str:
        """'?…' of an address; '' for the whole queue."""
        pairs = {"status": "" if self.status == PairStatus.OPEN else self.status}
        pairs |= {"entity": self.entity, **more}
        text = urlencode([(name, value) for name, value in pairs.items() if value])
        return f"?{text}" if text else ""

    def url(self, **more: str) -> str:
        """Address of this part of the queue."""
        return reverse("duplicates") + self.query(**more)

    def review_url(self, pair: int) -> str:
        """Address of a pair that is looked at on the way through this part."""
        return reverse("duplicate", args=[pair]) + self.query()


# -- the queue -------------------------------------------------------------------------------------


@signed_in
@require_safe
def queue(request: HttpRequest) -> HttpResponse:
    """Pairs to be reviewed, the surest first."""
    place, by = Place.of(request.GET), request.user
    after = request.GET.get("after", "")
    try:
        page = found.suspects(by, entity=place.entity, status=place.status, after=after, size=SIZE)
    except InvalidQuery:
        return shell.moved(request, place.url())
    context = {
        "place": place,
        "rows": _rows(page.pairs, place, by),
        **_parts(place, by),
        "first_url": place.url() if after else "",
        "next_url": place.url(after=page.next) if page.next else "",
        "decide_url": _decide_url(place),
        "certain_url": reverse("duplicates-certain"),
        "may_merge": any(_may_merge(by, e) for e in found.compared()),
        **radar(request),
    }
    return shell.render(request, "duplicates/queue.html", context)


def _parts(place: Place, by: Any) -> dict[str, Any]:
    """The parts of the queue, and how many pairs wait in each."""
    counts, cells = found.counts(by), cell_context()
    return {
        "tabs": [
            (
                Place(status, place.entity).url(),
                label,
                _number(counts.by_status.get(status, 0), cells) if not place.entity else "",
                status == place.status,
            )
            for status, label in TABS.items()
        ],
        "entities": _entities(place, counts, cells, by),
    }


def _entities(
    place: Place, counts: found.Counts, cells: CellContext, by: Any
) -> list[tuple[str, Any, str, bool]]:
    """(address, label, open pairs, whether it is the present one) of each record type that the
    viewer may read."""
    made: list[tuple[str, Any, str, bool]] = [
        (Place(place.status).url(), _("All"), "", not place.entity)
    ]
    for entity in found.compared():
        if not entity.menu or not access.may(by, Verb.READ, entity):
            continue
        number = counts.by_entity.get(entity.name, 0)
        is_open = place.status == PairStatus.OPEN
        text = _number(number, cells) if is_open else ""
        url = Place(place.status, entity.name).url()
        made.append((url, entity.label_plural, text, place.entity == entity.name))
    return made


def _number(number: int, cells: CellContext) -> str:
    if number > found.COUNT_LIMIT:
        return f"{cells.number(found.COUNT_LIMIT)}+"
    return cells.number(number)


def _rows(suspects: Sequence[Suspect], place: Place, by: Any) -> list[dict[str, Any]]:
    """Pairs as the queue shows them, with a line about each record."""
    links = [link for pair in suspects for link in (pair.first, pair.second)]
    details = found.glances([Ref(link.entity, link.id) for link in links], by)
    made = []
    for pair, number in zip(suspects, _efforts(suspects), strict=True):
        row = _row(pair, place, by, number)
        for side, link in (("first", pair.first), ("second", pair.second)):
            values = details.get(Ref(link.entity, link.id), {})
            row[side]["detail"] = " · ".join(str(value) for value in values.values())
        made.append(row)
    return made


def _may_merge(by: Any, entity: Entity) -> bool:
    """Rules may compare what cannot be merged."""
    return entity.mergeable and access.may(by, Verb.MERGE, entity)


def _efforts(suspects: Sequence[Suspect]) -> list[int]:
    """On how many values somebody must choose: of what can be merged in all fields, of others in
    those that were compared."""
    pairs = [(_ref(pair.first), _ref(pair.second)) for pair in suspects]
    return [
        pair.effort if one.entity != other.entity else number
        for pair, (one, other), number in zip(suspects, pairs, to_choose(pairs), strict=True)
    ]


def _ref(link: Link) -> Ref:
    return Ref(link.entity, link.id)


def _row(pair: Suspect, place: Place, by: Any, number: int) -> dict[str, Any]:
    """A pair as its own page shows it."""
    same = pair.first.entity == pair.second.entity
    entity = registry[pair.first.entity]
    may_merge = same and _may_merge(by, entity)
    return {
        "id": pair.id,
        "first": _side(pair.first),
        "second": _side(pair.second),
        "entity": entity.label,
        "same": same,
        "confidence": pair.confidence,
        "tone": certainty(pair.confidence),
        "reasons": reason_chips(map(Reason.from_json, pair.reasons), by),
        "effort": effort(number),
        "easy": not number,
        "cluster": pair.cluster if pair.cluster > 2 else 0,
        "review_url": place.review_url(pair.id),
        "merge_url": merge_url(entity.name, (pair.first.id, pair.second.id), place.url())
        if may_merge and pair.status != PairStatus.DIFFERENT
        else "",
        "status": pair.status,
        "decided": pair.status != place.status,
        "said": SAID.get(pair.status, ""),
    }


def _side(link: Link) -> dict[str, Any]:
    entity = registry[link.entity]
    title = link.title or str(entity.label)
    return {
        "title": title,
        "url": address(entity, link.id),
        "label": entity.label,
        "face": panels.face(entity, title),
    }


def radar(request: HttpRequest) -> dict[str, Any]:
    """When the whole database was last searched, and how far a search is that runs now."""
    state = searches.state(request.user)
    cells = cell_context()
    job = state.job
    moment = state.scanned_at
    return {
        "radar": {
            "moment": moment,
            "text": local_text(moment, cells),
            "running": job is not None,
            "waiting": job is not None and not job.progress,
            "done": cells.number(job.progress) if job else "",
            "progress": job.progress if job else 0,
            "total": job.total if job else None,
            "total_text": cells.number(job.total) if job and job.total else "",
            "job_url": reverse("job", args=[job.pk]) if job and state.own else "",
            "may_search": access.is_administrator(request.user),
            "url": reverse("duplicates-radar"),
        }
    }


@signed_in
@require_safe
def radar_part(request: HttpRequest) -> HttpResponse:
    """How far the search is; the page asks again while it runs."""
    if not shell.is_part(request):
        return shell.moved(request, reverse("duplicates"))
    context = radar(request)
    context["ended"] = not context["radar"]["running"]
    return shell.render(request, "duplicates/radar.html", context)


@signed_in
@require_POST
def search_now(request: HttpRequest) -> HttpResponse:
    """Ask for a search of the whole database."""
    actions.search_now(by=request.user)
    return shell.moved(request, reverse("duplicates"))


# -- decisions -------------------------------------------------------------------------------------


@signed_in
@require_POST
def decide(request: HttpRequest) -> HttpResponse:
    """A pair (or those that are ticked) is no duplicate, is for later, or is open again: one of
    `different`, `later` and `open` holds the number of the pair, or 'ticked'."""
    place, posted = Place.of(request.GET), request.POST
    status = next((name for name in TABS if name in posted), "")
    chosen = posted.getlist("ids") if posted.get(status) == "ticked" else [posted.get(status, "")]
    ids = [int(text) for text in chosen if text.isdecimal() and len(text) < 19]
    if not ids:
        messages.warning(request, _("Tick some pairs first."))
        return shell.moved(request, place.url())
    actions.decide(ids, status, by=request.user)
    if shell.is_part(request) and len(ids) == 1:
        pair = found.pair(ids[0], request.user)
        # None: only somebody's word had made it a pair, and that was taken back.
        context = {
            "row": _rows([pair], place, request.user)[0] if pair is not None else None,
            "decide_url": _decide_url(place),
            **_parts(place, request.user),
        }
        return shell.render(request, "duplicates/decided.html", context)
    text = SAID[PairStatus(status)] if len(ids) == 1 else _counted(len(ids), status)
    messages.success(request, text)
    return shell.moved(request, local(posted.get("next", "")) or place.url())


def _decide_url(place: Place) -> str:
    return reverse("duplicates-decide") + place.query()


def _counted(number: int, status: str) -> str:
    text = ngettext("%(n)s pair: %(what)s.", "%(n)s pairs: %(what)s.", number)
    return text % {"n": number, "what": TABS[PairStatus(status)]}


# -- side by side ----------------------------------------------------------------------------------


@signed_in
@require_safe
def review(request: HttpRequest, id: int) -> HttpResponse:
    """Two records side by side, with what they share and what can be done."""
    by, place = request.user, Place.of(request.GET)
    pair = _pair(request, id)
    sides = [_one(pair.first, by), _one(pair.second, by)]
    cells = cell_context(whole=True)
    same = pair.first.entity == pair.second.entity
    entity = registry[pair.first.entity]
    cluster = found.cluster(entity, pair.first.id, by) if same and pair.cluster > 2 else []
    onward = _next(pair, place, by)
    next_url = place.review_url(onward) if onward else place.url()
    context = {
        "pair": pair,
        "row": _row(pair, place, by, *_efforts([pair])),
        "place": place,
        "sides": [
            {
                **_side(link),
                "facts": _about(side, cells),
                "follow": _related(side, by),
            }
            for link, side in zip((pair.first, pair.second), sides, strict=True)
        ],
        "fields": compared(sides[0], sides[1], cells),
        "cluster": _members(entity, cluster, by),
        "merge_url": merge_url(entity.name, (pair.first.id, pair.second.id), next_url)
        if same and _may_merge(by, entity)
        else "",
        "merge_all_url": merge_url(entity.name, cluster, place.url())
        if cluster and _may_merge(by, entity)
        else "",
        "next_url": next_url if onward else "",
        "after": next_url,
        "decide_url": _decide_url(place),
        "cluster_url": reverse("duplicate-cluster", args=[pair.id]) + place.query(),
        "qualify": _qualify(sides, by),
        "marks": MARKS,
        "decided": _decided(pair, cells) if pair.status != PairStatus.OPEN else "",
    }
    return shell.render(request, "duplicates/review.html", context)


def _pair(request: HttpRequest, id: int) -> Suspect:
    pair = found.pair(id, request.user)
    if pair is None:
        raise RecordNotFound("duplicate pair")
    return pair


def _one(link: Link, by: Any) -> One:
    side = one.get(registry[link.entity], link.id, by)
    if side is None:
        raise RecordNotFound(link.entity)
    return side


def _next(pair: Suspect, place: Place, by: Any) -> int | None:
    """The pair behind this one; at the end the first one that is left."""
    for after in (found.behind(pair), ""):
        page = found.suspects(by, entity=place.entity, status=place.status, after=after, size=2)
        for other in page.pairs:
            if other.id != pair.id:
                return other.id
    return None


def _decided(pair: Suspect, cells: CellContext) -> str:
    text = str(TABS.get(PairStatus(pair.status), ""))
    if pair.decided_at is None:
        return text
    return f"{text}, {local_text(pair.decided_at, cells)}"


def _about(side: One, cells: CellContext) -> list[tuple[Any, str]]:
    """Whose record it is and how old: what helps to choose which of the two stays."""
    fields, made = side.entity.fields, []
    for name in ("owner", "created_at", "modified_at"):
        value: Any = side.links.get(name) or side.values.get(name)
        if name in fields and value:
            made.append((fields[name].label, cell(fields[name], value, cells)))
    return made


def _related(side: One, by: Any) -> list[tuple[Any, str]]:
    """(label, how many) of what hangs on a record."""
    queries = [(r.label, one.related_query(side, r), r.entity) for r in side.entity.related]
    if side.entity.has_timeline:
        about = Condition("regarding", "eq", Ref(side.entity.name, side.id))
        activity = registry["activity"]
        query = Query(entity=activity.name, where=Group((about,)))
        queries.append((activity.label_plural, query, activity.name))
    made = []
    for label, query, name in queries:
        if access.may(by, Verb.READ, registry[name]):
            number = pages.count(query, by, limit=COUNTED)
            if number:
                made.append((label, f"{COUNTED}+" if number > COUNTED else str(number)))
    return made


def _members(entity: Entity, ids: Sequence[uuid.UUID], by: Any) -> list[dict[str, Any]]:
    """The records that hang together by pairs."""
    titles = one.title_of([Ref(entity.name, id_) for id_ in ids], by)
    return [
        _side(Link(entity.name, id_, titles[Ref(entity.name, id_)]))
        for id_ in ids
        if Ref(entity.name, id_) in titles
    ]


def _qualify(sides: Sequence[One], by: Any) -> dict[str, Any] | None:
    """Of a lead and a customer: the command that turns the one into the other."""
    for lead, other in (sides, reversed(sides)):
        if other.entity.name not in lead.entity.maps:
            continue
        for command in lead.entity.commands:
            if command.form != "qualify" or not command.when(lead.row):
                continue
            if one.may(lead, command.verb, by):
                url = address(lead.entity, lead.id, "do", command.key)
                query = urlencode({other.entity.name: str(other.id)})
                text = _("Qualify into this %(record)s")
                label = text % {"record": str(other.entity.label).lower()}
                return {"url": f"{url}?{query}", "label": label}
    return None


@signed_in
@require_POST
def decide_cluster(request: HttpRequest, id: int) -> HttpResponse:
    """The same for every two of the records that hang together with this pair."""
    pair, place = _pair(request, id), Place.of(request.GET)
    status = request.POST.get("status", "")
    entity = registry[pair.first.entity]
    if pair.first.entity != pair.second.entity:
        raise RecordNotFound("cluster")
    ids = found.cluster(entity, pair.first.id, request.user)
    try:
        actions.decide_cluster(entity, ids, status, by=request.user)
    except InvalidRecord as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _counted(len(ids) * (len(ids) - 1) // 2, status))
    return shell.moved(request, local(request.POST.get("next", "")) or place.url())


urlpatterns = [
    path("duplicates/", queue, name="duplicates"),
    path("duplicates/radar/", radar_part, name="duplicates-radar"),
    path("duplicates/search/", search_now, name="duplicates-search"),
    path("duplicates/decide/", decide, name="duplicates-decide"),
    path("duplicates/<int:id>/", review, name="duplicate"),
    path("duplicates/<int:id>/cluster/", decide_cluster, name="duplicate-cluster"),
]
