"""Rows about which there is nothing to say go a quick way: it must come to the same."""

import csv
import io
import os
import random
from uuid import UUID

import pytest
from django.db import transaction

from rapport.actions.rules import publish_rule
from rapport.duplicates import find, rules
from rapport.duplicates.keys import HELD_BY
from rapport.imports import ahead, feed, flow, plan, quick, report, samerows
from rapport.imports.decisions import ALIKE
from rapport.meta.registry import registry
from rapport.models import Account, Contact, KeyRing, MatchKey
from rapport.queries.imports import plan_of
from tests.factories import make_account, make_contact, make_user

from .bringing import bring, describe, outcome, plan_rows

HEADER = (
    "First Name",
    "Last Name",
    "Email",
    "Company",
    "Business Phone",
    "City",
    "ZIP",
    "Birthday",
    "Number of children",
    "Do not phone",
    "Preferred day",
    "Description",
)


def messy(count, seed):
    """A list in which people come twice, companies are written differently and cells are wrong."""
    pick = random.Random(seed)
    stream = io.StringIO()
    table = csv.writer(stream)
    table.writerow(HEADER)
    for number in range(count):
        first, last = (
            pick.choice(("Eva", "Éva", "Ben", "Ann", "")),
            pick.choice(("Stone", "Mill", "STONE", "Rivers", "Dale", "")),
        )
        table.writerow((
            first, last,
            pick.choice(("", f"{first}.{last}.{number % 9}@x.example", "none", f"p{number}@x.de")),
            pick.choice(("", "Acme Ltd", "ACME ltd.", "Twice", "stored", f"Firm {number % 7}")),
            pick.choice(("", f"030 {pick.randrange(99) + 1_000_000}", f"030 {number + 2_000_000}")),
            pick.choice(("Berlin", "Bonn", "")), pick.choice(("10115", "53111", "")),
            pick.choice(("1980-01-31", "1979-11-02", "", "31.31.1980")),
            ("", "2")[number % 2], ("", "yes", "no")[number % 3], ("", "Monday")[number % 2],
            ("", "C:\\new\tone", "two\nlines", "\\N", "x" * 6000)[number % 5],
        ))  # fmt: skip
    return stream.getvalue().encode()


def told(upload):
    """What the plan says of the rows, and what it counts."""
    names = ("row", "fate", "found", "like", "record", "reasons", "changes")
    made = plan_of(upload)
    return [[getattr(row, name) for name in names] for row in plan_rows(made)], made.counts


def stored():
    """All that is stored of contacts, whatever their ids and the moment; companies; keys."""
    differ = {"id", "account_id", "created_at", "modified_at"}
    names = [c.attname for c in Contact._meta.concrete_fields if c.attname not in differ]
    contacts = sorted(map(str, Contact.objects.values_list(*names, "account__name")))
    hashes = sorted(MatchKey.objects.values_list("hash", flat=True))
    rings = sorted(KeyRing.objects.values_list("hashes", flat=True))
    return contacts, sorted(Account.objects.values_list("name", flat=True)), hashes, rings


def applied(upload, by):
    """What is stored and counted once it is applied, which is then taken back."""
    with transaction.atomic():
        flow.apply_now(upload, by=by)
        found = stored(), outcome(upload).counts, told(upload)[0]
        transaction.set_rollback(True)
    return found


def planned_both_ways(content, by):
    """Two uploads of the same, planned the quick way and the long way."""
    quick, long = (describe(content, by=by) for _ in range(2))
    # Whoever says what becomes of new records sends all of them the long way.
    long.options[ALIKE] = {"create": "create"}
    long.save()
    for upload in (quick, long):
        flow.plan_now(upload, by=by)
        upload.refresh_from_db()
    return quick, long


@pytest.mark.parametrize("seed", [1, 2])
def test_both_ways_come_to_the_same(alice, seed):
    for name in ("Twice", "TWICE", "Stored"):
        make_account(name=name, owner=alice)
    make_contact(first_name="Eva", last_name="Stone", email="eva.stone.3@x.example", owner=alice)
    quick, long = planned_both_ways(messy(300, seed), alice)

    assert told(quick) == told(long)
    assert applied(quick, alice) == applied(long, alice)


def test_a_row_that_comes_very_often_is_created_once(alice):
    rows = b"Eva,Stone,eva@x.example\n" * (2 * HELD_BY)
    quick, long = planned_both_ways(b"first name,last name,email\n" + rows, alice)

    assert told(quick) == told(long)
    assert told(quick)[1]["create"] == 1


@pytest.fixture
def without_preview(monkeypatch):
    """The first rows, which are shown in full, go the quick way, too."""
    monkeypatch.setattr(plan, "PREVIEWED", 0)


