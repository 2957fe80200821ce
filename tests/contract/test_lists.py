"""Lists of every entity: views, statements, search, order and paging."""

import itertools
from dataclasses import replace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from rapport.actions import records
from rapport.meta.folding import SORT_LENGTH, sort_key
from rapport.meta.kinds import TEXTS, Kind
from rapport.meta.registry import registry
from rapport.queries import pages, query as queries, search
from rapport.queries.query import Order, Query
from tests import factories
from tests.contract.samples import MADE, SEARCHED, many

made = pytest.mark.parametrize("entity", MADE, ids=lambda entity: entity.name)


def everything(entity):
    return Query(entity=entity.name, columns=entity.columns)


def statements(call):
    """How many statements `call` makes."""
    with CaptureQueriesContext(
        connection,
    ) as caught:
        call()
    return len(caught)


# -- views ----------------------------------------------------------------------------------------

VIEWS = [(entity, view.key) for entity in registry for view in entity.views]


@pytest.mark.parametrize(
    ("entity", "key"), VIEWS, ids=[f"{entity.name}-{key}" for entity, key in VIEWS]
)
def test_every_view_can_be_shown_and_counted(entity, key, alice, admin):
    view = queries.of_view(entity, key)

    for user in (alice, admin):
        assert len(pages.page(view, user).rows) == min(view.size, pages.count(view, user))


@made
def test_every_field_can_be_a_column(entity, admin):
    record = factories.make(entity.name)
    columns = tuple(entity.fields)
    page = pages.page(Query(entity=entity.name, columns=columns, size=250), admin)

    (row,) = (row for row in page.rows if row.id == record.pk)
    assert set(row.values) == set(columns)


@made
@pytest.mark.parametrize("viewer", ["alice", "admin"])
def test_list_costs_the_same_with_one_row_and_with_three(entity, viewer, request, alice):
    user = request.getfixturevalue(viewer)
    values = {"owner": alice} if entity.ownership == "user" else {}
    if "regarding" in entity.fields:
        values["regarding"] = factories.make_account(owner=alice)
    pages.page(everything(entity), user)  # rights are read once, by the frame of the page
    costs = []
    for number in (1, 2):
        many(entity, number, **values)
        costs.append(statements(lambda: pages.page(everything(entity), user)))

    # One for the rows, one more for each entity that a pointer leads to.
    most = 2 if "regarding" in entity.columns else 1
    assert (costs[0], costs[1] if viewer == "admin" else most) == (costs[1], most)


# -- search ---------------------------------------------------------------------------------------

FIELDS = [(entity, name) for entity in SEARCHED for name in entity.search]
FIELD_IDS = [f"{entity.name}-{name}" for entity, name in FIELDS]


# Without these a record cannot be, or they would repeat what is searched for.
GIVEN = {"lead": {"topic": "A mill", "company": "Mill Ltd"}, "note": {"text": "Hello"}}


def given(entity, name):
    """Other values, so that `name` alone is found, and can be emptied."""
    if entity.name == "opportunity":
        return {"account": factories.make_account(), "contact": factories.make_contact()}
    return {k: v for k, v in GIVEN.get(entity.name, {}).items() if k != name}


def record_with(entity, name):
    """A record that can be found by `name` alone, words that find it, and a value that does not."""
    field = entity.fields[name]
    part = "last_name" if name == "full_name" else name
    blank = entity.fields[part].blank_value
    if entity.fields[part].required:
        blank = "plain@example.com" if field.kind is Kind.EMAIL else "Plain"
    match field.kind:
        case Kind.LOOKUP:
            title = registry[field.target].title_fields[-1]
            value, words = factories.make(field.target, **{title: "Čapek Öresund"}), "CAPEK oresund"
        case Kind.EMAIL:
            value, words = "zoe@bjork.example", "Bjork.EX"
        case Kind.PHONE:
            value, words = "+41 (44) 123-45 67", "(44) 123 45"
        case _:
            value, words = "Ångström Bücher"[: field.max_length], "angstr"
    record = factories.make(entity.name, **{**given(entity, name), part: value})
    return record, words, {part: blank}


@pytest.mark.parametrize(("entity", "name"), FIELDS, ids=FIELD_IDS)
def test_record_is_found_by_every_search_field_whatever_the_accents(entity, name, admin):
    factories.make(entity.name)
    record, words, _blank = record_with(entity, name)
    found = pages.page(Query(entity=entity.name, find=words), admin)

    assert [row.id for row in found.rows] == [record.pk]


@pytest.mark.parametrize(("entity", "name"), FIELDS, ids=FIELD_IDS)
def test_record_is_not_found_by_what_it_said_before(entity, name, admin):
    record, words, blank = record_with(entity, name)
    if entity.name == "lead":
        blank["topic"] = "A mill"
    records.update_record(entity, record.pk, blank, by=admin)

    assert pages.page(Query(entity=entity.name, find=words), admin).rows == []


