"""What stands around every page."""

import re

from playwright.sync_api import Locator, Page, expect


class Shell:
    """The top bar, the site map, the dialog and the toasts."""

    def __init__(self, page: Page):
        self.page = page
        self.search = page.locator("#search")
        self.results = page.locator("#search-results")
        self.dialog = page.locator("#dialog")
        self.toast = page.locator(".toast")
        self.heading = page.get_by_role("heading", level=1)

    def user_menu(self, item: str) -> Locator:
        """An item of the opened user menu."""
        self.page.locator(".topbar-user").click()
        return self.page.locator("#user-menu .menu-item", has_text=item)

    def create(self, what: str) -> Locator:
        """The dialog of the create menu for `what`."""
        self.page.get_by_role("button", name="Create", exact=True).click()
        self.page.locator("#create-menu").get_by_text(what, exact=True).click()
        expect(self.dialog).to_be_visible()
        return self.dialog

    def command(self, name: str) -> Locator:
        """A command of the bar, wherever it fits: in the bar or behind its three dots."""
        bar = self.page.locator("crm-overflow.commandbar")
        exact = re.compile(rf"^\s*{re.escape(name)}\s*$")
        shown = bar.locator("a, button").filter(has_text=exact).first
        if not shown.is_visible():
            bar.locator(".commandbar-more").click()
        return shown

    def undo(self) -> None:
        """Press Undo in the newest toast."""
        self.toast.last.get_by_role("button", name="Undo").click()

    def confirm(self) -> None:
        """Say yes to the question that came up."""
        self.page.locator("#confirm button[value=yes]").click()
