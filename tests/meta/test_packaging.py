"""What is installed is what was written down, and nothing points at one machine or one place."""

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import hatch_build
import rapport

ROOT = Path(rapport.__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PINNED = [ROOT / "requirements/dev.txt", ROOT / "requirements/runtime.txt"]


def pins(file):
    """Package → version of a pinned file."""
    found = re.findall(
        r"^([a-z0-9.-]+)==([^ ;\\]+)", file.read_text(encoding="utf-8"), re.MULTILINE
    )
    return dict(found)


def test_version_is_the_first_release_of_the_changelog():
    pattern = PROJECT["tool"]["hatch"]["version"]["pattern"]
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

    assert rapport.__version__ == re.search(pattern, changelog, re.MULTILINE)["version"]


@pytest.mark.parametrize("file", PINNED, ids=lambda file: file.name)
def test_every_pin_has_hashes_of_a_wheel_and_more(file):
    text = re.sub(r"\\\n", "", file.read_text(encoding="utf-8"))
    lines = [line for line in text.splitlines() if "==" in line]

    assert [line.split()[0] for line in lines if "--hash=sha256:" not in line] == []
    assert len(lines) == len(pins(file))


@pytest.mark.parametrize("file", PINNED, ids=lambda file: file.name)
def test_pinned_requirements_hold_no_address(file):
    text = file.read_text(encoding="utf-8")

    assert re.findall(r"(?m)^\s*(?:-i|-f|--index|--extra|--find|--trusted).*|\w+://\S+", text) == []


def test_both_pinned_files_agree():
    dev, runtime = (pins(file) for file in PINNED)

    assert {name: dev.get(name) for name in runtime} == runtime


def test_every_dependency_is_pinned():
    names = {re.match(r"[\w.-]+", line)[0] for line in PROJECT["project"]["dependencies"]}

    assert names - set(pins(PINNED[1])) == set()


def test_assets_are_made_of_the_pinned_packages():
    dev = pins(PINNED[0])

    assert [f"{pin.split('==')[0]}=={dev[pin.split('==')[0]]}" for pin in hatch_build.pins()] == (
        hatch_build.pins()
    )


def test_sprite_has_exactly_the_icons_that_are_asked_for():
    sprite = hatch_build.icon_sprite({"house": "house", "filter": "funnel"})

    assert re.findall(r'<symbol id="([^"]+)"', sprite) == ["house", "filter"]


def test_sprite_refuses_an_unknown_icon():
    with pytest.raises(hatch_build.AssetError) as caught:
        hatch_build.icon_sprite({"hose": "hose"})

    assert str(caught.value) == (
        "rapport/web/icons.txt names icons that Lucide does not have: hose (did you mean house?)"
    )


def test_assets_are_fresh():
    # Set-up makes them; a stale sprite would show holes where icons were added.
    assert hatch_build.is_fresh(), "run: python3 tasks.py setup"


def test_wheel_holds_package_assets_and_command(tmp_path):
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation",
         "--disable-pip-version-check", "-w", tmp_path, ROOT],
        check=True, capture_output=True,
    )  # fmt: skip
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        commands = archive.read(f"rapport_crm-{rapport.__version__}.dist-info/entry_points.txt")

    vendor = {"htmx.min.js", "icons.svg", "inter.css", "inter-ext.woff2", "inter-latin.woff2"}
    assert {f"rapport/web/static/vendor/{name}" for name in vendor} - set(names) == set()
    assert commands.decode() == "[console_scripts]\nrapport = rapport.cli:main\n"
    assert [
        name for name in names if not re.match(r"rapport(/|_crm-[\d.]+\.dist-info/)", name)
    ] == []
