"""The page of a record: values, timeline, related lists, history; made and changed."""

import datetime
import json
import re

import pytest
from django.urls import reverse
from django.utils import timezone

from rapport.actions import records, states
from rapport.actions.people import SETUP
from rapport.meta.kinds import Kind
from rapport.meta.registry import registry
from rapport.models import Account, Contact, Note, Visit
from rapport.queries import one, timeline
from rapport.queries.timeline import FEW_PINNED, Place
from rapport.web.panels import PLAIN
from rapport.web.timelines import SHOW
from tests.factories import (
    make,
    make_account,
    make_contact,
    make_lead,
    make_note,
    make_opportunity,
    make_phone_call,
    make_task,
    make_user,
    ref,
    share_with,
)
from tests.web.browsing import errors, page, send, toast, values_of, words

pytestmark = pytest.mark.django_db

HUB = [entity for entity in registry if entity.in_hub]
OWNED = [entity for entity in HUB if entity.ownership == "user"]
# The rows of all activities lead to the page of their type.
PAGES = [entity for entity in HUB if entity.name != "activity"]
# What a unit sees of each other: all but personal views.
SHARED = [entity for entity in OWNED if entity.name != "saved_view"]
PUBLIC = {"user", "team", "business_unit"}
EVIL = "<script>alert(1)</script>"
HTMX = {"HX-Request": "true"}


def url(record, *parts, entity=None):
    name = entity.name if entity else getattr(record, "type", "") or ref(record).entity
    return reverse("record", args=[registry[name], record.pk]) + "/".join(parts)


def title(response):
    return words(page(response).cssselect("h1")[0])


def fact(response, label):
    """The value beside a label of the page."""
    for found in page(response).cssselect(".fact"):
        if words(found.cssselect("dt")[0]).removesuffix(" *") == label:
            return words(found.cssselect("dd")[0])
    return None


def entries(response):
    return [words(found) for found in page(response).cssselect(".timeline-title")]


# -- who sees a page -------------------------------------------------------------------------------


@pytest.mark.once
@pytest.mark.parametrize("entity", OWNED, ids=lambda entity: entity.name)
def test_owner_and_team_mate_see_a_record_and_strangers_do_not(
    entity, alice, bob, charlie, client_of
):
    record = make(entity.name, owner=alice)
    address = url(record, entity=None if entity.name == "activity" else entity)
    clients = [client_of(user) for user in (alice, bob, charlie)]
    tabs = ("", "?tab=details", "?tab=history")

    seen = {tab: [client.get(address + tab).status_code for client in clients] for tab in tabs}

    # Personal views are one's own.
    expected = [200, 404 if entity.name == "saved_view" else 200, 404]
    assert [seen[tab] for tab in tabs] == [expected] * 3


@pytest.mark.parametrize("entity", PAGES, ids=lambda entity: entity.name)
def test_every_entity_has_a_page(entity, admin, alice, client_of):
    record = make(entity.name)
    organisation = entity.ownership == "organisation"

    assert client_of(admin).get(url(record, entity=entity)).status_code == 200
    if organisation:
        status = client_of(alice).get(url(record, entity=entity)).status_code
        assert status == (200 if entity.name in PUBLIC else 404)


def test_a_shared_record_is_seen_by_those_it_is_shared_with(alice, charlie, client_of):
    account = make_account(owner=alice)
    share_with(account, charlie)

    assert client_of(charlie).get(url(account)).status_code == 200


def test_nobody_without_signing_in(client):
    response = client.get(url(make_account()))

    assert (response.status_code, response["Location"].startswith("/sign-in/")) == (303, True)


def test_an_activity_leads_to_the_page_of_its_type(alice, client_of):
    call = make_phone_call(owner=alice)

    response = client_of(alice).get(reverse("record", args=[registry["activity"], call.pk]))

    assert (response.status_code, response["Location"]) == (303, f"/phone-calls/{call.pk}/")


def test_an_activity_is_not_found_under_another_type(alice, client_of):
    call = make_phone_call(owner=alice)

    response = client_of(alice).get(reverse("record", args=[registry["task"], call.pk]))

    assert response.status_code == 404


# -- what it costs ---------------------------------------------------------------------------------


def busy(owner, count):
    """A contact with that many of everything a page shows."""
    account = make_account(owner=owner)
    contact = make_contact(owner=owner, account=account)
    for number in range(count):
        make_task(owner=owner, regarding=contact, subject=f"Task {number}")
        make_note(owner=owner, regarding=contact, subject=f"Note {number}")
        make_opportunity(owner=owner, account=account, contact=contact)
        make_contact(owner=owner, account=account, manager=contact)
        records.update_record(
            registry["contact"], contact.pk, {"job_title": f"Job {number}"}, by=owner
        )
    return account, contact


