"""Match keys that a large undo leaves for its end: in the end nobody sees a difference."""

import pytest
from django.db import transaction
from django.utils import timezone

from rapport.actions import journal as frame, keyring, leftkeys, records, search_index, undo, write
from rapport.meta.entity import Draft
from rapport.meta.ids import new_id
from rapport.meta.registry import registry
from rapport.models import Account, Contact, KeyRing, MatchKey
from rapport.models.journal import OperationState

pytestmark = pytest.mark.django_db

ACCOUNT, CONTACT = registry["account"], registry["contact"]


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(undo, "LARGE", 1)
    monkeypatch.setattr(write, "FOUND_AT_ONCE", 0)
    monkeypatch.setattr(leftkeys, "OF_A_RECORD", 1)


@pytest.fixture
def made(alice):
    """An operation that made accounts and contacts, among whose ids is that of another contact."""
    ids = sorted(new_id() for _ in range(12))
    other = ids.pop(7)
    op = frame.begin("import", by=alice)
    save(ACCOUNT, {id_: {"name": f"Mill {id_}"} for id_ in ids[:4]}, op)
    save(CONTACT, {id_: {"last_name": "Stone", "email": f"{id_}@x.de"} for id_ in ids[4:]}, op)
    frame.finish(op)
    with frame.operation("contact.create", by=alice) as beside:
        save(CONTACT, {other: {"last_name": "Else", "email": "else@x.de"}}, beside)
    return op


def save(entity, values, op):
    drafts = [Draft(id=id_, values={**own, "owner": op.user_id}) for id_, own in values.items()]
    records.save_drafts(entity, drafts, op=op, by=op.user, now=timezone.now())


def keys():
    """Keys in the index, which all hang on rings, too."""
    hung = {
        (int(hash_), entity, record)
        for record, entity, hashes in KeyRing.objects.values_list("record", "entity", "hashes")
        for hash_ in hashes.split(",")
    }
    index = set(MatchKey.objects.values_list("hash", "entity", "record"))
    assert index == hung
    return index


def there():
    return {
        id_ for model in (Account, Contact) for id_ in model.objects.values_list("pk", flat=True)
    }


def holders(found):
    return {record for _hash, entity, record in found if entity in {ACCOUNT.code, CONTACT.code}}


def begun(op, by):
    """An undo of `op` that has deleted the records and none of their keys."""
    back, place, undone = undo.begin(op, by=by), None, undo.Undone()
    while place != 0:
        place = undo.advance(back, undone, by=by, size=2, before=place)
    return back


def caught_up():
    while search_index.catch_up():
        pass


@pytest.mark.parametrize("few", [0, 1000])
def test_keys_of_what_an_undo_deletes_go_in_the_end(few, made, alice, monkeypatch):
    monkeypatch.setattr(leftkeys, "FEW", few)
    changed = made.changes.filter(entity="contact").first().record
    records.update_record(CONTACT, changed, {"department": "Mill"}, by=alice)
    before = keys()
    back = begun(made, alice)
    assert (len(there()), keys()) == (2, before)

    steps = 1
    while undo.advance(back, undo.Undone(), by=alice, size=1, before=0) is not None:
        steps += 1
    assert (steps > 5, holders(keys())) == (True, there())
    assert leftkeys.LEFT not in back.parameters


@pytest.mark.parametrize("steps", [0, 2])
def test_undo_that_is_broken_off_leaves_its_keys_to_the_worker(steps, made, alice):
    back = begun(made, alice)
    for _ in range(steps):
        undo.advance(back, undo.Undone(), by=alice, size=1, before=0)
    frame.finish(back, OperationState.FAILED)
    caught_up()

    assert holders(keys()) == there()


def test_records_come_back_with_the_keys_that_were_left(made, alice):
    before = keys()
    back = begun(made, alice)
    undo.advance(back, undo.Undone(), by=alice, size=1, before=0)
    frame.finish(back, OperationState.FAILED)
    undo.undo(back, by=alice)
    assert keys() == before

    caught_up()
    assert keys() == before


def test_few_keys_of_very_many_go_at_once(made, alice, monkeypatch):
    monkeypatch.setattr(leftkeys, "PASSED", 0)
    undone, back = undo.Undone(), undo.begin(made, by=alice)
    assert undo.advance(back, undone, by=alice) is None
    assert (undone.removed, holders(keys())) == (11, there())


@pytest.mark.postgres
def test_record_that_came_back_meanwhile_keeps_its_keys(made):
    before = keys()
    with transaction.atomic():
        keyring.remove(holders(before), gone_from=CONTACT)

    assert holders(keys()) == set(Contact.objects.values_list("pk", flat=True))
