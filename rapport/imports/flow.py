"""The way of a file in: received, described, mapped, planned, applied. Pages and the command line
call this and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping as MappingType, Sequence
from dataclasses import replace
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from rapport import processes
from rapport.access import Actor, Forbidden, SystemActor
from rapport.actions import jobs, lease
from rapport.actions.lease import CancelAsked, Ended, LostLease, Refused, Run
from rapport.files.read import FileRefused
from rapport.meta.entity import Entity
from rapport.meta.registry import registry
from rapport.meta.storable import is_storable
from rapport.models import ImportFile, Job, Plan
from rapport.models.operations import ImportState, JobState
from rapport.queries.imports import plan_of

from . import (
    apply,
    bundle,
    deciding,
    describing,
    feed,
    mapping as mappings,
    options,
    packing,
    plan as plans,
    showing,
    steps,
    subject,
    uploads,
)
from .mapping import Mapping, MappingRefused
from .steps import lock, require_state

AUTO = "auto"
# Larger workbooks are read by a worker, so that nobody waits for a page.
READ_AT_ONCE = 3 * 1024**2
LOOKED_AT = describing.LOOKED_AT
NotNow = steps.NotNow
mapping_of = feed.mapping_of
importable_for, describe = subject.importable_for, describing.describe
# What people do with a plan: see there.
decide, repair, decided_alone = deciding.decide, deciding.repair, deciding.decided_alone
rows_of, records_of = showing.rows_of, showing.records_of


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
    return receive(packing.packed(files), name=name, entity=entity, by=by)


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
    except ImportFile.DoesNotExist as gone:
        raise Refused(_("The import is not there any more.")) from gone
    except (FileRefused, MappingRefused, NotNow, uploads.UploadGone) as refused:
        raise Refused(str(refused)) from refused
    return False


def describe_ended(job: Job, state: JobState) -> None:
    """Tell the import why its file could not be read."""
    upload = ImportFile.objects.filter(job=job).first()
    if state != JobState.DONE and upload is not None:
        refuse(upload, job.message)


def refuse(upload: ImportFile, message: str) -> None:
    """The file cannot be read: keep why."""
    upload.state, upload.message, upload.ended_at = ImportState.FAILED, message, timezone.now()
    upload.save(update_fields=["state", "message", "ended_at"])


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
    with transaction.atomic():
        # Two clicks on one button: the first may have it planned by now.
        steps.hold(upload, ImportState.UPLOADED, ImportState.PLANNED)
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


def read_each_sheet(upload: ImportFile, *, by: Actor) -> None:
    """Read a workbook as several lists, each sheet by its own headers. What is stored stays when
    that cannot be. Raises Forbidden, NotNow and as `describe`."""
    require_state(upload, ImportState.UPLOADED, ImportState.PLANNED)
    if not importable_for(by):
        raise Forbidden("import")
    upload.entity = ""
    upload.options = {**upload.options, "auto": True, "doubt": "", "each": True}
    describe(upload, by=by, reading={"sheet": bundle.EACH_SHEET})


def read_alone(upload: ImportFile, name: str, *, by: Actor) -> None:
    """Import one of several files or sheets and leave the others; its mapping is proposed anew.
    What is stored stays when that cannot be. Raises Forbidden, NotNow and as `describe`."""
    require_state(upload, ImportState.UPLOADED, ImportState.PLANNED)
    if not (choices := importable_for(by)):
        raise Forbidden("import")
    members = {member.options["member"]: member for member in upload.members.all()}
    if name not in bundle.names_in(upload):
        raise MappingRefused(_("“%(name)s” is none of these files.") % {"name": name})
    entity = members[name].entity if name in members else ""
    place = "sheet" if upload.reading.get("sheet") else "member"
    said = {"auto": not entity, "each": False, "doubt": ""}
    upload.entity, upload.options = entity, {**bundle.alone(upload), **said}
    try:
        describe(upload, by=by, reading={place: name})
    except MappingRefused as refused:
        # As with a file that comes alone: it begins with the first, and says so.
        doubt = {"auto": False, "doubt": str(refused)}
        upload.entity, upload.options = choices[0].name, {**upload.options, **doubt}
        describe(upload, by=by, reading={place: name})
    _forget(list(members.values()))


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


def try_again(job: Job, *, by: Actor) -> None:
    """Let the import of a failed or cancelled job go on, unless it has a newer one. Raises as
    `go_on`."""
    upload = ImportFile.objects.filter(job=job).first()
    if upload is None:
        raise NotNow(_("The import has gone on without this job."))
    go_on(upload, by=by)


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
    processes.give_memory_back()
    with transaction.atomic():
        run = lease.hold(start(), processes.name())
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
    _forget([*upload.members.all(), upload])


def _forget(files: Sequence[ImportFile]) -> None:
    """Remove files with all that was made of them."""
    for file in files:
        uploads.forget(file)
    with transaction.atomic():
        for file in reversed(files):
            # First, as whoever decides about rows does.
            ImportFile.objects.select_for_update(of=("self",)).filter(pk=file.pk).first()
        # A worker removes the rows piece by piece: there may be a million.
        Plan.objects.filter(import_file__in=files).update(import_file=None)
        for file in files:
            file.delete()


def delete_source(upload: ImportFile) -> None:
    """Remove the file of an import that is through; its outcome and what it made stay. Raises
    NotNow."""
    if upload.state in {ImportState.PLANNING, ImportState.IMPORTING}:
        raise NotNow(_("This import is %(state)s.") % {"state": upload.get_state_display().lower()})
    for file in (upload, *upload.members.all()):
        uploads.forget(file)
        file.stored = ""
        file.save(update_fields=["stored"])
