"""What goes out comes in again: the same records, value for value."""

import pytest

from rapport.exports.formats import fitting, pieces, table_for
from rapport.imports import mapping
from rapport.meta.kinds import Kind
from rapport.models import ImportFile
from rapport.queries.query import Query
from tests.contract.samples import varied
from tests.factories import make, make_account, make_contact
from tests.imports.bringing import bring, errors, fates, plan

pytestmark = pytest.mark.django_db

FILES = [(entity, form) for entity in mapping.importable() for form in fitting(entity)]
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


@pytest.mark.parametrize("format", ["csv", "xlsx", "xml", "jsonl"])
@pytest.mark.parametrize("name", ["account", "contact", "lead"])
def test_export_fills_an_empty_house_again(name, format, alice):
    from rapport.actions import records
    from rapport.meta.registry import registry

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
