"""The foot of a plan: what the import would do in a line, and the button that does it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _, gettext_lazy, ngettext

from rapport.imports import bundle, parts
from rapport.imports.reasons import FORBIDDEN
from rapport.meta.entity import Entity
from rapport.meta.registry import registry
from rapport.models import ImportFile
from rapport.models.operations import Fate, ImportState
from rapport.queries.imports import plan_of

from .cells import CellContext
from .importsteps import FATES, TONES, whole

# Rows of which nothing would be written, and why.
HELD = {
    Fate.DUPLICATE: gettext_lazy("%(n)s held back as duplicates"),
    Fate.REFUSED: gettext_lazy("%(n)s refused"),
    Fate.SKIP: gettext_lazy("%(n)s left out"),
}


def bar(upload: ImportFile, cells: CellContext) -> dict[str, Any]:
    """What the import that a file is part of would do in a line, and the button that does it."""
    every = whole(upload)
    files = bundle.members_of(every) if bundle.is_bundle(every) else [every]
    created: Counter[str] = Counter()
    along: Counter[str] = Counter()
    filled: Counter[str] = Counter()
    updated = late = partial = 0
    held: Counter[Fate] = Counter()
    for file in files:
        counts = file.counts
        created[file.entity] += counts.get("create", 0)
        updated += counts.get("update", 0)
        for entity in registry:
            along[entity.name] += counts.get(parts.plural(entity.name), 0)
            filled[entity.name] += counts.get(f"{parts.plural(entity.name)}_updated", 0)
        held.update({fate: counts.get(FATES[fate][1], 0) for fate in HELD})
        late += counts.get("late", 0)
        partial += counts.get("partial", 0)
    go = _go([file.entity for file in files], created.total() + updated, +along, +filled, cells)
    said = _said(+created, updated, +along, +filled, cells)
    if late:
        text = ngettext("%(n)s link set at the end", "%(n)s links set at the end", late)
        said.append({"text": text % {"n": cells.number(late)}, "tone": ""})
    if partial:
        text = ngettext("%(n)s row lacks a link", "%(n)s rows lack a link", partial)
        said.append({"text": text % {"n": cells.number(partial)}, "tone": "warn"})
    for fate, number in (+held).items():
        text = str(HELD[fate]) % {"n": cells.number(number)}
        said.append({"text": text, "tone": FATES[fate][0]})
    return {
        "said": said,
        "go": go,
        "nothing": "" if go else _nothing(every, files),
        "apply_url": reverse("import-apply", args=[every.pk]),
        "mapping_url": ""
        if bundle.is_bundle(upload)
        else reverse("import-mapping", args=[upload.pk]),
        "delete_url": reverse("import-delete", args=[every.pk]),
    }


def state_of(upload: ImportFile) -> tuple[Any, str]:
    """Where an import stands, and its tone; of a plan also that nothing would come of it."""
    if getattr(upload, "is_undone", False):
        return _("Undone"), ""
    tone = TONES[ImportState(upload.state)]
    if upload.state == ImportState.PLANNED and not writes(upload.counts):
        return _("Nothing to import"), tone
    return upload.get_state_display(), tone


def writes(counts: Mapping[str, int]) -> bool:
    """Whether a plan with these counts would write anything."""
    along = [parts.plural(entity.name) for entity in registry]
    filled = [f"{name}_updated" for name in along]
    return any(counts.get(name) for name in ("create", "update", *along, *filled))


def _said(
    created: Counter[str],
    updated: int,
    along: Counter[str],
    filled: Counter[str],
    cells: CellContext,
) -> list[dict[str, str]]:
    """What would be written, a sort of record after the other."""
    said = []
    for name, number in created.items():
        what = f"{cells.number(number)} {noun(registry[name], number)}"
        said.append({"text": _("%(what)s to create") % {"what": what}, "tone": "ok"})
    if updated:
        said.append({"text": _("%(n)s to update") % {"n": cells.number(updated)}})
    for name, number in along.items():
        what = f"{cells.number(number)} {noun(registry[name], number)}"
        said.append({"text": _("%(what)s made along with them") % {"what": what}})
    for name, number in filled.items():
        what = f"{cells.number(number)} {noun(registry[name], number)}"
        said.append({"text": _("%(what)s updated along with them") % {"what": what}})
    return said


def _go(
    entities: list[str],
    written: int,
    along: Counter[str],
    filled: Counter[str],
    cells: CellContext,
) -> str:
    """What the button says; nothing when there is nothing to do."""
    number = written if written and len(entities) == 1 else written + along.total()
    if not number and filled:
        # Rows that say nothing new of their own record may do so of the one that they name.
        name, number = next(iter(filled.items()))
        words = {"n": cells.number(number), "records": noun(registry[name], number)}
        return _("Update %(n)s %(records)s") % words
    if not number:
        return ""
    if len(entities) > 1:
        return _("Import %(n)s records") % {"n": cells.number(number)}
    entity = registry[entities[0] if written else next(iter(along))]
    words = {"n": cells.number(number), "records": noun(entity, number)}
    return _("Import %(n)s %(records)s") % words


def noun(entity: Entity, number: int) -> str:
    """What so many records are called."""
    return str(entity.label if number == 1 else entity.label_plural).lower()


def _nothing(every: ImportFile, files: list[ImportFile]) -> str:
    """Why there is nothing to import, and what helps."""
    counts = every.counts
    if counts.get("refused") == counts.get("rows"):
        plans = filter(None, map(plan_of, files))
        # No row says so twice.
        said = sum(plan.counts.get("why", {}).get(f"|{FORBIDDEN}", 0) for plan in plans)
        if said == counts.get("rows"):
            return _(
                "Every row is about a record that is not yours to change: ask its owner to share "
                "it with you, or to import this file."
            )
        return _("Every row would be refused: correct the columns, or the file.")
    if counts.get("refused"):
        return _("Nothing would be written: all rows that can be taken are there already.")
    return _("Everything in this file is there already.")
