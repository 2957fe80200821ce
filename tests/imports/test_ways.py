"""Whatever a list holds: rows go the quick way and the long way to the same end, and an undo takes
all of it back, as an undo of that brings it back."""

import csv
import io

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings, strategies as st

from rapport.actions import records, undo
from rapport.imports import apply, feed, flow, plan
from rapport.meta.registry import registry
from rapport.models import Account, Contact, KeyRing, Lead, MatchKey
from rapport.queries.imports import plan_of
from tests.factories import make, make_account
from tests.imports.bringing import describe, mapped, outcome, plan_rows

pytestmark = pytest.mark.django_db

NAMES = (
    *("", "", "Eva", "Éva", "EVA", "Ben", "Ann-Marie", "O’Neil", "Straße", "Strasse", "李"),
    *("Stone", "stone ", "Mill", "x" * 60, "x" * 200),
)  # fmt: skip
# Those that are there: once, twice, closed, of somebody else; spelt in other ways; and new ones.
COMPANIES = (
    *("", "", "Stored", "stored ", "Störed", "Twice", "Closed", "Hidden", "ACME Ltd.", "Acme GmbH"),
    *("New", "new", "New Inc", "-", "acme@x.example", "1-17"),
)  # fmt: skip
EMAILS = ("", "", "a@x.example", "A@X.example", "b@x.example", "none", "C <c@x.example>; d@x.de")
PHONES = ("", "", "030 1234567", "+49 30 1234567", "(030) 123-4567", "030 7654321", "n/a")
PERSON = {
    "First Name": NAMES, "Last Name": NAMES, "Email": EMAILS, "Business Phone": PHONES,
    "Mobile Phone": PHONES, "City": ("", "Köln", "Koeln"), "Website": ("", "x.de", "https://x.de"),
    "Description": ("", "two\nlines", "\\N", "C:\\new\tone", "a\x1fb", "y" * 6000),
}  # fmt: skip
CELLS = {
    "contact": PERSON | {
        "Company": COMPANIES, "Email 2": EMAILS, "Birthday": ("", "1980-01-31", "31.31.1980"),
        "Number of children": ("", "0", "2", "x"), "Do not phone": ("", "yes", "no"),
        "Gender": ("", "Male", "female", "?"),
    },
    "lead": PERSON | {
        "Topic": ("", "Deal", "déal"), "Company Name": COMPANIES, "Budget": ("", "5"),
    },
    "account": {
        "Account Name": (*COMPANIES, *NAMES), "Email": EMAILS, "Main Phone": PHONES,
        "Parent Account": COMPANIES, "Account Number": ("", "A-1", "A-2"), "City": ("", "Köln"),
        "Annual Revenue": ("", "0", "12.50", "1e3"), "Number of Employees": ("", "0", "7"),
    },
}  # fmt: skip
REQUIRED = {
    "contact": ("Last Name",), "lead": ("Last Name", "Topic"), "account": ("Account Name",)
}  # fmt: skip
CONSTANTS = {
    "contact": ({"department": "Sales"}, {"account": "Stored"}, {"account": "New"}),
    "lead": ({"currency": "USD"},),
    "account": ({"currency": "USD"},),
}


@st.composite
def lists(draw, name):
    """A list of records, and what is said of all of them."""
    cells = CELLS[name]
    more = st.sampled_from([header for header in cells if header not in REQUIRED[name]])
    header = [*REQUIRED[name], *draw(st.lists(more, min_size=1, max_size=7, unique=True))]
    row = st.tuples(*[st.sampled_from(cells[one]) for one in header]).filter(any)
    stream = io.StringIO()
    csv.writer(stream).writerows([header, *draw(st.lists(row, min_size=1, max_size=14))])
    constants = draw(st.sampled_from([{}, *CONSTANTS[name]]))
    taken = "Company" in header and "account" in constants
    return stream.getvalue().encode(), {} if taken else constants


def fill(alice, charlie):
    """What is there before the list comes."""
    for name in ("Twice", "TWICE", "Stored", "Closed"):
        make_account(name=name, owner=alice)
    Account.objects.filter(name="Closed").update(state=1)
    make_account(name="Acme Ltd", owner=alice, main_phone="030 1234567")
    make_account(name="Hidden", owner=charlie)
    for name in ("contact", "lead"):
        make(name, first_name="Eva", last_name="Stone", email="a@x.example", owner=alice)
        make(name, first_name="Ben", last_name="Mill", email="b@x.example", owner=charlie)


