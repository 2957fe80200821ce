"""Merging in the hub: the page, the command of a list, old addresses, and undo."""

import uuid

import pytest

from rapport.actions import merge, records
from rapport.meta.registry import registry
from rapport.models import Account
from tests import factories, journal
from tests.web.browsing import page, words

ACCOUNT = registry["account"]


@pytest.fixture
def pair(alice):
    """Two companies that are one; Stone Ltd has more to say."""
    first = factories.make_account(owner=alice, name="Stone Ltd", number="7", email="a@x.example")
    return first, factories.make_account(owner=alice, name="Stone", email="b@x.example")


@pytest.fixture
def client(client_of, alice):
    return client_of(alice)


def url(*accounts, **more):
    return "/merge/accounts/?" + "&".join(
        [f"id={one.pk}" for one in accounts] + [f"{key}={value}" for key, value in more.items()]
    )


def form(response):
    """What a browser would send from the page, by name."""
    found = {}
    for field in page(response).cssselect("#merge input[name]"):
        if field.get("type") != "radio" or field.get("checked") is not None:
            found.setdefault(field.get("name"), []).append(field.get("value"))
    return found


def filled(shown, action):
    """What a browser would send from the form with this address."""
    (found,) = (one for one in shown.iter("form") if one.get("action") == action)
    return {name: value for name, value in found.form_values() if value is not None}


def test_page_shows_the_records_side_by_side(client, pair):
    shown = page(client.get(url(*pair)))
    heads = [words(head) for head in shown.cssselect(".merge-table thead .merge-who bdi")]
    differing = [words(row) for row in shown.cssselect(".merge-table tbody tr")]

    assert words(shown.cssselect("h1")[0]) == "Merge 2 accounts"
    assert heads == ["Stone Ltd", "Stone"]
    assert [row.split()[1:3] for row in differing] == [
        ["Account", "name"], ["Account", "number"], ["Email", "of"],
    ]  # fmt: skip
    assert "goes to “Second email”" in differing[2]
    assert Account.objects.count() == 2


def test_merging_and_taking_it_back(client, pair):
    first, second = pair
    sent = form(client.get(url(*pair, next="/duplicates/")))
    response = client.post("/merge/accounts/", {**sent, "merge": "1"})

    assert (response.status_code, response["Location"]) == (303, "/duplicates/")
    assert list(Account.objects.values_list("pk", "email2")) == [(first.pk, "b@x.example")]
    operation = journal.last()
    assert operation.kind == "account.merge"
    assert client.post(f"/undo/{operation.pk}/").status_code == 303
    assert set(Account.objects.values_list("pk", flat=True)) == {first.pk, second.pk}


def test_other_choices_are_shown_and_then_merged(client, pair):
    _first, second = pair
    sent = form(client.get(url(*pair)))
    sent |= {"v.email": [str(second.pk)]}
    response = client.post("/merge/accounts/", sent)

    assert (response.status_code, Account.objects.count()) == (200, 2)
    sent = form(response) | {"v.name": [str(second.pk)]}
    response = client.post("/merge/accounts/", sent)
    assert (form(response)["v.email"], form(response)["v.name"]) == ([str(second.pk)],) * 2
    client.post("/merge/accounts/", {**form(response), "merge": "1"})
    assert list(Account.objects.values_list("email", "email2")) == [("b@x.example", "a@x.example")]


def test_another_main_record_is_looked_at_before(client, pair):
    _first, second = pair
    sent = form(client.get(url(*pair))) | {"master": [str(second.pk)], "merge": "1"}
    response = client.post("/merge/accounts/", sent)

    assert (response.status_code, Account.objects.count()) == (422, 2)
    assert "You chose another main record" in words(page(response))
    response = client.post("/merge/accounts/", {**form(response), "merge": "1"})
    assert response["Location"] == f"/accounts/{second.pk}/"


