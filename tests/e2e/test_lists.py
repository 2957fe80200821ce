"""Journeys through lists: find, sort, filter, page, change many rows at once."""

import csv
import re

from playwright.sync_api import expect

from tests.e2e.axe import violations
from tests.e2e.pages.listing import Listing


def test_views_sorting_and_pages(admin_page):
    listing = Listing.open(admin_page, "contacts")
    listing.view("All Contacts")
    expect(listing.rows).to_have_count(50)
    assert violations(admin_page) == []
    first = listing.titles().first.inner_text()

    admin_page.get_by_role("link", name="Next page").click()
    expect(listing.count).to_contain_text("51–100")
    expect(listing.titles().first).not_to_have_text(first)
    admin_page.get_by_role("link", name="Previous page").click()
    expect(listing.count).to_contain_text("1–50")
    expect(listing.titles().first).to_have_text(first)

    listing.column("Full name").get_by_role("link", name="Full name", exact=True).click()
    expect(listing.column("Full name")).to_have_attribute("aria-sort", "descending")
    expect(listing.titles().first).not_to_have_text(first)
    admin_page.go_back()
    expect(listing.titles().first).to_have_text(first)


def test_find_filter_and_columns(page, seed, unique):
    family = unique()
    for first, city in (("Änne", "Köln"), ("Bea", "Köln"), ("Cem", "Bonn")):
        seed("contact", first_name=first, last_name=family, address1_city=city, owner="alice")
    listing = Listing.open(page, "contacts")
    listing.find(family.lower())
    expect(listing.rows).to_have_count(3)
    # Accents are folded, and the address keeps what was typed.
    listing.find(f"anne {family}")
    expect(listing.titles()).to_have_text([f"Änne {family}"])
    page.reload()
    expect(listing.titles()).to_have_text([f"Änne {family}"])
    listing.find(family)
    expect(listing.rows).to_have_count(3)

    listing.column("City").hover()
    listing.column("City").get_by_role("link", name="Filter by").click()
    expect(listing.dialog).to_be_visible()
    assert violations(page) == []
    listing.dialog.locator("[name=value]:not([type=checkbox])").first.fill("Köln")
    listing.dialog.get_by_role("button", name="Apply").click()
    expect(listing.rows).to_have_count(2)
    expect(listing.chips.filter(has_text="Köln")).to_be_visible()
    listing.chips.filter(has_text="Köln").get_by_role("link", name="Remove").click()
    expect(listing.rows).to_have_count(3)

    page.get_by_role("button", name="Columns").click()
    listing.aside.get_by_label("Add a column").select_option(label="Created on")
    expect(listing.aside.locator(".column-item", has_text="Created on")).to_be_visible()
    assert violations(page) == []
    listing.aside.get_by_role("button", name="Take Email away").click()
    expect(listing.aside.get_by_role("button", name="Take Email away")).to_have_count(0)
    listing.aside.get_by_role("button", name="Apply").last.click()
    expect(listing.column("Created on")).to_be_visible()
    expect(listing.column("Email")).to_have_count(0)
    expect(listing.rows).to_have_count(3)

    # Kept under a name of one's own.
    page.locator(".view-title button").click()
    page.get_by_role("button", name="Save as new view").click()
    name = f"Family {family}"
    listing.dialog.get_by_label("Name").fill(name)
    listing.dialog.get_by_role("button", name="Save").click()
    expect(listing.heading).to_contain_text(name)
    expect(listing.rows).to_have_count(3)


def test_many_rows_are_changed_and_put_back(page, seed, unique):
    family = unique()
    for first in ("Ann", "Ben", "Cleo"):
        seed("contact", first_name=first, last_name=family, job_title="Clerk", owner="alice")
    listing = Listing.open(page, "contacts", f"?q={family}")
    listing.mark(f"Ann {family}")
    listing.mark(f"Cleo {family}")
    expect(page.locator("[data-selected]").first).to_contain_text("2 selected")
    assert violations(page) == []
    listing.command("Edit").click()
    dialog = listing.dialog
    dialog.get_by_label("Field to change").select_option(label="Job title")
    dialog.get_by_role("textbox", name="Job title").fill("Director")
    assert violations(page) == []
    dialog.get_by_role("button", name="Continue").last.click()
    dialog.get_by_role("button", name=re.compile("^Change 2 contacts")).click()
    expect(listing.toast).to_contain_text("2 contacts")
    expect(listing.rows.filter(has_text="Director")).to_have_count(2)
    expect(listing.rows.filter(has_text="Clerk")).to_have_count(1)
    listing.undo()
    page.goto(f"/contacts/?q={family}")
    expect(listing.rows.filter(has_text="Clerk")).to_have_count(3)

    listing.mark(f"Ben {family}")
    listing.command("Delete").click()
    dialog.get_by_role("button", name="Delete").click()
    expect(listing.rows).to_have_count(2)
    listing.undo()
    page.goto(f"/contacts/?q={family}")
    expect(listing.rows).to_have_count(3)


def test_a_list_with_the_keyboard(page, seed, unique):
    family = unique()
    for first in ("Ann", "Ben", "Cleo"):
        seed("contact", first_name=first, last_name=family, owner="alice")
    listing = Listing.open(page, "contacts", f"?q={family}")
    expect(listing.rows).to_have_count(3)
    page.keyboard.press("j")
    expect(listing.rows.nth(0)).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(listing.rows.nth(1).get_by_role("checkbox")).to_be_checked()
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    expect(listing.heading).to_have_text(f"Ann {family}")


def test_the_result_as_a_file(page, seed, unique):
    family = unique()
    seed("contact", first_name="Åke", last_name=family, owner="alice")
    listing = Listing.open(page, "contacts", f"?q={family}")
    with page.expect_download() as download:
        listing.command("Export").click()
        page.locator("#export-menu").get_by_role("link", name="CSV").first.click()
    text = download.value.path().read_text("utf-8-sig")
    assert [row["Full name"] for row in csv.DictReader(text.splitlines())] == [f"Åke {family}"]
