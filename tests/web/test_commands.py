"""What can be done to a record: declared commands, qualify, win, assign, share, delete."""

import datetime
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from rapport.actions import leads, states
from rapport.meta.registry import registry
from rapport.models import Account, Contact, Lead, Note, Opportunity, Share
from rapport.web.commands import DIALOGS
from tests.factories import (
    make,
    make_account,
    make_contact,
    make_lead,
    make_note,
    make_opportunity,
    make_task,
    make_user,
    ref,
    share_with,
)
from tests.web.browsing import errors, page, send, toast, words

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
HUB = [entity for entity in registry if entity.in_hub]
OWNED = [entity for entity in HUB if entity.ownership == "user"]
# What a unit sees of each other: all but personal views.
SEEN = [entity for entity in OWNED if entity.name != "saved_view"]
COMMANDS = [(entity, command) for entity in OWNED for command in entity.commands]
IDS = [f"{entity.name}-{command.key}" for entity, command in COMMANDS]


def url(record, *parts, entity=None):
    name = entity.name if entity else getattr(record, "type", "") or ref(record).entity
    return reverse("record", args=[registry[name], record.pk]) + "/".join(parts)


def fit(entity, command, owner):
    """A record of `owner` to which `command` can be done now."""
    record = make(entity.name, owner=owner)
    for state in entity.states.states:
        stored = entity.model.objects.get(pk=record.pk)
        if command.when(stored):
            return stored
        reserved = [s for (b, s), _name in entity.states.reserved.items() if b == stored.state]
        if state not in reserved and (stored.state, state) in entity.states.transitions:
            states.set_state(entity.name, [record.pk], state=state, by=owner)
    stored = entity.model.objects.get(pk=record.pk)
    assert command.when(stored), "no plain way to a state that the command needs"
    return stored


# -- every declared command ------------------------------------------------------------------------


def test_every_form_that_a_command_names_has_a_dialog():
    named = {command.form for entity in registry for command in entity.commands}

    assert named == set(DIALOGS)


@pytest.mark.parametrize(("entity", "command"), COMMANDS, ids=IDS)
def test_a_command_is_offered_asked_and_done(entity, command, alice, client_of):
    record = fit(entity, command, alice)
    client = client_of(alice)
    address = url(record, "do", command.key, entity=entity)
    shown = client.get(url(record), follow=True)

    question = client.get(address)
    response = client.post(
        address, {"choice": command.choices[0][0]} if command.choices else {"topic": "Line 5"}
    )

    stored = entity.model.objects.get(pk=record.pk)
    assert str(command.label) in words(page(shown).cssselect(".commandbar")[0])
    assert question.status_code == 200
    assert (response.status_code, stored.version) == (303, record.version + 1)
    text, undo = toast(client.get(response["Location"], follow=True))
    assert (undo is not None, bool(text)) == (True, True)

    client.post(undo)
    back = entity.model.objects.get(pk=record.pk)
    assert (back.state, back.status) == (record.state, record.status)


@pytest.mark.once
@pytest.mark.parametrize(("entity", "command"), COMMANDS, ids=IDS)
def test_only_those_who_may_change_it_do_commands(entity, command, alice, bob, charlie, client_of):
    record = fit(entity, command, alice)
    address = url(record, "do", command.key, entity=entity)
    clients = [client_of(user) for user in (bob, charlie)]

    statuses = {
        method: [getattr(client, method)(address).status_code for client in clients]
        for method in ("get", "post")
    }

    assert statuses == {"get": [403, 404], "post": [403, 404]}
    assert entity.model.objects.get(pk=record.pk).version == record.version


def test_a_command_that_does_not_fit_any_more_does_nothing(alice, client_of):
    deal = make_opportunity(owner=alice)
    client = client_of(alice)
    client.post(url(deal, "do/win"), {})

    response = client.post(url(deal, "do/win"), {"actual_revenue": "5"})

    assert (response.status_code, response["Location"]) == (303, url(deal))
    assert Opportunity.objects.get().actual_revenue is None


def test_an_unknown_command_is_not_found(alice, client_of):
    account = make_account(owner=alice)

    assert client_of(alice).post(url(account, "do/explode")).status_code == 404


@pytest.mark.parametrize("choice", ["", "99", "x"])
def test_a_choice_must_be_one_of_those_offered(choice, alice, client_of):
    lead = make_lead(owner=alice)

    response = client_of(alice).post(url(lead, "do/disqualify"), {"choice": choice})

    assert response.status_code == 422
    assert Lead.objects.get().state == 0


