"""Operations: what they did, what undoing would do, who may; and that each has a sentence."""

import ast
import datetime
from pathlib import Path

import pytest
from django.urls import reverse
from django.utils import timezone

from rapport import actions
from rapport.actions import journal, leads, lease, records, undo
from rapport.actions.people import SETUP
from rapport.jobs import undoing
from rapport.meta.registry import registry
from rapport.models import Account, Change, Contact, ImportFile, Job, Operation, Opportunity
from rapport.queries import history, one
from rapport.web import sentences
from tests.factories import make_contact, make_lead, make_user
from tests.web.browsing import page, send, toast, words

pytestmark = pytest.mark.django_db

CONTACT = registry["contact"]
HTMX = {"HX-Request": "true"}


def seen(operation):
    return reverse("operation", args=[operation.pk])


def undone(operation):
    return reverse("undo", args=[operation.pk])


def renamed(contact, by, **values):
    return records.update_record(CONTACT, contact.pk, values, by=by)


@pytest.fixture
def contact(alice):
    return make_contact(owner=alice, first_name="Eva", last_name="Sommer", job_title="Buyer")


# -- what it did -----------------------------------------------------------------------------------


def test_an_operation_tells_what_it_did_and_what_undo_would_do(contact, alice, client_of):
    operation = renamed(contact, alice, job_title="CFO", nickname="Evi")

    document = page(client_of(alice).get(seen(operation)))

    row = [words(cell) for cell in document.cssselect("tbody td")]
    assert words(document.cssselect("main h1")[0]) == "Change · Contact"
    assert row == [
        "Eva SommerContact",
        "Alice Archer changed Nickname and Job title",
        "Nickname— → EviJob titleBuyer → CFO",
    ]
    assert words(document.cssselect(".plain-list")[0]) == "1 record gets its old values back"


def test_each_value_tells_where_it_comes_from(contact, alice, client_of):
    renamed(contact, alice, job_title="CFO")
    again = renamed(contact, alice, job_title="CEO", last_name="Winter", nickname="Evi")
    undo.undo(again, by=alice)

    document = page(client_of(alice).get(f"/contacts/{contact.pk}/?tab=history"))

    told = {
        words(row.cssselect("th")[0]): [words(cell) for cell in row.cssselect("td")[:2]]
        for row in document.cssselect("details tbody tr")
    }
    # What the undo put back is from where it was before; what it emptied is not there.
    names = ("First name", "Last name", "Job title", "Nickname")
    assert {name: told.get(name) for name in names} == {
        "First name": ["Eva", "setup created this record"],
        "Last name": ["Sommer", "setup created this record"],
        "Job title": ["CFO", "Alice Archer changed Job title"],
        "Nickname": None,
    }  # fmt: skip


def test_nothing_comes_from_what_was_undone_that_had_changed_a_field_twice(contact, alice):
    first = renamed(contact, alice, job_title="CFO")
    with journal.spanning() as span:
        # As an import does whose rows say different things of one company.
        for job_title in ("CEO", "CTO"):
            renamed(contact, alice, job_title=job_title)
    journal.finish(span.op)
    undo.undo(span.op, by=alice)

    found = history.origins(one.get(CONTACT, contact.pk, alice), alice)

    told = {field.name: event.operation for field, event in found}
    assert told["job_title"] == first


def test_looking_at_what_undo_would_do_changes_nothing(contact, alice, client_of):
    operation = renamed(contact, alice, job_title="CFO")
    before = Operation.objects.count(), Change.objects.count()

    client_of(alice).get(seen(operation))

    assert (Operation.objects.count(), Change.objects.count()) == before
    assert Contact.objects.get().job_title == "CFO"


@pytest.mark.once
def test_many_changes_come_page_by_page(alice, client_of):
    contacts = [make_contact(owner=alice) for _ in range(60)]
    outcome = records.update_records(
        CONTACT, [c.pk for c in contacts], {"job_title": "CFO"}, by=alice
    )
    client = client_of(alice)

    first = page(client.get(seen(outcome.operation)))
    rest = page(
        client.get(seen(outcome.operation) + first.cssselect(".panel-foot a")[0].get("href"))
    )

    assert (len(first.cssselect("tbody tr")), len(rest.cssselect("tbody tr"))) == (50, 10)


