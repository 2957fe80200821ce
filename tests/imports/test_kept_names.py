"""What rows name that is still to be made, kept for whoever repairs one cell after the other."""

import pytest

from rapport.imports import along, flow, keptnames, uploads
from rapport.queries.imports import plan_of
from tests.factories import make_account
from tests.imports.bringing import plan

pytestmark = pytest.mark.django_db


@pytest.fixture
def upload(alice, table):
    return plan(table("Last Name,Company,Email", "Bo,Acme,", ",,", "Dee,Bee,x"), by=alice)


def keys(named):
    return [list(own) for own in named]


def test_what_was_read_is_kept_until_there_is_more_to_be_named(upload, alice, admin):
    kept = plan_of(upload)
    assert keptnames.load(upload, kept, alice) is None

    found = keptnames.read(upload, kept, alice)
    assert [bool(key) for key in found[0]] == [False, False, True, False, True]
    assert keys(keptnames.load(upload, kept, alice)) == keys(found)
    # Others see other records.
    assert keptnames.load(upload, kept, admin) is None

    make_account(name="Bee", owner=alice)
    assert keptnames.load(upload, kept, alice) is None
    found = keptnames.read(upload, kept, alice)
    assert [bool(key) for key in found[0]] == [False, False, True, False, False]
    assert keys(keptnames.load(upload, kept, alice)) == keys(found)


def test_repair_keeps_what_it_has_read(upload, alice):
    flow.repair(upload, 4, {2: "d@x.de"}, by=alice)
    kept = keptnames.load(upload, plan_of(upload), alice)
    assert keys(kept) == keys(along.read(upload, flow.mapping_of(upload), alice))


def test_a_file_has_one_of_them(upload, alice):
    keptnames.read(upload, plan_of(upload), alice)
    flow.remap(upload, flow.mapping_of(upload))
    flow.plan_now(upload, by=alice)
    assert keptnames.load(upload, plan_of(upload), alice) is None

    keptnames.read(upload, plan_of(upload), alice)
    folder = uploads.path_of(upload).parent
    assert [path.name for path in folder.glob("names-*")] == [f"names-{plan_of(upload).pk}"]


def test_what_is_damaged_is_read_again(upload, alice):
    kept = plan_of(upload)
    keptnames.read(upload, kept, alice)
    (path,) = uploads.path_of(upload).parent.glob("names-*")
    whole = path.read_bytes()
    for part in (whole[:-8], whole[:30], whole[:8], b""):
        path.write_bytes(part)
        assert keptnames.load(upload, kept, alice) is None
