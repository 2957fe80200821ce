"""The page of a record."""

from playwright.sync_api import Locator, Page, expect

from tests.e2e.pages.shell import Shell


class Record(Shell):
    """Its facts, its panels, its timeline."""

    def __init__(self, page: Page):
        super().__init__(page)
        self.timeline = page.locator("#timeline")

    @classmethod
    def open(cls, page: Page, kind: str, key: str) -> "Record":
        """The page of the record `key`; kind: contacts, leads …"""
        page.goto(f"/{kind}/{key}/")
        return cls(page)

    def panel(self, title: str) -> Locator:
        """The card with that title."""
        heading = self.page.get_by_role("heading", name=title, exact=True, level=2)
        return self.page.locator("section.panel").filter(has=heading)

    def fact(self, label: str) -> Locator:
        """A value; the label stands beside it."""
        name = self.page.locator("dt", has_text=label)
        return self.page.locator(".fact").filter(has=name).first.locator("crm-field")

    def edit(self, label: str) -> Locator:
        """Begin to edit a value in place; its input."""
        fact = self.fact(label)
        fact.hover()
        fact.locator(".fact-edit").click()
        return fact.locator("input:not([type=hidden]), select, textarea").first

    def entry(self, title: str) -> Locator:
        """An entry of the timeline."""
        return self.timeline.locator(".timeline-entry", has_text=title)

    def new_activity(self, kind: str) -> Locator:
        """The dialog of a new phone call, task … about this record."""
        self.timeline.get_by_role("button", name="New activity").click()
        self.page.locator("#timeline-new").get_by_text(kind, exact=True).click()
        expect(self.dialog).to_be_visible()
        return self.dialog


def choose(where: Locator, label: str, text: str, option: str | None = None) -> None:
    """Type into a look-up and take the option that says `option` (default: what was typed)."""
    where.get_by_role("combobox", name=label).press_sequentially(text)
    where.locator(".listbox-option", has_text=option or text).first.click()
