"""Creating and changing one record or many."""

import datetime
import uuid

import pytest

from rapport.access import Forbidden, SystemActor
from rapport.actions import checking, journal as frame, records, states, write
from rapport.actions.records import Clash, InvalidRecord, RecordNotFound, StaleRecord
from rapport.meta.entity import Draft
from rapport.meta.ids import new_id
from rapport.meta.kinds import Ref
from rapport.meta.registry import registry
from rapport.models import Account, Contact, Operation, Party
from tests import factories, journal
from tests.refusals import errors

ACCOUNT, CONTACT, TASK = registry["account"], registry["contact"], registry["task"]


# -- create ---------------------------------------------------------------------------------------


def test_new_record_belongs_to_its_maker_and_their_unit(alice):
    id_ = records.create_record(CONTACT, {"last_name": "Stone"}, by=alice)

    contact = Contact.objects.get(pk=id_)
    assert (contact.owner_id, contact.owning_unit_id) == (alice.pk, alice.business_unit_id)
    assert (contact.created_by_id, contact.modified_by_id) == (alice.pk, alice.pk)
    assert (contact.state, contact.status, contact.version) == (0, 1, 1)


def test_new_record_is_journalled_once_without_values(alice):
    before = journal.operations()
    id_ = records.create_record(CONTACT, {"last_name": "Stone"}, by=alice)

    assert journal.since(before) == ["contact.create"]
    assert journal.changes(journal.last()) == [("contact", "create", id_)]
    assert journal.last().counts == {"created": 1}
    assert journal.last().user == alice


def test_time_of_the_action_is_the_callers(alice):
    now = datetime.datetime(2026, 5, 4, 3, 2, 1, tzinfo=datetime.UTC)
    id_ = records.create_record(CONTACT, {"last_name": "Stone"}, by=alice, now=now)

    contact = Contact.objects.get(pk=id_)
    assert (contact.created_at, contact.modified_at) == (now, now)


def test_derived_columns_follow_from_the_values(alice):
    company = factories.make_account(name="Müller GmbH", owner=alice)
    id_ = records.create_record(
        CONTACT,
        {"first_name": "Zoë", "last_name": "Ångström", "account": company.pk,
         "mobile_phone": "+49 (170) 12-34", "email": "Zoe@Example.com"},
        by=alice,
    )  # fmt: skip

    contact = Contact.objects.get(pk=id_)
    assert (contact.full_name, contact.sort_name) == ("Zoë Ångström", "zoe angstrom")
    assert contact.search_text.split("\n") == [
        "zoe angstrom", "zoe@example.com", "muller gmbh", "+49 (170) 12-34", "491701234",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, ["last_name"]),
        ({"last_name": ""}, ["last_name"]),
        ({"last_name": "x" * 51}, ["last_name"]),
        ({"last_name": "Stone", "email": "nobody"}, ["email"]),
        ({"last_name": "Stone", "role": 7}, ["role"]),
        ({"last_name": "Stone", "role": [1]}, ["role"]),
        ({"last_name": "Stone", "status": [1]}, ["status"]),
        ({"last_name": "Stone", "shoe_size": 44}, [""]),
        ({"last_name": "Stone", "full_name": "X"}, ["full_name"]),
        ({"last_name": "Stone", "state": 1}, ["state"]),
        ({"last_name": "Stone", "status": 2}, ["status"]),
        ({"last_name": "Stone", "created_at": datetime.datetime.now(datetime.UTC)}, ["created_at"]),
        ({"last_name": "Stone", "account": uuid.uuid4()}, ["account"]),
        ({"last_name": "Stone", "owner": uuid.uuid4()}, ["owner"]),
    ],
    ids="+".join,
)
def test_values_that_cannot_be_stored_are_refused(values, expected, alice):
    before = journal.operations()

    assert errors(records.create_record, CONTACT, values, by=alice) == expected
    assert journal.since(before) == []


def test_reason_of_the_first_state_may_be_given(alice):
    id_ = records.create_record(registry["lead"], {"last_name": "Stone", "status": 2}, by=alice)

    assert registry["lead"].records().get(pk=id_).status == 2


def test_required_choice_cannot_be_emptied(admin):
    role = factories.make("role")
    values = {"role": role.pk, "entity": "account", "verb": "read", "depth": None}

    assert errors(records.create_record, registry["role_grant"], values, by=admin) == ["depth"]


