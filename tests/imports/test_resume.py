"""An import that is interrupted goes on where it stopped; nothing is lost and nothing doubled."""

import pytest
from django.db import OperationalError, connection

from rapport.actions import jobs, lease, undo
from rapport.actions.lease import LostLease, Refused
from rapport.imports import apply, flow, plan as plans
from rapport.models import Account, Change, Contact, ImportFile, Job, MatchKey, Operation
from rapport.models.operations import JobState
from rapport.queries.imports import plan_of
from tests.imports.bringing import bring, describe, outcome, plan
from tests.imports.takingover import finished_by_another, people, take

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    monkeypatch.setattr(apply, "SMALLEST", 1)
    monkeypatch.setattr(lease, "FIRST", 4)
    monkeypatch.setattr(lease, "LARGEST", 4)


def stored():
    """What is there, told without keys."""
    ordered = Contact.objects.order_by("email", "full_name")
    contacts = ordered.values_list("full_name", "email", "account__name")
    rows = Change.objects.filter(entity="contact").order_by("row").values_list("row", flat=True)
    return (
        list(contacts),
        list(Account.objects.order_by("name").values_list("name", flat=True)),
        list(rows),
        MatchKey.objects.filter(entity=2).count(),
    )


@pytest.mark.parametrize("after", [0, 1, 3, 5])
def test_worker_that_dies_between_two_batches(after, alice, table):
    expected = uninterrupted(alice, table)
    upload = plan(people(30, table), by=alice)
    flow.start_apply(upload, by=alice)

    assert finished_by_another(after)

    assert (outcome(upload).counts, stored()) == expected
    assert Operation.objects.get(kind="import").counts == {"created": len(stored()[0]) + 4}


def uninterrupted(alice, table):
    """Counts and what is stored without an accident, taken back again."""
    done = bring(people(30, table), by=alice)
    result = done.counts, stored()
    # Literally, because an accident could happen to both.
    assert done.counts == {
        "rows": 30, "created": 18, "duplicates": 2, "refused": 10, "accounts_created": 4,
    }  # fmt: skip
    undo.undo(done.operation, by=alice)
    Change.objects.all().delete()
    Operation.objects.all().delete()
    ImportFile.objects.all().delete()
    return result


# PostgreSQL is given rows by COPY, and has fewer statements.
@pytest.mark.parametrize("number", [1, 3, 5, 7] if connection.vendor == "sqlite" else [1, 3, 5])
def test_batch_that_fails_in_the_middle_leaves_nothing_behind(number, alice, table):
    expected = uninterrupted(alice, table)
    upload = plan(people(30, table), by=alice)
    flow.start_apply(upload, by=alice)
    run = take("first")
    apply.step(run)
    before = stored()

    with connection.execute_wrapper(DiskFull(number)), pytest.raises(OperationalError):
        apply.step(run)
    assert stored() == before

    while apply.step(run):
        pass
    run.end(JobState.DONE, ended=apply.ended)
    assert (outcome(upload).counts, stored()) == expected


class DiskFull:
    """Lets the disk be full at the `number`th statement that writes."""

    def __init__(self, number):
        self.left = number

    def __call__(self, execute, sql, params, many, context):
        if sql.startswith(("INSERT", "UPDATE", "DELETE")):
            self.left -= 1
            if not self.left:
                raise OperationalError("database or disk is full")
        return execute(sql, params, many, context)


def test_slow_worker_writes_nothing_once_another_has_taken_over(alice, table):
    upload = plan(people(30, table), by=alice)
    flow.start_apply(upload, by=alice)
    slow = take("slow")
    apply.step(slow)
    quick = take("quick")
    apply.step(quick)
    before = stored()

    with pytest.raises(LostLease):
        apply.step(slow)

    assert stored() == before


def test_worker_that_did_a_part_before_goes_on_where_the_import_stands(alice, table):
    expected = uninterrupted(alice, table)
    upload = plan(people(30, table), by=alice)
    job = flow.start_apply(upload, by=alice)
    apply.step(take("first"))
    # It loses the database for a while, and keeps the file open at its place.
    kept = {**apply._sessions._kept}
    apply._sessions._kept.clear()
    second = take("second")
    assert apply.step(second)
    jobs.cancel(job, by=alice)
    second.end(JobState.CANCELLED, ended=apply.ended)
    apply._sessions._kept.update(kept)

    flow.go_on(ImportFile.objects.get(pk=upload.pk), by=alice)
    again = take("first")
    while apply.step(again):
        pass
    again.end(JobState.DONE, ended=apply.ended)

    assert (outcome(upload).counts, stored()) == expected


def test_worker_that_wakes_up_late_leaves_no_plan(alice, table):
    upload = describe(people(30, table), by=alice)
    flow.start_plan(upload, by=alice)
    slow, quick = take("slow"), take("quick")
    while plans.step(quick):
        pass
    quick.end(JobState.DONE, ended=plans.ended)

    with pytest.raises(LostLease):
        plans.step(slow)

    assert plan_of(upload).counts["rows"] == 30


