"""Loading demo data, through the actions, month by month as if people had worked for years."""

from __future__ import annotations

import datetime
import uuid
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from django.conf import settings
from django.utils.crypto import salted_hmac

from rapport.actions import demo, journal, leads, opportunities, people, records, states, write
from rapport.actions.demo import DEMO, LOAD
from rapport.meta.entity import Draft
from rapport.meta.registry import registry
from rapport.models import BusinessUnit, User
from rapport.models.lead import DISQUALIFIED

from .cast import Event
from .story import Story, tell
from .team import ADMINISTRATOR, MEMBERS, SALESPERSON, TEAMS, UNITS, Member

# What is written first, so that later ones can point at it.
ORDER = (
    "account", "contact", "lead", "opportunity", "task", "phone_call", "appointment", "email",
    "party", "note", "share",
)  # fmt: skip
STEPS = {"account": 0, "contact": 0, "lead": 1, "opportunity": 1}
# Records of one transaction.
BATCH = 100


def password() -> str:
    """The password of the demo people who may sign in: always the same in one installation, and
    kept nowhere."""
    return f"demo-{salted_hmac('rapport.demo', settings.SECRET_KEY).hexdigest()[:10]}"


def has_records() -> bool:
    """Whether there is any customer at all."""
    return any(registry[name].records().exists() for name in ("account", "contact", "lead"))


def load(*, now: datetime.datetime, progress: Callable[[str], None] = lambda _text: None) -> None:
    """Load the demo data. Something half-loaded is taken away first."""
    if demo.is_loaded() and not demo.is_whole():
        progress("Removing what an interrupted loading has left …")
        demo.remove(by=DEMO)
    progress("People …")
    users, teams = _make_people()
    story = tell(users, teams, now=now)
    progress("Customers, deals and what was said …")
    _write(story, users)
    progress("What became of leads and deals …")
    for event in sorted(story.events, key=lambda event: event.at):
        _happen(event, users)
    journal.finish(journal.begin(LOAD, by=DEMO, parameters={"part": "end"}))


# -- people ----------------------------------------------------------------------------------------


def _make_people() -> tuple[dict[str, User], dict[str, uuid.UUID]]:
    """Units, users with roles, teams. Users by key, teams by name."""
    people.ensure_organisation()
    op = journal.begin(LOAD, by=DEMO, parameters={"part": "people"})
    with journal.spanning(op):
        root = BusinessUnit.objects.get(parent_unit=None).pk
        units = {"": root}
        for name in UNITS:
            values = {"name": name, "parent_unit": root}
            units[name] = records.create_record(registry["business_unit"], values, by=DEMO)
        users = {member.key: _user(member, units[member.unit]) for member in MEMBERS}
        teams = {}
        for name, (unit, keys) in TEAMS.items():
            values = {"name": name, "business_unit": units[unit]}
            teams[name] = records.create_record(registry["team"], values, by=DEMO)
            for key in keys:
                values = {"team": teams[name], "user": users[key].pk}
                records.create_record(registry["membership"], values, by=DEMO)
    journal.finish(op)
    return users, teams


def _user(member: Member, unit: uuid.UUID) -> User:
    signs_in = member.key in {ADMINISTRATOR, SALESPERSON}
    kept = User.objects.filter(email=member.email).first()
    if kept is not None:
        # Stayed when the data was removed, because real records were left with nobody else.
        return kept
    values = {
        "first_name": member.first_name,
        "last_name": member.last_name,
        "email": member.email,
        "job_title": member.job_title,
        "phone": member.phone,
        "time_zone": member.time_zone,
        "business_unit": unit,
    }
    secret = password() if signs_in else None
    return people.create_user(values, by=DEMO, password=secret, roles=(member.role,))


def renew_passwords() -> None:
    """Let the printed password be the right one again, whatever has happened to it."""
    emails = [member.email for member in MEMBERS if member.key in {ADMINISTRATOR, SALESPERSON}]
    for user in User.objects.filter(email__in=emails):
        if not user.check_password(password()):
            people.set_password(user, password())


# -- records ---------------------------------------------------------------------------------------


def _write(story: Story, users: dict[str, User]) -> None:
    """Each month's records of each person: some operations dated then. In steps, because what one
    person does may be about a customer or lead that a colleague made in the same month."""
    groups: dict[tuple[int, int, int, str], list[tuple[str, Draft]]] = defaultdict(list)
    for key, name, draft in story.drafts:
        at = draft.values["created_at"]
        groups[at.year, at.month, STEPS.get(name, 2), key].append((name, draft))
    for group in sorted(groups):
        made, key = groups[group], group[-1]
        made.sort(key=lambda pair: ORDER.index(pair[0]))
        first = min(draft.values["created_at"] for _name, draft in made)
        for start in range(0, len(made), BATCH):
            _write_batch(made[start : start + BATCH], users[key], first)
    _set_primary_contacts(story, users)


def _write_batch(made: Sequence[tuple[str, Draft]], by: User, now: datetime.datetime) -> None:
    with journal.operation(LOAD, by=by, now=now) as op:
        for name in ORDER:
            drafts = [draft for kind, draft in made if kind == name]
            if drafts:
                _save(name, drafts, op, by, now)


def _save(name: str, drafts: list[Draft], op: Any, by: User, now: datetime.datetime) -> None:
    refused = records.save_drafts(registry[name], drafts, op=op, by=by, now=now, trusted=True)
    if refused:
        raise records.InvalidRecord(refused[0].errors)


def _set_primary_contacts(story: Story, users: dict[str, User]) -> None:
    entity = registry["account"]
    chosen: dict[str, dict[uuid.UUID, uuid.UUID]] = defaultdict(dict)
    for key, account, contact in story.primary:
        chosen[key][account] = contact
    for key, pairs in chosen.items():
        ids = list(pairs)
        for start in range(0, len(ids), BATCH):
            with journal.operation(LOAD, by=users[key], now=story.begin) as op:
                stored = write.load(entity, ids[start : start + BATCH])
                drafts = [
                    Draft(id=i, values={"primary_contact": pairs[i]}, current=row)
                    for i, row in stored.items()
                ]
                _save("account", drafts, op, users[key], story.begin)


# -- what happened to them -------------------------------------------------------------------------


def _happen(event: Event, users: dict[str, User]) -> None:
    """One thing that somebody did: by the real action, at that time."""
    by = users[event.by]
    match event.what:
        case "qualify":
            op = leads.qualify_lead(event.record, by=by, now=event.at).operation
        case "disqualify":
            op = states.set_state(
                "lead", [event.record], state=DISQUALIFIED, status=event.status, by=by,
                kind="disqualify", now=event.at,
            ).operation  # fmt: skip
        case "win":
            op = opportunities.win_opportunities(
                [event.record], by=by, now=event.at, actual_close_date=event.at.date()
            ).operation
        case _:
            op = opportunities.lose_opportunities(
                [event.record], by=by, choice=event.status, now=event.at,
                actual_close_date=event.at.date(),
            ).operation  # fmt: skip
    demo.mark(op)
