"""What a developer does all day: python3 tasks.py setup | demo | test | bench | fmt | lint | lock.

Standard library only, because it runs before anything is installed.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

if sys.version_info < (3, 11):  # noqa: UP036 -- said in plain words before anything else fails
    sys.exit("Rapport needs Python 3.11 or newer, this is " + sys.version.split()[0])

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
SCRIPTS = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = SCRIPTS / "python"
IN_CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}

# A browser and a second database are for tests and figures, not for a first look.
PROGRAMS = {
    "setup": ("postgresql", "chromium"),
    "test": ("postgresql", "chromium"),
    "bench": ("postgresql",),
}
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
WORKERS = min(4, os.cpu_count() or 1)
# Where all journeys in a browser lie: nothing else need be looked through for them.
JOURNEYS = "tests/e2e"
# The rooms whose types are judged; the others are read for theirs.
TYPED_ROOMS = (
    "meta", "models", "migrations", "access.py", "processes.py", "queries", "duplicates", "actions",
    "entities", "files", "imports", "exports", "config", "api", "cli", "demo", "limits.py",
)  # fmt: skip

PINNED = """\
# Made by `python3 tasks.py lock` from pyproject.toml: exact versions with the hash of every
# published file, so that each platform finds its own. No addresses.
"""


class TaskError(Exception):
    """The task cannot go on; the text says what to do."""


def say(text: str) -> None:
    print(text, flush=True)


def step(text: str) -> None:
    say(f"\n==> {text}")


# --- set-up ----------------------------------------------------------------------------------


def setup(*, programs: tuple[str, ...] = ()) -> None:
    """Make .venv and everything else that is needed; quick when nothing changed."""
    make_venv()
    install_requirements()
    run(PYTHON, "hatch_build.py", "assets")
    install_project()
    install_programs(programs)


def make_venv() -> None:
    works = (
        PYTHON.exists()
        and not subprocess.run(
            [PYTHON, "-c", "import pip"], check=False, capture_output=True
        ).returncode
    )
    if works:
        return
    step(f"virtual environment in {VENV.name} (Python {sys.version.split()[0]})")
    # Debian ships Python without this module; `python3 -m venv` would stop half-way.
    if importlib.util.find_spec("ensurepip") is None:
        install_debian(["python3-venv"], why="Python's own package installer")
    if subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], check=False).returncode:
        raise TaskError("The virtual environment could not be made. On Debian or Ubuntu:\n"
                        f"    {apt_line(['python3-venv'])}")  # fmt: skip


def install_requirements() -> None:
    pinned = ROOT / "requirements/dev.txt"
    with unless_stamped("requirements", pinned) as stale:
        if stale:
            step("Python packages (pinned, with hashes)")
            pip("install", "--require-hashes", "-r", pinned)


def install_project() -> None:
    with unless_stamped("project", ROOT / "pyproject.toml", ROOT / "CHANGELOG.md") as stale:
        if stale:
            step("the rapport command")
            pip("install", "--no-deps", "--no-build-isolation", "-e", ".")


@contextlib.contextmanager
def unless_stamped(name, *files):
    """True when the files differ from those of the last time that the block went through."""
    digest = hashlib.sha256(sys.version.encode())
    for file in files:
        digest.update(file.read_bytes())
    stamp = VENV / f"rapport-{name}.stamp"
    stale = not stamp.exists() or stamp.read_text(encoding="ascii") != digest.hexdigest()
    yield stale
    if stale:
        stamp.write_text(digest.hexdigest(), encoding="ascii")


def pip(*arguments: str | Path) -> None:
    run(PYTHON, "-m", "pip", "--disable-pip-version-check", arguments[0], "-qq", *arguments[1:])


def install_programs(programs: tuple[str, ...]) -> None:
    there = {"postgresql": cluster().find_binaries(), "chromium": find_browser()}
    if wanted := [program for program in programs if there[program] is None]:
        install_debian(wanted, why="for the whole test run", required=False)


def install_debian(packages: list[str], *, why: str, required: bool = True) -> None:
    """With apt when we may; otherwise name the one line to type."""
    apt = shutil.which("apt-get")
    if apt and hasattr(os, "geteuid") and os.geteuid() == 0:
        step(f"Debian packages: {' '.join(packages)}")
        quietly = ["-qq", "-o", "DPkg::Lock::Timeout=120"]
        # One source that does not answer is no reason to stop: the install will tell.
        subprocess.run([apt, "update", *quietly], check=False)
        installed = subprocess.run(
            [apt, "install", *quietly, "-y", "--no-install-recommends", *packages],
            check=False, stdout=subprocess.DEVNULL,
            env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
        )  # fmt: skip
        if installed.returncode == 0:
            return
    message = f"Missing: {' and '.join(packages)} ({why}). Install with:\n    {apt_line(packages)}"
    if required:
        raise TaskError(message)
    say(message)


def apt_line(packages: list[str]) -> str:
    return f"sudo apt-get install -y {' '.join(packages)}"


def find_browser() -> str | None:
    named = os.environ.get("RAPPORT_TEST_BROWSER")
    return named or next(filter(None, map(shutil.which, BROWSERS)), None)


def cluster():
    """rapport/bench/cluster.py, loaded by its path: the package may not be installed yet."""
    if "rapport_cluster" not in sys.modules:
        path = ROOT / "rapport/bench/cluster.py"
        spec = importlib.util.spec_from_file_location("rapport_cluster", path)
        module = importlib.util.module_from_spec(spec)
        sys.modules["rapport_cluster"] = module
        spec.loader.exec_module(module)
    return sys.modules["rapport_cluster"]


# --- checks ----------------------------------------------------------------------------------


def checks() -> dict[str, list[str | Path]]:
    """Name → command of everything that reads the code without running tests."""
    rooms = [ROOT / "rapport" / room for room in TYPED_ROOMS]
    typed = [room for room in rooms if room.is_file() or any(room.glob("*.py"))]
    return {
        "mypy": [SCRIPTS / "mypy", *typed],
        "makemigrations --check": [
            PYTHON, "-m", "django", "makemigrations", "--check", "--dry-run",
            "--settings=rapport.config.settings",
        ],
        "import contract": [SCRIPTS / "lint-imports"],
        "ruff check": [SCRIPTS / "ruff", "check", "."],
        "ruff format": [SCRIPTS / "ruff", "format", "--check", "."],
    }  # fmt: skip


def run_checks() -> list[str]:
    """Run all checks side by side; the names of those that failed."""
    step("checks")
    with tempfile.TemporaryDirectory(prefix="rapport-checks-") as home:
        environment = test_environment(home)
        with ThreadPoolExecutor(max_workers=max(2, WORKERS)) as pool:
            outcomes = {
                name: pool.submit(run_check, command, environment)
                for name, command in checks().items()
            }
            return [
                name for name, outcome in outcomes.items() if not report(name, *outcome.result())
            ]


def run_check(command: list[str | Path], environment: dict[str, str]) -> tuple[bool, str, float]:
    started = time.monotonic()
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=environment, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
    except OSError as error:
        return False, str(error), 0.0
    return done.returncode == 0, done.stdout, time.monotonic() - started


def report(name: str, passed: bool, output: str, seconds: float) -> bool:
    say(f"{'ok    ' if passed else 'FAILED'} {name} ({seconds:.1f} s)")
    if not passed:
        say(output)
    return passed


# --- tests -----------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one suite counted, or why it could not run."""

    suite: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0
    missing: str = ""


