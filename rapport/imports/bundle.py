"""Several files in one: an archive whose files refer to each other in any order.

Each is an import of its own below that of the archive, described and mapped like any other; they
are planned and applied one after the other by one job, in one operation.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import dropwhile, islice, zip_longest
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from rapport.actions.lease import Refused, Run
from rapport.files.read import FileRefused
from rapport.meta.entity import Entity
from rapport.meta.kinds import Kind
from rapport.meta.registry import registry
from rapport.models import ImportFile, Plan
from rapport.models.operations import ImportState
from rapport.queries.history import FILES
from rapport.queries.imports import plan_of

from . import headers, kept, latenames, mapping as mappings, parts, plan as plans, uploads
from .feed import mapping_of
from .headers import RECORD_ID
from .sessions import Sessions
from .sources import OWN_IDS, Siblings

# Said instead of the name of a sheet: each of them is a list.
EACH_SHEET = "*"


def is_bundle(upload: ImportFile) -> bool:
    """Whether an import is of several files."""
    return bool(upload.options.get("bundle"))


def members_of(upload: ImportFile) -> list[ImportFile]:
    """The files of an archive, those first that others refer to; without those that failed."""
    found = upload.members.exclude(state=ImportState.FAILED).exclude(entity="")
    return sorted(found, key=lambda m: (_depth(registry[m.entity]), m.created_at, m.name))


def coming(member: ImportFile) -> set[str]:
    """The entities of the files that follow on `member` in its import."""
    if member.parent is None:
        return set()
    behind = dropwhile(lambda one: one != member, members_of(member.parent))
    return {one.entity for one in islice(behind, 1, None)}


def changes_of(member: ImportFile) -> Q:
    """The changes that one of several files made: from where it was in turn to where the next
    was."""
    op = member.operation
    marks = op.parameters.get(FILES, ()) if member.parent and op else ()
    for (first, name, *key), after in zip_longest(marks, marks[1:]):
        # Two folders may have files of the same name; earlier versions told no more.
        if key == [str(member.pk)] or (not key and name == name_of(member)):
            return Q(id__gte=first, id__lt=after[0]) if after else Q(id__gte=first)
    return Q()


def name_of(member: ImportFile) -> str:
    """What a file of an archive is called; a sheet with its workbook."""
    if member.parent is not None and "sheet" in member.options:
        return f"{member.parent.name}: {member.name}"
    return member.name


@lru_cache(maxsize=64)
def _depth(entity: Entity) -> int:
    """How many entities one above the other a record of `entity` belongs to: a contact to an
    account, a deal to both."""
    links = [entity.fields[name] for name in entity.cards]
    targets = {found.target for found in links if found.kind is Kind.LOOKUP}
    below = [_depth(registry[name]) for name in targets if name and name != entity.name]
    return 1 + max(below) if below else 0


# -- files become one import ----------------------------------------------------------------------


def join(upload: ImportFile, members: Sequence[ImportFile], left: Sequence[Sequence[str]]) -> None:
    """Make `upload` the import of its `members`: their ids mean the same in all of them."""
    relate(members, upload)
    first = members_of(upload)[0]
    programs = dict.fromkeys(m.options.get("program") for m in members)
    notes = [f"{name}: {reason}" for name, reason in left]
    upload.entity, upload.mapping, upload.reading = first.entity, {}, {"format": "zip"}
    if "sheet" in first.options:
        upload.reading["sheet"] = EACH_SHEET
    upload.options = {
        **upload.options,
        "bundle": True,
        "format": "zip",
        "columns": [],
        "sample": [],
        "members": [member.options["member"] for member in members_of(upload)],
        "left_out": [list(one) for one in left],
        "program": ", ".join(name for name in programs if name),
        "notes": notes,
    }


def names_in(upload: ImportFile) -> list[str]:
    """What its files or sheets are called, then those that were left out."""
    names = upload.options.get("members", ())
    return [*names, *(name for name, _why in upload.options.get("left_out", ()))]


def alone(upload: ImportFile) -> dict[str, Any]:
    """Its options as those of an import of one file."""
    gone = {"bundle", "left_out"}
    return {name: value for name, value in upload.options.items() if name not in gone}


# Headers by which files name records of an entity by their ids, besides by its own name.
_CALLED = {"account": ("company", "organization", "organisation", "parentcustomer", "customer")}
_ABOVE = ("parent", "reportsto", "manager", "supervisor")


def relate(members: Sequence[ImportFile], upload: ImportFile) -> None:
    """Of files of no known program: columns with ids of their own rows and of those of another."""
    entities = set(upload.members.values_list("entity", flat=True))
    for member in members:
        if member.mapping.get("system"):
            continue
        entity = registry[member.entity]
        mapping = mappings.Mapping.from_json(entity, member.mapping)
        columns = dict(mapping.columns)
        for index, header in enumerate(member.options.get("columns", ())):
            name = _id_of(entity, headers.plain(header), entities)
            mapped = columns.get(index)
            taken = any(target.field == name for target in columns.values())
            instead = {"number", RECORD_ID, parts.split(name)[0]}
            if name and not taken and (mapped is None or mapped.field in instead):
                columns[index] = mappings.Target(field=name)
        made = replace(mapping, columns=columns, system=f"{OWN_IDS}{upload.pk}")
        member.mapping = made.as_json()
        member.save(update_fields=["mapping"])


def _id_of(entity: Entity, bare: str, entities: Collection[str]) -> str:
    """The target of a header like 'id', 'AccountId' or 'primary_contact_id'."""
    if bare in {"id", "recordid", f"{entity.name}id"}:
        return parts.SOURCE_ID
    if not bare.endswith("id"):
        return ""
    stem = bare.removesuffix("id")
    if stem in _ABOVE and entity.hierarchy:
        return f"{entity.hierarchy}.{parts.SOURCE_ID}"
    for target in parts.id_targets(entity):
        lookup = parts.split(target)[0]
        if not lookup:
            continue
        found = entity.fields[lookup]
        names = {headers.plain(lookup)}
        if lookup == found.target:
            names |= {*_CALLED.get(lookup, ())}
        if found.target in entities and stem in names:
            return target
    return ""


# -- plan -----------------------------------------------------------------------------------------


class _Session:
    """The plans of several files, one after the other, and what they know of each other."""

    def __init__(self, upload: ImportFile, members: list[ImportFile]) -> None:
        self.upload, self.waiting = upload, members
        self.siblings = Siblings()
        self.current: plans.Session | None = None
        self.through: list[plans.Session] = []

    def close(self) -> None:
        if self.current is not None:
            self.current.close()
        self.siblings.close()


_sessions: Sessions[_Session] = Sessions()


def plan_step(run: Run) -> bool:
    """Plan one batch of rows of an import of one or of several files (the job `import.plan`)."""
    if not run.job.parameters.get("bundle"):
        return plans.step(run)
    with _sessions.of(run, lambda: _begin(run)) as session:
        more = _advance(session, run)
    if not more:
        _sessions.drop(run.job)
    return more


def _begin(run: Run) -> _Session:
    upload = ImportFile.objects.filter(pk=run.job.parameters["import"]).first()
    if upload is None:
        raise Refused(_("The import is not there any more."))
    with run.batch() as job:
        job.progress = 0
    session = _Session(upload, members_of(upload))
    for member in session.waiting:
        mapping = mapping_of(member)
        session.siblings.named_before |= latenames.named(mapping, coming(member))
    return session


def _advance(session: _Session, run: Run) -> bool:
    if session.current is None:
        if not session.waiting:
            _finish(session, run)
            return False
        _open(session, session.waiting.pop(0), run)
        return True
    current = session.current
    try:
        more = plans.advance(current, run)
    except (FileRefused, Refused, uploads.UploadGone) as refused:
        # One file that cannot be read does not cost the others.
        more = False
        _leave(session, current.upload, str(refused))
    if not more:
        current.close()
        session.current = None
        session.through.append(current)
    return True


def _open(session: _Session, member: ImportFile, run: Run) -> None:
    plan = plans.new_plan(member, run)
    try:
        session.current = plans.Session(member, plan, session.siblings, coming(member))
        mappings.check(session.current.feed.mapping)
    except (FileRefused, mappings.MappingRefused, uploads.UploadGone) as refused:
        session.current = None
        _leave(session, member, str(refused))


def _leave(session: _Session, member: ImportFile, message: str) -> None:
    member.state, member.message = ImportState.FAILED, message
    member.save(update_fields=["state", "message"])
    upload = session.upload
    left = [*upload.options.get("left_out", []), [member.options["member"], message]]
    upload.options = {**upload.options, "left_out": left}


def _finish(session: _Session, run: Run) -> None:
    upload, members = session.upload, members_of(session.upload)
    if not members:
        raise Refused(_("None of these files holds a list that can be imported."))
    for one in session.through:
        # Only now all ids are known.
        plans.settle(one, session.siblings, run)
    there = {one.upload.pk: one for one in session.through}
    for member in members:
        member.counts = {**member.counts, **there[member.pk].links}
    counts = total(members)
    with run.batch() as job:
        plan = Plan.objects.create(
            kind=plans.KIND, import_file=upload, created_by=run.job.created_by, counts=counts,
            parameters={"members": [str(m.pk) for m in members]}, created_at=timezone.now(),
        )  # fmt: skip
        for member in members:
            member.save(update_fields=["counts"])
            there[member.pk].plan.counts |= there[member.pk].links
            there[member.pk].plan.save(update_fields=["counts"])
        upload.state, upload.counts, upload.message = ImportState.PLANNED, counts, ""
        upload.save(update_fields=["state", "counts", "message", "options"])
        Plan.objects.filter(import_file=upload).exclude(pk=plan.pk).update(import_file=None)
        kept.save(upload, plan, session.siblings.rows)
        job.result = {"plan": str(plan.pk)}


def total(members: Iterable[ImportFile]) -> dict[str, int]:
    """The counts of several files together."""
    counts: Counter[str] = Counter()
    for member in members:
        counts.update(member.counts)
    return dict(counts)


def parts_to_apply(upload: ImportFile) -> list[list[str]]:
    """[file, plan] of those that are applied, in this order."""
    found = []
    for member in members_of(upload):
        plan = plan_of(member)
        if plan is not None:
            found.append([str(member.pk), str(plan.pk)])
    return found
