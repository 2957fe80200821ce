"""`rapport import`: the whole way of a file in, in this process, without a worker."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from rapport.access import Actor, Forbidden
from rapport.actions.lease import CancelAsked, Refused, Run
from rapport.files.read import FileRefused
from rapport.models import ImportFile, ImportRecipe
from rapport.queries.recipes import usable_recipes

from . import (
    bundle,
    flow,
    mapping as mappings,
    newoptions,
    recipefit,
    recipes,
    saying,
    several,
    uploads,
)
from .printing import Outcome, Screen, print_json, print_text
from .recipefit import RecipeRefused
from .saying import SaidWrongly

READ_AT_ONCE = 1 << 20
# As most programs call it.
STANDARD_INPUT = Path("-")


def run(args: argparse.Namespace) -> int:
    """Import `args.file` on behalf of `args.by`. Exit code 0; 1 when the file was refused or the
    import did not get to its end; 2 when an option names what is not there."""
    file = ", ".join(map(str, _paths(args)))
    outcome = Outcome(file=file, dry_run=bool(args.dry_run))
    try:
        _attempt(args, outcome)
        if args.json:
            print_json(outcome, args)
        else:
            print_text(outcome)
    finally:
        # Also when whoever reads this has had enough of it.
        if outcome.dry_run and outcome.upload is not None:
            with contextlib.suppress(flow.NotNow):
                # Read again: a plan that was refused has changed its state since.
                flow.delete(_read(outcome.upload))
    return outcome.code


def _attempt(args: argparse.Namespace, outcome: Outcome) -> None:
    """Import, or find out why not."""
    started = time.monotonic()
    screen = Screen(args)
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


def _import(args: argparse.Namespace, outcome: Outcome, screen: Screen) -> None:
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


_CHOSEN = (
    "encoding", "delimiter", "sheet", "header", "date_order", "decimal_mark", "member", "element",
)  # fmt: skip


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


def _watched(screen: Screen) -> Callable[[Run], None]:
    def between(run: Run) -> None:
        screen.progress(run.job)
        if run.cancel_asked():
            raise CancelAsked
        run.pace.let_others_in()

    return between


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
