"""People change what becomes of rows: they decide, and repair cells. The plan shows it at once.

Only the rows in question are judged again; all counts stay those of the whole file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping as MappingType, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Count, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from rapport.access import Actor
from rapport.actions import rows as table_rows
from rapport.meta.batches import batches
from rapport.meta.registry import registry
from rapport.models import ImportFile, Plan, PlanRow
from rapport.models.operations import Decision, Fate, ImportState
from rapport.queries.imports import plan_of

from . import along, bundle, decisions, plan as plans, reasons as why, steps
from .decisions import ALIKE, Changes, Decided, as_cells
from .doubles import CERTAIN, key_of
from .feed import Feed, mapping_of
from .judge import judge
from .mapping import Mapping
from .plan import GROUPS
from .rows import Row
from .seen import Earlier, Seen
from .steps import NotNow
from .verdict import Judged, Verdict

# Rows that are read, judged or rewritten in one go.
AT_ONCE = 2000
# What is told of a row besides its plan and number.
_KEPT = plans.PLAN_COLUMNS[2:]


def decide(upload: ImportFile, row: int, decision: str, *, by: Actor) -> PlanRow:
    """What is to become of one row; '' takes back what was decided. The row as it is judged now.

    Raises NotNow, Forbidden.
    """
    with transaction.atomic():
        plan = _open(upload, by)
        kept = plan.rows.filter(row=row).first()
        found = kept.found if kept else Fate.CREATE
        like = kept.like if kept else 0
        if decision and decision not in decisions.choices(found, like):
            raise NotNow(_("This cannot be decided about row %(row)d.") % {"row": row})
        work = _Work(upload, plan, by)
        if kept is not None and _is_known(kept):
            said = decision or decisions.alike_of(plan).alike.get(found, "")
            others = plan.rows.filter(fate=Fate.UPDATE, record=kept.record).exclude(pk=kept.pk)
            fate, like = _Alike(others, mapping_of(upload), said).fate_of(kept)
            if fate is not None:
                kept.fate, kept.like, kept.decision = fate, like, decision
                return work.settle(kept)
        work.say(row, decision=decision)
        return work.done(row)


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
    with transaction.atomic():
        work = _Work(upload, _open(upload, by), by)
        work.say(row, cells=cells)
        return work.done(row)


def decide_all(
    upload: ImportFile, fate: str, decision: str, *, by: Actor, column_reason: str | None = None
) -> int:
    """What is to become of all rows that are found to be `fate`, whatever was decided about one of
    them; '' takes it back. `column_reason`: only of those refused for this reason, as the plan
    counts it. How many rows they are. Raises NotNow, Forbidden.
    """
    if decision and decision not in decisions.CHOICES.get(fate, ()):
        raise NotNow(_("This cannot be decided about these rows."))
    with transaction.atomic():
        plan = _open(upload, by)
        if column_reason is None:
            said = {**decisions.alike_of(plan).alike, fate: decision}
            plan.parameters[ALIKE] = {name: one for name, one in said.items() if one}
            plan.save(update_fields=["parameters"])
    number = 0
    others = plan.rows.filter(fate=Fate.UPDATE).exclude(found=fate)
    alike = _Alike(others, mapping_of(upload), decision)
    questions: list[int] = []
    after = -1
    while rows := list(plan.rows.filter(found=fate, row__gt=after).order_by("row")[:AT_ONCE]):
        after = rows[-1].row
        if column_reason is not None:
            rows = [row for row in rows if column_reason in reason_keys(row)]
        with transaction.atomic():
            _lock(upload)
            questions += alike.apply(rows, "" if column_reason is None else decision)
        number += len(rows)
    with transaction.atomic():
        work = _Work(upload, _open(upload, by), by)
        work.groups.update(alike.groups)
        questions += work.repeating(None if fate == Fate.CREATE else alike.changed)
        for part in batches(sorted(set(questions)), AT_ONCE):
            work.judge(part)
        work.recount()
    return number


def reason_keys(row: PlanRow) -> set[str]:
    """Why a row is refused, as the plan counts it."""
    if Fate.REFUSED not in {row.found, row.fate}:
        return set()
    return {why.key(reason) for reason in why.from_json(row.reasons)}


def _open(upload: ImportFile, by: Actor) -> Plan:
    """The plan, which nobody applies meanwhile."""
    _lock(upload)
    plans.require(registry[upload.entity], by)
    plan = plan_of(upload)
    if plan is None:
        raise NotNow(_("The plan is not there any more: make it again."))
    return plan


def _lock(upload: ImportFile) -> None:
    """Nobody imports the file meanwhile, nor the archive that it is from."""
    for one in (upload.parent, upload):
        if one is not None:
            steps.lock(one)
            steps.require_state(one, ImportState.PLANNED)


class _Work:
    """Rows of one plan that are judged again. Within a transaction."""

    def __init__(self, upload: ImportFile, plan: Plan, by: Actor) -> None:
        self.upload, self.plan, self.by = upload, plan, by
        self.counts = Counter(plan.counts)
        self.groups: Counter[str] = Counter(self.counts.pop("why", {}))  # type: ignore[arg-type]
        self._names_new = False
        self._said: dict[int, tuple[str | None, MappingType[int, str] | None]] = {}

    def say(
        self,
        row: int,
        *,
        decision: str | None = None,
        cells: MappingType[int, str] | None = None,
    ) -> None:
        """What a person says about a row, before it is judged."""
        self._said[row] = decision, cells

    def done(self, row: int) -> PlanRow:
        """Judge one row, and those that go by it, and keep the counts."""
        self._follow(self.judge([row]))
        _decision, cells = self._said[row]
        if self._names_new or cells:
            self.count_along()
        self.save()
        kept = self.plan.rows.filter(row=row).first()
        return kept or PlanRow(plan=self.plan, row=row, fate=Fate.CREATE, found=Fate.CREATE)

    def settle(self, row: PlanRow) -> PlanRow:
        """Keep what is known to become of one row."""
        before = self.plan.rows.values_list("fate", flat=True).get(pk=row.pk)
        row.save(update_fields=["fate", "like", "decision"])
        self.counts[before] -= 1
        self.counts[Fate(row.fate).value] += 1
        for shown in self.plan.parameters.get("preview", []):
            if shown["row"] == row.row:
                shown["fate"] = row.fate
        if (before in _TAKEN) != (row.fate in _TAKEN):
            self._follow([row.row])
        if any(decisions.name_of_new(new) is not None for _name, _old, new in row.changes or ()):
            self.count_along()
        self.save()
        return row

    def _follow(self, changed: Sequence[int]) -> None:
        """Judge the rows again that go by one of `changed`."""
        if changed:
            repeating = self.plan.rows.filter(like__in=changed).order_by("row")
            self.judge(list(repeating.values_list("row", flat=True)[:AT_ONCE]))

    def repeating(self, changed: Collection[int] | None) -> list[int]:
        """The rows that go by one of `changed`, None for all that go by another one."""
        found = self.plan.rows.filter(like__gt=0).values_list("row", "like")
        if changed is not None and not changed:
            return []
        return [row for row, like in found.iterator() if changed is None or like in changed]

    def judge(self, numbers: Sequence[int]) -> list[int]:
        """Judge rows again, each after the earlier one that it repeats. Those that are taken now
        and were not, or the other way round."""
        if not numbers:
            return []
        kept = self._kept(numbers)
        before = {row.like for row in kept.values() if row.like and row.record is None}
        kept |= self._kept(before - set(kept))
        feed, rows = self._read(sorted({*numbers, *before}), kept)
        alike = decisions.alike_of(self.plan).alike
        said = {number: row.decision for number, row in kept.items() if row.decision}
        seen = Earlier()
        judged = judge(
            feed.mapping, rows, by=self.by, now=timezone.now(), seen=seen,
            decided=Decided(said, alike),
        )  # fmt: skip
        seen.close()
        wanted = set(numbers)
        verdicts = [one for one in judged.verdicts if one.number in wanted]
        self._names_new = self._names_new or any(judged.links.new.values())
        self._hold_back_second(verdicts)
        changed = [one.number for one in verdicts if self._is_another(one, kept.get(one.number))]
        self._write(verdicts, kept)
        self._preview(feed, verdicts, judged)
        return changed

    def _kept(self, numbers: Collection[int]) -> dict[int, PlanRow]:
        """What the plan has of these rows, with what is said about them now."""
        found: dict[int, PlanRow] = {}
        for part in batches(numbers):
            found |= {row.row: row for row in self.plan.rows.filter(row__in=part)}
        for number, (decision, cells) in self._said.items():
            if number in numbers:
                row = found.setdefault(number, PlanRow(plan=self.plan, row=number))
                row.decision = row.decision if decision is None else decision
                if cells is not None:
                    row.cells = {**(row.cells or {}), **{str(i): t for i, t in cells.items()}}
        return found

    def _read(
        self, numbers: Sequence[int], kept: MappingType[int, PlanRow]
    ) -> tuple[Feed, list[Row]]:
        repaired = {n: as_cells(row.cells) for n, row in kept.items() if row.cells}
        feed = Feed(self.upload, after=numbers[0] - 1, repaired=repaired)
        try:
            return feed, feed.only(numbers)
        finally:
            feed.close()

    def _hold_back_second(self, verdicts: Sequence[Verdict]) -> None:
        """Another row of the file may change the same record."""
        updating = {v.record: v for v in verdicts if v.fate is Fate.UPDATE}
        if not updating:
            return
        own = [verdict.number for verdict in verdicts]
        for part in batches(updating):
            others = self.plan.rows.filter(fate=Fate.UPDATE, record__in=part)
            for record, number in others.exclude(row__in=own).values_list("record", "row"):
                verdict = updating[record]
                verdict.fate = verdict.found = Fate.DUPLICATE
                verdict.like, verdict.confidence, verdict.changes = number, CERTAIN, None

    def _is_another(self, verdict: Verdict, row: PlanRow | None) -> bool:
        if row is not None and row.cells:
            return True
        before = Fate(row.fate) if row is not None and row.fate else self._plain
        return (before in _TAKEN) != (verdict.fate in _TAKEN)

    @property
    def _plain(self) -> Fate:
        """The fate of rows of which the plan has no detail."""
        return decisions.shown(None, decisions.alike_of(self.plan))

    def _write(self, verdicts: Sequence[Verdict], kept: MappingType[int, PlanRow]) -> None:
        news: list[tuple[Any, tuple[Any, ...]]] = []
        added, gone = [], []
        for verdict in verdicts:
            row = kept.get(verdict.number)
            self._count(verdict, row)
            decision, cells = (row.decision, row.cells) if row is not None else ("", None)
            own = (
                verdict.fate, verdict.record, plans.details(verdict), cells or None, verdict.found,
                verdict.like, verdict.changes, decision,
            )  # fmt: skip
            silent = not plans.tells(verdict) and not decision and not cells
            if row is None or row.pk is None:
                if not silent:
                    added.append((self.plan.pk, verdict.number, *own))
            elif silent:
                gone.append(row.pk)
            else:
                news.append((row.pk, own))
        table_rows.insert(PlanRow, plans.PLAN_COLUMNS, added)
        table_rows.update(PlanRow, _KEPT, news)
        table_rows.delete(PlanRow, gone)

    def _count(self, verdict: Verdict, row: PlanRow | None) -> None:
        before = row.fate if row is not None and row.fate else self._plain
        self.counts[str(before)] -= 1
        self.counts[verdict.fate.value] += 1
        if row is not None and row.fate == Fate.REFUSED:
            self.groups.subtract(reason_keys(row))
        if verdict.fate is Fate.REFUSED:
            self.groups.update({why.key(reason) for reason in verdict.reasons})

    def _preview(self, feed: Feed, verdicts: Sequence[Verdict], judged: Judged) -> None:
        shown = {verdict.number: verdict for verdict in verdicts}
        preview = self.plan.parameters.get("preview", [])
        self.plan.parameters["preview"] = [
            plans.preview(feed.mapping, shown[one["row"]], judged) if one["row"] in shown else one
            for one in preview
        ]

    def count_along(self) -> None:
        """Count anew what is made along with the rows."""
        mapping = mapping_of(self.upload)
        for name, number in along.counts(self.upload, self.plan, mapping, self.by).items():
            self.counts[name] = number

    def recount(self) -> None:
        """Count all rows anew by what becomes of them."""
        found = self.plan.rows.order_by().values_list("fate").annotate(Count("pk"))
        by_fate = Counter(dict(found))
        by_fate[self._plain] += self.counts["rows"] - by_fate.total()
        for fate in Fate:
            self.counts[fate.value] = by_fate[fate]
        self.count_along()
        self.save()

    def save(self) -> None:
        """Keep the counts."""
        counts = {n: c for n, c in self.counts.items() if c or n in plans.COUNTS}
        groups = Counter({key: count for key, count in self.groups.items() if count > 0})
        self.plan.counts = {**counts, "why": dict(groups.most_common(GROUPS))}
        self.plan.save(update_fields=["counts", "parameters"])
        self.upload.counts = counts
        self.upload.save(update_fields=["counts"])
        if self.upload.parent is not None:
            _count_archive(self.upload.parent)


def _count_archive(whole: ImportFile) -> None:
    """Count all files of an archive together."""
    whole.counts = bundle.total(whole.members.exclude(state=ImportState.FAILED))
    whole.save(update_fields=["counts"])
    plan = plan_of(whole)
    if plan is not None:
        plan.counts = whole.counts
        plan.save(update_fields=["counts"])


class _Alike:
    """One decision for rows, without judging them again where the plan has what is needed.
    `others`: rows that may change the same records."""

    def __init__(self, others: QuerySet[PlanRow], mapping: Mapping, decision: str) -> None:
        self._usual = {
            Fate.UPDATE: mapping.on_match,
            Fate.DUPLICATE: "" if mapping.duplicates == Decision.SKIP else mapping.duplicates,
        }
        self._decision = decision
        self.groups: Counter[str] = Counter()
        self.changed: set[int] = set()
        # The row that changes a record, by the record.
        self._changing = Seen()
        for record, row in others.values_list("record", "row").iterator():
            if record is not None:
                self._changing.add(key_of(record), row)

    def apply(self, rows: Sequence[PlanRow], decision: str) -> list[int]:
        """Write the new fates, with `decision` as that of each row. Those that must be judged."""
        news: list[tuple[Any, tuple[Any, ...]]] = []
        questions: list[int] = []
        for row in rows:
            fate, like = self.fate_of(row)
            if fate is None:
                questions.append(row.row)
                fate = Fate(row.fate)
            elif (fate in _TAKEN) != (row.fate in _TAKEN):
                self.changed.add(row.row)
            if row.fate == Fate.REFUSED and fate is not Fate.REFUSED:
                self.groups.subtract(reason_keys(row))
            elif fate is Fate.REFUSED and row.fate != Fate.REFUSED:
                self.groups.update(reason_keys(row))
            news.append((row.pk, (fate, like, decision)))
        table_rows.update(PlanRow, ("fate", "like", "decision"), news)
        return questions

    def fate_of(self, row: PlanRow) -> tuple[Fate | None, int]:
        """What becomes of `row`, and which earlier row it repeats then; None: to be judged."""
        found = Fate(row.found)
        said = self._decision or self._usual.get(found, "")
        if said == Decision.SKIP:
            return Fate.SKIP, row.like
        if found in {Fate.CREATE, Fate.REFUSED}:
            return found, row.like
        if said == Decision.CREATE:
            # A duplicate could be created; an update may lack what a new record needs.
            known = found is Fate.DUPLICATE and (row.changes is not None or row.record is None)
            return (Fate.CREATE if known else None), row.like
        if row.record is None or found is Fate.SAME or not said:
            return found, row.like
        if row.changes is None:
            return None, row.like
        changes: Changes = row.changes
        return self._update(row, decisions.filling(changes) if said == Decision.FILL else changes)

    def _update(self, row: PlanRow, changes: Changes) -> tuple[Fate, int]:
        if not changes or row.record is None:
            return Fate.SAME, 0
        key = key_of(row.record)
        first = self._changing.get(key)
        if first and first != row.row:
            return Fate.DUPLICATE, first
        self._changing.add(key, row.row)
        return Fate.UPDATE, 0


_TAKEN = frozenset({Fate.CREATE, Fate.UPDATE})
