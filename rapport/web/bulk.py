"""What a list does to the rows that are marked, or to its whole result."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from rapport import access
from rapport.access import Actor
from rapport.actions import bulk, jobs, repairs
from rapport.actions.merge import MOST
from rapport.meta.columns import Label
from rapport.meta.entity import Command, Entity
from rapport.meta.kinds import Kind, Ref, to_json
from rapport.models.people import Verb
from rapport.queries import one, pages
from rapport.queries.query import dumps

from . import shell, similar
from .cells import cell, cell_context
from .commandbar import Item
from .duplicates import merge_url
from .forms import WHOLE, RecordForm
from .liststate import Listing, listing
from .signin import signed_in

# What one request does; more is the work of a job.
AT_ONCE = 5000
# Refusals that are kept for the page that lists them.
REASONS_KEPT = 200
_KEPT = "bulk"


@dataclass(kw_only=True)
class Selection:
    """The records that a command is for. `ids`: those that were marked and that the person may
    see; `whole`: instead of them the result of the list."""

    seen: Listing
    by: Actor
    ids: list[uuid.UUID]
    whole: bool

    @property
    def entity(self) -> Entity:
        """What they are."""
        return self.seen.entity

    @cached_property
    def count(self) -> int:
        """How many there are."""
        return pages.count(self.seen.query, self.by, limit=None) if self.whole else len(self.ids)

    @property
    def is_large(self) -> bool:
        """Whether they are too many for one request."""
        return self.count > AT_ONCE

    def all_ids(self) -> list[uuid.UUID]:
        """All of them, once more out of the database."""
        return pages.ids(self.seen.query, self.by) if self.whole else self.ids

    def counted(self, count: int | None = None) -> str:
        """'12 contacts'."""
        number = self.count if count is None else count
        return counted(self.entity, number)

    def allowed(self, verb: str) -> int | None:
        """To how many of them the person may do `verb`; None where nobody counts."""
        if self.is_large:
            return None
        return len(access.allowed_ids(self.all_ids(), self.entity, self.by, verb))


def counted(entity: Entity, number: int) -> str:
    """'1 contact', '12 contacts'."""
    label = entity.label if number == 1 else entity.label_plural
    return f"{cell_context().number(number)} {str(label).lower()}"


def selection(request: HttpRequest, entity: Entity) -> Selection:
    """What the grid's form sent."""
    seen = listing(entity, QueryDict(request.POST.get("state", "")), request.user)
    sent = []
    for text in request.POST.getlist("ids")[: AT_ONCE + 1]:
        try:
            sent.append(uuid.UUID(text))
        except ValueError:
            continue
    whole = request.POST.get("all") == "1"
    visible = set() if whole else access.allowed_ids(sent, entity, request.user, Verb.READ)
    ids = [id_ for id_ in dict.fromkeys(sent) if id_ in visible]
    return Selection(seen=seen, by=request.user, ids=ids, whole=whole)


def refusal(request: HttpRequest, chosen: Selection) -> HttpResponse | None:
    """Back to the list when there is nothing to work on, or when it is not what was seen."""
    text = ""
    if chosen.whole and chosen.seen.problems:
        # A filter that is gone would make the result larger than the one that was shown.
        text = _("The list is not the one that you saw any more: nothing was changed.")
    elif not chosen.count:
        text = _("Select some rows first.")
    if not text:
        return None
    messages.warning(request, text)
    return shell.moved(request, back_url(chosen))


def back_url(chosen: Selection) -> str:
    return chosen.seen.url + (f"?{chosen.seen.state}" if chosen.seen.state else "")


def bulk_commands(entity: Entity, by: Actor) -> list[Item]:
    """Commands that show while rows are marked."""

    def item(key: str, label: Label, icon: str, hotkey: str = "", when: str = "some") -> Item:
        url = reverse("bulk", args=[entity, key])
        return Item(label=label, url=url, icon=icon, key=hotkey, when=when, dialog=True)

    made = []
    if access.may(by, Verb.WRITE, entity) and editable(entity):
        made.append(item("edit", _("Edit"), "pencil", hotkey="e"))
    if entity.ownership == "user" and access.may(by, Verb.ASSIGN, entity):
        made.append(item("assign", _("Assign"), "user-round-check", hotkey="a"))
    if repairs.mendable(entity, by):
        made.append(item("repair", _("Tidy up"), "sparkles"))
    if entity.mergeable and access.may(by, Verb.MERGE, entity):
        made.append(item("merge", _("Merge"), "merge", when="many"))
    if similar.is_compared(entity):
        made.append(item("duplicates", _("Detect duplicates"), "copy"))
    made += [
        item(command.key, command.label, command.icon)
        for command in entity.commands
        if command.bulk and access.may(by, command.verb, entity)
    ]
    if entity.deletable and access.may(by, Verb.DELETE, entity):
        made.append(item("delete", _("Delete"), "trash-2"))
    return made


