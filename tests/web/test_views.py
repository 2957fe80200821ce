"""Personal views: saved, changed, shared, chosen as the default one, deleted."""

import json
import re

import pytest
from django.urls import reverse

from rapport.meta.registry import registry
from rapport.models import SavedView
from rapport.queries import preferences, query, views
from tests.factories import make, make_contact, share_with

pytestmark = pytest.mark.django_db

CONTACT = registry["contact"]


def address(name, *args):
    return reverse(name, args=[CONTACT, *args])


def text(response):
    return " ".join(response.content.decode().split())


STATE = "view=active&f=job_title~eq~CEO&sort=-email&columns=full_name,email"


def save(client, name="CEOs", **params):
    return client.post(address("save-view"), {"name": name, "state": STATE, **params})


def title(response):
    """The name of the view that a list shows."""
    return re.search(r'popovertarget="views-menu">([^<]+?) ?<', response.content.decode())[1]


def test_a_view_keeps_what_the_list_shows(alice, client_of):
    ceo = make_contact(owner=alice, job_title="CEO")
    make_contact(owner=alice)
    client = client_of(alice)

    saved = save(client)
    listed = client.get(saved["Location"])

    view = SavedView.objects.get()
    assert (view.name, view.entity, view.owner_id) == ("CEOs", "contact", alice.pk)
    kept = query.loads(json.loads(view.definition))
    assert kept.columns == ("full_name", "email")
    assert kept.order == (query.Order("email", descending=True),)
    assert saved["Location"] == f"/contacts/?view={view.pk}"
    assert title(listed) == "CEOs"
    assert re.findall(r'id="row-([^"]+)"', listed.content.decode()) == [str(ceo.pk)]


def test_a_view_needs_a_name(alice, client_of):
    client = client_of(alice)

    asked = client.post(address("save-view"), {"state": STATE})
    response = save(client, name=" ")

    assert (asked.status_code, response.status_code, SavedView.objects.count()) == (200, 422, 0)


def test_changes_are_saved_to_the_view_and_can_be_undone(alice, client_of):
    client = client_of(alice)
    save(client)
    view = SavedView.objects.get()
    state = f"view={view.pk}&f=job_title~eq~CFO&q=x&after=abc"

    changed = client.post(address("save-view-changes"), {"state": state})
    page = client.get(changed["Location"]).content.decode()

    stored = query.loads(json.loads(SavedView.objects.get().definition))
    assert stored.where.conditions == (query.Condition("job_title", "eq", "CFO"),)
    assert (stored.find, stored.columns) == ("x", ("full_name", "email"))
    assert changed["Location"] == f"/contacts/?view={view.pk}"
    assert re.search(r'action="/undo/[^"]+"', page)


def test_changes_are_not_saved_when_the_list_is_damaged(alice, client_of):
    client = client_of(alice)
    save(client)
    view = SavedView.objects.get()

    client.post(address("save-view-changes"), {"state": f"view={view.pk}&f=nonsense~eq~1"})

    assert SavedView.objects.get().definition == view.definition


def test_a_system_view_is_not_changed(alice, client_of):
    response = client_of(alice).post(address("save-view-changes"), {"state": "view=active"})

    assert response.status_code == 404


def test_the_default_view_is_ones_own(alice, bob, client_of):
    client = client_of(alice)

    client.post(address("default-view"), {"state": "view=all&q=x"})

    assert title(client.get("/contacts/")) == "All Contacts"
    assert title(client_of(bob).get("/contacts/")) == "My Active Contacts"
    client.post(address("default-view"), {"view": "my-active"})
    assert title(client.get("/contacts/")) == "My Active Contacts"
    assert preferences.get(alice, "view:contact") is None


def test_a_saved_view_can_open_the_list(alice, client_of):
    client = client_of(alice)

    save(client, default="1")

    assert title(client.get("/contacts/")) == "CEOs"
    assert title(client.get("/contacts/?view=active")) == "Active Contacts"