@pytest.mark.usefixtures("without_preview")
def test_a_list_that_comes_again_is_found_unchanged_either_way(alice):
    content = messy(150, 3)
    bring(content, by=alice)
    # In one of the records something is changed, another one is closed, a third is there twice.
    first, second, third = Contact.objects.exclude(email="").order_by("pk")[:3]
    Contact.objects.filter(pk=first.pk).update(job_title="New", address1_city="Elsewhere")
    Contact.objects.filter(pk=second.pk).update(state=1)
    make_contact(first_name="Other", last_name="Person", email=third.email, owner=alice)
    quick, long = planned_both_ways(content, alice)

    assert told(quick) == told(long)
    assert applied(quick, alice) == applied(long, alice)
    assert told(quick)[1]["same"] > 20


SAYING = """First Name,Last Name,Email,Company,Department,Job Title,Birthday,Number of children,\
Do not phone
Ada,Same,a@x.example,Firm,Sales,Head,1980-01-31,2,yes
Bea,Less,b@x.example,,Sales,,,,
Cid,Number,c@x.example,Firm,Sales,Head,1980-01-31,2,no
Dan,Day,d@x.example,Firm,Sales,Head,1980-01-31,2,yes
Eve,Company,e@x.example,Firm,Sales,Head,1980-01-31,2,yes
Fay,Odd,f@x.example,Firm,Sales,Head,1980-01-31,2,yes
Gus,Flag,g@x.example,Firm,Sales,Head,1980-01-31,2,yes
"""


@pytest.mark.usefixtures("without_preview")
def test_only_what_says_the_same_is_unchanged(alice):
    bring(SAYING.encode(), by=alice)
    for email, values in {
        # What a row leaves blank may be filled by now.
        "b": {"job_title": "Boss", "children_count": 3},
        "c": {"children_count": 22},
        "d": {"birthday": "1980-01-30"},
        "e": {"account": make_account(name="Other", owner=alice)},
        # Joined, it would be like one that has these in two cells.
        "f": {"department": "Sales\x1fHead", "job_title": ""},
        "g": {"do_not_phone": False},
    }.items():
        Contact.objects.filter(email=f"{email}@x.example").update(**values)
    quick, long = planned_both_ways(SAYING.encode(), alice)

    assert told(quick) == told(long)
    assert [*samerows.numbers(plan_of(quick))] == [2, 3]


def test_what_databases_write_in_their_own_way_is_compared_as_values(alice):
    rows = [f"Quill{n},a@quill{n}.example,{n}.50,{n}" for n in range(25)]
    head = "Account Name,Email,Annual Revenue,Number of Employees"
    content = "\n".join([head, *rows]).encode()
    bring(content, "account", by=alice)
    Account.objects.filter(name="Quill24").update(annual_revenue="24.51")
    upload = describe(content, "account", by=alice)
    flow.plan_now(upload, by=alice)

    # The first ones are shown in full.
    assert [*samerows.numbers(plan_of(upload))] == [22, 23, 24, 25]
    assert plan_of(upload).counts["same"] == 24
    assert len(plan_of(upload).parameters["preview"]) == plan.PREVIEWED


def shown(upload, by, **which):
    """Rows of the plan as people see them, all that there is to see of each."""
    return [repr(row) for row in flow.rows_of(upload, by=by, **which)]


@pytest.fixture
def planned_twice(alice):
    """The same list, which is mostly known already, planned twice: the rows that change nothing
    are kept together, and each by itself."""
    people = [f"P{n},Quill{n},p{n}@x.example,Firm {n % 3},030 {n + 2_000_000}" for n in range(30)]
    head = "First Name,Last Name,Email,Company,Business Phone"
    bring("\n".join([head, *people]).encode(), by=alice)
    people[7] += "9"
    people[12:12] = ["New,One,new.one@x.example,Firm 4,", "Wrong,,none,,"]
    content = "\n".join([head, *people, "New,Two,new.two@x.example,,"]).encode()
    uploads = [describe(content, by=alice) for _ in range(2)]
    for upload in uploads:
        flow.plan_now(upload, by=alice)
        upload.refresh_from_db()
    samerows.take_all(plan_of(uploads[1]), transaction.atomic)
    return uploads


