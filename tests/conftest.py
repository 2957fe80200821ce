"""What every test stands on: its own data folder, the chosen database, real files."""

import atexit
import math
import os
import sys
import tempfile
from collections import Counter
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

# Before Django reads its settings, in each process of the test run: never the data of the person
# who runs the tests. This is why pyproject.toml does not name the settings module.
HOME = tempfile.TemporaryDirectory(prefix="rapport-test-home-")
# A process of a busy machine may end without pytest's last word.
atexit.register(HOME.cleanup)
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


def pytest_collection_modifyitems(config, items):
    """A test marked for one database is skipped on the other."""
    from django.db import connection

    if "not sqlite" in config.option.markexpr:
        _leave_to_the_first_pass(config, items)
    here = "postgres" if connection.vendor == "postgresql" else connection.vendor
    for item in items:
        for mark, name in DATABASES.items():
            if mark != here and item.get_closest_marker(mark):
                item.add_marker(pytest.mark.skip(reason=f"needs {name}"))


# How a test asks for a database. What asks for none says the same whatever it is: the pass on
# PostgreSQL leaves it out.
ASKING = {"db", "transactional_db", "databases"}


def _leave_to_the_first_pass(config, items):
    done = {
        item
        for item in items
        if item.get_closest_marker("once")
        or (
            not item.get_closest_marker("django_db")
            and not item.get_closest_marker("postgres")
            and not ASKING & set(item.fixturenames)
        )
    }
    if done:
        config.hook.pytest_deselected(items=list(done))
        items[:] = [item for item in items if item not in done]


def pytest_terminal_summary(terminalreporter):
    """Each reason for skipping once, with how many tests it cost: nothing is hidden."""
    reasons = Counter(
        report.longrepr[2].removeprefix("Skipped: ")
        for report in terminalreporter.stats.get("skipped", [])
        if isinstance(report.longrepr, tuple)
    )
    for reason, count in reasons.most_common():
        terminalreporter.write_line(f"skipped {count}: {reason}", yellow=True)


def pytest_generate_tests(metafunc):
    """`entity`: once for every declared entity, unless the test names its own."""
    named = [mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")]
    if "entity" in metafunc.fixturenames and not any("entity" in names for names in named):
        from rapport.meta.registry import registry

        metafunc.parametrize("entity", list(registry), ids=lambda entity: entity.name)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings, databases):
    """The database of the tests is a copy of the migrated one: to migrate takes seconds."""
    from django.db import connection

    if connection.vendor == "postgresql":
        migrated = urlsplit(databases.migrated).path[1:]
        connection.settings_dict["TEST"]["TEMPLATE"] = migrated
        yield
        return
    with closing(databases.copy_to(connection.creation._get_test_db_name())):
        yield


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """The built-in roles and the root unit once for all tests; again when a test that commits has
    emptied the tables behind it."""
    from django.apps import apps
    from django.db.models.signals import post_migrate

    from rapport.actions import search_index
    from rapport.actions.people import ensure_organisation
    from tests import people

    def ensure():
        ensure_organisation()
        people.learn()

    def ensure_again(**_kwargs):
        # Django empties the tables that it knows; those of search are not among them.
        search_index.clear()
        ensure()

    with django_db_blocker.unblock():
        ensure()
    rapport = apps.get_app_config("rapport")
    post_migrate.connect(ensure_again, sender=rapport, weak=False)
    yield
    post_migrate.disconnect(ensure_again, sender=rapport)


@pytest.fixture(autouse=True)
def patient_duties(monkeypatch):
    """What lets others work after two seconds ends its own first: the machine may be slow."""
    from rapport.jobs import clock, following

    monkeypatch.setattr(clock, "PATIENCE", 600.0)
    monkeypatch.setattr(following, "PATIENCE", 600.0)


@pytest.fixture(autouse=True)
def shipped_duplicate_rules():
    """The rules that ship, and no learned weights, as if read just now: a process looks for news by
    the clock, which must not fall into the middle of counting statements."""
    from rapport.duplicates import room, rules
    from rapport.meta import options

    rules.take((), until=math.inf)
    options.take({}, until=math.inf)
    room.take({}, until=math.inf)


def bring(name):
    # When pytest loads this file, Django is not set up yet.
    from tests import people

    return people.bring(name)


@pytest.fixture
def north(db):
    """The business unit of Alice and Bob."""
    return bring("north")


@pytest.fixture
def south(db):
    """Charlie's business unit, beside theirs."""
    return bring("south")


@pytest.fixture
def team(north):
    """The team of Alice and Bob."""
    return bring("team")


@pytest.fixture
def alice(north, team):
    """A salesperson, who owns what a test is about."""
    return bring("alice")


@pytest.fixture
def bob(north, team):
    """A salesperson of the same unit and team as Alice."""
    return bring("bob")


@pytest.fixture
def charlie(south):
    """A salesperson of another unit: a stranger to both."""
    return bring("charlie")


@pytest.fixture
def admin(db):
    """A System Administrator in the root unit."""
    return bring("admin")


@pytest.fixture
def client_of():
    """`client_of(user)`: a test client in which that user is signed in."""
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore
    from django.test import Client

    def signed_in(user):
        # What signing in leaves behind. `force_login` takes many statements to get there.
        session = SessionStore()
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session.save()
        client = Client()
        client.cookies[settings.SESSION_COOKIE_NAME] = session.session_key
        return client

    return signed_in


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


@pytest.fixture(scope="session")
def databases(tmp_path_factory, worker_id):
    """Databases of whole installations, on the server or in files like those of the test run."""
    from tests.installations import Databases

    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent
    found = Databases(tmp_path_factory.mktemp("databases"), shared)
    yield found
    found.close()


@pytest.fixture
def installation(databases, tmp_path):
    """A migrated installation of its own, with the real command and real processes."""
    from tests.installations import Installation

    found = Installation(tmp_path, databases.copy())
    yield found
    found.close()


@pytest.fixture
def new_installation(databases, tmp_path):
    """The same without a single table."""
    from tests.installations import Installation

    found = Installation(tmp_path, databases.empty())
    yield found
    found.close()


@pytest.fixture(autouse=True)
def nothing_in_hand():
    """A search for duplicates that a test leaves unfinished, as a worker begins it by itself, ends
    with the test."""
    yield
    radar = sys.modules.get("rapport.jobs.radar")
    for job in [*radar._hands] if radar else ():
        radar._let_go(job)


@pytest.fixture(autouse=True)
def counted_anew():
    """No test knows what another counted."""
    from rapport.queries import pages
    from rapport.web import shell

    pages.forget_counts()
    shell._WAITING.clear()
