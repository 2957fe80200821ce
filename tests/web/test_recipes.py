"""Saved mappings in the hub: saved from an import, offered, changed; keys; other people."""

import re
from html import unescape

import pytest

from rapport.imports import flow, recipekeys, recipes, unattended
from rapport.models import ImportFile, ImportRecipe
from tests.imports.bringing import plan
from tests.web.test_imports import mapping_form, text, upload

pytestmark = pytest.mark.django_db

ODD = b"Vorname;Nachname;Elektropost\nAnna;Bo;anna@x.de\n"


@pytest.fixture(autouse=True)
def own_uploads(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "uploads"
    settings.QUEUE = "none"


@pytest.fixture
def recipe(alice):
    made = plan(ODD, by=alice, picks=("Elektropost=email",))
    kept = recipes.save(made, "Weekly <b>", by=alice)
    flow.delete(made)
    return kept


def page(recipe, what=""):
    return f"/imports/recipes/{recipe.pk}/{what}"


@pytest.mark.once
def test_mapping_is_saved_from_the_columns_and_used_for_the_next_file(alice, client_of):
    client = client_of(alice)
    _, url = upload(client, ODD)
    form = mapping_form(client, url, **{"column-2": "email"})
    del form["plan"]

    answer = client.post(f"{url}columns/", {**form, "save": "1"})
    asked = answer.headers["Location"]
    assert (answer.status_code, asked) == (303, f"{url}save/?next=columns")
    assert "Save the mapping" in text(client.get(asked))
    answer = client.post(asked, {"name": "Weekly", "shared": "1", "next": "columns"})
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{url}columns/")
    taken = client.post(asked, {"name": "weekly"})
    assert taken.status_code == 422
    assert "You have a saved mapping “Weekly” already." in text(taken)

    _, again = upload(client, ODD.replace(b"Vorname", b"VORNAME"), entity="auto")
    seen = text(client.get(again))
    assert "The columns are mapped as saved in “Weekly”." in seen
    assert ImportFile.objects.get(pk=again.split("/")[2]).mapping["2"] == "email"
    client.post(f"{again}recipe/", {"recipe": ""})
    seen = text(client.get(again))
    assert ("mapped as saved" in seen, "Use this mapping" in seen) == (False, True)
    client.post(f"{again}recipe/", {"recipe": ImportRecipe.objects.get().pk})
    assert ImportFile.objects.get(pk=again.split("/")[2]).mapping["2"] == "email"


def test_page_says_what_it_does_as_people_call_it(alice, client_of):
    made = plan(b"Name;Sex\nBo;m\n", by=alice, picks=("Sex=gender",))
    form = mapping_form(client_of(alice), f"/imports/{made.pk}/", **{"column-1": "gender"})
    form |= {"cell-1-0": "m", "value-1-0": "1"}
    client_of(alice).post(f"/imports/{made.pk}/columns/", form)
    made.refresh_from_db()
    kept = recipes.save(made, 'The "great" list', by=alice)

    seen = text(client_of(alice).get(page(kept)))

    assert "m → Male" in seen
    assert "--recipe 'The \"great\" list'" in unescape(seen)


def test_key_is_shown_once(alice, client_of, recipe):
    client = client_of(alice)

    shown = client.post(page(recipe, "key/"))
    key = re.search(r'value="(rapport_[^"]+)"', shown.content.decode())[1]

    assert recipekeys.recipe_of_key(key) == recipe
    later = client.get(page(recipe)).content.decode()
    assert (key in later, "Revoke the key" in later) == (False, True)
    assert client.post(page(recipe, "revoke/")).status_code == 303
    assert recipekeys.recipe_of_key(key) is None


def test_settings_are_kept_or_refused_with_what_was_typed(alice, client_of, recipe):
    client = client_of(alice)
    good = {"name": "New", "folder": "a/b", "looks_first": "1", "most_refused": "10 %"}

    assert client.post(page(recipe), good).status_code == 303
    kept = ImportRecipe.objects.get()
    assert (kept.name, kept.folder, kept.looks_first) == ("New", "a/b", True)
    assert (kept.most_refused, kept.most_updated) == (10, None)
    for field, typed in (("folder", "../x"), ("most_updated", "many"), ("name", "")):
        answer = client.post(page(recipe), good | {field: typed})
        assert answer.status_code == 422
        assert f'value="{typed}"' in answer.content.decode()
    assert ImportRecipe.objects.get().folder == "a/b"


def test_private_ones_are_hidden_and_shared_ones_are_not_theirs_to_change(
    alice, bob, client_of, recipe
):
    client = client_of(bob)
    _, url = upload(client, ODD)
    posts = [page(recipe, what) for what in ("", "key/", "revoke/", "delete/")]

    def statuses():
        return [client.get(page(recipe)).status_code] + [
            client.post(one, {"name": "Mine"}).status_code for one in posts
        ]

    assert statuses() == [404] * 5
    assert "Weekly" not in text(client.get("/imports/recipes/"))
    assert "Weekly" not in text(client.get(url))
    client.post(f"{url}recipe/", {"recipe": recipe.pk})
    assert ImportFile.objects.get(pk=url.split("/")[2]).recipe is None

    ImportRecipe.objects.update(is_shared=True)
    assert statuses() == [200, 403, 403, 403, 403]
    assert "Weekly &lt;b&gt;" in text(client.get("/imports/recipes/"))
    assert "Revoke" not in text(client.get(page(recipe)))


@pytest.mark.parametrize("name", ["x" * 100_000, "a\0b", "Monthly"])
def test_name_that_no_recipe_has_is_told(name, alice, client_of, recipe):
    client = client_of(alice)
    _, url = upload(client, ODD)

    answer = client.post(f"{url}recipe/", {"recipe": name}, follow=True)

    assert answer.status_code == 200
    assert "There is no recipe" in text(answer)


def test_deleted_is_gone_and_what_waits_for_it_is_told(alice, client_of, recipe):
    for _ in range(2):
        unattended.receive(recipe, [ODD], name="x.csv")

    answer = client_of(alice).post(page(recipe, "delete/"))

    assert (answer.status_code, ImportRecipe.objects.count()) == (303, 0)
    assert [u.state for u in ImportFile.objects.order_by("created_at")] == ["uploaded", "failed"]
