"""One's own settings, and what administrators decide."""

import datetime

import pytest
from django.test import Client

from rapport.access import Forbidden
from rapport.actions import demo, journal, people, records
from rapport.actions.profile import update_profile
from rapport.actions.roles import BUILTIN
from rapport.meta.registry import registry
from rapport.models import Account, Job, Role, RoleAssignment, SignInLink, User
from rapport.queries import people as found_people
from tests.factories import make, make_team, make_user
from tests.journal import last as newest_operation
from tests.working import work_off

PASSWORD = "tulip-horse-9"
ADMINISTRATORS_ONLY = ("/settings/people/", "/settings/people/invite/")


@pytest.fixture
def eva(db):
    return make_user(
        first_name="Eva", last_name="Sommer", email="eva@example.com", password=PASSWORD
    )


def role(key):
    return Role.objects.get(builtin=key)


def profile(**more):
    return {"first_name": "Eva", "last_name": "Sommer", **more}


# -- oneself --------------------------------------------------------------------------------------


def test_profile_is_saved_through_the_journal(eva, client_of):
    answer = client_of(eva).post(
        "/me/", profile(last_name="Winter", time_zone="Asia/Tokyo", language="en-gb")
    )

    eva.refresh_from_db()
    operation = newest_operation()
    assert (answer.status_code, answer.headers["Location"]) == (303, "/me/")
    assert (eva.full_name, eva.time_zone, eva.language) == ("Eva Winter", "Asia/Tokyo", "en-gb")
    assert (operation.kind, operation.user_id) == ("user.update", eva.pk)


@pytest.mark.once
@pytest.mark.parametrize(
    "wrong",
    [{"last_name": ""}, {"time_zone": "Mars/Base"}, {"language": "xx"}, {"phone": "1" * 51}],
)
def test_profile_refuses_what_makes_no_sense(eva, client_of, wrong):
    assert client_of(eva).post("/me/", profile(**wrong)).status_code == 422


def test_profile_cannot_give_rights(eva, client_of, south):
    client_of(eva).post(
        "/me/", profile(business_unit=str(south.pk), state="1", email="x@y.example")
    )

    assert User.objects.get(pk=eva.pk).business_unit_id == eva.business_unit_id
    assert User.objects.get(pk=eva.pk).email == "eva@example.com"


def test_new_password_ends_other_sessions(eva, client_of):
    here, there = client_of(eva), client_of(eva)
    words = {"present": PASSWORD, "password": "another-word-4", "again": "another-word-4"}

    answer = here.post("/me/password/", words)

    eva.refresh_from_db()
    assert answer.status_code == 303
    assert eva.check_password("another-word-4") is True
    assert (here.get("/me/").status_code, there.get("/me/").status_code) == (200, 303)


@pytest.mark.once
@pytest.mark.parametrize(
    "words",
    [
        {"present": "wrong", "password": "another-word-4", "again": "another-word-4"},
        {"present": PASSWORD, "password": "another-word-4", "again": "another-word-5"},
        {"present": PASSWORD, "password": "short", "again": "short"},
        {"password": "another-word-4", "again": "another-word-4"},
    ],
)
def test_password_stays_when_the_form_is_wrong(eva, client_of, words):
    answer = client_of(eva).post("/me/password/", words)

    eva.refresh_from_db()
    assert answer.status_code == 422
    assert eva.check_password(PASSWORD) is True


def test_other_devices_can_be_signed_out(eva, client_of):
    here, there = client_of(eva), client_of(eva)

    answer = here.post("/me/sessions/", {"present": PASSWORD})

    assert answer.status_code == 303
    assert (here.get("/me/").status_code, there.get("/me/").status_code) == (200, 303)


def test_other_devices_stay_without_the_password(eva, client_of):
    here, there = client_of(eva), client_of(eva)

    answer = here.post("/me/sessions/", {"present": "wrong"})

    assert answer.status_code == 422
    assert there.get("/me/").status_code == 200


@pytest.mark.parametrize(("field", "wrong"), [("time_zone", "Mars/Base"), ("language", "xx")])
def test_administrators_cannot_set_what_does_not_exist(admin, eva, field, wrong):
    with pytest.raises(records.InvalidRecord) as refused:
        records.update_record(registry["user"], eva.pk, {field: wrong}, by=admin)

    assert list(refused.value.errors) == [field]


# -- the organisation ---------------------------------------------------------------------------


