"""Archives of several files that refer to each other in any order."""

import argparse
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from django.urls import reverse

from rapport.actions import lease, retention, undo
from rapport.files.read import FileRefused
from rapport.imports import apply, bundle, command, flow, report
from rapport.imports.kept import Places
from rapport.imports.mapping import MappingRefused
from rapport.meta.registry import registry
from rapport.models import Account, Contact, ImportFile, Opportunity, SourceId
from rapport.models.operations import JobState
from rapport.queries.history import source_of, sources_of
from rapport.queries.imports import plan_of
from tests.factories import make_contact
from tests.imports.bringing import bring, fates, outcome, plan, zipped
from tests.imports.takingover import finished_by_another, take

pytestmark = pytest.mark.django_db

FOLDER = Path(__file__).parent / "programs"
SALESFORCE = ("opportunities", "contacts", "accounts")


def salesforce():
    """An export whose deals come before their contacts, and those before their accounts."""
    names = [f"salesforce_{name}.csv" for name in SALESFORCE]
    return zipped({n: (FOLDER / n).read_bytes() for n in names} | {"logo.png": b"\x89PNG\r\n"})


def described(content, by, name="export.zip"):
    upload = flow.receive([content], name=name, entity="auto", by=by)
    flow.describe(upload, by=by)
    return upload


def linked():
    """What names what."""
    return (
        list(Account.objects.order_by("name").values_list("name", "parent_account__name")),
        list(
            Contact.objects.order_by("last_name").values_list(
                "last_name", "account__name", "manager__last_name"
            )
        ),
        list(Opportunity.objects.order_by("topic").values_list("topic", "account__name")),
    )


LINKED = (
    [("Acme GmbH", None), ("Acme Nord", "Acme GmbH")],
    [("Berg", "Acme GmbH", None), ("Dahl", "Acme GmbH", "Berg")],
    [("Roof", "Acme GmbH"), ("Wall", "Acme Nord")],
)


def test_files_of_an_archive_find_each_other_in_one_operation(alice):
    upload = described(salesforce(), alice)
    assert [member.entity for member in bundle.members_of(upload)] == [
        "account", "contact", "opportunity",
    ]  # fmt: skip
    assert upload.options["program"] == "Salesforce"
    assert [name for name, _reason in upload.options["left_out"]] == ["logo.png"]
    flow.plan_now(upload, by=alice)
    upload = ImportFile.objects.get(pk=upload.pk)
    # Acme Nord's parent and Dahl's manager stand in the same file.
    planned = {"rows": 6, "create": 6, "late": 2}
    assert {name: n for name, n in upload.counts.items() if n} == planned
    assert Account.objects.count() == 0

    flow.apply_now(upload, by=alice)

    done = outcome(upload)
    assert (done.upload.state, done.counts) == ("done", {"rows": 6, "created": 6})
    assert linked() == LINKED
    assert {m.operation_id for m in upload.members.all()} == {done.operation.pk}
    assert {m.state for m in upload.members.all()} == {"done"}
    # Each change tells its own file, also the links that were set last.
    sources = sources_of({done.operation.pk})
    assert Counter((c.entity, source_of(c, sources)) for c in done.operation.changes.all()) == {
        ("account", "salesforce_accounts.csv"): 3,
        ("contact", "salesforce_contacts.csv"): 3,
        ("opportunity", "salesforce_opportunities.csv"): 2,
    }
    _, undone = undo.undo(done.operation, by=alice)
    assert (undone.conflicts, linked()) == ([], ([], [], []))
    # The ids of what is gone mean what comes again.
    again = described(salesforce(), alice)
    flow.plan_now(again, by=alice)
    flow.apply_now(again, by=alice)
    assert (outcome(again).counts, linked()) == ({"rows": 6, "created": 6}, LINKED)


