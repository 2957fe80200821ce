"""A worker in the process of a test."""

from rapport.jobs.worker import Worker
from rapport.models import Job


def work_off(turns=100):
    """Let a worker work until there is nothing left to do. The radar, which begins by itself
    where much has been written, does not count: on PostgreSQL it waits for the end of the test."""
    worker = Worker()
    others = Job.objects.exclude(kind="duplicates.radar")
    for _ in range(turns):
        if not others.filter(state__in=("waiting", "running")).exists():
            return
        worker.turn()
    raise AssertionError(list(Job.objects.values_list("kind", "state", "message")))
