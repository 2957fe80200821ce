"""The parts of a record's page: its values, what happened, and what hangs on it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from html import escape
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from rapport import access
from rapport.actions.records import RecordNotFound
from rapport.meta.entity import Entity, Related
from rapport.meta.field import Field
from rapport.meta.kinds import Kind, Ref
from rapport.meta.registry import registry
from rapport.models.people import Verb
from rapport.queries import one, pages
from rapport.queries.one import One
from rapport.queries.pages import Link

from . import shell
from .cells import CellContext, cell, day_text, local_text
from .inputs import input_text

# A related list shows a few of its records and counts up to so many. Lists beyond the first ones
# are fetched when they come into sight.
FEW, COUNTED, EAGER = 5, 20, 3


def address(entity: Entity, id_: Any, *parts: str) -> str:
    """Address of a record's page, or of what lies below it."""
    return f"{reverse('list', args=[entity])}{id_}/{'/'.join(parts)}"


def find(request: HttpRequest, entity: Entity, id: uuid.UUID, *, system: bool = False) -> One:
    """The record, when the viewer may see it; `system` as in `one.get`. Raises RecordNotFound."""
    found = one.get(entity, id, request.user, system=system)
    if found is None:
        raise RecordNotFound(entity.name)
    return found


# -- values ----------------------------------------------------------------------------------------


@dataclass(slots=True)
class Facts:
    """The values of a record as its page shows them. `editable`: whether the viewer may change
    them now."""

    one: One
    cells: CellContext
    editable: bool

    def section(self, names: Iterable[str]) -> SafeString:
        """The <dl> of a section."""
        return SafeString(f'<dl class="facts">{"".join(self.fact(name) for name in names)}</dl>')

    def fact(self, name: str) -> str:
        """Label and value of one field."""
        field = self.one.entity.fields[name]
        mark = ' <em aria-hidden="true">*</em>' if field.required else ""
        wide = " data-wide" if field.kind is Kind.LONG_TEXT else ""
        label = f'<dt class="fact-label">{escape(str(field.label))}{mark}</dt>'
        value = self.value(field)
        if self.can_edit(field):
            value = f'<dd><crm-field class="fact-value">{value}</crm-field></dd>'
        else:
            value = f'<dd class="fact-value">{value}</dd>'
        return f'<div class="fact"{wide}>{label}{value}</div>'

    def value(self, field: Field) -> SafeString:
        """The value, with the link that edits it in place."""
        edit = self._edit(field) if self.can_edit(field) else ""
        return SafeString(f"{self.shown(field)}{edit}")

    def shown(self, field: Field) -> SafeString:
        """The value alone."""
        found: Any = self.one.links.get(field.name) or self.one.values[field.name]
        text = cell(field, found, self.cells)
        if isinstance(found, Link) and found.title:
            return SafeString(f"{link_mark(field, found)}{text}")
        if field.kind is Kind.MONEY and text:
            return SafeString(f"{text} {escape(self.one.values.get('currency') or '')}".rstrip())
        return text

    def can_edit(self, field: Field) -> bool:
        """Whether this value has a pencil: not what Rapport itself writes."""
        if not self.editable:
            return False
        if field.name == "status":
            return len(statuses(self.one)) > 1
        return bool(field.parts) or not field.read_only

    def _edit(self, field: Field) -> str:
        base = address(self.one.entity, self.one.id)
        label = escape(_("Edit %(field)s") % {"field": field.label})
        first = field.parts[0] if field.parts else field.name
        return (
            f'<a class="fact-edit" href="{base}edit#f-{first}"'
            f' hx-get="{base}field/{field.name}" hx-target="closest crm-field"'
            f' aria-label="{label}">{shell.icon("pencil")}</a>'
        )


def facts_of(found: One, request: HttpRequest, cells: CellContext) -> Facts:
    """The values of a record for the viewer, with pencils where they may change them."""
    is_open = found.values["state"] in found.entity.states.editable
    return Facts(found, cells, is_open and one.may(found, Verb.WRITE, request.user))


