"""Stored records for tests, written through the actions like everything else.

`make("account", name="Acme")` knows minimal valid values of every declared entity; the functions
below it are the same with a name of their own. Values may be records: `make_contact(account=acme)`.
"""

import itertools
import json
from collections.abc import Callable
from typing import Any

from django.utils import timezone

from rapport.access import Actor
from rapport.actions import journal, people, records
from rapport.actions.people import SETUP
from rapport.meta.entity import Draft, Entity
from rapport.meta.field import Field
from rapport.meta.ids import new_id
from rapport.meta.kinds import Kind, Ref
from rapport.meta.registry import registry
from rapport.models import (
    Account,
    Activity,
    BusinessUnit,
    Contact,
    DuplicatePair,
    Lead,
    Note,
    Opportunity,
    Role,
    SavedView,
    Share,
    Team,
    User,
)
from rapport.queries import query
from rapport.queries.duplicates import in_order
from tests.people import bring

_numbers = itertools.count(1)


def make(entity: str, /, *, by: Actor = SETUP, **values: Any) -> Any:
    """A stored record of `entity`, as an instance of its model: `values` over the minimal ones.

    Fields that nobody may write (state, created_at) can be set here. Without an owner it belongs to
    `somebody()`. Raises InvalidRecord.
    """
    # The type of an activity is what tells its entities apart: a bare activity is a task.
    declared = registry["task" if entity == "activity" else entity]
    filled = {**MINIMAL[declared.name](next(_numbers), values), **values}
    if declared.ownership == "user":
        filled.setdefault("owner", somebody())
    draft = Draft(id=filled.pop("id", None) or new_id(), values=_plain(declared, filled))
    now = timezone.now()
    with journal.operation(f"{declared.name}.create", by=by, now=now) as op:
        if records.save_drafts(declared, [draft], op=op, by=by, now=now, trusted=True):
            raise records.InvalidRecord(draft.errors)
    return declared.model._default_manager.get(pk=draft.id)


def minimal(entity: str, /, **values: Any) -> dict[str, Any]:
    """Valid values for a new `entity` record, as an action takes them."""
    return _plain(registry[entity], {**MINIMAL[entity](next(_numbers), values), **values})


def ref(record: Any) -> Ref:
    """The pointer to a record."""
    names = [e.name for e in registry if e.model is type(record) and not e.scope]
    return Ref(getattr(record, "type", "") or names[0], record.pk)


def _plain(entity: Entity, values: dict[str, Any]) -> dict[str, Any]:
    return {name: _value(entity.fields.get(name), value) for name, value in values.items()}


def _value(field: Field | None, value: Any) -> Any:
    if field is None or not hasattr(value, "pk"):
        return value
    return ref(value) if field.kind is Kind.POINTER else value.pk


MINIMAL: dict[str, Callable[[int, dict[str, Any]], dict[str, Any]]] = {
    "account": lambda n, _: {"name": f"Account {n}"},
    "contact": lambda n, _: {"first_name": "Chris", "last_name": f"Contact {n}"},
    "lead": lambda n, _: {"first_name": "Lee", "last_name": f"Lead {n}"},
    "opportunity": lambda n, given: {
        "topic": f"Opportunity {n}",
        **({} if {"account", "contact"} & set(given) else {"account": make_account()}),
    },
    "task": lambda n, _: {"subject": f"Task {n}"},
    "phone_call": lambda n, _: {"subject": f"Phone call {n}"},
    "appointment": lambda n, _: {"subject": f"Appointment {n}"},
    "email": lambda n, _: {"subject": f"E-mail {n}"},
    "party": lambda n, given: {
        "address": f"party{n}@example.com",
        **({} if "activity" in given else {"activity": make_task()}),
    },
    "note": lambda n, _: {"subject": f"Note {n}"},
    "user": lambda n, given: {
        "first_name": "Ursula",
        "last_name": f"User {n}",
        "email": f"user{n}@example.com",
        **({} if "business_unit" in given else {"business_unit": root_unit()}),
    },
    "team": lambda n, given: {
        "name": f"Team {n}",
        **({} if "business_unit" in given else {"business_unit": root_unit()}),
    },
    "business_unit": lambda n, given: {
        "name": f"Unit {n}",
        **({} if "parent_unit" in given else {"parent_unit": root_unit()}),
    },
    "role": lambda n, _: {"name": f"Role {n}"},
    "role_grant": lambda _, given: {
        "entity": "account",
        "verb": "read",
        "depth": 1,
        **({} if "role" in given else {"role": make("role")}),
    },
    "membership": lambda _, given: {
        **({} if "team" in given else {"team": make_team()}),
        **({} if "user" in given else {"user": make_user(roles=())}),
    },
    "role_assignment": lambda _, given: {
        **({} if "principal" in given else {"principal": make_user(roles=())}),
        **({} if "role" in given else {"role": make("role")}),
    },
    "share": lambda _, given: {
        **({} if "record" in given else {"record": make_account()}),
        **({} if "principal" in given else {"principal": make_user(roles=())}),
    },
    "saved_view": lambda n, _: {
        "name": f"View {n}",
        "entity": "account",
        "definition": json.dumps(query.dumps(query.of_view(registry["account"]))),
    },
    "duplicate_rule": lambda n, _: {
        "name": f"Rule {n}",
        "base_entity": "contact",
        "matching_entity": "contact",
        "threshold": 90,
        "definition": "",
    },
    "choice_option": lambda n, _: {
        "list_name": "industry",
        "label": f"Option {n}",
        "value": 10_000 + n,
    },
}


