"""Imports by a key: who gets in, what is taken, what is told of it afterwards."""

import uuid
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from rapport import limits
from rapport.actions import states
from rapport.actions.people import SETUP
from rapport.api import door, imports
from rapport.imports import flow, recipekeys, recipes
from rapport.jobs import clock
from rapport.models import Contact, ImportFile, ImportRecipe, Job, RecipeKey, RoleAssignment
from tests.imports.bringing import plan
from tests.working import work_off

pytestmark = pytest.mark.django_db

LIST = "Vorname;Name;Mail\nAnna;Bo;anna@x.de\nEve;Fa;nonsense\nGus;Ho;also nonsense\n"


@pytest.fixture
def recipe(alice):
    return save(alice)


def save(by, name="People"):
    upload = plan(LIST.encode(), by=by)
    made = recipes.save(upload, name, by=by)
    flow.delete(upload)
    return made


@pytest.fixture
def key(recipe):
    return recipekeys.make_key(recipe, by=recipe.owner)


def call(recipe, key, body=LIST, content_type="text/csv", *, id=None, query="", **more):
    """One call as a program makes it: without a cookie; CSRF is checked as outside of tests."""
    client = Client(enforce_csrf_checks=True)
    headers = {"Authorization": f"Bearer {key}", **more.pop("headers", {})}
    path = f"/api/imports/{recipe.pk if isinstance(recipe, ImportRecipe) else recipe}/"
    if id:
        return client.get(f"{path}{id}/{query}", headers=headers)
    if content_type is None:
        return client.post(path, body, headers=headers)
    return client.post(path + query, body, content_type=content_type, headers=headers)


def test_file_is_taken_imported_and_told_of(recipe, key):
    taken = call(recipe, key, query="?name=monday.csv")
    assert (taken.status_code, taken.json()["state"]) == (202, "uploaded")
    assert taken.headers["Location"] == taken.json()["url"]
    assert "Set-Cookie" not in taken.headers
    id_ = taken.json()["id"]
    work_off()

    found = call(recipe, key, id=id_, query="?limit=1").json()
    more = call(recipe, key, id=id_, query="?limit=1&after=3").json()
    rows = b"".join(call(recipe, key, id=id_, query="errors.csv")).decode("utf-8-sig")

    contact = Contact.objects.get()
    assert (contact.owner_id, str(contact)) == (recipe.owner_id, "Anna Bo")
    counts = {name: number for name, number in found["counts"].items() if number}
    assert (found["state"], found["is_over"], found["applied"]) == ("done", True, True)
    assert (found["file"], counts) == ("monday.csv", {"rows": 3, "created": 1, "refused_rows": 2})
    assert [(e["row"], e["column"]) for e in found["errors"]] == [(3, "Mail")]
    assert found["errors_next"] == f"{taken.json()['url']}?after=3&limit=1"
    assert ([e["row"] for e in more["errors"]], more["errors_next"]) == ([4], None)
    assert [line[:13] for line in rows.splitlines()[1:]] == ['"Eve";"Fa";"n', '"Gus";"Ho";"a']
    assert ImportFile.objects.get(pk=id_).options["via"] == "api"
    assert RecipeKey.objects.get().used_at


def test_form_may_carry_the_file_also_a_large_one(recipe, key):
    lines = [f"A{n};B{n};a{n}@x.de" for n in range(6000)]
    content = "\n".join(["Vorname;Name;Mail", *lines]).encode()

    taken = call(recipe, key, {"file": SimpleUploadedFile("big.csv", content)}, None)

    kept = ImportFile.objects.get()
    assert (taken.status_code, kept.name, kept.size) == (202, "big.csv", len(content))


def problem(answer):
    assert list(answer.json()) == ["error"]
    assert answer.headers["Content-Type"] == "application/json"
    return answer.status_code


@pytest.mark.once
def test_without_the_right_key_there_is_no_way_in(recipe, key, alice, bob, client_of):
    other = save(bob, "Others")
    theirs = recipekeys.make_key(other, by=bob)
    signed_in = client_of(alice).post(
        f"/api/imports/{recipe.pk}/", LIST, content_type="text/csv", headers={"X-Nothing": "1"}
    )

    answers = [
        signed_in,
        call(recipe, ""),
        call(recipe, key[:-1]),
        call(recipe, "\u2028"),
        call(recipe, key, headers={"Authorization": f"Basic {key}"}),
        call(uuid.uuid4(), "wrong"),
        call(recipe, theirs),
        call(uuid.uuid4(), key),
        call("nonsense", key),
    ]

    assert [problem(answer) for answer in answers] == [401] * 6 + [404] * 3
    assert answers[0].headers["WWW-Authenticate"] == 'Bearer realm="Rapport"'
    assert not ImportFile.objects.exists()


@pytest.mark.once
def test_key_sees_the_imports_of_its_recipe_alone(recipe, key, alice, bob):
    foreign = plan(LIST.encode(), by=alice)
    others = save(bob, "Others")
    theirs = recipekeys.make_key(others, by=bob)
    id_ = call(recipe, key).json()["id"]

    # Bob used Alice's recipe for a file of his own.
    his = plan(LIST.encode(), by=bob)
    ImportFile.objects.filter(pk=his.pk).update(recipe=recipe)

    assert problem(call(recipe, key, id=his.pk)) == 404
    assert problem(call(recipe, key, id=foreign.pk)) == 404
    assert problem(call(others, theirs, id=id_)) == 404
    assert problem(call(recipe, theirs, id=id_)) == 404
    assert problem(call(recipe, key, id=id_, query="errors.csv")) == 404


