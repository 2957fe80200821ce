"""What the pages of one import share: who may see it, its head and its counts."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _, gettext_lazy

from rapport.actions.records import RecordNotFound
from rapport.imports import flow, parts, report
from rapport.imports.reasons import FORBIDDEN
from rapport.imports.uploads import FileRefused
from rapport.meta.registry import registry
from rapport.models import ImportFile
from rapport.models.operations import Fate, ImportState
from rapport.queries import imports as found

from .cells import CellContext

# Fates: their tone, and the names that plans and results count them by.
FATES = {
    Fate.CREATE: ("ok", "create", "created"),
    Fate.UPDATE: ("ok", "update", "updated"),
    Fate.SAME: ("", "same", "same"),
    Fate.DUPLICATE: ("warn", "duplicate", "duplicates"),
    Fate.REFUSED: ("bad", "refused", "refused"),
    Fate.SKIP: ("", "skip", "skipped"),
    Fate.CHANGED: ("bad", "changed", "changed"),
    Fate.PARTIAL: ("warn", "partial", "partial"),
}
# Reasons for refusals that are summed up.
GROUPS = 12
# Imports that the start page shows to go on with.
RECENT = 5
TONES = {
    ImportState.UPLOADED: "",
    ImportState.PLANNING: "accent",
    ImportState.PLANNED: "accent",
    ImportState.IMPORTING: "accent",
    ImportState.DONE: "ok",
    ImportState.FAILED: "bad",
    ImportState.CANCELLED: "warn",
}


def visible(request: HttpRequest, id: uuid.UUID) -> ImportFile:
    upload = found.import_for(id, request.user)
    if upload is None:
        raise RecordNotFound("import")
    return upload


def whole(upload: ImportFile) -> ImportFile:
    """The import that a file is part of: of several files the one of all."""
    return upload.parent or upload


def head(upload: ImportFile, step: int) -> dict[str, Any]:
    """What all pages of one import show."""
    entity = registry[upload.entity] if upload.entity else None
    return {
        "upload": upload,
        "entity": entity,
        "heading": upload.name,
        "steps": steps(step),
        "url": reverse("import", args=[upload.pk]),
        "whole_url": reverse("import", args=[upload.parent_id]) if upload.parent_id else "",
        "whole_name": upload.parent.name if upload.parent else "",
        "may_delete": upload.operation_id is None
        and upload.parent_id is None
        and upload.state not in {ImportState.PLANNING, ImportState.IMPORTING, ImportState.DONE},
    }


def steps(present: int) -> list[dict[str, Any]]:
    """Where one is on the way."""
    names = (_("File"), _("Columns"), _("Check"), _("Import"))
    return [
        {"label": name, "current": at == present, "done": at < present}
        for at, name in enumerate(names)
    ]


def in_words(message: Any) -> str:
    text = _(message.template)
    return text % message.values if message.values else text


def error_text(error: Exception) -> str:
    if isinstance(error, FileRefused):
        return f"{in_words(error.reason)} {in_words(error.remedy)}"
    return str(error)


# -- counts ---------------------------------------------------------------------------------------


def is_applied(upload: ImportFile) -> bool:
    """Whether its counts say what has become of rows, not what would."""
    return "created" in upload.counts


def counted(counts: Mapping[str, Any], *, applied: bool) -> Iterator[tuple[Fate, Any, str, int]]:
    """Fates with what they are called, their tone and how many rows have each."""
    labels = _RESULTS if applied else _PLANS
    for fate, (tone, planned, done) in FATES.items():
        number = counts.get(done if applied else planned, 0)
        yield fate, labels.get(fate, fate.label), tone if number else "", number


def tally(counts: Mapping[str, Any], cells: CellContext) -> list[dict[str, Any]]:
    """The counts of a result."""
    made = [{"label": _("Rows read"), "count": cells.number(counts.get("rows", 0))}]
    for fate, label, tone, number in counted(counts, applied=True):
        if number or fate in {Fate.CREATE, Fate.REFUSED}:
            made.append({"label": label, "count": cells.number(number), "tone": tone})
    for entity in registry:
        plural = parts.plural(entity.name)
        for key, label in (
            (f"{plural}_created", _("%(records)s created along")),
            (f"{plural}_updated", _("%(records)s updated along")),
        ):
            if number := counts.get(key, 0):
                name = label % {"records": entity.label_plural}
                made.append({"label": name, "count": cells.number(number), "tone": "ok"})
    return made


def outcome(upload: ImportFile, cells: CellContext) -> str:
    """What came of an import, or would come of it, in a few words."""
    said = [
        f"{cells.number(number)} {str(label).lower()}"
        for _fate, label, _tone, number in counted(upload.counts, applied=is_applied(upload))
        if number
    ]
    return upload.message or " · ".join(said)


_PLANS = {
    Fate.CREATE: gettext_lazy("Will be created"),
    Fate.UPDATE: gettext_lazy("Will be updated"),
    Fate.DUPLICATE: gettext_lazy("Possible duplicates"),
    Fate.REFUSED: gettext_lazy("Refused"),
}
_RESULTS = {
    Fate.CREATE: gettext_lazy("Created"),
    Fate.UPDATE: gettext_lazy("Updated"),
    Fate.DUPLICATE: gettext_lazy("Held back as duplicates"),
    Fate.REFUSED: gettext_lazy("Refused"),
}


def groups(
    upload: ImportFile, counts: dict[str, Any], cells: CellContext
) -> list[tuple[str, str, str, str]]:
    """Why rows are refused, summed up: (key, how many, column, what)."""
    columns = flow.columns_of(upload)
    summed = []
    for key, number in sorted(counts.get("why", {}).items(), key=lambda item: -item[1])[:GROUPS]:
        index, _bar, code = key.partition("|")
        column = report.column_name(columns, int(index)) if index else ""
        summed.append((key, cells.number(number), column, str(_CODES.get(code, code))))
    return summed


_CODES = {
    "required": gettext_lazy("required, but empty or not mapped"),
    "shape": gettext_lazy("more cells than columns, or damaged"),
    "unreadable": gettext_lazy("cannot be read"),
    "id": gettext_lazy("no record id"),
    FORBIDDEN: gettext_lazy("not yours to change"),
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
    "long": gettext_lazy("too long"),
    "range": gettext_lazy("too small or too large"),
    "": gettext_lazy("not allowed by a rule"),
}
