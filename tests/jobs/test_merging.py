"""Jobs that merge certain duplicates, and that take such merges back."""

from rapport.actions import certain
from rapport.models import Contact
from tests.factories import make_contact, make_pair


def names():
    return sorted(Contact.objects.values_list("first_name", flat=True))


def test_groups_are_merged_and_taken_back_together(alice, work_off):
    people = [make_contact(owner=alice, last_name="Stone", first_name=n) for n in ("A", "A", "A")]
    make_pair(people[0], people[1])
    make_pair(people[0], people[2])
    make_pair(people[1], people[2])
    others = [make_contact(owner=alice, last_name="Hill", first_name="B") for _ in range(2)]
    make_pair(*others)
    found = certain.certain(alice, confidence=95)

    job = work_off(certain.merge_later(found, by=alice, with_conflicts=False, label="Merge"))
    assert (job.state, job.result["done"], job.result["reasons"], names()) == (
        "done", 2, {}, ["A", "B"]
    )  # fmt: skip

    back = work_off(certain.unmerge_later(job, by=alice, label="Undo"))
    assert (back.state, back.result["done"], names()) == ("done", 2, ["A", "A", "A", "B", "B"])


def test_values_that_differ_wait_for_somebody_to_choose(alice, work_off):
    people = [make_contact(owner=alice, last_name="Stone", job_title=t) for t in ("CEO", "Clerk")]
    make_pair(*people)
    found = certain.certain(alice, confidence=95)
    assert (found.groups, found.pairs, found.differ) == ([], [], 1)

    # Also where they have come to differ since they were looked at.
    found = certain.certain(alice, confidence=95, with_conflicts=True)
    job = work_off(certain.merge_later(found, by=alice, with_conflicts=False, label="Merge"))
    assert (job.result["done"], job.result["refused"], len(names())) == (0, 1, 2)

    job = work_off(certain.merge_later(found, by=alice, with_conflicts=True, label="Merge"))
    assert (job.result["done"], len(names())) == (1, 1)


def test_strangers_records_are_not_merged(alice, charlie, work_off):
    make_pair(*(make_contact(owner=alice, last_name="Stone") for _ in range(2)))
    found = certain.certain(alice, confidence=95)

    assert certain.certain(charlie, confidence=95).groups == []
    job = work_off(certain.merge_later(found, by=charlie, with_conflicts=False, label="Merge"))
    assert (job.result["done"], job.result["refused"], len(names())) == (0, 1, 2)
