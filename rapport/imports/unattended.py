"""Imports by a recipe that nobody watches: mapped, planned and applied one job after the other.

`import.recipe` reads the file as the recipe says and asks for its plan; when that is there, it is
applied, or waits for a person when the recipe says so or stops it.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from rapport.access import Forbidden
from rapport.actions import jobs
from rapport.actions.lease import Refused, Run
from rapport.files.read import FileRefused
from rapport.models import ImportFile, ImportRecipe, Job
from rapport.models.operations import ImportState, JobState
from rapport.queries.jobs import ALIVE

from . import apply, flow, plan as plans, recipefit, recipes, several, uploads
from .mapping import MappingRefused
from .recipefit import RecipeRefused
from .sessions import NOT_ALLOWED

KIND = "import.recipe"
# `ImportFile.options["left"]`: why a plan was not applied: the recipe stops it, or wants a look.
STOPPED, WAITS = "stopped", "waits"
# `ImportFile.options["via"]`: where an import came from that nobody watches.
VIA = ("api", "folder")
# `ImportFile.options`: the job whose plan is applied when it ends.
GOES_ON = "goes_on"


def owner_problem(recipe: ImportRecipe) -> str:
    """Why nothing may be imported on behalf of the recipe's owner; '' when all is well."""
    owner = recipe.owner
    if not owner.is_active:
        text = _("The recipe “%(recipe)s” belongs to %(owner)s, who is not active any more.")
        return text % {"recipe": recipe.name, "owner": owner}
    try:
        for part in recipefit.parts_of(recipe):
            plans.require(recipefit.entity_of(part), owner)
    except Forbidden:
        text = _("%(owner)s, to whom the recipe “%(recipe)s” belongs, may not import any more.")
        return text % {"recipe": recipe.name, "owner": owner}
    except RecipeRefused as refused:
        return str(refused)
    return ""


def receive(
    recipe: ImportRecipe, chunks: Iterable[bytes], *, name: str, via: str = "api"
) -> ImportFile:
    """Take a file that a program sends, on behalf of the recipe's owner; a worker imports it.

    Raises RecipeRefused (code "owner"), UploadTooLarge, FileRefused.
    """
    if problem := owner_problem(recipe):
        raise RecipeRefused(problem, "owner")
    stored, size = uploads.store(chunks)
    try:
        # Said at once, while whoever sent it listens.
        uploads.look_at(stored)
        with transaction.atomic():
            return begin(recipe, name=name, via=via, stored=stored, size=size)
    except BaseException:
        uploads.forget_stored(stored)
        raise


def begin(
    recipe: ImportRecipe, *, name: str, via: str, stored: str = "", size: int = 0
) -> ImportFile:
    """The import, begun when those before it are over; in the caller's transaction. Not yet
    `stored`: its job fetches the file."""
    upload = ImportFile.objects.create(
        name=uploads.plain_name(name)[:255] or recipe.name,
        stored=stored,
        size=size,
        entity=recipe.entity,
        recipe=recipe,
        options={"auto": recipefit.is_of_several(recipe), "each": True, "via": via},
        created_by=recipe.owner,
        created_at=timezone.now(),
    )
    _start_next(recipe)
    return upload


def _start_next(recipe: ImportRecipe, besides: Job | None = None) -> None:
    """Begin the oldest import of `recipe` that waits, unless another is under way (`besides` a job
    that is just ending): what one file says must be there before the next is planned. Within a
    transaction."""
    list(ImportRecipe.objects.select_for_update().filter(pk=recipe.pk))
    own = ImportFile.objects.filter(recipe=recipe, options__via__in=VIA)
    under_way = own.filter(job__state__in=ALIVE)
    if besides is not None:
        under_way = under_way.exclude(job=besides)
    if under_way.exists():
        return
    upload = _waiting().filter(recipe=recipe).order_by("created_at", "pk").first()
    if upload is None:
        return
    values = {"file": upload.name, "recipe": recipe.name}
    upload.job = jobs.enqueue(
        KIND,
        {"import": str(upload.pk)},
        by=recipe.owner,
        label=_("Importing %(file)s by “%(recipe)s”") % values,
    )
    upload.save(update_fields=["job"])


def _waiting() -> QuerySet[ImportFile]:
    waiting = ImportFile.objects.filter(
        state=ImportState.UPLOADED, job=None, recipe__isnull=False, options__via__in=VIA
    )
    # What was planned once is people's: it only looks the same when its old jobs are forgotten.
    return waiting.exclude(options__has_key=GOES_ON)


