"""Search over everything, and quick look at what the top bar suggests."""

import re

import pytest

from tests.factories import make_account, make_contact, make_lead

pytestmark = pytest.mark.django_db


def text(response):
    return " ".join(response.content.decode().split())


def hits(response):
    return re.findall(r'href="/(\w+)/([0-9a-f-]{36})/"', response.content.decode())


def test_hits_by_entity_with_accents_folded(alice, client_of):
    account = make_account(owner=alice, name="Müller Café")
    contact = make_contact(owner=alice, last_name="Mueller", email="x@muller.example")
    lead = make_lead(owner=alice, last_name="Stone", company="Muller")
    make_contact(owner=alice, last_name="Nobody")

    page = client_of(alice).get("/search/?q=MULLER")

    assert hits(page) == [
        ("accounts", str(account.pk)),
        ("contacts", str(contact.pk)),
        ("leads", str(lead.pk)),
    ]


def test_strangers_find_nothing(alice, bob, charlie, client_of):
    account = make_account(owner=alice, name="Secret")

    found = {u.first_name: hits(client_of(u).get("/search/?q=secret")) for u in (bob, charlie)}

    assert found == {"Bob": [("accounts", str(account.pk))], "Charlie": []}


def test_details_do_not_name_hidden_records(alice, charlie, client_of):
    hidden = make_account(owner=charlie, name="Secret")
    make_contact(owner=alice, last_name="Stone", account=hidden)

    assert "ecret" not in text(client_of(alice).get("/search/?q=stone"))


def test_suggestions_are_options_and_lead_to_all_results(alice, client_of):
    for number in range(6):
        make_contact(owner=alice, last_name=f"Stone {number}")

    page = client_of(alice).get("/search/?q=stone", headers={"HX-Request": "true"})

    assert ("<html" in text(page), page.content.decode().count('role="option"')) == (False, 5)
    assert 'href="/search/?q=stone"' in text(page)


@pytest.mark.once
@pytest.mark.parametrize("query", ["", "%20", "%00", "%22%27%25_", "a" * 5000, "%F0%9F%98%80"])
def test_odd_words_are_no_error(query, alice, client_of):
    make_contact(owner=alice)

    for headers in ({}, {"HX-Request": "true"}):
        assert client_of(alice).get(f"/search/?q={query}", headers=headers).status_code == 200


def test_more_hits_lead_to_the_list(alice, client_of):
    for number in range(13):
        make_contact(owner=alice, last_name=f"Stone {number}")
    client = client_of(alice)

    page = client.get("/search/?q=stone").content.decode()
    more = re.search(r'href="(/contacts/\?view=all[^"]+)"', page)
    listed = client.get(more[1].replace("&amp;", "&")).content.decode()

    assert listed.count('<tr id="row-') == 13
