"""Which function works on which kind of job. Functions are named, and loaded when first needed."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from rapport.access import Actor
from rapport.actions.lease import Ended, Run
from rapport.meta.columns import Label
from rapport.models import Job


@dataclass(frozen=True, kw_only=True)
class JobKind:
    """A kind of job. `step` ("module:function") does one batch and says whether there is more;
    `ended` is called in the transaction that ends a job; `again` lets one that failed or was
    cancelled go on, '' when only the page that asked for it can. See docs/developers/jobs.md."""

    name: str
    label: Label
    step: str
    ended: str = ""
    again: str = "rapport.actions.jobs:retry"

    def do_step(self, run: Run) -> bool:
        """One batch."""
        return bool(_load(self.step)(run))

    @property
    def when_ended(self) -> Ended | None:
        """What the kind does when a job has ended."""
        return _load(self.ended) if self.ended else None

    def retry(self, job: Job, *, by: Actor) -> None:
        """Let `job` go on. Raises Forbidden, JobIsOver, and what its own way raises."""
        _load(self.again)(job, by=by)


def _load(path: str) -> Callable:
    module, _colon, name = path.partition(":")
    return getattr(importlib.import_module(module), name)


KINDS = {
    kind.name: kind
    for kind in (
        JobKind(
            name="undo",
            label=_("Undo"),
            step="rapport.jobs.undoing:step",
            ended="rapport.jobs.undoing:ended",
        ),
        JobKind(
            name="bulk",
            label=_("Bulk edit"),
            step="rapport.jobs.bulk:step",
            ended="rapport.jobs.bulk:ended",
        ),
        JobKind(
            name="demo.remove",
            label=_("Remove demo data"),
            step="rapport.jobs.demo:step",
        ),
        JobKind(
            name="quality.count",
            label=_("Count data quality"),
            step="rapport.jobs.quality:step",
        ),
        JobKind(
            name="import.describe",
            label=_("Read a file"),
            step="rapport.imports.recipes:describe_step",
            ended="rapport.imports.flow:describe_ended",
            again="",
        ),
        JobKind(
            name="import.plan",
            label=_("Plan an import"),
            step="rapport.imports.bundle:plan_step",
            ended="rapport.imports.unattended:plan_ended",
            again="",
        ),
        JobKind(
            name="import.apply",
            label=_("Import"),
            step="rapport.imports.apply:step",
            ended="rapport.imports.unattended:apply_ended",
            again="rapport.imports.flow:try_again",
        ),
        JobKind(
            name="import.recipe",
            label=_("Import by a recipe"),
            step="rapport.imports.unattended:step",
            ended="rapport.imports.unattended:ended",
            again="",
        ),
        JobKind(
            name="duplicates.merge",
            label=_("Merge duplicates"),
            step="rapport.jobs.merging:step",
        ),
        JobKind(
            name="duplicates.unmerge",
            label=_("Take merges back"),
            step="rapport.jobs.merging:unmerge_step",
        ),
        JobKind(
            name="duplicates.keys",
            label=_("Prepare the search for duplicates"),
            step="rapport.jobs.rekeying:step",
        ),
        JobKind(
            name="duplicates.radar",
            label=_("Search for duplicates"),
            step="rapport.jobs.radar:step",
            ended="rapport.jobs.radar:ended",
        ),
    )
}
