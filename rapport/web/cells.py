"""A value as people read it: one function per kind, each giving safe HTML."""

from __future__ import annotations

import datetime
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field as attribute
from functools import lru_cache
from html import escape
from typing import Any
from urllib.parse import quote

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import get_format
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext as _

from rapport.meta.field import Field
from rapport.meta.kinds import Kind
from rapport.meta.registry import registry
from rapport.queries.pages import Link

# A list shows one line; the whole text stands on the record's page.
LINE = 160
_BLANK = SafeString("")
_HOST = re.compile(r"[\w-]+(\.[\w-]+)*\.[a-z]{2,}(:\d+)?([/?#]\S*)?", re.IGNORECASE)
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")
_EXTENSION = re.compile(r"[a-zA-Z;,].*$")
_NOT_DIALLED = re.compile(r"[^\d+*#]")


@dataclass(slots=True)
class CellContext:
    """What cells know of the viewer, found out once per page. `whole`: long texts and addresses in
    full, with their lines, as a record page shows them."""

    whole: bool
    zone: datetime.tzinfo
    language: str
    decimal_mark: str
    thousands: str
    yes: str
    no: str
    hidden: SafeString
    _prefixes: dict[str, str] = attribute(default_factory=dict)

    def address(self, entity: str, id_: uuid.UUID) -> str:
        """Address of a record's page; '' for entities without pages."""
        prefix = self._prefixes.get(entity)
        if prefix is None:
            known = entity in registry and registry[entity].in_hub
            prefix = self._prefixes[entity] = reverse("list", args=[entity]) if known else ""
        return f"{prefix}{id_}/" if prefix else ""

    def number(self, value: int) -> str:
        """A whole number as the viewer writes it."""
        return f"{value:,}".replace(",", self.thousands)


def cell_context(*, whole: bool = False) -> CellContext:
    """The context of the present request: active zone and language."""
    language = get_language() or "en"
    return CellContext(
        whole=whole,
        zone=timezone.get_current_timezone(),
        language=language,
        decimal_mark=get_format("DECIMAL_SEPARATOR", language, use_l10n=True),
        thousands=get_format("THOUSAND_SEPARATOR", language, use_l10n=True),
        yes=escape(_("Yes")),
        no=escape(_("No")),
        hidden=SafeString(f'<span class="muted">{escape(_("Not visible to you"))}</span>'),
    )


def cell(field: Field, value: Any, context: CellContext) -> SafeString:
    """`value` (as `queries.pages.Row.values` holds it) of `field`; '' when blank."""
    if value is None or value == "":
        return _BLANK
    return CELLS[field.kind](field, value, context)


def _text(field: Field, value: Any, _context: CellContext) -> SafeString:
    return SafeString(escape(str(field.labels.get(value, value) if field.labels else value)))


def _long_text(_field: Field, value: Any, context: CellContext) -> SafeString:
    text = str(value)
    if context.whole:
        return SafeString("<br>".join(escape(line) for line in text.splitlines()))
    line = " ".join(text[: LINE * 2].split())
    return SafeString(escape(line if len(line) <= LINE else f"{line[:LINE]}…"))


def _email(_field: Field, value: Any, _context: CellContext) -> SafeString:
    text = str(value)
    if not _ADDRESS.fullmatch(text):
        return SafeString(escape(text))
    return SafeString(f'<a href="mailto:{escape(quote(text, safe="@+"))}">{escape(text)}</a>')


def _phone(_field: Field, value: Any, _context: CellContext) -> SafeString:
    text = str(value)
    # "+49 (0)30": the zero is dialled at home only; what follows a letter is an extension.
    bare = _EXTENSION.sub("", text.replace("(0)", "") if text.startswith("+") else text)
    number = _NOT_DIALLED.sub("", bare)
    if not number:
        return SafeString(escape(text))
    return SafeString(f'<a href="tel:{number}">{escape(text)}</a>')


