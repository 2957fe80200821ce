"""The recycle bin: who sees what was deleted, and bringing one record back."""

import pytest
from django.urls import reverse

from rapport.actions import records, undo
from rapport.actions.people import SETUP
from rapport.meta.registry import registry
from rapport.models import BusinessUnit, Change, Contact, Operation, Party, RoleAssignment
from tests.factories import (
    make,
    make_account,
    make_contact,
    make_note,
    make_task,
    make_unit,
    make_user,
)
from tests.web.browsing import page, send, toast, words

pytestmark = pytest.mark.django_db

BIN = "/recycle-bin/"
DELETABLE = [e for e in registry if e.in_hub and e.deletable and e.ownership == "user"]


def delete(record, by, **options):
    entity = next(e for e in registry if e.model is type(record) and not e.scope)
    return records.delete_records(entity, [record.pk], by=by, **options)


def change(record):
    return Change.objects.get(record=record.pk, verb=3)


def names(response):
    return [words(found) for found in page(response).cssselect("tbody th")]


def restore(record):
    return reverse("restore", args=[change(record).pk])


def test_the_bin_shows_what_one_deleted_or_owned(alice, bob, charlie, admin, client_of):
    delete(make_contact(owner=alice, first_name="Eva", last_name="Sommer"), alice)
    delete(make_account(owner=bob, name="Acme"), SETUP)

    seen = {
        user.first_name: names(client_of(user).get(BIN)) for user in (alice, bob, charlie, admin)
    }

    assert seen == {
        "Alice": ["ESEva SommerContact"],
        "Bob": ["AcmeAccount"],
        "Charlie": [],
        "Ada": ["AcmeAccount", "ESEva SommerContact"],
    }


def test_the_bin_can_show_one_kind_of_record(alice, client_of):
    delete(make_contact(owner=alice), alice)
    delete(make_account(owner=alice, name="Acme"), alice)

    assert names(client_of(alice).get(f"{BIN}?entity=account")) == ["AcmeAccount"]


@pytest.mark.once
def test_the_bin_goes_on_by_key(alice, client_of):
    contacts = [make_contact(owner=alice) for _ in range(60)]
    records.delete_records(registry["contact"], [c.pk for c in contacts], by=alice)
    client = client_of(alice)

    first = client.get(BIN)
    rest = client.get(BIN + page(first).cssselect(".panel-foot a")[0].get("href"))

    assert (len(names(first)), len(names(rest))) == (50, 10)


@pytest.mark.parametrize("query", ["before=x", "before=99999999999999999999", "entity=nothing"])
def test_a_damaged_address_is_no_error(query, alice, client_of):
    assert client_of(alice).get(f"{BIN}?{query}").status_code == 200


@pytest.mark.parametrize("entity", DELETABLE, ids=lambda entity: entity.name)
def test_every_record_comes_back_as_it_was(entity, alice, client_of):
    record = make(entity.name, owner=alice)
    before = entity.model.objects.filter(pk=record.pk).values().get()
    records.delete_records(entity, [record.pk], by=alice)
    client = client_of(alice)

    response = send(client, client.get(BIN), "/restore")

    after = entity.model.objects.filter(pk=record.pk).values().get()
    assert (response.status_code, str(record.pk) in response["Location"]) == (303, True)
    assert after == {**before, "version": before["version"] + 1}
    assert names(client.get(BIN)) == []


def test_a_return_can_be_undone(alice, client_of):
    contact = make_contact(owner=alice)
    delete(contact, alice)
    client = client_of(alice)

    back = client.post(restore(contact))
    text, again = toast(client.get(back["Location"]))
    client.post(again)

    assert (text, Contact.objects.count()) == ("It is back.", 0)


def test_one_record_comes_back_without_what_went_along(alice, client_of):
    contact = make_contact(owner=alice)
    note = make_note(owner=alice, regarding=contact)
    delete(contact, alice)
    client = client_of(alice)

    client.post(restore(contact))

    assert (Contact.objects.count(), type(note).objects.count()) == (1, 0)


def test_a_link_to_what_is_gone_stays_empty_and_is_told(alice, client_of):
    manager = make_contact(owner=alice)
    contact = make_contact(owner=alice, manager=manager)
    delete(contact, alice)
    delete(manager, alice)
    client = client_of(alice)

    response = client.post(restore(contact))

    assert Contact.objects.get().manager is None
    assert toast(client.get(response["Location"])) == (
        "It is back, but not as it was: What Reports to named is gone.", None,
    )  # fmt: skip


def test_what_is_there_again_cannot_come_back_twice(alice, client_of):
    contact = make_contact(owner=alice)
    operation = delete(contact, alice)
    address = restore(contact)
    undo.undo(operation, by=alice)
    client = client_of(alice)

    response = client.post(address)

    assert (response["Location"], Contact.objects.count()) == (BIN, 1)
    assert toast(client.get(BIN)) == ("It is there already.", None)
    assert Operation.objects.filter(kind="contact.restore").count() == 0


def test_strangers_bring_nothing_back(alice, bob, charlie, client_of):
    contact = make_contact(owner=alice)
    delete(contact, alice)

    statuses = [client_of(user).post(restore(contact)).status_code for user in (bob, charlie)]

    assert (statuses, Contact.objects.count()) == ([404, 404], 0)


def test_an_owner_brings_back_what_somebody_else_deleted(alice, client_of):
    contact = make_contact(owner=alice)
    delete(contact, SETUP)

    assert client_of(alice).post(restore(contact)).status_code == 303
    assert Contact.objects.count() == 1


def test_who_may_not_create_brings_nothing_back(north, client_of):
    reader = make_user(roles=("read-only",), unit=north)
    contact = make_contact(owner=reader)
    delete(contact, SETUP)
    client = client_of(reader)

    assert page(client.get(BIN)).cssselect("[action$='/restore']") == []
    assert client.post(restore(contact)).status_code == 403


def test_who_may_create_no_more_brings_nothing_back(alice, client_of):
    contact = make_contact(owner=alice)
    delete(contact, alice)
    RoleAssignment.objects.filter(principal_id=alice.pk).delete()

    assert client_of(alice).post(restore(contact)).status_code == 403


@pytest.mark.parametrize("number", [0, 999_999])
def test_an_unknown_change_is_not_found(number, admin, client_of):
    assert client_of(admin).post(reverse("restore", args=[number])).status_code == 404


def test_only_deletions_can_be_restored(alice, client_of):
    account = make_account(owner=alice, by=alice)
    creation = Change.objects.get(record=account.pk)

    assert client_of(alice).post(reverse("restore", args=[creation.pk])).status_code == 404


def test_parts_of_what_somebody_may_change_come_back_with_it(alice, bob, charlie):
    task = make_task(owner=alice)
    party = make("party", activity=task)
    operation = records.delete_records(registry["party"], [party.pk], by=alice)

    for user in (bob, charlie):
        with pytest.raises(undo.NotYours):
            undo.undo(operation, by=user)
    undo.undo(operation, by=alice)

    assert Party.objects.get().pk == party.pk


def test_units_come_back_for_administrators_only(admin, alice, client_of):
    unit = make_unit(name="East")
    records.delete_records(registry["business_unit"], [unit.pk], by=admin)

    assert client_of(alice).post(restore(unit)).status_code == 404
    assert client_of(admin).post(restore(unit)).status_code == 303
    assert BusinessUnit.objects.filter(pk=unit.pk).exists()
