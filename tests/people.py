"""The people whom nearly every test asks for: made by actions once, then written as they were.

Making a person takes as long as many a test. `learn` makes them all, keeps the statements that
wrote each, and takes everything back; `bring` sends the statements of one again.
"""

import copy
from collections.abc import Callable
from functools import partial
from typing import Any

from django.db import connection, transaction

WRITES = ("INSERT", "UPDATE", "DELETE")


def _makers() -> dict[str, Callable[[dict[str, Any]], Any]]:
    """Name → how it is made; what it leans on comes before it."""
    from tests import factories

    def person(first: str, last: str, unit: str) -> Callable[[dict[str, Any]], Any]:
        return lambda made: factories.make_user(
            first_name=first, last_name=last, email=f"{first.lower()}@example.com",
            unit=made[unit], teams=(made["team"],) if unit == "north" else (),
        )  # fmt: skip

    return {
        "north": lambda _: factories.make_unit(name="North"),
        "south": lambda _: factories.make_unit(name="South"),
        "team": lambda made: factories.make_team(name="Northerners", unit=made["north"]),
        "alice": person("Alice", "Archer", "north"),
        "bob": person("Bob", "Baker", "north"),
        "charlie": person("Charlie", "Cook", "south"),
        "admin": lambda _: factories.make_user(
            first_name="Ada", last_name="Admin", email="admin@example.com",
            roles=("system-administrator",),
        ),
        "somebody": lambda _: factories.make_user(
            first_name="Sam", last_name="Body", email="somebody@example.com"
        ),
    }  # fmt: skip


_made: dict[str, Any] = {}
_statements: dict[str, list[tuple[str, Any, bool]]] = {}


def again(name: str, make: Callable[[], Any]) -> Any:
    """What `make` makes, written once by it and then as it was. For fixtures with rows for many
    tests that lean on nobody but the people above."""
    if name not in _statements:
        _learn(name, make)
        return copy.deepcopy(_made[name])
    return bring(name)


def learn() -> None:
    """Make everybody in the organisation that is stored now, and leave nothing behind."""
    _made.clear()
    _statements.clear()
    with transaction.atomic():
        for name, make in _makers().items():
            _learn(name, partial(make, _made))
        transaction.set_rollback(True)


def _learn(name: str, make: Callable[[], Any]) -> None:
    kept: list[tuple[str, Any, bool]] = []
    with connection.execute_wrapper(_keeping(kept)):
        _made[name] = make()
    _statements[name] = kept


def _keeping(kept: list[tuple[str, Any, bool]]) -> Callable[..., Any]:
    def keep(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.lstrip().upper().startswith(WRITES):
            # What is sent to many may be read only once.
            params = list(params) if many else params
            kept.append((sql, params, many))
        return execute(sql, params, many, context)

    return keep


def bring(name: str) -> Any:
    """One of them, stored; those that it leans on must be there."""
    if name not in _statements:  # nobody learns in a process that only seeds a database
        return _makers()[name](_made)
    with connection.cursor() as cursor:
        for sql, params, many in _statements[name]:
            (cursor.executemany if many else cursor.execute)(sql, params)
    return copy.deepcopy(_made[name])
