"""People change what becomes of a row: the plan shows it at once, and it is what is written."""

from dataclasses import replace

import pytest
from django.db import connection
from django.urls import reverse

from rapport.imports import along, bundle, deciding, flow, recipes, report
from rapport.imports.mapping import MappingRefused
from rapport.imports.steps import NotNow
from rapport.meta.registry import registry
from rapport.models import Account, Contact, ImportFile
from rapport.queries.imports import plan_of
from tests.factories import make_account, make_contact, share_with
from tests.imports.bringing import bring, describe, fates, outcome, plan, zipped
from tests.working import work_off

pytestmark = pytest.mark.django_db

LIST = (
    "First Name,Last Name,Email,Job Title,Phone",
    "Anna,Bo,anna@x.de,CEO,",
    "Carl,Dee,carl@x.de,CTO,0301234567",
    "Eve,Fa,eve@x.de,,",
    "Eve,Fa,EVE@x.de,Owner,",
    "Gus,,gus@x.de,,",
)


@pytest.fixture
def stored(alice):
    """Two of the people of the list: (Anna, Carl)."""
    return (
        make_contact(first_name="Anna", last_name="Bo", email="anna@x.de", owner=alice,
                     job_title="Buyer", business_phone="1"),
        make_contact(first_name="Carl", last_name="Dee", email="carl@x.de", owner=alice,
                     job_title="Seller"),
    )  # fmt: skip


def counted(upload):
    """What the plan counts, but zeros; and that the import counts the same."""
    counts = {n: c for n, c in plan_of(upload).counts.items() if c and n != "why"}
    again = ImportFile.objects.get(pk=upload.pk)
    assert {n: c for n, c in again.counts.items() if c} == counts
    return counts


def apply(upload, by):
    flow.apply_now(ImportFile.objects.get(pk=upload.pk), by=by)
    return outcome(upload).counts


def test_duplicates_are_decided_one_by_one(alice, stored, table):
    anna, carl = stored
    upload = plan(table(*LIST), by=alice)
    assert fates(upload) == {2: "duplicate", 3: "duplicate", 5: "duplicate", 6: "refused"}

    first, second = (flow.decide(upload, n, d, by=alice) for n, d in ((2, "update"), (3, "fill")))
    flow.decide(upload, 5, "create", by=alice)

    assert (first.fate, first.found, first.record) == ("update", "duplicate", anna.pk)
    assert (first.changes, second.changes) == (
        [["job_title", "Buyer", "CEO"]],
        [["business_phone", "", "0301234567"], ["job_title", "Seller", "CTO"]],
    )
    assert counted(upload) == {"rows": 5, "create": 2, "update": 2, "refused": 1}
    assert apply(upload, alice) == {"rows": 5, "created": 2, "updated": 2, "refused": 1}
    anna.refresh_from_db()
    carl.refresh_from_db()
    assert (anna.job_title, carl.job_title, carl.business_phone) == ("CEO", "Seller", "0301234567")
    assert Contact.objects.filter(email__iexact="eve@x.de").count() == 2


def test_duplicates_are_decided_for_all_alike_and_back_again(alice, stored, table):
    upload = plan(table(*LIST), by=alice)
    before = counted(upload)
    flow.decide(upload, 2, "skip", by=alice)

    # What was said of one row holds, unless it is said over.
    assert flow.decide_all(upload, "duplicate", "update", by=alice) == 2
    assert (fates(upload)[2], flow.decided_alone(plan_of(upload), "duplicate")) == ("skip", 1)
    assert flow.decide_all(upload, "duplicate", "update", by=alice, over=True) == 3
    # Row 5 repeats an earlier row, which is no record yet that could be changed.
    assert fates(upload) == {2: "update", 3: "update", 5: "duplicate", 6: "refused"}
    assert counted(upload) == {"rows": 5, "create": 1, "update": 2, "duplicate": 1, "refused": 1}

    flow.decide_all(upload, "duplicate", "", by=alice)
    assert counted(upload) == before == {"rows": 5, "create": 1, "duplicate": 3, "refused": 1}
    assert [row.like for row in plan_of(upload).rows.order_by("row")] == [0, 0, 4, 0]

    flow.decide_all(upload, "duplicate", "fill", by=alice)
    assert fates(upload) == {2: "same", 3: "update", 5: "duplicate", 6: "refused"}
    assert apply(upload, alice) == {
        "rows": 5, "created": 1, "updated": 1, "same": 1, "duplicates": 1, "refused": 1,
    }  # fmt: skip


