"""One real hub and one browser for all journeys; each journey has a context of its own."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import string
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Response,
    expect,
    sync_playwright,
)

import tasks
from tests.e2e import seed as people
from tests.e2e.hub import Hub, Seed

# Safe in containers, and silent: the browser asks nobody for anything.
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
)  # fmt: skip
# A machine may be busy with more than this; a page that needs longer is stuck.
PATIENCE = 60_000

expect.set_options(timeout=PATIENCE)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test in this folder is a journey."""
    for item in items:
        if "/e2e/" in item.path.as_posix():
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def demo_home(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A data folder with demo data, as `make demo` leaves it; made once for all test processes."""
    base = tmp_path_factory.getbasetemp()
    made = (base if worker_id == "master" else base.parent) / "demo-home"
    with (made.parent / "demo-home.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (made / "ready").exists():
            made.mkdir()
            Hub(made).run("demo")
            with Hub(made):
                pass  # leaves the static files behind
            (made / "ready").touch()
    own = tmp_path_factory.mktemp("hub") / "home"
    shutil.copytree(made, own)
    return own


@pytest.fixture(scope="session")
def hub(demo_home: Path) -> Iterator[Hub]:
    """Rapport with demo data, served with a worker."""
    with Hub(demo_home) as hub:
        yield hub


@pytest.fixture(scope="session")
def seed(hub: Hub) -> Iterator[Seed]:
    """`seed("contact", last_name="Ek", owner="alice")` → key; all people are there by then."""
    seed = Seed(hub.home)
    yield seed
    seed.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Headless Chromium, once."""
    path = tasks.find_browser()
    if path is None:
        stop = pytest.fail if tasks.IN_CI else pytest.skip
        stop("no Chromium found")
    # Playwright leaves an event loop in this thread, which Django would take for asynchronous code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


class Watch:
    """Everything that must not happen on any page."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self._allowed: set[int] = set()

    def allow(self, *statuses: int) -> None:
        """This journey meets pages that refuse."""
        self._allowed.update(statuses)

    def over(self, context: BrowserContext) -> None:
        """Listen to all pages of `context`."""
        context.on("console", self._console)
        context.on("weberror", lambda error: self.problems.append(f"script: {error.error}"))
        context.on("response", self._response)
        context.on("requestfailed", self._failed)

    def _console(self, message: ConsoleMessage) -> None:
        # The status of an answer is judged by _response. Policy violations are errors here.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.problems.append(f"console: {message.text}")

    def _response(self, response: Response) -> None:
        if response.status >= 400 and response.status not in self._allowed:
            self.problems.append(f"{response.status} {response.request.method} {response.url}")

    def _failed(self, request: Any) -> None:
        # Leaving a page ends what it still waits for.
        if request.failure != "net::ERR_ABORTED":
            self.problems.append(f"{request.failure} {request.url}")


@pytest.fixture
def watch(hub: Hub) -> Iterator[Watch]:
    """What went wrong behind the journey; `watch.allow(404)` when a refusal is its point."""
    watch = Watch()
    yield watch
    told = f"\n{hub.last_words()}" if any(p.startswith("5") for p in watch.problems) else ""
    assert watch.problems == [], told


@pytest.fixture(scope="session")
def cookies() -> dict[str, Any]:
    """Person → what their browser stored when they signed in."""
    return {}


Open = Callable[..., Page]


@pytest.fixture
def open_as(hub: Hub, seed: Seed, browser: Browser, watch: Watch, cookies: Any) -> Iterator[Open]:
    """`open_as("bob", viewport=…)`: a page in a fresh context, signed in (None: a stranger)."""
    contexts = []

    def opened(person: str | None, **options: Any) -> Page:
        if person and person not in cookies:
            cookies[person] = sign_in(browser, hub, person)
        context = browser.new_context(
            **{
                "base_url": hub.url,
                "viewport": {"width": 1280, "height": 900},
                "locale": "en-US",
                "timezone_id": "Europe/Berlin",
                "reduced_motion": "reduce",
                "storage_state": cookies[person] if person else None,
                **options,
            }
        )
        context.set_default_timeout(PATIENCE)
        watch.over(context)
        contexts.append(context)
        return context.new_page()

    yield opened
    for context in contexts:
        context.close()


def sign_in(browser: Browser, hub: Hub, person: str) -> Any:
    """Sign in by the real form; what the browser keeps of it."""
    with browser.new_context(base_url=hub.url, timezone_id="Europe/Berlin") as context:
        page = context.new_page()
        page.goto("/sign-in/")
        page.get_by_label("Email").fill(people.address(person))
        page.get_by_label("Password").fill(people.PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text(person.title())
        return context.storage_state()


@pytest.fixture
def page(open_as: Open) -> Page:
    """Alice's browser: a salesperson."""
    return open_as("alice")


@pytest.fixture
def admin_page(open_as: Open) -> Page:
    """Ada's browser: an administrator, who sees the demo data."""
    return open_as("ada")


@pytest.fixture
def anonymous(open_as: Open) -> Page:
    """A browser in which nobody signed in."""
    return open_as(None)


@pytest.fixture
def unique() -> Callable[[], str]:
    """A word that no other record has: letters only, as in a name."""

    def word() -> str:
        return "".join(secrets.choice(string.ascii_lowercase) for _ in range(8)).title()

    return word
