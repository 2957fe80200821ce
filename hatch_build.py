"""Makes the static files that come from other packages: htmx, the Inter font, the icon sprite.

The build back end calls `CustomBuildHook`; `python hatch_build.py assets` does the same by hand.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import re
import shutil
import sys
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parent
ICONS = ROOT / "rapport/web/icons.txt"
VENDOR = ROOT / "rapport/web/static/vendor"
STAMP = VENDOR / "stamp.txt"

# Every letter that the interface or a name of the western half of Europe needs comes with the
# first file; the second is fetched by the browser only when a page shows one of its letters.
FONTS = {
    "inter-latin.woff2": (
        "U+0000-00FF U+0131 U+0152-0153 U+0160-0161 U+0178 U+017D-017E U+02C6 U+02DA U+02DC"
        " U+1E9E U+2000-206F U+20AC U+2116 U+2122 U+2190-2193 U+2212 U+2215 U+2260 U+2264-2265"
    ),
    "inter-ext.woff2": (
        "U+0100-0130 U+0132-0151 U+0154-015F U+0162-0177 U+0179-017C U+017F-02C5 U+02C7-02D9"
        " U+02DB U+02DD-03FF U+0400-052F U+1AB0-1AFF U+1C80-1C8F U+1D00-1E9D U+1E9F-1FFF"
        " U+2070-20AB U+20AD-20CF U+2DE0-2DFF U+A640-A69F U+A720-A7FF"
    ),
}
# Tabular figures for columns of numbers, and what makes accents and pairs of letters sit right.
FONT_FEATURES = ["calt", "ccmp", "kern", "liga", "locl", "mark", "mkmk", "tnum", "case", "zero"]

# Who made what we ship, and under which licence file inside their package.
LICENCES = {
    "htmx (0BSD), by way of django-htmx": "django-htmx",
    "Inter (SIL Open Font License)": "fontpkg-inter",
    "Lucide icons (ISC), by way of lucide": "lucide",
}

SVG = "http://www.w3.org/2000/svg"


class AssetError(Exception):
    """An asset cannot be made; the text says what to change."""


def pins() -> list[str]:
    """The exact packages that the assets are made of."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        return list(tomllib.load(file)["dependency-groups"]["assets"])


def icons() -> dict[str, str]:
    """Our name → Lucide's name; the two differ in lines such as `filter = funnel`."""
    lines = (line.strip() for line in ICONS.read_text(encoding="utf-8").splitlines())
    names = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {ours.strip(): (theirs or ours).strip() for ours, _, theirs in sorted(names)}


def fingerprint() -> str:
    """Changes when the outcome may change: this file, the wanted icons, the pinned packages."""
    parts = [Path(__file__).read_text(encoding="utf-8"), str(icons()), *pins()]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def is_fresh() -> bool:
    try:
        stamp = STAMP.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return False
    wanted = ("htmx.min.js", "icons.svg", "inter.css", "licences.txt", *FONTS)
    return stamp == fingerprint() and all((VENDOR / name).is_file() for name in wanted)


def make_assets() -> bool:
    """Make all files; False when they were fresh already."""
    if is_fresh():
        return False
    # First what can fail on a wrong name, then the seconds of work.
    sprite = icon_sprite(icons())
    VENDOR.mkdir(parents=True, exist_ok=True)
    STAMP.unlink(missing_ok=True)
    (VENDOR / "icons.svg").write_text(sprite, encoding="utf-8")
    (VENDOR / "inter.css").write_text(font_faces(), encoding="utf-8")
    (VENDOR / "licences.txt").write_text(licence_texts(), encoding="utf-8")
    source = package_folder("django_htmx") / "static/django_htmx/htmx-4.min.js"
    shutil.copyfile(source, VENDOR / "htmx.min.js")
    for name in FONTS:
        make_font(name)
    STAMP.write_text(fingerprint() + "\n", encoding="utf-8")
    return True


