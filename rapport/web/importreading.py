"""How the file of an import is read: what was detected, and what a person chose instead."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.utils.translation import get_language, gettext as _, gettext_lazy

from rapport.files.encoding import CHOICES as ENCODINGS
from rapport.imports import bundle, flow, phones, report
from rapport.meta.registry import registry
from rapport.models import ImportFile

DELIMITERS = {
    ",": gettext_lazy("Comma"),
    ";": gettext_lazy("Semicolon"),
    "\t": gettext_lazy("Tab"),
    "|": gettext_lazy("Vertical bar"),
    "": gettext_lazy("None: one column"),
}
OWN = "other"
QUOTES = {
    '"': gettext_lazy('Quotation marks: "'),
    "'": gettext_lazy("Apostrophes: '"),
    "": gettext_lazy("Nothing"),
}
DATE_ORDERS = {
    "dmy": gettext_lazy("Day, month, year: 31.12.2026"),
    "mdy": gettext_lazy("Month, day, year: 12/31/2026"),
    "ymd": gettext_lazy("Year, month, day: 2026-12-31"),
}
MARKS = {
    ".": gettext_lazy("Point: 1,234.50"),
    ",": gettext_lazy("Comma: 1.234,50"),
}
FORMATS = {
    "csv": gettext_lazy("Text"),
    "xlsx": gettext_lazy("Excel workbook"),
    "xlsb": gettext_lazy("Excel workbook"),
    "xls": gettext_lazy("Excel workbook"),
    "ods": gettext_lazy("OpenDocument sheet"),
    "xml-ss2003": gettext_lazy("XML spreadsheet"),
    "xml": gettext_lazy("XML"),
    "vcard": gettext_lazy("vCard"),
    "json": gettext_lazy("JSON lines"),
}
# Columns and rows of the preview.
WIDTH, HEIGHT = 24, 5


def chosen(upload: ImportFile, post: Mapping[str, str]) -> dict[str, Any]:
    """What of the form says how bytes become rows; what was left as it was stays detected."""
    kept = upload.reading
    reading: dict[str, Any] = {}
    moved = False
    for name in ("member", "sheet", "element"):
        if post.get(name):
            reading[name] = post[name]
            moved = moved or post[name] != kept.get(name)
    if moved:
        # Another table: everything else is looked at anew.
        return reading
    if post.get("encoding") in ENCODINGS and post["encoding"] != kept.get("encoding"):
        reading["encoding"] = post["encoding"]
    elif kept.get("format") == "csv":
        reading["encoding"] = kept.get("encoding")
        delimiter = post.get("delimiter", kept.get("delimiter"))
        if delimiter == OWN:
            delimiter = post.get("own_delimiter", "")[:1] or kept.get("delimiter")
        if delimiter != kept.get("delimiter"):
            reading["delimiter"] = delimiter
        if post.get("quote", kept.get("quote")) != kept.get("quote"):
            # Only the mark changes: what separates the cells has been settled.
            reading |= {"quote": post["quote"], "delimiter": delimiter}
    header = post["read"] if post.get("read", "") > "1" else post.get("header", "")
    if header.isdecimal() and len(header) < 5 and int(header) != upload.options["header_row"]:
        reading["header"] = int(header)
    elif kept.get("header") is not None:
        reading["header"] = kept["header"]
    return reading | values_of(post, kept)


def values_of(post: Mapping[str, str], kept: Mapping[str, Any] | None = None) -> dict[str, str]:
    """How dates, numbers and phone numbers are written, as chosen; `kept`: only what is new."""
    known = {"date_order": DATE_ORDERS, "decimal_mark": MARKS}
    made = {name: post[name] for name, own in known.items() if post.get(name) in own}
    country = post.get("phone_country")
    if country is not None and (not country or country in phones.countries()):
        made["phone_country"] = country
    return {n: v for n, v in made.items() if kept is None or v != kept.get(n, "")}


def context(upload: ImportFile) -> dict[str, Any]:
    """What the panel shows."""
    reading, options = upload.reading, upload.options
    is_text = reading.get("format") == "csv"
    delimiter = reading.get("delimiter", "")
    return {
        "reading": reading,
        "summary": _summary(upload),
        "header_row": options.get("header_row", 0),
        "header_guess": options.get("header_guess"),
        "has_header": options.get("unit", "row") == "row",
        "encodings": _encodings(upload),
        "delimiters": DELIMITERS.items() if is_text else (),
        "own_delimiter": delimiter if delimiter not in DELIMITERS else "",
        "quotes": QUOTES.items() if is_text else (),
        # Of a sheet that is one of several lists none is chosen.
        "sheets": options.get("sheets", ()) if upload.parent_id is None else (),
        "every_sheet": bundle.EACH_SHEET,
        "members": options.get("members", ()),
        "elements": options.get("elements", ()),
        "date_orders": DATE_ORDERS.items(),
        "marks": MARKS.items(),
        "countries": countries(get_language() or "en"),
        "unreadable": options.get("unreadable", ()),
        "unreadable_count": options.get("unreadable_count", 0),
        "preview": _preview(upload),
        "is_unsure": _is_unsure(upload),
    }


def _summary(upload: ImportFile) -> list[str]:
    """What was detected, in a line."""
    reading, options = upload.reading, upload.options
    kind = reading.get("format", "")
    said = [str(FORMATS.get(kind, kind))]
    if options.get("program"):
        said.insert(0, _("a file of %(program)s") % {"program": options["program"]})
    if reading.get("member") and len(options.get("members", ())) > 1:
        said.append(_("file “%(file)s”") % {"file": reading["member"]})
    if reading.get("sheet") and len(options.get("sheets", ())) > 1:
        said.append(_("sheet “%(sheet)s”") % {"sheet": reading["sheet"]})
    if reading.get("element") and len(options.get("elements", ())) > 1:
        said.append(_("element “%(element)s”") % {"element": reading["element"]})
    if reading.get("encoding") in ENCODINGS and kind in {"csv", "json", "vcard"}:
        said.append(ENCODINGS[reading["encoding"]])
    if kind == "csv":
        delimiter = reading.get("delimiter", "")
        said.append(str(DELIMITERS.get(delimiter, f"“{delimiter}”")))
    if options.get("unit", "row") == "row":
        row = options.get("header_row", 0)
        said.append(_("header in row %(row)s") % {"row": row} if row else _("no header"))
    # What matters most comes first.
    if upload.entity:
        said.insert(0, str(registry[upload.entity].label_plural))
    return said


def _encodings(upload: ImportFile) -> list[tuple[str, str]]:
    """Encodings that fit the file, the one in use first, then all others."""
    detected = upload.options.get("encoding")
    if not detected:
        return []
    names = (
        upload.reading.get("encoding"),
        detected["name"],
        *detected["alternatives"],
        *ENCODINGS,
    )
    return [(name, ENCODINGS[name]) for name in dict.fromkeys(names) if name in ENCODINGS]


def _is_unsure(upload: ImportFile) -> bool:
    """Whether a person had better look: then the panel is open."""
    detected = upload.options.get("encoding") or {}
    is_guess = detected.get("sure") == "guess" and upload.reading["encoding"] == detected["name"]
    return bool(is_guess or upload.options.get("header_guess") or upload.options.get("unreadable"))


def _preview(upload: ImportFile) -> dict[str, Any]:
    """The first rows as they stand in the file."""
    columns = flow.columns_of(upload)
    rows = upload.options.get("sample", [])[:HEIGHT]
    return {
        "headers": [report.column_name(columns, at) for at in range(min(len(columns), WIDTH))],
        "rows": [row[:WIDTH] for row in rows],
        "more": max(0, len(columns) - WIDTH),
    }


@lru_cache(maxsize=8)
def countries(language: str) -> list[tuple[str, str]]:
    """Countries with their names, in the order of these."""
    from babel import Locale, UnknownLocaleError  # heavy, and only this page needs it

    try:
        names = Locale.parse(language, sep="-").territories
    except (UnknownLocaleError, ValueError):
        names = Locale("en").territories
    found = [(code, names[code]) for code in phones.countries() if code in names]
    return sorted(found, key=lambda one: one[1].casefold())
