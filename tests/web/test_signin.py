"""Signing in and out, lock-out and one-time links."""

import datetime
import re
import time

import pytest
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from rapport import limits
from rapport.actions import people, states
from rapport.actions.people import SETUP
from rapport.models import User
from tests.factories import make_user

PASSWORD = "tulip-horse-9"
FIRST = {
    "organisation": "Acme",
    "first_name": "Ada",
    "last_name": "First",
    "email": "ada@example.com",
    "password": PASSWORD,
    "again": PASSWORD,
}


@pytest.fixture
def eva(db):
    return make_user(
        first_name="Eva", last_name="Sommer", email="eva@example.com", password=PASSWORD
    )


def sign_in(client, email="eva@example.com", password=PASSWORD, **more):
    return client.post("/sign-in/", {"email": email, "password": password, **more})


def who(client):
    return client.session.get(SESSION_KEY)


def test_sign_in_leads_to_home(client, eva):
    answer = sign_in(client, email=" EVA@example.com ")

    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert who(client) == str(eva.pk)


def test_sign_in_leads_where_one_wanted_to_go(client, eva):
    door = client.get("/recent/?x=1")
    page = client.get(door.headers["Location"])
    forward = re.search(r'name="next" value="([^"]+)"', page.content.decode())[1]

    assert (door.status_code, door.headers["Location"]) == (
        303,
        "/sign-in/?next=%2Frecent%2F%3Fx%3D1",
    )
    assert sign_in(client, next=forward).headers["Location"] == "/recent/?x=1"


@pytest.mark.once
@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/", "//evil.example/", "/\\evil.example", "\\\\evil.example",
        "javascript:alert(1)", "evil", "http:///evil.example", "/\t/evil.example", "",
    ],
)  # fmt: skip
def test_sign_in_never_leads_to_another_site(client, eva, elsewhere):
    assert sign_in(client, next=elsewhere).headers["Location"] == "/"
    assert client.get("/sign-in/", {"next": elsewhere}).headers["Location"] == "/"


def test_htmx_is_told_to_open_the_sign_in_page(client, db):
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/recent/?page=2"}

    answer = client.get("/recent/", headers=headers)

    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"] == "/sign-in/?next=%2Frecent%2F%3Fpage%3D2"
    assert answer.content == b""


def test_post_without_session_comes_back_to_its_form(client, db):
    answer = client.post("/me/", headers={"Referer": "http://testserver/settings/"})
    foreign = client.post("/me/", headers={"Referer": "http://evil.example/settings/"})

    assert answer.headers["Location"] == "/sign-in/?next=%2Fsettings%2F"
    assert foreign.headers["Location"] == "/sign-in/"


def test_refusals_do_not_tell_who_exists(client, eva):
    states.deactivate("user", [make_user(email="old@example.com", password=PASSWORD).pk], by=SETUP)
    make_user(email="invited@example.com")
    tries = {
        "eva@example.com": "wrong",
        "nobody@example.com": PASSWORD,
        "old@example.com": PASSWORD,
        "invited@example.com": "!",
    }

    answers = {email: sign_in(client, email, word) for email, word in tries.items()}

    bodies = set()
    for email, answer in answers.items():
        text = re.sub(r'value="\w{64}"|X-CSRFToken": "\w+"', "", answer.content.decode())
        bodies.add(text.replace(email, "").replace("X-CSRFToken", ""))
    assert [answer.status_code for answer in answers.values()] == [422] * 4
    assert len(bodies) == 1
    assert who(client) is None


def test_sign_in_makes_a_new_session(client, eva):
    client.session["planted"] = 1
    session = client.session
    session["planted"] = 1
    session.save()
    client.cookies[settings.SESSION_COOKIE_NAME] = session.session_key

    sign_in(client)

    assert client.session.session_key != session.session_key
    assert not Session.objects.filter(pk=session.session_key).exists()


def test_session_cookie_is_out_of_reach_of_scripts(client, eva):
    cookie = sign_in(client).cookies[settings.SESSION_COOKIE_NAME]

    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")


def test_sign_out_ends_the_session(client, eva):
    sign_in(client)
    key = client.session.session_key

    answer = client.post("/sign-out/")

    assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in/")
    assert not Session.objects.filter(pk=key).exists()
    assert client.get("/sign-out/").status_code == 405


def test_deactivated_user_is_out_at_once(client, eva):
    sign_in(client)
    before = client.get("/me/").status_code

    states.deactivate("user", [eva.pk], by=SETUP)

    assert before == 200
    assert client.get("/me/").headers["Location"] == "/sign-in/?next=%2Fme%2F"


def test_lock_out_and_release(client, eva, settings):
    statuses = [sign_in(client, password="wrong").status_code for _ in range(11)]
    locked = sign_in(client)
    page = locked.content.decode()
    AccessAttempt.objects.update(attempt_time=timezone.now() - datetime.timedelta(minutes=16))
    released = sign_in(client)

    assert statuses == [422] * 9 + [429, 429]
    assert locked.status_code == 429
    assert "Please wait 15 minutes" in page
    assert released.status_code == 303


@pytest.mark.once
def test_lock_out_is_for_one_user_at_one_address(client, eva):
    other = make_user(email="other@example.com", password=PASSWORD)
    for _ in range(10):
        sign_in(client, password="wrong")

    assert sign_in(Client(REMOTE_ADDR="10.0.0.7")).status_code == 303
    assert sign_in(client, other.email).status_code == 303


def test_tries_during_lock_out_do_not_prolong_it(client, eva):
    for _ in range(12):
        sign_in(client, password="wrong")
    before = timezone.now() - datetime.timedelta(minutes=14)
    AccessAttempt.objects.update(attempt_time=before)

    answer = sign_in(client, password="wrong")

    assert answer.status_code == 429
    assert [attempt.attempt_time for attempt in AccessAttempt.objects.all()] == [before]


