"""Commands for many rows: what they change, what they refuse, and whose rows they never touch."""

import re
import uuid

import pytest
from django.urls import reverse

from rapport.actions import bulk as bulk_action, undo
from rapport.meta.registry import registry
from rapport.models import Account, Contact, Job, Lead, Operation, Opportunity
from rapport.web import bulk
from tests.factories import (
    make,
    make_account,
    make_contact,
    make_lead,
    make_opportunity,
    share_with,
)

pytestmark = pytest.mark.django_db

CONTACT = registry["contact"]


def address(key, entity=CONTACT):
    return reverse("bulk", args=[entity, key])


def text(response):
    return " ".join(response.content.decode().split())


def said(client):
    """The messages that the next page shows, and where each is undone."""
    page = client.get("/contacts/").content.decode()
    found = re.findall(r'class="toast-text">([^<]*)</span>(<form[^>]*action="([^"]*)")?', page)
    return [(words, undo_url) for words, _form, undo_url in found if words]


def job_titles():
    return sorted(Contact.objects.values_list("job_title", flat=True))


def test_edit_asks_shows_and_changes(alice, client_of):
    contacts = [make_contact(owner=alice, department="Sales") for _ in range(3)]
    marked = [str(contact.pk) for contact in contacts[:2]]
    client = client_of(alice)
    sent = {"ids": marked, "state": "view=all"}

    asked = client.post(address("edit"), sent)
    chosen = client.post(address("edit"), {**sent, "add": "job_title"})
    filled = {**sent, "fields": ["job_title", "department"], "job_title": "CEO", "department": ""}
    shown = client.post(address("edit"), {**filled, "next": "1"})
    before = job_titles()
    done = client.post(address("edit"), {**filled, "confirm": "1"})

    assert [r.status_code for r in (asked, chosen, shown, done)] == [200, 200, 200, 303]
    assert "Edit 2 contacts" in text(asked)
    assert 'name="job_title"' in text(chosen)
    assert ("Change 2 contacts" in text(shown), "is emptied" in text(shown)) == (True, True)
    assert (before, job_titles()) == (["", "", ""], ["", "CEO", "CEO"])
    departments = Contact.objects.filter(pk__in=marked).values_list("department", flat=True)
    assert list(departments) == ["", ""]
    assert done["Location"] == "/contacts/?view=all"
    operation = Operation.objects.get(kind="contact.update")
    assert said(client) == [("2 contacts changed.", reverse("undo", args=[operation.pk]))]


def test_edit_refuses_a_value_that_cannot_be(alice, client_of):
    contact = make_contact(owner=alice)
    sent = {"ids": [str(contact.pk)], "fields": ["email"], "email": "nonsense", "confirm": "1"}

    response = client_of(alice).post(address("edit"), sent)

    assert (response.status_code, "is not an e-mail address" in text(response)) == (422, True)
    assert Contact.objects.get(pk=contact.pk).email == ""


def test_edit_writes_no_field_that_it_does_not_offer(alice, charlie, client_of):
    contact = make_contact(owner=alice, last_name="Stone")
    sent = {
        "ids": [str(contact.pk)],
        "fields": ["owner", "status", "created_at", "full_name", "job_title"],
        "owner": str(charlie.pk),
        "full_name": "X",
        "job_title": "CEO",
        "confirm": "1",
    }

    client_of(alice).post(address("edit"), sent)

    stored = Contact.objects.get(pk=contact.pk)
    assert (stored.owner_id, stored.last_name, stored.job_title) == (alice.pk, "Stone", "CEO")


def test_edit_of_look_ups_by_name(alice, client_of):
    account = make_account(owner=alice, name="Acme")
    contact = make_contact(owner=alice)
    sent = {"ids": [str(contact.pk)], "fields": ["account"], "account_text": "acme", "account": ""}

    shown = client_of(alice).post(address("edit"), {**sent, "next": "1"})
    client_of(alice).post(address("edit"), {**sent, "confirm": "1"})

    assert ">Acme</a>" in text(shown)
    assert Contact.objects.get(pk=contact.pk).account_id == account.pk


@pytest.mark.once
@pytest.mark.parametrize("key", ["edit", "assign", "delete", "deactivate"])
def test_strangers_rows_are_not_touched(key, alice, charlie, client_of):
    secret = make_contact(owner=charlie, last_name="Secret")
    sent = {
        "ids": [str(secret.pk)],
        "fields": ["job_title"],
        "job_title": "CEO",
        "owner": str(alice.pk),
        "with_all": "1",
        "confirm": "1",
    }
    client = client_of(alice)

    response = client.post(address(key), sent)

    stored = Contact.objects.get(pk=secret.pk)
    assert (stored.job_title, stored.state, stored.owner_id) == ("", 0, charlie.pk)
    assert response.status_code == 303
    assert said(client) == [("Select some rows first.", "")]


