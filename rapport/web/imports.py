"""Import wizard: a file, its columns, the plan, progress, the result; and My Imports."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    QueryDict,
    StreamingHttpResponse,
)
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.http import content_disposition_header
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from rapport import access
from rapport.actions import jobs
from rapport.actions.lease import CancelAsked, Refused
from rapport.actions.records import RecordNotFound
from rapport.files.encoding import CHOICES as ENCODINGS
from rapport.imports import flow, mapping as mappings, reasons, report
from rapport.imports.headers import RECORD_ID, id_header, targets
from rapport.imports.mapping import Mapping, MappingRefused
from rapport.imports.uploads import FileRefused, UploadGone, UploadTooLarge
from rapport.meta.entity import Entity
from rapport.meta.kinds import Ref
from rapport.meta.registry import registry
from rapport.models import ImportFile, Plan, PlanRow
from rapport.models.operations import Fate, ImportState, JobState
from rapport.queries import imports as found, operations
from rapport.queries.one import title_of

from . import shell
from .cells import CellContext, cell_context, moment_text
from .signin import signed_in

# Files up to this size are planned while one waits.
AT_ONCE = 400_000
# Columns that the mapping page offers; the rest are named as ignored.
COLUMNS = 250
SAMPLES = 3
TONES = {
    ImportState.UPLOADED: "",
    ImportState.PLANNING: "accent",
    ImportState.PLANNED: "accent",
    ImportState.IMPORTING: "accent",
    ImportState.DONE: "ok",
    ImportState.FAILED: "bad",
    ImportState.CANCELLED: "warn",
}
# Fates: their tone, and the names that plans and results count them by.
FATES = {
    Fate.CREATE: ("ok", "create", "created"),
    Fate.UPDATE: ("ok", "update", "updated"),
    Fate.SAME: ("", "same", "same"),
    Fate.DUPLICATE: ("warn", "duplicate", "duplicates"),
    Fate.REFUSED: ("bad", "refused", "refused"),
    Fate.CHANGED: ("bad", "changed", "changed"),
}
FORMATS = {
    "xlsx": gettext_lazy("Excel workbook"),
    "csv": gettext_lazy("CSV"),
    "xml": gettext_lazy("XML"),
}
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


# -- My Imports -----------------------------------------------------------------------------------


@require_safe
@signed_in
def imports_page(request: HttpRequest) -> HttpResponse:
    """The viewer's imports; an administrator sees everybody's."""
    text = request.GET.get("page", "")
    page = int(text) if text.isdecimal() and len(text) < 6 else 1
    rows, more = found.imports_for(request.user, page=page)
    cells = cell_context()
    here = reverse("imports")
    context = {
        "rows": [_row(upload, cells) for upload in rows],
        "alive": any(_is_alive(upload) for upload in rows),
        "everybody": access.is_administrator(request.user),
        "here": f"{here}?page={page}",
        "next_url": f"{here}?page={page + 1}" if more else "",
        "previous_url": f"{here}?page={page - 1}" if page > 1 else "",
        "new_url": reverse("import-new") if flow.importable_for(request.user) else "",
    }
    return shell.render(request, "imports/list.html", context, part="imports/table.html")


def _row(upload: ImportFile, cells: CellContext) -> dict[str, Any]:
    """An import as the list shows it."""
    counts = upload.counts
    applied = "created" in counts
    undone = getattr(upload, "is_undone", False)
    numbers = [
        (_label_of(fate, applied=applied), cells.number(number), tone)
        for fate, (tone, planned, done) in FATES.items()
        if (number := counts.get(done if applied else planned, 0))
    ]
    return {
        "id": upload.pk,
        "url": reverse("import", args=[upload.pk]),
        "name": upload.name,
        "entity": registry[upload.entity].label_plural if upload.entity else "",
        "state": _("Undone") if undone else upload.get_state_display(),
        "tone": "" if undone else TONES[ImportState(upload.state)],
        "message": upload.message,
        "numbers": numbers,
        "by": str(upload.created_by) if upload.created_by else _("Rapport"),
        "moment": upload.created_at,
        "moment_text": moment_text(upload.created_at.astimezone(cells.zone), cells.language),
    }


def _is_alive(upload: ImportFile) -> bool:
    return upload.state in {ImportState.PLANNING, ImportState.IMPORTING} or _is_being_read(upload)


def _is_being_read(upload: ImportFile) -> bool:
    return upload.state == ImportState.UPLOADED and "columns" not in upload.options


# -- a new file -----------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def new(request: HttpRequest) -> HttpResponse:
    """Choose a file and what it holds."""
    choices = flow.importable_for(request.user)
    if not choices:
        raise access.Forbidden("import")
    if request.method == "POST":
        return _receive(request, choices)
    return _new_page(request, choices, request.GET.get("entity", flow.AUTO))


def _new_page(
    request: HttpRequest, choices: list[Entity], entity: str, *, error: str = "", status: int = 200
) -> HttpResponse:
    context = {
        "entities": [(e.name, e.label_plural) for e in choices],
        "entity": entity if entity in {e.name for e in choices} else flow.AUTO,
        "format": FORMATS.get(request.GET.get("format", "")),
        "limit": settings.UPLOAD_LIMIT // 1024**2,
        "error": error,
    }
    return shell.render(request, "imports/new.html", context, status=status)


def _receive(request: HttpRequest, choices: list[Entity]) -> HttpResponse:
    entity = request.POST.get("entity", flow.AUTO)
    if entity not in {flow.AUTO, *(e.name for e in choices)}:
        raise access.Forbidden("import")
    file = request.FILES.get("file")
    if file is None or not file.size:
        text = _("Choose a file.") if file is None else _("There is no data in this file.")
        return _new_page(request, choices, entity, error=text, status=422)
    try:
        upload = flow.receive(file.chunks(), name=file.name or "", entity=entity, by=request.user)
    except UploadTooLarge as error:
        return _new_page(request, choices, entity, error=str(error), status=413)
    if flow.is_large(upload):
        flow.describe_later(upload, by=request.user)
        return shell.moved(request, reverse("import", args=[upload.pk]))
    try:
        _describe(request, upload, choices)
    except FileRefused as refused:
        flow.delete(upload)
        text = f"{_in_words(refused.reason)} {_in_words(refused.remedy)}"
        return _new_page(request, choices, entity, error=text, status=422)
    return shell.moved(request, reverse("import", args=[upload.pk]))


def _in_words(message: Any) -> str:
    text = _(message.template)
    return text % message.values if message.values else text


def _describe(request: HttpRequest, upload: ImportFile, choices: list[Entity]) -> None:
    """Look at the file; when it does not tell what it holds, start with the first and say so."""
    try:
        flow.describe(upload, by=request.user)
    except MappingRefused as refused:
        flow.read_again(upload, choices[0], {}, by=request.user)
        upload.options = {**upload.options, "doubt": str(refused)}
        upload.save(update_fields=["options"])


# -- one import -----------------------------------------------------------------------------------


def _visible(request: HttpRequest, id: uuid.UUID) -> ImportFile:
    upload = found.import_for(id, request.user)
    if upload is None:
        raise RecordNotFound("import")
    return upload


@require_safe
@signed_in
def import_page(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """The step at which an import stands."""
    upload = _visible(request, id)
    if _is_alive(upload) and not (upload.job and upload.job.state == JobState.FAILED):
        return _progress_page(request, upload)
    if request.GET.get("poll"):
        # What was waited for is there: the whole page, not a part of it.
        url = reverse("import", args=[upload.pk])
        return HttpResponse(status=204, headers={"HX-Redirect": url})
    match upload.state:
        case ImportState.UPLOADED:
            return _mapping_page(request, upload)
        case ImportState.PLANNED:
            return _plan_page(request, upload)
    return _result_page(request, upload)


def _head(upload: ImportFile, step: int) -> dict[str, Any]:
    """What all pages of one import show."""
    entity = registry[upload.entity] if upload.entity else None
    names = (_("File"), _("Columns"), _("Check"), _("Import"))
    return {
        "upload": upload,
        "entity": entity,
        "steps": [
            {"label": name, "current": at == step, "done": at < step}
            for at, name in enumerate(names)
        ],
        "url": reverse("import", args=[upload.pk]),
        "may_delete": upload.operation_id is None
        and upload.state not in {ImportState.PLANNING, ImportState.IMPORTING, ImportState.DONE},
    }


def _progress_page(request: HttpRequest, upload: ImportFile) -> HttpResponse:
    job = upload.job
    cells = cell_context()
    planning = upload.state != ImportState.IMPORTING
    context = {
        **_head(upload, 3 if not planning else 2 if upload.state == ImportState.PLANNING else 1),
        "title": _("Importing")
        if not planning
        else _("Checking every row")
        if upload.state == ImportState.PLANNING
        else _("Reading the file"),
        "progress": job.progress if job else 0,
        "total": job.total if job else None,
        "progress_text": _progress_text(upload, cells),
        "waiting": job is None or job.state == JobState.WAITING,
        "message": job.message if job else "",
        "ending": bool(job and job.cancel_asked),
        "planning": planning,
    }
    return shell.render(request, "imports/progress.html", context, part="imports/running.html")


def _progress_text(upload: ImportFile, cells: CellContext) -> str:
    job = upload.job
    if job is None or not job.progress:
        return ""
    if not job.total:
        return _("%(rows)s rows") % {"rows": cells.number(job.progress)}
    values = {"done": cells.number(job.progress), "total": cells.number(job.total)}
    return _("%(done)s of %(total)s rows") % values


# -- columns --------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def mapping_page(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """What each column is; posted: read the file otherwise, or check every row."""
    upload = _visible(request, id)
    if request.method != "POST":
        return _mapping_page(request, upload)
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
        return _mapping_page(request, upload, error=_error_text(error), status=422)
    except (flow.NotNow, CancelAsked) as error:
        messages.warning(request, str(error) or _("Cancelled."))
    return shell.moved(request, reverse("import", args=[upload.pk]))


def _error_text(error: Exception) -> str:
    if isinstance(error, FileRefused):
        return f"{_in_words(error.reason)} {_in_words(error.remedy)}"
    return str(error)


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


def _mapping_page(
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
        **_head(upload, 1),
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


# -- the plan -------------------------------------------------------------------------------------


def _plan_page(request: HttpRequest, upload: ImportFile) -> HttpResponse:
    plan = found.plan_of(upload)
    if plan is None:
        return _mapping_page(request, upload)
    cells = cell_context()
    counts = plan.counts
    entity = registry[upload.entity]
    written = counts["create"] + counts["update"]
    context = {
        **_head(upload, 2),
        "tally": _tally(counts, cells, applied=False),
        "groups": _groups(upload, counts, cells),
        "preview": _preview(upload, plan),
        "tables": [
            table
            for fates in ((Fate.REFUSED,), (Fate.DUPLICATE,), (Fate.UPDATE,))
            if (table := _rows_table(request, upload, plan, fates, 0))
        ],
        "written": cells.number(written) if written else "",
        "record": str(entity.label if written == 1 else entity.label_plural).lower(),
        "nothing": _nothing(counts),
        "mapping_url": reverse("import-mapping", args=[upload.pk]),
        "apply_url": reverse("import-apply", args=[upload.pk]),
        "errors_url": reverse("import-errors", args=[upload.pk]) if counts["refused"] else "",
    }
    return shell.render(request, "imports/plan.html", context)


def _nothing(counts: dict[str, Any]) -> str:
    """Why there is nothing to import; '' when there is something."""
    if counts["create"] or counts["update"]:
        return ""
    if counts["refused"] == counts["rows"]:
        return _("Every row would be refused: correct the columns, or the file.")
    if counts["refused"]:
        return _("Nothing would be written: all rows that can be taken are there already.")
    return _("Everything in this file is there already.")


def _tally(counts: dict[str, Any], cells: CellContext, *, applied: bool) -> list[dict[str, Any]]:
    """The counts of a plan or a result, with where they lead."""
    made = [{"label": _("Rows in the file"), "count": cells.number(counts.get("rows", 0))}]
    for fate, (tone, planned, done) in FATES.items():
        number = counts.get(done if applied else planned, 0)
        if number or fate in {Fate.CREATE, Fate.DUPLICATE, Fate.REFUSED}:
            label = _label_of(fate, applied=applied)
            one = {"label": label, "count": cells.number(number), "tone": tone if number else ""}
            table = fate in {Fate.DUPLICATE, Fate.REFUSED, Fate.CHANGED, Fate.UPDATE}
            made.append({**one, "anchor": f"#{fate}" if number and table else ""})
    accounts = counts.get("accounts_created" if applied else "accounts", 0)
    if accounts:
        label = _("Accounts created") if applied else _("New accounts along with them")
        made.append({"label": label, "count": cells.number(accounts), "tone": "ok"})
    return made


def _label_of(fate: Fate, *, applied: bool) -> Any:
    return (_RESULTS if applied else _PLANS).get(fate, fate.label)


_PLANS = {
    Fate.CREATE: gettext_lazy("Will be created"),
    Fate.UPDATE: gettext_lazy("Will be updated"),
    Fate.DUPLICATE: gettext_lazy("Already there or twice"),
    Fate.REFUSED: gettext_lazy("Cannot be taken"),
}
_RESULTS = {
    Fate.CREATE: gettext_lazy("Created"),
    Fate.UPDATE: gettext_lazy("Updated"),
    Fate.DUPLICATE: gettext_lazy("Already there or twice"),
    Fate.REFUSED: gettext_lazy("Refused"),
}


def _groups(
    upload: ImportFile, counts: dict[str, Any], cells: CellContext
) -> list[tuple[str, str, str]]:
    """Why rows are refused, summed up: (how many, column, what)."""
    columns = flow.columns_of(upload)
    summed = []
    for key, number in sorted(counts.get("why", {}).items(), key=lambda item: -item[1])[:8]:
        index, _bar, code = key.partition("|")
        column = report.column_name(columns, int(index)) if index else ""
        summed.append((cells.number(number), column, str(_CODES.get(code, code))))
    return summed


_CODES = {
    "required": gettext_lazy("required, but empty or not mapped"),
    "shape": gettext_lazy("more cells than columns, or damaged"),
    "unreadable": gettext_lazy("not readable in this encoding"),
    "id": gettext_lazy("no record id"),
    "forbidden": gettext_lazy("not yours to change"),
    "email": gettext_lazy("no e-mail address"),
    "choice": gettext_lazy("none of the options"),
    "date": gettext_lazy("no date"),
    "datetime": gettext_lazy("no date"),
    "number": gettext_lazy("no number"),
    "money": gettext_lazy("no amount"),
    "boolean": gettext_lazy("neither yes nor no"),
    "lookup": gettext_lazy("no such record, or several"),
    "owner": gettext_lazy("no such user or team"),
    "url": gettext_lazy("no web address"),
    "text": gettext_lazy("too long"),
    "long_text": gettext_lazy("too long"),
    "phone": gettext_lazy("too long"),
    "": gettext_lazy("not allowed by a rule"),
}


def _preview(upload: ImportFile, plan: Plan) -> dict[str, Any]:
    """The first rows as they would be stored."""
    entity = registry[upload.entity]
    kept = plan.parameters.get("preview", [])
    filled = {name for row in kept for name in row["values"]}
    mapped = flow.mapping_of(upload).columns
    # In the order of the file; what a name was split into stands in front.
    own = [target.field for _, target in sorted(mapped.items())]
    names = [*(n for n in entity.title_fields if n not in own), *own]
    names = [name for name in names if name in filled]
    return {
        "labels": [entity.fields[name].label for name in names],
        "rows": [
            {
                "number": row["row"],
                "fate": Fate(row["fate"]).label,
                "tone": FATES[Fate(row["fate"])][0],
                "values": [row["values"].get(name, "") for name in names],
                "reason": " ".join(row["reasons"]),
            }
            for row in kept
        ],
    }


@require_safe
@signed_in
def rows_page(request: HttpRequest, id: uuid.UUID, fate: str) -> HttpResponse:
    """More rows of one fate: the next part of a table, or a page of its own."""
    upload = _visible(request, id)
    plan = found.plan_of(upload)
    after = request.GET.get("after", "0")
    if plan is None or fate not in Fate.values or not after.isdecimal() or len(after) > 9:
        raise RecordNotFound("import")
    table = _rows_table(request, upload, plan, (Fate(fate),), int(after))
    context = {**_head(upload, 2), "table": table}
    return shell.render(request, "imports/rows.html", context, part="imports/row_table.html")


def _rows_table(
    request: HttpRequest, upload: ImportFile, plan: Plan, fates: tuple[Fate, ...], after: int
) -> dict[str, Any] | None:
    """A table of rows with a reason; None when there is no such row."""
    rows, more = found.plan_rows(plan, fates, after=after)
    if not rows and not after:
        return None
    fate = fates[0]
    url = reverse("import-rows", args=[upload.pk, fate])
    return {
        "fate": fate,
        "title": _TITLES[fate],
        "rows": _reason_rows(request, upload, rows),
        "more_url": f"{url}?after={rows[-1].row}" if more and rows else "",
        "file_url": f"{reverse('import-errors', args=[upload.pk])}?fate={fate}",
        "with_record": fate in {Fate.DUPLICATE, Fate.UPDATE},
    }


_TITLES = {
    Fate.CREATE: gettext_lazy("Rows that are created"),
    Fate.SAME: gettext_lazy("Rows that change nothing"),
    Fate.REFUSED: gettext_lazy("Rows that cannot be taken"),
    Fate.DUPLICATE: gettext_lazy("Rows that are there already, or twice in the file"),
    Fate.UPDATE: gettext_lazy("Records that change"),
    Fate.CHANGED: gettext_lazy("Rows that changed since the plan"),
}


def _reason_rows(
    request: HttpRequest, upload: ImportFile, rows: list[PlanRow]
) -> Iterator[dict[str, Any]]:
    columns = flow.columns_of(upload)
    refs = {Ref(upload.entity, row.record) for row in rows if row.record}
    titles = title_of(refs, request.user) if refs else {}
    prefix = reverse("list", args=[registry[upload.entity]])
    for row in rows:
        title = titles.get(Ref(upload.entity, row.record)) if row.record else None
        yield {
            "number": row.row,
            "title": title or "",
            "url": f"{prefix}{row.record}/" if title else "",
            "reasons": _reason_lines(upload, row, columns),
        }


def _reason_lines(
    upload: ImportFile, row: PlanRow, columns: tuple[str, ...]
) -> list[tuple[str, str]]:
    """(column, text) of everything that there is to say about a row."""
    if row.fate == Fate.DUPLICATE:
        return [("", report.duplicate_text(row, registry[upload.entity]))]
    if row.fate == Fate.UPDATE:
        fields = registry[upload.entity].fields
        return [
            (str(fields[name].label), f"{_shown_value(old)} → {_shown_value(new)}")
            if not fields[name].is_link
            else (str(fields[name].label), _("another record"))
            for name, old, new in row.reasons
            if name in fields
        ]
    return [
        (report.column_name(columns, reason.column), reason.text)
        for reason in reasons.from_json(row.reasons)
    ]


def _shown_value(value: Any) -> str:
    return str(_("(blank)")) if value in {None, ""} else str(value)


@require_POST
@signed_in
def apply(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """Import what the plan says."""
    upload = _visible(request, id)
    try:
        flow.start_apply(upload, by=request.user)
    except flow.NotNow as error:
        messages.warning(request, str(error))
    return shell.moved(request, reverse("import", args=[upload.pk]))


# -- the result -----------------------------------------------------------------------------------


def _result_page(request: HttpRequest, upload: ImportFile) -> HttpResponse:
    plan = found.plan_of(upload)
    cells = cell_context()
    counts = upload.counts
    applied = "created" in counts
    op = upload.operation
    undone = bool(op and operations.undone_by(op))
    fates = (Fate.CHANGED, Fate.REFUSED, Fate.DUPLICATE)
    tables = [_rows_table(request, upload, plan, (fate,), 0) for fate in fates] if plan else []
    job = upload.job
    context = {
        **_head(upload, 3 if applied else 1),
        "tally": _tally(counts, cells, applied=True) if applied else [],
        "tables": [table for table in tables if table] if applied else [],
        "tone": TONES[ImportState(upload.state)],
        "heading": _heading(upload, cells, undone=undone),
        "undone": undone,
        "undo_url": reverse("undo", args=[op.pk]) if op and not undone else "",
        "records_url": reverse("operation", args=[op.pk]) if op else "",
        "list_url": reverse("list", args=[registry[upload.entity]]) if upload.entity else "",
        "errors_url": reverse("import-errors", args=[upload.pk])
        if plan and counts.get("refused", 0) + counts.get("changed", 0)
        else "",
        "retry_url": reverse("import-retry", args=[upload.pk])
        if job and job.state in {JobState.FAILED, JobState.CANCELLED} and not undone
        else "",
        "mapping_url": reverse("import-mapping", args=[upload.pk])
        if not applied and "columns" in upload.options
        else "",
        "by": str(upload.created_by) if upload.created_by else _("Rapport"),
        "moment_text": moment_text(upload.created_at.astimezone(cells.zone), cells.language),
    }
    return shell.render(request, "imports/result.html", context)


def _heading(upload: ImportFile, cells: CellContext, *, undone: bool) -> str:
    created = upload.counts.get("created", 0)
    number = cells.number(created)
    if undone:
        return _("This import has been undone")
    match upload.state:
        case ImportState.CANCELLED:
            return _("Cancelled: what was imported until then is there")
        case ImportState.FAILED:
            if "created" not in upload.counts:
                return _("This file cannot be imported")
            return _("The import could not be finished")
    entity = registry[upload.entity]
    if created:
        name = str(entity.label if created == 1 else entity.label_plural).lower()
        return _("%(count)s %(records)s imported") % {"count": number, "records": name}
    return _("Imported: nothing new")


@require_safe
@signed_in
def errors_file(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """The rows that were not taken, in the layout of the file, each with its reason."""
    upload = _visible(request, id)
    plan = found.plan_of(upload)
    fate = request.GET.get("fate", "")
    if plan is None or (fate and fate not in Fate.values):
        raise RecordNotFound("import")
    pieces = report.rows_file(upload, plan, (fate,) if fate else report.ERRORS)
    try:
        first = next(pieces)
    except (FileRefused, UploadGone) as error:
        messages.error(request, _error_text(error))
        return HttpResponseRedirect(reverse("import", args=[upload.pk]), status=303)
    stem = upload.name.rpartition(".")[0] or upload.name
    answer = StreamingHttpResponse(_joined(first, pieces), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = content_disposition_header(
        True, f"{stem} ({fate or 'errors'}).csv"
    )
    return answer


def _joined(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


@require_POST
@signed_in
def cancel(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """Ask what is running for this import to end."""
    upload = _visible(request, id)
    if upload.job is not None:
        try:
            jobs.cancel(upload.job, by=request.user)
        except jobs.JobIsOver:
            messages.info(request, _("It has ended already."))
    return shell.moved(request, reverse("import", args=[upload.pk]))


@require_POST
@signed_in
def retry(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """Let a failed or cancelled import go on where it stopped."""
    upload = _visible(request, id)
    try:
        flow.go_on(upload, by=request.user)
    except (flow.NotNow, jobs.JobIsOver) as error:
        messages.warning(request, str(error) or _("It is running already."))
    return shell.moved(request, reverse("import", args=[upload.pk]))


@require_POST
@signed_in
def delete(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """Forget a file that has not been imported."""
    upload = _visible(request, id)
    try:
        flow.delete(upload)
        messages.success(request, _("“%(file)s” is forgotten.") % {"file": upload.name})
    except flow.NotNow as error:
        messages.warning(request, str(error))
        return shell.moved(request, reverse("import", args=[upload.pk]))
    return shell.moved(request, reverse("imports"))


urlpatterns = [
    path("imports/", imports_page, name="imports"),
    path("imports/new/", new, name="import-new"),
    path("imports/<uuid:id>/", import_page, name="import"),
    path("imports/<uuid:id>/columns/", mapping_page, name="import-mapping"),
    path("imports/<uuid:id>/apply/", apply, name="import-apply"),
    path("imports/<uuid:id>/rows/<str:fate>/", rows_page, name="import-rows"),
    path("imports/<uuid:id>/errors.csv", errors_file, name="import-errors"),
    path("imports/<uuid:id>/cancel/", cancel, name="import-cancel"),
    path("imports/<uuid:id>/retry/", retry, name="import-retry"),
    path("imports/<uuid:id>/delete/", delete, name="import-delete"),
]
