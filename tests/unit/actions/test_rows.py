"""Rows into tables: whatever the way, what is read is what was written."""

import datetime
import json
from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings, strategies as st

from rapport.actions import rows
from rapport.actions.adapted import COPY_FROM, Same
from rapport.meta.ids import new_id
from rapport.models import Account, Change, DuplicatePair, MatchKey, Note, Operation
from tests import factories

NOW = datetime.datetime(2026, 5, 4, 3, 2, 1, 987654, tzinfo=datetime.UTC)
PATIENT = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
_texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
_nasty = st.sampled_from(
    ["", "\\N", "\\.", "\\", "a\tb", "a\nb", "a\r\nb", "\b\f\v", "NULL", "'", '"', "%s", "%", "😀",
     "\u2028", "a\\tb", " ", "{}", "\x1a"]
)  # fmt: skip
_words = _texts | _nasty
_moments = st.datetimes(
    datetime.datetime(1, 1, 2), datetime.datetime(9999, 12, 30),  # noqa: DTZ001
    timezones=st.just(datetime.UTC),
)  # fmt: skip
_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | _words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_words, inner, max_size=3),
    max_leaves=5,
)
# One row, a few (executemany), and enough for COPY.
NUMBERS = st.sampled_from([1, 2, 3, COPY_FROM, COPY_FROM + 7])
# So many of them differ: to think of values takes longer than to write them.
DIFFERENT = 7


def note_rows(owner, number, draw):
    """Values of `number` notes; some columns the same in all rows, some not."""
    different = [
        {
            "version": 1,
            "created_at": NOW,
            "modified_at": draw(_moments),
            "occurred_at": draw(st.sampled_from([NOW, NOW + datetime.timedelta(days=1)])),
            "owner_id": owner.pk,
            "owning_unit_id": owner.business_unit_id,
            "subject": draw(_words),
            "text": "the same\tin\\all",
            "regarding_entity": draw(st.sampled_from(["", "account"])),
            "regarding_id": draw(st.none() | st.uuids()),
            "account_id": None,
            "pinned": draw(st.booleans()),
            "sort_name": "",
            "search_text": draw(st.sampled_from(["", "x"])),
            "state": draw(st.sampled_from([0, 1])),
            "status": 1,
        }
        for _ in range(min(number, DIFFERENT))
    ]
    return [{"id": new_id(), **different[place % DIFFERENT]} for place in range(number)]


@PATIENT
@given(data=st.data(), number=NUMBERS)
def test_what_is_inserted_is_what_is_read(data, number, db):
    owner = factories.somebody()
    with transaction.atomic():
        # A new savepoint for each example: none sees the rows of another.
        Note.objects.all().delete()
        given_rows = note_rows(owner, number, data.draw)
        names = list(given_rows[0])
        rows.insert(Note, names, [list(row.values()) for row in given_rows])

        assert sorted(Note.objects.values(*names), key=_key) == sorted(given_rows, key=_key)


def _key(row):
    return row["id"]


@PATIENT
@given(
    data=st.data(),
    number=NUMBERS,
    amounts=st.lists(st.none() | st.decimals(0, 10**13 - 1, places=2), min_size=1, max_size=3),
)
def test_amounts_numbers_and_days(data, number, amounts, db):
    owner = factories.somebody()
    fixed = {c.attname: c.get_default() for c in Account._meta.concrete_fields} | {
        "created_at": NOW, "modified_at": NOW, "owner_id": owner.pk,
        "owning_unit_id": owner.business_unit_id,
    }  # fmt: skip
    different = [
        {
            "employees": data.draw(st.none() | st.integers(0, 2**31 - 1)),
            "industry": data.draw(st.sampled_from([None, 1, 33])),
            "name": data.draw(_words),
        }
        for _ in range(min(number, DIFFERENT))
    ]
    given_rows = [
        fixed
        | different[place % DIFFERENT]
        | {"id": new_id(), "annual_revenue": amounts[place % len(amounts)]}
        for place in range(number)
    ]
    with transaction.atomic():
        Account.objects.all().delete()
        rows.insert(Account, list(fixed), [[row[n] for n in fixed] for row in given_rows])
        wanted = ("id", "annual_revenue", "employees", "industry", "name")

        assert sorted(Account.objects.values(*wanted), key=_key) == sorted(
            ({name: row[name] for name in wanted} for row in given_rows), key=_key
        )