def test_rows_that_one_may_only_read_are_refused_and_listed(alice, bob, client_of):
    mine, his = make_contact(owner=alice), make_contact(owner=bob, last_name="Rock")
    client = client_of(alice)
    sent = {"ids": [str(mine.pk), str(his.pk)], "state": "view=all"}

    asked = client.post(address("deactivate"), sent)
    done = client.post(address("deactivate"), {**sent, "confirm": "1"})
    listed = client.get(done["Location"])

    assert "because you may not do this to them: 1 contact." in text(asked)
    assert done["Location"] == reverse("bulk-refused", args=[CONTACT])
    assert [Contact.objects.get(pk=c.pk).state for c in (mine, his)] == [1, 0]
    rows = re.findall(r'<td><a href="([^"]+)">([^<]+)</a></td><td>([^<]+)</td>', text(listed))
    assert rows == [(f"/contacts/{his.pk}/", "Chris Rock", "You may not change this record.")]
    assert "Undo what was done" in text(listed)


def test_the_page_of_refusals_is_ones_own(alice, client_of):
    assert client_of(alice).get(reverse("bulk-refused", args=[CONTACT])).status_code == 404


@pytest.mark.parametrize("key", ["edit", "assign", "delete", "deactivate"])
def test_a_role_without_the_right_is_refused(key, alice, client_of):
    reader = make("user", business_unit=alice.business_unit)
    make(
        "role_assignment",
        principal=reader,
        role=registry["role"].model.objects.get(builtin="read-only"),
    )
    contact = make_contact(owner=alice)

    response = client_of(reader).post(address(key), {"ids": [str(contact.pk)], "confirm": "1"})

    assert (response.status_code, Contact.objects.get(pk=contact.pk).state) == (403, 0)


def test_the_whole_result_is_found_again(alice, client_of):
    for number in range(60):
        make_contact(owner=alice, job_title="CEO" if number % 2 else "CFO")
    sent = {"all": "1", "state": "view=all&f=job_title~eq~ceo", "ids": []}
    client = client_of(alice)

    asked = client.post(address("deactivate"), sent)
    client.post(address("deactivate"), {**sent, "confirm": "1"})

    assert "Deactivate: 30 contacts?" in text(asked)
    assert Contact.objects.filter(state=1).count() == 30
    assert set(Contact.objects.filter(state=1).values_list("job_title", flat=True)) == {"CEO"}
    assert Operation.objects.filter(kind="contact.deactivate").count() == 1


def test_a_result_that_means_something_else_by_now_is_refused(alice, client_of):
    make_contact(owner=alice)
    sent = {"all": "1", "state": "view=all&f=nonsense~eq~1", "confirm": "1"}
    client = client_of(alice)

    client.post(address("deactivate"), sent)

    assert Contact.objects.filter(state=1).count() == 0
    assert [words for words, _undo in said(client)] == [
        "The list is not the one that you saw any more: nothing was changed."
    ]


def test_a_large_result_becomes_a_job(alice, client_of, monkeypatch):
    monkeypatch.setattr(bulk, "AT_ONCE", 2)
    for _ in range(3):
        make_contact(owner=alice)
    sent = {"all": "1", "state": "view=all", "choice": "", "confirm": "1"}
    client = client_of(alice)

    client.post(address("deactivate"), sent)

    job = Job.objects.get()
    assert (job.kind, job.total, job.created_by) == ("bulk", 3, alice)
    assert (job.parameters["command"], job.parameters["entity"]) == ("deactivate", "contact")
    assert job.parameters["query"]["entity"] == "contact"
    assert Contact.objects.filter(state=1).count() == 0
    assert "in the background" in said(client)[0][0]


def test_a_command_goes_over_batches_as_one_operation(alice, monkeypatch):
    monkeypatch.setattr(bulk_action, "BATCH", 2)
    contacts = [make_contact(owner=alice) for _ in range(5)]

    result = bulk_action.run(CONTACT, "deactivate", [c.pk for c in contacts], {}, by=alice)
    undo.undo(result.operation, by=alice)

    assert (result.done, result.refused, result.operation.counts) == (5, {}, {"updated": 5})
    assert Contact.objects.filter(state=1).count() == 0


def test_assign_with_what_is_open_below(alice, bob, client_of):
    account = make_account(owner=alice)
    contact = make_contact(owner=alice, account=account)
    client = client_of(alice)
    sent = {"ids": [str(account.pk)], "owner": "", "owner_text": "bob baker"}
    entity = registry["account"]

    asked = client.post(address("assign", entity), {"ids": [str(account.pk)]})
    client.post(address("assign", entity), {**sent, "with_children": "1", "confirm": "1"})

    assert "follows" in text(asked)
    assert [Account.objects.get().owner_id, Contact.objects.get(pk=contact.pk).owner_id] == [
        bob.pk,
        bob.pk,
    ]