def test_ids_are_known_to_later_imports(alice):
    for name in ("accounts", "contacts", "opportunities"):
        file = FOLDER / f"salesforce_{name}.csv"
        bring(file.read_bytes(), "auto", by=alice, name=file.name)
    assert linked() == LINKED
    assert SourceId.objects.filter(system="salesforce").count() == 6

    again = described(salesforce(), alice)
    for member in again.members.all():
        # As a page takes it, which knows nothing of whose ids these are.
        flow.remap(member, replace(flow.mapping_of(member), system=""))
    flow.plan_now(again, by=alice)
    flow.apply_now(again, by=alice)

    assert outcome(again).counts == {"rows": 6, "same": 6}
    contact = Contact.objects.get(last_name="Berg")
    changed = (FOLDER / "salesforce_contacts.csv").read_text().replace("Head of Sales", "Boss")
    assert bring(changed.encode(), "auto", by=alice).counts["updated"] == 1
    contact.refresh_from_db()
    assert contact.job_title == "Boss"


def test_a_link_to_an_id_that_is_nowhere_is_a_partial_failure(alice, admin, client_of):
    file = FOLDER / "salesforce_contacts.csv"
    planned = plan(file.read_bytes(), "auto", by=alice, name=file.name)
    assert {n: c for n, c in planned.counts.items() if c} == {
        "rows": 2, "create": 2, "partial": 2, "late": 1,
    }  # fmt: skip
    expected = list(report.errors(plan_of(planned), report.IN_PART))
    page = client_of(alice).get(reverse("import", args=[planned.pk])).content.decode()
    assert ("2 rows lack a link" in page, "1 link set at the end" in page) == (True, True)
    # A repair elsewhere in the row leaves that as it is.
    flow.repair(planned, 2, {3: "Anni"}, by=alice)
    assert list(report.errors(plan_of(planned), report.IN_PART)) == expected
    flow.apply_now(planned, by=alice)
    done = outcome(planned)

    # Both accounts are missing; whom Dahl reports to comes with the same file.
    assert list(report.errors(plan_of(done.upload), report.IN_PART)) == expected
    assert done.counts == {"rows": 2, "created": 2, "partial": 2}
    assert done.errors == []
    errors = list(report.errors(plan_of(done.upload), report.IN_PART))
    assert [(one["row"], one["column"]) for one in errors] == [(2, "AccountId"), (3, "AccountId")]
    assert "There is no account with the id “001" in errors[0]["reason"]
    page = client_of(alice).get(reverse("import", args=[done.upload.pk])).content.decode()
    assert "Partial failures" in page
    assert "There is no account with the id" in page


def test_circles_and_unknown_programs_are_linked_in_a_second_pass(alice, table):
    files = {
        "people/contacts.csv": table(
            "Id,First Name,Last Name,AccountId", "p1,Anna,Berg,c3", "p2,Carl,Dahl,c1"
        ),
        "accounts.csv": table(
            "Id,Account Name,PrimaryContactId,ParentId",
            "c2,Acme Nord,,c1",
            "c1,Acme,p2,",
            "c3,ACME,,",
        ),
        "read me.txt": b"Exported on Sunday.\n",
        "none.csv": table("Id,First Name,Last Name"),
    }
    # The third account is the second once more: whoever belongs to it belongs to that.
    for again in (False, True):
        upload = described(zipped(files), alice)
        flow.plan_now(upload, by=alice)
        counts = ImportFile.objects.get(pk=upload.pk).counts
        # Three of them name what comes after them, and none what is nowhere.
        assert (counts.get("late", 0), counts.get("partial", 0)) == ((0, 0) if again else (2, 0))
        flow.apply_now(upload, by=alice)

        assert linked()[:2] == (
            [("Acme", None), ("Acme Nord", "Acme")],
            [("Berg", "Acme", None), ("Dahl", "Acme", None)],
        )
        assert Account.objects.get(name="Acme").primary_contact.last_name == "Dahl"
        assert [name for name, _reason in outcome(upload).upload.options["left_out"]] == [
            "read me.txt", "none.csv",
        ]  # fmt: skip