def test_who_goes_by_a_row_that_is_left_out_takes_its_place(alice, stored, table):
    upload = plan(table(*LIST), by=alice)

    flow.decide(upload, 4, "skip", by=alice)

    assert (fates(upload)[4], 5 in fates(upload)) == ("skip", False)
    assert counted(upload) == {"rows": 5, "create": 1, "duplicate": 2, "refused": 1, "skip": 1}
    assert apply(upload, alice)["created"] == 1
    assert Contact.objects.get(email__iexact="eve@x.de").job_title == "Owner"


def test_all_new_rows_can_be_left_out(alice, stored, table):
    upload = plan(table(*LIST), by=alice)

    flow.decide_all(upload, "create", "skip", by=alice)

    assert counted(upload) == {"rows": 5, "skip": 2, "duplicate": 2, "refused": 1}
    assert apply(upload, alice) == {"rows": 5, "skipped": 2, "duplicates": 2, "refused": 1}


def test_rows_left_out_are_listed_and_come_as_a_file(alice, client_of, stored, table):
    upload = plan(table(*LIST), by=alice)
    for fate in ("create", "duplicate"):
        flow.decide_all(upload, fate, "skip", by=alice)
    apply(upload, alice)

    url = reverse("import", args=[upload.pk])
    page = client_of(alice).get(f"{url}?fate=skip").content.decode()
    answer = client_of(alice).get(f"{url}errors.csv?fate=skip")

    rows = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()[1:]
    assert (len(rows), page.count("Left out by decision.")) == (4, 4)
    assert all(row.endswith('"Left out by decision."') for row in rows)


def test_rows_refused_for_one_reason_are_left_out(alice, stored, table):
    upload = plan(table(*LIST, "X,Y,nonsense,,"), by=alice)
    assert plan_of(upload).counts["why"] == {"1|required": 1, "2|email": 1}

    flow.decide_all(upload, "refused", "skip", by=alice, column_reason="2|email")

    assert fates(upload) == {
        2: "duplicate", 3: "duplicate", 5: "duplicate", 6: "refused", 7: "skip",
    }  # fmt: skip
    assert plan_of(upload).counts["why"] == {"1|required": 1}


def test_reasons_are_those_of_refused_rows_alone_also_in_a_later_plan(alice, table):
    rows = ("Bo,nonsense,,", "Dee,wrong,,", ",,Acme,acme.example")
    upload = plan(table("Last Name,Email,Company,Company Website", *rows), by=alice)
    said = plan_of(upload).counts
    assert (said["why"], said["same"]) == ({"1|email": 2}, 1)

    flow.decide(upload, 3, "skip", by=alice)
    flow.plan_now(upload, by=alice)

    assert plan_of(upload).counts["why"] == {"1|email": 1}


@pytest.mark.parametrize("one_by_one", [True, False])
def test_refused_rows_that_are_left_out_stay_so(one_by_one, alice, table):
    # What they lack is only known when all that they say is put together.
    upload = plan(table("Last Name,Email", ",a@x.de", "Bo,nonsense", "Dee,d@x.de"), by=alice)
    if one_by_one:
        for row in (2, 3):
            flow.decide(upload, row, "skip", by=alice)
    else:
        flow.decide_all(upload, "refused", "skip", by=alice)
    assert fates(upload) == {2: "skip", 3: "skip"}

    flow.plan_now(upload, by=alice)

    assert fates(upload) == {2: "skip", 3: "skip"}
    assert apply(upload, alice) == {"rows": 3, "created": 1, "skipped": 2}


