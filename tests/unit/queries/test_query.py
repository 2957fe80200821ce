"""The query tree: what it accepts, its JSON, and that the database answers whatever it accepts."""

import base64
import contextlib
import datetime
import json
import uuid
from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings, strategies as st

from rapport.access import SystemActor
from rapport.meta.kinds import TEXTS, Kind, Reading, Ref
from rapport.meta.registry import registry
from rapport.queries import pages, query as queries
from rapport.queries.query import (
    KIND_OPERATORS,
    MAX_CONDITIONS,
    MAX_DEPTH,
    OPERATORS,
    Condition,
    Exists,
    Group,
    InvalidQuery,
    Order,
    Query,
    also,
    dumps,
    field_of,
    loads,
    of_view,
    parse_value,
)

CONTACT, ACCOUNT = registry["contact"], registry["account"]
SYSTEM = SystemActor("test")


def where(*conditions, entity="contact", any=False):
    return Query(entity=entity, where=Group(tuple(conditions), any))


# -- random queries -------------------------------------------------------------------------------

_days = st.dates(datetime.date(1000, 1, 1), datetime.date(9000, 12, 31))
_words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8)
_find = st.text(max_size=8)
_BY_KIND = {
    **dict.fromkeys(TEXTS, _words),
    Kind.NUMBER: st.integers(-(10**12), 10**12),
    Kind.MONEY: st.decimals(0, 10**9, places=2),
    Kind.DATE: _days,
    Kind.DATETIME: st.datetimes(
        datetime.datetime(1000, 1, 1), datetime.datetime(9000, 1, 1),  # noqa: DTZ001
        timezones=st.just(datetime.UTC),
    ),
    Kind.BOOLEAN: st.booleans(),
    Kind.LOOKUP: st.uuids(),
    Kind.OWNER: st.uuids(),
    Kind.ADDRESS: _words,
}  # fmt: skip
_BY_DAY = {"on", "on_or_after", "on_or_before", "between"}


def _paths(entity):
    """Every field, and every field behind a look-up."""
    return [
        *entity.fields,
        *(
            f"{field.name}.{inner}"
            for field in entity.fields.values()
            if field.kind is Kind.LOOKUP and not field.name.endswith("_by")
            for inner in registry[field.target].fields
        ),
    ]


def _one(found, operator):
    if found.kind in {Kind.CHOICE, Kind.STATE}:
        return st.sampled_from([option.value for option in found.options])
    if found.kind is Kind.POINTER:
        targets = found.targets or tuple(e.name for e in registry)
        return st.builds(Ref, st.sampled_from(targets), st.uuids())
    if found.kind is Kind.DATETIME and operator in _BY_DAY:
        return _days
    if found.is_link and operator == "contains":
        return _words
    return _BY_KIND[found.kind]


def _condition(entity, path):
    found = field_of(entity, path)

    def of(operator):
        takes = OPERATORS[operator][1]
        value = st.none()
        if takes in {"number", "times"}:
            value = st.integers(0, 36_525)
        elif takes == "one":
            value = _one(found, operator)
        elif takes:
            size = {"min_size": 2, "max_size": 2} if takes == "two" else {"max_size": 3}
            value = st.lists(_one(found, operator), **size)
        return st.builds(Condition, st.just(path), st.just(operator), value)

    return st.sampled_from(KIND_OPERATORS[found.kind]).flatmap(of)


def _groups(entity):
    condition = st.sampled_from(_paths(entity)).flatmap(lambda path: _condition(entity, path))
    parts = st.recursive(
        condition,
        lambda inner: st.builds(Group, st.lists(inner, max_size=3).map(tuple), st.booleans()),
        max_leaves=5,
    )
    return st.builds(Group, st.lists(parts, max_size=3).map(tuple), st.booleans())


def _exists(entity):
    pointing = [
        (p.entity, p.field.name)
        for p in registry.pointing_at(entity)
        if not p.field.name.endswith("_by")
    ]
    if not pointing:
        return st.just(())
    one = st.sampled_from(pointing).flatmap(
        lambda pair: st.builds(
            Exists, st.just(pair[0].name), st.just(pair[1]), _groups(pair[0]), st.booleans()
        )
    )
    return st.lists(one, max_size=2).map(tuple)