def test_record_that_is_not_visible_cannot_be_named(alice, charlie):
    hidden = factories.make_account(owner=charlie)

    values = {"last_name": "Stone", "account": hidden.pk}
    assert errors(records.create_record, CONTACT, values, by=alice) == ["account"]


def test_pointer_to_what_is_not_visible_is_refused(alice, charlie):
    hidden = factories.make_account(owner=charlie)

    values = {"subject": "Call", "regarding": Ref("account", hidden.pk)}
    assert errors(records.create_record, TASK, values, by=alice) == ["regarding"]


def test_type_of_activity_is_given_by_its_entity(alice):
    id_ = records.create_record(TASK, {"subject": "Call"}, by=alice)

    assert registry["activity"].records().get(pk=id_).type == "task"


def test_bare_activity_is_not_created(alice):
    with pytest.raises(Forbidden):
        records.create_record(registry["activity"], {"subject": "Something"}, by=alice)


def test_system_needs_to_be_told_the_owner(db):
    system = SystemActor("web form")

    assert errors(records.create_record, CONTACT, {"last_name": "Stone"}, by=system) == ["owner"]


def test_creating_needs_the_right(bob):
    reader = factories.make_user(roles=("read-only",))

    with pytest.raises(Forbidden):
        records.create_record(CONTACT, {"last_name": "Stone"}, by=reader)


def test_creating_for_somebody_else_needs_the_right_to_assign(alice, bob):
    service = factories.make_user(roles=("customer-service",), unit=alice.business_unit)
    values = {"last_name": "Stone", "owner": bob.pk}

    assert errors(records.create_record, CONTACT, values, by=service) == ["owner"]
    assert (
        Contact.objects.get(pk=records.create_record(CONTACT, values, by=alice)).owner_id == bob.pk
    )


def test_creating_for_ones_own_team_is_no_assigning(team, north):
    service = factories.make_user(roles=("customer-service",), unit=north, teams=(team,))
    id_ = records.create_record(CONTACT, {"last_name": "Stone", "owner": team.pk}, by=service)

    assert Contact.objects.get(pk=id_).owner_id == team.pk


def test_inactive_owner_gets_nothing_new(alice, bob):
    states.deactivate("user", [bob.pk], by=factories.SETUP)

    values = {"last_name": "Stone", "owner": bob.pk}
    assert errors(records.create_record, CONTACT, values, by=alice) == ["owner"]


def test_row_of_a_record_needs_the_right_to_change_that_record(alice, bob):
    call = factories.make_phone_call(owner=alice)
    values = {"activity": call.pk, "address": "eva@example.com"}

    assert errors(records.create_record, registry["party"], values, by=bob) == ["activity"]
    id_ = records.create_record(registry["party"], values, by=alice)
    assert Party.objects.get(pk=id_).activity_id == call.pk


def test_unique_value_is_taken_once(admin):
    factories.make_user(email="ann@example.com")
    values = factories.minimal("user", email="ANN@example.com")

    assert errors(records.create_record, registry["user"], values, by=admin) == ["email"]


def test_all_that_is_wrong_is_said_at_once(admin, alice):
    factories.make_user(email="ann@example.com")
    values = factories.minimal("user", email="ANN@example.com", time_zone="Mars/Base", last_name="")
    values["job_title"] = "x" * 999

    found = errors(records.create_record, registry["user"], values, by=admin)
    assert found == ["email", "job_title", "last_name", "time_zone"]

    account = factories.make_account(owner=alice)
    values = {"parent_account": account.pk, "name": "", "email": "none"}
    found = errors(records.update_record, ACCOUNT, account.pk, values, by=alice)
    assert found == ["email", "name", "parent_account"]


def test_what_is_wrong_is_not_missing_as_well(alice):
    lead, deal = registry["lead"], registry["opportunity"]
    assert errors(records.create_record, lead, {"email": "none"}, by=alice) == ["email"]
    assert errors(records.create_record, lead, {"email": "", "fax": "1" * 99}, by=alice) == [
        "fax", "last_name",
    ]  # fmt: skip
    values = {"topic": "Roof", "account": "Acme", "estimated_close_date": "soon", "state": 1}
    assert errors(records.create_record, deal, values, by=alice) == [
        "account", "estimated_close_date", "state",
    ]  # fmt: skip
    values = {"last_name": "x" * 99, "full_name": "y"}
    assert errors(records.create_record, CONTACT, values, by=alice) == ["full_name", "last_name"]
    values = {"subject": "", "regarding": "Acme"}
    assert errors(records.create_record, TASK, values, by=alice) == ["regarding", "subject"]
    account = factories.make_account(owner=alice)
    note = {"subject": "x" * 999, "regarding": Ref("account", account.pk)}
    assert errors(records.create_record, registry["note"], note, by=alice) == ["subject"]


