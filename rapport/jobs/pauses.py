"""SQLite has one writer: whoever writes in a row lets others in between."""

import time

from django.db import connection

# Waiters ask again after up to 0.1 s, so a shorter gap would often be missed.
SHORTEST, LONGEST = 0.05, 0.25


def after_writing(held: float) -> None:
    """Leave the database alone for about as long as it was `held`."""
    if connection.vendor == "sqlite" and held:
        time.sleep(min(max(held, SHORTEST), LONGEST))
