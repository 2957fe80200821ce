"""What goes out comes in again: the same records, value for value."""

import re
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings, strategies as st

from rapport.exports.formats import fitting, pieces, table_for
from rapport.imports.subject import importable
from rapport.meta.kinds import Kind, trimmed
from rapport.meta.registry import registry
from rapport.models import ImportFile
from rapport.queries.query import Query
from tests.contract.samples import varied
from tests.factories import make, make_account, make_contact
from tests.imports.bringing import bring, errors, fates, plan

pytestmark = pytest.mark.django_db

FILES = [(entity, form) for entity in importable() for form in fitting(entity)]
NAMES = [f"{entity.name}-{form}" for entity, form in FILES]


def records_of(entity, owner, *, within=True):
    """Three records that differ in every field, with links to others; `within`: also to those of
    the same entity."""
    acme, boss = make_account(name="Acme & Söhne", owner=owner), make_contact(owner=owner)
    links = {"account": acme, "contact": boss} | ({"manager": boss} if within else {})
    made = []
    for number in range(3):
        values = varied(entity, number) | {"owner": owner}
        if "currency" in entity.fields:
            values["currency"] = "USD"  # a blank cell gets the default
        # Told apart by something, so that the duplicate rules have nothing to say.
        for name in (*entity.title_fields[-1:], "email"):
            if name in entity.fields:
                values[name] = f"{number}-{name}@example.com"
        named = {n: v for n, v in links.items() if n in entity.fields and n != entity.name}
        made.append(make(entity.name, **(values | (named if number else {}))))
    return made


def file_of(entity, format, by):
    return b"".join(
        pieces(table_for(format, Query(entity=entity.name), by, all_fields=True), format)
    )


def stored(entity, names):
    """The importable values of every record, without keys."""
    rows = entity.records().order_by(entity.fields[entity.title_fields[-1]].column).values()
    return [{name: row[entity.fields[name].column] for name in names} for row in rows]


@pytest.mark.parametrize(("entity", "format"), FILES, ids=NAMES)
def test_unchanged_export_changes_nothing(entity, format, alice):
    made = records_of(entity, alice)

    upload = plan(file_of(entity, format, alice), entity.name, by=alice, name=f"x.{format}")

    assert errors(upload) == []
    assert {row: fate for row, fate in fates(upload).items() if fate != "same"} == {}
    assert upload.counts["same"] == entity.records().count() >= len(made)


@pytest.mark.parametrize("format", ["csv", "vcf"])
def test_second_address_alone_stays_the_second(format, alice):
    make("contact", owner=alice, last_name="Quill", email2="second@x.example")

    upload = plan(
        file_of(registry["contact"], format, alice), "contact", by=alice, name=f"x.{format}"
    )

    assert fates(upload) == {2 if format == "csv" else 1: "same"}


@pytest.mark.parametrize("format", ["csv", "xlsx", "xml", "jsonl"])
@pytest.mark.parametrize("name", ["account", "contact", "lead"])
def test_export_fills_an_empty_house_again(name, format, alice):
    from rapport.actions import records

    entity = registry[name]
    records_of(entity, alice, within=False)
    names = [
        field.name
        for field in entity.fields.values()
        if field.importable and field.columns and field.kind is not Kind.LOOKUP
    ]
    before = stored(entity, names)
    file = file_of(entity, format, alice)
    ids = list(entity.records().values_list("pk", flat=True))
    records.delete_records(entity, ids, by=alice, with_all=True)

    done = bring(file, "auto", by=alice, name=f"x.{format}")

    assert (done.errors, done.upload.entity) == ([], name)
    assert done.counts["created"] == len(before)
    after = stored(entity, names)
    assert [
        {name: (old[name], new[name]) for name in names if old[name] != new[name]}
        for old, new in zip(before, after, strict=True)
    ] == [{}] * len(before)
    assert ImportFile.objects.count() == 1


def test_a_name_that_several_have_stays_with_the_record_that_has_it(alice):
    first, second = (make_account(name="Acme", owner=alice) for _ in range(2))
    mine, theirs = (make_contact(account=one, owner=alice) for one in (first, second))
    entity = registry["contact"]

    upload = plan(file_of(entity, "csv", alice), "contact", by=alice)

    assert (errors(upload), set(fates(upload).values())) == ([], {"same"})
    # For a record that has none yet the name says too little.
    file = file_of(entity, "csv", alice).replace(str(mine.pk).encode(), b"")
    found = errors(plan(file, "contact", by=alice))
    assert [(row, reason[:34]) for row, _, reason in found] == [
        (2, "There are 2 records called “Acme”.")
    ]
    assert theirs.account_id == second.pk


@pytest.mark.parametrize("format", ["csv", "xlsx", "xml", "jsonl", "vcf"])
def test_phone_that_looks_like_several_comes_back_whole(format, alice):
    entity = registry["contact"]
    for phone in ("1 ::: 2", "tel:1", "'2"):
        make_contact(last_name="Bo", business_phone=phone, owner=alice)

    upload = plan(file_of(entity, format, alice), "contact", by=alice, name=f"x.{format}")

    assert upload.counts["same"] == 3