@pytest.mark.once
@pytest.mark.parametrize("count", [1, 3, 20])
def test_pages_take_a_fixed_number_of_statements(
    count, alice, client_of, django_assert_num_queries
):
    account, contact = busy(alice, count)
    client = client_of(alice)

    # session, user, rights, shares, record, names, three lists, activities, notes, changes;
    # the company of the contact, and the names of those whom the account's timeline is about;
    # open pairs of duplicates
    with django_assert_num_queries(14):
        assert client.get(url(contact)).status_code == 200
    with django_assert_num_queries(14):
        assert client.get(url(account)).status_code == 200


@pytest.mark.once
def test_a_page_with_fifty_activities_takes_no_more(alice, client_of, django_assert_num_queries):
    contact = make_contact(owner=alice, account=make_account(owner=alice))
    for _ in range(50):
        make_task(owner=alice, regarding=contact)
    client = client_of(alice)

    with django_assert_num_queries(14):
        client.get(url(contact))


def test_reading_a_page_writes_nothing(alice, client_of):
    account = make_account(owner=alice)

    client_of(alice).get(url(account))

    assert not Visit.objects.exists()


# -- values ----------------------------------------------------------------------------------------


def test_head_facts_and_sections(alice, client_of):
    account = make_account(
        name="Collado S.A.", owner=alice, main_phone="+34 91", annual_revenue=1500
    )
    contact = make_contact(
        first_name="Ana", last_name="Alvarez", job_title="CFO", account=account, owner=alice
    )
    client = client_of(alice)

    response = client.get(url(contact))

    document = page(response)
    heads = [words(dd) for dd in document.cssselect(".keyfacts dd")]
    card = document.cssselect(".minilist-link")[0]
    assert title(response) == "Ana Alvarez"
    assert words(document.cssselect(".record-name p")[0]) == "Contact · Collado S.A."
    assert heads == ["CFO", "—", "Active", "AAAlice Archer"]
    assert fact(response, "Company name") == "Collado S.A."
    assert (card.get("href"), words(card)) == (url(account), "Collado S.A.+34 91")
    assert words(page(client.get(url(account))).cssselect(".keyfacts dd")[0]) == "1,500.00 EUR"


def test_details_tell_who_made_it(alice, client_of):
    lead = make_lead(owner=alice, by=alice)

    response = client_of(alice).get(url(lead) + "?tab=details")

    assert (fact(response, "Created by"), fact(response, "Owning business unit")) == (
        "Alice Archer",
        "North",
    )


def test_a_record_without_a_name_is_called_by_what_it_has(alice, client_of):
    lead = make("lead", owner=alice, first_name="", last_name="", company="Stone Ltd")

    assert title(client_of(alice).get(url(lead))) == "Stone Ltd"


def test_links_to_what_the_viewer_may_not_see_have_no_name(alice, charlie, client_of):
    contact = make_contact(owner=alice, account=make_account(name="Secret AG", owner=charlie))

    response = client_of(alice).get(url(contact))

    assert fact(response, "Company name") == "Not visible to you"
    assert "Secret" not in response.content.decode()


def test_a_closed_record_cannot_be_changed(alice, client_of):
    account = make_account(owner=alice)
    states.deactivate("account", [account.pk], by=alice)
    client = client_of(alice)

    response = client.get(url(account))

    assert page(response).cssselect("crm-field") == []
    assert "closed (Inactive)" in words(page(response).cssselect(".notice")[0])
    assert client.get(url(account, "edit")).status_code == 409
    assert client.post(url(account, "edit"), {"name": "Other"}).status_code == 422


@pytest.mark.once
def test_those_who_may_only_read_get_no_pencils_and_no_commands(alice, bob, client_of):
    account = make_account(owner=alice)

    hers, his = (page(client_of(user).get(url(account))) for user in (alice, bob))

    assert (len(hers.cssselect(".fact-edit")) > 5, his.cssselect(".fact-edit")) == (True, [])
    assert [words(a) for a in his.cssselect(".commandbar-items .button")] == [
        "",
        "New",
        "Check for duplicates",
    ]


def test_what_people_typed_is_text_and_nothing_else(alice, client_of):
    account = make_account(owner=alice, name=EVIL, description=EVIL)
    typed = {
        name: EVIL
        for name, field in registry["contact"].fields.items()
        if field.kind in {Kind.TEXT, Kind.LONG_TEXT, Kind.PHONE}
        and not field.read_only
        and (field.max_length or 100) >= len(EVIL)
    }
    contact = make("contact", owner=alice, account=account, **typed)
    make_note(owner=alice, regarding=contact, subject=EVIL, text=EVIL, pinned=True)
    make_task(owner=alice, regarding=contact, subject=EVIL, description=EVIL)
    make_opportunity(owner=alice, account=account, contact=contact, topic=EVIL)
    records.update_record(registry["contact"], contact.pk, {"job_title": "CFO"}, by=alice)
    client = client_of(alice)
    addresses = [
        url(contact), url(account), url(contact) + "?tab=details", url(contact) + "?tab=history",
        url(contact, "edit"), url(contact, "delete"), url(contact, "assign"), url(contact, "share"),
        url(contact, "field/description"), url(account, "related/0"), url(contact, "timeline"),
        reverse("quick-create", args=[registry["contact"]]) + f"?last_name={EVIL}",
        reverse("lookup", args=["contact", "account"]) + "?q=script",
    ]  # fmt: skip

    found = {}
    for address in addresses:
        html = client.get(address, headers=HTMX).content.decode()
        found[address] = (EVIL in html, "alert(1)" in html)

    assert found == dict.fromkeys(addresses, (False, True))


