"""Records that look like the one that is being written: told while typing, asked about at save."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _, ngettext
from django.views.decorators.http import require_http_methods, require_POST

from rapport import access, limits
from rapport.actions.leads import blank
from rapport.actions.records import Clash
from rapport.duplicates import rules
from rapport.duplicates.find import Match, Proposed, find as find_alike, find_stored
from rapport.meta.entity import Entity
from rapport.meta.kinds import Ref
from rapport.meta.registry import registry
from rapport.models.people import Verb
from rapport.queries import duplicates, one
from rapport.queries.one import One

from . import panels, shell
from .duplicates import certainty, merge_url, reason_chips
from .forms import RecordForm
from .panels import address, find
from .signin import signed_in

# So many are told; more would not be read.
TOLD, ASKED = 3, 6
# Records of a list that are compared while somebody waits, and matches of each.
CHECKED, CHECKED_EACH = 200, 20
# A fast typist who pauses at every word; a script is answered with silence.
PER_MINUTE = 90
ANYWAY = "anyway"


# -- which records look alike ----------------------------------------------------------------------


def is_compared(entity: Entity) -> bool:
    """Whether any rule in force compares records of `entity`."""
    return bool(rules.published(entity.name))


def compared_fields(entity: Entity) -> set[str]:
    """Fields that rules in force look at, with those that make up a derived name."""
    names = {
        name
        for rule in rules.published(entity.name)
        for condition in rule.conditions
        for name in condition.base
    }
    return names | set(entity.title_fields) if entity.title in names else names


def _matches(form: RecordForm, by: Any, found: One | None) -> list[Match]:
    """Stored records that look like what the form says now."""
    entity = form.entity
    typed = {n: v for n, v in form.values.items() if n not in form.errors}
    values = {**blank(entity), **(found.values if found else {}), **typed}
    if not any(values.get(name) or form.new.get(name) for name in compared_fields(entity)):
        return []
    values |= entity.derive(values)
    links = {**(found.links if found else {}), **form.links}
    names = {name: link.title for name, link in links.items()} | form.new
    id_ = found.id if found else None
    matches = find_alike(entity, [Proposed(values, names, id_)], by=by)[0]
    if found is None or not matches:
        return matches
    return _undecided(found, matches, by)


def _undecided(found: One, matches: Iterable[Match], by: Any) -> list[Match]:
    """Without what somebody has said to be different, without the lead of which the record was made
    and without who reports to it: that is not asked again."""
    own = Ref(found.entity.name, found.id)
    refs = [Ref(match.entity, match.id) for match in matches]
    known = duplicates.said_different(found.entity, found.id, by)
    pairs = [(own, ref) for ref in refs]
    linked = duplicates.linked(pairs) | duplicates.above(pairs)
    return [
        match
        for match, ref in zip(matches, refs, strict=True)
        if ref not in known and frozenset((own, ref)) not in linked
    ]


def shown(
    matches: Iterable[Match], by: Any, *, limit: int, writable: Entity | None = None
) -> list[dict[str, Any]]:
    """Matches as `similar/matches.html` shows them. `writable`: of that entity it is also said
    whether the viewer may change them."""
    first = list(matches)[:limit]
    titles = one.title_of([Ref(match.entity, match.id) for match in first], by)
    own = [m.id for m in first if writable is not None and m.entity == writable.name]
    mine = access.allowed_ids(own, writable, by, Verb.WRITE) if writable and own else set()
    made = []
    for match in first:
        ref, entity = Ref(match.entity, match.id), registry[match.entity]
        if ref not in titles:
            continue
        made.append(
            {
                "id": match.id,
                "title": titles[ref],
                "url": address(entity, match.id),
                "face": panels.face(entity, titles[ref]),
                "label": entity.label,
                "confidence": match.confidence,
                "tone": certainty(match.confidence),
                "reasons": reason_chips(match.reasons, by),
                "may_write": match.id in mine,
            }
        )
    return made


# -- while typing ----------------------------------------------------------------------------------


def panel(entity: Entity, form_id: str, id: uuid.UUID | None = None) -> dict[str, str] | None:
    """What a form needs to ask while somebody types; None where no rule compares anything."""
    if not is_compared(entity):
        return None
    url = reverse("similar", args=[entity])
    return {"url": f"{url}?id={id}" if id else url, "form": form_id}


@signed_in
@require_POST
def similar(request: HttpRequest, entity: Entity) -> HttpResponse:
    """Who looks like what stands in the form. Writes nothing."""
    if not shell.is_part(request):
        return shell.moved(request, reverse("list", args=[entity]))
    try:
        limits.check(request, "similar", per_minute=PER_MINUTE)
    except limits.TooMany:
        return HttpResponse(status=204)
    found = _edited(request, entity)
    access.require(request.user, Verb.READ, entity)
    stored = {"stored": found.values, "links": found.links} if found else {}
    names = [name for name in entity.form_fields if _is_sent(name, request.POST)]
    form = RecordForm(entity, names, by=request.user, **stored)
    form.read(request.POST)
    matches = _matches(form, request.user, found)
    context = {
        "matches": shown(matches, request.user, limit=TOLD),
        "more": _more(len(matches) - TOLD),
    }
    return shell.render(request, "similar/panel.html", context)


def _is_sent(name: str, posted: Mapping[str, str]) -> bool:
    return name in posted or f"{name}_text" in posted


def _edited(request: HttpRequest, entity: Entity) -> One | None:
    text = request.GET.get("id", "")
    if not text:
        return None
    try:
        return find(request, entity, uuid.UUID(text))
    except ValueError:
        return None


def _more(number: int) -> str:
    if number <= 0:
        return ""
    text = ngettext("and %(n)s more", "and %(n)s more", number)
    return text % {"n": number}


# -- at save ---------------------------------------------------------------------------------------


def guard(request: HttpRequest, form: RecordForm, found: One | None = None) -> dict[str, Any]:
    """What the form must ask before it saves: nothing, or `similar/ask.html`'s context. A stored
    record (`found`) is asked about only when a value that rules look at has changed."""
    entity, by = form.entity, request.user
    if not is_compared(entity):
        return {}
    touched = set(form.changed) | set(form.new)
    if found is not None and not touched & compared_fields(entity):
        return {}
    matches = _matches(form, by, found)
    accepted = _accepted(request.POST.getlist(ANYWAY))
    if not {match.id for match in matches[:ASKED]} - accepted:
        return {}
    return {
        "matches": shown(matches, by, limit=ASKED, writable=entity),
        "entity": entity,
        "more": _more(len(matches) - ASKED),
        "anyway": ",".join(str(match.id) for match in matches[:ASKED]),
        "creates": found is None,
        "may_merge": found is not None and access.may(by, Verb.MERGE, entity),
    }


def _accepted(texts: Collection[str]) -> set[uuid.UUID]:
    """Matches that the person has seen and saves nevertheless."""
    made = set()
    for part in ",".join(texts).split(",")[:100]:
        try:
            made.add(uuid.UUID(part))
        except ValueError:
            continue
    return made


def chosen(request: HttpRequest, name: str) -> uuid.UUID | None:
    """The match that a button named."""
    try:
        return uuid.UUID(request.POST.get(name, ""))
    except ValueError:
        return None


def offer(form: RecordForm, found: One, by: Any) -> RecordForm:
    """The form of a stored record with what was typed for another one: blanks are filled in, and so
    is what still says what the person saw; other values stand beside the stored ones, to be chosen
    from. Nothing that was typed is lost."""
    entity = found.entity
    into = RecordForm(entity, entity.form_fields, by=by, stored=found.values, links=found.links)
    clashes: dict[str, Clash] = {}
    for name, value in form.values.items():
        if name not in into.fields or name in form.errors:
            continue
        # What somebody saw and emptied was meant to go.
        is_cleared = value in {None, ""} and form.seen.get(name) not in {None, ""}
        if not is_cleared and (value in {None, ""} or value == form.initial.get(name)):
            continue
        if form.stored is not None and name not in form.changed:
            continue
        stored = into.values[name]
        if stored == value:
            continue
        into.values[name] = value
        into.links.pop(name, None)
        if name in form.links:
            into.links[name] = form.links[name]
        if stored not in {None, "", False, form.seen.get(name)}:
            clashes[name] = Clash(stored, stored, value)
    for name, text in form.new.items():
        into.propose(name, text)
    into.clash(clashes)
    if form.stored is not None:
        for name in into.fields.keys() & form.errors.keys():
            into.texts[name] = form.texts.get(name, "")
            for text in form.errors[name]:
                into.add_error(name, text)
    return into


# -- of a record that is stored --------------------------------------------------------------------


@signed_in
@require_http_methods(["GET", "HEAD"])
def check(request: HttpRequest, entity: Entity, id: uuid.UUID) -> HttpResponse:
    """Look for duplicates of one record now."""
    found = find(request, entity, id)
    every = find_stored(entity, [id], by=request.user).get(id, [])
    matches = _undecided(found, every, request.user)
    context = {
        "one": found,
        "matches": _with_merge(entity, id, matches, request.user),
        "different": len(every) - len(matches),
        "compared": is_compared(entity),
        "heading": _("Duplicates of %(title)s") % {"title": found.title},
        "back_url": address(entity, id),
    }
    return shell.render(request, "similar/check.html", context)


def _with_merge(
    entity: Entity, id: uuid.UUID, matches: Iterable[Match], by: Any
) -> list[dict[str, Any]]:
    """Matches of a stored record, with where they are merged."""
    rows = shown(matches, by, limit=CHECKED_EACH)
    for row in rows:
        same = row["label"] == entity.label and access.may(by, Verb.MERGE, entity)
        ids = (id, row["id"])
        row["merge_url"] = merge_url(entity.name, ids, address(entity, id)) if same else ""
    return rows


def notice(found: One, by: Any) -> dict[str, str] | None:
    """That a record has open pairs, for its page: one statement."""
    if not is_compared(found.entity):
        return None
    pairs = duplicates.open_pairs_of(found.id, by)
    if not pairs:
        return None
    text = ngettext("%(n)s possible duplicate", "%(n)s possible duplicates", len(pairs))
    return {"text": text % {"n": len(pairs)}, "url": reverse("duplicate", args=[pairs[0]])}


def groups(entity: Entity, ids: Iterable[uuid.UUID], by: Any) -> list[dict[str, Any]]:
    """Of the first records those that look like others, with what they look like."""
    found = find_stored(entity, list(ids)[:CHECKED], by=by)
    told: set[frozenset[uuid.UUID]] = set()
    alike: dict[uuid.UUID, list[Match]] = {}
    for id_, matches in found.items():
        # Two of them that look alike are told of once.
        news = [match for match in matches if frozenset((id_, match.id)) not in told]
        told.update(frozenset((id_, match.id)) for match in news)
        if news:
            alike[id_] = news
    titles = one.title_of([Ref(entity.name, id_) for id_ in alike], by)
    return [
        {
            "title": titles[Ref(entity.name, id_)],
            "url": address(entity, id_),
            "matches": _with_merge(entity, id_, matches, by),
        }
        for id_, matches in alike.items()
        if Ref(entity.name, id_) in titles
    ]


def queue_url(entity: Entity) -> str:
    """The review queue of an entity."""
    return f"{reverse('duplicates')}?entity={entity.name}"


urlpatterns = [
    path("<entity:entity>/similar", similar, name="similar"),
    path("<entity:entity>/<uuid:id>/duplicates", check, name="check-duplicates"),
]