def test_cells_are_repaired_in_place(alice, stored, table):
    upload = plan(table(*LIST), by=alice)

    row = flow.repair(upload, 6, {1: "Hay", 3: "Cook"}, by=alice)

    assert (row.fate, row.cells) == ("create", {"1": "Hay", "3": "Cook"})
    assert counted(upload) == {"rows": 5, "create": 2, "duplicate": 3}
    assert plan_of(upload).counts["why"] == {}
    # An address that a stored person has: a duplicate after all.
    row = flow.repair(upload, 6, {2: "carl@x.de"}, by=alice)
    assert (row.fate, row.record) == ("duplicate", stored[1].pk)
    row = flow.repair(upload, 6, {2: "gus@x.de"}, by=alice)

    assert apply(upload, alice)["created"] == 2
    gus = Contact.objects.get(email="gus@x.de")
    assert (gus.last_name, gus.job_title) == ("Hay", "Cook")


def test_error_file_has_the_cells_as_they_were_repaired(alice, table):
    upload = plan(table("Last Name,Email,Birthday", "Bo,nonsense,never"), by=alice)

    flow.repair(upload, 2, {1: "b@x.de"}, by=alice)

    line = b"".join(report.rows_file(upload, plan_of(upload))).decode().splitlines()[1]
    assert line.startswith('"Bo","b@x.de","never","“never” is not a date.')


def test_repaired_rows_are_compared_with_all_others(alice, table):
    rows = ("Bo,b@x.de", "Dee,nonsense", "Fa,f@x.de", "Gu,wrong", "Fa,F@x.de", "Hi,h@x.de")
    upload = plan(table("Last Name,Email", *rows), by=alice)
    assert fates(upload) == {3: "refused", 5: "refused", 6: "duplicate"}

    repaired = flow.repair(upload, 3, {0: "Bo", 1: "b@x.de"}, by=alice)
    assert (repaired.fate, repaired.like) == ("duplicate", 2)
    # The first counts: a row behind the repaired one repeats it now, whatever it repeated before.
    flow.repair(upload, 3, {0: "Fa", 1: "f@x.de"}, by=alice)
    assert {r.row: (r.fate, r.like) for r in plan_of(upload).rows.order_by("row")} == {
        3: ("create", 0), 4: ("duplicate", 3), 5: ("refused", 0), 6: ("duplicate", 3),
    }  # fmt: skip
    # Two repaired rows, too.
    flow.repair(upload, 5, {0: "Hi", 1: "h@x.de"}, by=alice)
    flow.repair(upload, 3, {0: "Hi", 1: "H@x.de"}, by=alice)
    assert fates(upload) == {3: "create", 5: "duplicate", 6: "duplicate", 7: "duplicate"}
    assert counted(upload) == {"rows": 6, "create": 3, "duplicate": 3}

    assert apply(upload, alice) == {"rows": 6, "created": 3, "duplicates": 3}
    emails = sorted(Contact.objects.values_list("email", flat=True))
    assert emails == ["H@x.de", "b@x.de", "f@x.de"]


def test_what_the_world_did_meanwhile_is_told(alice, stored, table):
    anna, _carl = stored
    upload = plan(table(*LIST), by=alice)
    flow.decide_all(upload, "duplicate", "update", by=alice)
    anna.job_title = "CFO"
    anna.save(update_fields=["job_title"])

    assert apply(upload, alice) == {
        "rows": 5, "created": 1, "updated": 1, "changed": 1, "duplicates": 1, "refused": 1,
    }  # fmt: skip
    anna.refresh_from_db()
    assert anna.job_title == "CFO"


def test_what_is_decided_for_all_alike_is_meant_of_what_was_seen(alice, stored, table):
    upload = plan(table(*LIST), by=alice)
    flow.decide_all(upload, "duplicate", "create", by=alice)
    make_contact(first_name="Evi", last_name="Fa", email="eve@x.de", owner=alice)

    # Row 4 was new to whoever decided about duplicates.
    counts = apply(upload, alice)

    assert (counts["changed"], fates(upload)[4]) == (1, "changed")


