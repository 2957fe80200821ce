"""Records that look like the one that is being written: told while typing, asked about at save."""

import pytest

from rapport.models import Contact, Lead, Operation
from rapport.web import similar
from tests.factories import make_account, make_contact, make_lead, make_pair
from tests.web.browsing import form, page, send, values_of, words

HTMX = {"HTTP_HX_REQUEST": "true"}
TYPED = {"first_name": "Eva", "last_name": "Stone", "email": "EVA@stone.example"}


@pytest.fixture
def eva(alice):
    return make_contact(
        owner=alice, first_name="Eva", last_name="Stone", email="eva@stone.example", fax="1"
    )


def names(response):
    """Titles of the records that an answer tells of; the panel is empty where there are none."""
    if not response.content.strip():
        return []
    return [words(found) for found in page(response).cssselect(".alike-name bdi")]


# -- while typing ----------------------------------------------------------------------------------


def test_panel_tells_who_looks_alike_and_writes_nothing(alice, client_of, eva):
    operations = Operation.objects.count()
    answer = client_of(alice).post("/contacts/similar", TYPED, **HTMX)

    assert names(answer) == ["Eva Stone"]
    chips = [words(chip) for chip in page(answer).cssselect(".reason")]
    assert "=Email same EVA@stone.example" in chips
    assert (Contact.objects.count(), Operation.objects.count()) == (1, operations)


def test_panel_is_silent_about_strangers_and_about_nothing(alice, charlie, client_of, eva):
    make_lead(owner=alice, **TYPED)

    assert names(client_of(charlie).post("/contacts/similar", TYPED, **HTMX)) == []
    assert names(client_of(alice).post("/contacts/similar", {"last_name": ""}, **HTMX)) == []
    assert client_of(alice).get("/contacts/similar").status_code == 405


def test_panel_does_not_tell_the_name_of_a_hidden_company(alice, bob, charlie, client_of):
    company = make_account(owner=charlie, name="Secret Ltd")
    make_contact(owner=alice, **TYPED, account=company)
    typed = {**TYPED, "account_text": "Secret Ltd"}
    answer = client_of(bob).post("/contacts/similar", typed, **HTMX)

    assert names(answer) == ["Eva Stone"]
    assert "Secret" not in words(page(answer))
    assert "Company" not in words(page(answer))


def test_record_in_hand_does_not_look_like_itself(alice, client_of, eva):
    answer = client_of(alice).post(f"/contacts/similar?id={eva.pk}", TYPED, **HTMX)

    assert names(answer) == []


def test_script_that_asks_too_often_gets_silence(alice, client_of, eva, monkeypatch):
    monkeypatch.setattr(similar, "PER_MINUTE", 1)
    client = client_of(alice)

    assert [client.post("/contacts/similar", TYPED, **HTMX).status_code for _ in range(2)] == [
        200, 204
    ]  # fmt: skip


# -- a new record ----------------------------------------------------------------------------------


def test_new_record_asks_once(alice, client_of, eva):
    client = client_of(alice)
    asked = send(client, client.get("/contacts/new"), "/contacts/new", **TYPED)

    assert (asked.status_code, names(asked), Contact.objects.count()) == (422, ["Eva Stone"], 1)
    address, values = form(asked, "/contacts/new")
    button = page(asked).cssselect("button[name='anyway']")[0]
    saved = client.post(address, {**values, "anyway": button.get("value")})
    assert (saved.status_code, Contact.objects.count()) == (303, 2)


def test_answer_for_one_match_is_none_for_another(alice, client_of, eva):
    client = client_of(alice)
    hill = make_contact(owner=alice, first_name="Ann", last_name="Hill", email="ann@hill.example")
    asked = send(client, client.get("/contacts/new"), "/contacts/new", **TYPED, anyway=str(hill.pk))

    assert (asked.status_code, names(asked)) == (422, ["Eva Stone"])


def test_stranger_is_not_asked(charlie, client_of, eva):
    client = client_of(charlie)
    saved = send(client, client.get("/contacts/new"), "/contacts/new", **TYPED)

    assert (saved.status_code, Contact.objects.count()) == (303, 2)


