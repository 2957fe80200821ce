"""What the first page shows: somebody's own work, in a few rows and counts.

Nothing here grows with the database: counts stop at FEW, and who owns more gets rows in the order
of an index instead of sorted ones.
"""

from __future__ import annotations

import datetime
import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Case, Count, F, Max, Q, QuerySet, Sum, When
from django.utils import timezone

from rapport import access, queries
from rapport.meta.entity import Entity
from rapport.meta.kinds import Ref
from rapport.meta.registry import registry
from rapport.models import Change, User
from rapport.models.activity import OPEN, SCHEDULED

from .history import QUIET, Event, FieldChange, who
from .one import title_of
from .pages import Link
from .recent import Seen, visits

ROWS = 6
FEW = 1000
# So many of the newest changes are looked through for news.
NEWS_REACH = 1000
NEWS_OF = ("lead", "opportunity", "account", "contact")


@dataclass(frozen=True, slots=True)
class Todo:
    """An open activity of mine."""

    id: uuid.UUID
    type: str
    subject: str
    due_at: datetime.datetime | None
    regarding: Link | None


@dataclass(frozen=True, slots=True)
class Todos:
    """My open activities: those due first, and how many; at most FEW + 1 are counted."""

    rows: list[Todo]
    total: int
    overdue: int
    today: int


@dataclass(frozen=True, slots=True)
class Prospect:
    """An open lead of mine."""

    id: uuid.UUID
    title: str
    company: str
    topic: str
    rating: int | None
    created_at: datetime.datetime


@dataclass(frozen=True, slots=True)
class Deal:
    """An open opportunity of mine."""

    id: uuid.UUID
    topic: str
    customer: str
    closes: datetime.date | None
    amount: Decimal | None
    currency: str


@dataclass(frozen=True, slots=True)
class Stage:
    """Open opportunities of mine in one sales stage; `amounts` by currency."""

    value: int | None
    count: int
    amounts: dict[str, Decimal]


@dataclass(frozen=True, slots=True)
class News:
    """What somebody else did to a record of mine, without the values."""

    link: Link
    event: Event


@dataclass(frozen=True, slots=True)
class Home:
    """All of the first page. `None`: the viewer may not read such records."""

    todos: Todos | None
    leads: list[Prospect] | None
    lead_count: int
    deals: list[Deal] | None
    deal_count: int
    stages: list[Stage]
    recent: list[tuple[Seen, str]]
    news: list[News]

    @property
    def is_blank(self) -> bool:
        """Whether there is nothing to show at all."""
        rows = (self.todos and self.todos.rows, self.leads, self.deals, self.recent, self.news)
        return not any(rows)


def home(by: User, *, now: datetime.datetime | None = None) -> Home:
    """The work of `by` as it stands `now`."""
    now = now or timezone.now()
    activities, counts = _activities(by, now)
    seen = visits(by, size=ROWS)
    refs = [one.ref for one in seen] + [_regarding(row) for row in activities or () if row[4]]
    titles = title_of(refs, by)
    leads, lead_count = _leads(by)
    deals, deal_count, stages = _deals(by)
    return Home(
        todos=None if activities is None else Todos(_todos(activities, titles), **counts),
        leads=leads,
        lead_count=lead_count,
        deals=deals,
        deal_count=deal_count,
        stages=stages,
        recent=[(one, titles[one.ref]) for one in seen if one.ref in titles],
        news=_news(by),
    )


def is_empty(by: User) -> bool:
    """Whether `by` sees no account, contact or lead: a new installation, or a new colleague."""
    return not any(
        queries.records(registry[name], by).exists() for name in ("account", "contact", "lead")
    )


def _own(entity: Entity, by: User) -> QuerySet[Any, Any] | None:
    """What `by` owns; None without the right to read it. Whatever reach the right has includes the
    own records, so that one condition is enough and one index serves it."""
    if not access.may(by, access.READ, entity):
        return None
    return entity.records().filter(owner_id=by.pk)


def _activities(
    by: User, now: datetime.datetime
) -> tuple[list[tuple[Any, ...]] | None, dict[str, int]]:
    mine = _own(registry["activity"], by)
    if mine is None:
        return None, {}
    mine = mine.filter(state__in=[OPEN, SCHEDULED])
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    tomorrow = midnight + datetime.timedelta(days=1)
    counts = mine.order_by()[: FEW + 1].aggregate(
        total=Count("pk"),
        overdue=Count("pk", filter=Q(due_at__lt=now)),
        today=Count("pk", filter=Q(due_at__gte=now, due_at__lt=tomorrow)),
    )
    if counts["total"] > FEW:
        ordered = mine.filter(state=OPEN, due_at__isnull=False).order_by("due_at")
    else:
        ordered = mine.order_by(F("due_at").asc(nulls_last=True), "pk")
    rows = ordered.values_list(
        "pk", "type", "subject", "due_at", "regarding_id", "regarding_entity"
    )
    return list(rows[:ROWS]), counts