def test_only_what_may_be_changed_becomes_an_update(alice, bob, charlie, table):
    hers = make_contact(last_name="Bo", email="b@x.de", owner=charlie)
    share_with(hers, bob)
    upload = plan(table("Last Name,Email,Job Title", "Bo,b@x.de,CEO"), by=bob)

    row = flow.decide(upload, 2, "update", by=bob)

    assert (row.fate, [reason[3] for reason in row.reasons]) == ("refused", ["forbidden"])
    assert counted(upload) == {"rows": 1, "refused": 1}
    # Taken back it is a possible duplicate again, and says how.
    flow.decide_all(upload, "duplicate", "", by=bob, over=True)
    (shown,) = flow.rows_of(upload, by=bob, fate="duplicate")
    assert (shown.reasons, shown.confidence > 50) == ((), True)
    assert counted(upload) == {"rows": 1, "duplicate": 1}


def test_only_one_of_two_rows_about_a_record_updates_it(alice, stored, table):
    rows = ("Anna,Bo,anna@x.de,CEO", "Anna,Bo,anna@x.de,CFO")
    upload = plan(table("First Name,Last Name,Email,Job Title", *rows), by=alice)

    for decision, fates_then in (("update", ["update", "duplicate"]), ("", ["duplicate"] * 2)):
        flow.decide_all(upload, "duplicate", decision, by=alice)
        kept = plan_of(upload).rows.order_by("row")
        assert [row.fate for row in kept] == fates_then
        assert [row.like for row in kept] == ([0, 2] if decision else [0, 0])
    # The second may be the one, too.
    flow.decide(upload, 3, "update", by=alice)
    flow.decide_all(upload, "duplicate", "update", by=alice)
    assert fates(upload) == {2: "duplicate", 3: "update"}
    # Taken back, the first repeats the second no more, although that one stays what it is.
    flow.decide_all(upload, "duplicate", "", by=alice)
    kept = plan_of(upload).rows.order_by("row")
    assert [(row.fate, row.like) for row in kept] == [("duplicate", 0), ("update", 0)]
    assert apply(upload, alice) == {"rows": 2, "updated": 1, "duplicates": 1}


def test_row_held_back_for_another_about_its_record_is_surely_the_same(alice, table):
    acme = make_account(name="Acme", owner=alice)
    make_contact(first_name="Anna", last_name="Bornholm", account=acme, owner=alice)
    rows = ("Anna,Bornholm,Acme,CEO", "Anna,Bornholm,Acme,CFO")
    upload = plan(table("First Name,Last Name,Company,Job Title", *rows), by=alice)
    guessed = flow.rows_of(upload, by=alice, fate="duplicate")[1].confidence
    assert 0 < guessed < 100

    for decision, like, sure in (("update", 2, 100), ("", 0, guessed)):
        flow.decide_all(upload, "duplicate", decision, by=alice)

        shown = flow.rows_of(upload, by=alice, fate="duplicate")[-1]
        assert (shown.number, shown.like, shown.confidence) == (3, like, sure)
        plan_now = plan_of(upload)
        lines = b"".join(report.rows_file(upload, plan_now, ("duplicate",))).decode().splitlines()
        said = f"same as row 2 of this file ({sure}%)" if like else f"record already ({sure}%)"
        assert said in lines[-1]


def test_what_cannot_be_decided_is_refused(alice, stored, table):
    upload = plan(table(*LIST), by=alice)

    for number, decision in ((4, "update"), (5, "fill"), (6, "create"), (2, "nonsense")):
        with pytest.raises(NotNow):
            flow.decide(upload, number, decision, by=alice)
    with pytest.raises(NotNow):
        flow.repair(upload, 2, {9: "x"}, by=alice)
    apply(upload, alice)
    with pytest.raises(NotNow):
        flow.decide(upload, 2, "skip", by=alice)


