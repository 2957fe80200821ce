"""`rapport user`, and who acts when a command changes records."""

from __future__ import annotations

import argparse
import sys

from django.conf import settings

from rapport.actions import people, states
from rapport.actions.people import SETUP
from rapport.actions.records import InvalidRecord
from rapport.models import RoleAssignment, User

from . import prepare
from .stop import Stop


def acting(email: str | None) -> User:
    """The user of that address, or the first administrator. Raises Stop."""
    prepare.require_database()
    if email:
        user = find(email)
        if not user.is_active:
            raise Stop(f"{email} may not sign in any more")
        return user
    found = people.first_administrator()
    if found is None:
        raise Stop("there is no administrator yet; see: rapport user create --help")
    return found


def find(email: str) -> User:
    """The user of that address. Raises Stop."""
    try:
        return User.objects.get_by_natural_key(email)
    except User.DoesNotExist:
        raise Stop(f"there is no user {email}") from None


def run(args: argparse.Namespace) -> None:
    """One of the verbs of `rapport user`."""
    prepare.require_database()
    {"create": create, "link": link, "list": list_all, "deactivate": deactivate}[args.verb](args)


def create(args: argparse.Namespace) -> None:
    """A new user."""
    roles = args.role or ["salesperson"]
    if unknown := set(roles) - set(people.ROLE_KEYS):
        known = ", ".join(people.ROLE_KEYS)
        raise Stop(f"there is no role {min(unknown)}; there are: {known}", 2)
    first, _space, last = args.name.strip().rpartition(" ")
    password = _password() if args.password_stdin else None
    values = {"email": args.email, "first_name": first, "last_name": last}
    try:
        user = people.create_user(values, by=SETUP, password=password, roles=tuple(roles))
    except InvalidRecord as error:
        raise Stop(error.complaints) from None
    print(f"{user.email} created ({', '.join(roles)}).")
    if password is None:
        _print_link(user)


def _password() -> str:
    from django.contrib.auth.password_validation import validate_password
    from django.core.exceptions import ValidationError

    password = sys.stdin.readline().rstrip("\n")
    try:
        validate_password(password)
    except ValidationError as error:
        raise Stop(" ".join(error.messages)) from None
    return password


def link(args: argparse.Namespace) -> None:
    """A one-time link to choose a password."""
    _print_link(find(args.email))


def _print_link(user: User) -> None:
    origin = (settings.CSRF_TRUSTED_ORIGINS or ["http://127.0.0.1:8000"])[0]
    secret = people.make_link(user)
    print(f"Choose a password within 24 hours: {origin}/welcome/{secret}/")


def list_all(_args: argparse.Namespace) -> None:
    """All users with their own roles."""
    roles: dict[object, list[str]] = {}
    for holder, name in RoleAssignment.objects.values_list("principal_id", "role__name"):
        roles.setdefault(holder, []).append(name)
    for user in User.objects.order_by("sort_name", "pk"):
        state = "" if user.is_active else "  (inactive)"
        print(f"{user.email}  {user}  {', '.join(sorted(roles.get(user.pk, [])))}{state}")


def deactivate(args: argparse.Namespace) -> None:
    """Let somebody sign in no more; their records stay theirs."""
    user = find(args.email)
    holders = RoleAssignment.objects.filter(role__builtin="system-administrator")
    administers = holders.filter(principal_id=user.pk).exists()
    if administers and people.first_administrator(besides=[user.pk]) is None:
        raise Stop(f"{user.email} is the only administrator")
    states.deactivate("user", [user.pk], by=SETUP)
    print(f"{user.email} may not sign in any more.")
