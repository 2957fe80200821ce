"""What can be done to a record of any entity: give it to somebody, share it, delete it."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from rapport import access
from rapport.access import Forbidden
from rapport.actions import dependants, records, shares
from rapport.actions.records import HasDependants, InvalidRecord
from rapport.meta.entity import Entity
from rapport.meta.registry import registry
from rapport.models.people import Verb
from rapport.queries import one
from rapport.queries.one import One
from rapport.queries.shares import shares_of

from . import commands, panels, shell
from .forms import RecordForm
from .panels import address, find
from .signin import signed_in

READ_POST = ["GET", "HEAD", "POST"]


def _for(request: HttpRequest, entity: Entity, id: uuid.UUID, verb: Verb) -> One:
    """The record, when the viewer may do `verb` to it. Raises RecordNotFound, Forbidden."""
    found = find(request, entity, id)
    if not one.may(found, verb, request.user):
        raise Forbidden(f"{verb} {entity.name}")
    return found


def _frame(found: One, key: str, heading: str) -> dict[str, Any]:
    base = address(found.entity, found.id)
    return {"one": found, "action": f"{base}{key}", "back_url": base, "heading": heading}


@signed_in
@require_http_methods(READ_POST)
def assign(request: HttpRequest, entity: Entity, id: uuid.UUID) -> HttpResponse:
    """Give the record to a user or team."""
    found = _for(request, entity, id, Verb.ASSIGN)
    form = RecordForm(entity, ("owner",), by=request.user, prefix="d")
    if request.method == "POST":
        if "me" in request.POST:
            form.values["owner"] = request.user.pk
        elif form.read(request.POST) and not form.values["owner"]:
            form.add_error("owner", _("Choose a user or team."))
        if not form.errors:
            try:
                outcome = records.assign_records(
                    entity,
                    [id],
                    form.values["owner"],
                    by=request.user,
                    with_children="children" in request.POST,
                )
            except InvalidRecord as error:
                form.add_errors(error.errors)
            else:
                text = _("“%(title)s” has a new owner.") % {"title": found.title}
                return commands.done(request, found, outcome, text)
    context = {
        **_frame(found, "assign", _("Assign %(title)s") % {"title": found.title}),
        "form": form,
        "field": form.field("owner", autofocus=True),
        "children": [
            (len(ids), child.label_plural if len(ids) > 1 else child.label)
            for child, ids in dependants.children(entity, [id]).items()
        ],
        "with_children": "children" in request.POST,
    }
    status = 422 if form.errors else 200
    return shell.render(request, "dialogs/assign.html", context, status=status)


@signed_in
@require_http_methods(READ_POST)
def share(request: HttpRequest, entity: Entity, id: uuid.UUID) -> HttpResponse:
    """Let others read or change the record, or no longer."""
    found = _for(request, entity, id, Verb.SHARE)
    mine = {
        verb: column
        for verb, column in access.SHARED.items()
        if access.allows(request.user, verb, entity, found.row)
    }
    names = ("principal", *mine.values())
    form = RecordForm(registry["share"], names, by=request.user, prefix="d")
    if request.method == "POST":
        if "remove" in request.POST:
            return _unshare(request, found)
        if form.read(request.POST) and not form.values["principal"]:
            form.add_error("principal", _("Choose a user or team."))
        if not form.errors:
            verbs = {verb for verb, column in mine.items() if form.values[column]}
            try:
                shares.share_record(
                    entity, id, form.values["principal"], by=request.user, verbs=verbs
                )
            except InvalidRecord as error:
                form.add_errors(error.errors)
            else:
                link = form.links["principal"]
                text = _("“%(title)s” is shared with %(name)s.")
                messages.success(request, text % {"title": found.title, "name": link.title})
                return shell.moved(request, address(entity, id))
    shared = shares_of(found)
    context = {
        **_frame(found, "share", _("Share %(title)s") % {"title": found.title}),
        "form": form,
        # All of them: a share is read-only for everybody but the action that shares.
        "fields": [form.field(name) for name in names],
        "shares": [(other, panels.avatar(other.name)) for other in shared],
    }
    status = 422 if form.errors else 200
    return shell.render(request, "dialogs/share.html", context, status=status)


def _unshare(request: HttpRequest, found: One) -> HttpResponse:
    try:
        principal = uuid.UUID(request.POST["remove"])
    except ValueError:
        raise records.RecordNotFound("share") from None
    shares.unshare_record(found.entity, found.id, principal, by=request.user)
    messages.success(request, _("“%(title)s” is shared no more.") % {"title": found.title})
    return shell.moved(request, address(found.entity, found.id))


@signed_in
@require_http_methods(READ_POST)
def delete(request: HttpRequest, entity: Entity, id: uuid.UUID) -> HttpResponse:
    """Delete the record, after naming what goes along."""
    found = _for(request, entity, id, Verb.DELETE)
    if not entity.deletable:
        raise Forbidden(f"delete {entity.name}")
    refused = False
    if request.method == "POST":
        try:
            operation = records.delete_records(
                entity, [id], by=request.user, with_all="with_all" in request.POST
            )
        except HasDependants:
            refused = True
        else:
            text = _("“%(title)s” was deleted.") % {"title": found.title}
            shell.say_done(request, text, operation.pk)
            return shell.moved(request, reverse("list", args=[entity]))
    doomed = dependants.doomed(entity, [id])
    along = [
        (len(ids), other.label_plural if len(ids) > 1 else other.label)
        for other, ids in doomed.along.items()
    ]
    context = {
        **_frame(found, "delete", _("Delete %(title)s?") % {"title": found.title}),
        "along": along,
        "must_agree": bool(doomed.refusing),
        "refused": refused,
    }
    status = 422 if refused else 200
    return shell.render(request, "dialogs/delete.html", context, status=status)


urlpatterns = [
    path("<entity:entity>/<uuid:id>/assign", assign, name="assign"),
    path("<entity:entity>/<uuid:id>/share", share, name="share"),
    path("<entity:entity>/<uuid:id>/delete", delete, name="delete"),
]
