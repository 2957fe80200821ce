"""Users, teams, business units and roles; the first ones of a new installation."""

from __future__ import annotations

import datetime
import hashlib
import secrets
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from rapport import access
from rapport.access import Actor, SystemActor
from rapport.meta.entity import Draft
from rapport.meta.ids import new_id
from rapport.meta.registry import registry
from rapport.models import BusinessUnit, Role, RoleAssignment, RoleGrant, SignInLink, User
from rapport.models.people import Verb

from . import journal, records, write
from .roles import BUILTIN

SETUP = SystemActor("setup")
ROLE_KEYS = tuple(BUILTIN)


class LinkUsed(LookupError):
    """The one-time link is unknown, used or too old."""


def prepare_users(drafts: Sequence[Draft], _by: Actor, _now: datetime.datetime) -> None:
    """Addresses sign in, so they are kept in lower case; a password that nobody knows."""
    for draft in drafts:
        if draft.values.get("email"):
            draft.values["email"] = draft.values["email"].lower()
        if draft.current is None and "password" not in draft.extra:
            draft.extra["password"] = make_password(None)


def prepare_units(drafts: Sequence[Draft], _by: Actor, _now: datetime.datetime) -> None:
    """The path of a unit; a unit that has others below it stays where it is."""
    for draft in drafts:
        parent = draft.values.get("parent_unit")
        if draft.current is None:
            draft.extra["path"] = _path_below(parent, draft.id)
        elif "parent_unit" in draft.values and parent != draft.current["parent_unit"]:
            path = BusinessUnit.objects.values_list("path", flat=True).get(pk=draft.id)
            if BusinessUnit.objects.filter(path__startswith=path).count() > 1:
                draft.refuse("parent_unit", _("Move the units below it first."))
            draft.extra["path"] = _path_below(parent, draft.id)


def _path_below(parent: uuid.UUID | None, unit: uuid.UUID) -> str:
    above = BusinessUnit.objects.filter(pk=parent).values_list("path", flat=True) if parent else ()
    return f"{next(iter(above), '/')}{unit.hex}/"


def prepare_roles(drafts: Sequence[Draft], by: Actor, _now: datetime.datetime) -> None:
    """Built-in roles are Rapport's own."""
    for draft in drafts:
        if (
            draft.current is not None
            and draft.current["builtin"]
            and not isinstance(by, SystemActor)
        ):
            draft.refuse("", _("A built-in role cannot be changed: make one of your own."))


def prepare_grants(drafts: Sequence[Draft], by: Actor, now: datetime.datetime) -> None:
    """A right names an entity and a verb that exist, in a role of one's own."""
    verbs = {verb.value for verb in Verb}
    for draft in drafts:
        if draft.now("entity") != "*" and draft.now("entity") not in registry:
            draft.refuse("entity", _("There is no such entity."))
        if draft.now("verb") not in verbs:
            draft.refuse("verb", _("One of: %(verbs)s.") % {"verbs": ", ".join(sorted(verbs))})
        builtin = Role.objects.filter(pk=draft.now("role")).exclude(builtin="").exists()
        if builtin and not isinstance(by, SystemActor):
            draft.refuse("role", _("A built-in role cannot be changed: make one of your own."))


def ensure_organisation(name: str = "Organisation") -> uuid.UUID:
    """The root unit and the built-in roles, made or brought up to date. Id of the root unit."""
    with transaction.atomic():
        root = BusinessUnit.objects.filter(parent_unit=None).order_by("created_at").first()
        root_id = (
            root.pk
            if root
            else records.create_record(registry["business_unit"], {"name": name}, by=SETUP)
        )
        for key in BUILTIN:
            _ensure_role(key)
    return root_id


def organisation() -> str:
    """The name of the root unit; '' before there is one."""
    root = BusinessUnit.objects.filter(parent_unit=None).order_by("created_at")
    return root.values_list("name", flat=True).first() or ""


def rename_organisation(name: str, *, by: Actor) -> None:
    """Call the root unit `name`; without a name it stays. Raises Forbidden, InvalidRecord."""
    root = ensure_organisation()
    if name and name != organisation():
        records.update_record(registry["business_unit"], root, {"name": name}, by=by)


