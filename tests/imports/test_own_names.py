"""Rows that name other rows of their file: parents of accounts, managers of people."""

import pytest

from rapport.actions import lease, undo
from rapport.imports import bundle, flow, report
from rapport.models import Account, Contact, ImportFile
from rapport.queries.imports import plan_of
from tests.factories import make_account, make_contact
from tests.imports.bringing import (
    applied,
    brought,
    checked,
    describe,
    fates,
    outcome,
    planned,
    zipped,
)
from tests.imports.takingover import finished_by_another

pytestmark = pytest.mark.django_db


@pytest.fixture(params=[1, 2, 20])
def size(request, monkeypatch):
    """So many rows a batch."""
    monkeypatch.setattr(lease.Run, "size", property(lambda run: request.param))


def parents():
    return dict(Account.objects.values_list("name", "parent_account__name"))


@pytest.mark.usefixtures("size")
def test_parents_stand_anywhere_in_the_file_and_none_is_made_twice(alice, table):
    content = table(
        "Account Name,Parent Account,City",
        "Acme Nord,ACME  Group,Kiel", "Acme Group,,Bonn", "Acme Süd,Acme Group,Ulm",
        "Acme Süd Ost,Acme Sud,Passau", "Elsewhere,Holding,Hof", "Nowhere,holding,Rom",
    )  # fmt: skip
    upload = planned(content, "account", by=alice)
    counts = {name: count for name, count in upload.counts.items() if count}
    # Of the six links one leads to a stored record when its row is in turn, if batches are small.
    assert (counts["create"], counts["accounts"], counts["late"]) == (6, 1, 5)
    shown = [one["values"].get("parent_account") for one in plan_of(upload).parameters["preview"]]
    assert shown == ["ACME Group", None, "Acme Group", "Acme Sud", "Holding", "holding"]
    done = applied(upload, by=alice)

    assert done.counts == {"rows": 6, "created": 6, "accounts_created": 1}
    assert parents() == {
        "Acme Nord": "Acme Group", "Acme Group": None, "Acme Süd": "Acme Group",
        "Acme Süd Ost": "Acme Süd", "Elsewhere": "Holding", "Nowhere": "Holding", "Holding": None,
    }  # fmt: skip
    assert brought(content, "account", by=alice).counts == {"rows": 6, "same": 6}
    _back, undone = undo.undo(done.operation, by=alice)
    assert (undone.conflicts, Account.objects.count()) == ([], 0)


@pytest.mark.usefixtures("size")
def test_what_a_row_does_not_bring_is_made_after_all(alice, table):
    content = table(
        "Account Name,Parent Account,Email",
        "One,Refused,", "Two,Left out,", "Refused,,none@", "Left out,,", "Three,,",
    )  # fmt: skip
    upload = planned(content, "account", by=alice)
    assert (upload.counts["create"], upload.counts["accounts"]) == (4, 1)
    flow.decide(upload, 5, "skip", by=alice)
    assert outcome(upload).counts["accounts"] == 2
    flow.decide(upload, 2, "skip", by=alice)
    assert outcome(upload).counts["accounts"] == 1
    flow.repair(upload, 4, {2: "r@x.de"}, by=alice)
    assert outcome(upload).counts["accounts"] == 1

    done = applied(ImportFile.objects.get(pk=upload.pk), by=alice)
    assert parents() == {"Refused": None, "Two": "Left out", "Three": None, "Left out": None}
    assert done.counts == {"rows": 5, "created": 3, "skipped": 2, "accounts_created": 1}


@pytest.mark.usefixtures("size")
def test_managers_stand_anywhere_and_others_are_refused(alice, table):
    content = table(
        "First Name,Last Name,Email,Manager",
        "Ann,Early,a@x.de,Bob Late", "Bob,Late,b@x.de,", "Cid,Third,c@x.de,\"Early, Ann\"",
        "Dee,Fourth,d@x.de,Nobody Here", "Eve,Self,e@x.de,Eve Self",
    )  # fmt: skip
    upload = planned(content, by=alice, targets={"Manager": {"field": "manager"}})
    ((row, column, reason),) = outcome(upload).errors
    assert (row, column) == (5, "Manager")
    assert "There is no contact called “Nobody Here”" in reason
    # Whom the row names by now stands in the file, too.
    assert flow.repair(upload, 5, {3: "Nobody There"}, by=alice).fate == "refused"
    assert flow.repair(upload, 5, {3: "Cid Third"}, by=alice).fate == "create"
    done = applied(ImportFile.objects.get(pk=upload.pk), by=alice)

    assert dict(Contact.objects.values_list("last_name", "manager__last_name")) == {
        "Early": "Late", "Late": None, "Third": "Early", "Fourth": "Third", "Self": None,
    }  # fmt: skip
    assert done.counts == {"rows": 5, "created": 5, "partial": 1}
    (told,) = report.errors(plan_of(upload), report.IN_PART)
    assert (told["row"], told["reason"]) == (
        6,
        "A record cannot stand above itself: this would make a circle.",
    )


