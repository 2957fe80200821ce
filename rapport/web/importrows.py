"""The rows of a plan as its pages show them: cells of the file, what would change, the stored
record beside, and what can be said about each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _, gettext_lazy

from rapport.imports import flow, mapping as mappings, parts, report
from rapport.imports.headers import RECORD_ID
from rapport.imports.showing import Beside, Shown
from rapport.meta.entity import Entity
from rapport.meta.registry import registry
from rapport.models import ImportFile
from rapport.models.operations import Decision, Fate

from .duplicates import certainty, reason_chips
from .importsteps import FATES
from .sidebyside import DIFFERENT, MARKS, ONE, SAME, SIMILAR

# Rows of a page, and columns of its table: those in which something is wrong always stand there.
SIZE, WIDTH = 50, 14
# Fates that are shown as cards, with what is stored beside; the others as a table of cells.
CARDS = frozenset({Fate.UPDATE, Fate.DUPLICATE})
KEYS = {Decision.UPDATE: "u", Decision.FILL: "f", Decision.CREATE: "c", Decision.SKIP: "x"}
VERBS = {
    Decision.UPDATE: gettext_lazy("Update"),
    Decision.FILL: gettext_lazy("Fill blanks"),
    Decision.CREATE: gettext_lazy("Create anyway"),
    Decision.SKIP: gettext_lazy("Leave out"),
}
# What a row says that is not any more what the tab is about.
SAID = {
    Fate.CREATE: gettext_lazy("will be created"),
    Fate.UPDATE: gettext_lazy("will be updated"),
    Fate.SAME: gettext_lazy("changes nothing"),
    Fate.DUPLICATE: gettext_lazy("possible duplicate"),
    Fate.REFUSED: gettext_lazy("refused"),
    Fate.SKIP: gettext_lazy("left out"),
    Fate.CHANGED: gettext_lazy("changed since the plan"),
}
# What is wrong with a cell, where its text says all else; other reasons are said in full.
SHORT = {
    "required": gettext_lazy("Required"),
    "email": gettext_lazy("Not an e-mail address"),
    "date": gettext_lazy("Not a date: write 2026-12-31"),
    "datetime": gettext_lazy("Not a date: write 2026-12-31"),
    "number": gettext_lazy("Not a number"),
    "money": gettext_lazy("Not an amount"),
    "boolean": gettext_lazy("Neither yes nor no"),
}


class Rows:
    """The rows of one page. `tab`: the fate that the page is about; `columns`: those of its table,
    when they are known already; `frozen`: nothing can be said any more."""

    def __init__(
        self,
        request: HttpRequest,
        upload: ImportFile,
        shown: Sequence[Shown],
        tab: str,
        *,
        columns: Sequence[int] | None = None,
        has_notes: bool | None = None,
        frozen: bool = False,
    ) -> None:
        self.request, self.upload, self.shown, self.tab = request, upload, shown, tab
        self.entity: Entity = registry[upload.entity]
        self.mapping = flow.mapping_of(upload)
        self.headers = flow.columns_of(upload)
        self.frozen = frozen
        self.is_table = tab not in CARDS
        self.bad = sorted({r.column for row in shown for r in row.reasons if r.column is not None})
        self.columns = list(columns) if columns is not None else self._columns()
        self.has_notes = any(self._notes(row) for row in shown) if has_notes is None else has_notes
        self._prefix = reverse("list", args=[self.entity])

    def _columns(self) -> list[int]:
        """What is wrong first, then what is mapped, in the order of the file."""
        mapped = [i for i in sorted(self.mapping.columns) if i not in self.bad]
        return [*self.bad, *mapped[: max(4, WIDTH - len(self.bad))]]

    def context(self) -> dict[str, Any]:
        """For `imports/rows.html`."""
        return {
            "rows": [self.row(one) for one in self.shown],
            "columns": self._heads() if self.is_table else (),
            "has_notes": self.has_notes,
        }

    def _heads(self) -> list[dict[str, Any]]:
        heads = []
        for index in self.columns:
            target = self.mapping.columns.get(index)
            header = report.column_name(self.headers, index)
            label = mappings.label_of(self.entity, target.field) if target else ""
            same = label.casefold() == header.casefold()
            bad = index in self.bad
            heads.append({"header": header, "field": "" if same else label, "bad": bad})
        return heads

    def row(self, shown: Shown) -> dict[str, Any]:
        """One row."""
        return {
            "number": shown.number,
            "title": self._title(shown),
            "fate": shown.fate,
            "label": SAID[shown.fate],
            "tone": FATES[shown.fate][0],
            "moved": shown.fate != self.tab,
            "decision": shown.decision,
            "url": "" if self.frozen else self._url(shown),
            "choices": [] if self.frozen else self._choices(shown),
            "notes": self._notes(shown),
            "record": self._record(shown.record),
            "like": shown.like,
            **(self._of_table(shown) if self.is_table else self._of_card(shown)),
        }

    def _url(self, shown: Shown) -> str:
        address = reverse("import-row", args=[self.upload.pk, shown.number])
        columns = ".".join(map(str, self.columns)) if self.is_table else ""
        notes = "&notes=1" if self.has_notes else ""
        return f"{address}?fate={self.tab}&columns={columns}{notes}"

    def _choices(self, shown: Shown) -> list[dict[str, Any]]:
        """What can be decided; the one in force is marked, what happens anyway is not offered."""
        made = []
        in_force = shown.decision or shown.usual
        for choice in shown.choices:
            label = VERBS[choice]
            if choice == Decision.CREATE and shown.found == Fate.CREATE:
                if shown.fate == Fate.CREATE:
                    continue
                label = _("Create")
            if choice == Decision.SKIP and shown.fate == Fate.REFUSED:
                continue
            held = choice == Decision.SKIP and shown.found == Fate.DUPLICATE
            here = choice == shown.decision or (choice == in_force and not held)
            made.append({"value": choice.value, "label": label, "key": KEYS[choice], "here": here})
        return made

    def _title(self, shown: Shown) -> str:
        """What the row calls its record."""
        names = (*self.entity.title_fields, self.entity.title)
        texts = []
        for name in dict.fromkeys(names):
            index = next((i for i, t in self.mapping.columns.items() if t.field == name), None)
            if index is not None and index < len(shown.cells) and shown.cells[index].strip():
                texts.append(shown.cells[index].strip())
        return " ".join(texts) or _("Row %(number)s") % {"number": shown.number}

    def _record(self, record: Beside | None) -> dict[str, str] | None:
        return {"url": f"{self._prefix}{record.id}/", "title": record.title} if record else None

    def _notes(self, shown: Shown) -> list[str]:
        """Reasons that are not about a cell that is shown."""
        return [r.text for r in shown.reasons if r.column is None or not self.is_table]

    # -- a table of cells -------------------------------------------------------------------------

    def _of_table(self, shown: Shown) -> dict[str, Any]:
        cells = [self._cell(shown, index) for index in self.columns]
        return {"cells": cells, "editable": any(cell["input"] for cell in cells)}

    def _cell(self, shown: Shown, index: int) -> dict[str, Any]:
        wrong = [reason for reason in shown.reasons if reason.column == index]
        repaired = index in shown.repaired
        return {
            "index": index,
            "header": report.column_name(self.headers, index),
            "text": shown.cells[index] if index < len(shown.cells) else "",
            "reasons": [SHORT.get(reason.code) or reason.text for reason in wrong],
            "why": " ".join(reason.text for reason in wrong),
            "repaired": repaired,
            "input": bool(wrong or repaired) and not self.frozen,
        }

    # -- a card beside what is stored -------------------------------------------------------------

    def _of_card(self, shown: Shown) -> dict[str, Any]:
        is_duplicate = shown.found == Fate.DUPLICATE
        return {
            "confidence": shown.confidence if is_duplicate else 0,
            "confidence_tone": certainty(shown.confidence),
            "chips": reason_chips(shown.likeness, self.request.user),
            "compared": self._compared(shown) if is_duplicate and shown.record else [],
            "changes": [
                {"label": one.label, "old": one.old, "new": one.new} for one in shown.fields
            ]
            if not is_duplicate
            else [],
        }

    def _compared(self, shown: Shown) -> list[dict[str, Any]]:
        """The mapped fields of the row beside those of the record; what differs first."""
        stored: Mapping[str, str] = dict(shown.record.values) if shown.record else {}
        changes = {one.name: one for one in shown.fields}
        levels = {reason.field.partition(".")[2]: reason.level for reason in shown.likeness}
        made = []
        for index, target in sorted(self.mapping.columns.items()):
            field = self.entity.fields.get(target.field)
            text = shown.cells[index].strip() if index < len(shown.cells) else ""
            if field is None or target.field == RECORD_ID or parts.split(target.field)[0]:
                continue
            change, theirs = changes.get(target.field), stored.get(str(field.label), "")
            if not text and not theirs:
                continue
            level = self._level(text, theirs, change, levels.get(target.field, ""))
            sign, word = MARKS[level]
            made.append(
                {
                    "label": field.label,
                    "ours": change.new if change else text,
                    "theirs": change.old if change else theirs or (text if level == SAME else ""),
                    "level": level,
                    "sign": sign,
                    "word": word,
                }
            )
        order = (DIFFERENT, SIMILAR, ONE, SAME)
        return sorted(made, key=lambda one: order.index(one["level"]))

    def _level(self, text: str, theirs: str, change: Any, said: str) -> str:
        if change is None:
            return ONE if not text else SAME
        if not change.old or not change.new:
            return ONE
        return said if said in {SAME, SIMILAR} else DIFFERENT
