"""Rows of a plan judged again, with all others that they are like, and the counts kept."""

from __future__ import annotations

import sys
import uuid
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping as MappingType, Sequence
from functools import partial
from itertools import chain
from typing import Any

from django.db.models import Count
from django.utils import timezone

from rapport.access import Actor
from rapport.actions import rows as table_rows
from rapport.meta.batches import batches
from rapport.models import ImportFile, Plan, PlanRow
from rapport.models.operations import Fate, ImportState
from rapport.queries.imports import plan_of

from . import (
    alike,
    along,
    bundle,
    decisions,
    keptnames,
    latenames,
    later,
    ownnames,
    plan as plans,
    reasons as why,
    samerows,
)
from .alike import TAKEN
from .decisions import Decided, as_cells
from .doubles import CERTAIN
from .feed import Feed, mapping_of
from .judge import judge
from .kept import Keys, base_of, plans_beside
from .plan import GROUPS
from .rows import Row
from .seen import Earlier
from .verdict import Judged, Verdict

# Rows that are read, judged or rewritten in one go.
AT_ONCE = 2000
# Rows that go by rows that go by rows …
FOLLOWED = 20
# What is told of a row besides its plan and number.
_KEPT = plans.PLAN_COLUMNS[2:]


class _Look(Earlier):
    """A look at some rows. `kept`: what the plan has of them; `before`: those that are only there
    to be repeated."""

    feed: Feed
    judged: Judged

    def __init__(self, kept_rows: dict[int, PlanRow], before: set[int]) -> None:
        super().__init__()
        self.kept, self.before = kept_rows, before

    def created(self, base: int) -> dict[int, Sequence[int]]:
        """The rows behind `base` that would be created, and their keys as `Keys` knows them."""
        keys, firsts, numbers, *_matched = self.arrays()
        ends = (*firsts[1:], len(keys))
        return {
            number - base: keys[first:end]
            for number, first, end in zip(numbers, firsts, ends, strict=False)
            if number > base
        }


