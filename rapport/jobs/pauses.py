"""SQLite has one writer: whoever writes in a row lets others in between."""

import time

from django.db import connection

from rapport.actions.lease import LONGEST, SHORTEST


def after_writing(held: float) -> None:
    """Leave the database alone for about as long as it was `held`."""
    if connection.vendor == "sqlite" and held:
        time.sleep(min(max(held, SHORTEST), LONGEST))