def test_change_meanwhile_is_told(client, alice, pair):
    sent = form(client.get(url(*pair)))
    records.update_record(ACCOUNT, pair[1].pk, {"number": "9"}, by=alice)
    response = client.post("/merge/accounts/", {**sent, "merge": "1"})

    assert (response.status_code, Account.objects.count()) == (409, 2)
    assert "was changed meanwhile" in words(page(response))
    response = client.post("/merge/accounts/", {**form(response), "merge": "1"})
    assert (response.status_code, Account.objects.count()) == (303, 1)


def test_who_may_not(client, client_of, bob, charlie, pair):
    hidden, seen = (factories.make_account(owner=owner) for owner in (charlie, bob))

    assert client.get(url(pair[0], hidden)).status_code == 404
    assert client.get(url(pair[0], seen)).status_code == 403
    assert client_of(charlie).get(url(*pair)).status_code == 404


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/merge/accounts/", 303),
        ("/merge/accounts/?id=x&master=y&v.name=z", 303),
        ("/merge/opportunities/?id=x", 404),
        ("/merge/users/?id=x", 404),
        (f"/merge/accounts/?version.{uuid.UUID(int=1)}={'1' * 5000}", 303),
    ],
)
def test_damaged_addresses(client, path, status):
    assert client.get(path).status_code == status


def test_damaged_forms(client, pair):
    ids = [str(one.pk) for one in pair]
    for sent in ({"id": ids[:1]}, {"id": ids, "master": str(uuid.uuid4())}):
        response = client.post("/merge/accounts/", {**sent, "merge": "1"})
        assert (response.status_code, response["Location"]) == (303, "/accounts/")


def test_records_that_are_one_already(client, client_of, alice, charlie, pair):
    first, _second = pair
    merge.merge(ACCOUNT, [one.pk for one in pair], by=alice, master=first.pk)

    assert client.get(url(*pair))["Location"] == f"/accounts/{first.pk}/"
    for ids in (pair, pair[1:]):
        nobody = [Account(pk=uuid.uuid4()) for _one in ids]
        told, as_usual = (client_of(charlie).get(url(*two)) for two in (ids, nobody))
        assert (told.status_code, told.get("Location")) == (
            as_usual.status_code,
            as_usual.get("Location"),
        )


# -- old addresses ---------------------------------------------------------------------------------


def test_old_address_leads_to_the_record_that_stayed(client, client_of, alice, charlie, pair):
    first, second = pair
    merge.merge(ACCOUNT, [one.pk for one in pair], by=alice, master=first.pk)
    response = client.get(f"/accounts/{second.pk}/?tab=history")

    assert (response.status_code, response["Location"]) == (
        303,
        f"/accounts/{first.pk}/?tab=history",
    )
    assert "was merged into this one" in words(page(client.get(response["Location"])))
    response = client.post(f"/accounts/{second.pk}/do/deactivate", {})
    assert (response.status_code, response["Location"]) == (303, f"/accounts/{first.pk}/")
    first.refresh_from_db()
    assert first.state == 0
    assert client_of(charlie).get(f"/accounts/{second.pk}/").status_code == 404


def test_what_was_typed_meanwhile_is_offered_to_the_record_that_stayed(
    client, client_of, alice, charlie, pair
):
    first, second = pair
    path = f"/accounts/{second.pk}/edit"
    typed = {"fax": "2", "name": "Rock", "number": "x" * 200, "website": "stone.example"}
    typed = filled(page(client.get(path)), path) | typed
    assert client_of(charlie).post(path, typed).status_code == 404
    merge.merge(ACCOUNT, [one.pk for one in pair], by=alice, master=first.pk)

    offered = client.post(path, typed)
    own = f"/accounts/{first.pk}/edit"
    values = filled(page(offered), own)
    assert offered.status_code == 409
    assert "was merged into this one meanwhile" in words(page(offered))
    # What differs is to be chosen, what was wrong is still there, and nobody touched the e-mail.
    told = [values[name] for name in ("fax", "number", "website", "keep-name", "email")]
    assert told == ["2", "x" * 200, "stone.example", "theirs", "a@x.example"]
    assert client_of(charlie).post(path, typed).status_code == 404

    saved = client.post(own, values | {"number": "8", "keep-name": "mine"})
    first.refresh_from_db()
    assert (saved.status_code, first.name, first.fax, first.number) == (303, "Rock", "2", "8")

    in_place = client.post(f"/accounts/{second.pk}/field/fax", {"fax": "3"}, HTTP_HX_REQUEST="true")
    assert (in_place.status_code, in_place["HX-Retarget"]) == (409, "#main")
    assert filled(page(in_place), own)["fax"] == "3"