def test_administrator_names_the_organisation(admin, client_of):
    answer = client_of(admin).post("/settings/", {"name": "Acme Ltd"})

    assert answer.status_code == 303
    assert people.organisation() == "Acme Ltd"


def test_organisation_needs_a_name(admin, client_of):
    assert client_of(admin).post("/settings/", {"name": " "}).status_code == 422


@pytest.mark.once
@pytest.mark.parametrize("key", BUILTIN)
def test_each_role_sees_its_settings(key, client_of, db):
    user = make_user(roles=(key,))
    client = client_of(user)
    administers = key == "system-administrator"

    page = client.get("/settings/").content.decode()

    assert ("People and access" in page) is administers
    assert ("Data folder" in page) is administers
    statuses = {client.get(url).status_code for url in ADMINISTRATORS_ONLY}
    assert statuses == {200 if administers else 403}
    assert client.post("/settings/", {"name": "Mine"}).status_code == (303 if administers else 403)


# -- people ---------------------------------------------------------------------------------


def test_invited_colleague_chooses_a_password(admin, client_of):
    team = make_team(name="Night shift")
    form = {
        "first_name": "Ned", "last_name": "New", "email": "Ned@example.com",
        "roles": [str(role("marketing").pk)], "teams": [str(team.pk)],
    }  # fmt: skip

    answer = client_of(admin).post("/settings/people/invite/", form)
    secret = answer.content.decode().partition("http://testserver/welcome/")[2].partition("/")[0]
    newcomer = Client()
    newcomer.post(f"/welcome/{secret}/", {"password": PASSWORD, "again": PASSWORD})

    ned = User.objects.get(email="ned@example.com")
    access = found_people.access_of(ned.pk, admin)
    assert answer.status_code == 201
    assert [r.key for r in access.roles if r.held] == ["marketing"]
    assert [t.name for t in access.teams if t.held] == ["Night shift"]
    assert newcomer.get("/me/").status_code == 200


def test_invitation_refuses_a_taken_address(admin, eva, client_of):
    form = {"last_name": "Two", "email": "EVA@example.com"}

    answer = client_of(admin).post("/settings/people/invite/", form)

    assert answer.status_code == 422
    assert SignInLink.objects.count() == 0
    assert User.objects.filter(last_name="Two").count() == 0


def test_roles_and_teams_are_set_in_one_operation(admin, eva, client_of):
    old, new = make_team(name="Old", members=(eva,)), make_team(name="New")
    form = {"roles": [str(role("sales-manager").pk)], "teams": [str(new.pk)]}

    answer = client_of(admin).post(f"/settings/people/{eva.pk}/", form)

    access = found_people.access_of(eva.pk, admin)
    operation = newest_operation()
    assert answer.status_code == 303
    assert [r.key for r in access.roles if r.held] == ["sales-manager"]
    assert [t.name for t in access.teams if t.held] == ["New"]
    assert (operation.kind, operation.counts) == ("user.access", {"created": 2, "deleted": 2})
    assert old.name == "Old"


def test_role_through_a_team_is_shown_as_such(admin, eva):
    team = make_team(name="Night shift", members=(eva,))
    make("role_assignment", principal=team, role=role("marketing"))

    access = found_people.access_of(eva.pk, admin)
    listed, _more = found_people.colleagues(admin, find="eva")

    assert [(r.key, r.held, r.through) for r in access.roles if r.held or r.through] == [
        ("marketing", False, "Night shift"),
        ("salesperson", True, ""),
    ]
    assert [one.roles for one in listed] == [("Marketing", "Salesperson")]


def test_last_administrator_cannot_step_down(admin, client_of):
    client = client_of(admin)

    answer = client.post(f"/settings/people/{admin.pk}/", {"roles": [], "teams": []})
    client.post(f"/settings/people/{admin.pk}/active/")

    assert answer.status_code == 422
    assert people.first_administrator() == admin


def test_administrator_steps_down_when_there_is_another(admin, client_of):
    make_user(roles=("system-administrator",))

    client_of(admin).post(f"/settings/people/{admin.pk}/", {"roles": [], "teams": []})

    assert RoleAssignment.objects.filter(principal_id=admin.pk).count() == 0


def test_deactivation_and_return(admin, eva, client_of):
    client, evas = client_of(admin), client_of(eva)

    client.post(f"/settings/people/{eva.pk}/active/")
    away = evas.get("/me/").status_code
    no_link = client.post(f"/settings/people/{eva.pk}/link/").status_code
    client.post(f"/settings/people/{eva.pk}/active/")

    assert (away, no_link) == (303, 404)
    assert evas.get("/me/").status_code == 200


