"""Exports: what leaves the house, for whom, and that it comes back the same."""

import csv
import datetime as dt
import io
import json
import re
from collections import Counter

import openpyxl
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from rapport import access
from rapport.access import Forbidden
from rapport.exports.cells import SHAPES
from rapport.exports.formats import pieces, table_for
from rapport.exports.rows import table
from rapport.imports import flow
from rapport.meta.kinds import Kind
from rapport.meta.registry import registry
from rapport.models import Contact
from rapport.queries.query import Order, Query
from tests.factories import make, make_account, make_contact, make_user

pytestmark = pytest.mark.django_db


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


@pytest.mark.parametrize("format", ["pdf", "vcf"])
def test_unknown_format_is_not_there(client_of, alice, format):
    url = reverse("export", args=[registry["account"], format])

    assert client_of(alice).get(url).status_code == 404


def test_an_order_with_blanks_and_ties_loses_no_row_between_batches(alice):
    for number, city in enumerate(["b", "", "a", "b", "", "b", "a"]):
        make_account(owner=alice, name=f"Account {number}", address1_city=city)
    order = Order("address1_city", True)
    query = Query(entity="account", columns=("address1_city",), order=(order,))

    batches = list(table(query, alice, page=2).batches)

    assert [len(batch[0]) for batch in batches] == [2, 2, 2, 1]
    assert [city or "" for batch in batches for city in batch[-1]] == [*"bbbaa", "", ""]


def test_a_link_to_a_hidden_record_tells_nothing(alice, charlie):
    secret = make_account(owner=charlie, name="Secret", number="S-1")
    make_contact(owner=alice, last_name="Open", account=secret)

    (row,) = exported("contact", alice, columns=("account", "account.number"))

    assert [value for value in row.values() if "S" in value] == []


def test_moments_are_those_of_the_readers_clock_and_of_one_hour_only(alice):
    for hour in (0, 1):
        due = dt.datetime(2026, 10, 25, hour, 30, tzinfo=dt.UTC)
        make("task", owner=alice, subject=f"{hour}", due_at=due)

    with timezone.override("Europe/Berlin"):
        rows = exported("task", alice, columns=("due_at",))

    assert [row["Due"] for row in rows] == ["2026-10-25 02:30:00", "2026-10-25 02:30:00+01:00"]


def test_json_has_values_not_texts(alice):
    make_account(owner=alice, name="A", annual_revenue="12.50", employees=7, credit_hold=True)
    columns = ("annual_revenue", "employees", "credit_hold", "website")

    found = table(Query(entity="account", columns=columns), alice)
    line = json.loads(b"".join(pieces(found, "jsonl")))

    assert [line[key] for key in list(line)[2:]] == ["A", 12.5, 7, True, None]


def test_card_says_what_phones_know(alice):
    account = make_account(owner=alice, name="Müller; Söhne")
    make_contact(
        owner=alice, first_name="Eva", last_name="Öl", account=account, mobile_phone="+49 1",
        address1_line1="Weg 1", address1_line2="Hof", address1_city="Köln", description="x" * 80,
    )  # fmt: skip

    found = table_for("vcf", Query(entity="contact"), alice)
    text = b"".join(pieces(found, "vcf"))

    lines = text.replace(b"\r\n ", b"").decode().split("\r\n")
    assert max(map(len, text.split(b"\r\n"))) == 75
    shown = [line for line in lines if not line.startswith(("REV", "UID", "X-RECORD"))]
    assert shown == [
        "BEGIN:VCARD",
        "VERSION:3.0",
        "N:Öl;Eva;;;",
        "FN:Eva Öl",
        "ORG:Müller\\; Söhne;",
        "TEL;TYPE=CELL,VOICE;X-RAPPORT=mobile_phone:+49 1",
        "ADR;TYPE=WORK;X-RAPPORT=address1:;;Weg 1,Hof;Köln;;;",
        "NOTE;X-RAPPORT=description:" + "x" * 80,
        "END:VCARD",
        "",
    ]


def test_template_is_an_empty_workbook_that_comes_back_in(client_of, alice):
    answer = client_of(alice).get(reverse("template", args=[registry["contact"]]))
    book = openpyxl.load_workbook(io.BytesIO(b"".join(answer.streaming_content)))
    sheet = book.worksheets[0]
    headers = [cell.value for cell in sheet[1]]
    sheet.cell(2, headers.index("Last name") + 1, "From a template")
    sheet.cell(2, headers.index("Gender") + 1, "Female")
    filled = io.BytesIO()
    book.save(filled)

    upload = flow.receive([filled.getvalue()], name="contacts.xlsx", entity="auto", by=alice)
    flow.describe(upload, by=alice)
    flow.plan_now(upload, by=alice)
    flow.apply_now(upload, by=alice)

    contact = Contact.objects.get()
    assert (contact.last_name, contact.gender, contact.owner_id) == ("From a template", 2, alice.pk)
    assert [h for h in headers if h in {"Full name", "Status", "Created on", "Address"}] == []
    assert {rule.formula1[:9] for rule in sheet.data_validations.dataValidation} == {"_choices!"}


def test_every_way_out_is_offered(client_of, alice):
    page = client_of(alice).get(reverse("list", args=[registry["contact"]])).content.decode()

    offered = re.findall(r"/contacts/export\.(\w+)", page)
    assert Counter(offered) == {"xlsx": 3, "csv": 3, "xml": 3, "jsonl": 3, "vcf": 2}