def test_what_is_wrong_is_not_taken_as_well(admin, alice, team):
    own = factories.make("membership", team=factories.make_team(), user=alice)
    values = {"team": team.pk, "user": "nobody"}
    with pytest.raises(InvalidRecord) as caught:
        records.update_record(registry["membership"], own.pk, values, by=admin)
    assert [(name, len(said)) for name, said in caught.value.errors.items()] == [("user", 1)]


def test_what_is_not_written_takes_nothing_from_others(admin):
    values = [factories.minimal("user", email="ann@example.com") for _ in range(3)]
    values[0]["time_zone"] = values[2]["time_zone"] = "Mars/Base"
    drafts = [Draft(id=new_id(), values=one) for one in values]
    with frame.operation("test", by=admin) as op:
        records.save_drafts(registry["user"], drafts, op=op, by=admin, now=op.started_at)

    wrong = ["email", "time_zone"]
    assert [sorted(draft.errors) for draft in drafts] == [wrong, [], wrong]


def test_parent_of_what_is_not_written_closes_no_circle(alice):
    first, second = (factories.make_account(owner=alice) for _ in range(2))
    with frame.operation("test", by=alice) as op:
        stored = write.load(ACCOUNT, [first.pk, second.pk])
        values = [{"parent_account": second.pk, "email": "none"}, {"parent_account": first.pk}]
        drafts = [
            Draft(id=one.pk, values=said, current=stored[one.pk])
            for one, said in zip((first, second), values, strict=True)
        ]
        records.save_drafts(ACCOUNT, drafts, op=op, by=alice, now=op.started_at)

    assert [sorted(draft.errors) for draft in drafts] == [["email", "parent_account"], []]


def test_unique_group_of_values_is_taken_once(admin, team, alice):
    values = {"team": team.pk, "user": alice.pk}

    assert errors(records.create_record, registry["membership"], values, by=admin) == ["user"]


def test_role_of_nobody_is_refused(admin):
    values = {"role": factories.make("role").pk, "principal": uuid.uuid4()}

    found = errors(records.create_record, registry["role_assignment"], values, by=admin)
    assert found == ["principal"]


def test_what_a_look_up_names_can_be_made_along(alice):
    before = journal.operations()
    id_ = records.create_record(
        CONTACT, {"last_name": "Stone"}, by=alice, new={"account": "Stone  Ltd"}
    )

    assert Contact.objects.get(pk=id_).account.name == "Stone Ltd"
    assert journal.since(before) == ["contact.create"]


def test_activity_takes_the_company_of_a_contact_even_where_it_is_not_visible(alice, charlie):
    hidden = factories.make_account(owner=charlie)
    contact = factories.make_contact(owner=alice, account=hidden)
    values = {"subject": "Call", "regarding": factories.ref(contact)}
    id_ = records.create_record(TASK, values, by=alice)

    assert registry["activity"].records().get(pk=id_).account_id == hidden.pk


# -- update ---------------------------------------------------------------------------------------


def test_only_what_changed_is_journalled(alice):
    contact = factories.make_contact(last_name="Stone", job_title="Buyer", owner=alice)
    op = records.update_record(
        CONTACT, contact.pk, {"last_name": "Stone", "job_title": "CEO"}, by=alice
    )

    assert journal.changes(op) == [("contact", "update", contact.pk)]
    assert journal.fields(op, contact) == {"job_title": ("Buyer", "CEO")}


def test_derived_fields_are_part_of_the_change(alice):
    contact = factories.make_contact(first_name="Eva", last_name="Stone", owner=alice)
    op = records.update_record(CONTACT, contact.pk, {"last_name": "Hill"}, by=alice)

    assert journal.fields(op, contact) == {
        "last_name": ("Stone", "Hill"),
        "full_name": ("Eva Stone", "Eva Hill"),
    }


def test_change_moves_version_and_time(alice, bob):
    contact = factories.make_contact(owner=alice)
    now = datetime.datetime(2040, 1, 1, tzinfo=datetime.UTC)
    records.update_record(CONTACT, contact.pk, {"job_title": "CEO"}, by=alice, now=now)

    contact.refresh_from_db()
    assert (contact.version, contact.modified_at, contact.modified_by_id) == (2, now, alice.pk)