def package_folder(module: str) -> Path:
    # Looked up, not imported: django_htmx would want Django's settings.
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise AssetError(f"The package {module} is missing. Install: {' '.join(pins())}")
    return Path(spec.origin).parent


def icon_sprite(wanted: dict[str, str]) -> str:
    """One SVG with a <symbol> per icon, for <svg><use href="icons.svg#house"/></svg>."""
    symbols = []
    with zipfile.ZipFile(package_folder("lucide") / "lucide.zip") as archive:
        known = {name.removesuffix(".svg") for name in archive.namelist()}
        if unknown := sorted(set(wanted.values()) - known):
            raise AssetError(
                f"{ICONS.relative_to(ROOT)} names icons that Lucide does not have: "
                + ", ".join(f"{name}{suggestion(name, known)}" for name in unknown)
            )
        for ours, theirs in wanted.items():
            drawing = archive.read(f"{theirs}.svg").decode()
            body = re.sub(r"\s*\n\s*", "", re.sub(r"</?svg[^>]*>|<!--.*?-->", "", drawing)).strip()
            symbols.append(
                f'<symbol id="{ours}" viewBox="0 0 24 24" fill="none" stroke="currentColor"'
                f' stroke-width="2" stroke-linecap="round" stroke-linejoin="round">{body}</symbol>'
            )
    return f'<svg xmlns="{SVG}">\n' + "\n".join(symbols) + "\n</svg>\n"


def suggestion(name: str, known: set[str]) -> str:
    import difflib

    close = difflib.get_close_matches(name, known, n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def licence_texts() -> str:
    texts = []
    for title, package in LICENCES.items():
        files = metadata.files(package) or []
        names = [file for file in files if re.match(r"(LICEN[CS]E|COPYING|OFL)", file.name)]
        body = "\n".join(Path(str(file.locate())).read_text(encoding="utf-8") for file in names)
        if not body:
            raise AssetError(f"The package {package} brings no licence text.")
        texts.append(f"{title}\n{'=' * len(title)}\n\n{body.strip()}\n")
    return "\n\n".join(texts)


def font_faces() -> str:
    """The style sheet that says which letters are in which file."""
    return "\n".join(
        f'@font-face {{\n  font-family: "Inter";\n  font-weight: 100 900;\n  font-display: swap;\n'
        f'  src: url("{name}") format("woff2");\n  unicode-range: {", ".join(letters.split())};\n}}'
        for name, letters in FONTS.items()
    )


def make_font(name: str) -> None:
    from fontTools import subset
    from fontTools.varLib import instancer

    options = subset.Options(
        flavor="woff2", layout_features=FONT_FEATURES, notdef_outline=True, hinting=False
    )
    options.drop_tables += ["MVAR", "STAT"]
    source = package_folder("fontpkg_inter") / "files/Inter[opsz,wght].ttf"
    font = subset.load_font(str(source), options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=subset.parse_unicodes(FONTS[name].replace("U+", "")))
    subsetter.subset(font)
    # Text sizes only: the axis for large titles is a third of the file.
    font = instancer.instantiateVariableFont(font, {"opsz": 14})
    # The same bytes on every machine and day.
    font.recalcTimestamp = False
    subset.save_font(font, str(VENDOR / name), options)


def main(arguments: list[str]) -> int:
    if arguments != ["assets"]:
        print("usage: python hatch_build.py assets", file=sys.stderr)
        return 2
    try:
        made = make_assets()
    except AssetError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print("assets made" if made else "assets are fresh")
    return 0


# Set-up and tests run this file with a plain Python; only the build back end needs the class.
with contextlib.suppress(ImportError):
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface

    class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]
        """Fills the vendor folder before any wheel or sdist is packed."""

        def dependencies(self) -> list[str]:
            # A source distribution carries fresh files: installing it fetches no font tools.
            return [] if is_fresh() else pins()

        def initialize(self, version: str, build_data: dict[str, object]) -> None:
            make_assets()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