# -- undo ------------------------------------------------------------------------------------------


def test_undo_from_its_page_and_undo_of_that(contact, alice, client_of):
    operation = renamed(contact, alice, job_title="CFO")
    client = client_of(alice)

    response = send(client, client.get(seen(operation)), undone(operation))

    contact.refresh_from_db()
    assert (response.status_code, response["Location"], contact.job_title) == (
        303, seen(operation), "Buyer",
    )  # fmt: skip
    shown = client.get(seen(operation))
    text, again = toast(shown)
    assert text == "Undone."
    assert "It has been undone" in words(page(shown).cssselect("main")[0])
    back = page(client.get(seen(operation.undone_by.get())))
    assert words(back.cssselect("main h1")[0]) == "Undo of “Change · Contact”"
    client.post(again)
    assert Contact.objects.get().job_title == "CFO"


def test_undo_from_a_toast_stays_on_the_page(contact, alice, client_of):
    operation = renamed(contact, alice, job_title="CFO")
    here = f"/contacts/{contact.pk}/?tab=details"

    plain = client_of(alice).post(
        undone(operation), headers={"Referer": f"http://testserver{here}"}
    )

    assert (plain.status_code, plain["Location"]) == (303, here)


@pytest.mark.parametrize("referer", ["http://evil.example/contacts/", "nonsense", ""])
def test_undo_leads_nowhere_else(referer, contact, alice, client_of):
    operation = renamed(contact, alice, job_title="CFO")

    response = client_of(alice).post(undone(operation), headers={"Referer": referer})

    assert response["Location"] == "/"


def test_what_was_changed_since_stays_and_is_told(contact, alice, bob, client_of):
    operation = renamed(contact, alice, job_title="CFO", nickname="Evi")
    renamed(contact, SETUP, job_title="CEO")
    client = client_of(alice)

    shown = client.get(seen(operation))
    client.post(undone(operation))

    contact.refresh_from_db()
    notice = words(page(shown).cssselect("main .notice li")[0])
    assert notice == "Eva Sommer (Contact): Job title has been changed since."
    assert (contact.job_title, contact.nickname) == ("CEO", "")
    assert toast(client.get("/"))[0] == (
        "Undone, except for what was changed or used since: Eva Sommer."
    )


def test_what_an_undo_took_away_keeps_its_name_but_has_no_page(alice, client_of):
    made = records.create_record(CONTACT, {"last_name": "Ek"}, by=alice)
    operation = Operation.objects.get(changes__record=made)
    client = client_of(alice)
    client.post(undone(operation))

    row = page(client.get(seen(operation))).cssselect("main tbody td")[0]

    assert (words(row), row.cssselect("a")) == ("EkContact", [])


def test_an_operation_is_undone_once(contact, alice, client_of):
    operation = renamed(contact, alice, job_title="CFO")
    client = client_of(alice)
    client.post(undone(operation))
    client.get("/")

    client.post(undone(operation))

    assert toast(client.get("/")) == ("It has been undone already.", None)
    assert Operation.objects.filter(kind="undo").count() == 1


def test_a_page_that_went_away_leads_to_its_list(alice, client_of):
    made = records.create_record(registry["account"], {"name": "Acme"}, by=alice)
    operation = Change.objects.get(record=made).operation
    here = f"http://testserver/accounts/{made}/"

    response = client_of(alice).post(undone(operation), headers={"Referer": here})

    assert (response["Location"], Account.objects.count()) == ("/accounts/", 0)


def test_in_a_part_the_page_is_opened_anew(contact, alice, client_of):
    operation = renamed(contact, alice, job_title="CFO")
    here = f"http://testserver/contacts/{contact.pk}/"

    response = client_of(alice).post(undone(operation), headers={**HTMX, "HX-Current-URL": here})

    assert (response.status_code, response["HX-Redirect"]) == (204, f"/contacts/{contact.pk}/")