def test_typed_values_are_offered_to_the_record_there_is(alice, client_of, eva):
    client = client_of(alice)
    typed = {**TYPED, "job_title": "CEO", "fax": "2"}
    asked = send(client, client.get("/contacts/new"), "/contacts/new", **typed)
    offered = send(client, asked, "/contacts/new", into=str(eva.pk))

    found = next(f for f in page(offered).forms if f.get("id") == "record-form")
    values = values_of(found)
    assert found.action == f"/contacts/{eva.pk}/edit"
    assert (values["job_title"], values["fax"], values["keep-fax"]) == (["CEO"], ["2"], ["theirs"])
    assert (Contact.objects.count(), Contact.objects.get().job_title) == (1, "")

    client.post(found.action, {**values, "keep-fax": "mine"})
    eva.refresh_from_db()
    assert (eva.job_title, eva.fax, eva.owner_id) == ("CEO", "2", alice.pk)


def test_typed_values_go_into_no_record_that_one_may_only_read(alice, bob, client_of, eva):
    client = client_of(bob)
    asked = send(client, client.get("/contacts/new"), "/contacts/new", **TYPED)

    assert page(asked).cssselect("button[name='into']") == []
    refused = send(client, asked, "/contacts/new", into=str(eva.pk))
    assert refused.status_code == 403


# -- a stored record -------------------------------------------------------------------------------


@pytest.fixture
def ann(alice):
    return make_contact(owner=alice, first_name="Ann", last_name="Hill", email="ann@hill.example")


def edit(client, record, **changes):
    address = f"/contacts/{record.pk}/edit"
    return send(client, client.get(address), address, **changes)


@pytest.mark.once
def test_change_asks_only_where_rules_look(alice, client_of, eva, ann):
    client = client_of(alice)
    asked = edit(client, ann, **TYPED)

    assert (asked.status_code, names(asked)) == (422, ["Eva Stone"])
    merged = send(client, asked, f"/contacts/{ann.pk}/edit", merge=str(eva.pk))
    assert merged["Location"].startswith(f"/merge/contacts/?id={ann.pk}&id={eva.pk}")
    ann.refresh_from_db()
    assert ann.last_name == "Stone"
    # The two are alike by now, but no rule looks at this.
    assert edit(client, ann, job_title="CEO").status_code == 303


def test_what_was_said_to_be_different_is_not_asked_again(alice, client_of, eva, ann):
    client = client_of(alice)
    pair = make_pair(eva, ann)
    client.post("/duplicates/decide/", {"different": pair.pk})

    assert edit(client, ann, **TYPED).status_code == 303


def test_lead_that_became_the_record_is_not_asked_about(alice, client_of, ann):
    lead = make_lead(owner=alice, **TYPED)
    Lead.objects.filter(pk=lead.pk).update(contact=ann)

    assert edit(client_of(alice), ann, **TYPED).status_code == 303


def test_who_reports_to_a_namesake_is_not_asked_about(alice, client_of, eva, ann):
    Contact.objects.filter(pk=ann.pk).update(manager=eva)

    assert edit(client_of(alice), ann, **TYPED).status_code == 303


def test_value_in_place_does_not_ask(alice, client_of, eva, ann):
    client = client_of(alice)
    address = f"/contacts/{ann.pk}/field/email"
    answer = client.post(address, {"email": "eva@stone.example"}, **HTMX)

    assert answer.status_code == 200


def test_page_of_a_record_leads_to_its_review(alice, charlie, client_of, eva, ann):
    pair = make_pair(eva, ann)
    answer = client_of(alice).get(f"/contacts/{eva.pk}/")

    (notice,) = page(answer).cssselect(".record-alike")
    assert words(notice) == "1 possible duplicateReview"
    assert notice.cssselect("a")[0].get("href") == f"/duplicates/{pair.pk}/"


def test_record_is_checked_on_demand(alice, client_of, eva):
    double = make_contact(owner=alice, **TYPED)
    client = client_of(alice)
    found = client.get(f"/contacts/{eva.pk}/duplicates")
    marked = {"ids": [str(eva.pk), str(double.pk)], "state": "view=all"}
    detected = client.post("/contacts/bulk/duplicates", marked)

    assert (names(found), names(detected)) == (["Eva Stone"], ["Eva Stone"])