def test_key_ends_when_it_is_revoked_or_made_anew(recipe, key, admin):
    again = recipekeys.make_key(recipe, by=recipe.owner)
    assert (problem(call(recipe, key)), call(recipe, again).status_code) == (401, 202)

    recipekeys.revoke_key(recipe, by=admin)

    assert problem(call(recipe, again)) == 401
    assert key not in str(list(RecipeKey.objects.values()))


@pytest.mark.once
@pytest.mark.parametrize("active", [True, False])
def test_key_has_the_rights_that_its_owner_has_now(recipe, key, active):
    id_ = call(recipe, key).json()["id"]
    if active:
        RoleAssignment.objects.filter(principal_id=recipe.owner_id).delete()
    else:
        states.deactivate("user", [recipe.owner_id], by=SETUP)
    work_off()

    assert problem(call(recipe, key)) == 403
    # What was taken before is not imported either.
    assert (ImportFile.objects.get(pk=id_).state, Contact.objects.count()) == ("failed", 0)


def test_size_is_bounded_whatever_is_said_of_it(recipe, key, settings, monkeypatch):
    settings.UPLOAD_LIMIT = 50
    form = {"file": SimpleUploadedFile("big.csv", LIST.encode())}
    answers = [call(recipe, key), call(recipe, key, form, None)]
    # A body that is longer than its head says is cut there; here the head lies the other way.
    monkeypatch.setattr(imports, "_is_too_long", lambda request: False)
    answers.append(call(recipe, key))

    assert [problem(answer) for answer in answers] == [413] * 3
    assert not ImportFile.objects.exists()
    assert list(Path(settings.MEDIA_ROOT).rglob("original")) == []


@pytest.mark.once
@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (LIST, "application/x-www-form-urlencoded", 415),
        (b"\x89PNG\r\n\x1a\n" + bytes(64), "image/png", 415),
        (b"\x89PNG\r\n\x1a\n" + bytes(64), "application/octet-stream", 415),
        (b"%PDF-1.7", "application/pdf", 415),
        (b"", "text/csv", 400),
        (b"--x\r\nbroken", "multipart/form-data; boundary=x", 400),
        (LIST, "multipart/form-data", 400),
    ],
)
def test_what_is_no_file_is_refused_at_once(recipe, key, settings, body, kind, status):
    answer = call(recipe, key, body, kind)

    assert (problem(answer), ImportFile.objects.count()) == (status, 0)
    assert list(Path(settings.MEDIA_ROOT).rglob("original")) == []


@pytest.mark.once
def test_knocking_too_often_is_refused_for_a_while(recipe, key, monkeypatch):
    # Nothing is forgiven while we look.
    monkeypatch.setattr(limits, "time", SimpleNamespace(monotonic=lambda: 0.0))
    for _ in range(door.WRONG_KEYS):
        call(recipe, "wrong", id=uuid.uuid4())
    assert problem(call(recipe, "wrong", id=uuid.uuid4())) == 429
    # Whoever has the key is not kept out by others behind the same address …
    answers = [call(recipe, key, content_type="image/png") for _ in range(imports.PER_MINUTE + 1)]

    # … until calling too often too.
    assert [answer.status_code for answer in answers[:-1]] == [415] * imports.PER_MINUTE
    assert (problem(answers[-1]), answers[-1].headers["Retry-After"]) == (429, "60")


def test_other_methods_and_addresses_are_told_in_json(recipe, key):
    client = Client()

    assert problem(client.get(f"/api/imports/{recipe.pk}/")) == 405
    assert problem(client.delete(f"/api/imports/{recipe.pk}")) == 405
    assert problem(client.post("/api/", {})) == 404
    assert problem(client.get("/api/contacts")) == 404


def test_files_of_one_recipe_are_imported_in_turn(recipe, key):
    for _ in range(3):
        call(recipe, key)
    uploads = ImportFile.objects.order_by("created_at")
    assert list(uploads.values_list("job__state", flat=True)) == ["waiting", None, None]
    # The first is gone with its job: the clock goes on with the second.
    uploads[0].job.delete()
    uploads[0].delete()
    clock.run_recipes()
    work_off()

    # Had both been planned at once, the second would have lost its row.
    counts = [[upload.counts[n] for n in ("created", "same", "changed")] for upload in uploads]
    assert counts == [[1, 0, 0], [0, 1, 0]]


def test_plan_that_people_took_over_never_begins_by_itself(recipe, key, alice):
    recipes.change(recipe, by=alice, name=recipe.name, is_shared=False, looks_first=True)
    call(recipe, key)
    work_off()
    upload = ImportFile.objects.get()
    flow.remap(upload, flow.mapping_of(upload))
    # Old jobs are forgotten one day.
    Job.objects.all().delete()

    clock.run_recipes()

    assert not Job.objects.exists()


@pytest.mark.once
def test_file_that_does_not_fit_says_why(recipe, key):
    id_ = call(recipe, key, "Only;Two\n1;2\n").json()["id"]
    work_off()

    found = call(recipe, key, id=id_).json()
    assert (found["state"], found["is_over"], found["counts"]["rows"]) == ("failed", True, 0)
    assert found["message"].startswith("“People” does not fit this file.")