def test_a_choice_out_of_the_menu_is_done_at_once(alice, client_of):
    lead = make_lead(owner=alice)
    client = client_of(alice)
    menu = page(client.get(url(lead))).cssselect("#command-disqualify form")

    client.post(menu[1].action)

    assert [words(form_) for form_ in menu] == [
        "Lost", "Cannot Contact", "No Longer Interested", "Canceled",
    ]  # fmt: skip
    assert Lead.objects.get().status == 5


def test_a_refusal_is_said(alice, client_of):
    lead = make_lead(owner=alice)
    leads.qualify_lead(lead.pk, by=alice)
    leads.reactivate_leads([lead.pk], by=alice)
    client = client_of(alice)

    response = client.post(url(lead, "do/disqualify"), {"choice": "4"})

    assert toast(client.get(response["Location"])) == (
        "An opportunity came out of this lead.",
        None,
    )


def test_a_status_reason_is_chosen_from_the_menu(alice, client_of):
    lead = make_lead(owner=alice)
    client = client_of(alice)
    menu = page(client.get(url(lead))).cssselect("#command-status form")

    client.post(menu[1].action)

    assert [words(form_) for form_ in menu] == ["New", "Contacted"]
    assert (Lead.objects.get().status, Lead.objects.get().state) == (2, 0)
    client.post(toast(client.get(url(lead)))[1])
    assert Lead.objects.get().status == 1


@pytest.mark.once
@pytest.mark.parametrize("choice", ["3", "99", "", "x"])
def test_a_status_reason_of_another_state_is_refused(choice, alice, client_of):
    lead = make_lead(owner=alice)
    client = client_of(alice)

    response = client.post(url(lead, f"status?choice={choice}"))

    assert (response.status_code, Lead.objects.get().status) == (303, 1)
    assert toast(client.get(url(lead)))[1] is None


def test_in_the_dialog_the_page_is_opened_anew(alice, client_of):
    account = make_account(owner=alice)

    response = client_of(alice).post(url(account, "do/deactivate"), headers=HTMX)

    assert (response.status_code, response["HX-Redirect"]) == (204, url(account))


# -- win -------------------------------------------------------------------------------------------


def test_a_deal_is_won_with_what_it_brought(alice, client_of):
    deal = make_opportunity(owner=alice, estimated_revenue=Decimal(500))
    client = client_of(alice)
    dialog = client.get(url(deal, "do/win"))
    asked = {i.get("name"): i.get("value") for i in page(dialog).cssselect(".frame input[value]")}

    send(client, dialog, "/do/win", actual_revenue="450.50", actual_close_date="2026-05-04")

    deal.refresh_from_db()
    assert (asked["actual_revenue"], asked["actual_close_date"]) == (
        "500.00", timezone.localdate().isoformat(),
    )  # fmt: skip
    assert (deal.state, deal.actual_revenue, deal.actual_close_date) == (
        1, Decimal("450.50"), datetime.date(2026, 5, 4),
    )  # fmt: skip


def test_what_a_deal_brought_must_be_a_number(alice, client_of):
    deal = make_opportunity(owner=alice)
    client = client_of(alice)

    response = send(client, client.get(url(deal, "do/win")), "/do/win", actual_revenue="much")

    assert (response.status_code, list(errors(response))) == (422, ["actual_revenue"])
    assert Opportunity.objects.get().state == 0


# -- qualify ---------------------------------------------------------------------------------------


@pytest.fixture
def lead(alice):
    return make_lead(
        owner=alice, first_name="Lena", last_name="Lind", company="Lind Works",
        email="lena@lind.example", topic="Three lines", estimated_value=Decimal(900),
    )  # fmt: skip


def counts():
    """How many accounts, contacts and opportunities there are."""
    return Account.objects.count(), Contact.objects.count(), Opportunity.objects.count()


def choices(response, name):
    """{value: (text, chosen)} of the radio buttons of account or contact."""
    found = page(response).cssselect(f".frame input[name='{name}']")
    return {i.get("value"): (words(i.getparent()), i.get("checked") is not None) for i in found}


def test_a_lead_becomes_account_contact_and_opportunity(lead, alice, client_of):
    client = client_of(alice)
    dialog = client.get(url(lead, "do/qualify"))

    response = send(client, dialog, "/do/qualify", topic="Four lines", estimated_revenue="1000")

    deal = Opportunity.objects.get()
    assert choices(dialog, "account") == {
        "new": ("Create a new one", True),
        "skip": ("None", False),
    }
    assert (response.status_code, response["Location"]) == (303, url(deal))
    assert (deal.topic, deal.estimated_revenue) == ("Four lines", 1000)
    assert (deal.account.name, deal.contact.full_name) == ("Lind Works", "Lena Lind")
    text, undo = toast(client.get(url(deal)))
    assert text == "“Lena Lind” was qualified."
    back = client.post(undo, headers={"Referer": f"http://testserver{url(deal)}"})
    assert back["Location"] == "/leads/"
    assert (Account.objects.count(), Contact.objects.count(), Opportunity.objects.count()) == (
        0,
        0,
        0,
    )
    assert Lead.objects.get().state == 0