def test_a_deleted_default_view_gives_way(alice, client_of):
    client = client_of(alice)
    save(client, default="1")
    view = SavedView.objects.get()

    client.post(address("delete-view", view.pk))

    response = client.get("/contacts/")
    assert (response.status_code, title(response)) == (200, "My Active Contacts")
    assert SavedView.objects.count() == 0


def test_a_view_that_somebody_else_deleted_gives_way(alice, client_of):
    client = client_of(alice)
    save(client, default="1")
    SavedView.objects.all().delete()

    response = client.get("/contacts/")

    assert (response.status_code, title(response)) == (200, "My Active Contacts")


def test_rename(alice, client_of):
    client = client_of(alice)
    save(client)
    view = SavedView.objects.get()

    asked = client.get(address("rename-view", view.pk))
    blank = client.post(address("rename-view", view.pk), {"name": ""})
    client.post(address("rename-view", view.pk), {"name": "Chiefs"})

    assert ('value="CEOs"' in text(asked), blank.status_code) == (True, 422)
    assert SavedView.objects.get().name == "Chiefs"


def test_strangers_neither_see_nor_change_a_view(alice, bob, client_of):
    save(client_of(alice))
    view = SavedView.objects.get()
    client = client_of(bob)

    listed = client.get(f"/contacts/?view={view.pk}")
    answers = [
        client.post(address("save-view-changes"), {"state": f"view={view.pk}"}),
        client.post(address("default-view"), {"view": str(view.pk)}),
        client.post(address("rename-view", view.pk), {"name": "Mine"}),
        client.post(address("delete-view", view.pk)),
    ]

    assert (listed.status_code, title(listed)) == (400, "My Active Contacts")
    assert [answer.status_code for answer in answers] == [404, 404, 404, 404]
    assert SavedView.objects.get().name == "CEOs"


def test_a_shared_view_is_seen_but_not_changed(alice, bob, client_of):
    save(client_of(alice))
    view = SavedView.objects.get()
    share_with(view, bob)
    client = client_of(bob)

    listed = client.get(f"/contacts/?view={view.pk}")
    renamed = client.post(address("rename-view", view.pk), {"name": "Mine"})

    assert (listed.status_code, title(listed)) == (200, "CEOs")
    assert [(v.label, v.mine, v.owner) for v in views.personal(CONTACT, bob)] == [
        ("CEOs", False, "Alice Archer")
    ]
    assert (renamed.status_code, SavedView.objects.get().name) == (403, "CEOs")


def test_the_menu_lists_own_views_first_and_nobody_elses(alice, bob, admin, client_of):
    shared = make("saved_view", owner=bob, entity="contact", name="A shared one")
    share_with(shared, alice)
    make("saved_view", owner=bob, entity="contact", name="Bob's")
    make("saved_view", owner=alice, entity="contact", name="Zebra")
    make("saved_view", owner=alice, entity="account", name="Of accounts")

    def labels(user):
        page = client_of(user).get(address("my-views"), headers={"HX-Request": "true"})
        return re.findall(r"<span>([^<]+)</span>", page.content.decode())

    assert labels(alice) == ["Zebra", "A shared one"]
    assert labels(admin) == []


def test_the_page_of_views_offers_what_one_may_do(alice, client_of):
    client = client_of(alice)
    save(client, default="1")

    page = text(client.get(address("views")))

    assert [page.count(word) for word in (">Rename<", ">Delete<", ">default<")] == [1, 1, 1]
    assert page.count(">Set as default<") == len(CONTACT.views)


def test_the_view_menu_marks_the_present_view(alice, client_of):
    page = client_of(alice).get("/contacts/?view=all").content.decode()
    items = re.findall(r'<a class="menu-item" href="([^"]+)" aria-current="true">', page)

    assert items == ["/contacts/?view=all"]