# -- related lists ---------------------------------------------------------------------------------


def panels_of(response):
    """{title: (count, names, address of all)} of the related lists."""
    found = {}
    for panel in page(response).cssselect(".panel"):
        if panel.cssselect(".panel-head .count"):
            every = panel.cssselect(".panel-foot a")
            found[words(panel.cssselect("h2")[0])] = (
                words(panel.cssselect(".count")[0]),
                [words(b) for b in panel.cssselect(".minilist-text b")],
                every[0].get("href") if every else "",
            )
    return found


def test_related_lists_show_a_few_and_lead_to_all(alice, client_of):
    account = make_account(owner=alice)
    for number in range(7):
        make_contact(
            owner=alice,
            account=account,
            first_name="",
            last_name=f"Nr {number}",
            role=1 if number == 6 else 2,
        )

    found = panels_of(client_of(alice).get(url(account)))

    every = f"/contacts/?view=all&f=account~eq~{account.pk}"
    assert found == {
        "Contacts": ("7", [f"Nr {number}" for number in range(5)], every),
        "Decision makers": ("1", ["Nr 6"], ""),
        "Opportunities": ("0", [], ""),
    }
    assert client_of(alice).get(every).status_code == 200


@pytest.mark.once
def test_related_lists_count_to_twenty(alice, client_of):
    account = make_account(owner=alice)
    for _ in range(21):
        make_contact(owner=alice, account=account)

    assert panels_of(client_of(alice).get(url(account)))["Contacts"][0] == "20+"


def test_later_lists_are_fetched_when_they_come_into_sight(alice, client_of):
    account = make_account(owner=alice)
    make_account(owner=alice, name="Daughter", parent_account=account)
    client = client_of(alice)

    asked = [
        e.get("hx-get")
        for e in page(client.get(url(account))).cssselect("[hx-trigger='intersect once']")
    ]

    assert asked == [url(account, "related/3"), url(account, "related/4")]
    assert panels_of(client.get(asked[0], headers=HTMX))["Child accounts"][:2] == (
        "1",
        ["Daughter"],
    )
    assert client.get(url(account, "related/9"), headers=HTMX).status_code == 404


def test_lists_of_what_the_viewer_may_not_read_are_missing(north, alice, client_of):
    account = make_account(owner=alice)
    service = client_of(make_user(roles=("customer-service",), unit=north))

    later = page(service.get(url(account))).cssselect("[hx-trigger='intersect once']")

    # Customer Service reads no leads.
    assert [found.get("hx-get") for found in later] == [url(account, "related/3")]
    assert service.get(url(account, "related/4"), headers=HTMX).status_code == 404


def test_related_lists_hide_what_the_viewer_may_not_see(alice, charlie, client_of):
    account = make_account(owner=alice)
    make_contact(owner=charlie, account=account, last_name="Hidden")

    assert panels_of(client_of(alice).get(url(account)))["Contacts"][:2] == ("0", [])


def test_a_new_contact_comes_prefilled_from_its_account(alice, client_of):
    account = make_account(owner=alice, name="Acme", main_phone="+49 30 1", address1_city="Bonn")
    client = client_of(alice)
    new = page(client.get(url(account))).cssselect("[aria-label='New Contact']")[0].get("href")

    response = send(client, client.get(new), "/quick", last_name="Sommer")

    contact = Contact.objects.get(last_name="Sommer")
    assert response.status_code == 303
    assert (contact.account, contact.owner_id) == (account, alice.pk)
    assert (contact.business_phone, contact.address1_city) == ("+49 30 1", "Bonn")


# -- timeline --------------------------------------------------------------------------------------


def test_every_sort_of_entry_is_shown():
    assert set(SHOW) == timeline.KINDS
    assert set(PLAIN) == set(Kind)


def test_the_timeline_has_pinned_notes_first_then_the_newest(alice, client_of):
    now = timezone.now()
    contact = make_contact(owner=alice, by=alice)
    make_note(owner=alice, regarding=contact, subject="Old and pinned", pinned=True,
              occurred_at=now - datetime.timedelta(days=90))  # fmt: skip
    make_note(
        owner=alice,
        regarding=contact,
        subject="Yesterday",
        occurred_at=now - datetime.timedelta(days=1),
    )
    make_task(
        owner=alice, regarding=contact, subject="Soon", due_at=now + datetime.timedelta(days=3)
    )

    response = client_of(alice).get(url(contact))

    assert entries(response) == [
        "Old and pinned",
        "Soon",
        "Alice Archer created this record",
        "Yesterday",
    ]


