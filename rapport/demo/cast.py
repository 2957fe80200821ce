"""Who and what the story is about, as far as one part of it needs to know of another."""

from __future__ import annotations

import datetime
import uuid
from dataclasses import dataclass, field

from rapport.meta.kinds import Ref

from .world import Company, Town

DAY = datetime.timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened to a record later on: qualify, disqualify, win or lose."""

    at: datetime.datetime
    what: str
    record: uuid.UUID
    by: str
    status: int | None = None


@dataclass(frozen=True, kw_only=True)
class Person:
    """A contact or lead, as far as the talk needs them."""

    ref: Ref
    first: str
    last: str
    phone: str
    email: str
    since: datetime.datetime

    @property
    def name(self) -> str:
        """First and last name."""
        return f"{self.first} {self.last}"


@dataclass(kw_only=True)
class Customer:
    """An account with its people. `seller`: who looks after it; `owner`: that user, or a team."""

    id: uuid.UUID
    company: Company
    town: Town
    seller: str
    owner: uuid.UUID
    since: datetime.datetime
    people: list[Person] = field(default_factory=list)

    def known(self, at: datetime.datetime) -> list[Person]:
        """Whom we know there by then; the first one always."""
        return [person for person in self.people if person.since <= at] or self.people[:1]


@dataclass(frozen=True, kw_only=True)
class Deal:
    """An opportunity, as far as the talk about it needs to know. `until`: when it was closed."""

    ref: Ref
    topic: str
    at: datetime.datetime
    until: datetime.datetime
    fate: str