# -- the organisation -----------------------------------------------------------------------------


def root_unit() -> BusinessUnit:
    """The top of the tree of business units."""
    found = BusinessUnit.objects.filter(parent_unit=None).first()
    return found or BusinessUnit.objects.get(pk=people.ensure_organisation())


def somebody() -> User:
    """The owner of records of which a test does not care whose they are."""
    found = User.objects.filter(email="somebody@example.com").first()
    return found or bring("somebody")


def make_unit(**values: Any) -> BusinessUnit:
    """A business unit below the root, or below `parent_unit`."""
    return make("business_unit", **values)


def make_user(
    *,
    roles: tuple[str, ...] = ("salesperson",),
    unit: BusinessUnit | None = None,
    teams: tuple[Team, ...] = (),
    password: str | None = None,
    **values: Any,
) -> User:
    """A user of `unit` (default: the root) with built-in `roles` and memberships."""
    values = minimal("user", business_unit=unit or root_unit(), **values)
    user = people.create_user(values, by=SETUP, roles=roles, password=password)
    for team in teams:
        make("membership", team=team, user=user)
    return user


def make_team(
    *, unit: BusinessUnit | None = None, members: tuple[User, ...] = (), **values: Any
) -> Team:
    """A team of `unit` (default: the root) with these members."""
    team = make("team", business_unit=unit or root_unit(), **values)
    for user in members:
        make("membership", team=team, user=user)
    return team


def make_role(grants: dict[tuple[str, str], int], *holders: User | Team, **values: Any) -> Role:
    """A role with {(entity or '*', verb): depth}, given to `holders`."""
    role = make("role", **values)
    grant(role, grants)
    for holder in holders:
        make("role_assignment", principal=holder, role=role)
    return role


def grant(role: Role, grants: dict[tuple[str, str], int]) -> None:
    """Let `role` do {(entity or '*', verb): depth}."""
    drafts = [
        Draft(id=new_id(), values={"role": role.pk, "entity": entity, "verb": verb, "depth": depth})
        for (entity, verb), depth in grants.items()
    ]
    now = timezone.now()
    with journal.operation("role_grant.create", by=SETUP, now=now) as op:
        entity = registry["role_grant"]
        if failed := records.save_drafts(entity, drafts, op=op, by=SETUP, now=now, trusted=True):
            raise records.InvalidRecord(failed[0].errors)


def make_pair(one: Any, other: Any, **values: Any) -> DuplicatePair:
    """Two records in the queue of those that look alike."""
    first, second = in_order(ref(one), ref(other))
    reasons = [["contact.email", "same", 9.0], ["contact.job_title", "different", -1.0]]
    filled = {"rule": "contact.contact.person", "confidence": 97, "weight": 20.0} | values
    return DuplicatePair.objects.create(
        first_entity=first.entity, first=first.id, second_entity=second.entity, second=second.id,
        reasons=reasons, found_at=timezone.now(), **filled,
    )  # fmt: skip


def share_with(record: Any, principal: User | Team, **rights: bool) -> Share:
    """Let `principal` read `record`; rights: can_write, can_delete, can_assign, can_share."""
    return make("share", record=record, principal=principal, **rights)


# -- records --------------------------------------------------------------------------------------


def make_account(**values: Any) -> Account:
    """A company."""
    return make("account", **values)


def make_contact(**values: Any) -> Contact:
    """A person."""
    return make("contact", **values)


def make_lead(**values: Any) -> Lead:
    """An open lead with a name."""
    return make("lead", **values)


def make_opportunity(**values: Any) -> Opportunity:
    """An open deal, with an account of its own unless told."""
    return make("opportunity", **values)


def make_task(**values: Any) -> Activity:
    """An open task."""
    return make("task", **values)


def make_phone_call(**values: Any) -> Activity:
    """An open phone call."""
    return make("phone_call", **values)


def make_appointment(**values: Any) -> Activity:
    """An open appointment."""
    return make("appointment", **values)


def make_note(**values: Any) -> Note:
    """A note; `regarding` is a record."""
    return make("note", **values)


def make_saved_view(**values: Any) -> SavedView:
    """A personal view of accounts."""
    return make("saved_view", **values)
