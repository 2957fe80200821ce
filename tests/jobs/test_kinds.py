"""What each kind of job does, worked off by a worker in this process."""

import importlib
import uuid

import pytest

from rapport.actions import jobs, journal, lease, records
from rapport.actions.undo import undo
from rapport.jobs.kinds import KINDS
from rapport.jobs.worker import advance
from rapport.meta.kinds import Ref
from rapport.meta.registry import registry
from rapport.models import Account, Change, KeyRing, Lead, MatchKey, Operation
from rapport.queries import query
from tests.factories import make_account, make_contact, make_lead, make_task, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada():
    return make_user(roles=("system-administrator",))


def bulk(by, entity, command, records_, **form):
    ids = [str(record.pk) for record in records_]
    what = {"entity": entity, "command": command, "ids": ids, "form": form}
    return jobs.enqueue("bulk", what, by=by, label="Bulk")


@pytest.fixture
def small_batches(monkeypatch):
    """So that few records take several batches."""
    monkeypatch.setattr("rapport.actions.lease.LARGEST", 2)
    monkeypatch.setattr("rapport.actions.lease.FIRST", 2)
    monkeypatch.setattr("rapport.actions.lease.Pace.size", 2, raising=False)


def test_every_kind_names_functions_that_exist():
    named = [path for kind in KINDS.values() for path in (kind.step, kind.ended) if path]
    found = [path.partition(":") for path in named if path.startswith("rapport.")]

    assert [
        name
        for module, _colon, name in found
        if not callable(getattr(importlib.import_module(module), name, None))
    ] == []


# -- bulk ----------------------------------------------------------------------------------------


def test_bulk_update_is_one_operation_that_can_be_undone(ada, work_off):
    accounts = [make_account(owner=ada) for _ in range(5)]
    job = bulk(ada, "account", "update", accounts, description="checked")

    job = work_off(job)

    assert (job.state, job.progress, job.total) == ("done", 5, 5)
    op = Operation.objects.get(pk=job.result["operation"])
    assert (op.kind, op.state, op.counts, op.user) == (
        "account.update",
        "done",
        {"updated": 5},
        ada,
    )
    assert set(Account.objects.values_list("description", flat=True)) == {"checked"}
    undo(op, by=ada)
    assert set(Account.objects.values_list("description", flat=True)) == {""}


def test_bulk_goes_on_over_several_batches_as_one_operation(ada, worker):
    accounts = [make_account(owner=ada) for _ in range(5)]
    job = bulk(ada, "account", "update", accounts, description="checked")

    worker.turn()
    run = worker.runs[0] if worker.runs else None
    for _ in range(20):
        if run:
            run.pace.size = 2
        worker.turn()

    job.refresh_from_db()
    assert (job.state, job.result["done"]) == ("done", 5)
    assert Operation.objects.filter(kind="account.update").count() == 1


def test_bulk_by_query_meets_each_record_once_although_it_changes_the_query(ada, work_off):
    for number in range(6):
        make_account(owner=ada, name=f"Account {number}", description="old")
    found = query.also(
        query.of_view(registry["account"], "all"), query.Condition("description", "eq", "old")
    )
    what = {"entity": "account", "command": "update", "query": query.dumps(found)}
    job = jobs.enqueue("bulk", what | {"form": {"description": "new"}}, by=ada, label="Bulk")
    late = make_account(owner=ada, description="old")

    job = work_off(job)

    late.refresh_from_db()
    assert (job.state, job.result["done"], late.description) == ("done", 6, "old")


def test_bulk_deletes_what_it_may_and_says_why_not(ada, work_off):
    free, held = make_account(owner=ada), make_account(owner=ada)
    make_contact(account=held, owner=ada)
    gone = uuid.uuid4()
    job = bulk(ada, "account", "delete", [free, held])
    job.parameters["ids"].append(str(gone))
    job.save()

    job = work_off(job)

    assert (job.state, job.result["done"], job.result["refused"]) == ("done", 1, 2)
    assert job.result["reasons"] == {
        str(held.pk): "Other records belong to it: 1 Contacts.",
        str(gone): "It is not there any more.",
    }
    assert list(Account.objects.all()) == [held]


def test_bulk_runs_with_the_rights_of_its_owner(ada, work_off):
    alice = make_user()
    hers, other = make_account(owner=alice), make_account(owner=ada)
    job = bulk(alice, "account", "update", [hers, other], description="mine")

    job = work_off(job)

    assert list(Account.objects.filter(description="mine")) == [hers]
    assert (job.result["done"], job.result["refused"]) == (1, 1)


def test_bulk_that_changes_nothing_leaves_no_operation(ada, work_off):
    account = make_account(owner=ada, description="same")
    job = bulk(ada, "account", "update", [account], description="same")

    job = work_off(job)

    assert (job.state, job.result["done"]) == ("done", 1)
    assert not Operation.objects.filter(kind="account.update").exists()


def test_bulk_assigns_with_children(ada, work_off):
    bob = make_user()
    account = make_account(owner=ada)
    task = make_task(regarding=Ref("account", account.pk), owner=ada)
    job = bulk(ada, "account", "assign", [account], owner=str(bob.pk), with_children=True)

    work_off(job)

    account.refresh_from_db()
    task.refresh_from_db()
    assert (account.owner_id, task.owner_id) == (bob.pk, bob.pk)


