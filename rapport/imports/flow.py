"""The way of a file in: received, described, mapped, planned, applied. Pages and the command line
call this and nothing else."""

from __future__ import annotations

import dataclasses
import os
import secrets
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping as MappingType, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from rapport import access
from rapport.access import Actor, Forbidden, SystemActor
from rapport.actions import jobs, lease, rows as table_rows
from rapport.actions.lease import CancelAsked, Ended, LostLease, Refused, Run
from rapport.files.detect import Detected, sniff
from rapport.files.read import FileRefused, ReadOptions, Record, Table, open_table
from rapport.meta.entity import Entity
from rapport.meta.kinds import Reading, is_storable
from rapport.meta.registry import registry
from rapport.models import ImportFile, Job, PlanRow
from rapport.models.operations import ImportState, JobState
from rapport.models.people import Verb
from rapport.queries.imports import plan_of

from . import (
    apply,
    bundle,
    deciding,
    detection,
    feed,
    layouts,
    mapping as mappings,
    options,
    plan as plans,
    showing,
    steps,
    uploads,
)
from .layouts import Layout
from .mapping import Mapping, MappingRefused
from .steps import lock, require_state

AUTO = "auto"
# Records looked at for mapping and dates, and those kept to be shown.
LOOKED_AT, SHOWN = 1000, 8
# Cells kept to be shown, and how much of each.
SHOWN_CELLS, SHOWN_LENGTH = 5000, 120
# Larger workbooks are read by a worker, so that nobody waits for a page.
READ_AT_ONCE = 3 * 1024**2
# Plan rows that go in one transaction.
FORGOTTEN_AT_ONCE = 2000
NotNow = steps.NotNow
mapping_of = feed.mapping_of
# What people do with a plan: see there.
decide, repair, decided_alone = deciding.decide, deciding.repair, deciding.decided_alone
rows_of, records_of = showing.rows_of, showing.records_of


def importable_for(by: Actor) -> list[Entity]:
    """Entities that `by` may import."""
    return [
        entity
        for entity in mappings.importable()
        if access.may(by, Verb.IMPORT, entity) and access.may(by, Verb.CREATE, entity)
    ]


# -- a file comes in ------------------------------------------------------------------------------


def receive(chunks: Iterable[bytes], *, name: str, entity: str, by: Actor) -> ImportFile:
    """Keep an uploaded file. `entity`: a name, or 'auto' to be told by the headers.

    Raises Forbidden, UploadTooLarge.
    """
    if entity == AUTO:
        if not importable_for(by):
            raise Forbidden("import")
    else:
        plans.require(registry[entity], by)
    stored, size = uploads.store(chunks)
    return ImportFile.objects.create(
        name=uploads.plain_name(name)[:255] or _("Pasted"),
        stored=stored,
        size=size,
        entity="" if entity == AUTO else entity,
        # An archive may hold several lists of it.
        options={"auto": entity == AUTO, "each": True},
        created_by=None if isinstance(by, SystemActor) else by,
        created_at=timezone.now(),
    )


def receive_many(
    files: Sequence[tuple[str, Iterable[bytes]]], *, entity: str, by: Actor
) -> ImportFile:
    """Keep one or several uploaded files (name, content); several are taken like an archive of
    them. Raises Forbidden, UploadTooLarge."""
    if len(files) == 1:
        ((name, chunks),) = files
        return receive(chunks, name=name, entity=entity, by=by)
    name = ", ".join(uploads.plain_name(name) for name, _chunks in files)
    return receive(bundle.packed(files), name=name, entity=entity, by=by)


def is_large(upload: ImportFile) -> bool:
    """Whether reading the file takes longer than people wait for a page."""
    if upload.size <= READ_AT_ONCE:
        return False
    with uploads.path_of(upload).open("rb") as stream:
        head = stream.read(64).removeprefix(b"\xef\xbb\xbf").lstrip()
    return head.startswith((b"PK", b"\xd0\xcf", b"<"))


def describe_later(upload: ImportFile, *, by: Actor) -> Job:
    """Let a worker look at the file."""
    label = _("Reading %(file)s") % {"file": upload.name}
    with transaction.atomic():
        job = jobs.enqueue("import.describe", {"import": str(upload.pk)}, by=by, label=label)
        upload.job = job
        upload.save(update_fields=["job"])
    return job


