"""Exports: what leaves the house, for whom, and that it comes back the same."""

import csv
import io

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from rapport import access
from rapport.access import Forbidden
from rapport.exports.cells import SHAPES
from rapport.exports.formats import pieces
from rapport.exports.rows import table
from rapport.imports import flow
from rapport.meta.kinds import Kind
from rapport.meta.registry import registry
from rapport.queries.query import Query
from tests.factories import make, make_account, make_contact, make_user

pytestmark = pytest.mark.django_db
EXPORTABLE = ["account", "contact", "lead", "opportunity"]


def exported(entity_name, by, **options):
    """The CSV of all records that `by` may export, parsed."""
    entity = registry[entity_name]
    query = Query(entity=entity_name, columns=options.pop("columns", entity.columns))
    found = table(query, by, **options)
    text = b"".join(pieces(found, "csv")).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def test_every_kind_has_a_shape():
    assert set(SHAPES) == set(Kind)


def test_row_has_the_columns_of_the_list(alice):
    account = make_account(owner=alice, name="Müller GmbH")
    make_contact(owner=alice, first_name="Eva", last_name="Ölmann", account=account, email="e@x.de")

    (row,) = exported("contact", alice)

    shown = {k: v for k, v in row.items() if not k.startswith("(Do Not Modify)")}
    assert shown["Full name"] == "Eva Ölmann"
    assert shown["Company name"] == "Müller GmbH"
    assert shown["Email"] == "e@x.de"
    assert shown["Owner"] == str(alice)


@pytest.mark.parametrize("text", ["=1+1", "+SUM(A1)", "-2+3", "@cmd", "\tx", "plain"])
def test_formula_is_disarmed_in_csv(alice, text):
    make_account(owner=alice, name="A", description=text)

    (row,) = exported("account", alice, columns=("description",))

    armed = text[0] in "=+-@\t"
    assert row["Description"] == (f"'{text}" if armed else text)


def test_reader_of_the_unit_exports_own_records_only(alice, bob, charlie):
    make_account(owner=alice, name="Alices")
    make_account(owner=bob, name="Bobs")

    assert [row["Account name"] for row in exported("account", alice)] == ["Alices"]
    assert [row["Account name"] for row in exported("account", bob)] == ["Bobs"]
    assert exported("account", charlie) == []


def test_read_only_role_may_not_export():
    with pytest.raises(Forbidden):
        exported("account", make_user(roles=("read-only",)))


def test_statements_do_not_grow_with_rows(alice):
    def cost():
        access.forget(alice)
        with CaptureQueriesContext(connection) as captured:
            exported("contact", alice)
        return len(captured)

    account = make_account(owner=alice)
    make_contact(owner=alice, account=account)
    one = cost()
    for _ in range(2):
        make_contact(owner=alice, account=account)

    assert cost() == one


def test_pages_join_without_loss(alice):
    for number in range(7):
        make_account(owner=alice, name=f"Account {number}")

    rows = exported("account", alice, page=3)

    assert [row["Account name"] for row in rows] == [f"Account {n}" for n in range(7)]


@pytest.mark.parametrize("entity_name", EXPORTABLE)
@pytest.mark.parametrize("format", ["csv", "xlsx"])
def test_file_comes_back_and_changes_nothing(entity_name, format, admin):
    make(entity_name, owner=admin)
    found = table(Query(entity=entity_name), admin, all_fields=True)
    file = b"".join(pieces(found, format))

    upload = flow.receive([file], name=f"x.{format}", entity=entity_name, by=admin)
    flow.describe(upload, by=admin)
    flow.plan_now(upload, by=admin)

    upload.refresh_from_db()
    counts = {
        k: v for k, v in upload.counts.items() if k in {"create", "update", "refused", "same"}
    }
    assert counts == {"create": 0, "update": 0, "refused": 0, "same": 1}


def test_address_of_the_list_gives_the_file(client_of, alice):
    make_account(owner=alice, name="Alpha")
    make_account(owner=alice, name="Beta")
    url = reverse("export", args=[registry["account"], "csv"])

    answer = client_of(alice).get(f"{url}?view=all&q=alpha")

    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    assert [row["Account name"] for row in csv.DictReader(io.StringIO(text))] == ["Alpha"]
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"].startswith('attachment; filename="accounts-')


def test_strangers_ids_in_a_selection_are_left_out(client_of, alice, charlie):
    mine = make_account(owner=alice, name="Mine")
    other = make_account(owner=charlie, name="Charlies")
    url = reverse("export", args=[registry["account"], "csv"])

    answer = client_of(alice).post(f"{url}?view=all", {"ids": [str(mine.pk), str(other.pk)]})

    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    assert [row["Account name"] for row in csv.DictReader(io.StringIO(text))] == ["Mine"]


def test_unknown_format_is_not_there(client_of, alice):
    url = reverse("export", args=[registry["account"], "pdf"])

    assert client_of(alice).get(url).status_code == 404