def test_one_time_link_of_an_administrator(admin, eva, client_of):
    answer = client_of(admin).post(f"/settings/people/{eva.pk}/link/")

    link = SignInLink.objects.get()
    assert answer.status_code == 201
    assert link.user_id == eva.pk
    assert link.expires_at - link.created_at == datetime.timedelta(hours=24)


@pytest.mark.parametrize("address", ["", "link/", "active/"])
def test_only_administrators_decide_about_others(eva, alice, client_of, address):
    answer = client_of(alice).post(f"/settings/people/{eva.pk}/{address}", {"roles": []})

    assert answer.status_code == 403
    assert SignInLink.objects.count() == 0
    assert User.objects.get(pk=eva.pk).is_active is True
    assert RoleAssignment.objects.filter(principal_id=eva.pk).count() == 1


def test_actions_ask_for_rights_themselves(eva, alice):
    with pytest.raises(Forbidden):
        people.set_access(eva, roles=[role("system-administrator").pk], teams=[], by=eva)
    with pytest.raises(Forbidden):
        people.invite_user({"last_name": "X", "email": "x@y.example"}, roles=[], teams=[], by=eva)
    with pytest.raises(Forbidden):
        people.send_link(alice.pk, by=eva)
    with pytest.raises(Forbidden):
        people.rename_organisation("Mine", by=eva)
    with pytest.raises(Forbidden):
        update_profile(eva, {"email": "root@example.com"})


@pytest.mark.parametrize("address", ["", "link/", "active/"])
def test_unknown_person(admin, client_of, address):
    nobody = "00000000-0000-7000-8000-000000000000"

    assert client_of(admin).post(f"/settings/people/{nobody}/{address}").status_code == 404


@pytest.mark.parametrize("wrong", ["x", "00000000-0000-7000-8000-000000000000"])
def test_unknown_role(admin, eva, client_of, wrong):
    answer = client_of(admin).post(f"/settings/people/{eva.pk}/", {"roles": [wrong]})

    assert answer.status_code in {404, 422}
    assert RoleAssignment.objects.filter(principal_id=eva.pk).count() == 1


def test_people_are_found_and_paged(admin, client_of):
    for n in range(55):
        make_user(first_name="Zoë", last_name=f"Page {n:02}")
    client = client_of(admin)

    first = client.get("/settings/people/?q=zoe").content.decode()
    second = client.get("/settings/people/?q=zoe&page=2").content.decode()

    assert (first.count("<tr>") - 1, second.count("<tr>") - 1) == (50, 5)
    assert ("page=2" in first, "page=1" in second) == (True, True)


@pytest.mark.parametrize("odd", ["page=-1", "page=x", "page=99999999999", "q=%00", "q=%25"])
def test_odd_addresses_of_the_list(admin, client_of, odd):
    assert client_of(admin).get(f"/settings/people/?{odd}").status_code == 200


def test_statements_of_the_list_do_not_grow(admin, client_of, django_assert_num_queries):
    client = client_of(admin)
    make_team(members=(make_user(), make_user()))

    with django_assert_num_queries(6):
        client.get("/settings/people/")


# -- demo data -----------------------------------------------------------------------------------


@pytest.fixture
def demo_account(db):
    op = journal.begin(demo.LOAD, by=demo.DEMO)
    with journal.spanning(op):
        made = records.create_record(
            registry["account"], {"name": "Made up", "owner": make_user().pk}, by=demo.DEMO
        )
    journal.finish(op)
    return made


def test_demo_data_is_removed_with_one_click(admin, demo_account, client_of, settings):
    settings.QUEUE = "none"
    real = make("account", owner=admin)
    client = client_of(admin)
    offered = "Remove demo data" in client.get("/settings/").content.decode()

    answer = client.post("/settings/demo/remove/")
    work_off()

    job = Job.objects.get()
    assert offered is True
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/jobs/{job.pk}/")
    assert (job.state, job.message) == ("done", "")
    assert [a.pk for a in Account.objects.all()] == [real.pk]
    assert "Remove demo data" not in client.get("/settings/").content.decode()


def test_only_administrators_remove_demo_data(alice, demo_account, client_of):
    assert client_of(alice).post("/settings/demo/remove/").status_code == 403
    assert Job.objects.count() == 0
