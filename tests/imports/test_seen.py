"""What a plan keeps of a file's earlier rows."""

import datetime
import random
from itertools import pairwise

from rapport.duplicates.columns import Columns
from rapport.duplicates.room import room_for
from rapport.imports import chains as chained, seen
from rapport.imports.compact import hold
from rapport.imports.seen import Earlier
from rapport.meta.registry import registry

CONTACT = registry["contact"]
EVA = {"first_name": "Eva", "last_name": "Stone", "birthday": datetime.date(1980, 3, 12)}
NAMESAKE = EVA | {"birthday": datetime.date(1955, 11, 30)}


def add(earlier, room, row, values, keys):
    [glance] = room.shape.glances(Columns(CONTACT, [values], [{}]))
    earlier.add(row, keys, hold(values, {}), glance)


def like(earlier, room, values, keys):
    [glance] = room.shape.glances(Columns(CONTACT, [values], [{}]))
    return [(row, dict(own[0])) for row, own in earlier.like(keys, glance, room)]


def test_rows_that_share_a_key_are_told_if_they_may_be_the_same(db, monkeypatch):
    # So that some are in memory and some in the file.
    monkeypatch.setattr(seen, "IN_MEMORY", 1000)
    room, earlier = room_for(CONTACT, {"contact"}), Earlier()
    earlier.trust(room.shape.told)
    for row in range(1, 10):
        add(earlier, room, row, EVA | {"last_name": f"Stone{row}"}, [row])
        add(earlier, room, 100 + row, NAMESAKE | {"last_name": f"Stone{row}"}, [row])

    for row in range(1, 10):
        wanted = EVA | {"last_name": f"Stone{row}"}
        assert like(earlier, room, wanted, [row, 77]) == [(row, wanted)]
    earlier.close()


def test_glances_made_by_other_rules_tell_nothing(db):
    room, earlier = room_for(CONTACT, {"contact"}), Earlier()
    earlier.trust(room.shape.told)
    add(earlier, room, 1, NAMESAKE, [5])
    assert like(earlier, room, EVA, [5]) == []

    earlier.trust(("other", "rules"))

    assert like(earlier, room, EVA, [5]) == [(1, NAMESAKE)]
    earlier.close()


def test_rows_that_are_only_asked_about_are_not_there(db):
    room, earlier = room_for(CONTACT, {"contact"}), Earlier()
    asked, kept = (3, 1 << 40), (1 << 40, 2 << 40, 5)
    assert like(earlier, room, EVA, asked) == []
    # Asked about, then remembered; never its own double, though halves of its keys are equal.
    assert like(earlier, room, EVA, kept) == []
    add(earlier, room, 2, EVA, kept)
    assert like(earlier, room, EVA, asked) == [(2, EVA)]

    add(earlier, room, 4, EVA, (7,))

    assert [like(earlier, room, EVA, [key]) for key in (3, 5, 7)] == [[], [(2, EVA)], [(4, EVA)]]
    assert not earlier.is_known([3])
    earlier.close()


def test_keys_of_very_many_rows_tell_nothing(db, monkeypatch):
    monkeypatch.setattr(chained, "MOST", 3)
    monkeypatch.setattr(chained, "SMALLEST", 4)
    chains = chained.Chains()
    assert [chains.push([9, row]) for row in range(20, 26)] == [[], [0], [0, 1], [], [], []]
    assert [chains.push([row]) for row in range(20, 26)] == [[0], [1], [2], [3], [4], [5]]


def test_rows_are_found_by_any_of_their_keys(monkeypatch):
    monkeypatch.setattr(chained, "SMALLEST", 4)
    chance, chains, rows = random.Random(4), chained.Chains(), []
    for _ in range(1200):
        keys = {chance.randrange(90) for _key in range(chance.choice((0, 1, 3, 9)))}
        assert chains.push(keys) == [at for at, own in enumerate(rows) if own & keys]
        assert all(map(chains.is_known, ([key] for key in keys)))
        rows.append(keys)
        for _row in range(chance.choice((0, 0, 0, 1, 9))):
            if rows:
                chains.pop()
                rows.pop()
        if rows and chance.random() < 0.1:
            # It keeps its place, and has no key any more.
            gone = chance.randrange(len(rows))
            if rows[gone]:
                chains.drop(gone)
                rows[gone] = set()
    halves, firsts = chains.arrays()
    kept = [{*halves[a:b]} for a, b in pairwise((*firsts, len(halves)))]
    assert [own - {0} for own in kept] == [own - {0} for own in rows]