def test_pages_of_the_timeline_neither_skip_nor_repeat(alice, client_of):
    moment = timezone.now()
    contact = make_contact(owner=alice, created_at=moment)
    for number in range(20):
        # All at the same moment: only the key tells them apart.
        make_note(owner=alice, regarding=contact, subject=f"N{number}", occurred_at=moment)
        make_task(owner=alice, regarding=contact, subject=f"T{number}", due_at=moment)
    client = client_of(alice)

    seen, address = [], url(contact, "timeline")
    while address:
        response = client.get(address, headers=HTMX)
        seen += [e.get("id") for e in page(response).cssselect(".timeline-entry")]
        following = page(response).cssselect(".timeline-next a")
        address = following[0].get("href") if following else ""

    assert (len(seen), len(set(seen))) == (41, 41)


def test_many_pinned_notes_hide_no_other(alice):
    contact = make_contact(owner=alice)
    for number in range(FEW_PINNED + 20):
        make_note(owner=alice, regarding=contact, subject=f"P{number}", pinned=True)
    make_note(owner=alice, regarding=contact, subject="Plain")

    found, _end = timeline.timeline(one.get(registry["contact"], contact.pk, alice), alice)

    assert [e.row.subject for e in found if e.kind == "note" and not e.pinned] == ["Plain"]
    assert sum(e.pinned for e in found) == FEW_PINNED + 20


@pytest.mark.once
@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "note~1~2",
        "note~x~2026-01-01",
        "note~1~2026-01-01T00:00:00",
        "lead~1~2026-01-01T00:00:00Z",
    ],
)
def test_a_damaged_place_is_the_first_page(text, alice, client_of):
    contact = make_contact(owner=alice, by=alice)

    assert Place.read(text) is None
    assert entries(client_of(alice).get(url(contact) + f"?after={text}")) == [
        "Alice Archer created this record"
    ]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("show=note", ["About prices"]),
        ("show=activity", ["Call back"]),
        ("show=note&show=activity", ["About prices", "Call back"]),
        ("find=PRICES", ["About prices"]),
        ("find=nothing", []),
    ],
)
def test_the_timeline_is_filtered_and_searched(query, expected, alice, client_of):
    contact = make_contact(owner=alice)
    make_note(owner=alice, regarding=contact, subject="About prices")
    make_task(owner=alice, regarding=contact, subject="Call back")
    client = client_of(alice)

    for address, headers in ((url(contact), {}), (url(contact, "timeline"), HTMX)):
        assert sorted(entries(client.get(f"{address}?{query}", headers=headers))) == expected


def test_an_accounts_timeline_names_whom_it_was_with(alice, client_of):
    account = make_account(owner=alice)
    contact = make_contact(owner=alice, account=account, first_name="Eva", last_name="Sommer")
    make_task(owner=alice, regarding=contact, subject="Call")

    meta = [words(p) for p in page(client_of(alice).get(url(account))).cssselect(".timeline-meta")]

    assert meta[0].startswith("Task · Alice Archer · Eva Sommer")


def test_a_note_is_written_on_the_page(alice, client_of):
    contact = make_contact(owner=alice)
    client = client_of(alice)

    response = send(client, client.get(url(contact)), "/note", text="  First line\r\nsecond  ")
    note = Note.objects.get()
    part = client.post(url(contact, "note"), {"text": "Another"}, headers=HTMX)

    assert (response.status_code, response["Location"]) == (303, url(contact))
    assert (note.text, note.regarding_id, note.owner_id) == (
        "First line\nsecond",
        contact.pk,
        alice.pk,
    )
    assert (part.status_code, len(entries(part))) == (200, 3)


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_an_empty_note_is_an_error_and_nothing_is_lost(headers, alice, client_of):
    contact = make_contact(owner=alice)

    response = client_of(alice).post(url(contact, "note"), {"text": "   "}, headers=headers)

    message = words(page(response).cssselect("#composer-error")[0])
    assert (response.status_code, message) == (422, "Write something.")


def test_who_may_not_write_notes_has_no_box(charlie, north, client_of):
    contact = make_contact(owner=charlie)
    reader = make_user(roles=("read-only",), unit=north)

    response = client_of(reader).get(url(contact))

    assert page(response).cssselect(".composer") == []
    assert client_of(reader).post(url(contact, "note"), {"text": "x"}).status_code == 403


def test_a_note_is_pinned_by_a_button(alice, client_of):
    contact = make_contact(owner=alice)
    note = make_note(owner=alice, regarding=contact)
    client = client_of(alice)

    response = send(client, client.get(url(contact)), "/field/pinned")

    assert (response.status_code, response["Location"]) == (303, url(contact))
    assert Note.objects.get(pk=note.pk).pinned is True


def test_an_open_activity_is_completed_from_the_timeline(alice, client_of):
    contact = make_contact(owner=alice)
    task = make_task(
        owner=alice, regarding=contact, due_at=timezone.now() - datetime.timedelta(days=2)
    )
    client = client_of(alice)

    before = client.get(url(contact))
    response = send(client, before, "/do/complete")

    task.refresh_from_db()
    assert page(before).cssselect("[data-status='overdue']") != []
    assert (response["Location"], task.state) == (url(contact), 1)
    assert page(client.get(url(contact))).cssselect("[data-status='overdue']") == []


