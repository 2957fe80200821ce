"""What holds for every address: the door, the headers, the forms; and the pages for errors."""

import re
import uuid

import pytest
from django.test import Client
from django.urls import URLPattern, get_resolver

from rapport.actions import people
from tests.factories import make_account

# What people may reach who are not signed in.
OPEN = {"sign-in", "sign-out", "welcome"}
OPEN_PREFIXES = ("health",)
NONCE_FREE = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
}


def everything(resolver=None):
    """Every address of the hub."""
    for part in (resolver or get_resolver()).url_patterns:
        if isinstance(part, URLPattern):
            yield part
        # Programs have a door of their own, without cookies: tests/api.
        elif str(part.pattern) != "api/":
            yield from everything(part)


def patterns():
    """Every address behind the door."""
    return [pattern for pattern in everything() if not is_open(pattern)]


def is_open(pattern):
    return pattern.name in OPEN or (pattern.name or "").startswith(OPEN_PREFIXES)


def address(pattern, record):
    """`pattern` filled in for `record`, an account; what else it wants is made up."""
    route = str(pattern.pattern)
    for name, converter in pattern.pattern.converters.items():
        values = ("accounts", str(record), "1", "name", "csv")
        value = next(value for value in values if fits(converter, value))
        route = re.sub(rf"<[^>]*\b{name}>", value, route)
    return f"/{route}"


def fits(converter, value):
    try:
        converter.to_python(value)
    except ValueError:
        return False
    return re.fullmatch(converter.regex, value) is not None


def test_there_are_addresses():
    names = {pattern.name for pattern in patterns()}

    assert names >= {"home", "recent", "me", "settings", "people", "invite"}
    assert None not in names


@pytest.mark.parametrize("method", ["get", "post"])
def test_strangers_get_no_further_than_the_door(db, method):
    client = Client()

    let_in = {}
    for pattern in patterns():
        answer = getattr(client, method)(address(pattern, uuid.uuid4()))
        to_door = answer.status_code == 303 and answer.headers["Location"].startswith("/sign-in/")
        # A view may refuse the method before it asks who is there.
        if not to_door and answer.status_code != 405:
            let_in[pattern.name] = answer.status_code

    assert let_in == {}


def test_strangers_reach_nothing_by_both_methods(db):
    client = Client()

    closed = [
        pattern.name
        for pattern in patterns()
        if {getattr(client, m)(address(pattern, uuid.uuid4())).status_code for m in ("get", "post")}
        == {405}
    ]

    assert closed == []


@pytest.mark.once
def test_every_answer_has_the_headers(admin, client_of):
    client, account = client_of(admin), make_account()
    urls = [address(pattern, account.pk) for pattern in patterns()]
    secret = people.make_link(admin)
    urls += ["/nothing/here/", "/sign-in/", f"/welcome/{secret}/", "/welcome/used/"]

    answers = {url: client.get(url) for url in urls}

    odd = {url: a.status_code for url, a in answers.items() if a.status_code >= 500}
    wrong = {
        url: headers
        for url, answer in answers.items()
        if (headers := missing(answer)) and answer.status_code != 405
    }
    assert (odd, wrong) == ({}, {})


def missing(answer):
    """Which of our promises an answer does not keep."""
    policy = set(answer.headers.get("Content-Security-Policy", "").split("; "))
    expected = {
        "X-Frame-Options": "DENY",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
    }
    found = [name for name, value in expected.items() if answer.headers.get(name) != value]
    if policy != NONCE_FREE:
        found.append("Content-Security-Policy")
    if "no-store" not in answer.headers.get("Cache-Control", ""):
        found.append("Cache-Control")
    return found


def test_pages_need_neither_inline_script_nor_style(admin, client_of):
    client, account = client_of(admin), make_account()
    urls = [address(pattern, account.pk) for pattern in patterns()]

    found = {}
    for url in [*urls, "/nothing/here/"]:
        answer = client.get(url)
        if answer.streaming or "html" not in answer.headers.get("Content-Type", ""):
            continue
        page = answer.content.decode()
        inline = re.findall(
            r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|hx-on|javascript:", page
        )
        if inline:
            found[url] = inline

    assert found == {}


@pytest.mark.once
def test_posts_without_token_are_refused(admin):
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin, backend="django.contrib.auth.backends.ModelBackend")
    account = make_account()

    accepted = {
        pattern.name: status
        for pattern in everything()
        if (status := client.post(address(pattern, account.pk)).status_code) != 403
    }

    assert accepted == {}


def test_post_with_token_is_accepted(admin):
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin, backend="django.contrib.auth.backends.ModelBackend")
    page = client.get("/settings/").content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[1]

    answer = client.post("/settings/", {"name": "Acme", "csrfmiddlewaretoken": token})

    assert answer.status_code == 303


def test_form_that_is_too_old_has_a_page(admin):
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin, backend="django.contrib.auth.backends.ModelBackend")

    answer = client.post("/settings/", {"name": "Acme"})

    assert answer.status_code == 403
    assert "This form is too old" in answer.content.decode()
    # What the answer was to replace stays, and a message tells why.
    part = client.post("/settings/", {"name": "Acme"}, headers={"HX-Request": "true"})
    assert (part.status_code, part.headers["HX-Reswap"]) == (403, "none")
    assert "This form is too old" in part.headers["HX-Trigger"]


# -- pages for errors ---------------------------------------------------------------------------


def test_not_found_inside_has_the_site_map(alice, client_of):
    page = client_of(alice).get("/nothing/here/")

    assert page.status_code == 404
    assert ("There is nothing here" in page.content.decode()) is True
    assert ('class="sitemap"' in page.content.decode()) is True


def test_not_found_outside_tells_nothing(client, db):
    page = client.get("/nothing/here/")

    assert page.status_code == 404
    assert ('class="sitemap"' in page.content.decode()) is False


def test_error_in_a_dialog_is_a_part(alice, client_of):
    page = client_of(alice).get("/nothing/here/", headers={"HX-Request": "true"}).content.decode()

    assert ("<html" in page, "There is nothing here" in page) == (False, True)


def test_unreadable_request_has_a_page(client, db):
    answer = client.get("/sign-in/", headers={"Host": "evil.example"})

    assert answer.status_code == 400
    assert "This request cannot be read" in answer.content.decode()


def test_fault_has_a_page_that_needs_no_user(rf):
    from rapport.web.errors import server_error

    answer = server_error(rf.get("/"))

    assert answer.status_code == 500
    assert "Something went wrong" in answer.content.decode()
