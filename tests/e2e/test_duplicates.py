"""Journeys through duplicates: asked about at save; found by the search, reviewed by keyboard,
merged and brought back."""

import re

from playwright.sync_api import expect

from tests.e2e.axe import violations
from tests.e2e.pages.record import Record
from tests.e2e.pages.shell import Shell

SEARCHED = 300_000


def test_form_tells_and_asks_before_it_saves_a_double(page, seed, unique, watch):
    watch.allow(422)
    shell, name = Shell(page), unique()
    mail = f"eva@{name.lower()}.example"
    seed("contact", first_name="Eva", last_name=name, email=mail, owner="alice")
    page.goto("/contacts/new")
    page.get_by_label("First name").fill("Eva")
    page.locator("#f-last_name").fill(name)
    page.locator("#f-email").fill(mail.upper())
    page.locator("#f-job_title").fill("CEO")
    expect(page.locator(".alike-place")).to_contain_text(f"Eva {name}")
    assert violations(page) == []
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("This may be there already")
    assert violations(page) == []
    page.get_by_role("button", name="Save anyway").click()
    expect(shell.heading).to_have_text(f"Eva {name}")


def test_duplicates_are_found_reviewed_merged_and_brought_back(admin_page, seed, unique):
    page, shell, name = admin_page, Shell(admin_page), unique()
    eva = {"first_name": "Eva", "last_name": name, "email": f"eva@{name.lower()}.example"}
    first = seed("contact", **eva, owner="alice")
    seed("contact", **eva, owner="alice", job_title="CEO")
    page.goto("/duplicates/")
    page.get_by_role("button", name="Search now").click()
    expect(page.locator("#radar")).to_contain_text("Last searched", timeout=SEARCHED)
    record = Record.open(page, "contacts", first)
    expect(page.locator(".record-alike")).to_contain_text("1 possible duplicate")
    page.locator(".record-alike").get_by_role("link", name="Review").click()
    expect(page.locator(".pair-table")).to_contain_text("CEO")
    assert violations(page) == []

    # Put off with a key, found again under Later, opened and merged from the keyboard.
    page.keyboard.press("l")
    expect(shell.toast).to_contain_text("Kept for later")
    page.goto("/duplicates/?status=later&entity=contact")
    row = page.locator("li.pair", has_text=name)
    expect(row).to_have_count(1)
    assert violations(page) == []
    page.keyboard.press("j")
    expect(page.locator("li.pair").first).to_be_focused()
    row.focus()
    page.keyboard.press("x")
    expect(row.get_by_role("checkbox")).to_be_checked()
    page.keyboard.press("n")
    expect(row).to_contain_text("nobody is asked again")
    row.get_by_role("button", name="Take back").click()
    expect(row).to_contain_text("Back in the queue")
    page.goto("/duplicates/?entity=contact")
    row.focus()
    page.keyboard.press("m")
    expect(page).to_have_url(re.compile("/merge/contacts/"))
    page.get_by_role("button", name="Merge").last.click()
    expect(shell.toast).to_contain_text("2 contacts are one now")

    # One record with both values, to which the old address leads; undo brings the other back.
    record = Record.open(page.context.new_page(), "contacts", first)
    expect(record.heading).to_have_text(f"Eva {name}")
    expect(record.fact("Job title")).to_contain_text("CEO")
    found = record.page.locator("tbody tr")
    record.page.goto(f"/contacts/?view=all&q={name}")
    expect(found).to_have_count(1)
    shell.undo()
    expect(shell.toast.last).to_contain_text("Undone")
    record.page.reload()
    expect(found).to_have_count(2)
