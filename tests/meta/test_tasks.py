"""The script that everybody trusts to say whether the code is fine."""

import subprocess
import sys
from pathlib import Path

import pytest

import tasks
from tasks import Outcome

RESULTS = """<testsuites><testsuite name="pytest" errors="1" failures="2" skipped="3" tests="10"/>
</testsuites>"""


def test_count_reads_what_pytest_wrote(tmp_path):
    file = tmp_path / "results.xml"
    file.write_text(RESULTS, encoding="utf-8")

    assert tasks.count(file) == {"passed": 4, "failed": 3, "skipped": 3}


def test_count_of_a_run_that_wrote_nothing(tmp_path):
    assert tasks.count(tmp_path / "none.xml") == {"passed": 0, "failed": 0, "skipped": 0}


@pytest.mark.parametrize(
    ("outcomes", "failed_checks", "in_ci", "last_line", "code"),
    [
        ([Outcome(suite="a", passed=2), Outcome(suite="b", passed=3, skipped=1)], [], False,
         "5 passed, 0 failed, 1 skipped", 0),
        ([Outcome(suite="a", passed=2, failed=1)], [], False, "2 passed, 1 failed, 0 skipped", 1),
        ([Outcome(suite="a", passed=2)], ["mypy"], False, "2 passed, 1 failed, 0 skipped", 1),
        ([Outcome(suite="a", missing="no server")], [], False, "0 passed, 0 failed, 0 skipped", 0),
        ([Outcome(suite="a", missing="no server")], [], True, "0 passed, 1 failed, 0 skipped", 1),
    ],
    ids=["green", "a test failed", "a check failed", "a suite is missing", "missing in CI"],
)  # fmt: skip
def test_last_line_sums_all_suites(
    outcomes, failed_checks, in_ci, last_line, code, capsys, monkeypatch
):
    monkeypatch.setattr(tasks, "IN_CI", in_ci)

    ended = tasks.conclude(outcomes, failed_checks)

    assert (capsys.readouterr().out.splitlines()[-1], ended) == (last_line, code)


def test_suite_that_did_not_run_is_named(capsys):
    tasks.conclude([Outcome(suite="browser", missing="no Chromium found")], [])

    assert "!!! SUITE NOT RUN: browser: no Chromium found" in capsys.readouterr().out.splitlines()


@pytest.mark.parametrize(
    ("typed", "rest"),
    [
        (["demo", "--port", "8001"], ["--port", "8001"]),
        (["demo", "--", "--port", "8001"], ["--port", "8001"]),
        (["bench", "import", "--only", "apply"], ["import", "--only", "apply"]),
    ],
)
def test_options_of_rapport_are_handed_on(typed, rest):
    assert tasks.parse(typed).rest == rest


def test_option_that_no_task_has_is_refused(capsys):
    with pytest.raises(SystemExit):
        tasks.parse(["lint", "--quick"])

    assert capsys.readouterr().err.splitlines()[-1] == (
        "tasks.py: error: unrecognized arguments: --quick"
    )


def test_unknown_suite_is_refused(capsys):
    with pytest.raises(SystemExit):
        tasks.parse(["test", "sqlight"])

    assert capsys.readouterr().err.splitlines()[-1] == "tasks.py: error: unknown suite: sqlight"


def test_needs_nothing_but_the_standard_library():
    code = "import runpy; runpy.run_path('tasks.py'); runpy.run_path('rapport/bench/cluster.py')"

    isolated = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], cwd=tasks.ROOT, check=False, capture_output=True
    )

    assert (isolated.returncode, isolated.stderr.decode()) == (0, "")


def test_processes_of_the_tests_keep_what_they_compiled(monkeypatch, tmp_path):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("DATABASE_URL", "sqlite:///of-a-person.db")

    environment = tasks.test_environment(str(tmp_path))

    assert environment.keys() & {"PYTHONDONTWRITEBYTECODE", "DATABASE_URL"} == set()


def test_all_journeys_lie_where_the_browser_suite_looks():
    tests = tasks.ROOT / "tests"
    elsewhere = [
        file
        for file in tests.rglob("*.py")
        if not file.is_relative_to(tasks.ROOT / tasks.JOURNEYS)
        and "mark.e2e" in file.read_text(encoding="utf-8")
        and file != Path(__file__)
    ]

    assert elsewhere == []
