"""What Rapport does not keep for ever: used links, old uploads and plans, old jobs, sessions."""

from __future__ import annotations

import datetime
import shutil
from contextlib import suppress
from importlib import import_module
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from rapport.meta.batches import batches
from rapport.models import ImportFile, Job, Plan, PlanRow, SignInLink, TakenFile
from rapport.models.operations import JobState

from . import rows

LINK_DAYS = 7
BATCH = 500
# Below MEDIA_ROOT, where each upload has a folder of its own, and what it is called there.
UPLOADS, ORIGINAL = "imports", "original"
# How the names of files beside an upload begin that are made again when they are gone; how long
# they are kept, and how many bytes of them.
MADE_AHEAD = "rows-"
AHEAD_FOR = datetime.timedelta(days=1)
AHEAD_BYTES = 2 * 1024**3
# An upload that no import names is being stored still, or whoever stored it has died: by then.
STRAY_AFTER = datetime.timedelta(days=1)


def expire(*, now: datetime.datetime | None = None) -> bool:
    """Remove one batch of what is old enough; whether there may be more. Can be done twice."""
    now = now or timezone.now()
    kept_since = now - datetime.timedelta(days=settings.RETENTION_DAYS)
    _forget_links(now)
    # Where files of watched folders went; the files themselves are not ours.
    TakenFile.objects.filter(put_at__lt=kept_since).delete()
    more = _forget_jobs(kept_since)
    more |= _forget_plans(kept_since)
    more |= _forget_uploads(kept_since)
    if not more:
        _forget_strays(now)
    return more


def _forget_links(now: datetime.datetime) -> None:
    old = SignInLink.objects.filter(expires_at__lt=now - datetime.timedelta(days=LINK_DAYS))
    if old.exists():
        old.delete()


def _forget_jobs(since: datetime.datetime) -> bool:
    ended = [JobState.DONE, JobState.FAILED, JobState.CANCELLED]
    old = Job.objects.filter(created_at__lt=since, state__in=ended)
    ids = list(old.values_list("pk", flat=True)[:BATCH])
    if ids:
        Job.objects.filter(pk__in=ids).delete()
    return len(ids) == BATCH


def _forget_plans(since: datetime.datetime) -> bool:
    old = Plan.objects.filter(Q(created_at__lt=since) | Q(import_file=None))
    with transaction.atomic():
        _forget_part(old, BATCH)
    return old.exists()


def _dropped() -> QuerySet[Plan]:
    """Plans that say nothing any more: a later one was made, or the file was deleted."""
    return Plan.objects.filter(import_file=None)


def is_plan_dropped() -> bool:
    """Whether `forget_dropped` has something to do."""
    return _dropped().exists()


def forget_dropped(size: int) -> None:
    """Remove so many rows of a plan that says nothing any more. Within a transaction."""
    _forget_part(_dropped(), size)


def _forget_part(plans: QuerySet[Plan], size: int) -> None:
    """Up to `size` rows of one of `plans`, or that plan when it has none left: the plan of a large
    file has many, and SQLite's lock is short."""
    plan = plans.order_by("pk").first()
    if plan is None:
        return
    ids = list(plan.rows.values_list("pk", flat=True)[:size])
    if ids:
        rows.delete(PlanRow, ids)
    else:
        plan.delete()


def _forget_uploads(since: datetime.datetime) -> bool:
    """The rows stay, with what the import did; the files go."""
    old = list(ImportFile.objects.filter(created_at__lt=since).exclude(stored="")[:BATCH])
    for upload in old:
        # The files first: if this stops half-way, the next time finds a row whose file is gone.
        # A file lies in a folder of its own, with what was made to read it.
        path = Path(settings.MEDIA_ROOT) / upload.stored
        path.unlink(missing_ok=True)
        if path.parent != Path(settings.MEDIA_ROOT):
            shutil.rmtree(path.parent, ignore_errors=True)
        ImportFile.objects.filter(pk=upload.pk).update(stored="")
    return len(old) == BATCH


def _forget_strays(now: datetime.datetime) -> None:
    """Remove uploads that no import names: whoever stored them died before saying so."""
    since, old = (now - STRAY_AFTER).timestamp(), {}
    for folder in (Path(settings.MEDIA_ROOT) / UPLOADS).glob("*"):
        # Another one may be forgetting it.
        with suppress(FileNotFoundError):
            if folder.stat().st_mtime < since:
                old[f"{UPLOADS}/{folder.name}/{ORIGINAL}"] = folder
    for part in batches(old):
        named = ImportFile.objects.filter(stored__in=part).values_list("stored", flat=True)
        for stored in {*part}.difference(named):
            shutil.rmtree(old[stored], ignore_errors=True)


def tidy_uploads(*, now: datetime.datetime | None = None) -> None:
    """Remove what was made ahead of uploads, and is old or too much."""
    found: list[tuple[float, int, Path]] = []
    for path in Path(settings.MEDIA_ROOT).glob(f"*/*/{MADE_AHEAD}*"):
        # Another one may be tidying up.
        with suppress(FileNotFoundError):
            status = path.stat()
            found.append((status.st_mtime, status.st_size, path))
    since, left = ((now or timezone.now()) - AHEAD_FOR).timestamp(), AHEAD_BYTES
    for at, size, path in sorted(found, reverse=True):
        if at >= since and size <= left:
            left -= size
        else:
            path.unlink(missing_ok=True)


def clear_sessions() -> None:
    """Remove sessions that have run out."""
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
