"""Applying: what is written, what it is linked with, and taking it back."""

import datetime
import os
from collections import Counter
from pathlib import Path

import pytest

from rapport.actions import lease, merge, records, retention, states, undo
from rapport.actions.people import SETUP
from rapport.imports import apply, flow, report
from rapport.meta.registry import registry
from rapport.models import Account, Change, Contact, ImportFile, Job, Lead, MatchKey, Operation
from rapport.queries import one as single
from rapport.queries.imports import plan_of
from tests.factories import make_account, make_contact, make_team, make_user
from tests.imports.bringing import bring, errors, fates, outcome, plan
from tests.imports.takingover import take

pytestmark = pytest.mark.django_db

FAIR = (
    "First Name,Last Name,Email,Company,Phone,Street,City,Birthday,Gender,Notes",
    "Anna,Bo,anna@x.de,Acme GmbH,+49 30 1,Ring 5,Bonn,31.12.1980,Female,=1+1",
    "Carl,Dee,carl@x.de,ACME GMBH,,,,,,<script>alert(1)</script>",
    "Eve,Fa,eve@x.de,,,,,,,",
)


def test_contacts_come_with_their_accounts(alice, table):
    done = bring(table(*FAIR), by=alice, name="fair.csv")

    assert done.counts == {"rows": 3, "created": 3, "accounts_created": 1}
    anna, carl, eve = Contact.objects.order_by("first_name")
    account = Account.objects.get()
    assert (account.name, account.owner_id) == ("Acme GmbH", alice.pk)
    assert (anna.account_id, carl.account_id, eve.account_id) == (account.pk, account.pk, None)
    assert (anna.full_name, anna.business_phone, anna.address1_line1) == (
        "Anna Bo", "+49 30 1", "Ring 5",
    )  # fmt: skip
    assert (anna.birthday, anna.gender) == (datetime.date(1980, 12, 31), 2)
    assert (anna.description, carl.description) == ("=1+1", "<script>alert(1)</script>")
    assert {anna.owner_id, carl.owner_id, eve.owner_id} == {alice.pk}
    assert {anna.owning_unit_id} == {alice.business_unit_id}


def test_all_of_it_is_one_operation_and_every_row_says_where_it_comes_from(alice, table):
    done = bring(table(*FAIR), by=alice, name="fair.csv")

    op = done.operation
    assert (op.kind, op.state, op.user_id) == ("import", "done", alice.pk)
    assert op.parameters == {"file": "fair.csv", "entity": "contact"}
    assert op.counts == {"created": 4}
    changes = Change.objects.filter(operation=op).order_by("id")
    assert [(change.entity, change.row) for change in changes] == [
        ("account", 2), ("contact", 2), ("contact", 3), ("contact", 4),
    ]  # fmt: skip


def test_imported_record_is_the_same_as_one_that_was_typed(alice, table):
    typed = records.create_record(
        registry["contact"],
        {
            "first_name": "Anna", "last_name": "Bo", "email": "anna@x.de", "gender": 2,
            "birthday": datetime.date(1980, 12, 31), "business_phone": "+49 30 1",
        },
        by=alice,
    )  # fmt: skip
    kept = stored(typed)
    records.delete_records(registry["contact"], [typed], by=alice)

    bring(
        table("First Name,Last Name,Email,Gender,Birthday,Phone",
              "Anna,Bo,anna@x.de,Female,1980-12-31,+49 30 1"),
        by=alice,
    )  # fmt: skip

    assert stored(Contact.objects.get().pk) == kept


def stored(id_):
    """Everything that is kept of a contact, but keys and times."""
    row = Contact.objects.filter(pk=id_).values().get()
    keys = MatchKey.objects.filter(record=id_).order_by("hash").values_list("hash")
    news = {"id", "created_at", "modified_at"}
    return {n: v for n, v in row.items() if n not in news}, list(keys)


def test_same_list_again_adds_nothing(alice, table):
    bring(table(*FAIR), by=alice)

    again = bring(table(*FAIR), by=alice)

    assert again.counts == {"rows": 3, "same": 3}
    assert (Contact.objects.count(), Account.objects.count()) == (3, 1)
    # Nothing was done, so nothing is in the journal.
    assert (again.operation, Operation.objects.filter(kind="import").count()) == (None, 1)


