"""The outcome of an import: as numbers, and the rows that were not taken as a file to repair."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from heapq import merge
from operator import attrgetter
from typing import Any

from django.db.models import Q, TextField
from django.db.models.functions import Cast
from django.utils.translation import gettext as _

from rapport.files.formula import escape
from rapport.files.read import Record
from rapport.meta.entity import Entity
from rapport.meta.registry import registry
from rapport.models import ImportFile, Plan, PlanRow
from rapport.models.operations import Fate
from rapport.queries.imports import imports_with, plan_of, plan_rows

from . import bundle, decisions, flow, kept as kept_keys, later, reasons as why, samerows, uploads
from .alike import TAKEN
from .doubles import likeness_of
from .kept import Places

# Fates whose rows somebody can repair and import again.
ERRORS: tuple[str, ...] = (Fate.REFUSED, Fate.CHANGED)
# Those that were taken, but not whole.
IN_PART: tuple[str, ...] = (Fate.PARTIAL,)
READ_AT_ONCE = 2000


def errors(plan: Plan, fates: Sequence[str] = ERRORS) -> Iterator[dict[str, Any]]:
    """Every reason of every row with one of `fates`, else of those that were not taken: {row,
    column, reason}."""
    upload = plan.import_file
    columns = flow.columns_of(upload) if upload else ()
    found = Q(fate__in=fates)
    if Fate.PARTIAL in fates and upload is not None and upload.operation_id is None:
        # Nothing is written yet: they would be taken, but not whole.
        found |= Q(fate__in=TAKEN, text__contains=f'"{later.CODE}"')
    kept = plan.rows.annotate(text=Cast("reasons", TextField())).filter(found).order_by("row")
    for row in kept.iterator(chunk_size=READ_AT_ONCE):
        yield from _told(row, columns)


def held_back(plan: Plan) -> Iterator[dict[str, Any]]:
    """Every row that is held back because it repeats something: {row, record or like: what it
    repeats, confidence: percent, reason}."""
    upload = plan.import_file
    if upload is None:
        return
    entity, places = registry[upload.entity], Places(plan)
    rows = plan.rows.filter(fate=Fate.DUPLICATE).order_by("row")
    for row in rows.iterator(chunk_size=READ_AT_ONCE):
        yield {
            "row": row.row,
            "record": str(row.record) if row.record and not row.like else None,
            "like": places.where(row.like)[1] or None,
            "confidence": likeness_of(row)[0],
            "reason": duplicate_text(row, entity, places),
        }


def errors_page(plan: Plan, *, after: int, limit: int) -> tuple[list[dict[str, Any]], int | None]:
    """The reasons of at most `limit` rows behind the row `after`, and the last of those rows when
    there are more. Of several files `after` counts the rows that were had already."""
    upload = plan.import_file
    if upload is not None and bundle.is_bundle(upload):
        return _errors_of_several(upload, after, limit)
    columns = flow.columns_of(upload) if upload else ()
    rows, more = plan_rows(plan, (*ERRORS, *IN_PART), after=after, size=limit)
    found = [told for row in rows for told in _told(row, columns)]
    return found, rows[-1].row if more else None


def _errors_of_several(
    upload: ImportFile, after: int, limit: int
) -> tuple[list[dict[str, Any]], int | None]:
    found: list[dict[str, Any]] = []
    passed, left = 0, limit
    for member in bundle.members_of(upload):
        plan, columns = plan_of(member), flow.columns_of(member)
        if plan is None:
            continue
        rows = plan.rows.filter(fate__in=(*ERRORS, *IN_PART)).order_by("row")
        start = max(0, after - passed)
        number = rows.count()
        taken = rows[start : start + left]
        file = kept_keys.name_of(member)
        found += [{"file": file, **told} for row in taken for told in _told(row, columns)]
        left -= min(left, max(0, number - start))
        passed += number
    return found, after + limit if passed > after + limit else None


def _told(row: PlanRow, columns: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    for reason in why.from_json(row.reasons):
        column = column_name(columns, reason.column) or None
        yield {"row": row.row, "column": column, "reason": reason.text}


def column_name(columns: tuple[str, ...], index: int | None) -> str:
    """What people call a column of the file."""
    if index is None or index >= len(columns):
        return ""
    return columns[index] or _("Column %(number)s") % {"number": index + 1}


def mapping_of(upload: ImportFile) -> dict[str, str | None]:
    """{header: field name, None when ignored}; a header that comes again gets its number."""
    mapping = flow.mapping_of(upload)
    found: dict[str, str | None] = {}
    for index, header in enumerate(flow.columns_of(upload)):
        name = column_name((header,), 0) if header else f"#{index + 1}"
        if name in found:
            name = f"{name} #{index + 1}"
        target = mapping.columns.get(index)
        found[name] = target.field if target else None
    return found


def rows_file(upload: ImportFile, plan: Plan, fates: tuple[str, ...] = ERRORS) -> Iterator[bytes]:
    """The rows with one of `fates`, cell by cell as in the file, and why they were not taken:
    repaired, this file can be imported as it is. CSV, in pieces, at least one; with the first comes
    FileRefused, UploadGone."""
    begin = codecs.BOM_UTF8
    # Of several one below the other.
    for file, own in _files_with(upload, plan, fates):
        for piece in _rows_of_file(file, own, fates):
            yield begin + piece
            begin = b""
    if begin:
        yield begin


def _files_with(
    upload: ImportFile, plan: Plan, fates: tuple[str, ...]
) -> Iterator[tuple[ImportFile, Plan]]:
    """The file, or of several those that have rows with one of `fates`; and their plans."""
    if not bundle.is_bundle(upload):
        yield upload, plan
        return
    for member in bundle.members_of(upload):
        own = plan_of(member)
        if own is not None and own.rows.filter(fate__in=fates).exists():
            yield member, own


def _rows_of_file(upload: ImportFile, plan: Plan, fates: tuple[str, ...]) -> Iterator[bytes]:
    entity, places = registry[upload.entity], Places(plan)
    with uploads.open_upload(upload) as table:
        # Where lists have semicolons, Excel puts a line with commas into one cell.
        alone = upload.parent_id is None
        sign = ";" if alone and table.options.delimiter == ";" else ","
        # Rows that were not taken, and are not again, have new reasons in place of the old ones.
        width = len(table.columns) - _has_reasons(upload, table.columns)
        yield _line([*table.columns[:width], why.heading()], sign)
        plain = decisions.shown(None, decisions.alike_of(plan))
        # Of rows that become what most do the plan keeps nothing: all others are asked for.
        kept = _by_row(plan, Fate.values if plain in fates else fates)
        wanted = next(kept, None)
        for batch in table.iter_batches(READ_AT_ONCE):
            lines = []
            for record in batch:
                while wanted is not None and wanted.row < record.number:
                    wanted = next(kept, None)
                row = wanted
                if row is None or row.row != record.number:
                    row = PlanRow(row=record.number, fate=plain)
                if row.fate in fates:
                    cells = _cells(record, row, len(table.columns))[:width]
                    lines.append(_line([*cells, _reason(row, entity, places)], sign))
            if lines:
                yield b"".join(lines)
            if wanted is None and plain not in fates:
                return


def _has_reasons(upload: ImportFile, columns: Sequence[str]) -> bool:
    """Whether the last column has what we said of rows of a file that was brought before."""
    return (
        columns[-1] == why.heading()
        and upload.created_by is not None
        and imports_with(columns[:-1], upload.created_by).exists()
    )


def _by_row(plan: Plan, fates: Sequence[str]) -> Iterator[PlanRow]:
    rows = plan.rows.filter(fate__in=fates).order_by("row")
    together = samerows.told(plan) if Fate.SAME in fates else iter(())
    return merge(rows.iterator(chunk_size=READ_AT_ONCE), together, key=attrgetter("row"))


def _cells(record: Record, row: PlanRow, width: int) -> list[str]:
    """The cells of a row of the file; what was repaired already stays repaired."""
    cells = list(record.cells)
    cells += [""] * (width - len(cells))
    for index, text in (row.cells or {}).items():
        cells[int(index)] = text
    return cells


def _reason(row: PlanRow, entity: Entity, places: Places) -> str:
    if row.fate == Fate.DUPLICATE:
        return duplicate_text(row, entity, places)
    return " ".join(reason.text for reason in reasons_of(row))


def reasons_of(row: PlanRow) -> list[why.Reason]:
    """Why a row, which is no duplicate, is not taken."""
    # Of a duplicate that somebody left out it is kept what it is like.
    is_likeness = bool(row.reasons) and not isinstance(row.reasons[0], list)
    found = [] if is_likeness else why.from_json(row.reasons)
    if not found and row.fate == Fate.SKIP:
        return [why.Reason(_("Left out by decision."))]
    return found


def duplicate_text(row: PlanRow, entity: Entity, places: Places) -> str:
    """How a row is a duplicate. `places`: those of its plan."""
    confidence, reasons = likeness_of(row)
    file, like = places.where(row.like)
    values = {
        "row": like,
        "file": kept_keys.name_of(file) if file else "",
        "confidence": confidence,
        "same": ", ".join(one.label for one in reasons if one.level == "same")
        or ", ".join(one.label for one in reasons if one.level == "similar")
        or entity.label,
    }
    if file:
        text = _("The same as row %(row)s of %(file)s (%(confidence)s%%): %(same)s.")
        return text % values
    if like:
        text = _("The same as row %(row)s of this file (%(confidence)s%%): %(same)s.")
        return text % values
    return _("There is such a record already (%(confidence)s%%): the same %(same)s.") % values


def _line(cells: list[str], sign: str) -> bytes:
    text = io.StringIO()
    line = csv.writer(text, delimiter=sign, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    line.writerow(map(escape, cells))
    return text.getvalue().encode("utf-8", "backslashreplace")