def closed(found: One) -> str:
    """Why nothing can be changed; '' while it can."""
    states, state = found.entity.states, found.values["state"]
    if state in states.editable:
        return ""
    label = states.states[state]
    return _("This record is closed (%(state)s), so it cannot be changed.") % {"state": label}


def statuses(found: One) -> list[int]:
    """Status reasons that the record can have in the state it is in."""
    states = found.entity.states
    return [s.value for s in states.statuses if s.state == found.values["state"]]


def link_mark(field: Field, link: Link) -> SafeString:
    """What stands before the name of a linked record: initials of an owner, else an icon."""
    if field.kind is Kind.OWNER:
        return avatar(link.title, size="small")
    return shell.icon(registry[link.entity].icon)


def avatar(title: str, *, icon: str = "", size: str = "") -> SafeString:
    """Initials of a person, or a tile with the icon of a record."""
    shape = ' data-shape="square"' if icon else ""
    large = f' data-size="{size}"' if size else ""
    inside = shell.icon(icon) if icon else escape(shell.initials(title))
    return SafeString(
        f'<span class="avatar hue-{shell.hue(title)}"{shape}{large}'
        f' aria-hidden="true">{inside}</span>'
    )


def face(entity: Entity, title: str, size: str = "") -> SafeString:
    """The avatar of a record: people have initials, things an icon."""
    person = entity.title_fields != (entity.title,) or entity.principal
    return avatar(title, icon="" if person else entity.icon, size=size)


def key_facts(found: One, facts: Facts) -> list[tuple[Any, SafeString]]:
    """(label, value) of the header."""
    made = []
    for name in found.entity.facts:
        field = found.entity.fields[name]
        made.append((field.label, facts.shown(field) or SafeString("—")))
    return made


# -- what hangs on it ------------------------------------------------------------------------------


def related_panels(
    found: One, by: Any, cells: CellContext, *, only: int | None = None
) -> list[dict[str, Any]]:
    """The related lists that the viewer may read, a few records of each. Those behind the first
    EAGER are fetched when they come into sight, or by their number (`only`)."""
    made = []
    for number, related in enumerate(found.entity.related):
        other = registry[related.entity]
        if not access.may(by, Verb.READ, other) or (only is not None and only != number):
            continue
        if only is None and len(made) >= EAGER:
            made.append(_later(found, related, other, number))
        else:
            made.append(_related(found, related, other, by, cells))
    return made


def _later(found: One, related: Related, other: Entity, number: int) -> dict[str, Any]:
    return {
        "label": related.label,
        "later_url": address(found.entity, found.id, "related", str(number)),
        "all_url": _all_url(found, related, other),
    }


def _related(
    found: One, related: Related, other: Entity, by: Any, cells: CellContext
) -> dict[str, Any]:
    page = pages.page(one.related_query(found, related, size=COUNTED), by)
    rows = [mini_row(other, related.columns, row, cells) for row in page.rows[:FEW]]
    count = f"{len(page.rows)}+" if page.next else str(len(page.rows))
    new_url = ""
    if other.in_hub and other.quick and other.creatable and access.may(by, Verb.CREATE, other):
        new_url = f"{reverse('quick-create', args=[other])}?{urlencode(_prefill(found, related))}"
    return {
        "label": related.label,
        "rows": rows,
        "count": count,
        "new_url": new_url,
        "new_label": _("New %(entity)s") % {"entity": other.label},
        "all_url": _all_url(found, related, other) if len(page.rows) > FEW else "",
    }


def _prefill(found: One, related: Related) -> dict[str, str]:
    """Values that a new record of a related list begins with."""
    link = registry[related.entity].fields[related.field]
    pairs = {related.field: _own_value(found, link)}
    for name, operator, value in related.where:
        if operator == "eq":
            pairs[name] = input_text(registry[related.entity].fields[name], value)
    for theirs, ours in related.prefill.items():
        field, value = found.entity.fields[ours], found.values.get(ours)
        pairs[theirs] = input_text(field, value)
    return {name: text for name, text in pairs.items() if text}


