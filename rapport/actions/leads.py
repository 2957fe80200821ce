"""Leads: qualified into account, contact and opportunity; disqualified; open again."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from rapport import access
from rapport.access import Actor
from rapport.duplicates.find import Match, Proposed, find
from rapport.meta.entity import Draft, Entity
from rapport.meta.ids import new_id
from rapport.meta.registry import registry
from rapport.models import Contact, Operation, Opportunity
from rapport.models.lead import DISQUALIFIED, OPEN, QUALIFIED
from rapport.models.people import Verb

from . import checking, journal, records
from .records import InvalidRecord, Outcome
from .states import set_state


class LeadIsClosed(ValueError):
    """The lead is already qualified or disqualified."""


class LinkedRecordMissing(ValueError):
    """The account or contact to use is not there, or not for this person to see."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """What qualifying makes. `account`, `contact`: existing records to use instead of new ones.
    `create_*`: whether to make one when there is none to use."""

    account: uuid.UUID | None = None
    contact: uuid.UUID | None = None
    create_account: bool = True
    create_contact: bool = True
    create_opportunity: bool = True
    values: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Qualified:
    """What a lead became; None where nothing was made or used."""

    lead: uuid.UUID
    account: uuid.UUID | None
    contact: uuid.UUID | None
    opportunity: uuid.UUID | None
    operation: Operation


def prepare_leads(drafts: Sequence[Draft], _by: Actor, _now: datetime.datetime) -> None:
    """A lead can be told apart by something; its topic is derived when nobody gave one."""
    identifying = ("last_name", "company", "email", "business_phone", "mobile_phone", "home_phone")
    for draft in drafts:
        if all(map(draft.lacks, identifying)):
            draft.refuse(
                "last_name", _("A lead needs a last name, a company, an e-mail or a phone number.")
            )
        if not draft.now("topic"):
            name = " ".join(
                part for part in (draft.now("first_name"), draft.now("last_name")) if part
            )
            known = draft.now("company") or name or _reach(draft.now)
            draft.values["topic"] = _("Inquiry: %(name)s") % {"name": known}


def _reach(value_of: Callable[[str], Any]) -> str:
    """The first way to reach the lead that is known."""
    ways = ("email", "business_phone", "mobile_phone", "home_phone")
    return next((value_of(way) for way in ways if value_of(way)), "")


def proposed(lead: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The values that qualifying would give to account, contact and opportunity: {entity: values},
    without the account when the lead names no company, without the contact when it names nobody."""
    maps = registry["lead"].maps
    made = {
        target: {
            theirs: lead[ours] for theirs, ours in pairs.items() if lead[ours] not in {None, ""}
        }
        for target, pairs in maps.items()
    }
    if not lead["company"]:
        del made["account"]
    if not lead["last_name"]:
        known = lead["first_name"] or ("" if "account" in made else _reach(lead.__getitem__))
        if known:
            made["contact"]["last_name"] = known[:50]
            made["contact"].pop("first_name", None)
        else:
            del made["contact"]
    return made


def matches(lead: Mapping[str, Any], *, by: Actor) -> dict[str, list[Match]]:
    """Accounts and contacts that already look like what the lead would become."""
    made = proposed(lead)
    found: dict[str, list[Match]] = {}
    for name in ("account", "contact"):
        if name in made:
            entity = registry[name]
            values = {**made[name], **entity.derive({**blank(entity), **made[name]})}
            names = {"account": lead["company"]} if name == "contact" else {}
            proposal = Proposed(values, names)
            found[name] = find(entity, [proposal], by=by, among={name})[0]
    return found


def blank(entity: Entity) -> dict[str, Any]:
    """Empty values of every field."""
    return {name: field.blank_value for name, field in entity.fields.items()}


def automatic_choice(lead: Mapping[str, Any], *, by: Actor) -> Choice:
    """What to do when nobody is asked: use the records that the lead names, or the one record that
    is the same by a rule; make new ones otherwise."""
    account, contact = lead["account"], lead["contact"]
    if account is None or contact is None:
        found = matches(lead, by=by)
        if contact is None and len(found.get("contact", ())) == 1:
            contact = found["contact"][0].id
        if account is None and contact is not None:
            account = _company_of(contact, by)
        if account is None and len(found.get("account", ())) == 1:
            account = found["account"][0].id
    return Choice(account=account, contact=contact)


def _company_of(contact: uuid.UUID, by: Actor) -> uuid.UUID | None:
    account = Contact.objects.filter(pk=contact).values_list("account", flat=True).first()
    if account and access.allowed_ids([account], registry["account"], by, access.READ):
        return account
    return None


