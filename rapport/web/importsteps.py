"""What the pages of one import share: who may see it, its head, its counts and its tables."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

from django.http import (
    HttpRequest,
)
from django.urls import reverse
from django.utils.translation import gettext as _, gettext_lazy

from rapport.actions.records import RecordNotFound
from rapport.imports import flow, reasons, report
from rapport.imports.uploads import FileRefused
from rapport.meta.kinds import Ref
from rapport.meta.registry import registry
from rapport.models import ImportFile, Plan, PlanRow
from rapport.models.operations import Fate, ImportState
from rapport.queries import imports as found
from rapport.queries.one import title_of

from .cells import CellContext

# Fates: their tone, and the names that plans and results count them by.
FATES = {
    Fate.CREATE: ("ok", "create", "created"),
    Fate.UPDATE: ("ok", "update", "updated"),
    Fate.SAME: ("", "same", "same"),
    Fate.DUPLICATE: ("warn", "duplicate", "duplicates"),
    Fate.REFUSED: ("bad", "refused", "refused"),
    Fate.CHANGED: ("bad", "changed", "changed"),
}


def visible(request: HttpRequest, id: uuid.UUID) -> ImportFile:
    upload = found.import_for(id, request.user)
    if upload is None:
        raise RecordNotFound("import")
    return upload


def head(upload: ImportFile, step: int) -> dict[str, Any]:
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


def in_words(message: Any) -> str:
    text = _(message.template)
    return text % message.values if message.values else text


def error_text(error: Exception) -> str:
    if isinstance(error, FileRefused):
        return f"{in_words(error.reason)} {in_words(error.remedy)}"
    return str(error)


# -- counts ---------------------------------------------------------------------------------------


def tally(counts: dict[str, Any], cells: CellContext, *, applied: bool) -> list[dict[str, Any]]:
    """The counts of a plan or a result, with where they lead."""
    made = [{"label": _("Rows in the file"), "count": cells.number(counts.get("rows", 0))}]
    for fate, (tone, planned, done) in FATES.items():
        number = counts.get(done if applied else planned, 0)
        if number or fate in {Fate.CREATE, Fate.DUPLICATE, Fate.REFUSED}:
            label = label_of(fate, applied=applied)
            one = {"label": label, "count": cells.number(number), "tone": tone if number else ""}
            table = fate in {Fate.DUPLICATE, Fate.REFUSED, Fate.CHANGED, Fate.UPDATE}
            made.append({**one, "anchor": f"#{fate}" if number and table else ""})
    accounts = counts.get("accounts_created" if applied else "accounts", 0)
    if accounts:
        label = _("Accounts created") if applied else _("New accounts along with them")
        made.append({"label": label, "count": cells.number(accounts), "tone": "ok"})
    return made


def label_of(fate: Fate, *, applied: bool) -> Any:
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


def groups(
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


# -- rows with a reason ---------------------------------------------------------------------------


def rows_table(
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