def _own_value(found: One, link: Field) -> str:
    """This record as the value of a field that leads to it."""
    value = Ref(found.entity.name, found.id) if link.kind is Kind.POINTER else found.id
    return input_text(link, value)


def _all_url(found: One, related: Related, other: Entity) -> str:
    """The list of all of them."""
    if not other.in_hub:
        return ""
    link = other.fields[related.field]
    filters = [f"{related.field}~eq~{_own_value(found, link)}"]
    filters += [f"{name}~{operator}~{value}" for name, operator, value in related.where]
    pairs = [("view", "all")] if any(view.key == "all" for view in other.views) else []
    pairs += [("f", text) for text in filters]
    return f"{reverse('list', args=[other])}?{urlencode(pairs)}"


def mini_row(
    entity: Entity, columns: tuple[str, ...], row: pages.Row, cells: CellContext
) -> dict[str, Any]:
    """A record as one line of a short list: name, a second line, an amount at the end."""
    named = row.values.get(entity.title)
    title = (named.title if isinstance(named, Link) else str(named or "")) or str(entity.label)
    details, end, url = [], "", cells.address(entity.name, row.id)
    for name in columns:
        value = row.values.get(name)
        if name == entity.title or value in {None, ""}:
            continue
        field = entity.fields[name]
        if isinstance(value, Link) and not url:
            # A row without a page of its own, such as a party, leads to whom it names.
            url, title = cells.address(value.entity, value.id), value.title or title
        elif field.kind is Kind.MONEY:
            end = str(cell(field, value, cells))
        else:
            details.append(PLAIN[field.kind](field, value, cells))
    return {
        "title": title,
        "url": url,
        "face": face(entity, title),
        "detail": " · ".join(text for text in details if text),
        "end": SafeString(end),
    }


def _label(field: Field, value: Any, _cells: CellContext) -> str:
    option = field.option_by_value.get(value)
    return str(option.label if option else value)


def _words(field: Field, value: Any, _cells: CellContext) -> str:
    return " ".join(str(field.labels.get(value, value) if field.labels else value).split())[:200]


def _named(_field: Field, value: Any, _cells: CellContext) -> str:
    return value.title if isinstance(value, Link) and value.title else _("Not visible to you")


# A value as plain text, for lines that are a link as a whole.
PLAIN: dict[Kind, Callable[[Field, Any, CellContext], str]] = {
    Kind.TEXT: _words,
    Kind.LONG_TEXT: _words,
    Kind.EMAIL: _words,
    Kind.PHONE: _words,
    Kind.URL: _words,
    Kind.CHOICE: _label,
    Kind.STATE: _label,
    Kind.NUMBER: _words,
    Kind.MONEY: _words,
    Kind.DATE: lambda _field, value, cells: day_text(value, cells.language),
    Kind.DATETIME: lambda _field, value, cells: local_text(value, cells),
    Kind.BOOLEAN: lambda field, value, _cells: str(field.label) if value else "",
    Kind.LOOKUP: _named,
    Kind.OWNER: _named,
    Kind.POINTER: _named,
    Kind.ADDRESS: _words,
}


def cards(found: One, by: Any, cells: CellContext) -> list[dict[str, Any]]:
    """The records that this one names first of all: the company of a contact."""
    made = []
    for name in found.entity.cards:
        link = found.links.get(name)
        if link is None or not link.title:
            continue
        target = registry[link.entity]
        details = [
            PLAIN[target.fields[name].kind](target.fields[name], value, cells)
            for name, value in one.glance(target, link.id, by).items()
        ]
        made.append(
            {
                "label": found.entity.fields[name].label,
                "title": link.title,
                "url": address(target, link.id),
                "face": face(target, link.title),
                "detail": " · ".join(details),
            }
        )
    return made
