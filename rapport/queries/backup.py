"""What a backup holds: the rows of every table at one moment, or the reason why not."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.apps import apps
from django.db import connection, models, transaction
from django.db.migrations.recorder import MigrationRecorder

from rapport.models import (
    FreshKey,
    Job,
    KeyRing,
    MatchKey,
    Principal,
    RecipeKey,
    SearchBacklog,
    SearchQueue,
    SignInLink,
    TakenFile,
)

from .extract import fetched

# Each with its reason: a table is either in the backup or here.
LEFT_OUT: dict[type[models.Model], str] = {
    Principal: "follows from users and teams",
    MatchKey: "follows from the records and the rules for duplicates",
    FreshKey: "match keys on their way into their index",
    KeyRing: "lists the match keys of each record",
    SearchQueue: "what was waiting is done when the search texts are made anew",
    SearchBacklog: "the search index is made anew",
    SignInLink: "a secret that lets somebody in",
    RecipeKey: "a secret that lets a program in",
    TakenFile: "files that lie in the folders of this machine",
    Job: "work under way here, which nobody goes on with elsewhere; its operation is kept",
}
LEFT_OUT_APPS = {
    "auth": "Django's own groups, which are not used",
    "contenttypes": "Django's own list of tables",
    "sessions": "who is signed in",
    "axes": "who failed to sign in",
}
# Made anew from the other columns.
DERIVED = frozenset({"sort_name", "search_text"})
PASSWORD = "password"  # noqa: S105 -- the name of a column
_SIZE = 2000


def tables() -> list[type[models.Model]]:
    """The tables of a backup, in the order of their names."""
    own = apps.get_app_config("rapport").get_models(include_auto_created=True)
    return sorted((m for m in own if m not in LEFT_OUT), key=name_of)


def name_of(model: type[models.Model]) -> str:
    """What a backup calls a table."""
    return str(model._meta.model_name)


def migrations() -> list[str]:
    """Names of the steps by which the tables became what they are."""
    applied = MigrationRecorder(connection).applied_migrations()
    return sorted(name for app, name in applied if app == "rapport")


def columns(model: type[models.Model]) -> list[Any]:
    """The columns of a table that a backup holds."""
    return [column for column in model._meta.concrete_fields if column.name not in DERIVED]


def rows(model: type[models.Model], *, passwords: bool = True) -> Iterator[list[tuple[Any, ...]]]:
    """All rows as values that JSON has, the smallest key first, in batches. Without `passwords`
    nobody can sign in by the one that they have."""
    kept = columns(model)
    names = [column.attname for column in kept]
    every = model._base_manager.order_by("pk")
    last: Any = None
    while True:
        part = every if last is None else every.filter(pk__gt=last)
        raw, convert = fetched(part.values_list(*names)[:_SIZE])
        if not raw:
            return
        found = [
            _plain(column, convert(place, values), passwords=passwords)
            for place, (column, values) in enumerate(zip(kept, zip(*raw, strict=True), strict=True))
        ]
        yield list(zip(*found, strict=True))
        if len(raw) < _SIZE:
            return
        last = found[names.index(model._meta.pk.attname)][-1]


def _plain(column: Any, values: Sequence[Any], *, passwords: bool) -> Sequence[Any]:
    if column.is_relation and column.related_model in LEFT_OUT and column.null:
        return [None] * len(values)
    if column.name == PASSWORD and not passwords:
        return [""] * len(values)
    own = column.target_field if column.is_relation else column
    if isinstance(own, models.DateTimeField):
        utc = datetime.UTC
        return [None if value is None else value.astimezone(utc).isoformat() for value in values]
    if isinstance(own, models.DateField | models.DecimalField):
        return [None if value is None else str(value) for value in values]
    return values


@contextmanager
def snapshot() -> Iterator[None]:
    """Everything that is read inside is as it was at one moment, while others go on writing."""
    if connection.in_atomic_block:
        yield  # of a transaction that began before, nothing else can be asked
    elif connection.vendor == "postgresql":
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield
    else:
        # Not Django's transaction, which would take the one lock for writing.
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")