def start_waiting() -> None:
    """Begin what waits although nothing is under way any more: what was to begin it is gone."""
    recipe_ids = set(_waiting().values_list("recipe", flat=True))
    for recipe in ImportRecipe.objects.filter(pk__in=recipe_ids).select_related("owner"):
        with transaction.atomic():
            _start_next(recipe)


# -- the file is read and planned -----------------------------------------------------------------


def step(run: Run) -> bool:
    """Read the file and ask for its plan (the job `import.recipe`: {"import": id})."""
    found = ImportFile.objects.select_related("recipe__owner")
    upload = found.filter(pk=run.job.parameters["import"]).first()
    if upload is None:
        raise Refused(_("The import is not there any more."))
    if upload.recipe is None:
        raise Refused(_("The recipe is not there any more."))
    if upload.state != ImportState.UPLOADED:
        return False  # an earlier try came so far
    try:
        if not upload.stored:
            _fetch(upload, run)
        several.describe(upload, upload.recipe, by=run.by)
        run.beat()
        with transaction.atomic():
            job = flow.start_plan(upload, by=run.by)
            # Only this plan is gone on with: a person may want another one later.
            upload.options = {**upload.options, GOES_ON: str(job.pk)}
            upload.save(update_fields=["options"])
    except (
        FileRefused,
        MappingRefused,
        RecipeRefused,
        uploads.UploadGone,
        uploads.UploadTooLarge,
    ) as refused:
        raise Refused(str(refused)) from refused
    except Forbidden as forbidden:
        raise Refused(str(NOT_ALLOWED)) from forbidden
    return False


def _fetch(upload: ImportFile, run: Run) -> None:
    from . import folders  # which begins imports, and so needs this module

    def chunks() -> Iterable[bytes]:
        for chunk in folders.read(upload):
            run.beat()
            yield chunk

    try:
        stored, size = uploads.store(chunks())
    except (FileNotFoundError, folders.NoFolder) as error:
        raise Refused(_("The file is not there any more.")) from error
    try:
        with run.batch():
            upload.stored, upload.size = stored, size
            upload.save(update_fields=["stored", "size"])
    except BaseException:
        uploads.forget_stored(stored)
        raise


def ended(job: Job, state: JobState) -> None:
    """Tell the import why it got no further."""
    if state == JobState.DONE:
        return
    upload = (
        ImportFile.objects.select_related("recipe__owner")
        .filter(pk=job.parameters["import"], state=ImportState.UPLOADED)
        .first()
    )
    if upload is not None:
        _close(upload, state, job)


def _close(upload: ImportFile, state: JobState, job: Job) -> None:
    cancelled = state == JobState.CANCELLED
    upload.state = ImportState.CANCELLED if cancelled else ImportState.FAILED
    upload.message, upload.ended_at = job.message, timezone.now()
    upload.save(update_fields=["state", "message", "ended_at"])
    _is_over(upload, job)


def _is_over(upload: ImportFile, job: Job) -> None:
    """Nothing more is done for `upload` when `job` has ended: the next one's turn."""
    if upload.recipe is not None and upload.options.get("via") in VIA:
        _start_next(upload.recipe, job)


# -- the plan is applied --------------------------------------------------------------------------


def plan_ended(job: Job, state: JobState) -> None:
    """What follows a plan (`ended` of `import.plan`): for most imports, somebody who looks."""
    plans.ended(job, state)
    upload = ImportFile.objects.select_related("recipe__owner").filter(job=job).first()
    if upload is None or upload.options.get(GOES_ON) != str(job.pk):
        return
    if state == JobState.DONE:
        _go_on(upload, job)
    elif upload.state == ImportState.UPLOADED:
        _close(upload, state, job)


def _go_on(upload: ImportFile, job: Job) -> None:
    recipe = upload.recipe
    if recipe is None:
        _leave(upload, STOPPED, _("The recipe is not there any more."))
    elif problem := owner_problem(recipe) or recipes.stopped(recipe, upload.counts):
        _leave(upload, STOPPED, problem)
    elif recipe.looks_first:
        _leave(upload, WAITS, _("It waits until somebody has looked at it and applies it."))
    else:
        flow.start_apply(upload, by=recipe.owner)
        return
    _is_over(upload, job)


def apply_ended(job: Job, state: JobState) -> None:
    """What follows an import (`ended` of `import.apply`)."""
    apply.ended(job, state)
    upload = ImportFile.objects.select_related("recipe__owner").filter(job=job).first()
    if upload is not None:
        _is_over(upload, job)


def _leave(upload: ImportFile, how: str, message: str) -> None:
    """Leave the plan to people."""
    upload.message, upload.options = message, {**upload.options, "left": how}
    upload.save(update_fields=["message", "options"])
