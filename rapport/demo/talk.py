"""What was said and done: calls, meetings, mails, tasks and notes."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rapport.meta.kinds import Ref
from rapport.models.activity import COMPLETED, SCHEDULED, Direction, Participation

from .cast import DAY, Customer, Deal, Person
from .world import data

if TYPE_CHECKING:
    from .story import Story

KINDS = {"phone_call": "calls", "email": "mails", "appointment": "meetings", "task": "tasks"}
OFTEN = (40, 32, 15, 13)
# What is spoken of when it is about no deal.
TOPIC = "your warehouse"


@dataclass(frozen=True, kw_only=True)
class About:
    """What an activity is about, who does it and what is filled into its words."""

    ref: Ref
    seller: str
    owner: uuid.UUID
    words: Mapping[str, str]


def words(person: Person, company: str, town: str, deal: str = TOPIC) -> dict[str, str]:
    """What is filled into the texts."""
    return {
        "who": person.name,
        "first": person.first,
        "account": company,
        "town": town,
        "deal": deal,
    }


def talk(story: Story, customer: Customer, deals: list[Deal]) -> None:
    """A year with a customer: about each deal, and in between."""
    dice = story.dice
    for deal in deals:
        for _ in range(dice.randrange(3, 9)):
            at = story.between(deal.at, deal.until)
            person = dice.choice(customer.known(at))
            activity(story, _about(customer, person, deal.ref, deal.topic), person, at)
        if deal.fate == "open":
            _still_to_do(story, _about(customer, customer.people[0], deal.ref, deal.topic))
    begin = max(customer.since, story.now - 365 * DAY)
    for _ in range(dice.randrange(2, 7)):
        at = story.between(begin, story.now - DAY)
        person = dice.choice(customer.known(at))
        ref = person.ref if dice.random() < 0.7 else Ref("account", customer.id)
        activity(story, _about(customer, person, ref), person, at)
    if dice.random() < 0.7:
        _note(story, _about(customer, customer.people[0], Ref("account", customer.id)), begin)


def _about(customer: Customer, person: Person, ref: Ref, topic: str = TOPIC) -> About:
    filled = words(person, customer.company.name, customer.town.name, topic)
    return About(ref=ref, seller=customer.seller, owner=customer.owner, words=filled)


def activity(story: Story, about: About, person: Person, at: datetime.datetime) -> None:
    """Something that was done with `person` at that time."""
    dice = story.dice
    kind = dice.choices(list(KINDS), OFTEN)[0]
    told = dice.choice(data("texts")[KINDS[kind]])
    incoming = told.get("incoming", False)
    values = {
        **_said(told, about),
        "state": COMPLETED,
        "status": 2,
        "ended_at": at,
        "priority": dice.choice((1, 1, 1, 2)),
    }
    part = Participation.FROM if incoming else Participation.TO
    match kind:
        case "phone_call":
            values |= {
                "phone_number": person.phone,
                "duration_minutes": dice.choice((5, 10, 15, 20)),
                "left_voicemail": "message" in values["subject"],
            }
        case "appointment":
            part = Participation.REQUIRED
            minutes = dice.choice((60, 90, 120))
            values |= {
                "starts_at": at - datetime.timedelta(minutes=minutes),
                "due_at": at,
                "location": about.words["town"],
                "duration_minutes": minutes,
            }
        case "task":
            values |= {"due_at": at, "percent_complete": 100}
    if kind in {"phone_call", "email"}:
        values["direction"] = Direction.INCOMING if incoming else Direction.OUTGOING
    id_ = story.add(about.seller, kind, at, values)
    if kind != "task":
        address = person.email if kind == "email" else person.name
        party = {"activity": id_, "participation": part, "person": person.ref, "address": address}
        story.add(about.seller, "party", at, party)


def _said(told: Mapping[str, Any], about: About) -> dict[str, Any]:
    return {
        "subject": told.get("subject", "").format(**about.words)[:200],
        "description": told.get("text", "").format(**about.words),
        "regarding": about.ref,
        "owner": about.owner,
    }


def _still_to_do(story: Story, about: About) -> None:
    """A date to come, or a task that should perhaps have been done already."""
    dice = story.dice
    made = story.between(story.now - 12 * DAY, story.now - DAY)
    due = made + dice.randrange(3, 40) * DAY
    if dice.random() < 0.3:
        starts = max(due, story.now + 2 * DAY).replace(hour=dice.randrange(8, 16), minute=0)
        values = _said(dice.choice(data("texts")["meetings"]), about) | {
            "description": "",
            "state": SCHEDULED,
            "status": 5,
            "starts_at": starts,
            "due_at": starts + datetime.timedelta(hours=1),
            "location": about.words["town"],
        }
        story.add(about.seller, "appointment", made, values)
        return
    values = _said(dice.choice(data("texts")["tasks"]), about) | {
        "due_at": due,
        "priority": dice.choice((0, 1, 1, 2)),
        "percent_complete": dice.choice((0, 0, 25, 50)),
    }
    story.add(about.seller, "task", made, values)


def _note(story: Story, about: About, begin: datetime.datetime) -> None:
    told = story.dice.choice(data("texts")["notes"])
    at = story.between(begin, story.now - DAY)
    said = _said(told, about)
    values = {
        "subject": said["subject"],
        "text": said["description"],
        "regarding": about.ref,
        "owner": story.users[about.seller],
        "occurred_at": at,
        "pinned": story.dice.random() < 0.1,
    }
    story.add(about.seller, "note", at, values)