def describe_step(run: Run) -> bool:
    """Look at a file (the job `import.describe`: {"import": id})."""
    upload = ImportFile.objects.filter(pk=run.job.parameters["import"]).first()
    if upload is None:
        raise Refused(_("The import is not there any more."))
    try:
        describe(upload, by=run.by)
    except (FileRefused, MappingRefused, uploads.UploadGone) as refused:
        raise Refused(str(refused)) from refused
    return False


def describe_ended(job: Job, state: JobState) -> None:
    """Tell the import why its file could not be read."""
    if state != JobState.DONE:
        refuse(ImportFile.objects.get(job=job), job.message)


def refuse(upload: ImportFile, message: str) -> None:
    """The file cannot be read: keep why."""
    upload.state, upload.message, upload.ended_at = ImportState.FAILED, message, timezone.now()
    upload.save(update_fields=["state", "message", "ended_at"])


def describe(
    upload: ImportFile,
    *,
    by: Actor,
    reading: MappingType[str, Any] | None = None,
    guess: bool = True,
    keep: bool = False,
) -> None:
    """Look at the file: format, columns, samples; propose entity, mapping, dates and numbers.

    `reading`: what a person has chosen instead of what is detected; a key with None is detected
    anew. `keep`: also files of an archive that cannot be mapped by their headers. Raises
    FileRefused, MappingRefused (no entity fits), UploadGone.
    """
    path = uploads.path_of(upload)
    detected = sniff(path)
    bundle.refuse_backup(detected)
    if "sheet" in upload.options:
        # One sheet of a workbook of which each is a list.
        reading = {**(reading or {}), "sheet": upload.options["sheet"]}
    if _is_bundle(upload, detected, reading or {}):
        _describe_members(upload, detected, by, reading or {}, keep=keep)
        return
    options = _options(detected, reading or {})
    with _opened(path, options) as table:
        looked = list(islice(table, LOOKED_AT if len(table.columns) < 300 else SHOWN))
        sample = [record.cells for record in looked]
        layout = layouts.recognise(table.columns, sample)
        entity = _entity(upload, table, sample, layout, by)
        zone = "UTC" if isinstance(by, SystemActor) else by.time_zone or _active_zone()
        language = translation.get_language() or "en"
        made = mappings.propose(
            entity,
            table.columns,
            sample,
            reading=Reading(),
            guess=guess and not _is_auto(upload),
            layout=layout,
        )
        read = detection.reading(made, sample, time_zone=zone, language=language)
        chosen = {k: v for k, v in (reading or {}).items() if k in dataclasses.asdict(read) and v}
        read = replace(read, **chosen)
        upload.entity = entity.name
        upload.reading = {**uploads.reading_of(table.options), **dataclasses.asdict(read)}
        if options.member is not None:
            upload.reading["member"] = options.member
        upload.mapping = made.as_json()
        upload.options = {**upload.options, **_description(detected, table, looked, made)}
        upload.options["program"] = layout.program.label if layout else ""
    upload.state, upload.message = ImportState.UPLOADED, ""
    upload.save()
    if upload.parent is not None and bundle.is_bundle(upload.parent):
        bundle.relate([upload], upload.parent)


def _is_bundle(upload: ImportFile, detected: Detected, reading: MappingType[str, Any]) -> bool:
    """Whether all of an archive is wanted: nobody has chosen one file of it."""
    if upload.parent_id is None and reading.get("sheet") == bundle.EACH_SHEET:
        return len(bundle.lists_of(detected)) > 1
    tables = [member for member in detected.members if member.format]
    chosen = upload.parent_id is not None or reading.get("member") is not None
    each = _is_auto(upload) or upload.options.get("each")
    return len(tables) > 1 and bool(each) and not chosen


def _describe_members(
    upload: ImportFile,
    detected: Detected,
    by: Actor,
    reading: MappingType[str, Any],
    *,
    keep: bool = False,
) -> None:
    """Look at each file of an archive. When only one is a list, the import is of that."""
    members, left = bundle.unpack(upload, detected)
    taken = []
    for member in members:
        if not _is_auto(upload):
            member.entity = upload.entity
            member.options["auto"] = False
        try:
            try:
                describe(member, by=by, reading=reading)
                mappings.check(mapping_of(member))
            except MappingRefused:
                if not keep:
                    raise
                member.entity = member.entity or importable_for(by)[0].name
                member.options["auto"] = False
                describe(member, by=by, reading=reading)
            taken.append(member)
        except (FileRefused, MappingRefused) as refused:
            left.append([member.options["member"], str(refused)])
            bundle.drop(member)
    if len(taken) > 1:
        bundle.join(upload, taken, left)
        upload.state, upload.message = ImportState.UPLOADED, ""
        upload.save()
        return
    for member in taken:
        bundle.drop(member)
    if not taken:
        said = " ".join(f"{name}: {reason}" for name, reason in left)[:2000]
        raise MappingRefused(
            _("None of these files holds a list that can be imported.") + f" {said}"
        )
    upload.options = {**upload.options, "left_out": left}
    describe(upload, by=by, reading={**reading, "member": taken[0].options["member"]})