def test_plan_that_was_interrupted_begins_anew(alice, table):
    upload = describe(people(30, table), by=alice)
    flow.start_plan(upload, by=alice)
    first = take("first")
    plans.step(first)
    plans._sessions._kept.clear()

    second = take("second")
    while plans.step(second):
        pass
    second.end(JobState.DONE, ended=plans.ended)

    upload = ImportFile.objects.get(pk=upload.pk)
    kept = upload.plans.get()
    assert (upload.state, upload.counts["rows"]) == ("planned", 30)
    assert kept.rows.count() == upload.counts["refused"] + upload.counts["duplicate"]
    assert Job.objects.get(kind="import.plan").progress == 30


def test_cancelled_import_keeps_what_it_did_and_can_go_on_or_be_undone(alice, table):
    expected = uninterrupted(alice, table)
    upload = plan(people(30, table), by=alice)
    job = flow.start_apply(upload, by=alice)
    run = take("first")
    apply.step(run)
    jobs.cancel(job, by=alice)
    run.end(JobState.CANCELLED, "Cancelled.", apply.ended)

    upload = ImportFile.objects.get(pk=upload.pk)
    assert (upload.state, upload.operation.state) == ("cancelled", "cancelled")
    flow.go_on(upload, by=alice)
    again = take("second")
    while apply.step(again):
        pass
    again.end(JobState.DONE, ended=apply.ended)
    assert (outcome(upload).counts, stored()) == expected
    assert outcome(upload).operation.state == "done"


def test_import_that_is_stopped_behind_its_last_row_is_complete(alice, table):
    upload = plan(people(3, table), by=alice)
    flow.start_apply(upload, by=alice)
    run = take("first")
    while run.job.progress < 3:
        apply.step(run)
    run.end(JobState.CANCELLED, "Cancelled.", apply.ended)

    upload = ImportFile.objects.get(pk=upload.pk)
    assert (upload.state, upload.message, upload.operation.state) == ("done", "", "done")


def test_what_was_undone_does_not_go_on(alice, table):
    upload = plan(people(30, table), by=alice)
    job = flow.start_apply(upload, by=alice)
    run = take("first")
    apply.step(run)
    jobs.cancel(job, by=alice)
    run.end(JobState.CANCELLED, "Cancelled.", apply.ended)
    upload = ImportFile.objects.get(pk=upload.pk)
    undo.undo(upload.operation, by=alice)

    with pytest.raises(flow.NotNow):
        flow.go_on(upload, by=alice)
    # The page of system jobs has a button for it, too.
    with pytest.raises(flow.NotNow):
        flow.try_again(job, by=alice)
    jobs.retry(job, by=alice)
    again = take("second")
    with pytest.raises(Refused):
        apply.step(again)
    assert Contact.objects.count() == 0


def test_job_of_an_earlier_check_begins_nothing_again(alice, table):
    upload = plan(people(3, table), by=alice)
    old = upload.job
    flow.apply_now(upload, by=alice)

    with pytest.raises(flow.NotNow):
        flow.try_again(old, by=alice)


def test_import_that_fails_says_why(alice, table):
    upload = plan(people(30, table), by=alice)
    flow.start_apply(upload, by=alice)
    run = take("first")
    apply.step(run)
    run.end(JobState.FAILED, "The disk is full.", apply.ended)

    upload = ImportFile.objects.get(pk=upload.pk)
    assert (upload.state, upload.message, upload.operation.state) == (
        "failed", "The disk is full.", "failed",
    )  # fmt: skip


def decided(upload, by):
    """Duplicates update their records, one row is created all the same, one left out, one
    repaired."""
    flow.decide_all(upload, "duplicate", "update", by=by)
    flow.decide(upload, 11, "create", by=by)
    flow.decide(upload, 3, "skip", by=by)
    flow.repair(upload, 4, {1: "Repaired"}, by=by)


def test_decisions_and_repairs_hold_for_the_worker_that_goes_on(alice, table):
    people_there = "\n".join(f"Ann,Bo {n},a{n}@x.de" for n in (4, 9, 14, 10, 13))
    bring(f"First Name,Last Name,Email\n{people_there}".encode(), by=alice)
    before = stored()
    outcomes = []
    for steps in (None, 2):
        upload = plan(people(15, table), by=alice)
        decided(upload, alice)
        if steps is None:
            flow.apply_now(upload, by=alice)
        else:
            flow.start_apply(ImportFile.objects.get(pk=upload.pk), by=alice)
            assert finished_by_another(steps)
        done = outcome(upload)
        outcomes.append((done.counts, stored()[:2]))
        undo.undo(done.operation, by=alice)
        assert stored()[:2] == before[:2]

    assert outcomes[0] == outcomes[1]
    counts, (contacts, _accounts) = outcomes[0]
    assert (counts["skipped"], counts["updated"], "changed" in counts) == (1, 3, False)
    assert ("Anna Repaired", "a3@x.de", "Acme 3") in contacts
