"""Journeys over one record: made, changed, told about, given away, deleted."""

from playwright.sync_api import expect

from tests.e2e.axe import violations
from tests.e2e.pages.record import Record, choose
from tests.e2e.pages.shell import Shell


def test_new_contact_of_an_account_comes_prefilled(page, seed, unique):
    company, name = f"{unique()} & Söhne", unique()
    account = seed("account", name=company, owner="alice")
    record = Record.open(page, "accounts", account)
    assert violations(page) == []
    record.panel("Contacts").locator(".panel-actions a").click()
    expect(record.dialog.get_by_role("combobox", name="Company name")).to_have_value(company)
    assert violations(page) == []
    record.dialog.get_by_label("First name").fill("Jürgen")
    record.dialog.get_by_label("Last name").fill(name)
    record.dialog.get_by_role("button", name="Save", exact=True).click()
    expect(record.toast).to_contain_text(f"Jürgen {name}")
    # Back where one was, with the new person in the list.
    expect(record.heading).to_have_text(company)
    record.panel("Contacts").get_by_text(f"Jürgen {name}").click()
    expect(record.heading).to_have_text(f"Jürgen {name}")
    expect(record.fact("Company name")).to_contain_text(company)
    record.fact("Company name").get_by_role("link", name=company).click()
    expect(record.heading).to_have_text(company)


def test_a_lookup_creates_what_is_missing(page, unique):
    company, name = f"{unique()} Oy", unique()
    page.goto("/")
    shell = Shell(page)
    dialog = shell.create("Contact")
    dialog.get_by_label("Last name").fill(name)
    choose(dialog, "Company name", company, f"Create “{company}”")
    expect(dialog.locator("input[name=account]")).not_to_have_value("")
    dialog.get_by_role("button", name="Save and open").click()
    expect(shell.heading).to_have_text(name)
    record = Record(page)
    record.fact("Company name").get_by_role("link", name=company).click()
    expect(record.heading).to_have_text(company)
    expect(record.panel("Contacts")).to_contain_text(name)


def test_two_people_change_the_same_value(page, open_as, seed, unique, watch):
    watch.allow(409)
    contact = seed("contact", last_name=unique(), job_title="Clerk", owner="alice")
    mine = Record.open(page, "contacts", contact)
    theirs = Record.open(open_as("ada"), "contacts", contact)

    my_input = mine.edit("Job title")
    my_input.fill("Head of Sales")
    their_input = theirs.edit("Job title")
    their_input.fill("Head of Purchase")
    their_input.press("Enter")
    expect(theirs.fact("Job title")).to_contain_text("Head of Purchase")
    expect(theirs.toast).to_contain_text("Job title was saved")

    my_input.press("Enter")
    question = mine.fact("Job title")
    expect(question.get_by_role("alert")).to_contain_text("Somebody else changed this meanwhile")
    expect(question).to_contain_text("Head of Sales")
    expect(question).to_contain_text("Head of Purchase")
    assert violations(page) == []
    question.get_by_role("button", name="Save mine").click()
    expect(mine.toast).to_contain_text("Job title was saved")
    expect(mine.fact("Job title")).to_contain_text("Head of Sales")

    # The history knows both, and Undo brings theirs back.
    mine.undo()
    expect(mine.fact("Job title")).to_contain_text("Head of Purchase")
    page.get_by_role("link", name="History").click()
    history = page.locator("main")
    expect(history).to_contain_text("Head of Sales")
    expect(history).to_contain_text("Ada Admin")
    assert violations(page) == []


def test_two_people_change_it_in_the_whole_form(page, open_as, seed, unique, watch):
    watch.allow(409)
    contact = seed("contact", last_name=unique(), job_title="Clerk", owner="alice")
    other = open_as("ada")
    for each in (page, other):
        each.goto(f"/contacts/{contact}/edit")
    other.get_by_label("Job title").fill("Head of Purchase")
    other.get_by_label("Mobile phone").fill("+49 170 1111111")
    other.get_by_role("button", name="Save", exact=True).click()
    expect(Record(other).fact("Job title")).to_contain_text("Head of Purchase")

    page.get_by_label("Job title").fill("Head of Sales")
    page.get_by_label("First name").fill("Maja")
    page.get_by_role("button", name="Save", exact=True).click()
    row = page.locator(".conflict tbody tr")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("Head of Sales")
    assert violations(page) == []
    row.get_by_label("Head of Purchase").check()
    page.get_by_role("button", name="Save", exact=True).click()
    record = Record(page)
    expect(record.fact("Job title")).to_contain_text("Head of Purchase")
    expect(record.fact("First name")).to_contain_text("Maja")
    expect(record.fact("Mobile phone")).to_contain_text("+49 170 1111111")