def test_what_is_there_already_can_be_used(lead, alice, client_of):
    account = make_account(owner=alice, name="Lind Works", address1_city="Ulm")
    contact = make_contact(
        owner=alice, email="lena@lind.example", first_name="Lena", last_name="Lind"
    )
    client = client_of(alice)
    dialog = client.get(url(lead, "do/qualify"))

    assert choices(dialog, "account")[str(account.pk)] == (
        "Use Lind Works Ulm (70% alike: Account name)", True,
    )  # fmt: skip
    assert choices(dialog, "contact")[str(contact.pk)][1] is True
    send(client, dialog, "/do/qualify", contact="new", opportunity=None)

    lead.refresh_from_db()
    assert (lead.state, lead.account_id) == (1, account.pk)
    assert (Account.objects.count(), Contact.objects.count(), Opportunity.objects.count()) == (
        1,
        2,
        0,
    )


def test_nothing_need_be_made(lead, alice, client_of):
    client = client_of(alice)
    dialog = client.get(url(lead, "do/qualify"))

    response = send(client, dialog, "/do/qualify", account="skip", contact="skip", opportunity=None)

    assert (response["Location"], Lead.objects.get().state) == (url(lead), 1)
    assert (Account.objects.count(), Contact.objects.count()) == (0, 0)


def test_matches_out_of_sight_are_not_offered(lead, alice, charlie, client_of):
    hidden = make_account(owner=charlie, name="Lind Works")
    client = client_of(alice)

    dialog = client.get(url(lead, "do/qualify"))
    forced = send(client, dialog, "/do/qualify", account=str(hidden.pk))

    assert str(hidden.pk) not in choices(dialog, "account")
    assert (forced.status_code, Lead.objects.get().state) == (422, 0)
    assert "not there any more" in words(page(forced).cssselect(".form-errors")[0])


def test_a_lead_with_a_known_customer_uses_it(alice, client_of):
    account = make_account(owner=alice, name="Known")
    lead = make_lead(owner=alice, company="Other", account=account)

    dialog = client_of(alice).get(url(lead, "do/qualify"))

    assert choices(dialog, "account")[str(account.pk)] == ("Use Known", True)


# -- assign ----------------------------------------------------------------------------------------


def test_a_record_is_given_to_somebody(alice, bob, client_of):
    account = make_account(owner=alice)
    client = client_of(alice)

    response = send(client, client.get(url(account, "assign")), "/assign", owner_text="bob baker")

    assert (response["Location"], Account.objects.get().owner_id) == (url(account), bob.pk)


def test_open_records_below_follow_when_asked(alice, bob, client_of):
    account = make_account(owner=alice)
    contact = make_contact(owner=alice, account=account)
    client = client_of(alice)
    dialog = client.get(url(account, "assign"))

    send(client, dialog, "/assign", owner_text="bob baker", children="1")

    assert "1 Contact" in words(page(dialog).cssselect(".frame-body")[0])
    contact.refresh_from_db()
    assert contact.owner_id == bob.pk


def test_one_takes_a_record_for_oneself(alice, team, client_of):
    account = make_account(owner=team)
    client = client_of(alice)

    send(client, client.get(url(account, "assign")), "/assign", me="1")

    assert Account.objects.get().owner_id == alice.pk


@pytest.mark.parametrize("typed", ["", "Nobody At All"])
def test_the_new_owner_must_exist(typed, alice, client_of):
    account = make_account(owner=alice)
    client = client_of(alice)

    response = send(client, client.get(url(account, "assign")), "/assign", owner_text=typed)

    assert (response.status_code, list(errors(response))) == (422, ["owner"])


def test_what_was_given_out_of_sight_leads_to_the_list(alice, charlie, client_of):
    account = make_account(owner=alice)
    client = client_of(alice)

    response = send(
        client, client.get(url(account, "assign")), "/assign", owner_text="charlie cook"
    )

    assert response["Location"] == "/accounts/"


# -- share -----------------------------------------------------------------------------------------


