"""The documentation says what the code does, and its links lead somewhere."""

import re
from pathlib import Path

import pytest

import tasks

ROOT = tasks.ROOT
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def test_every_setting_is_documented_and_no_other():
    sources = sorted((ROOT / "rapport").rglob("*.py"))
    read = {
        name
        for source in sources
        for name in re.findall(r'"(RAPPORT_[A-Z_]+|DATABASE_URL)"', source.read_text("utf-8"))
    }
    page = (ROOT / "docs/reference/settings.md").read_text("utf-8")

    assert sorted(set(re.findall(r"(?m)^\| `(\w+)` \|", page))) == sorted(read)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#]+)", page.read_text("utf-8"))
    local = [link for link in links if not re.match(r"\w+:", link)]

    assert [link for link in local if not Path(page.parent / link).exists()] == []


def test_every_decision_is_listed():
    folder = ROOT / "docs/decisions"
    listed = re.findall(r"\]\((\d{4}-[\w-]+\.md)\)", (folder / "README.md").read_text("utf-8"))

    assert listed == sorted(path.name for path in folder.glob("[0-9]*.md"))


def test_every_module_of_imports_is_told_of_once():
    page = (ROOT / "docs/developers/imports.md").read_text("utf-8")
    told = [name for row in re.findall(r"(?m)^\| (`.*?) \|", page) for name in row.split(", ")]
    modules = {path.stem for path in (ROOT / "rapport/imports").glob("[a-z]*.py")}

    assert sorted(told) == sorted(f"`{name}`" for name in modules)


def test_files_that_pages_name_are_there():
    tops = [ROOT / top for top in ("", "rapport", "rapport/web/templates")]
    named = {
        name
        for page in PAGES
        for name in re.findall(
            r"`((?:[\w-]+/)+[\w-]+\.(?:py|html|css|js))`", page.read_text("utf-8")
        )
    }

    assert [name for name in sorted(named) if not any((top / name).exists() for top in tops)] == []
