"""The PostgreSQL server that tests and figures bring along."""

import os
import tempfile
from pathlib import Path

import psycopg
import pytest

from rapport.bench.cluster import ClusterUnavailable, find_binaries, throwaway_cluster

# About our own program, not about the database that the other tests use: once is enough.
pytestmark = [
    pytest.mark.sqlite,
    pytest.mark.skipif(find_binaries() is None, reason="PostgreSQL is not installed"),
]


def test_cluster_runs_with_our_settings_and_is_gone_afterwards():
    with throwaway_cluster({"work_mem": "7MB", "fsync": "on"}) as url:
        with psycopg.connect(url) as connection:
            found = connection.execute(
                "SELECT current_database(), current_setting('work_mem'), current_setting('fsync'),"
                " current_setting('synchronous_commit'), current_setting('data_directory')"
            ).fetchone()
        owner = Path(found[4]).stat().st_uid

    assert found[:4] == ("rapport", "7MB", "on", "off")
    assert (owner == 0, Path(found[4]).parent.exists()) == (False, False)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)


def test_cluster_is_removed_when_the_work_fails():
    with pytest.raises(ZeroDivisionError), throwaway_cluster() as url:
        1 / 0  # noqa: B018

    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)


def test_kept_cluster_is_found_again():
    # Another user must be able to enter it, which pytest's own folders do not allow.
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        folder = Path(place) / "cluster"
        with throwaway_cluster(folder=folder) as url, psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE kept (number int)")
        with throwaway_cluster(folder=folder) as url, psycopg.connect(url) as connection:
            rows = connection.execute("SELECT count(*) FROM kept").fetchall()

    assert rows == [(0,)]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root must hand the folder over")
def test_folder_that_the_server_cannot_reach_is_refused(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)

    with pytest.raises(ClusterUnavailable) as caught, throwaway_cluster(folder=closed / "cluster"):
        pass

    assert str(caught.value).endswith(f"cannot reach {closed / 'cluster'}")


def test_wrong_setting_is_named():
    with pytest.raises(ClusterUnavailable) as caught, throwaway_cluster({"no_such": "1"}):
        pass

    assert 'unrecognized configuration parameter "no_such"' in str(caught.value)
