"""A form over fields of an entity: reads what was sent, and knows what the person had seen."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from django.http import QueryDict
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from rapport import access
from rapport.access import Actor
from rapport.actions.records import Clash
from rapport.meta.entity import Entity
from rapport.meta.field import Field
from rapport.meta.kinds import (
    TEXTS,
    InvalidValue,
    Kind,
    Reading,
    from_json,
    parse,
    to_json,
)
from rapport.meta.options import Option
from rapport.meta.registry import registry
from rapport.queries import lookup, one
from rapport.queries.pages import Link

from .inputs import INPUTS, REMEDIES, Control, input_text, reading

Values = dict[str, Any]
LOOKUPS = frozenset({Kind.LOOKUP, Kind.OWNER, Kind.POINTER})
# The whole of a form has no field; its errors stand above it.
WHOLE = ""


def expand(entity: Entity, names: Iterable[str]) -> tuple[str, ...]:
    """Names of the fields that people fill in for `names`: addresses by their parts, without what
    is read-only."""
    found: list[str] = []
    for name in names:
        field = entity.fields[name]
        found += field.parts or ([] if field.read_only else [name])
    return tuple(dict.fromkeys(found))


# -- the form --------------------------------------------------------------------------------------


class RecordForm:
    """Some fields of one record, or of a new one (`stored` missing).

    After `read`: `values` what the fields shall be; `changed` those that differ from what the
    person had seen, `expected` what that was; `new` {look-up: name} of records to make along;
    `errors` {field: messages}; `found` {look-up: records that the typed name may mean}. `initial`:
    what stood in the form before anybody typed.
    """

    def __init__(
        self,
        entity: Entity,
        names: Iterable[str],
        *,
        by: Actor,
        stored: Mapping[str, Any] | None = None,
        initial: Mapping[str, Any] | None = None,
        links: Mapping[str, Link] | None = None,
        prefix: str = "f",
        hidden: Iterable[str] = (),
    ):
        self.entity = entity
        self.by = by
        self.fields = {name: entity.fields[name] for name in names}
        self.stored = stored
        self.prefix = prefix
        self.hidden = tuple(hidden)
        given = {**(stored or {}), **(initial or {})}
        self.values: Values = {
            name: given.get(name, field.blank_value) for name, field in self.fields.items()
        }
        self.links = dict(links or {})
        self.initial: Values = dict(self.values)
        # What the person sees: for a new record nothing that could change meanwhile.
        self.seen: Values = {} if stored is None else dict(self.values)
        self.texts: dict[str, str] = {}
        self.changed: Values = {}
        self.expected: Values = {}
        self.new: dict[str, str] = {}
        self.errors: dict[str, list[str]] = {}
        self.found: dict[str, list[lookup.Found]] = {}
        self.clashes: dict[str, Clash] = {}
        self.is_read = False

    # -- reading ------------------------------------------------------------------------------

    def read(self, posted: QueryDict) -> bool:
        """Take in what was sent; whether it has no errors."""
        self.is_read = True
        self._read_seen(posted)
        manner = reading()
        links = self._posted_links(posted)
        for name, field in self.fields.items():
            if field.kind in LOOKUPS:
                if f"{name}_text" not in posted and name not in posted:
                    continue
                value = self._read_link(field, posted, links)
            elif name in posted:
                value = self._read_value(field, _last(posted, name), manner)
            else:
                continue
            if name in self.errors or name in self.new:
                continue
            self._take(field, value, theirs=posted.get(f"keep-{name}") == "theirs")
        return not self.errors

    def _read_seen(self, posted: QueryDict) -> None:
        """What the page carried as the values that the person saw."""
        self.seen = {}
        try:
            was = json.loads(posted.get("was", "{}"))
            for name, value in was.items():
                if name in self.fields:
                    self.seen[name] = from_json(self.fields[name], value)
        except (ValueError, TypeError, AttributeError, LookupError, ArithmeticError):
            self.seen = {}

    def _read_value(self, field: Field, text: str, manner: Reading) -> Any:
        self.texts[field.name] = text
        if field.name in self.seen and text == _typed(field, self.seen[field.name]):
            return self.seen[field.name]
        try:
            return parse(field, text, manner)
        except InvalidValue as error:
            remedy = REMEDIES.get(field.kind, "")
            self.add_error(field.name, f"{error} {remedy}".strip())

    def _take(self, field: Field, value: Any, *, theirs: bool) -> None:
        name = field.name
        if theirs and name in self.seen:
            value = self.seen[name]
            self.texts.pop(name, None)
        self.values[name] = value
        if name not in self.seen or value != self.seen[name]:
            self.changed[name] = value
            if name in self.seen:
                self.expected[name] = self.seen[name]
            if field.required and value in {None, ""}:
                self.add_error(name, _("%(field)s is required.") % {"field": field.label})

    # -- look-ups: a key that a script chose, or a typed name -------------------------------------

    def _posted_links(self, posted: QueryDict) -> dict[str, Link]:
        """Links of the keys that were sent, to tell whether the text still says the same."""
        values: Values = {}
        for name, field in self.fields.items():
            if field.kind in LOOKUPS:
                try:
                    values[name] = parse(field, _key(posted, name))
                except InvalidValue:
                    continue
        return one.name_links(self.entity, values, self.by)

    def _read_link(self, field: Field, posted: QueryDict, links: Mapping[str, Link]) -> Any:
        name, key, link = field.name, _key(posted, field.name), links.get(field.name)
        text = posted.get(f"{name}_text")
        if posted.get(f"{name}_pick") == "new":
            self._make(field, (text or "").strip())
            return None
        chosen = text is None or bool(posted.get(f"{name}_pick"))
        if link is not None and (chosen or text.strip() == link.title.strip()):
            # Without a title it is a record that this person may not see: the action decides.
            self.links[name], self.texts[name] = link, key
            return parse(field, key)
        self.links.pop(name, None)
        self.texts[name] = ""
        if text and text.strip():
            return self._resolve(field, text.strip())
        if key and text is None:
            self.add_error(name, _("This is no record."))
        return None

    def _resolve(self, field: Field, text: str) -> Any:
        """The one record that a typed name means."""
        found = lookup.named(field, text, self.by)
        if len(found) == 1:
            hit = found[0]
            self.links[field.name] = Link(hit.entity, hit.id, hit.title)
            self.texts[field.name] = input_text(field, hit.value(field))
            return hit.value(field)
        self._keep_typed(field, text, found)
        if found:
            message = _("“%(text)s” may be one of several. Choose one.")
            self.add_error(field.name, message % {"text": text})
        else:
            self._refuse_unknown(field, text)
        return None

    def _keep_typed(self, field: Field, text: str, found: list[lookup.Found]) -> None:
        self.links[field.name] = Link("", uuid.UUID(int=0), text)
        self.found[field.name] = found

    def _refuse_unknown(self, field: Field, text: str) -> None:
        if self.creatable(field):
            message = _("There is no “%(text)s”. Tick the box to create it, or write another name.")
        else:
            message = _("There is no “%(text)s”. Write the name of an existing record.")
        self.add_error(field.name, message % {"text": text})

    def _make(self, field: Field, text: str) -> None:
        self._keep_typed(field, text, [])
        if text and self.creatable(field):
            self.new[field.name] = text
        else:
            self._refuse_unknown(field, text)

    def propose(self, name: str, text: str) -> None:
        """Let a blank look-up offer to make the record that `text` names."""
        field = self.fields.get(name)
        if field is not None and not self.values[name] and self.creatable(field):
            self._keep_typed(field, text, [])
            self.new[name] = text

    def creatable(self, field: Field) -> bool:
        """Whether the person may make what the look-up names by its name alone."""
        return target_to_create(field, self.by) is not None

    # -- errors -------------------------------------------------------------------------------

    def add_error(self, name: str, message: str) -> None:
        """Note what is wrong with a field, or with the whole (`name` '')."""
        self.errors.setdefault(name, []).append(message)

    def add_errors(self, errors: Mapping[str, Iterable[str]]) -> None:
        """Take in what an action refused; about fields that are not here it says which."""
        for name, messages in errors.items():
            for message in messages:
                if name in self.fields and name not in self.hidden:
                    self.add_error(name, message)
                else:
                    field = self.entity.fields.get(name)
                    self.add_error(WHOLE, f"{field.label}: {message}" if field else message)

    def clash(self, clashes: Mapping[str, Clash]) -> None:
        """Take in that somebody else changed fields meanwhile: from now on their values are what
        the person has seen."""
        self.clashes = dict(clashes)
        for name, found in clashes.items():
            self.seen[name] = found.stored

    # -- rendering ----------------------------------------------------------------------------

    @property
    def was(self) -> str:
        """The hidden value that brings back what the person had seen."""
        return json.dumps({name: to_json(self.seen[name]) for name in self.seen})

    def text(self, name: str) -> str:
        """What stands in the input."""
        if name in self.texts:
            return self.texts[name]
        return input_text(self.fields[name], self.values[name])

    def field(
        self, name: str, *, label: bool = True, autofocus: bool = False, wide: bool | None = None
    ) -> SafeString:
        """The whole field: label, input, how long it may be, help and errors."""
        field = self.fields[name]
        id_ = f"{self.prefix}-{name}"
        notes, about = self._notes(field, id_)
        control = INPUTS[field.kind](self._control(field, id_, about, autofocus=autofocus))
        mark = ' <em aria-hidden="true">*</em>' if field.required else ""
        words = f'<label class="field-label{"" if label else " sr-only"}" for="{id_}">'
        words += f"{escape(str(field.label))}{mark}</label>"
        kind = ' data-layout="check"' if field.kind is Kind.BOOLEAN else ""
        if field.kind is Kind.LONG_TEXT if wide is None else wide:
            kind += ' data-width="full"'
        return SafeString(f'<div class="field"{kind}>{words}{control}{notes}</div>')

    def _control(self, field: Field, id_: str, about: list[str], *, autofocus: bool) -> Control:
        attrs = " required" if field.required else ""
        attrs += " autofocus" if autofocus else ""
        if field.name in self.errors:
            attrs += ' aria-invalid="true"'
        if about:
            attrs += f' aria-describedby="{" ".join(about)}"'
        urls, create_text, title = ("", ""), "", ""
        if field.kind in LOOKUPS:
            url = reverse("lookup", args=[self.entity.name, field.name])
            urls = (url, url if self.creatable(field) else "")
            create_text = _("Create “{q}”")
            link = self.links.get(field.name)
            title = link.title if link else ""
        return Control(
            field=field,
            id=id_,
            name=field.name,
            text=self.text(field.name),
            attrs=attrs,
            title=title,
            urls=urls,
            create_text=create_text,
            options=self._options(field),
        )

    def _options(self, field: Field) -> tuple[Option, ...]:
        """All options of a choice, and the one that the record has when it is offered no more; of
        a status reason those of the state that the record is in."""
        if field.kind is not Kind.STATE or self.stored is None:
            held = field.option_by_value.get((self.stored or {}).get(field.name))
            return field.options if held in (None, *field.options) else (*field.options, held)
        states, state = self.entity.states, self.stored["state"]
        return tuple(o for o in field.options if states.state_of(o.value) == state)

    def _notes(self, field: Field, id_: str) -> tuple[str, list[str]]:
        """What stands below the input, and the ids by which it is described."""
        notes, about = "", []
        if field.help:
            notes += f'<p class="field-help" id="{id_}-help">{escape(str(field.help))}</p>'
            about.append(f"{id_}-help")
        if field.max_length and field.kind in TEXTS and not field.labels:
            text = _("At most %(limit)s characters") % {"limit": f"{field.max_length:,}"}
            notes += f'<p class="field-help field-limit" id="{id_}-limit">{escape(text)}</p>'
            about.append(f"{id_}-limit")
        if field.name in self.errors:
            text = " ".join(self.errors[field.name])
            notes += f'<p class="errors" id="{id_}-error">{escape(text)}</p>'
            about.append(f"{id_}-error")
        if field.name in self.found:
            notes += self._picks(field, id_)
        return notes, about

    def _picks(self, field: Field, id_: str) -> str:
        """Choices below a look-up whose typed name means several records, or none."""
        options = [(input_text(field, hit.value(field)), hit) for hit in self.found[field.name]]
        made = ""
        for value, hit in options:
            detail = f" <small>{escape(hit.detail)}</small>" if hit.detail else ""
            made += (
                f'<label><input type="radio" name="{field.name}_pick" value="{escape(value)}">'
                f"<span>{escape(hit.title)}{detail}</span></label>"
            )
        if self.creatable(field):
            link = self.links.get(field.name)
            text = _("Create “%(text)s”") % {"text": link.title if link else ""}
            checked = " checked" if field.name in self.new else ""
            kind = "radio" if options else "checkbox"
            made += (
                f'<label><input type="{kind}" name="{field.name}_pick" value="new"{checked}>'
                f"<span>{escape(text)}</span></label>"
            )
        return f'<div class="choices" id="{id_}-pick">{made}</div>' if made else ""

    @property
    def hidden_inputs(self) -> SafeString:
        """What the form carries unseen: the values seen, and those that were given with it."""
        made = ""
        if self.seen or self.stored is not None:
            made += f'<input type="hidden" name="was" value="{escape(self.was)}">'
        for name in self.hidden:
            made += f'<input type="hidden" name="{name}" value="{escape(self.text(name))}">'
        return SafeString(made)

    @property
    def problems(self) -> list[dict[str, str]]:
        """Every error with the field it is about, for the top of the form."""
        made = []
        for name, messages in self.errors.items():
            field = self.fields.get(name)
            id_ = f"{self.prefix}-{name}" if field else ""
            label = str(field.label) if field else ""
            made += [{"id": id_, "label": label, "text": text} for text in messages]
        return made

    def shown(self, names: Iterable[str]) -> list[SafeString]:
        """The fields for `names` (addresses by their parts), ready."""
        return [self.field(n) for n in expand(self.entity, names) if n in self.fields]

    @property
    def sections(self) -> list[tuple[Any, list[SafeString]]]:
        """(title, fields) of the sections that have any."""
        made = [(s.label, self.shown(s.fields)) for s in self.entity.sections]
        return [(label, fields) for label, fields in made if fields]


def target_to_create(field: Field, by: Actor) -> Entity | None:
    """The entity of which a look-up makes records by name, if `by` may; None otherwise."""
    if field.kind is not Kind.LOOKUP or not field.target:
        return None
    target = registry[field.target]
    if not target.quick or not target.creatable or target.ownership != "user":
        return None
    return target if access.may(by, "create", target) else None


def prefill(entity: Entity, given: QueryDict, by: Actor) -> tuple[Values, dict[str, Link]]:
    """Values for a new record out of an address (?account=<id>&last_name=…), and the names of the
    links among them. What cannot be read, or seen, is left out."""
    manner = reading()
    values: Values = {}
    for name in given:
        field = entity.fields.get(name)
        if field is None or field.read_only:
            continue
        try:
            value = parse(field, _last(given, name), manner)
        except InvalidValue:
            continue
        if value not in {None, ""}:
            values[name] = value
    links = one.name_links(entity, values, by)
    for name, link in list(links.items()):
        if not link.title:
            del links[name], values[name]
    return values, links


def _last(posted: QueryDict, name: str) -> str:
    """The last value of `name`, with line ends as we store them."""
    return str(posted.get(name) or "").replace("\r\n", "\n")


def _key(posted: QueryDict, name: str) -> str:
    """The key that a look-up sent: what was picked out of several, else the hidden one."""
    pick = str(posted.get(f"{name}_pick") or "")
    return pick if pick and pick != "new" else str(posted.get(name) or "")


def _typed(field: Field, value: Any) -> str:
    """What a browser sends for `value` when nobody touched its input."""
    return input_text(field, value).replace("\r\n", "\n")
