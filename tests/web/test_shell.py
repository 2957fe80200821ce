"""What surrounds a page, page or part, and the viewer's language and time zone."""

import re
import zoneinfo

import pytest
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone, translation

from rapport.actions.profile import update_profile
from rapport.web import shell
from rapport.web.middleware import ViewerMiddleware
from tests.factories import make_role, make_user

SITE_MAP = [
    "Home", "Recent", "Activities", "Accounts", "Contacts", "Leads", "Opportunities", "Imports",
    "Duplicates", "Data quality", "System jobs", "Recycle bin", "Settings",
]  # fmt: skip


def links(page):
    """(label, is current) of the site map."""
    nav = page[page.index('id="sitemap"') :].partition("</nav>")[0]
    found = re.findall(r'<a class="sitemap-link"([^>]*)>.*?</svg>([^<]+)', nav)
    return [(label.strip(), "aria-current" in attributes) for attributes, label in found]


def test_site_map_of_a_salesperson(alice, client_of):
    page = client_of(alice).get("/recent/").content.decode()

    assert [label for label, _now in links(page)] == SITE_MAP
    assert [label for label, now in links(page) if now] == ["Recent"]


def test_site_map_leaves_out_what_one_may_not_read(client_of, db):
    user = make_user(roles=())
    make_role({("lead", "read"): 1}, user)

    labels = {label for label, _now in links(client_of(user).get("/").content.decode())}

    assert labels & {"Accounts", "Contacts", "Leads", "Opportunities", "Activities"} == {"Leads"}


def test_create_menu_has_what_one_may_create(alice, client_of):
    hers = client_of(alice).get("/recent/").content.decode()
    readers = client_of(make_user(roles=("read-only",))).get("/recent/").content.decode()

    assert (reverse("quick-create", args=["lead"]) in hers) is True
    assert ('id="create-menu"' in readers) is False


def test_htmx_gets_the_part_only(alice, client_of):
    client = client_of(alice)

    whole = client.get("/recent/")
    part = client.get("/recent/", headers={"HX-Request": "true"})
    boosted = client.get("/recent/", headers={"HX-Request": "true", "HX-Boosted": "true"})

    assert ["<html" in a.content.decode() for a in (whole, part, boosted)] == [True, False, True]
    assert ["HX-Request" in a.headers["Vary"] for a in (whole, part, boosted)] == [True] * 3


def test_shell_costs_no_statement_of_its_own(alice, client_of, django_assert_num_queries):
    client = client_of(alice)

    # Session, user, rights, and the visits.
    with django_assert_num_queries(4):
        client.get("/recent/")


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Ada Admin", "AA"), ("Zoë", "ZO"), ("", "?"), ("…", "?"), ("x", "X"), ("李 小龍", "李小")],
)
def test_initials(name, expected):
    assert shell.initials(name) == expected


def test_missing_slash_is_added(alice, client_of):
    assert client_of(alice).get("/settings").headers["Location"] == "/settings/"


# -- the viewer -----------------------------------------------------------------------------------


@pytest.fixture
def seen(rf):
    """`seen(user, session, language)`: zone and language that a view finds active."""

    def look(user, session=(), language="en"):
        active = []

        def view(_request):
            active.append((timezone.get_current_timezone_name(), translation.get_language()))
            return HttpResponse()

        request = rf.get("/", headers={"Accept-Language": language})
        request.user, request.session = user, dict(session)
        ViewerMiddleware(view)(request)
        return active[0]

    return look


def test_viewer_has_the_chosen_zone_and_language(alice, seen):
    update_profile(alice, {"time_zone": "Asia/Tokyo", "language": "en-gb"})
    alice.refresh_from_db()

    assert seen(alice, {"time_zone": "Europe/Paris"}, "en-us") == ("Asia/Tokyo", "en-gb")


def test_viewer_without_choice_has_the_browsers(alice, seen):
    assert seen(alice, {"time_zone": "Europe/Paris"}, "en-GB,en;q=0.5") == ("Europe/Paris", "en-gb")


@pytest.mark.parametrize("zone", ["", "Mars/Base", "../../etc/passwd", "Europe", "x\0y"])
def test_unknown_zone_falls_back(alice, seen, zone):
    assert seen(alice, {"time_zone": zone}, "tlh") == ("UTC", "en")


def test_thread_is_left_as_it_was_found(alice, seen):
    with translation.override("en-gb"), timezone.override(zoneinfo.ZoneInfo("Asia/Tokyo")):
        seen(alice, {"time_zone": "Europe/Paris"})

        assert (timezone.get_current_timezone_name(), translation.get_language()) == (
            "Asia/Tokyo",
            "en-gb",
        )


def test_browser_tells_its_zone_at_sign_in(client, db):
    make_user(email="eva@example.com", password="tulip-horse-9")
    words = {"email": "eva@example.com", "password": "tulip-horse-9", "time_zone": "Asia/Tokyo"}

    client.post("/sign-in/", words)

    assert "Asia/Tokyo" in client.get("/me/").content.decode().partition("Now in use")[2][:60]