def test_new_activities_are_about_the_record(alice, client_of):
    contact = make_contact(owner=alice, first_name="Eva", last_name="Sommer")
    client = client_of(alice)

    new = [a.get("href") for a in page(client.get(url(contact))).cssselect("#timeline-new a")]
    response = send(client, client.get(new[1]), "/quick", subject="Call her")

    assert [address.partition("?")[0] for address in new] == [
        "/tasks/quick", "/phone-calls/quick", "/appointments/quick", "/emails/quick",
    ]  # fmt: skip
    assert response.status_code == 303
    assert "Call her" in entries(client.get(url(contact)))


# -- history ---------------------------------------------------------------------------------------


def test_the_history_tells_who_changed_what(alice, bob, admin, client_of):
    account = make_account(owner=alice, name="Acme")
    other = make_account(owner=alice, name="Other")
    contact = make_contact(owner=alice, by=alice, job_title="Buyer")
    records.update_record(
        registry["contact"], contact.pk, {"job_title": "CFO", "account": account.pk}, by=admin
    )
    records.update_record(registry["contact"], contact.pk, {"account": other.pk}, by=alice)

    response = client_of(bob).get(url(contact) + "?tab=history")

    rows = [
        [words(cell) for cell in row.cssselect("td")]
        for row in page(response).cssselect("section tbody tr")
    ]
    assert [row[1:-1] for row in rows] == [
        ["Alice Archer", "Alice Archer changed Company name", "Company name", "Acme", "Other"],
        ["Ada Admin", "Ada Admin changed Job title and Company name", "Job title", "Buyer", "CFO"],
        ["—"],
        ["Alice Archer", "Alice Archer created this record"],
    ]


def test_the_history_names_no_record_out_of_sight(alice, bob, charlie, client_of):
    secret = make_account(owner=charlie, name="Secret AG")
    contact = make_contact(owner=alice)
    records.update_record(registry["contact"], contact.pk, {"account": secret.pk}, by=SETUP)

    response = client_of(bob).get(url(contact) + "?tab=history")

    assert "Not visible to you" in words(page(response))
    assert "Secret" not in response.content.decode()


@pytest.mark.once
def test_the_history_goes_on_by_key(alice, client_of):
    contact = make_contact(owner=alice, by=alice)
    for number in range(60):
        records.update_record(registry["contact"], contact.pk, {"job_title": str(number)}, by=alice)
    client = client_of(alice)

    first = page(client.get(url(contact) + "?tab=history"))
    rest = page(client.get(url(contact) + first.cssselect(".panel-foot a")[0].get("href")))

    assert [len(one.cssselect("section tbody tr")) for one in (first, rest)] == [50, 11]


# -- visits ----------------------------------------------------------------------------------------


def test_the_page_tells_that_it_was_opened(alice, charlie, client_of):
    account = make_account(owner=alice)
    beacon = page(client_of(alice).get(url(account))).cssselect("[hx-post$='/visit']")[0]

    statuses = [
        client_of(user).post(beacon.get("hx-post")).status_code for user in (alice, charlie)
    ]

    assert beacon.get("hx-trigger") == "load once"
    assert statuses == [204, 404]
    assert list(Visit.objects.values_list("user", "entity", "record")) == [
        (alice.pk, "account", account.pk)
    ]


# -- new -------------------------------------------------------------------------------------------


@pytest.mark.once
@pytest.mark.parametrize("name", ["create", "quick-create"])
@pytest.mark.parametrize("entity", HUB, ids=lambda entity: entity.name)
def test_a_new_record_of_every_entity(name, entity, admin, client_of):
    response = client_of(admin).get(reverse(name, args=[entity]))

    assert response.status_code == (200 if entity.creatable else 404)


@pytest.mark.parametrize("name", ["create", "quick-create"])
def test_those_who_may_not_create_are_told(name, north, client_of):
    reader = client_of(make_user(roles=("read-only",), unit=north))
    address = reverse(name, args=[registry["account"]])

    assert [reader.get(address).status_code, reader.post(address).status_code] == [403, 403]


def test_a_contact_is_made_by_the_plain_form(alice, client_of):
    account = make_account(owner=alice, name="Acme")
    client = client_of(alice)
    address = reverse("create", args=[registry["contact"]])

    response = send(
        client, client.get(address), "/new",
        first_name="Eva", last_name="Sommer", account_text="acme", birthday="1990-05-04",
    )  # fmt: skip

    contact = Contact.objects.get()
    assert (response.status_code, response["Location"]) == (303, url(contact))
    assert (contact.full_name, contact.account_id, contact.birthday.year, contact.owner_id) == (
        "Eva Sommer", account.pk, 1990, alice.pk,
    )  # fmt: skip
    text, undo = toast(client.get(url(contact)))
    assert text == "Contact “Eva Sommer” was created."
    client.post(undo)
    assert not Contact.objects.exists()


