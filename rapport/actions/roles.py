"""The built-in roles as data, and keeping the database like them."""

from __future__ import annotations

from rapport.models.people import Depth, Verb

EVERY = tuple(verb.value for verb in Verb)
_SALES = ("account", "contact", "lead", "opportunity")
_WORK = ("activity", "note")

Grants = dict[tuple[str, str], int]


def _grants(*parts: tuple[tuple[str, ...], str, int]) -> Grants:
    return {
        (entity, verb): depth
        for entities, verbs, depth in parts
        for entity in entities
        for verb in verbs.split()
    }


_ALL_VERBS = " ".join(EVERY)
_EDIT = "create read write delete assign share"

# Read reaches further than write; nobody but an administrator changes the organisation.
BUILTIN: dict[str, tuple[str, str, Grants]] = {
    "system-administrator": (
        "System Administrator",
        "Everything, including users, roles and settings.",
        _grants((("*",), _ALL_VERBS, Depth.ALL)),
    ),
    "sales-manager": (
        "Sales Manager",
        "Works with all records of the unit and those below; imports, exports and merges.",
        _grants(
            ((*_SALES, *_WORK), "read", Depth.ALL),
            ((*_SALES, *_WORK), "create write delete assign share", Depth.BELOW),
            ((*_SALES, *_WORK), "import export merge", Depth.BELOW),
            (("saved_view",), _EDIT, Depth.OWN),
            (("saved_view",), "share", Depth.BELOW),
        ),
    ),
    "salesperson": (
        "Salesperson",
        "Reads the records of the unit, works with the own ones.",
        _grants(
            ((*_SALES, *_WORK), "read", Depth.UNIT),
            ((*_SALES, *_WORK), "create write delete assign share", Depth.OWN),
            ((*_SALES, *_WORK), "import export merge", Depth.OWN),
            (("saved_view",), _EDIT, Depth.OWN),
        ),
    ),
    "marketing": (
        "Marketing",
        "Reads customers, works with all leads, imports and exports them.",
        _grants(
            (("account", "contact", "opportunity", *_WORK), "read", Depth.ALL),
            (("lead",), "create read write assign share import export merge", Depth.ALL),
            (("lead",), "delete", Depth.UNIT),
            (("contact",), "create write import export", Depth.OWN),
            (_WORK, "create write delete", Depth.OWN),
            (("saved_view",), _EDIT, Depth.OWN),
        ),
    ),
    "customer-service": (
        "Customer Service",
        "Reads customers, keeps contacts true, logs calls and notes.",
        _grants(
            (("account", "contact", "opportunity", *_WORK), "read", Depth.ALL),
            (("account", "contact"), "create write", Depth.UNIT),
            (_WORK, _EDIT, Depth.OWN),
            (("saved_view",), _EDIT, Depth.OWN),
        ),
    ),
    "read-only": (
        "Read Only",
        "Reads everything of sales, changes nothing.",
        _grants(
            ((*_SALES, *_WORK), "read", Depth.ALL),
            (("saved_view",), _EDIT, Depth.OWN),
        ),
    ),
}
