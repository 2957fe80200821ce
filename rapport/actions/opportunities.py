"""Opportunities: won, lost, open again."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from rapport.access import Actor
from rapport.meta.entity import Draft
from rapport.models import Contact, Opportunity
from rapport.models.opportunity import LOST, OPEN, WON

from .records import Outcome
from .states import set_state


def prepare_opportunities(drafts: Sequence[Draft], _by: Actor, now: datetime.datetime) -> None:
    """A deal needs a customer; the account of its contact when none is named."""
    wanted = {
        d.values["contact"] for d in drafts if d.values.get("contact") and not d.now("account")
    }
    found = Contact.objects.filter(pk__in=wanted)
    accounts = dict(found.values_list("pk", "account_id")) if wanted else {}
    for draft in drafts:
        if not draft.now("account") and draft.values.get("contact") in accounts:
            draft.values["account"] = accounts[draft.values["contact"]]
        _note_end(draft, now)
        touched = draft.current is None or {"account", "contact"} & set(draft.values)
        if touched and draft.lacks("account") and draft.lacks("contact"):
            draft.refuse("account", _("Name an account or a contact: whose deal is it?"))


def _note_end(draft: Draft, now: datetime.datetime) -> None:
    """A deal that comes closed, as from a file, has an outcome: as was expected, unless it says
    otherwise."""
    state = draft.values.get("state", OPEN)
    if state == OPEN or (draft.current is not None and draft.current["state"] != OPEN):
        return
    today, expected = timezone.localdate(now), draft.now("estimated_close_date")
    known = expected if expected and expected <= today else None
    draft.values.setdefault("actual_close_date", known if draft.current is None else today)
    revenue = draft.now("estimated_revenue") if state == WON else Decimal(0)
    draft.values.setdefault("actual_revenue", revenue)


def win_opportunities(
    ids: Iterable[uuid.UUID],
    *,
    by: Actor,
    actual_revenue: Decimal | None = None,
    actual_close_date: datetime.date | None = None,
    now: datetime.datetime | None = None,
    **_form: Any,
) -> Outcome:
    """Close as won. Without an amount the estimate counts, without a date today."""
    return _close(ids, WON, by=by, revenue=actual_revenue, day=actual_close_date, now=now)


def lose_opportunities(
    ids: Iterable[uuid.UUID],
    *,
    by: Actor,
    choice: int | None = None,
    actual_close_date: datetime.date | None = None,
    now: datetime.datetime | None = None,
    **_form: Any,
) -> Outcome:
    """Close as lost; `choice`: the status reason."""
    return _close(
        ids, LOST, by=by, status=choice, revenue=Decimal(0), day=actual_close_date, now=now
    )


def _close(
    ids: Iterable[uuid.UUID],
    state: int,
    *,
    by: Actor,
    status: int | None = None,
    revenue: Decimal | None,
    day: datetime.date | None,
    now: datetime.datetime | None,
) -> Outcome:
    now = now or timezone.now()
    ids = list(ids)
    also: dict[str, Any] = {"actual_close_date": day or timezone.localdate(now)}
    each: dict[uuid.UUID, dict[str, Any]] = {}
    if revenue is not None:
        also["actual_revenue"] = revenue
    else:
        estimates = Opportunity.objects.filter(pk__in=ids).values_list("pk", "estimated_revenue")
        each = {id_: {"actual_revenue": estimate} for id_, estimate in estimates}
    kind = "win" if state == WON else "lose"
    return set_state(
        "opportunity", ids, state=state, status=status, by=by, kind=kind, also=also, each=each,
        now=now,
    )  # fmt: skip


def reopen_opportunities(
    ids: Iterable[uuid.UUID], *, by: Actor, now: datetime.datetime | None = None, **_form: Any
) -> Outcome:
    """Open a closed deal again; what it brought is emptied."""
    also = {"actual_revenue": None, "actual_close_date": None}
    return set_state("opportunity", ids, state=OPEN, by=by, kind="reopen", also=also, now=now)