@pytest.mark.once
def test_a_record_is_shared_and_no_more(alice, charlie, client_of):
    account = make_account(owner=alice)
    hers, his = client_of(alice), client_of(charlie)

    send(hers, hers.get(url(account, "share")), "/share",
         principal_text="Charlie Cook", can_write="1")  # fmt: skip
    assert (his.get(url(account)).status_code, his.get(url(account, "edit")).status_code) == (
        200,
        200,
    )
    assert his.get(url(account, "delete")).status_code == 403
    dialog = hers.get(url(account, "share"))
    assert words(page(dialog).cssselect(".minilist li")[0]) == "CCCharlie CookRead, WriteRemove"

    hers.post(url(account, "share"), {"remove": str(charlie.pk)})
    assert (his.get(url(account)).status_code, Share.objects.count()) == (404, 0)


def test_nobody_shares_more_than_is_theirs(alice, bob, charlie, client_of):
    account = make_account(owner=alice)
    share_with(account, charlie, can_share=True)
    his = client_of(charlie)

    dialog = his.get(url(account, "share"))
    response = send(his, dialog, "/share", principal_text="Bob Baker", can_delete="1")

    boxes = page(dialog).cssselect("main input[type='checkbox']")
    assert [box.get("name") for box in boxes] == ["can_share"]
    assert response.status_code == 303
    assert Share.objects.get(principal_id=bob.pk).can_delete is False


@pytest.mark.parametrize("remove", ["x", "01900000-0000-7000-8000-000000000001"])
def test_who_has_no_share_cannot_lose_it(remove, alice, client_of):
    account = make_account(owner=alice)

    assert client_of(alice).post(url(account, "share"), {"remove": remove}).status_code == 404


# -- delete ----------------------------------------------------------------------------------------


def test_a_record_is_deleted_and_comes_back(alice, client_of):
    contact = make_contact(owner=alice, first_name="Eva", last_name="Sommer")
    make_note(owner=alice, regarding=contact)
    client = client_of(alice)
    dialog = client.get(url(contact, "delete"))

    response = send(client, dialog, "/delete")

    assert "1 Note" in words(page(dialog).cssselect(".frame-body")[0])
    assert (response["Location"], Contact.objects.count(), Note.objects.count()) == (
        "/contacts/",
        0,
        0,
    )


@pytest.mark.once
def test_what_belongs_to_it_must_be_named_first(alice, client_of):
    account = make_account(owner=alice)
    make_contact(owner=alice, account=account)
    make_opportunity(owner=alice, account=account)
    client = client_of(alice)
    dialog = client.get(url(account, "delete"))

    refused = send(client, dialog, "/delete")
    assert (refused.status_code, Account.objects.count()) == (422, 1)
    assert "1 Contact1 Opportunity" in words(page(refused).cssselect(".frame-body")[0])

    done = send(client, refused, "/delete", with_all="1")
    assert (done.status_code, Account.objects.count(), Contact.objects.count()) == (303, 0, 0)


def test_what_belongs_to_somebody_else_is_not_deleted_along(alice, bob, client_of):
    account = make_account(owner=alice)
    make_contact(owner=bob, account=account)

    response = client_of(alice).post(url(account, "delete"), {"with_all": "1"})

    assert (response.status_code, Account.objects.count(), Contact.objects.count()) == (403, 1, 1)


@pytest.mark.parametrize("entity", [e for e in HUB if not e.deletable], ids=lambda e: e.name)
def test_some_things_are_never_deleted(entity, admin, client_of):
    record = make(entity.name)

    assert client_of(admin).post(url(record, "delete", entity=entity)).status_code == 403
    assert entity.model.objects.filter(pk=record.pk).exists()


# -- rights ----------------------------------------------------------------------------------------


@pytest.mark.once
@pytest.mark.parametrize("entity", SEEN, ids=lambda entity: entity.name)
def test_the_three_of_them(entity, alice, bob, charlie, client_of):
    record = make(entity.name, owner=alice)
    clients = [client_of(user) for user in (alice, bob, charlie)]

    found = {}
    for path in ("assign", "share", "delete", "status"):
        address = url(record, path, entity=entity)
        found[path] = [
            [getattr(client, method)(address).status_code for client in clients[1:]]
            for method in ("get", "post")
        ] + [clients[0].get(address).status_code]

    forbidden = [[403, 404], [403, 404], 200]
    assert found == {
        **dict.fromkeys(("assign", "share", "delete"), forbidden),
        "status": [[405, 405], [403, 404], 405],
    }


def test_the_bar_has_what_one_may_do(alice, bob, client_of):
    task = make_task(owner=alice)
    reader = make_user(roles=("read-only",), unit=alice.business_unit)

    def bar(user):
        found = page(client_of(user).get(url(task))).cssselect(".commandbar .button")
        return [label for item in found if (label := words(item))]

    assert bar(alice) == [
        "Edit", "New", "Cancel", "Assign", "Share", "Delete", "Mark complete",
    ]  # fmt: skip
    assert (bar(bob), bar(reader)) == (["New"], [])