def test_mistakes_come_back_with_everything_that_was_typed(alice, client_of):
    client = client_of(alice)
    address = reverse("create", args=[registry["contact"]])

    response = send(
        client, client.get(address), "/new",
        first_name="Eva", last_name="", email="nobody", account_text="Nobody Ltd", job_title="CFO",
    )  # fmt: skip

    typed = {i.get("name"): i.get("value") for i in page(response).cssselect("input[value]")}
    assert response.status_code == 422
    assert errors(response) == {
        "last_name": "Last name is required.",
        "email": "“nobody” is not an e-mail address. Write it like name@example.com.",
        "account": "There is no “Nobody Ltd”. Tick the box to create it, or write another name.",
    }
    assert (typed["first_name"], typed["email"], typed["account_text"], typed["job_title"]) == (
        "Eva", "nobody", "Nobody Ltd", "CFO",
    )  # fmt: skip
    again = send(client, response, "/new", last_name="Sommer", email="", account_pick="new")
    assert again.status_code == 303
    assert Contact.objects.get().account.name == "Nobody Ltd"


def test_a_rule_of_the_action_is_told_beside_its_field(alice, client_of):
    client = client_of(alice)
    address = reverse("quick-create", args=[registry["opportunity"]])

    response = send(client, client.get(address), "/quick", topic="Line 5")

    assert (response.status_code, errors(response)) == (
        422, {"account": "Name an account or a contact: whose deal is it?"},
    )  # fmt: skip


def test_quick_create_in_the_dialog_stays_on_the_page(alice, client_of):
    account = make_account(owner=alice)
    client = client_of(alice)
    here = {**HTMX, "HX-Current-URL": f"http://testserver{url(account)}?tab=details"}
    address = reverse("quick-create", args=[registry["contact"]])

    part = client.get(address, headers=here)
    stay = send_part(client, part, {"last_name": "Sommer"})
    opened = send_part(client, part, {"last_name": "Winter", "then": "open"})

    assert page(part).cssselect("main") == []
    assert (stay.status_code, stay["HX-Redirect"]) == (204, f"{url(account)}?tab=details")
    assert opened["HX-Redirect"] == url(Contact.objects.get(last_name="Winter"))


def send_part(client, response, changes):
    found = page(response).forms[0]
    return client.post(found.action, {**values_of(found), **changes}, headers=HTMX)


@pytest.mark.parametrize(
    "next_", ["https://evil.example/", "//evil.example", "javascript:alert(1)"]
)
def test_nobody_is_led_elsewhere(next_, alice, client_of):
    address = reverse("quick-create", args=[registry["account"]])

    response = client_of(alice).post(address, {"name": "Acme", "next": next_})

    assert response["Location"] == url(Account.objects.get())


def test_cancel_leads_nowhere_else(alice, client_of):
    address = reverse("quick-create", args=[registry["account"]])

    document = page(client_of(alice).get(f"{address}?next=javascript:alert(1)"))

    links = [a.get("href") for a in document.cssselect("main a")]
    assert [link for link in links if not link.startswith("/")] == []
    assert document.cssselect("main [name='next']")[0].get("value") == ""


# -- look-ups --------------------------------------------------------------------------------------


def options(response):
    return [words(b) for b in page(response).cssselect("[role=option] b")]


def test_a_look_up_offers_what_its_user_may_see(alice, charlie, client_of):
    make_account(owner=alice, name="Acme North")
    make_account(owner=charlie, name="Acme South")
    address = reverse("lookup", args=["contact", "account"])

    found = [options(client_of(user).get(address + "?q=acme")) for user in (alice, charlie)]

    assert found == [["Acme North"], ["Acme South"]]


def test_a_look_up_without_words_offers_what_was_opened_last(alice, client_of):
    first, _second = make_account(owner=alice, name="Zeta"), make_account(owner=alice, name="Alpha")
    client = client_of(alice)
    client.post(url(first, "visit"))

    assert options(client.get(reverse("lookup", args=["contact", "account"]))) == ["Zeta", "Alpha"]


def test_a_look_up_makes_a_record_of_a_name(alice, client_of):
    client = client_of(alice)
    address = reverse("lookup", args=["opportunity", "contact"])

    response = client.post(address, {"name": " Eva  Maria Sommer "}, headers=HTMX)

    contact = Contact.objects.get()
    option = page(response).cssselect("[role=option]")[0]
    assert (contact.first_name, contact.last_name, contact.owner_id) == (
        "Eva Maria",
        "Sommer",
        alice.pk,
    )
    assert (option.get("data-value"), option.get("data-label")) == (
        str(contact.pk),
        "Eva Maria Sommer",
    )


@pytest.mark.parametrize("name", ["", "x" * 300])
def test_a_look_up_tells_why_it_makes_nothing(name, alice, client_of):
    response = client_of(alice).post(reverse("lookup", args=["contact", "account"]), {"name": name})

    assert (response.status_code, Account.objects.count()) == (422, 0)


