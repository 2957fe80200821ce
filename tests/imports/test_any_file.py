"""Any bytes give a plan or a refusal with a reason, never a traceback."""

import itertools

import pytest
from hypothesis import HealthCheck, example, given, settings, strategies as st

from rapport.actions.lease import Refused
from rapport.files.read import FileRefused
from rapport.imports import flow
from rapport.imports.mapping import MappingRefused
from rapport.models import Contact
from tests.damage import DAMAGES, WHOLE, damaged
from tests.imports.bringing import plan

pytestmark = pytest.mark.django_db

HEADERS = (
    "First Name|Last Name|Email|Company|Birthday|Gender|Reports to|Owner|Phone|Website|x".split("|")
)
cells = st.text(max_size=30) | st.sampled_from(
    ["", "=1+1", "a@b.de", "31.02.2020", "12/31/99", "Male", "\0", "\ud800", "a" * 300, "«»", "1e9"]
)
tables = st.tuples(
    st.lists(st.sampled_from(HEADERS), min_size=1, max_size=6),
    st.lists(st.lists(cells, max_size=7), max_size=6),
)
number = itertools.count()
CONTACTS = (
    b"First Name,Last Name,Email,Birthday,Company\r\nAnn,Hill,a@x.de,1980-02-03,Acme\r\n" * 2,
    b"BEGIN:VCARD\nN:Hill;Ann\nEMAIL:a@x.de\nORG:Acme\nBDAY:1980-02-03\nEND:VCARD\n",
    b'{"Last Name": "Hill", "Email": "a@x.de"}\n' * 3,
    b"<a><c><last_name>Hill</last_name></c><c><last_name>Dale</last_name></c></a>",
)


def outcome(content, alice):
    """The counts of the plan, or the reason of the refusal."""
    try:
        upload = plan(content, by=alice, name=f"{next(number)}.csv")
    except (FileRefused, MappingRefused, Refused) as refused:
        if not str(refused):
            raise
        return None
    counts = upload.counts
    assert counts["rows"] == sum(
        counts[fate] for fate in ("create", "update", "same", "duplicate", "refused")
    )
    return upload


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.binary(max_size=400) | st.builds(damaged, st.sampled_from([*WHOLE, *CONTACTS]), DAMAGES))
@example(b"Last Name\n" + b"\xff\xfe\x00")
@example(b'Last Name\n"never closed')
@example(b"Last Name\r\rBo\r")
@example(b"?;?\n;;x\n;;y\n")
def test_any_bytes(alice, content):
    outcome(content, alice)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(tables)
def test_any_table_is_planned_and_applied_as_planned(alice, content):
    header, rows = content
    lines = [",".join(header)]
    lines += [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows]
    before = Contact.objects.count()

    upload = outcome("\n".join(lines).encode("utf-8", "surrogatepass"), alice)

    if upload is not None:
        flow.apply_now(upload, by=alice)
        upload.refresh_from_db()
        assert upload.counts["created"] == upload.counts.get("create", upload.counts["created"])
        assert Contact.objects.count() == before + upload.counts["created"]
        assert upload.counts["changed"] == 0
