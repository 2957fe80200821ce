"""Rows that a plan has promised something, and that are not written because by now it would be
something else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from rapport.actions import journal, rows as table_rows
from rapport.models import Operation, Plan, PlanRow
from rapport.models.operations import Fate

from . import decisions, plan as plans, updates
from .decisions import Decided
from .reasons import Reason, as_json
from .verdict import Judged, Verdict


def hold_back_changed(
    judged: Judged,
    plan: Plan,
    kept: Mapping[int, PlanRow],
    decided: Decided,
    op: Operation | None,
) -> None:
    """Rows whose fate is not the one that people have seen are not written. `op`: an operation of
    several files, of which one may repeat another."""
    added: list[Verdict] = []
    repeated = journal.touched(op, [v.record for v in judged.verdicts if v.record]) if op else set()
    news: list[tuple[Any, tuple[Any, ...]]] = []
    for verdict in judged.verdicts:
        row = kept.get(verdict.number)
        shown = decisions.shown(row, decided)
        if verdict.fate is shown and (
            shown is not Fate.UPDATE or _same_update(row, verdict, judged)
        ):
            continue
        if row is not None and row.like and shown in {Fate.DUPLICATE, Fate.SKIP}:
            # It repeats an earlier row, which this user need not see once it is somebody else's.
            verdict.fate = shown
            continue
        if verdict.record in repeated and verdict.fate in {Fate.DUPLICATE, Fate.SAME} and not row:
            added.append(verdict)
            continue
        why = _what_changed(shown, verdict.fate)
        reason = Reason(why, None, _("Import these rows again."), "changed")
        verdict.reasons = [reason, *verdict.reasons]
        verdict.fate = Fate.CHANGED
        if row is None:
            added.append(verdict)
        else:
            news.append((row.pk, (Fate.CHANGED, as_json(verdict.reasons))))
    plans.keep(plan, added)
    table_rows.update(PlanRow, ("fate", "reasons"), news)


def _what_changed(shown: Fate, now: Fate) -> str:
    if shown is now:
        return _("The record has been changed since, so other values than those shown would go.")
    text = _("Planned was “%(planned)s”, and by now it would be “%(now)s”.")
    return text % {"planned": shown.label, "now": now.label}


def _same_update(row: PlanRow | None, verdict: Verdict, judged: Judged) -> bool:
    if row is None:
        return False
    # Plans of an earlier version kept the changes of an update as its reasons.
    planned = row.reasons if row.changes is None else row.changes
    return updates.are_as_planned(planned, verdict, judged.links)
