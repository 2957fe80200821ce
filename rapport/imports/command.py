"""`rapport import`: the whole way of a file in, in this process, without a worker."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from django.utils.translation import gettext as _, ngettext

from rapport.access import Actor, Forbidden
from rapport.actions.lease import CancelAsked, Refused, Run
from rapport.files.read import FileRefused
from rapport.models import ImportFile, ImportRecipe, Job
from rapport.queries.recipes import usable_recipes

from . import (
    bundle,
    flow,
    mapping as mappings,
    newoptions,
    recipefit,
    recipes,
    report,
    saying,
    several,
    tallies,
    uploads,
)
from .recipefit import RecipeRefused
from .saying import SaidWrongly
from .tallies import counted, others, totals

READ_AT_ONCE = 1 << 20
SHOWN_ERRORS = 20
# As most programs call it.
STANDARD_INPUT = Path("-")


@dataclass
class _Outcome:
    """What is printed in the end."""

    upload: ImportFile | None = None
    refused: str = ""
    # Of the command.
    code: int = 0
    seconds: float = 0.0
    dry_run: bool = False
    # The recipe wants somebody to look at the plan and apply it.
    waits: bool = False
    counts: Mapping[str, int] = field(default_factory=dict)


def run(args: argparse.Namespace) -> int:
    """Import `args.file` on behalf of `args.by`. Exit code 0; 1 when the file was refused or the
    import did not get to its end; 2 when an option names what is not there."""
    outcome = _Outcome(dry_run=bool(args.dry_run))
    try:
        _attempt(args, outcome)
        if args.json:
            _print_json(outcome, args)
        else:
            _print(outcome)
    finally:
        # Also when whoever reads this has had enough of it.
        if outcome.dry_run and outcome.upload is not None:
            with contextlib.suppress(flow.NotNow):
                # Read again: a plan that was refused has changed its state since.
                flow.delete(_read(outcome.upload))
    return outcome.code


def _attempt(args: argparse.Namespace, outcome: _Outcome) -> None:
    """Import, or find out why not."""
    started = time.monotonic()
    screen = _Screen(args)
    try:
        _import(args, outcome, screen)
    except BrokenPipeError:
        raise  # nothing is wrong with the file
    except (
        FileRefused,
        Forbidden,
        mappings.MappingRefused,
        uploads.UploadTooLarge,
        flow.NotNow,
        RecipeRefused,
        Refused,
        CancelAsked,
    ) as error:
        outcome.refused = str(error) or _("This is not allowed.")
        outcome.code = 2 if _said_wrongly(error, args) else 1
    except OSError as error:
        named = f"{error.filename}: " if error.filename else ""
        outcome.refused = f"{named}{error.strerror or error}"
        outcome.code = 1
    outcome.seconds = round(time.monotonic() - started, 3)
    screen.clear()


def _said_wrongly(error: Exception, args: argparse.Namespace) -> bool:
    """Whether an option is at fault and not the file: an encoding that there is not, a sheet that
    the workbook has not."""
    if isinstance(error, FileRefused):
        return error.code in _CHOSEN and getattr(args, error.code, None) is not None
    return isinstance(error, SaidWrongly)


def _import(args: argparse.Namespace, outcome: _Outcome, screen: _Screen) -> None:
    by: Actor = args.by
    recipe = recipes.find(args.recipe, by=by) if getattr(args, "recipe", None) else None
    entity = recipe.entity if recipe else args.entity
    if recipe is not None and recipefit.is_of_several(recipe):
        entity = flow.AUTO
    files = [(_name(path), _chunks(path)) for path in _paths(args)]
    upload = outcome.upload = flow.receive_many(files, entity=entity, by=by)
    try:
        if recipe is not None:
            several.describe(upload, recipe, by=by, reading=_chosen(args))
        else:
            flow.describe(upload, by=by, reading=_chosen(args))
        for file, wanted in _wanted(upload, args):
            wanted = newoptions.without(wanted) if args.dry_run else newoptions.make(wanted, by=by)
            _take(file, wanted)
    except (FileRefused, mappings.MappingRefused, RecipeRefused) as refused:
        outcome.counts = {"rows": _records_in(upload)}
        flow.refuse(upload, str(refused))
        raise
    screen.describe(upload)
    flow.plan_now(upload, by=by, between=_watched(screen))
    outcome.counts = _read(upload).counts
    if outcome.dry_run:
        return
    if recipe is not None and (reason := recipes.stopped(recipe, outcome.counts)):
        raise Refused(reason)
    if recipe is not None and recipe.looks_first:
        outcome.waits = True
    else:
        try:
            flow.apply_now(upload, by=by, between=_watched(screen))
        finally:
            outcome.counts = _read(upload).counts


def _paths(args: argparse.Namespace) -> list[Path]:
    given = args.file if isinstance(args.file, list) else [args.file]
    return [Path(path) for path in given]


def _wanted(
    upload: ImportFile, args: argparse.Namespace
) -> list[tuple[ImportFile, mappings.Mapping]]:
    """The file, or each of several, with the mapping that is said of it. Raises SaidWrongly."""
    try:
        if not bundle.is_bundle(upload):
            return [(upload, saying.said(flow.mapping_of(upload), flow.columns_of(upload), args))]
        files = bundle.members_of(upload)
        return list(zip(files, saying.said_of_each(files, args), strict=True))
    except mappings.MappingRefused as refused:
        raise SaidWrongly(str(refused)) from refused


def _take(file: ImportFile, wanted: mappings.Mapping) -> None:
    """Keep the mapping that is said of a file. Raises SaidWrongly, or MappingRefused when nothing
    could be said of it."""
    proposed = flow.mapping_of(file)
    if wanted == proposed:
        mappings.check(proposed)
        return
    try:
        flow.remap(file, wanted)
    except mappings.MappingRefused as refused:
        if wanted.columns == proposed.columns == {}:
            raise
        raise SaidWrongly(str(refused)) from refused


def _name(path: Path) -> str:
    return "standard input" if path == STANDARD_INPUT else path.name


def _chunks(path: Path) -> Iterator[bytes]:
    with sys.stdin.buffer if path == STANDARD_INPUT else path.open("rb") as stream:
        while chunk := stream.read(READ_AT_ONCE):
            yield chunk


_CHOSEN = ("encoding", "delimiter", "sheet", "header", "date_order", "decimal_mark", "member")


def _chosen(args: argparse.Namespace) -> dict[str, Any]:
    chosen = {name: getattr(args, name, None) for name in _CHOSEN}
    if chosen["delimiter"] in {"tab", "\\t"}:
        chosen["delimiter"] = "\t"
    chosen["phone_country"] = saying.country(args)
    return {name: value for name, value in chosen.items() if value is not None}


def _records_in(upload: ImportFile) -> int:
    """How many records a file has that nobody could map; 0 when it cannot be read."""
    with contextlib.suppress(FileRefused), uploads.open_upload(upload) as table:
        return sum(len(batch) for batch in table.iter_batches(2000))
    return 0


def _read(upload: ImportFile) -> ImportFile:
    upload.refresh_from_db()
    return upload


def _watched(screen: _Screen) -> Callable[[Run], None]:
    def between(run: Run) -> None:
        screen.progress(run.job)
        if run.cancel_asked():
            raise CancelAsked
        run.pace.let_others_in()

    return between


# -- what is printed ------------------------------------------------------------------------------


class _Screen:
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
    return notes


def _print_json(outcome: _Outcome, args: argparse.Namespace) -> None:
    """One object; the errors last and one by one, since there may be a million."""
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
        "file": ", ".join(str(path) for path in _paths(args)),
        "entity": upload.entity if upload and upload.entity else None,
        "format": upload.options.get("format") if upload else None,
        "encoding": reading.get("encoding"),
        "delimiter": reading.get("delimiter"),
        "sheet": reading.get("sheet"),
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
    lists = {"errors": report.ERRORS}
    if found.get("partial"):
        lists["partial_errors"] = report.IN_PART
    for name, fates in lists.items():
        out.write(f', "{name}": [')
        for number, error in enumerate(tallies.errors(upload, fates) if upload else ()):
            out.write(("\n " if not number else ",\n ") + json.dumps(error, ensure_ascii=False))
        out.write("]")
    out.write("}\n")
    out.flush()


def _applied(upload: ImportFile | None) -> bool:
    return upload is not None and "created" in upload.counts


def _print(outcome: _Outcome) -> None:
    upload = outcome.upload
    if outcome.refused:
        print(f"rapport import: {outcome.refused}", file=sys.stderr)
    if upload is None or not outcome.counts.get("rows"):
        return
    found = totals(outcome.counts, dry_run=outcome.dry_run or not _applied(upload))
    for one in tallies.members(upload, dry_run=outcome.dry_run).get("members", ()):
        print(f"  {one['file']}: {counted(one['rows'], 'rows')}, {one['created']:,} of them new")
    listed = 0
    told = (*report.ERRORS, *report.IN_PART)
    for listed, error in enumerate(tallies.errors(upload, told), 1):
        if listed <= SHOWN_ERRORS:
            where = f"{error['file']} row" if "file" in error else "row"
            column = f" [{error['column']}]" if error["column"] else ""
            print(f"  {where} {error['row']}{column}: {error['reason']}")
    if listed > SHOWN_ERRORS:
        print(f"  … and {listed - SHOWN_ERRORS} more")
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


# -- rapport recipes ------------------------------------------------------------------------------


def run_recipes(args: argparse.Namespace) -> int:
    """List the saved mappings that `args.by` may use."""
    found = usable_recipes(args.by)
    if args.json:
        print(json.dumps([_facts(recipe) for recipe in found], ensure_ascii=False, indent=1))
        return 0
    for recipe in found:
        facts = _facts(recipe)
        said = [facts["entity"], "shared" if facts["shared"] else "private", f"by {recipe.owner}"]
        said += [f"folder {recipe.folder}"] if recipe.folder else []
        said += ["with a key"] if facts["key"] else []
        print(f"{recipe.name}  ({', '.join(said)})  {recipe.pk}")
        for problem in facts["problems"]:
            print(f"  {problem}")
    return 0


def _facts(recipe: ImportRecipe) -> dict[str, Any]:
    try:
        problems = recipefit.gone_texts(recipefit.gone_fields(recipe))
    except RecipeRefused as refused:
        problems = [str(refused)]
    return {
        "id": str(recipe.pk),
        "name": recipe.name,
        "entity": recipe.entity,
        "owner": recipe.owner.email,
        "shared": recipe.is_shared,
        "headers": recipe.headers,
        "folder": recipe.folder or None,
        "key": hasattr(recipe, "key"),
        "looks_first": recipe.looks_first,
        "used_at": recipe.used_at.isoformat() if recipe.used_at else None,
        "problems": problems,
    }
