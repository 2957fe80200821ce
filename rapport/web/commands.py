"""What can be done to a record: its command bar, and the commands that its entity declares."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from rapport import access
from rapport.access import Forbidden
from rapport.actions import records
from rapport.actions.records import InvalidRecord, Outcome
from rapport.actions.states import StateRefused
from rapport.meta.entity import Command, Entity
from rapport.models.people import Verb
from rapport.queries import one
from rapport.queries.one import One

from . import qualify, shell, similar
from .commandbar import LINE, Item
from .forms import RecordForm
from .panels import address, closed, find, statuses
from .signin import local, signed_in

# -- the bar ---------------------------------------------------------------------------------------


@dataclass(slots=True)
class Bar:
    """The commands of a page; the main ones stand at the end."""

    start: list[Item] = field(default_factory=list)
    end: list[Item] = field(default_factory=list)


def record_bar(found: One, by: Any) -> Bar:
    """What `by` may do to a record now."""
    entity, base = found.entity, address(found.entity, found.id)
    bar = Bar([_back(entity), LINE])
    writes = one.may(found, Verb.WRITE, by)
    if writes and not closed(found):
        bar.start.append(
            Item(label=_("Edit"), icon="square-pen", url=f"{base}edit", key="e", keep=True)
        )
    if entity.creatable and entity.quick and access.may(by, Verb.CREATE, entity):
        url = reverse("quick-create", args=[entity])
        bar.start.append(Item(label=_("New"), icon="plus", url=url, key="n", dialog=True))
    bar.start.append(LINE)
    for command in entity.commands:
        if command.when(found.row) and (writes or one.may(found, command.verb, by)):
            where = bar.end if command.primary else bar.start
            where.append(_item(command, f"{base}do/{command.key}"))
    if writes and not closed(found) and len(statuses(found)) > 1:
        bar.start.append(_status(found, base))
    bar.start += _general(found, base, by)
    return bar


def _back(entity: Entity) -> Item:
    label = _("Back to %(list)s") % {"list": entity.label_plural}
    url = reverse("list", args=[entity])
    return Item(label=label, icon="arrow-left", url=url, icon_only=True, flip=True)


def _item(command: Command, url: str) -> Item:
    made = Item(
        label=command.label,
        icon=command.icon,
        url=url,
        tone="primary" if command.primary else "",
    )
    if command.choices:
        made.id = f"command-{command.key}"
        made.menu = [
            Item(label=label, url=f"{url}?choice={value}", post=True)
            for value, label in command.choices
        ]
    elif command.form:
        made.dialog = True
    else:
        made.post = True
    return made


def _status(found: One, base: str) -> Item:
    """The status reasons that fit the state; each is set at once."""
    field_ = found.entity.fields["status"]
    options = [field_.option_by_value[value] for value in statuses(found)]
    return Item(
        label=field_.label,
        icon="flag",
        id="command-status",
        menu=[
            Item(
                label=option.label,
                url=f"{base}status?choice={option.value}",
                post=True,
                current=option.value == found.values["status"],
            )
            for option in options
        ],
    )


def _general(found: One, base: str, by: Any) -> list[Item]:
    """What can be done to records of any entity."""
    made = []
    if found.entity.ownership == "user":
        if one.may(found, Verb.ASSIGN, by):
            made.append(("assign", _("Assign"), "user-round-check"))
        if one.may(found, Verb.SHARE, by):
            made.append(("share", _("Share"), "share-2"))
    if found.entity.mergeable and one.may(found, Verb.MERGE, by):
        made.append(("merge", _("Merge with …"), "merge"))
    if similar.is_compared(found.entity):
        made.append(("duplicates", _("Check for duplicates"), "copy"))
    if found.entity.deletable and one.may(found, Verb.DELETE, by):
        made.append(("delete", _("Delete"), "trash-2"))
    return [
        Item(label=label, icon=icon, url=f"{base}{key}", dialog=True) for key, label, icon in made
    ]


@signed_in
@require_POST
def status(request: HttpRequest, entity: Entity, id: uuid.UUID) -> HttpResponse:
    """Set the status reason, within the state that the record is in."""
    found = find(request, entity, id)
    if not one.may(found, Verb.WRITE, request.user):
        raise Forbidden(f"write {entity.name}")
    chosen = request.GET.get("choice", "")
    try:
        values = {"status": int(chosen) if chosen.isdecimal() else None}
        operation = records.update_record(entity, id, values, by=request.user)
    except InvalidRecord as error:
        text = error.complaints
        messages.error(request, text)
    else:
        text = _("“%(title)s” has a new status reason.") % {"title": found.title}
        shell.say_done(request, text, operation.pk if operation.counts else None)
    return shell.moved(request, address(entity, id))


# -- declared commands -----------------------------------------------------------------------------


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def command(request: HttpRequest, entity: Entity, id: uuid.UUID, key: str) -> HttpResponse:
    """A command of the entity: GET asks (in the dialog), POST does it."""
    found = find(request, entity, id)
    known = next((one_ for one_ in entity.commands if one_.key == key), None)
    if known is None:
        raise Http404
    if not one.may(found, known.verb, request.user):
        raise Forbidden(f"{known.verb} {entity.name}")
    if not known.when(found.row):
        text = _("“%(command)s” does not fit any more: the record has changed meanwhile.")
        messages.error(request, text % {"command": known.label})
        return shell.moved(request, address(entity, id))
    return DIALOGS[known.form](request, found, known)


def done(request: HttpRequest, found: One, outcome: Outcome, text: str) -> HttpResponse:
    """Back to the record, saying what became of it."""
    if found.id in outcome.done:
        operation = outcome.operation
        shell.say_done(request, text, operation.pk if operation.counts else None)
    else:
        messages.error(request, outcome.refused.get(found.id) or _("Nothing was changed."))
    return shell.moved(request, _after(request, found))


def _after(request: HttpRequest, found: One) -> str:
    """Where to go then: to the record while it is in sight."""
    after = local(request.POST.get("next", ""))
    if after:
        return after
    if one.get(found.entity, found.id, request.user) is None:
        return reverse("list", args=[found.entity])
    return address(found.entity, found.id)


def _plain(request: HttpRequest, found: One, known: Command) -> HttpResponse:
    """A command that asks nothing, or one out of a few choices."""
    chosen = request.POST.get("choice") or request.GET.get("choice") or ""
    values = {str(value): value for value, _label in known.choices}
    if request.method == "POST" and (not values or chosen in values):
        form = {"choice": values[chosen]} if values else {}
        try:
            outcome = known.run([found.id], by=request.user, **form)
        except StateRefused as error:
            messages.error(request, str(error))
            return shell.moved(request, _after(request, found))
        text = _("%(command)s: “%(title)s”.") % {"command": known.label, "title": found.title}
        return done(request, found, outcome, text)
    context = {
        **_question(found, known),
        "choices": [(value, label, str(value) == chosen) for value, label in known.choices],
    }
    status = 422 if request.method == "POST" else 200
    return shell.render(request, "dialogs/command.html", context, status=status)


def _win(request: HttpRequest, found: One, known: Command) -> HttpResponse:
    """What a deal brought, and when."""
    initial = {
        "actual_revenue": found.values["estimated_revenue"],
        "actual_close_date": timezone.localdate(),
    }
    form = RecordForm(found.entity, initial, by=request.user, initial=initial, prefix="d")
    if request.method == "POST" and form.read(request.POST):
        try:
            outcome = known.run([found.id], by=request.user, **form.changed)
        except (InvalidRecord, StateRefused) as error:
            form.add_errors(getattr(error, "errors", {"": [str(error)]}))
        else:
            text = _("“%(title)s” was closed as won.") % {"title": found.title}
            return done(request, found, outcome, text)
    context = {**_question(found, known), "form": form, "fields": form.shown(initial)}
    status = 422 if form.is_read else 200
    return shell.render(request, "dialogs/command.html", context, status=status)


def _access(request: HttpRequest, found: One, _known: Command) -> HttpResponse:
    """Roles, teams and sign-in of a user have a page of their own."""
    return shell.moved(request, reverse("person", args=[found.id]))


def _question(found: One, known: Command) -> dict[str, Any]:
    base = address(found.entity, found.id)
    return {
        "one": found,
        "heading": f"{known.label}: {found.title}",
        "submit": known.label,
        "action": f"{base}do/{known.key}",
        "back_url": base,
    }


# By `Command.form`; those of the empty name ask nothing more than the choice.
DIALOGS: dict[str, Callable[[HttpRequest, One, Command], HttpResponse]] = {
    "": _plain,
    "win": _win,
    "qualify": qualify.dialog,
    "access": _access,
}

urlpatterns = [
    path("<entity:entity>/<uuid:id>/do/<slug:key>", command, name="command"),
    path("<entity:entity>/<uuid:id>/status", status, name="status"),
]
