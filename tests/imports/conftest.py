"""Uploads in a folder of the test's own; no queue, no worker unless a test is about one."""

import pytest


@pytest.fixture(autouse=True)
def own_uploads(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "uploads"
    settings.QUEUE = "none"


@pytest.fixture
def table():
    """`table("Header,…", "cells,…")`: a CSV file as bytes."""
    return lambda *lines: "\n".join(lines).encode()
