"""Settings > Duplicate rules: what administrators see, change and try."""

import pytest

from rapport.actions import undo
from rapport.duplicates import rules
from rapport.models import DuplicatePair, DuplicateRule
from tests import journal
from tests.factories import make_account, make_contact
from tests.web.browsing import form, page, send, words

LIST = "/settings/duplicate-rules/"
PERSON = f"{LIST}contact.contact.person/"


@pytest.fixture(autouse=True)
def fresh_rules():
    """What another test has published is not in force."""
    rules.forget()
    yield
    rules.forget()


@pytest.fixture
def client(admin, client_of):
    return client_of(admin)


def published():
    rules.forget()
    return {rule.key for rule in rules.published()}


def states(response):
    return {
        words(row.cssselect("th a")[0]): words(row.cssselect(".badge")[0])
        for row in page(response).cssselect(".rule-table tbody tr")
    }


def test_only_administrators_see_rules(alice, client_of):
    client = client_of(alice)

    assert [client.get(url).status_code for url in (LIST, PERSON, f"{LIST}new/")] == [403] * 3
    assert client.post(f"{PERSON}unpublish/").status_code == 403
    assert client.post(f"{PERSON}preview/").status_code == 403
    assert DuplicateRule.objects.count() == 0


def test_list_names_every_rule_with_its_state(client):
    found = states(client.get(LIST))

    assert (found["Same person"], found["Same first and last name"]) == (
        "Published", "Unpublished"
    )  # fmt: skip
    assert client.get(f"{LIST}nothing/").status_code == 404


def test_changed_shipped_rule_replaces_it_until_it_is_reset(client):
    send(client, client.get(PERSON), PERSON, save="1", threshold="95", remove="9")

    (row,) = DuplicateRule.objects.all()
    assert (row.builtin, row.threshold, row.state) == ("contact.contact.person", 95, 1)
    stored = rules.loads(row)
    assert len(stored.conditions) == len(rules.shipped()[0].conditions) - 1
    assert {r.key: r.threshold for r in rules.published() if r.key == row.builtin} != {}
    shown = client.get(PERSON)
    assert "Changed here" in words(page(shown))
    client.post(f"{PERSON}reset/")
    assert DuplicateRule.objects.count() == 0


def test_shipped_rule_is_switched_off_and_on(client):
    client.post(f"{PERSON}unpublish/")
    off = published()
    client.post(f"{PERSON}publish/")

    assert ("contact.contact.person" in off, "contact.contact.person" in published()) == (
        False, True
    )  # fmt: skip
    # As it ships: an upgrade may improve it again.
    assert DuplicateRule.objects.count() == 0


def test_rule_that_is_off_by_default_is_switched_on(client):
    url = f"{LIST}contact.contact.name/"
    client.post(f"{url}publish/")
    assert "contact.contact.name" in published()
    client.post(f"{url}unpublish/")
    assert "contact.contact.name" not in published()


def test_new_rule_without_script(client, admin):
    url = f"{LIST}new/"
    shown = client.get(url)
    chosen = send(client, shown, url, **{"base-0": "nickname", "again": "1"})
    shown = send(client, chosen, url, **{"criterion-0": "first", "parameter-0": "4",
                                         "counts-0": "must", "add": "1"})  # fmt: skip
    filled = {"name": "Nicks", "base-1": ["birthday"], "criterion-1": "same_date",
              "counts-1": "own", "weight-1": "7,5", "blanks-1": "1"}  # fmt: skip
    saved = send(client, shown, url, **filled, save="1")

    (row,) = DuplicateRule.objects.all()
    assert saved["Location"] == f"{LIST}{row.pk}/"
    first, second = rules.loads(row).conditions
    assert (first.base, first.matching, first.criterion, first.parameter, first.must) == (
        ("nickname",), ("nickname",), "first", 4, True
    )  # fmt: skip
    assert (second.weight, second.ignore_blanks, str(row.pk) in published()) == (7.5, False, True)
    client.post(f"{LIST}{row.pk}/delete/")
    assert DuplicateRule.objects.count() == 0
    undo.undo(journal.last(), by=admin)
    assert DuplicateRule.objects.get().name == "Nicks"


def test_errors_stand_where_they_are(client):
    url = f"{LIST}new/"
    answer = send(client, client.get(url), url, name="", save="1", **{
        "base-0": "email", "criterion-0": "first", "counts-0": "own", "weight-0": "much",
    })  # fmt: skip

    assert answer.status_code == 422
    assert [words(error) for error in page(answer).cssselect(".form-errors li")] == [
        "Give the rule a name."
    ]
    assert [words(error) for error in page(answer).cssselect(".rule-row .errors")] == [
        "say how many characters, from 1 to 100.", "a weight is more than 0 and at most 60.",
    ]  # fmt: skip
    assert DuplicateRule.objects.count() == 0


def test_two_administrators_change_one_rule(client):
    first = client.get(PERSON)
    send(client, first, PERSON, save="1", threshold="90")
    answer = send(client, first, PERSON, save="1", threshold="60")

    assert answer.status_code == 422
    assert "Somebody else has changed this rule" in words(page(answer))
    assert DuplicateRule.objects.get().threshold == 90


def test_preview_counts_pairs_and_stores_nothing(client, admin):
    company = make_account(owner=admin, name="Stone Ltd")
    for name in ("Nick", "nick", "Other"):
        make_contact(owner=admin, nickname=name, account=company)
    url = f"{LIST}new/"
    _address, values = form(client.get(url), url)
    values |= {"base-0": ["nickname"], "criterion-0": "exact", "counts-0": "must", "same-0": "1"}
    answer = client.post(f"{url}preview/", values, HTTP_HX_REQUEST="true")

    assert words(page(answer).cssselect("[role='status']")[0]) == (
        "1 pair that looks alikeAll 3 records were looked at. Nothing is stored."
    )
    assert len(page(answer).cssselect(".rule-examples .badge")) == 1
    assert (DuplicateRule.objects.count(), DuplicatePair.objects.count()) == (0, 0)


def test_preview_of_an_unfinished_rule_says_what_is_missing(client):
    typed = {"name": "x", "base": "contact", "matching": "contact", "threshold": "80"}
    answer = client.post(f"{LIST}new/preview/", typed)

    assert [words(one) for one in page(answer).cssselect(".plain-list li")] == [
        "A rule needs at least one condition."
    ]