def test_a_large_operation_is_undone_by_a_job(alice, client_of, monkeypatch):
    monkeypatch.setattr(undo, "LARGE", 2)
    contacts = [make_contact(owner=alice) for _ in range(2)]
    outcome = records.update_records(
        CONTACT, [c.pk for c in contacts], {"job_title": "CFO"}, by=alice
    )
    client = client_of(alice)

    shown = words(page(client.get(seen(outcome.operation))).cssselect("main")[0])
    client.post(undone(outcome.operation))

    job = Job.objects.get()
    assert "undone in the background" in shown
    assert (job.kind, job.parameters, job.total) == (
        "undo", {"operation": str(outcome.operation.pk)}, 2,
    )  # fmt: skip
    assert set(Contact.objects.values_list("job_title", flat=True)) == {"CFO"}


def test_what_a_large_undo_left_is_listed_for_those_who_see_it(alice, client_of, monkeypatch):
    monkeypatch.setattr(undo, "LARGE", 2)
    contacts = [make_contact(owner=alice, first_name="Eva", last_name=n) for n in ("One", "Two")]
    outcome = records.update_records(
        CONTACT, [c.pk for c in contacts], {"job_title": "CFO"}, by=alice
    )
    renamed(contacts[0], SETUP, job_title="CEO")
    client = client_of(alice)

    sent = client.post(undone(outcome.operation))
    run = lease.take("one", ["undo"])
    undoing.step(run)
    run.end("done", ended=undoing.ended)
    job = page(client.get(sent["Location"]))
    (onward,) = job.cssselect("main .form-actions a")
    back = page(client.get(onward.get("href")))

    assert words(onward) == "What it did, and what stayed as it is"
    assert words(back.cssselect("main .conflicts li")[0]) == (
        "Eva One (Contact): Job title has been changed since."
    )


# -- who may ---------------------------------------------------------------------------------------


def test_strangers_do_not_learn_of_an_operation(contact, alice, bob, charlie, client_of):
    operation = renamed(contact, alice, job_title="CFO")

    statuses = {
        user.first_name: (
            client_of(user).get(seen(operation)).status_code,
            client_of(user).post(undone(operation)).status_code,
        )
        for user in (charlie, bob)
    }

    # Bob sees the contact, so he sees what was done to it; changing it is not his.
    assert statuses == {"Charlie": (404, 404), "Bob": (200, 403)}
    assert Contact.objects.get().job_title == "CFO"


def test_those_who_may_not_undo_get_no_button(contact, alice, bob, client_of):
    operation = renamed(contact, alice, job_title="CFO")

    shown = client_of(bob).get(seen(operation))

    forms = [form.action for form in page(shown).forms]
    assert undone(operation) not in forms
    assert "You may not change all records of this operation." in words(page(shown))


def test_strangers_bring_nothing_back(contact, alice, bob, charlie, client_of):
    operation = records.delete_records(CONTACT, [contact.pk], by=alice)

    statuses = [client_of(user).post(undone(operation)).status_code for user in (charlie, bob)]

    assert (statuses, Contact.objects.count()) == ([404, 404], 0)
    with pytest.raises(undo.NotYours):
        undo.undo(operation, by=charlie)


def test_an_unknown_operation_is_not_found(alice, client_of):
    unknown = Operation(kind="x")

    assert client_of(alice).get(seen(unknown)).status_code == 404
    assert client_of(alice).post(undone(unknown)).status_code == 404


def test_records_out_of_sight_are_not_named(alice, charlie, client_of):
    mine, his = (
        make_contact(owner=alice, last_name="Mine"),
        make_contact(owner=charlie, last_name="Secret"),
    )
    operation = records.update_records(
        CONTACT, [mine.pk, his.pk], {"job_title": "CFO"}, by=SETUP
    ).operation

    shown = client_of(alice).get(seen(operation)).content.decode()

    assert ("Mine" in shown, "Secret" in shown) == (True, False)


