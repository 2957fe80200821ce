"""Two connections that meet at a lock."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

PATIENCE = 300


@pytest.fixture
def race(transactional_db):
    """`race(first, second)`: `second` starts once `first` has written, and `first` commits once
    `second` waits for it (or is through). What each returned or raised."""

    def run(first, second):
        backend = []
        finished = threading.Event()

        def in_other_connection():
            try:
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_backend_pid()")
                    backend.append(cursor.fetchone()[0])
                return outcome(second)
            finally:
                finished.set()
                connection.close()

        with ThreadPoolExecutor(1) as pool:
            with transaction.atomic():
                ours = outcome(first)
                theirs = pool.submit(in_other_connection)
                wait_until_blocked(backend, finished)
            return ours, theirs.result(PATIENCE)

    return run


def outcome(call):
    """What `call` returns, or the error that it raises."""
    try:
        return call()
    except Exception as error:  # noqa: BLE001 -- the test compares it
        return error


def wait_until_blocked(backend, finished):
    deadline = time.monotonic() + PATIENCE
    while not finished.is_set():
        assert time.monotonic() < deadline, "the second connection neither waits nor ends"
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE pid = ANY(%s) AND NOT granted)",
                [backend],
            )
            if cursor.fetchone()[0]:
                return