def test_undo_takes_all_of_it_back(alice, table):
    before = make_contact(first_name="Zoe", owner=alice)
    done = bring(table(*FAIR), by=alice)

    _, undone = undo.undo(done.operation, by=alice)

    assert (undone.removed, undone.conflicts) == (4, [])
    assert list(Contact.objects.values_list("pk", flat=True)) == [before.pk]
    left = MatchKey.objects.exclude(record=before.pk).filter(entity__in=[1, 2])
    assert (Account.objects.count(), left.count()) == (0, 0)
    assert bring(table(*FAIR), by=alice).counts["created"] == 3


def test_company_is_linked_with_the_account_that_is_there(alice, table):
    acme = make_account(name="Acme, GmbH", owner=alice)
    content = table("Last Name,Company", "Bo,acme gmbh", f"Dee,{acme.pk}")

    done = bring(content, by=alice)

    assert done.counts == {"rows": 2, "created": 2}
    assert set(Contact.objects.values_list("account", flat=True)) == {acme.pk}


def test_active_account_wins_and_two_are_refused(alice, table):
    old = make_account(name="Acme", owner=alice)
    states.deactivate("account", [old.pk], by=alice)
    active = make_account(name="Acme", owner=alice)
    make_account(name="Bee", owner=alice)
    make_account(name="Bee", owner=alice)

    done = bring(table("Last Name,Company", "Bo,Acme", "Dee,Bee"), by=alice)

    assert Contact.objects.get().account_id == active.pk
    assert done.errors == [
        (
            3,
            "Company",
            (
                "There are 2 records called “Bee”. Correct the name, create the record first, or "
                "empty the cell."
            ),
        )
    ]


@pytest.mark.parametrize(
    ("rule", "created", "accounts"), [("create", 1, 1), ("refuse", 0, 0), ("blank", 1, 0)]
)
def test_what_happens_without_an_account_can_be_chosen(rule, created, accounts, alice, table):
    bring(table("Last Name,Company", "Bo,Acme"), by=alice, missing={"account": rule})
    assert (Contact.objects.count(), Account.objects.count()) == (created, accounts)


def test_no_account_is_made_for_rows_that_are_not_written(alice, table):
    make_contact(email="a@x.de", owner=alice)
    bring(table("Last Name,Email,Company", "Bo,a@x.de,Acme", "Dee,nonsense,Bee"), by=alice)
    assert Account.objects.count() == 0


def test_leads_are_told_apart_by_something(alice, table):
    content = table(
        "First Name,Last Name,Company,Phone,Topic",
        "Anna,Bo,Acme,,",
        "Carl,,,,",
        ",,,0170 1,Pump",
    )
    done = bring(content, "lead", by=alice)

    assert sorted(Lead.objects.values_list("topic", flat=True)) == ["Inquiry: Acme", "Pump"]
    assert done.errors == [
        (3, "Last Name", "A lead needs a last name, a company, an e-mail or a phone number.")
    ]


def test_blank_cells_get_the_default(alice, table):
    bring(table("Last Name,Rating", "Bo,", "Dee,Hot"), "lead", by=alice)
    assert dict(Lead.objects.values_list("last_name", "rating")) == {"Bo": 2, "Dee": 1}


def test_owner_is_named_or_it_is_whoever_imports(admin, alice, table):
    north = make_team(name="Team North")
    content = table(
        "Last Name,Contact Owner", "Bo,alice@example.com", "Dee,team north", "Fa,nobody", "Ga,",
    )  # fmt: skip
    bring(content, by=admin)

    owners = dict(Contact.objects.values_list("last_name", "owner"))
    assert owners == {"Bo": alice.pk, "Dee": north.pk, "Fa": admin.pk, "Ga": admin.pk}


def test_owner_who_has_left_is_nobody_by_name_and_address(alice, bob, table):
    states.deactivate("user", [bob.pk], by=SETUP)

    done = bring(table("Last Name,Owner", f"Bo,{bob.email}", f"Dee,{bob.full_name}"), by=alice)

    assert done.counts == {"rows": 2, "created": 2}
    assert set(Contact.objects.values_list("owner", flat=True)) == {alice.pk}