def _queries(entity):
    stored = [name for name in _paths(entity) if field_of(entity, name).columns]
    return st.builds(
        Query,
        entity=st.just(entity.name),
        columns=st.lists(st.sampled_from(_paths(entity)), max_size=4).map(tuple),
        where=_groups(entity),
        exists=_exists(entity),
        order=st.lists(st.builds(Order, st.sampled_from(stored), st.booleans()), max_size=2).map(
            tuple
        ),
        find=_find,
    )


ANY_QUERY = st.sampled_from(list(registry)).flatmap(_queries)
PATIENT = settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


NO_WORDS = Condition("parent_account.address1", "contains", "")


@PATIENT
@given(query=ANY_QUERY)
@example(query=Query(entity="account", where=Group((NO_WORDS,))))
def test_json_keeps_the_query(query):
    assert loads(dumps(query)) == query


@PATIENT
@given(query=ANY_QUERY)
def test_database_answers_every_query(query, alice):
    with transaction.atomic():
        hers, all_of_it = len(pages.page(query, alice).rows), pages.count(query, SYSTEM)

    # "Has no …" is about what she may see: she finds those too of which she sees none.
    if not any(exists.negated for exists in query.exists):
        assert hers <= all_of_it


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_words, inner, max_size=3),
    max_leaves=5,
)


@PATIENT
@given(
    path=st.sampled_from(_paths(CONTACT)), operator=st.sampled_from(list(OPERATORS)), value=_json
)
def test_condition_with_any_value_is_answered_or_refused(path, operator, value, db):
    try:
        query = loads({"entity": "contact", "where": {"of": [[path, operator, value]]}})
    except InvalidQuery:
        return
    with transaction.atomic():
        assert pages.page(query, SYSTEM).rows == []


@PATIENT
@given(
    st.dictionaries(
        st.sampled_from(["entity", "columns", "where", "exists", "order", "find"]), _json
    )
)
def test_any_document_is_a_query_or_refused(document):
    with contextlib.suppress(InvalidQuery):
        loads({"entity": "contact"} | document)


@PATIENT
@given(cursor=st.text(), path=st.sampled_from(_paths(CONTACT)))
def test_any_cursor_is_a_place_or_refused(cursor, path, db):
    if not field_of(CONTACT, path).columns:
        return
    try:
        found = pages.page(Query(entity="contact", order=(Order(path),), after=cursor), SYSTEM)
    except InvalidQuery:
        return
    assert found.rows == []


@PATIENT
@given(value=_json, path=st.sampled_from(_paths(CONTACT)))
def test_any_value_in_a_cursor_is_a_place_or_refused(value, path, db):
    if not field_of(CONTACT, path).columns:
        return
    document = json.dumps([value, uuid.uuid4().hex]).encode()
    cursor = base64.urlsafe_b64encode(document).decode()
    try:
        with transaction.atomic():
            found = pages.page(Query(entity="contact", order=(Order(path),), after=cursor), SYSTEM)
    except InvalidQuery:
        return
    assert found.rows == []


def test_groups_without_end_are_refused():
    document = {"of": []}
    for _ in range(5000):
        document = {"of": [document]}

    with pytest.raises(InvalidQuery):
        loads({"entity": "contact", "where": document})


# -- what is refused ------------------------------------------------------------------------------


def nested(depth):
    group = Group((Condition("email", "filled"),))
    for _ in range(depth):
        group = Group((group,))
    return group


