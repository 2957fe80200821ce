"""Options of choice lists: added, renamed, offered no more."""

from __future__ import annotations

import datetime
import uuid

from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from rapport import access
from rapport.access import Actor
from rapport.meta import options
from rapport.meta.entity import Draft
from rapport.meta.folding import fold
from rapport.meta.ids import new_id
from rapport.meta.registry import registry
from rapport.models import ChoiceOption
from rapport.models.people import Verb
from rapport.queries.options import fields_of

from . import journal, records
from .records import InvalidRecord, RecordNotFound

OPTION = "choice_option"


def may_add(by: Actor) -> bool:
    """Whether `by` may add options to choice lists."""
    return access.may(by, Verb.CREATE, registry[OPTION])


def add_option(
    list_name: str, label: str, *, by: Actor, now: datetime.datetime | None = None
) -> int:
    """One more option of a list that grows; its number. One of that name that there is already,
    offered or not, is taken (and offered again).

    Raises Forbidden, RecordNotFound (no such list), InvalidRecord.
    """
    entity, now, label = registry[OPTION], now or timezone.now(), " ".join(label.split())
    access.require(by, Verb.CREATE, entity)
    with (
        records.refusing_clashes(),
        journal.operation(f"{OPTION}.create", by=by, now=now) as op,
    ):
        held = _held(list_name, label)
        if held is not None and not isinstance(held, ChoiceOption):
            return held
        if held is not None:
            if held.state:
                _offer(held.pk, offered=True, by=by, now=now)
            return held.value
        last = ChoiceOption.objects.filter(list_name=list_name).aggregate(last=Max("value"))["last"]
        value = max(options.FIRST, (last or 0) + 1)
        if value > options.LAST:
            raise InvalidRecord({"label": [_("This list has as many options as it can have.")]})
        values = {"list_name": list_name, "label": label, "value": value}
        draft = Draft(id=new_id(), values=values)
        if records.save_drafts(entity, [draft], op=op, by=by, now=now, trusted=True):
            raise InvalidRecord(draft.errors)
    return value


def _held(list_name: str, label: str) -> ChoiceOption | int | None:
    """The option that is called `label`, in any case and with any accents: one that ships by its
    number, an added one as its row."""
    fields = fields_of(list_name)
    if not fields:
        raise RecordNotFound(OPTION)
    shipped = fields[0][1].option_of(label)
    if shipped is not None and shipped < options.FIRST:
        return shipped
    folded = fold(label)
    rows = ChoiceOption.objects.filter(list_name=list_name)
    return next((row for row in rows if fold(row.label) == folded), None)


def rename_option(
    id: uuid.UUID, label: str, *, by: Actor, now: datetime.datetime | None = None
) -> None:
    """Call an added option otherwise, in every record that has it. Raises Forbidden,
    RecordNotFound, InvalidRecord."""
    row = ChoiceOption.objects.filter(pk=id).first()
    if row is None:
        raise RecordNotFound(OPTION)
    held = _held(row.list_name, label)
    if held is not None and held != row:
        raise InvalidRecord({"label": [_("There is an option called “%s”.") % label]})
    records.update_record(registry[OPTION], id, {"label": label}, by=by, now=now)


def offer_option(
    id: uuid.UUID, *, offered: bool, by: Actor, now: datetime.datetime | None = None
) -> None:
    """Offer an added option, or no longer; records that have it keep it. Raises Forbidden,
    RecordNotFound."""
    _offer(id, offered=offered, by=by, now=now or timezone.now())


def _offer(id: uuid.UUID, *, offered: bool, by: Actor, now: datetime.datetime) -> None:
    entity, state = registry[OPTION], 0 if offered else 1
    values = {"state": state, "status": entity.states.default(state)}
    kind = "activate" if offered else "deactivate"
    with journal.operation(f"{OPTION}.{kind}", by=by, now=now) as op:
        stored = records.get_for(entity, [id], by=by, verb=Verb.WRITE)
        draft = Draft(id=id, values=values, current=stored[id])
        records.save_drafts(entity, [draft], op=op, by=by, now=now, trusted=True)