def _regarding(row: tuple[Any, ...]) -> Ref:
    return Ref(row[5], row[4])


def _todos(rows: Iterable[tuple[Any, ...]], titles: dict[Ref, str]) -> list[Todo]:
    made = []
    for id_, type_, subject, due_at, *regarding in rows:
        ref = Ref(*reversed(regarding))
        link = Link(ref.entity, ref.id, titles[ref]) if ref in titles else None
        made.append(Todo(id_, type_, subject, due_at, link))
    return made


def _leads(by: User) -> tuple[list[Prospect] | None, int]:
    mine = _own(registry["lead"], by)
    if mine is None:
        return None, 0
    mine = mine.filter(state=0)
    total = mine.order_by().values("pk")[: FEW + 1].count()
    ordered = mine.order_by("sort_name", "pk") if total > FEW else mine.order_by("-created_at")
    rows = ordered.values_list("pk", "full_name", "company", "topic", "rating", "created_at")
    return [
        Prospect(id_, name or company or topic, company if name else "", topic, rating, at)
        for id_, name, company, topic, rating, at in rows[:ROWS]
    ], total


def _deals(by: User) -> tuple[list[Deal] | None, int, list[Stage]]:
    mine = _own(registry["opportunity"], by)
    if mine is None:
        return None, 0, []
    mine = mine.filter(state=0)
    groups = mine.order_by()[: FEW + 1]
    found: dict[int | None, dict[str, Decimal]] = defaultdict(dict)
    counts: dict[int | None, int] = defaultdict(int)
    # Grouping a bounded set needs it as a subquery.
    bounded = registry["opportunity"].records().filter(pk__in=groups.values("pk"))
    for stage, currency, number, amount in bounded.values_list("sales_stage", "currency").annotate(
        Count("pk"), Sum("estimated_revenue")
    ):
        counts[stage] += number
        if amount:
            found[stage][currency] = found[stage].get(currency, Decimal(0)) + amount
    total = sum(counts.values())
    if total > FEW:
        ordered = mine.order_by("sort_name", "pk")
    else:
        ordered = mine.order_by(F("estimated_close_date").asc(nulls_last=True), "pk")
    rows = ordered.annotate(
        company=_where_visible("account", "name", by),
        person=_where_visible("contact", "full_name", by),
    ).values_list(
        "pk", "topic", "company", "person", "estimated_close_date", "estimated_revenue", "currency"
    )
    deals = [
        Deal(id_, topic, account or contact or "", closes, amount, currency)
        for id_, topic, account, contact, closes, amount, currency in rows[:ROWS]
    ]
    return deals, total, [Stage(stage, counts[stage], found[stage]) for stage in counts]


def _where_visible(link: str, column: str, by: User) -> Any:
    """The name of a linked record for those who may see it: one's own deal tells it to nobody."""
    condition = access.visible_through(f"{link}__", registry[link], by)
    name = F(f"{link}__{column}")
    return name if condition is None else Case(When(condition, then=name))


def _news(by: User) -> list[News]:
    """What others did lately to records of mine, one entry a record."""
    newest = Change.objects.aggregate(Max("id"))["id__max"]
    if newest is None:
        return []
    names = [name for name in NEWS_OF if access.may(by, access.READ, registry[name])]
    # Rows of an import are no news one by one.
    changes = Change.objects.filter(id__gt=newest - NEWS_REACH, entity__in=names, row=None)
    changes = changes.exclude(operation__user=by).order_by("-id")
    latest: dict[Ref, int] = {}
    for id_, entity, record in changes.values_list("id", "entity", "record"):
        latest.setdefault(Ref(entity, record), id_)
    titles = _own_titles(latest, by)
    chosen = [id_ for ref, id_ in latest.items() if ref in titles][:ROWS]
    told = Change.objects.filter(id__in=chosen).select_related("operation__user").order_by("-id")
    return [_told(change, titles) for change in told]


def _told(change: Change, titles: dict[Ref, str]) -> News:
    ref = Ref(change.entity, change.record)
    fields = registry[ref.entity].fields
    changed = tuple(
        FieldChange(fields[name], "", "")
        for name in change.after or ()
        if name in fields and name not in QUIET
    )
    event = Event(change, change.operation, change.at, who(change.operation), "", changed)
    return News(Link(ref.entity, ref.id, titles[ref]), event)


def _own_titles(refs: Iterable[Ref], by: User) -> dict[Ref, str]:
    """Titles of those of `refs` that `by` owns."""
    wanted: dict[str, list[uuid.UUID]] = defaultdict(list)
    for ref in refs:
        wanted[ref.entity].append(ref.id)
    titles: dict[Ref, str] = {}
    for name, ids in wanted.items():
        entity = registry[name]
        mine = entity.records().filter(owner_id=by.pk, pk__in=ids)
        for id_, title in mine.values_list("pk", entity.title):
            titles[Ref(name, id_)] = title or str(entity.label)
    return titles