def qualify_lead(
    id: uuid.UUID,
    *,
    by: Actor,
    choice: Choice | None = None,
    now: datetime.datetime | None = None,
) -> Qualified:
    """Turn an open lead into account, contact and opportunity, in one operation.

    Raises RecordNotFound, Forbidden, LeadIsClosed, LinkedRecordMissing, InvalidRecord.
    """
    now = now or timezone.now()
    with journal.operation("lead.qualify", by=by, now=now) as op:
        lead = records.get_for(registry["lead"], [id], by=by, verb=Verb.WRITE)[id]
        if lead["state"] != OPEN:
            raise LeadIsClosed(_("The lead is already closed."))
        choice = choice or automatic_choice(lead, by=by)
        account, contact = _existing(choice, by)
        made = proposed(lead)
        for name, extra in choice.values.items():
            given = checking.given(registry[name], extra, by=by)
            if given.errors:
                raise InvalidRecord(given.errors)
            made.setdefault(name, {}).update(given.values)

        company = None
        if account is None and choice.create_account and "account" in made:
            company = _create("account", id, made["account"], op=op, by=by, now=now)
            account = company.id
        if contact is None and choice.create_contact and "contact" in made:
            person = {**made["contact"], "account": account}
            contact = _create("contact", id, person, op=op, by=by, now=now).id
        if company is not None and contact is not None:
            written = {**company.values, "version": 1}
            primary = {"primary_contact": contact}
            _save("account", Draft(id=company.id, values=primary, current=written), op, by, now)
        opportunity = None
        if choice.create_opportunity and (account or contact):
            deal = {**made["opportunity"], "account": account, "contact": contact}
            opportunity = _create("opportunity", id, deal, op=op, by=by, now=now).id

        outcome = {"account": account, "contact": contact, "opportunity": opportunity}
        op.parameters = {name: str(value) for name, value in outcome.items() if value}
        status = registry["lead"].states.default(QUALIFIED)
        values = {**outcome, "state": QUALIFIED, "status": status}
        draft = Draft(id=id, values=values, current=lead)
        _save("lead", draft, op, by, now)
    return Qualified(id, account, contact, opportunity, op)


def _existing(choice: Choice, by: Actor) -> tuple[uuid.UUID | None, uuid.UUID | None]:
    """The account and the contact to use, if any; raises LinkedRecordMissing."""
    for name, value in (("account", choice.account), ("contact", choice.contact)):
        if value and not access.allowed_ids([value], registry[name], by, access.READ):
            raise LinkedRecordMissing(_("The record to use is not there any more."))
    return choice.account, choice.contact


def _create(
    name: str,
    lead: uuid.UUID,
    values: Mapping[str, Any],
    *,
    op: Operation,
    by: Actor,
    now: datetime.datetime,
) -> Draft:
    access.require(by, Verb.CREATE, registry[name])
    draft = Draft(id=new_id(), values={**values, "originating_lead": lead})
    _save(name, draft, op, by, now)
    return draft


def _save(name: str, draft: Draft, op: Operation, by: Actor, now: datetime.datetime) -> None:
    if records.save_drafts(registry[name], [draft], op=op, by=by, now=now, trusted=True):
        raise InvalidRecord(draft.errors)


def qualify_leads(ids: Iterable[uuid.UUID], *, by: Actor, **_form: Any) -> Outcome:
    """Qualify several leads, each by its automatic choice and each its own operation; those that
    cannot be are named."""
    done: list[uuid.UUID] = []
    refused: dict[uuid.UUID, str] = {}
    operation = None
    for id_ in dict.fromkeys(ids):
        try:
            operation = qualify_lead(id_, by=by).operation
            done.append(id_)
        except (LeadIsClosed, InvalidRecord, LinkedRecordMissing, access.Forbidden) as error:
            refused[id_] = str(error)
        except records.RecordNotFound:
            continue
    if operation is None:
        operation = Operation(kind="lead.qualify", counts={})
    return Outcome(operation, tuple(done), refused)


def disqualify_leads(
    ids: Iterable[uuid.UUID], *, by: Actor, choice: int | None = None, **_form: Any
) -> Outcome:
    """Close leads that will not buy; `choice`: the status reason. One with an opportunity stays."""
    ids = list(ids)
    with_deal = set(
        Opportunity.objects.filter(originating_lead__in=ids).values_list(
            "originating_lead", flat=True
        )
    )
    outcome = set_state(
        "lead",
        [id_ for id_ in ids if id_ not in with_deal],
        state=DISQUALIFIED,
        status=choice,
        by=by,
        kind="disqualify",
    )
    visible = (
        access.allowed_ids(with_deal, registry["lead"], by, access.READ) if with_deal else set()
    )
    refused = {id_: _("An opportunity came out of this lead.") for id_ in visible}
    return Outcome(outcome.operation, outcome.done, {**outcome.refused, **refused})


def reactivate_leads(ids: Iterable[uuid.UUID], *, by: Actor, **_form: Any) -> Outcome:
    """Open closed leads again. What qualifying made stays: only its undo takes that back."""
    return set_state("lead", ids, state=OPEN, by=by, kind="reactivate")