def _url(_field: Field, value: Any, _context: CellContext) -> SafeString:
    text = str(value)
    if text.lower().startswith(("http://", "https://")):
        target = text
    elif _HOST.fullmatch(text):
        target = f"https://{text}"
    else:
        return SafeString(escape(text))
    return SafeString(
        f'<a href="{escape(target)}" target="_blank" rel="noopener noreferrer">{escape(text)}</a>'
    )


def _choice(field: Field, value: Any, _context: CellContext) -> SafeString:
    option = field.option_by_value.get(value)
    return SafeString(escape(str(option.label if option else value)))


def _state(field: Field, value: Any, _context: CellContext) -> SafeString:
    option = field.option_by_value.get(value)
    if option is None:
        return SafeString(escape(str(value)))
    tone = f' data-tone="{escape(option.tone)}"' if option.tone else ""
    return SafeString(f'<span class="badge"{tone}>{escape(str(option.label))}</span>')


def _number(_field: Field, value: Any, context: CellContext) -> SafeString:
    return SafeString(escape(context.number(value)))


def _money(_field: Field, value: Any, context: CellContext) -> SafeString:
    whole, _dot, cents = f"{value:,.2f}".partition(".")
    return SafeString(escape(whole.replace(",", context.thousands) + context.decimal_mark + cents))


def _date(_field: Field, value: Any, context: CellContext) -> SafeString:
    text = escape(day_text(value, context.language))
    return SafeString(f'<time datetime="{value.isoformat()}">{text}</time>')


def _datetime(_field: Field, value: Any, context: CellContext) -> SafeString:
    text = escape(local_text(value, context))
    return SafeString(f'<time datetime="{value.isoformat()}">{text}</time>')


def _boolean(_field: Field, value: Any, context: CellContext) -> SafeString:
    return SafeString(context.yes if value else context.no)


def _link(_field: Field, value: Any, context: CellContext) -> SafeString:
    if not isinstance(value, Link):  # an id that nobody has named
        return SafeString(escape(str(value)))
    if not value.title:
        return context.hidden
    address = context.address(value.entity, value.id)
    if not address:
        return SafeString(escape(value.title))
    return SafeString(f'<a href="{address}">{escape(value.title)}</a>')


def _address(_field: Field, value: Any, context: CellContext) -> SafeString:
    glue = "<br>" if context.whole else ", "
    return SafeString(glue.join(escape(line) for line in str(value).splitlines()))


CELLS: dict[Kind, Callable[[Field, Any, CellContext], SafeString]] = {
    Kind.TEXT: _text,
    Kind.LONG_TEXT: _long_text,
    Kind.EMAIL: _email,
    Kind.PHONE: _phone,
    Kind.URL: _url,
    Kind.CHOICE: _choice,
    Kind.STATE: _state,
    Kind.NUMBER: _number,
    Kind.MONEY: _money,
    Kind.DATE: _date,
    Kind.DATETIME: _datetime,
    Kind.BOOLEAN: _boolean,
    Kind.LOOKUP: _link,
    Kind.OWNER: _link,
    Kind.POINTER: _link,
    Kind.ADDRESS: _address,
}


# -- time ----------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def day_text(day: datetime.date, language: str) -> str:
    """A day in words of `language`: "31 Jan 2026" in the order that it has there."""
    from babel.dates import format_date  # heavy, and lists without dates do without it

    return format_date(day, "medium", locale=_locale(language))


def moment_text(moment: datetime.datetime, language: str) -> str:
    """A moment (in the zone that it has) to the minute."""
    clock = moment.time().replace(second=0, microsecond=0)
    return f"{day_text(moment.date(), language)}, {_clock_text(clock, language)}"


def local_text(moment: datetime.datetime | None, context: CellContext) -> str:
    """A moment as text in the zone and language of the viewer; nothing when it never was."""
    if moment is None:
        return ""
    return moment_text(moment.astimezone(context.zone), context.language)


@lru_cache(maxsize=4096)
def _clock_text(clock: datetime.time, language: str) -> str:
    from babel.dates import format_time

    return format_time(clock, "short", locale=_locale(language))


@lru_cache
def _locale(language: str) -> Any:
    from babel import Locale, UnknownLocaleError

    try:
        return Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale("en")