@pytest.mark.parametrize(
    "query",
    [
        Query(entity="invoice"),
        Query(entity="contact", columns=("shoe_size",)),
        Query(entity="contact", columns=("account.shoe_size",)),
        Query(entity="contact", columns=("account.parent_account.name",)),
        Query(entity="contact", columns=("email.name",)),
        Query(entity="contact", columns=("owner.name",)),
        Query(entity="contact", columns=("password",)),
        Query(entity="user", columns=("password",)),
        Query(entity="contact", columns=("created_by.password",)),
        Query(entity="contact", order=(Order("address1"),)),
        Query(entity="contact", order=(Order("search_text"),)),
        where(Condition("password", "eq", "x"), entity="user"),
        where(Condition("created_by.password", "begins", "a")),
        where(Condition("email", "lt", "a")),
        where(Condition("email", "between", ["a", "b"])),
        where(Condition("email", "like", "a")),
        where(Condition("email", "contains", None)),
        where(Condition("email", "in", "abc")),
        where(Condition("children_count", "between", [1])),
        where(Condition("children_count", "gt", "many")),
        where(Condition("birthday", "last_days", -1)),
        where(Condition("birthday", "last_days", 10**6)),
        where(Condition("birthday", "on", datetime.date.max)),
        where(Condition("account", "eq", "Acme")),
        Query(entity="contact", where=nested(MAX_DEPTH + 1)),
        where(*[Condition("email", "filled")] * (MAX_CONDITIONS + 1)),
        Query(entity="account", exists=(Exists("invoice", "account"),)),
        Query(entity="account", exists=(Exists("contact", "shoe_size"),)),
        Query(entity="account", exists=(Exists("contact", "email"),)),
        Query(entity="account", exists=(Exists("contact", "manager"),)),
        Query(entity="account", exists=(Exists("contact", "address1"),)),
        Query(entity="account", exists=(Exists("contact", "account.parent_account"),)),
        Query(entity="account", exists=(Exists("contact", "account"),) * (MAX_CONDITIONS + 1)),
        Query(
            entity="account",
            exists=(Exists("contact", "account", Group((Condition("name", "filled"),))),),
        ),
    ],
    ids=str,
)
def test_query_that_asks_for_what_is_not_there_is_refused(query, db):
    with pytest.raises(InvalidQuery):
        pages.page(query, SYSTEM)


def test_deepest_query_is_answered(db):
    assert pages.page(Query(entity="contact", where=nested(MAX_DEPTH)), SYSTEM).rows == []


# -- values out of text ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "operator", "text", "value"),
    [
        ("email", "contains", " a|b ", "a|b"),
        ("email", "in", "a|b", ["a", "b"]),
        ("children_count", "between", "1|3", [1, 3]),
        ("role", "in", "Decision Maker|3", [1, 3]),
        ("birthday", "on", "2026-05-04", datetime.date(2026, 5, 4)),
        ("created_at", "on", "2026-05-04", datetime.date(2026, 5, 4)),
        ("created_at", "lt", "2026-05-04", datetime.datetime(2026, 5, 4, tzinfo=datetime.UTC)),
        ("birthday", "last_days", "7", 7),
        ("birthday", "today", "", None),
        ("do_not_email", "eq", "yes", True),
        ("account", "contains", "acme", "acme"),
        ("address1", "contains", "Main", "Main"),
    ],
)
def test_value_is_read_as_its_operator_needs_it(name, operator, text, value):
    assert parse_value(CONTACT.fields[name], operator, text) == value


def test_amount_is_read_in_the_readers_format():
    found = ACCOUNT.fields["annual_revenue"]

    assert parse_value(found, "gt", "1.000,50", Reading(decimal_mark=",")) == Decimal("1000.50")


@pytest.mark.parametrize(
    ("name", "operator", "text"),
    [
        ("children_count", "between", "1"),
        ("children_count", "gt", "many"),
        ("birthday", "last_days", "soon"),
        ("birthday", "last_days", "-1"),
        ("birthday", "last_days", "99999"),
        ("created_at", "on", "soon"),
        ("role", "eq", "King"),
        ("account", "eq", "Acme"),
    ],
)
def test_value_that_cannot_be_read_is_refused(name, operator, text):
    with pytest.raises(InvalidQuery):
        parse_value(CONTACT.fields[name], operator, text)


# -- building queries -----------------------------------------------------------------------------


def test_more_conditions_hold_as_well():
    first, second = Condition("email", "filled"), Condition("fax", "filled")
    either = Group((first, second), any=True)

    assert also(where(first), second).where == Group((first, second))
    assert also(Query(entity="contact", where=either), first).where == Group((either, first))
    assert also(where(first)) == where(first)


def test_view_becomes_a_query():
    view = of_view(CONTACT, "decision-makers")

    assert view.columns[:2] == ("full_name", "job_title")
    assert view.where == Group((Condition("state", "eq", 0), Condition("role", "eq", 1)))
    assert of_view(CONTACT) == of_view(CONTACT, "my-active")
    with pytest.raises(KeyError):
        of_view(CONTACT, "nobody")


def test_id_out_of_text():
    made = uuid.uuid4()

    assert queries.point(str(made)) == made
    with pytest.raises(InvalidQuery):
        queries.point("7")
