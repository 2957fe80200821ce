"""Many ids in the text of one statement."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from typing import NewType

from django.db import connection, models
from django.db.models.expressions import RawSQL

Listed = NewType("Listed", str)


def listed(ids: Iterable[uuid.UUID]) -> Listed:
    """Ids as a statement has them: for whoever asks several times for `among` the same."""
    return listed_texts(id_texts(ids))


def listed_texts(ids: Iterable[str]) -> Listed:
    """The same of ids that are texts already, as `id_texts` makes them."""
    return Listed(", ".join([f"'{id_}'" for id_ in ids]))


def id_texts(ids: Iterable[uuid.UUID]) -> list[str]:
    """Ids as the database writes them."""
    if connection.features.has_native_uuid_field:
        return list(map(str, ids))
    return [id_.hex for id_ in ids]


def among(
    model: type[models.Model], ids: Sequence[uuid.UUID] | Listed, column: str = "id"
) -> RawSQL:
    """The condition that `column` of a row of `model` is one of `ids`. Written out, because
    thousands of parameters cost more than the statement that they are for."""
    quote = connection.ops.quote_name
    if not ids:
        return RawSQL("1 = 0", (), output_field=models.BooleanField())
    text = ids if isinstance(ids, str) else listed(ids)
    key = f"{quote(model._meta.db_table)}.{quote(column)}"
    return RawSQL(f"{key} IN ({text})", (), output_field=models.BooleanField())  # noqa: S611 -- ids
