"""Users, teams, business units and roles; the first ones of a new installation."""

from __future__ import annotations

import datetime
import hashlib
import secrets
import uuid
import zoneinfo
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _, gettext_lazy

from rapport import access
from rapport.access import Actor, SystemActor
from rapport.meta.entity import Draft
from rapport.meta.ids import new_id
from rapport.meta.registry import registry
from rapport.models import (
    BusinessUnit,
    Operation,
    Role,
    RoleAssignment,
    RoleGrant,
    SignInLink,
    User,
)
from rapport.models.people import Verb

from . import journal, records, write
from .roles import BUILTIN

SETUP = SystemActor("setup")
ROLE_KEYS = tuple(BUILTIN)
# Hours that an invitation is good for: over a long weekend.
INVITED_FOR = 96
LINK_FOR = 24
NO_SUCH_ROLE = gettext_lazy("There is no role “%(role)s”.")


LAST_ADMINISTRATOR = gettext_lazy("This is the last administrator: appoint another one first.")


class LinkUsed(LookupError):
    """The one-time link is unknown, used or too old."""


def prepare_users(drafts: Sequence[Draft], by: Actor, _now: datetime.datetime) -> None:
    """Addresses sign in, so they are kept in lower case; a password that nobody knows. Somebody
    must stay who may administer."""
    leaving = [draft for draft in drafts if draft.current and draft.values.get("state") == 1]
    if leaving and (held := set(_administrators().values_list("pk", flat=True))):
        gone = {draft.id for draft in leaving}
        for draft in leaving:
            if held <= gone and draft.id in held:
                draft.refuse("", str(LAST_ADMINISTRATOR))
    for draft in drafts:
        if draft.values.get("email"):
            draft.values["email"] = draft.values["email"].lower()
        if not isinstance(by, SystemActor):
            _check_preferences(draft)
        if draft.current is None and "password" not in draft.extra:
            draft.extra["password"] = make_password(None)


def _check_preferences(draft: Draft) -> None:
    """A time zone and a language that exist."""
    try:
        zoneinfo.ZoneInfo(draft.values.get("time_zone") or "UTC")
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        draft.refuse("time_zone", _("There is no such time zone."))
    if draft.values.get("language") not in {None, "", *dict(settings.LANGUAGES)}:
        draft.refuse("language", _("There is no such language."))


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
    roles = Role.objects.filter(pk__in={draft.now("role") for draft in drafts})
    builtin = set(roles.exclude(builtin="").values_list("pk", flat=True))
    for draft in drafts:
        entity = draft.now("entity")
        if "entity" not in draft.errors and entity != "*" and entity not in registry:
            draft.refuse("entity", _("There is no such entity."))
        if "verb" not in draft.errors and draft.now("verb") not in verbs:
            draft.refuse("verb", _("One of: %(verbs)s.") % {"verbs": ", ".join(sorted(verbs))})
        if draft.now("role") in builtin and not isinstance(by, SystemActor):
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
    with records.refusing_clashes(), journal.operation("user.create", by=by, now=now) as op:
        if records.save_drafts(registry["user"], [draft], op=op, by=by, now=now):
            raise records.InvalidRecord(draft.errors)
        known = dict(Role.objects.filter(builtin__in=roles).values_list("builtin", "pk"))
        if unknown := set(roles) - set(known):
            raise records.InvalidRecord({"roles": [NO_SUCH_ROLE % {"role": r} for r in unknown]})
        drafts = [
            Draft(id=new_id(), values={"principal": draft.id, "role": known[role]})
            for role in dict.fromkeys(roles)
        ]
        records.save_drafts(
            registry["role_assignment"], drafts, op=op, by=by, now=now, trusted=True
        )
    return User.objects.get(pk=draft.id)


def set_password(user: User, password: str) -> None:
    """A new password. Not journalled: it is nobody's business."""
    user.set_password(password)
    user.save(update_fields=["password"])


def first_administrator(*, besides: Collection[uuid.UUID] = ()) -> User | None:
    """The oldest active user with the role System Administrator, other than `besides`."""
    others = _administrators().exclude(pk__in=besides)
    return others.order_by("created_at", "pk").first()


def _administrators() -> QuerySet[User]:
    holders = RoleAssignment.objects.filter(role__builtin="system-administrator")
    return User.objects.filter(pk__in=holders.values("principal_id"), state=0)


def set_access(
    user: User,
    *,
    roles: Iterable[uuid.UUID],
    teams: Iterable[uuid.UUID],
    by: Actor,
    now: datetime.datetime | None = None,
) -> Operation:
    """Give `user` exactly these roles and teams, in one operation.

    Raises Forbidden, InvalidRecord when one does not exist or nobody could administer any more.
    """
    access.require(by, Verb.WRITE, registry["user"])
    now = now or timezone.now()
    with journal.operation("user.access", by=by, now=now, parameters={"user": str(user)}) as op:
        had_administrator = first_administrator() is not None
        for name, holder, link, wanted in (
            ("role_assignment", "principal", "role", set(roles)),
            ("membership", "user", "team", set(teams)),
        ):
            entity = registry[name]
            rows = entity.records().filter(**{f"{holder}_id": user.pk})
            stored = dict(rows.values_list(f"{link}_id", "pk"))
            gone = [pk for target, pk in stored.items() if target not in wanted]
            if gone:
                write.delete(entity, gone, op=op, now=now)
            drafts = [
                Draft(id=new_id(), values={holder: user.pk, link: target})
                for target in sorted(wanted - set(stored))
            ]
            if failed := records.save_drafts(entity, drafts, op=op, by=by, now=now):
                raise records.InvalidRecord(failed[0].errors)
        if had_administrator and first_administrator() is None:
            raise records.InvalidRecord({"roles": [str(LAST_ADMINISTRATOR)]})
    return op


def invite_user(
    values: Mapping[str, Any],
    *,
    roles: Iterable[uuid.UUID],
    teams: Iterable[uuid.UUID],
    by: Actor,
    now: datetime.datetime | None = None,
) -> tuple[User, str]:
    """A new user and the secret of a one-time link with which to choose a password.

    Raises Forbidden, InvalidRecord.
    """
    with transaction.atomic():
        user = create_user(values, by=by, roles=(), now=now)
        set_access(user, roles=roles, teams=teams, by=by, now=now)
        return user, make_link(user, hours=INVITED_FOR, now=now)


def send_link(id: uuid.UUID, *, by: Actor, now: datetime.datetime | None = None) -> str:
    """The secret of a one-time link for an active user who forgot the password.

    Raises Forbidden, RecordNotFound.
    """
    access.require(by, Verb.WRITE, registry["user"])
    user = User.objects.filter(pk=id, state=0).first()
    if user is None:
        raise records.RecordNotFound("user")
    return make_link(user, now=now)


# -- one-time links -------------------------------------------------------------------------------


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def make_link(
    user: User | None, *, hours: int = LINK_FOR, now: datetime.datetime | None = None
) -> str:
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