def editable(entity: Entity) -> tuple[str, ...]:
    """Fields that many records can share the value of; the owner has a command of its own."""
    fields = (entity.fields[name] for name in entity.form_fields)
    return tuple(f.name for f in fields if not f.unique and f.kind is not Kind.OWNER)


@signed_in
@require_POST
def bulk_dialog(request: HttpRequest, entity: Entity, key: str) -> HttpResponse:
    """A command for the records that the grid's form names: first its dialog, then, sent from
    there, the deed."""
    verb, step = _STEPS.get(key, (None, None))
    if step is None or verb is None:
        try:
            command = bulk.command_of(entity, key)
        except bulk.UnknownCommand:
            raise Http404 from None
        verb = Verb(command.verb)
    access.require(request.user, verb, entity)
    chosen = selection(request, entity)
    if answer := refusal(request, chosen):
        return answer
    return step(request, chosen) if step else _command(request, chosen, command)


def dialog(
    request: HttpRequest, chosen: Selection, template: str, *, status: int = 200, **context: Any
) -> HttpResponse:
    carried = [("state", chosen.seen.state), ("all", "1" if chosen.whole else "")]
    carried += [("ids", str(id_)) for id_ in chosen.ids]
    shown = {
        "entity": chosen.entity,
        "carried": carried + context.pop("carry", []),
        "counted": chosen.counted(),
        "action": request.path,
        "back_url": back_url(chosen),
        "in_background": chosen.is_large,
    }
    return shell.render(request, template, shown | context, status=status)


# -- edit ------------------------------------------------------------------------------------------


def _edit(request: HttpRequest, chosen: Selection) -> HttpResponse:
    """Choose fields, fill them in, see what it will do, do it."""
    entity, posted = chosen.entity, request.POST
    known = editable(entity)
    names = [n for n in (*posted.getlist("fields"), posted.get("add", "")) if n in known]
    names = [n for n in dict.fromkeys(names) if n != posted.get("remove")]
    form = RecordForm(entity, names, by=request.user, prefix="bulk")
    form.read(posted)
    goes_on = bool(names) and ("next" in posted or "confirm" in posted)
    if goes_on:
        for name, text in form.new.items():
            form.add_error(name, _("There is no “%(text)s”.") % {"text": text})
    else:
        form.errors.clear()
    if goes_on and not form.errors:
        if "confirm" in posted:
            values = {name: to_json(form.values[name]) for name in names}
            return do(request, chosen, "update", values, _("%(records)s changed"))
        return _preview(request, chosen, form, names)
    rest = [(n, str(entity.fields[n].label)) for n in known if n not in names]
    return dialog(
        request,
        chosen,
        "lists/edit.html",
        fields=[(name, entity.fields[name].label, form.field(name)) for name in names],
        rest=sorted(rest, key=lambda pair: pair[1].casefold()),
        errors=form.errors.get(WHOLE, []),
        status=422 if goes_on else 200,
    )


def _preview(
    request: HttpRequest, chosen: Selection, form: RecordForm, names: list[str]
) -> HttpResponse:
    context = cell_context()
    fields = [form.entity.fields[name] for name in names]
    shown = [
        (f.label, cell(f, form.links.get(f.name) or form.values[f.name], context)) for f in fields
    ]
    keys = [key for n in names for key in (n, f"{n}_text", f"{n}_pick")]
    carry = [(key, text) for key in keys for text in request.POST.getlist(key)]
    return dialog(
        request,
        chosen,
        "lists/edit_confirm.html",
        shown=shown,
        names=names,
        carry=[*carry, *(("fields", name) for name in names)],
        not_allowed=not_allowed(chosen, Verb.WRITE),
    )


def not_allowed(chosen: Selection, verb: Verb) -> str:
    """How many stay as they are because they are not the person's to change."""
    allowed = chosen.allowed(verb)
    if allowed is None or allowed == chosen.count:
        return ""
    return chosen.counted(chosen.count - allowed)


# -- assign, delete, own commands ------------------------------------------------------------------


def _assign(request: HttpRequest, chosen: Selection) -> HttpResponse:
    form = RecordForm(chosen.entity, ["owner"], by=request.user, prefix="assign")
    along = request.POST.get("with_children") == "1"
    if "confirm" in request.POST:
        if form.read(request.POST) and not form.values["owner"]:
            form.add_error("owner", _("Choose who shall own them."))
        if not form.errors:
            values = {"owner": str(form.values["owner"]), "with_children": along}
            return do(request, chosen, "assign", values, _("%(records)s assigned"))
    return dialog(
        request,
        chosen,
        "lists/assign.html",
        field=form.field("owner", autofocus=True),
        has_children=bulk.has_children(chosen.entity),
        with_children=along,
        not_allowed=not_allowed(chosen, Verb.ASSIGN),
        status=422 if form.errors else 200,
    )