def test_a_look_up_makes_nothing_without_the_right(north, client_of):
    reader = make_user(roles=("read-only",), unit=north)

    response = client_of(reader).post(reverse("lookup", args=["contact", "account"]), {"name": "A"})

    assert (response.status_code, Account.objects.count()) == (403, 0)


def test_a_look_up_makes_no_users(admin, client_of):
    address = reverse("lookup", args=["membership", "user"])

    assert client_of(admin).post(address, {"name": "Eva Sommer"}).status_code == 403


@pytest.mark.parametrize(
    "path", ["/lookup/nothing/account", "/lookup/contact/last_name", "/lookup/contact/nothing"]
)
def test_only_look_ups_look_up(path, alice, client_of):
    assert client_of(alice).get(path).status_code == 404


# -- changed as a whole ----------------------------------------------------------------------------


def test_a_record_is_changed_by_the_plain_form(alice, client_of):
    contact = make_contact(owner=alice, first_name="Eva", last_name="Sommer", job_title="Buyer")
    client = client_of(alice)

    response = send(client, client.get(url(contact, "edit")), "/edit", job_title="CFO")

    contact.refresh_from_db()
    assert (response.status_code, response["Location"]) == (303, url(contact))
    assert (contact.job_title, contact.version) == ("CFO", 2)
    text, undo = toast(client.get(url(contact)))
    assert text == "“Eva Sommer” was saved."
    client.post(undo)
    assert Contact.objects.get(pk=contact.pk).job_title == "Buyer"


def test_a_form_sent_without_a_change_writes_nothing(alice, client_of):
    contact = make_contact(owner=alice)
    client = client_of(alice)

    response = send(client, client.get(url(contact, "edit")), "/edit")

    contact.refresh_from_db()
    assert (response.status_code, contact.version) == (303, 1)


def test_two_people_who_change_different_fields_both_win(alice, bob, team, client_of):
    contact = make_contact(owner=team)
    hers, his = client_of(alice), client_of(bob)
    seen = hers.get(url(contact, "edit"))

    send(his, his.get(url(contact, "edit")), "/edit", job_title="CFO")
    response = send(hers, seen, "/edit", nickname="Evi")

    contact.refresh_from_db()
    assert (response.status_code, contact.job_title, contact.nickname) == (303, "CFO", "Evi")


@pytest.mark.once
def test_the_same_field_shows_both_values_and_loses_nothing(alice, bob, team, client_of):
    contact = make_contact(owner=team, job_title="Buyer")
    hers, his = client_of(alice), client_of(bob)
    seen = hers.get(url(contact, "edit"))
    send(his, his.get(url(contact, "edit")), "/edit", job_title="CFO")

    response = send(hers, seen, "/edit", job_title="CEO", nickname="Evi")

    row = page(response).cssselect(".conflict tbody tr")[0]
    assert response.status_code == 409
    assert [words(cell) for cell in row] == ["Job title", "CEO", "CFO"]
    contact.refresh_from_db()
    assert (contact.job_title, contact.nickname) == ("CFO", "")

    for choice, expected in (("theirs", "CFO"), ("mine", "CEO")):
        again = send(hers, response, "/edit", **{"keep-job_title": choice})
        contact.refresh_from_db()
        assert (again.status_code, contact.job_title, contact.nickname) == (303, expected, "Evi")


def test_a_conflict_of_records_names_both(alice, bob, team, client_of):
    accounts = {name: make_account(owner=team, name=name) for name in ("Alpha", "Beta")}
    contact = make_contact(owner=team)
    hers, his = client_of(alice), client_of(bob)
    seen = hers.get(url(contact, "edit"))
    send(
        his,
        his.get(url(contact, "edit")),
        "/edit",
        account=str(accounts["Beta"].pk),
        account_text="Beta",
    )

    response = send(hers, seen, "/edit", account_text="Alpha")

    row = page(response).cssselect(".conflict tbody tr")[0]
    assert (response.status_code, [words(cell) for cell in row]) == (
        409, ["Company name", "Alpha", "Beta"],
    )  # fmt: skip


def test_a_deleted_record_cannot_be_saved(alice, client_of):
    contact = make_contact(owner=alice)
    client = client_of(alice)
    seen = client.get(url(contact, "edit"))
    records.delete_records(registry["contact"], [contact.pk], by=alice)

    assert send(client, seen, "/edit", job_title="CFO").status_code == 404


# -- changed in place ------------------------------------------------------------------------------


def in_place(client, record, name, **changes):
    """Open the form of one value and send it with htmx."""
    part = client.get(url(record, "field", name), headers=HTMX)
    return send_part(client, part, changes)


def test_a_value_is_changed_in_place(alice, client_of):
    contact = make_contact(owner=alice, first_name="Eva", last_name="Sommer")
    client = client_of(alice)

    response = in_place(client, contact, "last_name", last_name="Winter")

    document = page(response)
    contact.refresh_from_db()
    assert (response.status_code, contact.full_name) == (200, "Eva Winter")
    assert document.cssselect("#record-title")[0].text == "Eva Winter"
    assert document.cssselect("a.fact-edit")[0].get("hx-get") == url(contact, "field/last_name")
    toast_ = json.loads(response["HX-Trigger"])["crm:toast"]
    assert toast_["text"] == "Last name was saved."
    client.post(toast_["undo"])
    assert Contact.objects.get().last_name == "Sommer"


