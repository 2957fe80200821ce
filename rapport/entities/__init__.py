"""The declarations, one file per entity."""

from importlib import import_module

# The order of the site map.
FILES = (
    "account",
    "contact",
    "lead",
    "opportunity",
    "activities",
    "note",
    "people",
    "saved_view",
    "duplicate_rule",
    "choice_option",
)


def declare() -> None:
    """Declare every entity; called once when the app is ready."""
    for file in FILES:
        import_module(f".{file}", __name__)
