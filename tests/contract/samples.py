"""Other values for the fields of any entity, so that a contract can be kept by all of them."""

import datetime
from decimal import Decimal

from rapport.meta.kinds import Kind
from rapport.meta.registry import registry
from tests import factories

NOW = datetime.datetime(2026, 5, 4, 12, tzinfo=datetime.UTC)
# In an order that no index has by chance; blanks, accents, case and ties are among them.
TEXTS = ("beta", "", "Alpha", "éclair", "alpha", "Zeta", "beta")


def value(field, number):
    """A value for `field`; different numbers give different values, as far as there are any."""
    match field.kind:
        case Kind.TEXT | Kind.LONG_TEXT | Kind.PHONE:
            return TEXTS[number % len(TEXTS)][: field.max_length]
        case Kind.EMAIL:
            return (f"{TEXTS[number % len(TEXTS)] or 'x'}@example.com", "")[number % 3 == 0]
        case Kind.URL:
            return ("example.com", "", "https://example.com")[number % 3]
        case Kind.CHOICE | Kind.STATE:
            return field.options[number % len(field.options)].value
        case Kind.NUMBER:
            return (7, None, 3, 7, 0)[number % 5]
        case Kind.MONEY:
            return (Decimal("7.50"), None, Decimal("3.00"), Decimal("7.50"))[number % 4]
        case Kind.DATE:
            return (NOW.date(), None, NOW.date() - datetime.timedelta(days=number))[number % 3]
        case Kind.DATETIME:
            return NOW - datetime.timedelta(hours=number % 4)
        case Kind.BOOLEAN:
            return number % 2 == 0
    return None


def varied(entity, number):
    """Values for every field of `entity` that is stored as it is; other ones for each number."""
    values = {
        field.name: value(field, number + place)
        for place, field in enumerate(entity.fields.values())
        if field.kind not in {Kind.LOOKUP, Kind.OWNER, Kind.POINTER, Kind.ADDRESS, Kind.STATE}
        and field.name not in {"entity", "verb", "definition", "full_name", "email", "type"}
        and not field.unique
    }
    # What identifies a record is never blank: two of three have the same.
    values |= dict.fromkeys(_NAMED.get(entity.name, ()), f"Same {number % 3}")
    return {
        name: found
        for name, found in values.items()
        if found not in {None, ""} or not entity.fields[name].required
    }


_NAMED = {"lead": ("last_name", "topic"), "note": ("subject",), "party": ("address",)}


def many(entity, number, **values):
    """`number` records of `entity` that differ in every field."""
    return [factories.make(entity.name, **varied(entity, n), **values) for n in range(number)]


# Those whose records people make: a bare activity is none, a share has an action of its own.
MADE = [entity for entity in registry if entity.creatable]
OWNED = [entity for entity in MADE if entity.ownership == "user"]
SEARCHED = [entity for entity in registry if entity.in_search and entity.creatable]


def other_values(entity, record):
    """{field: new value} for one field of a stored record that can be changed alone."""
    for field in entity.editable:
        if field.kind is Kind.TEXT and not field.unique and field.name not in {"entity", "verb"}:
            return {field.name: "Something else"}
    for field in entity.editable:
        if field.kind is Kind.CHOICE:
            stored = getattr(record, field.column)
            return {field.name: next(o.value for o in field.options if o.value != stored)}
    # A membership and the like are nothing but links.
    field = next(field for field in entity.editable if field.target)
    return {field.name: factories.make(field.target).pk}
