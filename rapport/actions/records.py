"""Create, change, delete, assign: what can be done to a record of any entity."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError
from django.utils import timezone
from django.utils.translation import gettext as _

from rapport import access
from rapport.access import Actor, Forbidden, SystemActor
from rapport.meta.entity import Draft, Entity
from rapport.meta.ids import new_id
from rapport.meta.registry import registry
from rapport.models import Operation, Principal
from rapport.models.people import Verb

from . import checking, dependants, journal, write


class RecordNotFound(LookupError):
    """No such record, or not one that this person may see (404)."""


class InvalidRecord(ValueError):
    """The values cannot be stored. `errors` {field name, '' for the whole: messages}."""

    def __init__(self, errors: Mapping[str, Sequence[str]]):
        self.errors = {name: list(messages) for name, messages in errors.items()}
        super().__init__(
            "; ".join(f"{name}: {' '.join(found)}" for name, found in self.errors.items())
        )

    @property
    def messages(self) -> list[str]:
        """All messages, without the names of their fields."""
        return [message for found in self.errors.values() for message in found]

    @property
    def complaints(self) -> str:
        """The same as one text."""
        return " ".join(self.messages)


@dataclass(frozen=True, slots=True)
class Clash:
    """Two people changed the same field: what it was when this one looked, is, and was to be."""

    seen: Any
    stored: Any
    wanted: Any


class StaleRecord(RuntimeError):
    """Somebody else changed the same fields meanwhile (409). `clashes` {field name: Clash}."""

    def __init__(self, clashes: Mapping[str, Clash]):
        self.clashes = dict(clashes)
        super().__init__(", ".join(clashes))


class HasDependants(RuntimeError):
    """Other records belong to those that were to be deleted. `counts` {entity name: number}."""

    def __init__(self, counts: Mapping[str, int]):
        self.counts = dict(counts)
        super().__init__(", ".join(f"{n} {name}" for name, n in counts.items()))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a bulk action: records done, and why the others were not."""

    operation: Operation
    done: tuple[uuid.UUID, ...]
    refused: Mapping[uuid.UUID, str]


@contextmanager
def refusing_clashes() -> Iterator[None]:
    """What two people do at the same moment may only come out when it is stored: a value that is
    taken by now, a record that is gone. It is refused like what is found before."""
    try:
        yield
    except IntegrityError:
        text = _("Somebody else has just stored or deleted something that this needs. Try again.")
        raise InvalidRecord({"": [text]}) from None


# -- one function for every create and update ----------------------------------------------------


def save_drafts(
    entity: Entity,
    drafts: Sequence[Draft],
    *,
    op: Operation,
    by: Actor,
    now: datetime.datetime,
    trusted: bool = False,
    checked: bool = False,
) -> list[Draft]:
    """Check `drafts` and write those without errors; the drafts with errors come back.

    `trusted`: the values come from another action (state, owner, links of a conversion), so
    read-only fields may be set and rights on look-ups are not asked. `checked`: they have passed
    `checking.check` in this very transaction.
    """
    if not checked:
        checking.check(entity, drafts, by=by, now=now, trusted=trusted)
    write.write(entity, [d for d in drafts if not d.errors], op=op, by=by, now=now)
    return [d for d in drafts if d.errors]


def create_record(
    entity: Entity,
    values: Mapping[str, Any],
    *,
    by: Actor,
    now: datetime.datetime | None = None,
    id: uuid.UUID | None = None,
    new: Mapping[str, str] | None = None,
) -> uuid.UUID:
    """A new record, owned by `by` unless `values` say otherwise. Its id. `new` {look-up: name}:
    what it names is made along with it.

    Raises Forbidden, InvalidRecord.
    """
    access.require(by, Verb.CREATE, entity)
    if not entity.creatable:
        raise Forbidden(f"create {entity.name}")
    now = now or timezone.now()
    draft = Draft(id=id or new_id(), values=dict(values))
    with refusing_clashes(), journal.operation(f"{entity.name}.create", by=by, now=now) as op:
        draft.values.update(_make_named(entity, new or {}, op=op, by=by, now=now))
        if save_drafts(entity, [draft], op=op, by=by, now=now):
            raise InvalidRecord(draft.errors)
    return draft.id