def test_nothing_new_is_nothing_written(alice):
    contact = factories.make_contact(job_title="CEO", owner=alice)
    before = journal.operations()
    records.update_record(CONTACT, contact.pk, {"job_title": "CEO"}, by=alice)

    contact.refresh_from_db()
    assert (journal.since(before), contact.version) == ([], 1)


def test_record_that_is_not_visible_is_not_there(alice, charlie):
    contact = factories.make_contact(owner=alice)

    with pytest.raises(RecordNotFound):
        records.update_record(CONTACT, contact.pk, {"job_title": "CEO"}, by=charlie)
    with pytest.raises(RecordNotFound):
        records.update_record(CONTACT, uuid.uuid4(), {"job_title": "CEO"}, by=alice)


def test_record_that_is_visible_may_still_be_forbidden(alice, bob):
    contact = factories.make_contact(owner=alice)

    with pytest.raises(Forbidden):
        records.update_record(CONTACT, contact.pk, {"job_title": "CEO"}, by=bob)


def test_closed_record_is_not_changed(alice):
    contact = factories.make_contact(owner=alice, state=1, status=2)

    assert errors(records.update_record, CONTACT, contact.pk, {"fax": "1"}, by=alice) == [""]


def test_reason_within_the_state_may_be_changed(alice):
    lead = factories.make_lead(owner=alice)
    records.update_record(registry["lead"], lead.pk, {"status": 2}, by=alice)

    lead.refresh_from_db()
    assert (lead.state, lead.status) == (0, 2)


@pytest.mark.parametrize("status", [3, 7, 99])
def test_reason_of_another_state_is_refused(status, alice):
    lead = factories.make_lead(owner=alice)

    found = errors(records.update_record, registry["lead"], lead.pk, {"status": status}, by=alice)
    assert found == ["status"]


def test_giving_a_record_away_needs_the_right_to_assign(alice, bob):
    service = factories.make_user(roles=("customer-service",), unit=alice.business_unit)
    contact = factories.make_contact(owner=alice)

    found = errors(records.update_record, CONTACT, contact.pk, {"owner": bob.pk}, by=service)
    assert found == ["owner"]


def test_owner_may_give_a_record_away(alice, bob):
    contact = factories.make_contact(owner=alice)
    records.update_record(CONTACT, contact.pk, {"owner": bob.pk}, by=alice)

    contact.refresh_from_db()
    assert contact.owner_id == bob.pk


def test_unit_follows_the_new_owner(alice, charlie):
    contact = factories.make_contact(owner=alice)
    records.update_record(CONTACT, contact.pk, {"owner": charlie.pk}, by=alice)

    contact.refresh_from_db()
    assert contact.owning_unit_id == charlie.business_unit_id


def test_record_of_an_inactive_owner_can_be_changed(alice, bob):
    contact = factories.make_contact(owner=bob)
    states.deactivate("user", [bob.pk], by=factories.SETUP)
    values = {"job_title": "CEO", "owner": bob.pk}
    records.update_record(CONTACT, contact.pk, values, by=factories.SETUP)

    contact.refresh_from_db()
    assert (contact.job_title, contact.owner_id) == ("CEO", bob.pk)


# -- two people -----------------------------------------------------------------------------------


def test_two_people_who_change_different_fields_both_win(alice):
    contact = factories.make_contact(job_title="Buyer", department="", owner=alice)
    seen = {"job_title": "Buyer", "department": ""}
    records.update_record(CONTACT, contact.pk, {"job_title": "CEO"}, by=alice, expected=seen)
    records.update_record(CONTACT, contact.pk, {"department": "Board"}, by=alice, expected=seen)

    contact.refresh_from_db()
    assert (contact.job_title, contact.department) == ("CEO", "Board")


def test_second_of_two_people_with_the_same_field_sees_both_values(alice):
    contact = factories.make_contact(job_title="Buyer", owner=alice)
    records.update_record(CONTACT, contact.pk, {"job_title": "CEO"}, by=alice)

    with pytest.raises(StaleRecord) as caught:
        records.update_record(
            CONTACT, contact.pk, {"job_title": "CFO"}, by=alice, expected={"job_title": "Buyer"}
        )
    assert caught.value.clashes == {"job_title": Clash("Buyer", "CEO", "CFO")}


