"""Keys packed by one process and stored by another are those that are stored at once."""

from rapport.actions import keyring
from rapport.meta.ids import new_id
from rapport.meta.registry import registry
from rapport.models import KeyRing, MatchKey

CONTACT = registry["contact"]


def _stored():
    rings = {ring.record: ring.hashes for ring in KeyRing.objects.all()}
    return set(MatchKey.objects.values_list("hash", "record")), rings


def test_packed_keys_of_all_but_some_are_stored(db):
    ids = [new_id() for _ in range(6)]
    keys = [(5, -(2**63)), (2**63 - 1,), (), (5, 0, -7), (1,), (-7,)]
    parts = [
        keyring.pack(CONTACT, [id_.hex for id_ in ids[part]], keys[part])
        for part in (slice(0, 3), slice(3, 6))
    ]
    keyring.put_packed(CONTACT, parts, {ids[1].hex, ids[4].hex})

    kept = {id_: own for id_, own in zip(ids, keys, strict=True) if id_ not in {ids[1], ids[4]}}
    index = {(hash_, id_) for id_, own in kept.items() for hash_ in own}
    rings = {id_: ",".join(map(str, own)) for id_, own in kept.items() if own}
    assert _stored() == (index, rings)
    keyring.remove(ids)
    assert _stored() == (set(), {})
