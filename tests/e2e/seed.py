"""Makes records for journeys: a request per line on standard input, the key of the record back."""

import json
import sys
import uuid
from contextlib import suppress
from typing import Any

import django

PASSWORD = "correct horse battery"
UNITS = ("North", "South")
# first name → last name, unit, role
PEOPLE = {
    "ada": ("Admin", None, "system-administrator"),
    "alice": ("Archer", "North", "salesperson"),
    "bob": ("Baker", "North", "salesperson"),
    "charlie": ("Cook", "South", "salesperson"),
}


def address(person: str) -> str:
    """The e-mail address of a person."""
    return f"{person}@journeys.example"


def main() -> None:
    """Make the people, then what is asked for."""
    django.setup()
    from tests import factories

    units = {name: factories.make_unit(name=name) for name in UNITS}
    users = {
        first: factories.make_user(
            first_name=first.title(), last_name=last, email=address(first), roles=(role,),
            unit=units.get(unit), password=PASSWORD,
        )
        for first, (last, unit, role) in PEOPLE.items()
    }  # fmt: skip
    _answer({name: str(user.pk) for name, user in users.items()})
    for line in sys.stdin:
        wanted = json.loads(line)
        values = {name: _value(value) for name, value in wanted["values"].items()}
        if "owner" in values:
            values["owner"] = users[values["owner"]]
        made = factories.make(wanted["make"], **values)
        _answer(str(made.pk))


def _answer(value: Any) -> None:
    sys.stdout.write(f"{json.dumps(value)}\n")
    sys.stdout.flush()


def _value(value: Any) -> Any:
    """JSON knows no keys and no pointers: 'contact:KEY' is one."""
    if not isinstance(value, str):
        return value
    entity, colon, key = value.rpartition(":")
    with suppress(ValueError):
        found = uuid.UUID(key)
        if colon:
            from rapport.meta.kinds import Ref

            return Ref(entity, found)
        return found
    return value


if __name__ == "__main__":
    main()