def test_an_operation_is_undone_by_a_post_only(contact, alice, client_of):
    operation = renamed(contact, alice, job_title="CFO")

    assert client_of(alice).get(undone(operation)).status_code == 405


# -- sentences -------------------------------------------------------------------------------------


def kinds():
    """Endings of all operation kinds that the actions name: literals of `kind` and of the calls
    that begin an operation."""
    root = Path(actions.__file__).parent.parent
    files = [*root.glob("actions/*.py"), *root.glob("imports/*.py"), *root.glob("demo/*.py")]
    nodes = [node for file in files for node in ast.walk(ast.parse(file.read_text()))]
    found = set().union(*(_text(said) for node in nodes for said in _kinds_of(node)))
    return {text.rpartition(".")[2] for text in found if text}


def _kinds_of(node):
    """What a call or an assignment names as a kind of operation."""
    if isinstance(node, ast.Call):
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if name in {"operation", "begin", "Operation"}:
            yield from node.args[:1]
        if name != "Field":
            yield from (keyword.value for keyword in node.keywords if keyword.arg == "kind")
    elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "kind":
        yield node.value


def _text(node):
    """What a literal says; of an f-string its fixed end; of a choice both."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return {node.value}
    if isinstance(node, ast.JoinedStr):
        last = node.values[-1]
        return _text(last) if isinstance(last, ast.Constant) else set()
    if isinstance(node, ast.IfExp):
        return _text(node.body) | _text(node.orelse)
    return set()


@pytest.mark.once
def test_every_kind_of_operation_has_a_sentence():
    named = kinds()

    assert {"create", "update", "delete", "qualify", "assign", "undo", "restore", "win"} <= named
    assert named - set(sentences.SENTENCES) == set()


@pytest.mark.once
@pytest.mark.parametrize("kind", sentences.SENTENCES)
def test_a_sentence_can_be_said_of_every_change(kind):
    operation = Operation(kind=f"contact.{kind}", parameters={})
    said = [
        sentences.about(history.Event(Change(verb=verb), operation, timezone.now(), "Ann", "", ()))
        for verb in (1, 2, 3)
    ]

    assert [text.startswith("Ann ") and "%" not in text for text in said] == [True] * 3
    assert sentences.title(operation).endswith(" · Contact")


def told(record, by):
    """The newest sentence of a record's history."""
    entity = next(e for e in registry if e.model is type(record) and not e.scope)
    return sentences.about(history.history(one.get(entity, record.pk, by), by)[0][0])


def test_sentences_of_a_qualified_lead(alice):
    lead = make_lead(owner=alice, company="Lind Works")
    qualified = leads.qualify_lead(lead.pk, by=alice)

    assert told(lead, alice) == "Alice Archer qualified this lead"
    deal = Opportunity.objects.get(pk=qualified.opportunity)
    assert told(deal, alice) == "Alice Archer created this by qualifying a lead"


def test_sentences_name_new_owners_and_count_many_fields(contact, alice, bob):
    records.assign_records(CONTACT, [contact.pk], bob.pk, by=alice)
    assert told(contact, bob) == "Alice Archer gave this record to Bob Baker"

    renamed(contact, bob, job_title="CFO", nickname="Evi", suffix="jr", department="Sales")
    assert told(contact, bob) == "Bob Baker changed 4 fields"


def test_sentences_of_an_import_name_file_and_row(contact, alice):
    now = datetime.datetime(2026, 5, 4, tzinfo=datetime.UTC)
    operation = Operation.objects.create(
        kind="contact.import", user=alice, started_at=now, state="done"
    )
    ImportFile.objects.create(name="fair.xlsx", operation=operation, created_at=now)
    Change.objects.create(
        operation=operation, entity="contact", record=contact.pk, verb=1, row=88, at=now
    )

    assert told(contact, alice) == "Alice Archer imported this from fair.xlsx, row 88"


def test_the_system_is_named_too(contact):
    admin = make_user(roles=("system-administrator",))
    renamed(contact, SETUP, job_title="CFO")

    assert told(contact, admin) == "setup changed Job title"
