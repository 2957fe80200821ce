"""What every test stands on: its own data folder, the chosen database, real files."""

import os
import tempfile
from collections import Counter
from pathlib import Path

import pytest

# Before Django reads its settings, in each process of the test run: never the data of the person
# who runs the tests. This is why pyproject.toml does not name the settings module.
HOME = tempfile.TemporaryDirectory(prefix="rapport-test-home-")
os.environ["RAPPORT_HOME"] = HOME.name
os.environ["DJANGO_SETTINGS_MODULE"] = "rapport.config.settings"

DATABASES = {"sqlite": "SQLite", "postgres": "PostgreSQL"}


def pytest_configure(config):
    from django.conf import settings

    # Pages refer to files as they lie in the checkout; nobody runs collectstatic before a test.
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }
    # Argon2 is slow on purpose; it stays second so that a test can still ask for it.
    quick = "django.contrib.auth.hashers.MD5PasswordHasher"
    settings.PASSWORD_HASHERS = [quick, *settings.PASSWORD_HASHERS]


def pytest_unconfigure(config):
    HOME.cleanup()


def pytest_collection_modifyitems(config, items):
    """A test marked for one database is skipped on the other."""
    from django.db import connection

    here = "postgres" if connection.vendor == "postgresql" else connection.vendor
    for item in items:
        for mark, name in DATABASES.items():
            if mark != here and item.get_closest_marker(mark):
                item.add_marker(pytest.mark.skip(reason=f"needs {name}"))


def pytest_terminal_summary(terminalreporter):
    """Each reason for skipping once, with how many tests it cost: nothing is hidden."""
    reasons = Counter(
        report.longrepr[2].removeprefix("Skipped: ")
        for report in terminalreporter.stats.get("skipped", [])
        if isinstance(report.longrepr, tuple)
    )
    for reason, count in reasons.most_common():
        terminalreporter.write_line(f"skipped {count}: {reason}", yellow=True)


@pytest.fixture(scope="session")
def real_files():
    """The folder of files that other people made; a test without it is skipped."""
    named = os.environ.get("RAPPORT_TEST_FILES")
    if not named:
        pytest.skip("RAPPORT_TEST_FILES names no folder of real files")
    folder = Path(named)
    if not folder.is_dir():
        pytest.fail(f"RAPPORT_TEST_FILES names {folder}, which is no folder")
    return folder
