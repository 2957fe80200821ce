"""Workers that die in the middle of an import, and others that take it over."""

import datetime

from django.utils import timezone

from rapport.actions import lease
from rapport.imports import apply
from rapport.models import Job
from rapport.models.operations import JobState

LATER = datetime.timedelta(minutes=30)


def people(number, table):
    """A file of `number` contacts, every third without a last name, every fifth a duplicate."""
    rows = (
        f"Anna,{'' if n % 3 == 0 else f'Bo {n}'},a{n - 1 if n % 5 == 0 else n}@x.de,Acme {n % 4}"
        for n in range(1, number + 1)
    )
    return table("First Name,Last Name,Email,Company", *rows)


def take(worker):
    """The job, in the hands of `worker`, as after the lease of another has run out."""
    Job.objects.filter(state="running").update(heartbeat_at=timezone.now() - LATER)
    lease.sweep(lease=60)
    run = lease.take(worker, {"import.plan", "import.apply"})
    assert run is not None
    run.pace.size = 4
    return run


def finished_by_another(batches):
    """Apply so many batches. Then the worker is gone with all that it had in memory, and another
    one does the rest. Whether there was a rest."""
    first = take("first")
    has_more = all(apply.step(first) for _ in range(batches))
    apply._sessions._kept.clear()
    second = take("second")
    while apply.step(second):
        pass
    second.end(JobState.DONE, ended=apply.ended)
    return has_more