def _opened(path: Path, options: ReadOptions) -> Table:
    """The file as a table; what a known program writes above its header is passed over."""
    table = open_table(path, options, scratch=path.parent)
    if options.header is None and table.header_guess:
        below = open_table(path, replace(options, header=table.header_guess), scratch=path.parent)
        if layouts.recognise(below.columns, ()) is not None:
            return below
    return table


def _active_zone() -> str:
    return str(timezone.get_current_timezone())


def _is_auto(upload: ImportFile) -> bool:
    return bool(upload.options.get("auto"))


def _options(detected: Detected, chosen: MappingType[str, Any]) -> ReadOptions:
    options = ReadOptions.of(detected)
    if encoding := chosen.get("encoding"):
        # Another encoding may show other delimiters: they are looked for anew.
        options = ReadOptions(format=options.format, encoding=encoding)
    if detected.members:
        options = replace(options, member=chosen.get("member") or _only_table(detected))
    if chosen.get("sheet") == bundle.EACH_SHEET:
        chosen = {name: value for name, value in chosen.items() if name != "sheet"}
    names = {"delimiter", "quote", "header", "sheet", "element"}
    return replace(options, **{n: v for n, v in chosen.items() if n in names and v is not None})


def _only_table(detected: Detected) -> str | None:
    """The first member of an archive that is a table."""
    return next((member.name for member in detected.members if member.format), None)


def _entity(
    upload: ImportFile,
    table: Table,
    sample: Sequence[Sequence[str]],
    layout: Layout | None,
    by: Actor,
) -> Entity:
    if upload.entity and not _is_auto(upload):
        return registry[upload.entity]
    if layout is not None and layout.entity in {entity.name for entity in importable_for(by)}:
        return registry[layout.entity]
    found = mappings.choose_entity(
        table.columns, sample, file_name=upload.name, among=importable_for(by)
    )
    if found is None and table.options.format == "vcard":
        return registry["contact"]
    if found is None:
        raise MappingRefused(_what_are_these(table))
    return found


def _what_are_these(table: Table) -> str:
    """Why nobody can tell what a file holds, and what helps."""
    names = ", ".join(column for column in table.columns if column)[:300]
    said = _(
        "The headers (%(names)s) do not tell whether these are contacts, accounts or leads. Say "
        "which."
    ) % {"names": names or _("none")}
    if table.header_guess:
        below = _("Row %(row)s looks more like the header: choose it if it is.")
        return f"{said} {below % {'row': table.header_guess}}"
    if any("@" in column for column in table.columns):
        first = _("The header looks like a record: choose row 0 if there is no header.")
        return f"{said} {first}"
    return said


