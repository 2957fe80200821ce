"""The job that undoes a large operation: {"operation": id}."""

from django.utils.translation import gettext as _

from rapport.actions import journal, lease, undo
from rapport.actions.lease import Refused, Run
from rapport.actions.undo import Undone
from rapport.models import Job, Operation
from rapport.models.journal import OperationState
from rapport.models.operations import JobState

_STATES = {
    JobState.DONE: OperationState.DONE,
    JobState.FAILED: OperationState.FAILED,
    JobState.CANCELLED: OperationState.CANCELLED,
}


def step(run: Run) -> bool:
    """Take one batch of changes back."""
    run.pace.smallest = undo.SMALLEST
    undone = Undone()
    with lease.much_to_write(), run.batch() as job:
        if job.cursor is None:
            op = Operation.objects.filter(pk=job.parameters["operation"]).first()
            if op is None:
                raise Refused(_("The operation is not there any more."))
            back = undo.begin(op, by=run.by)
            job.total = op.changes.count()
            job.result = {"restored": 0, "removed": 0, "returned": 0, "conflicts": 0}
            before = None
        else:
            back = Operation.objects.select_related("undo_of").get(pk=job.cursor["undo"])
            before = job.cursor["before"]
            if back.state != OperationState.RUNNING:
                if back.undone_by.exists():
                    raise Refused(_("This undo has itself been undone: start again."))
                journal.go_on(back)
        following = undo.advance(back, undone, by=run.by, before=before, size=run.size)
        job.cursor = {"undo": str(back.pk), "before": before if following is None else following}
        job.progress = min(job.total, job.progress + run.size)
        job.result = {
            "restored": job.result["restored"] + undone.restored,
            "removed": job.result["removed"] + undone.removed,
            "returned": job.result["returned"] + undone.returned,
            "conflicts": job.result["conflicts"] + len(undone.conflicts),
            "operation": str(back.pk),
        }
    return following is not None


def ended(job: Job, state: JobState) -> None:
    """Close the operation: what a cancelled or failed undo has taken back stays taken back."""
    back = Operation.objects.filter(pk=(job.cursor or {}).get("undo")).first()
    if back is not None:
        journal.finish(back, _STATES[state])