class Rejudging:
    """Rows of one plan that are judged again. Within a transaction. `named`: what has been read of
    what the rows name, by plan; when more is needed, along.Unread is raised."""

    def __init__(
        self,
        upload: ImportFile,
        plan: Plan,
        by: Actor,
        named: MappingType[uuid.UUID, along.Named],
    ) -> None:
        self.upload, self.plan, self.by, self.named = upload, plan, by, named
        self.counts = Counter(plan.counts)
        self.groups: Counter[str] = Counter(self.counts.pop("why", {}))  # type: ignore[arg-type]
        self._names_new = False
        self._keys, self._beside = Keys(plan), plans_beside(plan)
        self.base = base_of(plan)
        later = (base for one in self._beside if (base := base_of(one)) > self.base)
        self._end = min(later, default=sys.maxsize)
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
        if self._names_new or cells or along.names_itself(mapping_of(self.upload)):
            self.count_along()
        self.save()
        kept = self.plan.rows.filter(row=row).first()
        return kept or PlanRow(plan=self.plan, row=row, fate=Fate.CREATE, found=Fate.CREATE)

    def settled(self, before: PlanRow) -> PlanRow:
        """Count what has become of one row that was `before`."""
        row = self.plan.rows.get(pk=before.pk)
        self.counts[before.fate] -= 1
        self.counts[row.fate] += 1
        if (before.fate in TAKEN) != (row.fate in TAKEN):
            self._follow([row.row])
        if any(decisions.name_of_new(new) is not None for _name, _old, new in row.changes or ()):
            self.count_along()
        self.show_again()
        self.save()
        return row

    def _follow(self, changed: Sequence[int]) -> None:
        """Judge the rows again that go by one of `changed`, and those that go by them."""
        for _time in range(FOLLOWED):
            if not changed:
                return
            for other in self._later_files():
                global_ = [-(self.base + row) for row in changed]
                repeating = other.plan.rows.filter(like__in=global_).order_by("row")
                other.again(repeating.values_list("row", flat=True))
            repeating = self.plan.rows.filter(like__in=changed).order_by("row")
            changed = self.judge(list(repeating.values_list("row", flat=True)[:AT_ONCE]))

    def _later_files(self) -> Iterator[Rejudging]:
        """The files of an archive that come after this one and have such records, too."""
        for plan in self._beside:
            if base_of(plan) > self.base and plan.import_file is not None:
                yield Rejudging(plan.import_file, plan, self.by, self.named)

    def again(self, numbers: Iterable[int]) -> None:
        """Judge rows that another file makes other ones, and keep the counts."""
        if rows := list(numbers)[:AT_ONCE]:
            self._follow(self.judge(rows))
            self.count_along()
            self.save()

    def repeating(self, changed: Collection[int] | None) -> list[int]:
        """The rows that go by one of `changed`, None for all that go by another one."""
        found = self.plan.rows.filter(like__gt=0).values_list("row", "like")
        if changed is not None and not changed:
            return []
        return [row for row, like in found.iterator() if changed is None or like in changed]

    def judge(self, numbers: Sequence[int]) -> list[int]:
        """Judge rows again, with all others that they may be like. Those that are taken now and
        were not, or the other way round."""
        if not numbers:
            return []
        near: set[int] = set()
        look = self._look(numbers, near)
        wanted = set(numbers)
        news = {n: keys for n, keys in look.created(self.base).items() if n in wanted}
        if news:
            # Whoever would be created is compared with all that will be.
            own = {self.base + number for number in news}
            hashes = (h for h, row in zip(*look.matched.pairs(), strict=True) if row in own)
            near = self._keys.rows(chain.from_iterable(news.values()), hashes) - own
            self._keys.add({self.base + number: keys for number, keys in news.items()})
        mine = {n - self.base for n in near if self.base < n <= self._end}
        mine -= look.before
        numbers = sorted({*numbers, *(n for n in self._created(mine) if n > min(news))})
        earlier = {n for n in near if n <= self.base}
        if mine or earlier:
            look = self._look(numbers, mine | look.before, earlier)
        wanted = set(numbers)
        verdicts = [one for one in look.judged.verdicts if one.number in wanted]
        self._names_new = self._names_new or any(look.judged.links.new.values())
        self._hold_back_second(verdicts)
        kept_rows = look.kept
        changed = [v.number for v in verdicts if self._is_another(v, kept_rows.get(v.number))]
        self._write(verdicts, kept_rows)
        self._preview(look.feed, verdicts, look.judged)
        for other in self._later_files() if near else ():
            other.again(other._created({n - other.base for n in near if other.has(n)}))
        return changed

    def has(self, number: int) -> bool:
        """Whether the row, counted through all files of an archive, is of this one."""
        return self.base < number <= self._end

    def _created(self, numbers: Collection[int]) -> list[int]:
        """Those of `numbers` that are created as things stand."""
        told: dict[int, str] = {}
        for part in batches(numbers):
            told |= dict(self.plan.rows.filter(row__in=part).values_list("row", "fate"))
        return sorted(n for n in numbers if told.get(n, self._plain) == Fate.CREATE)

    def _look(
        self, numbers: Collection[int], besides: Collection[int], elsewhere: Collection[int] = ()
    ) -> _Look:
        """What becomes of rows, each after those `besides` and the earlier one that it repeats;
        `elsewhere`: rows of earlier files."""
        kept_rows = self._kept({*numbers, *besides})
        before: set[int] = {*besides}
        while more := {r.like for r in kept_rows.values() if r.like > 0} - before - {*kept_rows}:
            before |= more
            kept_rows |= self._kept(more)
        look = _Look(kept_rows, before)
        for plan in self._beside if elsewhere else ():
            if base_of(plan) < self.base and plan.import_file is not None:
                other = Rejudging(plan.import_file, plan, self.by, self.named)
                if own := other._created({n - other.base for n in elsewhere if other.has(n)}):
                    other._run(look, own, other._kept(own))
        look.feed, look.judged = self._run(look, sorted({*numbers, *before}), kept_rows)
        look.close()
        return look

    def _run(
        self, look: _Look, numbers: Sequence[int], kept_rows: MappingType[int, PlanRow]
    ) -> tuple[Feed, Judged]:
        feed, rows = self._read(numbers, kept_rows)
        look.begin(self.base)
        said = {number: row.decision for number, row in kept_rows.items() if row.decision}
        judged = judge(
            feed.mapping, rows, by=self.by, now=timezone.now(), seen=look,
            decided=Decided(said, decisions.alike_of(self.plan).alike),
            waiting=latenames.waiting(
                feed.mapping, bundle.coming(self.upload), partial(ownnames.kept, self.plan)
            ),
        )  # fmt: skip
        return feed, judged

    def _kept(self, numbers: Collection[int]) -> dict[int, PlanRow]:
        """What the plan has of these rows, with what is said about them now."""
        found = samerows.take(self.plan, numbers)
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
        feed = Feed(self.upload, repaired=repaired)
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
        return (before in TAKEN) != (verdict.fate in TAKEN)

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
            told = plans.details(verdict)
            if row is not None and not told and later.is_late(row) and verdict.fate in TAKEN:
                told = row.reasons
            own = (
                verdict.fate, verdict.record, told, cells or None, verdict.found,
                verdict.like, verdict.changes, decision,
            )  # fmt: skip
            silent = not plans.tells(verdict) and not (decision or cells or told)
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
        if row is not None and later.is_late(row) and verdict.fate not in TAKEN:
            self.counts[Fate.PARTIAL.value] -= 1
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
        named = self.named.get(self.plan.pk)
        if named is None:
            named = keptnames.load(self.upload, self.plan, self.by)
        made = along.counts(self.upload, self.plan, mapping, self.by, named)
        for name, number in made.items():
            self.counts[name] = number

    def recount(self) -> None:
        """Count all rows anew by what becomes of them."""
        found = self.plan.rows.order_by().values_list("fate").annotate(Count("pk"))
        by_fate = Counter(dict(found))
        by_fate[Fate.SAME] += samerows.count(self.plan)
        by_fate[self._plain] += self.counts["rows"] - by_fate.total()
        for fate in set(Fate) - {Fate.PARTIAL}:
            self.counts[fate.value] = by_fate[fate]
        self.count_along()
        self.show_again()
        self.save()

    def show_again(self) -> None:
        """Let the first rows, which are shown in full, have the fates of now."""
        preview = self.plan.parameters.get("preview", [])
        rows = self.plan.rows.filter(fate__in=Fate.values, row__in=[one["row"] for one in preview])
        fates = dict(rows.values_list("row", "fate"))
        for one in preview:
            one["fate"] = fates.get(one["row"], self._plain)

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


def reason_keys(row: PlanRow) -> set[str]:
    """Why a row is refused, as the plan counts it."""
    if Fate.REFUSED not in {row.found, row.fate}:
        return set()
    return alike.reason_keys(row.reasons)


def _count_archive(whole: ImportFile) -> None:
    """Count all files of an archive together."""
    whole.counts = bundle.total(whole.members.exclude(state=ImportState.FAILED))
    whole.save(update_fields=["counts"])
    plan = plan_of(whole)
    if plan is not None:
        plan.counts = whole.counts
        plan.save(update_fields=["counts"])