@pytest.mark.parametrize("size", [1, 20])
def test_names_in_a_circle_lead_to_what_comes_later(size, alice, monkeypatch, table):
    for name in ("FIRST", "SMALLEST", "LARGEST"):
        monkeypatch.setattr(lease, name, size)
    make_contact(first_name="Old", last_name="Hand", owner=alice)
    files = {
        "contacts.csv": table(
            "First Name,Last Name,Company", "Anna,Berg,Acme", "Carl,Dahl,Acme", "Carl,Dahl,Bee",
            "Eva,Eck,Bee", "Eva,Eck,",
        ),
        "accounts.csv": table(
            "Account Name,City,Primary Contact",
            "Acme,Bonn,\"Berg, Anna\"", "Bee,Ulm,Carl Dahl", "Cee,Kiel,Eva Eck",
            "Dee,Hof,Somebody Here", "Eee,Lahr,Old Hand", "Fee,,", "Gee,none@,Anna Berg",
        ),
    }  # fmt: skip
    upload = described(zipped(files), alice)
    flow.plan_now(upload, by=alice)
    accounts = bundle.members_of(upload)[0]

    counts = ImportFile.objects.get(pk=upload.pk).counts
    assert (counts["create"], counts["late"], counts["contacts"]) == (12, 5, 1)
    # A repair elsewhere in the row leaves that as it is.
    flow.repair(accounts, 2, {1: "Bonn am Rhein"}, by=alice)
    assert outcome(upload).counts["create"] == 12
    flow.apply_now(ImportFile.objects.get(pk=upload.pk), by=alice)

    found = Account.objects.order_by("name").values_list(
        "name", "address1_city", "primary_contact__last_name", "primary_contact__account__name"
    )
    assert list(found) == [
        ("Acme", "Bonn am Rhein", "Berg", "Acme"),
        # Of two with this name the one who belongs there.
        ("Bee", "Ulm", "Dahl", "Bee"),
        ("Cee", "Kiel", None, None),
        ("Dee", "Hof", "Here", "Dee"),
        ("Eee", "Lahr", "Hand", None),
        ("Fee", "", None, None),
        ("Gee", "none@", "Berg", "Acme"),
    ]
    lacking = list(report.errors(plan_of(accounts), report.IN_PART))
    assert [(one["row"], one["column"]) for one in lacking] == [(4, "Primary Contact")]
    assert "There are 2 records called “Eva Eck”" in lacking[0]["reason"]
    assert (outcome(upload).counts["partial"], outcome(upload).counts["contacts_created"]) == (1, 1)

    # The same files again change nothing, and all of it is taken back at once.
    again = described(zipped(files), alice)
    flow.plan_now(again, by=alice)
    # By now several people are stored with two of the names.
    assert outcome(again).counts == {"rows": 12, "same": 9, "duplicate": 1, "refused": 2}
    _back, undone = undo.undo(outcome(upload).operation, by=alice)
    assert (undone.conflicts, Account.objects.count(), Contact.objects.count()) == ([], 0, 1)


@pytest.mark.parametrize("size", [1, 2, 3, 20])
def test_links_in_a_circle_are_the_same_wherever_batches_end(size, alice, monkeypatch, table):
    monkeypatch.setattr(lease.Run, "size", property(lambda run: size))
    chiefs = {"a": "b", "b": "c", "c": "a", "d": "e", "e": "d", "f": "f", "g": "a", "h": "i",
              "i": "h", "j": "h"}  # fmt: skip
    rows = [f"{name},{name},A1,{chief}" for name, chief in chiefs.items()]
    files = {
        "accounts.csv": table("Id,Account Name", "A1,Acme"),
        "contacts.csv": table("Id,Last Name,AccountId,ReportsToId", *rows),
    }
    upload = described(zipped(files), alice)
    flow.plan_now(upload, by=alice)
    flow.apply_now(upload, by=alice)

    found = dict(Contact.objects.values_list("last_name", "manager__last_name"))
    # Of each circle the last link to a later row is left out.
    left_out = {"b", "d", "f", "h"}
    assert found == {name: None if name in left_out else chief for name, chief in chiefs.items()}
    assert outcome(upload).counts == {"rows": 11, "created": 11, "partial": 4}
    late = [
        row
        for one in bundle.members_of(upload)
        for row in report.errors(plan_of(one), report.IN_PART)
    ]
    assert {row["reason"] for row in late} == {
        "A record cannot stand above itself: this would make a circle."
    }
    assert Contact.objects.filter(account__name="Acme").count() == 10


