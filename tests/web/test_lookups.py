"""What look-ups offer: visible records, users and teams; and records made out of them."""

import re

import pytest
from django.urls import reverse

from rapport.actions import visits
from rapport.meta.registry import registry
from rapport.models import Account
from tests.factories import make_account, make_contact, make_team

pytestmark = pytest.mark.django_db


def offered(client, entity, name, q=""):
    """(value, label) of the options."""
    page = client.get(reverse("lookup", args=[entity, name]), {"q": q}).content.decode()
    return re.findall(r'role="option"[^>]* data-value="([^"]*)" data-label="([^"]*)"', page)


def test_records_that_have_the_words_best_names_first(alice, client_of):
    make_account(owner=alice, name="Old Müller Ltd")
    make_account(owner=alice, name="Müller")
    make_account(owner=alice, name="Stone")

    found = offered(client_of(alice), "contact", "account", "mull")

    assert [label for _value, label in found] == ["Müller", "Old Müller Ltd"]


def test_strangers_records_are_not_offered(alice, bob, charlie, client_of):
    make_account(owner=alice, name="Acme")

    found = {
        user.first_name: [label for _v, label in offered(client_of(user), "contact", "account")]
        for user in (alice, bob, charlie)
    }

    assert found == {"Alice": ["Acme"], "Bob": ["Acme"], "Charlie": []}


def test_without_words_what_was_opened_last_comes_first(alice, client_of):
    make_account(owner=alice, name="Aaa")
    opened = make_account(owner=alice, name="Zzz")
    visits.record_visit(registry["account"], opened.pk, by=alice)

    found = offered(client_of(alice), "contact", "account")

    assert [label for _value, label in found] == ["Zzz", "Aaa"]


def test_owners_are_users_and_teams(alice, bob, client_of):
    team = make_team(name="Bakers", unit=alice.business_unit)

    found = offered(client_of(alice), "contact", "owner", "bak")

    assert found == [(str(team.pk), "Bakers"), (str(bob.pk), "Bob Baker")]


def test_pointers_offer_records_of_each_entity(alice, client_of):
    account = make_account(owner=alice, name="Stone Ltd")
    contact = make_contact(owner=alice, first_name="Eva", last_name="Stone")

    found = offered(client_of(alice), "task", "regarding", "stone")

    assert found == [
        (f"account:{account.pk}", "Stone Ltd"),
        (f"contact:{contact.pk}", "Eva Stone"),
    ]


def test_a_missing_record_is_made(alice, client_of):
    url = reverse("lookup", args=["contact", "account"])

    page = client_of(alice).post(url, {"name": "New & Co"}).content.decode()

    made = Account.objects.get()
    assert (made.name, made.owner_id) == ("New & Co", alice.pk)
    assert (f'data-value="{made.pk}"' in page, 'data-label="New &amp; Co"' in page) == (True, True)


def test_nothing_is_made_out_of_nothing(alice, client_of):
    response = client_of(alice).post(reverse("lookup", args=["contact", "account"]), {"name": " "})

    assert (response.status_code, Account.objects.count()) == (422, 0)


@pytest.mark.parametrize(
    ("entity", "name"), [("contact", "email"), ("contact", "nonsense"), ("nonsense", "owner")]
)
def test_other_fields_are_no_look_ups(entity, name, alice, client_of):
    assert client_of(alice).get(reverse("lookup", args=[entity, name])).status_code == 404


def test_values_cannot_become_markup(alice, client_of):
    make_account(owner=alice, name='"><script>alert(1)</script>')

    url = reverse("lookup", args=["contact", "account"])
    page = client_of(alice).get(url).content.decode()

    assert "<script" not in page
