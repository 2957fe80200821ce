"""What `rapport import` prints: progress for people who watch, and what came of it."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import Any, TextIO

from django.utils.translation import gettext as _, ngettext

from rapport.models import ImportFile, Job

from . import bundle, report, saying, tallies
from .tallies import counted, others, totals

SHOWN_ERRORS = 20


@dataclass
class Outcome:
    """What came of an import. `code`: of the command; `waits`: the recipe wants somebody to look at
    the plan and apply it."""

    # What was asked for, as it was typed.
    file: str
    upload: ImportFile | None = None
    refused: str = ""
    code: int = 0
    seconds: float = 0.0
    dry_run: bool = False
    waits: bool = False
    counts: Mapping[str, int] = field(default_factory=dict)


class Screen:
    """Progress for people who watch."""

    def __init__(self, args: argparse.Namespace) -> None:
        self._stream: TextIO = sys.stderr
        self._args = args
        self._quiet = quiet = bool(args.json)
        self._live = not quiet and self._stream.isatty()
        self._started = self._shown = time.monotonic()
        self._job: object = None

    def describe(self, upload: ImportFile) -> None:
        """What the file seems to be, or each file of several."""
        if self._quiet:
            return
        if bundle.is_bundle(upload):
            for member in bundle.members_of(upload):
                self.describe(member)
            for name, reason in upload.options.get("left_out", ()):
                print(f"{name}: left out. {reason}")
            return
        reading = upload.reading
        parts = [
            upload.options.get("program"),
            upload.options["format"],
            reading.get("encoding"),
            reading.get("sheet"),
        ]
        said = ", ".join(str(part) for part in parts if part)
        print(f"{upload.name}: {said}, {upload.entity}", flush=True)
        for header, name in report.mapping_of(upload).items():
            print(f"  {header} -> {name or '(ignored)'}")
        for note in _notes(upload, self._args):
            print(f"  {note}")

    def progress(self, job: Job) -> None:
        """How far the job is."""
        if job.pk != self._job:
            self._job, self._started = job.pk, time.monotonic()
        now = time.monotonic()
        if self._quiet or now - self._shown < (0.2 if self._live else 5):
            return
        self._shown = now
        rate = job.progress / max(now - self._started, 0.001)
        total = f" of {job.total:,}" if job.total else ""
        text = f"{job.label}: {job.progress:,}{total} rows, {rate:,.0f} rows/s"
        end = "\r" if self._live else "\n"
        print(text.ljust(78), end=end, file=self._stream, flush=True)

    def clear(self) -> None:
        """End the line of progress."""
        if self._live:
            print(" " * 78, end="\r", file=self._stream, flush=True)


def _notes(upload: ImportFile, args: argparse.Namespace) -> list[str]:
    """What is to be known of how the file was read."""
    notes = list(upload.options.get("notes", ()))
    more = upload.options.get("lists", 0) - 1
    # A recipe, and who names a sheet, means just that one.
    chose = getattr(args, "sheet", None) or getattr(args, "recipe", None)
    if upload.parent_id is None and more > 0 and not chose:
        text = ngettext(
            "The workbook has %(count)s more sheet with rows. --sheet NAME reads another one, "
            "--sheet '*' all of them.",
            "The workbook has %(count)s more sheets with rows. --sheet NAME reads another one, "
            "--sheet '*' all of them.",
            more,
        )
        notes.append(text % {"count": more})
    if not getattr(args, "encoding", None):
        notes += _guessed(upload)
    return notes


def _guessed(upload: ImportFile) -> list[str]:
    """That an encoding is a guess, with letters that tell whether it is right. Pages show both."""
    detected = upload.options.get("encoding") or {}
    if detected.get("sure") != "guess":
        return []
    cells = [*upload.options.get("columns", ()), *chain(*upload.options.get("sample", ()))]
    said = _("The encoding %(name)s is a guess. --encoding chooses another, as %(others)s.")
    texts = {"name": detected["name"], "others": ", ".join(detected["alternatives"][:3]) or "utf-8"}
    if shown := next((cell for cell in cells if not cell.isascii()), ""):
        said = _(
            "The encoding %(name)s is a guess. Where “%(text)s” is wrong, --encoding chooses "
            "another, as %(others)s."
        )
        texts["text"] = shown[:60]
    return [said % texts]


def print_json(outcome: Outcome, args: argparse.Namespace) -> None:
    """What came of it, as one object; the errors last and one by one: there may be a million."""
    upload = outcome.upload
    found: dict[str, Any] = dict(
        totals(outcome.counts, dry_run=outcome.dry_run or not _applied(upload))
    )
    reading = upload.reading if upload else {}
    found |= {
        "operation": str(upload.operation_id) if upload and upload.operation_id else None,
        "import": str(upload.pk) if upload and not outcome.dry_run else None,
        "seconds": outcome.seconds,
        "dry_run": outcome.dry_run,
        "file": outcome.file,
        "entity": upload.entity if upload and upload.entity else None,
        "format": upload.options.get("format") if upload else None,
        "encoding": reading.get("encoding"),
        "delimiter": reading.get("delimiter"),
        "sheet": reading.get("sheet"),
        "date_order": reading.get("date_order"),
        "decimal_mark": reading.get("decimal_mark"),
        "refused": outcome.refused or None,
        "notes": _notes(upload, args) if upload else [],
        "mapping": report.mapping_of(upload) if upload and upload.entity else {},
    }
    if upload and upload.entity:
        found |= saying.as_json(upload)
        found["program"] = upload.options.get("program") or None
        found |= tallies.members(upload, dry_run=outcome.dry_run)
    if upload is not None and upload.recipe_id:
        found |= {"recipe": str(upload.recipe_id), "waits": outcome.waits}
    out = sys.stdout
    out.write(json.dumps(found, ensure_ascii=False)[:-1])
    lists: dict[str, tallies.Told] = {"errors": report.errors}
    if found.get("partial"):
        lists["partial_errors"] = partial(report.errors, fates=report.IN_PART)
    if found["duplicates"]:
        lists["held_back"] = report.held_back
    for name, told in lists.items():
        out.write(f', "{name}": [')
        for number, error in enumerate(tallies.of_rows(upload, told) if upload else ()):
            out.write(("\n " if not number else ",\n ") + json.dumps(error, ensure_ascii=False))
        out.write("]")
    out.write("}\n")
    out.flush()


def _applied(upload: ImportFile | None) -> bool:
    return upload is not None and "created" in upload.counts


def _print_rows(upload: ImportFile, told: tallies.Told) -> None:
    listed = 0
    for listed, error in enumerate(tallies.of_rows(upload, told), 1):
        if listed <= SHOWN_ERRORS:
            where = f"{error['file']} row" if "file" in error else "row"
            column = f" [{error['column']}]" if error.get("column") else ""
            print(f"  {where} {error['row']}{column}: {error['reason']}")
    if listed > SHOWN_ERRORS:
        print(f"  … and {listed - SHOWN_ERRORS:,} more")


def print_text(outcome: Outcome) -> None:
    """The same for people."""
    upload = outcome.upload
    if outcome.refused:
        print(f"rapport import: {outcome.refused}", file=sys.stderr)
    if upload is None or not outcome.counts.get("rows"):
        return
    found = totals(outcome.counts, dry_run=outcome.dry_run or not _applied(upload))
    for one in tallies.members(upload, dry_run=outcome.dry_run).get("members", ()):
        print(f"  {one['file']}: {counted(one['rows'], 'rows')}, {one['created']:,} of them new")
    _print_rows(upload, partial(report.errors, fates=(*report.ERRORS, *report.IN_PART)))
    if found["duplicates"]:
        _print_rows(upload, report.held_back)
        print(
            "  What repeats something is left out. --duplicates update or fill brings it into the "
            "stored record, create takes it anyway."
        )
    if outcome.refused and not _applied(upload):
        print(f"{counted(found['rows'], 'rows')}; nothing was written.")
        return
    done = "would be created" if outcome.dry_run or outcome.waits else "created"
    print(
        f"{counted(found['rows'], 'rows')}: {found['created']:,} {done}, "
        f"{found['updated']:,} updated, {counted(found['duplicates'], 'duplicates')}, "
        f"{found['skipped']:,} skipped, "
        f"{found['refused_rows']:,} refused; {others(found, done)}; {outcome.seconds:.1f} s"
    )
    if outcome.waits:
        print("Nothing is written yet: look at it in My Imports and apply it there.")
    if upload.operation_id:
        print(f"Undo with: rapport undo {upload.operation_id}")
