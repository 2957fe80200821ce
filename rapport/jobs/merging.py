"""The jobs that merge groups of certain duplicates, and that take such merges back."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from rapport import access
from rapport.actions import certain, undo
from rapport.actions.lease import Run
from rapport.meta.registry import registry
from rapport.models import Operation

# Groups of one transaction: a merge writes many rows.
AT_ONCE = 5
REASONS_KEPT = 200


def step(run: Run) -> bool:
    """Merge the next groups: {"groups": [[entity, [ids]]], "with_conflicts"}."""
    with run.batch() as job:
        parameters = job.parameters
        result = _result(job.result, operations=[])
        start = (job.cursor or {}).get("start", 0)
        groups = parameters["groups"][start : start + AT_ONCE]
        for name, texts in groups:
            ids = [uuid.UUID(text) for text in texts]
            try:
                with transaction.atomic():
                    op = certain.merge_group(
                        registry[name], ids, by=run.by, with_conflicts=parameters["with_conflicts"]
                    )
            except certain.REFUSALS as error:
                _refuse(result, texts[0], certain.why(error))
            else:
                result["done"] += 1
                result["operations"].append(str(op.pk))
        job.cursor = {"start": start + len(groups)}
        job.progress = start + len(groups)
        job.result = result
    return job.progress < len(parameters["groups"])


def unmerge_step(run: Run) -> bool:
    """Take the next merges back, the last one first: {"operations": [ids]}."""
    with run.batch() as job:
        operations = job.parameters["operations"][::-1]
        result = _result(job.result, conflicts=0)
        start = (job.cursor or {}).get("start", 0)
        for text in operations[start : start + AT_ONCE]:
            op = Operation.objects.filter(pk=uuid.UUID(text)).first()
            try:
                if op is None:
                    raise undo.CannotUndo(_("The operation is not there any more."))
                with transaction.atomic():
                    _back, undone = undo.undo(op, by=run.by)
            except (undo.CannotUndo, access.Forbidden) as error:
                _refuse(result, text, str(error) or _("You may not take this back."))
            else:
                result["done"] += 1
                result["conflicts"] += len(undone.conflicts)
        job.progress = min(start + AT_ONCE, len(operations))
        job.cursor = {"start": job.progress}
        job.result = result
    return job.progress < len(operations)


def _result(kept: Any, **more: Any) -> dict[str, Any]:
    return dict(kept) if kept else {"done": 0, "refused": 0, "reasons": {}, **more}


def _refuse(result: dict[str, Any], key: str, reason: str) -> None:
    result["refused"] += 1
    if len(result["reasons"]) < REASONS_KEPT:
        result["reasons"][key] = reason
