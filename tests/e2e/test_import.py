"""The main job: somebody's customer list becomes accounts and contacts, and may go again."""

from playwright.sync_api import expect

from tests.e2e.axe import violations
from tests.e2e.pages.record import Record
from tests.e2e.pages.shell import Shell


def repair_first_cell(page, text):
    """With the keyboard: the first wrong cell gets `text`, the next one the focus."""
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.keyboard.type(text)
    page.keyboard.press("Enter")
    expect(page.get_by_label("E-Mail", exact=True)).to_be_focused()


def test_a_list_comes_in_and_goes_again(page, tmp_path, unique, seed):
    family = unique()
    company, known = f"{family} Müller GmbH", f"{family} Nord AG"
    seed("account", name=known, owner="alice")
    file = tmp_path / "Messe Köln.csv"
    # As a German Excel writes it: semicolons, Windows letters; a row without a name, one without
    # an address, one twice.
    rows = [
        "Vorname;Nachname;Firma;E-Mail;Telefon",
        f"Jürgen;{family}-Groß;{company};j@{family.lower()}.example;+49 221 123456",
        f"Zoë;{family};{known};z@{family.lower()}.example;",
        f"Ohne;;{company};niemand@{family.lower()}.example;",
        f"Juergen;{family}-Gross;{company};j@{family.lower()}.example;",
        f"Uta;{family};{company};keine Adresse;",
    ]
    file.write_bytes("\r\n".join(rows).encode("cp1252"))

    page.goto("/contacts/")
    shell = Shell(page)
    shell.command("Import from Excel").click()
    page.locator("#import-menu").get_by_text("CSV").click()
    page.locator("#import-file").set_input_files(file)
    page.get_by_role("button", name="Continue").click()
    # The columns are matched, the letters are read right.
    main = page.locator("main")
    expect(main).to_contain_text("Jürgen")
    expect(main.get_by_label("Field for Firma", exact=True)).to_have_value("account")
    assert violations(page) == []
    page.get_by_role("button", name="Check the file").last.click()

    go = page.get_by_role("button", name="Import 2")
    expect(go).to_be_visible()
    expect(main).to_contain_text("Not an e-mail address")
    assert violations(page) == []
    repair_first_cell(page, family)
    go = page.get_by_role("button", name="Import 3")
    expect(go).to_be_visible()
    assert violations(page) == []
    go.click()
    undo = page.get_by_role("link", name="Undo the import")
    expect(undo).to_be_visible()
    expect(main).to_contain_text("keine Adresse")
    assert violations(page) == []
    with page.expect_download() as download:
        page.get_by_role("link", name="Error rows as CSV").click()
    assert "keine Adresse" in download.value.path().read_text("utf-8-sig")
    result = page.url

    page.goto(f"/contacts/?q={family}")
    expect(page.locator("#grid tbody tr")).to_have_count(3)
    page.get_by_role("link", name=f"Jürgen {family}-Groß").click()
    record = Record(page)
    record.fact("Company name").get_by_role("link", name=company).click()
    expect(record.heading).to_have_text(company)
    expect(record.panel("Contacts")).to_contain_text(f"Jürgen {family}-Groß")

    page.goto(result)
    undo.click()
    expect(main).to_contain_text("go away")
    page.get_by_role("button", name="Undo", exact=True).click()
    expect(main).to_contain_text("This import has been undone")
    page.goto(f"/search/?q={family}")
    expect(main).to_contain_text(known)
    expect(main).not_to_contain_text(company)
    expect(main).not_to_contain_text("Jürgen")


def test_the_same_list_again_adds_nothing(page, tmp_path, unique):
    family = unique()
    file = tmp_path / "list.csv"
    file.write_text(
        f"First name,Last name,Company,Email\nAnn,{family},{family} Inc,a@{family}.example\n"
    )
    for expected in ("1 contact", None):
        page.goto("/imports/new/?entity=contact")
        page.locator("#import-file").set_input_files(file)
        page.get_by_role("button", name="Continue").click()
        page.get_by_role("button", name="Check the file").last.click()
        if expected:
            page.get_by_role("button", name=f"Import {expected}").click()
            expect(page.get_by_role("link", name="Undo the import")).to_be_visible()
    expect(page.get_by_role("link", name="Unchanged 1")).to_be_visible()
    expect(page.get_by_role("button", name="Import 1")).to_have_count(0)
    page.goto(f"/contacts/?q={family}")
    expect(page.locator("#grid tbody tr")).to_have_count(1)


def test_a_file_that_is_none(page, tmp_path, watch):
    watch.allow(422)
    file = tmp_path / "picture.xlsx"
    file.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20)
    page.goto("/imports/new/")
    page.route("**/imports/new/", lambda route: route.abort())
    page.locator("#import-file").set_input_files(file)
    # Once a file is chosen, Enter goes on.
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("The upload broke off")
    assert violations(page) == []
    page.unroute_all()
    # Of this journey alone a broken connection is the point.
    watch.problems.clear()
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("alert")).to_contain_text("holds no table")
    assert violations(page) == []


def test_system_jobs(page, tmp_path, unique):
    family = unique()
    file = tmp_path / f"{family}.csv"
    file.write_text(f"First name,Last name,Email\nAnn,{family},a@{family}.example\n")
    page.goto("/imports/new/?entity=contact")
    page.locator("#import-file").set_input_files(file)
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Check the file").last.click()
    page.get_by_role("button", name="Import 1").click()
    expect(page.get_by_role("link", name="Undo the import")).to_be_visible()
    page.goto("/jobs/")
    rows = page.locator("#jobs tbody tr", has_text=family)
    expect(rows).to_contain_text(["Done", "Done"])
    rows.first.get_by_role("link").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(family)
    assert violations(page) == []
