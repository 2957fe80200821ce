"""The end of an import, however it came: what was written stays, and can be undone."""

from __future__ import annotations

from django.db import transaction

from rapport.actions import journal, retention
from rapport.models import ImportFile, Job
from rapport.models.journal import OperationState
from rapport.models.operations import ImportState, JobState
from rapport.queries.imports import plan_of

from . import bundle


def close(job: Job, state: JobState) -> None:
    """Close the operation and the import of `job`, which ends in `state`."""
    upload = ImportFile.objects.select_related("operation").filter(job=job).first()
    if upload is None:
        return
    if state == JobState.CANCELLED and _is_whole(upload, job):
        state = JobState.DONE
    upload.state = _STATES[state]
    upload.message = job.message if state != JobState.DONE else ""
    upload.ended_at = job.ended_at
    op = upload.operation
    if op is not None and not op.counts:
        # Nothing was written: no trace in the journal.
        upload.operation = None
    _end_members(upload)
    # Not while all wait for this transaction: there may be thousands of uploads to look through.
    transaction.on_commit(retention.tidy_uploads, robust=True)
    upload.save(update_fields=["state", "message", "ended_at", "operation", "counts"])
    if op is None:
        return
    if op.counts:
        journal.finish(op, _OPERATION_STATES[state])
    else:
        op.delete()


def _is_whole(upload: ImportFile, job: Job) -> bool:
    """Whether every row of one file is taken and linked: whoever stops the import then is too
    late."""
    plan = plan_of(upload)
    if plan is None or bundle.is_bundle(upload) or (job.cursor or {}).get("open"):
        return False
    return "created" in upload.counts and upload.counts.get("rows") == plan.counts.get("rows")


def _end_members(upload: ImportFile) -> None:
    """The files of an archive end with it; together they have its counts."""
    members = list(upload.members.exclude(state=ImportState.FAILED))
    if not members:
        return
    begun = {ImportState.IMPORTING}
    for member in members:
        if member.state in begun or upload.state == ImportState.DONE:
            member.state, member.ended_at = upload.state, upload.ended_at
            member.operation = upload.operation
            member.save(update_fields=["state", "ended_at", "operation"])
    if applied := [m for m in members if "created" in m.counts]:
        # Zeros count: that nothing was created is not that nothing was applied.
        upload.counts = bundle.total(applied)


_STATES = {
    JobState.DONE: ImportState.DONE,
    JobState.CANCELLED: ImportState.CANCELLED,
    JobState.FAILED: ImportState.FAILED,
}
_OPERATION_STATES = {
    JobState.DONE: OperationState.DONE,
    JobState.CANCELLED: OperationState.CANCELLED,
    JobState.FAILED: OperationState.FAILED,
}
