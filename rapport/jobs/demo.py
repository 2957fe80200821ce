"""The job that takes the demo data away."""

from rapport.actions import demo
from rapport.actions.lease import TARGET, Run

from . import pauses


def step(run: Run) -> bool:
    """All of it: its parts are short transactions of their own, and whatever is left is taken away
    when the job is tried again."""

    def between() -> None:
        run.beat()
        pauses.after_writing(TARGET["sqlite"])

    demo.remove(by=run.by, between=between)
    with run.batch() as job:
        job.progress = job.total or 1
    return False
