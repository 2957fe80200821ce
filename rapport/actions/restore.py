"""Rows of a backup into an empty Rapport: all of them or none, and what follows from them anew."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from django.core.management.color import no_style
from django.db import DataError, IntegrityError, connection, models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _, gettext_noop

from rapport.duplicates import rules
from rapport.meta.batches import batches
from rapport.meta.entity import Entity
from rapport.meta.registry import registry
from rapport.models import (
    BusinessUnit,
    Change,
    DuplicateRule,
    FreshKey,
    ImportFile,
    KeyRing,
    LearnedWeights,
    MatchKey,
    Operation,
    Principal,
    QualityFigure,
    RadarState,
    Role,
    RoleGrant,
    SearchBacklog,
    SearchQueue,
    User,
)
from rapport.models.journal import OperationState
from rapport.models.operations import ImportState
from rapport.queries import backup

from . import rows, search_index, upkeep

# What every installation has before anybody has done anything.
SET_UP: tuple[type[models.Model], ...] = (
    BusinessUnit, Role, RoleGrant, Operation, Change, RadarState, LearnedWeights, QualityFigure,
)  # fmt: skip
CUT_OFF = gettext_noop("It was running when the backup was made.")
_SIZE = 2000


class NotEmpty(ValueError):
    """There is something here already; the message is for people."""


class Unfit(ValueError):
    """A row is none of this table; the message is for people."""


class Filled(NamedTuple):
    """A table of a backup: its rows are values as JSON has them, in the order of `columns`."""

    model: type[models.Model]
    columns: Sequence[str]
    rows: Iterable[Sequence[Any]]


def require_empty() -> None:
    """Raise NotEmpty unless this Rapport is as `rapport migrate` left it."""
    users = User.objects.count()
    kept = {
        str(model._meta.verbose_name_plural): count
        for model in backup.tables()
        if model not in SET_UP and (count := model._base_manager.count())
    }
    if users or kept:
        message = _(
            "this Rapport is not empty (%(users)d users, %(rows)d rows in %(tables)d tables): "
            "restore into a new one, with another RAPPORT_HOME or DATABASE_URL"
        )
        raise NotEmpty(message % {"users": users, "rows": sum(kept.values()), "tables": len(kept)})


def restore(tables: Iterable[Filled]) -> dict[str, int]:
    """Fill the empty tables and derive the rest; how many rows each got. In one transaction.

    Raises NotEmpty, Unfit.
    """
    counts: dict[str, int] = {}
    try:
        with transaction.atomic():
            require_empty()
            _clear()
            for table in tables:
                counts[backup.name_of(table.model)] = _fill(table)
            _end_what_was_running()
            _derive()
            _count_on()
            connection.check_constraints()
            check_links()
    except (IntegrityError, DataError) as error:
        message = _("the rows do not fit together: %(problem)s")
        raise Unfit(message % {"problem": str(error).partition("\n")[0]}) from None
    finally:
        rules.forget()
    return counts


def _clear() -> None:
    """What set-up made comes back as it was there, with other ids."""
    made: tuple[type[models.Model], ...]
    made = (*SET_UP, Principal, MatchKey, FreshKey, KeyRing, SearchQueue, SearchBacklog)
    for model in made:
        every = model._base_manager.all()
        every._raw_delete(every.db)
    search_index.clear()


def _fill(table: Filled) -> int:
    known = {column.attname: column for column in backup.columns(table.model)}
    if strange := set(table.columns) - set(known):
        message = _("there is no column “%(column)s” in %(table)s")
        raise Unfit(message % {"column": min(strange), "table": backup.name_of(table.model)})
    readers = [_reader(known[name]) for name in table.columns]
    # Columns that are newer than the backup, and those that are derived.
    added = [c for c in table.model._meta.concrete_fields if c.attname not in set(table.columns)]
    names = [*table.columns, *(column.attname for column in added)]
    defaults = tuple(column.get_default() for column in added)
    count = 0
    for part in batches(table.rows, _SIZE):
        read = _read(readers, part, table, count)
        rows.insert(table.model, names, [(*row, *defaults) for row in zip(*read, strict=True)])
        count += len(part)
    return count


Values = Sequence[Any]


def _read(
    readers: Sequence[Callable[[Values], Values]], part: Sequence[Values], table: Filled, after: int
) -> list[Values]:
    """The columns of these rows."""
    try:
        turned = list(zip(*part, strict=True))
        return [read(values) for read, values in zip(readers, turned, strict=True)]
    except (ValueError, TypeError, ArithmeticError) as error:
        message = _("%(table)s, after row %(row)d: %(problem)s")
        values = {"table": backup.name_of(table.model), "row": after, "problem": str(error)[:200]}
        raise Unfit(message % values) from None


def _reader(column: Any) -> Callable[[Values], Values]:
    """Gives the values of `column` for those of JSON, or raises ValueError."""
    own = column.target_field if column.is_relation else column
    read = next(found for kind, found in _READERS if isinstance(own, kind))
    longest = own.max_length

    def checked(values: Values) -> Values:
        if None in values and not column.null:
            raise ValueError(f"{column.attname}: nothing")
        if not isinstance(read, frozenset):
            return [None if value is None else read(value) for value in values]
        kinds = set(map(type, values))
        if not kinds <= read | {type(None)}:
            raise ValueError(f"{column.attname}: {' '.join(sorted(k.__name__ for k in kinds))}")
        if (
            longest is not None
            and str in kinds
            and max(map(len, filter(None, values)), default=0) > longest
        ):
            raise ValueError(f"{column.attname}: no text for it")
        return values

    return checked


def _moment(value: Any) -> datetime.datetime:
    made = datetime.datetime.fromisoformat(value)
    if made.tzinfo is None:
        raise ValueError(value)
    return made


def _amount(value: Any) -> Decimal:
    made = Decimal(value)
    if not made.is_finite():
        raise ValueError(value)
    return made


# What reads a value, or the types of those that are what they should be. Special ones come first.
_READERS: tuple[
    tuple[type[models.Field[Any, Any]], Callable[[Any], Any] | frozenset[type]], ...
] = (
    (models.UUIDField, uuid.UUID),
    (models.DateTimeField, _moment),
    (models.DateField, datetime.date.fromisoformat),
    (models.DecimalField, _amount),
    (models.BooleanField, frozenset({bool})),
    (models.IntegerField, frozenset({int})),
    (models.FloatField, frozenset({float, int})),
    (models.JSONField, lambda value: value),
    (models.CharField, frozenset({str})),
    (models.TextField, frozenset({str})),
)


def _end_what_was_running() -> None:
    """Nobody goes on with it here. What an import had written is there and can be undone."""
    now = timezone.now()
    running = Operation.objects.filter(state=OperationState.RUNNING)
    running.update(state=OperationState.FAILED, ended_at=now)
    under_way = ImportFile.objects.filter(state__in=[ImportState.PLANNING, ImportState.IMPORTING])
    under_way.update(state=ImportState.FAILED, ended_at=now, message=_(CUT_OFF))


def check_links() -> None:
    """Raise IntegrityError when a row names nobody: for links of which the database does not look
    whether there is what they name."""
    for model in backup.tables():
        for column in backup.columns(model):
            if not column.is_relation or column.db_constraint:
                continue
            there = column.related_model._base_manager.filter(pk=models.OuterRef(column.attname))
            linked = model._base_manager.filter(**{f"{column.attname}__isnull": False})
            if linked.filter(~models.Exists(there)).exists():
                raise IntegrityError(f"{backup.name_of(model)}.{column.attname}")


def _derive() -> None:
    for entity in _in_order():
        ids = entity.records().order_by("pk").values_list("pk", flat=True)
        for number, part in enumerate(batches(ids.iterator(chunk_size=_SIZE), _SIZE)):
            # Search finds the first at once, as with imports, and a worker sees to the rest.
            upkeep.make(entity, part, later=number > 0)


def _in_order() -> list[Entity]:
    """Every record is of one of these. Rules for duplicates make keys, and owners have names."""
    shared = {entity.model for entity in registry if entity.scope}
    found = [entity for entity in registry if entity.scope or entity.model not in shared]
    return sorted(found, key=lambda e: (e.model is not DuplicateRule, not e.principal))


def _count_on() -> None:
    """Numbers given from now on follow those that were restored."""
    with connection.cursor() as cursor:
        for sql in connection.ops.sequence_reset_sql(no_style(), backup.tables()):
            cursor.execute(sql)
