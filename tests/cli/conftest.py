"""An installation that no test changes, made once."""

import pytest


@pytest.fixture(scope="session")
def untouched(databases, tmp_path_factory):
    """For commands that refuse: a migrated installation without a single user."""
    from tests.installations import Installation

    return Installation(tmp_path_factory.mktemp("untouched"), databases.copy())
