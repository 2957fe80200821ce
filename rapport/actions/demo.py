"""Demo data: whether it is there, and taking it away again without touching anything else.

Operations that make demo data are of the kind `demo.load`, or carry `demo` in their parameters.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import islice
from typing import Any

from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from rapport import access
from rapport.access import Actor, Forbidden, SystemActor
from rapport.meta.entity import Draft
from rapport.meta.registry import registry
from rapport.models import Change, ImportFile, Job, Operation, Plan, Team, User
from rapport.models.journal import ChangeVerb, OperationState

from . import journal, people, records, write

LOAD, REMOVE = "demo.load", "demo.remove"
DEMO = SystemActor("demo")
# Records of one transaction: those of an account go along with it.
ACCOUNTS, OTHERS = 5, 50
# What is taken away before the people, in this order.
_RECORDS = ("account", "lead", "contact", "opportunity", "activity", "note")


def is_loaded() -> bool:
    """Whether there is demo data, or something left of it."""
    made = Change.objects.filter(operation__kind=LOAD, verb=ChangeVerb.CREATE)
    return any(
        registry[name].records().filter(pk__in=made.filter(entity=name).values("record")).exists()
        for name in ("account", "team")
    )


def is_whole() -> bool:
    """Whether the last loading came to its end."""
    last = Operation.objects.filter(kind=LOAD).order_by("-pk").first()
    return last is not None and last.parameters.get("part") == "end"


def mark(op: Operation) -> None:
    """Note that `op` made demo data, although it is an operation like any other."""
    op.parameters = {**op.parameters, "demo": True}
    op.save(update_fields=["parameters"])


def remove(*, by: Actor, between: Callable[[], None] = lambda: None) -> Operation:
    """Take all demo data away, also what was changed since, with all that belongs to it. Other
    records of demo people go to `by`, or to an administrator. One operation, which can be undone;
    `between` is called between its transactions.

    Raises Forbidden unless `by` is an administrator.
    """
    if not access.is_administrator(by):
        raise Forbidden("demo data")
    _close_broken()
    made: dict[str, set[uuid.UUID]] = defaultdict(set)
    for name, record in _made().values_list("entity", "record").distinct():
        made["activity" if registry[name].activity else name].add(record)
    op = journal.begin(REMOVE, by=by)
    for name in _RECORDS:
        for ids in _parts(made[name], ACCOUNTS if name == "account" else OTHERS):
            _delete(name, ids, op)
            between()
    with transaction.atomic():
        _remove_people(made, op, by)
        journal.finish(op)
    return op


def _made() -> models.QuerySet[Change]:
    demo = Q(operation__kind=LOAD) | Q(operation__parameters__demo=True)
    return Change.objects.filter(demo, verb=ChangeVerb.CREATE)


def _close_broken() -> None:
    """Operations of a loading or removal that was interrupted."""
    broken = Operation.objects.filter(kind__in=[LOAD, REMOVE], state=OperationState.RUNNING)
    broken.update(state=OperationState.FAILED, ended_at=timezone.now())


def _parts(ids: Iterable[uuid.UUID], size: int) -> Iterator[list[uuid.UUID]]:
    rest = iter(sorted(ids))
    while part := list(islice(rest, size)):
        yield part


def _delete(name: str, ids: Collection[uuid.UUID], op: Operation) -> None:
    entity = registry[name]
    there = list(entity.records().filter(pk__in=ids).values_list("pk", flat=True))
    if there:
        with journal.spanning(op):
            records.delete_records(entity, there, by=DEMO, with_all=True)


# -- the people ------------------------------------------------------------------------------------


def _remove_people(made: dict[str, set[uuid.UUID]], op: Operation, by: Actor) -> None:
    users, teams = made["user"], made["team"]
    heir = _heir(users, teams, by)
    if heir is not None:
        users = users - {heir.pk}
        _hand_over(users | teams, heir, op)
    _delete("saved_view", _owned("saved_view", users | teams), op)
    for name in ("share", "membership", "role_assignment"):
        kept = Q(pk__in=made[name])
        if name == "role_assignment" and heir is not None:
            kept &= ~Q(principal_id=heir.pk)
        rows = registry[name].records().filter(kept)
        _delete(name, list(rows.values_list("pk", flat=True)), op)
    _delete("team", teams, op)
    _let_go(users)
    _delete("user", users, op)
    # A unit that real people have moved into has become real.
    used = set(User.objects.values_list("business_unit_id", flat=True))
    used |= set(Team.objects.values_list("business_unit_id", flat=True))
    _delete("business_unit", made["business_unit"] - used, op)


def _heir(users: set[uuid.UUID], teams: set[uuid.UUID], by: Actor) -> User | None:
    """Who takes over real records of demo people. A demo administrator stays when there are such
    records and nobody else to own them."""
    if isinstance(by, User):
        return by
    other = people.first_administrator(besides=users)
    if other is not None or not any(_owned(e.name, users | teams) for e in _owning()):
        return other
    return people.first_administrator()


def _owning() -> list[Any]:
    """Entities whose records have owners, tables with several entities once."""
    return [e for e in registry if e.ownership == "user" and not e.scope and e.name != "saved_view"]


def _owned(name: str, principals: set[uuid.UUID]) -> list[uuid.UUID]:
    rows = registry[name].records().filter(owner_id__in=principals)
    return list(rows.values_list("pk", flat=True))


def _hand_over(principals: set[uuid.UUID], heir: User, op: Operation) -> None:
    values = {"owner": heir.pk, "owning_unit": heir.business_unit_id}
    for entity in _owning():
        for ids in _parts(_owned(entity.name, principals), 200):
            stored = write.load(entity, ids)
            drafts = [Draft(id=i, values=dict(values), current=row) for i, row in stored.items()]
            write.write(entity, drafts, op=op, by=DEMO, now=timezone.now())


def _let_go(users: set[uuid.UUID]) -> None:
    """Loosen what points at users without being a record: the journal keeps their names, imports
    and jobs are nobody's, their visits, preferences and links go."""
    for user in User.objects.filter(pk__in=users):
        Operation.objects.filter(user=user).update(actor=str(user)[:60])
    declared = {entity.model for entity in registry}
    kept = {ImportFile, Job, Plan}
    # Hidden ones too: most of ours have no name on the user's side.
    for relation in User._meta.get_fields(include_hidden=True):
        if not isinstance(relation, models.ManyToOneRel) or relation.related_model in declared:
            continue
        column = relation.field.name
        rows = relation.related_model._base_manager.filter(**{f"{column}__in": users})
        if relation.on_delete is models.SET_NULL or relation.related_model in kept:
            rows.update(**{column: None})
        else:
            rows.delete()
