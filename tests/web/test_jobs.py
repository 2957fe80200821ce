"""System jobs and the health endpoints."""

import uuid

import pytest

from rapport.actions import jobs, lease
from rapport.actions.people import SETUP
from rapport.models import Job
from tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice():
    return make_user(first_name="Alice", last_name="Owner")


def ask(by, label="Edit 5,000 accounts", **values):
    job = jobs.enqueue("bulk", {}, by=by, label=label)
    Job.objects.filter(pk=job.pk).update(**values)
    return job


def text(response):
    return " ".join(response.content.decode().split())


def test_list_shows_own_jobs_and_administrators_see_all(client_of, alice, admin):
    ask(alice, "Hers")
    ask(SETUP, "Somebody's")

    mine = text(client_of(alice).get("/jobs/"))
    every = text(client_of(admin).get("/jobs/"))

    assert ("Hers" in mine, "Somebody&#x27;s" in mine) == (True, False)
    assert ("Hers" in every, "Somebody&#x27;s" in every) == (True, True)
    assert ("Alice Owner" in every, "Rapport</td>" in every) == (True, True)


def test_list_asks_again_only_while_a_job_is_alive(client_of, alice):
    client = client_of(alice)
    job = ask(alice, state="running", progress=1200, total=5000)

    page = text(client.get("/jobs/"))
    part = text(client.get("/jobs/", headers={"HX-Request": "true"}))
    Job.objects.filter(pk=job.pk).update(state="done")

    assert 'hx-get="/jobs/?page=1" hx-trigger="every 2s"' in page
    assert '<progress aria-label="Progress" value="1200" max="5000">' in page
    assert "1,200 of 5,000" in page
    assert part.startswith('<div id="jobs" hx-get')
    assert "every 2s" not in text(client.get("/jobs/"))


def test_list_costs_the_same_for_one_and_for_many(client_of, alice, django_assert_max_num_queries):
    client = client_of(alice)
    for _ in range(3):
        ask(alice)

    with django_assert_max_num_queries(8):
        client.get("/jobs/")


def test_pages_go_on(client_of, alice):
    for number in range(51):
        ask(alice, f"Job no. {number}")

    first, second = (text(client_of(alice).get(f"/jobs/?page={n}")) for n in ("1", "2"))

    assert ("Job no. 50" in first, "Job no. 0<" in first) == (True, False)
    assert ("Job no. 50" in second, "Job no. 0<" in second) == (False, True)
    assert ('href="/jobs/?page=2"' in first, 'href="/jobs/?page=1"' in second) == (True, True)


@pytest.mark.once
@pytest.mark.parametrize("page", ["0", "-1", "x", "9" * 30, "²"])
def test_odd_page_numbers_do_no_harm(client_of, alice, page):
    assert client_of(alice).get("/jobs/", {"page": page}).status_code == 200


def test_job_page_shows_what_came_of_it(client_of, alice):
    reasons = {str(uuid.uuid4()): "Taken.", str(uuid.uuid4()): "Taken."}
    job = ask(alice, state="done", result={"done": 1498, "refused": 2, "reasons": reasons})

    page = text(client_of(alice).get(f"/jobs/{job.pk}/"))

    assert '<dt class="fact-label">Done</dt><dd class="fact-value">1,498</dd>' in page
    assert '<td class="table-num">2</td><td>Taken.</td>' in page


@pytest.mark.parametrize("verb", ["", "cancel/", "retry/"])
def test_job_of_somebody_else_is_not_there(client_of, alice, verb):
    job = ask(make_user())
    client = client_of(alice)

    answer = client.post(f"/jobs/{job.pk}/{verb}") if verb else client.get(f"/jobs/{job.pk}/")

    assert answer.status_code == 404


def test_job_is_cancelled_and_retried(client_of, alice):
    client = client_of(alice)
    job = ask(alice)

    cancelled = client.post(f"/jobs/{job.pk}/cancel/")
    ending = text(client.get(f"/jobs/{job.pk}/"))
    run = lease.take("one", ["bulk"])
    run.end("cancelled")
    retried = client.post(f"/jobs/{job.pk}/retry/")

    assert (cancelled.status_code, cancelled["Location"]) == (303, f"/jobs/{job.pk}/")
    assert "Ending" in ending
    assert (retried.status_code, Job.objects.get(pk=job.pk).state) == (303, "waiting")


def test_stopped_check_of_a_file_is_begun_again_on_the_page_of_its_import(client_of, alice):
    client = client_of(alice)
    job = ask(alice, kind="import.plan", state="cancelled")

    page = text(client.get(f"/jobs/{job.pk}/"))
    answer = client.post(f"/jobs/{job.pk}/retry/")

    assert ("Try again" in page, answer.status_code) == (False, 404)
    assert Job.objects.get(pk=job.pk).state == "cancelled"


def test_a_link_cannot_cancel(client_of, alice):
    job = ask(alice)

    assert client_of(alice).get(f"/jobs/{job.pk}/cancel/").status_code == 405


def test_jobs_need_sign_in(client):
    assert client.get("/jobs/").status_code == 303


# -- health --------------------------------------------------------------------------------------


def test_live_says_ok_to_anybody(client):
    answer = client.get("/health/live")

    assert (answer.status_code, answer.content) == (200, b"ok\n")


def test_ready_names_what_it_looked_at(client, settings):
    settings.QUEUE = "none"
    answer = client.get("/health/ready")

    found = {check["name"]: check["grade"] for check in answer.json()["checks"]}
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")
    assert found == {"database": "ok", "migrations": "ok", "disk": "ok", "worker": "ok"}


def test_ready_is_503_when_the_disk_is_full(client, monkeypatch, settings):
    settings.QUEUE = "none"
    monkeypatch.setattr("rapport.jobs.health.NO_DISK", 2**60)

    answer = client.get("/health/ready")

    assert (answer.status_code, answer.json()["status"]) == (503, "failed")


def test_ready_says_nothing_about_where_things_are(client, settings):
    body = client.get("/health/ready").content.decode()

    secrets = [settings.SECRET_KEY, str(settings.HOME), str(settings.DATABASES["default"]["NAME"])]
    assert [secret for secret in secrets if secret and secret in body] == []
