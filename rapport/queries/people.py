"""Who may sign in, with which roles and in which teams."""

from __future__ import annotations

import datetime
import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.contrib.auth.hashers import is_password_usable

from rapport import queries
from rapport.access import Actor
from rapport.meta.registry import registry
from rapport.models import Membership, RoleAssignment, User

from . import search

PAGE = 50


@dataclass(frozen=True, slots=True)
class Colleague:
    """A user as administrators see one. `invited`: has not chosen a password yet."""

    id: uuid.UUID
    name: str
    email: str
    job_title: str
    active: bool
    invited: bool
    last_sign_in: datetime.datetime | None
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """A role or team that a user has or could have. `key`: of a built-in role; `through`: the team
    that gives a role."""

    id: uuid.UUID
    name: str
    detail: str
    key: str = ""
    held: bool = False
    through: str = ""


@dataclass(frozen=True, slots=True)
class Choices:
    """Roles and teams that can be given."""

    roles: tuple[Choice, ...]
    teams: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Access:
    """What decides on the rights of one user."""

    user: User
    invited: bool
    roles: tuple[Choice, ...]
    teams: tuple[Choice, ...]


def colleagues(by: Actor, *, find: str = "", page: int = 1) -> tuple[list[Colleague], bool]:
    """A page of users by name, those who may sign in first; and whether there are more."""
    rows = queries.records(registry["user"], by).order_by("state", "sort_name", "pk")
    rows = search.narrow(rows, registry["user"], find.replace("\0", ""))
    start = (max(page, 1) - 1) * PAGE
    users: list[User] = list(rows[start : start + PAGE + 1])
    roles = _role_names([user.pk for user in users[:PAGE]])
    return [
        Colleague(
            user.pk,
            str(user),
            user.email,
            user.job_title,
            user.is_active,
            not is_password_usable(user.password),
            user.last_login,
            tuple(roles[user.pk]),
        )
        for user in users[:PAGE]
    ], len(users) > PAGE


def _role_names(users: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[str]]:
    """Names of the roles of each, those of their teams too."""
    held: dict[uuid.UUID, list[str]] = defaultdict(list)
    in_team = Membership.objects.filter(user_id__in=users).values_list("team_id", "user_id")
    members: dict[uuid.UUID, list[uuid.UUID]] = defaultdict(list, {id_: [id_] for id_ in users})
    for team, user in in_team:
        members[team].append(user)
    found = RoleAssignment.objects.filter(principal_id__in=list(members)).order_by("role__name")
    for principal, name in found.values_list("principal_id", "role__name"):
        for user in members[principal]:
            if name not in held[user]:
                held[user].append(name)
    return held


def access_of(id: uuid.UUID, by: Actor) -> Access | None:
    """Roles and teams of a user, and those to choose from; None when there is no such user."""
    user = queries.records(registry["user"], by).filter(pk=id).first()
    if user is None:
        return None
    teams = dict(Membership.objects.filter(user_id=id).values_list("team_id", "team__name"))
    own: set[uuid.UUID] = set()
    through: dict[uuid.UUID, str] = {}
    found = RoleAssignment.objects.filter(principal_id__in=[id, *teams])
    for role, principal in found.values_list("role_id", "principal_id"):
        if principal == id:
            own.add(role)
        else:
            through[role] = teams[principal]
    possible = choices(by)
    return Access(
        user,
        not is_password_usable(user.password),
        tuple(replace(r, held=r.id in own, through=through.get(r.id, "")) for r in possible.roles),
        tuple(replace(team, held=team.id in teams) for team in possible.teams),
    )


def choices(by: Actor) -> Choices:
    """Every active role and team."""
    roles = queries.records(registry["role"], by).filter(state=0).order_by("sort_name", "pk")
    teams = queries.records(registry["team"], by).filter(state=0).order_by("sort_name", "pk")
    return Choices(
        tuple(Choice(*row) for row in roles.values_list("pk", "name", "description", "builtin")),
        tuple(Choice(*row) for row in teams.values_list("pk", "name", "business_unit__name")),
    )
