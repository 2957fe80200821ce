"""The story of the demo: who the customers are, and what happened with them over the years.

Drafts and later events only; nothing is written here. The same seed tells the same story.
"""

from __future__ import annotations

import datetime
import random
import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from rapport.meta.entity import Draft
from rapport.meta.ids import new_id
from rapport.meta.kinds import Ref
from rapport.models import User

from . import pipeline, talk
from .cast import DAY, Customer, Event, Person
from .team import KEY_SELLERS, SELLERS, SHARED
from .world import Company, Country, customers, data, domain, slug

SEED = 2026
CONTACTS, CONTACTS_TWICE = 600, 6
ROLES = {"decision maker": 1, "employee": 2, "influencer": 3}
INFLUENCES = {"decision maker": 0, "influencer": 1}


class Story:
    """All that is to be written. `drafts`: (who made it, entity, draft); `primary`: (who, account,
    contact)."""

    def __init__(
        self, users: Mapping[str, User], teams: Mapping[str, uuid.UUID], now: datetime.datetime
    ):
        self.users = {key: user.pk for key, user in users.items()}
        self.teams = dict(teams)
        self.now = now.replace(minute=0, second=0, microsecond=0)
        self.begin = self.now - 900 * DAY
        self.dice = random.Random(SEED)
        self.drafts: list[tuple[str, str, Draft]] = []
        self.primary: list[tuple[str, uuid.UUID, uuid.UUID]] = []
        self.events: list[Event] = []
        self._emails: set[str] = set()

    def add(
        self, by: str, entity: str, at: datetime.datetime, values: Mapping[str, Any]
    ) -> uuid.UUID:
        """A record that `by` made at that time."""
        user = self.users[by]
        system = {"created_at": at, "created_by": user, "modified_at": at, "modified_by": user}
        draft = Draft(id=new_id(), values={**system, **values})
        self.drafts.append((by, entity, draft))
        return draft.id

    def happens(
        self, what: str, record: uuid.UUID, *, by: str, at: datetime.datetime, status: int | None
    ) -> None:
        """Something that `by` does to the record later on."""
        self.events.append(Event(at=at, what=what, record=record, by=by, status=status))

    def between(self, begin: datetime.datetime, end: datetime.datetime) -> datetime.datetime:
        """A working hour between two moments (or `begin` when there is none)."""
        seconds = max(0, int((end - begin).total_seconds()))
        at = begin + datetime.timedelta(seconds=self.dice.randrange(seconds + 1))
        minute = 5 * self.dice.randrange(12)
        worked = at.replace(hour=self.dice.randrange(7, 17), minute=minute, second=0)
        worked -= max(0, worked.weekday() - 4) * DAY
        return min(max(worked, begin), max(begin, end))

    def somebody(self, country: Country) -> tuple[str, str, bool]:
        """First and last name, and whether it is a woman."""
        names = data("people")["names"][country.code]
        woman = self.dice.random() < 0.48
        first = self.dice.choice(names["women" if woman else "men"])
        return first, self.dice.choice(names["last"]), woman

    def job(self) -> dict[str, str]:
        """What somebody does: title, department, role."""
        found: dict[str, str] = self.dice.choice(data("people")["jobs"])
        return found

    def email(self, first: str, last: str, company: str) -> str:
        """An address that nobody else has."""
        stem = f"{slug(first)}.{slug(last)}"
        found, tail = f"{stem}@{domain(company)}", 2
        while found in self._emails:
            found, tail = f"{stem}{tail}@{domain(company)}", tail + 1
        self._emails.add(found)
        return found


def tell(
    users: Mapping[str, User], teams: Mapping[str, uuid.UUID], *, now: datetime.datetime
) -> Story:
    """The whole story, ending `now`."""
    story = Story(users, teams, now)
    accounts: dict[str, Customer] = {}
    for place, company in enumerate(customers()):
        accounts[company.name] = _account(story, company, place, accounts.get(company.parent))
    for name, other in data("companies")["duplicates"].items():
        _typed_again(story, name, accounts[other])
    found = list(accounts.values())
    _contacts(story, found)
    pipeline.leads(story, found)
    deals = pipeline.deals(story, found)
    for customer in found:
        talk.talk(story, customer, deals.get(customer.id, []))
    _shares(story, found)
    return story


# -- companies -------------------------------------------------------------------------------------


