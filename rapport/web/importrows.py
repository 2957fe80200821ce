"""The rows of a plan as its pages show them: cells of the file, what would change, the stored
record beside, and what can be said about each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _, gettext_lazy

from rapport.imports import flow, mapping as mappings, parts, report
from rapport.imports.feed import reading_of
from rapport.imports.showing import Beside, Shown
from rapport.meta.entity import Entity
from rapport.meta.field import Field
from rapport.meta.folding import fold
from rapport.meta.kinds import InvalidValue, Kind, parse, to_text
from rapport.meta.registry import registry
from rapport.models import ImportFile
from rapport.models.operations import Decision, Fate

from .duplicates import certainty, reason_chips
from .importsteps import FATES
from .sidebyside import DIFFERENT, MARKS, ONE, SAME, SIMILAR

# Rows of a page, as a table or as cards, and columns of its table: those in which something is
# wrong always stand there.
SIZE, CARD_SIZE, WIDTH = 50, 25, 14
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
    "choice": gettext_lazy("None of the options"),
}
# A longer list of options is typed.
OPTIONS = 60


class Rows:
    """The rows of one page. `tab`: the fate that the page is about; `columns`: those of its table,
    when they are known already."""

    def __init__(
        self,
        request: HttpRequest,
        upload: ImportFile,
        shown: Sequence[Shown],
        tab: str,
        *,
        columns: Sequence[int] | None = None,
        has_notes: bool | None = None,
    ) -> None:
        self.request, self.upload, self.shown, self.tab = request, upload, shown, tab
        self.entity: Entity = registry[upload.entity]
        self.mapping = flow.mapping_of(upload)
        self.headers = flow.columns_of(upload)
        self.reading = reading_of(upload)
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
            "url": self._url(shown),
            "choices": self._choices(shown),
            "notes": self._notes(shown),
            "record": self._record(shown.record),
            "like": shown.like,
            "like_file": shown.like_file,
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
                # What happens anyway: “take back” leads there.
                continue
            if choice == Decision.SKIP and shown.fate == Fate.REFUSED:
                continue
            held = choice == Decision.SKIP and shown.found == Fate.DUPLICATE
            here = choice == shown.decision or (choice == in_force and not held)
            made.append({"value": choice.value, "label": label, "key": KEYS[choice], "here": here})
        return made

    def _title(self, shown: Shown) -> str:
        """What the row calls its record, else what it knows it by."""
        names = (*self.entity.title_fields, self.entity.title)
        texts = []
        for name in dict.fromkeys(names):
            index = next((i for i, t in self.mapping.columns.items() if t.field == name), None)
            if index is not None and (text := _text(shown.cells, index)):
                texts.append(text)
        if not texts:
            cells = (_text(shown.cells, index) for index in sorted(self.mapping.columns))
            texts += islice(filter(None, cells), 1)
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
        target = self.mapping.columns.get(index)
        field = parts.field_of(self.entity, target.field) if target else None
        is_input = bool(wrong) or index in shown.repaired
        return {
            "index": index,
            "header": report.column_name(self.headers, index),
            "text": shown.cells[index] if index < len(shown.cells) else "",
            "reasons": [SHORT.get(reason.code) or reason.text for reason in wrong],
            "why": " ".join(reason.text for reason in wrong),
            "input": is_input,
            "options": _options(field) if is_input else (),
        }

    # -- a card beside what is stored -------------------------------------------------------------

    def _of_card(self, shown: Shown) -> dict[str, Any]:
        is_duplicate = shown.found == Fate.DUPLICATE
        # Once it is decided to update, what changes is the question, not whether they are the same.
        is_compared = is_duplicate and shown.fate != Fate.UPDATE
        return {
            "confidence": shown.confidence if is_duplicate else 0,
            "confidence_tone": certainty(shown.confidence),
            "chips": reason_chips(shown.likeness, self.request.user),
            **(self._compared(shown) if is_compared else {}),
            "changes": [
                {"label": one.label, "old": one.old, "new": one.new}
                for one in (() if is_compared else shown.fields)
            ],
        }

    def _compared(self, shown: Shown) -> dict[str, Any]:
        """The mapped fields of the row beside those of the record, or of the earlier row that it
        repeats: what is not the same, and the names of what is."""
        stored: Mapping[str, str] = dict(shown.record.values) if shown.record else {}
        changes = {one.name: one for one in shown.fields}
        levels = {reason.field.partition(".")[2]: reason.level for reason in shown.likeness}
        made, same = [], []
        for index, target in sorted(self.mapping.columns.items()):
            field = self.entity.fields.get(target.field)
            if field is None or field.name == self.entity.title:
                continue
            text = _text(shown.cells, index)
            change = changes.get(field.name)
            if shown.record is not None:
                ours = change.new if change else text
                theirs = change.old if change else stored.get(str(field.label), "")
            else:
                ours, theirs = text, _text(shown.earlier, index)
            if not ours and not theirs:
                continue
            level = self._level(field, ours, theirs, levels.get(field.name, ""))
            if level == SAME or (shown.fields and shown.record and ours and not change):
                # Written in another way, but nothing that an update would change.
                same.append(str(field.label))
                continue
            sign, word = MARKS[level]
            one = {"label": field.label, "ours": ours, "theirs": theirs}
            made.append({**one, "level": level, "sign": sign, "word": word})
        order = (DIFFERENT, SIMILAR, ONE)
        made.sort(key=lambda one: order.index(one["level"]))
        return {"compared": made, "same": same, "has_earlier": bool(shown.earlier)}

    def _level(self, field: Field, ours: str, theirs: str, said: str) -> str:
        """How two texts of a field stand to each other."""
        if not ours or not theirs:
            return ONE
        if fold(ours) == fold(theirs) or self._plain(field, ours) == self._plain(field, theirs):
            return SAME
        # What the rules call the same in another form is no difference to a reader.
        return SIMILAR if said in {SAME, SIMILAR} else DIFFERENT

    def _plain(self, field: Field, text: str) -> str:
        """A text as it would be stored, as far as it can be told without looking anything up."""
        try:
            return to_text(field, parse(field, text, self.reading))
        except InvalidValue:
            return text


def _options(field: Field | None) -> Sequence[str]:
    """What a choice cell may say."""
    if field is None or field.kind is not Kind.CHOICE or len(field.options) > OPTIONS:
        return ()
    return [str(option.label) for option in field.options]


def _text(cells: Sequence[str], index: int) -> str:
    return cells[index].strip() if index < len(cells) else ""
