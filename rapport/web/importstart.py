"""A new import: files or pasted cells come in and are looked at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_http_methods

from rapport import access
from rapport.files.refusal import empty
from rapport.imports import flow, recipes
from rapport.imports.mapping import MappingRefused
from rapport.imports.uploads import FileRefused, UploadTooLarge
from rapport.meta.entity import Entity
from rapport.models import ImportFile
from rapport.queries import imports as found

from . import importbar, shell
from .cells import cell_context
from .importsteps import RECENT, error_text, outcome, steps
from .signin import signed_in

FORMATS = {
    "xlsx": gettext_lazy("Excel workbook"),
    "csv": gettext_lazy("CSV"),
    "xml": gettext_lazy("XML"),
}
ACCEPTED = ".csv,.tsv,.txt,.xlsx,.xls,.xlsb,.ods,.fods,.xml,.json,.jsonl,.vcf,.zip"


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def new(request: HttpRequest) -> HttpResponse:
    """Choose a file and what it holds."""
    choices = flow.importable_for(request.user)
    if not choices:
        raise access.Forbidden("import")
    if request.method == "POST":
        return _receive(request, choices)
    return _page(request, choices, request.GET.get("entity", flow.AUTO))


def _page(
    request: HttpRequest, choices: list[Entity], entity: str, *, error: str = "", status: int = 200
) -> HttpResponse:
    context = {
        "entities": [(e.name, e.label_plural) for e in choices],
        "entity": entity if entity in {e.name for e in choices} else flow.AUTO,
        "format": FORMATS.get(request.GET.get("format", "")),
        "limit": settings.UPLOAD_LIMIT // 1024**2,
        "limit_bytes": str(settings.UPLOAD_LIMIT),
        "accepted": ACCEPTED,
        "templates": [(e.label_plural, e.icon, reverse("template", args=[e])) for e in choices],
        "pasted": request.POST.get("pasted", "") if status != 200 else "",
        "recent": _recent(request),
        "heading": _("Import"),
        "steps": steps(0),
        "error": error,
    }
    return shell.render(request, "imports/new.html", context, status=status)


def _recent(request: HttpRequest) -> list[dict[str, Any]]:
    """The viewer's last imports, to go on with."""
    cells = cell_context()
    return [
        {
            "url": reverse("import", args=[upload.pk]),
            "name": upload.name,
            "state": state,
            "tone": tone,
            "outcome": outcome(upload, cells),
        }
        for upload in found.imports_for(request.user)[0][:RECENT]
        for state, tone in [importbar.state_of(upload)]
    ]


def _receive(request: HttpRequest, choices: list[Entity]) -> HttpResponse:
    entity = request.POST.get("entity", flow.AUTO)
    if entity not in {flow.AUTO, *(e.name for e in choices)}:
        raise access.Forbidden("import")
    files = request.FILES.getlist("file")
    if not any(file.size for file in files):
        files = []
    pasted = request.POST.get("pasted", "").strip("\r\n")
    if not files and not pasted:
        text = error_text(empty()) if request.FILES else _("Choose a file, or paste cells.")
        return _page(request, choices, entity, error=text, status=422)
    try:
        upload = _kept(request, files, pasted, entity)
    except UploadTooLarge as error:
        return _page(request, choices, entity, error=str(error), status=413)
    if flow.is_large(upload):
        flow.describe_later(upload, by=request.user)
        return shell.moved(request, reverse("import", args=[upload.pk]))
    try:
        _describe(request, upload, choices)
    except FileRefused as refused:
        flow.delete(upload)
        return _page(request, choices, entity, error=error_text(refused), status=422)
    return shell.moved(request, reverse("import", args=[upload.pk]))


def _kept(
    request: HttpRequest, files: Sequence[UploadedFile], pasted: str, entity: str
) -> ImportFile:
    """What was sent, kept. Raises UploadTooLarge."""
    if not files:
        # A byte order mark: pasted text is Unicode whatever it looks like.
        chunks = [("\ufeff" + pasted).encode("utf-8", "replace")]
        return flow.receive(chunks, name=_("Pasted cells.txt"), entity=entity, by=request.user)
    # Several are an archive of themselves, of which each file says what it holds; what is empty
    # is then told of.
    kept = [(file.name or "", file.chunks()) for file in files]
    several = entity if sum(bool(file.size) for file in files) == 1 else flow.AUTO
    return flow.receive_many(kept, entity=several, by=request.user)


def _describe(request: HttpRequest, upload: ImportFile, choices: list[Entity]) -> None:
    """Look at the file; when it does not tell what it holds, start with the first and say so."""
    try:
        flow.describe(upload, by=request.user)
    except MappingRefused as refused:
        flow.read_again(upload, choices[0], {}, by=request.user)
        upload.options = {**upload.options, "doubt": str(refused)}
        upload.save(update_fields=["options"])
    recipes.use_if_known(upload, by=request.user)


urlpatterns = [path("imports/new/", new, name="import-new")]