def test_two_people_who_want_the_same_do_not_clash(alice):
    contact = factories.make_contact(job_title="Buyer", owner=alice)
    records.update_record(CONTACT, contact.pk, {"job_title": "CEO"}, by=alice)
    records.update_record(
        CONTACT, contact.pk, {"job_title": "CEO"}, by=alice, expected={"job_title": "Buyer"}
    )

    contact.refresh_from_db()
    assert contact.version == 2


def test_whole_record_may_be_expected_unchanged(alice):
    contact = factories.make_contact(owner=alice)
    records.update_record(CONTACT, contact.pk, {"fax": "1"}, by=alice, version=1)

    with pytest.raises(StaleRecord):
        records.update_record(CONTACT, contact.pk, {"fax": "2"}, by=alice, version=1)


# -- many -----------------------------------------------------------------------------------------


def test_many_records_change_in_one_operation(alice, bob, charlie):
    mine = [factories.make_contact(owner=alice) for _ in range(2)]
    visible, hidden = factories.make_contact(owner=bob), factories.make_contact(owner=charlie)
    ids = [one.pk for one in (*mine, visible, hidden)]
    outcome = records.update_records(CONTACT, ids, {"department": "Board"}, by=alice)

    assert set(outcome.done) == {one.pk for one in mine}
    assert outcome.refused == {visible.pk: "You may not change this record."}
    assert outcome.operation.counts == {"updated": 2}
    assert sorted(Contact.objects.exclude(department="").values_list("pk", flat=True)) == sorted(
        one.pk for one in mine
    )


def test_records_that_refuse_a_change_stay(alice):
    company, closed = (
        factories.make_account(owner=alice),
        factories.make_account(owner=alice, state=1, status=2),
    )
    outcome = records.update_records(ACCOUNT, [company.pk, closed.pk], {"industry": 1}, by=alice)

    assert outcome.done == (company.pk,)
    assert outcome.refused == {closed.pk: "This record is closed: reactivate it first."}


def test_no_record_is_done_twice(alice):
    company = factories.make_account(owner=alice)
    outcome = records.update_records(ACCOUNT, [company.pk] * 2, {"industry": 1}, by=alice)

    assert outcome.done == (company.pk,)


# -- what is above --------------------------------------------------------------------------------


def test_account_cannot_stand_above_itself(alice):
    top = factories.make_account(owner=alice)
    middle = factories.make_account(owner=alice, parent_account=top)
    bottom = factories.make_account(owner=alice, parent_account=middle)

    for below in (top, middle, bottom):
        values = {"parent_account": below.pk}
        assert errors(records.update_record, ACCOUNT, top.pk, values, by=alice) == [
            "parent_account"
        ]


def test_circle_within_a_batch_is_refused(alice):
    first, second = (factories.make_account(owner=alice) for _ in range(2))
    records.update_records(ACCOUNT, [first.pk], {"parent_account": second.pk}, by=alice)
    outcome = records.update_records(
        ACCOUNT, [first.pk, second.pk], {"parent_account": first.pk}, by=alice
    )

    assert outcome.done == ()


def test_tree_may_be_turned_round_in_one_batch(alice):
    top = factories.make_account(owner=alice)
    bottom = factories.make_account(owner=alice, parent_account=top)
    with frame.operation("test", by=alice) as op:
        stored = write.load(ACCOUNT, [top.pk, bottom.pk])
        drafts = [
            Draft(id=top.pk, values={"parent_account": bottom.pk}, current=stored[top.pk]),
            Draft(id=bottom.pk, values={"parent_account": None}, current=stored[bottom.pk]),
        ]
        failed = records.save_drafts(ACCOUNT, drafts, op=op, by=alice, now=op.started_at)

    assert failed == []
    assert Account.objects.get(pk=top.pk).parent_account_id == bottom.pk


def test_operation_without_changes_leaves_no_row(alice):
    before = Operation.objects.count()
    records.update_records(ACCOUNT, [], {"industry": 1}, by=alice)

    assert Operation.objects.count() == before


def test_draft_may_name_what_the_same_operation_is_about_to_make(alice):
    company, now = new_id(), datetime.datetime.now(datetime.UTC)

    def complaints(**options):
        draft = Draft(id=new_id(), values={"last_name": "Stone", "account": company})
        checking.check(CONTACT, [draft], by=alice, now=now, trusted=False, **options)
        return list(draft.errors)

    assert complaints(pending={company}) == []
    assert complaints() == ["account"]
