"""Accessibility: axe must find nothing on a page, in light and in dark."""

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

# Without preload: axe would copy style sheets into the page, which our policy refuses.
EVERYTHING = {"resultTypes": ["violations"], "preload": False}
# Of a theme only the colours differ.
COLOURS = EVERYTHING | {"runOnly": ["color-contrast", "link-in-text-block"]}
THEMES = {"light": EVERYTHING, "dark": COLOURS}
# Colours on their way from one theme to the other are no fault.
SETTLED = """async () => {
  const frame = () => new Promise((go) => requestAnimationFrame(go));
  const ends = (one) => one.effect.getComputedTiming().endTime !== Infinity;
  do {
    const moving = document.getAnimations().filter(ends);
    await Promise.all(moving.map((one) => one.finished.catch(() => null)));
    await frame();
    await frame();
  } while (document.getAnimations().some(ends));
}"""


def violations(page: Page) -> list[str]:
    """What axe finds, in both themes, one line per rule and place."""
    found = []
    page.evaluate(AXE_SCRIPT)
    for theme, options in THEMES.items():
        page.emulate_media(color_scheme=theme)
        page.evaluate(SETTLED)
        for rule in page.evaluate("options => axe.run(options)", options)["violations"]:
            places = "; ".join(" ".join(map(str, node["target"])) for node in rule["nodes"][:4])
            found.append(f"{theme}: {rule['id']} ({rule['help']}) at {places}")
    page.emulate_media(color_scheme="light")
    return found
