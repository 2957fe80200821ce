"""Finding by words."""

import pytest

from rapport.actions import records, upkeep
from rapport.actions.search_index import row as index_row
from rapport.actions.upkeep import drain_queue
from rapport.meta.ids import new_id
from rapport.meta.registry import registry
from rapport.models import SearchQueue
from rapport.queries import pages, search
from rapport.queries.query import Query
from tests import factories


def found(find, user, entity="contact"):
    """Titles of the `entity` records that are found."""
    title = registry[entity].title
    page = pages.page(Query(entity=entity, find=find, size=250), user)
    return [row.values[title] for row in page.rows]


@pytest.fixture
def people(admin):
    company = factories.make_account(name="Bäckerei Öztürk", number="10-045")
    factories.make_contact(
        first_name="Jürgen", last_name="Müller", email="j.mueller@oeztuerk.example",
        business_phone="+49 (30) 123-4567", account=company,
    )  # fmt: skip
    factories.make_contact(first_name="Anna", last_name="Lee", mobile_phone="0049 170 9876543")


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        ("muller", ["Jürgen Müller"]),
        ("MÜLLER", ["Jürgen Müller"]),
        ("ülle", ["Jürgen Müller"]),
        ("müller jurgen", ["Jürgen Müller"]),
        ("müller anna", []),
        ("backerei", ["Jürgen Müller"]),
        ("lee", ["Anna Lee"]),
        ("le", ["Jürgen Müller", "Anna Lee"]),
        ("e", ["Jürgen Müller", "Anna Lee"]),
        ("an le", ["Anna Lee"]),
        ("oeztuerk.ex", ["Jürgen Müller"]),
        ("+49 30 1234567", ["Jürgen Müller"]),
        ("030 / 1234567", ["Jürgen Müller"]),
        ("123-45", ["Jürgen Müller"]),
        ("0170 98765", ["Anna Lee"]),
        ("llre", []),
        ("%", []),
        ("_", []),
        ("'; DROP TABLE", []),
        ('"mul"', []),
        ("mul*", []),
        ("mul OR lee", []),
        ("\x00", ["Anna Lee", "Jürgen Müller"]),
        ("mu\x00ller", ["Jürgen Müller"]),
        ("  ", ["Anna Lee", "Jürgen Müller"]),
    ],
)
def test_words_are_found_anywhere_whatever_case_and_accents(text, titles, people, admin):
    assert sorted(found(text, admin)) == sorted(titles)


def test_number_with_a_dash_is_found_as_it_stands(people, admin):
    assert found("10-045", admin, "account") == ["Bäckerei Öztürk"]


@pytest.mark.parametrize("text", ["x" * 5000, "".join(map(chr, range(0x4E00, 0x5E00))), "ab " * 99])
def test_endless_text_is_searched_for(text, people, admin):
    assert found(text, admin) == []


def test_common_words_are_found_as_well(people, admin, monkeypatch):
    monkeypatch.setattr(search, "COMMON", 0)

    assert found("müller", admin) == ["Jürgen Müller"]
    assert len(found("lle", admin)) == 1


def test_invisible_record_is_not_found(alice, charlie):
    factories.make_contact(owner=charlie, last_name="Secret")
    factories.make_contact(owner=alice, last_name="Secretary")

    assert found("secret", alice) == ["Chris Secretary"]
    assert [hit.title for hit in search.everywhere("secret", alice)["contact"]] == [
        "Chris Secretary"
    ]


# -- everywhere -----------------------------------------------------------------------------------


def test_names_that_begin_with_the_words_come_first(admin):
    for name in ("New Stone Ltd", "Stonehenge Company", "Stone"):
        factories.make_account(name=name)

    hits = search.everywhere("stone", admin)["account"]
    assert [hit.title for hit in hits] == ["Stone", "Stonehenge Company", "New Stone Ltd"]


def test_few_hits_of_each_entity(admin):
    for _ in range(3):
        factories.make_account(name="Stone")
        factories.make_contact(last_name="Stone")

    hits = search.everywhere("stone", admin, limit=2)
    assert {name: len(found) for name, found in hits.items()} == {"account": 2, "contact": 2}


@pytest.mark.parametrize("text", ["", "  ", "\x00"])
def test_nothing_is_found_by_nothing(text, admin):
    assert search.everywhere(text, admin) == {}


def test_hit_does_not_name_a_company_that_is_not_visible(alice, charlie):
    hidden = factories.make_account(owner=charlie, name="Hidden Inc")
    factories.make_contact(owner=alice, last_name="Stone", account=hidden)

    (hit,) = search.everywhere("stone", alice)["contact"]
    assert "hidden" not in hit.detail.lower()


def test_hits_of_an_entity_that_one_may_not_read_are_none(charlie):
    marketer = factories.make_user(roles=())
    factories.make_account(name="Stone")

    assert search.everywhere("stone", marketer) == {}


# -- the index ------------------------------------------------------------------------------------


def test_renamed_company_is_found_through_its_people(people, admin):
    company = registry["account"].records().get()
    records.update_record(registry["account"], company.pk, {"name": "Panaderia"}, by=admin)

    assert (found("panaderia", admin), found("backerei", admin)) == (["Jürgen Müller"], [])


def test_company_with_many_people_is_renamed_by_and_by(admin, monkeypatch):
    monkeypatch.setattr(upkeep, "REFRESH_AT_ONCE", 1)
    company = factories.make_account(name="Stone")
    for _ in range(3):
        factories.make_contact(account=company)
    records.update_record(registry["account"], company.pk, {"name": "Panaderia"}, by=admin)
    assert (len(found("stone", admin)), SearchQueue.objects.count()) == (3, 3)

    assert [drain_queue(2), drain_queue(2), drain_queue(2)] == [2, 1, 0]
    assert (found("stone", admin), len(found("panaderia", admin))) == ([], 3)


def test_row_of_the_index_is_a_positive_number_of_63_bits():
    assert all(0 <= index_row(new_id()) < 2**63 for _ in range(100))