def test(suites: list[str]) -> int:
    """Run the chosen suites and close with one line that sums them."""
    failed_checks = run_checks() if "checks" in suites else []
    outcomes = [RUNNERS[suite]() for suite in suites if suite != "checks"]
    return conclude(outcomes, failed_checks)


def test_sqlite() -> Outcome:
    return pytest("sqlite", "not e2e and not postgres")


def test_postgresql() -> Outcome:
    try:
        with cluster().throwaway_cluster() as url:
            return pytest("postgresql", "not e2e and not sqlite", DATABASE_URL=url)
    except cluster().ClusterUnavailable as error:
        return Outcome(suite="postgresql", missing=f"{error}; {apt_line(['postgresql'])}")


def test_browser() -> Outcome:
    browser = find_browser()
    if browser is None:
        missing = f"no Chromium found; {apt_line(['chromium'])}"
        return Outcome(suite="browser", missing=missing)
    return pytest("browser", "e2e", JOURNEYS, RAPPORT_TEST_BROWSER=browser)


RUNNERS = {
    "checks": run_checks,
    "sqlite": test_sqlite,
    "postgresql": test_postgresql,
    "browser": test_browser,
}


def pytest(suite: str, marks: str, *folders: str, **variables: str) -> Outcome:
    step(f"tests: {suite}")
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="rapport-tests-") as home:
        results = Path(home) / "results.xml"
        code = wait(
            [
                PYTHON, "-m", "pytest", "-q", "-m", marks, f"--junit-xml={results}",
                "-n", str(WORKERS), "--dist=worksteal", *folders,
            ],
            test_environment(home) | variables,
        )  # fmt: skip
        counts = count(results)
    # 5 says that no test was collected: a kind of test that nobody has written yet.
    if code not in {0, 5} and not counts["failed"]:
        counts["failed"] = 1
    return Outcome(suite=suite, seconds=time.monotonic() - started, **counts)


def test_environment(home: str) -> dict[str, str]:
    """A clean start: no database and no data folder of the person who runs this."""
    # Every process of the tests would compile all of Rapport anew.
    dropped = {"DATABASE_URL", "RAPPORT_HOME", "PYTHONDONTWRITEBYTECODE"}
    kept = {k: v for k, v in os.environ.items() if k not in dropped}
    return kept | {"RAPPORT_HOME": home, "DJANGO_SETTINGS_MODULE": "rapport.config.settings"}


def count(results: Path) -> dict[str, int]:
    """Passed, failed and skipped as pytest wrote them down."""
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    if not results.exists():
        return counts
    for suite in ET.parse(results).getroot().iter("testsuite"):  # noqa: S314 -- written by our own run
        total, skipped = int(suite.get("tests", 0)), int(suite.get("skipped", 0))
        failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        counts["failed"] += failed
        counts["skipped"] += skipped
        counts["passed"] += max(0, total - failed - skipped)
    return counts


