"""The list of an entity."""

from playwright.sync_api import Locator, Page, expect

from tests.e2e.pages.shell import Shell


class Listing(Shell):
    """Its view, its rows, its filters."""

    def __init__(self, page: Page):
        super().__init__(page)
        self.rows = page.locator("#grid tbody tr")
        self.chips = page.locator(".chips .chip")
        self.count = page.locator(".pager")
        self.aside = page.locator("#aside")

    @classmethod
    def open(cls, page: Page, kind: str, query: str = "") -> "Listing":
        """The list of `kind` (contacts, leads …)."""
        page.goto(f"/{kind}/{query}")
        return cls(page)

    def view(self, name: str) -> None:
        """Switch to a view."""
        self.page.locator(".view-title button").click()
        self.page.locator("#views-menu").get_by_text(name, exact=True).click()
        expect(self.heading).to_contain_text(name)

    def find(self, text: str) -> None:
        """Type into the quick find."""
        self.page.locator("[data-quickfind]").fill(text)

    def column(self, label: str) -> Locator:
        """The header of a column."""
        return self.page.locator("#grid thead th", has_text=label)

    def titles(self) -> Locator:
        """The names in the first column."""
        return self.rows.locator(".grid-primary a")

    def mark(self, title: str) -> None:
        """Tick a row."""
        self.rows.filter(has_text=title).get_by_role("checkbox").check()