def test_what_was_emptied_meanwhile_is_emptied_or_to_be_chosen(client, alice, pair):
    first, second = pair
    records.update_record(ACCOUNT, first.pk, {"website": "one.example", "fax": "1"}, by=alice)
    records.update_record(ACCOUNT, second.pk, {"website": "one.example", "fax": "2"}, by=alice)
    path, own = f"/accounts/{second.pk}/edit", f"/accounts/{first.pk}/edit"
    typed = filled(page(client.get(path)), path) | {"website": "", "fax": ""}
    merge.merge(ACCOUNT, [one.pk for one in pair], by=alice, master=first.pk)

    values = filled(page(client.post(path, typed)), own)

    assert (values["website"], values.get("keep-website"), values["keep-fax"]) == (
        "", None, "theirs",
    )  # fmt: skip
    client.post(own, values | {"keep-fax": "mine"})
    first.refresh_from_db()
    assert (first.website, first.fax) == ("", "")


def test_history_tells_of_the_merged_record(client, alice, pair):
    first, second = pair
    contact = factories.make_contact(owner=alice, account=second)
    merge.merge(ACCOUNT, [one.pk for one in pair], by=alice, master=first.pk)
    text = words(page(client.get(f"/accounts/{first.pk}/?tab=history")))

    assert "merged Stone into this record" in text
    assert "created this record, when it was “Stone”" in text
    text = words(page(client.get(f"/contacts/{contact.pk}/?tab=history")))
    assert "changed Company name by a merge" in text


# -- where it begins -------------------------------------------------------------------------------


def test_list_leads_to_the_page(client, pair):
    assert "/accounts/bulk/merge" in client.get("/accounts/").content.decode()
    response = client.post("/accounts/bulk/merge", {"ids": [str(one.pk) for one in pair]})

    assert response.status_code == 303
    assert response["Location"].startswith(
        f"/merge/accounts/?id={pair[0].pk}&id={pair[1].pk}&next="
    )
    response = client.post("/accounts/bulk/merge", {"ids": [str(pair[0].pk)]})
    assert response["Location"].startswith("/accounts/")


def test_record_is_merged_with_one_that_is_looked_up(client, alice, pair):
    first, second = pair
    start = f"/accounts/{first.pk}/merge"
    expected = f"/merge/accounts/?id={first.pk}&id={second.pk}"

    assert start in client.get(f"/accounts/{first.pk}/").content.decode()
    assert client.get(start).status_code == 200
    assert client.post(start, {"other": str(second.pk)})["Location"].startswith(expected)
    assert client.post(start, {"other_text": "stone", "other": ""})["Location"].startswith(expected)
    for nobody in ({"other_text": "Rock"}, {"other": str(first.pk)}, {}):
        assert client.post(start, nobody).status_code == 422
    factories.make_account(owner=alice, name="Stone")
    response = client.post(start, {"other_text": "Stone"})
    assert len(page(response).cssselect("[name='pick']")) == 2


def test_command_is_not_there_for_who_may_not_merge(client_of, pair):
    reader = client_of(factories.make_user(roles=("marketing",)))

    assert "/accounts/bulk/merge" not in reader.get("/accounts/").content.decode()
    assert reader.post("/accounts/bulk/merge", {"ids": [str(pair[0].pk)]}).status_code == 403
    assert reader.get(f"/accounts/{pair[0].pk}/merge").status_code == 403