def conclude(outcomes: list[Outcome], failed_checks: list[str]) -> int:
    """Say what ran and what did not; the last line is the sum of all suites."""
    step("summary")
    missing = [outcome for outcome in outcomes if outcome.missing]
    for outcome in outcomes:
        if not outcome.missing:
            say(f"{outcome.suite}: {outcome.passed} passed, {outcome.failed} failed, "
                f"{outcome.skipped} skipped in {outcome.seconds:.0f} s")  # fmt: skip
    for name in failed_checks:
        say(f"FAILED CHECK: {name}")
    for outcome in missing:
        say(f"!!! SUITE NOT RUN: {outcome.suite}: {outcome.missing}")
    # A check that failed counts as failed, so that the last line never looks green.
    failed = sum(outcome.failed for outcome in outcomes) + len(failed_checks)
    if IN_CI:
        failed += len(missing)
    passed = sum(outcome.passed for outcome in outcomes)
    skipped = sum(outcome.skipped for outcome in outcomes)
    say(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


# --- running programs ------------------------------------------------------------------------


def run(*command: str | Path) -> None:
    if code := wait(list(command), dict(os.environ)):
        raise TaskError(f"{' '.join(map(str, command))} ended with {code}")


def wait(command: list[str | Path], environment: dict[str, str]) -> int:
    """Run to the end; on Ctrl-C give the program time to tidy up first."""
    process = subprocess.Popen(command, cwd=ROOT, env=environment)
    try:
        return process.wait()
    except BaseException:
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
        process.kill()
        raise


def lock() -> None:
    """Write requirements/*.txt anew from pyproject.toml (needs the package index)."""
    with tempfile.TemporaryDirectory(prefix="rapport-lock-") as folder:
        run(sys.executable, "-m", "venv", folder)
        tools = Path(folder) / SCRIPTS.name
        run(tools / "python", "-m", "pip", "install", "-q", "uv")
        for name, choice in {
            "dev": ["--group", "dev"],
            "runtime": ["-c", "requirements/dev.txt"],
        }.items():
            target = Path("requirements") / f"{name}.txt"
            # Our own packages only: no file of this machine may slip in.
            run(
                tools / "uv", "pip", "compile", "pyproject.toml", *choice, "--universal",
                "--python-version=3.11", "--generate-hashes", "--no-config", "--no-header",
                "--no-emit-index-url", "--no-emit-find-links", "--upgrade", "--quiet",
                f"--output-file={target}",
            )  # fmt: skip
            pinned = ROOT / target
            pinned.write_text(PINNED + pinned.read_text(encoding="utf-8"), encoding="utf-8")


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tasks.py", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("setup", help="prepare .venv and everything else")
    # What stands behind these two goes on as it is; argparse would stumble over a first --option.
    demo = commands.add_parser(
        "demo", help="set-up, load demo data, serve the hub; takes the options of rapport serve"
    )
    demo.set_defaults(takes_rest=True)
    tests = commands.add_parser("test", help="set-up, then all checks and tests")
    tests.add_argument("suites", nargs="*", help=f"some of: {', '.join(RUNNERS)} (default: all)")
    bench = commands.add_parser("bench", help="set-up, then the figures; takes NAME and options")
    bench.set_defaults(takes_rest=True)
    commands.add_parser("fmt", help="format the code and mend what can be mended")
    commands.add_parser("lint", help="all checks, without tests")
    commands.add_parser("lock", help="write requirements/*.txt anew from pyproject.toml")
    options, rest = parser.parse_known_args(arguments)
    if rest and not getattr(options, "takes_rest", False):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    options.rest = [word for word in rest if word != "--"]
    if unknown := set(getattr(options, "suites", [])) - set(RUNNERS):
        parser.error(f"unknown suite: {', '.join(sorted(unknown))}")
    return options


def perform(options: argparse.Namespace) -> int:
    if options.command == "lock":
        lock()
        return 0
    setup(programs=PROGRAMS.get(options.command, ()))
    if options.command == "demo":
        # Whoever takes a newer version has a database already.
        run(SCRIPTS / "rapport", "migrate")
        run(SCRIPTS / "rapport", "demo")
        run(SCRIPTS / "rapport", "serve", *options.rest)
    elif options.command == "test":
        return test(options.suites or list(RUNNERS))
    elif options.command == "bench":
        run(SCRIPTS / "rapport", "bench", *options.rest)
    elif options.command == "fmt":
        run(SCRIPTS / "ruff", "format", ".")
        run(SCRIPTS / "ruff", "check", "--fix", ".")
    elif options.command == "lint":
        return 1 if run_checks() else 0
    return 0


def main(arguments: list[str]) -> int:
    # A polite kill tidies up like Ctrl-C, which a shell switches off for what runs behind it.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)
    try:
        return perform(parse(arguments))
    except TaskError as error:
        print(f"\nerror: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