def test_timeline_of_notes_and_calls(page, seed, unique):
    contact = seed("contact", last_name=unique(), owner="alice")
    record = Record.open(page, "contacts", contact)
    note, call = f"Prefers mornings {unique()}", f"Offer {unique()}"
    record.timeline.get_by_label("Write a note").fill(note)
    record.timeline.get_by_role("button", name="Add").click()
    expect(record.entry(note)).to_be_visible()

    dialog = record.new_activity("Phone call")
    dialog.get_by_label("Subject").fill(call)
    dialog.get_by_role("button", name="Save", exact=True).click()
    expect(record.entry(call)).to_contain_text("Open")
    record.entry(call).get_by_role("button", name="Mark complete").click()
    expect(record.entry(call)).not_to_contain_text("Open")
    assert violations(page) == []

    # Only notes, then all again.
    record.timeline.get_by_role("button", name="Search and filter the timeline").click()
    record.timeline.get_by_label("Notes").check()
    record.timeline.get_by_role("button", name="Apply").click()
    expect(record.entry(call)).to_have_count(0)
    expect(record.entry(note)).to_be_visible()
    record.timeline.get_by_role("link", name="Show all").last.click()
    expect(record.entry(call)).to_be_visible()


def test_qualify_a_lead_and_take_it_back(page, seed, unique):
    company, name = f"{unique()} SpA", unique()
    lead = seed("lead", first_name="Gina", last_name=name, company=company, owner="alice",
                topic=f"Line {name}",
                email=f"{name}@example.com".lower(), estimated_value=12500)  # fmt: skip
    record = Record.open(page, "leads", lead)
    assert violations(page) == []
    record.command("Qualify").click()
    expect(record.dialog).to_contain_text(company)
    assert violations(page) == []
    record.dialog.get_by_role("button", name="Qualify").click()
    expect(record.toast).to_be_visible()
    expect(record.heading).to_have_text(f"Line {name}")
    for kind, title in (("accounts", company), ("contacts", f"Gina {name}")):
        page.locator("main").get_by_role("link", name=title).first.click()
        expect(record.heading).to_have_text(title)
        assert f"/{kind}/" in page.url
        page.go_back()
    page.goto(f"/leads/{lead}/")
    expect(page.locator("main")).to_contain_text("Qualified")

    page.get_by_role("link", name="History").click()
    page.locator("main").get_by_role("link", name="Undo…").first.click()
    assert violations(page) == []
    page.get_by_role("button", name="Undo").first.click()
    expect(page.locator("main")).to_contain_text("It has been undone")
    page.goto(f"/leads/{lead}/")
    expect(record.command("Qualify")).to_be_visible()
    page.goto(f"/search/?q={name}")
    expect(page.locator("main")).to_contain_text("Leads")
    expect(page.locator("main")).not_to_contain_text("Accounts")
    expect(page.locator("main")).not_to_contain_text("Opportunities")


def test_deleted_and_brought_back(page, seed, unique):
    name = unique()
    contact = seed("contact", first_name="Åsa", last_name=name, owner="alice")
    record = Record.open(page, "contacts", contact)
    record.command("Delete").click()
    assert violations(page) == []
    record.dialog.get_by_role("button", name="Delete").click()
    expect(record.toast).to_contain_text("deleted")
    expect(page.locator("main")).not_to_contain_text(name)
    page.goto("/recycle-bin/")
    assert violations(page) == []
    row = page.locator("tbody tr", has_text=name)
    row.get_by_role("button", name="Restore").click()
    expect(record.heading).to_have_text(f"Åsa {name}")
    page.goto("/recycle-bin/")
    expect(page.locator("tbody tr", has_text=name)).to_have_count(0)


def test_a_stranger_sees_nothing_until_it_is_shared(page, open_as, seed, unique, watch):
    watch.allow(404, 403)
    name = unique()
    contact = seed("contact", last_name=name, owner="alice")
    stranger = open_as("charlie")
    assert stranger.goto(f"/contacts/{contact}/").status == 404
    expect(stranger.get_by_role("heading", level=1)).to_have_text("There is nothing here")
    assert violations(stranger) == []
    stranger.goto(f"/search/?q={name}")
    expect(stranger.locator("main")).to_contain_text("Nothing found")

    record = Record.open(page, "contacts", contact)
    record.command("Share").click()
    dialog = record.dialog
    choose(dialog, "User or team", "Charlie", "Charlie Cook")
    dialog.get_by_role("button", name="Share").click()
    expect(record.toast).to_contain_text("Charlie Cook")

    assert stranger.goto(f"/contacts/{contact}/").status == 200
    # Shared to read: nothing that writes is offered, and its address is refused.
    bar = stranger.get_by_role("toolbar")
    expect(bar.get_by_text("Edit")).to_have_count(0)
    assert stranger.goto(f"/contacts/{contact}/edit").status == 403
    assert violations(stranger) == []

    page.goto(f"/contacts/{contact}/")
    record.command("Assign").click()
    choose(record.dialog, "Owner", "Charlie", "Charlie Cook")
    record.dialog.get_by_role("button", name="Assign", exact=True).click()
    expect(record.toast).to_be_visible()
    # It left Alice's unit, so she has lost sight of it.
    expect(record.heading).not_to_have_text(name)
    assert page.goto(f"/contacts/{contact}/").status == 404
    assert stranger.goto(f"/contacts/{contact}/edit").status == 200
