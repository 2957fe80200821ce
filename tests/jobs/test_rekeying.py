"""Match keys that rules or an upgrade made stale."""

from rapport.actions import lease, match_keys
from rapport.jobs import rekeying
from rapport.models import Job, MatchKey, RadarState
from rapport.models.operations import JobState
from tests import factories


def stored(*contacts):
    return set(MatchKey.objects.filter(record__in=[c.pk for c in contacts]).values_list("hash"))


def test_keys_that_were_lost_are_made_anew_by_a_job(alice, monkeypatch):
    monkeypatch.setattr(match_keys, "FEW", 1)
    company = factories.make_account(owner=alice, name="Stone Ltd")
    made = [
        factories.make_contact(owner=alice, last_name=f"Stone {n}", account=company)
        for n in range(3)
    ]
    before = stored(*made)
    MatchKey.objects.all().delete()

    rekeying.notice()
    assert not Job.objects.exists()  # other processes may still write by older rules
    rekeying.notice()
    rekeying.notice()
    (job,) = Job.objects.filter(kind=match_keys.KIND)
    run = lease.take("worker", {match_keys.KIND})
    run.pace.size = 2
    while rekeying.step(run):
        pass
    run.end(JobState.DONE)

    assert (stored(*made), len(before) > 0) == (before, True)
    assert stored(company) != set()
    job.refresh_from_db()
    assert job.progress == job.total
    assert match_keys.stale() == {}


def test_few_records_take_no_job(alice):
    contact = factories.make_contact(owner=alice, last_name="Stone")
    before = stored(contact)
    MatchKey.objects.all().delete()

    assert match_keys.stale() == {}

    assert stored(contact) == before
    assert RadarState.objects.get(entity="keys").figures == match_keys.fingerprints()