@pytest.mark.usefixtures("without_preview")
def test_rows_that_are_kept_together_are_like_all_others(alice, planned_twice):
    together, apart = planned_twice
    numbers = [*samerows.numbers(plan_of(together))]
    first, second, third, fourth, fifth = numbers[:5]
    assert (len(numbers), samerows.count(plan_of(apart))) == (29, 0)

    pages = [
        [
            shown(upload, alice, limit=40), shown(upload, alice, after=first, limit=7),
            shown(upload, alice, fate="create", limit=9), shown(upload, alice, fate="same"),
            shown(upload, alice, fate="same", after=third, limit=5),
            [*report.rows_file(upload, plan_of(upload), ("same", "refused"))],
        ]
        for upload in planned_twice
    ]  # fmt: skip
    assert pages[0] == pages[1]
    assert shown(together, alice, fate="same", limit=1) != []

    said = []
    # Whom a row names that is not created is not made for it.
    Account.objects.filter(name="Firm 0").update(name="Renamed")
    for upload in planned_twice:
        phone = flow.columns_of(upload).index("Business Phone")
        rows = (
            flow.decide(upload, second, "skip", by=alice),
            flow.repair(upload, fourth, {phone: "030 7654321"}, by=alice),
            flow.decide(upload, fifth, "create", by=alice),
            flow.decide(upload, second, "", by=alice),
        )
        said.append([(row.row, row.fate, row.found, row.changes) for row in rows])
    Account.objects.filter(name="Renamed").update(name="Firm 0")
    assert said[0] == said[1]
    assert told(together) == told(apart)
    assert {first, third}.issubset(samerows.numbers(plan_of(together)))
    assert not {second, fourth, fifth}.intersection(samerows.numbers(plan_of(together)))

    # What has changed since is told of each row, and everything else is as planned.
    record = next(row.record for row in plan_rows(plan_of(together)) if row.row == third)
    Contact.objects.filter(pk=record).update(business_phone="040 1234567")
    outcomes = [applied(upload, alice) for upload in planned_twice]
    assert outcomes[0] == outcomes[1]
    assert (outcomes[0][1]["same"], outcomes[0][1]["changed"]) == (26, 1)
    with transaction.atomic():
        flow.apply_now(together, by=alice)
        assert samerows.count(plan_of(together)) == 25
        transaction.set_rollback(True)

    # What is decided of others does not touch them.
    for upload in planned_twice:
        flow.decide_all(upload, "create", "skip", by=alice)
    assert told(together) == told(apart)
    outcomes = [applied(upload, alice) for upload in planned_twice]
    assert outcomes[0] == outcomes[1]
    assert (outcomes[0][1]["same"], outcomes[0][1]["skipped"]) == (26, 2)

    for upload in planned_twice:
        flow.decide_all(upload, "same", "skip", by=alice)
    assert (told(together), samerows.count(plan_of(together))) == (told(apart), 0)


@pytest.fixture
def fresh_rules():
    """What another test has published is not in force."""
    rules.forget()
    yield
    rules.forget()


@pytest.mark.usefixtures("fresh_rules", "without_preview")
def test_row_that_no_rule_calls_the_same_is_new_although_nothing_differs(alice, admin):
    names = [f"{one}{other}" for one in "abcdefgh" for other in "klmnopqr"]
    content = "\n".join(["First Name,Last Name", *(f"Eva,Sto{name}ne" for name in names)]).encode()
    bring(content, by=alice)
    assert told(planned_both_ways(content, alice)[0])[1]["same"] == len(names)
    publish_rule("contact.contact.bare", published=False, by=admin)
    quick, long = planned_both_ways(content, alice)

    assert told(quick) == told(long)
    assert told(quick)[1]["create"] == len(names)


def test_key_of_several_records_is_of_none_alone(alice):
    for name in ("eva", "ben", "eva"):
        make_contact(email=f"{name}@x.example", owner=alice)
    contact = registry["contact"]
    own = MatchKey.objects.filter(entity=contact.code)
    every = list(own.values_list("hash", "record"))
    hashes = [hash_ for hash_, _record in every]
    single = {hash_: record for hash_, record in every if hashes.count(hash_) == 1}

    alone = find.alone(hashes, contact)

    assert {hash_: UUID(record) for hash_, record in alone.items()} == single
    assert 0 < len(single) < len({*hashes})


def own_process(work, pid):
    """`work`, which must not be done by the process `pid`."""

    def done(*arguments, **options):
        assert os.getpid() != pid
        return work(*arguments, **options)

    return done


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no processes by fork here")
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("without_preview")
def test_file_that_was_read_before_is_compared_by_the_readers(monkeypatch):
    by = make_user(roles=("salesperson",))
    content = messy(150, 4)
    with transaction.atomic():
        bring(content, by=by)
    Contact.objects.filter(pk__in=Contact.objects.order_by("pk")[:2]).update(job_title="New")
    one_by_one = describe(content, by=by)
    flow.plan_now(one_by_one, by=by)
    monkeypatch.setattr(ahead, "LARGE", 0)
    monkeypatch.setattr(ahead, "is_worth_it", lambda size: True)
    monkeypatch.setattr(feed, "PACKED_AT_ONCE", 20)
    flow.plan_now(describe(content, by=by), by=by)
    again = describe(content, by=by)
    with monkeypatch.context() as patched:
        patched.setattr(quick, "unchanged", own_process(quick.unchanged, os.getpid()))
        flow.plan_now(again, by=by)

    assert told(again) == told(one_by_one)
    assert told(again)[1]["same"] > 20
    with transaction.atomic():
        flow.apply_now(again, by=by)
    assert outcome(again).counts["same"] == told(again)[1]["same"]
