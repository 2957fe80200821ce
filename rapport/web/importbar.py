"""The foot of a plan: what the import would do in a line, and the button that does it."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _, ngettext

from rapport.imports import bundle, parts
from rapport.meta.entity import Entity
from rapport.meta.registry import registry
from rapport.models import ImportFile

from .cells import CellContext
from .importsteps import whole


def bar(upload: ImportFile, cells: CellContext) -> dict[str, Any]:
    """What the import that a file is part of would do in a line, and the button that does it."""
    every = whole(upload)
    files = bundle.members_of(every) if bundle.is_bundle(every) else [every]
    every_file = [_bar(file, cells) for file in files]
    made = every_file[0]
    if len(every_file) > 1:
        number = sum(one["number"] for one in every_file)
        made["said"] = [line for one in every_file for line in one["said"]]
        made["left"] = sum(one["left"] for one in every_file)
        text = _("Import %(n)s records") % {"n": cells.number(number)}
        made |= {"go": text if number else "", "nothing": "" if number else _nothing(every.counts)}
    if made["left"]:
        text = ngettext("%(n)s row left out", "%(n)s rows left out", made["left"])
        line = {"text": text % {"n": cells.number(made["left"])}, "tone": "warn"}
        made["said"] = [*made["said"], line]
    return made | {
        "apply_url": reverse("import-apply", args=[every.pk]),
        "mapping_url": ""
        if bundle.is_bundle(upload)
        else reverse("import-mapping", args=[upload.pk]),
        "delete_url": reverse("import-delete", args=[every.pk]),
    }


def _bar(upload: ImportFile, cells: CellContext) -> dict[str, Any]:
    """What one file would do."""
    entity, counts = registry[upload.entity], upload.counts
    written = counts.get("create", 0) + counts.get("update", 0)
    along = [(e, n) for e in registry if (n := _along(counts, e))]
    left = counts.get("rows", 0) - written - counts.get("same", 0)
    said = []
    if counts.get("create"):
        what = f"{cells.number(counts['create'])} {noun(entity, counts['create'])}"
        said.append({"text": _("%(what)s to create") % {"what": what}, "tone": "ok"})
    if counts.get("update"):
        said.append({"text": _("%(n)s to update") % {"n": cells.number(counts["update"])}})
    for other, number in along:
        what = f"{cells.number(number)} {noun(other, number)}"
        said.append({"text": _("%(what)s made along with them") % {"what": what}})
    go = ""
    if written or along:
        number = written or sum(n for _e, n in along)
        what = noun(entity if written else along[0][0], number)
        go = _("Import %(n)s %(records)s") % {"n": cells.number(number), "records": what}
    return {
        "said": said,
        "nothing": "" if go else _nothing(counts),
        "go": go,
        "left": left,
        "number": written + sum(n for _e, n in along),
    }


def _along(counts: dict[str, Any], entity: Entity) -> int:
    return int(counts.get(parts.plural(entity.name), 0))


def noun(entity: Entity, number: int) -> str:
    """What so many records are called."""
    return str(entity.label if number == 1 else entity.label_plural).lower()


def _nothing(counts: dict[str, Any]) -> str:
    """Why there is nothing to import."""
    if counts.get("refused") == counts.get("rows"):
        return _("Every row would be refused: correct the columns, or the file.")
    if counts.get("refused"):
        return _("Nothing would be written: all rows that can be taken are there already.")
    return _("Everything in this file is there already.")
