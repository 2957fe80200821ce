"""Imports by a recipe: send a file, ask what became of it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from itertools import chain
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.http import content_disposition_header, parse_header_parameters
from django.utils.translation import gettext as _

from rapport.files.read import FileRefused
from rapport.imports import packing, recipekeys, report, unattended
from rapport.imports.recipefit import RecipeRefused
from rapport.imports.tallies import totals
from rapport.imports.uploads import UploadGone, UploadTooLarge
from rapport.models import ImportFile, ImportRecipe
from rapport.queries.imports import plan_of
from rapport.queries.recipes import run_for

from . import door
from .door import Answer, for_programs

PER_MINUTE = 60
PAGE, LARGEST_PAGE = 100, 1000
PIECE = 1 << 20
# A form of a page, pictures and the like are no tables.
TABLES = ("text/", "application/")
NO_TABLES = frozenset({"application/x-www-form-urlencoded", "application/pdf", "text/html"})
FORM = "multipart/form-data"


# -- a file comes in ------------------------------------------------------------------------------


@for_programs("POST", per_minute=PER_MINUTE)
def receive(request: HttpRequest, recipe: ImportRecipe) -> HttpResponse:
    """Take a file: the body as it is, or the part `file` of a form. 202 and where to ask."""
    kind = request.content_type or ""
    if kind in NO_TABLES or not (not kind or kind == FORM or kind.startswith(TABLES)):
        text = _(
            "“%(kind)s” is no file that can be imported. Send the file as multipart/form-data in "
            "“file”, or as the body with its type, such as text/csv."
        )
        raise Answer(415, text % {"kind": kind[:100]})
    try:
        chunks, name = _form_file(request) if kind == FORM else _body(request)
        upload = unattended.receive(recipe, chunks, name=name or recipe.name)
    except UploadTooLarge:
        return door.too_large()
    except FileRefused as refused:
        raise Answer(400 if refused.code == "empty" else 415, str(refused)) from refused
    except RecipeRefused as refused:
        raise Answer(403, str(refused)) from refused
    recipekeys.note_key_used(recipe)
    url = request.build_absolute_uri(reverse("api-import-state", args=[recipe.pk, upload.pk]))
    found = {"id": str(upload.pk), "state": upload.state, "url": url}
    return JsonResponse(found, status=202, headers={"Location": url})


def _form_file(request: HttpRequest) -> tuple[Iterator[bytes], str]:
    files = request.FILES.getlist("file")
    if not files:
        raise Answer(400, _("The form has no file in “file”."))
    if len(files) > 1:
        named = [(file.name or "file", file.chunks()) for file in files]
        return packing.packed(named), ", ".join(name for name, _chunks in named)
    return iter(files[0].chunks()), files[0].name or ""


def _body(request: HttpRequest) -> tuple[Iterator[bytes], str]:
    if _is_too_long(request):
        raise UploadTooLarge  # before any of it is read
    _kind, said = parse_header_parameters(request.headers.get("Content-Disposition", ""))
    return _pieces(request), said.get("filename") or request.GET.get("name", "")


def _is_too_long(request: HttpRequest) -> bool:
    length = request.headers.get("Content-Length", "")
    return length.isdecimal() and int(length) > settings.UPLOAD_LIMIT


def _pieces(request: HttpRequest) -> Iterator[bytes]:
    while piece := request.read(PIECE):
        yield piece


# -- what became of it ----------------------------------------------------------------------------


@for_programs("GET", "HEAD")
def show(request: HttpRequest, recipe: ImportRecipe, id: uuid.UUID) -> HttpResponse:
    """State, counts and a page of errors: `after` a row, at most `limit` rows."""
    upload = _run(recipe, id)
    after, limit = _number(request, "after", 0), _number(request, "limit", PAGE)
    limit = min(max(limit, 1), LARGEST_PAGE)
    plan = plan_of(upload)
    errors, last = report.errors_page(plan, after=after, limit=limit) if plan else ([], None)
    here = request.build_absolute_uri(reverse("api-import-state", args=[recipe.pk, upload.pk]))
    applied = "created" in upload.counts
    found: dict[str, Any] = {
        "id": str(upload.pk),
        "recipe": str(recipe.pk),
        "file": upload.name,
        "state": upload.state,
        "message": upload.message,
        "is_over": upload.ended_at is not None or "left" in upload.options,
        "created_at": upload.created_at.isoformat(),
        "ended_at": upload.ended_at.isoformat() if upload.ended_at else None,
        # Before it is applied: what the plan says would happen.
        "applied": applied,
        "counts": totals(upload.counts, dry_run=not applied),
        "operation": str(upload.operation_id) if upload.operation_id else None,
        "errors": errors,
        "errors_next": f"{here}?after={last}&limit={limit}" if last else None,
        "error_rows": f"{here}errors.csv" if plan else None,
    }
    return JsonResponse(found)


@for_programs("GET", "HEAD")
def error_rows(request: HttpRequest, recipe: ImportRecipe, id: uuid.UUID) -> HttpResponseBase:
    """The rows that were not taken, as in the file, each with its reason."""
    upload = _run(recipe, id)
    plan = plan_of(upload)
    if plan is None:
        raise door.not_found()
    pieces = report.rows_file(upload, plan)
    try:
        first = next(pieces)
    except (FileRefused, UploadGone) as error:
        raise Answer(404, str(error)) from error
    rows = chain([first], pieces)
    answer = StreamingHttpResponse(rows, content_type="text/csv; charset=utf-8")
    stem = upload.name.rpartition(".")[0] or upload.name
    name = content_disposition_header(True, f"{stem} (errors).csv")
    answer.headers["Content-Disposition"] = name or "attachment"
    return answer


def _run(recipe: ImportRecipe, id: uuid.UUID) -> ImportFile:
    upload = run_for(recipe, id)
    if upload is None:
        raise door.not_found()
    return upload


def _number(request: HttpRequest, name: str, default: int) -> int:
    text = request.GET.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 10 else default