def _make_named(
    entity: Entity, new: Mapping[str, str], *, op: Operation, by: Actor, now: datetime.datetime
) -> dict[str, uuid.UUID]:
    """Records of which only the name is known, for the look-ups that are to name them."""
    made: dict[str, uuid.UUID] = {}
    for name, text in new.items():
        target = registry[entity.fields[name].target or ""]
        access.require(by, Verb.CREATE, target)
        draft = Draft(id=new_id(), values=from_title(target, text))
        if save_drafts(target, [draft], op=op, by=by, now=now):
            raise InvalidRecord({name: [m for found in draft.errors.values() for m in found]})
        made[name] = draft.id
    return made


def from_title(entity: Entity, text: str) -> dict[str, str]:
    """The values that name a record `text`: of a person the last word is the last name."""
    text = " ".join(text.split())
    if len(entity.title_fields) == 1:
        return {entity.title_fields[0]: text}
    last, comma, first = text.partition(",")
    if not comma:
        first, _, last = text.rpartition(" ")
    return {"first_name": first.strip(), "last_name": last.strip()}


def update_record(
    entity: Entity,
    id: uuid.UUID,
    values: Mapping[str, Any],
    *,
    by: Actor,
    now: datetime.datetime | None = None,
    expected: Mapping[str, Any] | None = None,
    version: int | None = None,
    new: Mapping[str, str] | None = None,
) -> Operation:
    """Change fields of one record. `expected`: the values that the person saw; a field that holds
    another one by now, and not the wanted one, is a clash. `version`: the whole record must still
    be the one that was read. `new` as in `create_record`.

    Raises RecordNotFound, Forbidden, StaleRecord, InvalidRecord.
    """
    now = now or timezone.now()
    with refusing_clashes(), journal.operation(f"{entity.name}.update", by=by, now=now) as op:
        current = get_for(entity, [id], by=by, verb=Verb.WRITE)[id]
        wanted = dict(values)
        wanted.update(_make_named(entity, new or {}, op=op, by=by, now=now))
        _refuse_stale(current, wanted, expected, version)
        draft = Draft(id=id, values=wanted, current=current)
        if save_drafts(entity, [draft], op=op, by=by, now=now):
            raise InvalidRecord(draft.errors)
    return op


def _refuse_stale(
    current: Mapping[str, Any],
    wanted: Mapping[str, Any],
    expected: Mapping[str, Any] | None,
    version: int | None,
) -> None:
    if version is not None and version != current["version"]:
        raise StaleRecord({})
    clashes = {
        name: Clash(seen, current.get(name), wanted[name])
        for name, seen in (expected or {}).items()
        if name in wanted and current.get(name) != seen and current.get(name) != wanted[name]
    }
    if clashes:
        raise StaleRecord(clashes)


def update_records(
    entity: Entity,
    ids: Iterable[uuid.UUID],
    values: Mapping[str, Any],
    *,
    by: Actor,
    kind: str = "update",
    parameters: Mapping[str, Any] | None = None,
    now: datetime.datetime | None = None,
    verb: str = Verb.WRITE,
    trusted: bool = False,
) -> Outcome:
    """The same change to many records, one operation; those that refuse it stay as they are."""
    now = now or timezone.now()
    ids = list(dict.fromkeys(ids))
    with journal.operation(f"{entity.name}.{kind}", by=by, now=now, parameters=parameters) as op:
        refused, drafts = drafts_for(entity, ids, values, by=by, verb=verb)
        failed = save_drafts(entity, drafts, op=op, by=by, now=now, trusted=trusted)
        refused.update({draft.id: draft.complaints for draft in failed})
    done = tuple(draft.id for draft in drafts if not draft.errors)
    return Outcome(op, done, refused)


def drafts_for(
    entity: Entity, ids: Sequence[uuid.UUID], values: Mapping[str, Any], *, by: Actor, verb: str
) -> tuple[dict[uuid.UUID, str], list[Draft]]:
    """Drafts of the records that `by` may change, and the refusals of those that are visible."""
    stored = write.load(entity, ids, by=by, verb=verb)
    missing = [id_ for id_ in ids if id_ not in stored]
    seen = access.allowed_ids(missing, entity, by, access.READ) if missing else set()
    refused = {id_: str(checking.NOT_ALLOWED) for id_ in missing if id_ in seen}
    return refused, [Draft(id=i, values=dict(values), current=row) for i, row in stored.items()]