@pytest.mark.parametrize("steps", [1, 3, 5, 7, 9])
def test_killed_archive_is_finished_and_nothing_is_doubled(steps, alice):
    upload = described(salesforce(), alice)
    flow.plan_now(upload, by=alice)
    flow.start_apply(upload, by=alice)

    finished_by_another(steps)

    assert (linked(), outcome(upload).counts) == (LINKED, {"rows": 6, "created": 6})


def test_archive_that_was_stopped_before_it_wrote_anything_tells_its_files(
    alice, table, monkeypatch
):
    monkeypatch.setattr(apply, "SMALLEST", 1)
    bring(table("Account Name", "Acme"), "account", by=alice)
    files = {
        "accounts.csv": table("Account Name,Main Phone", "Acme,", "Bee,1"),
        "people.csv": table("Last Name,Email", "Bo,b@x.de"),
    }
    upload = described(zipped(files), alice)
    flow.plan_now(upload, by=alice)
    flow.start_apply(upload, by=alice)
    run = take("first")
    run.pace.size = 1
    assert apply.step(run)
    run.end(JobState.CANCELLED, ended=apply.ended)

    upload.refresh_from_db()
    assert upload.operation is None
    flow.go_on(upload, by=alice)
    finished_by_another(0)

    op = outcome(upload).operation
    told = {c.entity: source_of(c, sources_of({op.pk})) for c in op.changes.all()}
    assert told == {"account": "accounts.csv", "contact": "people.csv"}
    made = [
        flow.records_of(file, "created", alice, entity=registry["account"]).count()
        for file in bundle.members_of(upload)
    ]
    assert made == [1, 0]


def repeated(upload, row, *, by):
    """(file, row) that a row of b.csv repeats, as its card and its error file say."""
    member = next(m for m in bundle.members_of(upload) if m.name == "b.csv")
    (shown,) = flow.rows_of(member, by=by, fate="duplicate", after=row - 1, limit=1)
    places = Places(plan_of(member))
    kept = plan_of(member).rows.get(row=row)
    text = report.duplicate_text(kept, registry[member.entity], places)
    assert f"The same as row {shown.like} of {shown.like_file} (" in text
    return shown.like_file, shown.like


def test_rows_of_several_files_are_compared_and_decided(alice, table):
    stored = make_contact(last_name="Old", email="old@x.de", owner=alice)
    people = [
        ("a.csv", "Last Name,Email", ("Bo,bo@x.de", "Dee,dee@x.de", "Old,old@x.de")),
        ("b.csv", "E-mail,Last Name,City", ("eve@x.de,Eve,Ulm", "bo@x.de,Bo,Ulm", "nonsense,Dee,",
                                            "old@x.de,Old,Bonn")),
    ]  # fmt: skip
    files = [(name, [table(header, *rows)]) for name, header, rows in people]
    upload = flow.receive_many(files, entity="auto", by=alice)
    flow.describe(upload, by=alice)
    for member in upload.members.all():
        mapping = flow.mapping_of(member)
        flow.remap(member, replace(mapping, match=(("email",),)))
    flow.plan_now(upload, by=alice)
    counts = {"rows": 7, "create": 3, "update": 1, "same": 1, "duplicate": 1, "refused": 1}
    assert outcome(upload).counts == counts
    first, second = bundle.members_of(upload)

    # The repaired row repeats one of the other file, and is known by it; so does what comes later.
    assert flow.repair(second, 4, {0: "dee@x.de"}, by=alice).fate == "duplicate"
    assert repeated(upload, 4, by=alice) == ("a.csv", 3)
    flow.decide(first, 2, "skip", by=alice)
    assert fates(second) == {4: "duplicate", 5: "update"}
    flow.repair(first, 3, {1: "eve@x.de"}, by=alice)
    assert fates(second) == {2: "duplicate", 4: "create", 5: "update"}
    counts = {"rows": 7, "create": 3, "update": 1, "same": 1, "duplicate": 1, "skip": 1}
    assert outcome(upload).counts == counts

    flow.apply_now(ImportFile.objects.get(pk=upload.pk), by=alice)
    assert outcome(upload).counts == {
        "rows": 7, "created": 3, "updated": 1, "same": 1, "duplicates": 1, "skipped": 1,
    }  # fmt: skip
    assert sorted(Contact.objects.values_list("last_name", "email", "address1_city")) == [
        ("Bo", "bo@x.de", "Ulm"), ("Dee", "dee@x.de", ""), ("Dee", "eve@x.de", ""),
        ("Old", stored.email, "Bonn"),
    ]  # fmt: skip