@pytest.mark.once
def test_one_time_link_ends_a_lock_out(client, eva):
    for _ in range(10):
        sign_in(client, password="wrong")
    secret = people.make_link(eva)

    answer = Client(REMOTE_ADDR="10.0.0.7").post(
        f"/welcome/{secret}/", {"password": "another-word-4", "again": "another-word-4"}
    )

    assert answer.status_code == 303
    assert sign_in(client, password="another-word-4").status_code == 303


def test_knocking_too_often_is_refused(client, eva, rf):
    soon = time.monotonic() + 3600
    for _ in range(60):
        limits.check(rf.get("/"), "sign-in", per_minute=60, now=soon)

    assert sign_in(client).status_code == 429
    assert sign_in(Client(REMOTE_ADDR="10.0.0.7")).status_code == 303


def test_limit_fills_again_evenly(rf):
    def passes(at):
        try:
            limits.check(rf.get("/"), "door", per_minute=3, now=at)
        except limits.TooMany:
            return False
        return True

    assert [passes(at) for at in (0, 0, 0, 0, 19, 21, 22, 60, 61)] == [
        True, True, True, False, False, True, False, True, True,
    ]  # fmt: skip


def test_address_behind_the_proxy_is_what_the_proxy_added(rf, settings):
    request = rf.get("/", headers={"X-Forwarded-For": "6.6.6.6, 10.1.2.3"})

    assert limits.address(request) == "127.0.0.1"
    settings.BEHIND_TLS = True
    assert limits.address(request) == "10.1.2.3"
    assert limits.address(rf.get("/", headers={"X-Forwarded-For": "nonsense"})) == "127.0.0.1"


# -- one-time links --------------------------------------------------------------------------------


def test_first_administrator(client, db):
    secret = people.make_link(None)
    page = client.get(f"/welcome/{secret}/")

    answer = client.post(f"/welcome/{secret}/", FIRST)

    user = User.objects.get(email="ada@example.com")
    assert page.status_code == 200
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert who(client) == str(user.pk)
    assert people.first_administrator() == user
    assert people.organisation() == "Acme"


def test_link_works_once(client, db):
    secret = people.make_link(None)
    client.post(f"/welcome/{secret}/", FIRST)

    again = Client().post(f"/welcome/{secret}/", {**FIRST, "email": "second@example.com"})

    assert again.status_code == 410
    assert [u.email for u in User.objects.all()] == ["ada@example.com"]


def test_link_of_the_first_administrator_is_void_when_there_is_one(client, admin):
    secret = people.make_link(None)

    assert client.get(f"/welcome/{secret}/").status_code == 410
    assert client.post(f"/welcome/{secret}/", FIRST).status_code == 410


def test_looking_at_a_link_does_not_use_it(client, eva):
    secret = people.make_link(eva)

    assert [client.get(f"/welcome/{secret}/").status_code for _ in range(2)] == [200, 200]


def test_link_expires(client, eva):
    yesterday = timezone.now() - datetime.timedelta(hours=25)
    secret = people.make_link(eva, now=yesterday)

    assert client.get(f"/welcome/{secret}/").status_code == 410


def test_unknown_link(client, db):
    assert client.get("/welcome/nonsense/").status_code == 410


def test_link_of_a_deactivated_user_is_void(client, eva):
    secret = people.make_link(eva)
    states.deactivate("user", [eva.pk], by=SETUP)

    assert client.get(f"/welcome/{secret}/").status_code == 410


def test_using_a_link_voids_the_others_and_ends_sessions(client, eva):
    sign_in(client)
    used, other = people.make_link(eva), people.make_link(eva)

    Client().post(f"/welcome/{used}/", {"password": "another-word-4", "again": "another-word-4"})

    assert Client().get(f"/welcome/{other}/").status_code == 410
    assert client.get("/me/").status_code == 303


@pytest.mark.once
@pytest.mark.parametrize(
    ("password", "again", "message"),
    [
        (
            "short-9",
            "short-9",
            "This password is too short. It must contain at least 10 characters.",
        ),
        ("password123", "password123", "This password is too common."),
        ("eva@example.com", "eva@example.com", "The password is too similar to the"),
        ("tulip-horse-9", "tulip-horse-8", "The two passwords are not the same."),
        ("", "", "This field is required."),
    ],
)
def test_weak_passwords_are_refused(client, eva, password, again, message):
    secret = people.make_link(eva)

    answer = client.post(f"/welcome/{secret}/", {"password": password, "again": again})

    assert answer.status_code == 422
    assert message in answer.content.decode().replace("&#x27;", "'")
    assert client.get(f"/welcome/{secret}/").status_code == 200


def test_taken_address_leaves_the_link_usable(client, db):
    make_user(email="ada@example.com")
    secret = people.make_link(None)

    answer = client.post(f"/welcome/{secret}/", FIRST)

    assert answer.status_code == 422
    assert "“ada@example.com” is taken." in answer.content.decode()
    assert client.get(f"/welcome/{secret}/").status_code == 200


def test_new_installation_says_how_to_begin(client, db):
    before = client.get("/sign-in/").content.decode()
    make_user(roles=("system-administrator",))

    assert ("Nobody can sign in yet" in before) is True
    assert ("Nobody can sign in yet" in client.get("/sign-in/").content.decode()) is False


@pytest.mark.once
def test_passwords_are_kept_with_argon2(db, settings):
    settings.PASSWORD_HASHERS = settings.PASSWORD_HASHERS[1:]

    assert make_user(password=PASSWORD).password.startswith("argon2$argon2id$") is True
