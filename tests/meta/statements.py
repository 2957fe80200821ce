"""Counting statements."""

from django.db import connection
from django.test.utils import CaptureQueriesContext


def statements(call):
    """The SQL that `call` runs, without the marks of transactions."""
    with CaptureQueriesContext(connection) as caught:
        call()
    return [
        query["sql"]
        for query in caught
        if not query["sql"].startswith(("SAVEPOINT", "RELEASE", "ROLLBACK TO", "BEGIN", "COMMIT"))
    ]