def test_records_are_given_away_only_by_those_who_may(bob, table):
    mira = make_user(roles=("marketing",))

    done = bring(table("Last Name,Owner", "Bo,bob@example.com"), by=mira)

    assert done.errors == [(2, "Owner", "You may not give this record to somebody else.")]


def test_manager_must_be_there(alice, table):
    boss = make_contact(first_name="Ada", last_name="Boss", owner=alice)
    done = bring(table("Last Name,Reports to", "Bo,ada boss", "Dee,Nobody"), by=alice)

    assert Contact.objects.get(last_name="Bo").manager_id == boss.pk
    assert [(row, column) for row, column, _ in done.errors] == [(3, "Reports to")]


def test_tasks_are_about_what_their_cell_names(alice, table):
    acme = make_account(name="Acme", owner=alice)
    content = table("Subject,Regarding", "Call,Account: ACME", "Write,acme", "Meet,Lead: Acme")

    done = bring(content, "task", by=alice)

    tasks = registry["task"].records().order_by("subject")
    assert [(t.subject, t.regarding_entity, t.regarding_id) for t in tasks] == [
        ("Call", "account", acme.pk), ("Write", "account", acme.pk),
    ]  # fmt: skip
    assert [(row, column) for row, column, _ in done.errors] == [(4, "Regarding")]


def test_record_id_updates_and_blank_cells_wipe_nothing(alice, table):
    anna = make_contact(
        first_name="Anna", last_name="Bo", email="a@x.de", job_title="Buyer", owner=alice
    )
    carl = make_contact(first_name="Carl", last_name="Dee", owner=alice)
    content = table(
        "(Do Not Modify) Contact,First Name,Last Name,Email,Job Title",
        f"{anna.pk},Anna,Bo-Li,,CEO",
        f"{carl.pk},Carl,Dee,,",
        "0190a0a0-0000-7000-8000-000000000001,Eve,Fa,,",
        "nonsense,X,Y,,",
    )
    done = bring(content, by=alice)

    assert done.counts == {"rows": 4, "created": 1, "updated": 1, "same": 1, "refused": 1}
    anna.refresh_from_db()
    assert (anna.full_name, anna.email, anna.job_title, anna.version) == (
        "Anna Bo-Li", "a@x.de", "CEO", 2,
    )  # fmt: skip
    assert Contact.objects.filter(pk="0190a0a0-0000-7000-8000-000000000001").count() == 0
    assert [row for row, _, _ in done.errors] == [5]

    undo.undo(done.operation, by=alice)
    anna.refresh_from_db()
    assert (anna.full_name, anna.job_title) == ("Anna Bo", "Buyer")


def test_id_of_a_merged_record_means_the_one_that_stayed(alice, charlie, table):
    stays, gone = (make_contact(owner=alice) for _ in range(2))
    merge.merge(registry["contact"], [stays.pk, gone.pk], by=alice, master=stays.pk)
    got = bring(table("(Do Not Modify) Contact,Job Title", f"{gone.pk},CEO"), by=alice)

    assert got.counts["updated"] == 1
    assert list(Contact.objects.values_list("pk", "job_title")) == [(stays.pk, "CEO")]

    got = bring(table("Last Name,Reports to", f"Bo,{gone.pk}"), by=alice)
    assert got.counts["created"] == 1
    assert Contact.objects.get(last_name="Bo").manager_id == stays.pk
    got = bring(table("Last Name,Reports to", f"Fa,{gone.pk}"), by=charlie)
    assert not Contact.objects.filter(last_name="Fa", manager__isnull=False).exists()


def test_row_that_changed_since_the_plan_is_not_written(alice, table):
    content = table("Last Name,Email,Reports to", "Bo,bo@x.de,", "Dee,dee@x.de,", "Fa,,Ada Boss")
    upload = plan(content, by=alice)
    make_contact(email="dee@x.de", owner=alice)
    make_contact(first_name="Ada", last_name="Boss", owner=alice)

    flow.apply_now(upload, by=alice)
    done = outcome(upload)

    assert done.counts == {"rows": 3, "created": 1, "changed": 2}
    assert fates(done.upload) == {3: "changed", 4: "changed"}
    assert [(row, reason) for row, _, reason in done.errors][:1] == [
        (3, "Planned was “Create”, and by now it would be “Duplicate”. Import these rows again.")
    ]
    assert Contact.objects.filter(last_name__in=("Dee", "Fa")).count() == 0