def test_rows_of_the_plan_as_people_look_at_them(alice, stored, table):
    anna, carl = stored
    upload = plan(table(*LIST), by=alice)
    flow.decide(upload, 3, "fill", by=alice)
    flow.repair(upload, 6, {3: "Cook"}, by=alice)

    (first, second) = flow.rows_of(upload, by=alice, fate="duplicate")
    assert (first.number, first.record.id, first.record.title, first.like) == (
        2, anna.pk, "Anna Bo", 0,
    )  # fmt: skip
    assert ("Job title", "Buyer") in first.record.values
    assert [(c.label, c.old, c.new, c.column) for c in first.fields] == [
        ("Job title", "Buyer", "CEO", 3)
    ]
    assert (first.confidence > 70, first.likeness[0].label, first.usual) == (True, "Email", "skip")
    assert (second.number, second.like, second.choices) == (5, 4, ["create", "skip"])

    (update,) = flow.rows_of(upload, by=alice, fate="update")
    assert [(c.name, c.new) for c in update.fields] == [("business_phone", "0301234567")]
    (refused,) = flow.rows_of(upload, by=alice, fate="refused", reason="1|required")
    assert (refused.cells, refused.repaired) == (["Gus", "", "gus@x.de", "Cook", ""], {3})
    assert flow.rows_of(upload, by=alice, fate="refused", reason="2|email") == []
    (new,) = flow.rows_of(upload, by=alice, fate="create")
    assert (new.number, new.choices) == (4, ("create", "skip"))
    every = flow.rows_of(upload, by=alice)
    assert [row.number for row in every] == [2, 3, 4, 5, 6]
    assert [r.number for r in flow.rows_of(upload, by=alice, after=3, limit=2)] == [4, 5]

    flow.decide(upload, 2, "update", by=alice)
    apply(upload, alice)
    created, updated = (
        flow.records_of(
            ImportFile.objects.get(pk=upload.pk), verb, alice, entity=registry["contact"]
        )
        for verb in ("created", "updated")
    )
    assert (created.count(), set(updated.values_list("pk", flat=True))) == (1, {anna.pk, carl.pk})


def test_statements_do_not_grow_with_what_is_decided(alice, table, django_assert_max_num_queries):
    people = [f"a{n}@x.de" for n in range(30)]
    for email in people:
        make_contact(last_name="Bo", email=email, owner=alice)
    content = table("Last Name,Email,Job Title", *(f"Bo,{email},CEO" for email in people))
    upload = plan(content, by=alice)

    with django_assert_max_num_queries(45):
        assert flow.decide_all(upload, "duplicate", "update", by=alice) == 30
    assert apply(upload, alice) == {"rows": 30, "updated": 30}


def test_nothing_is_made_for_what_an_update_leaves_out(alice, table):
    there = make_account(name="There", owner=alice)
    make_contact(last_name="Bo", email="b@x.de", account=there, owner=alice)
    content = table("Last Name,Email,Company,Job Title", "Bo,b@x.de,Acme,CEO")
    upload = plan(content, by=alice)
    flow.decide(upload, 2, "fill", by=alice)

    counts = apply(upload, alice)

    assert (counts, Account.objects.count()) == ({"rows": 1, "updated": 1}, 1)


def test_companies_are_counted_for_the_rows_that_are_written(alice, table):
    make_contact(last_name="Bo", email="b@x.de", owner=alice)
    make_account(name="There", owner=alice)
    content = table(
        "Last Name,Email,Company",
        "Bo,b@x.de,Acme", "Dee,d@x.de,There", "Fa,f@x.de,Bee", "Ga,g@x.de,BEE", "Hu,nonsense,Cee",
    )  # fmt: skip
    upload = plan(content, by=alice)
    assert counted(upload)["accounts"] == 1

    flow.decide(upload, 2, "update", by=alice)
    assert counted(upload)["accounts"] == 2
    flow.decide(upload, 4, "skip", by=alice)
    assert counted(upload)["accounts"] == 2
    flow.decide(upload, 5, "skip", by=alice)
    assert counted(upload)["accounts"] == 1
    flow.repair(upload, 6, {1: "h@x.de"}, by=alice)
    assert counted(upload)["accounts"] == 2
    flow.repair(upload, 6, {2: "There"}, by=alice)
    assert counted(upload)["accounts"] == 1

    assert apply(upload, alice)["accounts_created"] == 1
    assert Contact.objects.get(email="b@x.de").account == Account.objects.get(name="Acme")


