"""`rapport export`."""

import argparse

import pytest

from rapport.exports import command
from tests.factories import make_contact

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("count", "said"), [(1, "1 row in"), (2, "2 rows in")])
def test_how_many_rows_were_written_is_said(count, said, alice, capsys, tmp_path):
    for _ in range(count):
        make_contact(owner=alice)
    path = tmp_path / "people.csv"

    given = {"entity": "contact", "format": "csv", "view": None, "all_fields": False}
    code = command.run(argparse.Namespace(**given, output=path, by=alice))

    assert (code, capsys.readouterr().out) == (0, f"{said} {path}\n")
    assert len(path.read_text("utf-8-sig").splitlines()) == count + 1
