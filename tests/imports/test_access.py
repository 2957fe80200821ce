"""Alice imports; Bob is in her unit, Charlie is a stranger, an administrator sees all."""

import pytest

from rapport.access import Forbidden
from rapport.imports import flow, report
from rapport.models import Account, Contact
from rapport.queries.imports import import_for, imports_for, plan_of
from tests.factories import make_account, make_contact, make_role, make_user
from tests.imports.bringing import bring, describe, fates, plan
from tests.working import work_off

pytestmark = pytest.mark.django_db


def test_import_is_seen_by_whoever_uploaded_it_and_by_administrators(
    alice, bob, charlie, admin, table
):
    upload = plan(table("Last Name", "Bo"), by=alice)

    seen = [import_for(upload.pk, user) is not None for user in (alice, bob, charlie, admin)]
    listed = [len(imports_for(user)[0]) for user in (alice, bob, charlie, admin)]

    assert (seen, listed) == ([True, False, False, True], [1, 0, 0, 1])


def test_right_to_import_and_to_create_is_needed(table):
    reader = make_user(roles=("read-only",))
    service = make_user(roles=("customer-service",))

    for user in (reader, service):
        assert flow.importable_for(user) == []
        for entity in ("contact", "auto"):
            with pytest.raises(Forbidden):
                describe(table("Last Name", "Bo"), entity, by=user)


def test_right_that_is_gone_ends_the_import(alice, table):
    upload = plan(table("Last Name", "Bo"), by=alice)
    from rapport.models import RoleAssignment

    RoleAssignment.objects.filter(principal_id=alice.pk).delete()
    alice = type(alice).objects.get(pk=alice.pk)

    with pytest.raises(Forbidden):
        flow.apply_now(upload, by=alice)
    assert Contact.objects.count() == 0


def test_account_that_is_not_visible_is_not_linked_with(alice, charlie, table):
    hidden = make_account(name="Acme", owner=charlie)

    bring(table("Last Name,Company", "Bo,Acme"), by=alice)

    linked = Contact.objects.get().account
    assert (linked.pk != hidden.pk, linked.owner_id) == (True, alice.pk)


def test_contact_that_is_not_visible_is_no_duplicate_and_leaks_nothing(alice, charlie, table):
    make_contact(email="secret@x.de", owner=charlie)

    upload = plan(table("Last Name,Email", "Bo,secret@x.de"), by=alice)

    assert fates(upload) == {}


def test_accounts_are_made_only_by_those_who_may(table):
    mira = make_user(roles=("marketing",))

    done = bring(table("Last Name,Company", "Bo,Acme", "Dee,"), by=mira)

    assert (done.counts["created"], Account.objects.count()) == (1, 0)
    assert done.errors == [
        (
            2,
            "Company",
            (
                "There is no account called “Acme”, and you may not create one. Correct the name, "
                "create the record first, or empty the cell."
            ),
        )
    ]


def test_record_of_somebody_else_is_not_updated_by_its_id(alice, bob, charlie, table):
    readable = make_contact(last_name="Bo", owner=bob)
    hidden = make_contact(last_name="Cee", owner=charlie)
    content = table(
        "(Do Not Modify) Contact,Last Name", f"{readable.pk},Changed", f"{hidden.pk},Changed"
    )
    done = bring(content, by=alice)

    assert done.counts == {"rows": 2, "refused": 2}
    assert set(Contact.objects.values_list("last_name", flat=True)) == {"Bo", "Cee"}


def test_role_that_may_import_leads_alone_sees_no_other_choice():
    user = make_user(roles=())
    grants = {("lead", verb): 1 for verb in ("create", "read", "import")}
    make_role(grants, user)

    assert [entity.name for entity in flow.importable_for(user)] == ["lead"]


def test_right_that_goes_while_it_runs_ends_the_import_in_words(alice, table):
    from rapport.models import ImportFile, RoleAssignment

    upload = plan(table("Last Name", "Bo"), by=alice)
    flow.start_apply(upload, by=alice)
    RoleAssignment.objects.filter(principal_id=alice.pk).delete()

    work_off()

    upload = ImportFile.objects.get(pk=upload.pk)
    assert (upload.state, upload.message) == (
        "failed", "You may not import these records any more.",
    )  # fmt: skip
    assert Contact.objects.count() == 0


def test_repeated_row_stays_a_duplicate_when_the_first_went_to_somebody_else(
    charlie, table, monkeypatch
):
    from rapport.actions import lease
    from rapport.imports import apply

    monkeypatch.setattr(apply, "SMALLEST", 1)
    monkeypatch.setattr(lease, "LARGEST", 5)
    user = make_user(roles=())
    verbs = ("create", "read", "import", "assign")
    make_role({("contact", verb): 1 for verb in verbs}, user)
    line = "Bo,bo@x.de,charlie@example.com"
    between = [f"Dee {n},dee{n}@x.de," for n in range(60)]

    # Far enough behind to be in another batch.
    done = bring(table("Last Name,Email,Owner", line, *between, line), by=user)

    assert done.counts == {"rows": 62, "created": 61, "duplicates": 1}
    assert Contact.objects.get(last_name="Bo").owner_id == charlie.pk


def test_who_may_not_create_contacts_gets_accounts_without_them_and_is_told(table):
    user = make_user(roles=())
    verbs = ("create", "read", "write", "import")
    make_role({("account", verb): 1 for verb in verbs} | {("contact", "read"): 1}, user)
    content = table("Account Name,Parent Account,Primary Contact", "Two,One,Anna Bo", "One,,")

    done = bring(content, "account", by=user)

    assert done.counts == {"rows": 2, "created": 2, "partial": 1}
    assert not Contact.objects.exists()
    assert Account.objects.get(name="Two").parent_account.name == "One"
    told = [
        (one["row"], one["column"]) for one in report.errors(plan_of(done.upload), report.IN_PART)
    ]
    assert told == [(2, "Primary Contact")]
