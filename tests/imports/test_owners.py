"""Owners as people call each other."""

import pytest

from rapport.actions import states
from rapport.imports import flow
from rapport.models import Contact
from tests.factories import make_user
from tests.imports.bringing import bring, describe

pytestmark = pytest.mark.django_db


def list_of(*owners):
    lines = [f'Byron{number},"{name}"' for number, name in enumerate(owners)]
    return "\n".join(["Last Name,Owner", *lines]).encode()


def meant(upload):
    found = flow.mapping_of(upload)
    return dict(found.columns[found.column_of("owner")].values)


@pytest.mark.parametrize(
    "text", ["Alice", "archer", "Archer, Alice", "A. Archer", "Alice A.", "AA", "a.a.", "aarcher"]
)
def test_who_is_meant(text, alice, bob):
    found = bring(list_of(text), "contact", by=bob)

    assert list(Contact.objects.values_list("owner", flat=True)) == [alice.pk]
    assert found.upload.options["notes"] == [
        f"“Owner”: users who are called otherwise: “{text}” = “Alice Archer”."
    ]


def test_whole_names_and_addresses_need_no_word(alice, bob):
    upload = describe(list_of("Alice Archer", "bob baker", bob.email, ""), "contact", by=alice)

    assert (meant(upload), upload.options["notes"]) == ({}, [])


def test_names_of_nobody_are_told(alice, bob):
    upload = describe(list_of("XY", "Zoe", "Bob", "005A1"), "contact", by=alice)

    assert meant(upload) == {"Bob": "Bob Baker"}
    assert upload.options["notes"] == [
        "“Owner”: users who are called otherwise: “Bob” = “Bob Baker”.",
        "“Owner”: nobody is called “XY”, “Zoe”: you own what is new of theirs.",
    ]


def test_two_who_may_be_meant_are_nobody(alice, bob):
    make_user(first_name="Alice", last_name="Archibald")

    assert meant(describe(list_of("Alice", "AA", "Archer"), "contact", by=bob)) == {
        "Archer": "Alice Archer"
    }


def test_somebody_who_has_left_may_be_meant(alice, bob, admin):
    gone = make_user(first_name="Alice", last_name="Archibald")
    states.deactivate("user", [gone.pk], by=admin)

    assert meant(describe(list_of("Alice", "AA"), "contact", by=bob)) == {}