# What people and programs write: formulas, quotes, line ends, what XML has no place for, signs that
# a card or a table takes apart by, and anything else that a database can hold.
NASTY = st.sampled_from([
    "=1+1", "'=x", "''", "+49 30 1", "-- x", "a;b,c\\\\d\\n", "x\ny", "x\r\ny", "\x0b\x1f",
    "_x0041_", "]]>", '"', "null", "true", "007", "1e5", "2026-01-31", "é" * 45,
    "\u2028\ufeff\u00a0x", "1 ::: 2", "tel:1",
]) | st.text(
    st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=40
)  # fmt: skip
# Whatever writes stores one sign for them.
LINE_ENDS = re.compile("\r\n?")


def one_line(text):
    return trimmed(" ".join(text.split()))


@pytest.mark.parametrize("format", ["csv", "xlsx", "xml", "jsonl", "vcf"])
@given(texts=st.lists(NASTY, min_size=30, max_size=30))
@settings(
    max_examples=3,
    deadline=None,
    database=None,
    phases=[Phase.generate],  # to make an example smaller takes a minute here
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_text_comes_back_as_it_was(format, alice, texts):
    entity = registry["contact"]
    names = ("last_name", "first_name", "department", "business_phone2", "email2", "description")
    made = []
    for row in zip(*[iter(texts)] * len(names), strict=True):
        values = dict(zip(names, row, strict=True))
        values = {n: LINE_ENDS.sub("\n", v) for n, v in values.items()}
        values = {n: v if n == "description" else one_line(v) for n, v in values.items()}
        values["last_name"] = values["last_name"] or "x"
        values |= {
            "owner": alice,
            "email2": "",
            "description": values["description"].strip("\n") or "",
        }
        if not values["description"].isspace():
            made.append(make_contact(**values))

    upload = plan(file_of(entity, format, alice), "contact", by=alice, name=f"x.{format}")

    assert errors(upload) == []
    assert {row: fate for row, fate in fates(upload).items() if fate != "same"} == {}
    assert upload.counts["same"] == len(made)
    for contact in made:
        contact.delete()


CELLS = NASTY.map(one_line)
# Days and amounts at the ends of what files can hold, and what Excel is known for.
DAYS = (date(1, 1, 1), date(1899, 12, 31), date(1900, 2, 28), date(1900, 3, 1), date(9999, 12, 31))
AMOUNTS = ("0.00", "0.01", "1234567.89", "9999999999999.99")


def values_of(field):
    """Values that people can put into `field`; None for links, of which another test tells."""
    match field.kind:
        case Kind.TEXT | Kind.PHONE:
            return CELLS.map(lambda text: trimmed(text[: field.max_length]))
        case Kind.EMAIL:
            return st.sampled_from(["", "a@b.de", "Ä.b@müller.example", "x+y@z.co.uk", "o'n@x.de"])
        case Kind.URL:
            return st.sampled_from(["", "x.de", "https://x.de/?a=1&b=2#c", "http://a.b:80/;y,z"])
        case Kind.CHOICE:
            return st.sampled_from([None, *(option.value for option in field.options)])
        case Kind.NUMBER:
            return st.none() | st.integers(field.minimum, field.maximum)
        case Kind.MONEY:
            return st.none() | st.sampled_from([*map(Decimal, AMOUNTS)])
        case Kind.DATE:
            return st.none() | st.dates() | st.sampled_from(DAYS)
        case Kind.BOOLEAN:
            return st.booleans()
    return None


@st.composite
def records_with(draw, entity):
    """Values of a record in all fields that come back."""
    fields = [f for f in entity.editable if f.importable and not f.unique and f.columns]
    ways = {f.name: way for f in fields if (way := values_of(f)) is not None}
    found = {name: draw(way) for name, way in ways.items()}
    found |= {name: found.get(name) or "x" for name in entity.title_fields}
    if "currency" in found:
        found["currency"] = "USD"  # a blank cell gets the default
    return {name: value for name, value in found.items() if value not in {None, ""}}


@given(data=st.data())
@settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_any_value_comes_back_as_it_was(alice, data):
    entity, form = data.draw(st.sampled_from(FILES))
    zone = data.draw(st.sampled_from(["UTC", "America/New_York", "Pacific/Apia"]))
    with transaction.atomic(), timezone.override(ZoneInfo(zone)):
        for values in data.draw(st.lists(records_with(entity), min_size=1, max_size=3)):
            make(entity.name, owner=alice, **values)

        upload = plan(file_of(entity, form, alice), entity.name, by=alice, name=f"x.{form}")

        assert (errors(upload), fates(upload)) == ([], dict.fromkeys(fates(upload), "same"))
        assert upload.counts["same"] == upload.counts["rows"]
        transaction.set_rollback(True)
