"""The columns of an import: what each is, and how the file is read."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    QueryDict,
)
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_http_methods

from rapport.actions.lease import CancelAsked, Refused
from rapport.files.encoding import CHOICES as ENCODINGS
from rapport.imports import flow, mapping as mappings, report
from rapport.imports.headers import RECORD_ID, id_header, targets
from rapport.imports.mapping import Mapping, MappingRefused
from rapport.imports.uploads import FileRefused, UploadGone
from rapport.meta.entity import Entity
from rapport.meta.registry import registry
from rapport.models import ImportFile

from . import shell
from .importsteps import error_text, head, visible
from .signin import signed_in

# Files up to this size are planned while one waits.
AT_ONCE = 400_000
# Columns that the mapping page offers; the rest are named as ignored.
COLUMNS = 250
SAMPLES = 3
DELIMITERS = {
    ",": gettext_lazy("Comma"),
    ";": gettext_lazy("Semicolon"),
    "\t": gettext_lazy("Tab"),
    "|": gettext_lazy("Vertical bar"),
    "": gettext_lazy("None: one column"),
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
MISSING = {
    mappings.CREATE: gettext_lazy("create it"),
    mappings.REFUSE: gettext_lazy("refuse the row"),
    mappings.BLANK: gettext_lazy("leave it blank"),
}


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def mapping_page(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """What each column is; posted: read the file otherwise, or check every row."""
    upload = visible(request, id)
    if request.method != "POST":
        return show(request, upload)
    try:
        if "read" in request.POST:
            _read_again(request, upload)
            return shell.moved(request, reverse("import-mapping", args=[upload.pk]))
        flow.remap(upload, _chosen(upload, request.POST), reading=_reading(request.POST))
        if upload.size <= AT_ONCE:
            flow.plan_now(upload, by=request.user)
        else:
            flow.start_plan(upload, by=request.user)
    except (MappingRefused, FileRefused, Refused, UploadGone) as error:
        upload.refresh_from_db()
        return show(request, upload, error=error_text(error), status=422)
    except (flow.NotNow, CancelAsked) as error:
        messages.warning(request, str(error) or _("Cancelled."))
    return shell.moved(request, reverse("import", args=[upload.pk]))


def _reading(post: QueryDict) -> dict[str, str]:
    """How dates and numbers are written, as chosen."""
    chosen = {
        "date_order": (post.get("date_order", ""), DATE_ORDERS),
        "decimal_mark": (post.get("decimal_mark", ""), MARKS),
    }
    return {name: value for name, (value, known) in chosen.items() if value in known}


def _read_again(request: HttpRequest, upload: ImportFile) -> None:
    """Read the file as somebody has chosen: what was left as it was stays detected."""
    post, kept = request.POST, upload.reading
    reading: dict[str, Any] = {}
    for name in ("sheet", "member", "element"):
        if post.get(name):
            reading[name] = post[name]
    if post.get("encoding") in ENCODINGS and post["encoding"] != kept.get("encoding"):
        reading["encoding"] = post["encoding"]
    elif kept.get("format") == "csv" and post.get("delimiter") in DELIMITERS:
        reading["encoding"] = kept.get("encoding")
        if post["delimiter"] != kept.get("delimiter"):
            reading["delimiter"] = post["delimiter"]
    header = post.get("header", "")
    if header.isdecimal() and int(header) < 1000 and int(header) != upload.options["header_row"]:
        reading["header"] = int(header)
    elif kept.get("header") is not None:
        reading["header"] = kept["header"]
    name = post.get("entity", "")
    entity = registry[name] if name in registry else registry[upload.entity]
    flow.read_again(upload, entity, reading, by=request.user)


def _chosen(upload: ImportFile, post: QueryDict) -> Mapping:
    """The mapping out of the form: 'column-3' names the field, 'missing-3' the rule."""
    entity = registry[upload.entity]
    picks, rules = {}, {}
    shown = _shown(upload)
    for index in shown:
        picks[index] = post.get(f"column-{index}", "")
        rules[index] = post.get(f"missing-{index}", "")
    return mappings.chosen(entity, picks, rules)


def _shown(upload: ImportFile) -> list[int]:
    """Columns of the mapping page: those that are mapped, and as many others as fit."""
    mapped = set(flow.mapping_of(upload).columns)
    others = [i for i in range(len(flow.columns_of(upload))) if i not in mapped]
    return sorted(mapped | set(others[: max(0, COLUMNS - len(mapped))]))


def show(
    request: HttpRequest, upload: ImportFile, *, error: str = "", status: int = 200
) -> HttpResponse:
    if "columns" not in upload.options or upload.operation_id is not None:
        return HttpResponseRedirect(reverse("imports"), status=303)
    mapping = flow.mapping_of(upload)
    if request.method == "POST" and "read" not in request.POST:
        mapping = _posted(upload, request.POST, mapping)
    columns, options = flow.columns_of(upload), upload.options
    shown = _shown(upload)
    context = {
        **head(upload, 1),
        "error": error or upload.message,
        "doubt": options.get("doubt", ""),
        "notes": options.get("notes", ()),
        "columns": list(_column_rows(upload, mapping, shown)),
        "hidden": len(columns) - len(shown),
        "required": _required(mapping),
        "missing": [found.label for found in mappings.missing_required(mapping)],
        "entities": [(e.name, e.label_plural) for e in flow.importable_for(request.user)],
        "reading": upload.reading,
        "header_row": options.get("header_row", 0),
        "encodings": _encodings(upload),
        "delimiters": DELIMITERS.items() if upload.reading.get("format") == "csv" else (),
        "sheets": options.get("sheets", ()),
        "members": options.get("members", ()),
        "elements": options.get("elements", ()),
        "date_orders": DATE_ORDERS.items(),
        "marks": MARKS.items(),
        "action": reverse("import-mapping", args=[upload.pk]),
    }
    return shell.render(request, "imports/mapping.html", context, status=status)


def _posted(upload: ImportFile, post: QueryDict, mapping: Mapping) -> Mapping:
    """What was chosen, also when it cannot be taken: nobody likes to choose twice."""
    try:
        return _chosen(upload, post)
    except MappingRefused:
        return mapping


def _encodings(upload: ImportFile) -> list[tuple[str, str]]:
    """Encodings that fit the file, the one in use first."""
    detected = upload.options.get("encoding")
    if not detected:
        return []
    names = (upload.reading.get("encoding"), detected["name"], *detected["alternatives"])
    return [(name, ENCODINGS[name]) for name in dict.fromkeys(names) if name in ENCODINGS]


def _required(mapping: Mapping) -> list[dict[str, Any]]:
    """The fields that a new record needs, and which column fills each."""
    columns = mapping.columns
    return [
        {"label": found.label, "column": column, "is_filled": column in columns}
        for found in mapping.entity.editable
        if found.required and found.default in {None, ""} and found.name != "owner"
        for column in [mapping.column_of(found.name)]
    ]


def _column_rows(
    upload: ImportFile, mapping: Mapping, shown: list[int]
) -> Iterator[dict[str, Any]]:
    columns, sample = flow.columns_of(upload), upload.options.get("sample", ())
    choices = _choices(mapping.entity)
    for index in shown:
        target = mapping.columns.get(index)
        name = target.field if target else ""
        values = dict.fromkeys(
            row[index].strip() for row in sample if index < len(row) and row[index].strip()
        )
        yield {
            "index": index,
            "header": report.column_name(columns, index),
            "sample": " · ".join(list(values)[:SAMPLES]),
            "options": _selected(choices, name),
            "missing": _missing_choices(mapping, index),
            "is_mapped": bool(name),
        }


def _choices(entity: Entity) -> SafeString:
    """The options of every column's list, grouped as on the form."""
    names = targets(entity)
    groups: list[tuple[str, list[str]]] = []
    used: set[str] = set()
    for section in entity.sections:
        own: list[str] = []
        for name in section.fields:
            parts = entity.fields[name].parts or (name,)
            own += [part for part in parts if part in names and part not in used]
        used.update(own)
        if own:
            groups.append((str(section.label), own))
    rest = [name for name in names if name not in used]
    title = [name for name in rest if name == entity.title]
    if title:
        groups.insert(0, (str(_("Full name, to be split")), title))
    others = [name for name in rest if name not in title]
    if others:
        groups.append((str(_("More")), others))
    made = [format_html('<option value="">{}</option>', _("— ignore —"))]
    for label, own in groups:
        options = format_html_join(
            "", '<option value="{}">{}</option>', ((n, _label(entity, n)) for n in own)
        )
        made.append(format_html('<optgroup label="{}">{}</optgroup>', label, options))
    made.append(format_html('<option value="{}">{}</option>', RECORD_ID, id_header(entity)))
    return SafeString("".join(made))


def _label(entity: Entity, name: str) -> str:
    field = entity.fields[name]
    needed = field.required and field.default in {None, ""} and name != "owner"
    return f"{field.label} *" if needed else str(field.label)


def _selected(choices: SafeString, name: str) -> SafeString:
    # Once per column, hence no template: a wide file has hundreds of these lists.
    return SafeString(choices.replace(f'value="{name}"', f'value="{name}" selected', 1))


def _missing_choices(mapping: Mapping, index: int) -> list[dict[str, Any]]:
    """What may happen when the look-up of a column finds nothing."""
    target = mapping.columns.get(index)
    if target is None or target.field == RECORD_ID:
        return []
    field = mapping.entity.fields[target.field]
    rule = mappings.missing_rule(field, target)
    return [
        {"value": name, "label": MISSING[name], "selected": name == rule}
        for name in mappings.missing_choices(field)
    ]
