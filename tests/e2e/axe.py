"""Accessibility: axe must find nothing on a page, in light and in dark."""

from playwright.sync_api import Page
from axe_playwright_python.sync_playwright import Axe

THEMES = ("light", "dark")
# Without preload: axe would copy style sheets into the page, which our policy refuses.
OPTIONS = {"resultTypes": ["violations"], "preload": False}


def violations(page: Page) -> list[str]:
    """What axe finds, in both themes, one line per rule and place."""
    found = []
    for theme in THEMES:
        page.emulate_media(color_scheme=theme)
        for rule in Axe().run(page, options=OPTIONS).response["violations"]:
            places = "; ".join(" ".join(map(str, node["target"])) for node in rule["nodes"][:4])
            found.append(f"{theme}: {rule['id']} ({rule['help']}) at {places}")
    page.emulate_media(color_scheme="light")
    return found