def test_names_in_a_circle_lead_to_nobody_who_may_not_be_seen(alice, charlie, table):
    make_contact(first_name="Hidden", last_name="One", owner=charlie)
    files = {
        "contacts.csv": table("First Name,Last Name", "Ada,Byron"),
        "accounts.csv": table("Account Name,Primary Contact", "Acme,Hidden One", "Bee,Ada Byron"),
    }
    upload = described(zipped(files), alice)
    flow.plan_now(upload, by=alice)
    flow.apply_now(upload, by=alice)

    found = Account.objects.order_by("name").values_list(
        "name", "primary_contact__last_name", "primary_contact__owner"
    )
    assert list(found) == [("Acme", "One", alice.pk), ("Bee", "Byron", alice.pk)]
    assert outcome(upload).counts == {"rows": 3, "created": 3, "contacts_created": 1}


def test_files_of_the_same_name_list_their_own_records(alice, table):
    files = {f"{n}/people.csv": table("First Name,Last Name", f"Ada,Of{n}") for n in (2025, 2026)}
    upload = described(zipped(files), alice)
    flow.plan_now(upload, by=alice)
    flow.apply_now(upload, by=alice)

    contact = registry["contact"]
    listed = [flow.records_of(m, "created", alice, entity=contact) for m in upload.members.all()]
    names = [list(found.values_list("last_name", flat=True)) for found in listed]
    assert sorted(names) == [["Of2025"], ["Of2026"]]


def test_several_files_are_like_an_archive_and_one_list_is_a_file(alice, table):
    people = table("First Name,Last Name,Company", "Anna,Berg,Acme")
    accounts = table("Account Name,Main Phone", "Acme,1")
    upload = flow.receive_many(
        [("a.csv", [people]), ("a.csv", [accounts]), ("b.csv", [accounts + b"\nBee,2"])],
        entity="auto",
        by=alice,
    )
    flow.describe(upload, by=alice)
    flow.plan_now(upload, by=alice)
    # The second list of accounts repeats a row of the first.
    assert outcome(upload).counts == {"rows": 4, "create": 3, "duplicate": 1}
    assert repeated(upload, 2, by=alice) == ("a (2).csv", 2)
    flow.apply_now(upload, by=alice)
    assert outcome(upload).counts == {"rows": 4, "created": 3, "duplicates": 1}
    assert Contact.objects.get().account.main_phone == "1"
    made = {
        file.name: list(
            flow.records_of(file, "created", alice, entity=registry[file.entity]).values_list(
                "name" if file.entity == "account" else "last_name", flat=True
            )
        )
        for file in upload.members.all()
    }
    assert made == {"a.csv": ["Berg"], "a (2).csv": ["Acme"], "b.csv": ["Bee"]}

    spoilt = [("a.csv", [accounts]), ("p.csv", [people + b"\n,,"]), ("q.csv", [people + b"\nX,"])]
    upload = flow.receive_many(spoilt, entity="auto", by=alice)
    flow.describe(upload, by=alice)
    flow.plan_now(upload, by=alice)
    lines = b"".join(report.rows_file(upload, plan_of(upload))).decode("utf-8-sig").splitlines()
    assert [line.split(",")[0] for line in lines] == ['"First Name"', '"X"']

    alone = described(zipped({"people.csv": people, "notes.txt": b"hello\n"}), alice)
    assert (bundle.is_bundle(alone), alone.entity) == (False, "contact")


def test_empty_file_among_others_is_named(alice, table):
    people = table("First Name,Last Name,Email", "Anna,Berg,a@x.de")
    accounts = table("Account Name,Main Phone", "Acme,1")
    told = ["void.csv", "There is no data in this file."]

    one = received(alice, ("people.csv", people), ("void.csv", b""))
    assert (bundle.is_bundle(one), one.entity, one.options["left_out"], one.options["notes"]) == (
        False, "contact", [told], ["“void.csv” is left out. There is no data in this file."],
    )  # fmt: skip

    two = received(alice, ("people.csv", people), ("void.csv", b""), ("a.csv", accounts))
    assert (two.options["members"], two.options["left_out"]) == (["a.csv", "people.csv"], [told])


