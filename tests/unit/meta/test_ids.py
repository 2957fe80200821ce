"""Record ids."""

import time

from rapport.meta.ids import new_id


def test_id_is_a_uuid_of_version_seven():
    made = new_id()

    assert (made.version, made.variant) == (7, "specified in RFC 4122")


def test_id_begins_with_the_time():
    before = time.time_ns() // 1_000_000
    made = new_id()

    assert before <= made.int >> 80 <= time.time_ns() // 1_000_000


def test_ids_differ():
    assert len({new_id() for _ in range(1000)}) == 1000