def test_bulk_qualify_makes_an_operation_for_each_lead(ada, work_off):
    leads = [make_lead(owner=ada, company=f"New {n}", last_name=f"Person {n}") for n in range(3)]
    job = bulk(ada, "lead", "qualify", leads)

    job = work_off(job)

    assert (job.state, job.result["done"], job.result["operation"]) == ("done", 3, None)
    assert Operation.objects.filter(kind="lead.qualify").count() == 3
    assert set(Lead.objects.values_list("state", flat=True)) == {1}


@pytest.mark.parametrize(
    ("command", "form"), [("explode", {}), ("qualify", {}), ("update", {"state": 1})]
)
def test_bulk_of_nonsense_fails_or_refuses(ada, work_off, command, form):
    account = make_account(owner=ada)
    job = work_off(bulk(ada, "account", command, [account], **form))

    assert (job.state, job.attempts) in {("failed", 1), ("done", 1)}
    assert (job.result or {}).get("done", 0) == 0
    account.refresh_from_db()
    assert account.version == 1


def test_cancelled_bulk_keeps_what_is_done_and_can_go_on(ada, worker, work_off):
    accounts = [make_account(owner=ada) for _ in range(6)]
    job = bulk(ada, "account", "update", accounts, description="checked")
    run = lease.take("one", ["bulk"])
    run.pace.size = 2
    advance(run)
    jobs.cancel(job, by=ada)
    advance(run)

    job.refresh_from_db()
    op = Operation.objects.get(pk=job.result["operation"])
    assert (job.state, job.progress, op.state) == ("cancelled", 2, "cancelled")
    jobs.retry(job, by=ada)
    job = work_off(job)
    op.refresh_from_db()
    assert (job.state, job.progress, op.state, op.counts) == ("done", 6, "done", {"updated": 6})


# -- undo ----------------------------------------------------------------------------------------


def made(by, number):
    """An operation that made `number` accounts."""
    from django.utils import timezone

    from rapport.meta.entity import Draft
    from rapport.meta.ids import new_id

    now = timezone.now()
    with journal.operation("account.create", by=by, now=now) as op:
        drafts = [
            Draft(id=new_id(), values={"name": f"Made {n}", "owner": by.pk}) for n in range(number)
        ]
        records.save_drafts(registry["account"], drafts, op=op, by=by, now=now)
    return op


def test_undo_goes_on_over_batches_and_says_what_it_did(ada, work_off):
    op = made(ada, 7)
    changed = Account.objects.first()
    records.update_record(registry["account"], changed.pk, {"description": "kept"}, by=ada)
    job = jobs.enqueue("undo", {"operation": str(op.pk)}, by=ada, label="Undo")
    run = lease.take("dies", ["undo"])
    run.pace.size = 3
    advance(run)
    half = Account.objects.count()
    run.put_back()

    job = work_off(job)

    assert (half > 1, job.state, job.progress, job.total) == (True, "done", 7, 7)
    back = Operation.objects.get(pk=job.result.pop("operation"))
    assert job.result == {"restored": 0, "removed": 6, "returned": 0, "conflicts": 1}
    assert (back.kind, back.state, back.undo_of, back.counts) == (
        "undo",
        "done",
        op,
        {"deleted": 6},
    )
    assert [c["record"] for c in back.parameters["conflicts"]] == [str(changed.pk)]
    assert list(Account.objects.all()) == [changed]
    assert Change.objects.filter(operation=back).count() == 6


def test_undo_whose_worker_dies_among_the_keys_leaves_none(ada, work_off, monkeypatch):
    monkeypatch.setattr("rapport.actions.undo.LARGE", 1)
    monkeypatch.setattr("rapport.actions.write.FOUND_AT_ONCE", 0)
    op = made(ada, 7)
    job = jobs.enqueue("undo", {"operation": str(op.pk)}, by=ada, label="Undo")
    run = lease.take("dies", ["undo"])
    run.pace.size = 4
    while run.job.cursor is None or run.job.cursor["before"] != 0:
        advance(run)
    keys = [model.objects.filter(entity=registry["account"].code) for model in (MatchKey, KeyRing)]
    left = [found.exists() for found in keys]
    run.put_back()

    job = work_off(job)

    assert (left, job.state, job.result["removed"]) == ([True, True], "done", 7)
    assert [found.exists() for found in keys] == [False, False]


def test_undo_twice_is_refused(ada, work_off):
    op = made(ada, 1)
    undo(op, by=ada)

    job = work_off(jobs.enqueue("undo", {"operation": str(op.pk)}, by=ada, label="Undo"))

    assert (job.state, job.message) == ("failed", "It has been undone already.")


def test_undo_of_an_operation_that_is_gone_fails(ada, work_off):
    job = work_off(jobs.enqueue("undo", {"operation": str(uuid.uuid4())}, by=ada, label="Undo"))

    assert (job.state, job.message) == ("failed", "The operation is not there any more.")