def _description(
    detected: Detected, table: Table, looked: Sequence[Record], made: Mapping
) -> dict[str, Any]:
    """What the pages show of the file, so that it need not be opened again."""
    shown = max(1, min(SHOWN, SHOWN_CELLS // max(1, len(table.columns))))
    damaged = [record for record in looked if record.problems]
    return {
        "format": detected.format,
        "columns": list(table.columns),
        "sample": [[c[:SHOWN_LENGTH] for c in r.cells] for r in looked[:shown]],
        "empty": not looked,
        "known_rows": table.known_rows,
        "about_rows": table.known_rows or _about(detected, looked),
        "header_row": table.header,
        "header_guess": table.header_guess,
        "unreadable": [[r.number, str(r.problems[0].message)] for r in damaged[:SHOWN]],
        "unreadable_count": len(damaged),
        "unit": table.unit,
        "sheets": [sheet.name for sheet in detected.sheets],
        "members": [member.name for member in detected.members if member.format],
        "elements": [list(element) for element in detected.elements[:20]],
        "encoding": dataclasses.asdict(detected.encoding) if detected.encoding else None,
        "notes": [str(note) for note in table.notes] + list(made.notes),
    }


def _about(detected: Detected, looked: Sequence[Record]) -> int | None:
    """How many rows a text file may have, by the length of those that were looked at."""
    if detected.format != "csv" or len(looked) < LOOKED_AT:
        return len(looked) if detected.format == "csv" else None
    # A sign behind each cell. Letters of several bytes make it a little too many.
    length = sum(sum(map(len, record.cells)) + len(record.cells) for record in looked)
    return round(detected.size * len(looked) / length / 100) * 100


# -- the mapping ----------------------------------------------------------------------------------


def columns_of(upload: ImportFile) -> tuple[str, ...]:
    """The headers of the file."""
    return tuple(upload.options.get("columns", ()))


def options_of(upload: ImportFile) -> dict[int, list[options.Cell]]:
    """The texts of each choice column of the file, and which option each means. Raises
    FileRefused, UploadGone."""
    with uploads.open_upload(upload) as table:
        batches = table.iter_batches(LOOKED_AT)
        return options.cells_of(mapping_of(upload), batches, feed.reading_of(upload))


def remap(
    upload: ImportFile, mapping: Mapping, *, reading: MappingType[str, str] | None = None
) -> None:
    """Take a person's mapping, date order, decimal mark and country of phone numbers. Raises
    MappingRefused, NotNow."""
    require_state(upload, ImportState.UPLOADED, ImportState.PLANNED)
    mappings.check(mapping)
    if not all(map(is_storable, _texts_of(mapping))):
        raise MappingRefused(_("There is a character in the text that cannot be stored."))
    # Whose ids the file has is not for people to say.
    mapping = replace(mapping, system=mapping.system or upload.mapping.get("system", ""))
    kept = upload.reading
    upload.reading = {**kept, **(reading or {})}
    try:
        options.check(mapping, feed.reading_of(upload))
    except MappingRefused:
        upload.reading = kept
        raise
    upload.mapping = mapping.as_json()
    upload.state = ImportState.UPLOADED
    upload.save(update_fields=["mapping", "reading", "state"])
    _check_archive_again(upload)


def _texts_of(mapping: Mapping) -> Iterator[str]:
    """What somebody typed into it."""
    yield from mapping.constants.values()
    for target in mapping.columns.values():
        yield target.default
        yield from target.values
        yield from target.values.values()


def read_again(
    upload: ImportFile, entity: Entity, reading: MappingType[str, Any], *, by: Actor
) -> None:
    """Read the file as a person has chosen, or as a list of something else; the mapping is
    proposed anew. Raises Forbidden, NotNow and as `describe`."""
    require_state(upload, ImportState.UPLOADED, ImportState.PLANNED, ImportState.FAILED)
    plans.require(entity, by)
    chosen = {"auto": False, "doubt": "", "each": False}
    upload.entity, upload.options = entity.name, {**upload.options, **chosen}
    describe(upload, by=by, reading=reading)
    _check_archive_again(upload)


def _check_archive_again(member: ImportFile) -> None:
    """The plan of an archive says nothing any more once one of its files is read otherwise."""
    if member.parent_id is None:
        return
    planned = ImportFile.objects.filter(pk=member.parent_id, state=ImportState.PLANNED)
    if planned.update(state=ImportState.UPLOADED):
        # Its siblings wait for the next plan as well.
        ImportFile.objects.filter(parent=member.parent_id, state=ImportState.PLANNED).update(
            state=ImportState.UPLOADED
        )


# -- plan and apply -------------------------------------------------------------------------------


def start_plan(upload: ImportFile, *, by: Actor) -> Job:
    """Ask for the plan. Raises Forbidden, MappingRefused, NotNow."""
    with transaction.atomic():
        lock(upload)
        require_state(upload, ImportState.UPLOADED, ImportState.PLANNED)
        several = bundle.is_bundle(upload)
        for one in bundle.members_of(upload) if several else [upload]:
            plans.require(registry[one.entity], by)
            mappings.check(mapping_of(one))
            options.check(mapping_of(one), feed.reading_of(one))
        label = _("Planning %(file)s") % {"file": upload.name}
        parameters = {"import": str(upload.pk), **({"bundle": True} if several else {})}
        job = jobs.enqueue("import.plan", parameters, by=by, label=label)
        upload.job, upload.state, upload.message = job, ImportState.PLANNING, ""
        upload.save(update_fields=["job", "state", "message"])
    return job


def decide_all(
    upload: ImportFile,
    fate: str,
    decision: str,
    *,
    by: Actor,
    column_reason: str | None = None,
    over: bool = False,
) -> int:
    """As `deciding.decide_all`; how many rows it is about. When very many of them must be judged
    for it, a worker makes the plan anew, with all that was decided."""
    number, left = deciding.decide_all(
        upload, fate, decision, by=by, column_reason=column_reason, over=over
    )
    if left:
        start_plan(upload.parent or upload, by=by)
    return number


def start_apply(upload: ImportFile, *, by: Actor) -> Job:
    """Ask for the plan to be applied, once. Raises Forbidden, NotNow."""
    with transaction.atomic():
        lock(upload)
        require_state(upload, ImportState.PLANNED)
        plan = plan_of(upload)
        if plan is None:
            raise NotNow(_("The plan is not there any more: make it again."))
        plans.require(registry[upload.entity], by)
        parameters: dict[str, Any] = {"import": str(upload.pk), "plan": str(plan.pk)}
        if bundle.is_bundle(upload):
            parameters["members"] = bundle.parts_to_apply(upload)
        job = jobs.enqueue(
            "import.apply",
            parameters,
            by=by,
            label=_("Importing %(file)s") % {"file": upload.name},
            total=plan.counts["rows"],
        )
        upload.job, upload.state = job, ImportState.IMPORTING
        upload.save(update_fields=["job", "state"])
    return job


def go_on(upload: ImportFile, *, by: Actor) -> None:
    """Let a failed or cancelled import go on where it stopped. Raises Forbidden, NotNow,
    JobIsOver."""
    with transaction.atomic():
        lock(upload)
        job = upload.job
        if job is None or job.kind != "import.apply":
            raise NotNow(_("Check the file again."))
        if upload.operation is not None and upload.operation.undone_by.exists():
            raise NotNow(_("What was imported has been undone: import the file again."))
        plans.require(registry[upload.entity], by)
        jobs.retry(job, by=by)
        upload.state, upload.message, upload.ended_at = ImportState.IMPORTING, "", None
        upload.save(update_fields=["state", "message", "ended_at"])


def plan_now(
    upload: ImportFile, *, by: Actor, between: Callable[[Run], None] | None = None
) -> None:
    """Make the plan in this process: for commands, and for files small enough to wait for.

    Raises Refused and as `start_plan`.
    """
    _work(lambda: start_plan(upload, by=by), bundle.plan_step, plans.ended, between)


def apply_now(
    upload: ImportFile, *, by: Actor, between: Callable[[Run], None] | None = None
) -> None:
    """Apply the plan in this process. Raises Refused and as `start_apply`."""
    _work(lambda: start_apply(upload, by=by), apply.step, apply.ended, between)


def _work(
    start: Callable[[], Job],
    step: Callable[[Run], bool],
    ended: Ended,
    between: Callable[[Run], None] | None,
) -> None:
    """Do a job here and now. Should this process die, a worker goes on with it."""
    worker = f"{socket.gethostname()[:60]} {os.getpid()} {secrets.token_hex(4)}"
    with transaction.atomic():
        run = lease.hold(start(), worker)
    try:
        while step(run):
            if between is not None:
                between(run)
        run.end(JobState.DONE, ended=ended)
    except LostLease:
        raise Refused(_("A worker has taken this import over; see My Imports.")) from None
    except (CancelAsked, KeyboardInterrupt):
        run.end(JobState.CANCELLED, _("Cancelled."), ended)
        raise
    except Exception as error:
        run.end(JobState.FAILED, str(error) or type(error).__name__, ended)
        raise


def delete(upload: ImportFile) -> None:
    """Forget an upload that has not been applied. Raises NotNow."""
    require_state(
        upload, ImportState.UPLOADED, ImportState.PLANNED, ImportState.FAILED, ImportState.CANCELLED
    )
    files = [upload, *upload.members.all()]
    for file in files:
        uploads.forget(file)
    # Row by row first: the plan of a large file has many, and SQLite's lock is short.
    rows = PlanRow.objects.filter(plan__import_file__in=files).order_by("pk")
    while ids := list(rows.values_list("pk", flat=True)[:FORGOTTEN_AT_ONCE]):
        table_rows.delete(PlanRow, ids)
    upload.delete()


def delete_source(upload: ImportFile) -> None:
    """Remove the file of an import that is through; its outcome and what it made stay. Raises
    NotNow."""
    if upload.state in {ImportState.PLANNING, ImportState.IMPORTING}:
        raise NotNow(_("This import is %(state)s.") % {"state": upload.get_state_display().lower()})
    for file in (upload, *upload.members.all()):
        uploads.forget(file)
        file.stored = ""
        file.save(update_fields=["stored"])
