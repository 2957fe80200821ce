"""Records made and changed: a whole form, the dialog, one value in place."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from rapport import access
from rapport.access import Forbidden
from rapport.actions import records
from rapport.actions.records import InvalidRecord, StaleRecord
from rapport.meta.entity import Entity
from rapport.meta.kinds import Ref
from rapport.models.people import Verb
from rapport.queries import moved, one, operations
from rapport.queries.one import One

from . import panels, shell, similar
from .cells import cell, cell_context
from .duplicates import merge_url
from .forms import RecordForm, expand, prefill
from .panels import address, closed, facts_of, find
from .signin import local, signed_in

# -- new -------------------------------------------------------------------------------------------


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest, entity: Entity) -> HttpResponse:
    """A new record, with all its fields."""
    return _create(request, entity, entity.form_fields, "records/form.html", "f")


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def quick_create(request: HttpRequest, entity: Entity) -> HttpResponse:
    """A new record with the fields that matter most, in the dialog."""
    # What the quick form forgot, though nothing can be without it; the owner is whoever makes it.
    given = {"owner"} if entity.ownership == "user" else set()
    required = {name for name in entity.form_fields if entity.fields[name].required} - given
    names = (*entity.quick, *sorted(required - set(entity.quick)))
    return _create(request, entity, expand(entity, names), "dialogs/quick.html", "q")


def _create(
    request: HttpRequest, entity: Entity, names: Iterable[str], template: str, prefix: str
) -> HttpResponse:
    if not entity.creatable:
        raise Http404
    access.require(request.user, Verb.CREATE, entity)
    given, links = prefill(entity, request.GET, request.user)
    names = tuple(names)
    hidden = tuple(name for name in given if name not in names)
    initial = {name: f.default for name, f in entity.fields.items() if f.default is not None}
    if entity.ownership == "user":
        initial["owner"] = request.user.pk
        links = {**one.name_links(entity, {"owner": request.user.pk}, request.user), **links}
    form = RecordForm(
        entity,
        (*names, *hidden),
        by=request.user,
        initial={**initial, **given},
        links=links,
        prefix=prefix,
        hidden=hidden,
    )
    ask: dict[str, Any] = {}
    if request.method == "POST":
        valid = form.read(request.POST)
        if into := similar.chosen(request, "into"):
            return _into(request, form, find(request, entity, into))
        ask = similar.guard(request, form) if valid else {}
        if valid and not ask:
            try:
                id_ = records.create_record(entity, form.changed, by=request.user, new=form.new)
            except InvalidRecord as error:
                form.add_errors(error.errors)
            else:
                return _created(request, entity, id_)
    context = {
        "ask": ask,
        "anyway": ",".join(request.POST.getlist(similar.ANYWAY)),
        "similar": similar.panel(entity, "quick-form" if prefix == "q" else "record-form"),
        "form": form,
        "entity": entity,
        "fields": form.shown(name for name in names),
        "heading": _("New %(entity)s") % {"entity": entity.label},
        "action": request.get_full_path(),
        "next": _came_from(request),
        "back_url": _came_from(request) or reverse("list", args=[entity]),
        "full_url": f"{reverse('create', args=[entity])}?{request.GET.urlencode()}".rstrip("?"),
    }
    status = 422 if form.is_read else 200
    return shell.render(request, template, context, status=status)


def _created(request: HttpRequest, entity: Entity, id_: uuid.UUID) -> HttpResponse:
    title = one.title_of([Ref(entity.name, id_)], request.user).get(Ref(entity.name, id_), "")
    shell.say_done(
        request,
        _("%(entity)s “%(title)s” was created.") % {"entity": entity.label, "title": title},
        operations.last_of(id_),
    )
    after = local(request.POST.get("next", ""))
    if not after or request.POST.get("then") == "open":
        after = address(entity, id_)
    return shell.moved(request, after)


def _into(request: HttpRequest, form: RecordForm, found: One) -> HttpResponse:
    """The form of a record that was there already, with what was typed for a new one."""
    if not one.may(found, Verb.WRITE, request.user) or closed(found):
        raise Forbidden(f"write {found.entity.name}")
    offered = similar.offer(form, found, request.user)
    return _whole(request, found, _edit_page(request, found, offered, 200, offers=True))


def _whole(request: HttpRequest, found: One, response: HttpResponse) -> HttpResponse:
    """The form of a record as a page, wherever it was asked for."""
    if shell.is_part(request):
        # Out of the dialog, into the page, without the commands of what was there.
        response.content = b'<div class="content">' + response.content + b"</div>"
        response["HX-Retarget"] = "#main"
        response["HX-Reswap"] = "innerHTML"
        response["HX-Push-Url"] = address(found.entity, found.id, "edit")
        response["HX-Trigger"] = "crm:close"
    return response


def _came_from(request: HttpRequest) -> str:
    """The page under the dialog, or the one that a link of ours named."""
    named = request.POST.get("next", request.GET.get("next"))
    if named is not None:
        return local(named)
    return shell.page_before(request) if shell.is_part(request) else ""


# -- changed as a whole ----------------------------------------------------------------------------


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, entity: Entity, id: uuid.UUID) -> HttpResponse:
    """All fields of a record as a plain form."""
    if into := _merged_meanwhile(request, entity, id):
        return _into_merged(request, into, entity.form_fields, "f")
    found = find(request, entity, id)
    if not one.may(found, Verb.WRITE, request.user):
        raise Forbidden(f"write {entity.name}")
    form = RecordForm(
        entity, entity.form_fields, by=request.user, stored=found.values, links=found.links
    )
    status, ask = 200, {}
    if request.method == "POST":
        status, operation, ask = _save(form, found, request, guarded=True)
        if status == 200:
            if operation is not None:
                text = _("“%(title)s” was saved.") % {"title": found.title}
                shell.say_done(request, text, operation)
            return shell.moved(request, _after_edit(request, found))
    elif reason := closed(found):
        context = {"one": found, "text": reason, "url": address(entity, id)}
        return shell.render(request, "records/closed.html", context, status=409)
    return _edit_page(request, found, form, status, ask=ask)


def _merged_meanwhile(request: HttpRequest, entity: Entity, id: uuid.UUID) -> One | None:
    """Of a record that is saved, but was merged since: the one that stayed, when the viewer may
    change that."""
    if request.method != "POST" or one.get(entity, id, request.user) is not None:
        return None
    into = moved.moved(entity, id)
    found = one.get(entity, into, request.user) if into else None
    if found is None or not one.may(found, Verb.WRITE, request.user) or closed(found):
        return None
    return found


def _into_merged(
    request: HttpRequest, found: One, names: Iterable[str], prefix: str
) -> HttpResponse:
    """The form of the record that stayed, with what was typed for the one that is gone."""
    form = RecordForm(found.entity, names, by=request.user, stored={}, prefix=prefix)
    form.read(request.POST)
    offered = similar.offer(form, found, request.user)
    page = _edit_page(request, found, offered, 409, offers=True, merged=True)
    return _whole(request, found, page)


def _edit_page(
    request: HttpRequest,
    found: One,
    form: RecordForm,
    status: int,
    *,
    ask: Mapping[str, Any] | None = None,
    offers: bool = False,
    merged: bool = False,
) -> HttpResponse:
    """The form of a record. `ask`: about duplicates, before it saves; `offers`: its clashes are
    with what was typed for a new record, or for one that was `merged` meanwhile."""
    clashes = _conflicts(form, found, request)
    context = {
        "ask": ask,
        "anyway": ",".join(request.POST.getlist(similar.ANYWAY)),
        "similar": similar.panel(found.entity, "record-form", found.id),
        "is_offer": offers,
        "merged": merged,
        "offers": clashes if offers else [],
        "form": form,
        "one": found,
        "entity": found.entity,
        "heading": _("Edit %(title)s") % {"title": found.title},
        "action": address(found.entity, found.id, "edit"),
        "back_url": address(found.entity, found.id),
        "conflicts": [] if offers else clashes,
        "next": "" if offers else local(request.POST.get("next", "")),
    }
    return shell.render(request, "records/form.html", context, status=status)


def _after_edit(request: HttpRequest, found: One) -> str:
    if other := similar.chosen(request, "merge"):
        return merge_url(found.entity.name, (found.id, other), address(found.entity, found.id))
    if request.POST.get("then") == "close":
        return reverse("list", args=[found.entity])
    return local(request.POST.get("next", "")) or address(found.entity, found.id)


def _save(
    form: RecordForm, found: One, request: HttpRequest, *, guarded: bool = False
) -> tuple[int, uuid.UUID | None, dict[str, Any]]:
    """Write what changed: (status of the answer, the operation when there was something to do,
    what to ask first). `guarded`: ask when it would look like another record."""
    if not form.read(request.POST):
        return 422, None, {}
    if not form.changed and not form.new:
        return 200, None, {}
    asks = guarded and not similar.chosen(request, "merge")
    if asks and (ask := similar.guard(request, form, found)):
        return 422, None, ask
    try:
        operation = records.update_record(
            found.entity,
            found.id,
            form.changed,
            by=request.user,
            expected=form.expected,
            new=form.new,
        )
    except StaleRecord as error:
        form.clash(error.clashes)
        return 409, None, {}
    except InvalidRecord as error:
        form.add_errors(error.errors)
        return 422, None, {}
    return 200, operation.pk if operation.counts else None, {}


def _conflicts(form: RecordForm, found: One, request: HttpRequest) -> list[dict[str, Any]]:
    """Fields that somebody else changed meanwhile, with both values."""
    if not form.clashes:
        return []
    cells = cell_context(whole=True)
    stored = {name: clash.stored for name, clash in form.clashes.items()}
    wanted = {name: clash.wanted for name, clash in form.clashes.items()}
    theirs = {**stored, **one.name_links(found.entity, stored, request.user)}
    mine = {**wanted, **one.name_links(found.entity, wanted, request.user)}
    blank = SafeString("—")
    return [
        {
            "name": name,
            "label": found.entity.fields[name].label,
            "mine": cell(found.entity.fields[name], mine[name], cells) or blank,
            "theirs": cell(found.entity.fields[name], theirs[name], cells) or blank,
        }
        for name in form.clashes
    ]


# -- changed in place ------------------------------------------------------------------------------


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def field(request: HttpRequest, entity: Entity, id: uuid.UUID, name: str) -> HttpResponse:
    """One value: GET its form, POST saves it and answers the value again."""
    if name not in entity.fields:
        raise Http404
    if into := _merged_meanwhile(request, entity, id):
        return _into_merged(request, into, expand(entity, [name]), "e")
    found = find(request, entity, id)
    facts = facts_of(found, request, cell_context(whole=True))
    shown = entity.fields[name]
    if not one.may(found, Verb.WRITE, request.user):
        raise Forbidden(f"write {entity.name}")
    if request.method == "POST" and request.POST.get("choice") == "theirs":
        return HttpResponse(facts.value(shown))
    names = ("status",) if name == "status" else expand(entity, [name])
    if not names:
        raise Forbidden(f"write {entity.name}.{name}")
    form = RecordForm(
        entity, names, by=request.user, stored=found.values, links=found.links, prefix="e"
    )
    if request.method != "POST":
        if not shell.is_part(request):
            return shell.moved(request, f"{address(entity, id, 'edit')}#f-{names[0]}")
        return _field_form(request, found, form, name, 200)
    status, operation, _ask = _save(form, found, request)
    if not shell.is_part(request):
        if status != 200:
            return _edit_page(request, found, form, status)
        return shell.moved(request, local(request.POST.get("next", "")) or address(entity, id))
    if status != 200:
        return _field_form(request, found, form, name, status)
    return _field_value(request, entity, id, name, operation)


def _field_form(
    request: HttpRequest, found: One, form: RecordForm, name: str, status: int
) -> HttpResponse:
    several = len(form.fields) > 1
    context = {
        "form": form,
        "url": address(found.entity, found.id, "field", name),
        "fields": [
            form.field(part, label=several, autofocus=i == 0, wide=False)
            for i, part in enumerate(form.fields)
        ],
        "several": several,
        "whole": form.errors.get("", []),
        "conflicts": _conflicts(form, found, request),
    }
    return shell.render(request, "records/field.html", context, status=status)


def _field_value(
    request: HttpRequest, entity: Entity, id: uuid.UUID, name: str, operation: uuid.UUID | None
) -> HttpResponse:
    """The value after it was saved, with what the head of the page says of it."""
    found = one.get(entity, id, request.user)
    if found is None:  # given away: it is out of sight now
        return shell.moved(request, reverse("list", args=[entity]))
    facts = facts_of(found, request, cell_context(whole=True))
    context = {
        "value": facts.value(entity.fields[name]),
        "one": found if operation else None,
        "keyfacts": panels.key_facts(found, facts),
    }
    response = shell.render(request, "records/value.html", context)
    if operation:
        label = entity.fields[name].label
        toast = {
            "text": _("%(field)s was saved.") % {"field": label},
            "tone": "ok",
            "undo": reverse("undo", args=[operation]),
        }
        response["HX-Trigger"] = json.dumps({"crm:toast": toast})
    return response


urlpatterns = [
    path("<entity:entity>/new", create, name="create"),
    path("<entity:entity>/quick", quick_create, name="quick-create"),
    path("<entity:entity>/<uuid:id>/edit", edit, name="edit"),
    path("<entity:entity>/<uuid:id>/field/<slug:name>", field, name="field"),
]