def test_nobody_waits_while_it_is_read_what_all_rows_name(alice, table, monkeypatch):
    make_account(name="There", owner=alice)
    content = table(
        "Last Name,Email,Company",
        "Bo,b@x.de,Acme", "", ",,", "Dee,d@x.de,Bee", "Fa,f@x.de,There", "Ga,nonsense,Dee",
        "Hu,h@x.de,acme", "Il,i@x.de,Gee", "Jo,j@x.de,Kay",
    )  # fmt: skip
    upload = plan(content, by=alice)
    rows = {row.cells[0]: row.number for row in flow.rows_of(upload, by=alice)}
    depths = []

    def read(file, mapping, by):
        depths.append(len(connection.savepoint_ids))
        return original(file, mapping, by)

    original = along.read
    monkeypatch.setattr(along, "read", read)
    assert counted(upload)["accounts"] == 4

    flow.repair(upload, rows["Dee"], {2: "  ZED  "}, by=alice)
    assert counted(upload)["accounts"] == 4
    flow.decide(upload, rows["Bo"], "skip", by=alice)
    assert counted(upload)["accounts"] == 4
    flow.decide(upload, rows["Hu"], "skip", by=alice)
    assert counted(upload)["accounts"] == 3
    flow.repair(upload, rows["Dee"], {2: "Bee"}, by=alice)
    flow.decide_all(upload, "create", "skip", by=alice)
    assert "accounts" not in counted(upload)
    flow.decide(upload, rows["Il"], "create", by=alice)
    assert counted(upload)["accounts"] == 1
    flow.decide_all(upload, "create", "", by=alice)
    assert counted(upload)["accounts"] == 3

    # Once, until there are others that they may name.
    assert depths == [len(connection.savepoint_ids)]
    make_account(name="Gee", owner=alice)
    flow.decide(upload, rows["Jo"], "skip", by=alice)
    assert counted(upload)["accounts"] == 1
    flow.decide(upload, rows["Jo"], "", by=alice)
    assert counted(upload)["accounts"] == 2
    assert depths == [len(connection.savepoint_ids)] * 2
    assert apply(upload, alice)["accounts_created"] == 2


def test_what_was_said_holds_for_another_mapping_but_not_for_another_sheet(alice, stored, table):
    upload = plan(table(*LIST), by=alice)
    flow.decide_all(upload, "duplicate", "fill", by=alice)
    flow.decide(upload, 4, "skip", by=alice)
    flow.repair(upload, 6, {1: "Hay"}, by=alice)
    mapping = flow.mapping_of(upload)
    columns = {i: t for i, t in mapping.columns.items() if t.field != "job_title"}

    flow.remap(upload, type(mapping)(entity=mapping.entity, columns=columns))
    flow.plan_now(upload, by=alice)

    assert fates(upload) == {2: "same", 3: "update", 4: "skip", 6: "create"}
    assert apply(upload, alice) == {
        "rows": 5, "created": 2, "updated": 1, "same": 1, "skipped": 1,
    }  # fmt: skip
    assert Contact.objects.get(email="gus@x.de").last_name == "Hay"

    upload = plan(table(*LIST), by=alice)
    flow.decide(upload, 3, "skip", by=alice)
    flow.read_again(upload, flow.mapping_of(upload).entity, {"header": 0}, by=alice)
    flow.remap(upload, type(mapping)(entity=mapping.entity, columns=mapping.columns))
    flow.plan_now(upload, by=alice)
    assert "skip" not in fates(upload).values()


def test_updates_become_new_records_only_where_they_can(alice, table):
    there = [make_contact(last_name=f"Bo {n}", owner=alice) for n in (1, 2)]
    rows = (f"{one.pk},{name},CEO" for one, name in zip(there, ("Bo", ""), strict=True))
    upload = plan(table("(Do Not Modify) Contact,Last Name,Job Title", *rows), by=alice)

    flow.decide_all(upload, "update", "create", by=alice)

    assert fates(upload) == {2: "create", 3: "refused"}
    assert apply(upload, alice) == {"rows": 2, "created": 1, "refused": 1}


def test_only_one_row_updates_a_record(alice, stored, table):
    anna, _carl = stored
    content = table("Last Name,Email,Job Title", "Bo,anna@x.de,CEO", "Bo,ANNA@x.de,CTO")
    upload = plan(content, by=alice)

    first, second = (flow.decide(upload, number, "update", by=alice) for number in (2, 3))
    assert [(one.fate, one.like) for one in (first, second)] == [("update", 0), ("duplicate", 2)]

    flow.decide(upload, 2, "skip", by=alice)
    assert (fates(upload), counted(upload)) == (
        {2: "skip", 3: "update"},
        {"rows": 2, "update": 1, "skip": 1},
    )
    assert apply(upload, alice) == {"rows": 2, "updated": 1, "skipped": 1}
    anna.refresh_from_db()
    assert anna.job_title == "CTO"