@pytest.mark.usefixtures("size")
def test_links_in_a_circle_lose_the_same_wherever_batches_end(alice, table):
    chiefs = {"Aa": "Bb", "Bb": "Cc", "Cc": "Aa", "Dd": "Ee", "Ee": "Dd", "Ff": "Aa"}
    rows = [f"{name},{chief}" for name, chief in chiefs.items()]
    done = brought(table("Account Name,Parent Account", *rows), "account", by=alice)

    left_out = {"Bb", "Dd"}
    assert parents() == {n: None if n in left_out else chief for n, chief in chiefs.items()}
    assert done.counts == {"rows": 6, "created": 6, "partial": 2}


@pytest.mark.usefixtures("size")
def test_stored_records_are_moved_below_new_ones(alice, table):
    old = make_account(name="Old Group", owner=alice)
    stored = [make_account(name=f"Unit {n}", parent_account=old, owner=alice) for n in (1, 2, 3)]
    content = table(
        "(Do Not Modify) Account,Account Name,Parent Account",
        f"{stored[0].pk},Unit 1,New Group", f"{stored[1].pk},Unit 2,Old Group", ",New Group,",
        ",Unit 3,New Group",
    )  # fmt: skip
    upload = planned(content, "account", by=alice)
    assert fates(upload) == {2: "update", 3: "same", 5: "duplicate"}
    changes = plan_of(upload).rows.get(row=2).changes
    assert changes == [["parent_account", str(old.pk), "+New Group"]]
    done = applied(upload, by=alice)

    # Who is held back stays what it was.
    assert parents() == {
        "Old Group": None, "New Group": None, "Unit 1": "New Group", "Unit 2": "Old Group",
        "Unit 3": "Old Group",
    }  # fmt: skip
    assert done.counts == {
        "rows": 4, "created": 1, "updated": 1, "same": 1, "duplicates": 1,
    }  # fmt: skip
    assert brought(content, "account", by=alice).counts["same"] == 3
    undo.undo(done.operation, by=alice)
    assert parents()["Unit 1"] == "Old Group"


def test_who_only_fills_blanks_keeps_the_parent(alice, table):
    old = make_account(name="Old Group", owner=alice)
    below = make_account(name="Unit 1", parent_account=old, owner=alice)
    blank = make_account(name="Unit 2", owner=alice)
    content = table(
        "(Do Not Modify) Account,Account Name,Parent Account,City",
        f"{below.pk},Unit 1,New Group,Bonn", f"{blank.pk},Unit 2,New Group,", ",New Group,,",
    )  # fmt: skip
    done = brought(content, "account", by=alice, on_match="fill")

    assert (parents()["Unit 1"], parents()["Unit 2"]) == ("Old Group", "New Group")
    below.refresh_from_db()
    assert below.address1_city == "Bonn"
    assert done.counts == {"rows": 3, "created": 1, "updated": 2}


def test_rows_name_those_of_other_files_with_such_records(alice, table):
    files = {
        "1.csv": table("Account Name,Parent Account", "Nord,Group", "Süd,Holding"),
        "2.csv": table("Account Name", "Group"),
        "people1.csv": table("First Name,Last Name,Reports To", "Ann,Early,Bob Late"),
        "people2.csv": table("First Name,Last Name,Reports To", "Bob,Late,", "Cid,Third,Nobody"),
    }
    upload = flow.receive([zipped(files)], name="all.zip", entity="auto", by=alice)
    flow.describe(upload, by=alice)
    for member in bundle.members_of(upload):
        assert member.entity == ("contact" if member.name.startswith("people") else "account")
    upload = checked(upload, by=alice)
    assert (upload.counts["create"], upload.counts["accounts"]) == (5, 1)
    done = applied(upload, by=alice)

    assert parents() == {"Nord": "Group", "Süd": "Holding", "Group": None, "Holding": None}
    assert dict(Contact.objects.values_list("last_name", "manager__last_name")) == {
        "Early": "Late", "Late": None,
    }  # fmt: skip
    assert (done.counts["created"], done.counts["refused"]) == (5, 1)