@pytest.mark.parametrize("entity", SEARCHED, ids=lambda entity: entity.name)
def test_deleted_record_is_not_found(entity, admin):
    if not entity.deletable:
        return
    record, words, _blank = record_with(entity, entity.search[0])
    records.delete_records(entity, [record.pk], by=admin)

    assert pages.page(Query(entity=entity.name, find=words), admin).rows == []
    assert entity.name not in search.everywhere(words, admin)


# -- order and paging -----------------------------------------------------------------------------


def ranks(entity, name, rows):
    """{id: its rank} of stored rows."""
    field = entity.fields[name]
    if field.kind is not Kind.LOOKUP:
        return {row.pk: rank(entity, name, row) for row in rows}
    keys = {row.pk: getattr(row, field.column) for row in rows}
    named = dict(
        registry[field.target].model.objects.filter(pk__in=set(keys.values()) - {None})
        .values_list("pk", "sort_name")
    )  # fmt: skip
    return {pk: (key not in named, named.get(key, "")) for pk, key in keys.items()}


def rank(entity, name, row):
    """(is blank, key) of a stored row: what both databases must sort `name` by."""
    field = entity.fields[name]
    if field.kind is Kind.OWNER:
        return (False, _folded(getattr(row, name).name))
    if name == entity.title:
        return (False, sort_key(getattr(row, name)))
    value = getattr(row, field.columns[-1])
    if field.kind in TEXTS:
        value = _folded(value[:SORT_LENGTH] if field.kind is Kind.LONG_TEXT else value)
        return (value == "", value)
    return (value is None, value if value is not None else 0)


def _folded(text):
    """A to Z in small letters; what is not ASCII stays as it is."""
    return "".join(c.lower() if c.isascii() else c for c in text)


def expected_order(ranked, descending):
    """Ids in the order of their ranks, blank ones last in any case."""
    by_id = sorted(ranked, reverse=descending)
    filled = [pk for pk in by_id if not ranked[pk][0]]
    filled.sort(key=lambda pk: ranked[pk][1], reverse=descending)
    # A reversed sort keeps ties in their order, which is by key already.
    return [*filled, *(pk for pk in by_id if ranked[pk][0])]


def walk(query, user):
    """Ids of all pages, forwards, and the same backwards."""
    forward, cursor, last = [], "", None
    for _ in range(20):  # more would be walking in a circle
        last = pages.page(_at(query, after=cursor), user)
        forward += [row.id for row in last.rows]
        cursor = last.next
        if not cursor:
            break
    backward = [row.id for row in last.rows]
    while last.previous:
        last = pages.page(_at(query, before=last.previous), user)
        backward = [row.id for row in last.rows] + backward
    return forward, backward


def _at(query, after="", before=""):
    return replace(query, after=after, before=before)


@made
def test_pages_in_every_order_show_each_row_once(entity, admin):
    many(entity, 7)
    for field in entity.fields.values():
        if field.kind is Kind.LOOKUP and not field.read_only and not field.required:
            for title in ("beta", "Alpha"):
                part = registry[field.target].title_fields[-1]
                named = factories.make(field.target, **{part: title})
                factories.make(entity.name, **{field.name: named})
    rows = list(entity.records())
    size = max(2, len(rows) // 3)
    for name in (field.name for field in entity.fields.values() if field.columns):
        ranked = ranks(entity, name, rows)
        for descending in (False, True):
            query = Query(entity=entity.name, size=size, order=(Order(name, descending),))
            forward, backward = walk(query, admin)

            expected = expected_order(ranked, descending)
            assert (name, descending, forward) == (name, descending, expected)
            assert (name, descending, backward) == (name, descending, expected)


@made
def test_list_without_an_order_is_by_name(entity, admin):
    many(entity, 5)
    rows = list(entity.records())
    forward, backward = walk(Query(entity=entity.name, size=max(2, len(rows) // 6)), admin)

    assert forward == backward == expected_order(ranks(entity, entity.title, rows), False)


def test_two_sort_keys(admin):
    contact = registry["contact"]
    rows = [
        factories.make_contact(last_name=last, job_title=job)
        for last, job in itertools.product(("B", "A"), ("", "y", "x"))
    ]
    order = (Order("job_title", True), Order("last_name"))
    forward, backward = walk(Query(entity="contact", size=2, order=order), admin)

    titles = {row.pk: (row.job_title, row.last_name) for row in rows}
    assert [titles[pk] for pk in forward] == [
        ("y", "A"), ("y", "B"), ("x", "A"), ("x", "B"), ("", "A"), ("", "B"),
    ]  # fmt: skip
    assert (backward, len(contact.records())) == (forward, 6)