def get_for(
    entity: Entity, ids: Sequence[uuid.UUID], *, by: Actor, verb: str, lock: bool = True
) -> dict[uuid.UUID, dict[str, Any]]:
    """Stored rows by id, locked, when `by` may do `verb` to every one.

    Raises RecordNotFound for what is not visible, Forbidden for what is.
    """
    stored = write.load(entity, ids, lock=lock, by=by, verb=verb)
    missing = set(ids) - set(stored)
    if missing:
        if missing - access.allowed_ids(missing, entity, by, access.READ):
            raise RecordNotFound(entity.name)
        raise Forbidden(f"{verb} {entity.name}")
    return stored


# -- owners ---------------------------------------------------------------------------------------


def assign_records(
    entity: Entity,
    ids: Iterable[uuid.UUID],
    owner: uuid.UUID,
    *,
    by: Actor,
    with_children: bool = False,
    now: datetime.datetime | None = None,
) -> Outcome:
    """Give records to a user or team. `with_children`: open records below them (contacts and
    opportunities of an account, open activities) that had the same owner follow.

    Raises InvalidRecord when `owner` is nobody, or inactive.
    """
    principal = Principal.objects.filter(pk=owner, is_active=True).first()
    if principal is None:
        raise InvalidRecord({"owner": [str(checking.NO_SUCH_OWNER)]})
    now = now or timezone.now()
    values = {"owner": principal.pk, "owning_unit": principal.unit_id}
    parameters = {"owner": str(principal.pk), "name": principal.name}
    ids = list(dict.fromkeys(ids))
    with journal.operation(f"{entity.name}.assign", by=by, now=now, parameters=parameters) as op:
        refused, drafts = drafts_for(entity, ids, values, by=by, verb=Verb.ASSIGN)
        failed = save_drafts(entity, drafts, op=op, by=by, now=now, trusted=True)
        refused.update({draft.id: draft.complaints for draft in failed})
        given = {d.id: (d.current or {}).get("owner") for d in drafts if not d.errors}
        if with_children:
            _assign_children(entity, given, values, op=op, by=by, now=now)
    return Outcome(op, tuple(given), refused)


def _assign_children(
    entity: Entity,
    given: Mapping[uuid.UUID, Any],
    values: Mapping[str, Any],
    *,
    op: Operation,
    by: Actor,
    now: datetime.datetime,
) -> None:
    owners = set(given.values())
    for child, ids in dependants.children(entity, given).items():
        stored = write.load(child, ids, by=by, verb=Verb.ASSIGN)
        follow = [
            Draft(id=id_, values=dict(values), current=row)
            for id_, row in stored.items()
            if row["owner"] in owners and row["state"] in child.states.editable
        ]
        save_drafts(child, follow, op=op, by=by, now=now, trusted=True)


# -- deletion -------------------------------------------------------------------------------------


def delete_records(
    entity: Entity,
    ids: Iterable[uuid.UUID],
    *,
    by: Actor,
    with_all: bool = False,
    now: datetime.datetime | None = None,
) -> Operation:
    """Delete records; notes and activities go along, other links to them are emptied. All of it
    can be put back.

    Raises RecordNotFound, Forbidden, and HasDependants when records belong to them that go only
    `with_all`.
    """
    now = now or timezone.now()
    wanted = list(dict.fromkeys(ids))
    if not entity.deletable and not isinstance(by, SystemActor):
        raise Forbidden(f"delete {entity.name}")
    with journal.operation(f"{entity.name}.delete", by=by, now=now) as op:
        get_for(entity, wanted, by=by, verb=Verb.DELETE)
        doomed = dependants.doomed(entity, wanted)
        # A team or a unit never takes its customers along: they are to be assigned first.
        if doomed.refusing and (not with_all or entity.ownership == "organisation"):
            raise HasDependants({name: len(found) for name, found in doomed.refusing.items()})
        for other in doomed.along:
            refusing = doomed.refusing.get(other.name, set())
            if refusing - access.allowed_ids(refusing, other, by, Verb.DELETE):
                raise Forbidden(f"delete {other.name}")
        for other, links in doomed.links.items():
            stored = write.load(other, links)
            drafts = [Draft(id=i, values=links[i], current=row) for i, row in stored.items()]
            write.write(other, drafts, op=op, by=by, now=now)
        for other, found in reversed(doomed.along.items()):
            write.delete(other, list(found), op=op, now=now)
        write.delete(entity, wanted, op=op, now=now)
    return op
