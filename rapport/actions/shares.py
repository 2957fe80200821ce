"""Shares: rights on one record for a user or team besides its owner."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Collection
from typing import Any

from django.utils import timezone

from rapport import access
from rapport.access import Actor, Forbidden
from rapport.meta.entity import Draft, Entity
from rapport.meta.ids import new_id
from rapport.meta.kinds import Ref
from rapport.meta.registry import registry
from rapport.models import Operation, Principal, Share
from rapport.models.people import Verb

from . import checking, journal, records, write
from .records import InvalidRecord, RecordNotFound


def share_record(
    entity: Entity,
    id: uuid.UUID,
    principal: uuid.UUID,
    *,
    by: Actor,
    verbs: Collection[str] = (),
    now: datetime.datetime | None = None,
) -> Operation:
    """Let a user or team read the record, and do `verbs` to it; replaces what they were granted
    before. Nobody grants a right that is not theirs.

    Raises RecordNotFound, Forbidden, InvalidRecord when `principal` is nobody.
    """
    now = now or timezone.now()
    with_whom = Principal.objects.filter(pk=principal, is_active=True).first()
    parameters = {"record": str(id), "name": with_whom.name if with_whom else ""}
    kind = f"{entity.name}.share"
    with (
        records.refusing_clashes(),
        journal.operation(kind, by=by, now=now, parameters=parameters) as op,
    ):
        records.get_for(entity, [id], by=by, verb=Verb.SHARE)
        if with_whom is None:
            raise InvalidRecord({"principal": [str(checking.NO_SUCH_OWNER)]})
        for verb in verbs:
            if not access.allowed_ids([id], entity, by, verb):
                raise Forbidden(f"{verb} {entity.name}")
        granted: dict[str, Any] = {column: verb in verbs for verb, column in access.SHARED.items()}
        share = registry["share"]
        stored = Share.objects.filter(record_id=id, principal=with_whom).first()
        if stored is not None:
            current = write.load(share, [stored.pk])[stored.pk]
            draft = Draft(id=stored.pk, values=granted, current=current)
        else:
            values = {"record": Ref(entity.name, id), "principal": with_whom.pk, **granted}
            draft = Draft(id=new_id(), values=values)
        if records.save_drafts(share, [draft], op=op, by=by, now=now, trusted=True):
            raise InvalidRecord(draft.errors)
    return op


def unshare_record(
    entity: Entity,
    id: uuid.UUID,
    principal: uuid.UUID,
    *,
    by: Actor,
    now: datetime.datetime | None = None,
) -> Operation:
    """Take back what a user or team was granted on the record.

    Raises RecordNotFound (also when it is not shared with them), Forbidden.
    """
    now = now or timezone.now()
    stored = Share.objects.filter(record_id=id, principal_id=principal)
    found = stored.select_related("principal").first()
    parameters = {"record": str(id), "name": found.principal.name if found else ""}
    kind = f"{entity.name}.unshare"
    with journal.operation(kind, by=by, now=now, parameters=parameters) as op:
        records.get_for(entity, [id], by=by, verb=Verb.SHARE)
        if found is None:
            raise RecordNotFound("share")
        write.delete(registry["share"], [found.pk], op=op, now=now)
    return op