def test_file_that_is_no_list_among_others_is_named(alice, table):
    people = table("First Name,Last Name,Email", "Anna,Berg,a@x.de")
    taken = received(alice, ("notes.txt", b"hello\nyou\n"), ("people.csv", people))
    (note,) = taken.options["notes"]
    assert note.startswith("“notes.txt” is left out. The headers (hello) do not tell whether")

    # Whoever reads it all the same knows.
    flow.read_again(taken, registry["contact"], {"member": "notes.txt"}, by=alice)
    assert [note for note in taken.options["notes"] if "left out" in note] == []


def test_files_of_which_none_is_a_list_are_each_told_why(alice):
    with pytest.raises(FileRefused) as refused:
        received(alice, ("void.csv", b""), ("cat.png", b"\x89PNG\r\n\x1a\n\0\0"))
    assert str(refused.value) == (
        "None of these files holds a list that can be imported. "
        "void.csv: There is no data in this file. "
        "cat.png: This is a file of the type “PNG”, which holds no table."
    )
    # Of these somebody may say it.
    with pytest.raises(MappingRefused):
        received(alice, ("a.txt", b"hello\nyou\n"), ("cat.png", b"\x89PNG\r\n\x1a\n\0\0"))
    with pytest.raises(MappingRefused):
        received(alice, ("a.txt", b"hello\nyou\n"), ("b.txt", b"hello\nyou\n"))


def received(alice, *files):
    """Several files, looked at."""
    upload = flow.receive_many([(n, [content]) for n, content in files], entity="auto", by=alice)
    flow.describe(upload, by=alice)
    return upload


def test_archive_that_is_looked_at_again_leaves_no_files_behind(alice, settings):
    upload = described(salesforce(), by=alice)

    flow.describe(upload, by=alice)

    folders = (Path(settings.MEDIA_ROOT) / retention.UPLOADS).iterdir()
    named = ImportFile.objects.values_list("stored", flat=True)
    assert {folder.name for folder in folders} == {name.split("/")[1] for name in named}


def test_ids_mean_ones_own_records_where_those_of_others_are_hidden(alice, charlie):
    files = {name: (FOLDER / f"salesforce_{name}.csv").read_bytes() for name in SALESFORCE[1:]}
    for who in (alice, charlie):
        upload = described(zipped(files), who)
        flow.plan_now(upload, by=who)
        flow.apply_now(upload, by=who)

    again = described(zipped(files), charlie)
    flow.plan_now(again, by=charlie)

    mine = Contact.objects.filter(owner_id=charlie.pk).order_by("last_name")
    assert list(mine.values_list("last_name", "account__name", "account__owner_id")) == [
        ("Berg", "Acme GmbH", charlie.pk), ("Dahl", "Acme GmbH", charlie.pk),
    ]  # fmt: skip
    assert outcome(again).counts == {"rows": 4, "same": 4}


def test_rows_that_repeat_those_of_another_file_are_told_without_a_look_for_each(
    alice, django_assert_num_queries
):
    for number in (1, 3):
        rows = "".join(f"A,B{n},b{n}@x{number}.de\n" for n in range(number))
        people = f"First Name,Last Name,Email\n{rows}".encode()
        upload = described(zipped({"a.csv": people, "b.csv": people}), alice)
        flow.plan_now(upload, by=alice)
        member = bundle.members_of(upload)[1]
        plan = plan_of(member)

        with django_assert_num_queries(4):
            pieces = list(report.rows_file(member, plan, ("duplicate",)))

        assert b"".join(pieces).count(b"of a.csv (") == number


def test_error_rows_of_several_files_are_an_empty_file_when_there_are_none(client_of, alice):
    upload = described(salesforce(), alice)
    flow.plan_now(upload, by=alice)

    answer = client_of(alice).get(reverse("import-errors", args=[upload.pk]))

    assert b"".join(answer.streaming_content) == b"\xef\xbb\xbf"