def test_update_that_would_be_another_is_not_written(alice, table):
    anna = make_contact(last_name="Bo", job_title="Buyer", owner=alice)
    upload = plan(table("(Do Not Modify) Contact,Job Title", f"{anna.pk},CEO"), by=alice)
    records.update_record(registry["contact"], anna.pk, {"job_title": "CTO"}, by=alice)

    flow.apply_now(upload, by=alice)

    anna.refresh_from_db()
    done = outcome(upload)
    assert (anna.job_title, done.counts) == ("CTO", {"rows": 1, "changed": 1})
    [(_row, _column, reason)] = done.errors
    assert reason.startswith("The record has been changed since, so other values")


def test_plan_is_applied_once(alice, table):
    upload = plan(table("Last Name", "Bo"), by=alice)
    same_page_in_another_tab = ImportFile.objects.get(pk=upload.pk)
    flow.apply_now(upload, by=alice)

    for one in (upload, same_page_in_another_tab):
        with pytest.raises(flow.NotNow):
            flow.apply_now(one, by=alice)
    with pytest.raises(flow.NotNow):
        flow.remap(upload, flow.mapping_of(upload))
    assert Contact.objects.count() == 1


def test_card_keeps_what_its_fields_cannot_hold(alice):
    card = "BEGIN:VCARD\nVERSION:3.0\nN:Bo;Anna\nFN:Anna Bo\nBDAY:--0203\nEND:VCARD\n"

    bring(card.encode(), by=alice, name="card.vcf")

    anna = Contact.objects.get()
    assert (anna.full_name, anna.birthday, anna.description) == (
        "Anna Bo",
        None,
        "Birthday: --0203",
    )


def test_company_card_is_no_person_to_take_apart(alice):
    card = "BEGIN:VCARD\nVERSION:3.0\nFN:Apple Computer AG\nORG:Apple Computer AG\nEND:VCARD\n"

    bring(card.encode(), by=alice, name="card.vcf")

    assert Contact.objects.get().last_name == "Apple Computer AG"
    assert Account.objects.get().name == "Apple Computer AG"


def test_several_values_of_one_cell_fill_the_fields_beside(alice, table):
    bring(table("Last Name,Email,Phone", "Bo,a@x.de; b@x.de,1 ::: 2"), by=alice)

    bo = Contact.objects.get()
    assert (bo.email, bo.email2, bo.business_phone, bo.business_phone2) == (
        "a@x.de", "b@x.de", "1", "2",
    )  # fmt: skip


def test_numbers_of_one_cell_stay_together_where_there_is_no_field_beside(alice, table):
    content = table(
        "Last Name,Business Phone,Business Phone 2,Third phone",
        "Bo,0421 448899 / 0171 2345678,,030 123456",
    )

    assert bring(content, by=alice).errors == []
    assert Contact.objects.get().business_phone == "0421 448899 / 0171 2345678"


def test_error_rows_that_fail_again_have_one_reason(alice):
    done = bring(b"Name;Mail\nBo;nonsense\n", by=alice)
    file = b"".join(report.rows_file(done.upload, plan_of(done.upload)))

    again = bring(file, by=alice)

    assert again.counts == {"rows": 1, "refused": 1}
    assert b"".join(report.rows_file(again.upload, plan_of(again.upload))) == file


def test_error_file_is_the_refused_rows_as_they_were(alice):
    content = b'"Name";"Mail";"Odd;one"\r\n"Bo";"nonsense";"=1+1"\r\n"Dee";"d@x.de";"x"\r\n'
    done = bring(content, by=alice)

    file = b"".join(report.rows_file(done.upload, plan_of(done.upload)))

    assert file.decode("utf-8-sig").splitlines() == [
        '"Name";"Mail";"Odd;one";"Reason"',
        (
            '"Bo";"nonsense";"\'=1+1";"“nonsense” is not an e-mail address. Correct the address '
            'or empty the cell."'
        ),
    ]
    repaired = file.replace(b"nonsense", b"bo@x.de", 1)
    assert bring(repaired, by=alice).counts == {"rows": 1, "created": 1}