def _account(story: Story, company: Company, place: int, parent: Customer | None) -> Customer:
    dice, country = story.dice, company.country
    sellers = SELLERS[country.code]
    seller = parent.seller if parent else sellers[place % len(sellers)]
    if company.is_large:
        seller = KEY_SELLERS[country.unit]
    owner = story.teams["Key Accounts"] if company.is_large else story.users[seller]
    # Most came over from the old system; the others were won since.
    since = story.begin
    if parent is not None or dice.random() > 0.6:
        since = story.between(story.begin + 5 * DAY, story.now - 40 * DAY)
    if parent is not None:
        since = max(since, parent.since + DAY)
    town = dice.choice(country.towns)
    values = {
        "name": company.name,
        "number": f"K-{10001 + place}",
        "owner": owner,
        "parent_account": parent.id if parent else None,
        "main_phone": country.number(country.phone, town, dice),
        "email": f"info@{domain(company.name)}",
        "website": f"https://www.{domain(company.name)}/",
        "industry": company.industry,
        "employees": company.employees,
        "annual_revenue": Decimal(company.employees * dice.randrange(90, 320) * 1000),
        "currency": country.currency,
        "relationship_type": 8 if dice.random() < 0.3 else 3,
        "category": 1 if company.is_large else 2,
        "payment_terms": dice.choice((1, 1, 2, 4)),
        "description": dice.choice(["", *data("texts")["lines"]["companies"]]),
        **country.address(town, dice),
    }
    if place % 29 == 28:
        values |= {"state": 1, "status": 2}
    id_ = story.add(seller, "account", since, values)
    return Customer(id=id_, company=company, town=town, seller=seller, owner=owner, since=since)


def _typed_again(story: Story, name: str, other: Customer) -> None:
    """Somebody entered the company again, with less."""
    values = {
        "name": name,
        "owner": story.users[other.seller],
        "email": f"info@{domain(other.company.name)}",
        "address1_city": other.town.name,
        "address1_country": other.company.country.name,
    }
    at = story.between(other.since + 30 * DAY, story.now - 10 * DAY)
    story.add(other.seller, "account", at, values)


# -- people ----------------------------------------------------------------------------------------


def _contacts(story: Story, accounts: list[Customer]) -> None:
    counts = [1 + (place % 7 > 2) for place in range(len(accounts))]
    while sum(counts) < CONTACTS - CONTACTS_TWICE:
        counts[story.dice.randrange(len(counts))] += 1
    for customer, count in zip(accounts, counts, strict=True):
        jobs = [story.job() for _ in range(count)]
        # Somebody who decides comes first, so that hardly a company is without one.
        jobs.sort(key=lambda job: job["role"] != "decision maker")
        for job in jobs:
            _contact(story, customer, job)
    for customer in story.dice.sample(accounts[:40], CONTACTS_TWICE):
        _business_card(story, customer)


def _contact(story: Story, customer: Customer, job: Mapping[str, str]) -> None:
    dice, company = story.dice, customer.company
    country = company.country
    first, last, woman = story.somebody(country)
    at = customer.since
    if at != story.begin and customer.people:
        at = story.between(customer.since, story.now - 20 * DAY)
    email = story.email(first, last, company.name)
    phone = country.number(country.phone, customer.town, dice)
    chief = customer.people[0].ref.id if customer.people else None
    values: dict[str, Any] = {
        "first_name": first,
        "last_name": last,
        "job_title": job["title"],
        "department": job["department"],
        "role": ROLES[job["role"]],
        "decision_influence": INFLUENCES.get(job["role"]),
        "gender": 2 if woman else 1,
        "account": customer.id,
        "owner": customer.owner,
        "manager": None if job["role"] == "decision maker" else chief,
        "email": email,
        "business_phone": phone,
        **country.address(customer.town, dice),
    }
    if dice.random() < 0.6:
        values["mobile_phone"] = country.number(country.mobile, customer.town, dice)
    id_ = story.add(customer.seller, "contact", at, values)
    if not customer.people:
        story.primary.append((customer.seller, customer.id, id_))
    customer.people.append(
        Person(ref=Ref("contact", id_), first=first, last=last, phone=phone, email=email, since=at)
    )


def _business_card(story: Story, customer: Customer) -> None:
    """Somebody we know, entered once more."""
    person = customer.people[0]
    values = {
        "first_name": person.first,
        "last_name": person.last,
        "email": person.email,
        "owner": story.users[customer.seller],
    }
    at = story.between(story.now - 200 * DAY, story.now - 20 * DAY)
    story.add(customer.seller, "contact", at, values)


def _shares(story: Story, accounts: list[Customer]) -> None:
    """Colleagues who may look at, or work with, somebody else's customer."""
    for seller, whom, may_write in SHARED:
        principal = story.teams.get(whom) or story.users[whom]
        own = [customer for customer in accounts if customer.owner == story.users[seller]]
        for customer in story.dice.sample(own, 2):
            record = Ref("account", customer.id)
            values = {"record": record, "principal": principal, "can_write": may_write}
            at = story.between(customer.since, story.now - DAY)
            story.add(seller, "share", at, values)
