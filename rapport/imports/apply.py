"""Applying a plan: batch by batch, each judged again, all of it one operation.

A batch, its place in the file, its counts and its part of the journal commit together, so that a
worker may die at any moment: the next one goes on behind the last batch that is whole.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any

from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from rapport.access import Actor
from rapport.actions import (
    journal,
    keyring,
    lease,
    pgcopy,
    readymade,
    records,
    rows as table_rows,
)
from rapport.actions.lease import Pace, Refused, Run
from rapport.duplicates import fresh
from rapport.meta.entity import Draft, Entity
from rapport.models import Change, ImportFile, Job, Operation, Plan, PlanRow
from rapport.models.journal import OperationState
from rapport.models.operations import Fate, ImportState, JobState
from rapport.queries.history import FILES

from . import (
    bundle,
    decisions,
    ending,
    latenames,
    later,
    mapping as mappings,
    ownnames,
    partlinks,
    parts,
    plan as plans,
    samerows,
    sources,
)
from .compact import Block
from .feed import Feed
from .heldback import hold_back_changed
from .quick import judge_block
from .reasons import as_json
from .rowids import Ids
from .sessions import Sessions
from .titles import names_of
from .verdict import Judged, Verdict

# A smaller batch takes hardly less time.
SMALLEST = 200
# Of SQLite, in kilobytes below zero: keys come to a large index in its order.
CACHE = -20_480
WRITTEN = frozenset({Fate.CREATE, Fate.UPDATE})
# What the import's counts are called once it is applied, by fate.
OUTCOMES = {
    Fate.CREATE: "created",
    Fate.UPDATE: "updated",
    Fate.SAME: "same",
    Fate.DUPLICATE: "duplicates",
    Fate.REFUSED: "refused",
    Fate.SKIP: "skipped",
    Fate.CHANGED: "changed",
}

COUNTS = ("rows", *OUTCOMES.values(), "accounts_created")


class _Session:
    """The open file of one job, and its plan. Nobody decides while it is applied. `late`: its rows
    are read once more, for links to what came after them."""

    def __init__(self, plan: Plan, upload: ImportFile, after: int, *, late: bool = False) -> None:
        self.plan, self.late = plan, late
        # Rows that make nothing need not be made ready.
        makes = plan.counts.get(Fate.CREATE.value) and not late
        id_of = Ids(plan.pk).hex_of if makes else None
        repaired = decisions.repaired(plan)
        self.feed = Feed(upload, after=after, repaired=repaired, finish=id_of)
        self.names = names_of(self.feed.mapping, self.feed.layout)
        brings = partial(ownnames.Read, upload, repaired=repaired)
        self.waiting = latenames.waiting(self.feed.mapping, bundle.coming(upload), brings)
        # How quickly match keys are merged while they are.
        self.merging: Pace | None = None
        # Up to which change of the journal what rows name has been looked for, and how often.
        self._settled: int | None = None
        self._looked = 0
        self._settings = lease.settle({**lease.WRITING, "cache_size": CACHE})

    def kept(self, numbers: Sequence[int]) -> tuple[dict[int, PlanRow], set[int]]:
        """What the plan says of these rows (in order): of each by itself, or only that it changes
        nothing."""
        if not numbers:
            return {}, set()
        together = samerows.between(self.plan, numbers[0], numbers[-1])
        return plans.planned(self.plan, numbers), together

    def remember(self, state: int | None) -> None:
        """What rows name need not be looked for again, unless others have written since: `state` of
        SQLite tells it."""
        if self.names is not None:
            self.names.stay(state)

    def remember_beside(self, op: Operation) -> None:
        """The same in a batch, where the journal tells it: whatever decides what a row names, from
        records to rights, is changed by operations."""
        settled = journal.settled()
        if self._settled is None or journal.others_since(op, self._settled):
            self._looked += 1
            self._settled = settled
        elif settled is not None:
            self._settled = settled
        self.remember(self._looked)

    def close(self) -> None:
        self.feed.close()
        lease.settle(self._settings)


_sessions: Sessions[_Session] = Sessions()


def step(run: Run) -> bool:
    """Apply one batch of rows (the job `import.apply`: {"import": id, "plan": id})."""
    with _sessions.of(run, lambda: _open(run)) as session:
        more = (session.merging or keyring.are_many()) and _merge(session, run)
        if not more:
            # In the end no key is left beside the index.
            go_on = _link_late if session.late else _advance
            more = go_on(session, run) or _merge(session, run)
    if not more:
        _sessions.drop(run.job)
        more = _next(run)
    return more


def _merge(session: _Session, run: Run) -> bool:
    """Bring a part of the match keys that stand beside their index into it; whether there are
    more."""
    if not fresh.runs():
        session.merging = None
        return False
    session.merging = merging = session.merging or Pace()
    pace, run.pace = run.pace, merging
    try:
        with run.batch():
            keyring.merge(run.size * keyring.OF_A_RECORD)
    finally:
        run.pace = pace
    # Others get their turn as long as this has held the database.
    pace.held, pace.is_alone = merging.held, merging.is_alone
    return True


def _open(run: Run) -> _Session:
    upload, plan = _theirs(run.job)
    cursor = run.job.cursor or {}
    return _Session(plan, upload, cursor.get("after", 0), late=cursor.get("late", False))


def _next(run: Run) -> bool:
    """Go on with the next file of the import; in the end with those of which rows name what came
    after them."""
    cursor = run.job.cursor or {}
    waiting = cursor.get("open", [])
    count = len(run.job.parameters.get("members", ())) or 1
    ways = [(at, False) for at in range(count)] + [(at, True) for at in waiting]
    here = ways.index((cursor.get("member", 0), cursor.get("late", False)))
    if here + 1 == len(ways):
        return False
    member, late = ways[here + 1]
    with run.batch() as job:
        job.cursor = {"member": member, "late": late, "open": waiting}
    return True


def _advance(session: _Session, run: Run) -> bool:
    run.pace.smallest = SMALLEST
    rows = session.feed.take(run.size)
    mapping, now = session.feed.mapping, timezone.now()
    entity = mapping.entity
    kept, together = session.kept(rows.numbers)
    decided = decisions.of_plan(session.plan, kept, together)
    same = together.union(
        number
        for number, row in kept.items()
        if row.fate == row.found == Fate.SAME and not row.decision and not row.cells
    )
    before = lease.state_of_database()
    # Judged before the one write lock of SQLite is taken, and again only if others have written
    # in between: the lock is held for the writing alone.
    early = None
    judge = partial(
        judge_block, mapping, session.names, rows, by=run.by, now=now, decided=decided,
        told=kept.keys() - same, same=same, ids=Ids(session.plan.pk), waiting=session.waiting,
    )  # fmt: skip
    if before is not None:
        session.remember(before)
        early = judge()
        # Here, where nobody waits for us.
        early.make_ready()
    with run.batch() as job:
        plans.require(entity, run.by)
        # Two imports at once would each make a person or company that is in both.
        lease.take_turn(plans.KIND)
        upload, plan = _theirs(job)
        op = _operation(upload, run.by)
        cursor = job.cursor or {}
        if "after" not in cursor:
            upload.counts = dict.fromkeys(COUNTS, 0)
        _begin_file(upload, op, cursor)
        if rows:
            judged = early
            if judged is None or lease.state_of_database() != before:
                if before is None:
                    session.remember_beside(op)
                else:
                    session.remember(None)
                judged = judge(lock=True)
            kept |= _told_apart(judged, plan, together)
            hold_back_changed(judged, plan, kept, decided, op if upload.parent_id else None)
            with pgcopy.beside() as is_beside:
                made = _write(entity, judged, op=op, by=run.by, now=now)
                if is_beside:
                    session.feed.fill(run.size)
            is_open = _learn(mapping, rows, judged, op=op, by=run.by, now=now)
            if judged.links.waits:
                # Rows that may wait are never compact.
                every = [row for row in rows.rows if row is not None]
                is_open |= latenames.link_back(
                    mapping, every, judged, plan=session.plan, changes=bundle.changes_of(upload),
                    op=op, by=run.by, now=now,
                )  # fmt: skip
            journal.checkpoint(op)
            _count(upload, judged, made)
            job.progress += len(rows)
            job.cursor = {**cursor, "after": rows.numbers[-1]}
            if is_open:
                member = cursor.get("member", 0)
                job.cursor["open"] = sorted({*cursor.get("open", ()), member})
        upload.save(update_fields=["counts", "operation", "state"])
        job.result = {"operation": str(op.pk), **upload.counts}
    return bool(rows)


def _learn(
    mapping: mappings.Mapping,
    block: Block,
    judged: Judged,
    *,
    op: Operation,
    by: Actor,
    now: datetime.datetime,
) -> bool:
    """Remember what the ids of another program mean by now, and set the links to earlier rows of
    the batch; whether some name what is not there."""
    if not mapping.system or not any(parts.SOURCE_ID in name for name in mapping.fields):
        return False
    # Rows with such ids are never compact.
    rows = [row for row in block.rows if row is not None]
    learned = sources.learned(mapping, rows, judged.verdicts, WRITTEN)
    sources.keep(mapping.system, learned, by)
    return later.link_back(mapping, rows, judged.verdicts, op=op, by=by, now=now)


def _link_late(session: _Session, run: Run) -> bool:
    """Set the links of a batch of rows to what was made after them."""
    rows, mapping, now = session.feed.next(run.size), session.feed.mapping, timezone.now()
    with run.batch() as job:
        plans.require(mapping.entity, run.by)
        upload, plan = _theirs(job)
        op = _operation(upload, run.by)
        _begin_file(upload, op, job.cursor or {})
        if rows:
            missed: list[Verdict] = []
            counts = Counter(upload.counts)
            if later.can_wait(mapping):
                missed = later.link(mapping, rows, op=op, by=run.by, now=now)
            if session.waiting:
                called = latenames.link(
                    mapping, rows, session.waiting, plan=plan, changes=bundle.changes_of(upload),
                    op=op, by=run.by, now=now,
                )  # fmt: skip
                missed = later.together(missed, called.missed)
                counts.update(called.made)
            _tell(plan, missed)
            counts["partial"] += len(missed)
            upload.counts = dict(counts)
            journal.checkpoint(op)
            job.cursor = {**(job.cursor or {}), "after": rows[-1].number}
        upload.save(update_fields=["counts", "operation", "state"])
    return bool(rows)


def _tell(plan: Plan, missed: Sequence[Verdict]) -> None:
    """Keep which rows lack a link, whatever else became of them."""
    kept = plans.planned(plan, [one.number for one in missed])
    plans.keep(plan, [one for one in missed if one.number not in kept])
    told: list[tuple[Any, tuple[Any, ...]]] = [
        (kept[one.number].pk, (one.fate, one.record, as_json(one.reasons)))
        for one in missed
        if one.number in kept
    ]
    table_rows.update(PlanRow, ("fate", "record", "reasons"), told)


def _theirs(job: Job) -> tuple[ImportFile, Plan]:
    """The file that is in turn, and its plan."""
    upload, plan_id = job.parameters["import"], job.parameters["plan"]
    if members := job.parameters.get("members"):
        upload, plan_id = members[(job.cursor or {}).get("member", 0)]
    plan = Plan.objects.select_related(
        "import_file__operation", "import_file__parent__operation"
    ).filter(pk=plan_id, import_file=upload)
    found = plan.first()
    if found is None or found.import_file is None:
        raise Refused(_("The plan is not there any more: make it again."))
    return found.import_file, found


def _operation(upload: ImportFile, by: Actor) -> Operation:
    """The one operation of the import: begun with its first batch, gone on with after a stop."""
    whole = upload.parent or upload
    op = whole.operation
    if op is None:
        parameters = {"file": whole.name, "entity": whole.entity}
        op = whole.operation = journal.begin(plans.KIND, by=by, parameters=parameters)
        whole.save(update_fields=["operation"])
    elif op.state != OperationState.RUNNING:
        if op.undone_by.exists():
            raise Refused(_("What was imported has been undone: import the file again."))
        journal.go_on(op)
    upload.operation, upload.state = op, ImportState.IMPORTING
    return op


def _begin_file(upload: ImportFile, op: Operation, cursor: Mapping[str, Any]) -> None:
    """Of several files: from here on the changes of the operation come from this one."""
    # An operation is begun anew when an import goes on that had written nothing.
    if upload.parent is None or ("after" in cursor and FILES in op.parameters):
        return
    first = (Change.objects.aggregate(last=Max("id"))["last"] or 0) + 1
    mark = [first, bundle.name_of(upload), str(upload.pk)]
    marks = [*op.parameters.get(FILES, ()), mark]
    op.parameters = {**op.parameters, FILES: marks}
    op.save(update_fields=["parameters"])


def _told_apart(judged: Judged, plan: Plan, together: Collection[int]) -> dict[int, PlanRow]:
    """Rows of which the plan says together that they change nothing, and of which there is more to
    say by now."""
    if not together:
        return {}
    return samerows.take(plan, {v.number for v in judged.verdicts}.intersection(together))


def _write(
    entity: Entity, judged: Judged, *, op: Operation, by: Actor, now: datetime.datetime
) -> Mapping[str, int]:
    """Write what the verdicts say; how many records were made because rows name them."""
    if judged.keys is not None:
        # The rest is made while the database stores them.
        readymade.write_keys(entity, judged.keys, op)
    made: Counter[str] = Counter()
    written = judged.written
    for target, drafts in partlinks.made(judged.links, written):
        _save(target, drafts, op=op, by=by, now=now)
        made[f"{parts.plural(target.name)}_created"] += len(drafts)
    for target, drafts in partlinks.changed(judged.links, written):
        # What this import has made or changed in an earlier batch is counted already.
        ids = {draft.id for draft in drafts}
        fresh = ids - journal.touched(op, ids)
        _save(target, drafts, op=op, by=by, now=now)
        made[f"{parts.plural(target.name)}_updated"] += len(fresh)
    drafts = [v.draft for v in judged.verdicts if v.fate in WRITTEN and v.draft is not None]
    # Of some records only a link changes, later.
    drafts = [draft for draft in drafts if draft.values]
    drafts = sorted(drafts + judged.drafts, key=lambda draft: draft.source_row or 0)
    _save(entity, drafts, op=op, by=by, now=now, checked=True)
    judged.make_ready()
    if judged.ready is not None:
        readymade.write_ready(entity, judged.ready, op=op, by=by, now=now)
    return made


def _save(
    entity: Entity,
    drafts: Sequence[Draft],
    *,
    op: Operation,
    by: Actor,
    now: datetime.datetime,
    checked: bool = False,
) -> None:
    refused = records.save_drafts(entity, drafts, op=op, by=by, now=now, checked=checked)
    if refused:
        raise records.InvalidRecord(refused[0].errors)


def _count(upload: ImportFile, judged: Judged, made: Mapping[str, int]) -> None:
    counts = Counter(upload.counts)
    counts["rows"] += len(judged.verdicts) + len(judged.same) + len(judged.simple)
    counts.update(OUTCOMES[verdict.fate] for verdict in judged.verdicts)
    counts[OUTCOMES[Fate.SAME]] += len(judged.same)
    counts[OUTCOMES[Fate.CREATE]] += len(judged.simple)
    counts.update(made)
    upload.counts = dict(counts)


def ended(job: Job, state: JobState) -> None:
    """Close the operation and the import. What was written stays, and can be undone."""
    _sessions.drop(job)
    ending.close(job, state)
