"""People change what becomes of rows: they decide, and repair cells. The plan shows it at once.

Only the rows in question are judged again; all counts stay those of the whole file.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping as MappingType
from contextlib import contextmanager, nullcontext
from typing import TypeVar

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from rapport.access import Actor
from rapport.meta.batches import batches
from rapport.meta.registry import registry
from rapport.meta.storable import storable
from rapport.models import ImportFile, Plan, PlanRow
from rapport.models.operations import Decision, Fate, ImportState
from rapport.queries.imports import plan_of

from . import alike, along, decisions, keptnames, plan as plans, samerows, steps
from .decisions import ALIKE
from .feed import mapping_of
from .mapping import Mapping
from .rejudging import AT_ONCE, Rejudging
from .steps import NotNow

# With more rows whoever decides about all of them would wait for many seconds.
REWRITTEN = 50_000


def decide(upload: ImportFile, row: int, decision: str, *, by: Actor) -> PlanRow:
    """What is to become of one row; '' takes back what was decided. The row as it is judged now.

    Raises NotNow, Forbidden.
    """

    def work_on(work: Rejudging) -> PlanRow:
        plan = work.plan
        samerows.take(plan, [row])
        kept = plan.rows.filter(row=row).first()
        found = kept.found if kept else Fate.CREATE
        like = kept.like if kept else 0
        if decision and decision not in decisions.choices(found, like):
            raise NotNow(_("This cannot be decided about row %(row)d.") % {"row": row})
        if kept is None or not _is_known(kept):
            work.say(row, decision=decision)
            return work.done(row)
        only = plan.rows.filter(pk=kept.pk)
        said = _said(plan, mapping_of(upload), Fate(found), decision)
        left = alike.rewrite(plan, only, Fate(found), said, nullcontext)
        only.update(decision=decision)
        work.say(row, decision=decision)
        return work.done(row) if left.questions else work.settled(kept)

    return _rejudge(upload, by, work_on)


def _said(plan: Plan, mapping: Mapping, found: Fate, decision: str) -> str:
    """What holds for a row: what is decided about it, or about all alike, or said by the mapping;
    '' when it stays what it is found to be."""
    said = decision or decisions.alike_of(plan).alike.get(found, "")
    usual = mapping.usual(found)
    # Duplicates that are skipped are still called duplicates.
    is_nothing = found is Fate.DUPLICATE and usual == Decision.SKIP
    return said or ("" if is_nothing else usual)


def _is_known(row: PlanRow) -> bool:
    """Whether the plan knows what becomes of `row` by any decision, so that the file need not be
    read."""
    return row.record is not None and row.changes is not None and row.fate != Fate.REFUSED


def repair(upload: ImportFile, row: int, cells: MappingType[int, str], *, by: Actor) -> PlanRow:
    """Other texts for cells of one row, by column; as in the file where a text is what the file
    has. The row as it is judged now. Raises NotNow, Forbidden."""
    columns = len(upload.options.get("columns", ()))
    if not all(0 <= index < columns for index in cells):
        raise NotNow(_("There is no such column."))

    def work_on(work: Rejudging) -> PlanRow:
        work.say(row, cells={index: storable(text) for index, text in cells.items()})
        return work.done(row)

    return _rejudge(upload, by, work_on)


T = TypeVar("T")


def _rejudge(upload: ImportFile, by: Actor, work_on: Callable[[Rejudging], T]) -> T:
    """Do something to the plan in one transaction. When this has to know what all rows of a file
    name, it is done again after the file was read: so nobody else waits for that."""
    named: dict[uuid.UUID, along.Named] = {}
    while True:
        try:
            with transaction.atomic():
                return work_on(Rejudging(upload, _open(upload, by), by, named))
        except along.Unread as unread:
            named[unread.plan.pk] = keptnames.read(unread.upload, unread.plan, by)


def decide_all(
    upload: ImportFile,
    fate: str,
    decision: str,
    *,
    by: Actor,
    column_reason: str | None = None,
    over: bool = False,
) -> tuple[int, int]:
    """What is to become of all rows that are found to be `fate`; '' takes it back. What was decided
    about single ones of them holds, unless `over`. `column_reason`: only of those refused for this
    reason, as the plan counts it. How many rows they are, and how many of them are still to be
    judged or rewritten, because they are more than one waits for: then the file is to be planned
    again. Raises NotNow, Forbidden.
    """
    if decision and decision not in decisions.CHOICES.get(fate, ()):
        raise NotNow(_("This cannot be decided about these rows."))
    with transaction.atomic():
        plan = _open(upload, by)
        if column_reason is None:
            said = {**decisions.alike_of(plan).alike, fate: decision}
            plan.parameters[ALIKE] = {name: one for name, one in said.items() if one}
            plan.save(update_fields=["parameters"])
    found = plan.rows.filter(found=fate)
    if column_reason is not None:
        number = _note(upload, _refused_for(found, column_reason), decision)
        chosen = found.filter(decision=decision)
    else:
        if over:
            _note(upload, found.exclude(decision="").values_list("pk", flat=True), "")
        chosen = found.filter(decision="")
        together = samerows.count(plan) if fate == Fate.SAME else 0
        number = chosen.count() + together
        if number > REWRITTEN:
            return number, number
        if together:
            samerows.take_all(plan, lambda: _locked(upload))
    holds = _said(plan, mapping_of(upload), Fate(fate), decision)
    left = alike.rewrite(plan, chosen, Fate(fate), holds, lambda: _locked(upload))

    def work_on(work: Rejudging) -> int:
        work.groups.update(left.groups)
        repeating = work.repeating(None if fate == Fate.CREATE else left.changed)
        questions = {*left.questions, *repeating}
        if len(questions) <= AT_ONCE:
            work.judge(sorted(questions))
            questions = set()
        work.recount()
        return len(questions)

    return number, _rejudge(upload, by, work_on)


def decided_alone(plan: Plan, fate: str) -> int:
    """Of how many rows that are found to be `fate` something was decided for themselves."""
    return plan.rows.filter(found=fate).exclude(decision="").count()


def _refused_for(rows: QuerySet[PlanRow], reason: str) -> list[int]:
    """Keys of those of `rows` that are refused for this reason."""
    told = rows.values_list("pk", "reasons").iterator(chunk_size=AT_ONCE)
    return [key for key, kept in told if reason in alike.reason_keys(kept)]


def _note(upload: ImportFile, keys: Iterable[int], decision: str) -> int:
    """Keep what is decided about each of these rows; how many they are."""
    number = 0
    for part in batches(list(keys), AT_ONCE):
        with _locked(upload):
            number += PlanRow.objects.filter(pk__in=part).update(decision=decision)
    return number


@contextmanager
def _locked(upload: ImportFile) -> Iterator[None]:
    """A short transaction in which nobody imports the file."""
    with transaction.atomic():
        steps.hold(upload, ImportState.PLANNED)
        yield


def _open(upload: ImportFile, by: Actor) -> Plan:
    """The plan, which nobody applies meanwhile."""
    steps.hold(upload, ImportState.PLANNED)
    plans.require(registry[upload.entity], by)
    plan = plan_of(upload)
    if plan is None:
        raise NotNow(_("The plan is not there any more: make it again."))
    return plan
