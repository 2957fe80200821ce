"""Every test of a page knocks at the door for the first time."""

import pytest


@pytest.fixture(autouse=True)
def no_limits():
    # When pytest loads this file, Django is not set up yet.
    from rapport import limits

    limits.forget()