def rename(alice):
    stored = Account.objects.get(name="Stored")
    records.update_record(registry["account"], stored.pk, {"name": "Other"}, by=alice)


def change(alice):
    for model in (Contact, Lead):
        model.objects.filter(email="a@x.example").update(job_title="Changed", state=1)


def come(alice):
    make_account(name="New", owner=alice)
    for name in ("contact", "lead"):
        make(name, last_name="Mill", email="c@x.example", business_phone="030 7654321", owner=alice)


def go(alice):
    Contact.objects.filter(email="a@x.example").delete()
    Lead.objects.filter(email="a@x.example").delete()


LINKS = {
    Contact: {"account": "account__name", "manager": "manager__full_name"},
    Lead: {"account": "account__name", "contact": "contact__full_name"},
    Account: {"parent_account": "parent_account__name"},
}


def stored():
    """All that is stored of the records, whatever their ids, versions and moments; their keys."""
    found = []
    for model, links in LINKS.items():
        other = {"id", "version", "created_at", "modified_at", *(f"{name}_id" for name in links)}
        names = [c.attname for c in model._meta.concrete_fields if c.attname not in other]
        found.append(sorted(map(repr, model.objects.values_list(*names, *links.values()))))
    hashes = sorted(MatchKey.objects.values_list("entity", "hash"))
    return *found, hashes, sorted(KeyRing.objects.values_list("entity", "hashes"))


def told(upload):
    """What the plan says of the rows, and what it counts."""
    names = ("row", "fate", "found", "like", "record", "reasons", "changes")
    made = plan_of(upload)
    return [[getattr(row, name) for name in names] for row in plan_rows(made)], made.counts


def planned(content, name, constants, by):
    """The upload with its plan."""
    upload = mapped(describe(content, name, by=by), constants=constants)
    flow.plan_now(upload, by=by)
    upload.refresh_from_db()
    return upload


def applied(upload, meanwhile, by):
    """What is stored and counted once the plan is applied, when that is taken back, and when it is
    brought back; all of which is then as if it had never been."""
    with transaction.atomic():
        meanwhile(by)
        before = stored()
        flow.apply_now(upload, by=by)
        done, after = outcome(upload), stored()
        if done.operation is not None:
            back, undone = undo.undo(done.operation, by=by)
            assert (undone.conflicts, stored()) == ([], before)
            _, undone = undo.undo(back, by=by)
            assert (undone.conflicts, stored()) == ([], after)
        # A record that is made anew gets another id, also what came meanwhile.
        called = {str(pk): name for pk, name in Account.objects.values_list("pk", "name")}
        rows = [[*row[:4], row[5], _named(row[6], called)] for row in told(upload)[0]]
        transaction.set_rollback(True)
    return after, done.counts, rows


def _named(changes, called):
    """Changes of fields with names where ids of accounts stand."""
    return changes and [
        [called.get(text, text) if isinstance(text, str) else text for text in change]
        for change in changes
    ]


@pytest.mark.parametrize("name", ["contact", "lead", "account"])
@settings(
    max_examples=5,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # to make one smaller takes minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_both_ways_come_to_the_same(name, alice, charlie, monkeypatch, data):
    content, constants = data.draw(lists(name))
    meanwhile = data.draw(st.sampled_from([str, rename, change, come, go]))
    size = data.draw(st.sampled_from([1, 3, 1000]))
    with transaction.atomic(), monkeypatch.context() as patch:
        # Rows that are shown in full go the long way in any case.
        patch.setattr(plan, "PREVIEWED", data.draw(st.sampled_from([0, 2])))
        for place in (plan, apply):
            patch.setattr(place, "SMALLEST", size)
        patch.setattr(plan, "LARGEST", size)
        fill(alice, charlie)

        quick = planned(content, name, constants, alice)
        by_quick = told(quick), applied(quick, meanwhile, alice)
        # Without a layout no row is compact.
        patch.setattr(feed, "layout_of", lambda _mapping: None)
        long = planned(content, name, constants, alice)
        by_long = told(long), applied(long, meanwhile, alice)

        assert by_quick == by_long
        transaction.set_rollback(True)
