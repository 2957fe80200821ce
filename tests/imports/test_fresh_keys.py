"""Match keys that an import leaves beside their index for a while: nobody sees a difference."""

import re
import uuid
from uuid import UUID

import pytest
from django.db import connection

from rapport.actions import keyring, lease, undo, write
from rapport.duplicates import blocks, find, fresh
from rapport.imports import apply, flow
from rapport.imports.rowids import Ids
from rapport.jobs import clock
from rapport.meta.registry import registry
from rapport.models import FreshKey, KeyRing, MatchKey, Operation
from rapport.models.operations import JobState
from tests import factories
from tests.imports.bringing import plan
from tests.imports.takingover import people, take

pytestmark = pytest.mark.django_db

SQLITE = connection.vendor == "sqlite"


@pytest.fixture(autouse=True)
def small(monkeypatch):
    for room, name, value in (
        (apply, "SMALLEST", 1), (lease, "FIRST", 4), (lease, "LARGEST", 4),
        (keyring, "RUN", 1), (keyring, "LARGE", 0), (keyring, "MOST", 3),
        (write, "FOUND_AT_ONCE", 0),
    ):  # fmt: skip
        monkeypatch.setattr(room, name, value)


@pytest.fixture
def stopped(alice, table):
    """An import that is stopped in the middle, with what it has stored so far."""
    upload = plan(people(30, table), by=alice)
    flow.start_apply(upload, by=alice)
    run = take("first")
    apply.step(run)
    apply.step(run)
    return run


def stored():
    """Keys by where they stand, and on rings."""
    beside = set(FreshKey.objects.values_list("hash", "entity", "record"))
    hung = {
        (int(hash_), entity, record)
        for record, entity, hashes in KeyRing.objects.values_list("record", "entity", "hashes")
        for hash_ in hashes.split(",")
    }
    return set(MatchKey.objects.values_list("hash", "entity", "record")), beside, hung


def test_each_key_stands_in_one_place_and_all_in_the_index_in_the_end(stopped):
    more = True
    seen = []
    while more:
        index, beside, hung = stored()
        assert index | beside == hung
        assert not index & beside
        seen.append(len(fresh.runs()))
        more = apply.step(stopped)
    stopped.end(JobState.DONE, ended=apply.ended)
    index, beside, hung = stored()
    assert (index, beside) == (hung, set())
    # They are merged when there are three of them, not only in the end.
    expected = "3.*0.*1" if SQLITE else "^0+$"
    assert re.search(expected, "".join(map(str, seen)))


def test_keys_beside_the_index_are_found(stopped, alice):
    contact = registry["contact"]
    _index, beside, hung = stored()
    assert bool(beside) == SQLITE
    mine = {(hash_, record) for hash_, entity, record in hung if entity == contact.code}
    hashes = [hash_ for hash_, _record in mine]
    assert find.held([*hashes, 1], contact) == {*hashes}
    found = find._rows(hashes, [contact.code])
    assert {(hash_, id_) for hash_, held in found.items() for _code, id_ in held} == mine
    single = {hash_: id_ for hash_, id_ in mine if hashes.count(hash_) == 1}
    alone = find.alone(hashes, contact)
    assert {hash_: UUID(id_) for hash_, id_ in alone.items()} == single
    records = {record.hex for _hash, record in mine}
    assert {id_.replace("-", "") for id_ in blocks.holders(hashes, contact.code)} == records
    lowest, highest = blocks.part_of(0, 1)
    sample = blocks.sample(lowest, highest, contact.code, 100)
    assert {id_.replace("-", "") for id_ in sample} == records
    shared, _crowded = blocks.shared(lowest, highest)
    every = [hash_ for hash_, _entity, _record in hung]
    assert sorted(shared) == sorted({hash_ for hash_ in every if every.count(hash_) > 1})
    code, id_ = blocks.example(hashes[0])
    assert (hashes[0], code, id_.replace("-", "")) in {(h, e, r.hex) for h, e, r in hung}


def test_import_that_is_stopped_leaves_its_keys_to_the_clock(stopped):
    stopped.end(JobState.CANCELLED, ended=apply.ended)
    clock.merge_keys()
    index, beside, hung = stored()
    assert (index, beside) == (hung, set())


def test_undo_takes_keys_from_beside_the_index(stopped, alice):
    stopped.end(JobState.CANCELLED, ended=apply.ended)
    undo.undo(Operation.objects.get(kind="import"), by=alice)
    _index, beside, hung = stored()
    assert (beside, {entity for _hash, entity, _record in hung} & {1, 2}) == (set(), set())


def test_import_asks_the_runs_of_others_alone(stopped, alice, monkeypatch):
    monkeypatch.setattr(keyring, "MOST", 9)
    contact = registry["contact"]
    other = factories.make_contact(owner=alice, last_name="Else", email="else@x.de")
    _index, _beside, hung = stored()
    theirs = {hash_ for hash_, _entity, record in hung if record == other.pk}
    keyring.remove([other.pk])
    keyring.put(contact, [other.pk.hex], [sorted(theirs)], later=True)
    _index, beside, _hung = stored()
    assert ({record for _hash, _entity, record in beside} >= {other.pk}) == SQLITE
    every = {hash_ for hash_, _entity, _record in hung}
    ends = Ids(uuid.UUID(str(stopped.job.parameters["plan"]))).ends
    assert find.held(every, contact, but=ends) == theirs
