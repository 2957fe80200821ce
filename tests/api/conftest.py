"""Uploads in a folder of the test's own; nobody has knocked yet; no queue."""

import pytest


@pytest.fixture(autouse=True)
def own_uploads(settings, tmp_path):
    # Here and below: when pytest loads this file, Django is not set up yet.
    from rapport import limits

    settings.MEDIA_ROOT = tmp_path / "uploads"
    settings.QUEUE = "none"
    settings.JOB_RETRY_SECONDS = 0
    limits.forget()