@PATIENT
@given(documents=st.lists(st.none() | _json, min_size=1, max_size=4), number=NUMBERS)
def test_documents(documents, number, db):
    operation = Operation.objects.create(kind="test", started_at=NOW, state="done")
    names = ("operation_id", "entity", "record", "verb", "row", "version", "at", "before", "after")
    given_rows = [
        (operation.pk, "account", new_id(), 2, place or None, 1, NOW,
         documents[place % len(documents)], None)
        for place in range(number)
    ]  # fmt: skip
    with transaction.atomic():
        rows.insert(Change, names, given_rows)
        stored = Change.objects.filter(operation=operation).order_by("pk").values_list(*names)

        assert [_text(row[7]) for row in stored] == [_text(row[7]) for row in given_rows]
        assert [row[:7] for row in stored] == [row[:7] for row in given_rows]
        Change.objects.all().delete()


def _text(document):
    """As text, so that yes and one differ; PostgreSQL keeps the keys in an order of its own."""
    return json.dumps(document, sort_keys=True)


def test_yes_is_not_one_and_no_is_not_zero(db):
    operation = Operation.objects.create(kind="test", started_at=NOW, state="done")
    names = ("operation_id", "entity", "record", "verb", "version", "at", "before")
    values = [True, 1, False, 0, 1.0] * COPY_FROM
    rows.insert(
        Change, names, [(operation.pk, "x", new_id(), 2, 1, NOW, {"value": v}) for v in values]
    )

    stored = Change.objects.filter(operation=operation).order_by("pk")
    assert [_text(c.before["value"]) for c in stored] == [_text(v) for v in values]


@pytest.mark.parametrize("text", ["", "it's", "100%s %", "01a2 12:30:00.5+02", "x'--", "Ä", "NULL"])
def test_what_all_rows_have_is_what_is_read(text, db):
    note = factories.make_note(subject="old")
    stored = {**Note.objects.values().get(pk=note.pk), "subject": text, "pinned": True}
    columns = {name: Same(value) for name, value in stored.items() if name != "id"}
    rows.insert_columns(Note, {"id": [new_id().hex for _ in range(3)], **columns}, 3)

    made = list(Note.objects.exclude(pk=note.pk).values())
    assert [{**one, "id": note.pk} for one in made] == [stored] * 3


@pytest.mark.parametrize("number", [1, 5, COPY_FROM])
def test_each_row_gets_its_own_values(number, db):
    notes = [factories.make_note(subject=f"old {n}") for n in range(number)]
    rows.update(Note, ("subject", "pinned"), [(n.pk, (f"\\new\t{n.pk}", True)) for n in notes])

    assert dict(Note.objects.values_list("pk", "subject")) == {
        note.pk: f"\\new\t{note.pk}" for note in notes
    }


@pytest.mark.parametrize("call", [
    lambda: rows.insert(Note, ("id",), []),
    lambda: rows.update(Note, ("subject",), []),
    lambda: rows.delete(Note, []),
], ids=["insert", "update", "delete"])  # fmt: skip
def test_no_rows_are_no_statement(call, db, django_assert_num_queries):
    with django_assert_num_queries(0):
        call()


def test_only_the_named_rows_go(db):
    rows.insert(MatchKey, ("hash", "entity", "record"), [(n, 2, new_id()) for n in range(4)])
    doomed = list(MatchKey.objects.filter(hash__lt=2).values_list("record", flat=True))
    rows.delete(MatchKey, doomed, "record")

    assert sorted(MatchKey.objects.values_list("hash", flat=True)) == [2, 3]


def test_smallest_and_largest_key_of_a_hash(db):
    rows.insert(
        MatchKey, ("hash", "entity", "record"), [(h, 2, new_id()) for h in (-(2**63), 2**63 - 1)]
    )

    assert sorted(MatchKey.objects.values_list("hash", flat=True)) == [-(2**63), 2**63 - 1]


def test_largest_amount_keeps_every_digit(db):
    company = factories.make_account(annual_revenue=Decimal("9999999999999.99"))

    company.refresh_from_db()
    assert company.annual_revenue == Decimal("9999999999999.99")


@pytest.mark.parametrize("number", [1, COPY_FROM])
def test_numbers_with_fractions_are_what_was_inserted(number, db):
    weights = [(-1) ** at * at / 3 for at in range(number)]
    names = ("first_entity", "first", "second_entity", "second", "rule", "confidence", "weight",
             "effort", "reasons", "status", "found_at", "decided_by_id", "decided_at")  # fmt: skip

    rows.insert(
        DuplicatePair, names,
        [("account", new_id(), "account", new_id(), "", 80, weight, 0, [], "open", NOW, None, None)
         for weight in weights],
    )  # fmt: skip

    assert list(DuplicatePair.objects.order_by("id").values_list("weight", flat=True)) == weights
