"""Leads and deals: where they came from, how far they are, what became of them."""

from __future__ import annotations

import datetime
import uuid
from decimal import Decimal
from typing import TYPE_CHECKING

from rapport.meta.kinds import Ref
from rapport.models.lead import LeadSource

from . import talk
from .cast import DAY, Customer, Deal, Person
from .team import MARKETING, SELLERS
from .world import data, domain, prospects

if TYPE_CHECKING:
    from .story import Story

LEADS, QUALIFIED = 200, 12
FOUND_BY_MARKETING = {LeadSource.ADVERTISEMENT, LeadSource.TRADE_SHOW, LeadSource.WEB}
CLOSED_LEAD, LOST_DEAL = (4, 5, 6, 7), (4, 5, 5)
CHANCES = (10, 30, 60, 85)


# -- leads -----------------------------------------------------------------------------------------


def leads(story: Story, accounts: list[Customer]) -> None:
    """Leads of a year: from every source, in every state."""
    dice, places, sources = story.dice, prospects(), list(LeadSource)
    for number in range(LEADS):
        at = story.between(story.now - 365 * DAY, story.now - 3 * DAY)
        country, company = places[number % len(places)]
        at, fate = _fate(story, number, at)
        # Some work for a customer already, others tell nothing but their name.
        known = None
        if number % 9 == 0:
            known = dice.choice([customer for customer in accounts if customer.since < at])
            country, company = known.company.country, known.company.name
        elif number % 15 == 7:
            company = ""
        seller = known.seller if known else dice.choice(SELLERS[country.code])
        source = sources[number % len(sources)]
        maker = seller
        if source in FOUND_BY_MARKETING and dice.random() < 0.5:
            maker = MARKETING
        first, last, _woman = story.somebody(country)
        town = known.town if known else dice.choice(country.towns)
        email = story.email(first, last, company or f"{last} mail")
        phone = country.number(country.phone, town, dice)
        values = {
            "first_name": first,
            "last_name": last,
            "company": company,
            "topic": dice.choice(data("texts")["lines"]["inquiries"]),
            "job_title": story.job()["title"],
            "email": email,
            "business_phone": phone,
            "website": f"https://www.{domain(company)}/" if company else "",
            "source": source.value,
            "rating": dice.choice((1, 2, 2, 3)),
            "status": 2 if fate == "contacted" else 1,
            "owner": story.users[seller],
            "account": known.id if known else None,
            "currency": country.currency,
            "estimated_value": Decimal(dice.randrange(5, 140) * 1000),
            "estimated_close_date": (at + dice.randrange(60, 200) * DAY).date(),
            "budget_status": dice.randrange(4),
            "need": dice.randrange(3),
            "purchase_timeframe": dice.randrange(5),
            "description": dice.choice(data("texts")["lines"]["leads"]),
            **country.address(town, dice),
        }
        if fate == "new" and maker != seller:
            values["owner"] = story.teams["Inside Sales"]
        id_ = story.add(maker, "lead", at, values)
        if fate != "new":
            ref = Ref("lead", id_)
            person = Person(ref=ref, first=first, last=last, phone=phone, email=email, since=at)
            about = talk.About(
                ref=ref,
                seller=seller,
                owner=story.users[seller],
                words=talk.words(person, company or last, town.name),
            )
            _follow(story, about, person, fate)


def _fate(story: Story, number: int, at: datetime.datetime) -> tuple[datetime.datetime, str]:
    """When the lead came, by and large `at`, and what becomes of it."""
    fate = story.dice.choice(("new", "contacted"))
    if number % (LEADS // QUALIFIED) == 0 and number // (LEADS // QUALIFIED) < QUALIFIED:
        return story.between(story.now - 330 * DAY, story.now - 60 * DAY), "qualify"
    if story.now - at > 45 * DAY and story.dice.random() < 0.45:
        fate = "disqualify"
    return at, fate


def _follow(story: Story, about: talk.About, person: Person, fate: str) -> None:
    """What the seller did with a lead, and what became of it."""
    until = min(story.now - DAY, person.since + 40 * DAY)
    for _ in range(story.dice.randrange(1, 4)):
        talk.activity(story, about, person, story.between(person.since + DAY, until))
    if fate == "contacted":
        return
    # A day later, so that the last word has been said before.
    when = min(until + DAY, story.now - datetime.timedelta(hours=2))
    status = story.dice.choice(CLOSED_LEAD) if fate == "disqualify" else None
    story.happens(fate, about.ref.id, by=about.seller, at=when, status=status)


# -- deals -----------------------------------------------------------------------------------------


def deals(story: Story, accounts: list[Customer]) -> dict[uuid.UUID, list[Deal]]:
    """Opportunities of the last year, by account."""
    found: dict[uuid.UUID, list[Deal]] = {}
    for customer in accounts:
        for _ in range(story.dice.choice((0, 1, 1, 1, 2))):
            found.setdefault(customer.id, []).append(_deal(story, customer))
    return found


def _deal(story: Story, customer: Customer) -> Deal:
    dice = story.dice
    sold = dice.choice(data("texts")["deals"])
    begin = max(customer.since, story.now - 365 * DAY)
    at = story.between(begin + DAY, max(begin + 2 * DAY, story.now - 10 * DAY))
    fate, stage = "open", dice.choice((0, 1, 1, 2, 3))
    # Some of the open ones have slipped: their date is over already.
    end = story.now + dice.randrange(-20, 150) * DAY
    if story.now - at > 60 * DAY:
        fate = dice.choices(("win", "lose", "open"), (45, 28, 27))[0]
    if fate != "open":
        stage, end = 3, at + dice.randrange(50, 160) * DAY
    worth = dice.randrange(sold["from"], sold["to"]) * 1000 + dice.randrange(10) * 100
    values = {
        "topic": sold["topic"],
        "account": customer.id,
        "contact": dice.choice(customer.known(at)).ref.id,
        "owner": customer.owner,
        "sales_stage": stage,
        "rating": dice.choice((1, 2, 2, 3)),
        "probability": CHANCES[stage],
        "currency": customer.company.country.currency,
        "estimated_revenue": Decimal(worth),
        "estimated_close_date": end.date(),
        "budget_status": dice.randrange(4),
        "purchase_timeframe": dice.randrange(4),
        "decision_maker": stage > 1,
        "current_situation": dice.choice(data("texts")["lines"]["companies"]),
        # On hold, now and then.
        "status": 2 if fate == "open" and dice.random() < 0.1 else 1,
    }
    id_ = story.add(customer.seller, "opportunity", at, values)
    until = story.now - DAY
    if fate != "open":
        until = min(story.between(at + 20 * DAY, end), until)
        status = dice.choice(LOST_DEAL) if fate == "lose" else None
        story.happens(fate, id_, by=customer.seller, at=until, status=status)
    return Deal(ref=Ref("opportunity", id_), topic=sold["topic"], at=at, until=until, fate=fate)
