"""Uploads in a folder of the test's own; no queue."""

import pytest


@pytest.fixture(autouse=True)
def own_uploads(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "uploads"
    settings.QUEUE = "none"
