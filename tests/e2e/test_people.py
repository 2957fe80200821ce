"""Journeys of people: the first one, an invited one, and what a browser remembers of them."""

from playwright.sync_api import expect

from tests.e2e import seed as people
from tests.e2e.axe import violations
from tests.e2e.hub import Hub
from tests.e2e.pages.shell import Shell


def test_first_administrator_by_the_printed_link(tmp_path, browser, watch):
    watch.allow(410)  # the used link
    with Hub(tmp_path) as hub, browser.new_context(base_url=hub.url) as context:
        watch.over(context)
        page = context.new_page()
        page.goto("/")
        expect(page).to_have_url(f"{hub.url}/sign-in/")
        expect(page.get_by_text("Nobody can sign in yet")).to_be_visible()
        link = hub.first_link()
        page.goto(link)
        assert violations(page) == []
        for name, text in {
            "organisation": "Müller & Töchter",
            "first_name": "Grace",
            "last_name": "Hopper",
            "email": "grace@example.com",
            "password": "a ship in port is safe",
            "again": "a ship in port is safe",
        }.items():
            page.locator(f"input[name={name}]").fill(text)
        page.get_by_role("button", name="Start").click()
        expect(page).to_have_url(f"{hub.url}/")
        expect(page.get_by_role("heading", level=1)).to_contain_text("Grace")
        expect(page.get_by_text("Drop your customer list here")).to_be_visible()
        expect(page.get_by_role("link", name="Invite a colleague")).to_be_visible()
        page.goto(link)
        expect(page.get_by_role("heading", level=1)).to_have_text("This link is used up")


def test_an_invited_colleague_comes_in_by_a_link(admin_page, anonymous, unique):
    name = unique()
    page = admin_page
    page.goto("/settings/")
    page.get_by_role("link", name="People and access").click()
    page.get_by_role("link", name="Invite").first.click()
    page.get_by_label("First name").fill("Zoë")
    page.get_by_label("Last name").fill(name)
    page.get_by_label("Email").fill(f"{name.lower()}@example.com")
    page.get_by_role("checkbox", name="Salesperson").uncheck()
    page.get_by_role("checkbox", name="Read Only").check()
    page.locator("main").get_by_role("button", name="Make a link").click()
    link = page.locator("main input[readonly]").input_value()

    anonymous.goto(link)
    expect(anonymous.get_by_role("heading", level=1)).to_have_text("Welcome, Zoë")
    anonymous.get_by_label("Password *", exact=True).fill("stitch in time saves")
    anonymous.get_by_label("Password again").fill("stitch in time saves")
    anonymous.get_by_role("button", name="Save and sign in").click()
    expect(anonymous.get_by_role("heading", level=1)).to_contain_text("Zoë")
    # A reader is offered nothing to make.
    expect(anonymous.get_by_role("button", name="Create")).to_have_count(0)

    page.goto("/settings/people/")
    page.get_by_role("link", name=f"Zoë {name}").click()
    page.get_by_role("checkbox", name="Salesperson").check()
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".toast")).to_contain_text("Saved")
    anonymous.reload()
    expect(anonymous.get_by_role("button", name="Create")).to_be_visible()


def test_wrong_password_and_the_way_back(anonymous, seed, watch):
    watch.allow(422)
    anonymous.goto("/recent/")
    anonymous.get_by_label("Email").fill(people.address("bob"))
    anonymous.get_by_label("Password").fill("not this one")
    anonymous.get_by_role("button", name="Sign in").click()
    expect(anonymous.get_by_role("alert")).to_contain_text("do not belong together")
    assert violations(anonymous) == []
    anonymous.get_by_label("Password").fill(people.PASSWORD)
    anonymous.get_by_role("button", name="Sign in").click()
    expect(anonymous.get_by_role("heading", level=1)).to_have_text("Recent")
    shell = Shell(anonymous)
    shell.user_menu("Sign out").click()
    expect(anonymous.get_by_role("heading", level=1)).to_have_text("Sign in")
    anonymous.goto("/recent/")
    expect(anonymous.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_dark_stays_dark(page):
    dark, light = "rgb(20, 20, 20)", "rgb(245, 245, 244)"
    page.goto("/")
    expect(page.locator("body")).to_have_css("background-color", light)
    Shell(page).user_menu("Dark").click()
    expect(page.locator("body")).to_have_css("background-color", dark)
    page.goto("/recent/")
    expect(page.locator("body")).to_have_css("background-color", dark)
    Shell(page).user_menu("Like the system").click()
    expect(page.locator("body")).to_have_css("background-color", light)