def test_assign_to_nobody_is_refused(alice, client_of):
    contact = make_contact(owner=alice)
    sent = {"ids": [str(contact.pk)], "owner": "", "owner_text": "", "confirm": "1"}

    response = client_of(alice).post(address("assign"), sent)

    assert (response.status_code, Contact.objects.get().owner_id) == (422, alice.pk)


def test_delete_names_what_goes_along(alice, client_of):
    account, empty = make_account(owner=alice), make_account(owner=alice)
    make_contact(owner=alice, account=account)
    make_opportunity(owner=alice, account=account)
    client = client_of(alice)
    entity = registry["account"]
    sent = {"ids": [str(account.pk), str(empty.pk)], "state": ""}

    asked = client.post(address("delete", entity), sent)
    partly = client.post(address("delete", entity), {**sent, "confirm": "1"})
    left = list(Account.objects.values_list("pk", flat=True))
    page = text(client.get(partly["Location"]))
    client.post(address("delete", entity), {**sent, "with_all": "1", "confirm": "1"})

    assert "Delete 2 accounts?" in text(asked)
    assert "These belong to them: 1 contact, 1 opportunity." in text(asked)
    assert left == [account.pk]
    assert "Other records belong to it" in page
    assert (Account.objects.count(), Contact.objects.count(), Opportunity.objects.count()) == (
        0,
        0,
        0,
    )


def test_deleting_can_be_undone_from_the_toast(alice, client_of):
    contact = make_contact(owner=alice)
    client = client_of(alice)
    sent = {"ids": [str(contact.pk)], "confirm": "1"}

    client.post(address("delete"), sent)
    [(words, undo_url)] = said(client)
    client.post(undo_url)

    assert (words, Contact.objects.count()) == ("1 contact deleted.", 1)


def test_commands_with_a_choice_ask_for_it(alice, client_of):
    lead = make_lead(owner=alice)
    entity = registry["lead"]
    command = next(c for c in entity.commands if c.key == "disqualify")
    value, label = command.choices[-1]
    client = client_of(alice)
    sent = {"ids": [str(lead.pk)]}

    asked = client.post(address("disqualify", entity), sent)
    wrong = client.post(address("disqualify", entity), {**sent, "choice": "x", "confirm": "1"})
    client.post(address("disqualify", entity), {**sent, "choice": str(value), "confirm": "1"})

    assert f'<option value="{value}">{label}</option>' in text(asked)
    assert (wrong.status_code, Lead.objects.get().status) == (422, value)


def test_qualifying_many_leads_makes_an_operation_of_each(alice, client_of):
    leads = [make_lead(owner=alice, company=f"Company {n}") for n in range(2)]
    client = client_of(alice)
    sent = {"ids": [str(lead.pk) for lead in leads], "confirm": "1"}

    client.post(address("qualify", registry["lead"]), sent)

    assert Operation.objects.filter(kind="lead.qualify").count() == 2
    assert said(client) == [("Qualify: 2 leads.", "")]


def test_commands_that_are_not_there(alice, client_of):
    client = client_of(alice)

    assert client.post(address("nonsense")).status_code == 404
    assert client.get(address("edit")).status_code == 405


def test_ids_that_are_none_are_ignored(alice, client_of):
    contact = make_contact(owner=alice)
    sent = {"ids": ["nonsense", str(uuid.uuid4()), str(contact.pk), str(contact.pk)]}

    asked = client_of(alice).post(address("deactivate"), sent)

    assert "Deactivate: 1 contact?" in text(asked)


def test_shared_rows_may_be_changed_as_far_as_they_are_shared(alice, charlie, client_of):
    seen, writable = make_contact(owner=charlie), make_contact(owner=charlie)
    share_with(seen, alice)
    share_with(writable, alice, can_write=True)
    sent = {"ids": [str(seen.pk), str(writable.pk)], "confirm": "1"}

    client_of(alice).post(address("deactivate"), sent)

    assert [Contact.objects.get(pk=c.pk).state for c in (seen, writable)] == [0, 1]


def test_htmx_gets_a_dialog_and_moves_the_page(alice, client_of):
    contact = make_contact(owner=alice)
    client = client_of(alice)
    headers = {"HX-Request": "true"}
    sent = {"ids": [str(contact.pk)], "state": "view=all"}

    asked = client.post(address("deactivate"), sent, headers=headers)
    done = client.post(address("deactivate"), {**sent, "confirm": "1"}, headers=headers)

    assert ("<html" in text(asked), "<form" in text(asked)) == (False, True)
    assert (done.status_code, done["HX-Redirect"]) == (204, "/contacts/?view=all")


def test_no_field_of_the_bulk_form_is_called_like_its_own_inputs():
    own = {"ids", "all", "state", "fields", "add", "remove", "next", "confirm", "back", "again"}

    assert {n for e in registry for n in bulk.editable(e)} & own == set()
