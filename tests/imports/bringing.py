"""The way of a file in, as tests need it: received, planned, applied."""

import dataclasses
import io
import zipfile
from types import SimpleNamespace

from rapport.imports import flow, mapping, report, samerows
from rapport.meta.registry import registry
from rapport.models import ImportFile
from rapport.queries.imports import plan_of


def describe(content, entity="contact", *, by, name="list.csv", **reading):
    """The upload with what Rapport makes of it."""
    upload = flow.receive([content], name=name, entity=entity, by=by)
    flow.describe(upload, by=by, reading=reading)
    return upload


def plan(content, entity="contact", *, by, picks=(), missing=None, **options):
    """The upload, planned. `missing` {field: what happens when a look-up finds nothing}."""
    upload = describe(content, entity, by=by, **options)
    made = mapping.changed(flow.mapping_of(upload), flow.columns_of(upload), picks)
    for index, target in list(made.columns.items()):
        if target.field in (missing or {}):
            rule = {index: missing[target.field]}
            made.columns[index] = mapping.chosen(
                registry[upload.entity], {index: target.field}, rule
            ).columns[index]
    flow.remap(upload, made)
    return checked(upload, by=by)


def bring(content, entity="contact", *, by, **options):
    """The whole way; what came of it."""
    return applied(plan(content, entity, by=by, **options), by=by)


def mapped(upload, targets=None, **said):
    """The upload with more said of its mapping: `targets` {header: what its target has}."""
    mapping = flow.mapping_of(upload)
    columns = said.pop("columns", None) or dict(mapping.columns)
    for header, more in (targets or {}).items():
        index = flow.columns_of(upload).index(header)
        columns[index] = dataclasses.replace(columns[index], **more)
    flow.remap(upload, dataclasses.replace(mapping, columns=columns, **said))
    return upload


def planned(content, entity="contact", *, by, targets=None, reading=None, **said):
    """The upload, planned."""
    upload = describe(content, entity, by=by, **(reading or {}))
    return checked(mapped(upload, targets, **said), by=by)


def brought(content, entity="contact", *, by, **said):
    """What comes of the whole way."""
    return applied(planned(content, entity, by=by, **said), by=by)


def checked(upload, *, by):
    """The upload with its plan."""
    flow.plan_now(upload, by=by)
    return ImportFile.objects.get(pk=upload.pk)


def applied(upload, *, by):
    """What comes of a plan."""
    flow.apply_now(upload, by=by)
    return outcome(upload)


def outcome(upload):
    """Counts (those that are not zero), errors as (row, column, reason), the operation."""
    upload = ImportFile.objects.select_related("operation").get(pk=upload.pk)
    counts = {name: count for name, count in upload.counts.items() if count}
    return SimpleNamespace(
        upload=upload, counts=counts, errors=errors(upload), operation=upload.operation
    )


def errors(upload):
    """(row, column, reason) of everything that was refused."""
    found = report.errors(plan_of(upload))
    return [(error["row"], error["column"], error["reason"]) for error in found]


def fates(upload):
    """{row: fate} of the rows that are not simply created."""
    return {row.row: row.fate for row in plan_rows(plan_of(upload))}


def plan_rows(plan):
    """All rows of which the plan says something, also those that it keeps together."""
    return sorted([*plan.rows.all(), *samerows.told(plan)], key=lambda row: row.row)


def zipped(files):
    """{name: content} as an archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as whole:
        for name, content in files.items():
            whole.writestr(name, content)
    return out.getvalue()