def _ensure_role(key: str) -> None:
    name, description, grants = BUILTIN[key]
    role = Role.objects.filter(builtin=key).first()
    now = timezone.now()
    with journal.operation("role.create", by=SETUP, now=now) as op:
        if role is None:
            values = {"name": name, "description": description, "builtin": key}
            draft = Draft(id=new_id(), values=values)
            records.save_drafts(registry["role"], [draft], op=op, by=SETUP, now=now, trusted=True)
            role_id = draft.id
        else:
            role_id = role.pk
        stored = {
            (grant.entity, grant.verb): (grant.pk, grant.depth)
            for grant in RoleGrant.objects.filter(role_id=role_id)
        }
        entity = registry["role_grant"]
        gone = [pk for pair, (pk, depth) in stored.items() if grants.get(pair) != depth]
        if gone:
            write.delete(entity, gone, op=op, now=now)
        missing = [
            Draft(
                id=new_id(), values={"role": role_id, "entity": e, "verb": v, "depth": int(depth)}
            )
            for (e, v), depth in grants.items()
            if stored.get((e, v), (None, None))[1] != depth
        ]
        if missing:
            records.save_drafts(entity, missing, op=op, by=SETUP, now=now, trusted=True)


def create_user(
    values: Mapping[str, Any],
    *,
    by: Actor,
    password: str | None = None,
    roles: Sequence[str] = ("salesperson",),
    now: datetime.datetime | None = None,
) -> User:
    """A new user with built-in `roles`; without a unit, in the root unit.

    Raises Forbidden, InvalidRecord.
    """
    access.require(by, Verb.CREATE, registry["user"])
    now = now or timezone.now()
    draft = Draft(id=new_id(), values=dict(values))
    if not draft.values.get("business_unit"):
        draft.values["business_unit"] = ensure_organisation()
    draft.extra["password"] = make_password(password)
    with journal.operation("user.create", by=by, now=now) as op:
        if records.save_drafts(registry["user"], [draft], op=op, by=by, now=now):
            raise records.InvalidRecord(draft.errors)
        chosen = Role.objects.filter(builtin__in=roles).values_list("pk", flat=True)
        drafts = [Draft(id=new_id(), values={"principal": draft.id, "role": r}) for r in chosen]
        records.save_drafts(
            registry["role_assignment"], drafts, op=op, by=by, now=now, trusted=True
        )
    return User.objects.get(pk=draft.id)


def set_password(user: User, password: str) -> None:
    """A new password. Not journalled: it is nobody's business."""
    user.set_password(password)
    user.save(update_fields=["password"])


def first_administrator() -> User | None:
    """The oldest active user with the role System Administrator."""
    holders = RoleAssignment.objects.filter(role__builtin="system-administrator")
    return (
        User.objects.filter(pk__in=holders.values("principal_id"), state=0)
        .order_by("created_at", "pk")
        .first()
    )


# -- one-time links -------------------------------------------------------------------------------


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def make_link(user: User | None, *, hours: int = 24, now: datetime.datetime | None = None) -> str:
    """The secret of a one-time link: to create the first administrator (`user` None), or for
    `user` to choose a password."""
    now = now or timezone.now()
    secret = secrets.token_urlsafe(32)
    SignInLink.objects.create(
        digest=_digest(secret),
        user=user,
        created_at=now,
        expires_at=now + datetime.timedelta(hours=hours),
    )
    return secret


def link_user(secret: str, *, now: datetime.datetime | None = None) -> User | None:
    """Whom the link is for; None: the first administrator. Raises LinkUsed."""
    link = _valid_link(secret, now or timezone.now())
    return link.user


def _valid_link(secret: str, now: datetime.datetime) -> SignInLink:
    found = SignInLink.objects.filter(digest=_digest(secret), used_at=None, expires_at__gt=now)
    link = found.select_related("user").first()
    if link is None or (link.user is None and first_administrator() is not None):
        raise LinkUsed
    if link.user is not None and not link.user.is_active:
        raise LinkUsed
    return link


def use_link(
    secret: str,
    *,
    password: str,
    values: Mapping[str, Any] | None = None,
    organisation: str = "",
    now: datetime.datetime | None = None,
) -> User:
    """Use a one-time link up: choose a password, or create the first administrator of `values`
    and name the organisation. Other links of the same user are void from then on.

    Raises LinkUsed, InvalidRecord.
    """
    now = now or timezone.now()
    with transaction.atomic():
        link = _valid_link(secret, now)
        taken = SignInLink.objects.filter(pk=link.pk, used_at=None).update(used_at=now)
        if not taken:
            raise LinkUsed
        if link.user is not None:
            SignInLink.objects.filter(user=link.user, used_at=None).update(used_at=now)
            set_password(link.user, password)
            return link.user
        rename_organisation(organisation, by=SETUP)
        return create_user(
            values or {}, by=SETUP, password=password, roles=("system-administrator",), now=now
        )
