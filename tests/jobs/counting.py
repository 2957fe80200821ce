"""A kind of job that only counts, and stumbles where its parameters say so."""

from rapport.actions.lease import Refused

# What the kind was told at the end of its jobs: (job, state).
ends = []


def step(run):
    """Count one further; whether the total is still ahead."""
    parameters = run.job.parameters
    with run.batch() as job:
        job.total = parameters["to"]
        job.progress += 1
        if job.progress == parameters.get("refuse_at"):
            raise Refused("That is enough.")
        if job.progress == parameters.get("stumble_at") and job.attempts <= parameters["times"]:
            raise RuntimeError("stumbled")
    return run.job.progress < run.job.total


def ended(job, state):
    ends.append((job.pk, str(state)))