def test_repaired_error_rows_come_back_without_our_apostrophes(alice):
    content = 'Name,Mail,Position,"Größe ""a"""\nBo,nonsense,=1+1,\nDee,d@x.de,,\n'.encode()
    done = bring(content, by=alice)
    file = b"".join(report.rows_file(done.upload, plan_of(done.upload)))
    assert b"'=1+1" in file

    bring(file.replace(b"nonsense", b"bo@x.de", 1), by=alice)

    assert Contact.objects.get(email="bo@x.de").job_title == "=1+1"


def test_column_of_reasons_alone_makes_no_error_file_of_ours(alice, table):
    bring(table("Last Name,Position,Reason", "Bo,'=1+1,new here"), by=alice)

    assert Contact.objects.get().job_title == "'=1+1"


def test_uploads_are_tidied_when_nobody_waits_for_it(
    alice, table, settings, django_capture_on_commit_callbacks
):
    upload = plan(table("Last Name", "Bo"), by=alice)
    old = Path(settings.MEDIA_ROOT) / "imports" / "other" / f"{retention.MADE_AHEAD}x-0"
    old.parent.mkdir()
    old.touch()
    os.utime(old, (0, 0))

    with django_capture_on_commit_callbacks(execute=True) as after:
        flow.apply_now(upload, by=alice)
        assert old.exists()

    assert old.exists() is False
    assert retention.tidy_uploads in after


def test_texts_of_repaired_error_rows_are_those_of_the_file(alice, table):
    from rapport.imports import report

    done = bring(table("Last Name,Email,Description", "Bo,x,=1+1", "Dee,x,'- she"), by=alice)
    file = b"".join(report.rows_file(done.upload, plan_of(done.upload)))

    bring(file.replace(b'"x"', b'""'), by=alice)

    texts = Contact.objects.order_by("last_name").values_list("description", flat=True)
    assert list(texts) == ["=1+1", "'- she"]


def test_statements_do_not_grow_with_the_rows(alice, table, django_assert_max_num_queries):
    def content(start, number):
        rows = (f"Anna,Bo {n},a{n}@x.de,Acme {n % 5}" for n in range(start, start + number))
        return table("First Name,Last Name,Email,Company", *rows)

    bring(content(0, 10), by=alice)
    # More than the preview shows in full.
    with django_assert_max_num_queries(143) as few:
        bring(content(100, 30), by=alice)
    with django_assert_max_num_queries(len(few.captured_queries)):
        bring(content(200, 40), by=alice)


def test_names_on_the_record_are_found_by_search(alice, table):
    from rapport.queries import search

    bring(table(*FAIR), by=alice)
    hits = search.everywhere("acme", alice)
    assert [hit.title for hit in hits["contact"]] == ["Anna Bo", "Carl Dee"]
    assert single.get(registry["contact"], hits["contact"][0].id, alice).title == "Anna Bo"


def test_state_of_import_job_and_session_are_closed(alice, table):
    done = bring(table("Last Name", "Bo"), by=alice)

    assert (done.upload.state, done.upload.ended_at is not None) == ("done", True)
    assert set(Job.objects.values_list("state", flat=True)) == {"done"}
    # Jobs that other tests left in the middle may have theirs.
    ours = set(Job.objects.values_list("pk", flat=True))
    assert [key for key in apply._sessions._kept if key in ours] == []
    assert ImportFile.objects.count() == 1
    assert errors(done.upload) == []


@pytest.mark.postgres
def test_what_others_change_between_two_batches_is_looked_for_again(alice, table, monkeypatch):
    for room, name in ((apply, "SMALLEST"), (lease, "FIRST"), (lease, "LARGEST")):
        monkeypatch.setattr(room, name, 4)
    acme = make_account(name="Acme", owner=alice)
    rows = [f"Dee{n},d{n}@x.de,Acme" for n in range(12)]
    flow.start_apply(plan(table("Last Name,Email,Company", *rows), by=alice), by=alice)
    run = take("first")
    assert apply.step(run)
    assert apply.step(run)
    records.update_record(registry["account"], acme.pk, {"name": "Bolt"}, by=alice)
    while apply.step(run):
        pass

    names = Contact.objects.values_list("account__name", flat=True)
    assert Counter(names) == {"Bolt": 8, "Acme": 4}
