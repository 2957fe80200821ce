"""The plan of an import: what applying it would do to each row. Nothing else is written.

A row that is simply created keeps no detail; every other row has a `PlanRow`, but many that change
nothing are kept together (`samerows`).
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from functools import partial
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from rapport import access
from rapport.access import Actor
from rapport.actions import rows as table_rows
from rapport.actions.lease import Refused, Run
from rapport.duplicates.room import room_for
from rapport.meta.batches import batches
from rapport.meta.entity import Entity
from rapport.meta.kinds import to_text
from rapport.models import ImportFile, Job, Plan, PlanRow, User
from rapport.models.operations import Fate, ImportState, JobState
from rapport.models.people import Verb

from . import (
    ahead,
    decisions,
    kept as kept_keys,
    latenames,
    later,
    mapping as mappings,
    ownnames,
    partlinks,
    parts,
    reasons as why,
    samerows,
)
from .aside import Aside
from .decisions import ALIKE, NOTHING_SAID, Decided, Said
from .feed import Feed
from .mapping import Mapping
from .names import PARTS
from .quick import judge_block, look_up
from .seen import Earlier, Seen
from .sessions import Sessions
from .sources import Siblings
from .titles import names_of
from .verdict import Judged, Verdict

KIND = "import"
PREVIEWED = 20
# So many different reasons are counted apart.
GROUPS = 200
# Rows planned at once: all that may be written of them is a short line each.
SMALLEST, LARGEST = 2000, 4000
# Match keys that a row has on average: only to make room for them at once.
KEYS = 7
PLAN_COLUMNS = (
    "plan_id", "row", "fate", "record", "reasons", "cells", "found", "like", "changes", "decision",
)  # fmt: skip
COUNTS = ("rows", "create", "update", "same", "duplicate", "refused", "accounts")
# What is known only when all rows are: links to what comes later, rows of which one leads nowhere.
LINKS = ("late", Fate.PARTIAL.value)


class Session:
    """What the plan of one file must remember from batch to batch."""

    def __init__(
        self,
        upload: ImportFile,
        plan: Plan,
        siblings: Siblings | None = None,
        coming: Collection[str] = (),
    ) -> None:
        self.upload = upload
        self.plan = plan
        self.said = decisions.carried(upload, plan)
        # What other files name must be looked at row by row.
        self.feed = Feed(upload, compact=siblings is None, repaired=self.said.cells)
        self.names = names_of(self.feed.mapping, self.feed.layout)
        entity = self.feed.mapping.entity
        if siblings is None:
            self.seen, self.base = Earlier(self.feed.expected * KEYS, self.feed.layout), 0
        else:
            self.seen, self.base = siblings.earlier(entity)
        self.aside = self._helper()
        self.siblings = siblings
        # Ids and names that the file itself brings are only told apart in the end.
        mapping = self.feed.mapping
        # `coming`: entities of the files behind this one.
        brings = partial(ownnames.Read, upload, repaired=self.said.cells)
        self.waiting = latenames.waiting(mapping, coming, brings)
        own_names = siblings is None and (later.can_wait(mapping) or bool(self.waiting))
        self.ids = Siblings() if own_names else siblings
        self.open = later.Open()
        if self.ids is not None:
            self.ids.named_before |= latenames.named(mapping, coming)
        self.new: dict[str, Seen] = siblings.new if siblings else defaultdict(Seen)
        self.changed: dict[str, Seen] = defaultdict(Seen)
        self.counts: Counter[str] = Counter(dict.fromkeys(COUNTS, 0))
        self.groups: Counter[str] = Counter()
        self.preview: list[dict[str, Any]] = []
        self.decided = Decided(self.said.rows, self.said.alike)

    def _helper(self) -> Aside | None:
        """Who helps to compare when the file is read and its rows are not planned yet."""
        feed, entity = self.feed, self.feed.mapping.entity
        if feed.layout is None or not ahead.is_worth_it(self.upload.size):
            return None
        made = Aside(self.seen, room_for(entity, {entity.name}))
        feed.help(made)
        return made

    @property
    def links(self) -> dict[str, int]:
        """How many links are set in the end, how many rows lack one, what is made for them."""
        entity = self.feed.mapping.entity
        made = {parts.plural(parts.entity_of(entity, lookup).name) for lookup in self.waiting}
        return {name: self.counts[name] for name in (*LINKS, *made) if self.counts[name]}

    def close(self) -> None:
        if self.aside is not None:
            self.aside.close()
        self.feed.close()
        if self.siblings is None:
            self.seen.close()
            if self.ids is not None:
                self.ids.close()


_sessions: Sessions[Session] = Sessions()


def step(run: Run) -> bool:
    """Plan one batch of rows (the job `import.plan`: {"import": id})."""
    with _sessions.of(run, lambda: _begin(run)) as session:
        more = advance(session, run)
    if not more:
        _sessions.drop(run.job)
    return more


def _begin(run: Run) -> Session:
    """A plan from the first row on: what an interrupted try had found is not gone on with."""
    upload = ImportFile.objects.filter(pk=run.job.parameters["import"]).first()
    if upload is None:
        raise Refused(_("The import is not there any more."))
    session = Session(upload, new_plan(upload, run))
    mappings.check(session.feed.mapping)
    if session.names and isinstance(run.by, User) and not session.decided.alike:
        session.feed.look_up(partial(look_up, session.names, run.by))
    with run.batch() as job:
        job.progress = 0
        job.total = session.feed.table.known_records
    return session


def new_plan(upload: ImportFile, run: Run) -> Plan:
    """An empty plan, made under the lease: it counts as the latest one of `upload` from now on."""
    with run.batch() as job:
        return Plan.objects.create(
            kind=KIND, import_file=upload, created_by=job.created_by, created_at=timezone.now()
        )


def advance(session: Session, run: Run) -> bool:
    require(session.feed.mapping.entity, run.by)
    run.pace.smallest = SMALLEST
    rows = session.feed.take(min(run.size, LARGEST))
    # Read and judged outside of the transaction: only what was found is written.
    judged = judge_block(
        session.feed.mapping,
        session.names,
        rows,
        by=run.by,
        now=timezone.now(),
        seen=session.seen,
        aside=session.aside,
        decided=session.decided,
        told=_told(session, rows.numbers),
        siblings=session.siblings,
        waiting=session.waiting,
    )
    _count(session, judged)
    if session.ids is not None:
        # Rows with such ids are never compact.
        every = [row for row in rows.rows if row is not None]
        session.ids.listen(session.feed.mapping, every, judged, session.base)
        session.open.listen(session.feed.mapping, every, judged.verdicts, judged.links.waits)
        if session.siblings is None and not rows:
            settle(session, session.ids, run)
    with run.batch() as job:
        keep(session.plan, judged.verdicts, session.said)
        samerows.keep(session.plan, judged.same)
        session.plan.counts = {**session.counts, "why": dict(session.groups.most_common(GROUPS))}
        session.plan.parameters = {
            ALIKE: session.decided.alike,
            "preview": session.preview,
            kept_keys.BASE: session.base,
            # Only of a plan that is whole: see `decisions.carried`.
            **({} if rows else decisions.told_of(session.upload)),
        }
        session.plan.save(update_fields=["counts", "parameters"])
        job.progress += len(rows)
        if not rows:
            job.result = {"plan": str(session.plan.pk)}
            _finish(session)
    return bool(rows)


def _told(session: Session, numbers: Sequence[int]) -> Collection[int]:
    """The rows of a batch that are judged each by itself: of which something was said, and the
    first ones, which the preview shows in full."""
    left = PREVIEWED - len(session.preview)
    return {*numbers[:left], *session.said.numbers} if left > 0 else session.said.numbers


def settle(session: Session, known: Siblings, run: Run) -> None:
    """Say which links are set when all rows are through, and which lead nowhere."""
    mapping = session.feed.mapping
    rules = {lookup: how.rule for lookup, how in session.waiting.items()}
    late, missing, along = session.open.settle(known, mapping, rules)
    session.counts.update(dict(zip(LINKS, (late, len(missing)), strict=True)))
    for lookup, keys in along.items():
        session.counts[parts.plural(parts.entity_of(mapping.entity, lookup).name)] += len(keys)
    for part in batches(sorted(missing), SMALLEST):
        with run.batch():
            later.note(session.plan, mapping, {row: missing[row] for row in part})


def require(entity: Entity, by: Actor) -> None:
    """Raise Forbidden unless `by` may import `entity` records, which are then theirs."""
    access.require(by, Verb.IMPORT, entity)
    access.require(by, Verb.CREATE, entity)


def _finish(session: Session) -> None:
    upload = session.upload
    if not session.counts["rows"]:
        raise Refused(_("There is a header in this file, but no record below it."))
    upload.state, upload.counts, upload.message = ImportState.PLANNED, dict(session.counts), ""
    upload.save(update_fields=["state", "counts", "message"])
    if session.siblings is None:
        entity = session.feed.mapping.entity
        kept_keys.save(upload, session.plan, {entity.name: session.seen})
    # The plan of an earlier mapping says nothing any more.
    Plan.objects.filter(import_file=upload).exclude(pk=session.plan.pk).update(import_file=None)


def ended(job: Job, state: JobState) -> None:
    """Tell the import that its plan could not be made."""
    if state == JobState.DONE:
        return
    _sessions.drop(job)
    planning = ImportFile.objects.filter(
        pk=job.parameters["import"], state=ImportState.PLANNING, job=job
    )
    planning.update(state=ImportState.UPLOADED, message=job.message)


def _count(session: Session, judged: Judged) -> None:
    counts, verdicts = session.counts, judged.verdicts
    counts["rows"] += len(verdicts) + len(judged.same) + len(judged.simple)
    counts.update(verdict.fate.value for verdict in verdicts)
    counts[Fate.SAME.value] += len(judged.same)
    counts[Fate.CREATE.value] += len(judged.simple)
    _count_parts(session, judged)
    for verdict in verdicts:
        if verdict.fate is Fate.REFUSED:
            session.groups.update({why.key(reason) for reason in verdict.reasons})
    if len(session.preview) < PREVIEWED:
        session.preview += [
            preview(session.feed.mapping, verdict, judged)
            for verdict in itertools.islice(verdicts, PREVIEWED - len(session.preview))
        ]


def _count_parts(session: Session, judged: Judged) -> None:
    """Other records that would be made or changed, each once in the whole file."""
    for name, made in judged.new.items():
        seen = session.new[name]
        for new in made:
            known = [key for key in (new.hash, *new.also) if not seen.get(key)]
            if len(known) == 1 + len(new.also):
                session.counts[parts.plural(name)] += 1
            for key in known:
                seen.add(key, new.row)
    for entity, drafts in partlinks.changed(judged.links, judged.written):
        seen = session.changed[entity.name]
        for draft in drafts:
            key = draft.id.int & 0x7FFF_FFFF_FFFF_FFFF
            if not seen.get(key):
                seen.add(key, draft.source_row or 1)
                session.counts[f"{parts.plural(entity.name)}_updated"] += 1


def preview(mapping: Mapping, verdict: Verdict, judged: Judged) -> dict[str, Any]:
    """A row as the preview shows it: its values as texts."""
    entity = mapping.entity
    names = judged.links.names.get(verdict.number, {})
    values = verdict.draft.values if verdict.draft else {}
    return {
        "row": verdict.number,
        "fate": verdict.fate.value,
        "values": {
            name: names.get(name) or to_text(entity.fields[name], value)
            for name, value in values.items()
            if name in mapping.fields or name in PARTS or name in names
        }
        | judged.links.waits.get(verdict.number, {})
        | partlinks.said_by(mapping, judged.links, verdict.number),
        "reasons": [reason.text for reason in verdict.reasons],
    }


def keep(plan: Plan, verdicts: Iterable[Verdict], said: Said = NOTHING_SAID) -> None:
    """Write what `verdicts` have to tell, and what was said about their rows."""
    table_rows.insert(
        PlanRow,
        PLAN_COLUMNS,
        [
            (plan.pk, one.number, one.fate, one.record, details(one), said.kept(one.number),
             one.found, one.like, one.changes, said.rows.get(one.number, ""))
            for one in verdicts
            if tells(one) or one.number in said.numbers
        ],
    )  # fmt: skip


def tells(verdict: Verdict) -> bool:
    """Whether there is more to say than that the row is simply created, or left out like all that
    would be."""
    return verdict.found is not Fate.CREATE or verdict.fate not in {Fate.CREATE, Fate.SKIP}


def details(verdict: Verdict) -> list[Any]:
    """What `PlanRow.reasons` keeps: how the row is a duplicate, or why it is not taken."""
    if verdict.reasons:
        return why.as_json(verdict.reasons)
    if verdict.confidence:
        likeness = [reason.to_json() for reason in verdict.likeness]
        return [verdict.like, verdict.confidence, *likeness]
    return []


def planned(plan: Plan, numbers: Sequence[int]) -> dict[int, PlanRow]:
    """The rows of `plan` among `numbers` (in order) that are kept each by itself."""
    if not numbers:
        return {}
    return {row.row: row for row in between(plan, numbers[0], numbers[-1])}


def between(plan: Plan, first: int, last: int) -> QuerySet[PlanRow]:
    """The same from `first` to `last`."""
    # Of whatever fate: said aloud, because the index of rows begins with that.
    return plan.rows.filter(fate__in=Fate.values, row__gte=first, row__lte=last)
