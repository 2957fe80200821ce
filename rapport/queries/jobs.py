"""Jobs as people see them: their own; administrators all."""

from __future__ import annotations

import uuid

from django.db.models import QuerySet

from rapport import access
from rapport.access import Actor, SystemActor
from rapport.models import Job
from rapport.models.operations import JobState

ALIVE = (JobState.WAITING, JobState.RUNNING)
PAGE = 50


def visible_jobs(by: Actor) -> QuerySet[Job]:
    """Jobs that `by` may see, newest first."""
    found = Job.objects.select_related("created_by").order_by("-created_at", "-pk")
    if isinstance(by, SystemActor) or access.is_administrator(by):
        return found
    return found.filter(created_by=by)


def jobs_for(by: Actor, *, page: int = 1) -> tuple[list[Job], bool]:
    """A page of jobs, and whether there are more."""
    start = (max(page, 1) - 1) * PAGE
    found = list(visible_jobs(by)[start : start + PAGE + 1])
    return found[:PAGE], len(found) > PAGE


def job_for(id: uuid.UUID, by: Actor) -> Job | None:
    """The job, when `by` may see it."""
    return visible_jobs(by).filter(pk=id).first()
