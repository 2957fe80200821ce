"""The declarations, one file per entity. The order here is the order of the site map."""


def declare() -> None:
    """Declare every entity; called once when the app is ready."""
    from . import (  # noqa: F401 -- each module adds its entity to the registry
        account,
        contact,
        lead,
        opportunity,
        activities,
        note,
        people,
        saved_view,
    )