def _delete(request: HttpRequest, chosen: Selection) -> HttpResponse:
    if not chosen.entity.deletable:
        raise Http404
    if "confirm" in request.POST:
        form = {"with_all": request.POST.get("with_all") == "1"}
        return do(request, chosen, "delete", form, _("%(records)s deleted"))
    found = None
    if not chosen.is_large:
        found = bulk.preview_deletion(chosen.entity, chosen.all_ids(), by=request.user)
    return dialog(
        request,
        chosen,
        "lists/delete.html",
        along=[counted(e, n) for e, n in found.along.items()] if found else [],
        refusing=[counted(e, n) for e, n in found.refusing.items()] if found else [],
        asks_for_all=found is None or bool(found.refusing),
        not_allowed=not_allowed(chosen, Verb.DELETE),
    )


def _merge(request: HttpRequest, chosen: Selection) -> HttpResponse:
    """Off to the page that shows them side by side."""
    if not chosen.entity.mergeable:
        raise Http404
    if not 1 < chosen.count <= MOST:
        text = _("Select between two and %(most)s rows to merge them.") % {"most": MOST}
        messages.warning(request, text)
        return shell.moved(request, back_url(chosen))
    return shell.moved(request, merge_url(chosen.entity.name, chosen.all_ids(), back_url(chosen)))


def _command(request: HttpRequest, chosen: Selection, command: Command) -> HttpResponse:
    values = {value for value, _label in command.choices}
    choice = request.POST.get("choice", "")
    chose = not values or (choice.lstrip("-").isdecimal() and int(choice) in values)
    if "confirm" in request.POST and chose:
        form = {"choice": int(choice)} if values else {}
        text = f"{command.label}: %(records)s"
        return do(request, chosen, command.key, form, text)
    return dialog(
        request,
        chosen,
        "lists/command.html",
        command=command,
        not_allowed=not_allowed(chosen, Verb(command.verb)),
        status=422 if "confirm" in request.POST else 200,
    )


def _detect(request: HttpRequest, chosen: Selection) -> HttpResponse:
    """Which of the records look like others. The whole of a long list is work for the search."""
    if chosen.whole and chosen.count > similar.CHECKED:
        messages.info(request, _("The search looks at all records. What it found stands here."))
        return shell.moved(request, similar.queue_url(chosen.entity))
    return dialog(
        request,
        chosen,
        "similar/detect.html",
        groups=similar.groups(chosen.entity, chosen.all_ids(), request.user),
        checked=similar.CHECKED if chosen.count > similar.CHECKED else 0,
        queue_url=similar.queue_url(chosen.entity),
    )


_STEPS = {
    "duplicates": (Verb.READ, _detect),
    "edit": (Verb.WRITE, _edit),
    "assign": (Verb.ASSIGN, _assign),
    "delete": (Verb.DELETE, _delete),
    "merge": (Verb.MERGE, _merge),
}


# -- the deed, and what came of it -----------------------------------------------------------------


def do(
    request: HttpRequest,
    chosen: Selection,
    command: str,
    form: Mapping[str, Any],
    sentence: str,
) -> HttpResponse:
    """Run it, or hand it to a job; then back to the list, or to what was refused."""
    entity = chosen.entity
    if chosen.is_large:
        label = sentence % {"records": chosen.counted()}
        what = {"entity": entity.name, "command": command, "form": dict(form)}
        what["query"] = dumps(chosen.seen.query)
        jobs.enqueue("bulk", what, by=request.user, label=label, total=chosen.count)
        messages.info(
            request,
            _("%(records)s are worked on in the background: see System jobs.")
            % {"records": chosen.counted()},
        )
        return shell.moved(request, back_url(chosen))
    result = bulk.run(entity, command, chosen.all_ids(), form, by=request.user)
    operation = result.operation.pk if result.operation else None
    text = sentence % {"records": chosen.counted(result.done)}
    if not result.refused:
        shell.say_done(request, text + ".", operation)
        return shell.moved(request, back_url(chosen))
    request.session[_KEPT] = {
        "entity": entity.name,
        "text": text,
        "undo_url": reverse("undo", args=[operation]) if operation else "",
        "back_url": back_url(chosen),
        "refused": [[str(i), why] for i, why in [*result.refused.items()][:REASONS_KEPT]],
        "count": len(result.refused),
    }
    return shell.moved(request, reverse("bulk-refused", args=[entity]))


@signed_in
@require_safe
def refused(request: HttpRequest, entity: Entity) -> HttpResponse:
    """What the last command did, and which records refused it and why."""
    kept = request.session.get(_KEPT)
    if not kept or kept["entity"] != entity.name:
        raise Http404
    refs = [(Ref(entity.name, uuid.UUID(id_)), why) for id_, why in kept["refused"]]
    titles = one.title_of([ref for ref, _why in refs], request.user)
    context = cell_context()
    return shell.render(
        request,
        "lists/refused.html",
        {
            **kept,
            "entity": entity,
            "rows": [
                (titles[ref], context.address(entity.name, ref.id), why)
                for ref, why in refs
                if ref in titles
            ],
            "counted": counted(entity, kept["count"]),
        },
    )


urlpatterns = [
    path("<entity:entity>/bulk/refused", refused, name="bulk-refused"),
    path("<entity:entity>/bulk/<slug:key>", bulk_dialog, name="bulk"),
]
