"""A worker in the process of a test."""

from rapport.jobs.worker import Worker
from rapport.models import Job


def work_off(turns=100):
    """Let a worker work until there is nothing left to do."""
    worker = Worker()
    for _ in range(turns):
        if not Job.objects.filter(state__in=("waiting", "running")).exists():
            return
        worker.turn()
    raise AssertionError(list(Job.objects.values_list("kind", "state", "message")))