def test_a_mistake_in_place_brings_the_form_back(alice, client_of):
    contact = make_contact(owner=alice)

    response = in_place(client_of(alice), contact, "email", email="nobody")

    assert (response.status_code, list(errors(response))) == (422, ["email"])
    assert page(response).cssselect("form")[0].get("hx-post") == url(contact, "field/email")


def test_a_conflict_in_place_shows_both_values(alice, bob, team, client_of):
    contact = make_contact(owner=team, job_title="Buyer")
    hers = client_of(alice)
    part = hers.get(url(contact, "field/job_title"), headers=HTMX)
    records.update_record(registry["contact"], contact.pk, {"job_title": "CFO"}, by=bob)

    response = send_part(hers, part, {"job_title": "CEO"})

    assert response.status_code == 409
    assert [words(dd) for dd in page(response).cssselect(".changes dd")] == ["CEO", "CFO"]
    theirs = send_part(hers, response, {"choice": "theirs"})
    assert (theirs.status_code, words(page(theirs))) == (200, "CFO")
    assert Contact.objects.get().job_title == "CFO"
    mine = send_part(hers, response, {"choice": "mine"})
    assert (mine.status_code, Contact.objects.get().job_title) == (200, "CEO")


def test_an_address_is_changed_by_its_parts(alice, client_of):
    account = make_account(owner=alice, address1_city="Bonn")

    response = in_place(
        client_of(alice), account, "address1", address1_line1="Weg 1", address1_city="Köln"
    )

    account.refresh_from_db()
    assert (account.address1_line1, account.address1_city) == ("Weg 1", "Köln")
    assert re.search("Weg 1<br>Köln", response.content.decode())


def test_a_status_reason_is_changed_in_place(alice, client_of):
    lead = make_lead(owner=alice)

    in_place(client_of(alice), lead, "status", status="2")
    refused = client_of(alice).post(url(lead, "field/status"), {"status": "3"}, headers=HTMX)

    lead.refresh_from_db()
    assert (lead.status, lead.state, refused.status_code) == (2, 0, 422)


@pytest.mark.once
@pytest.mark.parametrize(
    "name", ["created_at", "full_name", "state", "version", "search_text", "nothing"]
)
def test_what_nobody_writes_has_no_form(name, alice, client_of):
    contact = make_contact(owner=alice)

    response = client_of(alice).post(url(contact, "field", name), {name: "1"}, headers=HTMX)

    assert response.status_code in {403, 404}


def test_a_value_without_script_is_changed_on_the_plain_form(alice, client_of):
    contact = make_contact(owner=alice)
    client = client_of(alice)

    response = client.get(url(contact, "field/job_title"))

    assert (response.status_code, response["Location"]) == (
        303, url(contact, "edit") + "#f-job_title",
    )  # fmt: skip
    assert client.post(url(contact, "field/email"), {"email": "x"}).status_code == 422
    assert client.post(url(contact, "field/job_title"), {"job_title": "CFO"}).status_code == 303


def test_a_record_given_away_is_out_of_sight(alice, charlie, client_of):
    contact = make_contact(owner=alice)
    client = client_of(alice)

    response = in_place(client, contact, "owner", owner=str(charlie.pk), owner_text="Charlie Cook")

    assert (response.status_code, response["HX-Redirect"]) == (204, "/contacts/")


# -- rights ----------------------------------------------------------------------------------------


ADDRESSES = (
    ("get", "edit"), ("post", "edit"), ("get", "field/{title}"), ("post", "field/{title}"),
    ("get", "timeline"), ("get", "related/0"), ("post", "note"), ("post", "visit"),
)  # fmt: skip


@pytest.mark.once
@pytest.mark.parametrize("entity", OWNED, ids=lambda entity: entity.name)
def test_strangers_find_no_address(entity, alice, charlie, client_of):
    record = make(entity.name, owner=alice)
    client = client_of(charlie)

    statuses = _statuses(client, record, entity, ADDRESSES)

    assert statuses == dict.fromkeys(ADDRESSES, 404)


@pytest.mark.once
@pytest.mark.parametrize(
    "entity", [e for e in OWNED if e.name != "saved_view"], ids=lambda e: e.name
)
def test_team_mates_may_not_change_what_they_see(entity, alice, bob, client_of):
    record = make(entity.name, owner=alice)
    client = client_of(bob)

    statuses = _statuses(client, record, entity, ADDRESSES[:4])

    assert statuses == dict.fromkeys(ADDRESSES[:4], 403)


def _statuses(client, record, entity, addresses):
    found = {}
    for method, path in addresses:
        address = url(record, path.format(title=entity.title_fields[0]), entity=entity)
        found[method, path] = getattr(client, method)(address).status_code
    return found
