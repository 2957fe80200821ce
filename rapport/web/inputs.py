"""How the value of a field is typed: one table kind -> input, and the text that inputs hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from html import escape
from typing import Any

from django.utils import timezone
from django.utils.formats import get_format
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext as _, gettext_lazy

from rapport.meta.field import Field
from rapport.meta.kinds import Kind, Reading, to_text
from rapport.meta.options import Option

# What to do about a value that cannot be read, where the error itself does not say it.
REMEDIES: dict[Kind, Any] = {
    Kind.EMAIL: gettext_lazy("Write it like name@example.com."),
    Kind.URL: gettext_lazy("Write it like www.example.com."),
    Kind.NUMBER: gettext_lazy("Write digits only, such as 250."),
    Kind.MONEY: gettext_lazy("Write it like 1250.00, without a currency."),
    Kind.DATETIME: gettext_lazy("Write it like 2026-01-31 14:30."),
    Kind.CHOICE: gettext_lazy("Choose one of the list."),
}


def reading() -> Reading:
    """How the present viewer writes dates and numbers."""
    language = get_language() or "en"
    order = str(get_format("SHORT_DATE_FORMAT", language, use_l10n=True))
    letters = [letter.lower() for letter in order if letter in "dDjmnMyYN"]
    order = "".join({"j": "d", "n": "m"}.get(letter, letter) for letter in letters)
    return Reading(
        date_order=order if order in {"dmy", "mdy"} else "ymd",
        decimal_mark=str(get_format("DECIMAL_SEPARATOR", language, use_l10n=True)),
        time_zone=str(timezone.get_current_timezone()),
    )


def input_text(field: Field, value: Any) -> str:
    """`value` as its input holds it; sent back unchanged it means the same value."""
    if value is None or value == "":
        return ""
    match field.kind:
        case Kind.CHOICE | Kind.STATE | Kind.NUMBER:
            return str(int(value))
        case Kind.MONEY:
            mark = str(get_format("DECIMAL_SEPARATOR", get_language(), use_l10n=True))
            return to_text(field, value).replace(".", mark)
        case Kind.DATETIME:
            return str(timezone.localtime(value).strftime("%Y-%m-%dT%H:%M"))
        case Kind.BOOLEAN:
            return "1" if value else ""
        case Kind.TEXT:
            return str(value)
    return to_text(field, value)


@dataclass(frozen=True, slots=True)
class Control:
    """One input as it stands on the page. `attrs`: required, described by, autofocus … as HTML;
    `title`: the name of what a look-up names; `options`: those that the record can have now."""

    field: Field
    id: str
    name: str
    text: str
    attrs: str = ""
    title: str = ""
    urls: tuple[str, str] = ("", "")
    create_text: str = ""
    options: tuple[Option, ...] = ()


def _line(control: Control, kind: str = "text", mode: str = "") -> SafeString:
    limit = control.field.max_length
    most = f' maxlength="{limit}"' if limit and kind in {"text", "tel"} else ""
    mode = f' inputmode="{mode}"' if mode else ""
    return SafeString(
        f'<input type="{kind}" id="{control.id}" name="{control.name}"'
        f' value="{escape(control.text)}" autocomplete="off"{most}{mode}{control.attrs}>'
    )


def _text(control: Control) -> SafeString:
    labels = control.field.labels
    if labels:
        return _select(control, ((code, label) for code, label in labels.items()))
    return _line(control)


def _long_text(control: Control) -> SafeString:
    limit = control.field.max_length
    most = f' maxlength="{limit}"' if limit else ""
    # A line feed right behind the start tag would be eaten.
    return SafeString(
        f'<textarea id="{control.id}" name="{control.name}" rows="3"{most}{control.attrs}>\n'
        f"{escape(control.text)}</textarea>"
    )


def _choice(control: Control) -> SafeString:
    return _select(control, ((str(o.value), o.label) for o in control.options))


def _state(control: Control) -> SafeString:
    return _select(control, ((str(o.value), o.label) for o in control.options), blank=False)


def _select(
    control: Control, options: Iterable[tuple[str, Any]], *, blank: bool = True
) -> SafeString:
    made = ['<option value=""></option>'] if blank else []
    known = dict(options)
    if control.text and control.text not in known:
        known[control.text] = control.text  # stored before it was taken off the list
    for value, label in known.items():
        chosen = " selected" if value == control.text else ""
        made.append(f'<option value="{escape(value)}"{chosen}>{escape(str(label))}</option>')
    return SafeString(
        f'<select id="{control.id}" name="{control.name}"{control.attrs}>{"".join(made)}</select>'
    )


def _boolean(control: Control) -> SafeString:
    # The hidden input says that the box was there, for browsers send no box that is not ticked.
    checked = " checked" if control.text == "1" else ""
    return SafeString(
        f'<input type="hidden" name="{control.name}" value=""><input type="checkbox"'
        f' id="{control.id}" name="{control.name}" value="1"{checked}{control.attrs}>'
    )


def _lookup(control: Control) -> SafeString:
    url, create = control.urls
    made = ""
    if create:
        made = (
            f' data-create-url="{escape(create)}" data-create-text="{escape(control.create_text)}"'
        )
    hidden = "" if control.title or not control.text else _("Not visible to you")
    placeholder = f' placeholder="{escape(hidden)}"' if hidden else ""
    return SafeString(
        f'<crm-lookup data-url="{escape(url)}"{made}><input type="text" id="{control.id}"'
        f' name="{control.name}_text" value="{escape(control.title)}" autocomplete="off"'
        f'{placeholder}{control.attrs}><input type="hidden" name="{control.name}"'
        f' value="{escape(control.text)}"></crm-lookup>'
    )


INPUTS: dict[Kind, Callable[[Control], SafeString]] = {
    Kind.TEXT: _text,
    Kind.LONG_TEXT: _long_text,
    # Browsers rewrite what is typed into inputs of type email (domains) and url (scheme).
    Kind.EMAIL: lambda control: _line(control, mode="email"),
    Kind.PHONE: lambda control: _line(control, "tel"),
    Kind.URL: lambda control: _line(control, mode="url"),
    Kind.CHOICE: _choice,
    Kind.STATE: _state,
    Kind.NUMBER: lambda control: _line(control, mode="numeric"),
    Kind.MONEY: lambda control: _line(control, mode="decimal"),
    Kind.DATE: lambda control: _line(control, "date"),
    Kind.DATETIME: lambda control: _line(control, "datetime-local"),
    Kind.BOOLEAN: _boolean,
    Kind.LOOKUP: _lookup,
    Kind.OWNER: _lookup,
    Kind.POINTER: _lookup,
    # An address is filled in by its parts: see `expand`.
    Kind.ADDRESS: lambda control: SafeString(""),
}