def test_a_parent_without_letters_is_refused_as_before(alice, table):
    upload = describe(table("Account Name,Parent Account", "One,!!!"), "account", by=alice)
    assert [row for row, _column, _why in outcome(checked(upload, by=alice)).errors] == [2]


@pytest.mark.usefixtures("size")
def test_primary_contacts_are_made_with_their_account(alice, table):
    make_contact(first_name="Max", last_name="Eck", owner=alice)
    content = table(
        "Account Name,Primary Contact",
        "Acme,\"Berg, Dr. Anna\"", "Bee,Anna Berg", "Cee,Max Eck", "Dee,", "Eee,Anna Berg",
    )  # fmt: skip
    upload = planned(content, "account", by=alice)
    assert (upload.counts["create"], upload.counts["contacts"]) == (5, 1)
    done = applied(upload, by=alice)

    found = Account.objects.order_by("name").values_list(
        "name", "primary_contact__full_name", "primary_contact__account__name"
    )
    assert list(found) == [
        ("Acme", "Anna Berg", "Acme"), ("Bee", "Anna Berg", "Acme"), ("Cee", "Max Eck", None),
        ("Dee", None, None), ("Eee", "Anna Berg", "Acme"),
    ]  # fmt: skip
    assert done.counts == {"rows": 5, "created": 5, "contacts_created": 1}
    assert brought(content, "account", by=alice).counts == {"rows": 5, "same": 5}
    undo.undo(done.operation, by=alice)
    assert list(Contact.objects.values_list("last_name")) == [("Eck",)]


def test_primary_contacts_are_refused_or_left_blank_where_that_is_asked_for(alice, table):
    content = table("Account Name,Primary Contact", "Acme,Anna Berg", "Bee,")
    for missing, counts in (
        ("refuse", {"rows": 2, "created": 1, "refused": 1}),
        ("blank", {"rows": 2, "created": 1, "same": 1}),
    ):
        targets = {"Primary Contact": {"missing": missing}}
        assert brought(content, "account", by=alice, targets=targets).counts == counts
    assert not Contact.objects.exists()


@pytest.mark.parametrize("steps", [1, 2, 3, 4, 5])
def test_killed_import_is_finished_and_nothing_is_made_twice(steps, alice, table):
    content = table(
        "Account Name,Parent Account,Primary Contact",
        "Aa,Group,Anna Berg", "Bb,Holding,Anna Berg", "Cc,Dd,", "Dd,Holding,Carl Dahl",
        "Ee,Aa,", "Group,,Eva Eck", "Ff,Group,", "Gg,Aa,Carl Dahl", "Hh,Aa,",
    )  # fmt: skip
    upload = planned(content, "account", by=alice)
    flow.start_apply(upload, by=alice)
    finished_by_another(steps)

    assert parents() == {
        "Aa": "Group", "Bb": "Holding", "Cc": "Dd", "Dd": "Holding", "Ee": "Aa", "Group": None,
        "Ff": "Group", "Gg": "Aa", "Hh": "Aa", "Holding": None,
    }  # fmt: skip
    people = Contact.objects.order_by("last_name").values_list("last_name", "account__name")
    assert list(people) == [("Berg", "Aa"), ("Dahl", "Dd"), ("Eck", "Group")]
    assert outcome(upload).counts == {
        "rows": 9, "created": 9, "accounts_created": 1, "contacts_created": 3,
    }  # fmt: skip


def test_a_constant_names_a_row_and_has_no_column(alice, table):
    content = table("Zzz,Account Name", "1,One", "2,Two", "3,Three")
    done = brought(content, "account", by=alice, constants={"parent_account": "Two"})

    assert 0 not in flow.mapping_of(done.upload).columns
    assert parents() == {"One": "Two", "Two": None, "Three": "Two"}
    assert done.counts == {"rows": 3, "created": 3, "partial": 1}