def test_signs_that_no_database_takes_are_left_out(alice, table):
    upload = flow.receive(
        [table("Last Name,Email", "Bo,nonsense")], name="a/b\x00\r\nc\ud800 d.csv",
        entity="contact", by=alice,
    )  # fmt: skip
    flow.describe(upload, by=alice)
    flow.plan_now(upload, by=alice)

    row = flow.repair(upload, 2, {1: "b\x00@x.de"}, by=alice)
    kept = recipes.save(upload, "Week\x00ly\ud800", by=alice)

    assert (upload.name, row.cells, kept.name) == ("bc d.csv", {"1": "b@x.de"}, "Weekly")
    mapping = replace(flow.mapping_of(upload), constants={"description": "a\x00"})
    with pytest.raises(MappingRefused):
        flow.remap(upload, mapping)


def test_nobody_changes_what_is_being_planned_or_imported(alice, table):
    people = table("First Name,Last Name,Email", "A,Bo,b@x.de")
    upload = describe(zipped({"a.csv": people, "b.csv": people}), "auto", by=alice)
    # As in another window, where it has been open since.
    whole, member = ImportFile.objects.get(pk=upload.pk), bundle.members_of(upload)[1]
    one = describe(people, by=alice)
    before = ImportFile.objects.get(pk=one.pk)
    flow.start_plan(one, by=alice)
    flow.start_plan(upload, by=alice)

    for file in (before, member):
        with pytest.raises(NotNow):
            flow.remap(file, flow.mapping_of(file))
        with pytest.raises(NotNow):
            flow.read_again(file, registry["contact"], {}, by=alice)
    with pytest.raises(NotNow):
        flow.read_alone(whole, "a.csv", by=alice)

    assert set(ImportFile.objects.filter(parent=None).values_list("state", flat=True)) == {
        "planning"
    }


@pytest.mark.parametrize(
    ("limit", "decision", "counts"),
    [
        ("AT_ONCE", "create", {"rows": 3, "created": 2, "skipped": 1}),
        ("REWRITTEN", "fill", {"rows": 3, "updated": 2, "skipped": 1}),
    ],
    ids=["to judge", "to rewrite"],
)
def test_very_many_rows_are_planned_anew_by_a_worker(
    alice, monkeypatch, table, limit, decision, counts
):
    monkeypatch.setattr(deciding, limit, 1)
    there = [make_contact(last_name=f"Bo {n}", owner=alice) for n in range(3)]
    rows = (f"{one.pk},{one.last_name},CEO" for one in there)
    upload = plan(table("(Do Not Modify) Contact,Last Name,Job Title", *rows), by=alice)
    flow.decide(upload, 2, "skip", by=alice)

    assert flow.decide_all(upload, "update", decision, by=alice) == 2
    upload.refresh_from_db()
    assert upload.state == "planning"
    with pytest.raises(NotNow):
        flow.decide(upload, 3, "skip", by=alice)
    work_off()
    upload.refresh_from_db()

    fate = "create" if decision == "create" else "update"
    assert (upload.state, fates(upload)) == ("planned", {2: "skip", 3: fate, 4: fate})
    assert apply(upload, alice) == counts


def test_very_many_unchanged_rows_are_left_out_by_a_worker(alice, monkeypatch, table):
    content = table("First Name,Last Name,Email", *(f"A,Bo {n},b{n}@x.de" for n in range(3)))
    bring(content, by=alice)
    upload = plan(content, by=alice)
    monkeypatch.setattr(deciding, "REWRITTEN", 2)

    assert flow.decide_all(upload, "same", "skip", by=alice) == 3
    assert outcome(upload).upload.state == "planning"
    work_off()

    assert fates(upload) == {2: "skip", 3: "skip", 4: "skip"}
    assert outcome(upload).counts == {"rows": 3, "skip": 3}