def test_backup_is_named_with_its_remedy(alice):
    content = zipped({"tables/account.jsonl": b"{}\n", "manifest.json": b"{}"})
    with pytest.raises(FileRefused, match="rapport restore"):
        described(content, alice)


def test_command_says_what_became_of_each_file(alice, tmp_path, capsys):
    for name in (*SALESFORCE, "leads"):
        (tmp_path / name).write_bytes((FOLDER / f"salesforce_{name}.csv").read_bytes())
    files = [tmp_path / name for name in (*SALESFORCE, "leads")]
    given = {"file": files, "entity": "auto", "by": alice, "dry_run": False}

    assert command.run(argparse.Namespace(**given, json=True)) == 0

    found = json.loads(capsys.readouterr().out)
    assert (found["rows"], found["created"], found["program"]) == (7, 7, "Salesforce")
    assert [(m["file"], m["entity"], m["created"]) for m in found["members"]] == [
        ("accounts", "account", 2), ("contacts", "contact", 2),
        ("opportunities", "opportunity", 2), ("leads", "lead", 1),
    ]  # fmt: skip
    assert command.run(argparse.Namespace(**given, json=False)) == 0
    said = capsys.readouterr().out
    assert "contacts: 2 rows, 0 of them new" in said
    assert "7 rows: 0 created, 0 updated, 0 duplicates, 7 skipped" in said


def test_archive_of_which_nothing_is_new_has_been_applied(alice):
    accounts = b"Account Name,Website\nAcme,https://acme.example\n"
    contacts = b"First Name,Last Name,Account Name\nAnna,Bo,Acme\n"
    bring(contacts, by=alice)
    upload = described(zipped({"contacts.csv": contacts, "accounts.csv": accounts}), alice)

    flow.plan_now(upload, by=alice)
    flow.apply_now(upload, by=alice)

    counts = ImportFile.objects.get(pk=upload.pk).counts
    assert (counts["created"], counts["same"], counts["duplicates"]) == (0, 1, 1)


def test_command_takes_options_for_several_files(alice, tmp_path, capsys, table):
    for name, *lines in (
        ("a.csv", "Name,Email,Fax: No", "Bo,bo@x.de,1"),
        ("b.csv", "Last Name,Mail", "Dee,dee@x.de", "Fa,"),
        ("c.csv", "Account Name,Tel", "Acme,2"),
    ):
        (tmp_path / name).write_bytes(table(*lines))
    given = {"entity": "auto", "by": alice, "dry_run": True, "json": True}

    def told(*names, **options):
        files = [tmp_path / name for name in names]
        code = command.run(argparse.Namespace(**{**given, "file": files, **options}))
        found = json.loads(capsys.readouterr().out)
        return code, found["refused"], {m["file"]: m for m in found.get("members", ())}

    # What holds lists of the same is no list of its first file.
    code, _refused, members = told("a.csv", "b.csv", entity="contact")
    assert (code, {name: m["rows"] for name, m in members.items()}) == (0, {"a.csv": 1, "b.csv": 2})
    code, _refused, members = told(
        "b.csv", "c.csv", map=["C.CSV:Tel=fax", "b:Mail=email2"], match=["contact:last_name"],
        constant=["description=Fair"], default=["Mail=no@x.de"],
    )  # fmt: skip
    assert (code, [members[n]["mapping"] for n in ("b.csv", "c.csv")]) == (
        0, [{"Last Name": "last_name", "Mail": "email2"}, {"Account Name": "name", "Tel": "fax"}],
    )  # fmt: skip
    assert members["b.csv"]["decided"] == {
        "match": [["last_name"]], "constants": {"description": "Fair"},
        "columns": {"Mail": {"default": "no@x.de"}},
    }  # fmt: skip
    assert members["c.csv"]["decided"] == {"constants": {"description": "Fair"}}
    # Neither a file nor a column; a field that this file has not.
    for pick in ("Tul=fax", "b.csv:Tel=fax"):
        code, refused, _members = told("b.csv", "c.csv", map=[pick])
        assert (code, "may begin with a file and a colon: c.csv, b.csv" in refused) == (2, True)
